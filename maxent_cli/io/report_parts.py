"""The parts of the report, in the order in which they stand: a reading adds its own here, and its template.

A part is shown by templates/report/ANCHOR.html from the values that it gives. Where it takes a folder that a command
wrote, that command is in tables.SHOWN, from which the options of `maxent report` are made.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from maxent_cli.data import Floats
from maxent_cli.io import report_drawing as drawing
from maxent_cli.io import report_inputs as inputs
from maxent_cli.io.report_inputs import Row, Sources
from maxent_cli.tables.periodicity import BAND

MOST_SHOWN = 100  # anchors that are drawn
HUES = 6  # colours of motifs in report.css, used again and again
VERDICTS = ("avoided", "held", "undecided", "not held")
MOST_ASKED = 15  # motifs of each verdict that are shown
MOST_COUNTS = 12  # of those that the probe asks about that are shown, the most rigid first
TOP_CHANGES, MOST_POINTS = 20, 1000  # changes in the table, and in the plot
MOST_Q = 0.05  # of a distance between motifs that is shown
TELLING_Q = 0.05  # of a known motif that another is called by


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
    """What a part shows: values for its template, and what it adds to the head of the page and to its glossary."""

    values: Mapping[str, Any]
    tiles: tuple[Tile, ...] = ()
    terms: tuple[Explained, ...] = ()


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

    @property
    def records(self) -> list[str]:
        """Their names."""
        return [row["record"] for row in self.in_order]


class Show(Protocol):
    """Reads what a part is made of; None: there is nothing to show.

    Raises InputError where it cannot be read or belongs to other draws.
    """

    def __call__(self, base: Base, /) -> Shown | None:
        """What is shown."""


@dataclass(frozen=True)
class PagePart:
    """A part of the page: the id of its section, which its template is called by, its title, and what shows it."""

    anchor: str
    title: str
    show: Show = field(repr=False)


def convergence(base: Base) -> Shown:
    """How well the chains of each anchor agree."""
    return Shown({"convergence": drawing.convergence_plot(base.rows, base.header.get("run", {}).get("max_rhat"))})


def network(base: Base) -> Shown | None:
    """How well the network tells what was held out."""
    folder = base.sources.parts.get("train")
    if folder is None:
        return None
    rows = inputs.read_metrics(folder, base.header.get("model"))
    tiles = [
        Tile("AUROC, held out", f"{row['value']:.3f}", f"95 %: {row['lower']:.3f} to {row['upper']:.3f}")
        for row in rows
        if (row["part"], row["metric"]) == ("test", "AUROC") and math.isfinite(row["value"])
    ]
    return Shown({"metrics": rows}, tiles=tuple(tiles))


def learning(base: Base) -> Shown | None:
    """What was learned when: curves by training step, layers, and motifs."""
    folder = base.sources.parts.get("learning")
    if folder is None:
        return None
    found = inputs.read_learning(folder)
    meaning = "Which units of a layer are on at a position of a record; entropy is over all records and positions."
    shown = {"layers": found["layers"], "learned": found["learned"], "plots": drawing.learning_plots(found)}
    return Shown({"learning": shown}, terms=(Explained("On/off pattern", meaning),))


def motifs(base: Base) -> Shown | None:
    """The motifs of all anchors, and the distances between them."""
    folder = base.sources.parts.get("motifs")
    if folder is None:
        return None
    table = inputs.read_motifs(folder)
    found: dict[str, object] = {"table": table, "rates": inputs.read_rates(folder)}
    found |= {"spacing": inputs.read_spacing(folder, MOST_Q), "records": inputs.read_records(folder)}
    pairs = inputs.read_syntax(folder)
    found["syntax"] = [{**row, "plot": drawing.syntax_plot(row["cells"][row["arrangement"]])} for row in pairs]
    first = table[0].row if table else {}
    named = first and first["known_1"] and first["q_1"] <= TELLING_Q
    note = ("first: ", first["known_1"] if named else first["consensus"]) if first else ("none found", "")
    share = "Share of draws that have a motif; background is the same share in draws at beta 0."
    return Shown(
        {
            "motifs": found,
            "motif_letters": drawing.motif_letters,
            "known": inputs.KNOWN,
            "hues": HUES,
            "most_q": MOST_Q,
        },
        tiles=(Tile("Motifs", len(table), *note),),
        terms=(Explained("Occupancy", share),),
    )


def questions(base: Base) -> Shown | None:
    """What is avoided, and what was asked about; nothing where neither is."""
    folder = base.sources.parts.get("motifs")
    if folder is None:
        return None
    avoided, asked = inputs.read_motifs(folder, avoided=True), inputs.read_tested(folder)
    if not (avoided or asked):
        return None
    count = Counter(row["verdict"] for row in asked)
    first = avoided[0].row if avoided else {}
    note = ("first: ", first["known_1"] or first["consensus"]) if first else ("none found", "")
    return Shown(
        {
            "avoided": avoided,
            "asked": [
                row for kind in VERDICTS for row in [one for one in asked if one["verdict"] == kind][:MOST_ASKED]
            ],
            "count": [(kind, count[kind]) for kind in VERDICTS],
            "of": len(asked),
            "motif_letters": drawing.motif_letters,
        },
        tiles=(Tile("Avoided motifs", len(avoided), *note),),
        terms=(Explained("Cost", "Log2 of how much rarer an avoided motif's sites are in draws than at beta 0."),),
    )


def anchors(base: Base) -> Shown:
    """All anchors, and, where their motifs are given, the first of them drawn."""
    rows = [dict(row) for row in base.rows]
    folder = base.sources.parts.get("motifs")
    if folder is not None:
        _draw(rows, base, folder)
    drawn = [row for row in rows if "strips" in row]
    return Shown({"rows": rows, "drawn": drawn, "most_sites": drawing.MOST_SITES})


def _draw(rows: list[Row], base: Base, folder: str) -> None:
    """Give all anchors what they hold, and the first of them their drawings."""
    colours = {motif.row["motif"]: place % HUES for place, motif in enumerate(inputs.read_motifs(folder))}
    sites, occupancies = inputs.read_sites(folder, base.in_order)
    shown = rows[:MOST_SHOWN]
    tracks = inputs.read_tracks(folder, base.records, {row["number"] for row in shown})
    top, count = drawing.top_of(tracks.values()), Counter(base.records)
    names = {motif.row["motif"]: _called(motif.row) for motif in inputs.read_motifs(folder)}
    scored = base.sources.parts.get("attribute")
    scores = dict(enumerate(inputs.read_scores(scored, base.records))) if scored else {}
    for row in rows:
        held = sorted(occupancies[row["number"]], key=lambda each: -each["occupancy"])
        row["held"] = [each for each in held if each["present"]]
        row["sites"] = [site | {"called": names.get(site["motif"], site["motif"])} for site in sites[row["number"]]]
        row["same_name"] = count[row["record"]] > 1
        row["held"] = [each | {"called": names.get(each["motif"], each["motif"])} for each in row["held"]]
    for row in shown:
        track = replace(tracks[row["number"]], scores=scores.get(row["number"]))
        row["strips"] = drawing.strips(track, row["sites"], colours, top)


def _called(motif: Row) -> str:
    """The first known motif that one is like beyond chance, with its own name where there is room for one."""
    return str(motif["known_1"]).partition(",")[0] if motif["known_1"] and motif["q_1"] <= TELLING_Q else motif["motif"]


def attribution(base: Base) -> Shown | None:
    """How far attributions and the draws' information agree, an anchor a row."""
    folder, drawn = base.sources.parts.get("attribute"), base.sources.parts.get("motifs")
    if folder is None:
        return None
    scores = inputs.read_scores(folder, base.records)
    tracks = inputs.read_tracks(drawn, base.records, set(range(len(scores)))) if drawn else {}
    agreed = [_agreement(one, tracks[number].information) if tracks else math.nan for number, one in enumerate(scores)]
    rows = [
        {"record": name, "best": _highest(one), "sum": float(np.nansum(one)), "agreement": agreement}
        for name, one, agreement in zip(base.records, scores, agreed, strict=True)
    ]
    known = [agreement for agreement in agreed if math.isfinite(agreement)]
    return Shown({"attribution": {"rows": rows, "median": float(np.median(known)) if known else math.nan}})


def _highest(scores: Floats) -> int | None:
    """The position with the largest score, whatever its sign."""
    return int(np.nanargmax(np.abs(scores))) if np.isfinite(scores).any() else None


def _agreement(scores: Floats, information: Floats) -> float:
    """Spearman's correlation over positions that have both; nan where one does not vary."""
    both = np.isfinite(scores) & np.isfinite(information)
    if both.sum() < 3 or not np.ptp(scores[both]) or not np.ptp(information[both]):
        return math.nan
    first, second = (pd.Series(values[both]).rank() for values in (scores, information))
    return float(first.corr(second))


def series(base: Base) -> Shown | None:
    """The beta series, if it lies beside the draws; nothing where there is but the beta in use."""
    if base.sources.series is None:
        return None
    ladders = inputs.read_series(base.sources.series, base.records)
    shown = [replicas for replicas in ladders if len(replicas) > 1 and replicas[-1]["beta"] > 0]
    return Shown({"series": drawing.series_plots(shown)}) if shown else None


def periodicity(base: Base) -> Shown | None:
    """Where anchors peak, and mean spectra."""
    folder = base.sources.parts.get("periodicity")
    if folder is None:
        return None
    rows, spectra = inputs.read_periodicity(folder, base.records)
    return Shown({"periodicity": {"rows": rows, "plot": drawing.period_plot(spectra), "band": BAND}})


def variants(base: Base) -> Shown | None:
    """The changes of most effect, and effects in the anchors against those over contexts."""
    folder = base.sources.parts.get("variants")
    if folder is None:
        return None
    count, rows, points = inputs.read_variants(folder, base.records, TOP_CHANGES, MOST_POINTS)
    found = {"count": count, "rows": rows, "plot": drawing.variants_plot(points), "drawn": len(points)}
    meaning = "What the law charges for a letter beyond the background: -log2 of its mass with it over that without."
    return Shown({"variants": found}, terms=(Explained("Free energy", meaning),))


def gc_probe(base: Base) -> Shown | None:
    """Which counts are held, and the response to a chemical potential on one."""
    folder = base.sources.parts.get("gc-probe")
    if folder is None:
        return None
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
    return Shown({"gc": found})


def design(base: Base) -> Shown | None:
    """What designs reached at what price, and where edits of the first record lie."""
    folder = base.sources.parts.get("design")
    if folder is None:
        return None
    rows, positions = inputs.read_design(folder)
    first = next(iter(positions.items()), None)
    found = {
        "rows": rows[:MOST_SHOWN],
        "left": len(rows) - len(rows[:MOST_SHOWN]),
        "edited": first and {"record": first[0], "plot": drawing.edits_plot(first[1])},
    }
    return Shown({"design": found})


PARTS = (
    PagePart("network", "Network", network),
    PagePart("learning", "Learning", learning),
    PagePart("convergence", "Convergence", convergence),
    PagePart("motifs", "Motifs", motifs),
    PagePart("questions", "Avoided, and asked about", questions),
    PagePart("anchors", "Anchors", anchors),
    PagePart("series", "Beta series", series),
    PagePart("periodicity", "Periodicity", periodicity),
    PagePart("variants", "Changes of a letter", variants),
    PagePart("gc", "Global count", gc_probe),
    PagePart("attribution", "Attribution", attribution),
    PagePart("design", "Designs", design),
)
