"""The law that is sampled, and where a set of chains stands in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.engine.layers import Plan
from maxent_cli.engine.proposals import SCATTER, Move
from maxent_cli.engine.randomness import Keys

Term = Callable[[Tensor], Tensor]  # codes (..., L) -> (...)


class Surrogate(NamedTuple):
    """A cheap copy of the energy, as a layer plan; and how many steps by it are decided on together."""

    plan: Plan
    steps: int


@dataclass(frozen=True)
class Terms:
    """What is fixed in a law: p(x) ∝ exp(log_base(x) - beta · energy(x)), at any beta.

    log_base is the background's log-probability plus the constraints. background (L, 4): letter frequencies a position,
    all positive. mutable (L,): positions that may change. constraints: further log-weights, 0 and -inf if hard.
    """

    energy: Term
    background: NDArray[np.float64]
    mutable: NDArray[np.bool_]
    constraints: tuple[Term, ...] = ()

    def at(
        self,
        beta: NDArray[np.float64],
        adapted: NDArray[np.float64] | None = None,
        surrogate: Surrogate | None = None,
        scattered: float = 1.0,
    ) -> "Target":
        """The law at these betas (C,), with moves that draw from these rows (L, 4), and perhaps by a surrogate.

        scattered: how many letters scattered redraws draw at once, in what their moves say.
        """
        fixed = (self.energy, self.background, self.mutable, self.constraints)
        return Target(*fixed, beta=beta, adapted=adapted, surrogate=surrogate, scattered=scattered)


@dataclass(frozen=True, kw_only=True)
class Target(Terms):
    """Terms, with what adapts in warm-up: the law that a kernel draws from.

    beta (C,) or a number: inverse temperature, in units of 1/energy. adapted (L, 4): letter frequencies that some moves
    draw from, None for the background's; surrogate: what long proposals are made by; scattered: how many letters
    scattered redraws draw at once, in what their moves say. The law depends on none of these.
    """

    beta: NDArray[np.float64]
    adapted: NDArray[np.float64] | None = None
    surrogate: Surrogate | None = None
    scattered: float = 1.0

    def spread(self, moves: tuple[Move, ...]) -> tuple[Move, ...]:
        """The moves, with so many letters in scattered redraws."""
        widths = [max(1, round(move.width * self.scattered)) for move in moves]
        pairs = zip(moves, widths, strict=True)
        return tuple(move._replace(width=width) if move.kind == SCATTER else move for move, width in pairs)


class State(NamedTuple):
    """C chains: codes (C, L) uint8, energy (C,) and log_base (C,) float64, keys (C,), and the number of steps done."""

    codes: Tensor
    energy: Tensor
    log_base: Tensor
    keys: Keys
    step: int


class Ladder(NamedTuple):
    """Which chains may exchange their states: neighbours within each run of `replicas` chains, every so many steps."""

    replicas: int = 1
    every: int = 1


NO_LADDER = Ladder()


class Trace(NamedTuple):
    """What a block of steps kept: codes (C, D, L), energy (C, D), and how often what was tried was accepted.

    tried, accepted (M + R - 1,): for each move, then for each pair of neighbouring replicas. drift: the most that an
    energy at the block's end differed from a full pass.
    """

    codes: NDArray[np.uint8]
    energy: NDArray[np.float64]
    tried: NDArray[np.int64]
    accepted: NDArray[np.int64]
    drift: float = 0.0


Kernel = Callable[[State, Target, int, int], tuple[State, Trace]]  # (state, target, draws, steps between draws)


def letter_log_probability(log_rows: Tensor, codes: Tensor) -> Tensor:
    """Log-probability of each letter (..., L) of codes (..., L) under rows (L, 5) whose last column is zero."""
    offsets = torch.arange(0, log_rows.numel(), log_rows.shape[1], device=codes.device)
    return log_rows.reshape(-1)[codes + offsets]


def log_rows(background: NDArray[np.float64], device: torch.device) -> Tensor:
    """Logarithms of rows (L, 4) as (L, 5): an unknown letter, which never changes, weighs nothing."""
    padded = np.hstack([np.log(background), np.zeros((len(background), 1))])
    return torch.from_numpy(padded).to(device)


def log_weights(target: Target) -> NDArray[np.float64]:
    """Zeros, and log_rows of the background and of the adapted rows (3, L, 5)."""
    adapted = target.background if target.adapted is None else target.adapted
    rows = [log_rows(table, torch.device("cpu")).numpy() for table in (target.background, adapted)]
    return np.stack([np.zeros_like(rows[0]), *rows])


def log_base(terms: Terms, codes: Tensor) -> Tensor:
    """Log-weight (...) of codes (..., L) before the energy: background and constraints."""
    rows = log_rows(terms.background, codes.device)
    total = letter_log_probability(rows, codes).sum(-1)
    for constraint in terms.constraints:
        total = total + constraint(codes)
    return total


def log_acceptance(base_change: Any, beta: Any, energy_change: Any, correction: Any) -> Any:
    """Log of the Metropolis-Hastings ratio; numbers or tensors. Every kernel decides by this.

    correction = log q(x | x') - log q(x' | x) of the proposal (Hastings, Biometrika 57:97, 1970).
    """
    return base_change - beta * energy_change + correction


def log_exchange(beta: Any, other_beta: Any, energy: Any, other_energy: Any) -> Any:
    """Log of the ratio by which two chains of one law at two betas exchange states (Geyer 1991)."""
    return (beta - other_beta) * (energy - other_energy)


def start_state(terms: Terms, codes: NDArray[np.uint8], keys: Keys, device: torch.device) -> State:
    """The state of chains (C,) that stand at codes (C, L) and have taken no step."""
    placed = torch.from_numpy(codes).to(device)
    with torch.inference_mode():
        return State(placed, terms.energy(placed).double(), log_base(terms, placed), keys, 0)
