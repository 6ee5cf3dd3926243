"""Networks as people write them, each in its own way; README.md says how each is given to maxent.

All but the last two are small and untrained, on 40 letters; DeepBind and ExplaiNN take published weights.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LENGTH = 40


def plain() -> nn.Module:
    """A chain of layers: runs in the compiled kernel."""
    scan = (nn.Conv1d(4, 8, 9), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten())
    return nn.Sequential(*scan, nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))


class Functional(nn.Module):
    """Weights without layers; one output."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(8, 4, 9))
        self.weights = nn.Parameter(torch.randn(16, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        found = F.relu(F.conv1d(x, self.kernel))
        return torch.cat([found.amax(-1), found.mean(-1)], 1) @ self.weights


class Residual(nn.Module):
    """Batch norm, a residual block, and a sigmoid at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.scan = nn.Sequential(nn.Conv1d(4, 8, 9, padding=4), nn.BatchNorm1d(8), nn.ReLU())
        self.block = nn.Sequential(nn.Conv1d(8, 8, 5, padding=2), nn.BatchNorm1d(8))
        self.hidden, self.output = nn.Linear(8 * 10, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to probabilities (B,)."""
        x = self.scan(x)
        x = F.max_pool1d(F.relu(x + self.block(x)), 4)
        return torch.sigmoid(self.output(F.relu(self.hidden(x.flatten(1))))).squeeze(1)


class Conditioned(nn.Module):
    """A network of two inputs as one of DNA alone: the second is the same for every sequence."""

    def __init__(self, network: nn.Module | None = None, held: Tensor | None = None) -> None:
        super().__init__()
        self.network = _WithControl() if network is None else network
        self.register_buffer("held", torch.zeros(1, LENGTH) if held is None else held, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to what the network gives."""
        return self.network(x, self.held.expand(len(x), *self.held.shape))


class TwoHeads(nn.Module):
    """Several outputs, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.scan = nn.Sequential(nn.Conv1d(4, 8, 9), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.binding, self.opening = nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, 4, L) to binding of three factors (B, 3) and openness (B, 1)."""
        x = self.scan(x)
        return {"binding": self.binding(x), "opening": self.opening(x)}


class Recurrent(nn.Module):
    """A two-way LSTM, averaged over the positions."""

    def __init__(self) -> None:
        super().__init__()
        self.states = nn.LSTM(4, 8, batch_first=True, bidirectional=True)
        self.output = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to log-probabilities (B, 2)."""
        states, _ = self.states(x.transpose(1, 2))
        return F.log_softmax(self.output(states.mean(1)), 1)


class Attention(nn.Module):
    """Convolution, then a transformer's layer."""

    def __init__(self) -> None:
        super().__init__()
        self.scan = nn.Conv1d(4, 16, 9, stride=4)
        self.attention = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.output = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 4, L) to outputs (B, 2) and what they are read off (B, 16)."""
        x = self.attention(F.relu(self.scan(x)).transpose(1, 2)).mean(1)
        return self.output(x), x


class ChannelsLast(nn.Module):
    """Positions before channels, as networks do that come from Keras; letters G, C, A, T."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.hidden, self.output = nn.Conv1d(4, 8, 9), nn.Linear(256, 16), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, 4) to outputs (B, 2)."""
        x = F.relu(self.scan(x.permute(0, 2, 1)))
        return self.output(F.relu(self.hidden(x.view(x.size(0), -1))))


class DeepBind(nn.Module):
    """DeepBind (Alipanahi et al. 2015) on both strands, for state dicts of its tensors; pool: max, or max and mean."""

    def __init__(self, pool: str = "max and mean", filters: int = 16, width: int = 24, hidden: int = 32) -> None:
        super().__init__()
        self.both = pool == "max and mean"
        self.conv, self.rect = nn.Parameter(torch.zeros(filters, 4, width)), nn.Parameter(torch.zeros(filters))
        self.wHidden = nn.Parameter(torch.zeros(filters * (1 + self.both), hidden))
        self.wHiddenBias = nn.Parameter(torch.zeros(hidden))
        self.wNeu, self.wNeuBias = nn.Parameter(torch.zeros(hidden, 1)), nn.Parameter(torch.zeros(1))

    def pooled(self, x: Tensor) -> Tensor:
        """One strand (B, 4, L) to what is found on it (B, F) or (B, 2 F)."""
        padded = F.pad(x, (self.conv.shape[2] - 1,) * 2, value=0.25)
        found = F.relu(F.conv1d(padded, self.conv, self.rect))
        if not self.both:
            return found.amax(-1)
        return torch.cat([found.amax(-1), found.mean(-1)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L), letters A, C, G, T, to the better strand's score (B, 1)."""
        strands = torch.stack([self.pooled(x), self.pooled(x.flip(1, 2))], 1)
        hidden = F.relu(strands @ self.wHidden + self.wHiddenBias)
        return (hidden @ self.wNeu + self.wNeuBias).amax(1)


class ExplaiNN(nn.Module):
    """ExplaiNN (Novakovsky et al. 2023): a small network a unit, side by side, and one linear layer over the units."""

    def __init__(self, units: int, outputs: int, input_length: int = 200, width: int = 19) -> None:
        super().__init__()
        self.input_length, self.units = input_length, units
        places = (input_length - width + 1) // 7
        self.linears = nn.Sequential(
            *(nn.Conv1d(4 * units, units, width, groups=units), nn.BatchNorm1d(units), _Exponential()),
            *(nn.MaxPool1d(7), nn.Flatten(), nn.Unflatten(1, (-1, 1))),
            *(nn.Conv1d(places * units, 100 * units, 1, groups=units), nn.BatchNorm1d(100 * units), nn.ReLU()),
            *(nn.Dropout(0.3), nn.Conv1d(100 * units, units, 1, groups=units), nn.BatchNorm1d(units), nn.ReLU()),
            nn.Flatten(),
        )
        self.final = nn.Linear(units, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to outputs (B, K)."""
        return self.final(self.linears(x.repeat(1, self.units, 1)))


class _Exponential(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


class _WithControl(nn.Module):
    """Reads a track beside DNA, and so is adopted within a Conditioned."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.beside = nn.Conv1d(4, 8, 9, padding=4), nn.Conv1d(1, 8, 5, padding=2)
        self.output = nn.Linear(8, 1)

    def forward(self, x: Tensor, control: Tensor) -> Tensor:
        """(B, 4, L) and (B, 1, L) to (B, 1)."""
        return self.output((F.relu(self.scan(x)) * torch.sigmoid(self.beside(control))).mean(2))
