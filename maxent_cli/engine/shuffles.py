"""Shuffles that keep every dinucleotide count, uniform over all sequences that have them.

A sequence is a walk through its letters; its dinucleotides are the edges. A sequence with the same dinucleotides is
another walk over the same edges (Altschul & Erickson, Mol Biol Evol 2:526, 1985): draw a random tree of last exits
into the final letter, put every letter's other exits in random order, and walk. The tree is drawn by loop-erased
random walks (Wilson, STOC 1996; for this use Kandel, Matias, Unger & Winkler, Discrete Appl Math 71:171, 1996), which
makes every ordering equally likely, where picking last exits and retrying would need to be shown to.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes

_SYMBOLS = UNKNOWN + 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

Keys = NDArray[np.uint64]
Edges = NDArray[np.int64]


def dinucleotide_shuffle(codes: Codes, seed: int) -> Codes:
    """Shuffle each row of codes (N, L), keeping its dinucleotide counts and its first and last letter exactly.

    Uniform over all rows with those counts; UNKNOWN is a fifth letter. The randomness of a row is a function of
    (seed, the row's letters) alone: any split or order of the rows gives the same shuffles, identical rows get
    identical shuffles, and several shuffles of a row need several seeds (0 to 2^64 - 1).
    """
    if codes.ndim != 2 or (codes.size and codes.max() >= _SYMBOLS):
        raise ValueError("codes must be (N, L) with letters 0 to 4")
    rows = np.ascontiguousarray(codes, np.uint8)
    shuffled = rows.copy()
    if rows.shape[1] > 3:  # shorter rows have one arrangement
        _shuffle_rows(rows, np.uint64(seed), shuffled)
    return shuffled


@njit(cache=True, nogil=True)
def _shuffle_rows(codes: Codes, seed: np.uint64, shuffled: Codes) -> None:
    edges = np.empty(codes.shape[1] - 1, np.int64)
    first = np.empty(_SYMBOLS + 1, np.int64)
    stream = np.empty(1, np.uint64)
    for row in range(codes.shape[0]):
        stream[0] = _key(codes[row], seed)
        _list_exits(codes[row], edges, first)
        last = _last_exits(codes[row], edges, first, stream)
        _order_exits(edges, first, last, stream)
        _walk(edges, first, shuffled[row])


@njit(cache=True, nogil=True)
def _list_exits(row: Codes, edges: Edges, first: Edges) -> None:
    """The letters that follow letter s, with repeats, become edges[first[s]:first[s + 1]]."""
    first[:] = 0
    for position in range(row.size - 1):
        first[row[position] + 1] += 1
    for symbol in range(_SYMBOLS):
        first[symbol + 1] += first[symbol]
    free = first.copy()
    for position in range(row.size - 1):
        edges[free[row[position]]] = row[position + 1]
        free[row[position]] += 1


@njit(cache=True, nogil=True)
def _last_exits(row: Codes, edges: Edges, first: Edges, stream: Keys) -> Edges:
    """For each letter the index of its last exit, or -1: a uniformly random tree into the final letter."""
    last = np.full(_SYMBOLS, -1, np.int64)
    in_tree = np.zeros(_SYMBOLS, np.bool_)
    in_tree[row[-1]] = True
    for symbol in range(_SYMBOLS):
        here = symbol if first[symbol + 1] > first[symbol] else row[-1]
        while not in_tree[here]:  # overwriting the exit on a second visit erases the loop
            last[here] = first[here] + _below(stream, first[here + 1] - first[here])
            here = edges[last[here]]
        here = symbol if first[symbol + 1] > first[symbol] else row[-1]
        while not in_tree[here]:
            in_tree[here] = True
            here = edges[last[here]]
    return last


@njit(cache=True, nogil=True)
def _order_exits(edges: Edges, first: Edges, last: Edges, stream: Keys) -> None:
    """Put each letter's last exit last and the others in random order (Fisher-Yates)."""
    for symbol in range(_SYMBOLS):
        start, stop = first[symbol], first[symbol + 1]
        if last[symbol] >= 0:
            stop -= 1
            edges[last[symbol]], edges[stop] = edges[stop], edges[last[symbol]]
        for index in range(stop - 1, start, -1):
            other = start + _below(stream, index - start + 1)
            edges[index], edges[other] = edges[other], edges[index]


@njit(cache=True, nogil=True)
def _walk(edges: Edges, first: Edges, row: Codes) -> None:
    """Follow the exits in their order from row[0]; uses up first."""
    for position in range(1, row.size):
        here = row[position - 1]
        row[position] = edges[first[here]]
        first[here] += 1


@njit(cache=True, nogil=True)
def _key(row: Codes, seed: np.uint64) -> np.uint64:
    key = _mix(seed + _GOLDEN)
    for letter in row:
        key = _mix(key ^ (np.uint64(letter) + _GOLDEN))
    return key


@njit(cache=True, nogil=True)
def _below(stream: Keys, bound: int) -> np.int64:
    """A random integer in [0, bound), by SplitMix64; uneven by less than bound / 2^32."""
    stream[0] += _GOLDEN
    return np.int64(((_mix(stream[0]) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@njit(cache=True, nogil=True)
def _mix(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))
