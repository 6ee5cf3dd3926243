"""Held, avoided or neither: right where shares are known, seldom wrong where draws are the background."""

import numpy as np
import pytest

from maxent_cli.analysis.verdicts import AVOIDED, HELD, NOT_HELD, UNDECIDED, SiteSums, verdicts

CHAINS, DRAWS = 8, 800


def sums_of(shares, anchors=8, seed=0, elsewhere=None):
    """Sums over anchors of independent draws with shares (2, M) of draws and background that have a site."""
    rng = np.random.default_rng(seed)
    shares = np.asarray(shares, float)
    apart = shares if elsewhere is None else np.asarray(elsewhere, float)
    sums = SiteSums(shares.shape[1])
    each = DRAWS // CHAINS
    for _ in range(anchors):
        sides = [
            np.stack(
                [
                    rng.binomial(each, np.broadcast_to(kind[side], (CHAINS, shares.shape[1]))) / each
                    for kind in (shares, apart)
                ]
            )
            for side in (0, 1)
        ]
        sums.add(np.stack(sides), DRAWS)
    return sums


def test_shares_that_are_known_are_called_rightly():
    found = verdicts(sums_of([[0.5, 0.05, 0.01, 0.0], [0.05, 0.05, 0.05, 0.05]]))
    assert [one.verdict for one in found] == [HELD, NOT_HELD, AVOIDED, AVOIDED]
    for one, truth in zip(found, (np.log2(10), 0, -np.log2(5)), strict=False):
        assert one.intervals[0, 0] < truth < one.intervals[0, 1]
    few = verdicts(sums_of([[0.005], [0.005]], anchors=1))
    assert few[0].verdict == UNDECIDED


def test_what_a_held_motif_takes_the_place_of_is_not_avoided():
    sums = sums_of([[0.02], [0.05]], elsewhere=[[0.05], [0.05]])
    assert verdicts(sums)[0].verdict == NOT_HELD


def test_what_is_held_is_not_avoided_elsewhere():
    sums = sums_of([[0.9], [0.05]], elsewhere=[[0.01], [0.05]])
    assert verdicts(sums)[0].verdict == HELD


@pytest.mark.parametrize("share", [0.05, 0.01])
def test_draws_of_the_background_are_seldom_called_anything(share):
    rows = np.full((2, 2000), share)
    called = [one.verdict in (HELD, AVOIDED) for seed in range(3) for one in verdicts(sums_of(rows, seed=seed))]
    assert sum(called) <= 3


def test_intervals_hold_the_truth_as_often_as_they_say():
    truth = np.log2(0.08 / 0.05)
    rows = np.tile([[0.08], [0.05]], (1, 1000))
    found = verdicts(sums_of(rows, anchors=6))
    held = np.mean([one.intervals[0, 0] <= truth <= one.intervals[0, 1] for one in found])
    assert 0.93 < held < 0.99


def test_sums_of_some_motifs_are_those_of_all():
    sums = sums_of([[0.5, 0.05, 0.01], [0.05, 0.05, 0.05]])
    whole, last = verdicts(sums), verdicts(sums.from_row(1))
    np.testing.assert_array_equal(whole[1].ratios, last[0].ratios)
    np.testing.assert_array_equal(sums.first(1).shares[:, 0], sums.shares[:, 0])
    assert verdicts(sums.first(0)) == []
