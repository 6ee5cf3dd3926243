"""Keras networks as torch modules, from their configuration: a table of known layers, and nothing of the file is run.

Keras keeps channels last and torch first: a tensor here is Keras's with its last axis moved behind the batch, and
images that are one wide are sequences. So a sequence is (B, C, L) throughout, and what is flattened is turned first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from maxent_cli.errors import InputError, said

LETTERS = 4
_CURE = "write the network in torch and give it as module:function, with these weights"


class Ref(NamedTuple):
    """An output of a call of a layer, both counted from 0."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True)
class KerasLayer:
    """A layer of the file: its class, name and configuration, its weights in Keras's order, and what each call reads.

    inner: the network that it is, if it is one.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    weights: Sequence[NDArray[np.float32]] = ()
    calls: Sequence[Sequence[Ref]] = ()
    inner: "KerasGraph | None" = None


@dataclass(frozen=True)
class KerasGraph:
    """A network of the file: its layers in order, the layers that are its inputs, and its outputs."""

    layers: Sequence[KerasLayer]
    inputs: Sequence[str]
    outputs: Sequence[Ref]


def described(graph: KerasGraph) -> dict[str, Any]:
    """The network as plain data, with the shapes of its weights in their place."""
    return {
        "inputs": list(graph.inputs),
        "outputs": [list(ref) for ref in graph.outputs],
        "layers": [
            {
                "kind": layer.kind,
                "name": layer.name,
                "config": dict(layer.config),
                "weights": [list(array.shape) for array in layer.weights],
                "calls": [[list(ref) for ref in call] for call in layer.calls],
                "inner": None if layer.inner is None else described(layer.inner),
            }
            for layer in graph.layers
        ],
    }


def from_description(given: Mapping[str, Any]) -> KerasGraph:
    """The network of plain data, its weights zero. Raises KeyError, TypeError or ValueError where there is none."""
    layers = [
        KerasLayer(
            str(each["kind"]),
            str(each["name"]),
            dict(each["config"]),
            [np.zeros(tuple(map(int, shape)), np.float32) for shape in each["weights"]],
            [_refs(call) for call in each["calls"]],
            None if each["inner"] is None else from_description(each["inner"]),
        )
        for each in given["layers"]
    ]
    return KerasGraph(layers, [str(name) for name in given["inputs"]], _refs(given["outputs"]))


def _refs(given: Sequence[Sequence[Any]]) -> list[Ref]:
    return [Ref(str(layer), int(call), int(output)) for layer, call, output in given]


class Value(NamedTuple):
    """A tensor while the network is built: an example (1, ...), and its shape in Keras without the batch axis."""

    example: Tensor
    shape: tuple[int, ...]

    @property
    def positions(self) -> int:
        """Which of an image's two axes the positions are; the other has one column, or the letters in one channel."""
        return 0 if self.shape[0] >= self.shape[1] else 1

    @property
    def letters_in_a_row(self) -> bool:
        """Whether it is an image of one channel whose other axis is the letters."""
        return len(self.shape) == 3 and self.shape[2] == 1 and self.shape[1 - self.positions] == LETTERS


class Built(NamedTuple):
    """A layer in torch, and the shape that its output has in Keras; None: as the example says."""

    module: nn.Module
    shape: tuple[int, ...] | None = None


class _Unknown(Exception):  # noqa: N818 (a finding, not a fault)
    """What a layer does that is not known here."""


class KerasNetwork(nn.Module):
    """A network of a Keras file: one-hot DNA (B, 4, L) to its output, or to its outputs by name.

    constants: inputs other than DNA, which are held at zero.
    """

    def __init__(self, graph: KerasGraph, path: str, input_length: int | None) -> None:
        super().__init__()
        self.graph = graph
        self.steps: list[tuple[str, tuple[Ref, ...], Ref]] = []
        self.layers = nn.ModuleDict()
        shapes = {layer.name: _input_shape(layer) for layer in graph.layers if layer.name in graph.inputs}
        self.dna = _dna_input(shapes, path)
        self.constants = tuple(name for name in graph.inputs if name != self.dna)
        shape = _with_length(shapes[self.dna], input_length, path)
        self.input_length = max(shape)
        values = {Ref(self.dna, 0, 0): Value(torch.zeros(1, LETTERS, self.input_length), shape)}
        for name in self.constants:
            values[Ref(name, 0, 0)] = self._constant(name, shapes[name], path)
        _Builder(self, path, "").add(graph, values)
        self.outputs = tuple(graph.outputs)
        self.turned = tuple(len(values[ref].example.shape) == 3 for ref in self.outputs)
        self.names = _output_names(self.outputs)

    def _constant(self, name: str, shape: tuple[int | None, ...], path: str) -> Value:
        known = tuple(size for size in shape if size is not None)
        if len(known) != len(shape):
            raise InputError(path, name, "is an input without a fixed size", _CURE)
        zeros = torch.zeros(1, *known).movedim(-1, 1)
        self.register_buffer(f"constant_{_attribute(name)}", zeros)
        return Value(zeros, known)

    def forward(self, one_hot: Tensor) -> Tensor | dict[str, Tensor]:
        """One-hot (B, 4, L) to its output (B, ...), or to its outputs by name."""
        values = {Ref(self.dna, 0, 0): one_hot}
        for name in self.constants:
            zeros: Tensor = getattr(self, f"constant_{_attribute(name)}")
            values[Ref(name, 0, 0)] = zeros.expand(one_hot.shape[0], *zeros.shape[1:])
        for module, reads, gives in self.steps:
            values[gives] = self.layers[module](*(values[ref] for ref in reads))
        found = [values[ref] for ref in self.outputs]
        found = [value.transpose(1, 2) if turned else value for value, turned in zip(found, self.turned, strict=True)]
        return found[0] if len(found) == 1 else dict(zip(self.names, found, strict=True))


@dataclass
class _Builder:
    """Adds layers to a network, inner networks with their names before those of their layers."""

    network: KerasNetwork
    path: str
    prefix: str

    def add(self, graph: KerasGraph, values: dict[Ref, Value]) -> None:
        """Build the layers in the order in which their inputs are there; values: what is there, and then all."""
        waiting = [(layer, number) for layer in graph.layers for number in range(len(layer.calls))]
        while waiting:
            ready = [(layer, n) for layer, n in waiting if all(ref in values for ref in layer.calls[n])]
            if not ready:
                names = ", ".join(sorted({layer.name for layer, _ in waiting})[:5])
                raise InputError(self.path, names, "reads what no layer gives", _CURE)
            for layer, number in ready:
                self._call(layer, number, values)
            waiting = [each for each in waiting if each not in ready]
        missing = [ref.layer for ref in graph.outputs if ref not in values]
        if missing:
            raise InputError(self.path, missing[0], "is an output that no layer gives", _CURE)

    def _call(self, layer: KerasLayer, number: int, values: dict[Ref, Value]) -> None:
        given = [values[ref] for ref in layer.calls[number]]
        if layer.inner is not None:
            self._call_inner(layer, layer.inner, number, given, values)
            return
        name = f"{self.prefix}{_attribute(layer.name)}"
        try:
            made = _made(layer, given)
            shared = number > 0 and name in self.network.layers
            module = self.network.layers[name] if shared else made.module
            with torch.no_grad():
                example = module.eval()(*(value.example for value in given))
        except _Unknown as unknown:
            raise InputError(self.path, f"{layer.name} ({layer.kind})", str(unknown), _CURE) from None
        except (RuntimeError, ValueError, IndexError, KeyError, TypeError) as error:
            problem = f"cannot be built ({said(error)})"
            raise InputError(self.path, f"{layer.name} ({layer.kind})", problem, _CURE) from error
        self.network.layers[name] = module
        gives = Ref(layer.name, number, 0)
        values[gives] = Value(example, made.shape or _keras_shape(example))
        self.network.steps.append((name, tuple(self._outer(ref) for ref in layer.calls[number]), self._outer(gives)))

    def _call_inner(
        self, layer: KerasLayer, inner: KerasGraph, number: int, given: list[Value], values: dict[Ref, Value]
    ) -> None:
        """Build the inner network's layers as the outer network's own, between its inputs and its outputs."""
        builder = _Builder(self.network, self.path, f"{self.prefix}{_attribute(layer.name)}__")
        within = {Ref(name, 0, 0): value for name, value in zip(inner.inputs, given, strict=True)}
        for name, ref in zip(inner.inputs, layer.calls[number], strict=True):
            self._pass_on(self._outer(ref), builder._outer(Ref(name, 0, 0)))
        builder.add(inner, within)
        for output, ref in enumerate(inner.outputs):
            gives = Ref(layer.name, number, output)
            values[gives] = within[ref]
            self._pass_on(builder._outer(ref), self._outer(gives))

    def _pass_on(self, reads: Ref, gives: Ref) -> None:
        name = f"pass_{len(self.network.steps)}"
        self.network.layers[name] = nn.Identity()
        self.network.steps.append((name, (reads,), gives))

    def _outer(self, ref: Ref) -> Ref:
        return Ref(self.prefix + ref.layer, ref.call, ref.output) if self.prefix else ref


def _attribute(name: str) -> str:
    """A layer's name as torch takes it for a module's."""
    plain = name.replace(".", "_").replace("/", "_")
    return f"{plain}_" if hasattr(nn.ModuleDict, plain) else plain


def _output_names(outputs: Sequence[Ref]) -> tuple[str, ...]:
    names = [ref.layer for ref in outputs]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{ref.layer}_{ref.output}" for ref in outputs)


def _input_shape(layer: KerasLayer) -> tuple[int | None, ...]:
    shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape") or ()
    return tuple(size if size is None else int(size) for size in shape[1:])


def _dna_input(shapes: Mapping[str, tuple[int | None, ...]], path: str) -> str:
    """The input that reads DNA: the only one, or the only one of four channels."""
    dna = [name for name, shape in shapes.items() if len(shape) in (2, 3) and LETTERS in shape]
    if len(dna) == 1:
        return dna[0]
    found = "; ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
    raise InputError(path, "", f"has {len(dna)} inputs of four letters (inputs: {found[:300]})", _CURE)


def _with_length(shape: tuple[int | None, ...], length: int | None, path: str) -> tuple[int, ...]:
    if None in shape and length is None:
        raise InputError(path, "", "reads sequences of any length", "give the input length")
    known = tuple(size if size is not None else int(length or 0) for size in shape)
    if length is not None and length != max(known):
        raise InputError(path, "", f"reads {max(known)} letters", "leave out the input length, or give this one")
    return known


def _keras_shape(example: Tensor) -> tuple[int, ...]:
    return tuple(example.movedim(1, -1).shape[1:])


# A layer's entry in the table: of its configuration, its weights and what it reads, the layer in torch.
Maker = Callable[[Mapping[str, Any], Sequence[Tensor], Sequence[Value]], Built]


def _made(layer: KerasLayer, given: Sequence[Value]) -> Built:
    maker = MAKERS.get(layer.kind)
    if maker is None:
        if layer.kind in ("Lambda", "TFOpLambda", "SlicingOpLambda"):
            raise _Unknown("is code in the file, which is not run")
        raise _Unknown("is not a layer that is known here")
    if any(value.letters_in_a_row for value in given) and layer.kind not in _READ_LETTERS:
        raise _Unknown("reads the letters as columns of an image")
    weights = [torch.from_numpy(np.array(value, np.float32)) for value in layer.weights]
    made = maker(layer.config, weights, given)
    activation = layer.config.get("activation")
    if layer.kind in _RECURRENT or activation in (None, "linear"):
        return made
    return Built(nn.Sequential(made.module, _activation(activation)), made.shape)


def _one(value: Any, axis: int = 0) -> int:
    return int(value[axis] if isinstance(value, list | tuple) else value)


def _along(value: Any, given: Value) -> int:
    """A layer's size along the positions; across an image it must be 1."""
    if not isinstance(value, list | tuple) or len(value) == 1:
        return _one(value)
    if _one(value, 1 - given.positions) != 1:
        raise _Unknown(f"is {value[0]} by {value[1]}, over more than the positions")
    return _one(value, given.positions)


def _channels_last(config: Mapping[str, Any]) -> None:
    if config.get("data_format") not in (None, "channels_last"):
        raise _Unknown("keeps channels first")


def _like(given: Value, channels: int, length: int) -> tuple[int, ...] | None:
    """The shape in Keras of a sequence or image of so many positions."""
    if len(given.shape) != 3:
        return None
    return (length, 1, channels) if given.positions == 0 else (1, length, channels)


def _same_padding(length: int, width: int, stride: int) -> tuple[int, int]:
    """How much TensorFlow pads on the left and on the right for 'same'."""
    total = max((-(-length // stride) - 1) * stride + width - length, 0)
    return total // 2, total - total // 2


def _padded(padding: str, given: Value, span: int, stride: int, fill: float = 0.0) -> list[nn.ConstantPad1d]:
    """What pads before a layer that reads `span` positions."""
    length = given.example.shape[-1]
    left, right = {"valid": (0, 0), "causal": (span - 1, 0), "same": _same_padding(length, span, stride)}[padding]
    return [nn.ConstantPad1d((left, right), fill)] if left or right else []


def _convolution(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    """Conv1D (width, in, out); Conv2D (height, width, in, out) along the positions, or also over all the letters."""
    _channels_last(config)
    (value,) = given
    kernel = weights[0]
    if kernel.dim() == 4:
        kernel = _flat_kernel(kernel, config, value)
    at = value.positions if len(value.shape) == 3 else 0
    stride, dilation = (_one(config.get(name, 1), at if _two(config.get(name)) else 0) for name in _STEPS)
    width, into, out = kernel.shape
    channels = value.example.shape[1]
    before = _padded(config["padding"], value, (width - 1) * dilation + 1, stride)
    even = before[0].padding[0] if before and before[0].padding[0] == before[0].padding[1] else 0
    made = nn.Conv1d(channels, out, width, stride, even, dilation, groups=channels // into)
    _fill(made, kernel.permute(2, 1, 0), weights[1] if config.get("use_bias", True) else None)
    return _built([made] if even else [*before, made], value)


_STEPS = ("strides", "dilation_rate")


def _two(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _flat_kernel(kernel: Tensor, config: Mapping[str, Any], given: Value) -> Tensor:
    """Of a Conv2D the kernel (width, in, out) along the positions."""
    across = 1 - given.positions
    moved = kernel.movedim(across, 0)  # (across, along, in, out)
    if given.letters_in_a_row:
        if len(moved) != LETTERS or config["padding"] != "valid":
            raise _Unknown(f"reads {len(moved)} of the {LETTERS} letters at a time, padding {config['padding']!r}")
        return moved[:, :, 0].movedim(0, 1)
    if len(moved) == 1:
        return moved[0]
    if config["padding"] == "same":  # the other rows read padding alone
        return moved[(len(moved) - 1) // 2]
    raise _Unknown(f"is {kernel.shape[0]} by {kernel.shape[1]}, over more than the positions")


def _built(modules: list[nn.Module], given: Value) -> Built:
    module = modules[0] if len(modules) == 1 else nn.Sequential(*modules)
    if len(given.shape) != 3:
        return Built(module)
    with torch.no_grad():
        example = module.eval()(given.example)
    return Built(module, _like(given, example.shape[1], example.shape[2]))


def _fill(module: nn.Conv1d | nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    if module.weight.shape != weight.shape:
        raise _Unknown(f"has weights {tuple(weight.shape)} where {tuple(module.weight.shape)} belong")
    assert module.bias is not None
    with torch.no_grad():
        module.weight.copy_(weight)
        module.bias.zero_() if bias is None else module.bias.copy_(bias)


def _depthwise(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    """DepthwiseConv1D: a kernel (width, in, multiplier) for each channel by itself."""
    _channels_last(config)
    width, into, multiplier = weights[0].shape
    kernel = weights[0].reshape(width, 1, into * multiplier)
    return _convolution(config, [kernel, *weights[1:]], given)


def _separable(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    """SeparableConv1D: depthwise without a bias, then pointwise."""
    depth, _ = _depthwise({**config, "use_bias": False}, weights[:1], given)
    point = nn.Conv1d(weights[1].shape[1], weights[1].shape[2], 1)
    _fill(point, weights[1].permute(2, 1, 0), weights[2] if config.get("use_bias", True) else None)
    return Built(nn.Sequential(depth, point))


def _dense(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    """Dense over the last axis: of a sequence, a convolution one wide."""
    into, out = weights[0].shape
    bias = weights[1] if config.get("use_bias", True) else None
    if given[0].example.dim() == 2:
        linear = nn.Linear(into, out)
        _fill(linear, weights[0].T, bias)
        return Built(linear)
    point = nn.Conv1d(into, out, 1)
    _fill(point, weights[0].T[:, :, None], bias)
    return _built([point], given[0])


def _time_distributed(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    inner = config["layer"]
    if inner["class_name"] != "Dense":
        raise _Unknown(f"repeats a {inner['class_name']}")
    made = _dense(inner["config"], weights, given)
    return Built(nn.Sequential(made.module, _activation(inner["config"].get("activation") or "linear")), made.shape)


def _max_pool(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    width, stride = _pool_sizes(config, given[0])
    before = _padded(config["padding"], given[0], width, stride, fill=-float("inf"))
    if before and before[0].padding[0] == 0:  # only the end is cut short
        return _built([nn.MaxPool1d(width, stride, ceil_mode=True)], given[0])
    return _built([*before, nn.MaxPool1d(width, stride)], given[0])


def _mean_pool(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    width, stride = _pool_sizes(config, given[0])
    before = _padded(config["padding"], given[0], width, stride)
    if before and before[0].padding[0]:
        raise _Unknown("takes means that leave padding out on both sides")
    return _built([nn.AvgPool1d(width, stride, ceil_mode=bool(before))], given[0])


def _pool_sizes(config: Mapping[str, Any], given: Value) -> tuple[int, int]:
    _channels_last(config)
    return _along(config["pool_size"], given), _along(config["strides"] or config["pool_size"], given)


def _global(kind: type[nn.Module]) -> Maker:
    def make(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
        _channels_last(config)
        module = nn.Sequential(kind(1), nn.Flatten())
        if config.get("keepdims"):
            return _built([kind(1)], given[0])
        return Built(module)

    return make


def _batch_norm(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    axis = config.get("axis", -1)
    if _one(axis) not in (-1, len(given[0].shape)):
        raise _Unknown(f"normalises axis {axis}")
    rest = iter(weights)
    made = nn.BatchNorm1d(given[0].example.shape[1], eps=config["epsilon"])
    assert made.running_mean is not None
    assert made.running_var is not None
    with torch.no_grad():
        if config.get("scale", True):
            made.weight.copy_(next(rest))
        if config.get("center", True):
            made.bias.copy_(next(rest))
        made.running_mean.copy_(next(rest))
        made.running_var.copy_(next(rest))
    return Built(made, given[0].shape if len(given[0].shape) == 3 else None)


class _LayerNorm(nn.Module):
    """Normalises the channels of (B, C) or (B, C, L), each position by itself."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, value: Tensor) -> Tensor:
        normalised: Tensor = self.norm(value.movedim(1, -1))
        return normalised.movedim(-1, 1)


def _layer_norm(config: Mapping[str, Any], weights: Sequence[Tensor], given: Sequence[Value]) -> Built:
    axis = config.get("axis", -1)
    if _one(axis) not in (-1, len(given[0].shape)) or config.get("rms_scaling"):
        raise _Unknown(f"normalises axis {axis}, or by the root mean square")
    made = nn.LayerNorm(given[0].example.shape[1], eps=config["epsilon"])
    rest = iter(weights)
    with torch.no_grad():
        if config.get("scale", True):
            made.weight.copy_(next(rest))
        if config.get("center", True):
            made.bias.copy_(next(rest))
    return Built(_LayerNorm(made), given[0].shape)


class _Flatten(nn.Module):
    """Flattens as Keras does: positions before channels."""

    def forward(self, value: Tensor) -> Tensor:
        return value.transpose(1, 2).flatten(1)


class _TurnLayer(nn.Module):
    """Exchanges positions and channels."""

    def forward(self, value: Tensor) -> Tensor:
        return value.transpose(1, 2)


def _flatten(_: Mapping[str, Any], __: Sequence[Tensor], given: Sequence[Value]) -> Built:
    return Built(nn.Identity() if given[0].example.dim() == 2 else _Flatten())


def _reshape(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    """To one axis, or with axes of one column more or fewer."""
    (value,) = given
    total = int(np.prod(value.shape))
    target = [int(size) for size in config["target_shape"]]
    known = int(np.prod([size for size in target if size != -1]))
    shape = tuple(total // known if size == -1 else size for size in target)
    if value.letters_in_a_row and shape[-1] == LETTERS:  # of channels, as they are here already
        return Built(nn.Identity(), shape)
    if len(shape) == 1:
        return _flatten({}, [], given)
    if [s for s in shape if s != 1] == [s for s in value.shape if s != 1] and shape[-1] == value.shape[-1]:
        return Built(nn.Identity(), shape)
    raise _Unknown(f"makes {shape} of {value.shape}")


def _permute(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    dims, axes = tuple(config["dims"]), len(given[0].shape)
    if dims == tuple(range(1, axes + 1)):
        return Built(nn.Identity(), given[0].shape)
    if axes == 2:
        return Built(_TurnLayer())
    if dims == (2, 1, 3):
        first, second, channels = given[0].shape
        return Built(nn.Identity(), (second, first, channels))
    raise _Unknown(f"exchanges the axes to {dims}")


class _CropLayer(nn.Module):
    """Leaves out so many positions on the left and on the right."""

    def __init__(self, left: int, right: int) -> None:
        super().__init__()
        self.left, self.right = left, right

    def forward(self, value: Tensor) -> Tensor:
        return value[:, :, self.left : -self.right or None]


def _sides(value: Any) -> tuple[int, int]:
    return (_one(value), _one(value, 1)) if isinstance(value, list | tuple) else (int(value), int(value))


def _crop(config: Mapping[str, Any], _: Sequence[Tensor], __: Sequence[Value]) -> Built:
    return Built(_CropLayer(*_sides(config["cropping"])))


def _zeros(config: Mapping[str, Any], _: Sequence[Tensor], __: Sequence[Value]) -> Built:
    return Built(nn.ConstantPad1d(_sides(config["padding"]), 0.0))


def _upsample(config: Mapping[str, Any], _: Sequence[Tensor], __: Sequence[Value]) -> Built:
    return Built(nn.Upsample(scale_factor=float(_one(config["size"]))))


class _Merge(nn.Module):
    """Several tensors to one."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *values: Tensor) -> Tensor:
        return self.function(*values)


def _merge(function: Callable[..., Tensor]) -> Maker:
    return lambda _, __, given: Built(_Merge(function), given[0].shape)


def _sum(first: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        first = first + other
    return first


def _product(first: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        first = first * other
    return first


def _average(*values: Tensor) -> Tensor:
    return _sum(*values) / len(values)


def _largest(first: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        first = torch.maximum(first, other)
    return first


def _smallest(first: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        first = torch.minimum(first, other)
    return first


def _concatenate(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    axes = len(given[0].shape)
    axis = int(config.get("axis", -1)) % (axes + 1)
    if axis == axes:
        shapes = [value.shape for value in given]
        return Built(_Merge(lambda *values: torch.cat(values, 1)), (*shapes[0][:-1], sum(s[-1] for s in shapes)))
    if axes == 2 and axis == 1:
        return Built(_Merge(lambda *values: torch.cat(values, 2)))
    raise _Unknown(f"joins along axis {axis}")


class _Recurrent(nn.Module):
    """A recurrent layer along the positions of (B, C, L), or two, one of them from the end, and how they are merged."""

    def __init__(self, forth: nn.Module, back: nn.Module | None, whole: bool, merge: str) -> None:
        super().__init__()
        self.forth, self.back, self.whole, self.merge = forth, back, whole, merge

    def forward(self, value: Tensor) -> Tensor:
        steps = value.transpose(1, 2)
        found = [self.forth(steps)[0]]
        if self.back is not None:
            found.append(self.back(steps.flip(1))[0])
        ends = [each if self.whole else each[:, -1] for each in found]
        if self.whole and len(ends) == 2:
            ends[1] = ends[1].flip(1)
        merged = ends[0] if len(ends) == 1 else _MERGES[self.merge](*ends)
        return merged.transpose(1, 2) if self.whole else merged


_MERGES: dict[str, Callable[..., Tensor]] = {
    "concat": lambda *values: torch.cat(values, -1),
    "sum": _sum,
    "mul": _product,
    "ave": _average,
}
_RECURRENT = ("LSTM", "GRU", "Bidirectional")
_READ_LETTERS = ("Conv2D", "Convolution2D", "Reshape", "Dropout", "GaussianNoise")  # as columns of an image


def _recurrent(kind: str) -> Maker:
    def make(config: Mapping[str, Any], weights: Sequence[Tensor], _: Sequence[Value]) -> Built:
        if config.get("go_backwards"):
            raise _Unknown("goes backwards by itself")
        return Built(_Recurrent(_cell(kind, config, weights), None, bool(config["return_sequences"]), ""))

    return make


def _bidirectional(config: Mapping[str, Any], weights: Sequence[Tensor], _: Sequence[Value]) -> Built:
    inner, merge = config["layer"], config.get("merge_mode")
    if inner["class_name"] not in ("LSTM", "GRU") or merge not in _MERGES:
        raise _Unknown(f"runs a {inner['class_name']} both ways, merged by {merge}")
    half = len(weights) // 2
    cells = [_cell(inner["class_name"], inner["config"], part) for part in (weights[:half], weights[half:])]
    return Built(_Recurrent(cells[0], cells[1], bool(inner["config"]["return_sequences"]), str(merge)))


def _cell(kind: str, config: Mapping[str, Any], weights: Sequence[Tensor]) -> nn.Module:
    """Gates in torch's order: Keras's LSTM has the same, its GRU the first two exchanged."""
    functions = (config.get("activation"), config.get("recurrent_activation"))
    if functions != ("tanh", "sigmoid") or config.get("return_state"):
        raise _Unknown(f"has activations {functions}, or returns its state")
    if kind == "GRU" and not config.get("reset_after"):
        raise _Unknown("resets before the product (reset_after is false)")
    units = int(config["units"])
    kernel, recurrent = weights[0], weights[1]
    gates = kernel.shape[1] // units
    bias = weights[2] if config.get("use_bias", True) else torch.zeros(gates * units)
    made: nn.LSTM | nn.GRU = (nn.LSTM if kind == "LSTM" else nn.GRU)(len(kernel), units, batch_first=True)
    order = range(gates) if kind == "LSTM" else (1, 0, 2)
    columns = torch.cat([torch.arange(gate * units, (gate + 1) * units) for gate in order])
    biases = bias if bias.dim() == 2 else torch.stack([bias, torch.zeros_like(bias)])
    given = {"weight_ih_l0": kernel[:, columns].T, "weight_hh_l0": recurrent[:, columns].T}
    given |= {"bias_ih_l0": biases[0, columns], "bias_hh_l0": biases[1, columns]}
    made.load_state_dict(given)
    return made


class _Pointwise(nn.Module):
    """A function of each number."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, value: Tensor) -> Tensor:
        return self.function(value)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(1),
    "log_softmax": lambda: nn.LogSoftmax(1),
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "swish": nn.SiLU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "exponential": lambda: _Pointwise(torch.exp),
}


def _activation(given: Any) -> nn.Module:
    name = given.get("config") if isinstance(given, Mapping) else given
    if not isinstance(name, str) or name not in ACTIVATIONS:
        kind = given.get("class_name") if isinstance(given, Mapping) else given
        raise _Unknown(f"has an activation that is not known here ({str(kind)[:60]})")
    return ACTIVATIONS[name]()


def _function(make: Callable[[Mapping[str, Any]], nn.Module]) -> Maker:
    return lambda config, _, given: Built(make(config), given[0].shape)


def _rectifier(config: Mapping[str, Any]) -> nn.Module:
    if config.get("threshold"):
        raise _Unknown("has a threshold")
    slope, top = float(config.get("negative_slope") or 0.0), config.get("max_value")
    return _Pointwise(lambda value: F.leaky_relu(value, slope).clamp(max=top)) if top else _leaky(slope)


def _leaky(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def _leaky_rectifier(config: Mapping[str, Any]) -> nn.Module:
    return _leaky(float(config.get("negative_slope", config.get("alpha", 0.3))))


def _softmax(config: Mapping[str, Any], _: Sequence[Tensor], given: Sequence[Value]) -> Built:
    if _one(config.get("axis", -1)) not in (-1, len(given[0].shape)):
        raise _Unknown(f"sums over axis {config['axis']}")
    return Built(nn.Softmax(1), given[0].shape)


def _nothing(_: Mapping[str, Any], __: Sequence[Tensor], given: Sequence[Value]) -> Built:
    return Built(nn.Identity(), given[0].shape)


MAKERS: dict[str, Maker] = {
    "Conv1D": _convolution,
    "Convolution1D": _convolution,
    "Conv2D": _convolution,
    "Convolution2D": _convolution,
    "DepthwiseConv1D": _depthwise,
    "SeparableConv1D": _separable,
    "Dense": _dense,
    "TimeDistributed": _time_distributed,
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D"), _max_pool),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D"), _mean_pool),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalMaxPooling2D"), _global(nn.AdaptiveMaxPool1d)),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D"), _global(nn.AdaptiveAvgPool1d)),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Cropping1D": _crop,
    "ZeroPadding1D": _zeros,
    "UpSampling1D": _upsample,
    "Add": _merge(_sum),
    "Multiply": _merge(_product),
    "Average": _merge(_average),
    "Maximum": _merge(_largest),
    "Minimum": _merge(_smallest),
    "Subtract": _merge(lambda first, second: first - second),
    "Concatenate": _concatenate,
    "LSTM": _recurrent("LSTM"),
    "GRU": _recurrent("GRU"),
    "Bidirectional": _bidirectional,
    "Activation": _nothing,  # its function is that of any layer
    "ReLU": _function(_rectifier),
    "LeakyReLU": _function(_leaky_rectifier),
    "ELU": _function(lambda config: nn.ELU(float(config.get("alpha", 1.0)))),
    "Softmax": _softmax,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"),
        _nothing,
    ),
    "ActivityRegularization": _nothing,
}
