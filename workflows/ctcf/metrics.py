"""How well scores of positions point at true sites: one number an anchor and metric, and intervals over anchors.

Scores (N, L) of L positions of N anchors count where they speak for the output, so negative ones count as 0. Sites:
for each anchor the (start, end) of what is there to be found, 0-based half-open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats

RESAMPLED = 2000
HIT = 0.5  # of a site, that the best window must hold

Sites = Sequence[Sequence[tuple[int, int]]]
Value = Callable[[Codes], Floats]  # codes (..., L) to outputs (...)


@dataclass(frozen=True)
class Interval:
    """A mean over anchors and the ends of its 95 % bootstrap interval."""

    value: float
    lower: float
    upper: float


def inside(sites: Sites, length: int) -> NDArray[np.bool_]:
    """Whether each position (N, L) is in a site."""
    places = np.arange(length)
    return np.array([np.any([(start <= places) & (places < end) for start, end in one], axis=0) for one in sites])


def share_inside(scores: Floats, sites: Sites) -> Floats:
    """The share (N,) of an anchor's score that lies in its sites; 0 where there is no score."""
    speaking = np.maximum(scores, 0)
    total = speaking.sum(axis=1)
    return np.where(speaking * inside(sites, scores.shape[1]), speaking, 0).sum(axis=1) / np.where(total > 0, total, 1)


def best_windows(scores: Floats, width: int) -> NDArray[np.intp]:
    """Starts (N,) of the windows of that width with the highest sums; of equal ones the middle one."""
    sums = np.lib.stride_tricks.sliding_window_view(np.maximum(scores, 0), width, axis=1).sum(axis=-1)
    best = sums >= sums.max(axis=1, keepdims=True)
    rank = (best.sum(axis=1, keepdims=True) + 1) // 2
    return np.argmax(np.cumsum(best, axis=1) == rank, axis=1)


def offsets(scores: Floats, sites: Sites, width: int) -> Floats:
    """How far (N,), in bp, the centre of the best window is from that of the nearest site."""
    centres = best_windows(scores, width) + width / 2
    return np.array([min(abs(c - (a + b) / 2) for a, b in one) for c, one in zip(centres, sites, strict=True)])


def hits(scores: Floats, sites: Sites, width: int) -> Floats:
    """Whether (N,), 1 or 0, the best window holds half of a site or more."""
    starts = best_windows(scores, width)
    shared = [
        max(_shared(start, start + width, site) for site in one) for start, one in zip(starts, sites, strict=True)
    ]
    return (np.array(shared) >= HIT).astype(np.float64)


def _shared(start: int, end: int, site: tuple[int, int]) -> float:
    """The share of a site within [start, end)."""
    return max(min(end, site[1]) - max(start, site[0]), 0) / (site[1] - site[0])


def precisions(scores: Floats, sites: Sites) -> Floats:
    """AUPRC (N,) of the scores for being in a site, over an anchor's positions."""
    return np.array(
        [average_precision_score(*pair) for pair in zip(inside(sites, scores.shape[1]), scores, strict=True)]
    )


def losses(value: Value, codes: Codes, scores: Floats, background: Floats, settings: tuple[int, int, int]) -> Floats:
    """How far (N,) the output of anchors (N, L) falls, on average, when their best positions are redrawn.

    settings: how many positions, how many times, seed. The letters are drawn from the background (4,), with the same
    random numbers whichever positions they are for. Ties are broken at random.
    """
    most, times, seed = settings
    chance = np.random.default_rng(seed)
    order = np.lexsort((chance.random(scores.shape), -scores), axis=1)[:, :most]
    letters = np.searchsorted(np.cumsum(background)[:3], chance.random((times, *codes.shape)), "right").astype(np.uint8)
    chosen = np.zeros(codes.shape, np.bool_)
    np.put_along_axis(chosen, order, True, axis=1)
    return value(codes) - value(np.where(chosen, letters, codes)).mean(axis=0)


def over_anchors(values: Floats, seed: int = 1) -> Interval:
    """The mean of values (N,), which may hold NaN, over anchors."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"))
    rows = np.random.default_rng(seed).integers(0, len(known), (RESAMPLED, len(known)))
    lower, upper = np.quantile(known[rows].mean(axis=1), (0.025, 0.975))
    return Interval(float(known.mean()), float(lower), float(upper))
