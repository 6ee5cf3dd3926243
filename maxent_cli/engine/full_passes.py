"""Metropolis-Hastings on a CPU for any network: every energy by a full forward pass, all else compiled.

In two calls a step: behind a forward pass, which empties the caches, each of the dozens of small tensor operations that
they stand for costs as much as either.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.engine.exchange import exchange
from maxent_cli.engine.proposals import Move, MoveTable, apply, move_table, propose
from maxent_cli.engine.target import (
    NO_LADDER,
    Kernel,
    Ladder,
    State,
    Target,
    Trace,
    log_acceptance,
    log_base,
    log_weights,
)

_accept_ratio = njit(cache=True, inline="always")(log_acceptance)


class _Proposals(NamedTuple):
    """What C chains propose at one step: codes (C, L), and (C,) numbers for the decision; maps (L,) are scratch."""

    codes: NDArray[np.uint8]
    moves: NDArray[np.int64]
    log_uniform: NDArray[np.float64]
    base_change: NDArray[np.float64]
    correction: NDArray[np.float64]
    source: NDArray[np.int64]
    scale: NDArray[np.uint8]
    offset: NDArray[np.uint8]
    lost: NDArray[np.uint8]


def full_pass_chain(moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> Kernel:
    """A kernel for chains on the CPU, every energy by a full pass."""

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        chains, length = state.codes.shape
        table = move_table(target.spread(moves), target.background, target.mutable, target.adapted)
        weights = log_weights(target)
        target = replace(target, beta=np.broadcast_to(target.beta, chains).astype(float))
        # edited in place from here on; log_base is, within a block, that of the constraints alone
        state = state._replace(codes=state.codes.clone(), energy=state.energy.clone())
        proposals, counts = _room(chains, length), torch.zeros(2, len(moves) + ladder.replicas - 1, dtype=torch.int64)
        codes, energy = np.empty((chains, draws, length), np.uint8), np.empty((chains, draws))
        with torch.inference_mode():
            state = state._replace(log_base=_constrained(target, state.codes))
            for step in range(1, draws * thin + 1):
                _step(state, target, table, weights, proposals, counts.numpy())
                state = state._replace(step=state.step + 1)
                if ladder.replicas > 1 and state.step % ladder.every == 0:
                    state = exchange(state, target, ladder, counts[:, len(moves) :])
                if step % thin == 0:
                    codes[:, step // thin - 1], energy[:, step // thin - 1] = state.codes, state.energy
            state = state._replace(log_base=log_base(target, state.codes))
        return state, Trace(codes, energy, *counts.numpy())

    return run


def _room(chains: int, length: int) -> _Proposals:
    codes, moves, numbers = np.empty((chains, length), np.uint8), np.empty(chains, np.int64), np.empty((3, chains))
    maps = (np.empty(length, kind) for kind in (np.int64, np.uint8, np.uint8, np.uint8))
    return _Proposals(codes, moves, *numbers, *maps)


def _step(
    state: State,
    target: Target,
    table: MoveTable,
    weights: NDArray[np.float64],
    proposals: _Proposals,
    counts: NDArray[np.int64],
) -> None:
    codes, proposed = state.codes.numpy(), torch.from_numpy(proposals.codes)
    _propose(state.keys, state.step, table, weights, codes, proposals, counts)
    constrained, before = _constrained(target, proposed), state.log_base
    if target.constraints:
        proposals.base_change[:] += (constrained - before).numpy()
    kept = codes, state.energy.numpy(), before.numpy()
    _decide(*kept, target.energy(proposed).numpy(), constrained.numpy(), target.beta, proposals, counts)


def _constrained(target: Target, codes: Tensor) -> Tensor:
    """The sum of the constraints' log-weights (C,)."""
    total = torch.zeros(len(codes), dtype=torch.float64)
    for constraint in target.constraints:
        total += constraint(codes)
    return total


@njit(cache=True)
def _propose(keys, step, table, weights, codes, proposals, counts):  # type: ignore[no-untyped-def]
    """Fill the proposals of one step; counts (2, M + R - 1)."""
    maps = (proposals.source, proposals.scale, proposals.offset, proposals.lost)
    for c in range(len(codes)):
        move, first, last, u = propose(keys[c], step, table, *maps)
        proposals.codes[c] = codes[c]
        # an empty proposal is never accepted
        proposals.log_uniform[c] = np.log(u) if last > first else np.inf
        proposals.base_change[c], proposals.correction[c] = apply(
            codes[c], proposals.codes[c], maps, first, last, weights
        )
        proposals.moves[c] = move
        counts[0, move] += 1


@njit(cache=True)
def _decide(codes, energy, constrained, proposed_energy, proposed_constrained, beta, proposals, counts):  # type: ignore[no-untyped-def]
    """Take over what is accepted, in place."""
    for c in range(len(codes)):
        change = np.float64(proposed_energy[c]) - energy[c]
        ratio = _accept_ratio(proposals.base_change[c], beta[c], change, proposals.correction[c])
        if proposals.log_uniform[c] < ratio:
            codes[c] = proposals.codes[c]
            energy[c] = proposed_energy[c]
            constrained[c] = proposed_constrained[c]
            counts[1, proposals.moves[c]] += 1
