"""Passes over as many sequences at once as the caches hold, by size and never by a clock."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from maxent_cli.models.protocol import SequenceModel, one_hot

PIECE_BYTES = 2**19  # of the largest activation: from twice as much on, memory is mapped anew for each
LEAST, MOST = 4, 512  # sequences: of fewer, the calls would cost more than the caches save
DEVICE_BYTES, MOST_ON_DEVICE = 2**31, 2**14  # the same on a card, which is busy with as much and has several times that


class _Sizes(TorchFunctionMode):
    """Sees what each call of a pass gives, and keeps the size of the largest."""

    most = 1

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor):
                self.most = max(self.most, value.numel() * value.element_size())
        return result


def sequences_at_once(model: SequenceModel, device: torch.device) -> int:
    """How many sequences fit into a pass as far as the representation."""
    return at_once(model.representation, model.input_length, device)


def at_once(function: Callable[[Tensor], Any], length: int, device: torch.device) -> int:
    """How many inputs (B, 4, length) fit into a pass of the function."""
    of = torch.device("cpu") if device.type == "cpu" else device
    codes = torch.zeros(1, length, dtype=torch.uint8, device=of)
    with torch.no_grad(), _Sizes() as sizes:
        function(one_hot(codes))
    size, most = (PIECE_BYTES, MOST) if of.type == "cpu" else (DEVICE_BYTES, MOST_ON_DEVICE)
    return int(min(max(size // sizes.most, LEAST), most))


class Pieces:
    """Passes over so many sequences at once at most, and half as many from where memory ends, which is said."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, function: Callable[..., Tensor], *given: Tensor) -> Tensor:
        """The function of tensors (B, ...), in pieces of about one size."""
        while True:
            try:
                return self._in_pieces(function, given)
            except torch.OutOfMemoryError:
                if self.most == 1:
                    raise
            self.most = max(1, min(self.most, len(given[0])) // 2)
            torch.cuda.empty_cache()
            warnings.warn(f"the card's memory ended; {self.most} sequences a pass from here on", stacklevel=2)

    def _in_pieces(self, function: Callable[..., Tensor], given: tuple[Tensor, ...]) -> Tensor:
        count = math.ceil(len(given[0]) / self.most)
        if count <= 1:
            return function(*given)
        pieces = zip(*(values.chunk(count) for values in given), strict=True)
        return torch.cat([function(*piece) for piece in pieces])


def in_pieces(function: Callable[[Tensor], Tensor], most: int) -> Callable[[Tensor], Tensor]:
    """The function of codes (..., L), so many sequences at once at most."""
    pieces = Pieces(most)

    def run(codes: Tensor) -> Tensor:
        results = pieces(function, codes.reshape(-1, codes.shape[-1]))
        return results.reshape(*codes.shape[:-1], *results.shape[1:])

    return run
