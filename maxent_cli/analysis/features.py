"""What a probe counts: one table of features, each with what independent letters make of its count.

N(x) is the number of windows whose scores sum to a threshold or more: whole numbers, so that the sampler's mu and
this room count alike. Adding a feature is a function and a line in FEATURES.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from maxent_cli.analysis.motifs import score_law
from maxent_cli.analysis.periodicity import letter_class
from maxent_cli.data import Floats, Motif

Ints = NDArray[np.int64]
Places = NDArray[np.bool_]

MOST_STATES = 500  # of the automaton that reads words; beyond, independent letters are drawn
DRAWN = 4000  # sequences of independent letters, for motifs
SCALE = 100  # a motif's scores are hundredths of a bit
NEVER = -(10**6)  # score of an unknown letter


@dataclass(frozen=True)
class Feature:
    """A count N: matrices (M, W, 5), thresholds (M,) of windows of W letters, each matrix counting by itself.

    label says what is counted; share: numbers are given as shares of the places, not as numbers. moments: mean and
    variance (B,) of N for independent letters with frequencies rows (B, L, 5), at places (P,), under a mu.
    """

    label: str
    share: bool
    matrices: NDArray[np.int32]
    thresholds: NDArray[np.int32]
    moments: Callable[["Feature", Floats, Places, float], tuple[Floats, Floats]]

    @property
    def width(self) -> int:
        """Letters of a window."""
        return int(self.matrices.shape[1])

    def matches(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """How many matrices match at each place: codes (..., L) to (..., P = L - W + 1)."""
        number = max(codes.shape[-1] - self.width + 1, 0)
        found = np.zeros((*codes.shape[:-1], number), np.int64)
        for matrix, threshold in zip(self.matrices, self.thresholds, strict=True):
            score = np.zeros(found.shape, np.int32)
            for column in range(self.width if number else 0):
                score += matrix[column][codes[..., column : column + number]]
            found += score >= threshold
        return found

    def count(self, codes: NDArray[np.uint8], places: Places) -> Ints:
        """N (...) of codes (..., L) over places (P,)."""
        return np.asarray(self.matches(codes)[..., places].sum(axis=-1))

    def places(self, mutable: Places, all_of: bool = False) -> Places:
        """Windows (P,) with a letter that may change, or of which all letters are among the given (L,)."""
        if len(mutable) < self.width:
            return np.zeros(0, np.bool_)
        windows = np.lib.stride_tricks.sliding_window_view(mutable, self.width)
        return np.asarray(windows.all(axis=-1) if all_of else windows.any(axis=-1))


def gc() -> Feature:
    """The number of G and C."""
    matrix = np.array([[[0, 1, 1, 0, 0]]], np.int32)
    return Feature("G and C", True, matrix, np.array([1], np.int32), closed_form)


def word(text: str) -> Feature:
    """Words of one length joined by '/', in IUPAC's letters, each counted on the strand as it reads.

    Raises ValueError.
    """
    matrices = np.array(letter_class(text), np.int32)
    feature = Feature(
        text.upper(), False, matrices, np.full(len(matrices), matrices.shape[1], np.int32), transfer_matrix
    )
    try:
        automaton(feature)
    except OverflowError:
        return Feature(feature.label, False, feature.matrices, feature.thresholds, sampled)
    return feature


def motif(given: Motif, background: tuple[float, ...], rarity: float) -> Feature:
    """Matches of a motif on both strands: log odds that a place of the background (4,) reaches with this probability.

    Raises ValueError where even its best match is commoner than that.
    """
    q = np.array(background)
    scores = np.rint(SCALE * given.log_odds(q)).astype(np.int32)
    threshold = _threshold(scores, q, rarity)
    plus = np.hstack([scores, np.full((len(scores), 1), NEVER, np.int32)])
    minus = np.hstack([scores[::-1, ::-1], np.full((len(scores), 1), NEVER, np.int32)])
    label = f"{given.name} (p up to {rarity:g})"
    return Feature(label, False, np.stack([plus, minus]), np.full(2, threshold, np.int32), sampled)


# name -> what makes the feature of the text behind 'name:'; motif is read from a file and takes more than a text
FEATURES: dict[str, Callable[..., Feature]] = {
    "gc": gc,
    "cpg": lambda: word("CG"),
    "kmer": word,
    "motif": motif,
}


def closed_form(feature: Feature, rows: Floats, places: Places, mu: float) -> tuple[Floats, Floats]:
    """Moments of GC: each position answers g·e^Δ / (g·e^Δ + 1 - g), where g = q(C) + q(G) of its row."""
    assert feature.width == 1
    share = rows[:, places, 1:3].sum(axis=-1)
    with np.errstate(divide="ignore"):
        answer = expit(np.log(share) - np.log1p(-np.minimum(share, 1)) + mu)
    return answer.sum(axis=1), (answer * (1 - answer)).sum(axis=1)


def transfer_matrix(feature: Feature, rows: Floats, places: Places, mu: float) -> tuple[Floats, Floats]:
    """Moments of a word's count, exact: letters are read one by one, by which beginnings of words stand at the end.

    What is carried is the weight of each state, and its sums of N and N².
    """
    step, matched = automaton(feature)
    after = np.eye(len(step))[step]  # (S, 5, S)
    weight = np.zeros((3, len(rows), len(step)))
    weight[0, :, 0] = 1
    counted = np.concatenate([np.zeros(feature.width - 1, bool), places])
    for position in range(rows.shape[1]):
        new = np.zeros_like(weight)
        for letter in range(5):
            number = matched[:, letter] * counted[position]
            zeroth, first, second = weight * rows[None, :, position, letter, None] * np.exp(mu * number)
            moved = np.stack([zeroth, first + number * zeroth, second + 2 * number * first + number**2 * zeroth])
            new += moved @ after[:, letter]
        weight = new / new[0].sum(axis=-1)[None, :, None]
    _, mean, square = weight.sum(axis=-1)
    return mean, square - mean**2


def sampled(feature: Feature, rows: Floats, places: Places, mu: float) -> tuple[Floats, Floats]:
    """Moments from sequences drawn with independent letters, weighed by exp(mu·N); the same numbers for all rows."""
    uniform = np.random.default_rng(0).random((DRAWN, rows.shape[1], 1))
    means, variances = np.zeros((2, len(rows)))
    for row, frequencies in enumerate(rows):
        codes = (uniform >= np.cumsum(frequencies, axis=1)[:, :4]).sum(axis=-1).astype(np.uint8)
        number = feature.count(codes, places)
        weight = np.exp(mu * (number - number.max() if mu > 0 else number))
        weight /= weight.sum()
        means[row] = weight @ number
        variances[row] = weight @ number**2 - means[row] ** 2
    return means, variances


def automaton(feature: Feature) -> tuple[NDArray[np.intp], Ints]:
    """States of a reader of words: the state after each letter (S, 5), and how many words end with it (S, 5).
    Raises OverflowError beyond MOST_STATES.
    """
    return read_words(list(feature.matrices > 0), MOST_STATES)


def read_words(words: Sequence[NDArray[np.bool_]], most: int) -> tuple[NDArray[np.intp], Ints]:
    """The same for words (W, 5) of any lengths, each a position's letters, unknown ones last.

    A state is the set of beginnings of words that the letters read end with. Raises OverflowError beyond so many.
    """
    states, step, matched = {frozenset[tuple[int, int]](): 0}, list[list[int]](), list[list[int]]()
    waiting = list(states)
    for state in waiting:  # grows while it is read
        begun = [*state, *((m, 0) for m in range(len(words)))]
        grown = [[(m, k + 1) for m, k in begun if words[m][k, letter]] for letter in range(5)]
        after = [frozenset(one for one in each if one[1] < len(words[one[0]])) for each in grown]
        for new in sorted(set(after) - states.keys(), key=sorted):
            states[new] = len(states)
            waiting.append(new)
        if len(states) > most:
            raise OverflowError
        step.append([states[one] for one in after])
        matched.append([sum(k == len(words[m]) for m, k in each) for each in grown])
    return np.array(step), np.array(matched)


def _threshold(scores: NDArray[np.int32], background: Floats, rarity: float) -> int:
    """The least sum of scores (W, 4) that independent letters reach with no more than a probability."""
    lowest, law = score_law(scores, background)
    tail = np.cumsum(law[::-1])[::-1]
    reached = np.flatnonzero((tail <= rarity) & (tail > 0) & (np.arange(len(tail)) < np.flatnonzero(law > 0)[-1] + 1))
    if not len(reached):
        raise ValueError(f"its best match is commoner than {rarity:g} a place")
    return lowest + int(reached[0])
