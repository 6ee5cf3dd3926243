import math

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import decode
from maxent_cli.analysis.information import frequencies, information_of
from maxent_cli.analysis.jackknife import block_numbers, jackknife


def tethered(rng, length):
    rows = np.tile([0.3, 0.15, 0.2, 0.35], (length, 1))
    rows[::2] = 0.2
    rows[np.arange(0, length, 2), rng.integers(0, 4, len(rows[::2]))] = 0.4
    return rows


@pytest.mark.parametrize(
    ("chains", "draws", "hold"), [(20, 10, 0.0), (20, 10, 0.5), (24, 100, 0.8), (60, 100, 0.5), (20, 1000, 0.0)]
)
def test_draws_of_the_background_hold_no_bits_within_the_error(chains, draws, hold):
    rng = np.random.default_rng(5)
    repeats, length = (60, 30) if draws < 1000 else (20, 30)
    totals, positions = [], []
    for _ in range(repeats):
        background = tethered(rng, length)
        found = information_of(sample_set(independent_draws(rng, background, chains, draws, hold), background))
        totals.append(found.total / found.total_error)
        positions.extend(found.positions / found.errors)
    assert abs(np.mean(totals)) < 3.5 / math.sqrt(repeats)
    assert 0.55 < np.std(totals) < 1.35
    assert abs(np.mean(positions)) < 0.3
    assert np.mean(np.array(positions) > 3) < 0.005


def test_information_of_a_known_law_is_within_its_error():
    rng = np.random.default_rng(2)
    law, background = rng.dirichlet(np.ones(4), 40), np.full((40, 4), 0.25)
    exact = np.sum(law * np.log2(law / background), axis=1)
    scores, totals = [], []
    for _ in range(25):
        found = information_of(sample_set(independent_draws(rng, law, 30, 20, 0.7), background))
        scores.append((found.positions - exact) / found.errors)
        totals.append((found.total - exact.sum()) / found.total_error)
    assert abs(np.mean(totals)) < 0.7
    assert 0.6 < np.std(totals) < 1.4
    assert 0.8 < np.std(scores) < 1.3


def test_conditionals_are_taken_for_counts_where_they_are_known():
    rng = np.random.default_rng(9)
    law = rng.dirichlet(np.ones(4), 20)
    codes, noisy = independent_draws(rng, law, 20, 10), rng.dirichlet(200 * law[0] + 1, (20, 1))
    blocks = np.concatenate([np.broadcast_to(law[1:], (20, 19, 4)), noisy], axis=1)
    background = np.full((20, 4), 0.25)
    found = information_of(sample_set(codes, background, conditionals=blocks))
    exact = np.sum(law * np.log2(law / background), axis=1)
    np.testing.assert_allclose(found.positions[:-1], exact[1:])
    np.testing.assert_allclose(found.errors[:-1], 0, atol=1e-9)
    assert found.positions[-1] == pytest.approx(exact[0], abs=4 * found.errors[-1])


def test_plug_in_bits_and_jackknife_are_what_loops_over_strings_give():
    rng = np.random.default_rng(3)
    background = tethered(rng, 4)
    codes = independent_draws(rng, rng.dirichlet(np.ones(4), 4), 12, 5)
    chains = [[decode(draw) for draw in chain] for chain in codes]

    def bits(strings):
        total = 0.0
        for position in range(4):
            column = [string[position] for string in strings]
            for letter, q in zip("ACGT", background[position], strict=True):
                p = column.count(letter) / len(column)
                total += p * math.log2(p / q) if p else 0.0
        return total

    whole = bits([string for chain in chains for string in chain])
    without = [bits([string for other in chains if other is not chain for string in other]) for chain in chains]
    expected = 12 * whole - 11 * sum(without) / 12
    assert information_of(sample_set(codes, background)).total == pytest.approx(expected, abs=1e-9)


def test_fixed_positions_hold_no_bits_and_have_no_error():
    rng = np.random.default_rng(4)
    codes = independent_draws(rng, np.full((6, 4), 0.25), 12, 20)
    codes[..., 2], codes[..., 4] = 3, 4  # a protected letter, an N
    mutable = np.array([True, True, False, True, False, True])
    samples = sample_set(codes, mutable=mutable)
    found, letters = information_of(samples), frequencies(samples)
    assert (found.positions[~mutable] == 0).all()
    assert (found.errors[~mutable] == 0).all()
    assert (letters.errors[~mutable] == 0).all()
    assert np.isnan(letters.ess[~mutable]).all()
    assert np.isfinite([found.total, found.total_error]).all()
    assert letters.probabilities[2].tolist() == [0, 0, 0, 1]
    free = sample_set(codes[..., mutable])
    assert found.total == pytest.approx(information_of(free).total)


def test_frequencies_have_errors_from_the_ess_and_unseen_letters_a_bound():
    rng = np.random.default_rng(6)
    codes = independent_draws(rng, np.array([[0.5, 0.3, 0.2, 0.0]] * 3), 20, 200, 0.8)
    codes[..., 2] = 1
    letters = frequencies(sample_set(codes))
    assert letters.ess[0] == pytest.approx(20 * 200 / 9, rel=0.25)
    assert letters.errors[0, 0] == pytest.approx(math.sqrt(0.25 / letters.ess[0]), rel=0.2)
    assert letters.errors[0, 3] == pytest.approx(1 - 0.05 ** (1 / letters.ess[0]))
    assert letters.ess[2] == 20  # never changed: no more than one draw a chain
    np.testing.assert_allclose(letters.errors[2], 1 - 0.05 ** (1 / 20))


@pytest.mark.parametrize(("chains", "draws", "expected"), [(1, 100, 10), (3, 100, 12), (20, 7, 20), (200, 3, 50)])
def test_blocks_are_between_ten_and_fifty_and_of_about_one_size(chains, draws, expected):
    blocks = block_numbers(chains, draws)
    sizes = np.bincount(blocks.ravel())
    assert len(sizes) == expected
    assert sizes.max() <= 1.5 * sizes.min() + 1


def test_one_block_has_no_error():
    found = jackknife(np.array(1.0), np.array([1.0]))
    assert np.isnan([found.value, found.error]).all()


def test_what_never_changed_is_not_known_without_error():
    """Ten blocks of one letter: a block more of the background would leave it in 10.25 of 11."""
    held = information_of(sample_set(np.zeros((10, 5, 3), np.uint8)))
    share = 10.25 / 11
    less = share * np.log2(share / 0.25) + (1 - share) * np.log2((1 - share) / 0.75)
    np.testing.assert_allclose(held.positions, 2)
    np.testing.assert_allclose(held.errors, 2 - less)
