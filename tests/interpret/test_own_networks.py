"""The law of somebody's network: one definition of w for linear and other heads; the compiled chain on a stack."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small import anchor, law, run, small_model
from torch import Tensor, nn

from maxent_cli.alphabet import encode
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import LawSettings, anchored_law
from maxent_cli.interpret.sampling import prepare, ready
from maxent_cli.models.adapter import AdaptedNetwork, Reading

ANCHOR = "GATCATTGCA"
MODEL = small_model(len(ANCHOR))
LAYER = "layers.3"  # the hidden linear layer


def adapted(layer: str | None = None, network: nn.Module = MODEL) -> AdaptedNetwork:
    return AdaptedNetwork(network, len(ANCHOR), Reading(layer=layer), "net")


def one_hot() -> Tensor:
    return F.one_hot(torch.from_numpy(encode(ANCHOR)).long(), 4).float().T[None]


@pytest.mark.parametrize("output", ["0", "1-0"])
def test_for_a_linear_head_w_is_the_output_layers_weights(output: str) -> None:
    found = anchored_law(adapted(), anchor(ANCHOR, "a"), law(1.0, output=output))
    rows = MODEL.output.weight
    torch.testing.assert_close(found.weights, rows[0] if output == "0" else rows[1] - rows[0])
    torch.testing.assert_close(found.reference, MODEL.representation(one_hot())[0])


@pytest.mark.parametrize("output", ["0", "1-0"])
def test_for_another_head_w_is_the_gradient_at_the_anchor(output: str) -> None:
    """By differences: each unit of the representation is moved, and the rest of the network run by hand."""
    found = anchored_law(adapted(LAYER), anchor(ANCHOR, "a"), law(1.0, output=output))
    with torch.no_grad():
        point = MODEL.layers[:3](one_hot())[0].double()
        rest = nn.Sequential(*MODEL.layers[3:], MODEL.output).double()
        moved = torch.cat([point + 1e-6 * torch.eye(len(point)), point - 1e-6 * torch.eye(len(point))])
        outputs = rest(moved)
        rest.float()
    chosen = outputs[:, 0] if output == "0" else outputs[:, 1] - outputs[:, 0]
    gradient = (chosen[: len(point)] - chosen[len(point) :]) / 2e-6
    torch.testing.assert_close(found.weights.double(), gradient, atol=1e-6, rtol=1e-4)
    assert gradient.any()


class Saturated(nn.Module):
    """Its last layer hears nothing from the hidden layer at some sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(40, 3), nn.Linear(3, 1)
        with torch.no_grad():
            self.hidden.weight.fill_(0)
            self.hidden.weight[:, :10] = -0.2  # against A
            self.hidden.bias.fill_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        return self.output(F.relu(self.hidden(x.flatten(1))))


def test_a_gradient_of_zero_is_an_error_that_names_the_anchor() -> None:
    model = adapted("hidden", Saturated())
    settings = LawSettings((((0, 1.0),),), (0.25, 0.25, 0.25, 0.25), None, 1.0)
    with pytest.raises(InputError, match=r"^chr1:5-15: the output does not depend on the representation here"):
        anchored_law(model, anchor("A" * 10, "chr1:5-15"), settings)
    assert anchored_law(model, anchor("C" * 10, "a"), settings).weights.any()


class ChannelsLast(nn.Module):
    """A stack that turns its input and flattens by a view."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.norm, self.hidden = nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), nn.Linear(48, 5)
        self.output = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, 4) to probabilities (B, 2)."""
        x = F.relu(self.norm(self.scan(x.permute(0, 2, 1))))
        return torch.softmax(self.output(F.relu(self.hidden(x.view(x.size(0), -1)))), 1)


@pytest.mark.parametrize("layer", [None, "hidden"])
def test_a_stack_runs_in_the_compiled_kernel_whatever_its_letters_and_layout(layer: str | None) -> None:
    torch.manual_seed(3)
    model = AdaptedNetwork(ChannelsLast(), len(ANCHOR), Reading("TGAC", True, layer=layer), "net")
    ready(model)
    setting = prepare(model, anchor(ANCHOR), law(1.0), run(), 1)
    assert setting.kernel_name == "compiled"
    assert setting.drift < 1e-5 * setting.reference.energy_spread
    codes = np.random.default_rng(0).integers(0, 4, (5, len(ANCHOR)), dtype=np.uint8)
    assert np.ptp(setting.energies(codes)) > 0


class Attentive(ChannelsLast):
    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 2)."""
        x = F.relu(self.norm(self.scan(x)))
        return self.output(F.relu(self.hidden((x * torch.softmax(x, 2)).flatten(1))))


def test_what_is_no_stack_has_a_surrogate_of_what_can_be_read_and_full_passes_where_that_is_no_help() -> None:
    model = adapted(None, Attentive())
    ready(model)
    setting = prepare(model, anchor(ANCHOR), law(1.0), run(), 1)
    assert setting.kernel_name == "surrogate"
    assert setting.apprentice.teacher.name == "cut after 1 convolution"
    assert setting.plain.kernel_name.startswith("full passes (")
    for given in ({"moves": "letters"}, {"warmup": 0}):
        assert prepare(model, anchor(ANCHOR), law(1.0), run(**given), 1).kernel_name.startswith("full passes (")


def test_only_mutable_positions_change() -> None:
    mutable = np.zeros(len(ANCHOR), np.bool_)
    mutable[2:5] = True
    found = anchored_law(MODEL, anchor("GANCATTGCA", mutable=mutable), law(1.0))
    np.testing.assert_array_equal(np.flatnonzero(found.terms.mutable), [2, 3, 4])
    found = anchored_law(MODEL, anchor("GANCATTGCA", "a"), law(1.0))
    np.testing.assert_array_equal(np.flatnonzero(~found.terms.mutable), [2])
    with pytest.raises(InputError, match="a0: none of its positions may change"):
        anchored_law(MODEL, anchor("GANCATTGCA", mutable=np.zeros(10, np.bool_)), law(1.0))
