"""Dependence between positions against laws that are listed, and against draws that have none."""

from itertools import combinations

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from analysis.short_rules import (
    ANCHORS,
    LENGTH,
    RULES,
    WINDOWS,
    ShortLaw,
    at_share,
    information_between,
    law_around,
    lost,
    trained,
)
from maxent_cli.analysis.dependence import dependence, joint_letters, pair_ess, repeats, squared_weights, top_pairs

PAIRS = list(combinations(range(LENGTH), 2))
ACROSS = [(i, j) for i in (0, 1) for j in (5, 6)]


@pytest.fixture(scope="module", params=RULES)
def ruled(request: pytest.FixtureRequest) -> tuple[str, ShortLaw]:
    return request.param, law_around(trained(request.param), ANCHORS[request.param])


def test_information_is_that_of_the_listed_law(ruled: tuple[str, ShortLaw]) -> None:
    _, law = ruled
    found = dependence(law.draws())
    for estimate, probabilities in ((found.bits, law.probabilities), (found.squared, law.squared())):
        exact = np.array([information_between(probabilities, *pair) for pair in PAIRS])
        value, error = (np.array([part[pair] for pair in PAIRS]) for part in (estimate.value, estimate.error))
        assert np.abs(value - exact).max() < 5 * error.max()
        assert (np.abs(value - exact) < 4 * error + 5e-4).all()


def test_words_at_a_distance_depend_on_each_other(ruled: tuple[str, ShortLaw]) -> None:
    _, law = ruled
    found = dependence(law.draws())
    assert {pair for pair in ACROSS if found.q[pair] <= 0.05} == set(ACROSS)
    assert min(found.bits.value[pair] for pair in ACROSS) > 0.002
    assert max(found.bits.value[pair] for pair in ACROSS) > 0.03
    between = [found.bits.value[pair] for pair in PAIRS if not {0, 1, 5, 6} & {*pair}]
    assert max(between) < 0.2 * max(found.bits.value[pair] for pair in ACROSS)


@pytest.mark.parametrize(("rule", "together"), [("both", True), ("either", False)])
def test_words_that_are_both_needed_are_lost_together_and_of_two_that_suffice_one_stays(
    rule: str, together: bool
) -> None:
    draws = law_around(trained(rule), ANCHORS[rule]).draws()
    first, second = lost(draws.codes)
    apart = first.mean() * second.mean()
    assert ((first & second).mean() > 1.3 * apart) == together
    assert ((first & second).mean() < 0.8 * apart) == (not together)
    observed, product = joint_letters(draws, 0, 6)
    excess = observed.value[2, 1] - product[2, 1]  # G of the first word with C of the second
    assert (excess > 5 * observed.error[2, 1]) == together


def test_features_whose_squares_merely_add_depend_by_the_norm_alone() -> None:
    first, second = lost(WINDOWS)
    law = at_share(np.sqrt(1.0 * first + 1.5 * second), 0.7)
    exact = information_between(law.probabilities, 0, 6)
    assert exact > 0.05
    assert information_between(law.squared(), 0, 6) < 1e-9
    found = dependence(law.draws())
    for pair in ACROSS:
        assert found.bits.value[pair] == pytest.approx(information_between(law.probabilities, *pair), rel=0.2)
        assert found.q[pair] < 0.05
        assert abs(found.squared.value[pair]) < 4 * found.squared.error[pair] + 5e-4
    assert 0.3 < found.share < 1


@pytest.mark.parametrize("hold", [0.0, 0.8])
def test_draws_without_dependence_have_none(hold: float) -> None:
    rng = np.random.default_rng(3)
    codes = independent_draws(rng, rng.dirichlet([0.5] * 4, 30), 8, 250, hold)
    found = dependence(sample_set(codes, energy=rng.gamma(3, 0.5, (8, 250))))
    upper = np.triu_indices(30, 1)
    p = found.p[upper][np.isfinite(found.p[upper])]
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.1)
    assert np.nanmin(found.q) > 0.05
    scale = found.bits.error[upper].mean()
    assert abs(found.bits.value[upper].mean()) < 0.1 * scale  # uncorrected, with hold: more than the error
    if not hold:  # independent weights, so that fewer draws count
        assert found.share < 0.8
        assert abs(found.squared.value[upper].mean()) < 0.1 * found.squared.error[upper].mean()
    assert found.ess[upper].mean() == pytest.approx(2000 * (1 - hold**2) / (1 + hold**2), rel=0.15)


def test_one_pair_among_many_is_found() -> None:
    rng = np.random.default_rng(5)
    codes = independent_draws(rng, np.full((40, 4), 0.25), 4, 400, 0.5)
    same = rng.random((4, 400)) < 0.3
    codes[..., 31] = np.where(same, codes[..., 4], codes[..., 31])
    found = dependence(sample_set(codes, energy=rng.normal(2, 0.2, (4, 400))))
    assert top_pairs(found, 1) == [(4, 31)]
    assert found.q[4, 31] <= 0.05
    assert np.nansum(found.q <= 0.05) <= 2 * 3


def test_the_null_keeps_slow_chains_from_looking_dependent() -> None:
    """Letters that rarely change seem to go together; taken as independent draws, they would be called so."""
    rng = np.random.default_rng(8)
    codes = independent_draws(rng, np.full((20, 4), 0.25), 8, 200, 0.97)
    found = dependence(sample_set(codes, energy=rng.normal(2, 0.2, (8, 200))))
    upper = np.triu_indices(20, 1)
    assert abs(np.median(found.bits.value[upper])) < 0.2 * np.median(9 / (2 * found.ess[upper] * np.log(2)))
    assert (found.q[upper] <= 0.05).mean() < 0.05
    assert np.median(found.ess[upper]) < 150


def test_fixed_and_constant_positions_are_not_tested() -> None:
    rng = np.random.default_rng(6)
    codes = independent_draws(rng, np.full((6, 4), 0.25), 4, 50)
    codes[..., 2] = 3
    codes[..., 4] = 4
    mutable = np.array([True, True, True, True, False, True])
    found = dependence(sample_set(codes, mutable=mutable, energy=rng.normal(2, 0.2, (4, 50))))
    assert found.positions.tolist() == [0, 1, 2, 3, 5]
    assert np.isnan(found.p[2]).all()
    assert np.isfinite(found.p[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])]).sum() == 12
    assert found.bits.value[2] == pytest.approx(np.zeros(5), abs=1e-6)
    assert (2, 3) not in top_pairs(found, 100)
    assert len(top_pairs(found, 100)) == 6


def test_weights_leave_the_mean_square_and_are_1_where_nothing_is_to_be_told() -> None:
    rng = np.random.default_rng(2)
    samples = sample_set(independent_draws(rng, np.full((3, 4), 0.25), 4, 100), energy=rng.gamma(8, 0.1, (4, 100)))
    weights, share = squared_weights(samples)
    assert (weights * samples.energy**2).mean() == pytest.approx((samples.energy**2).mean(), rel=1e-6)
    assert weights.mean() == pytest.approx(1)
    assert 0.3 < share < 1
    flat = sample_set(samples.codes, energy=np.ones((4, 100)))
    assert (squared_weights(flat)[0] == 1).all()
    assert np.isnan(dependence(samples, is_distance=False).squared.value).all()


def test_pair_ess_is_that_of_the_product_of_autocorrelations() -> None:
    rng = np.random.default_rng(9)
    slow, fast = (independent_draws(rng, np.full((1, 4), 0.25), 20, 1000, hold) for hold in (0.9, 0.5))
    ess = pair_ess(np.concatenate([slow, fast], axis=-1), np.tile(np.arange(1000), (20, 1)))
    both = 0.9 * 0.5
    assert ess[0, 1] == ess[1, 0] == pytest.approx(20_000 * (1 - both) / (1 + both), rel=0.1)
    assert ess[0, 0] == pytest.approx(20_000 * (1 - 0.81) / (1 + 0.81), rel=0.15)


def test_repeated_draws_count_once() -> None:
    """Draws that are repeated, as where they are weighed, are so at all positions at once."""
    codes = independent_draws(np.random.default_rng(1), np.full((6, 4), 0.25), 8, 100)
    twice = np.repeat(codes, 2, axis=1)
    np.testing.assert_allclose(pair_ess(twice, repeats(twice)), pair_ess(codes, repeats(codes)), rtol=0.05)
    once, again = dependence(sample_set(codes), False), dependence(sample_set(twice), False)
    np.testing.assert_allclose(again.bits.value, once.bits.value, atol=2e-4)
    upper = np.triu_indices(6, 1)
    assert np.abs(np.log(again.p[upper] / once.p[upper])).max() < 1
    assert repeats(twice)[0, :6].tolist() == [0, 0, 1, 1, 2, 2]
