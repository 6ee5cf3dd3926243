"""The first layers of the compiled chain: what changed letters do to their sums, read from a table.

A letter is one stretch of the table, and adds it to the sums of one stretch of outputs. A changed letter is the
difference of two such stretches. It is added to the sums only where the proposal is accepted: to list what changes, the
new sums need not be written anywhere.
"""

import numpy as np

from maxent_cli.engine.activations import copy, finish_list, list_marked, note_values
from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.layers import (
    DILATION,
    FEATURES,
    FUNCTION,
    NOTHING,
    OUT_CHANNELS,
    OUT_LENGTH,
    PADDING,
    PLACE,
    RELU,
    WEIGHTS,
    WIDTH,
)


@uncounted()
def change_letters(plan, chains, layer, everything, active):  # type: ignore[no-untyped-def]
    """From the changed letters of the active chains, a first layer's range and list."""
    row = plan.table[layer]
    direct, here = row[FEATURES] == NOTHING and not everything and row[FUNCTION] == RELU, row[PLACE]
    for c in active:
        _find_range(plan, chains, c, layer)
        if direct and chains.number[c] == 1:
            _list_letter(plan, chains, c, layer)
        else:
            a, b = chains.ranges[c, layer]
            copy(chains.scratch[a:b], chains.sums[c, here + a : here + b])
            _add_letters(plan, chains, c, layer, chains.scratch)
            note_values(plan, chains, c, layer, everything, chains.scratch)


@uncounted(inline="always")
def _span(row):  # type: ignore[no-untyped-def]
    return (row[WIDTH] - 1) * row[DILATION] + 1


@uncounted(inline="always")
def _find_range(plan, chains, c, layer):  # type: ignore[no-untyped-def]
    row, last = plan.table[layer], chains.number[c] - 1
    out, padding, span = row[OUT_CHANNELS], row[PADDING], _span(row)
    low = max(chains.letters[c, 0, 0] + padding - span + 1, 0)
    high = min(chains.letters[c, last, 0] + padding + 1, row[OUT_LENGTH])
    chains.ranges[c, layer, 0], chains.ranges[c, layer, 1] = low * out, max(low, high) * out


@uncounted(inline="always")
def _stretch(row, chains, c, k):  # type: ignore[no-untyped-def]
    """Where the sums that a chain's k-th changed letter reaches begin and end, and where the letters have them."""
    out = row[OUT_CHANNELS]
    first = chains.letters[c, k, 0] + row[PADDING] + 1 - _span(row)
    low, high = max(first, 0), min(chains.letters[c, k, 0] + row[PADDING] + 1, row[OUT_LENGTH])
    return low * out, max(low, high) * out, row[WEIGHTS] + (low - first) * out


@uncounted(fastmath=True)
def _mark_letter(sums, new, old, marks):  # type: ignore[no-untyped-def]
    """Mark the sums that are positive before or after."""
    for i in range(len(sums)):
        marks[i] = max(sums[i], sums[i] + (new[i] - old[i])) > np.float32(0)


@uncounted(inline="always")
def _list_letter(plan, chains, c, layer):  # type: ignore[no-untyped-def]
    """The list of one changed letter under a ReLU."""
    a, b, at = _stretch(plan.table[layer], chains, c, 0)
    size, here = b - a, plan.table[layer, PLACE]
    old, new = plan.letters[chains.letters[c, 0, 1], at:], plan.letters[chains.letters[c, 0, 2], at:]
    sums, marks = chains.sums[c, here + a :], chains.marks.view(np.uint8)
    _mark_letter(sums[:size], new[:size], old[:size], marks[:size])
    marks[size : size + 8] = 0
    place, listed = chains.place[c, here:], chains.change[c, here:]
    count = list_marked(chains.marks, chains.some, size, place)
    for k in range(count):
        i = place[k]
        listed[k] = sums[i] + (new[i] - old[i])
        place[k] += a
    finish_list(plan, chains, c, layer, RELU, np.float32(0), count)
    chains.counts[c, layer] = count


@uncounted(fastmath=True)
def _add_letter(sums, new, old):  # type: ignore[no-untyped-def]
    for i in range(len(sums)):
        sums[i] += new[i] - old[i]


@uncounted(inline="always")
def _add_letters(plan, chains, c, layer, sums):  # type: ignore[no-untyped-def]
    """Add to sums what a chain's changed letters contribute."""
    for k in range(chains.number[c]):
        a, b, at = _stretch(plan.table[layer], chains, c, k)
        old, new = plan.letters[chains.letters[c, k, 1]], plan.letters[chains.letters[c, k, 2]]
        _add_letter(sums[a:b], new[at : at + b - a], old[at : at + b - a])


@uncounted(inline="always")
def keep_letters(plan, chains, c, layer):  # type: ignore[no-untyped-def]
    """Bring a first layer's sums up to date with an accepted change."""
    _add_letters(plan, chains, c, layer, chains.sums[c, plan.table[layer, PLACE] :])
