"""Conditional letter frequencies of draws: those of the listed law, where nothing may change, and of which networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Listed, anchor, law, run, small_model

from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis.information import information_of
from maxent_cli.analysis.jackknife import block_numbers
from maxent_cli.interpret.conditionals import MOST, block_conditionals, conditionals, looked_at
from maxent_cli.interpret.law import anchored_law
from maxent_cli.interpret.plan import read_plan
from maxent_cli.interpret.sampling import COMPILED, sample_anchor

ANCHOR = "GATCA"
MODEL = small_model()
BETA = 80.0
LAWS = {"published": {}, "tethered": {"tether": 0.4}, "one output": {"output": "0"}, "mu": {"mu": 0.8}}


@pytest.mark.parametrize("given", LAWS.values(), ids=LAWS)
def test_at_a_sequence_they_are_those_of_the_listed_law(given: dict) -> None:
    settings = law(BETA, **given)
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(chains=2, draws=4, warmup=0))
    found = anchored_law(MODEL, anchor(ANCHOR, ANCHOR), settings)
    plan = read_plan(MODEL, found.reference, found.weights)
    listed = Listed(MODEL, ANCHOR, **given)
    weight = dict(zip(listed.words, listed.law(BETA), strict=True))
    for codes in samples.codes[0]:
        word = decode(codes)
        others = [[weight[word[:place] + letter + word[place + 1 :]] for letter in "ACGT"] for place in range(5)]
        expected = np.array(others) / np.sum(others, axis=1, keepdims=True)
        np.testing.assert_allclose(conditionals(plan, codes, samples), expected, atol=2e-4)


@pytest.mark.parametrize("given", [{}, {"tether": 0.4}], ids=["published", "tethered"])
def test_their_mean_is_that_of_the_law_closer_than_counts_are(given: dict) -> None:
    listed, settings = Listed(MODEL, ANCHOR, **given), law(20.0, **given)
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(thin=40))
    found = block_conditionals(MODEL, settings, samples)
    assert found is not None
    letters = np.array([encode(word) for word in listed.words])
    exact = np.array([[listed.law(20.0) @ (letters[:, p] == code) for code in range(4)] for p in range(5)])
    counted = np.array([(samples.codes == code).mean(axis=(0, 1)) for code in range(4)]).T
    off, off_counts = np.abs(found.mean(axis=0) - exact), np.abs(counted - exact)
    assert off.max() < 4.5 * np.sqrt(0.25 / MOST)
    assert off.mean() < off_counts.mean() * np.sqrt(samples.codes[..., 0].size / MOST)  # of as many draws


@pytest.mark.parametrize("chains", [2, 3, 8, 50])
def test_a_short_run_is_looked_at_in_every_block(chains: int) -> None:
    """Half of its proposals pay for none, and errors are over blocks."""
    settings = law(BETA)
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(chains=chains, draws=20, thin=1))
    found = block_conditionals(MODEL, settings, samples)
    assert found is not None
    assert len(found) == block_numbers(chains, 20).max() + 1


def test_changes_are_half_of_the_proposals_and_no_more_than_so_many_draws_pay_for() -> None:
    assert [looked_at(proposals, 100) for proposals in (0, 800, 80_000, 10**9)] == [0, 1, 100, MOST]


def test_a_position_that_the_network_does_not_heed_holds_nothing() -> None:
    model = small_model(8)
    with torch.no_grad():  # letters 0 and 1 reach no unit of the next layer, and 2 to 4 other filters alone
        places = model.layers[3].weight.view(6, 8, -1)
        places[:, :, :2] = 0
    settings = law(BETA)
    samples = sample_anchor(model, anchor("GATCATTC"), settings, run(chains=10, draws=20))
    counted = information_of(samples)
    held = information_of(replace(samples, conditionals=block_conditionals(model, settings, samples)))
    np.testing.assert_allclose(held.positions[:2], 0, atol=1e-9)
    assert (counted.errors[:2] > 1e-3).all()
    assert held.total == pytest.approx(counted.total, abs=4 * counted.total_error)


def test_what_may_not_change_has_the_letter_that_is_there() -> None:
    settings = law(5.0)
    samples = sample_anchor(MODEL, anchor("GANCA"), settings, run(chains=4, draws=10, thin=5, warmup=0))
    found = block_conditionals(MODEL, settings, samples)
    assert found is not None
    assert (found[:, 2] == 0).all()
    np.testing.assert_allclose(np.delete(found, 2, axis=1).sum(axis=-1), 1)


def test_networks_that_the_compiled_chain_cannot_take_have_none() -> None:
    settings = law(5.0)
    samples = sample_anchor(MODEL, anchor(ANCHOR), settings, run(chains=2, replicas=1, draws=4, warmup=0))
    assert samples.kernel == COMPILED
    assert block_conditionals(MODEL, settings, replace(samples, kernel="full passes")) is None
