"""The nucleosome experiment: spectra of tracks, and the whole of it on a genome of our own that stops and goes on."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from maxent_cli.alphabet import LETTERS, decode, encode
from maxent_cli.analysis.periodicity import FREQUENCIES

LENGTH = 147
SHORT = {"chains": 4, "replicas": 3, "draws": 20, "thin": 10, "warmup": 240, "max_steps": 200}


def waves(periods: list[float]) -> np.ndarray:
    """Tracks (N, L), a wave each."""
    return np.cos(2 * np.pi * np.arange(LENGTH) / np.array(periods)[:, None])


def test_letters_and_positions_of_scores_are_two_tracks(tmp_path: Path) -> None:
    """A and T rise and fall by 10.2 bp whatever the anchor's letters, whose own scores have 6 bp."""
    from workflows.nucleosome import spectra

    at, own = waves([10.2])[0], waves([6.0])[0]
    rows = [("score", *LETTERS)] + [(b, a, -a, -a, a) for a, b in zip(at, own, strict=True)] * 2
    (tmp_path / "positions.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    found = spectra.of_scores(tmp_path, 2)
    for track, period in ((spectra.LETTERS_TRACK, 10.2), (spectra.POSITIONS_TRACK, 6.0)):
        row = spectra.summary(track, found[track])
        assert row["period"] == pytest.approx(period, abs=0.05)
        assert row["in_band"] == (2 if period > 9 else 0)


def test_every_anchor_counts_alike_in_the_mean_spectrum() -> None:
    from workflows.nucleosome import spectra

    power = spectra.spectrum(waves([10.0, 10.0, 7.0]) * np.array([[1], [1], [1000]]), np.ones(LENGTH, bool))
    assert abs(1 / FREQUENCIES[spectra.mean_power(power).argmax()] - 10) < 0.1
    row = spectra.summary("waves", power)
    assert (row["in_band"], row["anchors"]) == (2, 3)
    assert row["period_low"] < 7.1 < 9.9 < row["period_high"]  # draws of three anchors that are mostly the third


def write_genome(folder: Path) -> None:
    """Three chromosomes, with a ten-bp rhythm at the dyads with high scores."""
    chance, genome, dyads = np.random.default_rng(1), [], []
    for name in ("chrA", "chrB", "chrC"):
        codes = chance.integers(0, 4, 30_000).astype(np.uint8)
        for at in range(100, 29_900, 200):
            score = chance.random()
            rhythm = np.tile(encode("AATTTGGCCC"), 8)[:75]
            window = slice(at - 37, at + 38)
            codes[window] = np.where(chance.random(75) < 0.9 * (score > 0.5), rhythm, codes[window])
            dyads.append(f"{name}\t{at}\t{at + 1}\tn\t{score}\n")
        genome.append(f">{name}\n{decode(codes)}\n")
    (folder / "genome.fa").write_text("".join(genome))
    (folder / "dyads.bed").write_text("".join(dyads))


@pytest.mark.slow
def test_the_experiment_on_a_toy(tmp_path: Path) -> None:
    """Windows with a ten-bp rhythm against windows without; what is there is not made again, what was deleted is."""
    from workflows.global_features import steps
    from workflows.nucleosome import experiment

    write_genome(tmp_path)
    out = tmp_path / "out"
    config = {
        "genome": str(tmp_path / "genome.fa"),
        "dyads": str(tmp_path / "dyads.bed"),
        "drop": ["chrC"],
        "out": str(out),
        "seeds": [1],
        "anchors": 3,
        "probed": 4,
        "data": {"length": 75},
        "split": {"test_chromosomes": ["chrB"]},
        "training": {"architecture": "nucleosome", "shift": 0, "epochs": 5, "batch": 32},
        "sampling": SHORT,
        "probe": {"mu": [0, 0.5]},
        "probing": SHORT,
        "networks": {"matched": {"top_score": 0.4, "bottom_score": 0.4, "match_gc": True}},
    }
    page = experiment.experiment(config).read_text()
    rows = {row["track"]: row for row in steps.table(out / "summary.tsv") if row["seed"] == "all"}
    assert len(rows) == 4 + 2 * len(experiment.METHODS)
    for track, row in rows.items():
        assert f"| {track} | {row['in_band']} of 3 (" in page
        assert 0 <= float(row["share_low"]) <= float(row["share"]) <= float(row["share_high"]) <= 1
    assert rows["anchor"]["in_band"] == rows["draws"]["in_band"] == "3"
    assert float(steps.table(out / "networks.tsv")[0]["auroc"]) > 0.8
    assert steps.table(out / "gc.tsv")[0]["verdict"] in ("yes", "no", "undecided")
    assert "## Do they hold GC content?" in page
    assert "chrC" not in (out / "dyads.bed").read_text()

    times = {path: path.stat().st_mtime_ns for path in out.rglob(f"*{steps.SECONDS}")}
    assert experiment.experiment(config).read_text() == page
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob(f"*{steps.SECONDS}")}
    shutil.rmtree(out / "network_1" / "seed_1" / "gc")
    experiment.experiment(config)
    assert [path.name for path in times if path.stat().st_mtime_ns != times[path]] == [f"gc{steps.SECONDS}"]
