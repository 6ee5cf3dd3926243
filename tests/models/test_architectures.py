"""The networks: sizes as published, the split at the head, and what the compiled chain asks of them."""

import pytest
import torch
from torch import nn

from maxent_cli.models.architectures import ARCHITECTURES, LayeredModel, build, width_of
from maxent_cli.models.protocol import SequenceModel

LENGTH = 100
COMPILED = (nn.Conv1d, nn.BatchNorm1d, nn.ReLU, nn.MaxPool1d, nn.AvgPool1d, nn.Flatten, nn.Dropout, nn.Linear)


@pytest.fixture(params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> LayeredModel:
    return build(request.param, LENGTH, {}, seed=3).eval()


@pytest.mark.parametrize(("length", "weights"), [(101, 505_710), (100, 499_310)])
def test_published_network_has_its_published_size(length: int, weights: int) -> None:
    network = build("finnegan2017", length, {}, seed=1)
    assert sum(parameter.numel() for parameter in network.parameters()) == weights


def test_published_network_has_its_published_layers() -> None:
    network = build("finnegan2017", 101, {}, seed=1)
    assert [type(layer) for layer in network.layers] == [
        nn.Conv1d, nn.ReLU, nn.Flatten, nn.Linear, nn.ReLU, nn.Dropout,
    ]  # fmt: skip
    assert network.layers[0].weight.shape == (64, 4, 24)
    assert network.output.weight.shape == (2, 100)


def test_head_of_representation_is_forward(model: LayeredModel) -> None:
    one_hot = torch.eye(4)[torch.randint(4, (5, LENGTH))].transpose(1, 2)
    representation = model.representation(one_hot)
    assert isinstance(model, SequenceModel)
    assert representation.shape == (5, model.output.in_features)
    assert torch.equal(model.head(representation), model(one_hot))
    assert torch.allclose(model(one_hot), representation @ model.output.weight.T + model.output.bias, atol=1e-6)


@pytest.mark.parametrize("name", ["convnet", "finnegan2017", "nucleosome"])
def test_layers_are_those_of_the_compiled_chain_each_used_once(name: str) -> None:
    layers = list(build(name, LENGTH, {}, seed=3).layers)
    assert all(type(layer) in COMPILED for layer in layers)
    assert len(set(map(id, layers))) == len(layers)
    assert all(layer.stride == (1,) for layer in layers if isinstance(layer, nn.Conv1d))


def test_same_seed_same_weights_whatever_the_global_generator(model: LayeredModel) -> None:
    name = next(name for name in ARCHITECTURES if type(model.layers) and _equal(build(name, LENGTH, {}, 3), model))
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    assert _equal(build(name, LENGTH, {}, seed=3), model)
    assert not _equal(build(name, LENGTH, {}, seed=4), model)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_units_are_those_that_the_layers_give() -> None:
    scan = nn.Sequential(nn.Conv1d(4, 3, 5, stride=2, padding=3, dilation=2), nn.BatchNorm1d(3), nn.MaxPool1d(3, 2, 1))
    layers = [*scan, nn.AvgPool1d(2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 11, 7)]
    for count in range(1, len(layers) + 1):
        some = nn.Sequential(*layers[:count]).eval()
        assert width_of(some, 50) == some(torch.zeros(1, 4, 50)).numel()


def test_blocks_of_the_residual_architecture_add_to_what_they_read() -> None:
    """Written out by hand, with the dilations that were asked for."""
    model = build("residual", LENGTH, {"filters": 6, "width": 5, "blocks": 3, "hidden": 4}, seed=3).eval()
    one_hot = torch.eye(4)[torch.randint(4, (5, LENGTH))].transpose(1, 2)
    weights = dict(model.named_parameters())
    x = torch.conv1d(one_hot, weights["layers.0.weight"], weights["layers.0.bias"], padding=2).relu()
    for number, dilation in enumerate((2, 4, 8)):
        kernel, bias = (weights[f"layers.{2 + number}.layers.0.{name}"] for name in ("weight", "bias"))
        x = x + torch.conv1d(x, kernel, bias, padding=dilation, dilation=dilation).relu()
    hidden = (x.mean(-1) @ weights["layers.7.weight"].T + weights["layers.7.bias"]).relu()
    assert torch.allclose(model.representation(one_hot), hidden, atol=1e-6)
    assert set(weights) - {"output.weight", "output.bias"} == {
        f"layers.{layer}.{kind}"
        for layer in ("0", "2.layers.0", "3.layers.0", "4.layers.0", "7")
        for kind in ("weight", "bias")
    }


@pytest.mark.parametrize(
    ("name", "weights"),
    [("deepmotif-cnn", 128 * (9 * 4 + 5 * 128 + 3 * 128 + 3)), ("deepmotif-rnn", 0), ("deepmotif-cnn-rnn", 128 * 37)],
)
def test_networks_of_the_dashboard_have_their_published_sizes(name: str, weights: int) -> None:
    network = build(name, 101, {}, seed=1)
    channels = 4 if name == "deepmotif-rnn" else 128
    states = 0 if name == "deepmotif-cnn" else 2 * 4 * 32 * (channels + 32 + 2)
    counted = sum(parameter.numel() for parameter in network.layers.parameters())
    assert counted == weights + states
    assert network.output.in_features == (128 if name == "deepmotif-cnn" else 64)


def test_an_lstm_of_the_dashboard_is_two_averaged_and_begins_open() -> None:
    """Written out by hand, from the left and from the right."""
    model = build("deepmotif-rnn", 12, {"states": 3}, seed=2).eval()
    one_hot, weights = torch.eye(4)[torch.randint(4, (5, 12))].transpose(1, 2), dict(model.named_parameters())
    means = []
    for suffix, positions in (("", range(12)), ("_reverse", reversed(range(12)))):
        into, back, first, second = (
            weights[f"layers.0.lstm.{kind}_l0{suffix}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        assert torch.equal(first, torch.repeat_interleave(torch.tensor([0.0, 1, 0, 0]), 3))
        assert not second.any()
        hidden, cell, states = torch.zeros(5, 3), torch.zeros(5, 3), []
        for position in positions:
            gates = one_hot[..., position] @ into.T + hidden @ back.T + first
            enter, forget, new, leave = gates.chunk(4, dim=1)
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = leave.sigmoid() * cell.tanh()
            states.append(hidden)
        means.append(torch.stack(states).mean(0))
    assert torch.allclose(model.representation(one_hot), torch.cat(means, 1), atol=1e-6)


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if not name.endswith("rnn")])
def test_too_short_input_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match="need more than 6 letters"):
        build(architecture, 6, {}, seed=1)


def _equal(one: LayeredModel, other: LayeredModel) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)
