"""FASTA in and out, and records of many lengths made into one array."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import NoReturn, TextIO

import numpy as np

from maxent_cli.alphabet import LETTERS, UNKNOWN, encode
from maxent_cli.data import Interval, Record, Rejected, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.files import reading_text
from maxent_cli.io.outputs import writing
from maxent_cli.io.places import START, Begin, Places, find_places, kind_of_lines

# chrom:start-end, chrom:start-end(strand), name::chrom:start-end(strand); a tail such as _shuf is passed over
_COORDINATES = re.compile(
    r"(?:.*::)?(?P<chromosome>[^:]+):(?P<start>\d{1,15})-(?P<end>\d{1,15})(?:\((?P<strand>[-+.])\))?(?:_\w+)?"
)
_STANDS_FOR = re.compile(r"stands_for=(0|1|0?\.\d{1,9}|1\.0{1,9})")  # in a header, behind the name
_BYTE_ORDER_MARK = "\ufeff"
SEQUENCE_COLUMNS = frozenset({"sequence", "seq"})
_GIVE_FASTA = "give a FASTA file; files of intervals are known by their names, .bed, .narrowPeak or .broadPeak"
_AMBIGUOUS = frozenset("NRYSWKMBDHV")  # IUPAC: one of several of A, C, G, T


def read_fasta(path: str, block: range | None = None, begin: Begin = START) -> Iterator[Record]:
    """Records of a FASTA file (plain, gzip, bgzip, or '-'), in order; the name is the header's first word.

    A word stands_for=0.25 behind it is the share of the data that the record was chosen to stand for.

    Lines may be wrapped, of either case, with CRLF; the sequence is handed on as it stands, empty or with other
    letters too (to_sequences says what to do with those). block: of all records, counted from 0, these alone, of which
    the first stands behind `begin`. Raises InputError for a file that is not FASTA or holds no record.
    """
    with reading_text(path, begin.offset) as stream:
        if block is not None:
            yield from _block_of(stream, path, block, begin)
            return
        name, place, parts = None, "", list[str]()
        for number, line in enumerate(stream, 1):
            text = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
            if text.startswith(">"):
                if name is not None:
                    yield _record(name, parts, place)
                name, place, parts = text[1:], f"{path}: line {number}", []
            elif text and not text.startswith(";"):
                _require_header(path, number, name, text)
                parts.append(text)
        if name is None:
            _none(path)
        yield _record(name, parts, place)


def is_table_header(line: str) -> bool:
    """Whether a line names the columns of a table with sequences."""
    return bool(SEQUENCE_COLUMNS & {cell.strip().strip('"').lower() for cell in line.split("\t")}) and "\t" in line


def fasta_places(path: str) -> Places:
    """Where records of a FASTA file begin; their letters are not looked at. Raises InputError where it has none."""
    found = find_places(path, kind_of_lines(_is_header, always=b">"))
    next(read_fasta(path, range(0)), None)  # text before the first '>' is the fault of every part
    return found if found.count else _none(path)


def write_fasta(path: str, names: Iterable[str], sequences: Iterable[str]) -> None:
    """Write records, one line a sequence; white space within a name becomes '_'. '-' is standard output."""
    with writing(path) as stream:
        stream.writelines(fasta_lines(names, sequences))


def fasta_lines(names: Iterable[str], sequences: Iterable[str], shares: Iterable[float] = ()) -> Iterator[str]:
    """The records of a FASTA file as write_fasta makes them; shares: of the data that each stands for, if any does."""
    for (name, sequence), share in zip_longest(zip(names, sequences, strict=True), shares):
        stands_for = "" if share is None else f" stands_for={share:.6f}"
        yield f">{'_'.join(name.split())}{stands_for}\n{sequence}\n"


def interval_of_name(name: str, length: int) -> Interval | None:
    """The interval that a record's name spells, if any; length is that of its sequence, in bp.

    Read as BED (0-based half-open) unless the length shows that both ends are counted (1-based, as samtools faidx
    writes). Coordinates of another width than the sequence's are no place of it.
    """
    found = _COORDINATES.fullmatch(name)
    if not found:
        return None
    start, end = int(found["start"]), int(found["end"])
    if end - start + 1 == length and start > 0:
        start -= 1
    return Interval(found["chromosome"], start, end, found["strand"] or ".") if end - start == length > 0 else None


def to_sequences(
    records: Iterable[Record | Rejected],
    length: int | None = None,
    crop: bool = False,
    unknown: bool = False,
    first: int = 0,
) -> tuple[Sequences, list[Rejected]]:
    """The records of one length (in bp; by default that of the first that is not empty) as codes (N, L), and the rest.

    Rejected are records with no name, no letters, letters other than ACGT, or another length; crop keeps the middle
    of longer ones, base n // 2 becoming base length // 2, and of their interval; unknown keeps N and other letters for
    one of several, as UNKNOWN, where a record has known ones too. Records of the same name all stay. first: number of
    the first record among all.
    """
    names, intervals, codes, rejected = list[str](), list[Interval | None](), bytearray(), list[Rejected]()
    numbers, shares = list[int](), list[float | None]()
    for number, record in enumerate(records, first):
        if isinstance(record, Rejected):
            rejected.append(replace(record, number=number))
            continue
        length = length or len(record.sequence) or None
        kept = _crop(record, length) if crop and length else record
        reason, cure = _fault(kept, length, unknown)
        if reason:
            rejected.append(Rejected(kept.name, kept.place, reason, cure, number))
        else:
            numbers.append(number)
            names.append(kept.name)
            intervals.append(kept.interval)
            shares.append(kept.stands_for)
            codes += encode(kept.sequence).tobytes()
    stacked = np.frombuffer(codes, np.uint8).reshape(len(names), length or 0)
    stands_for = None if all(share is None for share in shares) else tuple(shares)
    found = Sequences(tuple(names), stacked, tuple(intervals), None, np.array(numbers, np.intp), stands_for)
    return found, rejected


def _record(header: str, parts: list[str], place: str) -> Record:
    name, *words = header.split() or [""]
    sequence = "".join("".join(parts).split())
    share = next((float(found[1]) for found in map(_STANDS_FOR.fullmatch, words) if found), None)
    return Record(name, sequence, place, interval_of_name(name, len(sequence)), share)


def _none(path: str) -> NoReturn:
    raise InputError(path, "", "holds no FASTA record", "give a file whose records start with '>'")


def _is_header(line: str, row: int) -> bool:
    if line[0] == ">" or line[0].isalpha():
        return line[0] == ">"
    return (line.removeprefix(_BYTE_ORDER_MARK) if row == 1 else line).lstrip()[:1] == ">"


def _block_of(stream: TextIO, path: str, block: range, begin: Begin) -> Iterator[Record]:
    """The records of a block; others are passed over unread."""
    number, header, place, parts = begin.records - 1, "", "", list[str]()
    for row, line in enumerate(stream, begin.lines + 1):
        if _is_header(line, row):
            if number in block:
                yield _record(header, parts, place)
            number += 1
            if number >= block.stop:
                return
            header, place, parts = line.removeprefix(_BYTE_ORDER_MARK).strip()[1:], f"{path}: line {row}", []
        elif number < 0:
            if line.strip() and not line.strip().startswith(";") and line.strip() != _BYTE_ORDER_MARK:
                _require_header(path, row, None, line.strip())
        elif number >= block.start:
            text = line.strip()
            if text and not text.startswith(";"):
                parts.append(text)
    if number in block:
        yield _record(header, parts, place)


def _require_header(path: str, number: int, name: str | None, text: str) -> None:
    if name is None and is_table_header(text):
        problem = f"is a table with the columns {', '.join(text.split())}, and not FASTA"
        raise InputError(path, "", problem, "give it to train or predict as --table")
    if name is None:
        raise InputError(path, f"line {number}", "is not FASTA: text before the first '>'", _GIVE_FASTA)


def _fault(record: Record, length: int | None, unknown: bool) -> tuple[str, str]:
    """Why a record is rejected, and what may be done about it; empty where it is not."""
    size = len(record.sequence)
    if not record.name:
        return "no name", "name each record behind its '>'"
    if not size:
        return "empty", "give each record letters"
    if size != length:
        cure = (
            "--crop keeps the middle of longer records" if size > (length or 0) else "give longer records, or --flank"
        )
        return f"{'shorter' if size < (length or 0) else 'longer'} than {length} bp", cure
    known = encode(record.sequence) != UNKNOWN
    if known.all():
        return "", ""
    if unknown and not known.any():
        return f"no letter is one of {LETTERS}", "leave it out"
    others = [letter for letter in set(record.sequence) if encode(letter)[0] == UNKNOWN]
    wrong = [letter for letter in others if not (unknown and letter.upper() in _AMBIGUOUS)]
    return _letter_fault(min(wrong, key=record.sequence.index)) if wrong else ("", "")


def _letter_fault(letter: str) -> tuple[str, str]:
    shown = letter.upper() if letter.isascii() and letter.isprintable() else f"U+{ord(letter):04X}"
    cure = "give --n-policy where records are sampled" if shown in _AMBIGUOUS else "give DNA"
    return f"letter {shown} (not one of {LETTERS})", cure


def _crop(record: Record, length: int) -> Record:
    left = len(record.sequence) // 2 - length // 2
    if len(record.sequence) <= length:
        return record
    interval = record.interval and _crop_interval(record.interval, length)
    name = _renamed(record.name, interval) if interval else record.name
    return replace(record, name=name, sequence=record.sequence[left : left + length], interval=interval)


def _renamed(name: str, interval: Interval) -> str:
    """The name with the interval's coordinates in place of those that it spells, if it spells any."""
    found = _COORDINATES.fullmatch(name)
    where = f"{interval.start}-{interval.end}"
    return f"{name[: found.start('start')]}{where}{name[found.end('end') :]}" if found else name


def _crop_interval(interval: Interval, length: int) -> Interval:
    width = interval.end - interval.start
    left = width // 2 - length // 2
    start = interval.end - left - length if interval.strand == "-" else interval.start + left
    return Interval(interval.chromosome, start, start + length, interval.strand)
