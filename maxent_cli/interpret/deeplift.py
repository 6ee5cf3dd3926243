"""DeepLIFT by the rescale rule (Shrikumar et al., ICML 2017), for networks of any code.

A pass over a sequence and its references together is watched call by call (torch.overrides.TorchFunctionMode, which
belongs to a thread): what a nonlinear function gives is replaced by a line through its values at the sequence and at
the reference, so that the gradient of the pass is the multipliers. Functions and modules, used once or often, are
alike. What is not known here, such as products of activations, keeps its gradient, and then the sums do not come out.
(captum's knows modules alone, each used once, and its sums do not come out behind max pooling.)
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

SAME = 1e-6  # differences of activations up to which a function's own derivative is the slope

# functions of each number by itself, which comes first among their arguments
POINTWISE = {
    *("relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign"),
    *("sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish", "log_sigmoid", "exp", "log", "log1p", "expm1", "sqrt"),
    *("abs", "square", "clamp", "clamp_min", "clamp_max", "erf", "pow", "__pow__"),
}
# pooling: what gives maxima (B, C, ...) and their places in the flattened columns
POOLING: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    "max_pool1d": functional.max_pool1d_with_indices,
    "max_pool2d": functional.max_pool2d_with_indices,
    "adaptive_max_pool1d": functional.adaptive_max_pool1d_with_indices,
    "adaptive_max_pool2d": functional.adaptive_max_pool2d_with_indices,
}


def multipliers(function: Callable[[Tensor], Tensor], one_hot: Tensor, references: Tensor) -> Tensor:
    """Multipliers (R, 4, L) of a function (B, 4, L) -> (B,) for a sequence (4, L) against references (R, 4, L).

    Times the difference from a reference they sum to the function's difference, if all that is nonlinear is known.
    """
    pairs = len(references)
    batch = torch.cat([one_hot.expand_as(references), references]).requires_grad_()
    with torch.enable_grad(), _Rescale(pairs):
        outputs = function(batch)
    (gradient,) = torch.autograd.grad(outputs[:pairs].sum(), batch)
    return gradient[:pairs]


class _Rescale(TorchFunctionMode):
    """Watches a pass whose batch is so many sequences and, in the same order, their references."""

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self.pairs = pairs

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, given = getattr(func, "__name__", ""), dict(kwargs or {})
        if not args or not self._is_batch(args[0]):
            return func(*args, **given)
        if name in POINTWISE and not any(self._is_batch(value) for value in args[1:]):
            return _rescaled(args[0], func(*args, **given | ({"inplace": False} if "inplace" in given else {})))
        if name in POOLING:
            maxima, places = POOLING[name](*args, **given)
            return _pooled(args[0].flatten(2), maxima.flatten(2), places.flatten(2)).view_as(maxima)
        axis = given.get("dim", (*args, None)[1])
        if name in ("max", "amax") and isinstance(axis, int) and axis:
            return _greatest(args[0], axis, func(*args, **given))
        return func(*args, **given)

    def _is_batch(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dim() > 1 and len(value) % (2 * self.pairs) == 0


def _rescaled(before: Tensor, after: Tensor) -> Tensor:
    """What a function gives, with the slope between sequence and reference as its derivative."""
    with torch.no_grad():
        change = _change(before)
        differs = change.abs() > SAME
        slope = _change(after) / torch.where(differs, change, 1)
    return torch.where(differs, _line(before, after, slope), after)


def _pooled(columns: Tensor, maxima: Tensor, places: Tensor) -> Tensor:
    """Maxima (B, ..., O), at these places, of columns (B, ..., P): the place of the greater of two has the change."""
    with torch.no_grad():
        change = _change(maxima)
        own, other = (torch.cat([half, half]) for half in places.chunk(2))
        winner = torch.where(change >= 0, own, other)
    chosen = columns.gather(-1, winner)
    with torch.no_grad():
        moved = _change(chosen)
        slope = torch.where(moved.abs() > SAME, change / torch.where(moved.abs() > SAME, moved, 1), 1)
    return _line(chosen, maxima, slope)


def _greatest(activations: Tensor, axis: int, found: Any) -> Any:
    """What max (values and indices) or amax found along an axis that is not the batch's."""
    columns = activations.movedim(axis, -1)
    values, places = columns.max(-1, keepdim=True)
    pooled = _pooled(columns, values, places)
    if isinstance(found, Tensor):
        return pooled.reshape(found.shape)
    return type(found)((pooled.reshape(found.values.shape), found.indices))


def _line(before: Tensor, after: Tensor, slope: Tensor) -> Tensor:
    """The values after, as a function of those before that has this slope."""
    return after.detach() + (before - before.detach()) * slope


def _change(values: Tensor) -> Tensor:
    """Values of the sequences less those of their references, for both halves of a batch."""
    sequences, references = values.chunk(2)
    return torch.cat([sequences - references] * 2)
