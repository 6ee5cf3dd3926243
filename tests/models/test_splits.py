"""Splits: nothing that belongs together is parted, and nothing depends on the order of the records."""

import numpy as np
import pytest

from maxent_cli.alphabet import decode, encode, reverse_complement
from maxent_cli.models import splits
from maxent_cli.models.splits import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    choose_chromosomes,
    related,
    repeated_across,
    split_by_chromosome,
    split_by_group,
    split_by_place,
)

CHANCE = np.random.default_rng(11)
CODES = CHANCE.integers(0, 4, (2000, 40), np.uint8)


def test_by_chromosome() -> None:
    parts = split_by_chromosome(["chr1", "chr8", "chr9", "chr2"], ["chr8", "chr9"], ["chr2"])
    assert parts.tolist() == [TRAIN, TEST, TEST, VALIDATION]


def test_by_group_gives_about_the_shares_and_no_order_matters() -> None:
    group = related(CODES)
    parts = split_by_group(CODES, group, 0.2, 0.1)
    assert np.bincount(parts, minlength=3) / len(CODES) == pytest.approx([0.7, 0.1, 0.2], abs=0.03)
    order = CHANCE.permutation(len(CODES))
    assert np.array_equal(split_by_group(CODES[order], related(CODES[order]), 0.2, 0.1), parts[order])
    assert (split_by_group(CODES, group, 0, 0) == TRAIN).all()


def test_large_groups_are_held_out_as_often_as_small_ones() -> None:
    codes = CHANCE.integers(0, 4, (3000, 60), np.uint8)
    group = np.append(np.repeat(np.arange(200), 10), np.arange(200, 1200))
    parts = split_by_group(codes, group, 0.3, 0)
    assert all(len(set(parts[group == each])) == 1 for each in range(200))
    assert (parts[:2000:10] == TEST).mean() == pytest.approx(0.3, abs=0.1)
    assert (parts[2000:] == TEST).mean() == pytest.approx(0.3, abs=0.05)


def test_strands_and_dinucleotide_shuffles_are_related() -> None:
    shuffles = pytest.importorskip("maxent_cli.engine.shuffles")
    shuffled = shuffles.dinucleotide_shuffle(CODES, 5)
    assert (shuffled != CODES).any(axis=1).mean() > 0.99
    group = related(np.concatenate([CODES, reverse_complement(CODES), shuffled, reverse_complement(shuffled)]))
    assert (group.reshape(4, -1) == group[: len(CODES)]).all()
    assert len(set(group.tolist())) > 0.99 * len(CODES)


def groups_by_dictionary(codes: np.ndarray) -> list[set[int]]:
    """Rows that share a word of 24 letters on either strand, found without arrays and numbers."""
    holders: dict[str, set[int]] = {}
    for row, letters in enumerate(map(decode, codes)):
        for start in range(len(letters) - 23):
            word = letters[start : start + 24]
            turned = word[::-1].translate(str.maketrans("ACGT", "TGCA"))
            holders.setdefault(min(word, turned), set()).add(row)
    groups: list[set[int]] = []
    for rows in holders.values():
        joined = [group for group in groups if group & rows]
        groups = [group for group in groups if not group & rows] + [rows.union(*joined)]
    return groups


def overlapping(count: int, chance: np.random.Generator) -> np.ndarray:
    """Windows of 50 bp at random places of either strand of 2,000 bp, so that some share 24 bp and some less."""
    genome = chance.integers(0, 4, 2000, np.uint8)
    windows = np.stack([genome[start : start + 50] for start in chance.integers(0, 1950, count)])
    turned = chance.random(count) < 0.5
    windows[turned] = reverse_complement(windows[turned])
    return windows


@pytest.mark.parametrize("at_once", [splits.AT_ONCE, 300])
def test_groups_are_those_of_a_dictionary(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(splits, "AT_ONCE", at_once)  # few words: many times, which must not part anything
    monkeypatch.setattr(splits, "_BLOCK", 7 * 50)
    for seed in range(5):
        codes = overlapping(60, np.random.default_rng(seed))
        group = related(codes)
        expected = {frozenset(rows) for rows in groups_by_dictionary(codes)}
        assert {frozenset(np.flatnonzero(group == each).tolist()) for each in set(group.tolist())} == expected
        assert 5 < len(expected) < 50


@pytest.mark.parametrize("shift", [26, 27])
def test_24_letters_are_enough_and_23_are_not(shift: int) -> None:
    long = np.concatenate([CODES[5], CODES[6]])
    codes = np.stack([long[:50], long[shift : shift + 50], reverse_complement(long[shift : shift + 50])])
    group = related(codes)
    assert (group[0] == group[1]) == (shift == 26)
    assert group[1] == group[2]


def test_short_sequences_are_related_by_all_their_letters() -> None:
    codes = np.stack([encode(letters) for letters in ("AACGA", "TCGTT", "AACGG")])
    group = related(codes)
    assert group[0] == group[1] != group[2]
    assert related(codes[:0]).shape == (0,)
    assert related(codes[:, :1]).tolist() in ([0, 0, 0], [0, 1, 0])


@pytest.mark.parametrize("at_once", [splits.AT_ONCE, 300])
def test_test_records_that_share_a_word_with_training_are_counted(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(splits, "AT_ONCE", at_once)
    chance = np.random.default_rng(0)
    codes, parts = overlapping(40, chance), chance.integers(0, 3, 40)
    expected = [
        parts[row] == TEST
        and any(
            parts[other] == TRAIN and len(groups_by_dictionary(codes[[row, other]])) == 1
            for other in range(40)
            if other != row
        )
        for row in range(40)
    ]
    assert splits.shares_words(codes, parts).tolist() == expected
    assert 0 < sum(expected) < (parts == TEST).sum()


@pytest.mark.parametrize("shares", [(0.1, 0.05), (0.2, 0.0), (0.0, 0.3)])
def test_by_place_parts_lie_a_window_apart_on_each_chromosome(shares: tuple[float, float]) -> None:
    chance = np.random.default_rng(4)
    chromosomes = [f"chr{number}" for number in chance.integers(1, 3, 2000)]
    starts = chance.integers(0, 60_000, 2000)
    parts = split_by_place(chromosomes, starts, starts + 100, shares, 100)
    names = np.array(chromosomes)
    for name in ("chr1", "chr2"):
        found = parts[names == name]
        kept = (found == TEST).mean(), (found == VALIDATION).mean()
        assert kept[0] == pytest.approx(shares[0], abs=0.002)
        assert kept[1] == pytest.approx(shares[1], abs=0.01)
        for one, other in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
            first, second = (starts[(names == name) & (parts == each)] for each in (one, other))
            gap = np.abs(first[:, None] - second).min(initial=10**6) - 100
            assert gap >= 100
    left_out = (parts == LEFT_OUT).mean()
    assert 0 < left_out < 0.03
    order = chance.permutation(2000)
    again = split_by_place([chromosomes[row] for row in order], starts[order], starts[order] + 100, shares, 100)
    assert np.array_equal(again, parts[order])


def test_conventional_chromosomes_only_beside_others() -> None:
    human = ["chr1"] * 8 + ["chr8"] + ["chr9"]
    assert choose_chromosomes(human, 0.1, ("chr8", "chr9")) == ["chr8", "chr9"]
    assert choose_chromosomes(["chr8", "chr9"], 0.1, ("chr8", "chr9")) == []


def test_chosen_chromosomes_hold_about_the_share_in_any_order() -> None:
    names = [f"chr{number}" for number in range(16) for _ in range(20 + number)]
    chosen = choose_chromosomes(names, 0.15)
    share = np.isin(names, chosen).mean()
    assert 0.12 <= share <= 0.18
    assert choose_chromosomes(names[::-1], 0.15) == chosen
    assert choose_chromosomes(["chrI", "chrII"] * 5, 0.1) == []


def test_repeats_are_seen_on_either_strand_and_towards_training_only() -> None:
    codes = np.stack([encode(letters) for letters in ("AACG", "CGTT", "ACCA", "AACG", "ACCA", "GGGG")])
    parts = np.array([TEST, TRAIN, VALIDATION, TEST, TRAIN, TRAIN])
    assert repeated_across(codes, parts).tolist() == [False, True, False, False, True, False]
