"""How a call speaks to people while it works: lines, and progress of its phases."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from maxent_cli.data import Stop
from maxent_cli.errors import printable
from maxent_cli.io import digests

FIRST_RUN = "the first run on a machine compiles its code"  # said until something has been done


class Step(NamedTuple):
    """How far a phase has come: so many of its units are done."""

    phase: str
    done: int
    total: int
    unit: str


class Ticker(Protocol):
    """Counts the units of a phase; note: what is at work now."""

    note: str

    def advance(self, count: int = 1) -> None:
        """Count some more units as done."""


@runtime_checkable
class Listener(Protocol):
    """Hears lines for people and the progress of phases; stop: whether the work has been asked to stop."""

    stop: Stop

    def say(self, line: str) -> None:
        """Hear a line."""

    def progress(self, phase: str, total: int, unit: str, note: str = "") -> AbstractContextManager[Ticker]:
        """A ticker for a phase of so many units."""


Progress = bool | Callable[[Step], None] | Listener  # what public functions take


def listener_of(progress: Progress) -> Listener:
    """True: bars by tqdm and lines, on stderr; False: nothing; a function is given each step.

    What readers and writers of files say goes there too.
    """
    if isinstance(progress, bool):
        listener: Listener = Bars() if progress else Calls(lambda _: None)
    else:
        listener = progress if isinstance(progress, Listener) else Calls(progress)
    digests.saying.set(listener.say)
    return listener


@dataclass
class Bars:
    """Shows progress by tqdm, and lines between its bars."""

    stop: Stop = field(default_factory=Stop)

    def say(self, line: str) -> None:
        """Print a line to stderr."""
        from tqdm import tqdm

        with suppress(OSError):
            tqdm.write(printable(line), file=sys.stderr)

    def progress(self, phase: str, total: int, unit: str, note: str = "") -> "AbstractContextManager[Ticker]":
        """A bar."""
        return _Bar(phase, total, unit, note)


class _Bar:
    def __init__(self, phase: str, total: int, unit: str, note: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, desc=phase, unit=f" {unit}", postfix=note or None, leave=False)

    @property
    def note(self) -> str:
        """What is at work now."""
        return str(self._bar.postfix or "")

    @note.setter
    def note(self, text: str) -> None:
        self._bar.set_postfix_str(printable(text), refresh=False)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        self._bar.update(count)

    def __enter__(self) -> Ticker:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


@dataclass
class Calls:
    """Gives each step to a function; lines go unheard."""

    hear: Callable[[Step], None]
    stop: Stop = field(default_factory=Stop)

    def say(self, line: str) -> None:
        """Nothing."""

    def progress(self, phase: str, total: int, unit: str, note: str = "") -> "AbstractContextManager[Ticker]":
        """A counter that tells the function."""
        return _Calling(self.hear, Step(phase, 0, total, unit), note)


@dataclass
class _Calling:
    hear: Callable[[Step], None]
    step: Step
    note: str

    def advance(self, count: int = 1) -> None:
        """Tell the function."""
        self.step = self.step._replace(done=self.step.done + count)
        self.hear(self.step)

    def __enter__(self) -> Ticker:
        return self

    def __exit__(self, *_: object) -> None:
        pass
