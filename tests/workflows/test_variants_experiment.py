"""The experiment on variants, small: it runs, goes on from what is there, and finds what was planted."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "workflows" / "variants" / "experiment.py"


def run(out: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(out), "--quick"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return (out / "results.md").read_text()


@pytest.mark.slow
def test_it_finds_what_was_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(tmp_path, monkeypatch)
    odds = pd.read_csv(tmp_path / "planted_firm.tsv", sep="\t")
    assert odds["record"].nunique() == 3
    assert np.corrcoef(odds["planted"], odds["effect"])[0, 1] > 0.9
    assert "| `free_energy` |" in page
    before = (tmp_path / "planted_firm.tsv").stat().st_mtime_ns
    assert run(tmp_path, monkeypatch) == page
    assert (tmp_path / "planted_firm.tsv").stat().st_mtime_ns == before
