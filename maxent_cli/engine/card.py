"""The compiled chain on a graphics card: a kernel of blocks.py, and the arrays that it goes by.

Needs numba-cuda (`pip install 'maxent_cli[gpu]'`). Anchors are launched each on a stream of their thread, and share the
card; weights that several have alike are there once.
"""

import hashlib
from collections.abc import Callable
from threading import RLock
from typing import Any

import numpy as np
import torch
from numba.core import config
from numba.extending import overload
from numpy.typing import NDArray

from maxent_cli.engine import blocks
from maxent_cli.engine.blocks import BlockResults, BlockRun, Work, results_of, work_of
from maxent_cli.engine.incremental import constraints_of
from maxent_cli.engine.layers import Plan
from maxent_cli.engine.proposals import Move, move_table
from maxent_cli.engine.randomness import Keys
from maxent_cli.engine.surrogate import CheapLaw, Floats, Inner, Starts
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, State, Target, Trace, log_base, log_weights

LANES, MOST_THREADS = 64, 512  # threads a replica, and a block
REGISTERS = 128  # a thread, of 65,536 a block; with 64 it keeps 1 kB a thread in memory
ON_CHIP = 220 * 1024  # bytes of sums that a block may have there

WEIGHTS = ("letters", "parameters")  # of a plan, which anchors have alike
GIVEN = ("codes", "rows")  # of Work
MOST_WEIGHTS = 8  # arrays of them that stay on the card

Launch = Callable[[BlockRun, Work, Keys, NDArray[np.float64], BlockResults], None]


def by_one_thread(given: BlockRun, work: Work, keys: Keys, beta: NDArray[np.float64], results: BlockResults) -> None:
    """What a card does, on the CPU."""
    blocks.alone(given, work, keys, beta, results)


def block_chain(
    plan: Plan, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER, launch: Launch = by_one_thread
) -> Kernel:
    """A kernel that runs each ladder in a block of threads; plan must describe the target's energy.

    The energies that a block of steps reports at its end come from full passes of the target.
    """

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        given = _given(plan, target, moves, ladder, (state.step, thin, draws))
        chains, length = state.codes.shape
        lanes, _ = threads_of(ladder.replicas)
        work = work_of(state.codes.cpu().numpy(), plan.values, len(plan.table), lanes)
        beta = np.broadcast_to(np.asarray(target.beta, float), chains).copy()
        found = results_of(chains, draws, length, len(moves))
        launch(given, work, state.keys, beta, found)
        placed = torch.from_numpy(found.codes[:, -1].copy()).to(state.codes.device)
        with torch.inference_mode():
            energy, base = target.energy(placed).double(), log_base(target, placed)
        drift = float(np.abs(energy.cpu().numpy() - found.energy[:, -1]).max())
        trace = Trace(found.codes, found.energy, *_summed(found.counts, ladder.replicas), drift)
        return State(placed, energy, base, state.keys, state.step + draws * thin), trace

    return run


def inner_chain(launch: Launch = by_one_thread) -> Inner:
    """Runs a surrogate's steps on a card, each chain in a block of threads of its own."""

    def run(surrogate: CheapLaw, chains: Starts, steps: range, before: Floats, after: Floats) -> None:
        plan, count = surrogate.plan, len(chains.keys)
        given = BlockRun(*surrogate, 1, 1, steps.start, len(steps), 1)
        work = work_of(chains.codes, plan.values, len(plan.table), threads_of(1)[0])
        found = results_of(count, 1, chains.codes.shape[1], len(surrogate.table.kind))
        launch(given, work, chains.keys, chains.beta, found)
        chains.codes[:], before[:], after[:] = found.codes[:, 0], found.first_energy, found.energy[:, 0]

    return run


def _given(
    plan: Plan, target: Target, moves: tuple[Move, ...], ladder: Ladder, steps: tuple[int, int, int]
) -> BlockRun:
    table = move_table(target.spread(moves), target.background, target.mutable, target.adapted)
    return BlockRun(plan, table, constraints_of(target), log_weights(target), *ladder, *steps)


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


def is_ready(device: torch.device) -> bool:
    """Whether a device is a card, and numba can compile for it."""
    if device.type != "cuda":
        return False
    try:
        return bool(_cuda().is_available())
    except ImportError:
        return False


def launcher(device: torch.device) -> Launch:
    """The launch on a card, or in the simulator of one."""

    def launch(given: BlockRun, work: Work, keys: Keys, beta: NDArray[np.float64], results: BlockResults) -> None:
        cuda = _cuda()
        cuda.select_device(device.index or 0)
        stream = cuda.stream()
        lanes, groups = threads_of(given.replicas)
        there = _placed(results, cuda, stream)
        held = 4 * given.replicas * work.values.shape[1]
        fits = held <= ON_CHIP
        shared = given._replace(plan=given.plan._replace(**{name: _once(given.plan, name, device) for name in WEIGHTS}))
        placed = _placed(shared, cuda, stream), _roomy(work, cuda, stream)
        kernel = _kernel()[len(keys) // given.replicas, (lanes, groups), stream, held if fits else 0]
        kernel(*placed, fits, *(cuda.to_device(values, stream) for values in (keys, beta)), there)
        for values, found in zip(results, there, strict=True):
            found.copy_to_host(values, stream)
        stream.synchronize()

    return launch


def _placed(values: Any, cuda: Any, stream: Any) -> Any:
    """Arrays, and tuples of them, on the card."""
    if isinstance(values, np.ndarray):
        return cuda.to_device(values, stream)
    if isinstance(values, tuple):
        return type(values)(*(_placed(one, cuda, stream) for one in values))
    return values


def _roomy(work: Work, cuda: Any, stream: Any) -> Work:
    """Chains on the card, and room for what they are worked on: nothing is read there before it is written."""
    here = {name: cuda.to_device(getattr(work, name), stream) for name in GIVEN}
    room = {name: values for name, values in work._asdict().items() if name not in GIVEN}
    return Work(**here, **{name: cuda.device_array(one.shape, one.dtype, stream=stream) for name, one in room.items()})


def _once(plan: Plan, name: str, device: torch.device) -> Any:
    """A plan's weights on the card, where those of all anchors are one array, so that they stay in its cache."""
    values = getattr(plan, name)
    key = device.index or 0, hashlib.blake2b(values.tobytes()).digest()
    with _lock:
        if key not in _weights:
            while len(_weights) >= MOST_WEIGHTS:
                _weights.pop(next(iter(_weights)))
            _weights[key] = _cuda().to_device(values)
        return _weights[key]


def _cuda() -> Any:
    """numba.cuda, also as blocks.py has it."""
    from numba import cuda

    with _lock:
        if blocks.cuda is None:
            blocks.cuda = cuda
            if not _SIMULATED:
                overload(blocks.barrier, target="cuda")(_waiting)
    return cuda


def _waiting():  # type: ignore[no-untyped-def]
    """What the threads of a card do at a barrier."""
    cuda = blocks.cuda

    def wait():  # type: ignore[no-untyped-def]
        cuda.syncthreads()

    return wait


def _kernel() -> Any:
    """The kernel, which is compiled for what it is given when it is first launched."""
    with _lock:
        if "kernel" not in _made:
            options = {} if _SIMULATED else {"max_registers": REGISTERS}
            _made["kernel"] = blocks.cuda.jit(**options)(blocks.on_card)
        return _made["kernel"]


_SIMULATED = bool(vars(config)["ENABLE_CUDASIM"])
_made: dict[str, Any] = {}
_weights: dict[tuple[int, bytes], Any] = {}
_lock = RLock()
