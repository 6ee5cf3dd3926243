"""Where the records of a text file stand: one pass over its bytes, so that a part reads its own block alone.

No table of it is kept beside the file: a part must take the file's digest all the same, in the pass that counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.io.files import reading_bytes

_PIECE = 1 << 18  # bytes, as a processor's cache holds
_PRINTED = bytes(range(33, 127))


class Begin(NamedTuple):
    """Where reading begins: bytes (of what a compressed file holds), records and lines before there."""

    offset: int = 0
    records: int = 0
    lines: int = 0


START = Begin()


@dataclass(frozen=True)
class LineKind:
    """Which lines begin a record: starts(line, its number from 1), or where the first byte says so, always or never.

    header: lines that stand before all records and are none, whatever they hold.
    """

    starts: Callable[[str, int], bool]
    always: bytes
    never: bytes = b""
    header: int = 0


@dataclass(frozen=True)
class Places:
    """How many records there are, where some begin, and whether the file is compressed."""

    count: int
    begins: list[Begin]
    compressed: bool = False

    def before(self, record: int) -> Begin:
        """The last known place before a record, counted from 0, with which it may be read."""
        found = START
        for begin in self.begins:
            if begin.records > record:
                break
            found = begin
        return found if found.records else START  # before the first record stands what tells of the file


def kind_of_lines(
    starts: Callable[[str, int], bool], *, always: bytes | None = None, ask: bytes = b"", header: int = 0
) -> LineKind:
    """Lines whose first byte settles it, but for those that begin with white space, no ASCII or what `ask` has."""
    surely = bytes(set(_PRINTED) - set(ask)) if always is None else always
    return LineKind(starts, surely, bytes(set(_PRINTED) - set(ask) - set(surely)) + b"\r\n", header)


def find_places(path: str, kind: LineKind) -> Places:
    """Count a file's records. Raises InputError where it cannot be read or is not text."""
    sure = np.zeros((2, 256), np.bool_)
    sure[0, list(kind.always)], sure[1, list(kind.never)] = True, True
    begins, offset, records, lines = list[Begin](), 0, 0, 0
    with reading_bytes(path) as (stream, compressed):
        while piece := stream.read(_PIECE) + stream.readline():
            begins.append(Begin(offset, records, lines))
            offset += len(piece)
            more, further = _count(piece, kind, sure, lines)
            records, lines = records + more, lines + further
    return Places(records, begins, compressed)


def _count(piece: bytes, kind: LineKind, sure: NDArray[np.bool_], lines: int) -> tuple[int, int]:
    """Records that begin in whole lines, with so many lines before them, and how many lines these are."""
    if not piece.isascii():
        piece.decode()  # raises where it is not text
    if b"\r" in piece:
        piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    letters = np.frombuffer(piece, np.uint8)
    begins = np.append(0, np.flatnonzero(letters == ord("\n")) + 1)
    begins = begins[begins < len(letters)]
    own = begins[max(kind.header - lines, 0) :]
    always, never = sure[:, letters[own]]
    found = int(always.sum())
    for row in np.flatnonzero(~(always | never)).tolist():
        begin, number = own[row], lines + len(begins) - len(own) + row + 1
        found += kind.starts(piece[begin : piece.find(b"\n", begin) + 1 or None].decode(), number)
    return found, len(begins)
