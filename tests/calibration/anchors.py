"""Intervals over anchors: how often they cover the mean, difference or slope of the kind that anchors are of."""

from collections.abc import Callable, Iterator

import numpy as np

from maxent_cli.analysis.over_anchors import Interval95, difference_of_means, mean_over_anchors, slope_over_anchors

from .lines import Line, share

COUNTS = (6, 12, 40)


def over_anchors(replicates: range) -> Iterator[Line]:
    """Numbers of anchors drawn anew from a kind whose mean, difference or slope is 0."""
    for anchors in COUNTS:
        for name, one in KINDS.items():
            chance = np.random.default_rng((anchors, len(name), replicates.start))
            found = [one(chance, anchors) for _ in replicates]
            yield share(f"{anchors} anchors, {name}", [each.low <= 0 <= each.high for each in found], 0.93, 0.97)


def mean(chance: np.random.Generator, anchors: int) -> Interval95:
    """Of normal numbers."""
    return mean_over_anchors(chance.normal(size=anchors))


def skewed(chance: np.random.Generator, anchors: int) -> Interval95:
    """Of numbers as skewed as bits are (gamma, shape 4)."""
    return mean_over_anchors(chance.gamma(4.0, size=anchors) - 4)


def weighted(chance: np.random.Generator, anchors: int) -> Interval95:
    """Of normal numbers whose weights differ as mean energies do."""
    return mean_over_anchors(chance.normal(size=anchors), chance.lognormal(0, 0.5, anchors))


def difference(chance: np.random.Generator, anchors: int) -> Interval95:
    """Of two kinds with unequal spread."""
    return difference_of_means(chance.normal(0, 1, anchors), chance.normal(0, 2, anchors))


def slope(chance: np.random.Generator, anchors: int) -> Interval95:
    """Of numbers that do not follow the anchors'."""
    return slope_over_anchors(chance.uniform(0.3, 0.7, anchors), chance.normal(size=anchors))


KINDS: dict[str, Callable[[np.random.Generator, int], Interval95]] = {
    "mean": mean,
    "mean of skewed numbers": skewed,
    "weighted mean": weighted,
    "difference of two kinds": difference,
    "slope": slope,
}
