"""Counts of words by compiled code against a plain formulation, a window at a time."""

from collections import Counter

import numpy as np
import pytest

from maxent_cli.alphabet import reverse_complement
from maxent_cli.analysis.sites import Letters
from maxent_cli.analysis.words import SPACERS, enriched_words, missing_words

CHAINS, DRAWS, LENGTH = 4, 60, 20
WORD = np.array([0, 1, 1, 3, 0, 2])  # ACC TAG


def letters_with(kind, spacer):
    """Random draws, half of them with a word at a spacer; unknown letters or masks beside."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (CHAINS * DRAWS, LENGTH)).astype(np.uint8)
    for draw in range(0, len(codes), 2):
        at = rng.integers(0, LENGTH - spacer - 5)
        codes[draw, at + np.r_[0:3, 3 + spacer : 6 + spacer]] = WORD
    codes[rng.random(codes.shape) < (0.05 if kind == "unknown" else 0)] = 4
    masked = rng.random(codes.shape) < 0.05 if kind == "masked" else None
    return Letters(codes, np.full((LENGTH, 4), 0.25), CHAINS, masked)


def plain_counts(letters, spacer):
    """How often each word stands there, either strand, and how many windows are whole."""
    columns, counts = np.r_[0:3, 3 + spacer : 6 + spacer], Counter()
    for draw in range(len(letters.codes)):
        for start in range(LENGTH - spacer - 5):
            read = letters.codes[draw, start + columns]
            hidden = letters.masked is not None and letters.masked[draw, start + columns].any()
            if read.max() < 4 and not hidden:
                counts[min(tuple(read.tolist()), tuple(reverse_complement(read).tolist()))] += 1
    return counts


@pytest.mark.parametrize("kind", ["plain", "unknown", "masked"])
@pytest.mark.parametrize("spacer", [0, 4, max(SPACERS)])
def test_words_are_counted_window_by_window(kind, spacer):
    letters = letters_with(kind, spacer)
    counts = plain_counts(letters, spacer)
    (found,) = [word for word in enriched_words(letters) if word.spacer == spacer]
    assert found.letters.tolist() in (WORD.tolist(), reverse_complement(WORD.astype(np.uint8)).tolist())
    assert found.count == counts[tuple(found.letters.tolist())] == max(counts.values())
    assert found.expected == pytest.approx(2 * counts.total() / 4**6)


def test_missing_words_are_those_that_the_background_has():
    letters = letters_with("plain", 2)
    rest = Letters(
        np.random.default_rng(2).integers(0, 4, letters.codes.shape).astype(np.uint8), letters.background, CHAINS
    )
    found = missing_words(rest, letters)
    assert found[0].spacer == 2
    assert found[0].letters.tolist() in (WORD.tolist(), reverse_complement(WORD.astype(np.uint8)).tolist())


@pytest.mark.parametrize("length", [5, 6, 7])
def test_words_need_room(length):
    few = Letters(np.zeros((8, length), np.uint8), np.full((length, 4), 0.25), 2)
    assert [word.spacer for word in enriched_words(few)] in ([], [0], [0, 1])
