"""Steps of a batch that a card has captured, and replays: a step is then one call instead of a thousand.

What is captured reads and writes buffers that stay where they are. Where chains stand is copied there for each burst,
and what they go by for each batch: so anchors leave and come without another capture as long as shapes stay. Buffers
have room for some more rows than there are chains; a row of nobody is at its end. What cannot be captured, such as a
network that looks at numbers to go on, is stepped plainly.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from maxent_cli.engine.batch import Batch, Batched, OneForAll, burst, stepped
from maxent_cli.engine.energies import ByParameters

Work = Callable[[], None]
Capture = Callable[[Work, torch.device], Work]  # what is to be done again and again -> does it again

WORTH = 3  # bursts of one shape, of which the last is worth a capture
MOST_HELD = 2  # shapes, each of which keeps the memory of a pass
WARMED = 3  # times that libraries are to have set themselves up
LEAST_SAME, CLOSE = 0.9, 1e-3  # of rows after a replayed step, that must be as after a plain one; of their energies


def by_cuda(work: Work, device: torch.device) -> Work:
    """Capture work on a card, and give what replays it."""
    with _one_at_a_time, torch.cuda.device(device):
        here, side, graph = torch.cuda.current_stream(), torch.cuda.Stream(), torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for _ in range(WARMED):
                work()
        here.wait_stream(side)
        # the outer stream, since a capture that fails does not give it back; other threads may go on with the card
        with torch.cuda.stream(here), torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            work()
    return graph.replay


_one_at_a_time = Lock()  # of a process


class NotCapturedError(Exception):
    """Why steps are not captured."""


class Refusing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses what a captured step cannot have in it: waiting for the card, and numbers from the CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func.namespace != "prim":  # which asks for a tensor's device
            with self:
                whole = func.decompose(*args, **(kwargs or {}))
            if whole is not NotImplemented:  # and its parts have been seen
                return whole
        if _asks_for_values(func, args):
            raise NotCapturedError(f"{func} asks for values")
        found = func(*args, **(kwargs or {}))
        given, made = _tensors((args, kwargs)), _tensors(found)
        places = {one.device for one in (*(one for one in given if one.dim()), *made)}
        brought = given and made and made[0].device not in {one.device for one in given}
        if len(places) > 1 or brought:
            raise NotCapturedError(f"{func} copies between {', '.join(sorted(map(str, places)))}")
        return found


_CHOOSING = (torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_)  # by places, or by a mask


def _asks_for_values(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether what a call does, or the shape of what it gives, depends on what tensors hold."""
    if func.overloadpacket in _CHOOSING:
        return any(one.dtype in (torch.bool, torch.uint8) for one in _tensors(args[1]))
    return bool({torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags))


def _tensors(value: Any) -> list[Tensor]:
    return [one for one in tree_leaves(value) if isinstance(one, Tensor)]


class Replays:
    """The bursts of one gathering, replayed where they can be."""

    def __init__(self, capture: Capture = by_cuda) -> None:
        self.capture, self.gave_up = capture, False
        self.held, self.seen = dict[Hashable, _Captured](), Counter[Hashable]()

    def burst(self, chains: Batched, batch: Batch, steps: int) -> tuple[Batched, Tensor, Tensor]:
        """As batch.burst, in other rooms of memory."""
        captured = None if self.gave_up else self._captured(chains, batch)
        return burst(chains, batch, steps) if captured is None else captured.burst(chains, batch, steps)

    def clear(self) -> None:
        """Give the memory back."""
        self.held.clear()
        self.seen.clear()

    def _captured(self, chains: Batched, batch: Batch) -> "_Captured | None":
        if not isinstance(batch.energy.function, ByParameters) or not isinstance(batch.constraints, OneForAll | None):
            return None  # it is of these very anchors
        key = _key(chains, batch)
        self.seen[key] += 1
        if key not in self.held and self.seen[key] >= WORTH:
            while len(self.held) >= MOST_HELD:
                first = next(iter(self.held))
                del self.held[first], self.seen[first]  # which has to be worth it anew: shapes may come in turn
            try:
                self.held[key] = _Captured(chains, batch, self.capture)
            except Exception as error:  # whatever a network or a driver says; a plain step says it again if it matters
                self.gave_up = True
                said = f"{type(error).__name__}: {error}".splitlines()[0]
                warnings.warn(f"steps are not captured on the card, so that they are slower ({said})", stacklevel=2)
        return self.held.get(key)


def _key(chains: Batched, batch: Batch) -> Hashable:
    """What batches have alike whose steps are one captured step."""
    shapes = tuple((size, values.shape[1:], values.dtype) for values, size in _sized(chains, batch))
    return batch.energy.function, batch.constraints, batch.every, batch.slots, batch.of.device, shapes


def _leaves(value: Any) -> Iterator[Tensor]:
    """The tensors of tuples in tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_leaves, value))


def _sized(chains: Batched, batch: Batch) -> Iterator[tuple[Tensor, int]]:
    """Tensors of chains and a batch, and how many rows a buffer for each has."""
    whole = batch.anchored.tables[:2]  # what anchors have alike
    for values in _leaves((chains, batch)):
        yield values, len(values) if any(values is one for one in whole) else room(len(values))


def room(rows: int) -> int:
    """Rows for so many: an eighth more at most, so that some numbers of rows have one room."""
    step = 1 << max(rows.bit_length() - 4, 0)
    return -(-rows // step) * step


def _with(value: Any, tensors: Iterator[Tensor]) -> Any:
    """The tuples with other tensors in them."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, tuple):
        made = [_with(one, tensors) for one in value]
        return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
    return value


class _Captured:
    """A step over buffers, and what is in them."""

    def __init__(self, chains: Batched, batch: Batch, capture: Capture) -> None:
        made = [values.new_zeros(size, *values.shape[1:]) for values, size in _sized(chains, batch)]
        self.chains, self.batch = _with((chains, batch), iter(made))
        self.log_u, self.filled = torch.zeros_like(self.chains.energy), batch
        _fill(self.batch, batch)
        _fill(self.chains, chains)
        with Refusing():  # type: ignore[no-untyped-call]
            expected = stepped(self.chains, self.batch, self.log_u)
        self.replay = capture(self._work, batch.of.device)
        _fill(self.chains, chains)
        self.replay()
        _require_same(self.chains, expected)

    def burst(self, chains: Batched, batch: Batch, steps: int) -> tuple[Batched, Tensor, Tensor]:
        _fill(self.chains, chains)
        if batch is not self.filled:
            _fill(self.batch, batch)
            self.filled = batch
        after, codes, energy = burst(chains, batch, steps, self._step)
        return Batched(*(values.clone() for values in after)), codes, energy

    def _work(self) -> None:
        """What is captured."""
        for values, after in zip(self.chains, stepped(self.chains, self.batch, self.log_u), strict=True):
            values.copy_(after)

    def _step(self, _chains: Batched, _batch: Batch, log_u: Tensor) -> Batched:
        """One more step of what is in the buffers."""
        self.log_u[: len(log_u)].copy_(log_u)
        self.replay()
        return Batched(*(values[: len(log_u)] for values in self.chains))


def _fill(buffers: Any, given: Any) -> None:
    """Copy to the buffers' first rows, and zeros to the others: those are at their end."""
    for buffer, values in zip(_leaves(buffers), _leaves(given), strict=True):
        buffer[: len(values)].copy_(values)
        buffer[len(values) :].zero_()


def _require_same(found: Batched, expected: Batched) -> None:
    """Raise NotCapturedError unless a replayed step has done what a plain one does, but for a rounded decision."""
    same = (found.codes == expected.codes).all(1) & (found.step == expected.step)
    same &= torch.isclose(found.energy, expected.energy, rtol=CLOSE, atol=CLOSE)
    if float(same.double().mean()) < LEAST_SAME:
        raise NotCapturedError("a replayed step is not what a plain step is")
