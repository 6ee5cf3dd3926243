"""What is avoided is found where draws were made without it, beside what is held, and nothing where nothing is."""

import numpy as np
import pytest

from maxent_cli.analysis.avoidance import PooledDraws, _derivatives, avoided_motifs, missing_bits, paired
from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.motifs import best_match, consensus
from maxent_cli.analysis.sites import Letters
from maxent_cli.data import Motif

FLAT = np.full(4, 0.25)
WORD = np.array([0, 3, 2, 1, 2, 0, 1])  # ATGCGAC
CHAINS = 16


def random_draws(seed, count=4000, length=60):
    return np.random.default_rng(seed).integers(0, 4, (count, length)).astype(np.uint8)


def without(codes, word, seed, kept=0.15):
    """The draws with most windows that are within a letter of the word, on either strand, drawn again."""
    rng = np.random.default_rng(seed)
    codes = codes.copy()
    for target in (word, 3 - word[::-1]):
        for start in range(codes.shape[1] - len(word) + 1):
            near = (codes[:, start : start + len(word)] != target).sum(axis=1) <= 1
            again = np.flatnonzero(near & (rng.random(len(codes)) > kept))
            codes[again, start : start + len(word)] = rng.integers(0, 4, (len(again), len(word)))
    return codes


def pool(draws, background):
    rows = np.tile(FLAT, (draws.shape[1], 1))
    sides = (Letters(codes, rows, CHAINS) for codes in (draws, background))
    return paired(*sides, np.zeros(draws.shape, bool))


def test_an_avoided_word_becomes_a_motif():
    found = avoided_motifs(pool(without(random_draws(1), WORD, 2), random_draws(3)), FLAT, Calling())[0]
    truth = Motif("", np.eye(4)[WORD] + 0.01, 1)
    motif = Motif("", np.maximum(found.missing.sum(axis=0), 0.01), found.sites)
    match = best_match(truth, motif)
    assert match.similarity > 0.8, consensus(motif)
    bits = missing_bits(found.missing, FLAT)
    assert bits.value.sum() > 5
    assert 0 < bits.error.sum() < 2
    assert found.sites > 50


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_avoided_by_chance(seed):
    assert avoided_motifs(pool(random_draws(2 * seed), random_draws(2 * seed + 1)), FLAT, Calling()) == []


def test_what_is_more_frequent_is_not_avoided():
    swapped = pool(random_draws(1), without(random_draws(3), WORD, 2))
    assert avoided_motifs(swapped, FLAT, Calling()) == []


def test_masks_are_shared_by_both():
    draws, background = (Letters(random_draws(n, 4, 10), np.tile(FLAT, (10, 1)), 2) for n in (1, 2))
    taken = np.zeros((4, 10), bool)
    taken[0, 3] = True
    first = paired(draws, background, taken)
    again = paired(*first.sides, np.roll(taken, 1, axis=1))
    assert isinstance(again, PooledDraws)
    for side in again.sides:
        assert np.argwhere(side.masked).tolist() == [[0, 3], [0, 4]]


def test_derivatives_are_those_of_a_regression_on_every_letter():
    rng = np.random.default_rng(1)
    letters, is_background = rng.integers(0, 5, (300, 7)).astype(np.uint8), rng.random(300) < 0.5
    slopes = rng.normal(size=29)
    design = np.ones((300, 29))
    design[:, :-1] = (letters[:, :, None] == np.arange(4)).reshape(300, -1)
    chance = 1 / (1 + np.exp(-design @ slopes))
    curvature, gradient = _derivatives(letters, is_background, slopes)
    np.testing.assert_allclose(curvature, (design * (chance * (1 - chance))[:, None]).T @ design, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient, design.T @ (is_background - chance), rtol=1e-9, atol=1e-9)
