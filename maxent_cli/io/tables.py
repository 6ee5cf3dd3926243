"""Tables: tab-separated, one header line."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NoReturn, TextIO

import numpy as np

from maxent_cli.data import Record, Rejected
from maxent_cli.errors import InputError, shown
from maxent_cli.io.fasta import SEQUENCE_COLUMNS, interval_of_name
from maxent_cli.io.files import reading_text
from maxent_cli.io.outputs import writing
from maxent_cli.io.places import START, Begin, Places, find_places, kind_of_lines
from maxent_cli.tables.sampling import REJECTED
from maxent_cli.tables.schema import Table

Row = Mapping[str, object]
Rows = Iterable[Row] | Mapping[str, Iterable[object]]

_LABEL_COLUMNS = ("label", "bound")
_NAME_COLUMNS = ("id", "name", "eventid")
_MARK = "'"
_FLOATS = float, np.floating  # a union would be made anew for each of a million cells
# what would end a line or a cell for some reader, or move a terminal's cursor
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160), 0x2028, 0x2029], " ")


def read_labelled(path: str, block: range | None = None, begin: Begin = START) -> Iterator[tuple[Record, int]]:
    """Records and their labels (0 or 1) from a TSV (plain, gzip or '-') with a header line.

    Columns, in any case and order: sequence or seq; label or bound; optionally id, name or EventID (otherwise a
    record is called 'row' and its line's number). block: of all rows, counted from 0, these alone, which stand behind
    `begin`. Raises InputError naming line and column.
    """
    with reading_text(path) as stream:
        header = _cells(stream.readline().removeprefix("\ufeff"))
        sequence, label = _column(path, header, sorted(SEQUENCE_COLUMNS)[::-1]), _column(path, header, _LABEL_COLUMNS)
        name = _find(header, _NAME_COLUMNS)
        for number, line in _rows(path, stream, block, begin):
            cells = _cells(line)
            _require_cells(path, number, cells, header)
            called = cells[name].strip() if name is not None else f"row{number}"
            yield _record(called, cells[sequence], f"{path}: line {number}"), _label(path, number, label, cells)


def labelled_places(path: str) -> Places:
    """Where rows of a labelled table stand; what they say is not looked at. Raises InputError where it has none."""
    found = find_places(path, kind_of_lines(lambda line, _: bool(line.strip()), header=1))
    return found if found.count else _none(path)


def read_table(path: str, table: Table, cure: str, wanted: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Rows of a table that a command wrote, one at a time: the wanted columns, or all, each as its kind is read.

    Raises InputError, with the cure, where it is not there, a column is missing or is none of the table's, a row has
    not as many cells as the header, or a cell is none of its column's.
    """
    if not Path(path).is_file():
        raise InputError(path, "", "is not there", cure)
    with reading_text(path) as stream:
        header = _cells(stream.readline().removeprefix("\ufeff"))
        fault = table.fault(header)
        if fault:
            raise InputError(path, "line 1", shown(fault), cure)
        known = table.with_columns(header).columns
        columns = [(place, column) for place, column in enumerate(known) if not wanted or column.name in wanted]
        for number, line in enumerate(stream, 2):
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) != len(header):
                problem = f"{len(cells)} columns where the header has {len(header)}"
                raise InputError(path, f"line {number}", problem, cure)
            row = {}
            for place, column in columns:
                cell = text_of(_unquoted(cells[place]))
                try:
                    row[column.name] = column.read(cell)
                except ValueError:
                    problem = f"{_shown(cell)} cannot be read as {column.kind.name}"
                    raise InputError(path, f"line {number}, column {column.name}", problem, cure) from None
            yield row


def write_table(path: str, rows: Rows, table: Table | None = None) -> None:
    """Write a TSV as write_rows; '-' is standard output."""
    with writing(path) as stream:
        write_rows(stream, rows, table)


def write_rows(stream: IO[str], rows: Rows, table: Table | None) -> None:
    """Write a TSV from rows (one mapping each) or from columns, which must be the table's; without one, any.

    Floats as %.6g, truth as yes or no, None as an empty cell; a cell with a quotation mark is quoted as spreadsheets
    and pandas do; control characters become spaces; text that a spreadsheet would take for a formula stands behind an
    apostrophe, which readers here take away again. Raises ValueError where a row has other columns than the table, or
    nothing where something must be.
    """
    cells: Iterable[Iterable[object]]
    if isinstance(rows, Mapping):
        names = list(table.with_columns(rows).names if table else rows)
        cells = zip(*(_plain(rows[name]) for name in names), strict=True)
    else:
        listed = list(rows)
        names = list(table.names if table else listed[0] if listed else ())
        cells = (cells_of(row, table) if table else [row[name] for name in names] for row in listed)
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerow(names)
    writer.writerows([cell(value) for value in row] for row in cells)


def cells_of(row: Row, table: Table) -> list[object]:
    """What a row of a table has in each column. Raises ValueError where it is none of the table's."""
    table.check(row)
    return [row[name] for name in table.names]


def renew_rejected(path: str, rejected: Sequence[Rejected]) -> None:
    """Write the records that were left out, or, where there are none, remove what an earlier run left there."""
    if rejected:
        write_rejected(path, rejected)
    else:
        Path(path).unlink(missing_ok=True)


def write_rejected(path: str, rejected: Iterable[Rejected]) -> None:
    """Write the records that were left out."""
    rows = ({"record": entry.name, "place": entry.place, "reason": entry.reason} for entry in rejected)
    write_table(path, rows, REJECTED)


def _rows(path: str, below: TextIO, block: range | None, begin: Begin) -> Iterator[tuple[int, str]]:
    """Numbers and text of a block's lines that are not blank, below the header where nothing else is said."""
    count = begin.records
    with reading_text(path, begin.offset) if begin.offset else nullcontext(below) as stream:
        for number, line in enumerate(stream, max(begin.lines, 1) + 1):
            if line.strip():
                if block is None or count in block:
                    yield number, line
                elif count >= block.stop:
                    return
                count += 1
    if not count:
        _none(path)


def _none(path: str) -> NoReturn:
    raise InputError(path, "", "holds no row below the header", "give one labelled sequence a line")


def _record(name: str, cell: str, place: str) -> Record:
    letters = cell.strip()
    return Record(name, letters, place, interval_of_name(name, len(letters)))


def _cells(line: str) -> list[str]:
    return [_unquoted(cell) for cell in line.rstrip("\r\n").split("\t")]


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if quoted else cell


def _find(header: list[str], wanted: Sequence[str]) -> int | None:
    lower = [cell.strip().lower() for cell in header]
    return next((lower.index(name) for name in wanted if name in lower), None)


def _column(path: str, header: list[str], wanted: Sequence[str]) -> int:
    found = _find(header, wanted)
    if found is None:
        raise InputError(
            path,
            "line 1",
            f"no column named {' or '.join(wanted)}",
            "give a tab-separated table whose header names the columns sequence and label",
        )
    return found


def _require_cells(path: str, number: int, cells: list[str], header: list[str]) -> None:
    if len(cells) != len(header):
        problem = f"{len(cells)} columns where the header has {len(header)}"
        raise InputError(path, f"line {number}", problem, "give every row the header's columns, separated by tabs")


def _label(path: str, number: int, column: int, cells: list[str]) -> int:
    try:
        value = float(cells[column])
    except ValueError:
        value = float("nan")
    if value not in (0.0, 1.0):
        where = f"line {number}, column {column + 1}"
        raise InputError(path, where, f"the label {_shown(cells[column])} is not 0 or 1", "give labels 0 and 1")
    return int(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _plain(column: Iterable[object]) -> Iterable[object]:
    return column.tolist() if isinstance(column, np.ndarray) else column


def cell(value: object) -> str:
    """A value as it is written."""
    if isinstance(value, _FLOATS):
        return f"{value:.6g}"
    if isinstance(value, str):
        return _cell_of_text(value)
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(value)
    return str(value).translate(_CONTROLS)


@lru_cache(maxsize=1024)  # names stand in every row of what they name
def _cell_of_text(value: str) -> str:
    text = value.translate(_CONTROLS)
    return f"{_MARK}{text}" if _is_formula(text) else text


def text_of(written: str) -> str:
    """What was written as a cell, without the mark that keeps a spreadsheet from reckoning it."""
    return written[1:] if written.startswith(_MARK) and _is_formula(written) else written


def _is_formula(text: str) -> bool:
    """Whether text is, behind any marks, what spreadsheets take for a formula; a number or a strand is none."""
    bare = text.lstrip(_MARK)
    if len(bare) < 2 or bare[0] not in "=+-@":
        return False
    try:
        float(bare)
    except ValueError:
        return True
    return False
