"""Networks that come as TorchScript or from torch.export, as modules like any other."""

import copy
import warnings
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, fx, nn

Module = TypeVar("Module")


class Scripted(nn.Module):
    """TorchScript, whose inner calls cannot be watched, so that its outputs are all that can be held."""

    def __init__(self, network: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.network = network
        for parameter in self.parameters():  # a copy's are made of the original's
            parameter.detach_()

    def forward(self, one_hot: Tensor) -> Any:
        """One-hot (B, 4, L) to whatever the network gives."""
        return self.network(one_hot)


class Exported(nn.Module):
    """A graph of torch.export, which is in the mode in which it was exported and knows no other."""

    def __init__(self, network: fx.GraphModule) -> None:
        super().__init__()
        self.network = network

    def forward(self, one_hot: Tensor) -> Any:
        """One-hot (B, 4, L) to whatever the network gives."""
        return self.network(one_hot)

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002
        """Nothing changes."""
        return self


def copied(network: Module) -> Module:
    """A copy that shares nothing; what torch warns of in copying its own graphs is not the user's."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return copy.deepcopy(network)


def as_module(network: nn.Module) -> nn.Module:
    """The network itself, or one of these around it."""
    if isinstance(network, torch.jit.ScriptModule):
        return Scripted(network)
    if isinstance(network, fx.GraphModule):
        try:
            network.eval()
        except NotImplementedError:
            return Exported(network)
    return network
