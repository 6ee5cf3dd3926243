"""What each chain keeps of every layer, and the lists of what a proposal changes there.

A list goes from layer to layer: which values are new, and by how much they differ. Behind a ReLU it is short, and all
that is not on it costs next to nothing: a vector instruction marks what changes, and the marks are read by the word.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.functions import apply_function
from maxent_cli.engine.layers import (
    ADDED,
    FEATURES,
    FUNCTION,
    IDENTITY,
    KIND,
    NOTHING,
    OUT_CHANNELS,
    OUT_LENGTH,
    PLACE,
    RELU,
    SPARSE,
    SUM,
)

_WORD = 8  # marks that are read at once
_BYTE_NUMBERS = np.uint64(0x0001020304050607)  # times a word whose n-th byte is 1: the highest byte is n


class Chains(NamedTuple):
    """What C chains keep: (C, size) sums before and values after the pointwise functions; and what is proposed.

    letters (C, L, 3) and number (C,): places, old and new letter of those that change, in order of place. proposed (C,
    size): the sums of what each later layer's range (C, layers, 2) of outputs has new. Of each layer but a stack's
    last, the list: so many (C, layers) counts, place in the layer, new value and its change (C, size), in order of
    place. Of the last, the new values in its range. scratch, marks and some (size,), and queues (2, C) of chains that
    wait, belong to none.
    """

    sums: NDArray[np.float32]
    values: NDArray[np.float32]
    proposed: NDArray[np.float32]
    fresh: NDArray[np.float32]
    change: NDArray[np.float32]
    place: NDArray[np.int32]
    counts: NDArray[np.int64]
    ranges: NDArray[np.int64]
    letters: NDArray[np.int64]
    number: NDArray[np.int64]
    scratch: NDArray[np.float32]
    marks: NDArray[np.uint64]
    some: NDArray[np.int32]
    queues: NDArray[np.int64]


@njit(cache=True)
def empty_chains(count, length, plan):  # type: ignore[no-untyped-def]
    """Room for so many chains of so many letters."""
    last, layers = plan.table[-1], len(plan.table)
    size = last[PLACE] + last[OUT_LENGTH] * last[OUT_CHANNELS]
    room = -(-(size + _WORD) // 16) * 16
    floats = _aligned(5 * count * room + room)
    of_chains, scratch = floats[:-room].reshape(5, count, room), floats[-room:]
    sums, values, proposed, fresh, change = of_chains[0], of_chains[1], of_chains[2], of_chains[3], of_chains[4]
    place, some = np.zeros((count, room), np.int32), np.zeros(room, np.int32)
    counts, ranges = np.zeros((count, layers), np.int64), np.zeros((count, layers, 2), np.int64)
    letters, number = np.zeros((count, length, 3), np.int64), np.zeros(count, np.int64)
    marks, queues = np.zeros(room // _WORD, np.uint64), np.zeros((2, count), np.int64)
    lists = (fresh, change, place, counts, ranges)
    return Chains(sums, values, proposed, *lists, letters, number, scratch, marks, some, queues)


@njit(cache=True)
def _aligned(size):  # type: ignore[no-untyped-def]
    """Numbers (size,) that start where a line of the cache does: vectors that lie across two cost twice as much."""
    line = 64
    room = np.empty(size + line // 4, np.float32)
    start = -room.ctypes.data % line // 4
    return room[start : start + size]


@uncounted(inline="always")
def copy(to, source):  # type: ignore[no-untyped-def]
    """Overwrite an array by another of its length."""
    for i in range(len(to)):
        to[i] = source[i]


@uncounted(inline="always")
def exchange_values(values, place, fresh):  # type: ignore[no-untyped-def]
    """Put a list's new values in the place of the old, and the old in the list."""
    for k in range(len(place)):
        values[place[k]], fresh[k] = fresh[k], values[place[k]]


@uncounted(inline="always")
def list_marked(words, some, count, place):  # type: ignore[no-untyped-def]
    """Fill the places that are marked, of the first so many; return how many there are. The words end with zeros.

    Which are marked is unpredictable, so there is hardly a branch: first the words that are not zero, into some.
    """
    size, kept, found = (count + _WORD - 1) // _WORD, 0, 0
    for word in range(size):
        some[kept] = word
        kept += words[word] != 0
    if 4 * kept > size:
        marks = words.view(np.uint8)
        for i in range(_WORD * size):
            place[found] = i
            found += marks[i]
        return found
    for k in range(kept):
        rest = words[some[k]]
        while rest != 0:
            lowest = rest & (~rest + np.uint64(1))
            place[found] = _WORD * some[k] + np.int64((lowest * _BYTE_NUMBERS) >> np.uint64(56))
            found += 1
            rest ^= lowest
    return found


@uncounted(fastmath=True)
def _mark_changed(rectified, sums, proposed, marks):  # type: ignore[no-untyped-def]
    """Mark where other sums give other values: not where a ReLU gives zero for both."""
    if rectified:
        for i in range(len(sums)):
            marks[i] = (max(sums[i], proposed[i]) > np.float32(0)) & (sums[i] != proposed[i])
    else:
        for i in range(len(sums)):
            marks[i] = sums[i] != proposed[i]


@uncounted()
def note_outputs(plan, chains, layer, everything, active):  # type: ignore[no-untyped-def]
    """Note what the proposed sums in a layer's range give, for all active chains."""
    here = plan.table[layer, PLACE]
    for c in active:
        note_values(plan, chains, c, layer, everything, chains.proposed[c, here:])


@uncounted(inline="always")
def note_values(plan, chains, c, layer, everything, proposed):  # type: ignore[no-untyped-def]
    """From the proposed sums (size,) in a layer's range, the list of what changes; of the last layer, the values.

    everything: list all of the range, as where nothing is known yet.
    """
    row, slope = plan.table[layer], plan.slopes[layer]
    a, b = chains.ranges[c, layer]
    here, size, function = row[PLACE], b - a, row[FUNCTION]
    fresh = chains.fresh[c, here:]
    if row[FEATURES] != NOTHING:
        apply_function(function, slope, proposed[a:b], fresh[a:b])
        if row[ADDED] != NOTHING:
            _list_all(a, size, chains.place[c, here:], chains.change[c, here:], fresh)
            _add_values(plan, chains, c, row[ADDED], chains.place[c, here : here + size], fresh[a:b])
        return
    place, listed = chains.place[c, here:], chains.change[c, here:]
    # smooth functions give all that is reached new values
    if everything or (row[KIND] == SUM and function != RELU and function != IDENTITY):
        _list_all(a, size, place, listed, proposed)
        count = size
    else:
        marks = chains.marks.view(np.uint8)
        _mark_changed(function == RELU, chains.sums[c, here + a : here + b], proposed[a:b], marks[:size])
        marks[size : size + _WORD] = 0
        if row[ADDED] != NOTHING:
            there = plan.table[row[ADDED], PLACE]
            for k in range(there, there + chains.counts[c, row[ADDED]]):
                marks[chains.place[c, k] - a] = 1
        count = list_marked(chains.marks, chains.some, size, place)
        for k in range(count):
            place[k] += a
            listed[k] = proposed[place[k]]
    finish_list(plan, chains, c, layer, function, slope, count)
    if everything and row[SPARSE]:
        count = _without_zeros(place, fresh, listed, count)
    chains.counts[c, layer] = count


@uncounted()
def _list_all(first, size, place, listed, proposed):  # type: ignore[no-untyped-def]
    for i in range(size):
        place[i], listed[i] = first + i, proposed[first + i]


@uncounted(inline="always")
def finish_list(plan, chains, c, layer, function, slope, count):  # type: ignore[no-untyped-def]
    """From a list's new sums, which stand in place of the changes, its new values and how they differ from the old."""
    here, added = plan.table[layer, PLACE], plan.table[layer, ADDED]
    place, fresh, change = chains.place[c, here:], chains.fresh[c, here:], chains.change[c, here:]
    apply_function(function, slope, change[:count], fresh[:count])
    if added != NOTHING:
        _add_values(plan, chains, c, added, place[:count], fresh)
    for k in range(count):
        change[k] = fresh[k] - chains.values[c, here + place[k]]


@uncounted()
def _add_values(plan, chains, c, layer, place, fresh):  # type: ignore[no-untyped-def]
    """Add a layer's values, as they are proposed, at some places to a list's new values."""
    here, end = plan.table[layer, PLACE], plan.table[layer, PLACE] + chains.counts[c, layer]
    values, changed, new = chains.values[c, here:], chains.place[c, here:end], chains.fresh[c, here:end]
    exchange_values(values, changed, new)
    for k in range(len(place)):
        fresh[k] += values[place[k]]
    exchange_values(values, changed, new)


@uncounted()
def _without_zeros(place, fresh, change, count):  # type: ignore[no-untyped-def]
    """Take from a list what does not change; return how many are left."""
    kept = 0
    for k in range(count):
        place[kept], fresh[kept], change[kept] = place[k], fresh[k], change[k]
        kept += change[k] != 0
    return kept
