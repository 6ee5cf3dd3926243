"""Draws held against a listed law: right ones agree, wrong ones do not, and those that are alike count less."""

import numpy as np
import pytest
from scipy import stats

from maxent_cli.analysis.listing import agreement, beta_keeping, listed_law

STATES, CHAINS, DRAWS = 60, 64, 32


def law(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return listed_law(rng.gamma(2, size=STATES), rng.normal(size=STATES), 0.7)


def counts(probabilities: np.ndarray, seed: int, alike: int = 1) -> np.ndarray:
    """Counts (C, S) of draws of which each stands so many times in a row."""
    rng = np.random.default_rng(seed)
    return alike * rng.multinomial(DRAWS // alike, probabilities, CHAINS)


@pytest.mark.parametrize("alike", [1, 2, 4])
def test_p_values_of_right_draws_are_even_and_the_variation_is_as_expected(alike: int) -> None:
    found = [agreement(counts(law(), seed, alike), law()) for seed in range(200)]
    assert stats.kstest([f.p for f in found], "uniform").pvalue > 1e-3
    ratio = np.mean([f.total_variation for f in found]) / np.mean([f.expected_variation for f in found])
    assert ratio == pytest.approx(1, abs=0.03)
    assert np.mean([f.independent for f in found]) == pytest.approx(CHAINS * DRAWS / alike, rel=0.06)


def test_the_expected_variation_of_one_draw_is_exact() -> None:
    p = law()
    found = agreement(np.eye(STATES, dtype=np.int64)[[3]].repeat(2, axis=0)[:2] * [[1], [0]], p)
    assert found.draws == 1
    assert found.expected_variation == pytest.approx(float((p * (1 - p)).sum()))
    assert found.total_variation == pytest.approx(1 - p[3])


@pytest.mark.parametrize("wrong", ["another beta", "one state less", "shuffled"])
def test_wrong_draws_are_told(wrong: str) -> None:
    rng = np.random.default_rng(0)
    energy, background = rng.gamma(2, size=STATES), rng.normal(size=STATES)
    p = listed_law(energy, background, 0.7)
    other = {
        "another beta": listed_law(energy, background, 1.0),
        "one state less": np.where(np.arange(STATES) == p.argmax(), 0, p) / (1 - p.max()),
        "shuffled": rng.permutation(p),
    }[wrong]
    assert agreement(counts(other, 1), p).p < 1e-6


def test_beta_keeps_the_share_asked_for() -> None:
    rng = np.random.default_rng(1)
    energy, background = np.append(0, rng.gamma(2, size=STATES)), rng.normal(size=STATES + 1)
    for keep in (0.1, 0.5, 0.9):
        beta = beta_keeping(energy, background, keep)
        means = [float(listed_law(energy, background, b) @ energy) for b in (0, beta)]
        assert means[1] == pytest.approx((1 - keep) * means[0])


def test_a_law_of_one_state_agrees() -> None:
    assert agreement(np.full((4, 1), 5), np.ones(1)).p == 1
