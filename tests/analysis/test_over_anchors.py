"""Intervals over anchors: by hand on a few numbers, and what is unknown stays so; coverage is in tests/calibration."""

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from maxent_cli.analysis.over_anchors import (
    LEAST_ANCHORS,
    Interval95,
    difference_of_means,
    mean_over_anchors,
    slope_over_anchors,
)


def test_a_mean_of_six_is_that_of_a_table_of_t() -> None:
    found = mean_over_anchors(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    half = 2.5706 * np.sqrt(3.5 / 6)  # t of 5 degrees, variance 3.5
    assert (found.low, found.high) == (pytest.approx(3.5 - half, abs=1e-4), pytest.approx(3.5 + half, abs=1e-4))
    assert found.decides


def test_weights_that_are_whole_numbers_count_as_kish_says() -> None:
    """Weights 2, 1, 1 count as 16/6 anchors."""
    found = mean_over_anchors(np.array([0.0, 2.0, 4.0]), np.array([2.0, 1.0, 1.0]))
    assert found.value == 1.5
    effective = 16 / 6
    variance = (0.25 * 2.25 + 0.0625 * 0.25 + 0.0625 * 6.25) * effective / (effective - 1)
    assert found.high - found.low == pytest.approx(2 * t.ppf(0.975, effective - 1) * np.sqrt(variance))
    assert mean_over_anchors(np.arange(9.0), np.full(9, 3.0)) == mean_over_anchors(np.arange(9.0))


def test_a_difference_is_welchs() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 8), rng.normal(1, 3, 12)
    found, expected = difference_of_means(a, b), ttest_ind(b, a, equal_var=False).confidence_interval()
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert found.anchors == 8


def test_a_slope_is_of_a_line() -> None:
    x = np.arange(8.0)
    found = slope_over_anchors(x, 1 + 0.5 * x)
    assert found.value == found.low == found.high == pytest.approx(0.5)
    noisy = slope_over_anchors(x, 1 + 0.5 * x + np.array([1, -1, 1, -1, -1, 1, -1, 1]))
    assert noisy.low < 0.5 < noisy.high


def test_what_is_unknown_is_left_out() -> None:
    values = np.array([1.0, np.nan, 3.0, 2.0])
    assert mean_over_anchors(values) == mean_over_anchors(values[[0, 2, 3]])
    assert difference_of_means(values, np.arange(4.0)) == difference_of_means(values[[0, 2, 3]], np.arange(4.0))
    assert slope_over_anchors(values, np.array([1.0, 2.0, 3.0, 5.0])).anchors == 3


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan])])
def test_no_anchor_has_no_mean(values: np.ndarray) -> None:
    assert np.isnan(mean_over_anchors(values).value)
    assert np.isnan(difference_of_means(values, np.arange(4.0)).value)


def test_one_anchor_has_no_interval_and_two_no_slope() -> None:
    assert mean_over_anchors(np.array([3.0])).value == 3
    assert np.isnan(mean_over_anchors(np.array([3.0])).low)
    assert np.isnan(difference_of_means(np.ones(1), np.arange(3.0)).low)
    assert np.isnan(slope_over_anchors(np.array([0.1, 0.2]), np.array([0.1, 0.2])).value)
    assert np.isnan(slope_over_anchors(np.full(9, 0.5), np.linspace(0, 1, 9)).value)
    assert np.isnan(slope_over_anchors(np.array([0.0, 0.0, 0.0, 1.0]), np.arange(4.0)).low)  # one anchor makes it


def test_a_few_anchors_decide_nothing() -> None:
    assert not mean_over_anchors(np.arange(LEAST_ANCHORS - 1.0)).decides
    assert mean_over_anchors(np.arange(LEAST_ANCHORS + 0.0)).decides
    assert not Interval95(1.0, np.nan, np.nan, 40).decides
