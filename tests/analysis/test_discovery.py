import numpy as np
import pytest

from analysis.planted import matrix, plant
from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis import discovery
from maxent_cli.analysis.discovery import Calling, discover, presence_bits, site_threshold
from maxent_cli.analysis.motifs import best_match, consensus
from maxent_cli.analysis.sites import background_letters, letters_of
from maxent_cli.analysis.words import enriched_words
from maxent_cli.data import Motif

LEFT, RIGHT = "CCATAGGAAC", "TGACGTTCTG"
MIRRORED = "GCCACCAGGTGGCGA"  # close to its reverse complement


def found_in(samples, calling=None):
    return discover(letters_of(samples), background_letters(samples, np.random.default_rng(1)), calling or Calling())


def likeness(found, word):
    shares = 0.25 * np.exp2(found.weights)
    return best_match(Motif("", shares / shares.sum(axis=1, keepdims=True), 1), Motif("", matrix(word), 1))


@pytest.mark.parametrize("word", [LEFT, MIRRORED, "CACGTG", "GAANNTTCCA"])
def test_a_planted_motif_is_found_whole_free_of_register_and_strand(word):
    samples = plant(1, [matrix(word)], share=0.8).samples
    frequencies = np.array([(samples.codes == code).mean(axis=(0, 1)) for code in range(4)])
    assert np.abs(frequencies - 0.25).max() < 0.15  # nothing to see in place
    (found,) = found_in(samples)
    assert likeness(found, word).similarity > 0.97
    assert abs(len(found.weights) - len(word)) <= 1
    assert found.share == pytest.approx(0.8, abs=0.2)
    assert found.background_share < 0.12


@pytest.mark.parametrize("gap", [None, 7])
def test_two_motifs_are_two_even_side_by_side(gap):
    samples = plant(2, [matrix(LEFT), matrix(RIGHT)], gap=gap).samples
    found = found_in(samples)
    assert len(found) == 2
    for word in (LEFT, RIGHT):
        assert max(likeness(one, word).similarity for one in found) > 0.95
    assert all(len(one.weights) <= 12 for one in found)


def test_a_word_that_a_grown_motif_holds_is_not_grown_again(monkeypatch):
    letters, grown = letters_of(plant(2, [matrix(LEFT)]).samples), []
    from_word = discovery._from_word
    monkeypatch.setattr(discovery, "_from_word", lambda *given: grown.append(given) or from_word(*given))
    enriched = enriched_words(letters)[: discovery.MOST_SEEDS]
    assert len(enriched) == discovery.MOST_SEEDS
    assert len(discovery._tried(letters, enriched, Calling())) == len(grown) == 1


def test_two_motifs_at_a_distance_are_two_though_letters_between_are_not_quite_free():
    between = np.tile([0.45, 0.1, 0.1, 0.35], (8, 1))  # 0.24 bits a column
    whole = np.concatenate([matrix(LEFT), between, matrix(RIGHT)])
    found = found_in(plant(8, [whole]).samples)
    assert [len(one.weights) < 16 for one in found] == [True, True]
    for word in (LEFT, RIGHT):
        assert max(likeness(one, word).similarity for one in found) > 0.9


def test_faint_columns_next_to_a_motif_are_of_it():
    rim = np.tile([0.5, 0.1, 0.1, 0.3], (2, 1))  # 0.31 bits a column
    (found,) = found_in(plant(9, [np.concatenate([rim, matrix(LEFT)])], shape=(8, 150)).samples)
    assert len(found.weights) == 12


def test_background_draws_rarely_hold_a_motif():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(30):
        rows = rng.dirichlet(np.full(4, 4.0), 50)
        hits += bool(found_in(sample_set(independent_draws(rng, rows, 8, 60, 0.5), rows)))
    assert hits <= 1


def test_an_anchors_own_letters_are_no_motif_under_a_tether():
    rng = np.random.default_rng(4)
    anchor = rng.integers(0, 4, 50)
    rows = np.where(np.arange(4) == anchor[:, None], 0.5, 0.5 / 3)
    assert found_in(sample_set(independent_draws(rng, rows, 8, 100, 0.5), rows)) == []


def test_a_motif_in_place_under_a_tether_is_what_exceeds_the_tether():
    rng = np.random.default_rng(5)
    anchor = rng.integers(0, 4, 50)
    anchor[20:30] = ["ACGT".index(letter) for letter in LEFT]
    rows = np.where(np.arange(4) == anchor[:, None], 0.4, 0.2)
    law = rows.copy()
    law[20:30] = rows[20:30] * matrix(LEFT)
    law /= law.sum(axis=1, keepdims=True)
    (found,) = found_in(sample_set(independent_draws(rng, law, 8, 100, 0.5), rows))
    assert len(found.weights) == 10
    shares = 0.25 * np.exp2(found.weights)
    shares /= shares.sum(axis=1, keepdims=True)
    assert consensus(Motif("", shares, 1)) in (LEFT, "GTTCCTATGG")
    np.testing.assert_allclose(shares.max(axis=1), 0.955, atol=0.03)  # 0.97 or more with the tether's letters


def test_fixed_positions_are_no_motif():
    rng = np.random.default_rng(6)
    codes = independent_draws(rng, np.full((50, 4), 0.25), 8, 60)
    codes[..., 10:25] = rng.integers(0, 4, 15)
    mutable = np.ones(50, bool)
    mutable[10:25] = False
    assert found_in(sample_set(codes, mutable=mutable, anchor=codes[0, 0])) == []


def test_letters_of_another_composition_are_no_motif():
    rows = np.tile([0.2, 0.3, 0.3, 0.2], (60, 1))
    samples = sample_set(independent_draws(np.random.default_rng(7), rows, 8, 60))
    assert found_in(samples) == []


def test_a_threshold_is_rare_in_background_and_reached_by_short_motifs():
    best = np.linspace(-5, 15, 2001).astype(np.float32)
    assert site_threshold(best, np.full(100, 30.0), 0.01, 2**7) == pytest.approx(14.8, abs=0.02)
    assert site_threshold(best, np.full(100, 13.5), 0.01, 2**7) == pytest.approx(13.5)
    assert site_threshold(best, np.full(100, 9.0), 0.01, 2**7) == pytest.approx(13.0, abs=0.02)
    assert site_threshold(best - 20, np.full(100, 30.0), 0.01, 2**7) == 7


def test_presence_tells_what_a_draw_tells():
    assert presence_bits(1.0, 0.25) == pytest.approx(2)
    assert presence_bits(0.1, 0.2) == 0
