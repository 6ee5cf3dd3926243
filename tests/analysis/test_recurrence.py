import numpy as np
import pytest

from analysis.planted import matrix
from maxent_cli.analysis.discovery import Calling, Found
from maxent_cli.analysis.recurrence import Shuffles, chance_of, merge

UNIFORM = np.full(4, 0.25)
WORD = "CCATAGGAACG"


def found(shares, share=0.9):
    """A motif of an anchor that has these letter frequencies."""
    bits = np.sum(shares * np.log2(shares / 0.25), axis=1)
    return Found(
        np.log2(shares / 0.25), np.stack([shares, shares]), np.full(shares.shape, 0.25), bits, share, 0.01, 8.0
    )


def merged(matrices):
    return merge(list(enumerate(found(each) for each in matrices)), UNIFORM, Calling(), 0.65)


@pytest.mark.parametrize("anchors", [2, 5, 60])
def test_a_motif_of_many_anchors_comes_again_beyond_chance(anchors):
    (one,) = merged([matrix(WORD)] * anchors)
    assert one.anchors == set(range(anchors))
    assert one.members == anchors
    assert one.shuffled.of >= 1000
    assert one.shuffled.alike < 0.02 * one.shuffled.of
    assert one.p < 0.05


def test_whether_a_motif_of_one_anchor_comes_again_is_not_known():
    (one,) = merged([matrix(WORD)])
    assert np.isnan(one.p)


@pytest.mark.parametrize(("converged", "members"), [({0, 1, 2}, 3), ({1}, 1), (set(), 0), (None, 5)])
def test_motifs_of_converged_anchors_count_and_the_others_are_kept(converged, members):
    each = list(enumerate(found(matrix(WORD)) for _ in range(5)))
    (one,) = merge(each, UNIFORM, Calling(), 0.65, converged)
    assert (one.anchors, one.members) == ({0, 1, 2, 3, 4}, members)
    assert (one.p < 0.05) == (members > 1)


def test_motifs_that_have_nothing_in_common_do_not_come_again():
    rng, by_chance = np.random.default_rng(1), 0
    for _ in range(10):
        words = ["".join(rng.choice(list("ACGT"), 9)) for _ in range(20)]
        by_chance += any(one.p < 0.05 for one in merged([matrix(word) for word in words]))
    assert by_chance <= 1


def test_one_letter_again_and_again_is_like_itself_in_any_order_and_does_not_hide_another_motif():
    plain, telling = merged([matrix("AAAAAAAAA")] * 30 + [matrix(WORD)] * 20)
    assert len(plain.anchors) == 30
    assert plain.p == 1
    assert telling.p < 1e-6


def test_the_chance_is_that_of_so_many_or_more():
    assert chance_of(1, 10, Shuffles(0, 999)) == 1
    assert chance_of(2, 2, Shuffles(99, 999)) == pytest.approx(0.1)
    assert chance_of(3, 3, Shuffles(99, 999)) == pytest.approx(0.01)
