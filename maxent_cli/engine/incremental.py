"""The compiled chain: a changed letter updates only the activations that it touches.

For stacks of convolutions (stride 1), pointwise functions, pooling, linear layers and LSTMs; several lie side by side,
and one energy reads the ends of all. A linear layer is a convolution as wide as its input. Each chain keeps, for every
layer, its sums before and its values after the pointwise function. A proposal lists which values it changes, layer by
layer, and the lists are written to what is kept only if it is accepted. Differences that are zero, as most are behind a
ReLU, cost next to nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from maxent_cli.engine.activations import copy, empty_chains, note_outputs
from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.first_layer import change_letters, keep_letters
from maxent_cli.engine.later_layers import LOWEST, change_layer
from maxent_cli.engine.layers import (
    BIAS,
    FEATURES,
    FIRST,
    KIND,
    LSTM,
    MAXIMUM,
    NOTHING,
    OUT_CHANNELS,
    OUT_LENGTH,
    PLACE,
    SUM,
    Plan,
)
from maxent_cli.engine.matches import MatchField, match_change, no_field
from maxent_cli.engine.proposals import Move, apply, move_table, propose
from maxent_cli.engine.randomness import exchange_log_uniforms
from maxent_cli.engine.recurrent import change_states
from maxent_cli.engine.support import Support, no_support, stays_inside
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

_IN_STEP = 16  # changed sequences that are gone through together

accept_ratio = njit(cache=True, inline="always")(log_acceptance)
exchange_ratio = njit(cache=True, inline="always")(log_exchange)


@uncounted()
def _propagate(plan, chains, everything, active):  # type: ignore[no-untyped-def]
    """Carry the changed letters of the active chains through the stack, into what is proposed."""
    for layer in range(len(plan.table)):
        if plan.table[layer, FIRST]:
            change_letters(plan, chains, layer, everything, active)
        elif plan.table[layer, KIND] == LSTM:
            change_states(plan, chains, layer, active)
        else:
            change_layer(plan, chains, layer, everything, active)
            note_outputs(plan, chains, layer, everything, active)


@uncounted()
def _keep(plan, chains, accepted):  # type: ignore[no-untyped-def]
    """Write to what is kept what the accepted chains propose."""
    for c in accepted:
        for layer in range(len(plan.table)):
            here = plan.table[layer, PLACE]
            a, b = here + chains.ranges[c, layer, 0], here + chains.ranges[c, layer, 1]
            if plan.table[layer, FIRST]:
                keep_letters(plan, chains, c, layer)
            else:
                copy(chains.sums[c, a:b], chains.proposed[c, a:b])
            if plan.table[layer, FEATURES] != NOTHING:
                copy(chains.values[c, a:b], chains.fresh[c, a:b])
                continue
            for k in range(here, here + chains.counts[c, layer]):
                chains.values[c, here + chains.place[c, k]] = chains.fresh[c, k]


@uncounted(fastmath=True)
def _weighted(linear, values, reference, weights):  # type: ignore[no-untyped-def]
    """Sum of the weighted differences from the reference; of their squares unless linear."""
    total = np.float32(0)
    if linear:
        for i in range(len(values)):
            total += (values[i] - reference[i]) * weights[i]
    else:
        for i in range(len(values)):
            d = (values[i] - reference[i]) * weights[i]
            total += d * d
    return np.float64(total)


@uncounted()
def _energies(plan, chains, active, energy):  # type: ignore[no-untyped-def]
    """Fill the energies of the active chains: of the last layers' values, new where their ranges say so."""
    for c in active:
        total = 0.0
        for layer in range(len(plan.table)):
            first, here = plan.table[layer, FEATURES], plan.table[layer, PLACE]
            if first == NOTHING:
                continue
            size = plan.table[layer, OUT_LENGTH] * plan.table[layer, OUT_CHANNELS]
            a, b = chains.ranges[c, layer]
            reference, weights = plan.reference[first : first + size], plan.feature_weights[first : first + size]
            values, fresh = chains.values[c, here : here + size], chains.fresh[c, here : here + size]
            total += _weighted(plan.linear, fresh[a:b], reference[a:b], weights[a:b])
            if b - a < size:
                total += _weighted(plan.linear, values[:a], reference[:a], weights[:a])
                total += _weighted(plan.linear, values[b:], reference[b:], weights[b:])
        value = plan.offset - total if plan.linear else np.sqrt(total)
        energy[c] = value * value if plan.squared else value


@njit(cache=True)
def fill(plan, codes, chains, energy):  # type: ignore[no-untyped-def]
    """Build what the chains keep from their codes (C, L), as a change of everything from nothing."""
    chains.values[:] = 0
    for row in plan.table:
        channels, here = row[OUT_CHANNELS], row[PLACE]
        for i in range(row[OUT_LENGTH] * channels):
            if row[KIND] == SUM:
                chains.sums[:, here + i] = plan.parameters[row[BIAS] + i % channels]
            else:
                chains.sums[:, here + i] = LOWEST if row[KIND] == MAXIMUM else 0
    for c in range(codes.shape[0]):
        chains.number[c] = 0
        for p in range(codes.shape[1]):
            _note_letter(chains, c, p, 4, codes[c, p])
    active = np.arange(len(codes))
    _propagate(plan, chains, True, active)
    _energies(plan, chains, active, energy)
    _keep(plan, chains, active)


@uncounted(inline="always")
def _note_letter(chains, c, p, old, new):  # type: ignore[no-untyped-def]
    letter = chains.letters[c, chains.number[c]]
    letter[0], letter[1], letter[2] = p, old, new
    chains.number[c] += 1


@uncounted(inline="always")
def _note_changes(chains, r, x, proposed, low, high):  # type: ignore[no-untyped-def]
    """List the letters that differ in a window; return whether any does."""
    chains.number[r] = 0
    for p in range(low, high):
        if proposed[p] != x[p]:
            _note_letter(chains, r, p, x[p], proposed[p])
    return chains.number[r] > 0


@uncounted()
def _exchange(rows, energy, beta, ladder, step, log_u, counts):  # type: ignore[no-untyped-def]
    """Let neighbouring replicas exchange states, even and odd pairs in turn; counts (R - 1, 2)."""
    for chain in range(len(rows) - 1):
        replica = chain % ladder.replicas
        if replica == ladder.replicas - 1 or replica % 2 != (step // ladder.every) % 2:
            continue
        counts[replica, 0] += 1
        here, there = rows[chain], rows[chain + 1]
        if log_u[chain] < exchange_ratio(beta[chain], beta[chain + 1], energy[here], energy[there]):
            counts[replica, 1] += 1
            rows[chain], rows[chain + 1] = there, here


class Walk(NamedTuple):
    """Where C chains stand, and what they propose.

    codes, proposed (C, L) and energies (C,) lie in rows; rows (C,) says which chain has which, so that an exchange
    moves nothing. Of each chain's proposal (C,): its move, the window [low, high), and numbers that decide on it.
    maps (L,) and queues (3, C), of what waits for its energy, are scratch.
    """

    codes: NDArray[np.uint8]
    proposed: NDArray[np.uint8]
    energy: NDArray[np.float64]
    new_energy: NDArray[np.float64]
    rows: NDArray[np.int64]
    moves: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    log_u: NDArray[np.float64]
    base_change: NDArray[np.float64]
    correction: NDArray[np.float64]
    maps: tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
    queues: NDArray[np.int64]


@njit(cache=True)
def walk_of(codes):  # type: ignore[no-untyped-def]
    count, length = codes.shape
    maps = (
        np.zeros(length, np.int64),
        np.zeros(length, np.uint8),
        np.zeros(length, np.uint8),
        np.zeros(length, np.uint8),
    )
    numbers, places = np.zeros((5, count)), np.zeros((6, count), np.int64)
    return Walk(
        codes,
        np.zeros((count, length), np.uint8),
        numbers[0],
        numbers[1],
        np.arange(count),
        places[0],
        places[1],
        places[2],
        numbers[2],
        numbers[3],
        numbers[4],
        maps,
        places[3:],
    )


@uncounted()
def _propose(plan, chains, walk, table, constraints, weights, keys, beta, step, counts):  # type: ignore[no-untyped-def]
    """Draw each chain's proposal; return how many rows and chains wait in the queues for an energy."""
    waiting = 0
    for c in range(len(walk.rows)):
        r = walk.rows[c]
        x, proposed = walk.codes[r], walk.proposed[r]
        move, low, high, u = propose(keys[c], step, table, *walk.maps)
        counts[move, 0] += 1
        log_u = np.log(u)
        base_change, correction = apply(x, proposed, walk.maps, low, high, weights)
        if not _note_changes(chains, r, x, proposed, low, high):
            counts[move, 1] += high > low  # x' = x
            continue
        if not stays_inside(constraints.support, x, proposed, low, high):
            continue
        if len(constraints.field.thresholds):
            base_change += match_change(constraints.field, x, proposed, low, high)
        # a distance is never negative, so some proposals are refused before it is known
        if log_u < accept_ratio(base_change, beta[c], plan.least_energy - walk.energy[r], correction):
            walk.moves[c], walk.low[c], walk.high[c] = move, low, high
            walk.log_u[c], walk.base_change[c], walk.correction[c] = log_u, base_change, correction
            walk.queues[0, waiting], walk.queues[1, waiting] = r, c
            waiting += 1
    return waiting


@uncounted()
def _decide(walk, beta, waiting, counts):  # type: ignore[no-untyped-def]
    """Take over the codes and energies of what is accepted; return how many rows are, in the last queue."""
    taken = 0
    for k in range(waiting):
        r, c = walk.queues[0, k], walk.queues[1, k]
        change = walk.new_energy[r] - walk.energy[r]
        if walk.log_u[c] < accept_ratio(walk.base_change[c], beta[c], change, walk.correction[c]):
            for p in range(walk.low[c], walk.high[c]):
                walk.codes[r, p] = walk.proposed[r, p]
            walk.energy[r] = walk.new_energy[r]
            counts[walk.moves[c], 1] += 1
            walk.queues[2, taken] = r
            taken += 1
    return taken


@uncounted()
def advance(plan, chains, walk, table, constraints, weights, keys, beta, step, counts):  # type: ignore[no-untyped-def]
    """One step of all chains."""
    waiting = _propose(plan, chains, walk, table, constraints, weights, keys, beta, step, counts)
    _propagate(plan, chains, False, walk.queues[0, :waiting])
    _energies(plan, chains, walk.queues[0, :waiting], walk.new_energy)
    taken = _decide(walk, beta, waiting, counts)
    _keep(plan, chains, walk.queues[2, :taken])


@njit(cache=True, nogil=True)
def _run(plan, table, kept, ladder, weights, keys, beta, first_step, thin, codes, trace_codes, trace_energy, counts):  # type: ignore[no-untyped-def]
    """Run some chains (C, L) in step for thin steps a draw; fills the traces and counts (M + R - 1, 2)."""
    count, length = codes.shape
    chains, walk, log_u = empty_chains(count, length, plan), walk_of(codes), np.zeros(count)
    fill(plan, codes, chains, walk.energy)
    for step in range(first_step, first_step + trace_codes.shape[1] * thin):
        advance(plan, chains, walk, table, kept, weights, keys, beta, step, counts)
        if ladder.replicas > 1 and (step + 1) % ladder.every == 0:
            exchange_log_uniforms(keys, step + 1, log_u)
            _exchange(walk.rows, walk.energy, beta, ladder, step + 1, log_u, counts[len(table.kind) :])
        done = step + 1 - first_step
        if done % thin == 0:
            for c in range(count):
                trace_codes[c, done // thin - 1] = codes[walk.rows[c]]
                trace_energy[c, done // thin - 1] = walk.energy[walk.rows[c]]


@njit(cache=True, nogil=True)
def last_values(plan, codes):  # type: ignore[no-untyped-def]
    """The last layers' values (M, size), position-major, and the energies (M,) of codes (M, L)."""
    chains, found, energy = (
        empty_chains(1, codes.shape[1], plan),
        np.empty((len(codes), len(plan.reference)), np.float32),
        np.zeros(len(codes)),
    )
    for row in range(len(codes)):
        fill(plan, codes[row : row + 1], chains, energy[row : row + 1])
        for last in plan.table:
            if last[FEATURES] != NOTHING:
                size, here = last[OUT_LENGTH] * last[OUT_CHANNELS], last[PLACE]
                copy(found[row, last[FEATURES] : last[FEATURES] + size], chains.values[0, here : here + size])
    return found, energy


@njit(cache=True, nogil=True)
def single_changes(plan, codes, places, letters):  # type: ignore[no-untyped-def]
    """The last layers' values (M, size), position-major, of codes (L,) with one letter changed: letters (M,) at places.

    A letter that is there already changes nothing. Some changes are made in step, each to a chain of its own, so that
    weights are fetched once for all of them.
    """
    count = min(len(places), _IN_STEP)
    chains, found = empty_chains(count, len(codes), plan), np.empty((len(places), len(plan.reference)), np.float32)
    fill(plan, codes.copy().reshape(1, -1), chains, np.zeros(1))
    chains.sums[1:], chains.values[1:] = chains.sums[0], chains.values[0]
    for start in range(0, len(places), count):
        active = np.arange(min(count, len(places) - start))
        for c in active:
            chains.number[c] = 0
            _note_letter(chains, c, places[start + c], codes[places[start + c]], letters[start + c])
        _propagate(plan, chains, False, active)
        for layer in range(len(plan.table)):
            if plan.table[layer, FEATURES] == NOTHING:
                continue
            to, here = plan.table[layer, FEATURES], plan.table[layer, PLACE]
            size = plan.table[layer, OUT_LENGTH] * plan.table[layer, OUT_CHANNELS]
            for c in active:
                first, last = chains.ranges[c, layer]
                copy(found[start + c, to : to + size], chains.values[c, here : here + size])
                copy(found[start + c, to + first : to + last], chains.fresh[c, here + first : here + last])
    return found


@njit(cache=True, nogil=True)
def letter_energies(plan, codes, place):  # type: ignore[no-untyped-def]
    """The energies (M, 4) of codes (M, L) with each letter at a place, all four found in the same way."""
    found, most = np.empty((len(codes), 4)), min(len(codes), _IN_STEP)
    chains, energy = empty_chains(most, codes.shape[1], plan), np.zeros(most)
    for start in range(0, len(codes), most):
        some = codes[start : start + most]
        fill(plan, some, chains, energy)
        active = np.arange(len(some))
        for letter in range(4):
            for c in active:
                chains.number[c] = 0
                _note_letter(chains, c, place, some[c, place], letter)
            _propagate(plan, chains, False, active)
            _energies(plan, chains, active, energy)
            found[start : start + len(some), letter] = energy[: len(some)]
    return found


def compiled_chain(plan: Plan, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER, threads: int = 1) -> Kernel:
    """A kernel that runs each chain through compiled code; plan must describe the target's energy.

    Chains of different ladders are independent, so the draws do not depend on the number of threads. At the end of a
    block the energies of one ladder, of another each time, are compared with full passes of the target.
    """

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        table = move_table(moves, target.background, target.mutable, target.adapted)
        settled = (plan, table, constraints_of(target), ladder, log_weights(target))
        codes = state.codes.numpy().copy()
        chains, length = codes.shape
        beta = np.broadcast_to(np.asarray(target.beta, float), chains)
        trace_codes, trace_energy = np.empty((chains, draws, length), np.uint8), np.empty((chains, draws))
        counts = np.zeros((threads, len(moves) + ladder.replicas - 1, 2), np.int64)

        def part(thread: int, some: slice) -> None:
            kept = trace_codes[some], trace_energy[some], counts[thread]
            _run(*settled, state.keys[some], beta[some].copy(), state.step, thin, codes[some], *kept)

        parts = slices(chains, ladder.replicas, threads)
        if threads == 1:
            part(0, parts[0])
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, range(threads), parts))
        placed, energy = torch.from_numpy(trace_codes[:, -1].copy()), torch.from_numpy(trace_energy[:, -1].copy())
        start = state.step // (draws * thin) * ladder.replicas % chains
        ladder_of = slice(start, start + ladder.replicas)
        with torch.inference_mode():
            passed, base = target.energy(placed[ladder_of]).double(), log_base(target, placed)
        tried, accepted = counts.sum(0).T
        drift = float((passed - energy[ladder_of]).abs().max())
        trace = Trace(trace_codes, trace_energy, tried, accepted, drift)
        return State(placed, energy, base, state.keys, state.step + draws * thin), trace

    return run


class KnownConstraints(NamedTuple):
    """Those that the compiled chain knows."""

    field: MatchField
    support: Support


def constraints_of(target: Target) -> KnownConstraints:
    """The target's constraints: a field on matches and a support, one of each at most."""
    fields = [term for term in target.constraints if isinstance(term, MatchField)]
    supports = [term for term in target.constraints if isinstance(term, Support)]
    if len(fields) > 1 or len(supports) > 1 or len(fields) + len(supports) < len(target.constraints):
        raise ValueError("the compiled chain knows no constraints but a field on matches and a support")
    return KnownConstraints(next(iter(fields), no_field()), next(iter(supports), no_support()))


def slices(chains: int, replicas: int, parts: int) -> list[slice]:
    edges = np.linspace(0, chains // replicas, parts + 1).astype(int) * replicas
    return [slice(a, b) for a, b in pairwise(edges)]
