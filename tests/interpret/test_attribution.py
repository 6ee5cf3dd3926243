"""Attributions of small networks: by listing, by differences, and by what they must add up to."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import SKEWED, anchor, anchors, attributed, hidden_units, outputs_held, small_model
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from torch import Tensor, nn
from torch.nn import functional

from maxent_cli.alphabet import LETTERS, encode
from maxent_cli.data import Sequences
from maxent_cli.errors import InputError
from maxent_cli.interpret import attribution
from maxent_cli.interpret.attribution import METHODS, Attribution, AttributionSettings, Question
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.protocol import SequenceModel

ANCHOR = "GATCATTGCA"
MODEL = small_model(len(ANCHOR))


def settings(method: str, output: str = "1-0", **given: object) -> AttributionSettings:
    return AttributionSettings(
        **({"method": method, "outputs": outputs_held(output), "background": SKEWED} | RUN | given)
    )


RUN = {"references": 8, "steps": 30, "seed": 1}


def scored(method: str, model: SequenceModel = MODEL, around: Sequences | None = None, **given: object) -> Attribution:
    """The attribution of one anchor."""
    (found,) = attributed(model, around or anchors(ANCHOR), settings(method, **given))
    return found


def adapted(network: nn.Module, **reading: object) -> AdaptedNetwork:
    return AdaptedNetwork(network.eval(), len(ANCHOR), Reading(**reading), "net")


def twin_output(word: str) -> float:
    """Output 1 less output 0, a letter at a time."""
    rows, bias = MODEL.output.weight.detach().double().numpy(), MODEL.output.bias.detach().double().numpy()
    outputs = rows @ hidden_units(MODEL)(word) + bias
    return float(outputs[1] - outputs[0])


def changed(word: str, place: int, letter: str) -> str:
    return word[:place] + letter + word[place + 1 :]


class Plain(nn.Module):
    """Layers on flattened letters."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(40, 6), *layers, nn.Linear(6, 2))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)


@pytest.mark.parametrize("full", [False, True], ids=["compiled", "full passes"])
@pytest.mark.parametrize("word", [ANCHOR, "GATCANTGCA"])
def test_mutagenesis_is_every_changed_sequence_one_by_one(
    word: str, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if full:
        monkeypatch.setattr(attribution, "_compiled", lambda *_: None)
    changing = replace(anchors(word), mutable=np.ones((1, len(word)), np.bool_))
    found = scored("mutagenesis", around=changing)
    own = twin_output(word.replace("N", "A")) if "N" not in word else found.output
    listed = np.array([[_output(changed(word, p, letter)) for p in range(len(word))] for letter in LETTERS])
    mean = np.array(SKEWED) @ listed
    np.testing.assert_allclose(found.given.hypothetical, listed - mean, atol=1e-5)
    np.testing.assert_allclose(found.given.scores, own - mean, atol=1e-5)
    assert (found.given.drift is None) == full
    assert np.ptp(listed) > 0.01


def _output(word: str) -> float:
    """By the slow twin where all letters are known."""
    if "N" not in word:
        return twin_output(word)
    codes = torch.from_numpy(encode(word))
    with torch.no_grad():
        outputs = MODEL(attribution.one_hot(codes[None]))[0].double()
    return float(outputs[1] - outputs[0])


def test_mutagenesis_is_that_of_another_implementation() -> None:
    """Which takes the mean over letters that are all as frequent."""
    found = scored("mutagenesis", background=(0.25,) * 4, output="1")
    one = functional.one_hot(torch.from_numpy(encode(ANCHOR)).long(), 4).float().T[None]
    other = saturation_mutagenesis(MODEL, one, target=1, hypothetical=True, device="cpu")[0].numpy()
    np.testing.assert_allclose(found.given.hypothetical, other, atol=1e-6)


@pytest.mark.parametrize("network", [MODEL, adapted(Plain(nn.Tanh()))], ids=["ours", "somebody's"])
def test_gradients_are_differences(network: SequenceModel) -> None:
    """Each of the 40 numbers that a network reads is moved a little, in double precision."""
    question = Question(network, anchor(ANCHOR), settings("saliency"))
    gradient = question.gradient()
    at = question.encoded(question.codes[None])[0]
    step, moves = 1e-2, torch.eye(40).reshape(40, 4, 10)
    with torch.no_grad():
        ends = [question.value(at + sign * step * moves).double().numpy() for sign in (1, -1)]
    np.testing.assert_allclose(gradient.ravel(), (ends[0] - ends[1]) / (2 * step), atol=2e-4)
    found = scored("saliency", network).given
    np.testing.assert_array_equal(found.hypothetical, np.abs(gradient))
    np.testing.assert_array_equal(found.scores, np.abs(gradient).max(axis=0))
    found = scored("input-x-gradient", network).given
    np.testing.assert_array_equal(found.hypothetical, gradient)
    np.testing.assert_array_equal(found.scores, gradient[encode(ANCHOR), np.arange(10)])
    assert np.abs(gradient).max() > 0.01


@pytest.mark.parametrize("method", ["deeplift", "integrated-gradients", "mutagenesis", "input-x-gradient"])
def test_of_a_linear_network_every_method_gives_the_weights(method: str) -> None:
    network = adapted(Plain(nn.Identity()))
    first, last = network.network.layers[1].weight, network.network.layers[3].weight
    weights = ((last[1] - last[0]) @ first).reshape(4, 10).double().numpy()
    found = scored(method, network, steps=2).given
    if method == "mutagenesis":
        weights = weights - np.array(SKEWED) @ weights
    if method in ("deeplift", "integrated-gradients"):
        question = Question(network, anchor(ANCHOR), settings(method))
        references = np.eye(4)[question.references()]  # (R, L, 4)
        each = weights.T - np.einsum("rla,al->rl", references, weights)[..., None]
        np.testing.assert_allclose(
            found.errors, each[:, np.arange(10), encode(ANCHOR)].std(0, ddof=1) / 8**0.5, rtol=1e-3
        )
        weights = each.mean(0).T
    np.testing.assert_allclose(found.hypothetical, weights, atol=1e-6)
    np.testing.assert_allclose(found.scores, weights[encode(ANCHOR), np.arange(10)], atol=1e-6)


@pytest.mark.parametrize(("method", "most"), [("deeplift", 1e-5), ("integrated-gradients", 0.02)])
def test_scores_add_up_to_the_output_less_that_of_the_references(method: str, most: float) -> None:
    found = scored(method, steps=100)
    sums = found.given.completeness
    assert sums is not None
    question = Question(MODEL, anchor(ANCHOR), settings(method))
    outputs = question.values(question.references())
    assert found.output == pytest.approx(twin_output(ANCHOR), abs=1e-5)
    assert sums.reference_output == pytest.approx(outputs.mean())
    assert sums.reference_error == pytest.approx(outputs.std(ddof=1) / 8**0.5)
    assert found.given.scores.sum() == pytest.approx(found.output - outputs.mean(), abs=most)
    assert sums.share <= most
    assert sums.error == pytest.approx(sums.reference_error, abs=most)  # the sum differs by the output alone
    assert sums.delta == pytest.approx(sums.share * np.abs(found.output - outputs).mean())


def test_one_step_of_the_way_is_too_few_and_is_seen() -> None:
    sums = scored("integrated-gradients", adapted(Plain(nn.Sigmoid(), nn.Tanh())), steps=2).given.completeness
    more = scored("integrated-gradients", steps=2).given.completeness
    assert sums is not None
    assert more is not None
    assert sums.share < attribution.COMPLETE["integrated-gradients"] < more.share


class Gated(nn.Module):
    """Two halves of a layer multiplied, which DeepLIFT does not know."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first, self.last = nn.Linear(40, 12), nn.Linear(6, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        one, other = self.first(inputs.flatten(1)).chunk(2, 1)
        return self.last(one * other.sigmoid())


def test_deeplift_of_what_it_does_not_know_is_seen() -> None:
    sums = scored("deeplift", adapted(Gated())).given.completeness
    assert sums is not None
    assert sums.share > 10 * attribution.COMPLETE["deeplift"]


@pytest.mark.parametrize("method", METHODS)
def test_held_positions_have_no_score_and_references_have_their_letters(method: str) -> None:
    mutable = np.ones((1, 10), np.bool_)
    mutable[0, [2, 5, 9]] = False
    given = replace(anchors("GANCATTGCA"), mutable=mutable)
    found = scored(method, around=given)
    assert not found.given.scores[~mutable[0]].any()
    assert not found.given.hypothetical[:, ~mutable[0]].any()
    assert found.given.scores[mutable[0]].all()
    references = Question(MODEL, given.anchor(0), settings(method)).references()
    assert (references[:, ~mutable[0]] == given.codes[0, ~mutable[0]]).all()


def test_references_are_of_the_background_and_of_seed_and_record_alone() -> None:
    def drawn(name: str = "a0", **given: object) -> np.ndarray:
        return Question(MODEL, anchor(ANCHOR, name), settings("deeplift", **given)).references()

    many = drawn(references=4000)
    shares = np.bincount(many.ravel(), minlength=4) / many.size
    np.testing.assert_allclose(shares, SKEWED, atol=0.01)
    np.testing.assert_array_equal(drawn(), many[:8])
    assert not np.array_equal(drawn(), drawn("a1"))
    assert not np.array_equal(drawn(), drawn(seed=2))


def test_errors_are_those_between_seeds() -> None:
    """Of scores from few references: their spread over seeds is the error that is given."""
    found = [scored("deeplift", seed=seed) for seed in range(60)]
    spread = np.std([one.given.scores for one in found], axis=0, ddof=1)
    said = np.sqrt(np.mean([np.square(one.given.errors) for one in found], axis=0))
    np.testing.assert_allclose(np.median(spread / said), 1, atol=0.15)


@pytest.mark.parametrize("method", METHODS)
def test_an_anchors_scores_are_its_own_whatever_the_threads_and_neighbours(method: str) -> None:
    many = anchors(ANCHOR, "CCGTATTACG", "TTTTACGCAA")
    alone = scored(method, around=many.take(np.array([1])))
    for threads in (1, 2):
        found = list(attributed(MODEL, many, settings(method), threads))
        assert [one.name for one in found] == ["a0", "a1", "a2"]
        np.testing.assert_array_equal(found[1].given.hypothetical, alone.given.hypothetical)


class Counting(nn.Module):
    """Letters are looked up, so that no gradient comes back."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.table, self.last = nn.Embedding(4, 3), nn.Linear(30, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.table(inputs.argmax(1)).flatten(1))


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"mutagenesis", "prefix"}))
def test_a_network_without_gradients_is_refused_with_a_cure(method: str) -> None:
    with pytest.raises(InputError, match=r"a0: .* cannot go through this network .*; use --method mutagenesis"):
        scored(method, adapted(Counting()))


def test_a_network_without_gradients_has_mutagenesis() -> None:
    assert scored("mutagenesis", adapted(Counting())).given.scores.any()
    assert scored("prefix", adapted(Counting())).given.scores.any()


class Bent(nn.Module):
    """A head that is not linear: the compiled kernel must not take it for one."""

    def __init__(self) -> None:
        super().__init__()
        self.net = small_model(10)

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.softplus(4 * self.net.output(self.net.layers(inputs)))


def test_a_head_that_is_not_linear() -> None:
    network = adapted(Bent(), layer="net.output")
    found = scored("mutagenesis", network, output="1")
    question = Question(network, anchor(ANCHOR), settings("mutagenesis", output="1"))
    codes = np.repeat(encode(ANCHOR)[None], 4, 0)
    codes[:, 3] = range(4)
    values = question.values(codes)
    np.testing.assert_allclose(found.given.hypothetical[:, 3], values - np.array(SKEWED) @ values, atol=1e-5)
    assert found.given.drift is not None


BROKEN: dict[str, Callable[[attribution.Floats], attribution.Floats]] = {
    "another letter": lambda values: np.roll(values, 1),
    "off": lambda values: values + 0.01,
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_compiled_kernel_that_is_wrong_does_not_serve(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, compiled = scored("mutagenesis").given, attribution._compiled
    monkeypatch.setattr(attribution, "_compiled", lambda *given: BROKEN[how](compiled(*given)))
    found = scored("mutagenesis").given
    assert found.drift is None
    np.testing.assert_allclose(found.hypothetical, right.hypothetical, atol=1e-5)
