"""The figures of motifs on simulated data, in small: all that is wanted is met."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "workflows" / "motif_figures"


@pytest.mark.parametrize(
    "figure", ["pooled", *(pytest.param(name, marks=pytest.mark.slow) for name in ("spaced", "shuffled"))]
)
def test_what_is_wanted_is_met(figure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("motif_figures", FOLDER / "figures.py")
    assert spec
    assert spec.loader
    figures = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "motif_figures", figures)
    spec.loader.exec_module(figures)
    rows = list(getattr(figures, figure)(tmp_path / figure, figures.QUICK))
    assert len(rows) >= 3
    assert [row for row in rows if row["met"] != "yes"] == []
    assert figures.page(rows, figures.QUICK, 1.0).count("| yes |") == len(rows)
