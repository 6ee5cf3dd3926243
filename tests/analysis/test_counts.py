import itertools

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.counts import (
    CHECKS,
    draw_counts,
    exact_response,
    outside_local,
    reweighting_check,
    slope_check,
    summarise_count,
)
from maxent_cli.analysis.features import gc, word

ROWS = np.array([[0.3, 0.2, 0.1, 0.4], [0.1, 0.6, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])


def tilted(rows, mu):
    moved = rows * np.exp(mu * np.array([0, 1, 1, 0]))
    return moved / moved.sum(axis=1, keepdims=True)


def summarise_gc(samples):
    return summarise_count(samples, gc(), gc().places(samples.mutable))


def gc_response(background, mutable, mu, anchor=None):
    anchor = np.zeros(len(background), np.uint8) if anchor is None else anchor
    samples = sample_set(np.tile(anchor, (2, 4, 1)), background, mutable=mutable, anchor=anchor)
    return exact_response(samples, gc(), mu, gc().places(mutable))


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("mu", [-1.0, 0.0, 0.7])
def test_the_exact_response_is_that_of_listing_all_sequences(mu):
    mutable = np.array([True, True, False, True])
    mean, variance = gc_response(ROWS, mutable, mu)
    words = list(itertools.product(range(4), repeat=3))
    counts = np.array([sum(letter in (1, 2) for letter in word) for word in words])
    weights = [np.prod([row[letter] for row, letter in zip(ROWS[mutable], word, strict=True)]) for word in words]
    law = np.array(weights) * np.exp(mu * counts)
    law /= law.sum()
    assert mean == pytest.approx(law @ counts)
    assert variance == pytest.approx(law @ counts**2 - (law @ counts) ** 2)


def test_one_row_answers_as_the_closed_form():
    mean, variance = gc_response(np.tile([0.3, 0.2, 0.2, 0.3], (50, 1)), np.ones(50, bool), 0.5)
    share = 0.4 * np.exp(0.5) / (0.4 * np.exp(0.5) + 0.6)
    assert mean == pytest.approx(50 * share)
    assert variance == pytest.approx(50 * share * (1 - share))


def test_a_position_that_is_always_gc_stays_so():
    assert gc_response(np.array([[0.0, 0.5, 0.5, 0.0], [0.5, 0, 0, 0.5]]), np.ones(2, bool), -2.0) == (1, 0)


@pytest.mark.parametrize("hold", [0.0, 0.9])
def test_draws_of_the_background_show_the_binomial_variance(hold):
    rng = np.random.default_rng(3)
    background = np.tile(ROWS, (8, 1))
    share = background[:, 1:3].sum(axis=1)
    found = []
    for _ in range(60):
        summary = summarise_gc(sample_set(independent_draws(rng, background, 20, 30, hold), background))
        found.append(
            [
                (summary.mean - share.sum()) / summary.mean_error,
                (summary.variance - (share * (1 - share)).sum()) / summary.variance_error,
            ]
        )
    assert (np.abs(np.mean(found, axis=0)) < 0.5).all()
    assert (np.std(found, axis=0) > 0.7).all()
    assert (np.std(found, axis=0) < 1.45).all()


def test_fixed_positions_do_not_count(rng):
    codes = independent_draws(rng, ROWS, 12, 20)
    mutable = np.array([True, False, True, True])
    codes[..., 1] = 2
    samples = sample_set(codes, mutable=mutable)
    assert summarise_gc(samples).places == 3
    assert summarise_gc(samples) == summarise_gc(sample_set(codes[..., mutable]))
    assert (draw_counts(samples, gc()) <= 3).all()


def test_draws_that_never_change_have_no_variance():
    found = summarise_gc(sample_set(np.ones((12, 10, 4), np.uint8)))
    assert (found.mean, found.variance) == (4, 0)
    assert np.isnan(found.mean_error)


def counts_under(rng, mu, hold):
    background = tilted(np.tile(ROWS, (6, 1)), mu)
    return draw_counts(sample_set(independent_draws(rng, background, 20, 40, hold), background), gc())


@pytest.mark.parametrize("check", CHECKS.values())
@pytest.mark.parametrize("hold", [0.0, 0.7])
def test_a_right_field_passes_the_check_and_a_wrong_one_does_not(rng, check, hold):
    scores = [check(counts_under(rng, 0.0, hold), counts_under(rng, 0.5, hold), 0.5).z for _ in range(60)]
    assert abs(np.mean(scores)) < 0.5
    assert 0.7 < np.std(scores) < 1.35
    wrong = [check(counts_under(rng, 0.0, hold), counts_under(rng, 0.8, hold), 0.5).z for _ in range(5)]
    assert np.median(np.abs(wrong)) > 3


@pytest.mark.parametrize("check", CHECKS.values())
def test_counts_that_do_not_overlap_are_not_judged(check):
    low, high = np.zeros((12, 5), np.int64), np.full((12, 5), 9)
    found = check(low, high, 1.0)
    assert np.isnan([found.found, found.error, found.z]).all()


def test_reweighting_is_exact_on_all_draws_of_a_law():
    """Counts 0, 1, 2 as often as two laws have them, ln 4 apart in mu: half-way is ln 2."""
    lower, upper = np.repeat([0, 1, 2], [160, 320, 160]), np.repeat([0, 1, 2], [40, 320, 640])
    shared = np.lcm.reduce([lower.size, upper.size])
    rng = np.random.default_rng(1)
    counts = [rng.permutation(np.tile(side, shared // side.size)).reshape(10, -1) for side in (lower, upper)]
    found = reweighting_check(*counts, np.log(4))
    assert [found.found, found.expected] == pytest.approx([4 / 3, 4 / 3])
    assert slope_check(*counts, np.log(4)).found == pytest.approx(np.log(4), rel=1e-6)


def test_fields_that_share_too_few_counts_are_not_judged() -> None:
    rng = np.random.default_rng(3)
    far = [rng.binomial(200, share, (16, 200)) for share in (0.3, 0.7)]
    near = [rng.binomial(100, share, (16, 200)) for share in (0.5, 0.5622)]
    for check in CHECKS.values():
        assert np.isnan(check(*far, 1.0).z)
        assert abs(check(*near, 0.25).z) < 4


def test_local_features_are_told_from_a_composition_that_moves_everywhere(rng):
    background = np.tile([0.3, 0.2, 0.2, 0.3], (60, 1))
    law = tilted(background, 0.8)
    law[20:30] = [0.05, 0.85, 0.05, 0.05]
    outside = outside_local(sample_set(independent_draws(rng, law, 16, 150), background, mutable=np.arange(60) > 2))
    assert not outside[20:30].any()
    assert outside[[*range(3, 20), *range(30, 60)]].all()
    assert not outside[:3].any()


def test_one_half_with_a_composition_of_its_own_is_no_local_feature(rng):
    background = np.tile([0.3, 0.2, 0.2, 0.3], (60, 1))
    law = np.concatenate([tilted(background[:30], 1.0), tilted(background[30:], -1.0)])
    assert outside_local(sample_set(independent_draws(rng, law, 16, 150), background)).all()


@pytest.mark.parametrize("text", ["CG", "AA", "AAT/TTA"])
def test_independent_letters_have_the_variance_of_words(text):
    rng, feature, found = np.random.default_rng(2), word(text), []
    background = np.tile(ROWS, (10, 1))
    for _ in range(25):
        samples = sample_set(independent_draws(rng, background, 16, 60, 0.5), background)
        summary = summarise_count(samples, feature, feature.places(samples.mutable))
        mean, variance = exact_response(samples, feature, 0.0, feature.places(samples.mutable))
        found.append(
            [
                (summary.mean - mean) / summary.mean_error,
                (summary.variance - variance) / summary.variance_error,
            ]
        )
    assert (np.abs(np.mean(found, axis=0)) < 0.8).all()
    assert (np.std(found, axis=0) < 1.6).all()
