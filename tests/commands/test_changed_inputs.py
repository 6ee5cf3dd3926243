"""A record is of what was read: an input that changes while a command runs is said, and recorded."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forked import maxent_words
from test_faults import LINES, PLACES, here, kinds, place_of, site, words
from thinned import one_of_each, thinned

from maxent_cli.commands import maxent
from maxent_cli.io import outputs

__all__ = ["here", "site"]  # fixtures

READING = list(
    {line.split()[0] + str("genome" in line): line for line in LINES if set(kinds(line)) & set(PLACES)}.values()
)
CASES = [(line, kind) for line in READING for kind in kinds(line) if kind not in PLACES]


def run_changing(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> Result:
    """Run a line; the change happens when all has been read and computed, and the outputs are to be recorded."""
    record = outputs._Batch.record

    def changing(self: outputs._Batch) -> None:
        if any(move.making for move in self.moves):
            change()
        record(self)

    monkeypatch.setattr(outputs._Batch, "record", changing)
    return CliRunner().invoke(maxent, words(line, folder))


def record_of(line: str, folder: Path) -> dict[str, dict[str, object]]:
    out = next(place_of(kind, folder) for kind in kinds(line) if kind in PLACES)
    found: dict[str, dict[str, object]] = json.loads(Path(f"{out}.provenance.json").read_text())
    return found


@pytest.mark.parametrize(("line", "kind"), one_of_each(CASES, lambda case: case[1]), ids=lambda part: part.split()[0])
def test_a_changed_input_is_said_and_recorded(
    line: str, kind: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = place_of(kind, here)
    if line.startswith("merge"):
        pytest.skip("what merge records is what the parts' records say")
    file = next(place for place in sorted(given.rglob("*")) if place.is_file()) if given.is_dir() else given
    as_read = hashlib.sha256(file.read_bytes()).hexdigest()

    def change() -> None:
        file.write_bytes(file.read_bytes() + b"\n")

    result = run_changing(line, here, monkeypatch, change)
    assert result.exit_code == 0, result.output
    assert f"WARNING: {given} has changed since it was read" in result.stderr
    record = record_of(line, here)
    assert {str(given)} <= set(record["changed_inputs"]) <= {str(given), str(file)}  # tables beside a network by name
    known = record["inputs"][str(given)]
    if kind == "genome":
        assert set(known) == {"index", "bases"}
    else:
        assert as_read == (known[file.relative_to(given).as_posix()] if given.is_dir() else known)
        assert record["changed_inputs"][str(given)] != known
    checked = CliRunner().invoke(
        maxent, ["provenance", next(str(place_of(k, here)) for k in kinds(line) if k in PLACES), "--check"]
    )
    assert checked.exit_code == 1


@pytest.mark.parametrize("line", thinned(READING, 3), ids=lambda line: line.split()[0])
def test_what_has_not_changed_is_not_said(line: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touch() -> None:
        for kind in set(kinds(line)) - set(PLACES):
            place = place_of(kind, here)
            for file in place.rglob("*") if place.is_dir() else (place,):
                if kind != "genome":
                    os.utime(file, (1e9, 1e9))

    result = run_changing(line, here, monkeypatch, touch)
    assert result.exit_code == 0, result.output
    assert "has changed" not in result.stderr
    assert "changed_inputs" not in record_of(line, here)
    out = next(str(place_of(kind, here)) for kind in kinds(line) if kind in PLACES)
    assert CliRunner().invoke(maxent, ["provenance", out, "--check"]).exit_code == 0


def test_the_bases_that_were_read_are_told_apart(here: Path) -> None:
    line = next(line for line in READING if line.startswith("predict") and "genome" in line)
    found = []
    for letter in (None, 5, 1000):  # in no window but the first time
        if letter is not None:
            genome = place_of("genome", here)
            text = bytearray(genome.read_bytes())
            text[text.index(b"\n") + letter] = ord("A") if text[text.index(b"\n") + letter] != ord("A") else ord("C")
            genome.write_bytes(bytes(text))
        assert CliRunner().invoke(maxent, words(line, here)).exit_code == 0
        found.append(record_of(line, here)["inputs"][str(place_of("genome", here))])
    first, other, same = found
    assert first["index"] == other["index"] == same["index"]
    assert first["bases"] != other["bases"] == same["bases"]


def test_a_pipe_is_recorded_with_what_came_through(here: Path) -> None:
    line = "predict - --model {model} --threads 1 --out {new}"
    text = place_of("anchors", here).read_bytes()
    found = subprocess.run([*maxent_words(), *words(line, here)], input=text, capture_output=True)
    assert found.returncode == 0, found.stderr
    assert record_of(line, here)["inputs"]["-"] == {"pipe": hashlib.sha256(text).hexdigest()}
    out = str(place_of("new", here))
    assert CliRunner().invoke(maxent, ["provenance", out, "--check"]).exit_code == 0


NETWORK = """
from layers.first import convolution
from torch import nn

def network():
    return nn.Sequential(convolution(), nn.ReLU(), nn.Flatten(), nn.Linear(24, 1))
"""
LAYERS = "from torch import nn\nfrom . import sizes\n\ndef convolution():\n    return nn.Conv1d(4, sizes.FILTERS, 3)\n"


def test_code_that_the_network_imports_is_in_the_record(here: Path) -> None:
    (here / "layers").mkdir()
    for name, text in {
        "mine": NETWORK,
        "layers/__init__": "",
        "layers/first": LAYERS,
        "layers/sizes": "FILTERS = 4\n",
        "other": "",
    }.items():
        (here / f"{name}.py").write_text(text)
    words = [
        *maxent_words(),
        *["adopt", "mine:network", "--input-length", "8", "--gc", "0.5", "--threads", "1", "--out", "mine"],
    ]
    path = os.pathsep.join(
        [str(Path(maxent.callback.__code__.co_filename).parents[2]), os.environ.get("PYTHONPATH", "")]
    )
    found = subprocess.run(words, cwd=here, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert found.returncode == 0, found.stderr
    inputs = json.loads((here / "mine.provenance.json").read_text())["inputs"]
    code = {str(Path(name).resolve().relative_to(here.resolve())) for name in inputs if name.endswith(".py")}
    assert code == {"mine.py", "layers/__init__.py", "layers/first.py", "layers/sizes.py"}
    check = [*maxent_words(), "provenance", "mine", "--check"]
    assert subprocess.run(check, cwd=here, env=os.environ | {"PYTHONPATH": path}).returncode == 0
    (here / "layers/sizes.py").write_text("FILTERS = 4  # as many\n")
    assert subprocess.run(check, cwd=here, env=os.environ | {"PYTHONPATH": path}, capture_output=True).returncode == 1
