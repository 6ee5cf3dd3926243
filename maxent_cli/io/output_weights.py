"""Weights of outputs, from a table: what of a network with many outputs is held."""

import csv
import math
from collections.abc import Iterator

from maxent_cli.errors import InputError
from maxent_cli.io.files import reading_text

COLUMNS, ROW = ("output", "weight"), "row"
_CURE = "give a TSV with the columns output and weight, and row where there are several weighted sums"


def read_output_weights(path: str) -> dict[str, dict[str, float]]:
    """Weights by output, of each weighted sum by its name, from a TSV (plain or gzip) with a header line.

    Columns: output (its number from 0, or its name), weight and, where there are several weighted sums, row: the name
    of the one that a line is of. Raises InputError naming line and column.
    """
    found = dict[str, dict[str, float]]()
    for number, (row, output, weight) in enumerate(_lines(path), 2):
        weights = found.setdefault(row, {})
        if output in weights:
            raise InputError(path, f"line {number}", f"{output} has a weight already", "give each output one a row")
        weights[output] = _weight(path, number, weight)
    if not found:
        raise InputError(path, "", "holds no weights", _CURE)
    return found


def _lines(path: str) -> Iterator[tuple[str, str, str]]:
    """Row, output and weight of each line."""
    with reading_text(path) as stream:
        lines = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = set(lines.fieldnames or ())
        missing, other = [name for name in COLUMNS if name not in header], header - {*COLUMNS, ROW}
        if missing or other:
            problem = f"no column named {missing[0]}" if missing else f"a column named {min(map(str, other))}"
            raise InputError(path, "line 1", problem, _CURE)
        for number, line in enumerate(lines, 2):
            cells = line.get(ROW, ""), line["output"], line["weight"]
            if None in line or None in cells:
                raise InputError(path, f"line {number}", "has not as many cells as the header", "correct the line")
            yield cells[0].strip(), cells[1].strip(), cells[2].strip()


def _weight(path: str, number: int, cell: str) -> float:
    try:
        weight = float(cell)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise InputError(path, f"line {number}, column weight", f"{cell} is no finite number", "give a number")
    return weight
