"""Weights as they come out of files: only dense numbers that are finite can be a network's."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from maxent_cli.errors import InputError

_SAVE = "save them as dense numbers, as in {name: value.float() for name, value in network.state_dict().items()}"

_COMPLEX = "complex"


def sound_weights(path: str, weights: Mapping[str, Tensor], cure: str) -> dict[str, Tensor]:
    """The weights, those of 8 bits as 32; raises InputError where one is of a kind no network has, or not finite."""
    found = {}
    for name, value in weights.items():
        kind = _odd(value)
        if kind:
            raise InputError(path, name, f"is {kind}", _SAVE)
        try:
            found[name] = value.float() if value.is_floating_point() and value.itemsize < torch.half.itemsize else value
            finite = bool(torch.isfinite(found[name]).all())
        except (RuntimeError, NotImplementedError) as error:
            raise InputError(path, name, f"is of a kind that cannot be read ({value.dtype})", _SAVE) from error
        if not finite:
            raise InputError(path, name, "holds a weight that is not a finite number", cure)
    return found


def require_kept(network: str, module: nn.Module) -> None:
    """Raise InputError where a network holds what no file of weights can; numbers may be of any kind and complex."""
    for name, value in module.state_dict().items():
        kind = _odd(value) if isinstance(value, Tensor) else f"a {type(value).__name__}, and no tensor"
        if kind and kind != _COMPLEX:
            raise InputError(network, name, f"is {kind}", "have it hold dense numbers")


def _odd(value: Tensor) -> str:
    if value.is_quantized:
        return "quantised"
    if value.is_meta:
        return "without values (on the meta device)"
    if value.layout is not torch.strided or value.is_nested:
        return f"not dense ({'nested' if value.is_nested else value.layout})"
    return _COMPLEX if value.is_complex() else ""
