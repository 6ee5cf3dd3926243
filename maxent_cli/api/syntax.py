"""How pairs of motifs go together in what a law holds: sites put into backgrounds, from a network to tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import torch

from maxent_cli.analysis.jackknife import Estimate
from maxent_cli.analysis.syntax import Cell, Preference, Syntax, judge, opposition, over_anchors, placings, site_of
from maxent_cli.api.draws import Draws
from maxent_cli.api.jobs import torch_threads
from maxent_cli.api.listening import Listener
from maxent_cli.api.motif_results import MotifsJob
from maxent_cli.api.networks import Reader, place
from maxent_cli.data import Floats, Motif, SampleSet
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.syntax import Implanter
from maxent_cli.io.syntax_figure import SyntaxPanel, write_syntax_figure
from maxent_cli.io.tables import Row
from maxent_cli.tables import motifs as tables

MOST_MOTIFS = 4  # whose pairs are asked about, each with itself too
MOST_ANCHORS = 8  # whose laws are asked
FIGURE = "syntax.png"


@dataclass(frozen=True)
class Pair:
    """Two motifs, and what the laws of K anchors make of them: by anchor, arrangement and distance (K, A, D)."""

    a: str
    b: str
    arrangements: tuple[str, ...]
    cells: list[list[list[Cell]]]
    beta_share: float

    def of(self, name: str) -> Floats:
        """One number of all cells (K, A, D)."""
        return np.array([[[getattr(one, name) for one in row] for row in anchor] for anchor in self.cells], np.float64)

    def alone(self, motif: str) -> Floats:
        """What 'a' or 'b' by itself adds to the output, a mean over its places (K,)."""
        sides = {"left": self.of("left"), "right": self.of("right")}
        first = [("left" if name.startswith("a") else "right") for name in self.arrangements]
        other = {"left": "right", "right": "left"}
        parts = [sides[side if motif == "a" else other[side]][:, row] for row, side in enumerate(first)]
        return np.asarray(np.nanmean(np.stack(parts, axis=1), axis=(1, 2)))

    @property
    def fits(self) -> bool:
        """Whether the two fit into the anchors at any distance."""
        return bool(np.isfinite(self.of("first_order")).any())


def write_syntax(
    draws: Draws,
    asked: tuple[Syntax, Sequence[Motif]],
    drawn: tuple[LawSettings, Reader, str],
    reference: Floats,
    job: MotifsJob,
) -> list[str]:
    """Write how the first few motifs go together, by table and figure; give that in lines for people.

    drawn: the draws' law, the network, and the device that it runs on.
    """
    (syntax, motifs), (settings, reader, device) = asked, drawn
    place(reader, device, job.listener)
    together = list(combinations_with_replacement(motifs[:MOST_MOTIFS], 2))
    anchors = _anchors(draws, job)
    law = reader, settings, torch.device(device)
    with torch_threads(job.threads):
        found = _pairs(law, (anchors, together), syntax, reference, job.listener) if anchors else []
    pairs = [pair for pair in found if pair.fits]
    sides = np.array([1.0 if one.anchor_output >= one.output_background[1] else -1.0 for one in anchors])
    verdicts = [judge(pair.of("interaction"), pair.of("first_order"), pair.of("output"), sides) for pair in pairs]
    rows = [_verdict_row(*each, len(together)) for each in zip(pairs, verdicts, strict=True)]
    job.write(tables.INTERACTIONS, rows)
    job.write(tables.SYNTAX, (row for pair in pairs for row in _rows(pair)))
    if pairs:
        write_syntax_figure(str(job.folder / FIGURE), [_panel(pair) for pair in pairs])
    if not anchors:
        return ["  syntax: no anchor has converged, so nothing is asked; --unconverged lets them count"]
    return [f"  syntax: {len(anchors)} anchors, {len(pairs)} pairs of motifs", *map(_told, rows)]


def _anchors(draws: Draws, job: MotifsJob) -> list[SampleSet]:
    """Evenly spaced among those whose draws have converged."""
    able = [row for row, one in enumerate(draws) if job.unconverged or draws.diagnosis(one).converged]
    if not able:
        return []
    some = np.unique(np.linspace(0, len(able) - 1, min(MOST_ANCHORS, len(able))).astype(int))
    return [draws[able[number]] for number in some]


def _pairs(
    law: tuple[Reader, LawSettings, torch.device],
    asked: tuple[Sequence[SampleSet], Sequence[tuple[Motif, Motif]]],
    syntax: Syntax,
    reference: Floats,
    listener: Listener,
) -> list[Pair]:
    anchors, motifs = asked
    named = {
        (a.name, b.name): list(placings(site_of(a, reference), site_of(b, reference), a.name == b.name))
        for a, b in motifs
    }
    cells: dict[tuple[str, str], list[list[list[Cell]]]] = {names: [] for names in named}
    shares = list[float]()
    total = len(anchors) * (syntax.max_distance + 1) * sum(map(len, named.values()))
    with listener.progress("putting pairs of motifs in", total, "places") as ticker:
        for samples in anchors:
            implanter = Implanter(*law[:2], samples, syntax, law[2])
            shares.append(implanter.beta_share)
            for names, ways in named.items():
                cells[names].append([implanter.cells(way, ticker.advance) for way in ways])
    arranged = {names: tuple(way.arrangement for way in ways) for names, ways in named.items()}
    return [Pair(*names, arranged[names], found, float(np.mean(shares))) for names, found in cells.items()]


def _rows(pair: Pair) -> Iterator[Row]:
    means = {name: over_anchors(pair.of(name)) for name in ("interaction", "first_order", "output")}
    context_errors = np.sqrt((pair.of("error") ** 2).mean(axis=0) / len(pair.cells))
    worth = pair.of("worth").mean(axis=0)
    for row, arrangement in enumerate(pair.arrangements):
        for distance in range(worth.shape[1]):
            at = row, distance
            numbers = {name: (float(mean.value[at]), float(mean.error[at])) for name, mean in means.items()}
            values = (*numbers["interaction"], float(context_errors[at]), *numbers["first_order"], *numbers["output"])
            rest = (float(worth[at]), len(pair.cells))
            yield tables.SYNTAX.row(pair.a, pair.b, arrangement, distance, *values, *rest)


def _verdict_row(pair: Pair, found: Preference, pairs: int) -> Row:
    preference = _times(found.preference_p, pairs)
    arrangement, distance = found.cell
    return tables.INTERACTIONS.row(
        pair.a,
        pair.b,
        len(pair.cells),
        pair.beta_share,
        *_plain(found.interaction),
        *_plain(over_anchors(pair.alone("a"))),
        *_plain(over_anchors(pair.alone("b"))),
        _times(opposition(pair.alone("a"), pair.alone("b")), pairs),
        *_plain(found.output),
        _times(found.p, pairs),
        pair.arrangements[arrangement],
        distance,
        found.preferred_by,
        *_plain(found.excess),
        *_plain(found.output_excess),
        preference,
        bool(preference <= tables.TELLING_P),
    )


def _times(p: float, pairs: int) -> float:
    """For as many pairs (Bonferroni)."""
    return min(p * pairs, 1.0) if np.isfinite(p) else np.nan


def _plain(found: Estimate) -> tuple[float, float]:
    return float(found.value), float(found.error)


def _told(row: Row) -> str:
    value, error, p = (float(str(row[name])) for name in ("output_interaction", "output_interaction_error", "p"))
    sure = p <= tables.TELLING_P
    kind = ("antagonism" if value < 0 else "synergy") if sure else "no more than their sum"
    if float(str(row["opposed_p"])) <= tables.TELLING_P:
        kind += ", and one lowers what the other raises"
    where = f"{row['arrangement']} {row['distance']} bp apart"
    liked = f"preferred {where}, p {row['preference_p']:.2g}" if row["preferred"] else "no distance preferred"
    return f"    {row['motif_a']} and {row['motif_b']}: output {value:.3g} ± {error:.2g} ({kind}); {liked}"


def _panel(pair: Pair) -> SyntaxPanel:
    free, first = over_anchors(pair.of("interaction")), over_anchors(pair.of("first_order"))
    return SyntaxPanel(f"{pair.a}, {pair.b}", pair.arrangements, free, first)
