from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from maxent_cli.alphabet import Codes, encode, reverse_complement
from maxent_cli.engine.simulation import Element, Planting, Simulation, Site, simulate

UNIFORM = (0.25, 0.25, 0.25, 0.25)
PROBABILITIES = np.array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0], [0.2, 0.3, 0.1, 0.4]])
MOTIF = Element("m", PROBABILITIES)
EXACT = Element("e", np.eye(4)[encode("ACG")])


def drawn(simulation: Simulation, count: int, seed: int = 1) -> tuple[Codes, list[list[Site]]]:
    codes, sites = zip(*simulate(simulation, count, seed), strict=True)
    return np.stack(codes), list(sites)


def test_letters_have_the_background_frequencies() -> None:
    codes, sites = drawn(Simulation(100, (0.1, 0.2, 0.3, 0.4)), 300)
    assert codes.shape == (300, 100)
    assert sites == [[]] * 300
    counts = np.bincount(codes.ravel(), minlength=4)
    assert chisquare(counts, np.array([0.1, 0.2, 0.3, 0.4]) * codes.size).pvalue > 1e-3


@pytest.mark.parametrize("strand", ["+", "-", "both"])
def test_sites_follow_the_motif_and_score_what_they_are(strand: str) -> None:
    background = (0.4, 0.1, 0.1, 0.4)
    codes, sites = drawn(Simulation(30, background, (Planting((MOTIF,), strand=strand),)), 3000)
    counts = np.zeros((4, 4))
    for row, (site,) in zip(codes, sites, strict=True):
        letters = row[site.start : site.end]
        letters = reverse_complement(letters) if site.strand == "-" else letters
        counts[range(4), letters] += 1
        odds = PROBABILITIES[range(4), letters] / np.array(background)[letters]
        assert site.score == pytest.approx(np.log2(odds).sum())
    for seen, expected in zip(counts, PROBABILITIES * 3000, strict=True):
        assert (seen[expected == 0] == 0).all()
        assert (expected > 0).sum() == 1 or chisquare(seen[expected > 0], expected[expected > 0]).pvalue > 1e-3
    forward = sum(site.strand == "+" for (site,) in sites)
    assert forward == {"+": 3000, "-": 0}.get(strand, forward)
    assert binomtest(forward, 3000, {"+": 1.0, "-": 0.0}.get(strand, 0.5)).pvalue > 1e-3


def test_density_is_the_share_of_sequences() -> None:
    _, sites = drawn(Simulation(30, UNIFORM, (Planting((MOTIF,), density=0.3),)), 3000)
    assert binomtest(sum(map(len, sites)), 3000, 0.3).pvalue > 1e-3
    assert drawn(Simulation(30, UNIFORM, (Planting((MOTIF,), density=0),)), 50)[1] == [[]] * 50


@pytest.mark.parametrize(("position", "starts"), [(None, range(27)), ((5, 9), range(5, 10)), ((26, 26), range(26, 27))])
def test_starts_are_uniform_over_those_allowed(position: tuple[int, int] | None, starts: range) -> None:
    _, sites = drawn(Simulation(30, UNIFORM, (Planting((MOTIF,), position=position),)), 2000)
    seen = Counter(site.start for (site,) in sites)
    assert set(seen) == set(starts)
    assert len(starts) == 1 or chisquare([seen[start] for start in starts]).pvalue > 1e-3


def test_all_ways_of_fitting_two_are_equally_likely() -> None:
    plantings = tuple(Planting((element,), strand="+") for element in (MOTIF, EXACT))
    _, sites = drawn(Simulation(10, UNIFORM, plantings), 4000)
    ways = [(a, b) for a in range(7) for b in range(8) if a + 4 <= b or b + 3 <= a]
    seen = Counter(tuple(site.start for site in sorted(both, key=lambda s: s.name, reverse=True)) for both in sites)
    assert set(seen) == set(ways)
    assert chisquare([seen[way] for way in ways]).pvalue > 1e-3
    assert all(left.start < right.start for left, right in sites)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_spacing_order_and_orientation(strand: str) -> None:
    planting = Planting((MOTIF, replace(EXACT, turned=True)), strand=strand, gap=(2, 4))
    codes, sites = drawn(Simulation(40, UNIFORM, (planting,)), 900)
    gaps = Counter(right.start - left.end for left, right in sites)
    assert set(gaps) == {2, 3, 4}
    assert chisquare(list(gaps.values())).pvalue > 1e-3
    names = {"+": ["m", "e"], "-": ["e", "m"]}[strand]
    for row, found in zip(codes, sites, strict=True):
        assert [site.name for site in found] == names
        exact = found[names.index("e")]
        assert exact.strand == {"+": "-", "-": "+"}[strand]
        letters = encode("ACG") if exact.strand == "+" else reverse_complement(encode("ACG"))
        assert np.array_equal(row[exact.start : exact.end], letters)


def test_a_smaller_count_is_the_beginning_of_a_larger_and_seeds_differ() -> None:
    simulation = Simulation(30, UNIFORM, (Planting((MOTIF,), density=0.5),))
    codes, sites = drawn(simulation, 40)
    fewer, their_sites = drawn(simulation, 15)
    assert np.array_equal(codes[:15], fewer)
    assert sites[:15] == their_sites
    assert not np.array_equal(codes, drawn(simulation, 40, seed=2)[0])


@pytest.mark.parametrize(
    ("plantings", "words"),
    [
        ((Planting((MOTIF,), position=(8, 8)),), "a start of 8-8 leaves no room for 4 bp in 10 bp"),
        ((Planting((MOTIF, MOTIF), gap=(3, 3)),), "leaves no room for 11 bp"),
        ((Planting((MOTIF,)),) * 3, "no way of fitting 3 plantings"),
    ],
)
def test_what_does_not_fit_is_an_error(plantings: tuple[Planting, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        drawn(Simulation(10, UNIFORM, plantings), 5)
