"""The network of the XOR experiment, as `maxent` takes it: one hidden layer on a dinucleotide."""

from torch import nn


def network(hidden: int) -> nn.Module:
    """(B, 4, 2) to outputs (B, 2) of class 0 and class 1."""
    return nn.Sequential(nn.Flatten(), nn.Linear(8, hidden), nn.ReLU(), nn.Linear(hidden, 2))
