"""A network as it was before it was trained: its like, with fresh random weights."""

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def with_fresh_weights(model: Network, seed: int) -> Network:
    """A copy whose modules have drawn their weights anew; the same seed gives the same weights.

    Raises ValueError where weights are left that no module of torch's knows how to draw.
    """
    if next(model.parameters(), None) is None:
        raise ValueError("it has no weights")
    fresh = copy.deepcopy(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in fresh.modules():
            reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if callable(reset):
                reset()
    trained = dict(model.named_parameters())
    left = [name for name, value in fresh.named_parameters() if _as_trained(value, trained[name])]
    if left:
        raise ValueError(f"{left[0]} is no weight of a module that draws it")
    return fresh.eval()


def _as_trained(fresh: torch.Tensor, trained: torch.Tensor) -> bool:
    """Whether a weight is what training left; gains of 1 and biases of 0 are also what a module begins with."""
    return bool((fresh == trained).all()) and bool((trained != trained.flatten()[0]).any())
