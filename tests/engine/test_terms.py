"""Each term against a slow twin that works on strings, since no kernel test can see a wrong law."""

from math import exp, log, prod, sqrt

import numpy as np
import pytest
import torch
from exact import all_letters
from toy import SKEWED, network, weighted_distance

from maxent_cli.alphabet import decode, encode
from maxent_cli.engine.target import Terms, log_acceptance, log_base, start_state
from maxent_cli.engine.terms import background_rows, distance_of, doubled_odds, gc_field
from maxent_cli.models.protocol import one_hot

FREQUENCIES = dict(zip("ACGT", SKEWED.tolist(), strict=True))


def slow_row(letter: str, tether: float | None) -> dict[str, float]:
    """Frequencies at a position whose anchor letter this is."""
    if tether is None or letter == "N":
        return FREQUENCIES
    others = 1 - FREQUENCIES[letter]
    return {a: tether if a == letter else (1 - tether) * FREQUENCIES[a] / others for a in "ACGT"}


def slow_log_base(sequence: str, anchor: str, tether: float | None, mu: float) -> float:
    """Log-probability of a sequence's known letters under the tethered background, and mu on G and C."""
    total = 0.0
    for letter, kept in zip(sequence, anchor, strict=True):
        row = slow_row(kept, tether)
        weight = {a: row[a] * (exp(mu) if a in "GC" else 1) for a in "ACGT"}
        if letter != "N":
            total += log(weight[letter] / sum(weight.values()))
    return total


@pytest.mark.parametrize("tether", [None, 0.05, 0.4, 0.97])
def test_background_rows_are_those_of_the_slow_twin(tether):
    anchor = "GATTNCA"
    rows = background_rows(3 * SKEWED, encode(anchor), tether)
    expected = [list(slow_row(letter, tether).values()) for letter in anchor]
    np.testing.assert_allclose(rows, expected)
    np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_doubled_odds_are_twice_the_odds_of_each_letter():
    share = SKEWED / SKEWED.sum()
    tether = doubled_odds(3 * SKEWED)
    np.testing.assert_allclose(tether / (1 - tether), 2 * share / (1 - share))


def test_a_tether_may_differ_by_letter():
    tether, anchor = np.array([0.1, 0.4, 0.7, 0.9]), encode("ACGTNT")
    rows = background_rows(SKEWED, anchor, tether)
    each = [background_rows(SKEWED, anchor, float(share)) for share in tether]
    expected = [each[code if code < 4 else 0][position] for position, code in enumerate(anchor)]
    np.testing.assert_allclose(rows, expected)


def test_a_tether_equal_to_the_letters_frequency_changes_nothing():
    rows = background_rows(SKEWED, encode("CCCC"), 0.1)
    np.testing.assert_allclose(rows, np.tile(SKEWED, (4, 1)))


def test_background_rows_leave_their_arguments_alone():
    frequencies, anchor = SKEWED.copy(), encode("GATN")
    background_rows(frequencies, anchor, 0.4)
    np.testing.assert_array_equal(frequencies, SKEWED)
    assert decode(anchor) == "GATN"


@pytest.mark.parametrize("mu", [-1.3, 0.0, 0.7])
def test_a_gc_field_weighs_each_sequence_by_its_count(mu):
    """Listed: q(x) · exp(mu · N(x)), normalised, is the product of the tilted rows."""
    rows = background_rows(SKEWED, encode("GAT"), 0.5)
    tilted = gc_field(rows, mu)
    sequences = all_letters(3)
    weight = np.array([prod(rows[p, a] for p, a in enumerate(x)) for x in sequences])
    weight *= [exp(mu * sum(letter in "GC" for letter in decode(x))) for x in sequences]
    probability = [prod(tilted[p, a] for p, a in enumerate(x)) for x in sequences]
    np.testing.assert_allclose(probability, weight / weight.sum())


def test_the_gc_of_a_field_is_the_logistic_response():
    tilted = gc_field(np.tile(SKEWED, (5, 1)), 0.9)
    gc = 0.3
    np.testing.assert_allclose(tilted[:, 1:3].sum(axis=1), gc * exp(0.9) / (gc * exp(0.9) + 1 - gc))


@pytest.mark.parametrize("tether", [None, 0.4])
@pytest.mark.parametrize("mu", [0.0, -0.8])
def test_log_base_is_that_of_the_slow_twin(tether, mu):
    anchor = "GATTNCA"
    rows = gc_field(background_rows(SKEWED, encode(anchor), tether), mu)
    terms = Terms(lambda codes: codes.sum(-1).float(), rows, encode(anchor) < 4)
    sequences = ["GATTNCA", "CCCCNCC", "TTANNGG", "NNNNNNN"]
    codes = torch.from_numpy(np.stack([encode(x) for x in sequences]))
    expected = [slow_log_base(x, anchor, tether, mu) for x in sequences]
    np.testing.assert_allclose(log_base(terms, codes), expected, atol=1e-12)
    folded = log_base(terms, codes.reshape(2, 2, 7))
    np.testing.assert_allclose(folded, np.reshape(expected, (2, 2)), atol=1e-12)


def test_log_base_adds_every_constraint():
    def no_cg(codes):
        return torch.tensor([-torch.inf if "CG" in decode(x.numpy()) else 0.0 for x in codes])

    def per_t(codes):
        return torch.tensor([0.3 * decode(x.numpy()).count("T") for x in codes])

    rows = np.tile(SKEWED, (4, 1))
    terms = Terms(lambda codes: codes.sum(-1).float(), rows, np.ones(4, np.bool_), (no_cg, per_t))
    codes = torch.from_numpy(np.stack([encode(x) for x in ("ACGT", "TTAC")]))
    plain = slow_log_base("TTAC", "NNNN", None, 0.0)
    np.testing.assert_allclose(log_base(terms, codes), [-np.inf, plain + 0.6])


def slow_representation(sequence: str, kernel: np.ndarray, bias: np.ndarray) -> list[list[float]]:
    """A convolution and ReLU, letter by letter: a list of channels, each a list of positions."""
    width = kernel.shape[2]
    return [
        [
            max(0.0, float(b) + sum(float(weights["ACGT".index(sequence[start + k]), k]) for k in range(width)
                                    if sequence[start + k] != "N"))
            for start in range(len(sequence) - width + 1)
        ]
        for weights, b in zip(kernel, bias, strict=True)
    ]  # fmt: skip


def slow_distance(one: list[list[float]], other: list[list[float]], weights: np.ndarray) -> float:
    """sqrt of the sum over channels and positions of (weight · difference) squared."""
    total = 0.0
    for channel, (a, b) in enumerate(zip(one, other, strict=True)):
        for position, (x, y) in enumerate(zip(a, b, strict=True)):
            total += (float(weights[channel, position]) * (x - y)) ** 2
    return sqrt(total)


@pytest.fixture
def scan():
    model = network(6, torch.nn.Conv1d(4, 3, 3), torch.nn.ReLU())
    convolution = model.layers[0]
    kernel, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
    weights = torch.from_numpy(np.random.default_rng(4).normal(size=(3, 4)).astype(np.float32))
    return model, kernel, bias, weights


def test_weighted_distance_is_that_of_the_slow_twin(scan):
    model, kernel, bias, weights = scan
    sequences = ["GATTAC", "GATNAC", "CCGCGG", "NNNNNN", "TTTAAA", "ACGTAC"]
    codes = torch.from_numpy(np.stack([encode(x) for x in sequences]))
    with torch.no_grad():
        reference = model.representation(one_hot(codes[:1]))[0]
        energy = distance_of(model.representation(one_hot(codes)), weights, -weights * reference)
    anchor = slow_representation("GATTAC", kernel, bias)
    expected = [slow_distance(slow_representation(x, kernel, bias), anchor, weights.numpy()) for x in sequences]
    np.testing.assert_allclose(energy, expected, rtol=1e-5, atol=1e-6)
    assert energy[0] == pytest.approx(0, abs=1e-6)
    assert expected[2] > 0.1


def test_the_start_of_chains_holds_their_own_energy_and_log_weight(scan):
    model, kernel, bias, weights = scan
    energy = weighted_distance(model, weights, torch.zeros(3, 4))
    terms = Terms(energy, background_rows(SKEWED, encode("GATTAC"), 0.4), np.ones(6, np.bool_))
    sequences = ["CCGCGG", "ACGTAC"]
    codes = np.stack([encode(x) for x in sequences])
    state = start_state(terms, codes, np.zeros(2, np.uint64), torch.device("cpu"))
    none = np.zeros((3, 4)).tolist()
    expected = [slow_distance(slow_representation(x, kernel, bias), none, weights.numpy()) for x in sequences]
    np.testing.assert_allclose(state.energy, expected, rtol=1e-5)
    np.testing.assert_allclose(state.log_base, [slow_log_base(x, "GATTAC", 0.4, 0.0) for x in sequences])
    assert state.step == 0


def test_the_acceptance_ratio_is_that_of_metropolis_and_hastings():
    """p(x') q(x | x') / (p(x) q(x' | x)) from the four probabilities themselves."""
    base, new_base, energy, new_energy, beta, there, back = 0.02, 0.03, 1.3, 0.4, 2.5, 0.1, 0.25
    ratio = new_base * exp(-beta * new_energy) * back / (base * exp(-beta * energy) * there)
    got = log_acceptance(log(new_base) - log(base), beta, new_energy - energy, log(back) - log(there))
    assert got == pytest.approx(log(ratio))
