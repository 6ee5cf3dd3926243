"""Several networks together: the law of their distances, each in units of its own, by every kernel; broken twins."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Listed, anchor, law, run, small_model, twin_energy, words
from torch import nn

from maxent_cli.alphabet import encode
from maxent_cli.analysis.free_energy import bits_of_law
from maxent_cli.analysis.information import information_of
from maxent_cli.data import SampleSet
from maxent_cli.engine.incremental import last_values, single_changes
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import AnchoredLaw, anchored_law, evaluate
from maxent_cli.interpret.plan import as_representation, read_plan
from maxent_cli.interpret.sampling import Sampling, sample_anchor
from maxent_cli.laws import LAWS
from maxent_cli.models.adapter import AS_IS, AdaptedNetwork
from maxent_cli.models.architectures import LayeredModel, build
from maxent_cli.models.consensus import Consensus, networks_of
from maxent_cli.models.protocol import one_hot

WORD = "GATCA"
CODES = np.array([encode(word) for word in words(len(WORD))])
MODELS = [
    small_model(seed=4),
    small_model(seed=5),
    build("finnegan2017", 5, {"filters": 3, "width": 3, "hidden": 4}, 6),
]
CONSENSUS = Consensus([model.eval() for model in MODELS], [[0, 1]] * 3)
ROUNDING = 1e-5  # of the mean energy


def consensus_law(model: Consensus = CONSENSUS, **given: object) -> AnchoredLaw:
    return anchored_law(model, anchor(WORD), law(1.0, **given))


def shares(model: LayeredModel, **given: object) -> np.ndarray:
    """A network's energies of all sequences, worked out a string at a time."""
    twin = twin_energy(model, WORD, **given)
    return np.array([twin(word) for word in words(len(WORD))])


@pytest.mark.parametrize("output", ["1-0", "0", "0,1"])
def test_energy_is_the_length_of_all_distances_each_in_its_own_unit(output: str) -> None:
    made = consensus_law(output=output)
    own = [shares(model, output=output) for model in MODELS]
    wanted = np.sqrt(sum((energy / scale) ** 2 for energy, scale in zip(own, made.networks.scales, strict=True)))
    np.testing.assert_allclose(evaluate(made.terms.energy, CODES), wanted, rtol=1e-4, atol=1e-6)
    seen = evaluate(made.networks.seen, CODES)
    np.testing.assert_allclose(seen[..., 0], np.stack(own, 1), rtol=1e-4, atol=1e-6)
    means = [evaluate(anchored_law(model, anchor(WORD), law(1.0, output=output)).output, CODES) for model in MODELS]
    np.testing.assert_allclose(seen[..., 1], np.stack(means, 1), atol=1e-6)
    np.testing.assert_allclose(evaluate(made.output, CODES), np.mean(means, 0), atol=1e-6)


def test_units_are_the_mean_distances_of_the_background() -> None:
    made, background = consensus_law(), Listed(MODELS[0], WORD).law(0.0)
    for model, scale in zip(MODELS, made.networks.scales, strict=True):
        energy = shares(model)
        mean = float(background @ energy)
        error = np.sqrt((background @ (energy - mean) ** 2) / 1000)
        assert abs(scale - mean) < 4 * error


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_of_a_network_give_its_own_law(copies: int) -> None:
    """K of them at beta <E>_0 / sqrt(K) are the network at beta: energies differ by sqrt(K) / <E>_0, and no more."""
    made = consensus_law(Consensus([MODELS[0]] * copies, [[0, 1]] * copies))
    assert np.ptp(made.networks.scales) == 0
    own = evaluate(anchored_law(MODELS[0], anchor(WORD), law(1.0)).terms.energy, CODES)
    found = evaluate(made.terms.energy, CODES) * made.networks.scales[0] / np.sqrt(copies)
    assert np.abs(found - own).max() < ROUNDING * own.mean()


def test_the_compiled_chain_has_the_energies_of_all_networks() -> None:
    """Broken twins are caught: a network left out, its unit forgotten, the stacks' ends exchanged."""
    made = consensus_law()
    plan = read_plan(CONSENSUS, made.reference, made.weights)
    energy = evaluate(made.terms.energy, CODES)
    apart = lambda other: np.abs(last_values(other, CODES)[1] - energy).max() / energy.mean()  # noqa: E731
    assert apart(plan) < ROUNDING
    sizes = np.cumsum([0, *(len(each.reference) for each in map(_own_plan, MODELS))])
    for number in range(3):
        weights = plan.feature_weights.copy()
        weights[sizes[number] : sizes[number + 1]] = 0
        assert apart(plan._replace(feature_weights=weights)) > 100 * ROUNDING
        weights = plan.feature_weights.copy()
        weights[sizes[number] : sizes[number + 1]] *= made.networks.scales[number]
        assert apart(plan._replace(feature_weights=weights)) > 100 * ROUNDING
    table = plan.table.copy()
    ends = np.flatnonzero(table[:, 15] >= 0)
    table[ends[:2], 15] = table[ends[1::-1], 15]
    assert apart(plan._replace(table=table)) > 100 * ROUNDING


def _own_plan(model: LayeredModel):
    own = anchored_law(model, anchor(WORD), law(1.0))
    return read_plan(model, own.reference, own.weights)


def test_single_changes_and_representations_are_those_of_full_passes() -> None:
    made, codes = consensus_law(), encode(WORD)
    plan = read_plan(CONSENSUS, made.reference, made.weights)
    places, letters = (table.ravel() for table in np.indices((len(WORD), 4)))
    changed = np.tile(codes, (len(places), 1))
    changed[np.arange(len(places)), places] = letters
    with torch.no_grad():
        wanted = CONSENSUS.representation(one_hot(torch.from_numpy(changed)))
    found = single_changes(plan, codes, places, letters.astype(np.uint8))
    found = as_representation(CONSENSUS, plan, found, wanted.shape[1:])
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-5)


def _adapted(seed: int) -> AdaptedNetwork:
    """A network that no plan can be read of, but its first layers."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scan, self.end = nn.Conv1d(4, 4, 3), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = self.scan(x).relu()
            return self.end((found * torch.softmax(found, 2)).sum(2))

    torch.manual_seed(seed)
    return AdaptedNetwork(Gated(), len(WORD), AS_IS, f"gated {seed}")


MIXED = Consensus([MODELS[0], _adapted(1), _adapted(2)], [[0, 1], [0, 1], [1, 0]])
KERNELS = {
    "compiled": (CONSENSUS, run(chains=20, max_steps=8000)),
    "full passes": (MIXED, Sampling(8, 3, 50, 10, 0, 1, "background", "letters", max_steps=500)),
    "surrogate": (MIXED, run(chains=16, draws=50, replicas=3)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_draws_are_of_the_listed_law(name: str) -> None:
    """By the mean energy, the output and the letters, each within its error; every network's own beside them."""
    model, how = KERNELS[name]
    beta = 2.5
    samples = sample_anchor(model, anchor(WORD), law(beta), how)
    assert samples.kernel.startswith(name)
    made = anchored_law(model, anchor(WORD), law(beta))
    energy, seen = evaluate(made.terms.energy, CODES), evaluate(made.networks.seen, CODES)
    weight = Listed(MODELS[0], WORD).law(0.0) * np.exp(-beta * energy)
    wanted = weight / weight.sum()
    _require_mean(samples.energy, float(wanted @ energy))
    for number in range(3):
        _require_mean(samples.networks.distance[..., number], float(wanted @ seen[:, number, 0]))
        _require_mean(samples.networks.output[..., number], float(wanted @ seen[:, number, 1]))
    np.testing.assert_allclose(samples.output, samples.networks.output.mean(-1), atol=1e-6)
    assert np.abs(_energy_again(samples) - samples.energy).max() < 1e-4
    wrong = replace(samples, energy=samples.energy * 0.8)
    with pytest.raises(AssertionError):
        _require_mean(wrong.energy, float(wanted @ energy))


def _energy_again(samples: SampleSet) -> np.ndarray:
    """Energies from the networks' distances and units."""
    return np.linalg.norm(samples.networks.distance / samples.networks.distance_background, axis=-1)


def _require_mean(values: np.ndarray, wanted: float) -> None:
    """Means of chains, which are independent, agree with a number within four errors."""
    means = values.mean(axis=1)
    assert abs(means.mean() - wanted) < 4 * means.std(ddof=1) / np.sqrt(len(means)) + 1e-6


def test_a_network_that_tells_nothing_is_named() -> None:
    blind = small_model(seed=7)
    with torch.no_grad():
        blind.output.weight.zero_()
        blind.output.weight[0, 0] = 1.0
        blind.layers[3].weight.zero_()
    with pytest.raises(InputError, match="network 2 of 2 tells no background sequence from it"):
        consensus_law(Consensus([MODELS[0], blind], [[0, 1]] * 2))


def test_laws_of_the_output_are_of_the_mean() -> None:
    made = law(0.7, kind=LAWS["output"])
    samples = sample_anchor(CONSENSUS, anchor(WORD), made, run(chains=20))
    assert samples.kernel == "compiled"
    output = evaluate(anchored_law(CONSENSUS, anchor(WORD), made).output, CODES)
    weight = Listed(MODELS[0], WORD).law(0.0) * np.exp(0.7 * output)
    _require_mean(samples.output, float(weight @ output / weight.sum()))


def test_networks_of_one_are_itself() -> None:
    assert networks_of(MODELS[0]) == [MODELS[0]]
    assert networks_of(CONSENSUS) == MODELS


@pytest.mark.parametrize("place", ["head", "representation"])
def test_bits_are_free_of_units(place: str) -> None:
    """Outputs, or a representation, 8 times as large: the same draws, letter by letter, at an eighth of beta."""
    other = small_model(seed=4)
    with torch.no_grad():
        for values in other.output.parameters() if place == "head" else other.layers[3].parameters():
            values.mul_(8.0)
    how, asked = run(chains=8, draws=50, max_steps=4000), law(None, keep=0.6)
    own, scaled = (sample_anchor(model, anchor(WORD), asked, how) for model in (MODELS[0], other))
    np.testing.assert_array_equal(scaled.codes, own.codes)
    np.testing.assert_allclose(scaled.energy, 8 * own.energy, rtol=1e-6)
    assert scaled.beta == pytest.approx(own.beta / 8, rel=1e-6)
    assert bits_of_law(scaled).value == pytest.approx(bits_of_law(own).value, rel=1e-6)
    assert information_of(scaled).total == pytest.approx(information_of(own).total, rel=1e-6)
    assert bits_of_law(own).value > 0.1
