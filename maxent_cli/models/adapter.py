"""Other people's networks: any module from one-hot DNA to outputs, cut where its representation enters the head.

A pass is watched call by call (torch.overrides.TorchFunctionMode, which belongs to a thread and leaves no trace in the
network), and may be ended at a call, or carried on from it with another argument. So the code of the network is never
read: functional and recurrent networks, residuals and attention are all alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, handle_torch_function, has_torch_function_unary

from maxent_cli.alphabet import LETTERS
from maxent_cli.errors import InputError, is_lost_card, is_out_of_memory, said
from maxent_cli.models.whole import Scripted, as_module, copied

LINEAR = {"linear", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "baddbmm", "einsum"}
FINAL = {"sigmoid", "softmax", "log_softmax", "logsigmoid"}
FIND, NONE = "auto", "none"
_TRIED = 7  # random sequences that the search runs on; a size that few other axes have
_SAME = 1e-4  # share of the outputs' range within which two passes count as the same


@dataclass(frozen=True)
class Reading:
    """How a network reads DNA, and what of it counts as representation and outputs.

    letters: the order of its four channels. channels_last: it reads (B, L, 4), not (B, 4, L). head: which of several
    outputs, by key or number. layer: the module whose input is the representation; None: the last linear layer through
    whose input alone the sequence reaches the outputs; 'output': the outputs themselves. final: the module or function
    whose input the outputs are; 'auto': a sigmoid or softmax that gives what the network returns; 'none': what it
    returns.
    """

    letters: str = LETTERS
    channels_last: bool = False
    head: str | None = None
    layer: str | None = None
    final: str = FIND


OUTPUT = "output"  # the layer that stands for the outputs themselves, where no module has that name
AS_IS = Reading()  # as the networks that are trained here


class Call(NamedTuple):
    """A watched call: the function's name, or the named module's, its arguments and its result."""

    name: str
    arguments: tuple[Any, ...]
    result: Any


class Place(NamedTuple):
    """An argument of a watched call, both counted from 0, and the argument's batch axis."""

    call: int
    argument: int
    axis: int = 0


class _Reached(BaseException):
    """Ends a pass; no Exception, so that the network's own handlers let it through."""

    def __init__(self, value: Tensor) -> None:
        self.value = value


class _Watch(TorchFunctionMode):
    """One watched pass: `given` is put in at one place, and the pass ends at another."""

    def __init__(self, put: Place | None = None, given: Tensor | None = None, stop: Place | None = None) -> None:
        super().__init__()
        self.put, self.given, self.stop = put, given, stop
        self.calls: list[Call] | None = None
        self.count = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = args[1] if func is _mark else _plain_name(func)
        if func is not _mark and name not in LINEAR and name not in FINAL:
            return func(*args, **(kwargs or {}))
        number, self.count = self.count, self.count + 1
        if self.stop is not None and number == self.stop.call:
            raise _Reached(args[self.stop.argument])
        if self.put is not None and number == self.put.call:
            args = (*args[: self.put.argument], self.given, *args[self.put.argument + 1 :])
        if self.calls is None:
            return func(*args, **(kwargs or {}))
        # activations may be changed in place later on; weights are to be known again
        kept = tuple(v.clone() if isinstance(v, Tensor) and not isinstance(v, nn.Parameter) else v for v in args)
        self.calls.append(Call(name, kept, func(*args, **(kwargs or {}))))
        return self.calls[-1].result


def _plain_name(func: Callable[..., Any]) -> str:
    """A function's name; of one that torch.export wrote, such as linear.default, that of the function meant."""
    name = str(getattr(func, "__name__", ""))
    return name.partition(".")[0] if isinstance(func, torch._ops.OpOverload) else name


def _mark(value: Tensor, name: str) -> Tensor:
    """The value itself; a call that a watched pass sees, to tell where a named module reads its input."""
    if has_torch_function_unary(value):
        marked: Tensor = handle_torch_function(_mark, (value,), value, name)
        return marked
    return value


class AdaptedNetwork(nn.Module):
    """A copy of somebody's network as a SequenceModel; the original is left as it was.

    layer: name of the module whose input is the representation; None if that is a call in the network's code.
    is_output: the representation is the outputs themselves. final: name of what is left out at the end, if anything.
    outputs: their number K. The head need not be linear.
    """

    def __init__(self, network: nn.Module, input_length: int, reading: Reading, name: str) -> None:
        super().__init__()
        self.network = as_module(_copied(network, name)).eval().requires_grad_(False)
        if isinstance(self.network, Scripted) and reading.layer is None:
            reading = replace(reading, layer=OUTPUT)  # into it nobody sees
        self.is_output = reading.layer == OUTPUT and OUTPUT not in dict(self.network.named_modules())
        self.input_length, self.reading, self.name = input_length, reading, name
        self.dtype = next((p.dtype for p in self.network.parameters() if p.is_floating_point()), torch.float32)
        layer = None if self.is_output else reading.layer
        for module in {layer, reading.final} - {None, FIND, NONE, *FINAL}:
            _hook(self.network, str(module), name)
        random = torch.Generator().manual_seed(0)
        first, second = (_random_one_hot(input_length, random) for _ in range(2))
        self.order: Tensor
        self.filler: Tensor
        self.register_buffer("order", torch.tensor([LETTERS.index(letter) for letter in reading.letters]))
        self.register_buffer("filler", second[:1])
        self.cut: Place | None = None
        self.end: Place | None = None
        self.final: str | None = None
        self.layer: str | None = None
        self.outputs = 0
        self.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            _Search(self, first, second).settle()

    @property
    def is_half(self) -> bool:
        """Whether it computes with numbers of 16 bits."""
        return self.dtype.itemsize < torch.float32.itemsize

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to outputs (B, K), in one pass."""
        return self._outputs(one_hot, _Watch(stop=self.end))

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the activations (B, ...) that the head reads."""
        if self.is_output:
            return self(one_hot)  # type: ignore[no-any-return]
        assert self.cut is not None
        entering: Tensor = self._pass(one_hot, _Watch(stop=self.cut))
        found = entering.movedim(self.cut.axis, 0)
        return found.float() if self.is_half else found  # energies are sums, which 16 bits are too few for

    def head(self, representation: Tensor) -> Tensor:
        """Representation (B, ...) to outputs (B, K): a pass on any sequence, with the representation put in."""
        if self.is_output:
            return representation
        assert self.cut is not None
        filler = self.filler.expand(len(representation), -1, -1)
        given = representation.to(self.dtype) if self.is_half else representation
        given = given.movedim(0, self.cut.axis)
        return self._outputs(filler, _Watch(self.cut, given, self.end))

    def _outputs(self, one_hot: Tensor, watch: _Watch) -> Tensor:
        found = self._pass(one_hot, watch)
        chosen = found if self.end is not None else _chosen(found, self.reading.head, self.name)
        if not len(chosen.shape) or len(chosen) != len(one_hot):
            shape = tuple(chosen.shape)
            problem = f"gives outputs of shape {shape} for {len(one_hot)} sequences"
            raise InputError(self.name, "", problem, "return a row of outputs a sequence, the batch axis first")
        return chosen.reshape(len(one_hot), -1).float()

    def _pass(self, one_hot: Tensor, watch: _Watch) -> Any:
        inputs = one_hot if self.reading.letters == LETTERS else one_hot[:, self.order]
        inputs = inputs.transpose(1, 2) if self.reading.channels_last else inputs
        try:
            with watch:
                return self.network(inputs.to(self.dtype))
        except _Reached as reached:
            return reached.value
        except InputError:
            raise
        except Exception as error:  # whatever somebody's network raises
            if is_out_of_memory(error) or is_lost_card(error):
                raise
            problem = f"fails on {self.input_length} letters as {tuple(inputs.shape)} ({said(error)})"
            cure = "see --layout, --input-length and the network's code; a second input is held by a module around it"
            raise InputError(self.name, "", problem, cure) from error


class _Search:
    """Where the representation enters the head, and where the outputs are: by trying, on two sets of sequences."""

    def __init__(self, model: AdaptedNetwork, first: Tensor, second: Tensor) -> None:
        self.model, self.first, self.second = model, first, second
        self.calls, self.returned = self._record(first)

    def settle(self) -> None:
        """Set the model's cut, end, layer and final; InputError where it has no representation to be found."""
        model = self.model
        chosen = _chosen(self.returned, model.reading.head, model.name)
        model.end, model.final = self._end(chosen)
        self.wanted, others = model(self.first), model(self.second)
        model.outputs = self.wanted.shape[1]
        self.range = float((self.wanted - others).abs().max())
        self._check(others)
        if model.is_output:
            model.layer = OUTPUT
            return
        model.cut = next((place for place in self._candidates() if self._separates(place)), None)
        if model.cut is None:
            raise self._not_found()
        call = self.calls[model.cut.call]
        model.layer = model.reading.layer or _owner(model.network, call.arguments)

    def _record(self, one_hot: Tensor) -> tuple[list[Call], Any]:
        watch = _Watch()
        watch.calls = []
        return watch.calls, self.model._pass(one_hot, watch)

    def _check(self, others: Tensor) -> None:
        name = self.model.name
        if not (self.wanted.isfinite().all() and others.isfinite().all()):
            raise InputError(name, "", "gives outputs that are not finite numbers", "see its weights and input")
        if not self.range:
            problem = "gives the same outputs for random sequences"
            raise InputError(name, "", problem, "see that its weights are loaded and that it reads its input")
        if not self._same(self.model(self.first)):
            problem = "gives other outputs for the same sequences again"
            raise InputError(name, "", problem, "switch off what is random in it, such as functional dropout")

    def _end(self, chosen: Tensor) -> tuple[Place | None, str | None]:
        """The final sigmoid or softmax: the last whose result is what is returned, or the last that is named so."""
        asked = self.model.reading.final
        for number, call in reversed(list(enumerate(self.calls))):
            final = call.name in FINAL and _same_memory(call.result, chosen) if asked == FIND else call.name == asked
            if final and call.arguments:
                return Place(number, 0), call.name
        if asked not in (FIND, NONE):
            raise InputError(self.model.name, "", f"does not call {asked}", "name a module, a function or 'none'")
        return None, None

    def _candidates(self) -> list[Place]:
        """Arguments that change with the sequence, of the named layer or of matrix products; the last call first."""
        asked, others = self.model.reading.layer, self._record(self.second)[0]
        places = []
        for number, (call, other) in reversed(list(enumerate(zip(self.calls, others, strict=False)))):
            if call.name == asked if asked else call.name in LINEAR:
                for argument, (value, second) in enumerate(zip(call.arguments, other.arguments, strict=False)):
                    if isinstance(value, Tensor) and _TRIED in value.shape and not torch.equal(value, second):
                        places.append(Place(number, argument, value.shape.index(_TRIED)))
        return places

    def _separates(self, place: Place) -> bool:
        """Whether other sequences give the same outputs once they are given what enters here."""
        watch = _Watch(place, self.calls[place.call].arguments[place.argument], self.model.end)
        return self._same(self.model._outputs(self.second, watch))

    def _same(self, outputs: Tensor) -> bool:
        return float((outputs - self.wanted).abs().max()) <= _SAME * self.range

    def _not_found(self) -> InputError:
        asked, name = self.model.reading.layer, self.model.name
        known = ", ".join(found for found, _ in self.model.network.named_modules() if found) or "none"
        if asked:
            problem = f"the outputs do not depend on the sequence through the input of {asked} alone"
            return InputError(name, "", problem, f"name another --layer ({OUTPUT}: the outputs; modules: {known})")
        problem = "has no linear layer through whose input alone the sequence reaches the outputs"
        cure = f"hold the outputs themselves, --layer {OUTPUT}, or a module's input by its name (modules: {known})"
        return InputError(name, "", problem, cure)


def _copied(network: nn.Module, name: str) -> nn.Module:
    try:
        return copied(network)
    except Exception as error:
        raise InputError(name, "", f"cannot be copied ({said(error)})", "build it of plain modules") from error


def _hook(network: nn.Module, module: str, name: str) -> None:
    """Mark the input of a module by its name."""
    try:
        found = network.get_submodule(module)
    except AttributeError as error:
        known = ", ".join(known for known, _ in network.named_modules() if known) or "none"
        raise InputError(name, "", f"has no module {module}", f"its modules: {known}") from error
    found.register_forward_pre_hook(lambda _, given: (_mark(given[0], module), *given[1:]) if given else None)


def _random_one_hot(length: int, random: torch.Generator) -> Tensor:
    codes = torch.randint(0, 4, (_TRIED, length), generator=random)
    return nn.functional.one_hot(codes, 4).float().transpose(1, 2).contiguous()


def _chosen(returned: Any, head: str | None, name: str) -> Tensor:
    """The tensor of outputs among what a network returns."""
    parts = _parts(returned)
    if head is None and len(parts) == 1:
        (chosen,) = parts.values()
    elif head in parts:
        chosen = parts[head]
    else:
        problem = "returns several outputs" if head is None else f"returns no output {head}"
        shapes = ", ".join(f"{key} {tuple(getattr(part, 'shape', ()))}" for key, part in parts.items())
        raise InputError(name, "", problem, f"choose with --head among {shapes or 'none'}")
    if not isinstance(chosen, Tensor):
        raise InputError(
            name, "", f"returns a {type(chosen).__name__}", "return a tensor, or a tuple or dict of tensors"
        )
    return chosen


def _parts(returned: Any) -> dict[str, Any]:
    if isinstance(returned, Mapping):
        return {str(key): part for key, part in returned.items()}
    if isinstance(returned, tuple | list):
        return {str(number): part for number, part in enumerate(returned)}
    return {"0": returned}


def _same_memory(value: Any, other: Tensor) -> bool:
    return isinstance(value, Tensor) and value.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def _owner(network: nn.Module, arguments: tuple[Any, ...]) -> str | None:
    """The name of the linear module whose weights are among the arguments."""
    linear = {name: module for name, module in network.named_modules() if isinstance(module, nn.Linear)}
    return next((name for name, module in linear.items() if any(a is module.weight for a in arguments)), None)
