import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.information import frequencies, information_of
from maxent_cli.analysis.segments import find_segments

WORD = np.array([1, 1, 0, 3, 0, 2, 2, 0, 0])  # CCATAGGAA, unlike its reverse complement


def matrix(letters, sharpness=0.91):
    return np.where(np.arange(4) == np.asarray(letters)[:, None], sharpness, (1 - sharpness) / 3)


def segments_of(samples, calling=None):
    return find_segments(samples, frequencies(samples), information_of(samples), calling or Calling())


def planted(seed, length, *places, hold=0.5):
    law = np.full((length, 4), 0.25)
    for place in places:
        law[place : place + len(WORD)] = matrix(WORD)
    return independent_draws(np.random.default_rng(seed), law, 20, 100, hold)


def test_segments_stand_where_the_draws_hold_information():
    found = segments_of(sample_set(planted(1, 60, 10, 40), name="x"))
    assert [(segment.anchor, segment.start, segment.end) for segment in found] == [("x", 10, 19), ("x", 40, 49)]
    first = found[0].motif
    assert first.sites == pytest.approx(20 * 100 / 3, rel=0.2)  # letters held half of the time
    assert first.counts.sum(axis=1) == pytest.approx(np.full(9, first.sites))
    assert first.probabilities.argmax(axis=1).tolist() == WORD.tolist()


def test_background_draws_have_no_segment():
    rng = np.random.default_rng(2)
    for _ in range(30):
        background = rng.dirichlet(np.full(4, 5.0), 60)
        assert segments_of(sample_set(independent_draws(rng, background, 20, 30, 0.5), background)) == []


def test_gaps_are_bridged_widths_are_minimal_and_fixed_positions_part():
    law = np.full((40, 4), 0.25)
    law[5:8], law[10:12], law[20:24] = 0.01, 0.01, 0.01
    law[law[:, 0] == 0.01, 0] = 0.97
    codes = independent_draws(np.random.default_rng(3), law, 20, 100)
    fixed = np.arange(40) != 9
    spans = [(s.start, s.end) for s in segments_of(sample_set(codes))]
    assert spans == [(5, 12)]  # 20:24 is too narrow
    assert segments_of(sample_set(codes, mutable=fixed)) == []
    narrow = segments_of(sample_set(codes), Calling(gap=0, width=2))
    assert [(s.start, s.end) for s in narrow] == [(5, 8), (10, 12), (20, 24)]
