"""How well scores tell two classes apart: areas under the ROC and the precision-recall curve, with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Area:
    """An area under a curve and the ends of its interval; NaN where a class is missing."""

    metric: str
    value: float
    lower: float
    upper: float


def classification_areas(
    labels: ArrayLike, scores: ArrayLike, seed: int, resamples: int = 1000, level: float = 0.95
) -> tuple[Area, Area]:
    """AUROC and AUPRC of scores (N,) against labels (N,), 0 or 1, each with a percentile bootstrap interval.

    AUROC is the chance that a positive scores above a negative, ties counting half; AUPRC the average precision
    (precision after each distinct score, weighted by the recall gained there). The resamples draw N+ positives and
    N- negatives with replacement (stratified); level is the interval's coverage.
    """
    positives, negatives = _counts(np.asarray(labels), np.asarray(scores))
    if not positives.sum() or not negatives.sum():
        nothing = float("nan")
        return Area("AUROC", nothing, nothing, nothing), Area("AUPRC", nothing, nothing, nothing)
    chance = np.random.default_rng(seed)
    values = _areas(positives, negatives)
    drawn = [_areas(_resample(positives, chance), _resample(negatives, chance)) for _ in range(resamples)]
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0).tolist()
    return Area("AUROC", values[0], lower[0], upper[0]), Area("AUPRC", values[1], lower[1], upper[1])


def auroc(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """AUROC of scores (N,) against labels (N,), 0 or 1, and its standard error; NaN where a class is missing.

    The error is Hanley & McNeil's (Radiology 143:29, 1982).
    """
    positives, negatives = _counts(np.asarray(labels), np.asarray(scores))
    n, m = int(positives.sum()), int(negatives.sum())
    if not n or not m:
        return float("nan"), float("nan")
    area = _areas(positives, negatives)[0]
    of_two_positives, of_two_negatives = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n - 1) * (of_two_positives - area**2) + (m - 1) * (of_two_negatives - area**2)
    return area, float(np.sqrt(max(variance, 0) / (n * m)))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """AUPRC of scores (N,) against labels (N,), 0 or 1, as in classification_areas; NaN where a class is missing."""
    positives, negatives = _counts(np.asarray(labels), np.asarray(scores))
    return _areas(positives, negatives)[1] if positives.sum() and negatives.sum() else float("nan")


def _counts(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[Counts, Counts]:
    """Positives and negatives at each distinct score (S,), highest score first."""
    distinct, place = np.unique(-scores, return_inverse=True)
    size = len(distinct)
    return np.bincount(place[labels == 1], minlength=size), np.bincount(place[labels == 0], minlength=size)


def _areas(positives: Counts, negatives: Counts) -> tuple[float, float]:
    """AUROC and average precision from the counts (S,) at each distinct score, highest first."""
    above = np.cumsum(positives)
    false_above = np.cumsum(negatives)
    below = negatives.sum() - false_above + negatives / 2
    precision = above / np.maximum(above + false_above, 1)
    return (
        float((positives * below).sum() / (positives.sum() * negatives.sum())),
        float((positives * precision).sum() / positives.sum()),
    )


def _resample(counts: Counts, chance: np.random.Generator) -> Counts:
    return chance.multinomial(counts.sum(), counts / counts.sum())
