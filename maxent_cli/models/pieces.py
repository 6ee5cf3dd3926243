"""Passes over as many sequences at once as the caches hold, by size and never by a clock."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from maxent_cli.models.protocol import SequenceModel, one_hot

PIECE_BYTES = 2**19  # of the largest activation: from twice as much on, memory is mapped anew for each
LEAST, MOST = 4, 512  # sequences: of fewer, the calls would cost more than the caches save


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
    """How many inputs (B, 4, length) fit into a pass of the function: all that may, where it is not on the CPU."""
    if device.type != "cpu":
        return MOST
    codes = torch.zeros(1, length, dtype=torch.uint8)
    with torch.no_grad(), _Sizes() as sizes:
        function(one_hot(codes))
    return int(min(max(PIECE_BYTES // sizes.most, LEAST), MOST))


def in_pieces(function: Callable[[Tensor], Tensor], most: int) -> Callable[[Tensor], Tensor]:
    """The function of codes (..., L), so many sequences at once at most, in pieces of about one size."""

    def run(codes: Tensor) -> Tensor:
        flat = codes.reshape(-1, codes.shape[-1])
        if len(flat) <= most:
            return function(codes)
        results = torch.cat([function(piece) for piece in flat.chunk(math.ceil(len(flat) / most))])
        return results.reshape(*codes.shape[:-1], *results.shape[1:])

    return run
