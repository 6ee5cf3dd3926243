"""Records from whatever a command is given: FASTA, or BED with a genome."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maxent_cli.data import Record, Rejected, Sequences, Shard
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.io.bed import BedRow, fetch_windows, interval_places, read_intervals
from maxent_cli.io.digests import run_digests, say
from maxent_cli.io.fasta import fasta_places, interval_of_name, is_table_header, read_fasta, to_sequences
from maxent_cli.io.files import reading_text
from maxent_cli.io.places import START, Begin, Places
from maxent_cli.io.tables import labelled_places, read_labelled

BED_SUFFIXES = (".bed", ".narrowpeak", ".broadpeak")
BED, TABLE, FASTA = "BED", "table", "FASTA"  # kinds of files
NEARLY_ALL = 0.95  # of the records have the length that others are cropped to

Given = str | Iterable[str] | Mapping[str, str]  # a path, or sequences, perhaps by name


@dataclass(frozen=True)
class RecordSource:
    """Where records come from: a FASTA or BED path; genome (FASTA) and the windows' centre ('summit', 'centre').

    given: records in memory instead of a file; path is then what messages call them. labelled: a table of sequences and
    labels. block: of all records, counted from 0, these alone, which stand behind `begin`. map_chromosomes: BED may
    call chromosomes otherwise than the genome.
    """

    path: str
    genome: str | None = None
    centre: str = "centre"
    given: tuple[Record, ...] = ()
    labelled: bool = False
    block: range | None = None
    begin: Begin = START
    map_chromosomes: bool = False

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        return [*([] if self.given else [self.path]), *([self.genome] if self.genome else [])]

    @property
    def is_bed(self) -> bool:
        """Whether it holds intervals and no letters."""
        return not self.given and not self.labelled and is_bed(self.path)

    @property
    def first(self) -> int:
        """Number of the first record that is read."""
        return self.block.start if self.block else 0

    def require_letters(self) -> None:
        """Raise InputError for intervals without the genome that they are of."""
        if self.is_bed and self.genome is None:
            raise InputError(self.path, "", "is BED, which holds no sequence", "give --genome FASTA")

    def records(self) -> Iterator[Record]:
        """The records in memory, or those of the FASTA file."""
        if not self.given:
            return read_fasta(self.path, self.block, self.begin)
        return iter(self.given if self.block is None else self.given[self.block.start : self.block.stop])

    def with_lengths(self) -> "tuple[RecordSource, Counter[int]]":
        """How many of all records have so many letters; and the source, in memory if it can be read once only."""
        known = self
        if not self.given and not Path(self.path).is_file():
            known = replace(self, given=tuple(read_fasta(self.path)))
        return known, Counter(len(record.sequence) for record in known.whole.records())

    @property
    def whole(self) -> "RecordSource":
        """The same with all its records."""
        return replace(self, block=None, begin=START)

    def intervals(self) -> Iterator[BedRow]:
        """The rows of the BED file."""
        return read_intervals(self.path, self.block, self.begin)

    def rows(self) -> Iterator[tuple[Record, int]]:
        """The records of the table, and their labels."""
        return read_labelled(self.path, self.block, self.begin)

    def places(self) -> Places | None:
        """Where the records stand, and how many there are; None of a pipe, where that is known when all is read."""
        if self.given:
            return Places(len(self.given), [])
        if not Path(self.path).is_file():
            return None
        find = labelled_places if self.labelled else interval_places if self.is_bed else fasta_places
        return find(self.path)

    def digests(self) -> dict[str, object]:
        """Digests of what all parts of a run read of it, once it has been read."""
        if not self.given:
            return run_digests(records=self.path, genome=self.genome)
        letters = "".join(f"{record.name}\n{record.sequence}\n" for record in self.given)
        return {"records": hashlib.sha256(letters.encode()).hexdigest(), **run_digests(genome=self.genome)}


def source_of(given: Given, what: str, genome: str | None, centre: str, map_chromosomes: bool) -> RecordSource:
    """The source of what is given; sequences without names are called `what` and their number, from 1.

    Raises SettingsError where there are none.
    """
    if isinstance(given, str):
        return RecordSource(given, genome, centre, map_chromosomes=map_chromosomes)
    named = given if isinstance(given, Mapping) else {f"{what}{row}": text for row, text in enumerate(given, 1)}
    if not named:
        raise SettingsError(f"{what}s", "", "none are given", "give a sequence at least")
    records = (
        Record(name, text, f"{what}s: {name}", interval_of_name(name, len(text))) for name, text in named.items()
    )
    return RecordSource(f"{what}s", genome, centre, tuple(records))


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
    places = source.places()
    if places is not None:
        if places.compressed:
            say(f"{source.path}: is compressed, and is read through for this part; of a plain file only its block is")
        block = _widened(shard.block(places.count), around, places.count)
        found, rejected = read(replace(source, block=block, begin=places.before(block.start)))
        return found, rejected, places.count
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

    length None takes the one that agreed_length finds; crop and unknown as to_sequences has them. Raises InputError
    where BED comes without genome or length.
    """
    if not source.is_bed:
        if length is None:
            source, lengths = source.with_lengths()
            length = agreed_length(source.path, lengths, crop)
        return to_sequences(source.records(), length, crop, unknown, source.first)
    source.require_letters()
    if length is None:
        raise InputError(source.path, "", "is BED, of which windows of one length are taken", "give --length")
    return read_windows(source, source.intervals(), length, unknown)


def read_windows(
    source: RecordSource, rows: Iterable[BedRow], length: int, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Windows of length bp in a source's genome around some rows; and what was left out."""
    windows = fetch_windows(source.genome or "", rows, length, source.centre, source.map_chromosomes)
    return to_sequences(windows, length, unknown=unknown, first=source.first)


def agreed_length(path: str, lengths: Counter[int], crop: bool) -> int | None:
    """The length that records are taken to have, in bp: the commonest; cropped, the largest that nearly all have.

    Where several occur, that is said, with how more would be kept. Raises InputError where no length is that of half of
    the records. None: no record has any letters.
    """
    known = sorted(Counter({length: count for length, count in lengths.items() if length}).items())
    count = sum(some for _, some in known)
    if len(known) < 2:
        return known[0][0] if known else None
    behind = np.cumsum([some for _, some in known])
    short = min(int(np.searchsorted(behind, (1 - NEARLY_ALL) * count, "right")), len(known) - 1)
    most, cropped = known[short][0], count - int(behind[short - 1] if short else 0)
    common, same = max(known, key=lambda one: (one[1], one[0]))
    half = next(length for (length, _), some in zip(known, behind, strict=True) if 2 * some >= count)
    spread = f"{count} records of {known[0][0]} to {known[-1][0]} bp, half of them of {half} or less"
    advice = f"a length of {most} and --crop keep {cropped}"
    if crop:
        say(f"{path}: {spread}; {most} bp are taken of each, which {cropped} have")
        return most
    if 2 * same < count:
        raise InputError(path, "", f"holds {spread}, and {same} at most of one length", f"give one: {advice}")
    say(f"{path}: {spread}; {same} of {common} bp are taken" + (f"; {advice}" if cropped > same else ""))
    return common


def kind_of(path: str) -> str:
    """What a file holds: BED by its name, a TABLE by its first line, or else FASTA."""
    if is_bed(path):
        return BED
    if not Path(path).is_file():
        return FASTA
    with reading_text(path) as stream:
        return TABLE if is_table_header(stream.readline()) else FASTA


def read_labelled_sequences(
    source: RecordSource, length: int | None, crop: bool
) -> tuple[Sequences, NDArray[np.int64], list[Rejected]]:
    """Sequences (N) of one length with their labels (N,) from a TSV, and the rows left out.

    length None takes the one that agreed_length finds in all of them.
    """
    labels = list[int]()
    rows = source.rows()
    if length is None:
        known = list(source.whole.rows())
        length = agreed_length(source.path, Counter(len(record.sequence) for record, _ in known), crop)
        rows = iter(known[source.block.start : source.block.stop] if source.block else known)

    def records() -> Iterable[Record]:
        for record, label in rows:
            labels.append(label)
            yield record

    sequences, rejected = to_sequences(records(), length, crop, first=source.first)
    return sequences, np.array(labels, np.int64)[sequences.numbered - source.first], rejected
