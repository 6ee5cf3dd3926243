"""Words with gaps: counted by hand, and the same on either strand."""

import numpy as np
import pytest

from maxent_cli.alphabet import UNKNOWN, encode
from maxent_cli.analysis.gapped_words import count_of_words, patterns, profiles

CODES = np.random.default_rng(5).integers(0, 4, (6, 30), np.uint8)


def test_there_are_as_many_words_as_gaps_allow() -> None:
    assert len(patterns()) == 20  # three more letters at six places
    assert count_of_words() == 256 * 13  # six of the twenty are their own other strand: (20 + 6) / 2


def test_a_strand_is_as_good_as_the_other() -> None:
    weights = np.random.default_rng(6).random(CODES.shape)
    turned = profiles(3 - CODES[:, ::-1], weights[:, ::-1])
    assert turned == pytest.approx(profiles(CODES, weights), abs=1e-6)
    assert profiles(CODES[:, ::-1], weights[:, ::-1]) != pytest.approx(turned, abs=1e-2)


def test_only_what_has_weight_counts_and_a_shift_does_not() -> None:
    codes, weights = CODES.copy(), np.zeros(CODES.shape)
    for row, start in enumerate((0, 5, 11, 17, 20, 23)):
        codes[row, start : start + 7] = encode("GATTACA")
        weights[row, start : start + 7] = 1
    found = profiles(codes, weights)
    assert found == pytest.approx(np.tile(found[0], (6, 1)), abs=1e-6)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert (found[0] > 0).sum() == 35  # four of seven letters: every choice is a word of some pattern


def test_letters_that_are_unknown_and_sequences_too_short_count_for_nothing() -> None:
    codes = np.full((1, 30), UNKNOWN, np.uint8)
    assert not profiles(codes, np.zeros((1, 30))).any()
    assert not profiles(np.zeros((1, 3), np.uint8), np.ones((1, 3))).any()
    assert not profiles(CODES, -np.ones(CODES.shape)).any()
