"""Reading an anchor from left to right and back: the output, as far as the letters read so far tell it.

Two ways: the letters not yet read are drawn from the background, which any network allows; or there are none, which a
recurrent network allows: its running output (the temporal output scores of Lanchantin et al. 2017).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats
from maxent_cli.errors import InputError

AT_ONCE = 2**22  # letters of sequences that are held together, so that memory does not grow with the anchor
_CELLS = {"lstm", "gru", "rnn_tanh", "rnn_relu"}  # torch's recurrent functions
_BATCH_FIRST = 8  # argument of these


class ReadThrough(NamedTuple):
    """What is read from the left and from the right, (2, L) each.

    outputs, errors: mean over references, and its standard error, of the output where letters up to each position, and
    from each on, are the anchor's. running: of a recurrent network, the output on those letters alone. saliency (L,):
    the size of the gradient of the output by the anchor's letter, if there is one.
    """

    outputs: Floats
    errors: Floats
    running: Floats | None
    saliency: Floats | None


def read_through(values: Callable[[Codes], Floats], anchor: Codes, references: Codes) -> Floats:
    """The output (2, L + 1, R) of references (R, L) whose first, or last, letters are the anchor's (L,).

    Of the first row, 0 to L letters from the left; of the second, all those from position 0 to L on.
    """
    return np.stack([_grown(values, anchor, references, before) for before in (True, False)])


def _grown(values: Callable[[Codes], Floats], anchor: Codes, references: Codes, before: bool) -> Floats:
    count, length = references.shape
    several, found = max(1, AT_ONCE // (count * length)), []
    for start in range(0, length + 1, several):
        ends = np.arange(start, min(start + several, length + 1))
        read = np.arange(length) < ends[:, None] if before else np.arange(length) >= ends[:, None]
        found.append(values(np.where(read[:, None], anchor, references)))
    return np.concatenate(found)


def gains(through: Floats) -> Floats:
    """What each letter adds, read from the left, and from the right (2, L, R); over positions either sums to all."""
    steps = np.diff(through, axis=1)
    return np.asarray(steps * np.array([1.0, -1.0])[:, None, None])


def reading_of(through: Floats, running: Floats | None, saliency: Floats | None) -> ReadThrough:
    """From outputs (2, L + 1, R)."""
    read = np.stack([through[0, 1:], through[1, :-1]])
    return ReadThrough(read.mean(axis=-1), read.std(axis=-1, ddof=1) / np.sqrt(read.shape[-1]), running, saliency)


class _Shortened(TorchFunctionMode):
    """Lets the first recurrent layer read some of its steps alone; it belongs to a thread and leaves no trace.

    steps: how many each recurrent layer was given, in the order of a pass.
    """

    def __init__(self, share: tuple[float, float]) -> None:
        super().__init__()
        self.share, self.steps = share, list[int]()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if getattr(func, "__name__", "") in _CELLS and isinstance(args[0], Tensor) and args[0].ndim == 3:
            axis = 1 if args[_BATCH_FIRST] else 0
            self.steps.append(args[0].shape[axis])
            if len(self.steps) == 1:
                first, last = (round(share * self.steps[0]) for share in self.share)
                args = (args[0].narrow(axis, first, max(last - first, 1)), *args[1:])
        return func(*args, **(kwargs or {}))


def running_outputs(value: Callable[[], float], length: int) -> Floats | None:
    """The output (2, L) of a network whose first recurrent layer reads no further than each position, from either end.

    value: the output of the anchor, by a pass that can be watched. What comes before the layer, such as convolutions,
    sees the whole anchor, as published; other recurrent layers read what it gives. None where there is no recurrent
    layer, where another reads beside it, so that directions cannot be told, or where what follows takes no other
    number of steps.
    """
    whole, half = _Shortened((0.0, 1.0)), _Shortened((0.0, 0.5))
    ends = np.arange(1, length + 1) / length
    shares = [[(0.0, end) for end in ends], [(end - 1 / length, 1.0) for end in ends]]
    with whole:
        value()
    if not whole.steps:
        return None
    try:
        with half:
            value()
        if not all(some < every for some, every in zip(half.steps[1:], whole.steps[1:], strict=True)):
            return None  # they do not read what the first gives
        return np.array([[_cropped(value, share) for share in row] for row in shares])
    except (RuntimeError, ValueError, InputError):  # whatever is behind it wants all steps
        return None


def _cropped(value: Callable[[], float], share: tuple[float, float]) -> float:
    with _Shortened(share):
        return value()
