"use strict";
// All text that comes from files is set as text, never as markup; drawings are made of elements.
const SVG = "http://www.w3.org/2000/svg", LETTERS = "ACGT", MOST_COLUMNS = 120, MOST_AT_ONCE = 360, MOST_SITES = 12;
const LEFT = 98, RIGHT = 8, WIDEST = 1072, LOGO = 80, PROFILE = 36, SCORES = 46, LANE = 15, GAP = 12, EXAMPLE = 10;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const tip = document.getElementById("tip"), told = document.getElementById("told"), root = document.documentElement;

function node(name, attributes = {}, text = "", ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== "") made.textContent = text;
  made.append(...children);
  return made;
}
function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
function bytesOf(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}
function unpacked({ offset, step, codes }) {
  const bytes = bytesOf(codes), length = bytes.length / 2;
  return Float64Array.from({ length }, (_, at) => {
    const code = bytes[at] + 256 * bytes[length + at];
    return code === 65535 ? NaN : (code + offset) * step;
  });
}
// What cards are drawn from and what can be saved: compressed in the page, read once, while the rest is there to be used.
let data = null;
const cards = new Map();
async function reading() {
  const packed = new Blob([bytesOf(document.getElementById("data").textContent)]);
  data = await new Response(packed.stream().pipeThrough(new DecompressionStream("deflate"))).json();
  for (const card of data.cards) cards.set(card.rank, card);
}
const ready = reading();
const known = (value) => (Number.isFinite(value) ? value : 0);
const rounded = (value) => Math.round(value * 10) / 10;
function pm(value, error, digits = 2) {
  const text = (number) => number.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "\u2212");
  return Number.isFinite(value) ? text(value) + (Number.isFinite(error) ? ` ± ${text(error)}` : "") : "not known";
}

// A number to its error's second digit, or to three of its own where it has none.
function toError(value, error) {
  if (!(error > 0)) return Number.isFinite(value) ? String(+value.toPrecision(3)).replace("-", "\u2212") : "not known";
  return pm(value, error, Math.min(Math.max(1 - Math.floor(Math.log10(error)), 0), 6));
}

// --- saving ---
function save(name, text, kind) {
  const address = URL.createObjectURL(new Blob([text], { type: kind }));
  const link = element("a", { href: address, download: name.replace(/[^\w.-]+/g, "_") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
function savePicture(picture, name) {
  const copy = picture.cloneNode(true), style = node("style", {}, document.querySelector("style").textContent);
  copy.setAttribute("xmlns", SVG);
  const used = new Set(all("use", copy).map((each) => each.getAttribute("href").slice(1)));
  const glyphs = node("defs", {}, "", ...[...used].map((letter) => document.getElementById(letter).cloneNode(true)));
  copy.prepend(style, glyphs);
  for (const cursor of all(".cursor", copy)) cursor.remove();
  save(`${name}.svg`, new XMLSerializer().serializeToString(copy), "image/svg+xml");
}
function saveButton(picture, name, small) {
  const long = "Save the picture (SVG)", attributes = small ? { "aria-label": `${long} of ${name}` } : {};
  const button = element("button", { type: "button", class: "tool", ...attributes }, small ? "SVG" : long);
  button.addEventListener("click", () => savePicture(picture(), name));
  return button;
}

// --- an anchor's card ---
function opened(card) {
  if (card.values) return card.values;
  const [p, error, bits, bitsError] = [card.p, card.p_error, card.information, card.information_error].map(unpacked);
  const more = card.more.map((track) => ({ name: track.name, unit: track.unit, values: unpacked(track.values), errors: track.errors && unpacked(track.errors) }));
  const top = Math.max(0.5, ...bits.map((value, at) => known(value) + known(bitsError[at])));
  card.values = { p, error, bits, bitsError, more, top: Math.ceil(top * 4) / 4 };
  return card.values;
}
function stacked(p, bits) {
  const heights = [...p].map((share, at) => [LETTERS[at], share * Math.max(known(bits), 0)]);
  return heights.sort((a, b) => a[1] - b[1]);
}
function scaleLine(svg, low, high, y0, y1, labels) {
  svg.append(node("path", { class: "axis", d: `M${LEFT - 3} ${y1}V${y0}` }));
  for (const value of labels) {
    const y = y0 - ((value - low) / (high - low || 1)) * (y0 - y1);
    svg.append(node("text", { class: "end", x: LEFT - 7, y: y + 3.5 }, String(+value.toPrecision(2)).replace("-", "\u2212")));
  }
}
function trackName(svg, name, unit, y) {
  svg.append(node("text", { class: "track", x: 0, y }, name));
  if (unit) svg.append(node("text", { class: "track", x: 0, y: y + 13 }, unit));
}
function inLanes(sites, room) {
  const lanes = [];
  return sites.slice(0, MOST_SITES).map((site) => {
    let lane = lanes.findIndex((held) => held.every((o) => site.start >= o.end + room || site.end + room <= o.start));
    if (lane < 0) lane = lanes.push([]) - 1;
    lanes[lane].push(site);
    return { ...site, lane };
  });
}
function genomic(card, position) {
  if (!card.interval) return "";
  const [chromosome, start, end, strand] = card.interval;
  return `${chromosome}:${strand === "-" ? end - 1 - position : start + position}`;
}
function saying(card, at) {
  const v = opened(card), lines = [`position ${at}, the anchor has ${card.letters[at]}`];
  if (card.interval) lines.push(`${genomic(card, at)} (0-based)`);
  for (let l = 0; l < 4; l++) lines.push(`${LETTERS[l]} in ${pm(100 * v.p[4 * at + l], 100 * v.error[4 * at + l], 1)} % of draws`);
  lines.push(`${pm(v.bits[at], v.bitsError[at])} bits`);
  for (const track of v.more) lines.push(`${track.name}: ${toError(track.values[at], track.errors?.[at])} (${track.unit})`);
  for (const site of card.sites) if (site.start <= at && at < site.end)
    lines.push(`${site.called} (${site.strand}) here in ${pm(100 * site.occupancy, 100 * (site.occupancy_error ?? NaN), 1)} % of draws`);
  return lines.join("\n");
}
function strip(card, from, to) {
  const v = opened(card), columns = to - from, step = Math.min(40, (WIDEST - LEFT - RIGHT) / columns);
  const width = rounded(LEFT + columns * step + RIGHT), x = (at) => rounded(LEFT + (at - from) * step);
  const name = `Logo, bits, sites and draws of ${card.record.slice(0, 60)}, positions ${from} to ${to - 1}`;
  const svg = node("svg", { class: "savable", role: "img", tabindex: 0, "aria-label": name });
  let y = 6;
  // logo
  const scale = LOGO / v.top, base = y + LOGO;
  trackName(svg, "logo", "bits", y + LOGO / 2 - 3);
  scaleLine(svg, 0, v.top, base, y, [0, v.top / 2, v.top]);
  const logo = node("g", { transform: `translate(${LEFT} ${base})scale(${rounded(step * 10) / 10} ${-scale})` });
  let whiskers = "";
  for (let at = from; at < to; at++) {
    let height = 0;
    for (const [letter, bits] of stacked(v.p.subarray(4 * at, 4 * at + 4), v.bits[at])) {
      if (bits > 0.008 * v.top) logo.append(node("use", { href: `#${letter}`, transform: `translate(${at - from} ${height})scale(1 ${bits})` }));
      height += bits;
    }
    const error = v.bitsError[at];
    if (height > 0.03 * v.top && Number.isFinite(error))
      whiskers += `M${rounded(x(at) + step / 2)} ${rounded(base - scale * Math.max(height - error, 0))}V${rounded(base - scale * Math.min(height + error, v.top))}`;
  }
  svg.append(logo, node("path", { class: "whiskers", d: whiskers }), node("path", { class: "axis", d: `M${LEFT} ${base}H${width - RIGHT}` }));
  // sequence
  y = base + 14;
  const centres = Array.from({ length: columns }, (_, at) => rounded(LEFT + (at + 0.5) * step)).join(" ");
  trackName(svg, "sequence", "", y);
  svg.append(node("text", { class: "sequence", x: centres, y }, card.letters.slice(from, to)));
  // bits with errors
  y += GAP;
  const foot = y + PROFILE, level = (value) => rounded(foot - (Math.min(Math.max(value, 0), v.top) / v.top) * PROFILE);
  let upper = "", lower = "", line = "";
  for (let at = from; at < to; at++) {
    const error = 1.96 * known(v.bitsError[at]), bits = known(v.bits[at]), open = at === from ? "M" : "L";
    upper += `${open}${x(at)} ${level(bits + error)}H${x(at + 1)}`;
    line += `${open}${x(at)} ${level(bits)}H${x(at + 1)}`;
    lower = `L${x(at + 1)} ${level(bits - error)}H${x(at)}` + lower;
  }
  trackName(svg, "bits", "95 % band", y + PROFILE / 2 - 3);
  scaleLine(svg, 0, v.top, foot, y, [0, v.top]);
  svg.append(node("path", { class: "band", d: `${upper}${lower}Z` }), node("path", { class: "profile", d: line }), node("path", { class: "axis", d: `M${LEFT} ${foot}H${width - RIGHT}` }));
  y = foot + GAP;
  // tracks of further parts
  for (const track of v.more) {
    const values = [...track.values].map(known), low = Math.min(0, ...values), high = Math.max(0, ...values), span = high - low || 1;
    const zero = y + (high / span) * SCORES;
    trackName(svg, track.name, track.unit, y + SCORES / 2 - 3);
    scaleLine(svg, low, high || low + 1, y + SCORES, y, [low, 0, high].filter((value) => value === 0 || Math.abs(value) > span / 4));
    const group = node("g", { transform: `translate(${LEFT} ${rounded(zero)})scale(${rounded(step * 10) / 10} ${-SCORES / span})` });
    for (let at = from; at < to; at++)
      if (LETTERS.includes(card.letters[at]) && Math.abs(values[at]) > 0.008 * span)
        group.append(node("use", { href: `#${card.letters[at]}`, transform: `translate(${at - from} 0)scale(1 ${values[at]})` }));
    svg.append(group, node("path", { class: "axis", d: `M${LEFT} ${rounded(zero)}H${width - RIGHT}` }));
    y += SCORES + GAP;
  }
  // sites
  const sites = inLanes(card.sites, Math.ceil(110 / step)).filter((site) => site.start < to && site.end > from);
  if (sites.length) trackName(svg, "sites", "", y + 9.5);
  for (const site of sites) {
    const start = x(Math.max(site.start, from)), end = x(Math.min(site.end, to)), length = Math.max(end - start - 5, 0), top = y + site.lane * LANE;
    const d = site.strand === "-" ? `M${start} ${top + 6}l5 -6h${length}v12h${-length}z` : `M${start} ${top}h${length}l5 6l-5 6h${-length}z`;
    const beside = end + 120 < width, share = `${site.called.slice(0, 16)} ${pm(100 * site.occupancy, 100 * (site.occupancy_error ?? NaN), 0)} %`;
    svg.append(node("path", { class: `arrow hue${site.hue}`, d }));
    svg.append(node("text", { class: beside ? "" : "end", x: beside ? end + 5 : start - 5, y: top + 9.5 }, share));
  }
  if (sites.length) y += (1 + Math.max(...sites.map((site) => site.lane))) * LANE + GAP / 2;
  // examples of draws
  trackName(svg, `${card.draws.length} draws`, "dark: as anchor", y + 12);
  for (const draw of card.draws) {
    y += EXAMPLE;
    for (const same of [true, false]) {
      const places = Array.from({ length: columns }, (_, at) => from + at).filter((at) => (draw[at] === card.letters[at]) === same);
      const row = places.map((at) => rounded(LEFT + (at - from + 0.5) * step)).join(" ");
      if (places.length) svg.append(node("text", { class: `example ${same ? "same" : "other"}`, x: row, y }, places.map((at) => draw[at]).join("")));
    }
  }
  // rulers
  y += 6;
  svg.append(node("path", { class: "axis", d: `M${LEFT} ${y}H${width - RIGHT}` }));
  const every = columns > 60 ? 10 : columns > 25 ? 5 : 2;
  for (let at = from; at < to; at++) if (at % every === 0) svg.append(node("text", { class: "mid", x: rounded(x(at) + step / 2), y: y + 13 }, at));
  y += 27;
  if (card.interval) {
    for (let at = Math.ceil(from / 20) * 20; at < to; at += 20) svg.append(node("text", { class: "mid", x: rounded(x(at) + step / 2), y }, genomic(card, at).split(":").pop()));
    trackName(svg, card.interval[0].slice(0, 14), "", y);
    y += 14;
  }
  svg.append(node("text", { class: "mid", x: (LEFT + width - RIGHT) / 2, y }, card.interval ? "position in the anchor, and in the genome (0-based)" : "position in the anchor (0-based)"));
  const height = y + 6, cursor = node("rect", { class: "cursor", x: -99, y: 0, width: rounded(step), height });
  svg.append(cursor);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  let chosen = from - 1;
  const point = (at, left, top) => {
    chosen = at;
    cursor.setAttribute("x", x(at));
    showTip(saying(card, at), left, top, svg);
  };
  const away = () => { cursor.setAttribute("x", -99); hideTip(svg); };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), at = from + Math.floor((((event.clientX - box.left) / box.width) * width - LEFT) / step);
    if (at >= from && at < to) point(at, event.clientX + 14, event.clientY + 14); else away();
  });
  svg.addEventListener("pointerleave", away);
  svg.addEventListener("blur", away);
  svg.addEventListener("keydown", (event) => {
    const turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") away();
    if (!turn) return;
    event.preventDefault();
    const at = Math.min(Math.max(chosen + turn, from), to - 1), box = svg.getBoundingClientRect();
    point(at, box.left + ((x(at) + step) / width) * box.width + 6, Math.max(box.top, 60) + 10);
    told.textContent = saying(card, at);
  });
  return svg;
}
// The whole of a long anchor: its bits, its sites, and what is shown of it; a press shows what is there.
function overview(card, from, to, go) {
  const v = opened(card), length = card.letters.length, width = WIDEST, span = width - LEFT - RIGHT, foot = 44;
  const x = (at) => rounded(LEFT + (at / length) * span), bins = Math.min(length, 500), heights = Array(bins).fill(0);
  v.bits.forEach((bits, at) => { const bin = Math.floor((at / length) * bins); heights[bin] = Math.max(heights[bin], known(bits)); });
  const level = (bits) => rounded(foot - (Math.min(bits, v.top) / v.top) * 34);
  const d = heights.map((bits, bin) => `L${x((bin * length) / bins)} ${level(bits)}H${x(((bin + 1) * length) / bins)}`).join("");
  const svg = node("svg", { class: "overview", viewBox: `0 0 ${width} 74`, width, height: 74, role: "img", "aria-label": `All ${length} positions, of which ${from} to ${to - 1} are shown below` });
  trackName(svg, "all of it", "bits", 24);
  svg.append(node("rect", { class: "cursor", x: x(from), y: 4, width: rounded(((to - from) / length) * span), height: 50 }));
  svg.append(node("path", { class: "band", d: `M${LEFT} ${foot}${d}V${foot}Z` }), node("path", { class: "axis", d: `M${LEFT} ${foot}H${width - RIGHT}` }));
  for (const site of card.sites) svg.append(node("rect", { class: `arrow hue${site.hue}`, x: x(site.start), y: 47, width: Math.max(rounded(((site.end - site.start) / length) * span), 3), height: 6 }));
  const every = [50, 100, 200, 500, 1000, 2000, 5000, 10000].find((step) => length / step <= 12) ?? 50000;
  for (let at = 0; at < length; at += every) svg.append(node("text", { class: "mid", x: x(at), y: 68 }, at));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect(), at = ((((event.clientX - box.left) / box.width) * width - LEFT) / span) * length, half = Math.min(to - from, 2 * MOST_COLUMNS) / 2;
    go(at - half, at + half);
  });
  return svg;
}
// What is shown first: all of it, or of a long one what lies around the site that most draws have, or around most bits.
function firstShown(card) {
  const length = card.letters.length, size = 2 * MOST_COLUMNS;
  if (length <= MOST_AT_ONCE) return [0, length];
  const bits = [...opened(card).bits].map(known), site = card.sites[0];
  const middle = site ? (site.start + site.end) / 2 : bits.indexOf(Math.max(...bits));
  return [middle - size / 2, middle + size / 2];
}
function draw(card, place, from, to) {
  const count = Math.ceil((to - from) / MOST_COLUMNS), each = Math.ceil((to - from) / count);
  place.replaceChildren(...Array.from({ length: count }, (_, at) => strip(card, from + at * each, Math.min(from + (at + 1) * each, to))));
}
function positionsTable(card) {
  const v = opened(card), number = (value) => (Number.isFinite(value) ? String(+value.toPrecision(6)) : "");
  const names = ["record", "position", "letter", "information", "information_error", ...[...LETTERS].map((l) => `p_${l}`), ...[...LETTERS].map((l) => `error_${l}`), ...v.more.flatMap((track) => (track.errors ? [track.name, `${track.name}: error`] : [track.name]))];
  const rows = [...card.letters].map((letter, at) => [card.record.replace(/[\t\n\r]/g, " "), at, letter,
    ...[v.bits[at], v.bitsError[at], ...v.p.subarray(4 * at, 4 * at + 4), ...v.error.subarray(4 * at, 4 * at + 4), ...v.more.flatMap((track) => (track.errors ? [track.values[at], track.errors[at]] : [track.values[at]]))].map(number)]);
  return [names, ...rows].map((row) => `${row.join("\t")}\n`).join("");
}
function fill(body, card) {
  const place = element("div", { class: "card" }), tools = element("div", { class: "tools" }), whole = element("div"), length = card.letters.length;
  let from = 0, to = length;
  const show = (start, end) => {
    const size = Math.min(Math.max(end - start, 12), length);
    from = Math.round(Math.min(Math.max(start, 0), length - size));
    to = Math.round(from + size);
    draw(card, place, from, to);
    if (length > MOST_AT_ONCE) whole.replaceChildren(overview(card, from, to, show));
    where.textContent = `positions ${from} to ${to - 1} of ${length}`;
  };
  const where = element("span", { class: "quiet", "aria-live": "polite" });
  const tool = (text, label, press) => {
    const button = element("button", { type: "button", class: "tool", "aria-label": label }, text);
    button.addEventListener("click", press);
    tools.append(button);
  };
  const middle = () => (from + to) / 2, half = () => (to - from) / 2;
  tool("Zoom in", "Zoom in", () => show(middle() - half() / 2, middle() + half() / 2));
  tool("Zoom out", "Zoom out", () => show(middle() - half() * 2, middle() + half() * 2));
  tool("\u2190", "To the left", () => show(from - half(), to - half()));
  tool("\u2192", "To the right", () => show(from + half(), to + half()));
  tool("All", "Show all positions", () => show(0, length));
  tools.append(where);
  tool("Save the picture (SVG)", "Save the picture of this card", () =>
    all("svg", place).forEach((picture, at) => savePicture(picture, `anchor_${card.rank}${at ? `_${at + 1}` : ""}`)));
  tool("Save the positions (TSV)", "Save the positions of this card", () => save(`anchor_${card.rank}.tsv`, positionsTable(card), "text/tab-separated-values"));
  if (card.interval && data.assembly) {
    const [chromosome, start, end] = card.interval, query = new URLSearchParams({ db: data.assembly, position: `${chromosome}:${start + 1}-${end}` });
    tools.append(element("a", { href: `https://genome.ucsc.edu/cgi-bin/hgTracks?${query}`, target: "_blank", rel: "noopener noreferrer" }, `in the genome browser (${data.assembly})`));
  }
  body.append(tools, whole, place);
  show(...firstShown(card));
}
function unfold(article, open) {
  const button = article.querySelector(".unfold");
  if (!button) return;
  const body = document.getElementById(button.getAttribute("aria-controls"));
  button.setAttribute("aria-expanded", open);
  body.hidden = !open;
  if (open && data && !body.querySelector(".card")) fill(body, cards.get(Number(article.dataset.rank)));
}
const articles = all("#cards article");
let first = null; // the card that was unfolded when the page was opened, and that nobody has pressed
for (const article of articles)
  article.querySelector(".unfold")?.addEventListener("click", (event) => {
    if (article === first) first = null;
    unfold(article, event.currentTarget.getAttribute("aria-expanded") !== "true");
  });

// --- search, filter and sort over all cards ---
const filters = document.getElementById("filters"), shell = document.getElementById("cards");
const words = new Map(articles.map((one) => [one, `${one.dataset.record} ${one.dataset.words}`.toLowerCase()]));
const control = (name) => document.getElementById(name);
function filter() {
  const text = control("search").value.trim().toLowerCase(), motif = control("with").value, only = control("only").value;
  let count = 0;
  for (const one of articles) {
    const { converged, told: heard, motifs } = one.dataset;
    const kept = { "": true, converged: converged === "yes", unsettled: converged === "no", told: heard === "yes" }[only];
    one.hidden = !(kept && words.get(one).includes(text) && (!motif || motifs.split("\t").includes(motif)));
    count += !one.hidden;
  }
  control("count").textContent = `${count} of ${articles.length} shown`;
}
function order() {
  const by = control("order").value, rising = by === "rank" ? 1 : -1;
  const value = (one) => parseFloat(one.dataset[by]);
  const after = (a, b) => (Number.isNaN(value(a)) ? 1 : Number.isNaN(value(b)) ? -1 : rising * (value(a) - value(b)));
  shell.append(...[...articles].sort(by === "record" ? (a, b) => a.dataset.record.localeCompare(b.dataset.record, "en", { numeric: true }) : after));
}
if (filters) {
  filters.hidden = false;
  for (const event of ["input", "change"]) {
    for (const name of ["search", "with", "only"]) control(name).addEventListener(event, filter);
    control("order").addEventListener(event, order);
  }
  filter();
}

// --- sentences on hover and focus ---
let owner = null; // what the sentence is of: where that has the focus, scrolling leaves it
function showTip(text, left, top, of) {
  owner = of;
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - box.width - 8))}px`;
  tip.style.top = `${Math.max(4, Math.min(top, innerHeight - box.height - 8))}px`;
}
function hideTip(of = owner) { if (of === owner) tip.hidden = true; }
for (const one of all("[data-tip]")) {
  const show = () => {
    const box = one.getBoundingClientRect();
    showTip(one.dataset.tip, box.left, box.bottom + 6, one);
    one.setAttribute("aria-describedby", "tip");
  };
  for (const event of ["pointerenter", "focus"]) one.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) one.addEventListener(event, () => hideTip(one));
}
addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
addEventListener("scroll", () => { if (owner !== document.activeElement) hideTip(); }, { passive: true });

// --- tables: a header's button sorts its rows, and turns them round when pressed again; what is no number stays last ---
function key(cell, numeric) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  return numeric ? parseFloat(text) : text;
}
function sort(button) {
  const header = button.closest("th"), body = header.closest("table").tBodies[0];
  const column = header.cellIndex, numeric = header.classList.contains("num"), now = header.getAttribute("aria-sort");
  const next = now ? (now === "ascending" ? "descending" : "ascending") : header.dataset.first || "ascending";
  const sign = next === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [key(row.cells[column], numeric), row]);
  const first = rows.filter(([value]) => !Number.isNaN(value)), rest = rows.filter(([value]) => Number.isNaN(value));
  first.sort(([a], [b]) => sign * (numeric ? a - b : a.localeCompare(b, "en", { numeric: true })));
  body.append(...[...first, ...rest].map(([, row]) => row));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", next);
}
for (const button of all("thead button")) button.addEventListener("click", () => sort(button));

// --- saving what lies in the page ---
for (const button of all("[data-file]")) button.addEventListener("click", () => ready.then(() => save(button.dataset.file.replace("/", "_"), data.files[button.dataset.file], "text/tab-separated-values")));
for (const button of all("[data-text]")) button.addEventListener("click", () => ready.then(() => save(button.dataset.text, data.texts[button.dataset.text], "text/plain")));
for (const picture of all("main svg.savable")) if (!picture.closest(".card"))
  (picture.closest("tr")?.querySelector("[data-text]") ?? picture.parentNode.lastElementChild).after(saveButton(() => picture, picture.dataset.name || picture.closest("section").id, picture.closest("tr")));

// --- light and dark; links to what is folded; print ---
const theme = document.getElementById("theme");
function light(dark) {
  root.dataset.theme = dark ? "dark" : "light";
  theme.textContent = dark ? "Light" : "Dark";
  theme.setAttribute("aria-label", dark ? "Light colours" : "Dark colours");
}
theme.hidden = false;
light(matchMedia("(prefers-color-scheme: dark)").matches);
theme.addEventListener("click", () => light(root.dataset.theme !== "dark"));
function reveal() {
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  for (let at = wanted; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (wanted) wanted.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
let lent = [], dark = false;
addEventListener("beforeprint", () => {
  for (const part of all("details")) part.open = true;
  dark = root.dataset.theme === "dark";
  light(false);
  const open = articles.filter((one) => one.querySelector('.unfold[aria-expanded="true"]')), chosen = open.filter((one) => one !== first);
  if (!chosen.length) lent = articles.filter((one) => !one.hidden && !open.includes(one)).slice(0, 10 - open.length);
  lent.forEach((one) => unfold(one, true));
});
addEventListener("afterprint", () => { lent.forEach((one) => unfold(one, false)); lent = []; light(dark); });

// --- the first card is unfolded, and those that were pressed before they could be read ---
ready.then(
  () => {
    first = articles[0];
    if (first) unfold(first, true);
    for (const one of articles) if (one.querySelector('.unfold[aria-expanded="true"]')) unfold(one, true);
    root.dataset.ready = "yes";
    performance.mark("ready");
  },
  () => { for (const one of all(".body")) one.append(element("p", {}, "This browser is too old to draw cards and to save: one of 2023 or later is needed.")); },
);
