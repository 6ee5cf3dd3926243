"""Which sequences a law may give at all: words that are nowhere in them, and bounds on their number of G and C.

Words are read by an automaton: letter by letter, it knows which beginnings of words the letters so far end with. The
same automaton says whether a proposal stays inside, and how likely background letters do, from each state on: so the
support's share of the background is exact, an empty one is known to be empty, and starts are exact draws.
"""

from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.engine.placed import placed
from maxent_cli.engine.randomness import START_STEP, Keys, philox, uniform

UNBOUNDED = 2**31 - 1  # of the number of G and C


class Support(NamedTuple):
    """A constraint (Target.constraints): 0 for sequences inside, -inf for all others.

    after (S + 1, 5): the automaton's state after each letter; state 0 has read nothing, the last one a forbidden word,
    and stays. width: letters of the longest word. least, most: number of G and C in the whole sequence.
    """

    after: NDArray[np.int64]
    width: int
    least: int = 0
    most: int = UNBOUNDED

    def __call__(self, codes: Tensor) -> Tensor:
        """Log-weights (...) of codes (..., L)."""
        after = placed(self.after, codes.device)
        padded = functional.pad(codes, (0, self.width - 1), value=UNKNOWN)  # every word lies in a window from its start
        windows = padded.unfold(-1, self.width, 1).long()
        state = torch.zeros(codes.shape, dtype=torch.int64, device=codes.device)
        for column in range(self.width):
            state = after[state, windows[..., column]]
        content = ((codes == 1) | (codes == 2)).sum(-1)
        inside = (state < len(self.after) - 1).all(-1) & (content >= self.least) & (content <= self.most)
        return torch.where(inside, 0.0, -torch.inf).double()

    @property
    def counts(self) -> bool:
        """Whether the number of G and C is bounded."""
        return self.least > 0 or self.most < UNBOUNDED


def no_support() -> Support:
    """All sequences."""
    return Support(np.array([[0] * 5, [1] * 5]), 1)


@njit(cache=True)
def stays_inside(support, x, proposed, first, last):  # type: ignore[no-untyped-def]
    """Whether x (L,), which is inside, still is where proposed (L,) takes its place in [first, last)."""
    if len(support.after) > 2:
        state = 0
        for p in range(max(first - support.width + 1, 0), min(last + support.width - 1, len(x))):
            state = support.after[state, proposed[p] if first <= p < last else x[p]]
        if state == len(support.after) - 1:
            return False
    if support.least == 0 and support.most >= len(x):
        return True
    count = 0
    for p in range(first, last):
        count += (proposed[p] == 1 or proposed[p] == 2) - (x[p] == 1 or x[p] == 2)
    if count == 0:
        return True
    for p in range(len(x)):
        count += x[p] == 1 or x[p] == 2
    return support.least <= count <= support.most


class Inside(NamedTuple):
    """A background on its support: what share of it that is, and how it goes on from anywhere.

    log_share: natural logarithm of the probability that background letters are inside; -inf: none are. rows (L, 5):
    each position's letters, those that stay with certainty. ahead (L + 1, S + 1, G): probability, up to a factor a
    position, that from a state and a number of G and C on, all that follows stays inside.
    """

    support: Support
    rows: NDArray[np.float64]
    ahead: NDArray[np.float64]
    log_share: float


def inside(support: Support, background: NDArray[np.float64], codes: Codes, mutable: NDArray[np.bool_]) -> Inside:
    """Background rows (L, 4) on their support, where codes (L,) stay but for what is mutable (L,)."""
    length, states = len(codes), len(support.after)
    rows = np.zeros((length, 5))
    rows[np.arange(length), codes] = 1.0
    rows[mutable] = np.hstack([background, np.zeros((length, 1))])[mutable]
    numbers = min(support.most, length) + 1 if support.counts else 1
    ahead = np.zeros((length + 1, states, numbers))
    ahead[-1, :-1, support.least if support.counts else 0 :] = 1.0
    log_share = 0.0
    for p in range(length - 1, -1, -1):
        for letter in np.flatnonzero(rows[p]):
            after = ahead[p + 1, support.after[:, letter]]
            if support.counts and letter in (1, 2):
                after = np.hstack([after[:, 1:], np.zeros((states, 1))])
            ahead[p] += rows[p, letter] * after
        top = ahead[p].max()
        if top == 0:
            return Inside(support, rows, ahead, -np.inf)
        ahead[p] /= top
        log_share += np.log(top)
    whole = ahead[0, 0, 0]
    return Inside(support, rows, ahead, log_share + np.log(whole) if whole > 0 else -np.inf)


def bytes_of_inside(support: Support, length: int) -> int:
    """What `inside` takes for so many letters."""
    return 8 * (length + 1) * len(support.after) * (min(support.most, length) + 1 if support.counts else 1)


def draws_inside(found: Inside, keys: Keys) -> Codes:
    """Independent draws (C, L) from the background on its support, which is not empty; one a key."""
    codes = np.empty((len(keys), len(found.rows)), np.uint8)
    _draw(found.support.after, found.support.counts, found.rows, found.ahead, keys, codes)
    return codes


@njit(cache=True)
def _draw(after, counts, rows, ahead, keys, codes):  # type: ignore[no-untyped-def]
    weights = np.zeros(5)
    for chain in range(codes.shape[0]):
        state, number = 0, 0
        for p in range(codes.shape[1]):
            if p % 4 == 0:
                words = philox(keys[chain], START_STEP, p // 4)
            total = 0.0
            for letter in range(5):
                then = number + 1 if counts and (letter == 1 or letter == 2) else number
                beyond = then >= ahead.shape[2]
                weights[letter] = 0.0 if beyond else rows[p, letter] * ahead[p + 1, after[state, letter], then]
                total += weights[letter]
            left, chosen = uniform(words[p % 4]) * total, -1
            for letter in range(5):
                if weights[letter] > 0.0:
                    chosen = letter
                    if left < weights[letter]:
                        break
                    left -= weights[letter]
            codes[chain, p] = chosen
            number += counts and (chosen == 1 or chosen == 2)
            state = after[state, chosen]
