"""Tables of commands in which only what a test is about is given; the rest is nothing, or something of its kind."""

from collections.abc import Iterable, Mapping

from maxent_cli.io.tables import write_table
from maxent_cli.tables import Table
from maxent_cli.tables.schema import ANY_NUMBER, NUMBER, SHARE, TEXT, TRUTH, WHOLE

SOMETHING = {TEXT: "some", WHOLE: 1, NUMBER: 0.5, ANY_NUMBER: 1.0, SHARE: 0.5, TRUTH: True}


def write_filled(path: object, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows of a table, of which some columns are given."""
    rest = {column.name: None if column.missing else SOMETHING[column.kind] for column in table.columns}
    write_table(str(path), [rest | dict(row) for row in rows], table)
