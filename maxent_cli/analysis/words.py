"""Words that draws hold more often than their background makes them: two triplets, next to each other or apart."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.sites import Letters
from maxent_cli.data import Floats

SPACERS = range(11)  # bp between the two triplets
TRIPLETS = 64
ERRORS = 6.0  # least excess in its errors: about 25,000 words are looked at
MISSED, MISSING = 5.0, 0.7  # the same of what falls short of draws of the background; a word half a bit short of them


@dataclass(frozen=True)
class Word:
    """Six letters (6,) with a spacer after the third; how often the draws hold it, and are expected to."""

    letters: NDArray[np.intp]
    spacer: int
    count: float
    expected: float


def enriched_words(letters: Letters) -> list[Word]:
    """The word of each spacer, on either strand, that stands out most from the background; the most informative first.

    The error of a count is that over chains, and no less than Poisson's times the spread that words have in general.
    """
    triplets = _triplets(letters)
    rows = letters.background
    chances = np.einsum("la,lb,lc->labc", rows[:-2], rows[1:-1], rows[2:]).reshape(-1, TRIPLETS)
    found = list[Word]()
    for spacer in SPACERS:
        if triplets.shape[1] > 3 + spacer:
            counts = _counts(triplets, letters.chains, 3 + spacer)
            found += _standing_out(counts, _expected(triplets, chances, 3 + spacer), spacer)
    return sorted(found, key=lambda word: -_telling(word.count, word.expected))


def missing_words(letters: Letters, background: Letters) -> list[Word]:
    """The word of each spacer that draws hold least often beside as many background draws; the most telling first.

    Only those whose count falls short of the background's by half a bit more than words do in general.
    """
    sides, found = [_triplets(one) for one in (letters, background)], list[Word]()
    for spacer in SPACERS:
        if sides[0].shape[1] > 3 + spacer:
            seen, expected = (_counts(one, letters.chains, 3 + spacer) for one in sides)
            found += _missing(seen, expected, spacer)
    return sorted(found, key=lambda word: -_telling(word.expected, word.count))


def _missing(seen: Floats, expected: Floats, spacer: int) -> list[Word]:
    """The word whose counts by chain (C, K) fall most short of those expected; none where that may be chance."""
    total, wanted, chains = seen.sum(axis=0), expected.sum(axis=0), len(seen)
    wanted = wanted * min(1.0, float(np.median((total + 1) / (wanted + 1))))
    spread = (seen - expected).var(axis=0, ddof=1) * chains
    usual = max(1.0, float(np.median(spread / (total + wanted + 1))))
    errors = np.sqrt(np.maximum(spread, usual * (total + wanted + 1)))
    rows = np.flatnonzero((wanted - total >= MISSED * errors) & (total < MISSING * wanted))
    rows = rows[np.argsort(-_telling(wanted[rows], total[rows]), kind="stable")][:1]
    words, _ = _of_both_strands()
    return [Word(_decoded(int(words[row])), spacer, float(total[row]), float(wanted[row])) for row in rows]


def _standing_out(counts: Floats, expected: Floats, spacer: int) -> list[Word]:
    total, chains = counts.sum(axis=0), len(counts)
    spread = counts.var(axis=0, ddof=1) * chains
    usual = max(1.0, float(np.median(spread / (expected + 1))))
    errors = np.sqrt(np.maximum(spread, usual * (expected + 1)))
    rows = np.flatnonzero(total - expected >= ERRORS * errors)
    rows = rows[np.argsort(-_telling(total[rows], expected[rows]), kind="stable")][:1]
    words, _ = _of_both_strands()
    return [Word(_decoded(int(words[row])), spacer, float(total[row]), float(expected[row])) for row in rows]


def _telling(count: Any, expected: Any) -> Any:
    """How much more than expected, in nats; an expectation below a half counts as that."""
    return count * np.log(np.maximum(count, 0.5) / np.maximum(expected, 0.5))


def _triplets(letters: Letters) -> NDArray[np.intp]:
    """The number (N, L - 2) of the triplet at each position, 64 where a letter is unknown or masked."""
    codes = letters.codes.astype(np.intp)
    good = codes < 4 if letters.masked is None else (codes < 4) & ~letters.masked
    number = codes[:, :-2] * 16 + codes[:, 1:-1] * 4 + codes[:, 2:]
    return np.where(good[:, :-2] & good[:, 1:-1] & good[:, 2:], number, TRIPLETS)


def _counts(triplets: NDArray[np.intp], chains: int, apart: int) -> Floats:
    """Counts (C, K) of the words of a first and a second triplet, either strand."""
    words, number = _of_both_strands()
    pairs = triplets[:, :-apart] * len(number) + triplets[:, apart:]
    found = np.take(number, pairs).reshape(chains, -1)
    return np.stack([np.bincount(row, minlength=len(words) + 1)[:-1] for row in found]).astype(np.float64)


def _expected(triplets: NDArray[np.intp], chances: Floats, apart: int) -> Floats:
    """Counts (K,) that independent letters would give in the windows whose letters are known and not masked."""
    words, number = _of_both_strands()
    known = triplets < TRIPLETS
    whole = (known[:, :-apart] & known[:, apart:]).sum(axis=0)
    counts = (chances[:-apart] * whole[:, None]).T @ chances[apart:]
    return np.bincount(number[:-1, :-1].ravel(), counts.ravel(), len(words)).astype(np.float64)


@cache
def _of_both_strands() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Words (K,), each for its reverse complement too; which of them two triplets (65, 65) are, K if none."""
    triplet, turned = np.arange(TRIPLETS), _reverse_complements()
    least = np.minimum(triplet[:, None] * TRIPLETS + triplet, turned[None, :] * TRIPLETS + turned[:, None])
    words, number = np.unique(least, return_inverse=True)
    return words, np.pad(number.reshape(least.shape), (0, 1), constant_values=len(words))


def _reverse_complements() -> NDArray[np.intp]:
    number = np.arange(TRIPLETS)
    return (3 - number % 4) * 16 + (3 - number // 4 % 4) * 4 + (3 - number // 16)


def _decoded(number: int) -> NDArray[np.intp]:
    return number // 4 ** np.arange(5, -1, -1) % 4
