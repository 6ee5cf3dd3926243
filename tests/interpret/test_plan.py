"""What a plan is read from, and why a network is refused. What plans compute: engine/test_incremental.py."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from toy import ToyNetwork, Written, network

from maxent_cli.engine import layers as kind_of
from maxent_cli.engine.incremental import last_values
from maxent_cli.engine.layers import Plan
from maxent_cli.interpret.plan import NotAStack, _as_steps, as_representation, read_plan
from maxent_cli.models.architectures import ARCHITECTURES, build
from maxent_cli.models.protocol import SequenceModel, one_hot

LENGTH = 12


def plan_of(model: SequenceModel) -> Plan:
    with torch.no_grad():
        reference = model.representation(torch.zeros(1, 4, model.input_length))[0]
    return read_plan(model, reference, torch.ones_like(reference))


def kinds(plan: Plan) -> list[tuple[int, int]]:
    """Kind and function of each layer."""
    return [tuple(row[:2].tolist()) for row in plan.table]


written = partial(Written, LENGTH)


def conv(*more: int, **options: object) -> nn.Conv1d:
    return nn.Conv1d(4, *(more or (4, 3)), **options)


def residual(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    scanned = first(x).relu()
    return second(scanned) + scanned


def scaled(x: Tensor, first: nn.Module) -> Tensor:
    found = first(x)
    return found * found.mean(2, keepdim=True)


def cropped_by_data(x: Tensor, first: nn.Module) -> Tensor:
    found = first(x)
    return found[:, :, : found.argmax()]


def depends_on_data(x: Tensor, first: nn.Module) -> Tensor:
    return first(x).relu() if x.sum() > 0 else first(x)


def unused_end(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    scanned = first(x)
    second(scanned)
    return scanned


def weighted(x: Tensor, first: nn.Module) -> Tensor:
    return first(x) * 2


BN = nn.BatchNorm1d
REFUSED: dict[str, tuple[Callable[[], SequenceModel], str]] = {
    "an addition of two shapes": (
        lambda: written(residual, conv(), nn.Conv1d(4, 1, 3, padding=1)),
        "layers of two shapes",
    ),
    "an addition of the letters": (
        lambda: written(lambda x, c: c(x) + x, conv(padding=1)),
        "adds the letters themselves",
    ),
    "a crop by data": (lambda: written(cropped_by_data, conv()), "argmax: .* is not a layer it knows"),
    "a product of two layers": (lambda: written(scaled, conv()), "reads several layers, and is no sum of two"),
    "the letters beside a layer": (
        lambda: written(lambda x, c: torch.cat([c(x), x], 1), conv(padding=1)),
        "joins the letters themselves",
    ),
    "positions in a row": (
        lambda: written(lambda x, c: torch.cat([c(x), c(x)], 2), conv()),
        "joins other than channels",
    ),
    "joined layers that were flattened": (
        lambda: written(lambda x, c: torch.cat([c(x).flatten(1), c(x).flatten(1)], 1), conv()),
        "or that were flattened",
    ),
    "pooled letters added": (
        lambda: written(lambda x, c: c(x) + x[:, :, 1:-1], conv()),
        "the first layer is neither",
    ),
    "a crop of channels": (lambda: written(lambda x, c: c(x)[:, 1:], conv()), "other than some positions in a row"),
    "a mean over channels": (lambda: written(lambda x, c: c(x).mean(1), conv()), "not one over positions alone"),
    "code that depends on data": (lambda: written(depends_on_data, conv()), "its code depends on the data"),
    "arithmetic": (lambda: written(weighted, conv()), "mul: .* is not a layer it knows"),
    "a GRU": (
        lambda: written(lambda x, gru: gru(x.transpose(1, 2))[0], nn.GRU(4, 3, batch_first=True)),
        "GRU is not a layer it knows",
    ),
    "an LSTM of the batch": (
        lambda: written(lambda x, lstm: lstm(x.permute(0, 2, 1))[0], nn.LSTM(4, 3)),
        "an LSTM reads other than positions",
    ),
    "an LSTM of the channels": (
        lambda: written(lambda x, lstm: lstm(x)[0], nn.LSTM(LENGTH, 3, batch_first=True)),
        "an LSTM reads other than positions",
    ),
    "projected states": (
        lambda: written(lambda x, lstm: lstm(x.transpose(1, 2))[0], nn.LSTM(4, 3, batch_first=True, proj_size=2)),
        "projects its states",
    ),
    "the last cells of an LSTM": (
        lambda: written(lambda x, lstm: lstm(x.transpose(1, 2))[1][0], nn.LSTM(4, 3, batch_first=True)),
        "takes other than the states of an LSTM",
    ),
    "a state of an LSTM, by channel": (
        lambda: written(lambda x, lstm: lstm(x.transpose(1, 2))[0][:, :, 1], nn.LSTM(4, 3, batch_first=True)),
        "other than some positions in a row",
    ),
    "a transposed convolution": (
        lambda: network(LENGTH, nn.ConvTranspose1d(4, 4, 3)),
        "ConvTranspose1d is not a layer",
    ),
    "layer norm": (lambda: network(LENGTH, conv(), nn.LayerNorm(LENGTH - 2)), "LayerNorm is not a layer it knows"),
    "softmax": (lambda: network(LENGTH, conv(), nn.Softmax(1)), "Softmax is not a layer it knows"),
    "circular padding": (lambda: network(LENGTH, conv(4, 3, padding=1, padding_mode="circular")), "other than zeros"),
    "padding beyond the span": (lambda: network(LENGTH, conv(4, 3, padding=3)), "padding other than zeros"),
    "padding that is not what lies beyond the ends": (
        lambda: network(LENGTH, nn.ConstantPad1d(1, 0.5), conv(4, 4)),
        "padding is 0.5 where 0 is read",
    ),
    "padding before a mean": (
        lambda: network(LENGTH, conv(), nn.ConstantPad1d(1, 0.0), nn.AvgPool1d(2)),
        "reads padding",
    ),
    "padding at the end": (lambda: network(LENGTH, conv(), nn.ConstantPad1d(1, 0.0)), "it ends with padding"),
    "linear along the sequence": (
        lambda: network(LENGTH, conv(), nn.Linear(LENGTH - 2, 5)),
        "does not read the flattened",
    ),
    "batch norm of what is flattened": (lambda: network(LENGTH, conv(), nn.Flatten(), BN(40)), "follows flattening"),
    "batch norm by batch": (lambda: network(LENGTH, conv(), BN(4, track_running_stats=False)), "no running statistics"),
    "batch norm first": (lambda: network(LENGTH, BN(4), conv()), "the first layer is neither"),
    "pooling first": (lambda: network(LENGTH, nn.MaxPool1d(2), conv()), "the first layer is neither"),
    "a function first": (lambda: network(LENGTH, nn.Tanh(), conv()), "the first layer is neither"),
    "no layer": (lambda: network(LENGTH, nn.Identity()), "the first layer is neither"),
    "means that round up": (lambda: network(LENGTH, conv(), nn.AvgPool1d(3, ceil_mode=True)), "leaves what is beyond"),
    "means without padding": (
        lambda: network(LENGTH, conv(), nn.AvgPool1d(3, padding=1, count_include_pad=False)),
        "leaves what is beyond",
    ),
    "pooling to two columns": (lambda: network(LENGTH, conv(), nn.AdaptiveMaxPool1d(2)), "more than one column"),
    "pooling what is flattened": (
        lambda: network(LENGTH, conv(), nn.Flatten(), nn.AvgPool1d(2)),
        "a pooling layer .* follows flattening",
    ),
    "flattening some dimensions": (lambda: network(LENGTH, conv(), nn.Flatten(2)), "only some dimensions"),
    "flattening the batch": (lambda: written(lambda x, c: c(x).flatten(), conv()), "flattens the batch"),
    "an approximate GELU": (lambda: network(LENGTH, conv(), nn.GELU(approximate="tanh")), "GELU is approximated"),
    "a scaled softplus": (lambda: network(LENGTH, conv(), nn.Softplus(beta=2)), "softplus has a beta"),
    "a softplus that turns linear": (lambda: network(LENGTH, conv(), nn.Softplus(threshold=1)), "or a threshold"),
    "a scaled softplus as a function": (
        lambda: written(lambda x, c: functional.softplus(c(x), beta=2), conv()),
        "softplus.* is not a layer it knows",
    ),
    "functional dropout": (lambda: written(lambda x, c: functional.dropout(c(x)), conv()), "dropout.* it knows"),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths", "ignore:LSTM with projections")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_a_stack_is_refused_with_a_reason(name):
    make, reason = REFUSED[name]
    with pytest.raises(NotAStack, match=reason):
        plan_of(make())


def test_a_subclass_of_a_layer_may_compute_something_else_and_is_refused():
    class Doubled(nn.Conv1d):
        def forward(self, inputs: Tensor) -> Tensor:
            return 2 * super().forward(inputs)

    with pytest.raises(NotAStack, match="it reads other than letters and layers"):
        plan_of(network(LENGTH, Doubled(4, 4, 3)))


def test_a_representation_of_another_size_is_refused():
    model = network(LENGTH, conv())
    with pytest.raises(NotAStack, match="another size"):
        read_plan(model, torch.zeros(4, 5), torch.ones(4, 5))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_of_this_package_is_read_and_has_the_energies_of_full_passes(name):
    model, rng = build(name, 101, {}, seed=1).eval(), np.random.default_rng(3)
    codes = rng.integers(0, 4, (40, 101), dtype=np.uint8)
    with torch.no_grad():
        units = model.representation(one_hot(torch.from_numpy(codes)))
    weights = torch.from_numpy(rng.normal(size=units.shape[1]).astype(np.float32)) / units.std(0).norm()
    plan = read_plan(model, units[0], weights)
    assert plan.table[-1, 5] == len(plan.reference)
    found, energy = last_values(plan, codes)
    wanted = (weights * (units - units[0])).norm(dim=1).numpy()
    torch.testing.assert_close(as_representation(model, plan, found, units.shape[1:]), units, atol=2e-5, rtol=0)
    np.testing.assert_allclose(energy, wanted, atol=2e-5, rtol=0)
    assert wanted[1:].min() > 0.1


def test_additions_of_the_residual_architecture_are_layers_of_the_plan():
    table = plan_of(build("residual", 101, {"blocks": 3}, seed=1).eval()).table
    assert (table[:, kind_of.ADDED] != kind_of.NOTHING).sum() == 3


def test_functions_and_batch_norms_are_folded_into_the_layer_before():
    model = network(LENGTH, conv(), BN(4), nn.ReLU(), nn.MaxPool1d(2), nn.Tanh(), nn.Dropout(), nn.Flatten(), 3, BN(3))
    plan = plan_of(model)
    assert kinds(plan) == [
        (kind_of.SUM, kind_of.RELU),
        (kind_of.MAXIMUM, kind_of.TANH),
        (kind_of.SUM, kind_of.IDENTITY),
    ]


def test_what_cannot_be_folded_becomes_a_layer_that_scales():
    plan = plan_of(network(LENGTH, conv(), nn.ReLU(), BN(4), nn.Tanh(), nn.Sigmoid()))
    assert kinds(plan) == [
        (kind_of.SUM, kind_of.RELU),
        (kind_of.SCALE, kind_of.TANH),
        (kind_of.SCALE, kind_of.SIGMOID),
    ]


def test_functions_and_methods_are_read_as_the_modules_they_stand_for():
    def represent(x: Tensor, first: nn.Module, last: nn.Module) -> Tensor:
        scanned = torch.relu(functional.relu(first(x), inplace=True)).sigmoid()
        return functional.silu(last(torch.flatten(scanned, 1)))

    plan = plan_of(written(represent, conv(), nn.Linear(40, 3)))
    assert [function for _, function in kinds(plan)] == [
        kind_of.RELU, kind_of.RELU, kind_of.SIGMOID, kind_of.SILU
    ]  # fmt: skip


def test_energy_weights_and_reference_lie_position_by_position():
    model = network(LENGTH, conv(3, 5))
    reference = torch.arange(24.0).reshape(3, 8)
    plan = read_plan(model, reference, 2 * reference)
    np.testing.assert_array_equal(plan.reference.reshape(8, 3), reference.numpy().T)
    np.testing.assert_array_equal(plan.feature_weights, 2 * plan.reference)


def test_weights_are_copied_so_that_later_training_does_not_change_a_plan():
    model = network(LENGTH, conv(), nn.Flatten(), 3)
    plan = plan_of(model)
    before = plan.parameters.copy()
    with torch.no_grad():
        for values in model.parameters():
            values.add_(1)
    np.testing.assert_array_equal(plan.parameters, before)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_same_padding_of_an_even_width_pads_more_on_the_right() -> None:
    """As when the padding is a layer of its own, of which tests/engine/test_incremental.py compiles some."""
    same, apart = conv(5, 4, padding="same"), conv(5, 4)
    apart.load_state_dict(same.state_dict())
    plans = [plan_of(network(LENGTH, *layers)) for layers in ([same], [nn.ConstantPad1d((1, 2), 0.0), apart])]
    np.testing.assert_array_equal(plans[0].table, plans[1].table)
    inputs = torch.rand(2, 4, LENGTH)
    torch.testing.assert_close(same(inputs), nn.Sequential(nn.ConstantPad1d((1, 2), 0.0), apart)(inputs))


def test_what_nobody_reads_is_left_out() -> None:
    assert kinds(plan_of(written(unused_end, conv(), BN(4)))) == kinds(plan_of(network(LENGTH, conv())))


def test_a_second_input_is_not_taken_for_letters() -> None:
    class Controlled(ToyNetwork):
        def forward(self, inputs: Tensor, control: Tensor) -> Tensor:
            return self.layers(inputs) + control

    graph = fx.symbolic_trace(Controlled(LENGTH, conv())).graph
    nodes = list(graph.nodes)
    assert [name for name, _ in _as_steps(nodes[2], nodes[0], Controlled(LENGTH, conv()))] == ["layers"]
    with pytest.raises(NotAStack, match="add: it reads other than letters and layers"):
        _as_steps(nodes[3], nodes[2], Controlled(LENGTH, conv()))
