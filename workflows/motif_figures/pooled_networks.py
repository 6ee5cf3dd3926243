"""Networks whose representation does not say where a motif is, pooled over positions or strands too; one untrained."""

import torch
from torch import Tensor, nn

from maxent_cli.models import LayeredModel, build

WIDTH = 14


class MaxPooled(nn.Module):
    """Filters, the highest activation of each anywhere, and a linear head."""

    def __init__(self, filters: int = 16) -> None:
        super().__init__()
        self.scan = nn.Sequential(nn.Conv1d(4, filters, WIDTH), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.output = nn.Linear(filters, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to outputs (B, 2)."""
        return self.output(self.scan(x))


class BothStrands(MaxPooled):
    """The same filters on either strand: a sequence and its reverse complement are one to it."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L), letters A, C, G, T, to outputs (B, 2)."""
        return self.output(torch.maximum(self.scan(x), self.scan(x.flip(1, 2))))


def untrained(seed: int, length: int) -> LayeredModel:
    """The default network with the weights it begins with."""
    return build("convnet", length, {}, seed)
