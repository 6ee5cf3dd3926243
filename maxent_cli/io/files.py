"""Outputs that are whole or absent, and inputs that may be compressed or a pipe."""

import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

from maxent_cli.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
PIPE = "-"
_CHECK_PATH = "check the path and its permissions"
# a name may hold what UTF-8 cannot say, such as half of a surrogate pair
_TEXT: dict[str, Any] = {"encoding": "utf-8", "newline": "\n", "errors": "backslashreplace"}


@contextmanager
def reading_text(path: str) -> Iterator[TextIO]:
    """Open a text file, gzip or bgzip file, or standard input ('-') for reading.

    Raises InputError where the file cannot be read, is cut short or is not text.
    """
    try:
        with _open_bytes(path) as raw:
            buffered = io.BufferedReader(cast(io.RawIOBase, raw))
            compressed = buffered.peek(2)[:2] == GZIP_MAGIC
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=buffered) if compressed else buffered)
            yield io.TextIOWrapper(stream, encoding="utf-8")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, "", f"damaged gzip file ({error})", "make or copy the file again") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "", "is not a text file", "give a plain or gzip-compressed text file") from error
    except OSError as error:
        raise InputError(path, "", _reason(error), _CHECK_PATH) from error


def check_input(path: str, folder: bool = False, pipe: bool = False) -> None:
    """Raise InputError where a path is no file that can be read (or folder), before anything else is done.

    pipe: it is read once from its start, so that a named pipe will do.
    """
    place = Path(path)
    try:
        kind = place.stat().st_mode
        if stat.S_ISDIR(kind) != folder:
            problem, cure = ("is a folder", "give a file") if not folder else ("is not a folder", "give a folder")
            raise InputError(path, "", problem, cure)
        if folder:
            next(place.iterdir(), None)
        elif stat.S_ISREG(kind):
            place.open("rb").close()
        elif not pipe:
            raise InputError(path, "", "is a pipe or device, and not a file", "write it to a file and give that")
    except OSError as error:
        raise InputError(path, "", _reason(error), _CHECK_PATH) from error


@contextmanager
def writing(path: str, mode: str = "w") -> Iterator[IO[Any]]:
    """Open an output under a temporary name and move it into place if the block ends well; '-' is standard output.

    Raises InputError where the place cannot be written.
    """
    with writing_together() as opening:
        yield opening(path, mode)


@contextmanager
def writing_together() -> Iterator[Callable[..., IO[Any]]]:
    """A function of path and mode that opens outputs as `writing` does; all move into place if the block ends well.

    Standard output may be closed by its reader, who then has enough: the other outputs are finished all the same. A
    device or named pipe is written to as it is.
    """
    moves = dict[Path, Path]()
    paths = list[str]()
    try:
        with ExitStack() as streams:

            def opening(path: str, mode: str = "w") -> IO[Any]:
                paths.append(path)
                return streams.enter_context(_open_output(path, mode, moves))

            yield opening
        for temporary, target in moves.items():
            temporary.replace(target)
    except OSError as error:
        leave_standard_output()
        raise _write_error(", ".join(paths), error) from error
    finally:
        for temporary in moves:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: str) -> Iterator[Path]:
    """Fill a folder under a temporary name and move it into place if the block ends well, replacing an older one.

    Raises InputError where the place cannot be written, or holds something that is not a folder.
    """
    target = Path(path)
    _check_folder(path)
    temporary, older = _temporary(target), target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if target.exists():
            target.rename(older)
        try:
            temporary.rename(target)
        except OSError:
            if older.exists():
                older.rename(target)
            raise
    except InputError as error:
        inside = Path(error.path)
        if not inside.is_relative_to(temporary):
            raise
        raise InputError(path, inside.relative_to(temporary).as_posix(), error.problem, error.cure) from error
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(older, ignore_errors=True)


def is_device(path: str) -> bool:
    """Whether a path is a device or a named pipe, which is written to as it is and has no neighbours."""
    place = Path(path)
    return place.exists() and not (place.is_file() or place.is_dir())


def check_outputs(paths: Iterable[str]) -> None:
    """Raise InputError where one of these files could not be written, before the work is done that is to fill them.

    Only for outputs that no other process is writing: what a killed one left under a temporary name is removed.
    """
    moves = dict[Path, Path]()
    try:
        for path in paths:
            if path != PIPE and (Path(path).is_dir() or not Path(path).exists() or Path(path).is_file()):
                _remove_temporaries(Path(path))
                _open_output(path, "wb", moves).close()
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        for temporary in moves:
            temporary.unlink(missing_ok=True)


def check_output_folder(path: str) -> None:
    """As check_outputs, of one folder; an older one that a killed process was about to replace is put back."""
    _check_folder(path)
    _remove_temporaries(Path(path))


def _check_folder(path: str) -> None:
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise InputError(path, "", "exists and is not a folder", "choose another output folder")
    if target.is_dir() and any(target.iterdir()) and not Path(f"{path.rstrip('/')}.provenance.json").exists():
        raise InputError(path, "", "holds files that maxent did not write", "choose another output folder")


def _remove_temporaries(target: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.\d+\.(tmp|old)")
    for place in target.parent.iterdir() if target.parent.is_dir() else ():
        found = pattern.fullmatch(place.name)
        if found and found[1] == "old" and not target.exists():
            place.rename(target)
        elif found:
            shutil.rmtree(place) if place.is_dir() else place.unlink()


@contextmanager
def folder_or_pipe(path: str, printed: str) -> Iterator[Path]:
    """Fill a folder as `writing_folder` does; for '-' one of its text files goes to standard output, alone."""
    if path != PIPE:
        with writing_folder(path) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)
        text = (Path(temporary) / printed).read_text(encoding="utf-8")
    with writing(PIPE) as stream:
        stream.write(text)


def copy_into(source: str, path: str) -> None:
    """Write a file's bytes to an output."""
    with writing(path, "wb") as stream, Path(source).open("rb") as read:
        shutil.copyfileobj(read, stream)


def leave_standard_output() -> None:
    """Where standard output cannot be written, let what it still holds go nowhere: Python would say so on exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def digest(path: str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _open_output(path: str, mode: str, moves: dict[Path, Path]) -> IO[Any]:
    target = Path(path).resolve() if Path(path).is_symlink() else Path(path)  # a link stays one
    if path == PIPE:
        raw: Any = io.BufferedWriter(_StandardOutput())
        return cast(IO[Any], raw) if "b" in mode else io.TextIOWrapper(raw, **_TEXT)
    if target.is_dir():
        raise InputError(path, "", "is a folder", "name a file")
    if target.exists() and not target.is_file():
        return target.open(mode) if "b" in mode else target.open(mode, **_TEXT)
    temporary = _temporary(target)
    if temporary in moves:
        raise InputError(path, "", "is the place of two outputs", "name each its own file")
    target.parent.mkdir(parents=True, exist_ok=True)
    moves[temporary] = target
    return temporary.open(mode) if "b" in mode else temporary.open(mode, **_TEXT)


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


def _temporary(target: Path) -> Path:
    if not target.name:
        raise InputError(target, "", "is no name for an output", "name a file or folder")
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _open_bytes(path: str) -> IO[bytes]:
    if path == PIPE:
        return sys.stdin.buffer
    if Path(path).is_dir():
        raise InputError(path, "", "is a folder", "give a file")
    return Path(path).open("rb")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _write_error(path: str, error: OSError) -> InputError:
    return InputError(path, "", f"cannot be written ({_reason(error)})", "free the place or choose another output")
