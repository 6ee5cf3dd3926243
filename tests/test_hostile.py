"""A few of the cases of `python -m tests.hostile`, and that it tells a bad end from a good one."""

import subprocess
import sys
from pathlib import Path

import pytest
from thinned import thinned

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
    ("fault", "said"),
    thinned(
        [
            ("raise KeyError(path)", "exit code 5"),
            ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
            ("from pathlib import Path; Path(path).write_text('gone')", "anchors was changed"),
        ],
        3,
    ),
    ids=["a fault", "a crash", "a lost file"],
)
def test_a_bad_end_is_told(fault: str, said: str) -> None:
    found = run("-c", BROKEN.format(fault))
    assert found.returncode == 1, found.stdout + found.stderr[-2000:]
    assert said in found.stdout
