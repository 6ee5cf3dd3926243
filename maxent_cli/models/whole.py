"""Networks that come as TorchScript or from torch.export, as modules like any other."""

from typing import Any, Self

import torch
from torch import Tensor, fx, nn

OUTPUT = "output"  # the module that outputs pass through, of a network into which nobody sees


class Scripted(nn.Module):
    """TorchScript, whose inner calls cannot be watched: what it gives passes through a module that can be named."""

    def __init__(self, network: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.network, self.output = network, nn.Identity()
        for parameter in self.parameters():  # a copy's are made of the original's
            parameter.detach_()

    def forward(self, one_hot: Tensor) -> Any:
        """One-hot (B, 4, L) to whatever the network gives."""
        found = self.network(one_hot)
        if isinstance(found, dict):
            return {name: self.output(part) for name, part in found.items()}
        return tuple(map(self.output, found)) if isinstance(found, tuple | list) else self.output(found)


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
