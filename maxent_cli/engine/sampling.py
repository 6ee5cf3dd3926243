"""The only loop: blocks of a kernel, one after another, until the caller has enough."""

from collections.abc import Iterator

from maxent_cli.engine.target import Kernel, State, Target, Trace

BLOCK_STEPS = 2000  # short enough to hear a signal, long enough that a block's set-up does not show


def blocks(kernel: Kernel, state: State, target: Target, draws: int, thin: int) -> Iterator[tuple[State, Trace]]:
    """Yield state and trace after each block until every chain has given its draws, thin steps apart."""
    most = max(1, BLOCK_STEPS // thin)
    while draws:
        now = min(draws, most)
        state, trace = kernel(state, target, now, thin)
        draws -= now
        yield state, trace
