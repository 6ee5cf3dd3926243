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
from maxent_cli.engine.layers import FUNCTION, KIND, MEAN, PLACE, RELU, SUM

_WORD = 8  # marks that are read at once


class Chains(NamedTuple):
    """What C chains keep: (C, size) sums before and values after the pointwise functions; and what is proposed.

    letters (C, L, 3) and number (C,): places, old and new letter of those that change, in order of place. proposed (C,
    size): the sums of what each layer's range (C, layers, 2) of outputs has new. Of each layer but the last, the list:
    so many (C, layers) counts, place in the layer, new value and its change (C, size), in order of place. Of the last,
    the new values in its range. marks (size,) and queues (2, C), of chains that wait, are scratch.
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
    marks: NDArray[np.uint64]
    queues: NDArray[np.int64]


@njit(cache=True)
def empty_chains(count, length, plan):  # type: ignore[no-untyped-def]
    """Room for so many chains of so many letters."""
    size, layers = plan.table[-1, PLACE] + len(plan.reference), len(plan.table)
    room = -(-(size + _WORD) // 16) * 16
    floats = np.zeros((5, count, room), np.float32)
    counts, ranges = np.zeros((count, layers), np.int64), np.zeros((count, layers, 2), np.int64)
    letters, number = np.zeros((count, length, 3), np.int64), np.zeros(count, np.int64)
    place, marks = np.zeros((count, room), np.int32), np.zeros(room // _WORD, np.uint64)
    queues = np.zeros((2, count), np.int64)
    return Chains(
        floats[0], floats[1], floats[2], floats[3], floats[4], place, counts, ranges, letters, number, marks, queues
    )


@uncounted(inline="always")
def copy(to, source):  # type: ignore[no-untyped-def]
    """Overwrite an array by another of its length."""
    for i in range(len(to)):
        to[i] = source[i]


@uncounted(inline="always")
def list_marked(words, count, place):  # type: ignore[no-untyped-def]
    """Fill the places that are marked, of the first so many; return how many there are. The words end with zeros."""
    marks, found = words.view(np.uint8), 0
    for word in range((count + _WORD - 1) // _WORD):
        if words[word] != 0:
            for i in range(_WORD * word, _WORD * word + _WORD):  # without a branch: which are marked is unpredictable
                place[found] = i
                found += marks[i]
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
    """From the proposed sums in a layer's range, the list of what changes; of the last layer, the values.

    everything: list all of the range, as where nothing is known yet.
    """
    row, slope = plan.table[layer], plan.slopes[layer]
    here, function, last = row[PLACE], row[FUNCTION], layer == len(plan.table) - 1
    marks = chains.marks.view(np.uint8)
    for c in active:
        a, b = here + chains.ranges[c, layer, 0], here + chains.ranges[c, layer, 1]
        proposed, fresh = chains.proposed[c], chains.fresh[c]
        if last:
            apply_function(function, slope, proposed[a:b], fresh[a:b])
            continue
        size = b - a
        if everything:
            marks[:size] = 1
        else:
            _mark_changed(function == RELU, chains.sums[c, a:b], proposed[a:b], marks[:size])
        marks[size : size + _WORD] = 0
        place = chains.place[c, here:]
        count = list_marked(chains.marks, size, place)
        for k in range(count):
            fresh[here + k] = proposed[a + place[k]]
            place[k] += a - here
        finish_list(chains, c, here, function, slope, count)
        if everything and plan.table[layer + 1, KIND] in (SUM, MEAN):
            count = _without_zeros(place, fresh[here:], chains.change[c, here:], count)
        chains.counts[c, layer] = count


@uncounted(inline="always")
def finish_list(chains, c, here, function, slope, count):  # type: ignore[no-untyped-def]
    """Turn a list's sums, in the place of its new values, into those, and find how they differ from the old."""
    place, values = chains.place[c, here:], chains.values[c, here:]
    fresh, change = chains.fresh[c, here:], chains.change[c, here:]
    apply_function(function, slope, fresh[:count], fresh[:count])
    for k in range(count):
        change[k] = fresh[k] - values[place[k]]


@uncounted()
def _without_zeros(place, fresh, change, count):  # type: ignore[no-untyped-def]
    """Take from a list what does not change; return how many are left."""
    kept = 0
    for k in range(count):
        place[kept], fresh[kept], change[kept] = place[k], fresh[k], change[k]
        kept += change[k] != 0
    return kept
