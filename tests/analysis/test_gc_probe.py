"""The probe over anchors, on draws whose response is known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.alphabet import is_gc
from maxent_cli.analysis.counts import CHECKS
from maxent_cli.analysis.features import gc
from maxent_cli.analysis.gc_probe import (
    NO,
    UNDECIDED,
    YES,
    Answer,
    ProbedAnchor,
    answer,
    over_anchors,
    probe_anchor,
    sentence,
)
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


def probe(seed: int = 1) -> ProbedAnchor:
    return probe_anchor([drawn(mu, seed) for mu in FIELDS], gc(), FIELDS)


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
    assert row["beta_0_variance"] == pytest.approx(LENGTH * share * (1 - share))
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
    scores = np.abs([row["z"] for row in probe_anchor(by_mu, gc(), FIELDS).checks])
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
    row = probe_anchor(by_mu, gc(), FIELDS).response[1]
    assert abs(row["draws"] - 0.4) < 4.5 * row["draws_error"]
    assert row["beta_0"] == pytest.approx(0.4)


def asked(networks: list[list[SampleSet]], potentials: tuple[float, ...] = (0.0, 1.0), **given: bool) -> Answer:
    probes = [probe_anchor(by_mu, gc(), potentials) for by_mu in networks]
    return answer(*([row for one in probes for row in vars(one)[name]] for name in TABLES), **given)


TABLES = ("response", "counts", "covariances")


def test_the_answer_puts_anchors_together() -> None:
    found = asked([[drawn(mu, seed) for mu in FIELDS] for seed in range(1, 13)], FIELDS)
    assert found.mu.tolist() == list(FIELDS)
    np.testing.assert_allclose(found.exact, [tilted(mu)[1:3].sum() for mu in FIELDS])
    for each, exact in zip(found.response, found.exact, strict=True):
        assert each.low < each.value < each.high
        assert each.value == pytest.approx(exact, abs=0.01)
    assert len(found.anchors) == len(found.draws) == 12
    assert abs(found.asked.slope.value) < 0.05  # these draws know nothing of their anchors
    assert abs(found.asked.rigidity.value) < 0.05
    assert found.asked.held == NO
    assert found.named == []
    assert {one.held for one in found.counts} == {NO}


def test_means_over_anchors_at_each_mu() -> None:
    rows = [row for seed in range(1, 5) for row in probe(seed).response]
    found = over_anchors(rows)
    assert [(row["mu"], row["anchors"]) for row in found] == [(mu, 4) for mu in FIELDS]
    assert found[1]["draws"] == pytest.approx(np.mean([row["draws"] for row in rows if row["mu"] == 0]))
    assert all(row["variance_low"] < row["variance"] < row["variance_high"] for row in found)


def test_draws_that_keep_their_anchors_letters_have_slope_1_and_are_rigid() -> None:
    found = asked([shuffled(seed) for seed in range(1, 9)])
    assert found.asked.slope.value == pytest.approx(1, abs=1e-6)
    assert found.asked.rigidity.value == pytest.approx(1, abs=1e-6)
    assert len(found.named) == 3


def shuffled(seed: int) -> list[SampleSet]:
    """Draws that are the anchor's letters in random order, whatever mu is."""
    plain = drawn(0.0, seed)
    rng = np.random.default_rng(seed)
    codes = rng.permuted(np.broadcast_to(plain.anchor, plain.codes.shape), axis=2)
    return [replace(plain, codes=codes)] * 2


def test_one_anchor_has_an_answer_without_intervals() -> None:
    found = asked([[drawn(mu) for mu in FIELDS]], FIELDS)
    assert np.isfinite([each.value for each in found.response]).all()
    assert np.isnan([found.asked.slope.value, found.asked.rigidity.low]).all()
    assert found.asked.held == UNDECIDED


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


def test_what_is_held_in_place_is_not_held_outside() -> None:
    found = asked([[local(seed), drawn(1.0, seed)] for seed in range(1, 13)])
    assert found.asked.held == NO
    assert abs(found.asked.rigidity.value) < 0.1
    assert found.asked.slope.low < 0.2
    assert sentence(found).startswith("is the number of G and C held? no, its rigidity outside local features is ")


def stuck(seed: int) -> SampleSet:
    """Draws of which each chain is one sequence all along."""
    plain = drawn(0.0, seed)
    return replace(plain, codes=np.repeat(plain.codes[:, :1], DRAWS, axis=1))


def test_checks_are_not_judged_where_chains_disagree() -> None:
    rows = probe_anchor([stuck(1), drawn(1.0)], gc(), (0.0, 1.0)).checks
    assert np.isnan([row["z"] for row in rows]).all()
    assert np.isfinite([row["error"] for row in rows]).any()


def test_anchors_whose_chains_disagree_do_not_count() -> None:
    found = asked([[stuck(seed) if seed > 6 else rigid(1.0, seed), drawn(1.0, seed)] for seed in range(1, 13)])
    assert found.asked.rigidity.anchors == 6
    assert found.asked.rigidity.low > 0.8


def test_anchors_weigh_by_the_distance_of_the_background() -> None:
    networks = [
        replace(rigid(1.0, seed), energy_background=0.5) if seed > 6 else drawn(0.0, seed)  # of 5, as plain
        for seed in range(1, 13)
    ]
    found = asked([[network, drawn(1.0)] for network in networks])
    assert found.asked.rigidity.value == pytest.approx(0.5 / 5.5, abs=0.05)
    assert found.asked.held == NO


@pytest.mark.parametrize(("anchored", "held"), [(True, 1.0), (False, 0.5)])
def test_the_energy_of_an_output_is_no_distance(anchored: bool, held: float) -> None:
    networks = replace(rigid(1.0, 1), energy_background=8.0), replace(drawn(0.0, 2), energy_background=-3.0)
    found = asked([[network, drawn(1.0)] for network in networks], anchored=anchored)
    assert found.asked.rigidity.value == pytest.approx(held, abs=0.1)


def test_few_anchors_decide_nothing() -> None:
    found = asked([shuffled(seed) for seed in range(1, 6)])
    assert found.asked.rigidity.low > 0.9
    assert found.asked.held == UNDECIDED
    assert sentence(found).endswith("0.25 is asked for, of 6 anchors or more")


def test_a_count_that_follows_from_a_letter_is_no_answer() -> None:
    """Draws that keep their anchors' number of A: of the others each has a letter anew."""
    networks = []
    for seed in range(1, 9):
        kept, rng = shuffled(seed)[0], np.random.default_rng(seed)
        others = rng.choice([1, 2, 3], kept.codes.shape, p=ROW[1:] / ROW[1:].sum()).astype(np.uint8)
        networks.append([replace(kept, codes=np.where(kept.codes == 0, kept.codes, others)), drawn(1.0, seed)])
    found = asked(networks)
    assert [one.name for one in found.named] == ["A"]
    assert found.named[0].held == YES
    assert found.asked.held != YES
    assert found.asked.beyond.high < 0.1 < found.asked.rigidity.value
