"""The later layers of the compiled chain: what a list of changed values does to the sums of the next layer."""

import numpy as np

from maxent_cli.engine.activations import copy, exchange_values
from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.layers import (
    ADDED,
    BIAS,
    DILATION,
    IN_CHANNELS,
    IN_LENGTH,
    INPUT,
    KIND,
    MEAN,
    NOTHING,
    OUT_CHANNELS,
    OUT_LENGTH,
    PADDING,
    PLACE,
    SCALE,
    STRIDE,
    SUM,
    WEIGHTS,
    WIDTH,
)

LOWEST = np.float32(-3e38)  # and not -inf, which fast arithmetic takes for impossible
_BLOCK_WEIGHTS = 2**14  # weights that stay in the first cache while the chains go through them
_WIDE = 8  # inputs of a maximum above which it is not looked for among all of them
_LONG = 300  # changed inputs from which the chains go through the weights of a linear layer in step


@uncounted()
def change_layer(plan, chains, layer, everything, active):  # type: ignore[no-untyped-def]
    """From the lists of the layer that it reads, a layer's ranges and the proposed sums in them."""
    row, read = plan.table[layer], plan.table[layer, INPUT]
    before = plan.table[read, PLACE]
    here, kind, linear = row[PLACE], row[KIND], is_linear(row)
    waiting = 0
    for c in active:
        count = chains.counts[c, read]
        place, change = chains.place[c, before : before + count], chains.change[c, before : before + count]
        low, high = (0, row[OUT_LENGTH]) if everything else _reached(row, place)
        if row[ADDED] != NOTHING and not everything:
            low, high = _added_too(plan, chains, c, row, low, high)
        a, b = low * row[OUT_CHANNELS], high * row[OUT_CHANNELS]
        chains.ranges[c, layer, 0], chains.ranges[c, layer, 1] = a, b
        proposed = chains.proposed[c, here:]
        copy(proposed[a:b], chains.sums[c, here + a : here + b])
        if linear and count >= _LONG:
            chains.queues[0, waiting] = c
            waiting += 1
        elif linear:
            add_rows(plan.parameters[row[WEIGHTS] :], row[OUT_CHANNELS], 0, place, change, 0, count, proposed[a:b])
        elif kind == SUM:
            _add_outputs(row, plan.parameters, place, change, proposed)
        elif kind == MEAN:
            _add_means(row, place, change, proposed)
        else:
            fresh, values = chains.fresh[c, before : before + count], chains.values[c, before:here]
            if kind == SCALE:
                _scale(row, plan.parameters, place, fresh, proposed)
            else:
                exchange_values(values, place, fresh)
                _find_maxima(row, values, place, fresh, low, high, proposed)
                exchange_values(values, place, fresh)
    if waiting:
        _add_blocks(row, plan.parameters, chains, before, chains.queues[0, :waiting])


@uncounted(inline="always")
def is_linear(row):  # type: ignore[no-untyped-def]
    return row[KIND] == SUM and row[OUT_LENGTH] == 1 and row[WIDTH] == row[IN_LENGTH] and row[DILATION] == 1


@uncounted(inline="always")
def _reached(row, place):  # type: ignore[no-untyped-def]
    """Outputs [low, high) that read a changed input, of places in order."""
    if len(place) == 0:
        return 0, 0
    first, last = place[0] // row[IN_CHANNELS], place[-1] // row[IN_CHANNELS]
    if row[KIND] == SCALE:
        return first, last + 1
    return readers(row, first)[0], readers(row, last)[1]


@uncounted(inline="always")
def _added_too(plan, chains, c, row, low, high):  # type: ignore[no-untyped-def]
    """Outputs [low, high), and those to which a changed value is added."""
    there, count = plan.table[row[ADDED], PLACE], chains.counts[c, row[ADDED]]
    if count == 0:
        return low, high
    first, last = chains.place[c, there] // row[OUT_CHANNELS], chains.place[c, there + count - 1] // row[OUT_CHANNELS]
    return (first, last + 1) if low >= high else (min(low, first), max(high, last + 1))


@uncounted(inline="always")
def readers(row, column):  # type: ignore[no-untyped-def]
    """Outputs [low, high) whose span the column is in."""
    span = (row[WIDTH] - 1) * row[DILATION]
    low, high = column + row[PADDING] - span, column + row[PADDING]
    if row[STRIDE] != 1:
        low, high = -(-low // row[STRIDE]), high // row[STRIDE]
    return max(low, 0), max(min(high + 1, row[OUT_LENGTH]), 0)


@uncounted()
def _add_outputs(row, parameters, place, change, sums):  # type: ignore[no-untyped-def]
    """Add to a convolution's sums what the changed inputs contribute, column by column."""
    channels, out, dilation, width = row[IN_CHANNELS], row[OUT_CHANNELS], row[DILATION], row[WIDTH]
    start = 0
    while start < len(place):
        column = place[start] // channels
        end = start
        while end < len(place) and place[end] < (column + 1) * channels:
            end += 1
        first = column + row[PADDING] - (width - 1) * dilation  # the output that reads it by the last tap
        tap, taps = max(0, -(first // dilation)), min(width, (row[OUT_LENGTH] - 1 - first) // dilation + 1)
        # outputs that lie side by side, as their weights do, at once
        pieces, size = (1, (taps - tap) * out) if dilation == 1 else (taps - tap, out)
        for piece in range(pieces):
            to = (first + (tap + piece) * dilation) * out
            weights, into = parameters[row[WEIGHTS] + (tap + piece) * out :], sums[to : to + max(size, 0)]
            add_rows(weights, width * out, column * channels, place, change, start, end, into)
        start = end


@uncounted(fastmath=True)
def add_rows(weights, apart, origin, place, change, start, end, sums):  # type: ignore[no-untyped-def]
    """Add to sums (n,) what changed inputs [start, end) of a list contribute.

    The weights begin with those of the input at the origin; its neighbours' lie so far apart.
    """
    size, whole = len(sums), start + (end - start) // 4 * 4
    for k in range(start, whole, 4):  # four rows at a time, to spare the sums traffic
        a0, a1 = (place[k] - origin) * apart, (place[k + 1] - origin) * apart
        a2, a3 = (place[k + 2] - origin) * apart, (place[k + 3] - origin) * apart
        d0, d1, d2, d3 = change[k], change[k + 1], change[k + 2], change[k + 3]
        w0, w1 = weights[a0 : a0 + size], weights[a1 : a1 + size]
        w2, w3 = weights[a2 : a2 + size], weights[a3 : a3 + size]
        for i in range(size):
            sums[i] += d0 * w0[i] + d1 * w1[i] + d2 * w2[i] + d3 * w3[i]
    for k in range(whole, end):
        a0, d0 = (place[k] - origin) * apart, change[k]
        w0 = weights[a0 : a0 + size]
        for i in range(size):
            sums[i] += d0 * w0[i]


@uncounted()
def _add_blocks(row, parameters, chains, before, active):  # type: ignore[no-untyped-def]
    """As add_rows for chains with long lists, which go through the weights in step.

    So a block of them is fetched once for all: with long lists, such layers are bound by memory, not by arithmetic.
    """
    here, out, done = row[PLACE], row[OUT_CHANNELS], chains.queues[1]
    done[: len(active)] = 0
    block, weights = max(1, _BLOCK_WEIGHTS // out), parameters[row[WEIGHTS] :]
    for end in range(block, row[IN_LENGTH] * row[IN_CHANNELS] + block, block):
        for a in range(len(active)):
            c = active[a]
            place, change = chains.place[c, before:], chains.change[c, before:]
            k = np.searchsorted(place[: chains.counts[c, row[INPUT]]], end)
            add_rows(weights, out, 0, place, change, done[a], k, chains.proposed[c, here : here + out])
            done[a] = k


@uncounted()
def _add_means(row, place, change, sums):  # type: ignore[no-untyped-def]
    """Add to means what the changed inputs contribute."""
    channels, share = row[IN_CHANNELS], np.float32(1) / np.float32(row[WIDTH])
    column, low, high = -1, 0, 0
    for k in range(len(place)):
        if place[k] >= (column + 1) * channels:
            column = place[k] // channels
            low, high = readers(row, column)
        for o in range(low, high):
            sums[o * channels + place[k] - column * channels] += change[k] * share


@uncounted()
def _scale(row, parameters, place, fresh, sums):  # type: ignore[no-untyped-def]
    """Scaled new values in the place of the changed ones."""
    for k in range(len(place)):
        channel = place[k] % row[IN_CHANNELS]
        sums[place[k]] = fresh[k] * parameters[row[WEIGHTS] + channel] + parameters[row[BIAS] + channel]


@uncounted(inline="always")
def _find_maxima(row, values, place, old, low, high, sums):  # type: ignore[no-untyped-def]
    """Maxima [low, high) of inputs among which the new ones have taken the place of the old."""
    if row[WIDTH] > _WIDE:
        _raise_maxima(row, values, place, old, sums)
    else:
        _pool(row, values, low, high, sums)


@uncounted(fastmath=True)
def _pool(row, values, low, high, sums):  # type: ignore[no-untyped-def]
    """Maxima [low, high), each of all its inputs."""
    channels = row[IN_CHANNELS]
    for o in range(low, high):
        pooled = sums[o * channels : (o + 1) * channels]
        pooled[:] = LOWEST
        for tap in range(row[WIDTH]):
            column = o * row[STRIDE] - row[PADDING] + tap * row[DILATION]
            if 0 <= column < row[IN_LENGTH]:
                inputs = values[column * channels : (column + 1) * channels]
                for i in range(channels):
                    pooled[i] = max(pooled[i], inputs[i])


@uncounted()
def _raise_maxima(row, values, place, old, sums):  # type: ignore[no-untyped-def]
    """Maxima of many inputs: looked for, in all channels at once, only where an input falls that was the greatest."""
    channels, column, low, high, found = row[IN_CHANNELS], -1, 0, 0, -1
    for k in range(len(place)):
        if place[k] >= (column + 1) * channels:
            column = place[k] // channels
            low, high = readers(row, column)
        new = values[place[k]]
        for o in range(low, high):
            i = o * channels + place[k] - column * channels
            if o == found or (row[DILATION] > 1 and (column + row[PADDING] - o * row[STRIDE]) % row[DILATION]):
                continue
            if new >= sums[i]:
                sums[i] = new
            elif old[k] >= sums[i]:
                _pool(row, values, o, o + 1, sums)
                found = o
