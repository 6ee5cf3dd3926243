"""The GC probe's numbers: the response of a sample set's GC count to a field, its rigidity, and what it must obey.

N(x) is the number of G and C at the mutable positions of an anchor; Δmu is the field on it, in natural-log units.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from maxent_cli.alphabet import is_gc
from maxent_cli.analysis.diagnostics import mcse_mean
from maxent_cli.analysis.jackknife import block_numbers, jackknife
from maxent_cli.data import Floats, SampleSet

CONFIDENCE = 0.95
BOOTSTRAPS = 2000
_NEWTON_STEPS = 50
LEAST_OVERLAP = 12  # draws that two fields share; with fewer the slope is that of two parted heaps


@dataclass(frozen=True)
class GCSummary:
    """One anchor at one Δmu: N over its mutable positions, mean with MCSE, variance and rigidity with jackknife errors.

    rigidity = 1 - Var(N) / Var_indep(N), where Var_indep = sum_j g_j (1 - g_j) is N's variance if each position were
    drawn from its own marginal; both are free of bias by autocorrelation. It may be negative.
    """

    positions: int
    mean: float
    mean_error: float
    variance: float
    variance_error: float
    independent_variance: float
    rigidity: float
    rigidity_error: float


@dataclass(frozen=True)
class Interval95:
    """An estimate and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class FieldCheck:
    """The slope of log P'(N) / P(N) in N between two fields, its error, and its distance from Δmu' - Δmu in errors."""

    slope: float
    error: float
    z: float


def gc_counts(samples: SampleSet) -> NDArray[np.int64]:
    """N (C, D): G and C at the mutable positions."""
    return np.asarray(is_gc(samples.codes[..., samples.mutable]).sum(axis=-1))


def exact_response(background: Floats, mutable: NDArray[np.bool_], fields: Floats) -> tuple[Floats, Floats]:
    """Mean and variance (S,) of N at beta = 0 under fields Δmu (S,), for background rows (L, 4), tether included.

    Each mutable position answers g·e^Δ / (g·e^Δ + 1 - g), where g = q(C) + q(G) of its row.
    """
    share = background[mutable][:, 1:3].sum(axis=1)
    with np.errstate(divide="ignore"):
        answer = expit(np.log(share) - np.log1p(-share) + np.asarray(fields, float)[:, None])
    return answer.sum(axis=1), (answer * (1 - answer)).sum(axis=1)


def summarise_gc(samples: SampleSet, where: NDArray[np.bool_] | None = None) -> GCSummary:
    """The GC summary of a sample set over its mutable positions, or those of them that where (L,) selects."""
    chosen = samples.mutable if where is None else samples.mutable & where
    strong = is_gc(samples.codes[..., chosen])
    counts = strong.sum(axis=-1)
    moments = _block_moments(strong, block_numbers(*counts.shape))
    everything = moments.sum(axis=0)
    spread, free = (
        jackknife(*pair) for pair in zip(_variances(everything), _variances(everything - moments), strict=True)
    )
    rigidity = jackknife(_rigidity(everything), _rigidity(everything - moments))
    return GCSummary(
        positions=int(chosen.sum()),
        mean=float(counts.mean()),
        mean_error=float(mcse_mean(counts)),
        variance=float(spread.value),
        variance_error=float(spread.error),
        independent_variance=float(free.value),
        rigidity=float(rigidity.value),
        rigidity_error=float(rigidity.error),
    )


def field_check(lower: NDArray[np.int64], upper: NDArray[np.int64], difference: float) -> FieldCheck:
    """Do two fields' counts N (C, D) obey log P'(N) / P(N) = (Δmu' - Δmu)·N + constant? difference is Δmu' - Δmu.

    The slope is logistic regression's, which is the most that the two samples can say; its error is by jackknife over
    pairs of chains, so chains may have been exchanged between the fields. nan where too few counts overlap.
    """
    blocks = block_numbers(*lower.shape)
    top = int(max(lower.max(), upper.max()))
    low, high = (_histograms(counts, blocks, top) for counts in (lower, upper))
    if np.minimum(low.sum(axis=0), high.sum(axis=0)).sum() < LEAST_OVERLAP:
        return FieldCheck(np.nan, np.nan, np.nan)
    whole = _logistic_slope(low.sum(axis=0)[None], high.sum(axis=0)[None])[0]
    without = _logistic_slope(low.sum(axis=0) - low, high.sum(axis=0) - high)
    error = float(jackknife(whole, without).error)
    return FieldCheck(float(whole), error, float((whole - difference) / error) if error > 0 else np.nan)


def gc_slope(anchors: Floats, draws: Floats, seed: int) -> Interval95:
    """Slope of the draws' mean GC (N,) on the anchors' GC (N,), with a bootstrap interval over anchors.

    nan with fewer than three anchors or anchors of one GC.
    """
    if len(anchors) < 3 or np.ptp(anchors) == 0:
        return Interval95(np.nan, np.nan, np.nan)
    rows = np.random.default_rng(seed).integers(0, len(anchors), (BOOTSTRAPS, len(anchors)))
    return _interval(_slopes(anchors[None], draws[None])[0], _slopes(anchors[rows], draws[rows]))


def mean_over_anchors(values: Floats, seed: int) -> Interval95:
    """Mean of a number of each anchor (N,), with a bootstrap interval over anchors; what is nan is left out.

    One anchor has no interval (nan).
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return Interval95(float(known.mean()) if len(known) else np.nan, np.nan, np.nan)
    rows = np.random.default_rng(seed).integers(0, len(known), (BOOTSTRAPS, len(known)))
    return _interval(known.mean(), known[rows].mean(axis=1))


def _block_moments(strong: NDArray[np.bool_], blocks: NDArray[np.intp]) -> Floats:
    """For each block: number of draws, sum of N, sum of N², and each position's number of G and C: (B, 3 + L)."""
    counts = strong.sum(axis=-1)
    columns = np.concatenate([np.stack([np.ones_like(counts), counts, counts**2], axis=-1), strong], axis=-1)
    starts = np.flatnonzero(np.diff(blocks.ravel(), prepend=-1))
    return np.add.reduceat(columns.reshape(-1, columns.shape[-1]), starts, axis=0).astype(float)


def _variances(moments: Floats) -> tuple[Floats, Floats]:
    """Var(N) and Var_indep(N) of moments (..., 3 + L)."""
    number, first, second = moments[..., 0], moments[..., 1], moments[..., 2]
    share = moments[..., 3:] / number[..., None]
    return second / number - (first / number) ** 2, (share * (1 - share)).sum(axis=-1)


def _rigidity(moments: Floats) -> Floats:
    spread, free = _variances(moments)
    return 1 - np.divide(spread, free, out=np.full_like(free, np.nan), where=free > 0)


def _histograms(counts: NDArray[np.int64], blocks: NDArray[np.intp], top: int) -> Floats:
    flat = blocks.ravel() * (top + 1) + counts.ravel()
    number = int(blocks.max()) + 1
    return np.bincount(flat, minlength=number * (top + 1)).reshape(number, top + 1).astype(float)


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


def _slopes(anchors: Floats, draws: Floats) -> Floats:
    centred = anchors - anchors.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    slopes = np.full(len(anchors), np.nan)
    np.divide((centred * draws).sum(axis=1), spread, out=slopes, where=spread > 0)
    return slopes


def _interval(value: float, resampled: Floats) -> Interval95:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return Interval95(float(value), float(low), float(high))
