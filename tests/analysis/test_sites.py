import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import reverse_complement
from maxent_cli.analysis.scanning import scan
from maxent_cli.analysis.sites import (
    Sites,
    background_letters,
    counts_at,
    exposures,
    letters_of,
    mask,
    preference,
    thinned,
    without_overlaps,
)


def slow_score(codes, rows, weights, start):
    """Log odds of one site, a letter at a time."""
    total = 0.0
    for column, letters in enumerate(weights):
        code = codes[start + column]
        if code < 4:
            total += letters[code] - np.log2(np.sum(rows[start + column] * 2.0**letters))
    return total


def sets(seed, **given):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(4, 5.0), 23)
    return sample_set(independent_draws(rng, rows, 3, 7), rows, **given)


@pytest.mark.parametrize("width", [1, 4, 5, 6, 13, 23])
def test_a_scan_is_the_log_odds_letter_by_letter_on_both_strands(width):
    samples, weights = sets(1), np.random.default_rng(2).normal(size=(width, 4))
    letters = letters_of(samples)
    scores = scan(letters, weights)
    assert scores.shape == (2, 21, 23 - width + 1)
    for draw in (0, 9, 20):
        for start in range(0, 23 - width + 1, 3):
            codes = letters.codes[draw]
            assert scores[0, draw, start] == pytest.approx(
                slow_score(codes, letters.background, weights, start), abs=1e-4
            )
            turned = (reverse_complement(codes), letters.background[::-1, ::-1], weights, 23 - width - start)
            assert scores[1, draw, start] == pytest.approx(slow_score(*turned), abs=1e-4)


def test_a_motif_that_prefers_nothing_scores_nothing_under_any_tether():
    assert scan(letters_of(sets(3)), np.zeros((7, 4))) == pytest.approx(0, abs=1e-6)
    assert scan(letters_of(sets(3)), np.full((7, 4), 2.5)) == pytest.approx(0, abs=1e-5)


def test_odds_average_to_one_under_the_background():
    rng = np.random.default_rng(4)
    rows = rng.dirichlet(np.full(4, 3.0), 30)
    draws = letters_of(sample_set(independent_draws(rng, rows, 10, 4000), rows))
    odds = np.exp2(scan(draws, rng.normal(size=(6, 4))).astype(float))
    assert odds.mean() == pytest.approx(1, abs=0.02)


def test_fixed_positions_and_unknown_letters_score_nothing():
    samples = sets(5)
    mutable = np.ones(23, bool)
    mutable[4:9] = False
    codes = samples.codes.copy()
    codes[..., 4:9] = [0, 1, 2, 3, 4]
    fixed = sample_set(codes, samples.background, mutable=mutable, anchor=codes[0, 0])
    assert scan(letters_of(fixed), np.random.default_rng(1).normal(size=(5, 4)))[:, :, 4] == pytest.approx(0, abs=1e-5)
    drawn = background_letters(fixed, np.random.default_rng(1))
    assert (drawn.codes[:, 4:9] == [0, 1, 2, 3, 4]).all()


def test_background_draws_follow_the_rows():
    samples = sets(6)
    many = sample_set(np.zeros((100, 200, 23), np.uint8), samples.background)
    drawn = background_letters(many, np.random.default_rng(1)).codes
    shares = np.array([(drawn == code).mean(axis=0) for code in range(4)]).T
    np.testing.assert_allclose(shares, samples.background, atol=0.02)


def test_masked_letters_hold_no_site():
    letters = letters_of(sets(7))
    one = Sites(*(np.array([value]) for value in (3, 5, 0, 0)), np.zeros(1), np.ones(1))
    scores = scan(mask(letters, one, 4), np.zeros((6, 4)))
    assert np.isinf(scores[:, 3, :9]).all()
    assert np.isfinite(scores[:, 3, 9:]).all()
    assert np.isfinite(scores[:, :3]).all()


def test_counts_and_expectations_at_sites_are_in_the_motifs_direction():
    letters = letters_of(sets(8))
    sites = Sites(
        np.array([0, 8, 20]),
        np.array([0, 5, 19]),
        np.array([0, 1, 1]),
        np.zeros(3, int),
        np.zeros(3),
        np.array([1, 0.5, 2]),
    )
    counts = counts_at(letters, sites, 4, 2)
    assert counts.shape == (3, 8, 4)
    assert counts[0].sum(axis=1).tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert counts[1].sum(axis=1) == pytest.approx(np.full(8, 0.5))
    assert counts[2].sum(axis=1).tolist() == [0, 0, 2, 2, 2, 2, 2, 2]
    assert counts[1].argmax(axis=1).tolist() == reverse_complement(letters.codes[8, 3:11]).tolist()
    rows, weight = exposures(letters, sites, 4, 2)
    column, used = np.nonzero(weight == 0.5)
    assert weight.sum(axis=1).tolist() == [0.5, 0.5, *[3.5] * 6]
    assert column.tolist() == list(range(8))
    np.testing.assert_allclose(rows[used], letters.background[3:11][::-1, ::-1])


def test_a_preference_is_found_whatever_the_rows():
    rng = np.random.default_rng(9)
    rows, truth = rng.dirichlet(np.full(4, 4.0), 40), rng.dirichlet(np.ones(4), 1)
    weight = np.full((1, 40), 5000.0)
    law = rows * truth
    counts = np.array([rng.multinomial(5000, p / p.sum()) for p in law]).sum(axis=0, keepdims=True)
    ratio, mean = preference(counts.astype(float), rows, weight)
    np.testing.assert_allclose(mean[0], rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(ratio[0] / ratio[0].sum(), truth[0] / truth[0].sum(), atol=0.01)


def test_sites_are_chosen_from_the_best_down():
    draw = np.array([0, 0, 0, 0, 1])
    start = np.array([0, 3, 8, 20, 3])
    sites = Sites(draw, start, np.zeros(5, int), np.array([0, 1, 0, 1, 1]), np.array([5.0, 9, 7, 1, 2]), np.ones(5))
    kept = without_overlaps(sites, [10, 10])
    assert list(zip(kept.draw.tolist(), kept.start.tolist(), strict=True)) == [(0, 3), (0, 8), (0, 20), (1, 3)]
    assert len(without_overlaps(sites.take(np.zeros(5, bool)), [10, 10])) == 0


def test_some_draws_are_of_all_chains_alike():
    letters = letters_of(sets(10))
    few = thinned(letters, 6)
    assert few.codes.shape[0] % 3 == 0
    assert 6 <= few.codes.shape[0] < 21
    assert (few.codes[few.chain == 1][0] == letters.codes[letters.chain == 1][0]).all()
