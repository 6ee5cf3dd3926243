"""The probe over anchors, on draws whose response and rigidity are known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import is_gc
from maxent_cli.analysis.counts import CHECKS, summarise_count
from maxent_cli.analysis.features import gc
from maxent_cli.analysis.gc_probe import AT_ZERO, MEASURES, NETWORK, Probe, answer, probe_anchor, sentence
from maxent_cli.data import SampleSet

FIELDS = (-1.0, 0.0, 0.5, 2.0)
ROW, LENGTH = np.array([0.3, 0.25, 0.15, 0.3]), 30
CHAINS, DRAWS = 20, 150


def tilted(mu: float) -> np.ndarray:
    row = ROW * np.exp(mu * np.array([0, 1, 1, 0]))
    return row / row.sum()


def drawn(mu: float, seed: int = 1, **given: object) -> SampleSet:
    """Draws of the background alone at a mu; each has draws of their own."""
    rng = np.random.default_rng((seed, int(100 * (mu + 5))))
    codes = independent_draws(rng, np.tile(tilted(mu), (LENGTH, 1)), CHAINS, DRAWS)
    anchor = np.random.default_rng(seed).integers(0, 4, LENGTH, np.uint8)
    return sample_set(codes, np.tile(tilted(mu), (LENGTH, 1)), anchor=anchor, name=f"a{seed}", **given)


def probe(seed: int = 1) -> Probe:
    return probe_anchor([drawn(mu, seed) for mu in FIELDS], {}, gc(), FIELDS)


def test_rows_are_an_anchor_and_field_each() -> None:
    found = probe()
    assert [(row["record"], row["mu"]) for row in found.response] == [("a1", mu) for mu in FIELDS]
    assert [(row["mu_low"], row["mu_high"]) for row in found.checks[::2]] == list(pairwise(FIELDS))
    assert [row["check"] for row in found.checks] == 3 * list(CHECKS)
    assert [row["expected"] for row in found.checks[::2]] == [1.0, 0.5, 1.5]


@pytest.mark.parametrize("place", range(len(FIELDS)))
def test_what_holds_nothing_answers_as_the_background_does(place: int) -> None:
    row, share = probe().response[place], float(tilted(FIELDS[place])[1:3].sum())
    assert row["beta_0"] == pytest.approx(share)
    assert abs(row["draws"] - share) < 4.5 * row["draws_error"]
    assert abs(row["variance"] - LENGTH * share * (1 - share)) < 4.5 * row["variance_error"]
    assert abs(row["rigidity"]) < 4.5 * row["rigidity_error"]
    assert row["anchor"] == is_gc(drawn(0.0).anchor).mean()


def test_checks_of_right_draws_have_scores_of_unit_spread() -> None:
    scores = np.array([row["z"] for seed in range(1, 13) for row in probe(seed).checks])
    scores = scores[np.isfinite(scores)]
    assert len(scores) > 60
    assert abs(scores.mean()) < 4.5 / np.sqrt(len(scores))
    assert 0.5 < scores.std() < 1.6
    assert np.abs(scores).max() < 5


@pytest.mark.parametrize("wrong", [0.35, 0.0])
def test_draws_of_another_field_are_caught(wrong: float) -> None:
    by_mu = [drawn(mu) for mu in FIELDS]
    by_mu[2] = replace(drawn(wrong, seed=7), name="a1")
    scores = np.abs([row["z"] for row in probe_anchor(by_mu, {}, gc(), FIELDS).checks])
    assert scores[0] < 4
    assert (scores[2:] > 5).any()


def test_positions_that_may_not_change_do_not_count() -> None:
    mutable = np.arange(LENGTH) >= 10
    by_mu = []
    for mu in FIELDS:
        samples = drawn(mu)
        codes = samples.codes.copy()
        codes[..., :10] = 1
        by_mu.append(replace(samples, codes=codes, mutable=mutable))
    row = probe_anchor(by_mu, {}, gc(), FIELDS).response[1]
    assert abs(row["draws"] - 0.4) < 4.5 * row["draws_error"]
    assert row["beta_0"] == pytest.approx(0.4)


def test_the_answer_puts_anchors_together() -> None:
    rows = [row for seed in range(1, 13) for row in probe(seed).response]
    found = answer(rows, [])
    assert found.mu.tolist() == list(FIELDS)
    np.testing.assert_allclose(found.exact, [tilted(mu)[1:3].sum() for mu in FIELDS])
    for each, exact in zip(found.response, found.exact, strict=True):
        assert each.low < each.value < each.high
        assert each.value == pytest.approx(exact, abs=0.01)
    assert len(found.anchors) == len(found.draws) == 12
    assert abs(found.measures[NETWORK]["slope"].value) < 0.05  # these draws know nothing of their anchors
    assert abs(found.measures[NETWORK]["rigidity"].value) < 0.05
    assert found.verdict == "no"
    assert set(found.measures) == {NETWORK, AT_ZERO}
    assert found.measures[AT_ZERO]["rigidity outside"].value == 0


def test_draws_that_keep_their_anchors_gc_have_slope_1_and_are_rigid() -> None:
    rows = [row for seed in range(1, 9) for row in probe_anchor(shuffled(seed), {}, gc(), (0.0, 1.0)).response]
    found = answer(rows, [])
    assert found.measures[NETWORK]["slope"].value == pytest.approx(1, abs=1e-6)
    assert found.measures[NETWORK]["rigidity"].value == pytest.approx(1, abs=1e-6)


def shuffled(seed: int) -> list[SampleSet]:
    """Draws that are the anchor's letters in random order, whatever mu is."""
    plain = drawn(0.0, seed)
    rng = np.random.default_rng(seed)
    codes = rng.permuted(np.broadcast_to(plain.anchor, plain.codes.shape), axis=2)
    return [replace(plain, codes=codes)] * 2


def test_one_anchor_has_an_answer_without_intervals() -> None:
    found = answer(probe().response, [])
    assert np.isfinite([each.value for each in found.response]).all()
    assert np.isnan([found.measures[NETWORK]["slope"].value, found.measures[NETWORK]["rigidity"].low]).all()
    assert found.verdict == "undecided"


def rigid(share: float, seed: int) -> SampleSet:
    """Draws of which a share have the anchor's letters in random order, the others the background's."""
    plain, kept = drawn(0.0, seed), shuffled(seed)[0]
    chosen = np.random.default_rng(seed).random(plain.codes.shape[:2]) < share
    return replace(plain, codes=np.where(chosen[..., None], kept.codes, plain.codes))


def local(seed: int) -> SampleSet:
    """Draws in which a third of the positions hardly change: all that is held is held in place."""
    plain = drawn(0.0, seed)
    codes = np.where((np.arange(LENGTH) < 10) & (np.random.default_rng(seed).random(plain.codes.shape) < 0.97),
                     1, plain.codes).astype(np.uint8)  # fmt: skip
    return replace(plain, codes=codes)


def asked(network, reference) -> object:
    probes = []
    for seed in range(1, 13):
        others = {"untrained 1": reference(seed), "beside: x": shuffled(seed)[0]}
        probes.append(probe_anchor([network(seed), drawn(1.0, seed)], others, gc(), (0.0, 1.0)))
    rows, references = ([row for one in probes for row in getattr(one, n)] for n in ("response", "references"))
    return answer(rows, references)


@pytest.mark.parametrize(
    ("network", "reference", "verdict"),
    [
        (lambda seed: rigid(1.0, seed), lambda seed: drawn(0.0, seed), "yes"),
        (local, lambda seed: drawn(0.0, seed), "no"),
        (lambda seed: drawn(0.0, seed), lambda seed: drawn(0.0, seed + 50), "no"),
        (lambda seed: shuffled(seed)[0], lambda seed: shuffled(seed)[0], "yes"),
    ],
    ids=["global", "local", "nothing", "an untrained one's too"],
)
def test_the_answer_is_rigidity_outside_local_features(network, reference, verdict) -> None:
    found = asked(network, reference)
    assert found.verdict == verdict
    assert list(found.measures) == [NETWORK, AT_ZERO, "untrained 1", "beside: x"]
    assert all(set(each) == set(MEASURES) for each in found.measures.values())
    assert sentence(found, "G and C").startswith(verdict)


def test_what_is_held_in_place_is_rigid_and_not_so_outside() -> None:
    measures = asked(local, lambda seed: drawn(0.0, seed)).measures[NETWORK]
    assert abs(measures["rigidity outside"].value) < 0.1
    assert measures["slope outside"].low < 0.2


def stuck(seed: int) -> SampleSet:
    """Draws of which each chain is one sequence all along."""
    plain = drawn(0.0, seed)
    return replace(plain, codes=np.repeat(plain.codes[:, :1], DRAWS, axis=1))


def test_checks_are_not_judged_where_chains_disagree() -> None:
    rows = probe_anchor([stuck(1), drawn(1.0)], {}, gc(), (0.0, 1.0)).checks
    assert np.isnan([row["z"] for row in rows]).all()
    assert np.isfinite([row["error"] for row in rows]).any()


def test_anchors_whose_chains_disagree_do_not_count() -> None:
    found = asked(lambda seed: stuck(seed) if seed > 6 else rigid(1.0, seed), lambda seed: drawn(0.0, seed))
    assert found.agreed.tolist() == 6 * [True] + 6 * [False]
    assert "(6 of 12 anchors left out: their chains disagree)" in sentence(found, "G and C")
    assert found.excess.low > 0.8


def test_anchors_weigh_by_the_distance_of_the_background() -> None:
    def network(seed: int) -> SampleSet:
        return replace(rigid(1.0, seed), energy_background=0.5) if seed > 6 else drawn(0.0, seed)  # of 5, as plain

    found = asked(network, lambda seed: drawn(0.0, seed))
    assert found.excess.value == pytest.approx(0.5 / 5.5, abs=0.05)
    assert found.measures[NETWORK]["rigidity"].value == pytest.approx(0.5 / 5.5, abs=0.05)
    assert found.verdict == "no"


@pytest.mark.parametrize(("anchored", "held"), [(True, 1.0), (False, 0.5)])
def test_the_energy_of_an_output_is_no_distance(anchored: bool, held: float) -> None:
    networks = {1: (rigid(1.0, 1), 8.0), 2: (drawn(0.0, 2), -3.0)}
    rows = [
        row | {"energy_background": energy}
        for samples, energy in networks.values()
        for row in probe_anchor([samples, drawn(1.0)], {}, gc(), (0.0, 1.0)).response
    ]
    assert answer(rows, [], anchored=anchored).excess.value == pytest.approx(held, abs=0.1)


def test_few_anchors_decide_nothing() -> None:
    rows = [row for seed in range(1, 6) for row in probe_anchor(shuffled(seed), {}, gc(), (0.0, 1.0)).response]
    found = answer(rows, [])
    assert found.excess.low > 0.9
    assert found.verdict == "undecided"
    assert sentence(found, "G and C").endswith("0.25 is asked for, and no fewer than 6 anchors")


@pytest.mark.parametrize(("background", "rigidity"), [((0.25,) * 4, 1 / 3), ((0.4, 0.1, 0.1, 0.4), 1 / 6)])
def test_a_network_that_counts_one_letter_is_rigid_in_gc_by_so_much(background, rigidity) -> None:
    """A's number fixed, the others free: GC is binomial among them, with g / (1 - a) for each.

    1 - (1 - a)·h·(1 - h) / (g·(1 - g)), h = g / (1 - a): 1/3 of even letters.
    """
    rng = np.random.default_rng(5)
    others = np.array(background[1:]) / sum(background[1:])
    codes = np.zeros((8, 2000, 60), np.uint8)
    number = round(60 * (1 - background[0]))
    codes[..., :number] = rng.choice([1, 2, 3], (8, 2000, number), p=others)
    samples = sample_set(rng.permuted(codes, axis=2), np.tile(background, (60, 1)))
    a, g = background[0], background[1] + background[2]
    assert 1 - (1 - a) * (g / (1 - a)) * (1 - g / (1 - a)) / (g * (1 - g)) == pytest.approx(rigidity)
    found = summarise_count(samples, gc(), np.ones(60, bool))
    assert found.rigidity == pytest.approx(rigidity, abs=4 * found.rigidity_error)
