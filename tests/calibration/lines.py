"""What a calibration says: a number that was counted over replicates, and between which it must lie."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A claim, what is made (a key of STATISTICS) of what each replicate gave, and the bounds within which it holds."""

    claim: str
    statistic: str
    values: tuple[float, ...]
    low: float
    high: float

    @property
    def found(self) -> float:
        """What was found over the replicates."""
        return STATISTICS[self.statistic](np.array(self.values))[0]

    @property
    def error(self) -> float:
        """Its standard error."""
        return STATISTICS[self.statistic](np.array(self.values))[1]

    def holds(self, errors: float = 0.0) -> bool:
        """Whether it lies within the bounds, or outside by no more than so many standard errors."""
        slack = errors * self.error if errors else 0.0
        return bool(self.low - slack <= self.found <= self.high + slack)


Calibration = Callable[[range], Iterator[Line]]  # the numbers of the replicates -> its lines


def share(claim: str, held: ArrayLike, low: float, high: float) -> Line:
    """The share of replicates that something held in."""
    return _line(claim, "share", held, low, high)


def spread(claim: str, scores: ArrayLike, low: float = 0.85, high: float = 1.2) -> Line:
    """The standard deviation of scores about 0."""
    return _line(claim, "spread", scores, low, high)


def mean(claim: str, values: ArrayLike, low: float, high: float) -> Line:
    """The mean over replicates."""
    return _line(claim, "mean", values, low, high)


def joined(lines: Iterable[Line]) -> list[Line]:
    """Lines of one claim as one, with the replicates of all, in the order in which claims first come."""
    found = dict[str, Line]()
    for line in lines:
        before = found.get(line.claim)
        found[line.claim] = replace(line, values=before.values + line.values) if before else line
    return list(found.values())


def _line(claim: str, statistic: str, values: ArrayLike, low: float, high: float) -> Line:
    return Line(claim, statistic, tuple(np.asarray(values, float).tolist()), low, high)


def _share(values: Floats) -> tuple[float, float]:
    found, n = float(values.mean()), len(values)
    middle = (found * n + 2) / (n + 4)  # Agresti and Coull's, so that a share of 1 has an error
    return found, float(np.sqrt(middle * (1 - middle) / n))


def _spread(values: Floats) -> tuple[float, float]:
    """Its error is that of normal scores."""
    found = float(np.sqrt(np.mean(values**2)))
    return found, found / np.sqrt(2 * len(values))


def _mean(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


STATISTICS: dict[str, Callable[[Floats], tuple[float, float]]] = {"share": _share, "spread": _spread, "mean": _mean}
