"""BED and narrowPeak in and out, and windows of a genome around them. All coordinates are 0-based half-open, in bp."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

import numpy as np
import pyfaidx
from numpy.typing import NDArray

from maxent_cli.data import Interval, Record, Rejected, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.digests import note, say, signature
from maxent_cli.io.fasta import read_fasta
from maxent_cli.io.files import GZIP_MAGIC, PIPE, reading_text, reason
from maxent_cli.io.genome_index import digest_of_index, index_of, read_index
from maxent_cli.io.outputs import writing
from maxent_cli.io.places import START, Begin, Places, find_places, kind_of_lines

NARROW_PEAK_COLUMNS = 10
_SUMMIT_COLUMN = 9
_NUMBER = re.compile(r"[0-9]{1,15}")
_STRANDS = {"+": "+", "-": "-", ".": ".", "*": "."}  # '*' is how Bioconductor spells 'either'
_MITOCHONDRION = ("M", "MT", "Mito", "mt")
_MOST_ROMAN = 39  # which three letters can say
_COMPLEMENT = str.maketrans("ACGTRYKMBVDHacgtrykmbvdh", "TGCAYRMKVBHDtgcayrmkvbhd")


@dataclass(frozen=True)
class BedRow:
    """A row of a BED file; summit is in bp from the interval's start; place says where it stood (for messages)."""

    interval: Interval
    name: str = "."
    score: float | None = None
    summit: int | None = None
    place: str = ""


class _Chromosome(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> str: ...


_Genome = Mapping[str, _Chromosome]


def read_intervals(path: str, block: range | None = None, begin: Begin = START) -> Iterator[BedRow]:
    """Rows of a BED file of 3 to 12 columns or a narrowPeak file (plain, gzip or '-'), in order.

    A file of 10 columns is narrowPeak (the BED specification forbids BED10), and its last column the summit, -1 for
    none. Lines that are blank or begin with '#', 'track' or 'browser' are passed over. block: of all rows, counted from
    0, these alone, which stand behind `begin`. Raises InputError naming the line, and for a file without an interval.
    """
    count = begin.records
    with reading_text(path, begin.offset) as stream:
        for number, line in enumerate(stream, begin.lines + 1):
            text = (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
            if _is_row(line, number):
                count += 1
                if block is None or count - 1 in block:
                    yield _row(path, number, text)
                elif count > block.stop:
                    return
        if not count:
            _none(path)


def interval_places(path: str) -> Places:
    """Where rows of a BED file stand; what they say is not looked at. Raises InputError where it has none."""
    found = find_places(path, kind_of_lines(_is_row, ask=b"#tb"))
    return found if found.count else _none(path)


def _none(path: str) -> NoReturn:
    raise InputError(path, "", "holds no interval", "give a BED or narrowPeak file")


def _is_row(line: str, number: int) -> bool:
    text = line.removeprefix("\ufeff") if number == 1 else line
    return bool(text.strip()) and text[0] != "#" and text.split(maxsplit=1)[0] not in ("track", "browser")


def bed_rows(sequences: Sequences, scores: Sequence[float] | None = None) -> list[BedRow]:
    """A row a record; none at all where a record has no coordinates."""
    rows = []
    for row, (name, interval) in enumerate(zip(sequences.names, sequences.intervals, strict=True)):
        if interval is None:
            return []
        rows.append(BedRow(interval, name, None if scores is None else scores[row]))
    return rows


def write_bed(path: str, rows: Iterable[BedRow]) -> None:
    """Write BED6: chromosome, start, end, name, score (0 if none), strand. '-' is standard output."""
    with writing(path) as stream:
        stream.writelines(bed_lines(rows))


def bed_lines(rows: Iterable[BedRow]) -> Iterator[str]:
    """The lines of a BED file as write_bed makes them."""
    for row in rows:
        place = row.interval
        score = "0" if row.score is None else f"{row.score:.6g}"
        cells = (_cell(place.chromosome), place.start, place.end, _cell(row.name), score, place.strand)
        yield "\t".join(map(str, cells)) + "\n"


def fetch_windows(
    genome_path: str, rows: Iterable[BedRow], length: int, centre: str = "centre", mapped: bool = False
) -> Iterator[Record | Rejected]:
    """For each row the window of length bp around its 'centre' or 'summit', in order, or why there is none.

    The centre of n bp, or the summit, becomes base length // 2 of the window, counted along the strand, so that an
    interval of that length is its own window; a row without a summit has its centre. Strand '-' gives the reverse
    complement. A record is named NAME::chrom:start-end(strand) after its window. mapped: chromosomes that the genome
    calls otherwise are taken by its names, which is said. The genome is FASTA; plain files are read by index (a .fai
    beside it that is right saves building one), compressed ones are held in memory. Raises InputError where it cannot
    be read.
    """
    with _opening(genome_path) as genome:
        names = _Names(genome, mapped)
        for row in rows:
            known = names.renamed(row)
            yield _fetch(genome_path, genome, known, _window(known, length, centre))
        names.say(genome_path)


def renamed(genome_path: str, rows: Iterable[BedRow], mapped: bool) -> list[BedRow]:
    """The rows by the genome's names of chromosomes, if they are to be mapped."""
    if not mapped:
        return list(rows)
    with _opening(genome_path) as genome:
        names = _Names(genome, mapped)
        return [names.renamed(row) for row in rows]


class _Names:
    """A genome's names of chromosomes, and which others were taken for them."""

    def __init__(self, genome: _Genome, mapped: bool) -> None:
        self._genome, self._mapped, self._known = genome, mapped, dict[str, str]()

    def renamed(self, row: BedRow) -> BedRow:
        """The row on the chromosome as the genome calls it; as it is, where the genome has none that is meant."""
        asked = row.interval.chromosome
        if not self._mapped or asked in self._genome:
            return row
        if asked not in self._known:
            self._known[asked] = next(_meant(asked, self._genome), asked)
        return replace(row, interval=replace(row.interval, chromosome=self._known[asked]))

    def say(self, path: str) -> None:
        """Say which names were taken for which."""
        pairs = [f"{asked} for {name}" for asked, name in self._known.items() if asked != name]
        if pairs:
            some = ", ".join(pairs[:3]) + (", ..." if len(pairs) > 3 else "")
            say(f"{path}: {len(pairs)} chromosomes are called otherwise there: {some}")


def spellings(chromosome: str) -> Iterator[str]:
    """How others may call a chromosome: with and without 'chr', 4 as IV and IV as 4, M as MT and Mito."""
    bare = re.sub("^chr", "", chromosome, flags=re.IGNORECASE)
    same = [bare, bare.lstrip("0")] if bare.strip("0") else [bare]
    if bare.isascii() and bare.isdigit() and 0 < int(bare) <= _MOST_ROMAN:
        same.append(_roman(int(bare)))
    same += [str(number) for number in range(1, _MOST_ROMAN + 1) if _roman(number) == bare]
    same += _MITOCHONDRION if bare.lower() in map(str.lower, _MITOCHONDRION) else ()
    for name in dict.fromkeys(same):
        yield from (found for found in (name, f"chr{name}") if found != chromosome)


def _meant(chromosome: str, genome: _Genome) -> Iterator[str]:
    """A genome's names for a chromosome. X is ten only among others numbered so, and no more than yeast has."""
    for name in spellings(chromosome):
        bare = {re.sub("^chr", "", each, flags=re.IGNORECASE).lstrip("0") for each in (chromosome, name)}
        few = ("9" in genome or "chr9" in genome) and not ("17" in genome or "chr17" in genome)
        romans = "IX" in genome or "chrIX" in genome
        if name in genome and (bare != {"X", "10"} or few or romans):
            yield name


def _roman(number: int) -> str:
    """I to XXXIX."""
    ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    return "X" * (number // 10) + ones[number % 10]


@contextmanager
def genome_letters(path: str) -> Iterator[Callable[[str, int], tuple[str, str]]]:
    """What gives the letter at a position (0-based) of a chromosome, and, where it has none ('', why)."""
    with _opening(path) as genome:

        def letter(chromosome: str, position: int) -> tuple[str, str]:
            if chromosome not in genome:
                return "", _unknown_chromosome(path, genome, chromosome, "the variants say")[0]
            letters = genome[chromosome]
            if position >= len(letters):
                return "", f"beyond the end of {chromosome} in {Path(path).name}"
            return _letters(path, letters, Interval(chromosome, position, position + 1)).upper(), ""

        yield letter


@dataclass(frozen=True)
class Away:
    """Places of 1 bp at least `distance` bp from all rows, chosen by seed, around which windows of length bp fit."""

    distance: int
    length: int
    seed: int


def places_away(genome_path: str, rows: Sequence[BedRow], count: Mapping[str, int], away: Away) -> list[BedRow]:
    """As many such places on each chromosome as count says, at random, in order.

    Raises InputError where a chromosome has too few.
    """
    chance, places, near = np.random.default_rng(away.seed), list[BedRow](), dict[str, list[tuple[int, int]]]()
    for row in rows:
        near.setdefault(row.interval.chromosome, []).append((row.interval.start, row.interval.end))
    with _opening(genome_path) as genome:
        for chromosome in sorted(name for name in count if name in genome):
            starts, sizes = _free_stretches(len(genome[chromosome]), near.get(chromosome, []), away)
            before = np.append(0, np.cumsum(sizes))
            if before[-1] < count[chromosome]:
                problem = f"{chromosome} has {before[-1]} places {away.distance} bp from every interval"
                raise InputError(genome_path, "", f"{problem}; {count[chromosome]} are needed", "ask for less distance")
            chosen = np.sort(chance.choice(before[-1], count[chromosome], replace=False))
            stretch = np.searchsorted(before, chosen, side="right") - 1
            found = (starts[stretch] + chosen - before[stretch]).tolist()
            places += [BedRow(Interval(chromosome, place, place + 1), place=genome_path) for place in found]
    return places


def _free_stretches(
    size: int, near: Sequence[tuple[int, int]], away: Away
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Starts and sizes of stretches of a chromosome where a window fits and that are far from intervals."""
    taken = np.array(sorted(near), np.intp).reshape(-1, 2)
    first, last = away.length // 2, size - away.length + away.length // 2 + 1
    ends = np.maximum.accumulate(np.append(first, taken[:, 1] + away.distance - 1))
    begins = np.minimum(np.append(taken[:, 0] - away.distance + 1, last), last)
    free = begins > ends
    return ends[free], (begins - ends)[free]


def _row(path: str, number: int, text: str) -> BedRow:
    cells = text.split("\t") if "\t" in text else text.split()
    cells = [cell.strip() for cell in cells]
    if len(cells) < 3:
        raise InputError(path, f"line {number}", "fewer than 3 columns", "give chromosome, start, end, tab-separated")
    start, end = (_coordinate(path, number, cells, column) for column in (1, 2))
    if end < start or not cells[0]:
        problem = "the end lies before the start" if cells[0] else "no chromosome"
        raise InputError(path, f"line {number}", problem, "give 0-based half-open intervals")
    interval = Interval(cells[0], start, end, _strand(path, number, cells))
    place, name = f"{path}: line {number}", cells[3] if len(cells) > 3 and cells[3] else "."
    return BedRow(interval, name, _score(cells), _summit(path, number, cells, end - start), place)


def _coordinate(path: str, number: int, cells: list[str], column: int) -> int:
    if not _NUMBER.fullmatch(cells[column]):
        where, shown = f"line {number}, column {column + 1}", repr(cells[column][:40])
        raise InputError(
            path, where, f"{shown} is not a position in bp", "give whole numbers; mark header lines with #"
        )
    return int(cells[column])


def _strand(path: str, number: int, cells: list[str]) -> str:
    given = cells[5] if len(cells) > 5 else "."
    if given not in _STRANDS:
        raise InputError(path, f"line {number}, column 6", f"the strand {given[:40]!r} is not +, - or .", "correct it")
    return _STRANDS[given]


def _score(cells: list[str]) -> float | None:
    try:
        return float(cells[4])
    except (IndexError, ValueError):
        return None


def _summit(path: str, number: int, cells: list[str], width: int) -> int | None:
    if len(cells) != NARROW_PEAK_COLUMNS or cells[_SUMMIT_COLUMN] in ("-1", ".", ""):
        return None
    summit = cells[_SUMMIT_COLUMN]
    if not _NUMBER.fullmatch(summit) or int(summit) > width:  # peak callers do write summit = width
        where, problem = f"line {number}, column 10", f"the summit {summit[:40]!r} is not within the {width} bp"
        raise InputError(path, where, problem, "give its distance from the start, or -1 for none")
    return int(summit)


def _cell(text: str) -> str:
    return "_".join(text.replace("\t", " ").split()) or "."


def _window(row: BedRow, length: int, centre: str) -> Interval:
    """The stretch of length bp whose base length // 2, along the strand, is the row's centre or summit."""
    place = row.interval
    half, backward = (place.end - place.start) // 2, place.strand == "-"
    middle = place.end - 1 - half if backward else place.start + half
    if centre == "summit" and row.summit is not None:
        middle = place.start + row.summit
    start = middle + 1 + length // 2 - length if backward else middle - length // 2
    return Interval(place.chromosome, start, start + length, place.strand)


def _fetch(genome_path: str, genome: _Genome, row: BedRow, window: Interval) -> Record | Rejected:
    if window.chromosome not in genome:
        return Rejected(_label(row), row.place, *_unknown_chromosome(genome_path, genome, window.chromosome))
    chromosome = genome[window.chromosome]
    if window.start < 0 or window.end > len(chromosome):
        return Rejected(_label(row), row.place, "window runs past the chromosome's end", "leave it out")
    sequence = _letters(genome_path, chromosome, window)
    if window.strand == "-":
        sequence = sequence.translate(_COMPLEMENT)[::-1]
    return Record(_window_name(row, window), sequence, row.place, window)


def _letters(genome_path: str, chromosome: _Chromosome, window: Interval) -> str:
    """The letters of a window, as they stand in the file; InputError where they are not where the index has them."""
    try:
        sequence = chromosome[window.start : window.end]
    except (ValueError, IndexError, OSError):  # of pyfaidx, or no text
        sequence = ""
    if len(sequence) != window.end - window.start:
        where = f"{window.chromosome}:{window.start}-{window.end}"
        raise InputError(genome_path, where, "is not where the index has it", "give FASTA, and remove a stale .fai")
    return sequence


def _label(row: BedRow) -> str:
    place = row.interval
    return row.name if row.name != "." else f"{place.chromosome}:{place.start}-{place.end}"


def _window_name(row: BedRow, window: Interval) -> str:
    strand = f"({window.strand})" if window.strand != "." else ""
    place = f"{window.chromosome}:{window.start}-{window.end}{strand}"
    return place if row.name == "." else f"{_cell(row.name)}::{place}"


def _unknown_chromosome(
    genome_path: str, genome: _Genome, asked: str, who: str = "the intervals say"
) -> tuple[str, str]:
    same = list(_meant(asked, genome))
    if same:
        reason = f"{who} chromosome {asked}, {Path(genome_path).name} says {same[0]}"
        return reason, "--map-chromosomes takes them for the same"
    some = ", ".join(list(genome.keys())[:3])
    reason = f"{Path(genome_path).name} has no chromosome {asked} (it has {some}, ...)"
    return reason, "give the genome that the intervals are of"


@contextmanager
def _opening(path: str) -> Iterator[_Genome]:
    """A genome open for reading; what has been read of it is noted at the end."""
    if _is_compressed(path):
        yield _in_memory(path)
        return
    before = signature(path)
    with index_of(path) as index, closing(_indexed(path, index)) as file:
        genome = _Read(cast(_Genome, file))
        yield genome
        note(path, {"index": digest_of_index(read_index(index)), "bases": genome.digest.hexdigest()}, before)


class _Read(Mapping[str, _Chromosome]):
    """A genome, and the SHA-256 of the stretches that have been read of it."""

    def __init__(self, genome: _Genome) -> None:
        self._genome, self.digest = genome, sha256()

    def __contains__(self, name: object) -> bool:
        return name in self._genome

    def __iter__(self) -> Iterator[str]:
        return iter(self._genome.keys())

    def __len__(self) -> int:
        return len(self._genome.keys())

    def __getitem__(self, name: str) -> _Chromosome:
        return _ReadChromosome(name, self._genome[name], self.digest)


@dataclass(frozen=True)
class _ReadChromosome:
    name: str
    letters: _Chromosome
    digest: Any

    def __len__(self) -> int:
        return len(self.letters)

    def __getitem__(self, part: slice) -> str:
        found = self.letters[part]
        self.digest.update(f"{self.name}:{part.start}-{part.stop}\n{found}\n".encode())
        return found


def _indexed(path: str, index: str) -> pyfaidx.Fasta:
    try:
        return pyfaidx.Fasta(path, indexname=index, as_raw=True, rebuild=False)
    except (OSError, pyfaidx.FastaIndexingError, ValueError, RuntimeError) as error:
        problem = f"cannot be read by its index ({' '.join(str(error).split())})"
        raise InputError(path, "", problem, "give FASTA, and remove a stale .fai") from error


def _is_compressed(path: str) -> bool:
    """Whether the genome cannot be read by index; raises InputError where it cannot be read at all."""
    if path == PIPE or path.lower().endswith((".gz", ".bgz")):
        return True
    try:
        with Path(path).open("rb") as stream:
            return stream.read(2) == GZIP_MAGIC
    except OSError as error:
        raise InputError(path, "", reason(error), "check the path and its permissions") from error


def _in_memory(path: str) -> _Genome:
    genome = dict[str, str]()
    for record in read_fasta(path):
        if record.name in genome:
            raise InputError(
                path,
                record.place.removeprefix(f"{path}: "),
                f"the name {record.name} occurs twice",
                "give each sequence one name",
            )
        genome[record.name] = record.sequence
    return genome
