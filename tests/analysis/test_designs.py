"""What designs and edits are like, against slow twins that read strings."""

from itertools import combinations, product

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis.designs import (
    changes,
    design_rows,
    edit_rows,
    edited,
    edits_of,
    independent_edits,
    mean_distance,
    most_unlike,
    nearest,
    number_of_edits,
    number_rows,
    set_rows,
    spread_out,
    taken,
)

RNG = np.random.default_rng(1)
CODES = RNG.integers(0, 4, (60, 9), np.uint8)
SETTLED = {"converged": True, "rhat": 1.0}


def differ(one: np.ndarray, other: np.ndarray) -> int:
    return sum(a != b for a, b in zip(decode(one), decode(other), strict=True))


@pytest.mark.parametrize(("chains", "draws"), [(8, 100), (3, 64), (2, 1), (1, 7)])
def test_draws_are_taken_of_all_chains_in_turn_and_far_apart_in_time(chains: int, draws: int) -> None:
    order = spread_out(chains, draws)
    assert sorted(order) == list(range(chains * draws))
    for number in range(1, draws + 1):
        chain, time = np.divmod(order[: number * chains].reshape(number, chains), draws)
        assert (chain == np.arange(chains)).all()
        gaps = np.diff(np.sort(time[:, 0]))
        assert number < 2 or gaps.min() >= draws // (2 * number)


@pytest.mark.parametrize("apart", [1, 6, 8, 20])
def test_any_two_that_are_taken_are_as_far_apart_and_none_that_is_left_could_be_added(apart: int) -> None:
    rows = taken(CODES, 100, apart)
    assert all(differ(CODES[a], CODES[b]) >= apart for a, b in combinations(rows, 2))
    for row in set(range(len(CODES))) - set(rows.tolist()):
        assert any(differ(CODES[row], CODES[before]) < apart for before in rows if before < row)
    np.testing.assert_array_equal(taken(CODES, 3, apart), rows[:3])


@pytest.mark.parametrize("apart", [1, 6, 8, 20])
def test_each_next_one_differs_most_from_those_before_it_and_none_that_is_left_could_be_added(apart: int) -> None:
    rows = most_unlike(CODES, 100, apart).tolist()
    for number, row in enumerate(rows):
        able = [r for r in range(len(CODES)) if all(differ(CODES[r], CODES[b]) >= apart for b in rows[:number])]
        mean = {r: sum(differ(CODES[r], CODES[b]) for b in rows[:number]) for r in able}
        assert row in able
        assert mean[row] == max(mean.values())
    for row in set(range(len(CODES))) - set(rows):
        assert any(differ(CODES[row], CODES[before]) < apart for before in rows)
    np.testing.assert_array_equal(most_unlike(CODES, 3, apart), rows[:3])


def test_those_that_differ_most_are_further_apart_than_those_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    many = np.random.default_rng(3).integers(0, 4, (1000, 50), np.uint8)
    plain = taken(many, 30, 1)
    assert mean_distance(many[most_unlike(many, 30, 1)]) > mean_distance(many[plain]) + 1
    monkeypatch.setattr("maxent_cli.analysis.designs.MOST_COMPARED", 29_999)
    np.testing.assert_array_equal(most_unlike(many, 30, 1), plain)


def test_distances_are_those_of_strings() -> None:
    some = CODES[:12]
    by_hand = np.array([[differ(one, other) for other in some] for one in some], float)
    assert mean_distance(some) == pytest.approx(by_hand[np.triu_indices(12, 1)].mean())
    np.fill_diagonal(by_hand, np.inf)
    np.testing.assert_array_equal(nearest(some), by_hand.min(axis=1))
    assert np.isnan(mean_distance(some[:1]))
    assert len(nearest(some[:0])) == len(taken(some[:0], 5, 1)) == len(most_unlike(some[:0], 5, 1)) == 0
    assert design_rows("none", some[:0], np.zeros(0), None, SETTLED) == []
    assert mean_distance(np.tile(some[:1], (3, 1))) == 0


def test_independent_edits_are_those_of_listing() -> None:
    probability = np.array([0.1, 0.5, 0.0, 0.9])
    listed = np.zeros(5)
    for which in product([0, 1], repeat=4):
        listed[sum(which)] += np.prod(np.where(which, probability, 1 - probability))
    np.testing.assert_allclose(independent_edits(probability), listed)


def test_edits_of_independent_draws_have_their_probability_and_error() -> None:
    rows = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0], [0.1, 0.4, 0.4, 0.1]])
    codes = independent_draws(np.random.default_rng(2), rows, 8, 400)
    mutable = np.array([True, True, True, False])
    samples = sample_set(codes, anchor=encode("ACGN"), mutable=mutable, background=np.full((4, 4), 0.25))
    found = edited(samples)
    for place, expected in enumerate([0.3, 0.75]):
        assert abs(found.probability[place] - expected) < 4.5 * found.error[place]
        assert found.error[place] == pytest.approx(np.sqrt(expected * (1 - expected) / 3200), rel=0.5)
    assert found.probability[2] == 0
    np.testing.assert_array_equal([found.probability[3], found.background[3]], 0)
    np.testing.assert_allclose(found.background[:3], 0.75)
    share, error, alone = number_of_edits(samples)
    numbers = np.array([[differ(one[:3], samples.anchor[:3]) for one in chain] for chain in codes])
    np.testing.assert_array_equal(edits_of(samples), numbers)
    np.testing.assert_allclose(share, np.bincount(numbers.ravel()) / numbers.size)
    np.testing.assert_allclose(alone, independent_edits(np.full(3, 0.75))[: len(share)])
    assert (error > 0).all()
    assert [row["position"] for row in edit_rows(samples, SETTLED)] == [0, 1, 2]
    assert [row["edits"] for row in number_rows(samples, SETTLED)] == list(range(len(share)))


def test_changes_are_spelled_by_place() -> None:
    assert changes(encode("ACGTN"), encode("ACTTA")) == "2G>T"
    assert changes(encode("ACGT"), encode("ACGT")) == ""
    (row,) = set_rows("one", encode("ACGT"), encode("AGGA")[None], np.array([2.0]), 1.5, SETTLED)
    assert (row["edits"], row["changes"], row["missed"], row["sequence"]) == (2, "1C>G,3T>A", 0.5, "AGGA")


def test_designs_are_told_one_by_one() -> None:
    codes = np.array([encode("ACGT"), encode("ACGG"), encode("TTTT")])
    rows = design_rows("one", codes, np.array([1.0, 2.0, 3.0]), encode("ACGT"), SETTLED)
    assert [row["design"] for row in rows] == ["one/0", "one/1", "one/2"]
    assert [row["edits"] for row in rows] == [0, 1, 3]
    assert [row["nearest"] for row in rows] == [1, 1, 3]
    assert [row["gc"] for row in rows] == [0.5, 0.75, 0.0]
    (alone,) = design_rows("one", codes[:1], np.zeros(1), None, SETTLED)
    assert (alone["edits"], alone["nearest"]) == (None, None)
