"""Two sets of findings side by side: from two folders of motifs to a folder of tables and a figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.analysis.comparison import Same, difference, match_motifs, mean_row, place_row
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.data import Floats
from maxent_cli.errors import require_range
from maxent_cli.io.comparison_figure import ComparisonFigure, MatchedLogos, Scatter, write_comparison_figure
from maxent_cli.io.comparison_inputs import Side, read_side
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import write_table
from maxent_cli.tables.columns import KNOWN_COLUMNS
from maxent_cli.tables.comparison import ANCHORS, DESCRIBED, MOTIFS, PLACES, SUMMARY

Row = dict[str, Any]
HELD = ("bits", "bits_held")
TITLES = {
    "bits": "bits of the positions",
    "bits_held": "bits held by the law",
    "occupancy": "share of draws that hold a motif",
}
FAR = 3.0  # errors from which an anchor is called different
MOST = 0.5  # share of draws from which an anchor is said to hold a motif


@dataclass(frozen=True)
class Both:
    """Two sides, the names of anchors that both have with the same letters, and those whose letters differ."""

    a: Side
    b: Side
    shared: list[str]
    differing: int

    def column(self, side: Side, name: str) -> Floats:
        """A number of each shared anchor of a side (N,), or of all its anchors where none is shared."""
        return np.array([side.anchors[record][name] for record in self.shared or side.anchors], float)

    def occupancy(self, side: Side, motif: str) -> Floats:
        """The share of draws that hold a motif, of each shared anchor of a side (N,), or of all; nan where unknown."""
        rows = [side.occupancies.get((record, motif)) for record in self.shared or side.anchors]
        return np.array([row["occupancy"] if row else np.nan for row in rows])


@dataclass(frozen=True)
class Comparison:
    """What of HELD is known on both sides, the motifs that are the same, and the rows of all tables."""

    both: Both
    held: list[str]
    same: list[Same]
    motifs: list[Row]
    places: list[Row]
    anchors: list[Row]
    summary: list[Row]


def compare(
    a: str | Results,
    b: str | Results,
    *,
    similarity: float = 0.65,
    out: str | None = None,
    progress: Progress = True,
) -> Results:
    """What differs between two models on the same anchors, or between two sets of anchors.

    Anchors of one name and sequence are the same and are compared one by one; if there are none, means are compared.
    Differences are B less A. Errors of single anchors are Monte Carlo errors; intervals of means are over anchors.

    Parameters
    ----------
    a, b
        What `motifs` gives, or folders that it wrote.
    similarity
        Pearson r of aligned columns from which motifs of A and B are the same.
    out
        Folder for the results; without it they are kept until nobody holds them.
    progress
        False: nothing is said; else who hears what was found.

    Returns
    -------
    Results
        Tables 'summary', 'motifs', 'places' and 'anchors', as `maxent compare --help-all` tells; in bits.

    Raises
    ------
    InputError
        Where a folder was not written by `motifs`.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.compare("model_1/motifs", "model_2/motifs", out="differences")  # doctest: +SKIP
    >>> found.to_frame()[["quantity", "difference", "low", "high"]]  # doctest: +SKIP
    """
    require_range("similarity", similarity, 0, 1)
    folders = [str(side.path) if isinstance(side, Results) else side for side in (a, b)]
    outputs, listener = planned(folders, folders=[out]), listener_of(progress)
    first, second = map(read_side, folders)
    found = compare_sides(first, second, similarity)
    with results_folder(out, outputs) as folder:
        write_comparison(folder, found)
    return tell(folder, out, "summary", account(found), listener)


def compare_sides(a: Side, b: Side, similarity: float) -> Comparison:
    """Pair anchors and motifs, and set their numbers side by side."""
    names = [name for name in a.anchors if name in b.anchors]
    shared = [name for name in names if a.anchors[name]["letters"] == b.anchors[name]["letters"]]
    both = Both(a, b, shared, len(names) - len(shared))
    same = match_motifs(a.motifs, b.motifs, similarity)
    places = [_place_rows(pair, both) for pair in same]
    held = [name for name in HELD if all(np.isfinite(both.column(side, name)).any() for side in (a, b))]
    return Comparison(
        both=both,
        held=held,
        same=same,
        motifs=[_same_row(pair, both, rows) for pair, rows in zip(same, places, strict=True)] + _lone_rows(same, both),
        places=[row for rows in places for row in rows],
        anchors=[_anchor_row(name, both) for name in shared],
        summary=[_held_row(name, both) for name in held] + [_occupancy_row(pair, both) for pair in same],
    )


def write_comparison(folder: Path, found: Comparison) -> None:
    """Write the tables and the figure."""
    tables = (MOTIFS, found.motifs), (PLACES, found.places), (ANCHORS, found.anchors), (SUMMARY, found.summary)
    for table, rows in tables:
        write_table(str(folder / table.file), rows, table)
    write_comparison_figure(str(folder / "compare.png"), _figure(found))


def account(found: Comparison) -> Iterator[str]:
    """Which anchors and motifs were compared, and what differs."""
    both, same = found.both, len(found.same)
    yield f"{len(both.shared)} anchors in both, of {len(both.a.anchors)} in A and {len(both.b.anchors)} in B"
    yield f"  {same} motifs in both, {len(both.a.motifs) - same} in A alone, {len(both.b.motifs) - same} in B alone"
    for row in found.summary:
        interval = f"95 % over anchors: {row['low']:.3g} to {row['high']:.3g}"
        means = f"A {row['mean_a']:.3g}, B {row['mean_b']:.3g}, difference {row['difference']:.3g}"
        yield f"  {row['quantity']}: {means} ({interval})"
    settled = [row for row in found.anchors if row["converged_a"] and row["converged_b"]]
    far = sum(abs(row["bits_z"]) > FAR for row in settled)
    if both.shared:
        yield f"  {far} of {len(settled)} anchors differ in bits by more than {FAR:g} errors; see anchors.tsv"
        if len(settled) < len(found.anchors):
            yield f"  {len(found.anchors) - len(settled)} anchors are not judged: their draws have not converged"
    else:
        yield "  no anchor is in both by name and sequence: means are compared, not anchors one by one"
    repeated = both.a.repeated + both.b.repeated
    if both.differing or repeated:
        yield f"  left out: {both.differing} names whose sequences differ, {repeated} names of several anchors"


def _same_row(pair: Same, both: Both, places: list[Row]) -> Row:
    a, b = both.a.rows[pair.a], both.b.rows[pair.b]
    held = [place for place in places if min(place["occupancy_a"], place["occupancy_b"]) >= MOST]
    return {
        **{name: getattr(pair.match, name) for name in ("similarity", "offset", "strand")},
        **_described(a, "a"),
        **_described(b, "b"),
        **difference(a, b, "bits"),
        "held_by_both": len(held),
        "same_place": sum(place["same_place"] is True for place in held),
    }


def _lone_rows(same: list[Same], both: Both) -> list[Row]:
    """Rows of the motifs that one side has alone."""
    paired = {"a": {pair.a for pair in same}, "b": {pair.b for pair in same}}
    return [
        dict.fromkeys(MOTIFS.names) | _described(row, letter)
        for letter, side in (("a", both.a), ("b", both.b))
        for number, row in enumerate(side.rows)
        if number not in paired[letter]
    ]


def _described(motif: Row, side: str) -> Row:
    known = {f"{column.name}_{side}": _known(motif[column.name]) for column in KNOWN_COLUMNS}
    told = {f"{name}_{side}": motif[name] for name in ("motif", *(column.name for column in DESCRIBED))}
    return told | known | {f"bits_{side}": motif["bits"], f"bits_{side}_error": motif["bits_error"]}


def _known(value: Any) -> Any:
    """A value of a table; None for nothing, whatever its kind."""
    return None if value == "" or value != value else value


def _place_rows(pair: Same, both: Both) -> list[Row]:
    one, other = both.a.rows[pair.a]["motif"], both.b.rows[pair.b]["motif"]
    rows = []
    for name in both.shared:
        a, b = both.a.occupancies.get((name, one)), both.b.occupancies.get((name, other))
        if a and b:
            told = {"record": name, "motif_a": one, "motif_b": other}
            places = place_row(a, b, pair.match.strand == "-")
            rows.append(told | difference(a, b, "occupancy") | places | _convergence(name, both))
    return rows


def _anchor_row(name: str, both: Both) -> Row:
    row: Row = {"record": name}
    for what in HELD:
        row |= difference(both.a.anchors[name], both.b.anchors[name], what)
    return row | _convergence(name, both)


def _convergence(name: str, both: Both) -> Row:
    """Whether an anchor's draws have converged, on either side."""
    sides = (("a", both.a), ("b", both.b))
    return {f"{what}_{letter}": side.anchors[name][what] for letter, side in sides for what in ("converged", "rhat")}


def _held_row(name: str, both: Both) -> Row:
    columns = [both.column(side, name) for side in (both.a, both.b)]
    return mean_row(TITLES[name], (columns[0], columns[1]), bool(both.shared))


def _occupancy_row(pair: Same, both: Both) -> Row:
    a, b = both.a.rows[pair.a]["motif"], both.b.rows[pair.b]["motif"]
    columns = both.occupancy(both.a, a), both.occupancy(both.b, b)
    return mean_row(f"share of draws with {a} of A, {b} of B", columns, bool(both.shared))


def _figure(found: Comparison) -> ComparisonFigure:
    both = found.both
    scatters = [_scatter(name, found.anchors, both) for name in found.held]
    if found.places:
        scatters.append(_scatter("occupancy", found.places, both))
    logos = [
        MatchedLogos(both.a.motifs[pair.a], both.b.motifs[pair.b], pair.match.offset, pair.match.strand == "-")
        for pair in found.same
    ]
    return ComparisonFigure((both.a.name, both.b.name), scatters, logos)


def _scatter(name: str, rows: list[Row], both: Both) -> Scatter:
    if not both.shared:
        return Scatter(TITLES[name], both.column(both.a, name), both.column(both.b, name))
    a, b, a_error, b_error = (
        np.array([row[f"{name}_{part}"] for row in rows], float) for part in ("a", "b", "a_error", "b_error")
    )
    groups = [f"{row['motif_a']}, {row['motif_b']}" for row in rows if "motif_a" in row]
    return Scatter(TITLES[name], a, b, (a_error, b_error), groups)
