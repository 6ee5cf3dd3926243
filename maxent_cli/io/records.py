"""Records from whatever a command is given: FASTA, or BED with a genome."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from maxent_cli.data import Rejected, Sequences, Shard
from maxent_cli.errors import InputError
from maxent_cli.io.bed import BedRow, count_intervals, fetch_windows, read_intervals
from maxent_cli.io.digests import say
from maxent_cli.io.fasta import count_fasta, first_length, read_fasta, to_sequences

BED_SUFFIXES = (".bed", ".narrowpeak", ".broadpeak")


@dataclass(frozen=True)
class RecordSource:
    """Where records come from: a FASTA or BED path; genome (FASTA) and the windows' centre ('summit', 'centre').

    block: of all records, counted from 0, these alone.
    """

    path: str
    genome: str | None = None
    centre: str = "centre"
    block: range | None = None

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        return [self.path, *([self.genome] if self.genome else [])]


Reader = Callable[[RecordSource], tuple[Sequences, list[Rejected]]]


def is_bed(path: str) -> bool:
    """Whether a path is named as BED, narrowPeak or broadPeak, compressed or not."""
    return path.lower().removesuffix(".gz").removesuffix(".bgz").endswith(BED_SUFFIXES)


def read_part(
    source: RecordSource, shard: Shard, read: Reader, around: int = 1
) -> tuple[Sequences, list[Rejected], int]:
    """What `read` gives of a shard's block of the records, and how many records there are in all.

    A file is counted first and then only its block is read; what comes through a pipe is read whole. around: the block
    is widened to multiples of so many records.
    """
    if shard.count == 1:
        found, rejected = read(source)
        return found, rejected, len(found) + len(rejected)
    if Path(source.path).is_file():
        count = (count_intervals if is_bed(source.path) else count_fasta)(source.path)
        found, rejected = read(replace(source, block=_widened(shard.block(count), around, count)))
        return found, rejected, count
    found, rejected = read(source)
    count = len(found) + len(rejected)
    block = _widened(shard.block(count), around, count)
    say(f"{source.path}: is no file, and all its records are read for this part")
    return found.within(block), [record for record in rejected if record.number in block], count


def _widened(block: range, around: int, count: int) -> range:
    return range(block.start // around * around, min(-(-block.stop // around) * around, count))


def read_sequences(
    source: RecordSource, length: int | None, crop: bool = False, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Sequences of one length (bp) from FASTA, or windows of that length from BED and a genome; and what was left out.

    length None takes that of the first FASTA record; crop and unknown as to_sequences has them. Raises InputError
    where BED comes without genome or length.
    """
    if not is_bed(source.path):
        first = source.block.start if source.block else 0
        known = first_length(source.path) if length is None and source.block is not None else length
        return to_sequences(read_fasta(source.path, source.block), known, crop, unknown, first)
    if source.genome is None or length is None:
        raise InputError(source.path, "", "is BED, which holds no sequence", "give --genome FASTA (and the length)")
    return read_windows(source, read_intervals(source.path, source.block), length, unknown)


def read_windows(
    source: RecordSource, rows: Iterable[BedRow], length: int, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Windows of length bp in a source's genome around some rows; and what was left out."""
    windows = fetch_windows(source.genome or "", rows, length, source.centre)
    return to_sequences(windows, length, unknown=unknown, first=source.block.start if source.block else 0)
