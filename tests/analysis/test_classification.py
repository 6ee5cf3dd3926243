"""Areas under the curves against scikit-learn, and intervals that cover."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from maxent_cli.analysis import classification
from maxent_cli.analysis.classification import auroc, classification_areas

CHANCE = np.random.default_rng(4)


@pytest.mark.parametrize("levels", [5, 50, 10**9])
def test_resamples_are_what_sklearn_says_of_drawn_records_ties_included(
    levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = CHANCE.integers(0, 2, 400)
    scores = CHANCE.integers(0, levels, 400) + labels * levels // 4
    group = np.arange(400) // 3
    drawn, inner = [], classification._resample

    def heard(*given: Any) -> np.ndarray:
        drawn.append(inner(*given))
        return drawn[-1]

    monkeypatch.setattr(classification, "_resample", heard)
    monkeypatch.setattr(classification, "RESAMPLES", 20)
    areas = classification_areas(labels, scores, 1, group)
    assert [area.metric for area in areas] == ["AUROC", "AUPRC"]
    for area, metric in zip(areas, (roc_auc_score, average_precision_score), strict=True):
        found = [metric(labels, scores, sample_weight=times[group]) for times in drawn]
        assert area.value == metric(labels, scores)
        assert [area.lower, area.upper] == pytest.approx(np.quantile(found, [0.025, 0.975]).tolist(), abs=1e-12)
    assert all(times.sum() == group[-1] + 1 for times in drawn)


def test_a_record_given_many_times_is_one_where_groups_say_so() -> None:
    labels, scores = CHANCE.integers(0, 2, 60), CHANCE.normal(size=60)
    times = 10
    many = [np.repeat(array, times) for array in (labels, scores, np.arange(60))]
    once, again = classification_areas(labels, scores, 1), classification_areas(*many[:2], 1, many[2])
    for first, second in zip(once, again, strict=True):
        assert (first.lower, first.upper) == pytest.approx((second.lower, second.upper), abs=1e-12)
    alone = classification_areas(*many[:2], 1)[0]
    assert 2 < (once[0].upper - once[0].lower) / (alone.upper - alone.lower) < 5  # the root of ten


def test_every_resample_has_both_classes() -> None:
    labels = np.repeat([1, 0], [1, 200])
    roc, _ = classification_areas(labels, CHANCE.normal(size=201), 1)
    assert np.isfinite([roc.lower, roc.upper]).all()


def test_interval_covers_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "RESAMPLES", 200)
    truth = 0.7602  # of two unit normals one apart: Phi(1 / sqrt 2)
    labels = np.repeat([1, 0], 60)
    covered = 0
    for seed in range(200):
        roc, _ = classification_areas(labels, CHANCE.normal(size=120) + labels, seed)
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
