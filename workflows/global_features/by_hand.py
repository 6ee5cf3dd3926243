"""Networks whose weights are given by hand, so that it is known which count each holds: one unit, the count itself."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import LETTERS, encode

MOTIF = "GCCGCGCCGG"
NEARLY = 4  # letters of the motif without which its unit is silent


class ByHand(nn.Module):
    """Layers that give one number, which the head passes on."""

    def __init__(self, input_length: int, layers: nn.Module) -> None:
        super().__init__()
        self.input_length, self.layers, self.output = input_length, layers, nn.Linear(1, 1)
        with torch.no_grad():
            self.output.weight.fill_(1.0)
            self.output.bias.zero_()
        self.eval()

    def representation(self, inputs: Tensor) -> Tensor:
        """One-hot sequences (B, 4, L) to numbers (B, 1)."""
        return self.layers(inputs)

    def head(self, representation: Tensor) -> Tensor:
        """The output (B, 1)."""
        return self.output(representation)

    def forward(self, inputs: Tensor) -> Tensor:
        """The output (B, 1) of one-hot sequences (B, 4, L)."""
        return self.head(self.representation(inputs))


def letters(length: int, weights: Mapping[str, float], left: float = 1.0, right: float = 1.0) -> ByHand:
    """A weighted number of letters; the halves have weights of their own."""
    sides = np.where(np.arange(length) < length // 2, left, right)
    column = np.array([weights.get(letter, 0.0) for letter in LETTERS])
    return ByHand(length, nn.Sequential(nn.Flatten(), _linear(np.outer(column, sides))))


def words(length: int, word: str) -> ByHand:
    """The number of a word."""
    scan = _scan(word, len(word) - 1)
    total = _linear(np.ones(length - len(word) + 1))
    return ByHand(length, nn.Sequential(scan, nn.ReLU(), nn.Flatten(), total))


def motif(length: int) -> ByHand:
    """How many letters of the motif its best place has, above a few."""
    pool = nn.MaxPool1d(length - len(MOTIF) + 1)
    scan = _scan(MOTIF, len(MOTIF) - NEARLY)
    return ByHand(length, nn.Sequential(scan, nn.ReLU(), pool, nn.Flatten(), _linear(np.ones(1))))


# what is held, as gc-probe calls it (none: a motif) -> the network of so many bp
NETWORKS: dict[str, Callable[[int], ByHand]] = {
    "G and C": lambda length: letters(length, {"G": 1, "C": 1}),
    "A": lambda length: letters(length, {"A": 1}),
    "CG": lambda length: words(length, "CG"),
    "G and C, left half": lambda length: letters(length, {"G": 1, "C": 1}, right=0.0),
    "G and C, left less right": lambda length: letters(length, {"G": 1, "C": 1}, right=-1.0),
    "A less T": lambda length: letters(length, {"A": 1, "T": -1}),
    "none": motif,
}


def anchors(held: str, count: int, length: int, seed: int) -> NDArray[np.uint8]:
    """Random sequences (N, L); around the motif's network they have it."""
    chance = np.random.default_rng(seed)
    codes = chance.integers(0, 4, (count, length), dtype=np.uint8)
    if held == "none":
        for row in codes:
            start = chance.integers(length - len(MOTIF) + 1)
            row[start : start + len(MOTIF)] = encode(MOTIF)
    return codes


def _linear(weights: NDArray[np.float64]) -> nn.Linear:
    layer = nn.Linear(weights.size, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights.reshape(1, -1)))
        layer.bias.zero_()
    return layer


def _scan(word: str, least: int) -> nn.Conv1d:
    """How many letters of a word stand at each place, less so many."""
    layer = nn.Conv1d(4, 1, len(word))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.eye(4)[encode(word)].T[None]))
        layer.bias.fill_(-least)
    return layer
