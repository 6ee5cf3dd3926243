"""Which units of a network's ReLU-like layers are on, sequence by sequence."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from maxent_cli.alphabet import Codes
from maxent_cli.models.prediction import device_of, inputs_of
from maxent_cli.models.whole import copied
from maxent_cli.tables.learning import ALL_LAYERS

# functions that turn at 0, on above it; by the names that torch gives them
TURNING = frozenset(
    {"relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "selu", "selu_", "celu"}
    | {"gelu", "silu", "mish", "softplus", "hardswish", "softshrink"}
)
CLAMPING = frozenset({"clamp", "clamp_", "clip", "clip_", "clamp_min", "clamp_min_", "threshold", "threshold_"})
CONVOLVING = frozenset({"conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"})
MULTIPLYING = frozenset({"linear", "matmul", "__matmul__", "mm", "bmm", "addmm", "baddbmm", "einsum"})
BATCH = 256
TRIED = 7  # sequences, by which the batch axis is found: a size that few other axes have

Layers = dict[str, Tensor]  # which units are on, by layer: (B, positions, units)


class Passed(NamedTuple):
    """A pass: the outputs (B, K) and which units were on."""

    outputs: Tensor
    on: Layers


class _Watching(TorchFunctionMode):
    """A pass in which the sign of whatever enters a ReLU-like function is noted, under the name of its module.

    within: names of the modules that are being called, the innermost last. batch_axes: that of each layer, as the first
    pass, of TRIED sequences, finds it; a layer that has none, such as one of weights alone, is left out.
    """

    def __init__(self, within: list[str], batch_axes: dict[str, int | None]) -> None:
        super().__init__()
        self.found, self.within, self.batch_axes = Layers(), within, batch_axes
        self.calls = Counter[str]()
        self.axis = -1  # of the units: a convolution's are on axis 1, a linear layer's on the last

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, given = getattr(func, "__name__", ""), kwargs or {}
        if name in CONVOLVING:
            self.axis = 1
        elif name in MULTIPLYING:
            self.axis = -1
        elif name in TURNING or (name in CLAMPING and _least(args, given) == 0):
            self._note(args[0] if args else given["input"], name)
        return func(*args, **given)

    def _note(self, value: Tensor, function: str) -> None:
        on = (value.detach() > 0).movedim(self.axis, -1)
        module = self.within[-1] if self.within else ""
        name = module or function
        self.calls[name] += 1
        name = f"{name} {self.calls[name]}" if self.calls[name] > 1 else name
        first = next((number for number, size in enumerate(on.shape[:-1]) if size == TRIED), None)
        axis = self.batch_axes.setdefault(name, first)
        if axis is not None:
            on = on.movedim(axis, 0)
            self.found[name] = on.reshape(len(on), -1, on.shape[-1])


def _least(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The least value of a clamp, or the threshold."""
    return args[1] if len(args) > 1 else named.get("min", named.get("threshold"))


def on_units(model: nn.Module, codes: Codes) -> Iterator[Passed]:
    """Of codes (B, L), some at a time, the outputs and which units of each ReLU-like layer are on.

    A layer is called by its module, or by its function where a network's own code calls that; a second call of the
    same has a number. The model is left as it was.
    """
    device = device_of(model)
    watched, within = copied(model).eval(), list[str]()  # its own: other threads may be running the model
    for name, module in watched.named_modules():
        if name and not isinstance(module, torch.jit.ScriptModule):  # into which nobody sees
            called = _own(name)
            module.register_forward_pre_hook(lambda *_, called=called: within.append(called))
            module.register_forward_hook(lambda *_: _left(within), always_call=True)
    axes = dict[str, int | None]()
    if not len(codes):
        return
    with torch.inference_mode(), _Watching(within, axes):
        watched(inputs_of(codes[np.arange(TRIED) % len(codes)], device))
    for start in range(0, len(codes), BATCH):
        watching = _Watching(within, axes)
        with torch.inference_mode(), watching:
            outputs = watched(inputs_of(codes[start : start + BATCH], device))
        yield Passed(outputs, watching.found)


def _own(name: str) -> str:
    """A module's name in the user's network, which an adapted one holds as `network`; nothing for all of it."""
    return "" if name == "network" else name.removeprefix("network.")


def _left(within: list[str]) -> None:
    within.pop()


def patterns_of(on: Layers) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The patterns (M, units) of each layer, one a sequence and position; of all together, if any, one a sequence.

    The last is the linear region that a sequence lies in, where the layers are ReLU and pooling takes no maximum.
    """
    for name, found in on.items():
        yield name, found.reshape(-1, found.shape[-1]).cpu().numpy()
    if on:
        yield ALL_LAYERS, torch.cat([found.flatten(1) for found in on.values()], dim=1).cpu().numpy()
