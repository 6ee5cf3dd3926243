"""Metrics of localisation: by hand, and against what is known of random scores."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
LENGTH, WIDTH = 30, 6


def peaked(start: int, width: int = WIDTH) -> np.ndarray:
    """Scores (1, L): 1 in a window, 0 elsewhere."""
    scores = np.zeros((1, LENGTH))
    scores[0, start : start + width] = 1
    return scores


def test_perfect_scores() -> None:
    from workflows.ctcf import metrics

    scores, sites = peaked(12), [[(12, 18)]]
    assert metrics.best_windows(scores, WIDTH).tolist() == [12]
    for value in (metrics.share_inside(scores, sites), metrics.hits(scores, sites, WIDTH)):
        assert value.tolist() == [1]
    assert metrics.precisions(scores, sites) == pytest.approx([1])
    assert metrics.offsets(scores, sites, WIDTH).tolist() == [0]


@pytest.mark.parametrize(("start", "hit", "share"), [(9, 1, 0.5), (8, 0, 2 / 6), (20, 0, 0)])
def test_shifted_scores(start: int, hit: int, share: float) -> None:
    from workflows.ctcf import metrics

    scores, sites = peaked(start), [[(12, 18)]]
    assert metrics.hits(scores, sites, WIDTH).tolist() == [hit]
    assert metrics.share_inside(scores, sites) == pytest.approx([share])
    assert metrics.offsets(scores, sites, WIDTH).tolist() == [abs(start - 12)]


def test_the_nearest_of_two_sites_counts_and_both_are_inside() -> None:
    from workflows.ctcf import metrics

    scores, sites = peaked(20), [[(2, 8), (20, 26)]]
    assert metrics.hits(scores, sites, WIDTH).tolist() == [1]
    assert metrics.offsets(scores, sites, WIDTH).tolist() == [0]
    assert metrics.share_inside(scores, sites).tolist() == [1]
    assert metrics.inside(sites, LENGTH).sum() == 12


def test_scores_against_the_output_and_none_at_all() -> None:
    from workflows.ctcf import metrics

    sites = [[(12, 18)]]
    against = peaked(12) - 5 * peaked(2)
    assert metrics.share_inside(against, sites).tolist() == [1]
    assert metrics.hits(against, sites, WIDTH).tolist() == [1]
    nothing = np.zeros((1, LENGTH))
    assert metrics.share_inside(nothing, sites).tolist() == [0]
    assert metrics.best_windows(nothing, WIDTH).tolist() == [(LENGTH - WIDTH) // 2]


def test_random_scores_are_at_chance() -> None:
    from workflows.ctcf import metrics

    scores = np.random.default_rng(1).random((4000, LENGTH))
    sites = [[(12, 18)]] * len(scores)
    assert metrics.share_inside(scores, sites).mean() == pytest.approx(WIDTH / LENGTH, abs=0.005)
    assert metrics.precisions(scores, sites).mean() == pytest.approx(0.27, abs=0.02)  # of so few, above their share
    assert metrics.hits(scores, sites, WIDTH).mean() == pytest.approx(7 / 25, abs=0.06)  # starts 9 to 15 of 0 to 24


def test_the_loss_is_that_of_the_redrawn_letters() -> None:
    """An output that counts A's in a window: redrawing k of them loses k · (1 - q(A))."""
    from workflows.ctcf import metrics

    codes = np.zeros((3, LENGTH), np.uint8)
    background = np.array([0.4, 0.3, 0.2, 0.1])

    def value(rows: np.ndarray) -> np.ndarray:
        return np.asarray((rows[..., 12:18] == 0).sum(axis=-1), float)

    right, wrong = (np.tile(peaked(start), (3, 1)) for start in (12, 20))
    lost = metrics.losses(value, codes, right, background, (4, 3000, 1))
    assert lost == pytest.approx(np.full(3, 4 * 0.6), abs=0.06)
    assert metrics.losses(value, codes, wrong, background, (4, 50, 1)).tolist() == [0, 0, 0]


def test_intervals_cover_and_are_as_wide_as_the_error() -> None:
    from workflows.ctcf import metrics

    values = np.random.default_rng(2).normal(3, 2, 400)
    found = metrics.over_anchors(np.append(values, np.nan))
    assert found.value == pytest.approx(values.mean())
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


@pytest.mark.slow
def test_the_experiment_on_one_small_case(tmp_path: Path) -> None:
    """A motif of which a network of a few seconds finds the site, by draws and by attributions."""
    from workflows.ctcf import experiment
    from workflows.global_features.steps import table

    with (ROOT / "workflows" / "ctcf" / "ctcf.toml").open("rb") as stream:
        config = tomllib.load(stream)
    del config["real"]
    config |= {"out": str(tmp_path), "anchors": 3, "batch": 2, "redraws": 20, "cases": ["one motif"]}
    config |= {"simulated": {"count": 1500, "length": 60}, "training": {"epochs": 8, "batch": 64}}
    config["sampling"] = {"chains": 4, "replicas": 3, "draws": 40, "thin": 20, "warmup": 800, "max_steps": 800}
    page = experiment.experiment(config).read_text()
    rows = {(row["method"], row["metric"]): row for row in table(tmp_path / "metrics.tsv")}
    methods = {method for method, _ in rows}
    assert methods == {
        *experiment.METHODS,
        "mutagenesis, without sign",
        *(f"{what}, {t}" for what in ("draws", "sites in draws") for t in experiment.LAWS),
    }
    for method in ("draws, tethered", "mutagenesis"):
        assert float(rows[method, "window hits"]["value"]) == 1
        assert float(rows[method, "share in site"]["value"]) > 0.6  # 19 of 60 bp by chance
    for (method, metric), row in rows.items():
        assert method in page
        assert float(row["lower"]) <= float(row["value"]) <= float(row["upper"])
        best, value = rows[row["best"], metric], float(row["value"])
        assert row["best"] in experiment.METHODS
        assert float(row["value_against"]) == pytest.approx(value - float(best["value"]), abs=2e-5, rel=1e-3)
    assert [folder.name for folder in sorted((tmp_path / "one_motif").glob("0*"))] == ["0000", "0002"]
