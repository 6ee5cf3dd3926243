"""Sequences as the words that they have, with gaps and on either strand, each letter counted by a weight of its own."""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats

LETTERS, SPAN = 4, 7  # of a word, and with its gaps, bp
_KINDS = 4**LETTERS  # of one pattern


@cache
def patterns() -> tuple[tuple[int, ...], ...]:
    """The offsets of a word's letters from the first, every way that they can lie within the span."""
    return tuple((0, *rest) for rest in combinations(range(1, SPAN), LETTERS - 1))


@cache
def _families() -> tuple[tuple[int, ...], ...]:
    """Those of them that are not another one read on the other strand."""
    return tuple(sorted({min(pattern, _turned(pattern)) for pattern in patterns()}))


def count_of_words() -> int:
    """How many words there are, W."""
    return int(_KINDS * len(_families()))


def profiles(codes: Codes, weights: Floats) -> NDArray[np.float32]:
    """Words (N, W) of sequences (N, L) on either strand, each occurrence worth its letters' geometric mean weight.

    weights (N, L): those below 0 count as 0, as must those of unknown letters. Rows have length 1, or 0 where no word
    is worth anything.
    """
    worth = np.maximum(weights, 0)
    found = np.zeros((len(codes), count_of_words()))
    for pattern in patterns():
        if pattern[-1] < codes.shape[1]:
            _add(found, codes, worth, pattern)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _add(found: Floats, codes: Codes, worth: Floats, pattern: tuple[int, ...]) -> None:
    """Add the words of a pattern to all (N, W)."""
    places = codes.shape[1] - pattern[-1]
    letters = [np.minimum(codes[:, offset : offset + places], 3).astype(np.int64) for offset in pattern]
    forward = sum(letter * 4 ** (LETTERS - 1 - rank) for rank, letter in enumerate(letters))
    reverse = sum((3 - letter) * 4**rank for rank, letter in enumerate(letters))
    turned = _turned(pattern)
    words = np.minimum(forward, reverse) if pattern == turned else forward if pattern < turned else reverse
    columns = words + _KINDS * _families().index(min(pattern, turned))
    each = np.prod([worth[:, offset : offset + places] for offset in pattern], axis=0) ** (1 / LETTERS)
    rows = found.shape[1] * np.arange(len(codes))[:, None]
    found += np.bincount((rows + columns).ravel(), each.ravel(), found.size).reshape(found.shape)


def _turned(pattern: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(pattern[-1] - offset for offset in reversed(pattern))
