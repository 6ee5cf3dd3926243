"""Networks of torch's own layers are built again from JSON, and give the same; others are not taken for such."""

import json
from collections.abc import Callable

import pytest
import torch
from torch import nn

from maxent_cli.models.known_layers import KNOWN, built, described

# one of each kind, with arguments that are not the defaults, and the shape that it reads
LAYERS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "Identity": (nn.Identity(), (4, 12)),
    "Flatten": (nn.Flatten(), (4, 12)),
    "Unflatten": (nn.Unflatten(1, (2, 2)), (4, 12)),
    "Linear": (nn.Linear(12, 5, bias=False), (12,)),
    "Conv1d": (nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, padding_mode="circular"), (4, 12)),
    "Conv2d": (nn.Conv2d(4, 6, (1, 3), padding="same", bias=False), (4, 5, 12)),
    "BatchNorm1d": (nn.BatchNorm1d(4, eps=0.1), (4, 12)),
    "BatchNorm2d": (nn.BatchNorm2d(4, affine=False), (4, 5, 12)),
    "LayerNorm": (nn.LayerNorm((4, 12), eps=0.1), (4, 12)),
    "GroupNorm": (nn.GroupNorm(2, 4, eps=0.1), (4, 12)),
    "Dropout": (nn.Dropout(0.2), (4, 12)),
    "Dropout1d": (nn.Dropout1d(0.2), (4, 12)),
    "Dropout2d": (nn.Dropout2d(0.2), (4, 5, 12)),
    "MaxPool1d": (nn.MaxPool1d(3, 2, 1, ceil_mode=True), (4, 12)),
    "AvgPool1d": (nn.AvgPool1d(3, 2, 1, count_include_pad=False), (4, 12)),
    "AdaptiveMaxPool1d": (nn.AdaptiveMaxPool1d(2), (4, 12)),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(3), (4, 12)),
    "MaxPool2d": (nn.MaxPool2d((1, 2)), (4, 5, 12)),
    "AvgPool2d": (nn.AvgPool2d((1, 2)), (4, 5, 12)),
    "ConstantPad1d": (nn.ConstantPad1d((0, 3), 0.5), (4, 12)),
    "ZeroPad1d": (nn.ZeroPad1d((1, 0)), (4, 12)),
    "ReLU": (nn.ReLU(), (4, 12)),
    "LeakyReLU": (nn.LeakyReLU(0.3), (4, 12)),
    "ELU": (nn.ELU(0.5), (4, 12)),
    "GELU": (nn.GELU("tanh"), (4, 12)),
    "SiLU": (nn.SiLU(), (4, 12)),
    "Sigmoid": (nn.Sigmoid(), (4, 12)),
    "Tanh": (nn.Tanh(), (4, 12)),
    "Softplus": (nn.Softplus(2.0, 5.0), (4, 12)),
    "Hardtanh": (nn.Hardtanh(-0.5, 0.25), (4, 12)),
    "ReLU6": (nn.ReLU6(), (4, 12)),
    "SELU": (nn.SELU(), (4, 12)),
    "CELU": (nn.CELU(0.5), (4, 12)),
    "Softmax": (nn.Softmax(1), (4, 12)),
    "LogSoftmax": (nn.LogSoftmax(1), (4, 12)),
    "LogSigmoid": (nn.LogSigmoid(), (4, 12)),
    "Sequential": (nn.Sequential(nn.Conv1d(4, 2, 3), nn.Sequential(nn.ReLU(), nn.Flatten())), (4, 12)),
}


def test_every_kind_is_tried() -> None:
    assert set(LAYERS) == set(KNOWN)


@pytest.mark.parametrize("name", LAYERS)
def test_built_again_from_json_it_gives_the_same(name: str) -> None:
    layer, shape = LAYERS[name]
    again = built(json.loads(json.dumps(described(layer))))
    again.load_state_dict(layer.state_dict())
    inputs = torch.randn(3, *shape)
    assert repr(again) == repr(layer)
    assert torch.equal(layer.eval()(inputs), again.eval()(inputs))


class Own(nn.Sequential):
    """A class of somebody's."""


class Conv1d(nn.Conv1d):
    """Of the same name as one that is known, and not it."""


def hooked() -> nn.Module:
    layer = nn.ReLU()
    layer.register_forward_hook(lambda *_: None)
    return layer


def other_forward() -> nn.Module:
    layer = nn.ReLU()
    layer.forward = torch.neg  # type: ignore[method-assign]
    return layer


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "a class of one's own": lambda: Own(nn.ReLU()),
    "of the same name": lambda: Conv1d(4, 2, 3),
    "inside": lambda: nn.Sequential(nn.ReLU(), nn.Sequential(nn.LSTM(4, 2))),
    "hooked": hooked,
    "another forward": other_forward,
    "weight norm": lambda: torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 2, 3)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_does_other_things_is_not_known(name: str) -> None:
    with pytest.raises(ValueError, match="is no layer known here"):
        described(OTHERS[name]())


@pytest.mark.parametrize(
    "given", [{"Module": {}}, {"Sequential": {"0": {"exec": {"code": "1"}}}}, {}, {"a": 1, "b": 2}]
)
def test_what_nobody_knows_is_not_built(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no layer known here|unpack"):
        built(given)
