"""Where the draws of an anchor hold motifs: shares of draws by motif, place and strand, with errors over chains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis.discovery import Calling, presence_bits, site_threshold, weighed
from maxent_cli.analysis.information import divergence
from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.scanning import peaks
from maxent_cli.analysis.sites import (
    STRANDS,
    Letters,
    Rows,
    Sites,
    counts_at,
    expected_letters,
    exposures,
    no_sites,
    without_overlaps,
)
from maxent_cli.data import Floats

LEAST_OCCUPANCY = 0.05  # of a place that is listed

CHECKED = 2000  # sites drawn from a motif itself, to set its threshold


@dataclass(frozen=True)
class MotifProbe:
    """A motif to look for: weights (W, 4) = log2 r, and the least log odds of a site, in bits."""

    weights: Floats
    threshold: float

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.weights)


@dataclass(frozen=True)
class MotifPlace:
    """A place of a motif in an anchor: start in bp (0-based), strand, share of draws with its error, mean log odds."""

    start: int
    strand: str
    share: float
    error: float
    log_odds: float


@dataclass(frozen=True)
class Occupancy:
    """Share of draws that hold a motif on either strand, and at beta = 0, with errors; sites; places, best first.

    Of places, the best one and those that are listed.
    """

    share: float
    error: float
    background: float
    background_error: float
    sites: int
    places: tuple[MotifPlace, ...]

    def beyond(self, calling: Calling) -> bool:
        """Whether draws hold the motif more often than background draws do."""
        excess = self.share - self.background
        return presence_bits(self.share, self.background) >= calling.presence and excess > calling.errors * self.error


@dataclass(frozen=True)
class Tally:
    """Letters that the sites of a motif hold, by chain (C, W, 4), and the exposure (W, 4): r is their ratio."""

    observed: Floats
    exposure: Floats


def set_threshold(weights: Floats, reference: Floats, backgrounds: Sequence[Letters], rate: float) -> float:
    """The least log odds of a motif's sites, by background draws and by sites drawn from it under a reference (4,)."""
    best = np.concatenate([peaks(letters, weights).best for letters in backgrounds])
    shares = reference * np.exp2(weights)
    edges = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[:, : len(LETTERS) - 1]
    drawn = (np.random.default_rng(0).random((CHECKED, len(weights), 1)) >= edges).sum(axis=-1)
    own = weights[np.arange(len(weights)), drawn].sum(axis=1) - np.log2(shares.sum(axis=1)).sum()
    places = 2 * max(backgrounds[0].codes.shape[1] - len(weights) + 1, 0)
    return site_threshold(best, own, rate, places)


def find_sites(letters: Letters, probes: Sequence[MotifProbe]) -> Sites:
    """The sites of all motifs in draws, by draw and start; a letter is in one site or at the rim of two."""
    each = [_sites(letters, probe, row) for row, probe in enumerate(probes)]
    columns = zip(*(vars(sites).values() for sites in each or [no_sites()]), strict=True)
    together = Sites(*(np.concatenate(column) for column in columns))
    return without_overlaps(together, [probe.width for probe in probes])


def _sites(letters: Letters, probe: MotifProbe, row: int) -> Sites:
    found = peaks(letters, probe.weights, probe.threshold, 0).sites
    return replace(found, motif=np.full(len(found), row))


def occupancy(
    letters: Letters, sites: Sites, motif: int, background: tuple[float, float], independent: float
) -> Occupancy:
    """How often and where draws hold a motif (by its row), beside the share of background draws and its error.

    The draws are worth so many independent ones, or more.
    """
    own, length = sites.take(sites.motif == motif), letters.codes.shape[1]
    keys, place = np.unique(own.strand * length + own.start, return_inverse=True)
    share, error = _share(_by_chain(place, own.draw, len(keys), letters), letters, independent)
    odds = np.bincount(place, own.log_odds) / np.bincount(place)
    listed = [k for rank, k in enumerate(np.argsort(-share, kind="stable")) if not rank or share[k] >= LEAST_OCCUPANCY]
    each = ((int(keys[k]), float(share[k]), float(error[k]), float(odds[k])) for k in listed)
    places = tuple(MotifPlace(key % length, STRANDS[key // length], *numbers) for key, *numbers in each)
    holding = np.unique(own.draw)
    (whole,), (its_error,) = _share(_by_chain(np.zeros_like(holding), holding, 1, letters), letters, independent)
    return Occupancy(float(whole), float(its_error), *background, len(own), places)


def share_holding(sites: Sites, motif: int, draws: int) -> tuple[float, float]:
    """The share of independent draws that hold a site of a motif, and its standard error, which is never 0."""
    held = len(np.unique(sites.draw[sites.motif == motif]))
    likely = (held + 0.5) / (draws + 1)
    return held / draws, float(np.sqrt(likely * (1 - likely) / draws))


def tally(letters: Letters, probe: MotifProbe) -> Tally:
    """What the sites of a motif in one anchor's draws hold, to estimate the motif over anchors.

    Each place counts by its probability of being the site of its draw, weak ones too: those above the threshold alone
    would look more like the motif than sites are.
    """
    sites, _ = weighed(letters, probe.weights, 0.5, rounds=3)
    rows, weight = exposures(letters, sites, probe.width)
    exposure = expected_letters(np.exp2(probe.weights), rows, weight)
    return Tally(counts_at(letters, sites, probe.width), exposure)


def site_counts(tallies: Sequence[Tally], reference: Floats) -> Floats:
    """Letter counts (B, W, 4) of the sites as they would be under a reference background (4,), all but each block.

    The first is of all sites. Blocks are the tallies, or the chains of a single one. Where the draws' own background
    is the reference the counts are what the sites hold.
    """
    if len(tallies) == 1:
        observed = tallies[0].observed
        parts = observed.sum(axis=2, keepdims=True) / np.maximum(observed.sum(axis=(0, 2))[:, None], 1)
        exposure = parts * tallies[0].exposure
    else:
        observed = np.array([one.observed.sum(axis=0) for one in tallies])
        exposure = np.array([one.exposure for one in tallies])
    return np.stack(
        [
            _under(observed.sum(axis=0) - left, exposure.sum(axis=0) - out, reference)
            for left, out in zip(
                [np.zeros(observed.shape[1:]), *observed], [np.zeros(observed.shape[1:]), *exposure], strict=True
            )
        ]
    )


def column_bits(counts: Floats, reference: Floats) -> Estimate:
    """Information (W,) of a motif against a reference, from site_counts; its errors over the blocks."""
    whole, *without = (divergence(block, reference) for block in counts)
    return Estimate(whole, jackknife(whole, np.array(without)).error)


def total_bits(counts: Floats, reference: Floats) -> Estimate:
    """The same of all columns together."""
    whole, *without = (divergence(block, reference).sum() for block in counts)
    return Estimate(whole, jackknife(whole, np.array(without)).error)


def _under(observed: Floats, exposure: Floats, reference: Floats) -> Floats:
    shares = reference * (observed + 1e-3 * reference) / (np.maximum(exposure, 0) + 1e-3 * reference)
    return np.asarray(observed.sum(axis=1, keepdims=True) * shares / shares.sum(axis=1, keepdims=True))


def _by_chain(kind: Rows, draw: Rows, kinds: int, letters: Letters) -> NDArray[np.intp]:
    """Draws (K, C) by kind and chain."""
    cells = kind * letters.chains + letters.chain[draw]
    return np.bincount(cells, minlength=kinds * letters.chains).reshape(kinds, letters.chains)


def _share(counts: NDArray[np.intp], letters: Letters, independent: float) -> tuple[Floats, Floats]:
    """The shares (K,) that some draws, counted by kind and chain (K, C), are of all, and their errors over chains.

    The error is no less than that of one more draw, of so many: what all draws hold, the next may not.
    """
    by_chain = counts * letters.chains / len(letters.codes)
    error = (
        by_chain.std(axis=1, ddof=1) / np.sqrt(letters.chains) if letters.chains > 1 else np.full(len(counts), np.nan)
    )
    return by_chain.mean(axis=1), np.maximum(error, 1 / (independent + 2))
