"""How a command speaks to people: lines and figures of progress, on stderr."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

    from maxent_cli.api.listening import Bars, Ticker
    from maxent_cli.data import Stop

LOGGED = 10.0  # seconds between figures of progress in a log


def say(line: str) -> None:
    """One line for people, on stderr; who no longer reads that does not stop a run."""
    with suppress(OSError):
        click.echo(printable(line), err=True)


def print_file(path: "Path") -> None:
    """A text file on standard output."""
    from maxent_cli.io.files import PIPE
    from maxent_cli.io.outputs import copy_into

    copy_into(str(path), PIPE)


class Console:
    """The listener of a command; stop: whether a signal has asked it to end."""

    def __init__(self, stop: "Stop") -> None:
        self.stop = stop

    def say(self, line: str) -> None:
        """Say a line, above the bars that a terminal shows."""
        self._bars().say(line) if sys.stderr.isatty() else say(line)

    def progress(self, phase: str, total: int, unit: str, note: str = "") -> "AbstractContextManager[Ticker]":
        """Figures of a phase's progress: a bar on a terminal, else a line now and then."""
        bar = self._bars().progress if sys.stderr.isatty() else _Ticker
        return bar(phase, total, unit, note)

    def _bars(self) -> "Bars":
        from maxent_cli.api.listening import Bars

        return Bars(self.stop)


def spoken(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `console`; a signal ends it tidily."""

    @wraps(function)
    def heard(**given: Any) -> Any:
        from maxent_cli.data import Stop

        return function(console=Console(Stop()), **given)

    return heard


def resumable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `console`, whose stop is asked for by a signal: it keeps what it has done."""

    @wraps(function)
    def heard(**given: Any) -> Any:
        from maxent_cli.commands.stopping import stop_at_signals

        with stop_at_signals() as stop:
            return function(console=Console(stop), **given)

    return heard


class _Ticker:
    """Phase, i/N, rate and time left on stderr, a line every ten seconds.

    A thread of its own writes them, so that a log shows life while one unit takes minutes. note: what is at work now.
    """

    def __init__(self, phase: str, total: int, unit: str, note: str = "") -> None:
        self.phase, self.total, self.unit, self.done, self.note = phase, total, unit, 0, note
        self.started, self.ended = time.monotonic(), threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "_Ticker":
        self.thread.start()
        return self

    def advance(self, count: int = 1) -> None:
        """Count some more units as done."""
        self.done += count

    def __exit__(self, error: object, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self.note = ""
        if error is None or self.done:
            self._show()

    def _beat(self) -> None:
        while not self.ended.wait(LOGGED):
            self._show()

    def _show(self) -> None:
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        figures = f"{self.done}/{self.total} {self.unit}, {rate:.3g} {self.unit}/s, {left}"
        line = printable("; ".join(filter(None, (f"{self.phase}: {figures}", self.note))))
        with suppress(OSError):
            click.echo(line, err=True)
