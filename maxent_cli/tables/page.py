"""The manual's page of tables, made from their declarations: python -m maxent_cli.tables.page > docs/tables.md."""

from collections.abc import Iterator

from maxent_cli.tables import WRITTEN, Column, Table

HEAD = """\
# What is in each file

Tables are tab-separated, with one header line; yes and no are truth; an empty cell is nothing there, `nan` a number
that is not known. Positions are 0-based, start and end half-open. Readers take these columns and no others. This page
is made from `maxent_cli/tables/`, which writers and readers go by too: `python -m maxent_cli.tables.page >
docs/tables.md`.
"""


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(line for command in WRITTEN for line in _of_command(command))


def _of_command(command: str) -> Iterator[str]:
    yield f"\n## maxent {command}\n"
    for output in WRITTEN[command]:
        yield f"\n### {command}: {_plain(output.file)}\n\n{output.about[0].upper()}{_plain(output.about[1:])}.\n"
        if isinstance(output, Table):
            yield f"A row is {output.each}.\n\n| column | is | unit | meaning |\n|---|---|---|---|\n"
            columns = (*output.columns, *([output.named] if output.named else []))
            yield from (f"| {' | '.join(map(_plain, _cells(column)))} |\n" for column in columns)


def _cells(column: Column) -> tuple[str, ...]:
    notes = (("Empty or nan where", column.missing), ("Absent where", column.optional))
    said = [f"{words} {why}." for words, why in notes if why]
    return f"`{column.name}`", column.kind.name, column.unit, " ".join([column.meaning, *said])


def _plain(text: str) -> str:
    """Text that Markdown takes as it is."""
    return "".join(f"\\{letter}" if letter in "|<>*" else letter for letter in text)


if __name__ == "__main__":
    print(page(), end="")
