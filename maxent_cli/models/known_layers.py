"""Networks of torch's own layers as plain data, from which they are built again without anybody's code."""

import inspect
from typing import Any

from torch import nn

Description = dict[str, Any]

_KINDS = (
    *(nn.Sequential, nn.Identity, nn.Flatten, nn.Unflatten, nn.Linear, nn.Conv1d, nn.Conv2d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.Dropout, nn.Dropout1d, nn.Dropout2d),
    *(nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveMaxPool1d, nn.AdaptiveAvgPool1d, nn.MaxPool2d, nn.AvgPool2d),
    *(nn.ConstantPad1d, nn.ZeroPad1d, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh),
    *(nn.Softplus, nn.Hardtanh, nn.ReLU6, nn.SELU, nn.CELU, nn.Softmax, nn.LogSoftmax, nn.LogSigmoid),
)
KNOWN: dict[str, type[nn.Module]] = {kind.__name__: kind for kind in _KINDS}
_NOT_SHAPES = ("device", "dtype")


def described(network: nn.Module) -> Description:
    """The name of a network's class with its arguments; of a Sequential, with its layers by name.

    Raises ValueError where a layer is not one of torch's that are known here, or has been changed.
    """
    kind = type(network)
    if KNOWN.get(kind.__name__) is not kind or _changed(network):
        raise ValueError(f"{kind.__name__} is no layer known here")
    if isinstance(network, nn.Sequential):
        return {"Sequential": {name: described(layer) for name, layer in network._modules.items() if layer is not None}}
    names = [name for name in inspect.signature(kind).parameters if name not in _NOT_SHAPES and hasattr(network, name)]
    return {kind.__name__: {name: _plain(name, getattr(network, name)) for name in names}}


def built(description: Description) -> nn.Module:
    """The network that was described; ValueError or TypeError where there is none."""
    ((name, arguments),) = description.items()
    if name not in KNOWN:
        raise ValueError(f"{name} is no layer known here")
    if name != "Sequential":
        return KNOWN[name](**{key: _given(value) for key, value in arguments.items()})
    layers = nn.Sequential()
    for key, layer in arguments.items():
        layers.add_module(key, built(layer))
    return layers


def _changed(network: nn.Module) -> bool:
    """Whether it does other things than its class says."""
    return bool(network._forward_hooks or network._forward_pre_hooks or "forward" in vars(network))


def _plain(name: str, value: Any) -> Any:
    """An argument, as the layer keeps it, as JSON can say it."""
    if name == "bias":
        return value is not None and value is not False
    if isinstance(value, tuple | list):
        return [_plain("", each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} is a {type(value).__name__}")


def _given(value: Any) -> Any:
    return tuple(map(_given, value)) if isinstance(value, list) else value
