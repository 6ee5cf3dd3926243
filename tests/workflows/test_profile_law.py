"""The experiment on the profile law, small: that law alone holds the motif that is in the shape."""

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "workflows" / "profile_law" / "experiment.py"


@pytest.mark.slow
def test_the_profile_law_holds_what_the_count_law_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path), "--quick"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    found = pd.read_csv(tmp_path / "results.tsv", sep="\t").set_index(["law", "site"])["site_bits"]
    assert found["profile", "shape"] > 4
    assert abs(found["count", "shape"]) < 1
    assert abs(found["profile", "count"]) < 2
    assert (tmp_path / "figure.png").stat().st_size > 5000
