"""Anchors shorter than the network's input, and positions that must stay: which positions may change."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes, decode
from maxent_cli.data import Interval, Record, Rejected, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.bed import BedRow, fetch_windows, read_intervals
from maxent_cli.io.fasta import to_sequences
from maxent_cli.io.records import RecordSource

Mask = NDArray[np.bool_]

RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def read_flanked(
    source: RecordSource, length: int, flank: Codes | None, unknown: bool = False
) -> tuple[Sequences, list[Rejected]]:
    """Anchors in windows of `length` bp, of which only they are mutable; and what was left out.

    flank (L,): the letters around them; None: those of the genome around each, whose coordinates BED has, or a FASTA
    record's name spells. unknown as to_sequences has it.
    """
    made = _in_genome(source, length) if flank is None else _in_letters(source, flank)
    first, masks = source.first, list[Mask]()

    def windows() -> Iterator[Record | Rejected]:
        for window in made:
            masks.append(np.zeros(0, np.bool_) if isinstance(window, Rejected) else window[1])
            yield window if isinstance(window, Rejected) else window[0]

    kept, rejected = to_sequences(windows(), length, unknown=unknown, first=first)
    stacked = [masks[number - first] for number in kept.numbered]
    mutable = np.stack(stacked) if stacked else np.zeros((0, length), np.bool_)
    return replace(kept, mutable=mutable), rejected


def settle_unknown(anchors: Sequences, sampled: bool) -> Sequences:
    """Anchors whose unknown letters are mutable if they are to be sampled, and stay otherwise."""
    unknown = anchors.codes == UNKNOWN
    if not unknown.any():
        return anchors
    mutable = np.ones(unknown.shape, np.bool_) if anchors.mutable is None else anchors.mutable
    return replace(anchors, mutable=mutable if sampled else mutable & ~unknown)


def changeable(anchors: Sequences, path: str) -> tuple[Sequences, list[Rejected]]:
    """The anchors of which some position is mutable, and the others."""
    if anchors.mutable is None:
        return anchors, []
    free = anchors.mutable.any(axis=1)
    reason, cure = "none of its positions may change", "see --fix, --flank and --n-policy"
    stuck = [
        Rejected(anchors.names[row], path, reason, cure, int(anchors.numbered[row])) for row in np.flatnonzero(~free)
    ]
    return anchors.take(np.flatnonzero(free)), stuck


def fix_positions(anchors: Sequences, fix: str, whole: bool = True) -> Sequences:
    """Anchors with some positions no longer mutable: those of a BED file, or ranges such as 3,40-60 for every anchor.

    Positions are 0-based, ranges half-open, in the network's input. A BED row's chromosome is an anchor's name, or
    that of the genome on which the anchors lie. Raises InputError where no anchor has such a position, or where one
    given as an anchor's own lies beyond its end. whole: these are all anchors, one of which must have such positions.
    """
    mutable = np.ones(anchors.codes.shape, np.bool_) if anchors.mutable is None else anchors.mutable.copy()
    stretches = _stretches_of(anchors, fix)
    for row, start, end in stretches:
        mutable[row, max(0, start) : max(0, end)] = False
    if whole and not any(start < mutable.shape[1] and end > 0 for _, start, end in stretches):
        cure = "give positions within the anchors, 0-based; or BED whose chromosomes are theirs, or their names"
        raise InputError(fix, "", "touches no anchor", cure)
    return replace(anchors, mutable=mutable)


def _stretches_of(anchors: Sequences, fix: str) -> list[tuple[int, int, int]]:
    """Number of the anchor, start and end of each stretch to keep."""
    if Path(fix).is_file():
        rows = list(read_intervals(fix))
        names = set(anchors.names)
        for row in (row for row in rows if row.interval.chromosome in names):
            place = row.place.removeprefix(f"{fix}: ")
            _require_within(fix, place, row.interval.start, row.interval.end, anchors)
        return [found for number in range(len(anchors)) for found in _touched(anchors, number, rows)]
    parts = [RANGE.fullmatch(part.strip()) for part in fix.split(",")]
    if not all(parts):
        raise InputError(
            fix or "''", "", "is neither a file nor positions", "give a BED file, or positions as in 3,40-60"
        )
    ranges = [(int(part[1]), int(part[2] or int(part[1]) + 1)) for part in parts if part]
    for start, end in ranges:
        _require_within(fix, "", start, end, anchors)
    return [(number, *ends) for number in range(len(anchors)) for ends in ranges]


def _require_within(fix: str, place: str, start: int, end: int, anchors: Sequences) -> None:
    length = anchors.codes.shape[1]
    if not start < end <= length:
        problem = f"{start}-{end} {'is empty' if end <= start else f'ends beyond the {length} positions'}"
        raise InputError(fix, place, problem, "give positions from 0, each range's end behind its start, as in 3,40-60")


def _touched(anchors: Sequences, number: int, rows: Iterable[BedRow]) -> Iterator[tuple[int, int, int]]:
    place = anchors.intervals[number]
    for row in rows:
        if row.interval.chromosome == anchors.names[number]:
            yield number, row.interval.start, row.interval.end
        elif place is not None and row.interval.chromosome == place.chromosome:
            yield number, *_within(row.interval, place)


def _within(part: Interval, window: Interval) -> tuple[int, int]:
    """Start and end of a part of the genome, counted along a window's strand; they may lie outside."""
    if window.strand == "-":
        return window.end - part.end, window.end - part.start
    return part.start - window.start, part.end - window.start


def _in_letters(source: RecordSource, flank: Codes) -> Iterator[tuple[Record, Mask] | Rejected]:
    if source.is_bed:
        raise InputError(source.path, "", "is BED, which has a genome around it", "give --flank genome")
    letters = decode(flank)
    for record in source.records():
        size, start = len(record.sequence), len(flank) // 2 - len(record.sequence) // 2
        if not 0 < size <= len(flank):
            yield Rejected(record.name, record.place, *_wrong_size(size, len(flank)))
            continue
        mask = np.zeros(len(flank), np.bool_)
        mask[start : start + size] = True
        sequence = letters[:start] + record.sequence + letters[start + size :]
        yield Record(record.name, sequence, record.place), mask


def _in_genome(source: RecordSource, length: int) -> Iterator[tuple[Record, Mask] | Rejected]:
    if source.genome is None:
        raise InputError(source.path, "", "has no letters around it", "give --genome FASTA")
    given: list[tuple[Record | None, BedRow] | Rejected] = []
    if source.is_bed:
        given = [(None, row) for row in source.intervals()]
    else:
        for record in source.records():
            if record.interval is None:
                reason = "its name spells no coordinates (chrom:start-end)"
                cure = "name records chrom:start-end, or give --flank background"
                given.append(Rejected(record.name, record.place, reason, cure))
            else:
                given.append((record, BedRow(record.interval, place=record.place)))
    rows = (one[1] for one in given if not isinstance(one, Rejected))
    windows = fetch_windows(source.genome, rows, length, source.centre)
    for one in given:
        if isinstance(one, Rejected):
            yield one
        else:
            window = next(windows)
            yield window if isinstance(window, Rejected) else _placed(*one, window)
    next(windows, None)  # the genome is closed, and what was read of it noted


def _placed(known: Record | None, row: BedRow, window: Record) -> tuple[Record, Mask] | Rejected:
    """A window with what of it is the anchor; its letters are a record's own, where there is one."""
    assert window.interval is not None
    length = len(window.sequence)
    start, end = _within(row.interval, window.interval)
    if end - start > length or end <= start:
        name = known.name if known else window.name
        return Rejected(name, row.place, *_wrong_size(end - start, length))
    start, end = max(0, start), min(length, end)
    mask = np.zeros(length, np.bool_)
    mask[start:end] = True
    if known is None:
        return window, mask
    sequence = window.sequence[:start] + known.sequence + window.sequence[end:]
    return Record(known.name, sequence, known.place, window.interval), mask


def _wrong_size(size: int, length: int) -> tuple[str, str]:
    """Why an anchor of size bp does not go into a window, and what may be done about it."""
    return (f"longer than {length} bp", "give shorter anchors") if size > 0 else ("empty", "give anchors letters")
