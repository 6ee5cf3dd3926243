"""The compiled chain against full passes, on networks of every kind of layer that a plan may hold."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import random_keys
from plain_chain import metropolis_hastings
from torch import Tensor, nn
from torch.nn import functional
from toy import Law, ToyNetwork, Written, law_around, network, representation_of, with_random_weights

from maxent_cli.alphabet import encode
from maxent_cli.engine.incremental import compiled_chain, letter_energies, single_changes
from maxent_cli.engine.layers import BIAS
from maxent_cli.engine.proposals import LETTER, REDRAW, REVERSE_COMPLEMENT, SCATTER, SHIFT, Move
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Trace, start_state
from maxent_cli.interpret.plan import (
    HANDLERS,
    Add,
    Back,
    Crop,
    Exponential,
    Join,
    Mean,
    Turn,
    as_representation,
    read_plan,
)
from maxent_cli.models.architectures import build
from maxent_cli.models.protocol import one_hot

ANCHOR = "GATTACANCGTAC"
LENGTH = len(ANCHOR)
MOVES = (
    Move(LETTER, 0.4),
    Move(SHIFT, 0.2, 5, 2),
    Move(SHIFT, 0.1, 10**6, 4),
    Move(REVERSE_COMPLEMENT, 0.2, 4),
    Move(REDRAW, 0.1, 3),
    Move(SCATTER, 0.1, 3),
)


def conv(channels: int = 6, width: int = 3, **options: object) -> nn.Conv1d:
    return nn.Conv1d(4, channels, width, **options)


class Functional(ToyNetwork):
    """The same layers, called as functions and methods."""

    def __init__(self) -> None:
        super().__init__(LENGTH, nn.ModuleList([conv(), nn.Conv1d(6, 6, 3), nn.Linear(6 * (LENGTH - 4), 5)]))

    def representation(self, inputs: Tensor) -> Tensor:
        first, second, last = self.layers
        scanned = functional.silu(second(functional.relu(first(inputs))).tanh())
        return torch.sigmoid(functional.softplus(last(torch.flatten(scanned, 1)).relu()))


class ByPosition(ToyNetwork):
    """Flattened as Keras does: positions before channels."""

    def __init__(self) -> None:
        super().__init__(LENGTH, nn.ModuleList([conv(), nn.Linear(6 * (LENGTH - 2), 5)]))

    def representation(self, inputs: Tensor) -> Tensor:
        first, last = self.layers
        return functional.relu(last(first(inputs).relu().transpose(1, 2).flatten(1)))


class Turned(ToyNetwork):
    """What enters the head lies positions before channels, flattened or not."""

    def __init__(self, flat: bool) -> None:
        super().__init__(LENGTH, nn.ModuleList([conv()]))
        self.flat = flat

    def representation(self, inputs: Tensor) -> Tensor:
        found = self.layers[0](inputs).relu().transpose(1, 2)
        return found.flatten(1) if self.flat else found


def written(represent: Callable[..., Tensor], *layers: nn.Module) -> ToyNetwork:
    return with_random_weights(Written(LENGTH, represent, *layers))


def dilated(x: Tensor, first: nn.Module, *others: nn.Module) -> Tensor:
    """As BPNet: each layer adds what it finds; then the mean over the middle."""
    x = functional.relu(first(x))
    for layer in others:
        x = x + functional.relu(layer(x))
    return x[:, :, 2:-3].mean(2)


def block(
    x: Tensor, first: nn.Module, norm: nn.Module, second: nn.Module, third: nn.Module, dense: nn.Module
) -> Tensor:
    """As ResNet: a block of two layers adds to what it read; a function follows the addition."""
    x = norm(first(x))
    x += third(functional.relu(second(functional.relu(x))))
    return functional.relu(dense(torch.relu(x).flatten(1)))


def added_last(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    scanned = functional.silu(first(x))
    return torch.tanh(second(scanned)) + scanned


def twice(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """The same values are added twice, and once more behind a maximum that does not let every change through."""
    scanned = first(x).relu()
    found = second(scanned).relu() + scanned + scanned
    return (functional.relu(found) + scanned).mean(dim=-1, keepdim=True)


def shortcut(x: Tensor, first: nn.Module, norm: nn.Module, second: nn.Module, other: nn.Module) -> Tensor:
    """As ResNet where a block changes the number of channels: what it read comes in by a convolution of its own."""
    x = functional.relu(first(x))
    return functional.relu(norm(second(x)) + other(x))


def side_by_side(x: Tensor, first: nn.Module, second: nn.Module, third: nn.Module) -> Tensor:
    """As Inception: several widths, two of them of the letters."""
    scanned = functional.relu(first(x))
    return torch.cat([scanned, torch.tanh(second(x)), functional.relu(third(scanned))], 1)


def dense(x: Tensor, first: nn.Module, second: nn.Module, third: nn.Module, norm: nn.Module, last: nn.Module) -> Tensor:
    """As DenseNet: each layer reads all before it."""
    x = functional.relu(first(x))
    x = torch.cat([x, functional.relu(second(x))], dim=1)
    x = norm(torch.cat((x, functional.relu(third(x))), axis=1))
    return torch.tanh(last(x.mean(2)))


def exponential(x: Tensor, first: nn.Module, last: nn.Module) -> Tensor:
    """As ResidualBind: the exponential behind the first layer, so that its filters are motifs."""
    return functional.relu(last((torch.exp(first(x)) + first(x).exp()).mean(2)))


def joined_ends(x: Tensor, first: nn.Module, second: nn.Module, last: nn.Module) -> Tensor:
    """Two towers of different lengths, whose means are joined."""
    return torch.tanh(last(torch.cat([functional.relu(first(x)).mean(2), functional.relu(second(x)).mean(2)], -1)))


def computed(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """As ChromBPNet: crops by what follows from lengths."""
    x = functional.relu(first(x))
    start, end = x.shape[2] // 4, x.size(2) - 2
    found = functional.relu(second(x))
    crop = (x.size(-1) - found.size(-1)) // 2
    x = x[:, :, crop:-crop] + found
    return x[:, :, start - 1 : end].mean(dim=2)


FUNCTIONS = [
    nn.ReLU(), nn.LeakyReLU(0.3), nn.ELU(0.7), nn.Sigmoid(), nn.Tanh(), nn.SiLU(), nn.GELU(), nn.Softplus()
]  # fmt: skip
POOLS = {
    "max": nn.MaxPool1d(2),
    "max, overlapping": nn.MaxPool1d(3, stride=1),
    "max, padded and strided": nn.MaxPool1d(3, stride=2, padding=1),
    "max, dilated": nn.MaxPool1d(3, stride=2, dilation=2),
    "max, with gaps": nn.MaxPool1d(1, stride=3),
    "max, rounded up": nn.MaxPool1d(4, stride=3, ceil_mode=True),
    "max, rounded up, without a window beyond the end": nn.MaxPool1d(2, stride=5, padding=1, ceil_mode=True),
    "mean": nn.AvgPool1d(2),
    "mean, padded and overlapping": nn.AvgPool1d(3, stride=1, padding=1),
    "mean, strided": nn.AvgPool1d(4, stride=3, padding=2),
    "global max": nn.AdaptiveMaxPool1d(1),
    "global mean": nn.AdaptiveAvgPool1d(1),
}
NETWORKS: dict[str, Callable[[], ToyNetwork]] = {
    "one linear layer": lambda: network(LENGTH, nn.Flatten(), 5, nn.ReLU()),
    "convolution alone": lambda: network(LENGTH, conv()),
    "no bias": lambda: network(LENGTH, conv(bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(66, 4, bias=False)),
    "padded": lambda: network(LENGTH, conv(6, 5, padding=3), nn.ReLU(), nn.Flatten(), 5),
    "padded by its whole span": lambda: network(LENGTH, conv(6, 3, padding=2), nn.ReLU(), nn.Flatten(), 5),
    "padded to the same length": lambda: network(LENGTH, conv(6, 3, padding="same", dilation=2), nn.Flatten(), 5),
    "padded before": lambda: network(
        LENGTH,
        nn.ConstantPad1d((2, 0), 0.0),
        conv(6, 3),
        nn.Tanh(),
        nn.ConstantPad1d((0, 1), 0.0),
        nn.Conv1d(6, 4, 3, padding=1),
        nn.ConstantPad1d((1, 2), -float("inf")),
        nn.MaxPool1d(3),
        nn.Flatten(),
        5,
    ),
    "flattened position by position": lambda: with_random_weights(ByPosition()),
    "a representation flattened position by position": lambda: with_random_weights(Turned(True)),
    "a representation that lies position by position": lambda: with_random_weights(Turned(False)),
    "dilated": lambda: network(LENGTH, conv(6, 3, dilation=3, padding=1), nn.ReLU(), nn.Flatten(), 5),
    "width one": lambda: network(LENGTH, conv(6, 1), nn.ReLU(), nn.Conv1d(6, 4, 3), nn.ReLU(), nn.Flatten(), 5),
    "grouped": lambda: network(LENGTH, conv(8, 3, groups=2), nn.ReLU(), nn.Conv1d(8, 4, 3, groups=4), nn.ReLU()),
    "three convolutions": lambda: network(
        LENGTH, conv(), nn.ReLU(), nn.Conv1d(6, 5, 4, padding=2), nn.Tanh(), nn.Conv1d(5, 4, 3, dilation=2), nn.ReLU()
    ),
    "a convolution of the whole length": lambda: network(LENGTH, conv(6, LENGTH), nn.ReLU(), nn.Flatten(), 4),
    "one output, dilated": lambda: network(LENGTH, conv(6, 5, dilation=3), nn.ReLU(), nn.Flatten(), 4),
    "one output, padded": lambda: network(LENGTH, conv(6, LENGTH + 4, padding=2), nn.ReLU(), nn.Flatten(), 4),
    "one output of two convolutions": lambda: network(
        LENGTH, conv(6, 5), nn.ReLU(), nn.Conv1d(6, 5, 5, dilation=2), nn.ReLU(), nn.Flatten(), 4
    ),
    "folded batch norm": lambda: network(
        LENGTH, conv(), nn.BatchNorm1d(6), nn.ReLU(), nn.Flatten(), 5, nn.BatchNorm1d(5)
    ),
    "batch norm after a function": lambda: network(
        LENGTH, conv(), nn.ReLU(), nn.BatchNorm1d(6), nn.MaxPool1d(2), nn.BatchNorm1d(6), nn.BatchNorm1d(6), nn.Tanh()
    ),
    "batch norm without gain": lambda: network(LENGTH, conv(), nn.BatchNorm1d(6, affine=False), nn.ReLU()),
    "dropout and identity": lambda: network(
        LENGTH, conv(), nn.Dropout1d(), nn.BatchNorm1d(6), nn.Identity(), nn.ReLU(), nn.Flatten(), nn.Dropout(), 5
    ),
    "two functions in a row": lambda: network(LENGTH, conv(), nn.ReLU(), nn.Tanh(), nn.Flatten(), nn.Sigmoid(), 5),
    "pooled twice": lambda: network(
        LENGTH, conv(), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 6, 2), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(), 5
    ),
    "three linear layers": lambda: network(LENGTH, conv(), nn.ReLU(), nn.Flatten(), 9, nn.ReLU(), 7, nn.ELU(), 5),
    "many units that all change": lambda: network(
        LENGTH, conv(40, 9, padding=4), nn.Tanh(), nn.Flatten(), 20, nn.ReLU()
    ),
    "many units behind a ReLU": lambda: network(
        LENGTH, conv(40, 9, padding=4), nn.ReLU(), nn.Conv1d(40, 9, 3, padding=1), nn.ReLU(), nn.Flatten(), 20
    ),
    "functions and methods": lambda: with_random_weights(Functional()),
}


def _scanned(layer: nn.Module) -> Callable[[], ToyNetwork]:
    return lambda: network(LENGTH, conv(), layer, nn.Conv1d(6, 5, 1), nn.ReLU(), nn.Flatten(), 4, layer)


def _pooled(layer: nn.Module) -> Callable[[], ToyNetwork]:
    return lambda: network(LENGTH, conv(), nn.Tanh(), layer, nn.Sigmoid(), nn.Conv1d(6, 5, 1), nn.Flatten(), 4)


def recurrent(
    given: Callable[..., nn.Module], read: Callable[[Tensor], Tensor], channels: int = 4, **options: object
) -> Callable[[], ToyNetwork]:
    """An LSTM of the letters, or of what the layers before it give, and what is read of its states (B, L, S)."""

    def represent(x: Tensor, lstm: nn.Module, *before: nn.Module) -> Tensor:
        for layer in before:
            x = functional.relu(layer(x))
        return read(lstm(x.transpose(1, 2))[0])

    return lambda: written(represent, nn.LSTM(channels, 5, batch_first=True, **options), *given())


def states_added(x: Tensor, first: nn.Module, lstm: nn.Module, last: nn.Module) -> Tensor:
    """States are added to what they are made of, and rectified."""
    scanned = functional.relu(first(x))
    states, _ = lstm(scanned.permute(0, 2, 1))
    return last(functional.relu(states.permute(0, 2, 1)) + scanned)


NETWORKS |= {
    "an LSTM of the letters": recurrent(list, lambda states: states.mean(1)),
    "an LSTM both ways, behind a convolution": recurrent(
        lambda: [conv()], lambda states: states.flatten(1), 6, bidirectional=True
    ),
    "an LSTM of two layers, its last state": recurrent(list, lambda states: states[:, -1], num_layers=2),
    "an LSTM of two layers both ways, some positions": recurrent(
        list, lambda states: states[:, 2:7].mean(dim=1), num_layers=2, bidirectional=True, bias=False
    ),
    "an LSTM whose states are the representation": recurrent(list, lambda states: states.transpose(1, 2)),
    "an LSTM, its mean as one position": lambda: written(
        lambda x, lstm, last: last(lstm(x.transpose(1, 2))[0].mean(1, keepdim=True).transpose(1, 2)),
        nn.LSTM(4, 5, batch_first=True),
        nn.Conv1d(5, 4, 1),
    ),
    "states of an LSTM, added": lambda: written(
        states_added, conv(), nn.LSTM(6, 3, batch_first=True, bidirectional=True), nn.Conv1d(6, 4, 3)
    ),
    "residual, dilated, cropped": lambda: written(
        dilated, conv(padding=1), *(nn.Conv1d(6, 6, 3, padding=2**n, dilation=2**n) for n in range(3))
    ),
    "a residual block": lambda: written(
        block,
        conv(),
        nn.BatchNorm1d(6),
        nn.Conv1d(6, 5, 3, padding=1),
        nn.Conv1d(5, 6, 1),
        nn.Linear(6 * (LENGTH - 2), 5),
    ),
    "the residual architecture": lambda: with_random_weights(
        build("residual", LENGTH, {"filters": 6, "width": 5, "blocks": 3, "hidden": 4}, seed=1)
    ),
    "an addition last": lambda: written(added_last, conv(), nn.Conv1d(6, 6, 3, padding=1)),
    "the same added twice": lambda: written(twice, conv(), nn.Conv1d(6, 6, 3, padding=1)),
    "a shortcut by a convolution": lambda: written(
        shortcut, conv(), nn.BatchNorm1d(5), nn.Conv1d(6, 5, 3, padding=1), nn.Conv1d(6, 5, 1)
    ),
    "several widths side by side": lambda: written(
        side_by_side, conv(6, 3, padding=1), conv(4, 5, padding=2), nn.Conv1d(6, 3, 3, padding=1)
    ),
    "a dense block": lambda: written(
        dense,
        conv(padding=1),
        nn.Conv1d(6, 3, 3, padding=1),
        nn.Conv1d(9, 2, 3, padding=1),
        nn.BatchNorm1d(11),
        nn.Linear(11, 5),
    ),
    "exponentials": lambda: written(exponential, conv(), nn.Linear(6, 5)),
    "joined ends": lambda: written(joined_ends, conv(), conv(5, 6), nn.Linear(11, 4)),
    "crops by computed numbers": lambda: written(computed, conv(), nn.Conv1d(6, 6, 3)),
    "strided convolutions": lambda: network(
        LENGTH,
        conv(6, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv1d(6, 5, 3, stride=2, padding=1),
        nn.BatchNorm1d(5),
        nn.Tanh(),
        nn.Flatten(),
        4,
    ),
}
NETWORKS |= {type(layer).__name__: _scanned(layer) for layer in FUNCTIONS}
NETWORKS |= {f"pool: {name}": _pooled(layer) for name, layer in POOLS.items()}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def law(request: pytest.FixtureRequest) -> Law:
    return law_around(request.param(), ANCHOR, beta=2.0, tether=0.3)


def start(target: Target, chains: int, seed: int = 0) -> State:
    """Chains at random letters, with N where the anchor has it."""
    codes = np.random.default_rng(seed).integers(0, 4, (chains, LENGTH), dtype=np.uint8)
    codes[:, ~target.mutable] = encode(ANCHOR)[~target.mutable]
    return start_state(target, codes, random_keys(chains, seed), torch.device("cpu"))


def same(one: tuple[State, Trace], other: tuple[State, Trace], tolerance: float) -> None:
    """Two runs took the same path: codes equal, energies to a tolerance."""
    np.testing.assert_array_equal(one[1].codes, other[1].codes)
    np.testing.assert_allclose(one[1].energy, other[1].energy, atol=tolerance, rtol=0)
    np.testing.assert_array_equal(one[1].tried, other[1].tried)
    for field in ("codes", "energy", "log_base"):
        np.testing.assert_allclose(getattr(one[0], field), getattr(other[0], field), atol=tolerance, rtol=0)


def test_networks_cover_every_layer_that_a_plan_may_hold():
    used = {type(module) for make in NETWORKS.values() for module in make().modules()}
    # what tracing puts for calls: all but an exchange of axes are in some of these networks; that is
    # compiled in tests/interpret/test_own_networks.py
    assert set(HANDLERS) <= used | {Turn, Add, Back, Join, Mean, Crop, Exponential}


def test_energies_are_those_of_full_passes(law):
    """Chains that may not change anything stay where they are, so the trace holds the energies of the plan itself."""
    begin = start(law.target, 200)
    frozen = replace(law.target, mutable=np.zeros(LENGTH, np.bool_))
    state, trace = compiled_chain(law.plan, MOVES)(begin, frozen, 1, 1)
    np.testing.assert_array_equal(state.codes, begin.codes)
    np.testing.assert_allclose(trace.energy[:, 0], begin.energy, atol=2e-5, rtol=0)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_single_changes_are_full_passes_of_changed_letters(make):
    """All letters at all places, those that are there among them, in more sequences than go in step."""
    model, codes = make(), encode(ANCHOR)
    places, letters = (table.ravel() for table in np.indices((LENGTH, 4)))
    changed = np.tile(codes, (len(places), 1))
    changed[np.arange(len(places)), places] = letters
    with torch.no_grad():
        wanted = model.representation(one_hot(torch.from_numpy(changed)))
    plan = read_plan(model, wanted[0], torch.ones_like(wanted[0]))
    found = single_changes(plan, codes, places, letters.astype(np.uint8))
    torch.testing.assert_close(as_representation(model, plan, found, wanted.shape[1:]), wanted, rtol=0, atol=2e-5)
    assert wanted.std(0).max() > 0.01


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_letter_energies_are_full_passes_with_each_letter_at_the_place(make):
    """Of more sequences than go in step; with the letter that is there it is the sequence's own."""
    model = make()
    codes = np.random.default_rng(1).integers(0, 4, (19, LENGTH), np.uint8)
    changed = np.repeat(codes[:, None], 4, axis=1)
    changed[..., 3] = np.arange(4)
    with torch.no_grad():
        reference = model.representation(one_hot(torch.from_numpy(encode(ANCHOR))[None]))[0]
        seen = model.representation(one_hot(torch.from_numpy(changed.reshape(-1, LENGTH))))
    wanted = (seen - reference).flatten(1).norm(dim=1).reshape(-1, 4)
    found = letter_energies(read_plan(model, reference, torch.ones_like(reference)), codes, 3)
    np.testing.assert_allclose(found, wanted.numpy(), atol=5e-5, rtol=0)
    assert wanted.std() > 0.01


def test_compiled_and_full_chains_take_the_same_path(law):
    begin = start(law.target, 20, 1)
    compiled, full = (
        kernel(begin, law.target, 30, 4) for kernel in (compiled_chain(law.plan, MOVES), metropolis_hastings(MOVES))
    )
    same(compiled, full, 5e-5)
    assert 0.05 < compiled[1].accepted.sum() / compiled[1].tried.sum() < 0.95


@pytest.fixture
def usual() -> Law:
    scan = (conv(8, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 6, 2), nn.ReLU(), nn.Flatten())
    return law_around(network(LENGTH, *scan, 7, nn.ReLU()), ANCHOR, beta=2.0, tether=0.3)


def kernels(law: Law, ladder: Ladder, threads: int = 1) -> tuple[Kernel, Kernel]:
    return compiled_chain(law.plan, MOVES, ladder, threads), metropolis_hastings(MOVES, ladder)


def test_compiled_and_full_ladders_take_the_same_path(usual):
    target = replace(usual.target, beta=np.tile([0.0, 0.7, 1.5, 3.0], 10))
    begin = start(target, 40)
    compiled, full = (kernel(begin, target, 30, 4) for kernel in kernels(usual, Ladder(4, 3)))
    same(compiled, full, 5e-5)
    np.testing.assert_array_equal(compiled[1].accepted[-3:], full[1].accepted[-3:])
    assert (compiled[1].accepted[-3:] > 0).all()


@pytest.mark.parametrize("ladder", [Ladder(), Ladder(4, 3)], ids=["alone", "ladder"])
def test_the_draws_do_not_depend_on_the_number_of_threads(usual, ladder):
    target = replace(usual.target, beta=np.tile([0.0, 0.7, 1.5, 3.0], 7))
    begin = start(target, 28)
    runs = [kernels(usual, ladder, threads)[0](begin, target, 40, 5) for threads in (1, 2, 3, 64)]
    for state, trace in runs[1:]:
        assert trace.codes.tobytes() == runs[0][1].codes.tobytes()
        assert trace.energy.tobytes() == runs[0][1].energy.tobytes()
        np.testing.assert_array_equal(trace.accepted, runs[0][1].accepted)
        assert state.energy.numpy().tobytes() == runs[0][0].energy.numpy().tobytes()


def test_a_linear_energy_takes_the_same_path_and_may_be_negative(usual):
    """The energy of the law without an anchor: an offset less a weighted sum."""
    scan = (conv(8, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 6, 2), nn.ReLU(), nn.Flatten())
    model = network(LENGTH, *scan)
    reference, weights = torch.from_numpy(np.random.default_rng(4).normal(size=(2, 24)).astype(np.float32))

    def energy(codes: Tensor) -> Tensor:
        return -3.5 - ((representation_of(model)(codes) - reference) * weights).sum(-1)

    target = replace(usual.target, energy=energy, beta=np.array(0.8))
    begin = start(target, 20)
    plan = read_plan(model, reference, weights, -3.5)
    compiled, full = (
        kernel(begin, target, 30, 4) for kernel in (compiled_chain(plan, MOVES), metropolis_hastings(MOVES))
    )
    same(compiled, full, 5e-5)
    assert (compiled[1].energy < 0).any()
    assert (compiled[1].energy > 0).any()


def test_updates_do_not_drift_over_many_steps(usual):
    state, trace = compiled_chain(usual.plan, MOVES)(start(usual.target, 20), usual.target, 10, 2000)
    np.testing.assert_allclose(trace.energy[:, -1], state.energy, atol=2e-4, rtol=0)


def test_a_plan_that_differs_a_little_from_its_network_is_noticed(usual):
    parameters = usual.plan.parameters.copy()
    parameters[usual.plan.table[-1, BIAS]] += 0.05
    begin = start(usual.target, 200)
    frozen = replace(usual.target, mutable=np.zeros(LENGTH, np.bool_))
    trace = compiled_chain(usual.plan._replace(parameters=parameters), MOVES)(begin, frozen, 1, 1)[1]
    assert np.abs(trace.energy[:, 0] - begin.energy.numpy()).max() > 1e-3
