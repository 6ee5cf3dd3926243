"""What is counted, and what independent letters make of it: against strings, listing, and many draws."""

import itertools

import numpy as np
import pytest
import torch

from analysis.sample_sets import independent_draws
from maxent_cli.alphabet import decode, reverse_complement
from maxent_cli.analysis import features
from maxent_cli.analysis.features import FEATURES, Feature, gc, motif, sampled, word
from maxent_cli.data import Motif
from maxent_cli.engine.matches import MatchField

ROWS = np.array([[0.3, 0.2, 0.1, 0.4], [0.1, 0.6, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])
SKEWED = (0.4, 0.1, 0.2, 0.3)
SITE = Motif("site", np.array([[9, 0, 1, 0], [0, 8, 2, 0], [0, 0, 10, 0], [5, 0, 0, 5], [0, 10, 0, 0.0]]), 10)
ALL = {
    "gc": gc(),
    "cpg": FEATURES["cpg"](),
    "kmer": word("AAT"),
    "overlapping": word("AA"),
    "both": word("AAT/ATT"),
    "IUPAC": word("WNS"),
    "motif": motif(SITE, SKEWED, 0.01),
}
each_feature = pytest.mark.parametrize("name", ALL)


def everywhere(feature: Feature, length: int) -> np.ndarray:
    return feature.places(np.ones(length, bool))


def five(rows: np.ndarray) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, 1)))[None]


@pytest.mark.parametrize(("text", "letters"), [("CG", "CG"), ("AAT/ATT", "AAT ATT"), ("AA", "AA")])
def test_words_are_counted_as_in_strings(text: str, letters: str) -> None:
    codes, feature = np.random.default_rng(1).integers(0, 5, (50, 30), np.uint8), word(text)
    for row, found in zip(codes, feature.count(codes, everywhere(feature, 30)), strict=True):
        string = decode(row)
        assert found == sum(string.startswith(one, at) for one in letters.split() for at in range(30))


@each_feature
def test_the_sampler_counts_alike(name: str) -> None:
    feature, codes = ALL[name], np.random.default_rng(2).integers(0, 5, (40, 25), np.uint8)
    field = MatchField(0.5, feature.matrices, feature.thresholds)
    np.testing.assert_allclose(
        field(torch.from_numpy(codes)).numpy(), 0.5 * feature.count(codes, everywhere(feature, 25))
    )


@pytest.mark.parametrize("mu", [-1.0, 0.0, 0.7])
@each_feature
def test_moments_are_those_of_listing_all_sequences(name: str, mu: float) -> None:
    feature, rows = ALL[name], np.tile(ROWS, (2, 1))[:6]
    words = np.array(list(itertools.product(range(4), repeat=6)), np.uint8)
    places = everywhere(feature, 6)
    places[0] = False  # one that does not count
    number = feature.count(words, places)
    law = np.prod([rows[at, words[:, at]] for at in range(6)], axis=0) * np.exp(mu * number)
    law /= law.sum()
    mean, variance = (float(each[0]) for each in feature.moments(feature, five(rows), places, mu))
    close = {"abs": 0.05} if feature.moments is sampled else {"rel": 1e-9}
    assert mean == pytest.approx(law @ number, **close)
    assert variance == pytest.approx(law @ number**2 - (law @ number) ** 2, **close)


def test_several_laws_at_once_and_fixed_letters() -> None:
    feature, places = word("CG"), np.ones(3, bool)
    fixed = np.eye(5)[[1, 2, 4, 1]]
    rows = np.stack([fixed, five(ROWS)[0]])
    means, variances = feature.moments(feature, rows, places, 0.3)
    assert (means[0], variances[0]) == (1, 0)
    assert means[1] == pytest.approx(feature.moments(feature, rows[1:], places, 0.3)[0][0])


def test_a_word_of_many_ways_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, places, exact = five(np.tile(ROWS, (5, 1))), np.ones(18, bool), word("WNS")
    expected = exact.moments(exact, rows, places, 0.2)
    monkeypatch.setattr(features, "MOST_STATES", 2)
    drawn = word("WNS")
    assert drawn.moments is sampled
    for one, other in zip(expected, drawn.moments(drawn, rows, places, 0.2), strict=True):
        assert other == pytest.approx(one, rel=0.1)


@pytest.mark.parametrize("rarity", [0.05, 0.01, 0.001])
def test_a_motif_matches_no_more_places_than_is_said_and_both_strands(rarity: float) -> None:
    feature = motif(SITE, SKEWED, rarity)
    words = np.array(list(itertools.product(range(4), repeat=5)), np.uint8)
    law = np.prod(np.array(SKEWED)[words], axis=1)
    plus = Feature("", False, feature.matrices[:1], feature.thresholds[:1], sampled)
    matching = plus.matches(words)[:, 0] > 0
    assert 0 < law @ matching <= rarity
    scores = np.array([plus.matrices[0][range(5), row].sum() for row in words])
    least = scores[matching].min()
    assert law @ (scores >= np.sort(np.unique(scores[scores < least]))[-1]) > rarity  # the next lower would be too many
    codes = np.random.default_rng(3).integers(0, 4, (30, 40), np.uint8)
    places = everywhere(feature, 40)
    assert feature.count(codes, places).tolist() == feature.count(reverse_complement(codes), places).tolist()


def test_a_motif_whose_best_match_is_common_is_refused() -> None:
    with pytest.raises(ValueError, match="commoner"):
        motif(SITE, SKEWED, 1e-6)


def test_draws_agree_with_the_moments_of_a_long_sequence() -> None:
    rng, rows = np.random.default_rng(4), np.tile(ROWS, (20, 1))
    codes = independent_draws(rng, rows, 1, 20000)[0]
    for name, feature in ALL.items():
        number = feature.count(codes, everywhere(feature, 80))
        mean, variance = (float(one[0]) for one in feature.moments(feature, five(rows), everywhere(feature, 80), 0.0))
        assert number.mean() == pytest.approx(mean, abs=0.05 * max(mean, 1)), name
        assert number.var() == pytest.approx(variance, rel=0.12), name
