"""Signals: a run that can go on keeps what it has done and ends with exit code 4; others leave nothing half-written."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from maxent_cli.errors import EndedError

if TYPE_CHECKING:
    from maxent_cli.data import Stop

# of a person, of a scheduler that ends a job, and of one that is about to
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
AGAIN = 0.02  # seconds until an error that was dropped is raised again
_ENDED = list[tuple[EndedError, int]]()


@contextmanager
def stop_at_signals() -> "Iterator[Stop]":
    """What becomes `asked` at a signal, while the block lasts."""
    from maxent_cli.data import Stop

    stop = Stop()

    def hear(*_: object) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C waits for nothing

    with _hearing(SIGNALS, hear):
        yield stop


@contextmanager
def tidy_at_sigterm() -> Iterator[None]:
    """Have SIGTERM end a command as an error would, so that files under temporary names go.

    Python drops an error that is raised within a callback of C, as while code compiles: it is raised again.
    """

    def end(*_: object) -> None:
        raise EndedError

    def drop(dropped: "sys.UnraisableHookArgs") -> None:
        if issubclass(dropped.exc_type, EndedError):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            before(dropped)

    with _hearing([signal.SIGTERM, signal.SIGALRM], end):
        before, sys.unraisablehook = sys.unraisablehook, drop
        try:
            yield
        finally:
            sys.unraisablehook = before


def keep_as_it_is(error: EndedError, code: int) -> None:
    """What was under way is not taken apart: half-made code, as LLVM's, may crash where that is tried."""
    _ENDED.append((error, code))


def leave_if_ended() -> None:
    """End the process at once, and by its exit code, where it was told to end."""
    for _, code in _ENDED:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


@contextmanager
def _hearing(signals: Sequence[signal.Signals], hear: Callable[..., object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # which alone can hear signals
        yield
        return
    before = {number: signal.signal(number, hear) for number in signals}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
