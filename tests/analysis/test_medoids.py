"""Medoids: those of least mean distance, by trying all; deterministic; nothing that is there twice."""

from itertools import combinations

import numpy as np
import pytest

from maxent_cli.analysis.medoids import _built, distances, medoids


def cost(apart: np.ndarray, chosen: tuple[int, ...]) -> float:
    return float(apart[list(chosen)].min(axis=0).mean())


def points(seed: int, count: int = 14) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_distances_are_those_of_the_definition() -> None:
    some, others = points(1), points(2, 5)
    expected = np.linalg.norm(some[:, None].astype(float) - others[None], axis=-1)
    assert distances(some, others) == pytest.approx(expected, abs=1e-3)


def test_no_single_exchange_is_for_the_better_and_most_are_the_best_of_all() -> None:
    """Of 14 points every choice is listed; the greedy start alone is the best less often."""
    best, greedy = 0, 0
    for seed in range(20):
        apart = distances(points(seed), points(seed))
        found, first = tuple(medoids(apart, 3).tolist()), tuple(_built(apart, 3).tolist())
        least = min(cost(apart, chosen) for chosen in combinations(range(14), 3))
        best += cost(apart, found) <= least + 1e-6
        greedy += cost(apart, first) <= least + 1e-6
        slack = 1.1e-3 * cost(apart, found) / 14
        for out, new in ((out, new) for out in range(3) for new in range(14)):
            other = (*found[:out], new, *found[out + 1 :])
            assert cost(apart, other) >= cost(apart, found) - slack - 1e-6
    assert best >= 15
    assert greedy < best


def test_two_clusters_get_one_each_and_an_outlier_none() -> None:
    centres = np.eye(4, dtype=np.float32)[[0] * 30 + [1] * 10 + [2]]
    spread = centres + np.random.default_rng(0).normal(0, 0.05, centres.shape).astype(np.float32)
    assert sorted(medoids(distances(spread, spread), 2) // 30) == [0, 1]
    assert 40 not in medoids(distances(spread, spread), 2)


def test_what_is_there_twice_is_chosen_once() -> None:
    same = np.repeat(points(3, 4), 5, axis=0)
    found = medoids(distances(same, same), 10)
    assert sorted((found // 5).tolist()) == [0, 1, 2, 3]
    assert medoids(distances(same, same), 10).tolist() == found.tolist()
    assert medoids(np.zeros((3, 3), np.float32), 2).tolist() == [0]
