"""Tables that grow row by row, so that memory does not."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from maxent_cli.io.files import writing
from maxent_cli.io.tables import Row, _cell


@contextmanager
def growing_table(path: str, header: Sequence[str]) -> Iterator[Callable[[Iterable[Row]], None]]:
    """A function that appends rows to a TSV, in cells as write_table's; the file appears when the block ends well."""
    with writing(path) as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(header)

        def append(rows: Iterable[Row]) -> None:
            writer.writerows([_cell(row[name]) for name in header] for row in rows)

        yield append
