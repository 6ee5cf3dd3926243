"""Signals that ask a run to stop: it keeps what it has done and ends with exit code 4."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from maxent_cli.data import Stop

# of a person, of a scheduler that ends a job, and of one that is about to
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def stop_at_signals() -> Stop:
    """What becomes `asked` at a signal, from now until the command ends."""
    return click.get_current_context().with_resource(_hearing())


@contextmanager
def _hearing() -> Iterator[Stop]:
    stop = Stop()

    def hear(*_: object) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C waits for nothing

    if threading.current_thread() is not threading.main_thread():  # which alone can hear signals
        yield stop
        return
    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
