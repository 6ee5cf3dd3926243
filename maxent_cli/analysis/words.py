"""Words that draws hold more often than their background makes them: two triplets, next to each other or apart."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN
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

    @property
    def columns(self) -> NDArray[np.intp]:
        """Where its letters stand (6,), from its first on."""
        return np.asarray(np.r_[0:3, 3 + self.spacer : 6 + self.spacer])


def enriched_words(letters: Letters) -> list[Word]:
    """The word of each spacer, on either strand, that stands out most from the background; the most informative first.

    The error of a count is that over chains, and no less than Poisson's times the spread that words have in general.
    """
    counts, whole = _counted(letters)
    rows = letters.background
    chances = np.einsum("la,lb,lc->labc", rows[:-2], rows[1:-1], rows[2:]).reshape(-1, TRIPLETS)
    found = [
        word
        for spacer in _spacers(letters)
        for word in _standing_out(counts[spacer], _expected(whole[spacer], chances, 3 + spacer), spacer)
    ]
    return sorted(found, key=lambda word: -_telling(word.count, word.expected))


def missing_words(letters: Letters, background: Letters) -> list[Word]:
    """The word of each spacer that draws hold least often beside as many background draws; the most telling first.

    Only those whose count falls short of the background's by half a bit more than words do in general.
    """
    (seen, _), (expected, _) = (_counted(one) for one in (letters, background))
    found = [word for spacer in _spacers(letters) for word in _missing(seen[spacer], expected[spacer], spacer)]
    return sorted(found, key=lambda word: -_telling(word.expected, word.count))


def _missing(seen: Floats, expected: Floats, spacer: int) -> list[Word]:
    """The word whose counts by chain (C, K) fall most short of those expected; none where that may be chance."""
    total, wanted = seen.sum(axis=0), expected.sum(axis=0)
    wanted = wanted * min(1.0, float(np.median((total + 1) / (wanted + 1))))
    errors = _errors(seen - expected, total + wanted + 1)
    rows = np.flatnonzero((wanted - total >= MISSED * errors) & (total < MISSING * wanted))
    rows = rows[np.argsort(-_telling(wanted[rows], total[rows]), kind="stable")][:1]
    words, _ = _of_both_strands()
    return [Word(_decoded(int(words[row])), spacer, float(total[row]), float(wanted[row])) for row in rows]


def _standing_out(counts: Floats, expected: Floats, spacer: int) -> list[Word]:
    total, errors = counts.sum(axis=0), _errors(counts, expected + 1)
    rows = np.flatnonzero(total - expected >= ERRORS * errors)
    rows = rows[np.argsort(-_telling(total[rows], expected[rows]), kind="stable")][:1]
    words, _ = _of_both_strands()
    return [Word(_decoded(int(words[row])), spacer, float(total[row]), float(expected[row])) for row in rows]


def _telling(count: Any, expected: Any) -> Any:
    """How much more than expected, in nats; an expectation below a half counts as that."""
    return count * np.log(np.maximum(count, 0.5) / np.maximum(expected, 0.5))


def _spacers(letters: Letters) -> range:
    """Those that a word of the draws can have."""
    return SPACERS[: max(letters.codes.shape[1] - 5, 0)]


def _counted(letters: Letters) -> tuple[Floats, Floats]:
    """Counts (S, C, K) of words by spacer and chain, either strand, and of windows (S, L) that are known, by start."""
    words, number = _of_both_strands()
    counts = np.zeros((len(SPACERS), letters.chains, len(words)))
    whole = np.zeros((len(SPACERS), letters.codes.shape[1]))
    _count(letters.codes, letters.hidden, number.ravel(), counts, whole)
    return counts, whole


def _expected(whole: Floats, chances: Floats, apart: int) -> Floats:
    """Counts (K,) that independent letters would give in the windows (L,) whose letters are known and not masked."""
    words, number = _of_both_strands()
    counts = (chances[:-apart] * whole[: len(chances) - apart, None]).T @ chances[apart:]
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


@njit(cache=True, nogil=True)
def _count(codes, hidden, number, counts, whole):  # type: ignore[no-untyped-def]
    """Add to counts (S, C, K) of words, and to whole windows (S, L); a chain after another."""
    draws, starts = len(codes) // counts.shape[1], max(codes.shape[1] - 2, 0)
    triplets, pairs = np.empty((draws, starts), np.int64), np.empty(len(number), np.int64)
    for chain in range(counts.shape[1]):
        for draw in range(draws):
            _number_triplets(codes[chain * draws + draw], triplets[draw])
            if len(hidden):
                for position in np.flatnonzero(hidden[chain * draws + draw]):
                    triplets[draw, max(position - 2, 0) : position + 1] = TRIPLETS
        known = triplets < TRIPLETS
        for spacer in range(len(counts)):
            pairs[:] = 0
            apart = spacer + 3
            for draw in range(draws):
                for start in range(starts - apart):
                    pairs[triplets[draw, start] * (TRIPLETS + 1) + triplets[draw, start + apart]] += 1
                for start in range(starts - apart):  # by itself: many at once
                    whole[spacer, start] += known[draw, start] & known[draw, start + apart]
            for pair in range(len(number)):
                if number[pair] < counts.shape[2]:
                    counts[spacer, chain, number[pair]] += pairs[pair]


@njit(cache=True, nogil=True)
def _number_triplets(codes, triplets):  # type: ignore[no-untyped-def]
    """Fill in the number (L - 2,) of the triplet at each position, 64 where a letter is unknown."""
    for start in range(len(triplets)):
        first, second, third = codes[start], codes[start + 1], codes[start + 2]
        known = max(first, second, third) < UNKNOWN
        triplets[start] = first * 16 + second * 4 + third if known else TRIPLETS


@njit(cache=True, nogil=True)
def _errors(counts, poisson):  # type: ignore[no-untyped-def]
    """Errors (K,) of sums over counts by chain (C, K): by their spread, but no less than usual beside Poisson's."""
    chains, sums, spread = len(counts), np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    for chain in range(chains):
        sums += counts[chain]
    for chain in range(chains):
        spread += (counts[chain] - sums / chains) ** 2
    spread *= chains / (chains - 1) if chains > 1 else np.nan
    usual = max(1.0, np.median(spread / poisson))
    return np.sqrt(np.maximum(spread, usual * poisson))
