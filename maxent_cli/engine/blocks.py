"""The incremental chain for a graphics card: a block of threads goes through one ladder's steps, exchanges and all.

What incremental.py does with one thread, from the same plan, the same tables and the same proposals, here groups of
threads do, a group a replica at a time; the threads of a group share out the outputs of each layer. Between two phases
all threads wait for each other (`barrier`). The same source is compiled for the card, and for one thread of the CPU;
and as plain Python it runs in numba's simulator of a card.

The sums of a ladder's chains lie on the chip where they fit; all else that a block works on is its own and stays in
the caches. Lists of what changes are made in order of place, each thread its stretch, so that sums come out the same
each time.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import float32, njit
from numba.extending import overload
from numpy.typing import NDArray

from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.functions import apply_function
from maxent_cli.engine.incremental import accept_ratio, exchange_ratio
from maxent_cli.engine.later_layers import LOWEST, is_linear, readers
from maxent_cli.engine.layers import (
    ADDED,
    BIAS,
    DILATION,
    FEATURES,
    FIRST,
    FUNCTION,
    IN_CHANNELS,
    IN_LENGTH,
    INPUT,
    KIND,
    MAXIMUM,
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
from maxent_cli.engine.matches import match_change
from maxent_cli.engine.proposals import apply, propose
from maxent_cli.engine.randomness import EXCHANGE_STEP, philox, uniform
from maxent_cli.engine.support import stays_inside

cuda: Any = None  # numba.cuda, put here by card.py where there is a card, or a simulator of one

REFUSED, WAITING, ACCEPTED = range(3)  # what has become of a proposal


class Work(NamedTuple):
    """What C chains are and propose, of V values each; rows and chains of a ladder are numbers within all C.

    codes, proposed (C, L); energy (C,); sums, values: what is kept of each layer, fresh_sums, fresh: what is proposed,
    (C, V); place, change (C, V): the list of what changes in a layer, ranges (C, layers, 4): what of a layer is
    proposed, and from where to where values change; listed (C, layers): how long the lists are. rows (C,): which
    row a chain has. move, low, high, fate, log_u, base_change, correction (C,): of a row's proposal. source, scale,
    offset, lost (C, L), its map, tally and part (C, lanes) are scratch.
    """

    codes: NDArray[np.uint8]
    proposed: NDArray[np.uint8]
    energy: NDArray[np.float64]
    sums: NDArray[np.float32]
    values: NDArray[np.float32]
    fresh_sums: NDArray[np.float32]
    fresh: NDArray[np.float32]
    place: NDArray[np.int32]
    change: NDArray[np.float32]
    ranges: NDArray[np.int64]
    listed: NDArray[np.int64]
    rows: NDArray[np.int64]
    move: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    fate: NDArray[np.int64]
    log_u: NDArray[np.float64]
    base_change: NDArray[np.float64]
    correction: NDArray[np.float64]
    source: NDArray[np.int64]
    scale: NDArray[np.uint8]
    offset: NDArray[np.uint8]
    lost: NDArray[np.uint8]
    tally: NDArray[np.int64]
    part: NDArray[np.float64]


class BlockResults(NamedTuple):
    """Traces codes (C, D, L) and energy (C, D), counts (C, M + 1, 2), and energies (C,) of where chains stood first."""

    codes: NDArray[np.uint8]
    energy: NDArray[np.float64]
    counts: NDArray[np.int64]
    first_energy: NDArray[np.float64]


def results_of(chains: int, draws: int, length: int, moves: int) -> BlockResults:
    """Room for what a run finds."""
    codes, energy = np.empty((chains, draws, length), np.uint8), np.empty((chains, draws))
    return BlockResults(codes, energy, np.zeros((chains, moves + 1, 2), np.int64), np.empty(chains))


class BlockRun(NamedTuple):
    """What a law and its run are to a block: the plan, moves, constraints, background, ladder, and steps."""

    plan: Any
    table: Any
    constraints: Any
    weights: NDArray[np.float64]
    replicas: int
    every: int
    first_step: int
    thin: int
    draws: int


def work_of(codes: NDArray[np.uint8], values: int, layers: int, lanes: int) -> Work:
    """Room for chains at codes (C, L), so many values and layers."""
    chains, length = codes.shape
    kinds: dict[str, Any] = {"ranges": np.int64, "place": np.int32, "tally": np.int64}
    kinds |= dict.fromkeys(("proposed", "scale", "offset", "lost"), np.uint8)
    kinds |= dict.fromkeys(("sums", "values", "fresh_sums", "fresh", "change"), np.float32)
    kinds |= dict.fromkeys(("listed", "move", "low", "high", "fate", "source"), np.int64)
    wide: dict[str, tuple[int, ...]] = dict.fromkeys(("proposed", "source", "scale", "offset", "lost"), (length,))
    wide |= dict.fromkeys(("sums", "values", "fresh_sums", "fresh", "place", "change"), (values,))
    wide |= {"ranges": (layers, 4), "listed": (layers,), "tally": (lanes,), "part": (lanes,)}
    left = [name for name in Work._fields if name not in ("codes", "rows")]
    empty = {name: np.zeros((chains, *wide.get(name, ())), kinds.get(name, np.float64)) for name in left}
    return Work(codes=codes.copy(), rows=np.arange(chains), **empty)


def barrier() -> None:
    """Wait for the other threads of the block; the one thread of a CPU has none."""
    cuda.syncthreads()


@overload(barrier)
def _alone():  # type: ignore[no-untyped-def]
    return lambda: None


@uncounted()
def _ask(given, work, r, key, beta, step, counts):  # type: ignore[no-untyped-def]
    """Draw a row's proposal, and refuse it where it could not be accepted whatever its energy; counts (M + 1, 2)."""
    x, proposed, maps = work.codes[r], work.proposed[r], (work.source[r], work.scale[r], work.offset[r], work.lost[r])
    move, low, high, u = propose(key, step, given.table, *maps)
    log_u = math.log(u)
    base_change, correction = apply(x, proposed, maps, low, high, given.weights)
    work.move[r], work.low[r], work.high[r], work.fate[r] = move, low, high, REFUSED
    work.log_u[r], work.correction[r] = log_u, correction
    counts[move, 0] += 1
    differs = False
    for p in range(low, high):
        differs |= proposed[p] != x[p]
    if not differs:
        counts[move, 1] += high > low  # x' = x
        return
    if not stays_inside(given.constraints.support, x, proposed, low, high):
        return
    if len(given.constraints.field.thresholds):
        base_change += match_change(given.constraints.field, x, proposed, low, high)
    work.base_change[r] = base_change
    if log_u < accept_ratio(base_change, beta, given.plan.least_energy - work.energy[r], correction):
        work.fate[r] = WAITING


@uncounted()
def _first_range(row, low, high):  # type: ignore[no-untyped-def]
    """Outputs [low, high) of a first layer that letters [low, high) reach."""
    span = (row[WIDTH] - 1) * row[DILATION] + 1
    first, last = max(low + row[PADDING] - span + 1, 0), min(high + row[PADDING], row[OUT_LENGTH])
    return first, max(first, last)


@uncounted()
def _later_range(plan, work, layer, r):  # type: ignore[no-untyped-def]
    """Outputs [low, high) of a later layer that changed values reach: of the layer that it reads, and of one added."""
    row, read = plan.table[layer], plan.table[layer, INPUT]
    a, b = work.ranges[r, read, 2], work.ranges[r, read, 3]
    low, high = 0, 0
    if a < b:
        first, last = a // row[IN_CHANNELS], (b - 1) // row[IN_CHANNELS]
        if row[KIND] == SCALE:
            low, high = first, last + 1
        else:
            low, high = readers(row, first)[0], readers(row, last)[1]
    if row[ADDED] != NOTHING:
        a, b = work.ranges[r, row[ADDED], 2], work.ranges[r, row[ADDED], 3]
        if a < b:
            first, last = a // row[OUT_CHANNELS], (b - 1) // row[OUT_CHANNELS] + 1
            low, high = (first, last) if low >= high else (min(low, first), max(high, last))
    return low, max(low, high)


@uncounted()
def _value(plan, work, layer, r, i):  # type: ignore[no-untyped-def]
    """A layer's value as it is proposed."""
    at = plan.table[layer, PLACE] + i
    return work.fresh[r, at] if work.ranges[r, layer, 0] <= i < work.ranges[r, layer, 1] else work.values[r, at]


@uncounted()
def _from_letters(plan, work, row, r, o, c, everything):  # type: ignore[no-untyped-def]
    """What changed letters add to a first layer's sum."""
    span, total = (row[WIDTH] - 1) * row[DILATION] + 1, np.float32(0)
    for p in range(max(work.low[r], o - row[PADDING]), min(work.high[r], o - row[PADDING] + span)):
        old, new = np.int64(work.codes[r, p]), np.int64(work.proposed[r, p])
        if everything:
            old, new = np.int64(4), old
        if old != new:
            at = row[WEIGHTS] + (o - (p + row[PADDING] + 1 - span)) * row[OUT_CHANNELS] + c
            total += plan.letters[new, at] - plan.letters[old, at]
    return total


@uncounted()
def _from_list(plan, work, row, r, o, c):  # type: ignore[no-untyped-def]
    """What the list of changed values adds to the sum of a convolution or linear layer."""
    count, channels, out = work.listed[r, row[INPUT]], row[IN_CHANNELS], row[OUT_CHANNELS]
    before = plan.table[row[INPUT], PLACE]
    total = np.float32(0)
    if is_linear(row):
        for k in range(count):
            total += work.change[r, before + k] * plan.parameters[row[WEIGHTS] + work.place[r, before + k] * out + c]
        return total
    first, dilation, width = o - row[PADDING], row[DILATION], row[WIDTH]
    end, k, step = (first + (width - 1) * dilation + 1) * channels, 0, count
    while step > 0:  # the first that is read
        half = step // 2
        if work.place[r, before + k + half] < first * channels:
            k, step = k + half + 1, step - half - 1
        else:
            step = half
    while k < count and work.place[r, before + k] < end:
        column = work.place[r, before + k] // channels
        channel, behind = work.place[r, before + k] - column * channels, column - first
        if behind % dilation == 0:
            tap = width - 1 - behind // dilation  # weights lie by output, from the first that reads the input
            total += work.change[r, before + k] * plan.parameters[row[WEIGHTS] + (channel * width + tap) * out + c]
        k += 1
    return total


@uncounted()
def _changed_columns(work, row, r, o):  # type: ignore[no-untyped-def]
    """Columns [low, high) that an output of pooling reads and that may change."""
    first = o * row[STRIDE] - row[PADDING]
    a, b = work.ranges[r, row[INPUT], 2], work.ranges[r, row[INPUT], 3]
    low, high = max(first, a // row[IN_CHANNELS]), min(first + (row[WIDTH] - 1) * row[DILATION] + 1, row[IN_LENGTH])
    return first, low, min(high, (b + row[IN_CHANNELS] - 1) // row[IN_CHANNELS])


@uncounted()
def _mean(plan, work, row, r, o, c):  # type: ignore[no-untyped-def]
    """What changed values add to a mean."""
    _, low, high = _changed_columns(work, row, r, o)
    before, total = plan.table[row[INPUT], PLACE], np.float32(0)
    for column in range(low, high):
        i = column * row[IN_CHANNELS] + c
        total += _value(plan, work, row[INPUT], r, i) - work.values[r, before + i]
    return total / np.float32(row[WIDTH])


@uncounted()
def _maximum(plan, work, row, r, o, c, greatest, everything):  # type: ignore[no-untyped-def]
    """The greatest input, if `greatest` was that; looked for among all only where that one has fallen."""
    first, low, high = _changed_columns(work, row, r, o)
    before, fallen = plan.table[row[INPUT], PLACE], everything
    for column in range(low, high):
        if (column - first) % row[DILATION] == 0:
            i = column * row[IN_CHANNELS] + c
            new, old = _value(plan, work, row[INPUT], r, i), work.values[r, before + i]
            fallen |= old >= greatest and new < old
    found = np.float32(LOWEST) if fallen else greatest
    begin, end = (max(first, 0), min(first + (row[WIDTH] - 1) * row[DILATION] + 1, row[IN_LENGTH]))
    for column in range(begin if fallen else low, end if fallen else high):
        if (column - first) % row[DILATION] == 0:
            found = max(found, _value(plan, work, row[INPUT], r, column * row[IN_CHANNELS] + c))
    return found


@uncounted()
def _sum_at(plan, work, layer, r, i, kept, everything):  # type: ignore[no-untyped-def]
    """The sum of a layer's output as it is proposed, where `kept` is what it was."""
    row = plan.table[layer]
    o, c = i // row[OUT_CHANNELS], i % row[OUT_CHANNELS]
    if row[FIRST]:
        return kept + _from_letters(plan, work, row, r, o, c, everything)
    if row[KIND] == SUM:
        return kept + _from_list(plan, work, row, r, o, c)
    if row[KIND] == SCALE:
        return _value(plan, work, row[INPUT], r, i) * plan.parameters[row[WEIGHTS] + c] + plan.parameters[row[BIAS] + c]
    if row[KIND] == MEAN:
        return kept + _mean(plan, work, row, r, o, c)
    return _maximum(plan, work, row, r, o, c, kept, everything)


@uncounted()
def _change(plan, work, sums, begin, layer, r, everything, lane, lanes):  # type: ignore[no-untyped-def]
    """A row's proposed sums and values in a layer; sums (R, V), flat, of the ladder whose chains begin at `begin`."""
    row, here, size = plan.table[layer], plan.table[layer, PLACE], work.values.shape[1]
    if everything:
        low, high = np.int64(0), row[OUT_LENGTH]
    elif row[FIRST]:
        low, high = _first_range(row, work.low[r], work.high[r])
    else:
        low, high = _later_range(plan, work, layer, r)
    a, b = low * row[OUT_CHANNELS], high * row[OUT_CHANNELS]
    for i in range(a + lane, b, lanes):
        at = here + i
        work.fresh_sums[r, at] = _sum_at(plan, work, layer, r, i, sums[(r - begin) * size + at], everything)
        one = slice(at, at + 1)
        apply_function(row[FUNCTION], plan.slopes[layer], work.fresh_sums[r, one], work.fresh[r, one])
        if row[ADDED] != NOTHING:
            work.fresh[r, at] += _value(plan, work, row[ADDED], r, i)
    if lane == 0:
        work.ranges[r, layer, 0], work.ranges[r, layer, 1] = a, b


@uncounted()
def _stretch(work, layer, r, lane, lanes):  # type: ignore[no-untyped-def]
    """The part of a layer's range that a thread looks through."""
    a, b = work.ranges[r, layer, 0], work.ranges[r, layer, 1]
    each = (b - a + lanes - 1) // lanes
    return min(a + lane * each, b), min(a + (lane + 1) * each, b)


@uncounted()
def _count(plan, work, layer, r, lane, lanes):  # type: ignore[no-untyped-def]
    """How many values change in a thread's stretch."""
    here, found = plan.table[layer, PLACE], 0
    first, last = _stretch(work, layer, r, lane, lanes)
    for i in range(here + first, here + last):
        found += work.fresh[r, i] != work.values[r, i]
    work.tally[r, lane] = found


@uncounted()
def _list(plan, work, layer, r, lane, lanes):  # type: ignore[no-untyped-def]
    """A thread's part of the list, behind those of the threads before; the last one notes how long it is."""
    here, k = plan.table[layer, PLACE], 0
    for other in range(lane):
        k += work.tally[r, other]
    first, last = _stretch(work, layer, r, lane, lanes)
    for i in range(first, last):
        if work.fresh[r, here + i] != work.values[r, here + i]:
            work.place[r, here + k], work.change[r, here + k] = i, work.fresh[r, here + i] - work.values[r, here + i]
            k += 1
    if lane == lanes - 1:
        work.listed[r, layer] = k


@uncounted()
def _end_list(plan, work, layer, r):  # type: ignore[no-untyped-def]
    """Note from where to where values change."""
    here, k = plan.table[layer, PLACE], work.listed[r, layer]
    work.ranges[r, layer, 2] = work.place[r, here] if k else 0
    work.ranges[r, layer, 3] = work.place[r, here + k - 1] + 1 if k else 0


@uncounted()
def _propagate(given, work, sums, begin, everything, lane, lanes, group, groups):  # type: ignore[no-untyped-def]
    """Carry the changed letters of the ladder's waiting rows through the stack."""
    plan = given.plan
    for layer in range(len(plan.table)):
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == WAITING:
                _change(plan, work, sums, begin, layer, r, everything, lane, lanes)
        barrier()
        if plan.table[layer, FEATURES] != NOTHING:
            continue
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == WAITING:
                _count(plan, work, layer, r, lane, lanes)
        barrier()
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == WAITING:
                _list(plan, work, layer, r, lane, lanes)
        barrier()
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == WAITING and lane == 0:
                _end_list(plan, work, layer, r)
        barrier()


@uncounted()
def _add_energy(plan, work, r, lane, lanes):  # type: ignore[no-untyped-def]
    """A thread's part of a row's proposed energy."""
    total = 0.0
    for layer in range(len(plan.table)):
        first = plan.table[layer, FEATURES]
        if first != NOTHING:
            for i in range(lane, plan.table[layer, OUT_LENGTH] * plan.table[layer, OUT_CHANNELS], lanes):
                away = _value(plan, work, layer, r, i) - plan.reference[first + i]
                term = np.float64(away * plan.feature_weights[first + i])
                total += term if plan.linear else term * term
    work.part[r, lane] = total


@uncounted()
def _energy(plan, work, r, lanes):  # type: ignore[no-untyped-def]
    """A row's proposed energy, of the threads' parts."""
    total = 0.0
    for lane in range(lanes):
        total += work.part[r, lane]
    value = plan.offset - total if plan.linear else math.sqrt(total)
    return value * value if plan.squared else value


@uncounted()
def _decide(given, work, r, beta, lanes, counts):  # type: ignore[no-untyped-def]
    energy = _energy(given.plan, work, r, lanes)
    ratio = accept_ratio(work.base_change[r], beta, energy - work.energy[r], work.correction[r])
    if work.log_u[r] < ratio:
        work.fate[r], work.energy[r] = ACCEPTED, energy
        counts[work.move[r], 1] += 1


@uncounted()
def _keep(plan, work, sums, begin, r, lane, lanes):  # type: ignore[no-untyped-def]
    """Write to what is kept what an accepted row proposes."""
    size = work.values.shape[1]
    for layer in range(len(plan.table)):
        here = plan.table[layer, PLACE]
        for i in range(here + work.ranges[r, layer, 0] + lane, here + work.ranges[r, layer, 1], lanes):
            sums[(r - begin) * size + i] = work.fresh_sums[r, i]
            work.values[r, i] = work.fresh[r, i]
    for p in range(work.low[r] + lane, work.high[r], lanes):
        work.codes[r, p] = work.proposed[r, p]


@uncounted()
def _fill(given, work, sums, begin, lane, lanes, group, groups):  # type: ignore[no-untyped-def]
    """Build what the ladder's chains keep from their codes, as a change of everything from nothing."""
    plan, size = given.plan, work.values.shape[1]
    for r in range(begin + group, begin + given.replicas, groups):
        for layer in range(len(plan.table)):
            row = plan.table[layer]
            for i in range(lane, row[OUT_LENGTH] * row[OUT_CHANNELS], lanes):
                at = (r - begin) * size + row[PLACE] + i
                sums[at] = plan.parameters[row[BIAS] + i % row[OUT_CHANNELS]] if row[KIND] == SUM else 0
                if row[KIND] == MAXIMUM:
                    sums[at] = LOWEST
                work.values[r, row[PLACE] + i] = 0
        for p in range(lane, work.codes.shape[1], lanes):
            work.proposed[r, p] = work.codes[r, p]
        if lane == 0:
            work.fate[r], work.low[r], work.high[r] = WAITING, 0, work.codes.shape[1]
    barrier()
    _propagate(given, work, sums, begin, True, lane, lanes, group, groups)
    for r in range(begin + group, begin + given.replicas, groups):
        _add_energy(plan, work, r, lane, lanes)
    barrier()
    for r in range(begin + group, begin + given.replicas, groups):
        _keep(plan, work, sums, begin, r, lane, lanes)
        if lane == 0:
            work.energy[r] = _energy(plan, work, r, lanes)
    barrier()


@uncounted()
def _exchange(given, work, begin, keys, beta, step, counts):  # type: ignore[no-untyped-def]
    """Let the ladder's neighbouring replicas exchange states, even and odd pairs in turn; counts (C, M + 1, 2)."""
    for chain in range(begin, begin + given.replicas - 1):
        if (chain - begin) % 2 != (step // given.every) % 2:
            continue
        counts[chain, counts.shape[1] - 1, 0] += 1
        log_u = math.log(uniform(philox(keys[chain], EXCHANGE_STEP + step, 0)[0]))
        here, there = work.rows[chain], work.rows[chain + 1]
        if log_u < exchange_ratio(beta[chain], beta[chain + 1], work.energy[here], work.energy[there]):
            counts[chain, counts.shape[1] - 1, 1] += 1
            work.rows[chain], work.rows[chain + 1] = there, here


@uncounted()
def _any_waiting(given, work, begin):  # type: ignore[no-untyped-def]
    waiting = False
    for r in range(begin, begin + given.replicas):
        waiting |= work.fate[r] == WAITING
    return waiting


@uncounted()
def _step(given, work, sums, begin, keys, beta, step, counts, lane, lanes, group, groups):  # type: ignore[no-untyped-def]
    """One step of a ladder's chains."""
    for chain in range(begin + group, begin + given.replicas, groups):
        if lane == 0:
            _ask(given, work, work.rows[chain], keys[chain], beta[chain], step, counts[chain])
    barrier()
    if _any_waiting(given, work, begin):  # which all threads see alike
        _propagate(given, work, sums, begin, False, lane, lanes, group, groups)
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == WAITING:
                _add_energy(given.plan, work, r, lane, lanes)
        barrier()
        for chain in range(begin + group, begin + given.replicas, groups):
            if lane == 0 and work.fate[work.rows[chain]] == WAITING:
                _decide(given, work, work.rows[chain], beta[chain], lanes, counts[chain])
        barrier()
        for r in range(begin + group, begin + given.replicas, groups):
            if work.fate[r] == ACCEPTED:
                _keep(given.plan, work, sums, begin, r, lane, lanes)
    barrier()
    if given.replicas > 1 and (step + 1) % given.every == 0:
        if lane == 0 and group == 0:
            _exchange(given, work, begin, keys, beta, step + 1, counts)
        barrier()


@uncounted()
def _run(given, work, sums, begin, keys, beta, results, lane, lanes, group, groups):  # type: ignore[no-untyped-def]
    """All steps of the ladder whose chains begin at `begin`; fills its part of the results."""
    trace_codes, trace_energy, counts, first_energy = results
    _fill(given, work, sums, begin, lane, lanes, group, groups)
    for chain in range(begin + group, begin + given.replicas, groups):
        if lane == 0:
            first_energy[chain] = work.energy[chain]
    for done in range(given.draws * given.thin):
        step = given.first_step + done
        _step(given, work, sums, begin, keys, beta, step, counts, lane, lanes, group, groups)
        if (done + 1) % given.thin == 0:
            draw = (done + 1) // given.thin - 1
            for chain in range(begin + group, begin + given.replicas, groups):
                for p in range(lane, work.codes.shape[1], lanes):
                    trace_codes[chain, draw, p] = work.codes[work.rows[chain], p]
                if lane == 0:
                    trace_energy[chain, draw] = work.energy[work.rows[chain]]
            barrier()  # before the next step changes them


def on_card(given, work, on_chip, keys, beta, results):  # type: ignore[no-untyped-def]
    """What a block of the card does, for its ladder; on_chip: whether the ladder's sums fit there."""
    begin, size = cuda.blockIdx.x * given.replicas, given.replicas * work.values.shape[1]
    sums = work.sums.reshape(-1)[begin * work.values.shape[1] :][:size]
    if on_chip:
        sums = cuda.shared.array(0, float32)[:size]
    place = cuda.threadIdx.x, cuda.blockDim.x, cuda.threadIdx.y, cuda.blockDim.y
    _run(given, work, sums, begin, keys, beta, results, *place)


@njit(cache=True, nogil=True)
def alone(given, work, keys, beta, results):  # type: ignore[no-untyped-def]
    """What a card does, by one thread, a ladder after another."""
    size = work.values.shape[1]
    for begin in range(0, len(keys), given.replicas):
        sums = work.sums.reshape(-1)[begin * size : (begin + given.replicas) * size]
        _run(given, work, sums, begin, keys, beta, results, 0, 1, 0, 1)
