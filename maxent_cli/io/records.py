"""Records from whatever a command is given: FASTA, or BED with a genome."""

from dataclasses import dataclass

from maxent_cli.data import Record, Rejected, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.bed import fetch_windows, read_intervals
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


def read_sequences(source: RecordSource, length: int | None, crop: bool = False) -> tuple[Sequences, list[Rejected]]:
    """Sequences of one length (bp) from FASTA, or windows of that length from BED and a genome; and what was left out.

    length None takes that of the first FASTA record. Raises InputError where BED comes without genome or length, and
    where nothing is left.
    """
    rejected: list[Rejected] = []
    if not is_bed(source.path):
        sequences, rejected = to_sequences(read_fasta(source.path), length, crop)
    elif source.genome is None or length is None:
        raise InputError(source.path, "", "is BED, which holds no sequence", "give --genome FASTA (and the length)")
    else:
        records: list[Record] = []
        for window in fetch_windows(source.genome, read_intervals(source.path), length, source.centre):
            if isinstance(window, Rejected):
                rejected.append(window)
            else:
                records.append(window)
        sequences, unfit = to_sequences(records, length)
        rejected += unfit
    if not len(sequences):
        first = f" (first: {rejected[0].name}: {rejected[0].reason})" if rejected else ""
        raise InputError(source.path, "", f"all {len(rejected)} records were rejected{first}", "see the reasons above")
    return sequences, rejected
