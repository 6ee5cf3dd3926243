"""A few of the cases of `python -m tests.hostile`, and that it tells a bad end from a good one."""

import subprocess
import sys
from pathlib import Path

import pytest
from hostile.__main__ import check

ROOT = Path(__file__).resolve().parents[1]
SHORT = ("--patience", "4")  # seconds: a case may be one that draws for long
BROKEN = """
import runpy, sys
import maxent_cli.io.fasta
import maxent_cli.io.records as records

sound = records.read_fasta

def broken(path, *more):
    if "hostile" in path and "work" in path:
        {}
    return sound(path, *more)

records.read_fasta = broken
sys.argv = ["hostile", "6", "--seed", "3", "--line", "predict {{anchors}}", "--patience", "4"]
runpy.run_module("tests.hostile", run_name="__main__")
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.slow
def test_a_sample_of_hostile_cases() -> None:
    found = run("-m", "tests.hostile", "6", "--seed", "4", *SHORT)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    assert "6 cases, 0 failed" in found.stdout


@pytest.mark.parametrize(
    ("code", "late", "said", "faults"),
    [
        (0, False, "", []),
        (1, False, "maxent: a.fa: no record; give one", []),
        (1, False, "maxent: a.fa is bad", ["no cure"]),
        (1, False, "a.fa: no record; give one", ["no line of its own: a.fa: no record; give one"]),
        (2, False, "Error: No such option", []),
        (4, False, "", ["nothing was said"]),
        (5, False, "maxent: a fault of its own", ["exit code 5"]),
        (-9, False, "", ["exit code -9"]),
        (-9, True, "", ["did not end when it was told to"]),
        (0, False, "Traceback (most recent call last):", ["a traceback"]),
    ],
)
def test_what_is_wrong_with_an_end(code: int, late: bool, said: str, faults: list[str]) -> None:
    assert check(code, late, said) == faults


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise KeyError(path)", "exit code 5"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ("from pathlib import Path; Path(path).write_text('gone')", "anchors was changed"),
    ],
    ids=["a fault", "a crash", "a lost file"],
)
def test_a_bad_end_is_told(fault: str, said: str) -> None:
    found = run("-c", BROKEN.format(fault))
    assert found.returncode == 1, found.stdout + found.stderr[-2000:]
    assert said in found.stdout
