"""The compiled chain on a graphics card: a kernel of blocks.py, and the arrays that it goes by.

Needs numba-cuda (`pip install 'maxent_cli[gpu]'`). Anchors are launched each on a stream of their thread, and share the
card; weights that several have alike are there once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.engine import blocks
from maxent_cli.engine.blocks import Given, Work, work_of
from maxent_cli.engine.incremental import constraints_of
from maxent_cli.engine.layers import Plan
from maxent_cli.engine.proposals import Move, move_table
from maxent_cli.engine.randomness import Keys
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, State, Target, Trace, log_base, log_weights

LANES, MOST_THREADS = 128, 1024  # threads a replica, and a block
ON_CHIP = 220 * 1024  # bytes of sums that a block may have there

Results = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]  # traces (C, D, L), (C, D), counts
Launch = Callable[[Given, Work, Keys, NDArray[np.float64], Results], None]


def by_one_thread(given: Given, work: Work, keys: Keys, beta: NDArray[np.float64], results: Results) -> None:
    """What a card does, on the CPU."""
    blocks.alone(given, work, keys, beta, *results)


def block_chain(
    plan: Plan, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER, launch: Launch = by_one_thread, lanes: int = 1
) -> Kernel:
    """A kernel that runs each ladder in a block of threads, `lanes` a replica; plan must describe the target's energy.

    The energies that a block of steps reports at its end come from full passes of the target.
    """

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        given = _given(plan, target, moves, ladder, (state.step, thin, draws))
        chains, length = state.codes.shape
        work = work_of(state.codes.cpu().numpy(), plan.values, len(plan.table), lanes)
        beta = np.broadcast_to(np.asarray(target.beta, float), chains).copy()
        traced = np.empty((chains, draws, length), np.uint8), np.empty((chains, draws))
        counts = np.zeros((chains, len(moves) + 1, 2), np.int64)
        launch(given, work, state.keys, beta, (*traced, counts))
        placed = torch.from_numpy(traced[0][:, -1].copy()).to(state.codes.device)
        with torch.inference_mode():
            energy, base = target.energy(placed).double(), log_base(target, placed)
        drift = float(np.abs(energy.cpu().numpy() - traced[1][:, -1]).max())
        trace = Trace(*traced, *_summed(counts, ladder.replicas), drift)
        return State(placed, energy, base, state.keys, state.step + draws * thin), trace

    return run


def _given(
    plan: Plan, target: Target, moves: tuple[Move, ...], ladder: Ladder, steps: tuple[int, int, int]
) -> Given:
    table = move_table(moves, target.background, target.mutable, target.adapted)
    return Given(plan, table, constraints_of(target), log_weights(target), *ladder, *steps)


def _summed(counts: NDArray[np.int64], replicas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each move, then each exchange, was tried and accepted, of counts (C, M + 1, 2)."""
    exchanges = counts[:, -1].reshape(-1, replicas, 2)[:, :-1].sum(0)
    tried, accepted = np.concatenate([counts[:, :-1].sum(0), exchanges]).T
    return tried, accepted


def threads_of(replicas: int) -> tuple[int, int]:
    """Threads a replica, and groups of so many: a block has no more than a card allows."""
    lanes = LANES
    while lanes > 32 and lanes * replicas > MOST_THREADS:
        lanes //= 2
    return lanes, min(replicas, MOST_THREADS // lanes)


def on_cuda(given: Given, work: Work, keys: Keys, beta: NDArray[np.float64], results: Results) -> None:
    """The launch on a card, or in the simulator of one."""
    cuda = _cuda()
    stream = cuda.stream()
    lanes, groups = threads_of(given.replicas)
    place = lambda values: _placed(values, cuda, stream)  # noqa: E731
    there = [cuda.to_device(values, stream) for values in results]
    held = 4 * given.replicas * work.values.shape[1]
    fits = held <= ON_CHIP
    kernel = _kernel()[len(keys) // given.replicas, (lanes, groups), stream, held if fits else 0]
    kernel(place(given), place(work), fits, place(keys), place(beta), *there)
    for values, found in zip(results, there, strict=True):
        found.copy_to_host(values, stream)
    stream.synchronize()


def _placed(values: Any, cuda: Any, stream: Any) -> Any:
    """Arrays, and tuples of them, on the card."""
    if isinstance(values, np.ndarray):
        return cuda.to_device(values, stream)
    if isinstance(values, tuple):
        return type(values)(*(_placed(one, cuda, stream) for one in values))
    return values


def _cuda() -> Any:
    """numba.cuda, also as blocks.py has it."""
    from numba import cuda

    if blocks.cuda is None:
        blocks.cuda = cuda
    return cuda


_made: dict[str, Any] = {}


def _kernel() -> Any:
    if not _made:
        _made["kernel"] = _cuda().jit(blocks.on_card)
    return _made["kernel"]
