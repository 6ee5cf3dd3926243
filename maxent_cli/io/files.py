"""Outputs that are whole or absent, and inputs that may be compressed or a pipe."""

import gzip
import hashlib
import os
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

from maxent_cli.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
PIPE = "-"


@contextmanager
def reading_text(path: str) -> Iterator[TextIO]:
    """Open a text file, gzip or bgzip file, or standard input ('-') for reading.

    Raises InputError where the file cannot be read, is cut short or is not text.
    """
    import io

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
        raise InputError(path, "", _reason(error), "check the path and its permissions") from error


@contextmanager
def writing(path: str, mode: str = "w") -> Iterator[IO[Any]]:
    """Open an output under a temporary name and move it into place if the block ends well; '-' is standard output.

    Raises InputError where the place cannot be written.
    """
    if path == PIPE:
        stream = sys.stdout.buffer if "b" in mode else sys.stdout
        yield stream
        stream.flush()
        return
    target = Path(path)
    temporary = _temporary(target)
    if target.is_dir():
        raise InputError(path, "", "is a folder", "name a file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _open_new(temporary, mode) as stream:
            yield stream
        temporary.replace(target)
    except BrokenPipeError:  # of another output: whoever read it has enough
        raise
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: str) -> Iterator[Path]:
    """Fill a folder under a temporary name and move it into place if the block ends well, replacing an older one.

    Raises InputError where the place cannot be written, or holds something that is not a folder.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise InputError(path, "", "exists and is not a folder", "choose another output folder")
    if target.is_dir() and any(target.iterdir()) and not Path(f"{path.rstrip('/')}.provenance.json").exists():
        raise InputError(path, "", "holds files that maxent did not write", "choose another output folder")
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
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(older, ignore_errors=True)


def digest(path: str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _open_new(path: Path, mode: str) -> IO[Any]:
    return path.open(mode) if "b" in mode else path.open(mode, encoding="utf-8", newline="\n")


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
