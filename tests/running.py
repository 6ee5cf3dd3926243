"""Commands run in this process, and the tables that they write."""

import csv
from pathlib import Path

from click.testing import CliRunner, Result

from maxent_cli.commands import maxent


def invoke(*words: object, code: int = 0, stdin: str | None = None) -> Result:
    """`maxent` with these words, which ends with `code`."""
    result = CliRunner().invoke(maxent, [str(word) for word in words], input=stdin)
    assert result.exit_code == code, result.output
    return result


def run(line: str, code: int = 0) -> Result:
    """`maxent` with a line's words."""
    return invoke(*line.split(), code=code)


def table(path: Path | str) -> list[dict[str, str]]:
    """Rows of a table, by its columns' names."""
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", strict=True))
