"""Records from whatever a command is given: FASTA, or BED with a genome."""

from collections.abc import Iterable
from dataclasses import dataclass

from maxent_cli.data import Record, Rejected, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.bed import BedRow, fetch_windows, read_intervals
from maxent_cli.io.fasta import read_fasta, to_sequences

BED_SUFFIXES = (".bed", ".narrowpeak", ".broadpeak")


@dataclass(frozen=True)
class RecordSource:
    """Where records come from: a FASTA or BED path; genome (FASTA) and the windows' centre ('summit', 'centre')."""

    path: str
    genome: str | None = None
    centre: str = "centre"

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        return [self.path, *([self.genome] if self.genome else [])]


def is_bed(path: str) -> bool:
    """Whether a path is named as BED, narrowPeak or broadPeak, compressed or not."""
    return path.lower().removesuffix(".gz").removesuffix(".bgz").endswith(BED_SUFFIXES)


def read_sequences(
    source: RecordSource, length: int | None, crop: bool = False, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Sequences of one length (bp) from FASTA, or windows of that length from BED and a genome; and what was left out.

    length None takes that of the first FASTA record; crop and unknown as to_sequences has them. Raises InputError
    where BED comes without genome or length.
    """
    if not is_bed(source.path):
        return to_sequences(read_fasta(source.path), length, crop, unknown)
    if source.genome is None or length is None:
        raise InputError(source.path, "", "is BED, which holds no sequence", "give --genome FASTA (and the length)")
    return read_windows(source, read_intervals(source.path), length, unknown)


def read_windows(
    source: RecordSource, rows: Iterable[BedRow], length: int, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Windows of length bp in a source's genome around some rows; and what was left out."""
    records, rejected = list[Record](), list[Rejected]()
    for window in fetch_windows(source.genome or "", rows, length, source.centre):
        if isinstance(window, Rejected):
            rejected.append(window)
        else:
            records.append(window)
    sequences, unfit = to_sequences(records, length, unknown=unknown)
    return sequences, rejected + unfit
