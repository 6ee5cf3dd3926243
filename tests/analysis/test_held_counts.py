"""Rigidity of counts in draws that hold one of them: worked values, and which of them is named."""

from itertools import product

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import encode
from maxent_cli.analysis.features import gc, motif, word
from maxent_cli.analysis.gc_probe import FOLLOWS, NO, UNDECIDED, YES, name_held
from maxent_cli.analysis.held_counts import Spread, count_rows, counts_with, elementary
from maxent_cli.data import Motif, SampleSet

LENGTH, CHAINS, DRAWS = 64, 10, 200
EVERYWHERE = np.ones(LENGTH, bool)
LEFT = np.arange(LENGTH) < LENGTH // 2
EVEN = np.full((LENGTH, 4), 0.25)


def holding(held: str, seed: int = 1, row: tuple[float, ...] = (0.25,) * 4, even: bool = False) -> SampleSet:
    """Draws of independent letters among those that have the anchor's count, exactly; even: as many of each letter."""
    chance = np.random.default_rng(seed)
    letters = {"A": [0], "G and C": [1, 2], "composition": None}
    kind, _, half = held.partition(", ")
    anchor = chance.choice(4, LENGTH, p=row).astype(np.uint8)
    if even:
        anchor = chance.permuted(np.arange(LENGTH, dtype=np.uint8).reshape(2, -1) % 4, axis=1).ravel()
    places = np.flatnonzero(LEFT) if half == "left half" else np.arange(LENGTH)
    codes = independent_draws(chance, np.tile(row, (LENGTH, 1)), CHAINS, DRAWS)
    counted = np.isin(anchor[places], letters[kind] or [0])
    chosen = chance.permuted(np.broadcast_to(counted, (CHAINS, DRAWS, len(places))), axis=2)
    if kind == "composition":
        codes = chance.permuted(np.broadcast_to(anchor, codes.shape), axis=2)
    else:
        for inside in (True, False):
            of = np.isin(np.arange(4), letters[kind]) == inside
            share = np.where(of, row, 0) / np.where(of, row, 0).sum()
            drawn = chance.choice(4, chosen.shape, p=share).astype(np.uint8)
            codes[..., places] = np.where(chosen == inside, drawn, codes[..., places])
    return sample_set(codes, np.tile(row, (LENGTH, 1)), anchor=anchor, name=f"a{seed}")


def named(held: list) -> list[str]:
    return [one.name for one in held if one.held == YES]


def asked(networks: list[SampleSet], label: str = "G and C", feature=gc) -> list:
    rows, spreads = zip(*(count_rows(samples, feature(), EVERYWHERE) for samples in networks), strict=True)
    return name_held(label, [row for some in rows for row in some], list(spreads), np.ones(len(networks)))


def test_elementary_counts_are_what_they_say() -> None:
    codes = encode("AACGTTTTCG")
    where = np.arange(10) != 9
    found = dict(zip(counts_with("x").names, counts_with("G and C").weights @ elementary(codes, where), strict=False))
    assert (found["A"], found["C"], found["G"], found["T"]) == (2, 2, 1, 4)
    assert (found["G and C"], found["G and C, left half"], found["G and C, right half"]) == (3, 2, 1)
    assert (found["A, left less right"], found["A less T"], found["A and G"]) == (2, -2, 3)
    assert (found["AA"], found["CG"], found["TT"], found["GC"]) == (1, 1, 3, 0)  # the last G is not among the places
    assert found["homopolymers"] == 2


def test_a_feature_is_a_count_of_its_own_unless_it_is_one_of_them() -> None:
    assert counts_with("CG").names == counts_with("G and C").names
    counts = counts_with(word("ACGT").label)
    assert counts.names[-1] == "ACGT"
    assert elementary(encode("ACGTACGTTT"), np.ones(10, bool), word("ACGT"))[-1] == 2
    assert counts.weights[-1].tolist() == [0.0] * 25 + [1.0]


@pytest.mark.parametrize(
    ("held", "worked"),
    [
        (
            "A",
            {"A": 1, "C": 1 / 9, "G and C": 1 / 3, "A and G": 1 / 3, "G and T": 1 / 3, "AA": 4 / 7, "CG": 4 / 39}
            | {"A, left half": 1 / 2, "G and C, left half": 1 / 6, "A less T": 2 / 3},
        ),
        (
            "G and C",
            {"G and C": 1, "A": 1 / 3, "C": 1 / 3, "A and G": 0, "CG": 4 / 13, "AA": 4 / 21}
            | {"G and C, left half": 1 / 2, "G and C, left less right": 0},
        ),
        (
            "G and C, left half",
            {"G and C, left half": 1, "G and C": 1 / 2, "G and C, left less right": 1 / 2, "A": 1 / 6}
            | {"G and C, right half": 0, "CG": 2 / 13, "AA": 2 / 21},
        ),
    ],
)
def test_worked_values(held: str, worked: dict[str, float]) -> None:
    """The squared correlation of independent letters' counts: a single-letter counter has 1/3 in G and C."""
    each = [
        {row["count"]: row for row in count_rows(holding(held, n, even=True), gc(), EVERYWHERE)[0]} for n in range(6)
    ]
    for count, value in worked.items():
        rigid = np.array([rows[count]["rigidity"] for rows in each])
        error = np.mean([rows[count]["rigidity_error"] for rows in each])
        assert rigid.mean() == pytest.approx(value, abs=0.06), count
        assert error < 0.1


def test_uneven_letters_have_their_own_worked_value() -> None:
    """1 - (1 - a)·h·(1 - h) / (g·(1 - g)), h = g / (1 - a): 1/6 of A in 0.4, G and C in 0.2."""
    row = (0.4, 0.1, 0.1, 0.4)
    found = [count_rows(holding("A", seed, row), gc(), EVERYWHERE)[0] for seed in range(6)]
    rigid = [next(each["rigidity"] for each in rows if each["count"] == "G and C") for rows in found]
    assert np.mean(rigid) == pytest.approx(1 / 6, abs=0.08)


def test_independent_letters_have_no_rigidity() -> None:
    chance = np.random.default_rng(3)
    law = np.random.default_rng(2).dirichlet([4.0] * 4, LENGTH)
    scores = []
    for _ in range(12):
        samples = sample_set(independent_draws(chance, law, CHAINS, DRAWS, 0.5), law)
        rows, _ = count_rows(samples, gc(), EVERYWHERE)
        scores.append([row["rigidity"] / row["rigidity_error"] for row in rows])
    assert (np.abs(np.mean(scores, axis=0)) < 1.5).all()
    assert 0.6 < np.std(scores) < 1.5


@pytest.mark.parametrize("held", ["A", "G and C", "G and C, left half"])
def test_what_is_held_is_named_and_no_other(held: str) -> None:
    found = asked([holding(held, seed) for seed in range(8)])
    assert named(found) == [held]
    verdicts = {one.name: one.held for one in found}
    assert {verdicts[one] for one in verdicts if one != held} <= {NO, FOLLOWS}
    if held == "A":
        assert verdicts["AA"] == FOLLOWS
    if held == "G and C, left half":
        assert verdicts["G and C"] == FOLLOWS


def test_a_composition_is_named_by_three_counts() -> None:
    found = asked([holding("composition", seed) for seed in range(8)])
    assert len(named(found)) == 3
    assert {one.held for one in found if one.name in ("A", "C", "G", "T", "G and C")} <= {YES, FOLLOWS}


def test_nothing_is_named_of_independent_letters_or_of_a_motif_that_moves() -> None:
    chance = np.random.default_rng(5)
    plain, moving = [], []
    for _ in range(8):
        codes = independent_draws(chance, EVEN, CHAINS, DRAWS)
        plain.append(sample_set(codes, EVEN))
        held = codes.copy()
        for chain, draw in product(range(CHAINS), range(DRAWS)):
            start = chance.integers(LENGTH - 10)
            held[chain, draw, start : start + 10] = encode("GCCGCGCCGG")
        moving.append(sample_set(held, EVEN))
    for networks in (plain, moving):
        found = asked(networks)
        assert named(found) == []
        assert {one.name: one.held for one in found}["CG"] == NO


def test_the_smaller_variance_is_that_of_reference() -> None:
    """A motif that moves raises the variance of its dinucleotides among independent letters, not the background's."""
    one, ten = np.eye(2), np.diag([10.0, 0.1])
    assert Spread(one, ten, ten[::-1, ::-1]).rigidity(np.eye(2)).tolist() == pytest.approx([1 - 10, 1 - 10])
    assert Spread(one / 2, one, 2 * one).rigidity(np.eye(2)).tolist() == [0.5, 0.5]


def test_nothing_is_left_of_what_others_make_up() -> None:
    _, spread = count_rows(holding("A"), gc(), EVERYWHERE)
    counts = counts_with("G and C")
    at = {name: counts.weights[[counts.names.index(name)]] for name in ("A", "C", "G", "T", "G and C")}
    assert np.isnan(spread.rigidity(at["G and C"], np.concatenate([at["C"], at["G"]])))
    assert np.isnan(spread.rigidity(at["T"], np.concatenate([at["A"], at["C"], at["G"]])))
    assert abs(spread.rigidity(at["G and C"], at["A"])[0]) < 0.1


def test_fewer_than_six_anchors_decide_nothing() -> None:
    found = asked([holding("A", seed) for seed in range(5)])
    assert {one.held for one in found} == {UNDECIDED}
    assert found[0].name == "A"


def test_anchors_whose_chains_disagree_do_not_count() -> None:
    stuck = [holding("A", seed) for seed in range(8)]
    for samples in stuck[6:]:
        samples.codes[:] = samples.codes[:, :1]
    found = {one.name: one for one in asked(stuck)}
    assert found["A"].rigidity.anchors == 8  # every chain has as many
    assert found["C"].rigidity.anchors == 6


def test_a_motif_is_asked_for_as_letters_are() -> None:
    given = Motif("one", 10 * np.eye(4)[[2, 0, 1, 3]], 10.0)
    found = asked(
        [holding("A", seed) for seed in range(6)], "one (p up to 0.01)", lambda: motif(given, (0.25,) * 4, 0.01)
    )
    assert named(found) == ["A"]
    assert {one.name: one.held for one in found}["one (p up to 0.01)"] == NO
