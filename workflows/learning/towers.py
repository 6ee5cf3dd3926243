"""Two networks that differ in one thing: whether each convolution of the tower adds to what it reads."""

from torch import nn

from maxent_cli.models import Residual


def tower(skip: bool, input_length: int = 60, filters: int = 32, blocks: int = 4, hidden: int = 32) -> nn.Sequential:
    """A wide convolution, dilated ones of 3, the mean over positions, and a hidden layer; two outputs."""
    del input_length  # the mean takes any
    layers: list[nn.Module] = [nn.Conv1d(4, filters, 15, padding=7), nn.ReLU()]
    for number in range(blocks):
        apart = 2**number
        block = (nn.Conv1d(filters, filters, 3, padding=apart, dilation=apart), nn.ReLU())
        layers += [Residual(*block)] if skip else block
    pooled = (nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(filters, hidden), nn.ReLU())
    return nn.Sequential(*layers, *pooled, nn.Linear(hidden, 2))


def plain(input_length: int = 60) -> nn.Sequential:
    """Without what adds."""
    return tower(skip=False, input_length=input_length)


def residual(input_length: int = 60) -> nn.Sequential:
    """With it."""
    return tower(skip=True, input_length=input_length)
