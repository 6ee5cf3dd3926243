"""A count in draws, such as that of G and C: its response to a chemical potential, its rigidity, and what it must obey.

N(x) is a feature's count (analysis.features) over an anchor's windows; mu is the chemical potential on it, in
natural-log units.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from maxent_cli.analysis.diagnostics import letter_shares, mcse_mean
from maxent_cli.analysis.features import Feature, Places
from maxent_cli.analysis.information import information_of
from maxent_cli.analysis.jackknife import block_numbers, jackknife
from maxent_cli.data import Floats, SampleSet

_NEWTON_STEPS = 50
LEAST_OVERLAP = 12  # draws that two mu share; with fewer the slope is that of two parted heaps
LEAST_WEIGHED = (
    100  # draws that reweighting leaves, as (sum of weights)² / sum of squares; fewer say little of an error
)
OCCUPIED_BITS, OCCUPIED_ERRORS = 0.1, 3  # from which a position belongs to a local feature


@dataclass(frozen=True)
class CountSummary:
    """One anchor at one mu: N over some places, mean with MCSE, variance (free of bias by autocorrelation) with error.

    anchor: the anchor's own N.
    """

    places: int
    anchor: int
    mean: float
    mean_error: float
    variance: float
    variance_error: float


@dataclass(frozen=True)
class CountCheck:
    """A number from draws at two mu, what it must be, the error of their distance, and that as a score.

    z is the standard normal score as likely as that distance in errors is, which are known from some blocks only
    (Student's t). All nan where the draws share too few counts.
    """

    found: float
    expected: float
    error: float
    z: float


def draw_counts(samples: SampleSet, feature: Feature) -> NDArray[np.int64]:
    """N (C, D) over the places that may change."""
    return feature.count(samples.codes, feature.places(samples.mutable))


def exact_response(samples: SampleSet, feature: Feature, mu: float, places: Places) -> tuple[float, float]:
    """Mean and variance of N at beta = 0 at a chemical potential, from the background rows, tether included."""
    fixed = np.eye(5)[samples.anchor]
    free = np.pad(samples.background, ((0, 0), (0, 1)))
    rows = np.where(samples.mutable[:, None], free, fixed)
    mean, variance = feature.moments(feature, rows[None], places, mu)
    return float(mean[0]), float(variance[0])


def outside_local(samples: SampleSet) -> NDArray[np.bool_]:
    """Mutable positions (L,) whose letters are no more than the composition of the draws makes them.

    Against the background rows, tilted as the middle position of the same half is: what a global property moves
    everywhere in a half is not taken for a feature of each position, nor does a feature tilt what the others are held
    against.
    """
    free, half = samples.mutable, np.arange(len(samples.mutable)) < len(samples.mutable) // 2
    drawn = letter_shares(samples.codes)
    tilted = samples.background.copy()
    for here in (free & half, free & ~half):
        if here.any():
            tilted[here] *= np.maximum(np.median(drawn[here] / samples.background[here], axis=0), 1e-3)
    held = information_of(replace(samples, background=tilted / tilted.sum(axis=1, keepdims=True)))
    return np.asarray(free & ~((held.positions > OCCUPIED_BITS) & (held.positions > OCCUPIED_ERRORS * held.errors)))


def summarise_count(samples: SampleSet, feature: Feature, places: Places) -> CountSummary:
    """The summary of a sample set's count over places (P,)."""
    number = feature.count(samples.codes, places)
    moments = _block_moments(number)
    spread = jackknife(_variance(moments.sum(axis=0)), _variance(moments.sum(axis=0) - moments))
    return CountSummary(
        places=int(places.sum()),
        anchor=int(feature.count(samples.anchor, places)),
        mean=float(number.mean()),
        mean_error=float(mcse_mean(number)),
        variance=float(spread.value),
        variance_error=float(spread.error),
    )


def slope_check(lower: NDArray[np.int64], upper: NDArray[np.int64], difference: float) -> CountCheck:
    """Has log P'(N)/P(N) the slope mu' - mu in N, given as difference? Of counts at two mu, N (C, D).

    The slope is logistic regression's, which is the most that the two samples can say; its error is by jackknife over
    pairs of chains, so chains may have been exchanged between the two, or draw by the same random numbers.
    """
    low, high = _histogram_pair(lower, upper)
    if np.minimum(low.sum(axis=0), high.sum(axis=0)).sum() < LEAST_OVERLAP:
        return UNKNOWN_CHECK
    whole = _logistic_slope(low.sum(axis=0)[None], high.sum(axis=0)[None])[0]
    return _check(whole, _logistic_slope(low.sum(axis=0) - low, high.sum(axis=0) - high), difference)


def reweighting_check(lower: NDArray[np.int64], upper: NDArray[np.int64], difference: float) -> CountCheck:
    """Have the draws at both mu the same mean N (C, D), reweighted to the mu half-way between them?

    found is the lower's, expected the upper's; the error is of their difference, as slope_check's.
    """
    low, high = _histogram_pair(lower, upper)
    sides = ((low, difference / 2), (high, -difference / 2))
    if min(_weighed_draws(side.sum(axis=0), mu) for side, mu in sides) < LEAST_WEIGHED:
        return UNKNOWN_CHECK
    whole = [_reweighted_mean(side.sum(axis=0)[None], mu)[0] for side, mu in sides]
    rest = [_reweighted_mean(side.sum(axis=0) - side, mu) for side, mu in sides]
    apart = _check(whole[0] - whole[1], rest[0] - rest[1], 0.0)
    return CountCheck(float(whole[0]), float(whole[1]), apart.error, apart.z)


# name -> check of two neighbouring mu's counts (C, D), given the difference of the two
CHECKS: dict[str, Callable[[NDArray[np.int64], NDArray[np.int64], float], CountCheck]] = {
    "slope of log P'(N)/P(N)": slope_check,
    "mean N, reweighted half-way": reweighting_check,
}
UNKNOWN_CHECK = CountCheck(np.nan, np.nan, np.nan, np.nan)


def _block_moments(number: NDArray[np.int64]) -> Floats:
    """For each block of chains: how many draws, sum of N and of N² (B, 3)."""
    blocks = block_numbers(*number.shape).ravel()
    columns = np.stack([np.ones_like(number), number, number**2], axis=-1).reshape(-1, 3)
    return np.add.reduceat(columns, np.flatnonzero(np.diff(blocks, prepend=-1)), axis=0).astype(float)


def _variance(moments: Floats) -> Floats:
    """Var(N) of moments (..., 3)."""
    number, first, second = moments[..., 0], moments[..., 1], moments[..., 2]
    return np.asarray(second / number - (first / number) ** 2)


def _check(whole: float, without: Floats, expected: float) -> CountCheck:
    """A number of all blocks, and of all but each (B,), against what it must be."""
    error = float(jackknife(np.asarray(whole), without).error)
    if not error > 0:
        return CountCheck(float(whole), expected, error, np.nan)
    distance = float(whole - expected) / error
    score = stats.norm.isf(stats.t.sf(abs(distance), len(without) - 1))
    return CountCheck(float(whole), expected, error, float(np.copysign(score, distance)))


def _histogram_pair(lower: NDArray[np.int64], upper: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How often each N comes in each block of chains of both (B, N + 1)."""
    blocks, bins = block_numbers(*lower.shape), int(max(lower.max(), upper.max())) + 1
    number = int(blocks.max()) + 1
    low, high = (np.bincount((blocks * bins + counts).ravel(), minlength=number * bins) for counts in (lower, upper))
    return low.reshape(number, bins).astype(float), high.reshape(number, bins).astype(float)


def _reweighted(histograms: Floats, mu: float) -> Floats:
    """Histograms (..., N + 1) times exp(mu·N), up to a factor."""
    number = np.arange(histograms.shape[-1])
    return histograms * np.exp(mu * (number - (number[-1] if mu > 0 else 0)))


def _reweighted_mean(histograms: Floats, mu: float) -> Floats:
    weights = _reweighted(histograms, mu)
    return np.asarray(weights @ np.arange(weights.shape[-1]) / weights.sum(axis=-1))


def _weighed_draws(histogram: Floats, mu: float) -> float:
    """How many equal draws a reweighted histogram (N + 1,) is worth."""
    weights = _reweighted(histogram, mu)
    squares = _reweighted(weights, mu)
    return float(weights.sum() ** 2 / squares.sum())


def _logistic_slope(lower: Floats, upper: Floats) -> Floats:
    """Slopes (B,) of logistic regressions of the upper against the lower histograms (B, N + 1), by Newton's method."""
    total = lower + upper
    places = np.arange(total.shape[1]) - (total.sum(axis=0) @ np.arange(total.shape[1])) / total.sum()
    design = np.stack([np.ones_like(places), places])
    weights = np.zeros((len(total), 2))
    for _ in range(_NEWTON_STEPS):
        expected = expit(weights @ design)
        gradient = (upper - total * expected) @ design.T
        curvature = np.einsum("bn,in,jn->bij", total * expected * (1 - expected), design, design)
        if (np.linalg.cond(curvature) > 1e12).any():
            return np.full(len(total), np.nan)  # the counts are parted: no slope is steep enough
        weights = weights + np.linalg.solve(curvature, gradient[..., None])[..., 0]
    return np.asarray(weights[:, 1])
