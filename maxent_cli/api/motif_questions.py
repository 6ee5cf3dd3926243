"""What draws avoid, and whether given motifs are held: one more pass over the anchors, beside their background."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.avoidance import Avoided, PooledDraws, avoided_motifs, paired
from maxent_cli.analysis.occupancy import find_sites
from maxent_cli.analysis.panels import Panel, counts_of, panel_of
from maxent_cli.analysis.sites import (
    Letters,
    composition_tilt,
    letters_of,
    overhung,
    redrawn,
    thinned,
)
from maxent_cli.analysis.verdicts import AVOIDED, SiteSums, Verdict, verdicts
from maxent_cli.api.draws import Draws
from maxent_cli.api.motif_results import OVERHANG, Findings, MotifsJob, Shared, chance_for, in_order
from maxent_cli.data import Floats, Motif, SampleSet

POOL_ANCHORS, POOL_DRAWS = 100, 20_000  # in which avoided motifs are looked for
MOST_LOOKED_AT, LEAST_DRAWS = 6_000_000, 200  # motifs times draws of all anchors; draws of each, at least


@dataclass(frozen=True)
class Depleted:
    """A motif that draws avoid, its verdict, shares of draws of each anchor and of its background, and anchors."""

    motif: Avoided
    verdict: Verdict
    error: float
    anchors: int
    threshold: float
    shares: list[tuple[float, float, float]]  # of draws, its error, of background draws; an anchor each


@dataclass(frozen=True)
class TestedMotif:
    """A motif that was asked about: its verdict, threshold, mean shares of draws and background, anchors either way."""

    motif: Motif
    verdict: Verdict
    threshold: float
    shares: tuple[float, float]
    holding: int
    avoiding: int


@dataclass(frozen=True)
class Questions:
    """Motifs avoided, how many are in draws at beta = 0, what was asked about, and rows of anchors that count."""

    avoided: list[Depleted]
    by_chance: int
    asked: list[TestedMotif]
    rows: list[int]


def ask(draws: Draws, found: Findings, shared: Shared, given: Sequence[Motif], job: MotifsJob) -> Questions:
    """Look for what the draws of all anchors avoid, and for the given motifs."""
    rows = [row for row in range(len(draws)) if job.unconverged or row in found.converged]
    if not rows:
        return Questions([], 0, [], rows)
    pools, ways = _pools(draws, rows, shared, job), (shared.reference, job.calling, job.similarity)
    missing, by_chance = in_order(range(2), lambda which: avoided_motifs(pools[which], *ways), job.threads)
    weights = [one.weights for one in missing] + [motif.log_odds(shared.reference) for motif in given]
    if not weights:
        return Questions([], len(by_chance), [], rows)
    panel = panel_of(weights, shared.reference, job.calling.site_rate, shared.length)
    sums, shares = _counted(draws, rows, panel, shared, job)
    avoided = _depleted(missing, panel, sums, shares)
    return Questions(avoided, len(by_chance), _asked(given, len(missing), panel, sums), rows)


def _pools(draws: Draws, rows: Sequence[int], shared: Shared, job: MotifsJob) -> tuple[PooledDraws, PooledDraws]:
    """Draws of some anchors as one, beside their background; and the same with more background in the draws' place."""
    chosen = [rows[at] for at in np.unique(np.linspace(0, len(rows) - 1, min(POOL_ANCHORS, len(rows))).astype(int))]
    enough = POOL_DRAWS // len(chosen)
    each = list(in_order(chosen, lambda row: _beside(draws[row], enough, shared), job.threads))
    chains = sum(letters.chains for letters, *_ in each)
    sides = []
    for column in range(3):
        codes = np.concatenate([one[column].codes for one in each])
        taken = np.concatenate([_taken(one[column], shared) for one in each])
        sides.append((Letters(codes, np.tile(shared.reference, (codes.shape[1], 1)), chains), taken))
    (own, held), (background, by_chance), (other, again) = sides
    return paired(own, background, held | by_chance), paired(other, background, again | by_chance)


def _beside(samples: SampleSet, enough: int, shared: Shared) -> tuple[Letters, Letters, Letters]:
    """Some draws of an anchor, and twice as many of its background with the letters that the rest of the draws has."""
    letters = thinned(letters_of(samples), enough)
    rest = replace(letters, masked=_taken(letters, shared))
    chance, tilt = chance_for(samples, "avoided"), composition_tilt(rest)
    return letters, redrawn(letters, chance, tilt), redrawn(letters, chance, tilt)


def _taken(letters: Letters, shared: Shared) -> NDArray[np.bool_]:
    """Which letters (N, L) sites of held motifs take."""
    taken = np.zeros((len(letters.codes), letters.codes.shape[1] + 2 * OVERHANG), bool)
    sites = find_sites(overhung(letters, OVERHANG), shared.probes)
    for row, probe in enumerate(shared.probes):
        own = sites.take(sites.motif == row)
        for column in range(probe.width):
            taken[own.draw, own.start + column] = True
    return taken[:, OVERHANG:-OVERHANG]


def _counted(
    draws: Draws, rows: Sequence[int], panel: Panel, shared: Shared, job: MotifsJob
) -> tuple[SiteSums, list[Floats]]:
    """Sums over anchors, and of each anchor shares of draws, their errors, and shares of background draws (3, M)."""
    enough = max(MOST_LOOKED_AT // (len(panel) * len(rows)), LEAST_DRAWS)
    sums, shares = SiteSums(len(panel)), list[Floats]()
    with job.listener.progress("motifs asked about", len(rows), "anchors") as progress:
        for counts, number in in_order(rows, lambda row: _counts(panel, enough, shared, draws[row]), job.threads):
            sums.add(counts, number)
            own = counts[:, 0]
            error = own[0].std(axis=0, ddof=1) / np.sqrt(own.shape[1])
            shares.append(np.stack([own[0].mean(axis=0), np.maximum(error, 1 / (number + 2)), own[1].mean(axis=0)]))
            progress.advance()
    return sums, shares


def _counts(panel: Panel, enough: int, shared: Shared, samples: SampleSet) -> tuple[Floats, int]:
    """Counts (2, 2, C, M) in draws and in as many of the background, sites of held motifs masked in both alike."""
    letters = thinned(letters_of(samples), enough)
    background = redrawn(letters, chance_for(samples, "asked"))
    pair = paired(letters, background, _taken(letters, shared) | _taken(background, shared))
    return np.stack([counts_of(side, panel) for side in pair.sides]), len(letters.codes)


def _depleted(missing: Sequence[Avoided], panel: Panel, sums: SiteSums, shares: Sequence[Floats]) -> list[Depleted]:
    """Those that all the draws avoid by half a bit or more."""
    own = sums.first(len(missing))
    found = [
        Depleted(
            motif,
            verdict,
            float(own.ratios.error[1, row]),
            int(own.avoiding[row]),
            float(panel.thresholds[row]),
            [(float(each[0, row]), float(each[1, row]), float(each[2, row])) for each in shares],
        )
        for row, (motif, verdict) in enumerate(zip(missing, verdicts(own), strict=True))
    ]
    return [one for one in found if one.verdict.verdict == AVOIDED]


def _asked(given: Sequence[Motif], first: int, panel: Panel, sums: SiteSums) -> list[TestedMotif]:
    own = sums.from_row(first)
    each = zip(given, verdicts(own), panel.thresholds[first:], own.shares.T, own.holding, own.avoiding, strict=True)
    return [
        TestedMotif(motif, verdict, float(threshold), (float(shares[0]), float(shares[1])), int(holding), int(avoiding))
        for motif, verdict, threshold, shares, holding, avoiding in each
    ]
