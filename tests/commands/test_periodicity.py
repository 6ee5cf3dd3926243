"""maxent periodicity: its tables, its figure and what it says, on draws with a planted period."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from analysis.sample_sets import independent_draws, sample_set
from running import invoke, table

from maxent_cli.io.samples import writing_draws

LENGTH = 147
NAMES = ("one", "<b>&/two", "a $x$ \n name")


@pytest.fixture(params=[0.1, 0.0], ids=["period", "none"])
def draws(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, float]:
    path = str(tmp_path / "draws.npz")
    with writing_draws(path, {"law": {"held": "anchor"}, "run": {"max_rhat": 1.05}}) as writer:
        for seed, name in enumerate(NAMES):
            rng = np.random.default_rng(seed)
            share = 0.6 + request.param * np.cos(2 * np.pi * np.arange(LENGTH) / 10.2)
            law = np.stack([share / 2, (1 - share) / 2, (1 - share) / 2, share / 2], axis=1)
            background = np.tile([0.3, 0.2, 0.2, 0.3], (LENGTH, 1))
            writer.add(sample_set(independent_draws(rng, law, 8, 40), background, name=name))
    return path, request.param


run = partial(invoke, "periodicity")


def test_the_folder_holds_answer_peaks_spectra_and_figure(tmp_path: Path, draws: tuple[str, float]) -> None:
    path, swing = draws
    out = tmp_path / "period"
    result = run(path, "-o", str(out))
    assert sorted(entry.name for entry in out.iterdir()) == [
        *("answer.tsv", "peaks.tsv", "periodicity.png", "spectra.tsv"),
    ]
    assert (out / "periodicity.png").read_bytes().startswith(b"\x89PNG")
    answer = {row["source"]: row for row in table(out / "answer.tsv")}
    assert list(answer) == ["draws", "draws, phase-free", "anchor", "beta = 0"]
    assert len(table(out / "peaks.tsv")) == 4 * len(NAMES)
    spectra = table(out / "spectra.tsv")
    assert len(spectra) == 151 * len(NAMES)
    assert (float(spectra[0]["period"]), float(spectra[150]["period"])) == (20, 5)
    if swing:
        assert answer["draws"]["share"] == "1"
        assert float(answer["draws"]["period"]) == pytest.approx(10.2, abs=0.1)
        highest = max(spectra[:151], key=lambda row: float(row["draws"]))
        assert float(highest["period"]) == pytest.approx(10.2, abs=0.2)
        assert "100.0 % of anchors highest at 9.5-11 bp" in result.stderr
        assert "not told from chance" not in result.stderr
    else:
        assert "nothing is decided by fewer than 6 anchors" in result.stderr
    assert list(json.loads((tmp_path / "period.provenance.json").read_text())["inputs"]) == [path]


def test_same_seed_same_bytes(tmp_path: Path, draws: tuple[str, float]) -> None:
    for name in ("first", "second"):
        run(draws[0], "-o", str(tmp_path / name), "--class", "WW", "--seed", "3")
    for entry in (tmp_path / "first").iterdir():
        assert entry.read_bytes() == (tmp_path / "second" / entry.name).read_bytes(), entry.name


@pytest.mark.parametrize("given", ["", "AX", "A/AT"])
def test_a_class_that_cannot_be_is_refused(tmp_path: Path, draws: tuple[str, float], given: str) -> None:
    result = run(draws[0], "-o", str(tmp_path / "out"), "--class", given, code=2)
    assert "words of one length" in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_no_draws_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "draws.npz").write_bytes(b"nothing")
    result = run(str(tmp_path / "draws.npz"), "-o", str(tmp_path / "out"), code=1)
    assert "draws.npz" in result.stderr
    assert not (tmp_path / "out").exists()
