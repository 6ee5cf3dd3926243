"""A capture without a card: the calls of a piece of work are written down, and done again on the same tensors.

As on a card, all that Python itself decides or holds is what it was at the capture.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from maxent_cli.engine.replay import Work


class Tape(TorchDispatchMode):
    """Calls, and the tensors that they took and gave."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]]()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, found))
        return found

    def replay(self) -> None:
        """Do all again; what a call gives goes where it went."""
        for func, args, kwargs, found in self.calls:
            for old, new in zip(_tensors(found), _tensors(func(*args, **kwargs)), strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def by_tape(work: Work, device: torch.device) -> Work:
    """What stands in for replay.by_cuda on the CPU."""
    assert device.type == "cpu"
    work()  # as a card's warm-up does, and what it changes must not matter
    with Tape() as tape:
        work()
    return tape.replay


def _tensors(value: Any) -> list[Tensor]:
    return [one for one in tree_leaves(value) if isinstance(one, Tensor)]
