"""The networks that `train` offers: one function and one line in ARCHITECTURES each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class LayeredModel(nn.Module):
    """A chain of layers from one-hot DNA to the representation, and a linear head; one module per use."""

    def __init__(self, input_length: int, layers: nn.Sequential, classes: int = 2) -> None:
        super().__init__()
        self.input_length = input_length
        self.layers = layers
        self.output = nn.Linear(width_of(layers, input_length), classes)
        self.outputs = classes

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the activations (B, H) that the head reads."""
        activations: Tensor = self.layers(one_hot)
        return activations

    def head(self, representation: Tensor) -> Tensor:
        """Representation (B, H) to outputs (B, K), before the softmax."""
        outputs: Tensor = self.output(representation)
        return outputs

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to outputs (B, K), before the softmax."""
        return self.head(self.representation(one_hot))


def width_of(layers: nn.Sequential, input_length: int) -> int:
    """Number of units that the layers give for an input (4, L); the layers are left in their mode.

    Raises ValueError where the input is too short for them.
    """
    training = layers.training
    try:
        with torch.no_grad():
            return int(layers.eval()(torch.zeros(1, 4, input_length)).shape[1])
    except RuntimeError as error:
        raise ValueError(f"the layers need more than {input_length} letters") from error
    finally:
        layers.train(training)


def finnegan2017(
    input_length: int, filters: int = 64, width: int = 24, hidden: int = 100, dropout: float = 0.5
) -> LayeredModel:
    """The CTCF network of Finnegan & Song (2017): no pooling, one hidden layer; 505,710 weights at 101 bp."""
    scan = nn.Sequential(nn.Conv1d(4, filters, width), nn.ReLU(), nn.Flatten())
    units = width_of(scan, input_length)
    layers = nn.Sequential(*scan, nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout))
    return LayeredModel(input_length, layers)


def convnet(input_length: int, filters: int = 64, hidden: int = 64, dropout: float = 0.25) -> LayeredModel:
    """Two short convolutions with max pooling and one hidden layer: a letter reaches few units, so it samples fast."""
    scan = nn.Sequential(
        nn.Conv1d(4, filters, 24),
        nn.ReLU(),
        nn.MaxPool1d(4),
        nn.Conv1d(filters, filters, 5),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Dropout(dropout / 2),
    )
    units = width_of(scan, input_length)
    layers = nn.Sequential(*scan, nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout))
    return LayeredModel(input_length, layers)


def nucleosome(input_length: int, filters: int = 48, hidden: int = 64, dropout: float = 0.25) -> LayeredModel:
    """Two convolutions a helical turn wide, so little pooled that the place in the turn is kept; one hidden layer."""
    scan = nn.Sequential(
        nn.Conv1d(4, filters, 11),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(filters, filters, 11),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
    )
    units = width_of(scan, input_length)
    layers = nn.Sequential(*scan, nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout))
    return LayeredModel(input_length, layers)


ARCHITECTURES: dict[str, Callable[..., LayeredModel]] = {
    "convnet": convnet,
    "finnegan2017": finnegan2017,
    "nucleosome": nucleosome,
}


def build(architecture: str, input_length: int, arguments: dict[str, int | float], seed: int) -> LayeredModel:
    """A network of the table with fresh random weights; the same seed gives the same weights.

    Raises ValueError where the layers do not fit on the input length.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture](input_length, **arguments)
