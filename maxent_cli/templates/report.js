"use strict";
// A header's button sorts its table's rows, and turns them round when pressed again; what is no number stays last.
function key(cell, numeric) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  return numeric ? parseFloat(text) : text;
}
function compare(a, b, numeric) {
  if (!numeric) return a.localeCompare(b, "en", { numeric: true });
  return a - b;
}
function sort(button) {
  const header = button.closest("th"), body = header.closest("table").tBodies[0];
  const column = header.cellIndex, numeric = header.classList.contains("num");
  const now = header.getAttribute("aria-sort");
  const order = now ? (now === "ascending" ? "descending" : "ascending") : header.dataset.first || "ascending";
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [key(row.cells[column], numeric), row]);
  const known = rows.filter(([value]) => !Number.isNaN(value)), rest = rows.filter(([value]) => Number.isNaN(value));
  known.sort(([a], [b]) => sign * compare(a, b, numeric));
  body.append(...[...known, ...rest].map(([, row]) => row));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
}
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => sort(button));
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
