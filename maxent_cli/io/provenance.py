"""A JSON file beside every output that says how it was made."""

import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from maxent_cli import __version__
from maxent_cli.errors import InputError
from maxent_cli.io.digests import changes, digest_of, noted
from maxent_cli.io.files import check_input, reason
from maxent_cli.io.machine import peak_memory

Record = dict[str, Any]

IMPORTED = time.time()
started = ContextVar("started", default=IMPORTED)  # when the command began, which sets it
configured = ContextVar[str | None]("configured", default=None)  # the file that options were read from
commanded = ContextVar[list[str] | None]("commanded", default=None)  # the command that does a step of a longer run
_CPU = Path("/proc/cpuinfo")


def record_of(output: str, inputs: Iterable[str] | dict[str, object], seed: object = None, **more: object) -> Record:
    """How an output was made: command line, versions, seed, digests of output and inputs, seconds, peak memory.

    Folders are given by the digest of each file in them, or, where they are models, of what a network is read from.
    Inputs may come with their digests; of others it is that of what was read, and `changed_inputs` says which of them
    are no longer so.
    """
    known = inputs if isinstance(inputs, dict) else {path: noted(path) for path in inputs}
    changed = {path: found for path in known if (found := changes(path)) is not None}
    return {
        "command": commanded.get() or sys.argv,
        "config": _configuration(),
        "version": __version__,
        "code": code(),
        "python": platform.python_version(),
        "packages": packages(),
        "machine": {"host": platform.node(), "processor": platform.machine(), "cpu": cpu()},
        "seed": seed,
        "output": digest_of(output),
        "inputs": known,
        **({"changed_inputs": changed} if changed else {}),
        "wall_seconds": round(time.time() - started.get(), 3),
        "peak_memory_mib": peak_memory() >> 20,
        **more,
    }


def _configuration() -> dict[str, object] | None:
    """The file that options were read from, with its digest and text."""
    path = configured.get()
    return None if path is None else {"path": path, "sha256": digest_of(path), "text": Path(path).read_text()}


def read_provenance(output: str) -> Record | None:
    """What was written beside an output about its making; None where that file is not there."""
    path = beside(output)
    if not Path(path).exists():
        return None
    cure = "remove it, and run the command again"
    check_input(path)
    try:
        record = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(path, "", "is not JSON", cure) from error
    except OSError as error:
        raise InputError(path, "", reason(error), cure) from error
    if not (isinstance(record, dict) and "inputs" in record and _is_record(record)):
        raise InputError(path, "", "is not what maxent writes beside an output", cure)
    return record


def _is_record(found: Record) -> bool:
    """Whether each of its tables is one."""
    tables = {"inputs", "packages", "machine", "part", "parts", "changed_inputs"} & found.keys()
    return all(isinstance(found[name], dict) for name in tables) and isinstance(found.get("command", []), list)


def require_provenance(output: str) -> Record:
    """As read_provenance; InputError where there is none, or the output is not as it was written."""
    check_input(output, Path(output).is_dir())
    record = read_provenance(output)
    if record is None:
        cure = "give what a command of maxent wrote, with its .provenance.json"
        raise InputError(output, "", "has no provenance beside it", cure)
    if digest_of(output) != record.get("output"):
        raise InputError(output, "", "is not as it was when its provenance was written", "run the command again")
    return record


@contextmanager
def doing(words: list[str]) -> Iterator[None]:
    """Have records of what is written in this block say that this command did it, in the time of this block."""
    began, config, before = started.set(time.time()), configured.set(None), commanded.set(words)
    try:
        yield
    finally:
        started.reset(began)
        configured.reset(config)
        commanded.reset(before)


def beside(output: str) -> str:
    """Where an output's provenance lies."""
    return f"{output.rstrip('/')}.provenance.json"


@cache
def code() -> str:
    """SHA-256 of this package: what an edited one does need not fit what was done, though it has the same version."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@cache
def packages() -> dict[str, str]:
    """Versions of what this package depends on."""
    wanted = (line for line in metadata.requires("maxent_cli") or () if "extra ==" not in line)
    names = sorted(re.split(r"[^\w.-]", line)[0] for line in wanted)
    return {name: metadata.version(name) for name in names}


def cpu() -> str | None:
    """The kind of CPU, where the system says it: draws are the same bytes on one kind."""
    found = re.search(r"^model name\s*:\s*(.*)", _CPU.read_text(), re.MULTILINE) if _CPU.is_file() else None
    return found[1] if found else None
