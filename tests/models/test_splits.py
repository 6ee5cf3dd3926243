"""Splits: nothing that belongs together is parted, and nothing depends on the order of the records."""

import numpy as np
import pytest

from maxent_cli.alphabet import encode, reverse_complement
from maxent_cli.models.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    choose_chromosomes,
    repeated_across,
    split_by_chromosome,
    split_by_sequence,
)

CHANCE = np.random.default_rng(11)
CODES = CHANCE.integers(0, 4, (2000, 40), np.uint8)


def test_by_chromosome() -> None:
    parts = split_by_chromosome(["chr1", "chr8", "chr9", "chr2"], ["chr8", "chr9"], ["chr2"])
    assert parts.tolist() == [TRAIN, TEST, TEST, VALIDATION]


def test_by_sequence_gives_about_the_shares_and_no_order_matters() -> None:
    parts = split_by_sequence(CODES, 0.2, 0.1)
    assert np.bincount(parts, minlength=3) / len(CODES) == pytest.approx([0.7, 0.1, 0.2], abs=0.03)
    order = CHANCE.permutation(len(CODES))
    assert np.array_equal(split_by_sequence(CODES[order], 0.2, 0.1), parts[order])
    assert (split_by_sequence(CODES, 0, 0) == TRAIN).all()


def test_by_sequence_keeps_strands_and_dinucleotide_shuffles_together() -> None:
    shuffles = pytest.importorskip("maxent_cli.engine.shuffles")
    parts = split_by_sequence(CODES, 0.3, 0.3)
    assert np.array_equal(split_by_sequence(reverse_complement(CODES), 0.3, 0.3), parts)
    shuffled = shuffles.dinucleotide_shuffle(CODES, 5)
    assert (shuffled != CODES).any(axis=1).mean() > 0.99
    assert np.array_equal(split_by_sequence(shuffled, 0.3, 0.3), parts)
    assert np.array_equal(split_by_sequence(reverse_complement(shuffled), 0.3, 0.3), parts)


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
