"""Intervals over anchors: what a mean, a difference or a slope over some anchors says of others of their kind."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from maxent_cli.data import Floats

CONFIDENCE = 0.95
Z = 1.959963984540054  # the standard normal score of that
LEAST_ANCHORS = 6  # from which intervals cover what they say; with fewer nothing is decided by them


@dataclass(frozen=True)
class Interval95:
    """An estimate, over so many anchors if it is of these, and its 95 % interval (nan: unknown)."""

    value: float
    low: float
    high: float
    anchors: int = 0

    @property
    def decides(self) -> bool:
        """Whether anchors are enough for a verdict to rest on it."""
        return self.anchors >= LEAST_ANCHORS and bool(np.isfinite(self.low + self.high))


def interval(value: float, variance: float, freedom: float, anchors: int) -> Interval95:
    """Student's t; unknown without a degree of freedom."""
    if not freedom > 0:
        return Interval95(float(value), np.nan, np.nan, anchors)
    half = stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(variance)
    return Interval95(float(value), float(value - half), float(value + half), anchors)


def mean_over_anchors(values: Floats, weights: Floats | None = None) -> Interval95:
    """Mean of a number of each anchor (N,); what is nan is left out.

    Anchors weigh by weights (N,) above 0, or alike; they count as Kish's effective number, (sum w)² / sum w².
    """
    known = np.isfinite(values)
    own = values[known]
    if not len(own):
        return Interval95(np.nan, np.nan, np.nan)
    mean, variance, effective = _moments(own, np.ones(len(own)) if weights is None else weights[known])
    return interval(mean, variance, effective - 1, len(own))


def p_above(values: Floats, bound: float, weights: Floats | None = None) -> float:
    """One-sided p of the mean of a number of each anchor (N,) being no more than a bound; as mean_over_anchors."""
    known = np.isfinite(values)
    own = values[known]
    if len(own) < LEAST_ANCHORS:
        return np.nan
    mean, variance, effective = _moments(own, np.ones(len(own)) if weights is None else weights[known])
    if not variance > 0:
        return float(mean <= bound)
    return float(stdtr(effective - 1, (bound - mean) / np.sqrt(variance)))


def difference_of_means(a: Floats, b: Floats) -> Interval95:
    """Mean of b less that of a, numbers of different anchors (N,), (M,), by Welch's t; what is nan is left out."""
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not (len(a) and len(b)):
        return Interval95(np.nan, np.nan, np.nan)
    (low, of_low, _), (high, of_high, _) = (_moments(side, np.ones(len(side))) for side in (a, b))
    fewest, both = min(len(a), len(b)), of_low + of_high
    if fewest < 2 or not both > 0:
        return Interval95(high - low, np.nan, np.nan, fewest)
    freedom = both**2 / (of_low**2 / (len(a) - 1) + of_high**2 / (len(b) - 1))
    return interval(high - low, both, freedom, fewest)


def slope_over_anchors(anchors: Floats, draws: Floats) -> Interval95:
    """Slope of the draws' numbers (N,) on the anchors' (N,); what is nan is left out.

    nan with fewer than three anchors or anchors that are all alike. The draws' spread may differ from anchor to anchor
    (HC3; Long & Ervin, American Statistician 54:217, 2000).
    """
    known = np.isfinite(anchors) & np.isfinite(draws)
    x, y, number = anchors[known], draws[known], int(known.sum())
    if number < 3 or np.ptp(x) == 0:
        return Interval95(np.nan, np.nan, np.nan, number)
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    rest, leverage = y - y.mean() - slope * centred, 1 / number + centred**2 / spread
    if (leverage > 1 - 1e-9).any():  # one anchor alone makes the slope
        return Interval95(slope, np.nan, np.nan, number)
    return interval(slope, float(np.sum((centred * rest / (1 - leverage)) ** 2)) / spread**2, number - 2, number)


def wilson(share: float, worth: float) -> Interval95:
    """A share of so many independent records, with Wilson's 95 % interval (Wilson 1927)."""
    middle = (share + Z**2 / (2 * worth)) / (1 + Z**2 / worth)
    half = Z * math.sqrt(share * (1 - share) / worth + Z**2 / (4 * worth**2)) / (1 + Z**2 / worth)
    return Interval95(share, max(middle - half, 0.0), min(middle + half, 1.0))


def _moments(values: Floats, weights: Floats) -> tuple[float, float, float]:
    """The weighted mean of values (N,), its variance, and the effective number."""
    shares = weights / weights.sum()
    mean, effective = float(shares @ values), float(1 / np.square(shares).sum())
    variance = float(np.sum((shares * (values - mean)) ** 2))
    return mean, variance * effective / (effective - 1) if effective > 1 else np.nan, effective
