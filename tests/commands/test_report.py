"""maxent report on what the other commands really write."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analysis.sample_sets import independent_draws, sample_set
from click.testing import CliRunner, Result
from report_files import island_of

from maxent_cli.alphabet import encode
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.series import beta_series
from maxent_cli.analysis.summary import summarise
from maxent_cli.commands import maxent
from maxent_cli.data import SampleSet
from maxent_cli.io.samples import writing_draws
from maxent_cli.io.tables import write_table

WORD, LENGTH, CHAINS, DRAWS = encode("CCATGACGTAA"), 40, 6, 40
LAW = {
    "held": "anchor",
    "outputs": [[[1, 1.0], [0, -1.0]]],
    "background": [0.25] * 4,
    "tether": None,
    "beta": 8.0,
    "keep": 0.8,
}
HEADER = {
    "law": LAW,
    "run": {"max_rhat": 1.05, "chains": CHAINS, "replicas": 2, "draws": DRAWS, "warmup": 0, "seed": 1},
}


def draws_around(name: str, place: int) -> SampleSet:
    """Draws that hold a word at a place, on a ladder of two replicas."""
    rng = np.random.default_rng(place)
    law = np.full((LENGTH, 4), 0.25)
    law[place : place + len(WORD)] = np.where(np.arange(4) == WORD[:, None], 0.94, 0.02)
    codes = independent_draws(rng, law, CHAINS, DRAWS)
    plain = sample_set(codes)
    energy = np.stack([rng.uniform(4, 6, (CHAINS, DRAWS)), rng.uniform(1, 2, (CHAINS, DRAWS))], axis=-1)
    letters = np.full((CHAINS, 2, LENGTH, 4), 9, np.uint32)
    ladder = {"betas": np.array([0.0, 10.0]), "energy": energy, "output": energy, "letters": letters}
    return replace(plain, name=name, energy=energy[..., 1], replicas=replace(plain.replicas, **ladder))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(maxent, list(arguments))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run")
    sets = [draws_around(name, start) for name, start in (("a", 5), ("<b>b", 12), ("c", 20), ("d", 16))]
    with writing_draws(str(place / "draws.npz"), HEADER | {"outputs": ["off", "on"]}) as draws:
        for samples in sets:
            draws.add(samples)
    write_table(str(place / "draws.npz.tsv"), [summarise(samples, diagnose(samples)) for samples in sets])
    write_table(
        str(place / "draws.npz.series.tsv"),
        [row for samples in sets for row in beta_series(samples, diagnose(samples))],
    )
    return place


def test_what_sample_and_motifs_write_is_shown(folder: Path) -> None:
    draws, motifs, page = (str(folder / name) for name in ("draws.npz", "motifs", "report.html"))
    done = run("motifs", draws, "-o", motifs, "--logos", "none")
    assert done.exit_code == 0, done.output
    done = run("report", draws, "--motifs", motifs, "-o", page)
    assert done.exit_code == 0, done.output
    text = Path(page).read_text(encoding="utf-8")
    assert text.count('<article class="anchor"') == 4
    assert "&lt;b&gt;b" in text
    assert "<b>b" not in text
    assert 'id="series"' in text
    assert " (motif_1) in " in text
    assert all(site["motif"] == "motif_1" for card in island_of(text)["cards"] for site in card["sites"][:1])
    assert all(card["sites"] for card in island_of(text)["cards"])
    assert "maxent motifs" in text
    shown = run("provenance", page).stdout
    assert all(
        f"{name} sha256" in shown for name in (draws, f"{draws}.tsv", f"{draws}.series.tsv", f"{motifs}/motifs.tsv")
    )


def test_the_draws_alone_go_to_standard_output(folder: Path) -> None:
    done = run("report", str(folder / "draws.npz"), "-o", "-")
    assert done.exit_code == 0
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert done.stdout.rstrip().endswith("</html>")
    assert "4 anchors" in done.stdout


def test_a_missing_summary_is_one_line(folder: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(folder / "draws.npz", tmp_path))
    done = run("report", str(alone), "-o", str(tmp_path / "x.html"))
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "draws.npz.tsv: is not there; put the table" in done.stderr
    assert list(tmp_path.iterdir()) == [alone]
