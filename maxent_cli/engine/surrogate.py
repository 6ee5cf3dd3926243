"""Surrogate transitions: many steps by a cheap copy of the energy, then one pass of the network decides on all of them.

A run of steps that is reversible under q(x)·exp(-beta·E^(x)) is a proposal whose densities there and back are in the
ratio of that law. So the decision is left with what the copy E^ gets wrong, exp(-beta·[(E' - E^') - (E - E^)]) (Liu,
Monte Carlo Strategies in Scientific Computing, 2001, 9.4.3; Christen & Fox, J Comput Graph Stat 14:795, 2005). Any copy
leaves the law as it is; a good one has its proposals accepted.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.engine.activations import empty_chains
from maxent_cli.engine.exchange import exchange
from maxent_cli.engine.incremental import advance, constraints_of, fill, slices, walk_of
from maxent_cli.engine.layers import Plan
from maxent_cli.engine.proposals import LETTER, Move, MoveTable, move_table
from maxent_cli.engine.randomness import Keys, decision_log_uniforms
from maxent_cli.engine.target import (
    NO_LADDER,
    Kernel,
    Ladder,
    State,
    Surrogate,
    Target,
    Trace,
    log_acceptance,
    log_base,
    log_weights,
)

Floats = NDArray[np.float64]


class CheapLaw(NamedTuple):
    """The law that a surrogate's steps are of."""

    plan: Plan
    table: MoveTable
    constraints: Any
    weights: Floats


class Starts(NamedTuple):
    """C chains: their keys, beta (C,), and codes (C, L), which are edited in place."""

    keys: Keys
    beta: Floats
    codes: Codes


Inner = Callable[[CheapLaw, Starts, range, Floats, Floats], None]  # takes steps; fills energies before and after (C,)


def by_threads(threads: int) -> Inner:
    """Takes a surrogate's steps by the compiled chain, chains shared among threads."""

    def run(law: CheapLaw, chains: Starts, steps: range, before: Floats, after: Floats) -> None:
        def part(some: slice) -> None:
            its = (values[some] for values in (*chains, before, after))
            _propose(*law, steps.start, len(steps), *its)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, slices(len(chains.keys), 1, threads)))

    return run


def surrogate_chain(
    moves: tuple[Move, ...],
    ladder: Ladder = NO_LADDER,
    inner: Inner = by_threads(1),  # noqa: B008 (holds nothing)
) -> Kernel:
    """A kernel for chains whose target has a surrogate; neighbours may exchange after each decision.

    A draw's steps are shared among as few decisions as the surrogate's number of steps allows. The trace counts the
    decisions of each replica, then the exchanges (2 R - 1,). Raises ValueError where the moves are not reversible.
    """
    if any(move.kind == LETTER for move in moves):
        raise ValueError("letters in turn are not reversible; redraw windows of one letter")

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        assert target.surrogate is not None
        transition = _Transition(moves, target, target.surrogate, inner)
        counts = torch.zeros(2, 2 * ladder.replicas - 1, dtype=torch.int64, device=state.codes.device)
        codes, energy = [], []
        with torch.inference_mode():
            for _ in range(draws):
                for steps in shared(thin, target.surrogate.steps):
                    state = transition.take(state, steps, counts[:, : ladder.replicas])
                    if ladder.replicas > 1:
                        every = ladder._replace(every=steps)
                        state = exchange(state, target, every, counts[:, ladder.replicas :])
                codes.append(state.codes.cpu().numpy())
                energy.append(state.energy.cpu().numpy())
            state = state._replace(log_base=log_base(target, state.codes))
        return state, Trace(np.stack(codes, 1), np.stack(energy, 1), *counts.cpu().numpy())

    return run


def shared(steps: int, most: int) -> list[int]:
    """So many steps in as few parts as the most of a part allows, as equal as may be."""
    return np.diff(np.linspace(0, steps, -(-steps // most) + 1).astype(int)).tolist()  # type: ignore[no-any-return]


class _Transition:
    """What one transition of all chains needs."""

    def __init__(self, moves: tuple[Move, ...], target: Target, surrogate: Surrogate, inner: Inner) -> None:
        self.target, self.inner = target, inner
        table = move_table(moves, target.background, target.mutable, target.adapted)
        self.inside = CheapLaw(surrogate.plan, table, constraints_of(target), log_weights(target))

    def take(self, state: State, steps: int, counts: torch.Tensor) -> State:
        """Propose by so many steps, and decide; adds to counts (2, R) how often each replica did and accepted."""
        chains, target = len(state.keys), self.target
        beta = np.broadcast_to(np.asarray(target.beta, float), chains).copy()
        proposed, log_u, guess = state.codes.cpu().numpy().copy(), np.empty(chains), np.empty((2, chains))
        self.inner(self.inside, Starts(state.keys, beta, proposed), range(state.step, state.step + steps), *guess)
        decision_log_uniforms(state.keys, state.step, log_u)
        numbers = torch.from_numpy(np.stack([beta, log_u, *guess])).to(state.codes.device)
        placed, (beta_there, log_u_there, before, after) = torch.from_numpy(proposed).to(state.codes.device), numbers
        energy = target.energy(placed).double()
        missed = (energy - after) - (state.energy - before)
        accept = log_u_there < log_acceptance(0.0, beta_there, missed, 0.0)
        for count, which in zip(counts, (torch.ones_like(accept), accept), strict=True):
            count += which.reshape(-1, len(count)).sum(0)
        return state._replace(
            codes=torch.where(accept[:, None], placed, state.codes),
            energy=torch.where(accept, energy, state.energy),
            step=state.step + steps,
        )


@njit(cache=True, nogil=True)
def _propose(plan, table, constraints, weights, first_step, steps, keys, beta, codes, before, after):  # type: ignore[no-untyped-def]
    """Take chains (C, L) so many steps, one after another; fill the surrogate's energies before and after (C,)."""
    chains, counts = empty_chains(1, codes.shape[1], plan), np.zeros((len(table.kind), 2), np.int64)
    for c in range(len(codes)):
        walk = walk_of(codes[c : c + 1])
        fill(plan, walk.codes, chains, walk.energy)
        before[c] = walk.energy[0]
        for step in range(first_step, first_step + steps):
            advance(plan, chains, walk, table, constraints, weights, keys[c : c + 1], beta[c : c + 1], step, counts)
        after[c] = walk.energy[0]
