"""The networks that `train` offers: one function here and one line in choices.ARCHITECTURES each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from maxent_cli import choices


class LayeredModel(nn.Module):
    """Layers from one-hot DNA to the representation, and a linear head; one module per use."""

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


class BothWays(nn.Module):
    """An LSTM from the left and one from the right over (B, C, L): their states averaged over positions, (B, 2 S).

    As Lanchantin et al. (2017) begin it: normal weights, and a forget gate that is open.
    """

    def __init__(self, channels: int, states: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, states, batch_first=True, bidirectional=True)
        self.forget, self.width = nn.Dropout(dropout), 2 * states
        for name, weights in self.lstm.named_parameters():
            if "bias" in name:
                nn.init.zeros_(weights)
            else:
                nn.init.normal_(weights, std=(channels + states) ** -0.5)
            if "bias_ih" in name:
                nn.init.ones_(weights.data[states : 2 * states])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, 2 S)."""
        states: Tensor = self.lstm(x.transpose(1, 2))[0]
        mean: Tensor = self.forget(states).mean(1)
        return mean


class Residual(nn.Module):
    """Adds what its layers give to what they read, both (B, C, L)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to (B, C, L)."""
        found: Tensor = self.layers(x)
        return x + found


def width_of(layers: nn.Sequential, input_length: int) -> int:
    """Number of units that convolutions, pooling, linear layers and others, which keep shapes, give for (4, L).

    By their sizes: run without room for weights, on the meta device, they would have torch import its compiler first.
    Raises ValueError where the input is too short for them.
    """
    channels, length = 4, input_length
    for layer in layers:
        if isinstance(layer, nn.Conv1d | nn.MaxPool1d | nn.AvgPool1d):
            sizes = (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))
            width, stride, padding, dilation = (size[0] if isinstance(size, tuple) else int(size) for size in sizes)
            length = (length + 2 * padding - dilation * (width - 1) - 1) // stride + 1
            channels = getattr(layer, "out_channels", channels)
        if isinstance(layer, nn.AdaptiveAvgPool1d | nn.AdaptiveMaxPool1d) and layer.output_size == 1:
            length = 1
        if isinstance(layer, BothWays):
            channels, length = layer.width, 1
        if isinstance(layer, nn.Linear):
            channels, length = layer.out_features, 1
        if length < 1:
            raise ValueError(f"the layers need more than {input_length} letters")
    if not channels:
        raise ValueError("the layers give no units")
    return channels * length


def finnegan2017(
    input_length: int, filters: int = 64, width: int = 24, hidden: int = 100, dropout: float = 0.5
) -> LayeredModel:
    """The CTCF network of Finnegan & Song (2017): no pooling, one hidden layer; 505,710 weights at 101 bp."""
    scan = nn.Sequential(nn.Conv1d(4, filters, width), nn.ReLU(), nn.Flatten())
    units = width_of(scan, input_length)
    layers = nn.Sequential(*scan, nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout))
    return LayeredModel(input_length, layers)


def two_convolutions(input_length: int, scan: nn.Sequential, hidden: int, dropout: float) -> LayeredModel:
    """Convolution, pooling, convolution, pooling, dropout, and one hidden layer."""
    first, near, second, far, forget = scan
    scanned = nn.Sequential(first, nn.ReLU(), near, second, nn.ReLU(), far, nn.Flatten(), forget)
    units = width_of(scanned, input_length)
    layers = nn.Sequential(*scanned, nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout))
    return LayeredModel(input_length, layers)


def convnet(input_length: int, filters: int = 64, hidden: int = 64, dropout: float = 0.25) -> LayeredModel:
    """Two short convolutions with max pooling and one hidden layer: a letter reaches few units, so it samples fast."""
    first, second = nn.Conv1d(4, filters, 24), nn.Conv1d(filters, filters, 5)
    scan = nn.Sequential(first, nn.MaxPool1d(4), second, nn.MaxPool1d(2), nn.Dropout(dropout / 2))
    return two_convolutions(input_length, scan, hidden, dropout)


def nucleosome(input_length: int, filters: int = 48, hidden: int = 64, dropout: float = 0.25) -> LayeredModel:
    """A convolution a helical turn wide and a narrower one, so little pooled that the place in the turn is kept."""
    first, second = nn.Conv1d(4, filters, 11), nn.Conv1d(filters, 2 * filters // 3, 7)
    scan = nn.Sequential(first, nn.MaxPool1d(2), second, nn.MaxPool1d(2), nn.Dropout(dropout))
    return two_convolutions(input_length, scan, hidden, dropout)


def residual(
    input_length: int, filters: int = 64, width: int = 21, blocks: int = 4, hidden: int = 64, dropout: float = 0.25
) -> LayeredModel:
    """After BPNet (Avsec et al. 2021): a wide convolution, dilated ones that add to it, their mean over the positions.

    blocks: dilated convolutions of 3, each twice as far apart as the one before, 2 at first.
    """
    if input_length < width:
        raise ValueError(f"the layers need more than {input_length} letters")
    tower = [_dilated(filters, 2 ** (number + 1)) for number in range(blocks)]
    scan = nn.Sequential(nn.Conv1d(4, filters, width, padding=width // 2), nn.ReLU(), *tower)
    pooled = nn.Sequential(*scan, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(filters, hidden), nn.ReLU())
    return LayeredModel(input_length, nn.Sequential(*pooled, nn.Dropout(dropout)))


def _dilated(filters: int, dilation: int) -> Residual:
    return Residual(nn.Conv1d(filters, filters, 3, padding=dilation, dilation=dilation), nn.ReLU())


def deepmotif_cnn(input_length: int, filters: int = 128, dropout: float = 0.5) -> LayeredModel:
    """The CNN of Lanchantin et al. (2017): convolutions of 9, 5 and 3, the first two pooled; the best place of each."""
    layers = nn.Sequential(
        *(nn.Conv1d(4, filters, 9), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(dropout)),
        *(nn.Conv1d(filters, filters, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(dropout)),
        *(nn.Conv1d(filters, filters, 3), nn.ReLU(), nn.Dropout(dropout), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    )
    return LayeredModel(input_length, layers)


def deepmotif_rnn(input_length: int, states: int = 32, dropout: float = 0.5) -> LayeredModel:
    """The RNN of Lanchantin et al. (2017): an LSTM of the letters in each direction, averaged over positions."""
    return LayeredModel(input_length, nn.Sequential(BothWays(4, states, dropout)))


def deepmotif_cnn_rnn(input_length: int, filters: int = 128, states: int = 32, dropout: float = 0.5) -> LayeredModel:
    """The CNN-RNN of Lanchantin et al. (2017): a convolution of 9 that keeps the length, and the RNN behind it."""
    scan = nn.Conv1d(4, filters, 9, padding=4), nn.ReLU()
    return LayeredModel(input_length, nn.Sequential(*scan, BothWays(filters, states, dropout)))


ARCHITECTURES: dict[str, Callable[..., LayeredModel]] = {
    name: globals()[name.replace("-", "_")] for name in choices.ARCHITECTURES
}


def build(architecture: str, input_length: int, arguments: dict[str, int | float], seed: int) -> LayeredModel:
    """A network of the table with fresh random weights; the same seed gives the same weights.

    Raises ValueError where the layers do not fit on the input length, and TypeError where it has no such arguments.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture](input_length, **arguments)
