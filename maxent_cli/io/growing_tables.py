"""Tables that grow row by row, so that memory does not."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from maxent_cli.io.outputs import writing
from maxent_cli.io.tables import Row, cell, cells_of
from maxent_cli.tables.schema import Table


@contextmanager
def growing_table(path: str, table: Table) -> Iterator[Callable[[Iterable[Row]], None]]:
    """A function that appends rows of a table to a TSV, as write_rows; the file appears when the block ends well.

    It is gzip-compressed where its name ends in .gz.
    """
    with _text(path) as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(table.names)

        def append(rows: Iterable[Row]) -> None:
            writer.writerows([cell(value) for value in cells_of(row, table)] for row in rows)

        yield append


@contextmanager
def _text(path: str) -> Iterator[IO[str]]:
    if not path.endswith(".gz"):
        with writing(path) as stream:
            yield stream
        return
    with (
        writing(path, "wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,  # no name and no time: the same bytes for the same rows
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        yield text
