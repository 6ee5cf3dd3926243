import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.diagnostics import (
    diagnose,
    ess_mean,
    ess_tail,
    letter_diagnostics,
    mcse_mean,
    rhat,
    watch,
)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


FAST_AND_SLOW = [(draws, hold) for hold in (0.0, 0.6) for draws in (4, 5, 6, 7, 10, 31, 100)]
FAST_AND_SLOW += [(100, 0.98), (400, 0.98)]  # by more lags than are summed one by one


@pytest.mark.parametrize(("draws", "hold"), FAST_AND_SLOW)
def test_letters_all_at_once_are_what_arviz_says_of_each(rng, draws, hold):
    law = rng.dirichlet(np.ones(4), 9)
    codes = independent_draws(rng, law, 6, draws, hold)
    rhats, sizes = letter_diagnostics(codes)
    compared = 0
    for position, letter in np.ndindex(9, 4):
        indicator = (codes[..., position] == letter).astype(float)
        if np.isfinite(rhats[position, letter]):
            with np.errstate(invalid="ignore"):  # a half-and-half indicator is constant when folded
                expected = array_stats.rhat(indicator, method="rank")
            assert rhats[position, letter] == pytest.approx(expected, rel=1e-12)
            assert sizes[position, letter] == pytest.approx(array_stats.ess(indicator, method="mean"), rel=1e-12)
            compared += 1
    assert compared > 5


@pytest.mark.parametrize("draws", [4, 5, 7, 50, 101])
@pytest.mark.parametrize("kind", ["wandering", "ties", "mostly one value", "far apart"])
def test_scalars_are_what_arviz_says(rng, draws, kind):
    wandering = rng.normal(size=(4, draws, 2)).cumsum(axis=1)
    values = {
        "wandering": wandering,
        "ties": rng.integers(0, 4, wandering.shape).astype(float),
        "mostly one value": (rng.random(wandering.shape) < 0.8).astype(float),
        "far apart": wandering + 1e3 * np.arange(4)[:, None, None],
    }[kind]
    one = values[..., 1]
    with np.errstate(divide="ignore", invalid="ignore"):  # a folded half may be constant
        assert rhat(values)[1] == pytest.approx(array_stats.rhat(one, method="rank"), rel=1e-9)
    assert ess_mean(values)[1] == pytest.approx(array_stats.ess(one, method="mean"), rel=1e-9)
    assert ess_tail(values)[1] == pytest.approx(array_stats.ess(one, method="tail", prob=(0.05, 0.95)), rel=1e-9)
    assert mcse_mean(values)[1] == pytest.approx(array_stats.mcse(one, method="mean"), rel=1e-9)


def test_an_autocorrelated_chain_has_the_ess_that_theory_gives(rng):
    values = np.zeros((8, 4000))
    for draw in range(1, 4000):
        values[:, draw] = 0.9 * values[:, draw - 1] + rng.normal(size=8)
    assert float(ess_mean(values)) == pytest.approx(32000 / 19, rel=0.2)


def test_anticorrelated_chains_have_more_than_their_draws_and_a_bound(rng):
    values = np.tile([0.0, 1.0], (4, 50)) + 1e-3 * rng.normal(size=(4, 100))
    assert 400 < float(ess_mean(values)) <= 400 * np.log10(400) + 1e-6


def test_a_constant_is_unknown_and_constants_that_differ_are_not_converged():
    same, different = np.ones((4, 20)), np.repeat([[0.0], [0.0], [1.0], [1.0]], 20, axis=1)
    assert np.isnan(rhat(same))
    assert np.isnan(ess_mean(same))
    assert np.isnan(ess_tail(same))
    assert np.isnan(mcse_mean(same))
    assert rhat(different) == np.inf
    assert ess_mean(different) <= 4
    rhats, sizes = letter_diagnostics(different[..., None].astype(np.uint8))
    assert rhats[0].tolist()[:2] == [np.inf, np.inf]
    assert np.isnan(rhats[0, 2:]).all()
    assert (sizes[0, :2] <= 4).all()
    assert np.isnan(sizes[0, 2:]).all()


def test_what_is_not_finite_is_not_converged(rng):
    values = rng.normal(size=(4, 20))
    values[2, 3] = np.nan
    assert rhat(values) == np.inf
    assert ess_mean(values) == 0
    codes = independent_draws(rng, np.full((5, 4), 0.25), 4, 20)
    found = diagnose(sample_set(codes, energy=values))
    assert (found.converged, found.worst_rhat_quantity, found.least_ess_quantity) == (False, "energy", "energy")


@pytest.mark.parametrize(("chains", "draws"), [(1, 100), (4, 1), (4, 3)])
def test_too_few_chains_or_draws_are_never_converged(rng, chains, draws):
    found = diagnose(sample_set(independent_draws(rng, np.full((5, 4), 0.25), chains, draws)))
    assert not found.converged
    assert np.isnan(found.worst_rhat)


def test_independent_draws_converge_and_every_quantity_is_watched(rng):
    codes = independent_draws(rng, np.full((5, 4), 0.25), 20, 100)
    found = diagnose(sample_set(codes), min_ess=400)
    assert found.converged
    assert (found.watched, found.unknown) == (3 + 2 + 20, 0)


def test_the_worst_quantity_is_named(rng):
    codes = independent_draws(rng, np.full((8, 4), 0.25), 20, 100)
    codes[:10, :, 5] = 0
    found = diagnose(sample_set(codes))
    assert not found.converged
    assert found.worst_rhat_quantity == "A at 5"
    assert found.least_ess_quantity.endswith(" at 5")


def test_a_letter_never_seen_is_unknown_and_a_fixed_position_is_not_watched(rng):
    codes = independent_draws(rng, np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]]), 20, 100)
    found = diagnose(sample_set(codes, mutable=np.array([True, False])))
    assert (found.watched, found.unknown) == (3 + 2 + 2, 2)
    assert "A at 1" not in watch(sample_set(codes, mutable=np.array([True, False]))).names


def test_chains_that_never_moved_are_not_converged():
    still = np.zeros((4, 20))
    found = diagnose(sample_set(np.zeros((4, 20, 3), np.uint8), energy=still, output=still))
    assert not found.converged
    assert found.worst_rhat_quantity == "nothing that changed"
    assert found.watched == 0


def test_draws_whose_frequencies_are_not_known_have_not_converged(rng):
    """Independent draws: a letter in half of 160 has an error of 0.04, in half of 800 of 0.018."""
    law = np.tile([0.5, 0.5, 0.0, 0.0], (3, 1))
    few, many = (diagnose(sample_set(independent_draws(rng, law, 4, draws)), 1.2, 10) for draws in (40, 200))
    assert few.worst_error == pytest.approx(0.04, abs=0.012)
    assert few.worst_error_quantity[1:5] == " at "
    assert (few.converged, many.converged) == (False, True)
