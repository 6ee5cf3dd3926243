import numpy as np
import pytest

from analysis.planted import matrix, plant
from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.occupancy import (
    MotifProbe,
    column_bits,
    find_sites,
    occupancy,
    set_threshold,
    share_holding,
    site_counts,
    tally,
    total_bits,
)
from maxent_cli.analysis.sites import Sites, background_letters, letters_of, overhung, redrawn

UNIFORM = np.full(4, 0.25)
MOTIFS = [matrix("CCATAGGAACG"), matrix("TGACGTTCTGA")]


def probes(motifs, samples):
    background = [background_letters(samples, np.random.default_rng(5))]
    weights = [np.log2(motif / 0.25) for motif in motifs]
    return [MotifProbe(each, set_threshold(each, UNIFORM, background, Calling().site_rate)) for each in weights]


def test_sites_are_found_where_they_were_planted():
    planted = plant(1, MOTIFS)
    letters = letters_of(planted.samples)
    sites = find_sites(letters, probes(MOTIFS, planted.samples))
    found = set(
        zip(sites.draw.tolist(), sites.motif.tolist(), sites.start.tolist(), sites.strand.tolist(), strict=True)
    )
    right = len(found & set(planted.truth))
    assert right / len(planted.truth) > 0.95
    assert right / len(found) > 0.95


def test_background_draws_hold_sites_at_the_rate():
    planted = plant(2, MOTIFS, shape=(20, 200))
    background = background_letters(planted.samples, np.random.default_rng(6))
    sites = find_sites(background, probes(MOTIFS, planted.samples))
    for motif in range(2):
        share, error = share_holding(sites, motif, 4000)
        assert share < 0.02
        assert error == pytest.approx(np.sqrt(share * (1 - share) / 4000), rel=0.05)
    assert share_holding(sites, 2, 4000) == (0.0, pytest.approx(np.sqrt(0.5) / 4000, rel=0.01))  # never 0


def test_occupancy_is_the_share_of_draws_with_its_error_over_chains(monkeypatch):
    planted = plant(3, MOTIFS, share=0.6, hold=0.9)
    letters = letters_of(planted.samples)
    sites = find_sites(letters, probes(MOTIFS, planted.samples))
    listed = occupancy(letters, sites, 1, (0.01, 0.002), 100).places
    monkeypatch.setattr("maxent_cli.analysis.occupancy.LEAST_OCCUPANCY", 0.0)
    held = occupancy(letters, sites, 1, (0.01, 0.002), 100)
    having = {draw for draw, motif, _, _ in planted.truth if motif == 1}
    by_chain = np.bincount([draw // 60 for draw in having], minlength=8) / 60
    assert held.share == pytest.approx(len(having) / 480, abs=0.03)
    assert held.error == pytest.approx(by_chain.std(ddof=1) / np.sqrt(8), rel=0.2)
    assert held.beyond(Calling())
    assert sum(place.share for place in held.places) == pytest.approx(held.sites / 480)
    assert [place.share for place in held.places] == sorted((place.share for place in held.places), reverse=True)
    assert listed == tuple(place for place in held.places if place.share >= 0.05 or place == held.places[0])


def test_a_motif_that_is_not_there_is_not_present():
    planted = plant(4, MOTIFS[:1])
    letters = letters_of(planted.samples)
    held = occupancy(letters, find_sites(letters, probes(MOTIFS, planted.samples)), 1, (0.01, 0.002), 100)
    assert not held.beyond(Calling())


def test_counts_over_anchors_give_the_planted_matrix_with_errors():
    blunt = matrix("CCATAGGAACG", 0.8)
    samples = [plant(seed, [blunt]).samples for seed in range(6)]
    probe = probes([blunt], samples[0])[0]
    tallies = [tally(letters_of(each), probe) for each in samples]
    counts = site_counts(tallies, UNIFORM)
    assert counts.shape == (7, 11, 4)
    shares = counts[0] / counts[0].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, blunt, atol=0.04)
    bits, truth = column_bits(counts, UNIFORM), np.sum(blunt * np.log2(blunt / 0.25), axis=1)
    assert (np.abs(bits.value - truth) < 5 * bits.error).all()
    assert total_bits(counts, UNIFORM).value == pytest.approx(bits.value.sum())
    assert site_counts(tallies[:1], UNIFORM).shape == (9, 11, 4)  # of one anchor, chains are the blocks


def test_counts_under_a_tether_are_as_they_would_be_without():
    rows = np.tile([0.4, 0.1, 0.1, 0.4], (60, 1))  # the same on both strands
    preference = matrix("CCATAGGAACG", 0.8) / 0.25
    law = rows[:11] * preference
    samples = plant(7, [law / law.sum(axis=1, keepdims=True)], background=rows, shape=(8, 200)).samples
    probe = MotifProbe(np.log2(preference), 8.0)
    counts = site_counts([tally(letters_of(samples), probe)], UNIFORM)[0]
    np.testing.assert_allclose(counts / counts.sum(axis=1, keepdims=True), matrix("CCATAGGAACG", 0.8), atol=0.06)


@pytest.mark.parametrize("place", [0, 2, 47, 49])
def test_a_site_at_the_rim_is_found_by_a_motif_that_is_wider(place):
    """Anchors share a motif of columns that one of them may have no room for."""
    law = np.full((60, 4), 0.25)
    law[place : place + 11] = MOTIFS[0]
    samples = sample_set(independent_draws(np.random.default_rng(8), law, 8, 60))
    wide = np.pad(np.log2(MOTIFS[0] / 0.25), ((4, 4), (0, 0)))
    letters = overhung(letters_of(samples), 8)
    threshold = set_threshold(wide, UNIFORM, [redrawn(letters, np.random.default_rng(1))], 0.01)
    held = occupancy(letters, find_sites(letters, [MotifProbe(wide, threshold)]), 0, (0.01, 0.002), 100)
    assert held.share > 0.95
    assert held.places[0].start == 8 + place - 4
    counts = site_counts([tally(letters, MotifProbe(wide, threshold))], UNIFORM)[0]
    assert counts.argmax(axis=1)[4:15].tolist() == MOTIFS[0].argmax(axis=1).tolist()


@pytest.mark.parametrize(("independent", "error"), [(4.0, 1 / 6), (98.0, 0.01)])
def test_what_all_draws_hold_is_not_known_without_error(independent, error):
    letters = letters_of(plant(3, MOTIFS[:1]).samples)
    nothing, ones = np.zeros(480, np.intp), np.ones(480)
    held = occupancy(
        letters, Sites(np.arange(480), nothing, nothing, nothing, ones, ones), 0, (0.01, 0.002), independent
    )
    assert (held.share, held.error) == (1.0, pytest.approx(error))
