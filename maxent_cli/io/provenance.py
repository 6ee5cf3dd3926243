"""A JSON file beside every output that says how it was made."""

import json
import platform
import resource
import sys
import time
from contextvars import ContextVar
from importlib import metadata
from pathlib import Path

from maxent_cli import __version__
from maxent_cli.io.files import PIPE, digest, writing

PACKAGES = ("numpy", "torch", "numba", "pandas", "arviz-stats", "scikit-learn")
IMPORTED = time.time()
started = ContextVar("started", default=IMPORTED)  # when the command began, which sets it


def write_provenance(output: str, inputs: list[str], seed: int | None = None, **more: object) -> None:
    """Write OUTPUT.provenance.json: command line, versions, seed, input digests, wall time, peak memory.

    Inputs that are folders (models) are given by the digest of each file in them. Nothing is written for '-', a device
    or a named pipe.
    """
    if output == PIPE or not (Path(output).is_file() or Path(output).is_dir()):
        return
    record = {
        "command": sys.argv,
        "version": __version__,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "machine": {"host": platform.node(), "processor": platform.machine()},
        "seed": seed,
        "inputs": {path: input_digest(path) for path in inputs},
        "wall_seconds": round(time.time() - started.get(), 3),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **more,
    }
    with writing(f"{output.rstrip('/')}.provenance.json") as stream:
        json.dump(record, stream, indent=2)
        stream.write("\n")


def input_digest(path: str) -> object:
    """SHA-256 of a file, or of each file in a folder; None for a pipe."""
    place = Path(path)
    if place.is_dir():
        return {entry.name: digest(str(entry)) for entry in sorted(place.iterdir()) if entry.is_file()}
    return digest(path) if place.is_file() else None
