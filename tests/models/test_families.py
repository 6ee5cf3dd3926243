"""Published shapes: how many weights, what they give, where they are cut, and which run in the compiled chain."""

import pytest
import torch
from torch import nn

from maxent_cli.errors import InputError
from maxent_cli.interpret.plan import NotAStack, read_layers
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.families import FAMILIES

# name -> arguments that make it small, head, weights of the published shape, outputs, what enters the head
SHAPES: dict[str, tuple[dict[str, int], str | None, int, int, int]] = {
    "basset": ({}, None, 4_135_064, 164, 1000),
    "deepsea": ({}, None, 52_843_119, 919, 925),
    "deepstarr": ({}, None, 622_722, 2, 256),
    "deepbind": ({}, None, 2_129, 1, 32),
    "bpnet": ({"input_length": 300, "output_length": 100}, "counts", 109_122, 1, 64),
    "chrombpnet-nobias": ({"input_length": 300, "output_length": 100, "filters": 16}, "counts", 6_377_986, 1, 16),
}
COMPILED = ("basset", "deepsea", "deepstarr", "deepbind", "bpnet", "chrombpnet-nobias")


def weights(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def test_all_families_are_checked() -> None:
    assert SHAPES.keys() | {"chrombpnet"} == FAMILIES.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_a_family_has_as_many_weights_as_were_published(name: str) -> None:
    with torch.device("meta"):
        assert weights(FAMILIES[name]()) == SHAPES[name][2]


@pytest.mark.parametrize("name", SHAPES)
def test_its_outputs_and_representation_are_found(name: str) -> None:
    arguments, head, _, outputs, units = SHAPES[name]
    torch.manual_seed(1)
    network = FAMILIES[name](**arguments)
    adapted = AdaptedNetwork(network, network.input_length, Reading(head=head), name)
    one_hot = torch.eye(4)[torch.randint(0, 4, (2, network.input_length))].mT
    with torch.no_grad():
        entering = adapted.representation(one_hot)
        torch.testing.assert_close(adapted.head(entering), adapted(one_hot))
    assert adapted.outputs == outputs
    if units:
        assert entering.shape == (2, units)


@pytest.mark.parametrize("name", COMPILED)
def test_stacks_are_read_for_the_compiled_chain(name: str) -> None:
    arguments, head, *_ = SHAPES[name]
    network = FAMILIES[name](**arguments)
    assert read_layers(AdaptedNetwork(network, network.input_length, Reading(head=head), name))


def test_a_tower_with_controls_is_no_stack() -> None:
    """Its zeros stand for what somebody measured."""
    network = FAMILIES["bpnet"](filters=8, layers=2, input_length=200, output_length=100, controls=2)
    with pytest.raises(NotAStack, match="pad"):
        read_layers(AdaptedNetwork(network, 200, Reading(head="counts"), "bpnet"))


def test_counts_of_two_models_have_no_representation_of_their_own() -> None:
    """ChromBPNet's counts are a sum of two: what is meant is the model without bias."""
    sizes = {"filters": 16, "bias_filters": 8, "input_length": 300, "output_length": 100}
    network = FAMILIES["chrombpnet"](**sizes)
    with pytest.raises(InputError, match="has no linear layer through whose input alone"):
        AdaptedNetwork(network, 300, Reading(head="counts"), "chrombpnet")
    one_hot = torch.rand(3, 4, 300)
    with torch.no_grad():
        bias, plain, whole = network.bias(one_hot), network.accessibility(one_hot), network(one_hot)
    torch.testing.assert_close(whole["counts"].exp(), bias["counts"].exp() + plain["counts"].exp())
    torch.testing.assert_close(whole["profile"], bias["profile"] + plain["profile"])


def test_a_profile_is_as_long_as_it_is_told_to_be() -> None:
    network = FAMILIES["bpnet"](filters=8, layers=2, input_length=300, output_length=120, strands=2, controls=1).eval()
    with torch.no_grad():
        found = network(torch.rand(3, 4, 300))
    assert found["profile"].shape == (3, 2, 120)
    assert found["counts"].shape == (3, 1)
    with pytest.raises(ValueError, match="leave no room"):
        FAMILIES["bpnet"](input_length=200, output_length=180)
