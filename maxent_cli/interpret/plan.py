"""The layer plan of the compiled chain, read off the network itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from maxent_cli.engine import layers
from maxent_cli.engine.layers import FEATURES, LETTERS, OUT_CHANNELS, OUT_LENGTH, Layer, Plan, make_plan, side_by_side
from maxent_cli.models.adapter import AdaptedNetwork
from maxent_cli.models.consensus import networks_of, of_each
from maxent_cli.models.protocol import SequenceModel

Weights = NDArray[np.float32]


Layers = list[tuple[str, nn.Module]]
LayerWeights = tuple[Layer, Weights, Weights]


class PlanReading(NamedTuple):
    """A network's layers in order, up to the first that cannot be read; and why that is, if there is one."""

    layers: Layers
    end: str | None


class NotAStack(Exception):  # noqa: N818 (a finding, not a fault)
    """The network is not a stack that the compiled chain can run; the message says where and why."""


_READINGS: WeakKeyDictionary[SequenceModel, PlanReading] = WeakKeyDictionary()
_BY_POSITION: WeakKeyDictionary[SequenceModel, bool] = WeakKeyDictionary()


class Turn(nn.Module):
    """Exchanges positions and channels."""

    def __init__(self, axes: tuple[Any, ...]) -> None:
        super().__init__()
        self.axes = tuple(axes[0]) if axes and isinstance(axes[0], tuple | list) else axes


class Add(nn.Module):
    """Adds what an earlier step gave."""

    def __init__(self, earlier: str | None) -> None:
        super().__init__()
        self.earlier = earlier


class Back(nn.Module):
    """Goes on from what an earlier step gave; None: from the letters."""

    def __init__(self, earlier: str | None) -> None:
        super().__init__()
        self.earlier = earlier


class Join(nn.Module):
    """Lays the channels of earlier steps side by side."""

    def __init__(self, earlier: list[str | None], dim: Any = 0) -> None:
        super().__init__()
        self.earlier, self.dim = earlier, dim


class Mean(nn.Module):
    """The mean over positions."""

    def __init__(self, dim: Any, keepdim: bool = False) -> None:
        super().__init__()
        self.axis, self.kept = (tuple(dim) if isinstance(dim, tuple | list) else (dim,)), keepdim


class Crop(nn.Module):
    """Some of the positions in a row."""

    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index


class Exponential(nn.Module):
    """The exponential, for which torch has a function and no module."""


class _Representation(nn.Module):
    def __init__(self, model: SequenceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, one_hot: Tensor) -> Tensor:
        return self.model.representation(one_hot)


class _Given(NamedTuple):
    """What a step gives: the number of the layer whose values these are, or LETTERS; and how they lie, as in _Stack."""

    layer: int
    channels: int
    length: int
    flat: bool
    turned: bool
    by_position: bool
    padded: tuple[int, int, float]


@dataclass
class _Stack:
    """Layers so far, and the shape that the next one reads: (channels, length), or (units, 1) once flattened.

    turned: it reads (length, channels), as networks do whose letters come last; by_position: what was flattened lay so,
    as Keras flattens. padded: what the next layer reads beyond the left and the right end, and the number there.
    paired: it is what torch's LSTM returns, states and more. at: the number of the layer that the next one reads, or
    LETTERS. wanted: names of steps whose values later ones read beside what is before them; named: what those gave.
    Into such a layer nothing more is folded.
    """

    layers: list[LayerWeights]
    channels: int
    length: int
    flat: bool = False
    turned: bool = False
    by_position: bool = False
    padded: tuple[int, int, float] = (0, 0, 0.0)
    paired: bool = False
    at: int = LETTERS
    wanted: frozenset[str | None] = frozenset()
    named: dict[str | None, _Given] = field(default_factory=dict)

    @property
    def given(self) -> _Given:
        """What is at hand."""
        return _Given(self.at, self.channels, self.length, self.flat, self.turned, self.by_position, self.padded)

    def go_back(self, to: _Given) -> None:
        """Have something else at hand."""
        self.at, self.channels, self.length, self.flat, self.turned, self.by_position, self.padded = to

    def padding(self, own: tuple[int, int], fill: float) -> tuple[int, int]:
        """Padding of the next layer on the left and on the right, with that which came before it."""
        left, right, value = self.padded
        self.padded = (0, 0, 0.0)
        if (left or right) and value != fill:
            raise NotAStack(f"padding is {value:g} where {fill:g} is read beyond the ends")
        return left + own[0], right + own[1]

    @property
    def lies_by_position(self) -> bool:
        """Whether what is at hand lies position by position, flattened or not."""
        return self.turned or self.by_position

    @property
    def may_add(self) -> bool:
        """Whether the layer at hand is the last, and nobody else reads it, so that something may be added to it."""
        own = 0 <= self.at == len(self.layers) - 1 and all(self.at != given.layer for given in self.named.values())
        return own and self.layers[-1][0].added == layers.NOTHING and self.layers[-1][0].kind != layers.LSTM

    @property
    def may_fold(self) -> bool:
        """Whether the layer at hand may take up what follows it."""
        return self.may_add and self.layers[-1][0].function == layers.IDENTITY

    def take(self, name: str, step: nn.Module) -> None:
        """Add a step of the network; NotAStack where it is none that the compiled chain knows."""
        handler, called = HANDLERS.get(type(step)), name or type(step).__name__
        if handler is None:
            raise NotAStack(f"{called}: {type(step).__name__} is not a layer it knows")
        if self.paired and not isinstance(step, Crop):
            raise NotAStack(f"{called}: it reads other than the states of an LSTM")
        if self.turned and not isinstance(step, TURNED):
            raise NotAStack(f"{called}: it reads positions before channels")
        if any(self.padded[:2]) and not isinstance(step, nn.Conv1d | nn.MaxPool1d | nn.ConstantPad1d | Back | Join):
            raise NotAStack(f"{called}: it reads padding")
        handler(self, step)
        if name in self.wanted:
            self.named[name] = self.given

    def pass_on(self) -> None:
        """A layer that changes nothing."""
        shape = (self.length, self.channels, self.length, self.channels)
        ones = np.ones(self.channels, np.float32)
        self.add(Layer(layers.SCALE, layers.IDENTITY, *shape), ones, np.zeros_like(ones))

    def add(self, layer: Layer, weights: Weights | None = None, bias: Weights | None = None) -> None:
        if self.at < 0 and layer.kind != layers.SUM:
            raise NotAStack("the first layer is neither a convolution nor linear")
        none = np.zeros(0, np.float32)
        layer = layer._replace(reads=self.at)
        self.layers.append((layer, none if weights is None else weights, none if bias is None else bias))
        self.channels, self.length, self.at = layer.out_channels, layer.out_length, len(self.layers) - 1

    def apply(self, function: int, slope: float = 0.0) -> None:
        """A pointwise function: part of the layer before, or a layer of its own where that has one already."""
        if not self.may_fold:
            self.pass_on()
        layer, weights, bias = self.layers[-1]
        self.layers[-1] = layer._replace(function=function, slope=slope), weights, bias


def read_plan(
    model: SequenceModel, reference: Tensor, weights: Tensor, offset: float | None = None, squared: bool = False
) -> Plan:
    """The plan of a network's representation, with its energy's reference and weights (both of shape (...)).

    With an offset the energy is linear: offset - sum of weights · (representation - reference), or the square of that.
    Raises NotAStack where the network is not a chain of layers that the compiled chain knows.
    """
    plans, offsets = list[Plan](), [offset]
    for part, own, at in zip(networks_of(model), of_each(model, weights), of_each(model, reference), strict=True):
        stack = read_stack(part)
        told = _position_major(own, stack), _position_major(at, stack)
        plans.append(make_plan(stack.layers, *told, offsets[-1], squared))
        offsets.append(None if offset is None else 0.0)
    return plans[0] if len(plans) == 1 else side_by_side(plans)


def read_stack(model: SequenceModel) -> _Stack:
    """All of the network's layers; NotAStack where one is none that the compiled chain knows."""
    stack = _empty_stack(model)
    for name, step in read_layers(model):
        stack.take(name, step)
    if any(stack.padded[:2]):
        raise NotAStack("it ends with padding")
    if stack.paired:
        raise NotAStack("it ends with other than the states of an LSTM")
    if stack.layers and stack.layers[-1][0].kind == layers.LSTM:
        stack.pass_on()  # a last layer has its values in place, and not as a list
    if stack.layers and stack.at != len(stack.layers) - 1:
        raise NotAStack("it ends with what an earlier layer gives")
    stack.layers = _finished(stack, model)
    return stack


def read_front(model: SequenceModel) -> list[LayerWeights]:
    """The network's layers up to the first that the compiled chain does not know, or that reads no positions any more.

    Where its code cannot be read, the first convolution of letters among its modules, with a ReLU: a guess, which
    serves where nothing has to be as the network has it. Raises NotAStack where there is none.
    """
    model = networks_of(model)[0]  # of several, the first: what is learned upon it, the others' too, need not be exact
    stack, reading = _empty_stack(model), read(model)
    if not reading.layers:
        reading = reading._replace(layers=_guessed(model))
    front, reason = list[LayerWeights](), reading.end or "the first layer is neither a convolution nor linear"
    for name, step in reading.layers:
        if isinstance(step, nn.LSTM):
            reason = f"{name}: an LSTM reads all positions"
            break
        try:
            stack.take(name, step)
        except NotAStack as found:
            reason = str(found)
            break
        if stack.flat:
            break
        front = list(stack.layers)
    if not front:
        raise NotAStack(reason)
    stack.layers = front
    return _finished(stack, model)


def _guessed(model: SequenceModel) -> Layers:
    modules = model.modules() if isinstance(model, nn.Module) else []
    found = next((module for module in modules if type(module) is nn.Conv1d and module.in_channels == 4), None)
    return [] if found is None else [("guessed", found), ("guessed_function", nn.ReLU())]


def _empty_stack(model: SequenceModel) -> _Stack:
    turned = isinstance(model, AdaptedNetwork) and model.reading.channels_last
    wanted = frozenset[str | None]()
    for _, step in read(model).layers:
        wanted |= (
            set(step.earlier) if isinstance(step, Join) else {step.earlier} if isinstance(step, Add | Back) else set()
        )
    stack = _Stack([], 4, model.input_length, turned=turned, wanted=wanted)
    stack.named[None] = stack.given
    return stack


def _finished(stack: _Stack, model: SequenceModel) -> list[LayerWeights]:
    if not stack.layers:
        raise NotAStack("the first layer is neither a convolution nor linear")
    if isinstance(model, AdaptedNetwork):
        _order_letters(stack, model.order.argsort().tolist())
    return stack.layers


def _order_letters(stack: _Stack, channel_of: list[int]) -> None:
    """Let the first layers read A, C, G, T, which the network has at the given channels."""
    for number, (layer, weights, bias) in enumerate(stack.layers):
        if layer.reads == layers.LETTERS:
            stack.layers[number] = layer, np.ascontiguousarray(weights[:, channel_of]), bias


def _position_major(values: Tensor, stack: _Stack) -> Weights:
    if values.numel() != stack.channels * stack.length:
        raise NotAStack("the representation has another size than its layers say")
    if stack.lies_by_position:
        return np.ascontiguousarray(values.detach().float().cpu().numpy().ravel())
    array = values.detach().float().cpu().numpy().reshape(stack.channels, stack.length)
    return np.ascontiguousarray(array.T).ravel()


def as_representation(model: SequenceModel, plan: Plan, values: Weights, shape: torch.Size) -> Tensor:
    """The last layers' values (M, size), position-major as they lie in memory, as representations (M, *shape)."""
    found = []
    parts = zip(networks_of(model), plan.stacks, of_each(model, torch.empty(shape)), strict=True)
    for network, stack, part in parts:
        first, length, channels = stack[-1, [FEATURES, OUT_LENGTH, OUT_CHANNELS]]
        own = values[:, first : first + length * channels].reshape(-1, length, channels)
        own = own[..., : part.numel() // length]  # the rest are units without weights
        ordered = own if _lies_by_position(network) else own.transpose(0, 2, 1)
        found.append(torch.from_numpy(np.ascontiguousarray(ordered)).flatten(1))
    return torch.cat(found, 1).reshape(-1, *shape)


def _lies_by_position(model: SequenceModel) -> bool:
    """Whether what enters the head lies position by position; it is read once for each network."""
    if model not in _BY_POSITION:
        _BY_POSITION[model] = read_stack(model).lies_by_position
    return _BY_POSITION[model]


def read_layers(model: SequenceModel) -> Layers:
    """The network's layers in order, functions as modules; NotAStack unless each reads those before it alone."""
    reading = read(model)
    if reading.end is not None:
        raise NotAStack(reading.end)
    return reading.layers


def read(model: SequenceModel) -> PlanReading:
    """What of a network's code can be read as layers.

    It is read once for each network, which must be done before threads run it: while torch.fx traces, it redirects
    the calls of every module in every thread.
    """
    if model not in _READINGS:
        try:
            _READINGS[model] = _trace(model)
        except NotAStack as reason:
            _READINGS[model] = PlanReading([], str(reason))
    return _READINGS[model]


def _trace(model: SequenceModel) -> PlanReading:
    adapted = model if isinstance(model, AdaptedNetwork) else None
    wrapped = _Representation(model) if adapted is None else adapted.network
    try:
        graph = fx.symbolic_trace(wrapped).graph
    except Exception as error:  # fx raises whatever the user's code raises on a symbolic input
        raise NotAStack(f"its code depends on the data ({type(error).__name__})") from error
    end = None if adapted is None else _cut(graph, adapted)
    settle_sizes(graph, wrapped, _example(model))
    _flatten_views(graph)
    graph.eliminate_dead_code()
    steps: Layers = []
    before: fx.Node | None = None
    for node in graph.nodes:
        if node.op in ("placeholder", "output"):
            before = node if node.op == "placeholder" else before
            continue
        try:
            steps += _as_steps(node, before, wrapped)
        except NotAStack as reason:
            return PlanReading(steps, str(reason))
        before = node
    return PlanReading(steps, end)


def _example(model: SequenceModel) -> Tensor:
    """Letters (1, 4, L), as the network reads them."""
    shape = (4, model.input_length)
    turned = isinstance(model, AdaptedNetwork) and model.reading.channels_last
    weights = model.parameters() if isinstance(model, nn.Module) else []
    weight = next((each for each in weights if each.is_floating_point()), torch.zeros(1))
    return torch.zeros(1, *(shape[::-1] if turned else shape), dtype=weight.dtype, device=weight.device)


def _as_steps(node: fx.Node, before: fx.Node | None, root: nn.Module) -> Layers:
    """What a node does with what the one before it gives, or with what earlier ones gave."""
    inputs, name = node.all_input_nodes, _called(node)
    _, *others = (each for each in node.graph.nodes if each.op == "placeholder")
    if not inputs or any(each.op == "get_attr" or each in others for each in inputs):
        raise NotAStack(f"{node.name}: it reads other than letters and layers")
    if name in JOINS and node.op == "call_function":
        return [(node.name, _joined(node))]
    is_sum = node.op != "call_module" and name in SUMS and len(node.args) == 2
    if len(inputs) != (2 if is_sum else 1) or (is_sum and node.kwargs):
        raise NotAStack(f"{node.name}: it reads several layers, and is no sum of two and no concatenation")
    first = before if before in inputs else inputs[0]
    steps: Layers = [] if first is before else [("", Back(_name_of(first)))]
    if not is_sum:
        return [*steps, (node.name, _as_module(node, root))]
    (other,) = (each for each in inputs if each is not first)
    return [*steps, (node.name, Add(_name_of(other)))]


def _joined(node: fx.Node) -> "Join":
    of, *rest = node.args
    if rest or not set(node.kwargs) <= {"dim", "axis"}:
        rest = rest if not node.kwargs and len(rest) == 1 else [None]
    if not isinstance(of, list | tuple) or not all(isinstance(each, fx.Node) for each in of):
        raise NotAStack(f"{node.name}: it joins other than layers")
    return Join([_name_of(each) for each in of if isinstance(each, fx.Node)], *rest, *node.kwargs.values())


def _called(node: fx.Node) -> str:
    return node.target if isinstance(node.target, str) else str(getattr(node.target, "__name__", ""))


def _name_of(node: fx.Node) -> str | None:
    """What a step is called; None: the letters."""
    return None if node.op == "placeholder" else node.name


SUMS = {"add", "iadd", "add_"}
JOINS = {"cat", "concat", "concatenate"}


def _sizes(graph: fx.Graph, root: nn.Module, example: Tensor) -> tuple[set[fx.Node], dict[fx.Node, Any]]:
    """Nodes that read no more of tensors than their shapes; and the numbers that some of them give."""
    found, known = dict[fx.Node, Any](), set[fx.Node]()
    runner = fx.Interpreter(fx.GraphModule(root, graph), garbage_collect_values=False)
    try:
        with torch.no_grad():
            runner.run(example)
    except Exception:  # whatever the user's code raises; what can be read before, is
        pass
    for node, value in runner.env.items():
        asks = _called(node) == "size" or (_called(node) == "getattr" and node.args[1:] == ("shape",))
        if asks or (node.all_input_nodes and all(each in known for each in node.all_input_nodes)):
            known.add(node)
            if isinstance(value, int | float):
                found[node] = value
    return known, found


def settle_sizes(graph: fx.Graph, root: nn.Module, example: Tensor) -> None:
    """Write numbers that follow from the input's shape alone, such as where a crop begins, into what is told them."""
    known, numbers = _sizes(graph, root, example)
    for node in list(graph.nodes):
        if node not in known and node.op != "output":
            node.args = fx.map_arg(node.args, lambda each: numbers.get(each, each))
            node.kwargs = fx.map_arg(node.kwargs, lambda each: numbers.get(each, each))


def _cut(graph: fx.Graph, model: AdaptedNetwork) -> str | None:
    """Let the graph end with the representation; or why that cannot be."""
    last = next(iter(reversed(graph.nodes)))
    if model.is_output and model.final is None and isinstance(last.args[0], fx.Node):
        return None
    uses = [node for node in graph.nodes if node.op == "call_module" and node.target == model.layer]
    if not uses:
        return "its head is no module of its own"
    last.args = (uses[-1].args[0],)
    graph.eliminate_dead_code()
    return None


def _flatten_views(graph: fx.Graph) -> None:
    """Write x.view(len, -1), of whatever spelling, as a flattening; whether it is one, energies will show."""
    spelled = {("call_method", "view"), ("call_method", "reshape")}
    views = [node for node in graph.nodes if (node.op, node.target) in spelled and len(node.args) == 3]
    for node in views:
        node.op, node.target, node.args = "call_function", torch.flatten, (node.args[0], 1)
    if views:
        graph.eliminate_dead_code()  # the asking for the length


def _as_module(node: fx.Node, root: nn.Module) -> nn.Module:
    if node.op == "call_module":
        return root.get_submodule(str(node.target))
    if node.op in ("call_function", "call_method"):
        name = _called(node)
        make = FUNCTIONS.get(name)
        named = {key: value for key, value in node.kwargs.items() if key != "inplace"}
        given = len(node.args) + len(named)
        if make is not None and given <= MOST_ARGUMENTS.get(name, 1):
            return make(*node.args[1:], **named)
    raise NotAStack(f"{node.name}: {node.target} is not a layer it knows")


FUNCTIONS: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "exp": Exponential,
    "flatten": lambda start=0: nn.Flatten(start),
    "transpose": lambda *axes: Turn(axes),
    "permute": lambda *axes: Turn(axes),
    "mean": Mean,
    "getitem": Crop,
}
MOST_ARGUMENTS = {"flatten": 2, "transpose": 3, "permute": 4, "mean": 3, "getitem": 2}


def _convolution(stack: _Stack, step: nn.Conv1d) -> None:
    width, dilation = step.kernel_size[0], step.dilation[0]
    span = (width - 1) * dilation
    left, right = stack.padding(_padding(step, span), 0.0)
    if step.padding_mode != "zeros" or stack.flat or max(left, right) > span:
        raise NotAStack("a convolution has padding other than zeros, or follows flattening")
    kernel = step.weight.detach().float().cpu().numpy()  # (out, in / groups, width)
    out, per_group, _ = kernel.shape
    weights = np.zeros((width, stack.channels, out), np.float32)
    for channel in range(out):
        first = channel // (out // step.groups) * per_group
        weights[:, first : first + per_group, channel] = kernel[channel].T
    shape = (stack.length, stack.channels, stack.length + left + right - span, out)
    layer = Layer(layers.SUM, layers.IDENTITY, *shape, width, 1, left, dilation)
    stack.add(layer, weights, _bias(step.bias, out))
    if step.stride[0] > 1:
        _thin(stack, step.stride[0])


def _thin(stack: _Stack, stride: int) -> None:
    """Keep each so many-th position, as a mean of one: all that a stride leaves out is computed, and then dropped."""
    shape = (stack.length, stack.channels, (stack.length - 1) // stride + 1, stack.channels)
    stack.add(Layer(layers.MEAN, layers.IDENTITY, *shape, 1, stride))


def _padding(step: nn.Conv1d, span: int) -> tuple[int, int]:
    """Padding on the left and on the right; 'same' of an even width pads more on the right."""
    if isinstance(step.padding, str):
        return (span // 2, span - span // 2) if step.padding == "same" else (0, 0)
    return step.padding[0], step.padding[0]


def _linear(stack: _Stack, step: nn.Linear) -> None:
    out, into = step.weight.shape
    if not stack.flat or into != stack.channels * stack.length:
        raise NotAStack("a linear layer does not read the flattened layer before it")
    flat = step.weight.detach().float().cpu().numpy()
    if stack.by_position:
        kernel = flat.reshape(out, stack.length, stack.channels).transpose(1, 2, 0)
    else:
        kernel = flat.reshape(out, stack.channels, stack.length).transpose(2, 1, 0)
    shape = (stack.length, stack.channels, 1, out)
    layer = Layer(layers.SUM, layers.IDENTITY, *shape, stack.length)
    stack.add(layer, np.ascontiguousarray(kernel), _bias(step.bias, out))


def _bias(bias: Tensor | None, out: int) -> Weights:
    return np.zeros(out, np.float32) if bias is None else bias.detach().float().cpu().numpy()


def _batch_norm(stack: _Stack, step: nn.BatchNorm1d) -> None:
    """Fold into the sums before it, or scale where there are none."""
    mean, variance = step.running_mean, step.running_var
    if mean is None or variance is None:
        raise NotAStack("a batch norm has no running statistics")
    if stack.flat and stack.length > 1:
        raise NotAStack("a batch norm follows flattening")
    with torch.no_grad():
        gain = torch.rsqrt(variance + step.eps) * (1 if step.weight is None else step.weight)
        shift = (0 if step.bias is None else step.bias) - mean * gain
    scale, shift_array = gain.float().cpu().numpy(), shift.float().cpu().numpy()
    if stack.may_fold and stack.layers[-1][0].kind == layers.SUM:
        layer, weights, bias = stack.layers[-1]
        stack.layers[-1] = layer, weights * scale, bias * scale + shift_array
        return
    shape = (stack.length, stack.channels, stack.length, stack.channels)
    stack.add(Layer(layers.SCALE, layers.IDENTITY, *shape), scale, shift_array)


def _pool(stack: _Stack, step: nn.MaxPool1d | nn.AvgPool1d) -> None:
    width, stride, padding = (_single(value) for value in (step.kernel_size, step.stride, step.padding))
    dilation, largest = _single(getattr(step, "dilation", 1)), isinstance(step, nn.MaxPool1d)
    left, right = stack.padding((padding, padding), -np.inf) if largest else (padding, padding)
    if stack.flat or (not largest and (step.ceil_mode or (padding and not getattr(step, "count_include_pad", True)))):
        raise NotAStack("a pooling layer leaves what is beyond the ends out of its mean, or follows flattening")
    span = dilation * (width - 1)
    steps = stack.length + left + right - span - 1
    out = (-(-steps // stride) if step.ceil_mode else steps // stride) + 1
    if step.ceil_mode and (out - 1) * stride >= stack.length + left:  # torch begins no window beyond the end
        out -= 1
    kind = layers.MAXIMUM if largest else layers.MEAN
    shape = (stack.length, stack.channels, out, stack.channels)
    stack.add(Layer(kind, layers.IDENTITY, *shape, width, stride, left, dilation))


def _global_pool(stack: _Stack, step: nn.AdaptiveMaxPool1d | nn.AdaptiveAvgPool1d) -> None:
    if _single(step.output_size) != 1 or stack.flat:
        raise NotAStack("an adaptive pooling layer gives more than one column")
    kind = layers.MAXIMUM if isinstance(step, nn.AdaptiveMaxPool1d) else layers.MEAN
    shape = (stack.length, stack.channels, 1, stack.channels)
    stack.add(Layer(kind, layers.IDENTITY, *shape, stack.length, stack.length))


def _mean(stack: _Stack, step: Mean) -> None:
    if stack.flat or step.axis not in (((1,), (-2,)) if stack.turned else ((2,), (-1,))):
        raise NotAStack("a mean is not one over positions alone")
    stack.turned = stack.turned and step.kept
    _global_pool(stack, nn.AdaptiveAvgPool1d(1))
    stack.flat = not step.kept


def _crop(stack: _Stack, step: Crop) -> None:
    """A mean of one position, with a negative padding; or the states of an LSTM, of what it returns."""
    if stack.paired:
        if step.index != 0:
            raise NotAStack("it takes other than the states of an LSTM")
        stack.paired = False
        return
    *others, cut = step.index if isinstance(step.index, tuple) else (step.index,)
    if stack.turned:  # of positions, which lie before channels
        others, cut = ([others[0], cut], others[1]) if len(others) == 2 else ([*others, slice(None)], cut)
    one = isinstance(cut, int)
    if one:
        cut = slice(cut, cut + 1 or None)
    whole = others in ([slice(None)] * 2, [Ellipsis])
    if stack.flat or not whole or not isinstance(cut, slice) or cut.step not in (None, 1):
        raise NotAStack("it takes other than some positions in a row")
    if not all(value is None or isinstance(value, int) for value in (cut.start, cut.stop)):
        raise NotAStack("it crops by what depends on the data")
    first, end, _ = cut.indices(stack.length)
    shape = (stack.length, stack.channels, end - first, stack.channels)
    stack.add(Layer(layers.MEAN, layers.IDENTITY, *shape, 1, 1, -first))
    if one:
        stack.flat, stack.turned = True, False


def _add(stack: _Stack, step: Add) -> None:
    """Let the last layer add an earlier one's values; or one that changes nothing, where it cannot."""
    earlier = stack.named[step.earlier]
    if earlier.layer < 0 or stack.at < 0:
        raise NotAStack("it adds the letters themselves")
    if any(earlier.padded[:2]) or earlier.turned:
        raise NotAStack("it adds what is padded, or lies otherwise")
    if stack.flat or earlier.flat or (earlier.length, earlier.channels) != (stack.length, stack.channels):
        raise NotAStack("an addition of layers of two shapes, or that follows flattening")
    if not stack.may_add:
        stack.pass_on()
    layer, weights, bias = stack.layers[-1]
    stack.layers[-1] = layer._replace(added=earlier.layer), weights, bias


def _back(stack: _Stack, step: Back) -> None:
    stack.go_back(stack.named[step.earlier])


def _join(stack: _Stack, step: Join) -> None:
    """Copy each to channels of its own, and add up."""
    parts = [stack.named[name] for name in step.earlier]
    first = parts[0]
    if step.dim not in (1, 1 - (2 if first.flat else 3)) or any(part.turned or any(part.padded[:2]) for part in parts):
        raise NotAStack("it joins other than channels, or what is padded or lies otherwise")
    if any(part.layer < 0 for part in parts):
        raise NotAStack("it joins the letters themselves")
    alike = {(part.length, part.flat) for part in parts}
    if len(alike) > 1 or (first.flat and first.length > 1):
        raise NotAStack("it joins layers of several lengths, or that were flattened")
    total, channel = sum(part.channels for part in parts), 0
    for number, part in enumerate(parts):
        stack.go_back(part)
        weights, before = np.zeros((1, part.channels, total), np.float32), len(stack.layers) - 1
        weights[0, np.arange(part.channels), channel + np.arange(part.channels)] = 1
        added = before if number else layers.NOTHING
        shape = (part.length, part.channels, part.length, total)
        stack.add(Layer(layers.SUM, layers.IDENTITY, *shape, added=added), weights, np.zeros(total, np.float32))
        channel += part.channels


def _single(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _flatten(stack: _Stack, step: nn.Flatten) -> None:
    if step.start_dim != 1 or step.end_dim != -1:
        raise NotAStack("it flattens the batch or only some dimensions")
    stack.flat, stack.by_position, stack.turned = True, stack.turned, False


def _pad(stack: _Stack, step: nn.ConstantPad1d) -> None:
    stack.padded = (*stack.padding((step.padding[0], step.padding[1]), float(step.value)), float(step.value))


def _turn(stack: _Stack, step: Turn) -> None:
    if stack.flat or step.axes not in ((1, 2), (2, 1), (-1, -2), (-2, -1), (0, 2, 1)):
        raise NotAStack("it exchanges other axes than positions and channels")
    stack.turned = not stack.turned


def _lstm(stack: _Stack, step: nn.LSTM) -> None:
    """Of each of its layers, what the gates read, as a convolution of one position; and the states."""
    if not stack.turned or stack.length < 2 or not step.batch_first or step.proj_size:
        raise NotAStack("an LSTM reads other than positions, or projects its states")
    ways = 2 if step.bidirectional else 1
    stack.turned = False
    for number in range(step.num_layers):
        inputs, states, bias = _gates(step, [f"l{number}{way}" for way in ("", "_reverse")[:ways]])
        shape = (stack.length, stack.channels, stack.length, inputs.shape[1])
        stack.add(Layer(layers.SUM, layers.IDENTITY, *shape), inputs[None], bias)
        shape = (stack.length, stack.channels, stack.length, ways * step.hidden_size)
        stack.add(Layer(layers.LSTM, layers.IDENTITY, *shape, ways), states)
    stack.turned = stack.paired = True


def _gates(step: nn.LSTM, names: list[str]) -> tuple[Weights, Weights, Weights]:
    """Weights of inputs (C, D · 4 S), of states (D · S, 4 S), and biases (D · 4 S,), for each of D ways."""

    def of(kind: str) -> list[Weights]:
        found = [getattr(step, f"{kind}_{name}", None) for name in names]  # None: without biases
        return [_bias(each, 4 * step.hidden_size) for each in found]

    inputs, states = np.concatenate(of("weight_ih")).T, np.concatenate([each.T for each in of("weight_hh")])
    bias = np.concatenate(of("bias_ih")) + np.concatenate(of("bias_hh"))
    return np.ascontiguousarray(inputs), np.ascontiguousarray(states), bias


def _nothing(stack: _Stack, step: nn.Module) -> None:
    pass


def _pointwise(code: int, slope: str | None = None) -> Callable[[_Stack, Any], None]:
    return lambda stack, step: stack.apply(code, float(getattr(step, slope)) if slope else 0.0)


def _gelu(stack: _Stack, step: nn.GELU) -> None:
    if step.approximate != "none":
        raise NotAStack("GELU is approximated")
    stack.apply(layers.GELU)


def _softplus(stack: _Stack, step: nn.Softplus) -> None:
    if step.beta != 1 or step.threshold < 20:
        raise NotAStack("softplus has a beta or a threshold of its own")
    stack.apply(layers.SOFTPLUS)


TURNED = (Turn, nn.Flatten, Back, Join, nn.LSTM, Mean, Crop, nn.Dropout, nn.Identity)  # that read positions first

HANDLERS: dict[type[nn.Module], Callable[[_Stack, Any], None]] = {
    nn.Conv1d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.MaxPool1d: _pool,
    nn.AvgPool1d: _pool,
    nn.AdaptiveMaxPool1d: _global_pool,
    nn.AdaptiveAvgPool1d: _global_pool,
    nn.Flatten: _flatten,
    nn.LSTM: _lstm,
    nn.ConstantPad1d: _pad,
    nn.Dropout: _nothing,
    nn.Dropout1d: _nothing,
    nn.Identity: _nothing,
    Turn: _turn,
    Add: _add,
    Back: _back,
    Join: _join,
    Mean: _mean,
    Crop: _crop,
    nn.ReLU: _pointwise(layers.RELU),
    nn.LeakyReLU: _pointwise(layers.LEAKY_RELU, "negative_slope"),
    nn.ELU: _pointwise(layers.ELU, "alpha"),
    nn.Sigmoid: _pointwise(layers.SIGMOID),
    nn.Tanh: _pointwise(layers.TANH),
    nn.SiLU: _pointwise(layers.SILU),
    nn.GELU: _gelu,
    nn.Softplus: _softplus,
    Exponential: _pointwise(layers.EXP),
}
