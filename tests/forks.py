"""Commands in forks of a process that has imported everything: thousands of runs, each as if it were the only one."""

import contextlib
import importlib
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

import torch

import maxent_cli.api
from maxent_cli.commands import COMMANDS, load, maxent

GRACE = 60.0  # seconds until what was told to end must have ended
MOST_MEMORY = 6 << 30  # bytes


class End(NamedTuple):
    """The exit code of a command, negative for a signal; whether it was sent one; its seconds, without any queue."""

    code: int
    late: bool
    took: float


def import_all() -> None:
    """Import what commands would import when they are called."""
    torch.set_num_threads(1)
    for name in COMMANDS:
        load(name)
    for room in pkgutil.iter_modules(maxent_cli.api.__path__, "maxent_cli.api."):
        importlib.import_module(room.name)


def in_a_fork(
    words: list[str],
    folder: Path,
    patience: float,
    variables: Mapping[str, str] | None = None,
    number: signal.Signals = signal.SIGTERM,
) -> End:
    """Run a command in a folder, and send it a signal after so many seconds.

    Seconds in which it waits for a busy CPU do not count. What it says goes to `stderr` beside the folder.
    """
    child = os.fork()
    if child == 0:
        _become(words, folder, variables or {})
    started, late, queue = time.monotonic(), False, 0.0
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        queue = max(queue, queued(child))
        waited = time.monotonic() - started - queue
        if found:
            return End(os.waitstatus_to_exitcode(status), late, waited)
        if waited > patience and not late:
            os.kill(child, number)
            late = True
        if waited > patience + GRACE:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def queued(process: int) -> float:
    """Seconds for which a thread of a process has waited for a CPU that others had; 0 where the system does not say."""
    found = [0.0]
    for place in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            found.append(int(place.read_text().split()[1]) / 1e9)
    return max(found)


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
