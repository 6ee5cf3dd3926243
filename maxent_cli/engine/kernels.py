"""Metropolis-Hastings for any network: every energy by a full forward pass, nothing but tensors between steps."""

import numpy as np
import torch
from torch import Tensor

from maxent_cli.engine.proposals import Move, MoveTable, move_table, propose_block
from maxent_cli.engine.randomness import exchange_log_uniforms
from maxent_cli.engine.target import (
    NO_LADDER,
    Kernel,
    Ladder,
    State,
    Target,
    Trace,
    letter_log_probability,
    log_acceptance,
    log_exchange,
    log_rows,
)

BLOCK_BYTES = 2**25


def metropolis_hastings(moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> Kernel:
    """A kernel that proposes by the given moves, chosen by weight at each step, and evaluates the energy in full."""

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        table = move_table(moves, target.background, target.mutable)
        chains, length = state.codes.shape
        codes = np.empty((chains, draws, length), np.uint8)
        energy = np.empty((chains, draws))
        tried, accepted = np.zeros((2, len(moves) + ladder.rungs - 1), np.int64)
        with torch.inference_mode():
            for draw in range(draws):
                state, counts = _steps(state, target, table, ladder, thin)
                tried += counts[0]
                accepted += counts[1]
                codes[:, draw], energy[:, draw] = state.codes.cpu().numpy(), state.energy.cpu().numpy()
        return state, Trace(codes, energy, tried, accepted)

    return run


def _steps(state: State, target: Target, table: MoveTable, ladder: Ladder, steps: int) -> tuple[State, np.ndarray]:
    """Some steps of every chain, in blocks between exchanges that keep the arrays of proposals small; counts (2, ·)."""
    counts = np.zeros((2, len(table.kind) + ladder.rungs - 1), np.int64)
    most = max(1, BLOCK_BYTES // (11 * state.codes.numel()))
    while steps:
        now = min(steps, most, ladder.every - state.step % ladder.every if ladder.rungs > 1 else steps)
        state, moves, accepted = _block(state, target, table, now)
        counts[0, : len(table.kind)] += np.bincount(moves.ravel(), minlength=len(table.kind))
        counts[1, : len(table.kind)] += np.bincount(moves[accepted], minlength=len(table.kind))
        if ladder.rungs > 1 and state.step % ladder.every == 0:
            state = _exchange(state, target, ladder, counts[:, len(table.kind) :])
        steps -= now
    return state, counts


def _exchange(state: State, target: Target, ladder: Ladder, counts: np.ndarray) -> State:
    """Let neighbouring rungs exchange states, even and odd pairs in turn."""
    log_u = np.empty(len(state.keys))
    exchange_log_uniforms(state.keys, state.step, log_u)
    energy = state.energy.cpu().numpy()
    beta = np.broadcast_to(target.beta, energy.shape)
    rung = np.arange(len(energy) - 1) % ladder.rungs
    asked = (rung < ladder.rungs - 1) & (rung % 2 == state.step // ladder.every % 2)
    ratio = log_exchange(beta[:-1], beta[1:], energy[:-1], energy[1:])
    lower = np.flatnonzero(asked & (log_u[:-1] < ratio))
    counts[0] += np.bincount(rung[asked], minlength=counts.shape[1])
    counts[1] += np.bincount(rung[lower], minlength=counts.shape[1])
    order = np.arange(len(energy))
    order[lower], order[lower + 1] = lower + 1, lower
    rows = torch.from_numpy(order).to(state.codes.device)
    return state._replace(codes=state.codes[rows], energy=state.energy[rows], log_base=state.log_base[rows])


def _block(state: State, target: Target, table: MoveTable, steps: int) -> tuple[State, np.ndarray, np.ndarray]:
    device = state.codes.device
    chains, length = state.codes.shape
    shape = (steps, chains, length)
    arrays = (np.empty(shape, np.int64), np.empty(shape, np.uint8), np.empty(shape, np.uint8), np.empty(shape, bool))
    moves, log_uniform = np.empty(shape[:2], np.int64), np.empty(shape[:2])
    propose_block(state.keys, state.step, table, (*arrays, moves, log_uniform))
    source, scale, offset, lost, decide = (torch.from_numpy(array).to(device) for array in (*arrays, log_uniform))
    beta = torch.as_tensor(target.beta, device=device)
    rows = log_rows(target.background, device)
    # positions that never change may hold an unknown letter, which is no residue modulo 4
    modulus = torch.from_numpy(np.where(target.mutable, 3, 7).astype(np.uint8)).to(device)
    accepted = torch.empty(shape[:2], dtype=torch.bool, device=device)
    codes, energy, base = state.codes, state.energy, state.log_base
    weights = letter_log_probability(rows, codes)
    for step in range(steps):
        proposed = (codes.gather(1, source[step]) * scale[step] + offset[step]) & modulus
        proposed_weights = letter_log_probability(rows, proposed)
        proposed_energy = target.energy(proposed).double()
        proposed_base = proposed_weights.sum(1)
        for constraint in target.constraints:
            proposed_base = proposed_base + constraint(proposed)
        correction = _correction(weights, lost[step], proposed_weights, scale[step] == 0)
        ratio = log_acceptance(proposed_base - base, beta, proposed_energy - energy, correction)
        accept = torch.less(decide[step], ratio, out=accepted[step])
        codes = torch.where(accept[:, None], proposed, codes)
        weights = torch.where(accept[:, None], proposed_weights, weights)
        energy = torch.where(accept, proposed_energy, energy)
        base = torch.where(accept, proposed_base, base)
    return State(codes, energy, base, state.keys, state.step + steps), moves, accepted.cpu().numpy()


def _correction(weights: Tensor, lost: Tensor, proposed_weights: Tensor, fresh: Tensor) -> Tensor:
    """Log-probability (C,) of drawing back the lost letters less that of the fresh ones."""
    return (weights * lost - proposed_weights * fresh).sum(1)
