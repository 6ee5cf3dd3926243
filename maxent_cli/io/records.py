"""Records from whatever a command is given: FASTA, or BED with a genome."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.data import Record, Rejected, Sequences
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.io.bed import BedRow, fetch_windows, read_intervals
from maxent_cli.io.fasta import interval_of_name, read_fasta, to_sequences
from maxent_cli.io.tables import read_labelled

BED_SUFFIXES = (".bed", ".narrowpeak", ".broadpeak")

Given = str | Iterable[str] | Mapping[str, str]  # a path, or sequences, perhaps by name


@dataclass(frozen=True)
class RecordSource:
    """Where records come from: a FASTA or BED path; genome (FASTA) and the windows' centre ('summit', 'centre').

    given: records in memory instead of a file; path is then what messages call them.
    """

    path: str
    genome: str | None = None
    centre: str = "centre"
    given: tuple[Record, ...] = ()

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        return [*([] if self.given else [self.path]), *([self.genome] if self.genome else [])]

    @property
    def is_bed(self) -> bool:
        """Whether it holds intervals and no letters."""
        return not self.given and is_bed(self.path)

    def records(self) -> Iterator[Record]:
        """The records in memory, or those of the FASTA file."""
        return iter(self.given) if self.given else read_fasta(self.path)


def source_of(given: Given, what: str, genome: str | None = None, centre: str = "centre") -> RecordSource:
    """The source of what is given; sequences without names are called `what` and their number, from 1.

    Raises SettingsError where there are none.
    """
    if isinstance(given, str):
        return RecordSource(given, genome, centre)
    named = given if isinstance(given, Mapping) else {f"{what}{row}": text for row, text in enumerate(given, 1)}
    if not named:
        raise SettingsError(f"{what}s", "", "none are given", "give a sequence at least")
    records = (
        Record(name, text, f"{what}s: {name}", interval_of_name(name, len(text))) for name, text in named.items()
    )
    return RecordSource(f"{what}s", genome, centre, tuple(records))


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
    if not source.is_bed:
        return to_sequences(source.records(), length, crop, unknown)
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


def read_labelled_sequences(
    path: str, length: int | None, crop: bool
) -> tuple[Sequences, NDArray[np.int64], list[Rejected]]:
    """Sequences (N) of one length with their labels (N,) from a TSV, and the rows left out."""
    labels: dict[str, int] = {}

    def records() -> Iterable[Record]:
        for record, label in read_labelled(path):
            labels[record.place] = label  # a place is a line: names need not be unique
            yield record

    sequences, rejected = to_sequences(records(), length, crop)
    left_out = {record.place for record in rejected}
    kept = [label for place, label in labels.items() if place not in left_out]
    return sequences, np.array(kept, np.int64), rejected
