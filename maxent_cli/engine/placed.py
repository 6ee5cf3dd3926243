"""Arrays that a step reads, on its device once: a copy to a card is waited for, and none can be in a captured step."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_PLACED = 1024  # small arrays


def placed(values: NDArray[Any] | Sequence[int], device: torch.device) -> Tensor:
    """The values as a tensor on the device; nobody may write to it."""
    array = np.ascontiguousarray(values)
    if device.type == "cpu":
        return torch.from_numpy(array)
    return _placed(array.tobytes(), array.dtype.str, array.shape, device)


@lru_cache(MOST_PLACED)
def _placed(data: bytes, kind: str, shape: tuple[int, ...], device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # gradients go through those who read it, too
        return torch.from_numpy(np.frombuffer(data, kind).reshape(shape).copy()).to(device)
