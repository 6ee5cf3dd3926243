"""Laws small enough to list, and draws held against them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from maxent_cli.data import Floats

LEAST_EXPECTED = 5  # cells that expect fewer are taken together


@dataclass(frozen=True)
class Agreement:
    """Draws against a law: their number and how many independent ones they are worth, their total variation from it and
    what so many independent draws would show, and the p-value of a chi-square test.
    """

    draws: int
    independent: float
    total_variation: float
    expected_variation: float
    p: float


def listed_law(energy: Floats, log_background: Floats, beta: float) -> Floats:
    """Probabilities (S,) ∝ exp(log_background - beta · energy) of S sequences."""
    log_weight = log_background - beta * energy
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def beta_keeping(energy: Floats, log_background: Floats, keep: float) -> float:
    """The beta at which the mean energy has fallen by the share `keep` of its value at 0; energies (S,) from 0."""

    def mean(beta: float) -> float:
        return float(listed_law(energy, log_background, beta) @ energy)

    def excess(beta: float) -> float:
        return mean(beta) - (1 - keep) * mean(0)

    top = 1 / energy.max()
    while excess(top) > 0:
        top *= 2
    return float(optimize.brentq(excess, 0, top))


def agreement(counts: NDArray[np.int64], probabilities: Floats) -> Agreement:
    """Each chain's counts (C, S) of the S sequences against the law (S,).

    A chain's draws are alike, which the spread of counts between chains shows: the statistic is divided by the mean of
    its generalised design effects (Rao & Scott, J Am Stat Assoc 76:221, 1981).
    """
    draws, total = int(counts.sum()), counts.sum(axis=0)
    rare = probabilities * draws < LEAST_EXPECTED
    together, expected = _joined(counts, rare), _joined(probabilities * draws, rare)
    freedom = len(expected) - 1
    statistic = ((together.sum(axis=0) - expected) ** 2 / expected).sum()
    effect = max(1.0, float((len(counts) * together.var(axis=0, ddof=1) / expected).sum() / max(freedom, 1)))
    return Agreement(
        draws=draws,
        independent=draws / effect,
        total_variation=float(np.abs(total / draws - probabilities).sum() / 2),
        expected_variation=_expected_variation(max(1, round(draws / effect)), probabilities),
        p=float(stats.chi2.sf(statistic / effect, freedom)) if freedom else 1.0,
    )


def _joined(values: NDArray[Any], rare: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values (..., S) of what is not rare, and the sum of all that is, if any is."""
    rest = [values[..., rare].sum(axis=-1, keepdims=True)] if rare.any() else []
    return np.concatenate([values[..., ~rare], *rest], axis=-1, dtype=np.float64)


def _expected_variation(draws: int, probabilities: Floats) -> float:
    """By the mean absolute deviation of a binomial count (de Moivre 1730)."""
    next_count = np.floor(draws * probabilities) + 1
    deviation = 2 * next_count * (1 - probabilities) * stats.binom.pmf(next_count, draws, probabilities)
    return float(deviation.sum() / draws / 2)
