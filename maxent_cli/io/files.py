"""Inputs that may be compressed or a pipe."""

import gzip
import hashlib
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

from maxent_cli.errors import InputError
from maxent_cli.io import digests

GZIP_MAGIC = b"\x1f\x8b"
PIPE = "-"
_CHECK_PATH = "check the path and its permissions"
_ENDLESS = {f"/dev/{name}" for name in ("zero", "full", "random", "urandom")}
_PIECE = 1 << 20  # bytes


@contextmanager
def reading_text(path: str, offset: int = 0) -> Iterator[TextIO]:
    """Open a text file, gzip or bgzip file, or standard input ('-') for reading; its digest is noted at the end.

    offset: bytes to pass over of a file whose digest has been noted. Raises InputError where the file cannot be read,
    is cut short or is not text.
    """
    with reading_bytes(path, offset) as (stream, _):
        text = io.TextIOWrapper(stream, encoding="utf-8")
        yield text


@contextmanager
def reading_bytes(path: str, offset: int = 0) -> Iterator[tuple[IO[bytes], bool]]:
    """As reading_text, what it holds as bytes; and whether it is compressed."""
    try:
        with _open_bytes(path) as raw:
            before = digests.signature(path)
            seen = None if offset or digests.is_noted(path, before) else _Digesting(raw)
            buffered = raw if seen is None else io.BufferedReader(seen)
            compressed = buffered.peek(2)[:2] == GZIP_MAGIC
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=buffered) if compressed else buffered)
            if offset:
                stream.seek(offset)
            yield stream, compressed
            if seen is not None:
                while Path(path).is_file() and seen.read(_PIECE):  # what nobody wanted is of the file all the same
                    pass
                digests.note(path, seen.digest.hexdigest(), before)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, "", f"damaged gzip file ({error})", "make or copy the file again") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "", "is not a text file", "give a plain or gzip-compressed text file") from error
    except OSError as error:
        raise InputError(path, "", reason(error), _CHECK_PATH) from error


def check_input(path: str, folder: bool | None = False, pipe: bool = False) -> None:
    """Raise InputError where a path is no file that can be read (or folder), before anything else is done.

    folder: None: either. pipe: it is read once from its start, so that a named pipe will do.
    """
    place = Path(path)
    try:
        kind = place.stat().st_mode
        if folder is not None and stat.S_ISDIR(kind) != folder:
            problem, cure = ("is a folder", "give a file") if not folder else ("is not a folder", "give a folder")
            raise InputError(path, "", problem, cure)
        if stat.S_ISDIR(kind):
            next(place.iterdir(), None)
        elif stat.S_ISREG(kind):
            place.open("rb").close()
        elif not pipe:
            raise InputError(path, "", "is a pipe or device, and not a file", "write it to a file and give that")
        else:
            _require_end(path)
    except OSError as error:
        raise InputError(path, "", reason(error), _CHECK_PATH) from error


def is_device(path: str) -> bool:
    """Whether a path is a device or a named pipe, which is written to as it is and has no neighbours."""
    place = Path(path)
    return place.exists() and not (place.is_file() or place.is_dir())


def reason(error: OSError) -> str:
    """What the system says is wrong, as the middle of a line."""
    return (error.strerror or str(error)).lower()


class _Digesting(io.RawIOBase):
    """A stream of bytes, and the SHA-256 of those that have been read."""

    def __init__(self, raw: io.BufferedIOBase) -> None:
        self._raw, self.digest = raw, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._raw.readinto1(buffer)
        self.digest.update(memoryview(buffer)[:count])
        return count


def _open_bytes(path: str) -> io.BufferedReader:
    if path == PIPE:
        return cast(io.BufferedReader, sys.stdin.buffer)
    if Path(path).is_dir():
        raise InputError(path, "", "is a folder", "give a file")
    _require_end(path)
    return Path(path).open("rb")


def _require_end(path: str) -> None:
    """Raise InputError for a device that gives bytes for ever, such as /dev/zero."""
    if Path(path).is_char_device() and os.path.realpath(path) in _ENDLESS:
        raise InputError(path, "", "is a device that never ends", "give a file")
