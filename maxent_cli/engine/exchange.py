"""Exchanges of neighbouring replicas, on any device."""

import numpy as np
import torch
from torch import Tensor

from maxent_cli.engine.randomness import exchange_log_uniforms
from maxent_cli.engine.target import Ladder, State, Target, log_exchange


def exchange(state: State, target: Target, ladder: Ladder, counts: Tensor) -> State:
    """Let neighbouring replicas exchange states, even and odd pairs in turn; adds to counts (2, R - 1)."""
    chains, device = len(state.keys), state.codes.device
    log_u, replica = np.empty(chains), np.arange(chains) % ladder.replicas
    exchange_log_uniforms(state.keys, state.step, log_u)
    asked = (replica < ladder.replicas - 1) & (replica % 2 == state.step // ladder.every % 2)
    log_u[~asked] = np.inf
    beta = torch.as_tensor(target.beta, device=device).expand(chains)
    ratio = log_exchange(beta, beta.roll(-1), state.energy, state.energy.roll(-1))
    lower = torch.from_numpy(log_u).to(device) < ratio
    for count, pairs in zip(counts, (torch.from_numpy(asked).to(device), lower), strict=True):
        count += pairs.reshape(-1, ladder.replicas)[:, :-1].sum(0)
    rows = torch.arange(chains, device=device) + lower.long() - lower.long().roll(1)
    return state._replace(codes=state.codes[rows], energy=state.energy[rows], log_base=state.log_base[rows])
