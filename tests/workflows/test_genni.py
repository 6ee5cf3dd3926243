"""Classes of equal function: what is known in closed form is recovered, and nothing else."""

from importlib import import_module

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from small import anchor, law, run, small_model

from maxent_cli.interpret.equivalents import equivalent
from maxent_cli.interpret.sampling import sample_anchor
from maxent_cli.models.prediction import predict

classes = import_module("workflows.genni.classes")
experiment = import_module("workflows.genni.experiment")
TARGET = np.array([1.0, -1.2, 1.0, 0.8])
ONE, TWELVE = classes.Shape(1, 2), classes.Shape(12, 2)


@pytest.fixture(scope="module")
def task():
    return classes.task_of(ONE, TARGET, 200, np.random.default_rng(1))


@pytest.fixture(scope="module")
def found(task):
    return task.members(np.random.default_rng(2), 4, 1e-12)[0]


def test_the_distance_to_a_class_is_that_of_its_nearest_listed_member() -> None:
    scales, given = np.geomspace(0.02, 50, 2000), np.random.default_rng(3).normal(size=(5, 4))
    wanted = []
    for w1, w2, v1, v2 in given:
        found = []
        for (a, b), (c, d) in (((w1, v1), (w2, v2)), ((w2, v2), (w1, v1))):
            first = np.hypot(TARGET[0] * scales - a, TARGET[2] / scales - b).min()
            second = np.hypot(TARGET[1] * scales - c, TARGET[3] / scales - d).min()
            found.append(np.hypot(first, second))
        wanted.append(min(found))
    np.testing.assert_allclose(classes.to_class(ONE, given, TARGET), wanted, atol=2e-3)


def test_networks_found_from_random_starts_are_of_the_class(found) -> None:
    assert classes.to_class(ONE, found, TARGET).max() < 1e-5
    assert classes.to_class(ONE, found[:1] * 1.1, TARGET)[0] > 0.05  # a broken twin


def test_the_class_is_recovered_within_the_spacing_of_the_grid(task, found) -> None:
    """No point that is kept is further from it, and no part of it from what is kept; a looser bound is told."""
    grid = classes.grid_of(task, found, 21)
    most = classes.bound(task, grid, found)
    known, kept = classes.class_in(ONE, grid, TARGET), grid.kept(most)
    assert len(known) > 50
    assert classes.to_class(ONE, known, TARGET).max() < 0.01 * grid.spacing
    assert 0 < len(kept) < 0.2 * grid.values.size
    assert classes.to_class(ONE, kept, TARGET).max() < grid.spacing
    assert cKDTree(kept).query(known)[0].max() < grid.spacing
    assert classes.to_class(ONE, grid.kept(30 * most), TARGET).max() > grid.spacing
    np.testing.assert_allclose(task.loss(kept), grid.values[grid.values <= most], rtol=1e-9)


def test_units_of_twelve_inputs_are_exchanged_and_rescaled_copies() -> None:
    random = np.random.default_rng(4)
    target = random.normal(size=TWELVE.size)
    task = classes.task_of(TWELVE, target, 256, random)
    found = task.members(random, 3, 1e-10)[0]
    assert classes.to_class(TWELVE, found, target).max() < 1e-3
    in_order = experiment.in_one_order(TWELVE, found)
    assert task.loss(in_order).max() < 1e-10
    grid = classes.grid_of(task, in_order, 11)
    kept = grid.kept(classes.bound(task, grid, in_order))
    assert cKDTree(kept).query(in_order)[0].max() < grid.spacing
    scaled = experiment.rescaled(TWELVE, found[0], np.array([0.5, 3.0]))
    assert task.loss(scaled[None])[0] == pytest.approx(task.loss(found[:1])[0], abs=1e-12)
    assert np.abs(scaled - found[0]).max() > 0.1


def test_copies_are_apart_by_rounding_on_the_laws_draws_and_seeds_are_not() -> None:
    """J(A, B) = E_pA (f_A - f_B)²."""
    own, other = small_model(seed=4), small_model(seed=5)
    copy, moved = equivalent(own, torch.Generator().manual_seed(1))
    assert moved.rescaled
    codes = sample_anchor(own, anchor("GATCA"), law(4.0), run(chains=8, draws=50)).codes.reshape(-1, 5)
    f, of_copy, of_other = ((out := predict(each, codes))[:, 1] - out[:, 0] for each in (own, copy, other))
    assert np.mean((f - of_copy) ** 2) < 1e-10 * f.var()
    assert np.mean((f - of_other) ** 2) > 1e-2 * f.var()
