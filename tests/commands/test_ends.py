"""How a command ends where memory does, where code that it calls does, or by a fault that nobody foresaw: one line."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from small import saved, small_model
from thinned import thinned

from maxent_cli.alphabet import decode
from maxent_cli.commands import maxent
from maxent_cli.commands.options import sampling_options
from maxent_cli.commands.stopping import tidy_at_sigterm
from maxent_cli.errors import EndedError, SettingsError, is_out_of_memory
from maxent_cli.interpret.sampling import BOUNDS, Sampling

LENGTH = 12
RUN = "--chains 4 --replicas 3 --draws 4 --thin 2 --max-steps 8 --warmup 240 --beta 5 --threads 1"
NETWORK = """
import os, sys
from torch import nn


def plain():
    return nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1))


class Leaving(nn.Module):
    def __init__(self, how="forward"):
        super().__init__()
        if how == "building":
            sys.exit()
        self.inner, self.passes = plain(), 0

    def forward(self, one_hot):
        self.passes += 1
        if self.passes > 12:
            sys.exit(0)
        return self.inner(one_hot)


class Later(nn.Module):
    def __init__(self):
        super().__init__()
        turn("building")
        self.inner = plain()

    def forward(self, one_hot):
        turn("running")
        return self.inner(one_hot)


def turn(when):
    kind, _, asked = os.environ.get("ENDING", "").partition(" ")
    if asked != when:
        return
    if kind == "leaves":
        sys.exit(0)
    if kind == "fails":
        raise MemoryError
    if kind == "allocates":
        bytearray(2**62)
    if kind == "recurs":
        turn(when)


def large():
    class Large(nn.Module):
        def forward(self, one_hot):
            return one_hot.new_zeros(2**52).sum()
    return Large()


def deep():
    network = plain()
    for _ in range(3000):
        network = nn.Sequential(network)
    return network


def fails():
    raise MemoryError
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    saved(tmp_path / "model", small_model(LENGTH))
    (tmp_path / "anchors.fa").write_text(">a\nGATCATTGACGT\n>b\nCCGTATTACCAA\n")
    (tmp_path / "ending.py").write_text(NETWORK)
    yield tmp_path
    sys.modules.pop("ending", None)


def run(line: str, code: int) -> str:
    """The last line on stderr."""
    result: Result = CliRunner().invoke(maxent, line.split())
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    last = result.stderr.splitlines()[-1]
    assert last.startswith("maxent: ")
    return last


ADOPT = f"adopt --input-length {LENGTH} --gc 0.4 --threads 1"


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (
            'Leaving --arguments {"how":"building"}',
            r"ending.py: line \d+: ends the program \(sys.exit\(None\)\)",
        ),
        ("Leaving", r"ending.py: line \d+: ends the program \(sys.exit\(0\)\); have it raise an error"),
        ("large", r"the system: there is not enough memory \(.*allocate.*\); ask for more memory, or for less"),
        ("deep", r"the system: what was given nests too deep|ending:deep: cannot be copied \(RecursionError"),
        ("fails", r"ending:fails: ending.py: line \d+: fails \(MemoryError\); see --arguments"),
    ],
)
def test_code_of_the_user_that_ends_the_program(network: str, said: str, folder: Path) -> None:
    before = set(folder.iterdir())
    last = run(f"{ADOPT} ending:{network} --out out", 1)
    assert re.search(said, last), last
    assert {place for place in folder.iterdir() if place.name != "__pycache__"} == before


@pytest.mark.parametrize("when", ["building", "running"])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("leaves", r"ending.py: line \d+: ends the program \(sys.exit\(0\)\); have it raise an error"),
        ("fails", r"MemoryError|not enough memory"),
        ("allocates", r"MemoryError|not enough memory"),
        ("recurs", r"RecursionError|nests too deep"),
    ],
)
def test_code_in_a_model_folder_that_ends_the_program(
    how: str, said: str, when: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which it did not do when it was adopted."""
    result = CliRunner().invoke(maxent, f"{ADOPT} ending:Later --out later".split())
    assert result.exit_code == 0, result.output
    monkeypatch.setenv("ENDING", f"{how} {when}")
    before = {place for place in folder.rglob("*") if "__pycache__" not in place.parts}
    for command in (f"sample anchors.fa {RUN}", "attribute anchors.fa --method deeplift --threads 1"):
        last = run(f"{command} --model later --trust-code --out out", 1)
        assert re.search(said, last), last
        assert re.fullmatch(r"maxent: [^;]+: .+; .+", last), last
        assert {place for place in folder.rglob("*") if "__pycache__" not in place.parts} == before


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((10**9,), np.dtype(float)),  # type: ignore[attr-defined]
        RuntimeError("std::bad_alloc"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        OSError(12, "Cannot allocate memory"),
        ImportError("x.so: failed to map segment from shared object"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_that_memory_is_out(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(ValueError(str(error)))


@pytest.mark.slow
def test_memory_that_really_ends(folder: Path) -> None:
    """In a process that may have little: whatever it is that fails first."""
    (folder / "one.fa").write_text(f">a\n{'ACGTACGT' * 120_000_000}\n")

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))

    line = "predict one.fa --model model --threads 1 --out out.tsv"
    found = subprocess.run(
        [sys.executable, "-m", "maxent_cli", *line.split()], capture_output=True, text=True, preexec_fn=little
    )
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert "there is not enough memory" in found.stderr.splitlines()[-1]
    assert not list(folder.glob("*out.tsv*"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["sample", "gc-probe"])
def test_a_run_that_cannot_fit_is_not_begun(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    large = "--chains 10000 --replicas 64 --draws 1000000 --thin 1 --max-steps 1000000 --threads 2"
    last = run(f"{command} anchors.fa --model model {large} --out out", 1)
    assert re.fullmatch(
        r"maxent: memory: 1000000 draws of 10000 chains x 64 replicas of 12 letters around 2 anchors at once take at "
        r"least 6.68e\+04 GiB of memory, and .* GiB can be had; give fewer .*, or say with MAXENT_MEMORY_GIB=N .*",
        last,
    )
    monkeypatch.setenv("MAXENT_MEMORY_GIB", "much")
    assert "MAXENT_MEMORY_GIB: much is no number of GiB; give one" in run(
        f"{command} anchors.fa --model model -o out", 1
    )
    monkeypatch.setenv("MAXENT_MEMORY_GIB", "1")
    assert CliRunner().invoke(maxent, f"sample anchors.fa --model model {RUN} -o out".split()).exit_code == 0


@pytest.mark.usefixtures("folder")
def test_the_doctor_says_that_a_run_cannot_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXENT_MEMORY_GIB", "0.01")
    found = CliRunner().invoke(maxent, f"doctor anchors.fa --model model {RUN}".split())
    assert found.exit_code == 1
    assert re.search(r"run +WRONG .*; 0.0 GiB can be had here", found.stdout)


def test_counts_have_upper_bounds_which_the_options_know() -> None:
    @sampling_options
    def command() -> None: ...

    options: dict[str, Any] = {param.name: param for param in command.__click_params__}  # type: ignore[attr-defined]
    for name, (least, most) in BOUNDS.items():
        kind = options[name].type
        assert isinstance(kind, click.IntRange)
        assert (kind.min, kind.max) == (least, most), name
        with pytest.raises(SettingsError, match=f"{name}: {most + 1} is not from"):
            Sampling(**{name: most + 1})


def test_a_fault_that_nobody_foresaw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_output: str) -> None:
        raise KeyError("what nobody foresaw\nof two lines")

    monkeypatch.setattr("maxent_cli.api.origins.provenance", fail)
    last = run("provenance anchors.fa", 5)
    place = folder / f"maxent-fault.{os.getpid()}.txt"
    assert last == (
        "maxent: this is a fault of maxent (KeyError: 'what nobody foresaw\\nof two lines'); "
        f"{place.name} tells its makers what went wrong"
    )
    told = place.read_text()
    assert told.startswith("maxent 1.")
    assert "'torch': '" in told
    assert "Traceback (most recent call last)" in told
    assert "in fail" in told


def test_a_fault_where_nothing_can_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maxent_cli.api.origins.provenance", lambda _output: 1 / 0)
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
    result = CliRunner().invoke(maxent, ["provenance", str(folder / "anchors.fa")])
    assert result.exit_code == 5
    assert result.stderr.splitlines()[-1].endswith(
        "(ZeroDivisionError: division by zero); its makers need what stands above"
    )
    assert "Traceback (most recent call last)" in result.stderr


def test_an_end_that_python_drops_comes_again() -> None:
    """As within a callback of C while code compiles."""

    class Dropping:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(EndedError), tidy_at_sigterm():  # noqa: PT012
        one = Dropping()
        del one
        for _ in range(500):
            time.sleep(0.01)


def test_what_was_under_way_is_not_taken_apart(folder: Path) -> None:
    """As LLVM's modules, which may crash the process then: the exit code is that of an end by SIGTERM."""
    script = """
import os, signal, sys, time
import maxent_cli.api.origins
from maxent_cli.__main__ import main

class HalfMade:
    def __del__(self):
        os.abort()

def compiling(_output):
    half_made = HalfMade()
    signal.raise_signal(signal.SIGTERM)
    time.sleep(10)

maxent_cli.api.origins.provenance = compiling
sys.argv = ["maxent", "provenance", "anchors.fa"]
main()
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (143, "maxent: ended by a signal; run the same command again\n")


@pytest.mark.parametrize(
    "line",
    thinned(
        [
            f"sample anchors.fa --model model {RUN} --out out",
            "attribute anchors.fa --model model --method mutagenesis --logos none --out out",
            "train --positives many.fa --architecture finnegan2017 --epochs 300 --out out",
        ],
        3,
    ),
    ids=lambda line: line.split()[0],
)
def test_ended_while_code_compiles(line: str, folder: Path) -> None:
    rows = np.random.default_rng(1).integers(0, 4, (60, 40), np.uint8)
    (folder / "many.fa").write_text("".join(f">r{n}\n{decode(row)}\n" for n, row in enumerate(rows)))
    kept = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "maxent_cli", *line.split()], stderr=subprocess.PIPE, text=True, env=os.environ | kept
    )
    while process.poll() is None and not (folder / "cache").exists():
        time.sleep(0.02)
    process.terminate()
    _, said = process.communicate(timeout=300)
    assert process.returncode in (4, 143), said
    assert "Traceback" not in said
    assert said.splitlines()[-1] in (
        "maxent: ended by a signal; run the same command again",
        "maxent: stopped by a signal; run the same command again to go on",
    )
    assert not (folder / "out").exists()
    assert not list(folder.glob(".out*"))
