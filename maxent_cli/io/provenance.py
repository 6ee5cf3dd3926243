"""A JSON file beside every output that says how it was made."""

import hashlib
import json
import platform
import re
import resource
import sys
import time
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from maxent_cli import __version__
from maxent_cli.errors import InputError
from maxent_cli.io.files import PIPE, check_input, digest, reading_text, writing

IMPORTED = time.time()
started = ContextVar("started", default=IMPORTED)  # when the command began, which sets it
configured = ContextVar[str | None]("configured", default=None)  # the file that options were read from
_CPU = Path("/proc/cpuinfo")


def write_provenance(
    output: str, inputs: Iterable[str] | dict[str, object], seed: int | None = None, **more: object
) -> None:
    """Write OUTPUT.provenance.json: command line, versions, seed, digests of output and inputs, seconds, peak memory.

    Folders, such as models, are given by the digest of each file in them; inputs may come with their digests. Nothing
    is written for '-', a device or a named pipe.
    """
    if output == PIPE or not (Path(output).is_file() or Path(output).is_dir()):
        return
    digests = inputs if isinstance(inputs, dict) else {path: digest_of(path) for path in inputs}
    record = {
        "command": sys.argv,
        "config": _configuration(),
        "version": __version__,
        "code": code(),
        "python": platform.python_version(),
        "packages": packages(),
        "machine": {"host": platform.node(), "processor": platform.machine(), "cpu": cpu()},
        "seed": seed,
        "output": digest_of(output),
        "inputs": digests,
        "wall_seconds": round(time.time() - started.get(), 3),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **more,
    }
    with writing(beside(output)) as stream:
        json.dump(record, stream, indent=2)
        stream.write("\n")


def _configuration() -> dict[str, object] | None:
    """The file that options were read from, with its digest and text."""
    path = configured.get()
    return None if path is None else {"path": path, "sha256": digest_of(path), "text": Path(path).read_text()}


def read_provenance(output: str) -> dict[str, Any] | None:
    """What was written beside an output about its making; None where that file is not there."""
    path = beside(output)
    if not Path(path).exists():
        return None
    cure = "remove it, or run the command again"
    try:
        with reading_text(path) as stream:
            record = json.load(stream)
    except (ValueError, RecursionError) as error:
        raise InputError(path, "", "is not JSON", cure) from error
    if not isinstance(record, dict) or not isinstance(record.get("inputs"), dict):
        raise InputError(path, "", "is not what maxent writes beside an output", cure)
    return record


def require_provenance(output: str) -> dict[str, Any]:
    """As read_provenance; InputError where there is none, or the output is not as it was written."""
    check_input(output, Path(output).is_dir())
    record = read_provenance(output)
    if record is None:
        cure = "give what a command of maxent wrote, with its .provenance.json"
        raise InputError(output, "", "has no provenance beside it", cure)
    if digest_of(output) != record.get("output"):
        raise InputError(output, "", "is not as it was when its provenance was written", "run the command again")
    return record


def require_inputs(output: str, record: dict[str, Any]) -> None:
    """Raise InputError where an input of an output is not as it was; those that were pipes are passed over."""
    for path, known in record["inputs"].items():
        if known is not None and digest_of(path) != known:
            what = "has changed since" if Path(path).exists() else "is gone, and"
            raise InputError(path, "", f"{what} {output} was made from it", "run the command again")


def beside(output: str) -> str:
    """Where an output's provenance lies."""
    return f"{output.rstrip('/')}.provenance.json"


def digest_of(path: str) -> object:
    """SHA-256 of a file, or of each file in a folder by its path there; None where there is neither, as of a pipe.

    Hidden files are passed over: another run may be writing one.
    """
    place = Path(path)
    if place.is_dir():
        inside = sorted(entry.relative_to(place) for entry in place.rglob("*") if entry.is_file())
        shown = (name for name in inside if not any(part.startswith(".") for part in name.parts))
        return {name.as_posix(): digest(str(place / name)) for name in shown}
    return digest(path) if place.is_file() else None


@cache
def code() -> str:
    """SHA-256 of this package: what an edited one does need not fit what was done, though it has the same version."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def packages() -> dict[str, str]:
    """Versions of what this package depends on."""
    wanted = (line for line in metadata.requires("maxent_cli") or () if "extra ==" not in line)
    names = sorted(re.split(r"[^\w.-]", line)[0] for line in wanted)
    return {name: metadata.version(name) for name in names}


def cpu() -> str | None:
    """The kind of CPU, where the system says it: draws are the same bytes on one kind."""
    found = re.search(r"^model name\s*:\s*(.*)", _CPU.read_text(), re.MULTILINE) if _CPU.is_file() else None
    return found[1] if found else None
