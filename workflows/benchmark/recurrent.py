"""A network that is no stack of layers: a small LSTM, trained on simulated sequences with one motif."""

import numpy as np
import torch
from torch import Tensor, nn

from maxent_cli.data import Sequences
from maxent_cli.models import one_hot

LENGTH, HIDDEN, STEPS, BATCH = 40, 16, 300, 128
MOTIF = np.array([2, 0, 3, 1, 1, 0, 2, 3], np.uint8)  # planted whole, anywhere, in half of the sequences


class Recurrent(nn.Module):
    """A two-way LSTM whose states are averaged over the positions."""

    input_length = LENGTH

    def __init__(self) -> None:
        super().__init__()
        self.states = nn.LSTM(4, HIDDEN, batch_first=True, bidirectional=True)
        self.output = nn.Linear(4 * HIDDEN, 2)

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to mean and maximum of the states (B, 4 · hidden)."""
        states, _ = self.states(one_hot.transpose(1, 2))
        return torch.cat([states.mean(1), states.amax(1)], 1)

    def head(self, representation: Tensor) -> Tensor:
        """Representation to outputs (B, 2)."""
        outputs: Tensor = self.output(representation)
        return outputs

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to outputs (B, 2)."""
        return self.head(self.representation(one_hot))


def simulated(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random sequences (count, L); every second one holds the motif. With their classes."""
    codes = rng.integers(0, 4, (count, LENGTH)).astype(np.uint8)
    labels = np.arange(count) % 2
    for row in np.flatnonzero(labels):
        start = rng.integers(0, LENGTH - len(MOTIF) + 1)
        codes[row, start : start + len(MOTIF)] = MOTIF
    return codes, labels


def trained(seed: int) -> tuple[Recurrent, float]:
    """The network, and its share of right answers on fresh sequences."""
    torch.manual_seed(seed)
    rng, model = np.random.default_rng(seed), Recurrent()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(STEPS):
        codes, labels = simulated(BATCH, rng)
        loss = nn.functional.cross_entropy(outputs_of(model, codes), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    codes, labels = simulated(1000, rng)
    with torch.no_grad():
        right = (outputs_of(model, codes).argmax(1).numpy() == labels).mean()
    return model.eval(), float(right)


def outputs_of(model: Recurrent, codes: np.ndarray) -> Tensor:
    """Outputs (B, 2) of codes (B, L)."""
    outputs: Tensor = model(one_hot(torch.from_numpy(codes)))
    return outputs


def anchors(count: int, seed: int) -> Sequences:
    """Sequences that hold the motif."""
    codes, labels = simulated(2 * count, np.random.default_rng(seed))
    return Sequences(tuple(f"simulated{row}" for row in range(count)), codes[labels == 1], (None,) * count)
