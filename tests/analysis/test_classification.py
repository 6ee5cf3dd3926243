"""Areas under the curves against scikit-learn, and intervals that cover."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from maxent_cli.analysis.classification import auroc, average_precision, classification_areas

CHANCE = np.random.default_rng(4)


@pytest.mark.parametrize("levels", [5, 50, 10**9])
def test_areas_agree_with_sklearn_ties_included(levels: int) -> None:
    labels = CHANCE.integers(0, 2, 400)
    scores = CHANCE.integers(0, levels, 400) + labels * levels // 4
    roc, precision = classification_areas(labels, scores, seed=1, resamples=10)
    assert (roc.metric, precision.metric) == ("AUROC", "AUPRC")
    assert roc.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert precision.value == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert average_precision(labels, scores) == precision.value


def test_interval_covers_as_often_as_it_says() -> None:
    truth = 0.7602  # of two unit normals one apart: Phi(1 / sqrt 2)
    labels = np.repeat([1, 0], 60)
    covered = 0
    for seed in range(200):
        roc, _ = classification_areas(labels, CHANCE.normal(size=120) + labels, seed, resamples=200)
        covered += roc.lower <= truth <= roc.upper
    assert 0.88 < covered / 200 <= 0.99


def test_same_seed_same_interval() -> None:
    labels, scores = CHANCE.integers(0, 2, 100), CHANCE.normal(size=100)
    assert classification_areas(labels, scores, 3) == classification_areas(labels, scores, 3)
    assert classification_areas(labels, scores, 3) != classification_areas(labels, scores, 4)


def test_perfect_and_reversed() -> None:
    labels = np.array([1, 1, 0, 0])
    assert [area.value for area in classification_areas(labels, labels, 1)] == [1, 1]
    assert classification_areas(labels, -labels, 1)[0].value == 0


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], []])
def test_one_class_is_undefined(labels: list[int]) -> None:
    for area in classification_areas(np.array(labels, int), np.zeros(len(labels)), 1):
        assert np.isnan([area.value, area.lower, area.upper]).all()


@pytest.mark.parametrize(("shift", "positives", "negatives"), [(0.0, 40, 60), (1.0, 100, 30), (2.0, 50, 50)])
def test_the_aurocs_error_is_its_spread_over_new_data(shift: float, positives: int, negatives: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 0], [positives, negatives])
    found = np.array([auroc(labels, rng.normal(shift * labels, 1)) for _ in range(800)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.15)


def test_the_auroc_of_one_class_is_unknown() -> None:
    assert np.isnan(auroc([1, 1], [0.2, 0.3])).all()
