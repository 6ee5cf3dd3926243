"""The index of a genome's FASTA (.fai): one that lies beside it is used where the file is as the index says."""

import mmap
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pyfaidx

from maxent_cli.errors import InputError
from maxent_cli.io.digests import Signature, say, signature
from maxent_cli.io.outputs import keep

_LONGEST_HEADER = 1 << 16  # bytes
_MADE = dict[tuple[str, Signature], bytes]()  # indexes of this process, which opens a genome several times


class Entry(NamedTuple):
    """A sequence of the genome: letters, offset of the first in the file, letters of a line, and bytes of one."""

    name: str
    letters: int
    offset: int
    line: int
    width: int

    @property
    def end(self) -> int:
        """Offset behind its last letter."""
        lines, rest = divmod(self.letters, self.line) if self.line else (0, 0)
        return self.offset + lines * self.width + rest - (self.width - self.line if lines and not rest else 0)


@contextmanager
def index_of(path: str) -> Iterator[str]:
    """The path of an index that is right: that beside the genome, where a wrong or missing one is put in its place.

    Where that cannot be written, one for the time being, and that is said. Raises InputError where the genome cannot be
    indexed.
    """
    beside = Path(f"{path}.fai")
    if beside.is_file() and beside.stat().st_mtime >= Path(path).stat().st_mtime and is_right(path, str(beside)):
        yield str(beside)
        return
    with tempfile.TemporaryDirectory() as folder:
        made, known = Path(folder) / "genome.fai", (os.path.realpath(path), signature(path))
        if known in _MADE:
            made.write_bytes(_MADE[known])
        else:
            began = time.process_time()
            _build(path, str(made))
            _MADE[known] = made.read_bytes()
            if not keep(str(beside), _MADE[known]):
                took = time.process_time() - began
                wasted = f"its index, made in {took:.1f} CPU s, cannot be kept beside it, and every run makes its own"
                say(f"{path}: {wasted}: make one where it can be written, as `samtools faidx` does")
        yield str(made)


def read_index(index: str) -> list[Entry]:
    """What an index says, in the order of the file; raises ValueError where it is none."""
    entries = []
    for row in Path(index).read_text(encoding="utf-8").splitlines():
        name, *numbers = row.split("\t")
        if len(numbers) < 4 or not all(cell.isdigit() for cell in numbers[:4]):
            raise ValueError(row)
        entries.append(Entry(name, *map(int, numbers[:4])))
    return sorted(entries, key=lambda entry: entry.offset)


def is_right(path: str, index: str) -> bool:
    """Whether each name stands right before where the index has its letters, and the next, or the end, right behind."""
    try:
        entries = read_index(index)
        with Path(path).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return bool(entries) and all(_stands(data, entries, row) for row in range(len(entries)))
    except (ValueError, OSError):  # no index, or an empty file
        return False


def digest_of_index(entries: Sequence[Entry]) -> str:
    """SHA-256 of names, lengths and places."""
    return sha256(repr([entry[:3] for entry in entries]).encode()).hexdigest()


def index_digest(path: str) -> str:
    """As digest_of_index, of the genome as it is."""
    with index_of(path) as index:
        return digest_of_index(read_index(index))


def _stands(data: mmap.mmap, entries: Sequence[Entry], row: int) -> bool:
    entry, begins = entries[row], entries[row - 1].end if row else 0
    if not begins <= entry.offset <= entry.end <= len(data):
        return False
    gap, mark, header = data[max(begins, entry.offset - _LONGEST_HEADER) : entry.offset].rpartition(b">")
    named = header.split()[:1] == [entry.name.encode()] and header.count(b"\n") == 1 and header.endswith(b"\n")
    breaks = all(data[at : at + 1] in (b"\r", b"\n") for at in _line_ends(entry))
    ends = data[entry.end : entry.end + 1] in (b"", b"\r", b"\n") and data[entry.end - 1 : entry.end].strip()
    last = row + 1 < len(entries) or not data[entry.end :].strip()
    return all((mark, not gap.strip(), named, breaks, ends or not entry.letters, last))


def _line_ends(entry: Entry) -> list[int]:
    """Where the first line ends, and the last full one."""
    full = (entry.letters - 1) // entry.line if entry.letters and entry.line else 0
    return [entry.offset + (lines - 1) * entry.width + entry.line for lines in {1, full} if 0 < lines <= full]


def _build(path: str, index: str) -> None:
    cure = "give FASTA with lines of equal length and names that occur once"
    try:
        pyfaidx.Faidx(path, indexname=index, rebuild=False).close()
    except OSError as error:
        cure = "see that it can be read, and that there is room for temporary files; or make an index with samtools"
        raise _cannot(path, error, cure) from error
    except (pyfaidx.FastaIndexingError, ValueError, RuntimeError) as error:
        raise _cannot(path, error, cure) from error


def _cannot(path: str, error: Exception, cure: str) -> InputError:
    return InputError(path, "", f"cannot be indexed ({' '.join(str(error).split())})", cure)
