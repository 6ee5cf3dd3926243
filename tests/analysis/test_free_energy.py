"""Bits held, on laws whose free energy is known: energies that are gamma distributed, or two levels."""

import numpy as np
import pytest

from maxent_cli.analysis.free_energy import bits_held, log_ratio

# E is Gamma(SHAPE, 1) under the background; at beta it is Gamma(SHAPE, 1 / (1 + beta)), and Z = (1 + beta)^-SHAPE
SHAPE = 4.0
BETAS = np.array([0.0, 0.3, 0.9, 2.0, 4.0])


def gamma_ladders(rng: np.random.Generator, ladders: int = 16, draws: int = 40) -> np.ndarray:
    return rng.gamma(SHAPE, 1 / (1 + BETAS), (ladders, draws, len(BETAS)))


def exact_bits(beta: np.ndarray) -> np.ndarray:
    return (SHAPE * np.log1p(beta) - beta * SHAPE / (1 + beta)) / np.log(2)


def test_log_z_between_two_betas() -> None:
    rng = np.random.default_rng(1)
    lower, upper = (rng.gamma(SHAPE, 1 / (1 + beta), 200_000) for beta in (0.5, 1.5))
    assert log_ratio(lower, upper, 1.0) == pytest.approx(-SHAPE * np.log(2.5 / 1.5), abs=0.01)


def test_log_z_of_energies_of_two_levels_is_exact_when_the_draws_are() -> None:
    # half the background at energy 0, half at 1: Z = (1 + exp(-beta)) / 2
    step = np.log(3.0)  # at beta log 3 a quarter is at energy 1
    lower, upper = np.repeat([0.0, 1.0], [500, 500]), np.repeat([0.0, 1.0], [750, 250])
    assert log_ratio(lower, upper, step) == pytest.approx(np.log((1 + 1 / 3) / 2), abs=1e-9)


def test_a_step_of_nothing_changes_nothing() -> None:
    energy = np.random.default_rng(2).gamma(SHAPE, 1, 100)
    assert log_ratio(energy, energy, 0.0) == 0


def test_an_offset_of_the_energy_shifts_log_z_and_leaves_the_bits() -> None:
    ladders = gamma_ladders(np.random.default_rng(3))
    flat = ladders.reshape(-1, len(BETAS))
    moved = log_ratio(flat[:, 1] + 7, flat[:, 2] + 7, 0.6) - log_ratio(flat[:, 1], flat[:, 2], 0.6)
    assert moved == pytest.approx(-0.6 * 7, abs=1e-9)
    np.testing.assert_allclose(bits_held(BETAS, ladders + 7).value, bits_held(BETAS, ladders).value, atol=1e-7)


def test_bits_are_right_within_errors_that_are_right() -> None:
    rng = np.random.default_rng(4)
    found = [bits_held(BETAS, gamma_ladders(rng, draws=20)) for _ in range(60)]
    values, errors = (np.array([getattr(each, name)[1:] for each in found]) for name in ("value", "error"))
    scores = (values - exact_bits(BETAS[1:])) / errors
    assert (np.abs(scores.mean(axis=0)) < 4 / np.sqrt(60)).all()
    assert (np.abs(scores.std(axis=0) - 1) < 0.4).all()
    assert (values.mean(axis=0) > 0).all()


def test_errors_come_from_ladders_not_from_draws() -> None:
    """Draws that are each repeated ten times say no more than once."""
    rng = np.random.default_rng(5)
    ladders = gamma_ladders(rng, ladders=30)
    once, repeated = bits_held(BETAS, ladders), bits_held(BETAS, np.repeat(ladders, 10, axis=1))
    np.testing.assert_allclose(repeated.error, once.error, rtol=1e-6)


def test_the_background_holds_nothing() -> None:
    ladders = gamma_ladders(np.random.default_rng(6))
    assert bits_held(BETAS, ladders).value[0] == 0
    assert bits_held(BETAS, ladders).error[0] == 0
    assert bits_held(np.zeros(5), ladders).value.tolist() == [0] * 5


def test_a_ladder_that_does_not_reach_the_background_says_nothing() -> None:
    held = bits_held(np.array([4.0]), gamma_ladders(np.random.default_rng(7))[..., -1:])
    assert np.isnan(held.value).all()
    assert np.isnan(held.error).all()
