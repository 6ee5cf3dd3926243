"""Recurrent layers of the compiled chain: a changed letter changes the states that are reached after it, and no others.

An LSTM as torch has it (Hochreiter & Schmidhuber, Neural Comput 9:1735, 1997), from the left or both ways. The layer
before it gives what the gates read of each position. Cells stand where other layers have sums, states where they have
values. States remember: those of trained networks hardly ever come back to what they were, so all that follow a change
are computed.
"""

from maxent_cli.engine.activations import copy, exchange_values
from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.functions import lstm_state
from maxent_cli.engine.later_layers import add_rows
from maxent_cli.engine.layers import IN_CHANNELS, INPUT, OUT_CHANNELS, OUT_LENGTH, PLACE, WEIGHTS, WIDTH

_GATES = 4


@uncounted()
def change_states(plan, chains, layer, active):  # type: ignore[no-untyped-def]
    """From the lists of what its gates read, an LSTM's ranges, the proposed cells in them, and the lists of states."""
    row, read = plan.table[layer], plan.table[layer, INPUT]
    before, here, size = plan.table[read, PLACE], row[PLACE], row[OUT_LENGTH] * row[OUT_CHANNELS]
    for c in active:
        count = chains.counts[c, read]
        place, fresh = chains.place[c, before : before + count], chains.fresh[c, before : before + count]
        asked, kept = chains.values[c, before:here], chains.values[c, here : here + size]
        a, b = 0, 0
        if count:
            low, high = place[0] // row[IN_CHANNELS], place[count - 1] // row[IN_CHANNELS] + 1
            a, b = 0 if row[WIDTH] == 2 else low * row[OUT_CHANNELS], size
            copy(chains.proposed[c, here : here + size], chains.sums[c, here : here + size])
            copy(chains.scratch[:size], kept)
            exchange_values(asked, place, fresh)
            _read(row, plan.parameters, asked, low, high, chains.proposed[c, here:], chains.scratch, chains.some)
            exchange_values(asked, place, fresh)
        chains.ranges[c, layer, 0], chains.ranges[c, layer, 1], chains.counts[c, layer] = a, b, b - a
        listed = chains.place[c, here:], chains.fresh[c, here:], chains.change[c, here:]
        _list_states(a, chains.scratch[a:b], kept[a:b], *listed)


@uncounted()
def _list_states(first, states, kept, place, fresh, change):  # type: ignore[no-untyped-def]
    for k in range(len(states)):
        place[k] = first + k
    for k in range(len(states)):
        fresh[k], change[k] = states[k], states[k] - kept[k]


@uncounted()
def _read(row, parameters, asked, low, high, cells, scratch, units):  # type: ignore[no-untyped-def]
    """New cells and, in scratch, states: from the left from the first change on, from the right from the last."""
    width, size = row[OUT_CHANNELS], row[OUT_CHANNELS] // row[WIDTH]
    states, gates = scratch[: row[OUT_LENGTH] * width], scratch[row[OUT_LENGTH] * width :][: _GATES * size]
    for unit in range(size):
        units[unit] = unit
    for way in range(row[WIDTH]):
        weights = parameters[row[WEIGHTS] + way * size * len(gates) :][: size * len(gates)]
        steps, t, step = (row[OUT_LENGTH] - low, low, 1) if way == 0 else (high, high - 1, -1)
        for _ in range(steps):
            here, there = t * width + way * size, (t - step) * width + way * size
            at = (t * row[WIDTH] + way) * len(gates)
            copy(gates, asked[at : at + len(gates)])
            if 0 <= t - step < row[OUT_LENGTH]:
                add_rows(weights, len(gates), 0, units, states[there : there + size], 0, size, gates)
                copy(cells[here : here + size], cells[there : there + size])
            else:
                cells[here : here + size] = 0
            lstm_state(gates, cells[here : here + size], states[here : here + size])
            t += step
