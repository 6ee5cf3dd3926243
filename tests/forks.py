"""Commands in forks of a process that has imported everything: thousands of runs, each as if it were the only one."""

import contextlib
import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import torch

from maxent_cli.commands import COMMANDS, load, maxent

GRACE = 60.0  # seconds until what was told to end must have ended
MOST_MEMORY = 6 << 30  # bytes
ROOMS = ("attribution", "comparison", "dependence", "examining", "merging", "motifs", "origins", "periodicity")
ROOMS += ("prediction", "probing", "reports", "simulation", "training", "variants")


def import_all() -> None:
    """Import what commands would import when they are called."""
    torch.set_num_threads(1)
    for name in COMMANDS:
        load(name)
    for name in ROOMS:
        importlib.import_module(f"maxent_cli.api.{name}")


def in_a_fork(
    words: list[str],
    folder: Path,
    patience: float,
    variables: Mapping[str, str] | None = None,
    number: signal.Signals = signal.SIGTERM,
) -> tuple[int, bool]:
    """The exit code of a command in a folder, negative for a signal; and whether it was sent one after so many seconds.

    What it says goes to `stderr` beside the folder.
    """
    child = os.fork()
    if child == 0:
        _become(words, folder, variables or {})
    started, late = time.monotonic(), False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), late
        waited = time.monotonic() - started
        if waited > patience and not late:
            os.kill(child, number)
            late = True
        if waited > patience + GRACE:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.001)


def _become(words: list[str], folder: Path, variables: Mapping[str, str]) -> NoReturn:
    """Become the command, and end as it does."""
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        os.chdir(folder)
        for stream, path in enumerate((os.devnull, os.devnull, str(folder.parent / "stderr"))):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if stream else os.O_RDONLY
            os.dup2(os.open(path, flags, 0o600), stream)
        os.environ.update(variables)
        sys.argv = ["maxent", *words]
        maxent(words, prog_name="maxent")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def contents(folder: Path) -> dict[str, object]:
    """Every file and link in a folder, and what it holds."""
    places = (place for place in sorted(folder.rglob("*")) if place.is_symlink() or place.is_file())
    return {place.relative_to(folder).as_posix(): contents_of(place) for place in places}


def contents_of(place: Path) -> object:
    """What a file holds or a link says; None where there is neither."""
    if place.is_symlink():
        return str(place.readlink())
    return place.read_bytes() if place.is_file() else None
