"""DeepLIFT against another implementation, and where it must add up, or must not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from torch import Tensor, nn
from torch.nn import functional
from toy import with_random_weights

from maxent_cli.interpret.deeplift import POINTWISE, multipliers

LENGTH, PAIRS = 20, 6


class Written(nn.Module):
    """Layers put together by code of one's own, which gives (B, 1)."""

    def __init__(self, code: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.code = nn.ModuleList(layers), code

    def forward(self, inputs: Tensor) -> Tensor:
        return self.code(inputs, *self.layers).flatten(1).sum(1, keepdim=True)


def stack(*layers: nn.Module) -> Written:
    return Written(lambda x, first, rest: rest(first(x)), nn.Conv1d(4, 6, 4), nn.Sequential(*layers, nn.Sigmoid()))


def sequences(count: int) -> Tensor:
    codes = torch.from_numpy(np.random.default_rng(3).integers(0, 4, (count, LENGTH)))
    return functional.one_hot(codes, 4).float().transpose(1, 2).contiguous()


def explained(network: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Multipliers (R, 4, L), the sequence (1, 4, L), references (R, 4, L), and differences of outputs (R,)."""
    with_random_weights(network.eval(), 5)
    given = sequences(PAIRS + 1)
    with torch.no_grad():
        outputs = network(given)[:, 0]
    return multipliers(lambda x: network(x)[:, 0], given[0], given[1:]), given[:1], given[1:], outputs[0] - outputs[1:]


def off(network: nn.Module) -> float:
    """How far sums of contributions are off, as a share of the largest difference of outputs."""
    worth, one, references, difference = explained(network)
    sums = (worth * (one - references)).sum((1, 2))
    return float((sums - difference).abs().max() / difference.abs().max())


POOLS = {
    "none": nn.Identity(),
    "max": nn.MaxPool1d(2),
    "max, overlapping": nn.MaxPool1d(3, stride=1),
    "max, padded": nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True),
    "mean": nn.AvgPool1d(2),
    "batch norm and GELU": nn.Sequential(nn.BatchNorm1d(6), nn.GELU(), nn.Conv1d(6, 5, 3), nn.MaxPool1d(2)),
}


@pytest.mark.parametrize("pool", POOLS)
def test_it_is_what_another_implementation_gives(pool: str) -> None:
    network = stack(nn.ReLU(), POOLS[pool])
    worth, one, references, _ = explained(network)
    hypothetical = (worth - (worth * references).sum(1, keepdim=True)).mean(0)
    other = deep_lift_shap(network, one, references=references[None], hypothetical=True, device="cpu")[0]
    torch.testing.assert_close(hypothetical, other, rtol=1e-4, atol=1e-6)
    assert other.abs().max() > 0.01


CALLS: dict[str, tuple[Any, ...]] = {"clamp": (-0.1, 0.2), "clamp_min": (0.0,), "clamp_max": (0.1,), "pow": (3,)}


@pytest.mark.parametrize("name", sorted(POINTWISE - {"prelu"}))
def test_functions_and_methods_add_up(name: str) -> None:
    """Each function as it may be called: by torch.nn.functional, torch, or as a method."""

    def code(x: Tensor, scan: nn.Module) -> Tensor:
        values = scan(x)
        values = values.abs() + 0.5 if name in ("log", "log1p", "sqrt", "pow", "__pow__") else values
        if name == "__pow__":
            return values**2
        spelled = name.replace("log_s", "logs")
        found = next(getattr(home, spelled) for home in (functional, torch) if hasattr(home, spelled))
        return found(values, *CALLS.get(name, ()))

    assert off(Written(code, nn.Conv1d(4, 6, 4))) < 1e-5


CODES: dict[str, Callable[..., Tensor]] = {
    "a module used twice": lambda x, scan, act, mix: act(mix(act(scan(x)))),
    "functional": lambda x, scan, _, mix: functional.relu(mix(functional.relu(scan(x), inplace=True))),
    "a residual": lambda x, scan, act, mix: (lambda h: (h + mix(h)).relu())(act(scan(x))),
    "amax": lambda x, scan, act, _: act(scan(x)).amax(2),
    "max": lambda x, scan, act, _: act(scan(x)).max(dim=-1).values,
    "max of channels": lambda x, scan, *_: scan(x).max(1, keepdim=True)[0],
    "global max": lambda x, scan, act, _: functional.adaptive_max_pool1d(act(scan(x)), 1),
    "two dimensions": lambda x, scan, act, _: functional.max_pool2d(act(scan(x))[:, None], (2, 3)),
    "a slope per channel": lambda x, scan, _, mix: functional.prelu(scan(x), mix.weight[:1, 0, 0]),
}


@pytest.mark.parametrize("code", CODES)
def test_networks_of_any_code_add_up(code: str) -> None:
    network = Written(CODES[code], nn.Conv1d(4, 6, 4), nn.ReLU(), nn.Conv1d(6, 6, 3, padding=1))
    assert off(network) < 1e-5


UNKNOWN: dict[str, Callable[[], nn.Module]] = {
    "a gate": lambda: Written(lambda x, a, b: a(x) * b(x).sigmoid(), nn.Conv1d(4, 6, 4), nn.Conv1d(4, 6, 4)),
    "LSTM": lambda: Written(lambda x, lstm: lstm(x.transpose(1, 2))[0], nn.LSTM(4, 5, batch_first=True)),
    "in place": lambda: Written(lambda x, a: a(x).relu_(), nn.Conv1d(4, 6, 4)),
    "softmax": lambda: Written(lambda x, a: a(x).softmax(2).square(), nn.Conv1d(4, 6, 4)),
}


@pytest.mark.parametrize("network", UNKNOWN)
def test_what_it_does_not_know_does_not_add_up(network: str) -> None:
    assert off(UNKNOWN[network]()) > 0.01


def test_letters_that_are_those_of_the_reference_have_the_functions_own_slope() -> None:
    """Where nothing differs, a multiplier is the gradient."""
    network = with_random_weights(Written(lambda x, a: a(x).tanh(), nn.Conv1d(4, 6, 4)).eval(), 5)
    one = sequences(1)
    point = one.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(point).sum(), point)
    torch.testing.assert_close(multipliers(lambda x: network(x)[:, 0], one[0], one), gradient)
