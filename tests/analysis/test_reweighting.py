"""Draws of a law weighed to another: where the law is an exponential one, all of it is known."""

import numpy as np
import pytest

from analysis.sample_sets import sample_set
from maxent_cli.analysis.reweighting import beta_error, energy_slopes, mean_error, settle

CHANCE = np.random.default_rng(3)


def energies(beta: float, chains: int = 8, draws: int = 4000) -> np.ndarray:
    """Draws of p(E) ∝ E³ exp(-beta E), which has mean 4 / beta."""
    return CHANCE.gamma(4.0, 1 / beta, (chains, draws))


@pytest.mark.parametrize("beta", [8.0, 10.0, 12.5])
def test_beta_is_found_where_the_mean_is_as_wanted(beta: float) -> None:
    settled = settle(energies(beta), beta, wanted=0.4)
    assert settled.beta == pytest.approx(10.0, abs=0.2)


def test_rows_are_draws_at_the_beta_that_is_found() -> None:
    energy = energies(8.0)
    settled = settle(energy, 8.0, wanted=0.4)
    taken = np.take_along_axis(energy, settled.rows, axis=1)
    assert taken.mean() == pytest.approx(0.4, abs=1e-4)
    assert taken.std() == pytest.approx(0.2, abs=0.005)
    assert (
        np.diff(settled.rows, axis=1) >= 0
    ).all()  # in their order, so that those taken twice are next to each other


def test_small_changes_are_made_by_some_chains_where_each_alone_would_round_them_off() -> None:
    energy = np.random.default_rng(5).choice([0.0, 1.0, 2.0, 3.0], (32, 64), p=[0.4, 0.3, 0.2, 0.1])
    for change in (-0.02, -0.005, 0.005, 0.02):
        wanted = float(energy.mean()) + change
        taken = np.take_along_axis(energy, settle(energy, 2.0, wanted).rows, axis=1)
        assert taken.mean() == pytest.approx(wanted, abs=0.002)


def test_nothing_is_left_out_where_beta_is_right() -> None:
    energy = energies(10.0)
    settled = settle(energy, 10.0, wanted=float(energy.mean()))
    assert settled.beta == pytest.approx(10.0, abs=1e-6)
    assert settled.left == pytest.approx(1.0)
    assert len(np.unique(settled.rows[0])) > 0.9 * energy.shape[1]


def test_what_is_left_is_what_the_weights_say() -> None:
    """At a step d the weights are exp(-d E), whose moments are those of the gamma law."""
    step = 2.0
    exact = (8.0 / (8.0 + step)) ** 8 / (8.0 / (8.0 + 2 * step)) ** 4
    assert settle(energies(8.0), 8.0, wanted=4 / (8.0 + step)).left == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(("wanted", "bound"), [(1e-9, 25.0), (1e9, 4.0)])
def test_what_is_out_of_reach_goes_as_far_as_is_looked(wanted: float, bound: float) -> None:
    settled = settle(energies(10.0), 10.0, wanted)
    assert settled.beta == pytest.approx(bound)
    assert settled.left < 0.8


def test_the_scale_of_energies_is_of_no_matter() -> None:
    """An untrained network's may be tiny beside the spread of its draws, so that the bounds of beta are far off."""
    energy = np.random.default_rng(1).exponential(1.0, (4, 200))
    plain = settle(energy, 2.0, 0.8)
    spread = energy + 1e5 * np.arange(200)  # weights at the bounds are beyond what numbers hold
    assert settle(1e-6 * energy, 2e6, 0.8e-6).beta == pytest.approx(1e6 * plain.beta)
    for wanted in (energy.min(), energy.max()):
        found = settle(spread, 2.0, wanted)
        assert np.isfinite(found.beta)
        assert 0 < found.left <= 1


def pinned_set(error: float):
    """Draws whose energies (variance 0.04) half of a value goes with, at a mean energy known to some error."""
    energy = energies(10.0, 8, 500)
    codes = np.zeros((*energy.shape, 3), np.uint8)
    given = {"energy": energy, "energy_background": 1.6, "energy_background_error": error, "keep": 0.75}
    return sample_set(codes, **given)


def test_what_goes_with_the_energy_has_the_error_of_the_energy_wanted() -> None:
    samples = pinned_set(0.08)
    assert mean_error(samples, samples.energy) == pytest.approx(0.25 * 0.08)
    assert mean_error(samples, 3 * samples.energy) == pytest.approx(0.75 * 0.08)
    assert beta_error(samples) == pytest.approx(np.hypot(0.2 / np.sqrt(4000), 0.02) / 0.04, rel=0.1)


def test_the_rest_has_the_error_of_the_draws() -> None:
    samples = pinned_set(0.0)
    noise = CHANCE.normal(size=samples.energy.shape)
    assert energy_slopes(samples, np.stack([samples.energy, noise], axis=-1)) == pytest.approx([1.0, 0.0], abs=0.3)
    assert mean_error(samples, 20 * samples.energy + noise) == pytest.approx(1 / np.sqrt(4000), rel=0.1)


def test_where_beta_is_given_the_error_is_the_plain_one() -> None:
    samples = sample_set(np.zeros((8, 500, 3), np.uint8), energy=energies(10.0, 8, 500))
    assert energy_slopes(samples, samples.energy) == 0
    assert mean_error(samples, samples.energy) == pytest.approx(0.2 / np.sqrt(4000), rel=0.1)
