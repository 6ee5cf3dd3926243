"""The law that is built from a network: energy, weights and background, each against a slow twin."""

import numpy as np
import pytest
import torch
from small import SKEWED, anchor, law, run, saved, small_model, twin_background, twin_energy, words
from torch import Tensor, nn

from maxent_cli.alphabet import UNKNOWN, encode
from maxent_cli.data import Floats
from maxent_cli.engine.target import log_base
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import BATCH, anchored_law, evaluate, output_term, sums_of
from maxent_cli.interpret.sampling import sample_anchor
from maxent_cli.io.checkpoint import load_model
from maxent_cli.laws import ONE_LESS_ZERO, Outputs
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.protocol import one_hot

ANCHOR = "GATCA"
CODES = np.array([encode(word) for word in words(len(ANCHOR))])
MODEL = small_model()


def energies(model: LayeredModel = MODEL, **given: object) -> Floats:
    return evaluate(anchored_law(model, anchor(ANCHOR), law(1.0, **given)).terms.energy, CODES)


SEVERAL = {
    "weighted sum": (((0, 0.5), (1, -2.0)),),
    "two weighted sums": (((0, 0.5), (1, 1.0)), ((1, -2.0),)),
}


@pytest.mark.parametrize("output", ["1-0", "0", "1", "0,1", "1-0,1", *SEVERAL.values()], ids=str)
def test_energy_is_the_weighted_distance_not_squared(output: str | Outputs) -> None:
    twin = twin_energy(MODEL, ANCHOR, output)
    np.testing.assert_allclose(
        energies(output=output), [twin(word) for word in words(len(ANCHOR))], rtol=1e-4, atol=1e-6
    )


def test_energy_is_that_of_a_model_read_back(tmp_path) -> None:
    again, _ = load_model(saved(tmp_path / "model", MODEL))
    np.testing.assert_array_equal(energies(again), energies())


def test_energy_is_zero_at_the_anchor_and_nowhere_negative() -> None:
    found = energies()
    assert found[words(len(ANCHOR)).index(ANCHOR)] == pytest.approx(0, abs=1e-6)  # rounding may depend on the batch
    assert (found >= 0).all()
    assert (found > 0).mean() > 0.9


def test_a_difference_and_its_reverse_give_the_same_law() -> None:
    np.testing.assert_array_equal(energies(output="1-0"), energies(output="0-1"))
    straight, turned = (anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0, output=o)) for o in ("1-0", "0-1"))
    assert straight.anchor_output == -turned.anchor_output


@pytest.mark.parametrize(("output", "rows"), [("1-0", [-1, 1]), ("0-1", [1, -1]), ("0", [1, 0]), ("1", [0, 1])])
def test_weights_of_a_linear_head_are_the_output_layers(output: str, rows: list[int]) -> None:
    expected = torch.tensor(rows, dtype=torch.float32) @ MODEL.output.weight.detach()
    found = anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0, output=output))
    torch.testing.assert_close(found.weights, expected)
    assert not found.weights.requires_grad


class CurvedHead(nn.Module):
    """The small network with outputs r² and exp(r[0]) of its representation."""

    input_length = len(ANCHOR)

    def representation(self, inputs: Tensor) -> Tensor:
        return MODEL.representation(inputs)

    def head(self, representation: Tensor) -> Tensor:
        return torch.stack([(representation**2).sum(1), torch.exp(representation[:, 0])], 1)


def test_weights_of_a_head_that_is_not_linear_are_its_gradient_at_the_anchor() -> None:
    model = CurvedHead()
    with torch.no_grad():
        at = MODEL.representation(one_hot(torch.from_numpy(encode(ANCHOR))[None]))[0]
    found = anchored_law(model, anchor(ANCHOR, "a"), law(1.0, output="0"))
    torch.testing.assert_close(found.weights, 2 * at)
    pair = anchored_law(model, anchor(ANCHOR, "a"), law(1.0, output="0-1"))
    exponential = torch.zeros_like(at)
    exponential[0] = torch.exp(at[0])
    torch.testing.assert_close(pair.weights, 2 * at - exponential)


def test_an_output_that_does_not_depend_on_the_representation_is_an_error() -> None:
    model = small_model()
    with torch.no_grad():
        model.output.weight[1] = model.output.weight[0]
    with pytest.raises(InputError, match="chr1:5-10: the output does not depend on the representation"):
        anchored_law(model, anchor(ANCHOR, "chr1:5-10"), law(1.0))
    assert anchored_law(model, anchor(ANCHOR, "a"), law(1.0, output="1")).weights.any()


def test_the_output_before_the_softmax_is_reported() -> None:
    with torch.no_grad():
        outputs = MODEL(one_hot(torch.from_numpy(encode(ANCHOR))[None]))[0]
    found = anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0))
    assert found.anchor_output == pytest.approx(float(outputs[1] - outputs[0]), abs=1e-6)
    assert found.anchor_output == pytest.approx(
        evaluate(output_term(MODEL, ONE_LESS_ZERO), encode(ANCHOR)[None])[0], abs=1e-6
    )


@pytest.mark.parametrize(("tether", "mu"), [(None, 0.0), (0.4, 0.0), (None, 1.5), (0.55, -0.7)])
def test_background_is_that_of_the_strings_up_to_a_constant(tether: float | None, mu: float) -> None:
    terms = anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0, tether=tether, mu=mu)).terms
    np.testing.assert_allclose(terms.background.sum(axis=1), 1)
    ours = log_base(terms, torch.from_numpy(CODES)).numpy()
    theirs = np.array([twin_background(word, ANCHOR, tether, mu) for word in words(len(ANCHOR))])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], atol=1e-9)


def test_a_tether_gives_the_anchors_letter_its_share() -> None:
    rows = anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0, tether=0.4)).terms.background
    np.testing.assert_allclose(rows[np.arange(5), encode(ANCHOR)], 0.4)
    np.testing.assert_allclose(rows[1, 1:] / rows[1, 1], np.array(SKEWED[1:]) / SKEWED[1])


def test_unknown_letters_of_the_anchor_are_fixed() -> None:
    terms = anchored_law(MODEL, anchor("GANCA", "a"), law(1.0, tether=0.4)).terms
    assert terms.mutable.tolist() == [True, True, False, True, True]
    samples = sample_anchor(MODEL, anchor("GANCA"), law(5.0), run(chains=4, draws=10, thin=5, warmup=0))
    assert (samples.codes[..., 2] == UNKNOWN).all()


def test_weighted_sums_of_outputs() -> None:
    outputs = torch.tensor([[[1.0, 2.0, 5.0]], [[0.0, 4.0, 1.0]]])
    assert sums_of(outputs, (((2, 1.0),),)).tolist() == [[[5.0]], [[1.0]]]
    assert sums_of(outputs, (((2, 1.0), (1, -1.0)), ((0, 0.5),))).tolist() == [[[3.0, 0.5]], [[-3.0, 0.0]]]


def test_the_output_of_several_is_their_mean() -> None:
    found = anchored_law(MODEL, anchor(ANCHOR), law(1.0, output="0,1"))
    with torch.no_grad():
        outputs = MODEL(one_hot(torch.from_numpy(CODES[:9])))
    np.testing.assert_allclose(evaluate(found.output, CODES[:9]), outputs.mean(1), rtol=1e-6)
    assert found.anchor_output == pytest.approx(evaluate(found.output, encode(ANCHOR)[None])[0], abs=1e-6)


def test_terms_are_evaluated_in_any_shape() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (3, BATCH // 2, 5), np.uint8)  # more than one batch
    term = anchored_law(MODEL, anchor(ANCHOR, "a"), law(1.0)).terms.energy
    values = evaluate(term, codes)
    assert values.shape == (3, BATCH // 2)
    assert values.dtype == np.float64
    assert values[2, 7] == pytest.approx(evaluate(term, codes[2, 7]).item(), abs=1e-6)
