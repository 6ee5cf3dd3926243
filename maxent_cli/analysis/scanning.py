"""Places of a motif in draws: log odds of all, or those that stand out with what all of a draw's come to; compiled."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.analysis.sites import WORD, Letters, Sites
from maxent_cli.data import Floats

FAINTEST = -20.0  # bits: places that are less likely make no difference to what a draw's come to
MOST_ODDS = 60.0  # bits that a place counts for
AT_FIRST = 1024  # places that there is room for


@dataclass(frozen=True)
class Peaks:
    """What draws hold of a motif: the best log odds (N,) and the summed odds (N,) of each draw, and some sites.

    places: how many each draw has, both strands together.
    """

    best: Floats
    total: Floats
    sites: Sites
    places: int


def scan(letters: Letters, weights: Floats) -> NDArray[np.float32]:
    """Log odds in bits (2, N, P) of a motif's sites at each of P starts, plus and minus strand.

    weights (W, 4) are log2 r. P = 0 where the motif is longer than the draws. No site holds a masked letter.
    """
    shifts, tables = _by_word(letters, weights)
    scores = np.empty((2, len(letters.codes), len(shifts)), np.float32)
    _scan(letters.words, letters.hidden, shifts, tables, len(weights), scores)
    return scores


def peaks(letters: Letters, weights: Floats, least: float = FAINTEST, share: float = np.inf) -> Peaks:
    """The best and the summed odds of draws, and the sites that are such a share of their draw's odds; by default none.

    weights (W, 4) are log2 r. Places below the least log odds are not looked at.
    """
    shifts, tables = _by_word(letters, weights)
    best, total = np.empty((2, len(letters.codes)))
    found = _peaks(letters.words, letters.hidden, shifts, tables, len(weights), least, share, best, total)
    draw, strand, start, odds = found
    return Peaks(best, total, Sites(draw, start, strand, np.zeros_like(draw), odds, np.ones(len(draw))), shifts.size)


def _by_word(letters: Letters, weights: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What places begin with (P, 2), by strand, and the summed weights (K, 5^5, 2) of words on five columns each.

    Places begin with the log odds of what the background itself makes there, from its mean r, negative. Strands stand
    side by side, so that a word is looked up once for both.
    """
    width, length = len(weights), letters.codes.shape[1]
    shifts = np.zeros((max(length - width + 1, 0), 2), np.float32)
    tables = np.zeros((-(-width // WORD) if shifts.size else 1, 5**WORD, 2), np.float32)
    if shifts.size:
        _fill(np.stack([weights, weights[::-1, ::-1]]), letters.background, shifts, tables)
    return shifts, tables


@njit(cache=True, nogil=True)
def _fill(weights, background, shifts, tables):  # type: ignore[no-untyped-def]
    """Fill in shifts (P, 2) and tables (K, 5^5, 2), of weights (2, W, 4); letters other than four weigh 0."""
    for strand in range(2):
        ratio = np.exp2(weights[strand])
        for start in range(len(shifts)):
            made = 1.0
            for column in range(len(ratio)):
                share = 0.0
                for letter in range(4):
                    share += background[start + column, letter] * ratio[column, letter]
                made *= share if share > 0 else 1.0
            shifts[start, strand] = -np.log2(made)
        for number in range(len(tables)):
            _sum_words(weights[strand, WORD * number : WORD * (number + 1)], tables[number, :, strand])


@njit(cache=True, nogil=True)
def _sum_words(weights, sums):  # type: ignore[no-untyped-def]
    """Fill in the sums (5^5,), 0 so far, of weights (W, 4) of five columns at most, a letter at a time."""
    words = 1
    for column in range(WORD):
        for word in range(words - 1, -1, -1):
            before = sums[word]
            for letter in range(4, -1, -1):
                known = letter < 4 and column < len(weights)
                sums[5 * word + letter] = before + (weights[column, letter] if known else 0.0)
        words *= 5


@njit(cache=True, nogil=True)
def _scan(words, hidden, shifts, tables, width, scores):  # type: ignore[no-untyped-def]
    """Fill in log odds (2, N, P)."""
    own = np.empty_like(shifts)
    for draw in range(len(words)):
        _score(words[draw], shifts, tables, own)
        if len(hidden):
            _hide(hidden[draw], width, own)
        for strand in range(2):
            scores[strand, draw] = own[:, strand]


@njit(cache=True, nogil=True)
def _peaks(words, hidden, shifts, tables, width, least, share, best, total):  # type: ignore[no-untyped-def]
    """Fill in the best log odds and the summed odds of draws (N,); give draw, strand, start and log odds of sites."""
    places, found = shifts.size, 0
    scores, seen, odds = np.empty_like(shifts), np.empty(places + 1, np.int64), np.empty(places)
    keys, log_odds = np.empty(AT_FIRST + places, np.int64), np.empty(AT_FIRST + places)
    for draw in range(len(words)):
        if found + places > len(keys):
            keys, log_odds = _longer(keys), _longer(log_odds)
        _score(words[draw], shifts, tables, scores)
        if len(hidden):
            _hide(hidden[draw], width, scores)
        best[draw], total[draw], count = _odds(scores.ravel(), least, seen, odds)
        for row in range(count):
            if odds[row] >= share * total[draw]:
                keys[found], log_odds[found] = draw * places + seen[row], scores.ravel()[seen[row]]
                found += 1
    keys, across = keys[:found], max(len(shifts), 1)
    return keys // (2 * across), keys % 2, keys // 2 % across, log_odds[:found]


@njit(cache=True, nogil=True)
def _odds(scores, least, seen, odds):  # type: ignore[no-untyped-def]
    """Fill in which places (P,) have the least log odds, and their odds; give the best, the sum and the number."""
    best, total, count = -np.inf, 0.0, 0
    for place in range(len(scores)):  # without a branch, which would be foreseen wrongly too often
        seen[count] = place
        count += scores[place] >= least
    for row in range(count):
        score = scores[seen[row]]
        odds[row] = np.exp2(min(score, MOST_ODDS))
        best, total = max(best, score), total + odds[row]
    return best, total, count


@njit(cache=True, nogil=True)
def _score(words, shifts, tables, scores):  # type: ignore[no-untyped-def]
    """Fill in the log odds (P, 2) of one draw's places."""
    for start in range(len(shifts)):
        plus, minus = shifts[start, 0], shifts[start, 1]
        for number in range(len(tables)):
            word = words[start + WORD * number]
            plus += tables[number, word, 0]
            minus += tables[number, word, 1]
        scores[start, 0], scores[start, 1] = plus, minus


@njit(cache=True, nogil=True)
def _hide(hidden, width, scores):  # type: ignore[no-untyped-def]
    """Let no window of one draw hold a hidden letter (L,)."""
    for position in np.flatnonzero(hidden):
        scores[max(position - width + 1, 0) : position + 1] = -np.inf


@njit(cache=True, nogil=True)
def _longer(values):  # type: ignore[no-untyped-def]
    """The values with as much room again."""
    return np.concatenate((values, np.empty_like(values)))
