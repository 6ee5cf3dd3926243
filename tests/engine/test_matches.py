"""The field on matches, against strings that are searched letter by letter."""

import numpy as np
import pytest
import torch

from maxent_cli.alphabet import decode
from maxent_cli.engine.matches import MatchField, match_change, no_field


def field_on(*words: str, strength: float = 0.7) -> MatchField:
    """Words of one length, N for any letter."""
    matrices = [[[int(letter in (word_letter, "N")) if word_letter != "N" else 1 for letter in "ACGTX"]
                 for word_letter in word] for word in words]  # fmt: skip
    return MatchField(strength, np.array(matrices, np.int32), np.full(len(words), len(words[0]), np.int32))


def slow(codes: np.ndarray, *words: str) -> int:
    letters, width = decode(codes), len(words[0])
    windows = [letters[at : at + width] for at in range(len(letters) - width + 1)]
    return sum(
        all(wanted in (letter, "N") for wanted, letter in zip(word, window, strict=True))
        for word in words
        for window in windows
    )


WORDS = [("CG",), ("AA",), ("GAT", "ATC"), ("ANT",), ("ACGTACG",)]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: "/".join(words))
def test_matches_are_counted_as_in_strings(words: tuple[str, ...]) -> None:
    codes = np.random.default_rng(1).integers(0, 5, (4, 6, 12), np.uint8)
    found = field_on(*words)(torch.from_numpy(codes))
    expected = [[0.7 * slow(row, *words) for row in rows] for rows in codes]
    np.testing.assert_allclose(found.numpy(), expected)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: "/".join(words))
def test_a_change_is_the_difference_of_counts(words: tuple[str, ...]) -> None:
    chance, field = np.random.default_rng(2), field_on(*words)
    for _ in range(200):
        x, other = chance.integers(0, 4, (2, 14), np.uint8)
        first, last = np.sort(chance.choice(15, 2, replace=False))
        after = x.copy()
        after[first:last] = other[first:last]
        expected = 0.7 * (slow(after, *words) - slow(x, *words))
        assert match_change(field, x, other, first, last) == pytest.approx(expected)


def test_words_longer_than_the_sequence_and_no_field_count_nothing() -> None:
    codes = torch.zeros(2, 3, dtype=torch.uint8)
    assert no_field()(codes).tolist() == [0, 0]
    assert match_change(field_on("AAAA"), codes[0].numpy(), codes[1].numpy(), 0, 3) == 0
    assert field_on("AAAA")(codes).tolist() == [0, 0]
