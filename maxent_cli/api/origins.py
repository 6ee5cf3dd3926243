"""How an output was made, as the file beside it says."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maxent_cli import __version__
from maxent_cli.errors import InputError, printable
from maxent_cli.io.digests import PIPED, digest_as_read
from maxent_cli.io.genome_index import index_digest
from maxent_cli.io.provenance import code, require_provenance


class Origin:
    """What is said beside an output of its making: origin["command"], origin["seed"], ...; str() is for people."""

    def __init__(self, output: str, record: dict[str, Any]) -> None:
        self.output, self.record = output, record

    def __getitem__(self, name: str) -> Any:
        return self.record[name]

    def check_inputs(self) -> None:
        """Raise InputError where an input is not as it was when the output was made from it.

        Those that were pipes are passed over. Of a genome, the index is compared: names, lengths and places.
        """
        for path, known in self.record["inputs"].items():
            if known is None or (isinstance(known, dict) and PIPED in known):
                continue
            genome = isinstance(known, dict) and Path(path).is_file()
            now = index_digest(path) if genome else digest_as_read(path)
            if now != (known.get("index") if genome else known):
                what = "has changed since" if Path(path).exists() else "is gone, and"
                raise InputError(path, "", f"{what} {self.output} was made from it", "run the command again")
        for path in self.record.get("changed_inputs", ()):
            raise InputError(path, "", f"changed while {self.output} was made from it", "run the command again")

    def json(self) -> str:
        """As it lies beside the output."""
        return json.dumps(self.record, indent=2)

    def __str__(self) -> str:
        return "\n".join(_lines_of(self.record))


def provenance(output: str) -> Origin:
    """How an output, a file or a folder, was made: command, versions, seed, digests, seconds and memory.

    Raises InputError where nothing beside it says so, or where the output is not what was written.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> mx.provenance("draws.npz")["seed"]  # doctest: +SKIP
    1
    """
    return Origin(output, require_provenance(output))


def is_made_by(output: str, words: list[str]) -> bool:
    """Whether an output is there and whole, made by this command and code from inputs that are as they were.

    The place of the program does not count.
    """
    try:
        origin = provenance(output)
        origin.check_inputs()
    except InputError:
        return False
    record = origin.record
    made = [list(record.get("command", []))[1:], record.get("version"), record.get("code"), record.get("config")]
    return made == [words[1:], __version__, code(), None]


def _lines_of(record: dict[str, Any]) -> Iterator[str]:
    """What people ask for, a line each; lists of files below each other."""
    machine, part = record.get("machine") or {}, record.get("part") or {}
    told = {
        "command": shlex.join(map(str, record.get("command", ()))),
        "version": f"maxent {record.get('version')}, Python {record.get('python')}",
        "packages": ", ".join(f"{name} {version}" for name, version in record.get("packages", {}).items()),
        "machine": ", ".join(str(machine[name]) for name in machine if machine[name]),
        "device": record.get("device"),
        "seed": record.get("seed"),
        "part": part and f"{part.get('shard')} of {part.get('records')} records, {part.get('rejected')} rejected",
        "took": _took(record) + (f"; its parts {_took(record['parts'])}" if "parts" in record else ""),
    }
    yield from (printable(f"{name:9} {value}") for name, value in told.items() if value not in (None, {}))
    for name, found in (("output", record.get("output")), *record["inputs"].items()):
        files = found.items() if isinstance(found, dict) else [("", found)]
        kind = "output" if name == "output" else "input"
        place = "" if name == "output" else name
        for inside, digest in files:
            path = "/".join(filter(None, (place.rstrip("/"), inside)))
            yield printable(f"{kind:9} {' '.join(filter(None, (path, f'sha256 {digest}' if digest else 'a pipe')))}")


def _took(record: dict[str, Any]) -> str:
    """Time and memory; of parts, all together and the most."""
    return f"{record.get('wall_seconds')} s, {record.get('peak_memory_mib')} MiB"
