"""Motifs and numbers of two sides."""

import numpy as np
import pytest

from maxent_cli.alphabet import Codes, encode, reverse_complement
from maxent_cli.analysis.comparison import difference, match_motifs, mean_row, place_row
from maxent_cli.analysis.over_anchors import difference_of_means, mean_over_anchors
from maxent_cli.data import Motif


def motif(word: str | Codes) -> Motif:
    codes = encode(word) if isinstance(word, str) else word
    return Motif("m", np.where(np.arange(4) == codes[:, None], 85.0, 5.0), 100.0)


EBOX, ETS, FORKHEAD = "GTCACGTGGA", "ACCGGAAGTA", "TGTAAACAAA"


def test_motifs_are_matched_whatever_their_order_strand_and_edges() -> None:
    turned = motif(reverse_complement(encode(ETS)))
    same = match_motifs(
        [motif(EBOX), motif(ETS), motif("TTTTCCCCGG")], [motif(FORKHEAD), turned, motif(EBOX[2:])], 0.65
    )
    assert [(pair.a, pair.b) for pair in same] == [(0, 2), (1, 1)]
    assert [(pair.match.strand, pair.match.offset) for pair in same] == [("+", -2), ("-", 0)]
    assert same[1].match.similarity == pytest.approx(1)


def test_of_two_alike_each_gets_its_own() -> None:
    """One by one, the first would take what only suits the second."""
    one, near = motif(EBOX), motif("GTCACGTGCC")
    same = match_motifs([near, one], [one, motif("GTCACGTTCC")], 0.5)
    assert [(pair.a, pair.b) for pair in same] == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("a", "b"), [([], []), ([motif(EBOX)], []), ([], [motif(EBOX)])])
def test_without_motifs_none_are_the_same(a: list[Motif], b: list[Motif]) -> None:
    assert match_motifs(a, b, 0.65) == []


def test_a_difference_carries_both_errors() -> None:
    row = difference({"bits": 5.0, "bits_error": 0.3}, {"bits": 7.0, "bits_error": 0.4}, "bits")
    assert (row["bits_a"], row["bits_b"], row["bits_difference"]) == (5, 7, 2)
    assert row["bits_difference_error"] == pytest.approx(0.5)
    assert row["bits_z"] == pytest.approx(4)
    exact = {"bits": 5.0, "bits_error": 0.0}
    assert np.isnan(difference(exact, exact, "bits")["bits_z"])


def site(start: int | None, strand: str = "+", width: int = 10) -> dict[str, object]:
    end = None if start is None else start + width
    return {"best_start": start, "best_end": end, "best_strand": strand, "best_occupancy": 0.7}


@pytest.mark.parametrize(
    ("a", "b", "turned", "place", "strand"),
    [
        (site(20), site(25), False, True, True),
        (site(20), site(26), False, False, None),
        (site(20), site(18, width=30), False, True, True),
        (site(20), site(20, "-"), False, True, False),
        (site(20), site(20, "-"), True, True, True),
        (site(20), site(None, ""), False, None, None),
    ],
)
def test_places_are_the_same_by_half_of_the_narrower_site(
    a: dict[str, object], b: dict[str, object], turned: bool, place: bool | None, strand: bool | None
) -> None:
    row = place_row(a, b, turned)
    assert (row["same_place"], row["same_strand"]) == (place, strand)
    assert (row["best_start_a"], row["best_start_b"]) == (a["best_start"], b["best_start"])


def test_pairs_tell_what_means_of_others_cannot() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(10, 5, 40)
    b = a + 1 + rng.normal(0, 0.5, 40)
    paired, apart = mean_over_anchors(b - a), difference_of_means(a, b)
    assert paired.value == pytest.approx(apart.value)
    assert 0 < paired.low < 1 < paired.high < 2
    assert apart.low < 0 < apart.high
    assert apart.high - apart.low == pytest.approx(2 * 1.96 * 5 * np.sqrt(2 / 40), rel=0.25)


def test_means_of_pairs_leave_out_what_one_side_does_not_know() -> None:
    a, b = np.array([1.0, 2.0, np.nan, 4.0]), np.array([2.0, np.nan, 9.0, 6.0])
    row = mean_row("bits", (a, b), True)
    assert (row["anchors_a"], row["anchors_b"], row["mean_a"], row["mean_b"], row["difference"]) == (2, 2, 2.5, 4, 1.5)
    assert (row["low_a"], row["high_a"]) == pytest.approx((2.5 - 12.706 * 1.5, 2.5 + 12.706 * 1.5), rel=1e-3)
    row = mean_row("bits", (a, b), False)
    assert (row["anchors_a"], row["anchors_b"]) == (3, 3)
    assert (row["mean_a"], row["difference"]) == (pytest.approx(7 / 3), pytest.approx(17 / 3 - 7 / 3))
    alone = mean_row("bits", (np.ones(1), np.zeros(0)), False)
    assert np.isnan(alone["difference"])
