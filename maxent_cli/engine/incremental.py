"""The compiled chain: a changed letter updates only the activations that it touches.

For stacks of convolutions (stride 1), pointwise functions, pooling and linear layers. A linear layer is a convolution
as wide as its input. Each chain keeps, for every layer, its sums before and its values after the pointwise function;
a proposal adds to the sums what the changed inputs contribute, in scratch space, and is copied back if accepted.
Differences that are zero, as most are behind a ReLU, cost nothing.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from maxent_cli.engine.matches import MatchField, match_change, no_field
from maxent_cli.engine.proposals import Move, apply, move_table, propose
from maxent_cli.engine.randomness import exchange_log_uniforms
from maxent_cli.engine.target import (
    NO_LADDER,
    Kernel,
    Ladder,
    State,
    Target,
    Trace,
    log_acceptance,
    log_base,
    log_exchange,
    log_weights,
)

SUM, MAXIMUM, MEAN, SCALE = range(4)
IDENTITY, RELU, LEAKY_RELU, ELU, SIGMOID, TANH, GELU, SILU, SOFTPLUS, EXP = range(10)

_LOWEST = np.float32(-3e38)  # and not -inf, which fast arithmetic takes for impossible
_UNBOUNDED = 1e30  # and not infinity, which times a beta of 0 is no number
_IN_STEP = 16  # changed sequences that are gone through together
_BLOCK_WEIGHTS = 2**14  # weights that stay in the first cache while the chains go through them

_accept_ratio = njit(cache=True, inline="always")(log_acceptance)
_exchange_ratio = njit(cache=True, inline="always")(log_exchange)


class Layer(NamedTuple):
    """One layer: what it computes, on (in_length, in_channels) to (out_length, out_channels).

    SUM: weights (width, in_channels, out_channels), bias (out_channels,); tap t of output o reads input
    o · stride - padding + t · dilation. SCALE: weights and bias (channels,). Pooling has no weights.
    """

    kind: int
    function: int
    in_length: int
    in_channels: int
    out_length: int
    out_channels: int
    width: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    slope: float = 0.0


class Plan(NamedTuple):
    """A stack as arrays: table (layers, 13), slopes (layers,), all weights end to end; then what the energy needs.

    feature_weights and reference are (length · channels,), position-major as the last layer's values lie in memory.
    The energy is the weighted distance from the reference, never below least_energy = 0; or, if linear, the offset
    less the weighted sum.
    """

    table: NDArray[np.int64]
    slopes: NDArray[np.float32]
    parameters: NDArray[np.float32]
    feature_weights: NDArray[np.float32]
    reference: NDArray[np.float32]
    linear: bool
    offset: float
    least_energy: float


class Chains(NamedTuple):
    """What C chains keep: (C, size) sums before and values after the pointwise functions, as they are and as proposed.

    Of the layer reached, what changes: so many (C,) values, their place in the layer and their change (C, most),
    in order of place; and the columns [first, last) (C,) that they lie in. ranges (C, layers, 2): what is new of each
    layer.
    """

    sums: NDArray[np.float32]
    values: NDArray[np.float32]
    new_sums: NDArray[np.float32]
    new_values: NDArray[np.float32]
    place: NDArray[np.int32]
    change: NDArray[np.float32]
    changes: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    ranges: NDArray[np.int64]


(_KIND, _FUNCTION, _IN_LENGTH, _IN_CHANNELS, _OUT_LENGTH, _OUT_CHANNELS, _WIDTH, _STRIDE, _PADDING, _DILATION) = range(
    10
)
_WEIGHTS, _BIAS, _PLACE = 10, 11, 12  # offsets of the layer's weights, bias and values


def make_plan(
    layers: list[tuple[Layer, NDArray[np.float32], NDArray[np.float32]]],
    feature_weights: NDArray[np.float32],
    reference: NDArray[np.float32],
    offset: float | None = None,
) -> Plan:
    """Lay the layers with their weights and biases end to end; with an offset, the energy is linear."""
    rows, parameters, size = [], [], 0
    place = layers[0][0].in_length * layers[0][0].in_channels  # the one-hot input comes first
    for layer, weights, bias in layers:
        rows.append([*layer[:-1], size, size + weights.size, place])
        parameters += [weights.ravel(), bias.ravel()]
        size += weights.size + bias.size
        place += layer.out_length * layer.out_channels
    slopes = np.array([layer.slope for layer, _, _ in layers], np.float32)
    flat = np.concatenate(parameters).astype(np.float32)
    linear = offset is not None
    least = -_UNBOUNDED if linear else 0.0
    return Plan(np.array(rows, np.int64), slopes, flat, feature_weights, reference, linear, offset or 0.0, least)


@njit(cache=True)
def _chains(count, plan):  # type: ignore[no-untyped-def]
    size, layers = plan.table[-1, _PLACE] + len(plan.reference), len(plan.table)
    floats = np.zeros((4, count, size), np.float32)
    index, change = np.zeros((count, size), np.int32), np.zeros((count, size), np.float32)
    counts, first, last = np.zeros((3, count), np.int64)
    ranges = np.zeros((count, layers, 2), np.int64)
    return Chains(floats[0], floats[1], floats[2], floats[3], index, change, counts, first, last, ranges)


@njit(cache=True, inline="always")
def _copy(to, source):  # type: ignore[no-untyped-def]
    for i in range(len(to)):
        to[i] = source[i]


@njit(cache=True)
def _function(code, slope, sums, values):  # type: ignore[no-untyped-def]
    if code == IDENTITY:
        values[:] = sums
    elif code == RELU:
        for i in range(len(sums)):
            values[i] = max(sums[i], np.float32(0))
    else:
        for i in range(len(sums)):
            values[i] = _other_function(code, slope, sums[i])


@njit(cache=True)
def _other_function(code, slope, x):  # type: ignore[no-untyped-def]
    if code == LEAKY_RELU:
        return x if x > 0 else slope * x
    if code == ELU:
        return x if x > 0 else slope * np.expm1(x)
    if code == SIGMOID:
        return 1 / (1 + np.exp(-x))
    if code == TANH:
        return np.tanh(x)
    if code == GELU:
        return x * 0.5 * (1 + math.erf(x * 0.7071067811865476))
    if code == SILU:
        return x / (1 + np.exp(-x))
    if code == SOFTPLUS:
        return max(x, 0) + np.log1p(np.exp(-abs(x)))
    return np.exp(x)


@njit(cache=True)
def _reached(row, first, last):  # type: ignore[no-untyped-def]
    """Outputs [low, high) that read an input in [first, last)."""
    if row[_KIND] == SCALE:
        return first, last
    span = (row[_WIDTH] - 1) * row[_DILATION]
    low = -((span - first - row[_PADDING]) // row[_STRIDE])
    high = (last - 1 + row[_PADDING]) // row[_STRIDE] + 1
    return max(low, 0), min(high, row[_OUT_LENGTH])


@njit(cache=True, fastmath=True)
def _add_sums(row, parameters, index, change, sums):  # type: ignore[no-untyped-def]
    """Add to sums what the changed inputs (by place in their layer) contribute."""
    channels, out, dilation = row[_IN_CHANNELS], row[_OUT_CHANNELS], row[_DILATION]
    for k in range(len(index)):
        column = index[k] // channels
        channel = index[k] - column * channels
        padded = column + row[_PADDING]
        first_tap = max(0, -((row[_OUT_LENGTH] - 1 - padded) // dilation))
        last_tap = min(row[_WIDTH], padded // dilation + 1)
        for tap in range(first_tap, last_tap):
            to = (padded - tap * dilation) * out
            at = row[_WEIGHTS] + (tap * channels + channel) * out
            # slices, so that the compiler sees indices from zero and uses vector instructions
            total, weights = sums[to : to + out], parameters[at : at + out]
            for o in range(out):
                total[o] += change[k] * weights[o]


@njit(cache=True, fastmath=True)
def _add_rows(row, parameters, index, change, start, end, sums):  # type: ignore[no-untyped-def]
    """As _add_sums into a layer with one output column, for changed inputs [start, end) of the list: row by row."""
    out, weights = row[_OUT_CHANNELS], parameters[row[_WEIGHTS] :]
    total = sums[:out]
    whole = start + (end - start) // 4 * 4
    for k in range(start, whole, 4):  # four rows at a time, to spare the sums traffic
        a0, a1, a2, a3 = index[k] * out, index[k + 1] * out, index[k + 2] * out, index[k + 3] * out
        d0, d1, d2, d3 = change[k], change[k + 1], change[k + 2], change[k + 3]
        w0, w1, w2, w3 = weights[a0 : a0 + out], weights[a1 : a1 + out], weights[a2 : a2 + out], weights[a3 : a3 + out]
        for o in range(out):
            total[o] += d0 * w0[o] + d1 * w1[o] + d2 * w2[o] + d3 * w3[o]
    for k in range(whole, end):
        at = index[k] * out
        one = weights[at : at + out]
        for o in range(out):
            total[o] += change[k] * one[o]


@njit(cache=True, fastmath=True)
def _pool(row, old, new, first, last, low, high, sums):  # type: ignore[no-untyped-def]
    """Pooled outputs [low, high) of inputs that are new in [first, last) and old elsewhere."""
    channels, maximum = row[_IN_CHANNELS], row[_KIND] == MAXIMUM
    for o in range(low, high):
        at = o * channels
        pooled = sums[at : at + channels]
        pooled[:] = _LOWEST if maximum else 0
        for tap in range(row[_WIDTH]):
            column = o * row[_STRIDE] - row[_PADDING] + tap * row[_DILATION]
            if column < 0 or column >= row[_IN_LENGTH]:
                continue
            start = column * channels
            inputs = new[start : start + channels] if first <= column < last else old[start : start + channels]
            for c in range(channels):
                if maximum:
                    pooled[c] = max(pooled[c], inputs[c])
                else:
                    pooled[c] += inputs[c] / np.float32(row[_WIDTH])


@njit(cache=True, fastmath=True)
def _scale(row, parameters, new, first, last, sums):  # type: ignore[no-untyped-def]
    channels = row[_IN_CHANNELS]
    for column in range(first, last):
        for c in range(channels):
            i = column * channels + c
            sums[i] = new[i] * parameters[row[_WEIGHTS] + c] + parameters[row[_BIAS] + c]


@njit(cache=True)
def _sum_layer(row, parameters, chains, active):  # type: ignore[no-untyped-def]
    """Sums of a SUM layer for all active chains.

    Where each input column has its own block of weights, the chains go through the blocks in step, so that a block is
    fetched once for all of them: such layers are bound by memory, not by arithmetic.
    """
    here, out = row[_PLACE], row[_OUT_CHANNELS]
    in_step = row[_OUT_LENGTH] == 1 and row[_WIDTH] > 1 and row[_WIDTH] == row[_IN_LENGTH] and row[_DILATION] == 1
    for c in active:
        low, high = _reached(row, chains.first[c], chains.last[c])
        a, b = here + low * out, here + high * out
        _copy(chains.new_sums[c, a:b], chains.sums[c, a:b])
        if not in_step:
            index, change = chains.place[c, : chains.changes[c]], chains.change[c, : chains.changes[c]]
            _add_sums(row, parameters, index, change, chains.new_sums[c, here:])
    if in_step:
        _add_blocks(row, parameters, chains, active)


@njit(cache=True)
def _add_blocks(row, parameters, chains, active):  # type: ignore[no-untyped-def]
    here, out = row[_PLACE], row[_OUT_CHANNELS]
    done = np.zeros(len(active), np.int64)
    block = max(1, _BLOCK_WEIGHTS // out)
    for end in range(block, row[_IN_LENGTH] * row[_IN_CHANNELS] + block, block):
        for a in range(len(active)):
            c = active[a]
            k, count, index = done[a], chains.changes[c], chains.place[c]
            while k < count and index[k] < end:
                k += 1
            if k > done[a]:
                _add_rows(row, parameters, index, chains.change[c], done[a], k, chains.new_sums[c, here:])
                done[a] = k


@njit(cache=True)
def _note_changes(chains, c, a, b, here):  # type: ignore[no-untyped-def]
    """List which of a chain's values [a, b) are new, without a branch: which ones change is unpredictable."""
    index, change = chains.place[c], chains.change[c]
    new, old = chains.new_values[c, a:b], chains.values[c, a:b]
    count = 0
    for i in range(b - a):
        d = new[i] - old[i]
        index[count] = a - here + i
        change[count] = d
        count += d != 0
    chains.changes[c] = count


@njit(cache=True)
def _propagate(plan, chains, active):  # type: ignore[no-untyped-def]
    """Carry the change of each active chain's input columns [first, last) through the stack, into the new_ arrays."""
    place = 0
    for layer in range(len(plan.table)):
        row = plan.table[layer]
        here = row[_PLACE]
        if row[_KIND] == SUM:
            _sum_layer(row, plan.parameters, chains, active)
        for c in active:
            first, last = chains.first[c], chains.last[c]
            low, high = _reached(row, first, last)
            values, new_values, new_sums = chains.values[c], chains.new_values[c], chains.new_sums[c]
            if row[_KIND] == SCALE:
                _scale(row, plan.parameters, new_values[place:here], first, last, new_sums[here:])
            elif row[_KIND] != SUM:
                _pool(row, values[place:here], new_values[place:here], first, last, low, high, new_sums[here:])
            a, b = here + low * row[_OUT_CHANNELS], here + high * row[_OUT_CHANNELS]
            _function(row[_FUNCTION], plan.slopes[layer], new_sums[a:b], new_values[a:b])
            if layer < len(plan.table) - 1:
                _note_changes(chains, c, a, b, here)
            chains.ranges[c, layer, 0], chains.ranges[c, layer, 1] = a, b
            chains.first[c], chains.last[c] = low, high
        place = here


@njit(cache=True)
def _keep(chains, c):  # type: ignore[no-untyped-def]
    for layer in range(chains.ranges.shape[1]):
        a, b = chains.ranges[c, layer]
        _copy(chains.sums[c, a:b], chains.new_sums[c, a:b])
        _copy(chains.values[c, a:b], chains.new_values[c, a:b])


@njit(cache=True, fastmath=True)
def _energy(plan, chains, c):  # type: ignore[no-untyped-def]
    """The energy of the last layer's values, new where its range says so."""
    here, total = plan.table[-1, _PLACE], 0.0
    first, last = chains.ranges[c, -1, 0] - here, chains.ranges[c, -1, 1] - here
    old, new = chains.values[c, here:], chains.new_values[c, here:]
    for i in range(len(plan.reference)):
        value = new[i] if first <= i < last else old[i]
        d = np.float64((value - plan.reference[i]) * plan.feature_weights[i])
        total += d if plan.linear else d * d
    return plan.offset - total if plan.linear else np.sqrt(total)


@njit(cache=True)
def _fill(plan, codes, chains, energy):  # type: ignore[no-untyped-def]
    """Build the chains' sums and values from their codes (C, L), as a change of everything from nothing."""
    for layer in range(len(plan.table)):
        row = plan.table[layer]
        if row[_KIND] == SUM:
            for i in range(row[_OUT_LENGTH] * row[_OUT_CHANNELS]):
                chains.sums[:, row[_PLACE] + i] = plan.parameters[row[_BIAS] + i % row[_OUT_CHANNELS]]
    for c in range(codes.shape[0]):
        chains.changes[c] = 0
        for p in range(codes.shape[1]):
            if codes[c, p] < 4:
                _note_letter(chains, c, 4 * p + codes[c, p], 1)
        chains.first[c], chains.last[c] = 0, codes.shape[1]
    _propagate(plan, chains, np.arange(len(codes)))
    for c in range(len(codes)):
        _keep(chains, c)
        energy[c] = _energy(plan, chains, c)


@njit(cache=True, inline="always")
def _note_letter(chains, c, place, by):  # type: ignore[no-untyped-def]
    chains.place[c, chains.changes[c]], chains.change[c, chains.changes[c]] = place, by
    chains.changes[c] += 1


@njit(cache=True)
def _propose_change(x, proposed, chains, c, maps, first, last, weights):  # type: ignore[no-untyped-def]
    """Write x' in [first, last) and list the changed letters; return whether any is, and the log-weights."""
    base_change, correction = apply(x, proposed, maps, first, last, weights)
    chains.changes[c], chains.first[c], chains.last[c] = 0, len(x), 0
    for p in range(first, last):
        if proposed[p] != x[p]:
            _note_letter(chains, c, 4 * p + x[p], -1)
            _note_letter(chains, c, 4 * p + proposed[p], 1)
            chains.first[c], chains.last[c] = min(chains.first[c], p), p + 1
    return chains.changes[c] > 0, base_change, correction


@njit(cache=True)
def _exchange(chains, codes, energy, beta, ladder, step, log_u, counts):  # type: ignore[no-untyped-def]
    """Let neighbouring rungs exchange states, even and odd pairs in turn; counts (R - 1, 2)."""
    for chain in range(len(codes) - 1):
        rung = chain % ladder.rungs
        if rung == ladder.rungs - 1 or rung % 2 != (step // ladder.every) % 2:
            continue
        counts[rung, 0] += 1
        if log_u[chain] < _exchange_ratio(beta[chain], beta[chain + 1], energy[chain], energy[chain + 1]):
            counts[rung, 1] += 1
            energy[chain], energy[chain + 1] = energy[chain + 1], energy[chain]
            for rows in (chains.sums, chains.values):
                _swap(rows[chain], rows[chain + 1])
            _swap(codes[chain], codes[chain + 1])


@njit(cache=True)
def _swap(one, other):  # type: ignore[no-untyped-def]
    for i in range(len(one)):
        one[i], other[i] = other[i], one[i]


@njit(cache=True, nogil=True)
def _run(plan, table, field, ladder, weights, keys, beta, first_step, thin, codes, trace_codes, trace_energy, counts):  # type: ignore[no-untyped-def]
    """Run some chains (C, L) in step for thin steps a draw; fills the traces and counts (M + R - 1, 2)."""
    count, length = codes.shape
    chains = _chains(count, plan)
    maps = (
        np.zeros(length, np.int64),
        np.zeros(length, np.uint8),
        np.zeros(length, np.uint8),
        np.zeros(length, np.uint8),
    )
    proposed, energy = np.zeros((count, length), np.uint8), np.zeros(count)
    moves, low, high, active = np.zeros((4, count), np.int64)
    log_u, base_change, correction = np.zeros((3, count))
    _fill(plan, codes, chains, energy)
    for step in range(trace_codes.shape[1] * thin):
        waiting = 0
        for c in range(count):
            moves[c], low[c], high[c], u = propose(keys[c], first_step + step, table, *maps)
            counts[moves[c], 0] += 1
            log_u[c] = np.log(u)
            changes, base_change[c], correction[c] = _propose_change(
                codes[c], proposed[c], chains, c, maps, low[c], high[c], weights
            )
            if changes and len(field.thresholds):
                base_change[c] += match_change(field, codes[c], proposed[c], low[c], high[c])
            if not changes:
                counts[moves[c], 1] += high[c] > low[c]  # x' = x
            # a distance is never negative, so some proposals are refused before it is known
            elif log_u[c] < _accept_ratio(base_change[c], beta[c], plan.least_energy - energy[c], correction[c]):
                active[waiting] = c
                waiting += 1
        _propagate(plan, chains, active[:waiting])
        for c in active[:waiting]:
            new_energy = _energy(plan, chains, c)
            if log_u[c] < _accept_ratio(base_change[c], beta[c], new_energy - energy[c], correction[c]):
                _keep(chains, c)
                codes[c, low[c] : high[c]] = proposed[c, low[c] : high[c]]
                energy[c] = new_energy
                counts[moves[c], 1] += 1
        if ladder.rungs > 1 and (first_step + step + 1) % ladder.every == 0:
            exchange_log_uniforms(keys, first_step + step + 1, log_u)
            pairs = counts[len(table.kind) :]
            _exchange(chains, codes, energy, beta, ladder, first_step + step + 1, log_u, pairs)
        if (step + 1) % thin == 0:
            trace_codes[:, step // thin] = codes
            trace_energy[:, step // thin] = energy


@njit(cache=True, nogil=True)
def single_changes(plan, codes, places, letters):  # type: ignore[no-untyped-def]
    """The last layer's values (M, size), position-major, of codes (L,) with one letter changed: letters (M,) at places.

    A letter that is there already changes nothing. Some changes are made in step, each to a chain of its own, so that
    weights are fetched once for all of them.
    """
    count, here = min(len(places), _IN_STEP), plan.table[-1, _PLACE]
    chains, found = _chains(count, plan), np.empty((len(places), len(plan.reference)), np.float32)
    _fill(plan, codes.copy().reshape(1, -1), chains, np.zeros(1))
    chains.sums[1:], chains.values[1:] = chains.sums[0], chains.values[0]
    for start in range(0, len(places), count):
        active = np.arange(min(count, len(places) - start))
        for c in active:
            p, letter = places[start + c], letters[start + c]
            chains.changes[c], chains.first[c], chains.last[c] = 0, p, p + 1
            if letter != codes[p]:
                if codes[p] < 4:
                    _note_letter(chains, c, 4 * p + codes[p], -1)
                _note_letter(chains, c, 4 * p + letter, 1)
        _propagate(plan, chains, active)
        for c in active:
            first, last = chains.ranges[c, -1, 0] - here, chains.ranges[c, -1, 1] - here
            _copy(found[start + c], chains.values[c, here : here + found.shape[1]])
            _copy(found[start + c, first:last], chains.new_values[c, here + first : here + last])
    return found


def incremental(plan: Plan, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER, threads: int = 1) -> Kernel:
    """A kernel that runs each chain through compiled code; plan must describe the target's energy.

    Chains of different ladders are independent, so the draws do not depend on the number of threads. The energies
    that a block reports at its end come from full passes of the target.
    """

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        table = move_table(moves, target.background, target.mutable, target.adapted)
        settled = (plan, table, _field_of(target), ladder, log_weights(target))
        codes = state.codes.numpy().copy()
        chains, length = codes.shape
        beta = np.broadcast_to(np.asarray(target.beta, float), chains)
        trace_codes, trace_energy = np.empty((chains, draws, length), np.uint8), np.empty((chains, draws))
        counts = np.zeros((threads, len(moves) + ladder.rungs - 1, 2), np.int64)

        def part(thread: int, some: slice) -> None:
            kept = trace_codes[some], trace_energy[some], counts[thread]
            _run(*settled, state.keys[some], beta[some].copy(), state.step, thin, codes[some], *kept)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(threads), _slices(chains, ladder.rungs, threads)))
        placed = torch.from_numpy(codes)
        with torch.inference_mode():
            energy, base = target.energy(placed).double(), log_base(target, placed)
        tried, accepted = counts.sum(0).T
        drift = float(np.abs(energy.numpy() - trace_energy[:, -1]).max())
        trace = Trace(trace_codes, trace_energy, tried, accepted, drift)
        return State(placed, energy, base, state.keys, state.step + draws * thin), trace

    return run


def _field_of(target: Target) -> MatchField:
    """The one constraint that the compiled chain knows."""
    if len(target.constraints) > 1 or not all(isinstance(term, MatchField) for term in target.constraints):
        raise ValueError("the compiled chain knows no constraints but a field on matches")
    return next((term for term in target.constraints if isinstance(term, MatchField)), no_field())


def _slices(chains: int, rungs: int, parts: int) -> list[slice]:
    edges = np.linspace(0, chains // rungs, parts + 1).astype(int) * rungs
    return [slice(a, b) for a, b in pairwise(edges)]
