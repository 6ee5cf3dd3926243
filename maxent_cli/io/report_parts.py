"""The parts of the report, in the order in which they stand: a reading adds its own here, and its template.

A part is shown by templates/report/ANCHOR.html from the values that it gives, and is asked for only where the folder of
its command was given. tables.SHOWN lists these commands: the options of `maxent report` are made from it, and the
function's keywords are checked against it.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import Any, Protocol

import numpy as np

from maxent_cli.io import report_drawing as drawing
from maxent_cli.io import report_inputs as inputs
from maxent_cli.io.motif_files import meme_text
from maxent_cli.io.report_cards import card, examples_of
from maxent_cli.io.report_inputs import MotifShown, Row, Sources, Track, Tracks
from maxent_cli.io.report_verdict import (
    COMES_AGAIN,
    Said,
    arrangement,
    avoided,
    counts_held,
    named,
    quality,
    reads,
    trust,
)
from maxent_cli.tables import crossing as crossing_words
from maxent_cli.tables.attribution import ANCHORS as ATTRIBUTED
from maxent_cli.tables.attribution import READING
from maxent_cli.tables.motifs import INTERACTIONS, RECORDS, TELLING_Q
from maxent_cli.tables.periodicity import BAND

MOST_SHOWN = 1000  # anchors that are drawn
MOST_DESIGNS, MOST_BEST = 100, 10  # in the table, and of the highest output
HUES = 6  # colours of motifs in report.css, used again and again
VERDICTS = ("avoided", "held", "undecided", "not held")
MOST_ASKED = 15  # motifs of each verdict that are shown
MOST_COUNTS = 12  # of those that the probe asks about that are shown, the most rigid first
TOP_PAIRS = 30  # pairs of positions in the table
TOP_CHANGES, MOST_POINTS = 20, 1000  # changes in the table, and in the plot
NOISY = 40  # copies with noise that the error of a rank correlation is from
MOST_CROSSED, SHADES = 30, 5  # networks in the matrix and the tree, and how many shades its cells have


@dataclass(frozen=True)
class Tile:
    """A number for the head of the page, with a note, and after it a name, which may be of any length."""

    title: str
    value: object
    note: str
    name: str = ""


@dataclass(frozen=True)
class Explained:
    """A word that a part uses, and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Shown:
    """What a part shows: values for its template, and what it adds to the rest of the page.

    That is numbers for the head, words for the glossary, sentences of the verdict, and what can be saved from the page:
    files by their name within a command's folder (motifs/motifs.tsv), and texts by the name of a file of their own.
    """

    values: Mapping[str, Any]
    tiles: tuple[Tile, ...] = ()
    terms: tuple[Explained, ...] = ()
    says: tuple[Said, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """What every part may look at: where all lies, the draws' header, and anchors by rank, which is by this number."""

    sources: Sources
    header: Row
    by: str
    rows: list[Row]

    @property
    def in_order(self) -> list[Row]:
        """The anchors in the order of the draws."""
        return sorted(self.rows, key=lambda row: int(row["number"]))

    @cached_property
    def records(self) -> list[str]:
        """Their names."""
        return [row["record"] for row in self.in_order]

    @cached_property
    def drawn(self) -> set[int]:
        """The numbers of the anchors of which all is shown."""
        return {row["number"] for row in self.rows[:MOST_SHOWN]}

    @cached_property
    def motifs(self) -> tuple[list[MotifShown], list[MotifShown]]:
        """The motifs that are held, and those that are avoided; none where their folder was not given."""
        folder = self.sources.parts.get("motifs")
        return inputs.read_motifs(folder) if folder else ([], [])

    @cached_property
    def tracks(self) -> dict[int, Tracks]:
        """What is drawn of the first anchors, by their numbers; nothing where the folder of motifs was not given."""
        folder = self.sources.parts.get("motifs")
        return inputs.read_tracks(folder, self.records, self.drawn) if folder else {}

    @cached_property
    def scores(self) -> list[Track]:
        """The attribution scores of all anchors, in order; none where their folder was not given."""
        folder = self.sources.parts.get("attribute")
        return inputs.read_scores(folder, self.records) if folder else []


class Show(Protocol):
    """Reads what a part is made of, in the folder of its command ('' where it has none); None: nothing to show.

    Raises InputError where it cannot be read or belongs to other draws.
    """

    def __call__(self, base: Base, folder: str, /) -> Shown | None:
        """What is shown."""


@dataclass(frozen=True)
class PagePart:
    """A part of the page: the id of its section, which its template is called by, its title, and what shows it.

    command: whose folder it is made from; without one it is made from the draws. tracks: what it adds to the card of
    each anchor, in the order of the draws. folded: its section is shown at a click.
    """

    anchor: str
    title: str
    show: Show = field(repr=False)
    command: str = ""
    tracks: Callable[[Base, str], Sequence[Sequence[Track]]] | None = field(default=None, repr=False)
    folded: bool = False

    def shown(self, base: Base) -> Shown | None:
        """What is shown; nothing where the folder was not given."""
        folder = base.sources.parts.get(self.command, "")
        if self.command and not folder:
            return None
        if folder:
            inputs.require_kin(base.sources, base.header, self.command, folder)
        return self.show(base, folder)


def _files(command: str, folder: str, *names: str) -> dict[str, str]:
    """Files of a folder that can be saved from the page, by what they are called there."""
    return {f"{command}/{name}": f"{folder}/{name}" for name in names}


def convergence(base: Base, _: str) -> Shown:
    """How well the chains of each anchor agree."""
    plot = drawing.convergence_plot(base.rows, base.header.get("run", {}).get("max_rhat"))
    return Shown({"convergence": plot}, says=(trust(base.rows),), files={"OUT.tsv": base.sources.summary})


def network(base: Base, folder: str) -> Shown:
    """How well the network tells what was held out."""
    rows, curve = inputs.read_metrics(folder, base.header.get("model")), inputs.read_curve(folder)
    tiles = [
        Tile("AUROC, held out", f"{row['value']:.3f}", f"95 %: {row['lower']:.3f} to {row['upper']:.3f}")
        for row in rows
        if (row["part"], row["metric"]) == ("test", "AUROC") and math.isfinite(row["value"])
    ]
    plot = drawing.curve_plot(curve) if len(curve) > 1 else None
    files = _files("train", folder, "metrics.tsv", *(["learning_curve.tsv"] if curve else []))
    return Shown({"metrics": rows, "curve": plot}, tiles=tuple(tiles), says=(quality(rows),), files=files)


def learning(_: Base, folder: str) -> Shown:
    """What was learned when: curves by training step, layers, and motifs."""
    found = inputs.read_learning(folder)
    meaning = "Which units of a layer are on at a position of a record; entropy is over all records and positions."
    shown = {"layers": found["layers"], "learned": found["learned"], "stacks": drawing.learning_plots(found)}
    shown |= {"key": drawing.learning_key(found), "by_class": drawing.layer_by_class(found)}
    files = _files("learning", folder, "patterns.tsv", "layers.tsv", "steps.tsv")
    return Shown({"learning": shown}, terms=(Explained("On/off pattern", meaning),), files=files)


def motifs(base: Base, folder: str) -> Shown:
    """The motifs of all anchors, those first that come again beyond chance."""
    table, _ = base.motifs
    p = [one.row["recurrence_p"] for one in table]
    groups = [
        ("Come again in more anchors than by chance", [value <= COMES_AGAIN for value in p]),
        ("Come again no more than by chance", [value > COMES_AGAIN for value in p]),
        ("Too few converged anchors to tell whether they come again", [math.isnan(value) for value in p]),
    ]
    found: dict[str, object] = {
        "table": table,
        "groups": [(title, list(compress(table, kept))) for title, kept in groups if any(kept)],
        "hue": _hues(table),
        "rates": inputs.read_rates(folder),
        "records": inputs.read_records(folder),
    }
    note = ("first: ", named(table[0].row)) if table else ("none found", "")
    share = "Share of draws that have a motif; background is the same share in draws at beta 0."
    files = _files("motifs", folder, "motifs.tsv", *([RECORDS.file] if found["records"] else []))
    return Shown(
        {"motifs": found, "motif_letters": drawing.motif_letters, "known": inputs.KNOWN},
        tiles=(Tile("Motifs", len(table), *note),),
        terms=(Explained("Occupancy", share),),
        says=(reads(table, len(inputs.anchors_of(folder)), inputs.read_tested(folder)),),
        files=files,
        texts=_as_meme(table),
    )


def _hues(table: Sequence[MotifShown]) -> dict[str, int]:
    """The colour of each motif, by its name."""
    return {motif.row["motif"]: place % HUES for place, motif in enumerate(table)}


def _as_meme(table: Sequence[MotifShown]) -> dict[str, str]:
    """Each motif as a file of its own."""
    return {f"{one.row['motif']}.meme": meme_text([one.matrix], one.background) for one in table}


def syntax(base: Base, folder: str) -> Shown | None:
    """How motifs stand to each other: distances that draws prefer, and what two are worth together."""
    table, spacing, pairs = base.motifs[0], inputs.read_spacing(folder, TELLING_Q), inputs.read_syntax(folder)
    says = (arrangement(table, spacing, pairs),)
    plotted = [{**row, "plot": drawing.syntax_plot(row["cells"][row["arrangement"]])} for row in pairs]
    found = {"several": len(table) > 1, "spacing": spacing, "pairs": plotted, "most_q": TELLING_Q}
    kept = ["spacing.tsv", *([INTERACTIONS.file] if pairs else [])]
    return Shown({"syntax": found}, says=says, files=_files("motifs", folder, *kept))


def questions(base: Base, folder: str) -> Shown:
    """What is avoided, and what was asked about."""
    found, asked = base.motifs[1], inputs.read_tested(folder)
    count = Counter(row["verdict"] for row in asked)
    note = ("first: ", named(found[0].row)) if found else ("none found", "")
    shown = [row for kind in VERDICTS for row in [one for one in asked if one["verdict"] == kind][:MOST_ASKED]]
    values = {
        "avoided": found,
        "asked": shown,
        "count": [(kind, count[kind]) for kind in VERDICTS],
        "of": len(asked),
        "motif_letters": drawing.motif_letters,
    }
    return Shown(
        values,
        tiles=(Tile("Avoided motifs", len(found), *note),) if found or asked else (),
        terms=(Explained("Cost", "Log2 of how much rarer an avoided motif's sites are in draws than at beta 0."),),
        says=(avoided(found),),
        files=_files("motifs", folder, "tested.tsv") if asked else {},
        texts=_as_meme(found),
    )


def anchors(base: Base, _own: str) -> Shown:
    """All anchors, and, where their motifs are given, what the first of them are drawn from."""
    rows = [row | {"held": [], "sites": [], "same_name": False} for row in base.rows]
    folder = base.sources.parts.get("motifs")
    cards = _cards(rows, base, folder) if folder is not None else []
    table, _ = base.motifs
    kinds = [(one.row["motif"], named(one.row)) for one in table]
    files = {"OUT.tsv": base.sources.summary}
    values = {"rows": rows, "drawn": len(cards), "kinds": kinds, "cards": cards, "hue": _hues(table)}
    if folder:
        files |= _files("motifs", folder, "sites.tsv", "occupancy.tsv")
    return Shown(values, files=files)


def _cards(rows: list[Row], base: Base, folder: str) -> list[dict[str, Any]]:
    """Give all anchors what they hold; what the first of them are drawn from."""
    table, _ = base.motifs
    sites, occupancies = inputs.read_sites(folder, base.in_order)
    shown = rows[:MOST_SHOWN]
    numbers = [row["number"] for row in shown]
    tracks, examples = base.tracks, examples_of(base.sources.draws, numbers)
    count, names = Counter(base.records), {motif.row["motif"]: named(motif.row) for motif in table}
    parts = base.sources.parts
    more = [part.tracks(base, parts[part.command]) for part in PARTS if part.tracks and part.command in parts]
    for row in rows:
        held = sorted(occupancies[row["number"]], key=lambda each: -each["occupancy"])
        row["held"] = [_called(each, names) for each in held if each["present"]]
        row["sites"] = [
            _called(each, names) for each in sorted(sites[row["number"]], key=lambda each: -each["occupancy"])
        ]
        row["same_name"] = count[row["record"]] > 1
    hues = _hues(table)
    return [card(row, _with(tracks[at], more, at), examples[at], hues) for at, row in zip(numbers, shown, strict=True)]


def _called(each: Row, names: Mapping[str, str]) -> Row:
    return each | {"called": names.get(each["motif"], each["motif"])}


def _with(tracks: Tracks, more: Sequence[Sequence[Sequence[Track]]], number: int) -> Tracks:
    return replace(tracks, more=tuple(track for each in more for track in each[number]))


def scores_tracks(base: Base, folder: str) -> list[list[Track]]:
    """Attribution scores, and what was read along the anchors, for the cards."""
    scores, read = base.scores, inputs.read_along(folder, base.records)
    return [[own, *more] for own, more in zip(scores, read or [[]] * len(scores), strict=True)]


def attribution(base: Base, folder: str) -> Shown:
    """How far attributions and the draws' information agree, a drawn anchor a row."""
    sums, rows = inputs.read_sums(folder, base.records), list[Row]()
    for number, (scores, of) in enumerate(zip(base.scores, sums, strict=True)):
        if number in base.drawn:
            agreed = _agreement(scores, base.tracks[number]) if base.tracks else (math.nan, math.nan)
            rows.append(of | _highest(scores) | dict(zip(("agreement", "agreement_error"), agreed, strict=True)))
    known = [row["agreement"] for row in rows if math.isfinite(row["agreement"])]
    middle = [float(value) for value in np.quantile(known, (0.25, 0.5, 0.75))] if known else []
    files = _files("attribute", folder, ATTRIBUTED.file)
    found = {"rows": rows, "quartiles": middle, "left": len(sums) - len(rows), "method": inputs.read_method(folder)}
    told = {column.name: column.meaning for column in READING.columns}
    along = inputs.READ if inputs.reads_along(folder) else ()
    terms = tuple(Explained(name.capitalize(), told[column]) for column, _, name, _ in along)
    return Shown({"attribution": found}, terms=terms, files=files)


def _highest(scores: Track) -> Row:
    """The position with the largest score, whatever its sign, and that score with its error."""
    if not np.isfinite(scores.values).any():
        return {"best": None, "highest": math.nan, "highest_error": math.nan}
    at = int(np.nanargmax(np.abs(scores.values)))
    error = math.nan if scores.errors is None else float(scores.errors[at])
    return {"best": at, "highest": float(scores.values[at]), "highest_error": error}


def _agreement(scores: Track, tracks: Tracks) -> tuple[float, float]:
    """Spearman's correlation over positions that have both, and its error; nan where one does not vary.

    The error is the spread of what it would be with as much noise again as scores and information have.
    """
    import pandas as pd  # slow to import, and for this alone

    exact = np.zeros_like(scores.values) if scores.errors is None else scores.errors
    columns = np.stack([scores.values, exact, tracks.information, tracks.errors])
    first, first_error, other, other_error = columns[:, np.isfinite(columns).all(axis=0)]
    if len(first) < 3 or not np.ptp(first) or not np.ptp(other):
        return math.nan, math.nan
    noise = np.random.default_rng(0).standard_normal((2, NOISY, len(first)))
    noise[:, 0] = 0  # as they are
    pairs = zip(first + noise[0] * first_error, other + noise[1] * other_error, strict=True)
    found = [float(pd.Series(one).rank().corr(pd.Series(two).rank())) for one, two in pairs]
    return found[0], float(np.std(found[1:], ddof=1))


def series(base: Base, _: str) -> Shown | None:
    """The beta series, if it lies beside the draws; nothing where there is but the beta in use."""
    if base.sources.series is None:
        return None
    ladders = inputs.read_series(base.sources.series, base.records)
    shown = [replicas for replicas in ladders if len(replicas) > 1 and replicas[-1]["beta"] > 0]
    files = {"OUT.series.tsv": base.sources.series}
    return Shown({"series": drawing.series_plots(shown)}, files=files) if shown else None


def periodicity(base: Base, folder: str) -> Shown:
    """Where anchors peak, and mean spectra."""
    rows, spectra = inputs.read_periodicity(folder, base.records)
    files = _files("periodicity", folder, "answer.tsv")
    return Shown({"periodicity": {"rows": rows, "plot": drawing.period_plot(spectra), "band": BAND}}, files=files)


def variants(base: Base, folder: str) -> Shown:
    """The changes of most effect, and effects in the anchors against those over contexts."""
    count, rows, points = inputs.read_variants(folder, base.records, TOP_CHANGES, MOST_POINTS)
    found = {"count": count, "rows": rows, "plot": drawing.variants_plot(points), "drawn": len(points)}
    meaning = "What the law charges for a letter beyond the background: -log2 of its mass with it over that without."
    files = _files("variants", folder, "variants.tsv")
    return Shown({"variants": found}, terms=(Explained("Free energy", meaning),), files=files)


def gc_probe(_: Base, folder: str) -> Shown:
    """Which counts are held, and the response to a chemical potential on one."""
    tables = inputs.read_gc_probe(folder)
    scores = [abs(row["z"]) for row in tables["checks"] if math.isfinite(row["z"])]
    found = {
        "counted": tables["response"][0]["counted"],
        "answer": tables["answer"][:MOST_COUNTS],
        "held": [row["count"] for row in tables["answer"] if row["held"] == "yes"],
        "counts": drawing.counts_chart(tables["answer"]),
        "plots": drawing.gc_plots(tables["response"]),
        "checks": len(scores),
        "within": sum(score <= 3 for score in scores),
        "responses": len(tables["response"]),
        "unsettled": sum(not row["converged"] for row in tables["response"]),
    }
    return Shown({"gc": found}, says=(counts_held(tables["answer"]),), files=_files("gc-probe", folder, "answer.tsv"))


def design(_: Base, folder: str) -> Shown:
    """What designs reached at what price, and where edits of the first record lie."""
    rows, positions = inputs.read_design(folder)
    first = next(iter(positions.items()), None)
    found = {
        "rows": rows[:MOST_DESIGNS],
        "left": len(rows) - len(rows[:MOST_DESIGNS]),
        "best": inputs.read_best(folder, MOST_BEST),
        "edited": first and {"record": first[0], "plot": drawing.edits_plot(first[1])},
    }
    return Shown({"design": found}, files=_files("design", folder, "summary.tsv"))


def compare(base: Base, folder: str) -> Shown | None:
    """Two networks, or two sets of draws, side by side."""
    if inputs.is_crossed(folder):
        return None
    rows, table = inputs.read_comparison(folder, base.records)
    motif = [
        {**row, "known": row["known_1_a"] or row["known_1_b"], "both": bool(row["motif_a"] and row["motif_b"])}
        for row in table
    ]
    files = _files("compare", folder, "summary.tsv", "motifs.tsv")
    return Shown({"compare": {"rows": rows, "motifs": motif}}, files=files)


def crossing(base: Base, folder: str) -> Shown | None:
    """Networks that read each other's draws: what the others make of each one's, every pair, and their tree."""
    if not inputs.is_crossed(folder):
        return None
    rows, pairs, joints = inputs.read_crossing(folder, base.records)
    deepest = max((row["t"] for row in pairs if math.isfinite(row["t"])), default=0.0) or 1.0
    cells = [{**row, "deep": round(SHADES * row["t"] / deepest) if math.isfinite(row["t"]) else 0} for row in pairs]
    found = {
        "networks": rows,
        "matrix": [cells[first : first + len(rows)] for first in range(0, len(cells), len(rows))],
        "drawn": len(rows) <= MOST_CROSSED,
        "tree": drawing.tree_plot(joints),
        "verdicts": crossing_words.VERDICTS,
    }
    meaning = "How far another network's output moves in a network's draws, in its standard deviations over background."
    files = _files("compare", folder, "networks.tsv", "pairs.tsv", "tree.tsv")
    return Shown({"crossing": found}, terms=(Explained("T", meaning),), files=files)


def dependence(base: Base, folder: str) -> Shown:
    """Which positions depend on each other in the draws."""
    rows, pairs = inputs.read_dependence(folder, base.records, TOP_PAIRS)
    tested = [row for row in rows if not row["refused"]]
    found = {
        "pairs": pairs,
        "refused": len(rows) - len(tested),
        "dependent": sum(row["dependent"] for row in tested),
        "of": sum(row["pairs"] for row in tested),
        "anchors": len(tested),
    }
    return Shown({"dependence": found}, files=_files("dependence", folder, "pairs.tsv"))


PARTS = (
    PagePart("network", "Network", network, "train"),
    PagePart("motifs", "Motifs", motifs, "motifs"),
    PagePart("questions", "Avoided", questions, "motifs"),
    PagePart("syntax", "Arrangement", syntax, "motifs"),
    PagePart("gc", "Shortcuts", gc_probe, "gc-probe"),
    PagePart("periodicity", "Periodicity", periodicity, "periodicity"),
    PagePart("anchors", "Anchors", anchors),
    PagePart("compare", "Models side by side", compare, "compare"),
    PagePart("crossing", "Networks on each other", crossing, "compare"),
    PagePart("learning", "Learning", learning, "learning"),
    PagePart("attribution", "Attribution", attribution, "attribute", tracks=scores_tracks),
    PagePart("variants", "Variants", variants, "variants"),
    PagePart("dependence", "Dependence", dependence, "dependence"),
    PagePart("design", "Designs", design, "design"),
    PagePart("series", "Beta series", series),
    PagePart("convergence", "R-hat and ESS", convergence, folded=True),
)
