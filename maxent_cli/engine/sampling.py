"""The only loop: a kernel in blocks, each of which can be kept, so that a run stops after any and can go on from it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.engine.target import Kernel, State, Target, Trace
from maxent_cli.errors import InputError

BLOCK_STEPS = 2000  # of a chain: its set-up does not show, and rounding errors are small
BLOCK_MOST = 100_000  # steps of all chains of a block of the compiled kernel: usual networks take less than a second
BLOCK_PASSES = 4000  # as many for full passes, each of which costs more

Block = dict[str, NDArray[Any]]  # what a block gave, as plain arrays


class Journal(NamedTuple):
    """The blocks of an earlier run, in order, and who is given each new one and may end the run by an exception."""

    past: Iterator[Block]
    keep: Callable[[Block], None]
    path: str = ""


NO_JOURNAL = Journal(iter(()), lambda _: None)


def block_steps(chains: int, compiled: bool) -> int:
    """Steps a block, by what it costs; never by a clock, since compiled energies are rounded anew in each block."""
    return max(1, min(BLOCK_STEPS, (BLOCK_MOST if compiled else BLOCK_PASSES) // chains))


def in_blocks(kernel: Kernel, steps: int, journal: Journal) -> Kernel:
    """The kernel in blocks of so many steps at most; those of the journal's past are not computed again.

    A block is a pure function of state and target, so that a run goes on as if it had never stopped, warm-up and all.
    """

    def block(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        asked = np.array([state.step, draws, thin])
        past = next(journal.past, None)
        if past is not None:
            if not np.array_equal(past["asked"], asked):
                raise InputError(journal.path, "", "holds what another run did", "remove it")
            return _read(past, state, draws * thin)
        after, trace = kernel(state, target, draws, thin)
        journal.keep({"asked": asked} | _plain(after, trace))
        return after, trace

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        traces, kept = list[Trace](), list[Trace]()
        for some, apart, whole in _pieces(draws, thin, steps):
            state, trace = block(state, target, some, apart)
            traces.append(trace._replace(codes=trace.codes[:0], energy=trace.energy[:0]))
            if whole:
                kept.append(trace)
        return state, Trace(
            codes=np.concatenate([trace.codes for trace in kept], axis=1),
            energy=np.concatenate([trace.energy for trace in kept], axis=1),
            tried=np.sum([trace.tried for trace in traces], axis=0),
            accepted=np.sum([trace.accepted for trace in traces], axis=0),
            drift=max(trace.drift for trace in traces),
        )

    return run


def _pieces(draws: int, thin: int, steps: int) -> Iterator[tuple[int, int, bool]]:
    """Draws and steps between them of each block, and whether it ends where a draw is kept."""
    if thin > steps:
        starts = range(0, thin, steps)
        yield from draws * [(1, min(steps, thin - start), start == starts[-1]) for start in starts]
        return
    most = steps // thin
    yield from ((min(most, draws - done), thin, True) for done in range(0, draws, most))


_TENSORS = ("codes", "energy", "log_base")


def _plain(state: State, trace: Trace) -> Block:
    placed = {f"state_{name}": getattr(state, name).cpu().numpy() for name in _TENSORS}
    return placed | {name: np.asarray(value) for name, value in trace._asdict().items()}


def _read(block: Block, before: State, steps: int) -> tuple[State, Trace]:
    """State and trace of a block, on the device of the state before it."""
    codes, energy, base = (torch.from_numpy(block[f"state_{name}"]).to(before.codes.device) for name in _TENSORS)
    trace = Trace(block["codes"], block["energy"], block["tried"], block["accepted"], float(block["drift"]))
    return State(codes, energy, base, before.keys, before.step + steps), trace
