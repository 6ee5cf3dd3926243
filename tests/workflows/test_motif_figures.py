"""The figures of motifs on simulated data, in small: all that is wanted is met."""

from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("figure", ["pooled", "spaced", "shuffled"])
def test_what_is_wanted_is_met(figure: str, tmp_path: Path) -> None:
    from workflows.motif_figures import figures

    rows = list(getattr(figures, figure)(tmp_path / figure, figures.QUICK))
    assert len(rows) >= 3
    assert [row for row in rows if row["met"] != "yes"] == []
    assert figures.page(tmp_path, rows, figures.QUICK).count("| yes |") == len(rows)


def test_too_few_sites_decide_nothing() -> None:
    from workflows.motif_figures import figures

    assert [figures._counted("", right, 40)["met"] for right in (40, 38, 37)] == ["yes", "yes", "no"]
    assert figures._counted("", 8, 8)["met"] == "no"
    assert figures._counted("", 38, 40)["found"] == "0.95 (0.83 to 0.99)"  # Wilson 1927: 0.835 to 0.986
