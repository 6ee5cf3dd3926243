"""How common a motif is: rates by listing every sequence, intervals by a library, planted shares."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from maxent_cli.analysis.over_anchors import wilson
from maxent_cli.analysis.prevalence import matcher, prevalence
from maxent_cli.data import Motif

SHARP = Motif("sharp", np.array([[90, 4, 3, 3], [2, 2, 94, 2], [5, 85, 5, 5], [1, 1, 1, 97.0]]), 100)
BACKGROUND = (0.3, 0.2, 0.2, 0.3)


def all_of(length: int) -> np.ndarray:
    return np.stack(np.meshgrid(*[np.arange(4, dtype=np.uint8)] * length, indexing="ij"), -1).reshape(-1, length)


@pytest.mark.parametrize("rate", [0.03, 0.05, 0.2])
def test_no_more_sequences_have_a_site_by_chance_than_asked(rate: float) -> None:
    """Of all 16,384 of seven letters, weighed by the background; and the next lower threshold would be too low."""
    codes = all_of(7)
    weight = np.array(BACKGROUND)[codes].prod(axis=1)
    feature = matcher(SHARP, BACKGROUND, rate, 7)
    assert feature is not None
    share = weight[feature.matches(codes).any(axis=1)].sum()
    assert 0 < share <= rate
    turned = feature.matches(3 - codes[:, ::-1]).any(axis=1)
    assert np.array_equal(turned, feature.matches(codes).any(axis=1))


def test_a_short_motif_is_counted_at_a_tenth_or_not_at_all() -> None:
    assert matcher(SHARP, BACKGROUND, 0.05, 12) is not None
    assert matcher(SHARP, BACKGROUND, 0.05, 500) is None
    assert matcher(SHARP, BACKGROUND, 0.05, 3) is None


@pytest.mark.parametrize(("count", "of"), [(0, 12), (3, 40), (40, 40)])
def test_wilsons_interval_is_that_of_scipy(count: int, of: int) -> None:
    expected = binomtest(count, of).proportion_ci(method="wilson")
    found = wilson(count / of, of)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_related_records_count_as_one() -> None:
    held, none = np.tile([True, False], 20), np.zeros(40, np.bool_)
    alone = prevalence(held, none, np.arange(40))
    twins = prevalence(np.repeat(held, 2), np.repeat(none, 2), np.repeat(np.arange(40), 2))
    assert twins.share == alone.share
    assert (twins.holding, twins.records) == (40, 80)
    assert 1 < alone.enrichment.low < alone.enrichment.value < alone.enrichment.high < math.inf


def test_intervals_hold_the_truth_nineteen_times_of_twenty() -> None:
    """Shares and ratio of 400 made sets; a broken one that forgets the shuffles' chance would hold the ratio less."""
    chance, held = np.random.default_rng(0), np.zeros(3)
    for _ in range(400):
        found = prevalence(chance.random(150) < 0.3, chance.random(150) < 0.1, np.arange(150))
        shares = ((found.share, 0.3), (found.shuffled, 0.1), (found.enrichment, 3))
        held += [share.low <= truth <= share.high for share, truth in shares]
    assert (held / 400 > 0.92).all()
    assert (held / 400 < 0.99).all()
