"""Compiled scans against a plain formulation, a letter at a time."""

import numpy as np
import pytest

from maxent_cli.alphabet import UNKNOWN
from maxent_cli.analysis.discovery import SOFTEST, weighed
from maxent_cli.analysis.scanning import FAINTEST, peaks, scan
from maxent_cli.analysis.sites import Letters, counts_at, overhung

CHAINS, DRAWS, LENGTH = 3, 9, 23


def letters_with(kind):
    """Random draws over tethered rows; unknown letters, fixed positions, an overhang or masks beside."""
    rng = np.random.default_rng(1)
    rows = rng.dirichlet(np.full(4, 5.0), LENGTH)
    codes = rng.integers(0, 5 if kind == "unknown" else 4, (CHAINS * DRAWS, LENGTH)).astype(np.uint8)
    if kind == "fixed":
        codes[:, 4:9] = [0, 1, 2, 3, UNKNOWN]
        rows[4:9] = np.eye(5, 4)[codes[0, 4:9]]
    masked = rng.random(codes.shape) < 0.05 if kind in ("masked", "overhung") else None
    letters = Letters(codes, rows, CHAINS, masked)
    return overhung(letters, 4) if kind == "overhung" else letters


def plain_scan(letters, weights):
    """Log odds (2, N, P), a column at a time."""
    places = max(letters.codes.shape[1] - len(weights) + 1, 0)
    scores = np.zeros((2, len(letters.codes), places))
    for strand, turned in enumerate((weights, weights[::-1, ::-1])):
        for start in range(places):
            for column, own in enumerate(turned):
                at, known = start + column, np.append(own, 0)
                share = letters.background[at] @ 2.0**own
                scores[strand, :, start] += known[letters.codes[:, at]] - (np.log2(share) if share > 0 else 0)
            if letters.masked is not None:
                scores[strand, letters.masked[:, start : start + len(weights)].any(axis=1), start] = -np.inf
    return scores


def plain_weights(scores, share, rounds):
    """Each place's probability (2, N, P) of being the site of its draw, and the share of draws that have one."""
    odds, places = np.exp2(scores), max(scores[:, 0].size, 1)
    for _ in range(rounds):
        prior = share / places
        each = prior * odds / (1 - share + prior * odds.sum(axis=(0, 2), keepdims=True))
        share = np.clip(each.sum(axis=(0, 2)).mean(), 0.001, 0.999)
    return each, share


KINDS = ("plain", "unknown", "fixed", "masked", "overhung")
WIDTHS = (1, 4, 5, 6, 13, 23, 40)


def places_of(sites):
    return set(zip(sites.strand.tolist(), sites.draw.tolist(), sites.start.tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_scan_is_what_letters_add_up_to(kind, width):
    letters, weights = letters_with(kind), np.random.default_rng(width).normal(0, 2, (width, 4))
    expected, found = plain_scan(letters, weights), scan(letters, weights)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_peaks_are_the_best_the_sum_and_the_sites_of_a_scan(kind, width):
    letters, weights = letters_with(kind), np.random.default_rng(width).normal(0, 2, (width, 4))
    scores = plain_scan(letters, weights)
    heard = np.where(scores >= FAINTEST, scores, -np.inf)
    found = peaks(letters, weights, share=0.1)
    np.testing.assert_allclose(found.best, heard.max(axis=(0, 2), initial=-np.inf), atol=1e-4)
    total = np.exp2(heard).sum(axis=(0, 2), keepdims=True)
    np.testing.assert_allclose(found.total, total.ravel(), rtol=1e-4)
    assert places_of(found.sites) == places_of_mask(np.exp2(heard) >= np.where(total > 0, 0.1 * total, np.inf))
    assert found.places == scores[:, 0].size
    above = peaks(letters, weights, 3.0, 0).sites
    assert places_of(above) == places_of_mask(scores >= 3)
    np.testing.assert_allclose(above.log_odds, scores[above.strand, above.draw, above.start], atol=1e-4)
    assert (np.diff(above.draw) >= 0).all()
    assert len(peaks(letters, weights).sites) == 0


def places_of_mask(chosen):
    return set(zip(*(each.tolist() for each in np.nonzero(chosen)), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rounds", [1, 3])
def test_places_weigh_as_much_as_they_are_likely(kind, rounds):
    letters, weights = letters_with(kind), np.random.default_rng(2).normal(0, 2, (6, 4))
    expected, share = plain_weights(plain_scan(letters, weights), 0.4, rounds)
    sites, found = weighed(letters, weights, 0.4, rounds)
    assert found == pytest.approx(share, rel=1e-5)
    assert places_of(sites) == places_of_mask(expected >= SOFTEST)
    np.testing.assert_allclose(sites.weight, expected[sites.strand, sites.draw, sites.start], rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_letters_are_counted_in_the_motifs_direction(kind):
    letters, weights = letters_with(kind), np.random.default_rng(2).normal(0, 2, (6, 4))
    sites, _ = weighed(letters, weights, 0.4)
    expected = np.zeros((CHAINS, 10, 4))
    for draw, start, strand, weight in zip(sites.draw, sites.start, sites.strand, sites.weight, strict=True):
        for column in range(-2, 8):
            at = start + (5 - column if strand else column)
            if 0 <= at < letters.codes.shape[1] and not (letters.masked is not None and letters.masked[draw, at]):
                code = letters.codes[draw, at]
                if code != UNKNOWN:
                    expected[draw // DRAWS, column + 2, 3 - code if strand else code] += weight
    np.testing.assert_allclose(counts_at(letters, sites, 6, 2), expected, atol=1e-12)
