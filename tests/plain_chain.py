"""Metropolis-Hastings as it is written down, step by step in tensors: what the kernels must do, only faster."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from maxent_cli.engine.exchange import exchange
from maxent_cli.engine.proposals import (
    ADAPTING,
    FRESH,
    FRESH_ADAPTED,
    KEPT,
    LOST,
    LOST_ADAPTED,
    Move,
    MoveTable,
    move_table,
    propose,
)
from maxent_cli.engine.target import (
    NO_LADDER,
    Kernel,
    Ladder,
    State,
    Target,
    Trace,
    letter_log_probability,
    log_acceptance,
    log_rows,
)

BLOCK_BYTES = 2**25


def metropolis_hastings(moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> Kernel:
    """A kernel that proposes by the given moves, chosen by weight at each step, and evaluates the energy in full.

    On any device, and without waiting for it before the draws are read at the end.
    """

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        table = move_table(target.spread(moves), target.background, target.mutable, target.adapted)
        counts = torch.zeros(2, len(moves) + ladder.replicas - 1, dtype=torch.int64, device=state.codes.device)
        codes, energy = [], []
        with torch.inference_mode():
            for _ in range(draws):
                state = _steps(state, target, table, ladder, thin, counts)
                codes.append(state.codes)
                energy.append(state.energy)
            kept = torch.stack(codes, 1).cpu().numpy(), torch.stack(energy, 1).cpu().numpy()
        return state, Trace(*kept, *counts.cpu().numpy())

    return run


def _steps(state: State, target: Target, table: MoveTable, ladder: Ladder, steps: int, counts: Tensor) -> State:
    """Some steps of every chain, in blocks between exchanges that keep the arrays of proposals small."""
    kinds = len(table.kind)
    most = max(1, BLOCK_BYTES // (11 * state.codes.numel()))
    while steps:
        now = min(steps, most, ladder.every - state.step % ladder.every if ladder.replicas > 1 else steps)
        state = _block(state, target, table, now, counts[:, :kinds])
        if ladder.replicas > 1 and state.step % ladder.every == 0:
            state = exchange(state, target, ladder, counts[:, kinds:])
        steps -= now
    return state


def _block(state: State, target: Target, table: MoveTable, steps: int, counts: Tensor) -> State:
    """So many steps; adds to counts (2, M) how often each move was tried and accepted."""
    device = state.codes.device
    source, scale, offset, lost, moves, decide = _proposals(state, table, steps)
    beta, rows = torch.as_tensor(target.beta, device=device), log_rows(target.background, device)
    adapted = log_rows(target.background if target.adapted is None else target.adapted, device)
    adapts = np.isin(table.kind, ADAPTING).any()
    # positions that never change may hold an unknown letter, which is no residue modulo 4
    modulus = torch.from_numpy(np.where(target.mutable, 3, 7).astype(np.uint8)).to(device)
    accepted = torch.empty(moves.shape, dtype=torch.bool, device=device)
    codes, energy, base = state.codes, state.energy, state.log_base
    weights = letter_log_probability(rows, codes)
    for step in range(steps):
        proposed = (codes.gather(1, source[step]) * scale[step] + offset[step]) & modulus
        proposed_weights = letter_log_probability(rows, proposed)
        proposed_energy = target.energy(proposed).double()
        proposed_base = proposed_weights.sum(1)
        for constraint in target.constraints:
            proposed_base = proposed_base + constraint(proposed)
        correction = _correction(weights, lost[step] == LOST, proposed_weights, scale[step] == FRESH)
        if adapts:
            old, new = letter_log_probability(adapted, codes), letter_log_probability(adapted, proposed)
            correction = correction + _correction(old, lost[step] == LOST_ADAPTED, new, scale[step] == FRESH_ADAPTED)
        ratio = log_acceptance(proposed_base - base, beta, proposed_energy - energy, correction)
        accept = torch.less(decide[step], ratio, out=accepted[step])
        codes = torch.where(accept[:, None], proposed, codes)
        weights = torch.where(accept[:, None], proposed_weights, weights)
        energy = torch.where(accept, proposed_energy, energy)
        base = torch.where(accept, proposed_base, base)
    for count, which in zip(counts, (torch.ones_like(accepted), accepted), strict=True):
        count.index_add_(0, moves.reshape(-1), which.reshape(-1).long())
    return State(codes, energy, base, state.keys, state.step + steps)


def _proposals(state: State, table: MoveTable, steps: int) -> tuple[Tensor, ...]:
    """Source, scale, offset and lost (T, C, L), moves and log-uniforms (T, C) of T steps, on the chains' device."""
    shape = (steps, *state.codes.shape)
    arrays = [np.empty(shape, kind) for kind in (np.int64, np.uint8, np.uint8, np.uint8)]
    arrays += [np.empty(shape[:2], kind) for kind in (np.int64, np.float64)]
    propose_block(state.keys, state.step, table, tuple(arrays))
    return tuple(torch.from_numpy(array).to(state.codes.device) for array in arrays)


def _correction(weights: Tensor, lost: Tensor, proposed_weights: Tensor, fresh: Tensor) -> Tensor:
    """Log-probability (C,) of drawing back the lost letters less that of the fresh ones."""
    return (weights * lost - proposed_weights * fresh).sum(1)


@njit(cache=True)
def propose_block(keys, first_step, table, block):  # type: ignore[no-untyped-def]
    """Fill a block's arrays (T, C, L) and (T, C) with the proposals of T steps of C chains."""
    source, scale, offset, lost, move, log_uniform = block
    for step in range(source.shape[0]):
        for chain in range(source.shape[1]):
            s, a, b, gone = source[step, chain], scale[step, chain], offset[step, chain], lost[step, chain]
            for p in range(len(s)):
                s[p], a[p], b[p], gone[p] = p, 1, 0, KEPT
            chosen, first, last, u = propose(keys[chain], first_step + step, table, s, a, b, gone)
            move[step, chain] = chosen
            log_uniform[step, chain] = np.log(u) if last > first else np.inf  # an empty proposal is never accepted
