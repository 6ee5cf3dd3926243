"""Digests of what has been read, taken when it was read, so that a record of it cannot speak of other bytes.

Readers note what they read; whoever writes a record asks what was noted, and whether it is still so.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

PIPED = "pipe"
NETWORK = ("model.json", "weights.safetensors", "code")  # of a model folder, what its network is read from
Signature = tuple[tuple[object, ...], ...]
Say = Callable[[str], object]

saying = ContextVar[Say]("saying", default=lambda _: None)  # what tells people a line; a command sets it


@dataclass(frozen=True)
class Noted:
    """A digest, and what the system said of the file, or of each file of the folder, when it was taken."""

    digest: object
    signature: Signature


_NOTED = dict[str, Noted]()


def say(line: str) -> None:
    """One line for people."""
    saying.get()(line)


def forget() -> None:
    """A new command begins: nothing has been read."""
    _NOTED.clear()


def note(path: str, digest: object = None, before: Signature | None = None) -> None:
    """Note what is read of a path, by default all of it; before: its signature when it was opened, by default now.

    What came from a pipe, and is nowhere any more, is told from a file.
    """
    known = signature(path) if before is None else before
    if digest is None and is_noted(path, known):
        return
    found = digest_as_read(path) if digest is None else digest
    _NOTED[_key(path)] = Noted(found if known or found is None else {PIPED: found}, known)


def is_noted(path: str, known: Signature) -> bool:
    """Whether a digest has been noted of a file, or folder, of this signature."""
    found = _NOTED.get(_key(path))
    return found is not None and bool(known) and found.signature == known


def noted(path: str) -> object:
    """The digest of a path when it was read; of one that nobody noted, as it is now."""
    found = _NOTED.get(_key(path))
    return digest_as_read(path) if found is None else found.digest


def run_digests(**paths: str | None) -> dict[str, object]:
    """Digests of what all parts of a run read, by what it is; of a genome, of which each reads its own, the index."""
    found = {name: noted(path) for name, path in paths.items() if path is not None}
    return {
        name: known["index"] if isinstance(known, dict) and "index" in known else known for name, known in found.items()
    }


def changes(path: str) -> object:
    """Where a path is not as it was when it was read: its digest now, or 'gone', or what differs; otherwise None."""
    found = _NOTED.get(_key(path))
    if found is None or not found.signature or found.signature == signature(path):
        return None
    if not Path(path).exists():
        return "gone"
    if isinstance(found.digest, dict) and Path(path).is_file():  # a genome, of which not all was read
        return "written since"
    now = digest_as_read(path)
    return None if now == found.digest else now


def digest(path: str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(path: str) -> object:
    """SHA-256 of a file, or of each file in a folder by its path there; None where there is neither, as of a pipe.

    Hidden files are passed over: another run may be writing one.
    """
    place = Path(path)
    return _digests(place, _shown(place)) if place.is_dir() else digest(path) if place.is_file() else None


def digest_as_read(path: str) -> object:
    """As digest_of, of an input: of a model folder only the files that its network is read from.

    What else lies there, such as checkpoints, may be removed without harm to what the network has given. A command that
    reads that too has it among its inputs by name.
    """
    place = Path(path)
    return _digests(place, _read(place)) if place.is_dir() else digest_of(path)


def _digests(folder: Path, names: Iterable[Path]) -> dict[str, str]:
    return {name.as_posix(): digest(str(folder / name)) for name in names}


def signature(path: str) -> Signature:
    """What changes with a file, or with one that is read of a folder, whatever times it is given; empty of neither."""
    place = Path(path)
    if place.is_dir():
        return tuple((name.as_posix(), *_status(place / name)) for name in _read(place))
    return (_status(place),) if place.is_file() else ()


def _shown(folder: Path) -> Iterator[Path]:
    inside = sorted(entry.relative_to(folder) for entry in folder.rglob("*") if entry.is_file())
    return (name for name in inside if not any(part.startswith(".") for part in name.parts))


def _read(folder: Path) -> Iterator[Path]:
    """Files of a folder that is an input."""
    card, *_ = NETWORK
    every = not (folder / card).is_file()
    return (name for name in _shown(folder) if every or name.parts[0] in NETWORK)


def _status(place: Path) -> tuple[object, ...]:
    found = place.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _key(path: str) -> str:
    return path if path == "-" else os.path.abspath(path)  # noqa: PTH100
