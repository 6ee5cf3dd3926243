"""Metropolis-Hastings for any network: every energy by a full forward pass, nothing but tensors between steps."""

import numpy as np
import torch
from torch import Tensor

from maxent_cli.engine.proposals import Move, MoveTable, move_table, propose_block
from maxent_cli.engine.target import (
    Kernel,
    State,
    Target,
    Trace,
    letter_log_probability,
    log_acceptance,
    log_rows,
)

BLOCK_BYTES = 2**25


def metropolis_hastings(moves: tuple[Move, ...]) -> Kernel:
    """A kernel that proposes by the given moves, chosen by weight at each step, and evaluates the energy in full."""

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        table = move_table(moves, target.background, target.mutable)
        chains, length = state.codes.shape
        codes = np.empty((chains, draws, length), np.uint8)
        energy = np.empty((chains, draws))
        tried, accepted = np.zeros((2, len(moves)), np.int64)
        with torch.inference_mode():
            for draw in range(draws):
                state, counts = _steps(state, target, table, thin)
                tried += counts[0]
                accepted += counts[1]
                codes[:, draw], energy[:, draw] = state.codes.cpu().numpy(), state.energy.cpu().numpy()
        return state, Trace(codes, energy, tried, accepted)

    return run


def _steps(state: State, target: Target, table: MoveTable, steps: int) -> tuple[State, np.ndarray]:
    """Some steps of every chain, in blocks that keep the arrays of proposals small; counts (2, M)."""
    counts = np.zeros((2, len(table.kind)), np.int64)
    most = max(1, BLOCK_BYTES // (11 * state.codes.numel()))
    while steps:
        now = min(steps, most)
        state, moves, accepted = _block(state, target, table, now)
        counts[0] += np.bincount(moves.ravel(), minlength=counts.shape[1])
        counts[1] += np.bincount(moves[accepted], minlength=counts.shape[1])
        steps -= now
    return state, counts


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
