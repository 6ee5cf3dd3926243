"""What a calibration says: a number that was counted over replicates, and between which it must lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Line:
    """A claim, what was found over so many replicates, its standard error, and the bounds within which it holds."""

    claim: str
    found: float
    error: float
    low: float
    high: float
    replicates: int

    def holds(self, errors: float = 0.0) -> bool:
        """Whether it lies within the bounds, or outside by no more than so many standard errors."""
        return bool(self.low - errors * self.error <= self.found <= self.high + errors * self.error)


Calibration = Callable[[int], Iterator[Line]]  # the number of replicates -> its lines


def share(claim: str, held: ArrayLike, low: float, high: float) -> Line:
    """The share of replicates that something held in."""
    values = np.asarray(held, float)
    found, n = float(values.mean()), len(values)
    middle = (found * n + 2) / (n + 4)  # Agresti and Coull's, so that a share of 1 has an error
    return Line(claim, found, float(np.sqrt(middle * (1 - middle) / n)), low, high, n)


def spread(claim: str, scores: ArrayLike, low: float = 0.85, high: float = 1.2) -> Line:
    """The standard deviation of scores about 0; its own error as that of normal scores."""
    values = np.asarray(scores, float)
    found = float(np.sqrt(np.mean(values**2)))
    return Line(claim, found, found / np.sqrt(2 * len(values)), low, high, len(values))


def mean(claim: str, values: ArrayLike, low: float, high: float) -> Line:
    """The mean over replicates."""
    each = np.asarray(values, float)
    return Line(claim, float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each))), low, high, len(each))
