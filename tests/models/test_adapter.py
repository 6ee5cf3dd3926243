"""Networks as people write them: where the representation is found, what the head gives, and what is left behind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.models.adapter import AdaptedNetwork, Reading

LENGTH = 12


class Written(nn.Module):
    """A network whose forward is a function of the input and of named modules."""

    def __init__(self, code: Callable[..., Any], **modules: nn.Module) -> None:
        super().__init__()
        self.code = code
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Any:
        return self.code(self, x)


def one_hot(count: int = 5, seed: int = 1) -> Tensor:
    codes = np.random.default_rng(seed).integers(0, 4, (count, LENGTH))
    return F.one_hot(torch.from_numpy(codes), 4).float().transpose(1, 2).contiguous()


def scanned(outputs: int = 3) -> dict[str, nn.Module]:
    return {"scan": nn.Conv1d(4, 6, 3), "fc1": nn.Linear(6, 5), "fc2": nn.Linear(5, outputs)}


def hidden(net: Any, x: Tensor) -> Tensor:
    return F.relu(net.fc1(F.relu(net.scan(x)).amax(-1)))


def plain(net: Any, x: Tensor) -> Tensor:
    return net.fc2(hidden(net, x))


def residual(net: Any, x: Tensor) -> Tensor:
    h = hidden(net, x)
    h = h + torch.tanh(h)
    return net.fc2(h)


def shifted_in_place(net: Any, x: Tensor) -> Tensor:
    h = hidden(net, x)
    found = net.fc2(h)
    h += 1
    return found


def recurrent(net: Any, x: Tensor) -> Tensor:
    return net.fc2(net.states(x.transpose(1, 2))[0].mean(1))


def length_first(net: Any, x: Tensor) -> Tensor:
    return net.fc2(net.states(x.permute(2, 0, 1))[0]).mean(0)


def attention(net: Any, x: Tensor) -> Tensor:
    h = net.fc1(x.transpose(1, 2))
    return net.fc2(net.attention(h, h, h, need_weights=False)[0].mean(1))


def seen(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(seed)
    return make()


KINDS: dict[str, tuple[Callable[[], nn.Module], str | None, tuple[int, ...]]] = {
    "plain": (lambda: Written(plain, **scanned()), "fc2", (5,)),
    "residual": (lambda: Written(residual, **scanned()), "fc2", (5,)),
    "changed in place afterwards": (lambda: Written(shifted_in_place, **scanned()), "fc2", (5,)),
    "sequential": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.ReLU(), nn.Linear(5, 2)), "3", (5,)),
    "one layer": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(48, 1)), "1", (48,)),
    "LSTM": (lambda: Written(recurrent, states=nn.LSTM(4, 5, batch_first=True), fc2=nn.Linear(5, 2)), "fc2", (5,)),
    "length before batch": (
        lambda: Written(length_first, states=nn.LSTM(4, 5), fc2=nn.Linear(5, 2)),
        "fc2",
        (LENGTH, 5),
    ),
    "attention": (
        lambda: Written(
            attention, fc1=nn.Linear(4, 6), attention=nn.MultiheadAttention(6, 2, batch_first=True), fc2=nn.Linear(6, 2)
        ),
        "fc2",
        (6,),
    ),
    "linear side by side": (
        lambda: Written(
            lambda net, x: net.fc2(hidden(net, x)) + net.skip(x.flatten(1)), **scanned(), skip=nn.Linear(48, 3)
        ),
        None,
        (),
    ),
    "a head that is not used": (
        lambda: Written(
            lambda net, x: (plain(net, x), net.other(hidden(net, x)))[0], **scanned(), other=nn.Linear(5, 2)
        ),
        "fc2",
        (5,),
    ),
    "two linear layers on one representation": (
        lambda: Written(
            lambda net, x: (lambda h: net.fc2(h) * torch.sigmoid(net.gate(h)))(hidden(net, x)),
            **scanned(),
            gate=nn.Linear(5, 3),
        ),
        "fc1",
        (6,),
    ),
    "matrix product": (
        lambda: Written(lambda net, x: F.relu(net.scan(x)).amax(-1) @ net.fc1.weight.T + 1, **scanned()),
        None,
        (6,),
    ),
}
FOUND = {name: kind for name, kind in KINDS.items() if kind[2]}


@pytest.mark.parametrize("name", FOUND)
def test_the_representation_is_found_and_the_head_gives_the_outputs(name: str) -> None:
    make, layer, shape = KINDS[name]
    network = seen(1, make).eval()
    model, x = AdaptedNetwork(network, LENGTH, Reading(), name), one_hot()
    with torch.inference_mode():
        representation = model.representation(x)
        assert representation.shape == (5, *shape)
        torch.testing.assert_close(model.head(representation), network(x))
        torch.testing.assert_close(model(x), network(x))
        for row in range(5):
            torch.testing.assert_close(model.representation(x[row : row + 1])[0], representation[row])
    assert model.layer == layer


def test_a_network_without_a_separating_layer_is_refused_by_its_modules_names() -> None:
    with pytest.raises(InputError, match=r"alone the sequence reaches .*--layer output, .*scan, fc1, fc2, skip"):
        AdaptedNetwork(seen(1, KINDS["linear side by side"][0]), LENGTH, Reading(), "net")


@pytest.mark.parametrize("name", ["linear side by side", "matrix product"])
def test_the_outputs_themselves_are_held_where_they_are_the_layer(name: str) -> None:
    """Of any network; behind them is nothing that could be read otherwise."""
    network, x = seen(1, KINDS[name][0]).eval(), one_hot()
    model = AdaptedNetwork(network, LENGTH, Reading(layer="output"), name)
    torch.testing.assert_close(model.representation(x), model(x))
    torch.testing.assert_close(model.head(model.representation(x)), model(x))
    assert (model.layer, model.is_output) == ("output", True)


def test_outputs_that_are_held_are_those_before_the_final_sigmoid() -> None:
    model = AdaptedNetwork(
        Written(lambda net, x: torch.sigmoid(plain(net, x)), **scanned()), LENGTH, Reading(layer="output"), "net"
    )
    torch.testing.assert_close(model.representation(one_hot()).sigmoid(), model.network(one_hot()))


def test_a_module_of_that_name_goes_before() -> None:
    modules = scanned() | {"output": nn.Linear(5, 2)}
    network = Written(lambda net, x: net.output(hidden(net, x)), **modules)
    model = AdaptedNetwork(network, LENGTH, Reading(layer="output"), "net")
    assert (model.representation(one_hot()).shape, model.is_output) == ((5, 5), False)


@pytest.mark.parametrize("layer", ["scan", "fc1", "fc2"])
def test_a_named_layer_is_held_by_its_input(layer: str) -> None:
    network = seen(1, lambda: Written(plain, **scanned())).eval()
    inputs: list[Tensor] = []
    x, expected = one_hot(), network(one_hot())
    hook = network.get_submodule(layer).register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    network(x)
    hook.remove()
    model = AdaptedNetwork(network, LENGTH, Reading(layer=layer), "net")
    torch.testing.assert_close(model.representation(x), inputs[0])
    torch.testing.assert_close(model.head(inputs[0]), expected)
    assert model.layer == layer


@pytest.mark.parametrize(
    ("end", "final"),
    {
        "sigmoid": (torch.sigmoid, "sigmoid"),
        "method": (lambda y: y.sigmoid(), "sigmoid"),
        "softmax": (lambda y: F.softmax(y, 1), "softmax"),
        "log-softmax": (lambda y: y.log_softmax(-1), "log_softmax"),
        "module": (nn.Sigmoid(), "sigmoid"),
        "squeezed": (lambda y: torch.sigmoid(y)[:, None].squeeze(1), "sigmoid"),
    }.values(),
)
def test_a_final_sigmoid_or_softmax_is_left_out(end: Callable[[Tensor], Tensor], final: str) -> None:
    network = seen(1, lambda: Written(lambda net, x: end(plain(net, x)), **scanned())).eval()
    model, x = AdaptedNetwork(network, LENGTH, Reading(), "net"), one_hot()
    torch.testing.assert_close(model(x), plain(network, x))
    torch.testing.assert_close(model.head(model.representation(x)), plain(network, x))
    assert (model.final, model.layer) == (final, "fc2")


def test_a_sigmoid_within_the_network_stays() -> None:
    network = seen(1, lambda: Written(lambda net, x: 2 * torch.sigmoid(plain(net, x)), **scanned())).eval()
    x = one_hot()
    torch.testing.assert_close(AdaptedNetwork(network, LENGTH, Reading(), "net")(x), network(x))
    named = AdaptedNetwork(network, LENGTH, Reading(final="sigmoid"), "net")
    torch.testing.assert_close(named(x), plain(network, x))


def test_the_final_module_is_left_out_by_name_or_kept_by_none() -> None:
    network = seen(1, lambda: Written(lambda net, x: net.end(plain(net, x)), **scanned(), end=nn.Softsign())).eval()
    x = one_hot()
    torch.testing.assert_close(AdaptedNetwork(network, LENGTH, Reading(final="end"), "net")(x), plain(network, x))
    ended = seen(1, lambda: Written(lambda net, x: torch.sigmoid(plain(net, x)), **scanned())).eval()
    torch.testing.assert_close(AdaptedNetwork(ended, LENGTH, Reading(final="none"), "net")(x), ended(x))
    with pytest.raises(InputError, match="does not call softmax; name a module, a function or 'none'"):
        AdaptedNetwork(ended, LENGTH, Reading(final="softmax"), "net")


def heads(net: Any, x: Tensor) -> dict[str, Tensor]:
    h = hidden(net, x)
    return {"a": net.fc2(h), "b": net.other(h)[:, 0]}


@pytest.mark.parametrize(("head", "width", "layer"), [("a", 3, "fc2"), ("b", 1, "other")])
@pytest.mark.parametrize("kind", [dict, tuple])
def test_one_of_several_heads(head: str, width: int, layer: str, kind: type) -> None:
    code = heads if kind is dict else lambda net, x: tuple(heads(net, x).values())
    network = seen(1, lambda: Written(code, **scanned(), other=nn.Linear(5, 2))).eval()
    reading = Reading(head=head if kind is dict else str("ab".index(head)))
    model, x = AdaptedNetwork(network, LENGTH, reading, "net"), one_hot()
    torch.testing.assert_close(model(x), heads(network, x)[head].reshape(5, width))
    assert model.layer == layer
    with pytest.raises(InputError, match=r"several outputs; choose with --head among . \(7, 3\), . \(7,\)"):
        AdaptedNetwork(network, LENGTH, Reading(), "net")
    with pytest.raises(InputError, match="returns no output c"):
        AdaptedNetwork(network, LENGTH, Reading(head="c"), "net")


@pytest.mark.parametrize("letters", ["ACGT", "GCAT", "TGAC"])
@pytest.mark.parametrize("last", [False, True])
def test_letters_and_layout(letters: str, last: bool) -> None:
    network = seen(1, lambda: Written(plain, **scanned())).eval()
    network.code = lambda net, x: plain(net, x.transpose(1, 2) if last else x)
    x = one_hot()
    told = x[:, ["ACGT".index(letter) for letter in letters]]
    model = AdaptedNetwork(network, LENGTH, Reading(letters, last), "net")
    torch.testing.assert_close(model(x), plain(network, told))


def test_the_network_is_left_as_found() -> None:
    network = seen(1, lambda: Written(plain, **scanned(), drop=nn.Dropout(), norm=nn.BatchNorm1d(6)))
    network.code = lambda net, x: net.fc2(net.drop(F.relu(net.fc1(net.norm(net.scan(x)).amax(-1)))))
    calls: list[int] = []
    network.fc1.register_forward_hook(lambda *_: calls.append(1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state, modes = torch.get_rng_state(), [m.training for m in network.modules()]
    model = AdaptedNetwork(network, LENGTH, Reading(layer="fc1"), "net")
    torch.testing.assert_close(model(one_hot()), model(one_hot()))
    model.representation(one_hot())
    assert torch.equal(torch.get_rng_state(), state)
    assert [m.training for m in network.modules()] == modes
    assert all(p.requires_grad for p in network.parameters())
    assert [len(m._forward_pre_hooks) for m in network.modules()] == [0] * len(modes)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert not any(m.training for m in model.modules())


def test_threads_do_not_see_each_others_passes() -> None:
    from concurrent.futures import ThreadPoolExecutor

    model = AdaptedNetwork(seen(1, lambda: Written(plain, **scanned())), LENGTH, Reading(), "net")
    inputs = [one_hot(3, seed) for seed in range(40)]
    with torch.inference_mode():
        wanted = [(model(x), model.representation(x)) for x in inputs]
    model(inputs[0])

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            return model(x), model.representation(x)

    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(both, inputs), wanted, strict=True):
            torch.testing.assert_close(found, expected)


FAULTS: dict[str, tuple[Callable[[Any, Tensor], Any], Reading, str]] = {
    "raises": (
        lambda net, x: net.fc2(x),
        Reading(),
        r"fails on 12 letters as \(7, 4, 12\) \(RuntimeError: .*see --layout",
    ),
    "constant": (lambda net, x: net.fc2(torch.ones(len(x), 5)), Reading(), "the same outputs for random sequences"),
    "random": (
        lambda net, x: F.dropout(plain(net, x), 0.5, True),
        Reading(),
        "other outputs for the same sequences again; switch off",
    ),
    "not finite": (lambda net, x: plain(net, x) / 0, Reading(), "not finite numbers"),
    "no batch": (lambda net, x: plain(net, x).sum(), Reading(), r"shape \(\) for 7 sequences; return a row"),
    "no tensor": (lambda _, __: "bound", Reading(), "returns a str; return a tensor"),
    "unknown layer": (plain, Reading(layer="fc3"), "has no module fc3; its modules: scan, fc1, fc2"),
    "a layer that is not used": (
        lambda net, x: net.fc1(F.relu(net.scan(x)).amax(-1)),
        Reading(layer="fc2"),
        "through the input of fc2 alone",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_read_is_an_error_that_says_why(name: str) -> None:
    code, reading, message = FAULTS[name]
    with pytest.raises(InputError, match=message):
        AdaptedNetwork(seen(1, lambda: Written(code, **scanned())), LENGTH, reading, "net")


class Beside(nn.Module):
    """Scans DNA and a track beside it, (B, 4, L) and (B, 1, L) to (B, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.track, self.fc = nn.Conv1d(4, 6, 3), nn.Conv1d(1, 6, 3), nn.Linear(6, 2)

    def forward(self, x: Tensor, track: Tensor) -> Tensor:
        return self.fc((F.relu(self.scan(x)) * torch.sigmoid(self.track(track))).mean(-1))


def test_an_input_beside_dna_is_held_by_a_module_around_the_network() -> None:
    inner = seen(1, Beside)
    with pytest.raises(InputError, match=r"missing 1 required .* a second input is held by a module around it"):
        AdaptedNetwork(inner, LENGTH, Reading(), "net")
    track, x = torch.linspace(-2, 2, LENGTH).reshape(1, 1, LENGTH), one_hot()
    held = Written(lambda net, x: net.inner(x, track.expand(len(x), -1, -1)), inner=inner)
    model = AdaptedNetwork(held, LENGTH, Reading(), "net")
    assert model.layer == "inner.fc"
    expected = inner(x, track.expand(len(x), -1, -1))
    torch.testing.assert_close(model(x), expected)
    torch.testing.assert_close(model.head(model.representation(x)), expected)
    assert not torch.allclose(expected, inner(x, torch.zeros(len(x), 1, LENGTH)))
