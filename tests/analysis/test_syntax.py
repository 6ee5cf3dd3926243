"""Interactions of two motifs: by listing every sequence, distances that stand out, and none that do."""

from itertools import product

import numpy as np
import pytest

from maxent_cli.alphabet import UNKNOWN, decode, encode, reverse_complement
from maxent_cli.analysis import syntax
from maxent_cli.analysis.syntax import beta_for, cell, judge, opposition, placings, put, site_of
from maxent_cli.data import Motif

Q = np.array([0.35, 0.15, 0.2, 0.3])
BETA, LENGTH = 1.3, 6
A, B = encode("AC"), encode("GG")


def energy(codes: np.ndarray) -> np.ndarray:
    """A toy network's: 'AC' and 'GG' anywhere, both more than their sum where a letter lies between them."""
    pairs = codes[:, :-1] * 4 + codes[:, 1:]
    one, two = (pairs == 1).any(axis=1), (pairs == 10).any(axis=1)
    apart = ((pairs[:, :-3] == 1) & (pairs[:, 3:] == 10)).any(axis=1)
    return 3 - one - 1.5 * two + 0.7 * one * two - 1.2 * apart + 0.2 * codes[:, 0]


def everything() -> tuple[np.ndarray, np.ndarray]:
    """All sequences and their weights under q."""
    codes = np.array(list(product(range(4), repeat=LENGTH)), np.uint8)
    return codes, Q[codes].prod(axis=1)


def listed(distance: int, start: int) -> float:
    """The interaction free energy, in bits, over all contexts."""
    codes, weight = everything()
    places = np.full(len(codes), start)
    left, right = put(codes, A, places), put(codes, B, places + 2 + distance)
    both = put(left, B, places + 2 + distance)
    free = [-np.log2((weight * np.exp(-BETA * energy(some))).sum()) for some in (codes, left, right, both)]
    return float(free[3] - free[1] - free[2] + free[0])


def sampled(distance: int, start: int, seed: int, count: int = 256) -> syntax.Cell:
    codes = np.random.default_rng(seed).choice(4, (count, LENGTH), p=Q).astype(np.uint8)
    places = np.full(count, start)
    left, right = put(codes, A, places), put(codes, B, places + 2 + distance)
    energies = np.array([energy(some) for some in (codes, left, right, put(left, B, places + 2 + distance))])
    return cell(energies, -energies, BETA)


@pytest.mark.parametrize("distance", [0, 1, 2])
def test_free_energies_are_those_of_listing_within_their_errors(distance: int) -> None:
    """200 sets of contexts: scores of mean about 0 and spread about 1; a beta that is not the law's is seen."""
    found = [sampled(distance, 0, seed) for seed in range(200)]
    exact = listed(distance, 0)
    scores = np.array([(one.interaction - exact) / one.error for one in found])
    assert abs(scores.mean()) < 4 / np.sqrt(200)
    assert 0.8 < scores.std() < 1.25
    assert np.mean([one.interaction for one in found]) == pytest.approx(exact, abs=0.02)
    broken = [(one.first_order - exact) / one.error for one in found]  # an expansion, not the free energy
    assert abs(np.mean(broken)) > 4 / np.sqrt(200) or distance == 2


def test_the_distance_with_a_bonus_is_seen_by_listing_too() -> None:
    assert listed(1, 0) < min(listed(0, 0), listed(2, 0)) - 0.5


def test_what_adds_up_has_no_interaction() -> None:
    rng = np.random.default_rng(3)
    one, base = rng.normal(size=(2, 64))
    energies = np.array([base, base + 2, base + 1, base + 3])
    assert cell(energies, energies, 0.7).interaction == pytest.approx(0, abs=1e-9)
    outputs = np.array([one, one + 2, one + 1, one + 3 - 0.5])
    found = cell(energies, outputs, 0.7)
    assert (found.output, found.left, found.right) == pytest.approx((-0.5, 2, 1))


def test_sites_are_put_where_they_are_said_to_be() -> None:
    site = np.array([0, UNKNOWN, 1], np.uint8)
    found = put(np.full((2, 5), 3, np.uint8), site, np.array([0, 2]))
    assert [decode(row) for row in found] == ["ATCTT", "TTATC"]
    assert reverse_complement(site).tolist() == [2, UNKNOWN, 3]
    counts = np.array([[97, 1, 1, 1], [25, 25, 25, 25], [1, 97, 1, 1.0]])
    assert site_of(Motif("m", counts, 100), np.full(4, 0.25)).tolist() == site.tolist()
    whole = {way.arrangement: (decode(way.left), decode(way.right)) for way in placings(A, encode("GA"), False)}
    expected = {"a> b>": ("AC", "GA"), "a> <b": ("AC", "TC"), "b> a>": ("GA", "AC"), "<b a>": ("TC", "AC")}
    assert whole == expected
    assert [way.arrangement for way in placings(A, A, True)] == ["a> b>", "a> <b", "<b a>"]


def test_beta_falls_until_enough_contexts_count() -> None:
    energies = np.random.default_rng(0).normal(0, 3, 256)
    assert beta_for(energies, 0.01) == 0.01
    low = beta_for(energies, 5.0)
    weights = np.exp(-low * energies)
    assert weights.sum() ** 2 / (weights**2).sum() == pytest.approx(64, rel=1e-3)
    assert 0 < low < 5


def noise(seed: int, anchors: int = 6, own: float = 1.0) -> np.ndarray:
    """Interactions of 4 arrangements at 30 distances: a taste of the network's own at each, and anchors' noise."""
    chance = np.random.default_rng(seed)
    return own * chance.standard_t(5, (1, 4, 30)) + chance.normal(0, 0.3, (anchors, 4, 30))


def test_a_preferred_distance_is_found_and_none_where_networks_only_differ_by_distance() -> None:
    """Without the second of the two tests every network with a taste of its own would prefer some distance."""
    sides = np.ones(len(noise(0)))
    false = [judge(noise(seed), noise(seed), noise(seed + 100), sides).preference_p <= 0.05 for seed in range(100)]
    assert sum(false) <= 10
    planted, other = noise(7), noise(8)
    planted[:, 2, 11] -= 40
    found = judge(planted, planted, other, sides)
    assert (found.cell, found.preferred_by) == ((2, 11), "law")
    assert found.preference_p < 0.05
    for sign in (1, -1):  # an output that is higher there is preferred by anchors of a high one, a lower by others
        found = judge(other, other, -sign * planted, sign * sides)
        assert (found.cell, found.preferred_by) == ((2, 11), "output")
        assert found.preference_p < 0.05
        assert sign * float(found.output_excess.value) > 30
        assert judge(other, other, sign * planted, sign * sides).cell != (2, 11)
    few = judge(planted[:2], planted[:2], planted[:2], sides[:2])
    assert np.isnan(few.preference_p)
    assert np.isnan(few.p)


def test_one_lowers_what_the_other_raises_only_where_both_are_sure() -> None:
    chance = np.random.default_rng(0)
    up, down, none = (mean + 0.2 * chance.normal(size=6) for mean in (1, -1, 0))
    assert opposition(up, down) < 1e-3
    assert opposition(up, -down) == 1
    assert opposition(up, none - none.mean() - 0.01) > 0.05
    assert np.isnan(opposition(up[:2], down[:2]))


def test_places_without_room_are_left_out() -> None:
    some = noise(1)
    some[:, :, 20:] = np.nan
    some[:, 0, 3] -= 50
    found = judge(some, some, some - 3, np.ones(len(some)))
    assert found.cell == (0, 3)
    assert found.p < 1e-3
    assert float(found.output.value) == pytest.approx(float(np.nanmean(some)) - 3)
