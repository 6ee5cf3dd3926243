"""The sequences of the known grammar are as labelled; a preferred distance is read off scores only where it is one."""

import numpy as np
import pytest

from maxent_cli.alphabet import decode, reverse_complement
from workflows.grammar.experiment import pairs, preferred
from workflows.grammar.networks import ERRORS, PREFERENCE, SPACING, WORDS, label, simulated

CODES, PLACES = simulated(600, np.random.default_rng(5))


def strands(codes: np.ndarray) -> tuple[str, str]:
    return decode(codes), decode(reverse_complement(codes))


def test_words_stand_where_they_are_said_to() -> None:
    intact = (1 - 0.75 * ERRORS) ** 8
    for column, name in ((0, "one"), (1, "two"), (3, "decoy")):
        found = np.array([any(WORDS[name] in strand for strand in strands(codes)) for codes in CODES])
        here = PLACES[:, column] == 1
        assert found[here].mean() == pytest.approx(intact, abs=0.08)
        assert found[~here].mean() < 0.03


def test_labels_heed_the_distance_for_one_kind_alone() -> None:
    places = np.array([[1, 1, SPACING, 0], [1, 1, -1, 1], [1, 0, -1, 1], [0, 0, -1, 1]])
    np.testing.assert_allclose(label(places, "spaced"), [2 + PREFERENCE, 2, 1, 0])
    np.testing.assert_allclose(label(places, "twin"), [2, 2, 1, 0])


def test_pairs_are_found_on_either_strand_with_their_letters() -> None:
    seen = 0
    for codes, (_, _, apart, _) in zip(CODES, PLACES, strict=True):
        for distance, sites in pairs(codes):
            seen += 1
            assert distance == apart
            read = codes[sites] if sites[0] < sites[-1] else 3 - codes[sites]
            assert decode(read) == WORDS["one"] + WORDS["two"]
            assert len(set(sites)) == 16
    assert seen > 100


def test_a_distance_is_preferred_only_where_scores_say_so() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, CODES.shape)
    spaced = noise + (PLACES[:, 2] == SPACING)[:, None] * 0.1
    found = preferred(CODES, spaced)
    assert found["distance"] == SPACING
    assert found["p"] < 1e-6
    assert found["effect"] == pytest.approx(1.6, abs=0.3)
    assert preferred(CODES, noise)["p"] > 0.01
