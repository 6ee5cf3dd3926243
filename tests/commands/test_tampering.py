"""Records that somebody has changed: merge and provenance say so in a line, and leave nothing half done."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_files import write_parts

from maxent_cli.commands import maxent

VALUES: list[Any] = [None, -1, 10**400, 1.5, "x", "\ud800", [], {}, [[]], {"x": []}, True]


def run(*words: object) -> str:
    """The last line on stderr; a traceback is a failure."""
    result = CliRunner().invoke(maxent, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (0, 1), result.output
    last = result.stderr.splitlines()[-1] if result.stderr else ""
    assert result.exit_code == 0 or last.startswith("maxent: "), last
    return last if result.exit_code else ""


def places(record: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a record, a few of each table."""
    if isinstance(record, dict):
        for name in list(record)[:12]:
            yield (*path, name)
            yield from places(record[name], (*path, name))


def changed(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at the end of a way; without it, where that is Ellipsis."""
    copy = json.loads(json.dumps(record))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts of a run of dependence."""
    folder = tmp_path_factory.mktemp("parts")
    sources = write_parts(folder, ["a", "b"], max_rhat=1000)
    for number in (1, 2):
        assert not run(
            "dependence",
            sources.draws,
            "--maps",
            "none",
            "--shard",
            f"{number}/2",
            "--out",
            folder / f"s{number}",
        )
    return folder


def test_a_changed_record_is_an_error_before_anything_is_written(parts: Path) -> None:
    record = parts / "s2.provenance.json"
    good = record.read_text()
    known, refused = json.loads(good), 0
    try:
        for path in places(known):
            for value in (*VALUES, ...):
                record.write_text(json.dumps(changed(known, path, value)))
                said = run("merge", parts / "s1", parts / "s2", "--out", parts / "whole")
                refused += bool(said)
                assert not said or not list(parts.glob("*whole*")), (path, value)
                for made in (parts / "whole", parts / "whole.provenance.json"):
                    if made.exists():
                        [place.unlink() for place in made.iterdir() if place.is_file()] if made.is_dir() else None
                        if made.is_dir():
                            [place.rmdir() for place in made.iterdir()]
                            made.rmdir()
                        else:
                            made.unlink()
                run("provenance", parts / "s2")
                run("provenance", parts / "s2", "--check")
    finally:
        record.write_text(good)
    assert refused > 100


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "", "null", "[]", "\ufeff{}", "{}\x00", '"\\ud800"']
)
def test_what_is_no_record(text: str, parts: Path) -> None:
    record = parts / "s2.provenance.json"
    good = record.read_text()
    try:
        record.write_text(text)
        for words in (["merge", parts / "s1", parts / "s2", "--out", parts / "whole"], ["provenance", parts / "s2"]):
            assert str(record) in run(*words)
    finally:
        record.write_text(good)
    assert not list(parts.glob("*whole*"))
