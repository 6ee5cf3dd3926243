"""--shard and merge: the parts of a run put together are the run, and what is no part of it is named."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small import saved, small_model

from maxent_cli.commands import maxent
from maxent_cli.io.samples import open_draws
from maxent_cli.models import prediction

RECORDS = {
    **{"r1": "GATCATTG", "bad": "ACGTNNNN", "r2": "CCGTATTA", "short": "ACG", "<b>'\"ä/../x": "ttgcaacc"},
    **{"r4": "ACGTACGA", "-r5": "TTTTACGC", "long": "ACGTACGTA"},
}
KEPT = 5
SHORT = ["--chains", "4", "--rungs", "3", "--draws", "10", "--thin", "5", "--warmup", "240", "--beta", "20"]
DRAWING = ["anchors.fa", "--model", "model", *SHORT, "--threads", "1"]


@dataclass(frozen=True)
class Command:
    """How a command is called, and the names of its outputs, the main one first, with OUT for where they go."""

    arguments: list[str]
    outputs: list[str]


COMMANDS = {
    "sample": Command([*DRAWING, "--fasta", "OUT.fa"], ["OUT", "OUT.tsv", "OUT.rejected.tsv", "OUT.fa"]),
    "gc-probe": Command([*DRAWING, "--fields", "-1,1", "--untrained", "1"], ["OUT", "OUT.rejected.tsv"]),
    "predict": Command(["anchors.fa", "--model", "model", "--label", "1"], ["OUT", "OUT.rejected.tsv"]),
    "series": Command(["draws.npz", "--figures", "2"], ["OUT"]),
    "dependence": Command(["draws.npz", "--maps", "svg", "--most-rhat", "9", "--top", "2"], ["OUT"]),
}


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(maxent, list(arguments))
    assert result.exit_code == expect, result.output
    return result


def refused(*arguments: str) -> str:
    """What a refusal says: one line."""
    result = run(*arguments, expect=1)
    assert result.stderr.count("\n") == 1
    return result.stderr


def call(name: str, out: str, shard: str = "1/1") -> None:
    arguments = [argument.replace("OUT", out) for argument in COMMANDS[name].arguments]
    run(name, *arguments, "--out", out, "--shard", shard)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, records, draws of them, and each command's whole output."""
    folder = tmp_path_factory.mktemp("origin")
    saved(folder / "model", small_model(8))
    (folder / "anchors.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in RECORDS.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("sample", *DRAWING, "--out", "draws.npz")
        for name in COMMANDS:
            call(name, f"whole_{name}")
    return folder


@pytest.fixture
def here(origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of one's own with all of that in it; the current one."""
    shutil.copytree(origin, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(path: str) -> object:
    """The bytes of a file, of each file in a folder, or None."""
    place = Path(path)
    if place.is_dir():
        return {str(entry.relative_to(place)): entry.is_file() and entry.read_bytes() for entry in place.rglob("*")}
    return place.read_bytes() if place.exists() else None


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("name", COMMANDS)
def test_parts_together_are_the_whole(here: Path, name: str, count: int) -> None:
    parts = [f"part{number}" for number in range(1, count + 1)]
    for number, part in enumerate(parts, 1):
        call(name, part, f"{number}/{count}")
    rejected = [Path(f"{part}.rejected.tsv").exists() for part in parts]
    assert rejected == [f"OUT.rejected.tsv" in COMMANDS[name].outputs] + [False] * (count - 1)
    result = run("merge", *reversed(parts), "--out", "merged")
    assert f"merged: {count} parts, {KEPT} records" in result.stderr
    if name == "sample":
        run("merge", *reversed([f"{part}.fa" for part in parts]), "--out", "merged.fa")
    for output in COMMANDS[name].outputs:
        assert content(output.replace("OUT", f"whole_{name}")) is not None
        assert content(output.replace("OUT", "merged")) == content(output.replace("OUT", f"whole_{name}"))
    run("merge", "merged", "--out", "again")
    assert content("again") == content(f"whole_{name}")
