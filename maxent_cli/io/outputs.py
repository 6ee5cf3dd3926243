"""Outputs: whole or absent, never in the place of what the user had, with a record of their making beside them.

A command says once, at its start, what it reads and what it will write; `planned` checks that, tidies up after runs
that were killed, and tries all places, before any work is done. Until an output NAME is whole, it lies beside its place
as `.NAME.PID.tmp`, its record, until both are in place, as `.NAME.PID.json`, and a folder that it replaces, for as long
as that takes, as `.NAME.PID.old`. Who writes them holds a lock on them, which ends with the process.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

from maxent_cli.errors import InputError
from maxent_cli.io.digests import digest_of, note, say
from maxent_cli.io.files import PIPE, check_input, is_device, reason
from maxent_cli.io.provenance import Record, beside, read_provenance, record_of
from maxent_cli.tables.sampling import REJECTED

Opening = Callable[..., IO[Any]]
Making = Callable[[str], Record]  # from the path of what has been written to how it was made

PARTIAL = ".partial"
_OTHER = "choose another output"
# of workflows and file managers, which put them where they like
_NOBODYS = frozenset({".snakemake_timestamp", ".DS_Store"})
# a name may hold what UTF-8 cannot say, such as half of a surrogate pair
_TEXT: dict[str, Any] = {"encoding": "utf-8", "newline": "\n", "errors": "backslashreplace"}


@dataclass(frozen=True)
class Outputs:
    """What a command reads and what it writes.

    inputs: paths of files and folders. files, folders: outputs that are named. implied: files beside them that nobody
    named, such as the table of rejected records.
    """

    inputs: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    implied: tuple[str, ...]

    def reading(self, *more: str | None) -> "Outputs":
        """With more inputs, as of code that is known once it has been imported; checked as the first ones were."""
        known = replace(self, inputs=tuple(dict.fromkeys([*self.inputs, *filter(None, more)])))
        known.check()
        return known

    def check(self) -> None:
        """Raise InputError where an output is, holds, lies in or links to an input, or is the place of another."""
        places = [path for path in (*self.files, *self.folders, *self.implied) if not is_device(path)]
        beside_them = [name for path in places for name in (beside(path), f"{_bare(path)}{PARTIAL}")]
        folders = {_real(path) for path in (*self.folders, *(name for name in beside_them if name.endswith(PARTIAL)))}
        there_already = any(os.path.lexists(path) for path in (*places, *beside_them))  # or nothing can be the same
        known = [
            (path, _real(path), _identities(path) if there_already else set())
            for path in self.inputs
            if Path(path).exists()
        ]
        for row, path in enumerate((*places, *beside_them)):
            here, own = _real(path), _identities(path, within=False)
            for name, there, identities in known:
                inside, holds = there in here.parents, here in folders and here in there.parents
                if here == there or inside or holds or own & identities:
                    what = "lies in" if inside else "holds" if holds else "is"
                    raise InputError(path, "", f"would be written, and {what} the input {name}", _OTHER)
            others = [_real(place) for other, place in enumerate(places) if other != row]
            if any(here == other or (here in folders and here in other.parents) for other in others):
                raise InputError(path, "", "is the place of two outputs", "name each its own")

    @contextmanager
    def writing(self, **made: Any) -> Iterator[Opening]:
        """As writing_together; each output comes with its record, of the facts in `made` and those it is opened with.

        A changed input is said.
        """
        with _together() as batch:

            def opening(path: str, mode: str = "w", **more: Any) -> IO[Any]:
                return batch.open(path, mode, lambda written: record_of(written, **self._facts(made | more)))

            yield opening
            batch.record()
        self._say_changes(batch.records.values())

    @contextmanager
    def writing_folder(self, path: str, **made: Any) -> Iterator[Path]:
        """Fill a folder that takes an older one's place when it is whole, with its record. A changed input is said."""
        records = list[Record]()

        def making(written: str) -> Record:
            records.append(record_of(written, **self._facts(made)))
            return records[0]

        with writing_folder(path, making) as folder:
            yield folder
        self._say_changes(records)

    def record(self, path: str, **made: Any) -> None:
        """Write the record of an output that has been made in its place, of the facts in `made`."""
        write_record(path, record_of(path, **self._facts(made)))

    def _facts(self, made: Mapping[str, Any]) -> dict[str, Any]:
        return {"inputs": self.inputs, **made}

    def _say_changes(self, records: Iterable[Record]) -> None:
        for path in {path: None for record in records for path in record.get("changed_inputs", ())}:
            say(f"WARNING: {path} has changed since it was read: the output is of what was read; its record says so")


def planned(
    inputs: Iterable[str | None],
    files: Iterable[str | None] = (),
    folders: Iterable[str | None] = (),
    implied: Iterable[str | None] = (),
    noting: bool = True,
) -> Outputs:
    """The outputs of a command, checked, tried, and tidied up where a killed run has left something.

    Raises InputError where an output would destroy an input or what maxent did not write, or cannot be written. Where a
    kill came between two renames, what the folder was, or its new record, is put into its place first. noting: the
    digests of inputs that are folders are noted now; those of files are by their readers, as a network's folder is.
    """
    named, kept, beside_them = (tuple(p for p in paths if p and p != PIPE) for paths in (files, folders, implied))
    outputs = Outputs(tuple(dict.fromkeys(filter(None, inputs))), named, kept, beside_them)
    outputs.check()
    for path in (*outputs.files, *outputs.implied):
        _prepare(path, outputs.implied)
    for path in outputs.folders:
        _prepare_folder(path)
    for path in outputs.inputs:
        if noting and Path(path).is_dir():
            note(path)
    return outputs


@contextmanager
def writing(path: str, mode: str = "w") -> Iterator[IO[Any]]:
    """Open an output under a temporary name and move it into place if the block ends well; '-' is standard output.

    Raises InputError where the place cannot be written.
    """
    with writing_together() as opening:
        yield opening(path, mode)


@contextmanager
def writing_together() -> Iterator[Opening]:
    """A function of path and mode that opens outputs as `writing` does; all move into place if the block ends well.

    Standard output may be closed by its reader, who then has enough: the other outputs are finished all the same. A
    device or named pipe is written to as it is.
    """
    with _together() as batch:
        yield batch.open


@contextmanager
def writing_folder(path: str, making: Making | None = None) -> Iterator[Path]:
    """Fill a folder under a temporary name and move it into place if the block ends well, replacing an older one.

    A folder that is a link stays one. Raises InputError where the place cannot be written, or holds what maxent did not
    write.
    """
    target = _target(path)
    require_replaceable(path)
    batch = _Batch()
    temporary = _temporary(target)
    try:
        temporary.mkdir(parents=True)
        with _held(temporary):
            yield temporary
            batch.add(path, temporary, target, making)
            batch.record()
            require_replaceable(path)
            batch.move()
    except InputError as error:
        inside = Path(error.path)
        if not inside.is_relative_to(temporary):
            raise
        raise InputError(path, inside.relative_to(temporary).as_posix(), error.problem, error.cure) from error
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        batch.clean()


def keep(path: str, data: bytes) -> bool:
    """Write what can be made again at any time, in the place of an older one; whether that could be written."""
    try:
        _tidy(path)
        with writing(path, "wb") as stream:
            stream.write(data)
    except (InputError, OSError):
        return False
    return True


def copy_into(source: str, path: str) -> None:
    """Write a file's bytes to an output."""
    with writing(path, "wb") as stream, Path(source).open("rb") as read:
        shutil.copyfileobj(read, stream)


def copy_recorded(source: str, path: str) -> None:
    """Copy an output, a file or a folder, and the record that lies beside it, if there is one."""
    record = read_provenance(source)
    making = None if record is None else lambda _written: record
    if Path(source).is_dir():
        with writing_folder(path, making) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        return
    with _together() as batch, Path(source).open("rb") as read:
        shutil.copyfileobj(read, batch.open(path, "wb", making))
        batch.record()


def write_record(path: str, record: Record) -> None:
    """Write the record of an output that is in its place."""
    with writing(beside(path)) as stream:
        stream.write(json.dumps(record, indent=2) + "\n")


def require_replaceable(path: str) -> None:
    """Raise InputError where a folder holds anything but what its own record lists, unchanged: it names that."""
    target = _target(path)
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise InputError(path, "", "exists and is not a folder", "choose another output folder")
    inside = sorted(entry for entry in target.rglob("*") if entry.is_symlink() or not entry.is_dir())
    found = [entry for entry in inside if entry.name not in _NOBODYS]
    if not found:
        return
    listed = _listed(path)
    for entry in found:
        name = entry.relative_to(target).as_posix()
        if name not in listed or entry.is_symlink() or not entry.is_file():
            raise InputError(path, "", f"holds {name}, which maxent did not write", "choose another output folder")
        if digest_of(str(entry)) != listed[name]:
            cure = "move it away, or choose another output folder"
            raise InputError(path, "", f"holds {name}, which has changed since maxent wrote it", cure)


def leave_standard_output() -> None:
    """Where standard output cannot be written, let what it still holds go nowhere: Python would say so on exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass(frozen=True)
class _Move:
    """Something under a temporary name, where it goes, and how its record is made, if it has one."""

    path: str
    temporary: Path
    target: Path
    making: Making | None

    @property
    def older(self) -> Path:
        return self.target.with_name(f".{self.target.name}.{os.getpid()}.old")

    @property
    def noted(self) -> Path:
        """Where its record is until both are in place."""
        place = Path(_bare(self.path))
        return place.with_name(f".{place.name}.{os.getpid()}.json")


class _Batch:
    """Outputs that move into place together."""

    def __init__(self) -> None:
        self.streams = ExitStack()
        self.paths, self.moves, self.records = list[str](), list[_Move](), dict[str, Record]()
        self._locks = list[int]()

    def open(self, path: str, mode: str = "w", making: Making | None = None) -> IO[Any]:
        """Open an output for writing."""
        self.paths.append(path)
        if path == PIPE:
            return self._entered(io.BufferedWriter(_StandardOutput()), mode)
        target = _target(path)
        if target.is_dir() or path.endswith("/"):
            raise InputError(path, "", "is a folder", "name a file")
        if target.exists() and not target.is_file():
            return self._entered(target.open("wb"), mode)
        if any(move.target == target for move in self.moves):
            raise InputError(path, "", "is the place of two outputs", "name each its own")
        temporary = _temporary(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.add(path, temporary, target, making)
        stream = temporary.open("wb")
        self._hold(stream)
        return self._entered(stream, mode)

    def add(self, path: str, temporary: Path, target: Path, making: Making | None) -> None:
        """Something is written under a temporary name."""
        self.moves.append(_Move(path, temporary, target, making))

    def record(self) -> None:
        """Write the records, once all streams have been closed."""
        self.streams.close()
        for move in self.moves:
            if move.making is not None:
                self.records[move.path] = record = move.making(str(move.temporary))
                with move.noted.open("w", encoding="utf-8") as stream:
                    self._hold(stream)
                    stream.write(json.dumps(record, indent=2) + "\n")

    def move(self) -> None:
        """Move all into place, the records last."""
        self.streams.close()
        for move in self.moves:
            _put(move)
        for move in self.moves:
            if move.making is not None:
                move.noted.replace(beside(move.path))

    def clean(self) -> None:
        """Remove what has not become an output."""
        for move in self.moves:
            _remove(move.temporary)
            _remove(move.noted)
            if move.target.exists():
                _remove(move.older)
        while self._locks:
            os.close(self._locks.pop())

    def _hold(self, stream: IO[Any]) -> None:
        """Lock a file until all is done, also once it has been closed."""
        self._locks.append(os.dup(stream.fileno()))
        _lock(self._locks[-1])

    def _entered(self, raw: Any, mode: str) -> IO[Any]:
        return cast(IO[Any], self.streams.enter_context(raw if "b" in mode else io.TextIOWrapper(raw, **_TEXT)))


@contextmanager
def _together() -> Iterator[_Batch]:
    batch = _Batch()
    try:
        with batch.streams:
            yield batch
        batch.move()
    except OSError as error:
        leave_standard_output()
        raise _write_error(", ".join(batch.paths), error) from error
    finally:
        batch.clean()


def _put(move: _Move) -> None:
    """A file takes the place of an older one at once; a folder, once that is out of the way."""
    if not move.target.is_dir():
        move.temporary.replace(move.target)
        return
    with _held(move.target):
        move.target.rename(move.older)
        try:
            move.temporary.rename(move.target)
        except OSError:
            move.older.rename(move.target)
            raise


def _prepare(path: str, implied: Sequence[str]) -> None:
    """Tidy up around a file, and try to write it and its record."""
    if path.endswith("/"):
        raise InputError(path, "", "is the name of a folder", "name a file")
    try:
        if is_device(path):
            return
        _tidy(path)
        if path in implied:
            _require_ours(path)
        read_provenance(path)  # an error where it is not ours to replace
        _try(path)
        _try(beside(path))
    except OSError as error:
        raise _write_error(path, error) from error


def _prepare_folder(path: str) -> None:
    """Tidy up around a folder, see that it may be replaced, and try to write there."""
    try:
        _tidy(path)
        require_replaceable(path)
        read_provenance(path)
        _try(path, folder=True)
        _try(beside(path))
    except OSError as error:
        raise _write_error(path, error) from error


def _require_ours(path: str) -> None:
    """Raise InputError where a file that nobody named is the user's own."""
    if not Path(path).exists() or Path(beside(path)).exists():
        return
    check_input(path)
    with Path(path).open("rb") as stream:
        if stream.readline(100).rstrip() == "\t".join(REJECTED.names).encode():
            return
    raise InputError(path, "", "is there, and maxent did not write it", "move it away, or choose another output")


def _try(path: str, folder: bool = False) -> None:
    """Make something where an output is to be, or where the folder that holds it is, and remove it again."""
    target = _target(path)
    temporary = _temporary(target).with_suffix(".try")
    if target.is_dir() and not folder:
        raise InputError(path, "", "is a folder", "name a file")
    near = next(place for place in target.parents if os.path.lexists(place))
    place = temporary if near == target.parent else near / temporary.name
    if folder:
        place.mkdir()
        place.rmdir()
    else:
        place.open("wb").close()
        place.unlink()


def _tidy(path: str) -> None:
    """Remove what a killed process has left; where it was about to replace a folder or a record, have one of them."""
    target, named = _target(path), Path(_bare(path))
    litter = [place for place in (*_litter(target), *_litter(named, "json")) if not _is_held(place)]
    for place in litter:
        if place.suffix == ".old" and not target.exists():
            place.rename(target)
        elif place.suffix == ".json" and not _temporary(target, place.name.split(".")[-2]).exists():
            _take_record(place, path)
    for place in litter:
        _remove(place)


def _take_record(place: Path, path: str) -> None:
    """Put a record where it belongs, if it is of what is there."""
    with contextlib.suppress(ValueError, RecursionError):
        if json.loads(place.read_bytes()).get("output") == digest_of(path):
            place.replace(beside(path))


def _litter(target: Path, suffixes: str = "tmp|old|try") -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.\d+\.({suffixes})")
    inside = target.parent.iterdir() if target.parent.is_dir() else ()
    return [place for place in inside if pattern.fullmatch(place.name)]


def _remove(place: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink(missing_ok=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, wherever it moves meanwhile."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        _lock(opened)
        yield
    finally:
        os.close(opened)


def _lock(opened: int) -> bool:
    """Take a lock, if nobody has it; where the file system has none, nobody has."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def _is_held(place: Path) -> bool:
    """Whether a living process is at work on it."""
    try:
        opened = os.open(place, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _lock(opened)
    finally:
        os.close(opened)


def _listed(path: str) -> Mapping[str, object]:
    """Files that the record of a folder lists, with their digests; none where there is no record."""
    try:
        record = read_provenance(path) or {}
    except InputError:
        record = {}
    output = record.get("output")
    return output if isinstance(output, dict) else {}


def _identities(path: str, within: bool = True) -> set[tuple[int, int]]:
    """What tells a file from others whatever it is called: its own, and those of what is in a folder."""
    place, found = Path(path), set[tuple[int, int]]()
    for file in (place, *(place.rglob("*") if within and place.is_dir() else ())):
        with contextlib.suppress(OSError):
            known = file.stat()
            found.add((known.st_dev, known.st_ino))
    return found


def _bare(path: str) -> str:
    return path.rstrip("/")


def _real(path: str) -> Path:
    return Path(os.path.realpath(path))


def _target(path: str) -> Path:
    """Where an output goes; a link stays one."""
    place = Path(path)
    found = _real(path) if place.is_symlink() else place
    if found.is_symlink():
        raise InputError(path, "", "is a link in a circle", _OTHER)
    return found


class _StandardOutput(io.RawIOBase):
    """Standard output; once its reader has closed it, what is written goes nowhere."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            leave_standard_output()
        return len(data)


def _temporary(target: Path, process: object = None) -> Path:
    if not target.name or target.name == "..":
        raise InputError(target, "", "is no name for an output", "name a file or folder")
    return target.with_name(f".{target.name}.{process or os.getpid()}.tmp")


def _write_error(path: str, error: OSError) -> InputError:
    return InputError(path, "", f"cannot be written ({reason(error)})", f"free the place or {_OTHER}")
