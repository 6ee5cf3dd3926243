"""Networks of published kinds whose code is their own: `maxent adopt published:DanQ --out model`, and so on.

Sizes are those that were published, and arguments make them smaller. Families of which many are trained need no code
here: `maxent adopt basset`, bpnet, chrombpnet, deepbind, deepsea, deepstarr.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DanQ(nn.Module):
    """A convolution, a recurrent layer both ways, dense layers (Quang & Xie, Nucleic Acids Res. 44:e107, 2016)."""

    def __init__(self, input_length: int = 1000, filters: int = 320, states: int = 320, outputs: int = 919) -> None:
        super().__init__()
        self.input_length = input_length
        self.scan = nn.Sequential(nn.Conv1d(4, filters, 26), nn.ReLU(), nn.MaxPool1d(13), nn.Dropout(0.2))
        self.states = nn.LSTM(filters, states, batch_first=True, bidirectional=True)
        places = (input_length - 25) // 13
        self.hidden, self.output = nn.Linear(2 * states * places, 925), nn.Linear(925, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to probabilities (B, K)."""
        states, _ = self.states(self.scan(x).transpose(1, 2))
        return torch.sigmoid(self.output(F.relu(self.hidden(states.flatten(1)))))


class Malinois(nn.Module):
    """Basset's trunk, and a branch of layers for each cell type, in one product (Gosai et al., Nature 2024)."""

    def __init__(self, trunk: int = 1000, branch: int = 140, cells: int = 3) -> None:
        super().__init__()
        self.input_length, self.cells = 600, cells
        scan: list[nn.Module] = []
        for into, filters, width, pool in ((4, 300, 19, 3), (300, 200, 11, 4), (200, 200, 7, 4)):
            scan += [nn.Conv1d(into, filters, width, padding=width // 2), nn.BatchNorm1d(filters), nn.ReLU()]
            scan += [nn.MaxPool1d(pool)]
        self.scan = nn.Sequential(*scan, nn.Flatten())
        self.trunk = nn.Sequential(nn.Linear(200 * 12, trunk), nn.BatchNorm1d(trunk), nn.ReLU(), nn.Dropout(0.12))
        sizes = [trunk, branch, branch, branch, 1]
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(nn.Parameter(torch.randn(cells, *shape) / shape[0] ** 0.5) for shape in shapes)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(cells, 1, size)) for size in sizes[1:])

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, 600) to activities (B, cells)."""
        branches = self.trunk(self.scan(x)).expand(self.cells, -1, -1)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            branches = torch.bmm(branches, weight) + bias
            branches = F.relu(branches) if number < len(self.weights) - 1 else branches
        return branches.squeeze(2).T


class EnformerLike(nn.Module):
    """A tower that pools by attention, a transformer, and tracks by bin (after Avsec et al., Nat. Methods, 2021)."""

    def __init__(self, input_length: int = 2048, channels: int = 64, layers: int = 2, tracks: int = 5) -> None:
        super().__init__()
        self.input_length = input_length
        self.stem = nn.Conv1d(4, channels, 15, padding=7)
        self.tower = nn.ModuleList(nn.Conv1d(channels, channels, 5, padding=2) for _ in range(4))
        self.weighing = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(5))
        one = nn.TransformerEncoderLayer(channels, 4, 2 * channels, 0.1, "gelu", batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
        self.head = nn.Linear(channels, tracks)

    def pooled(self, x: Tensor, weighing: nn.Module) -> Tensor:
        """Two positions to one, weighed by a softmax."""
        pairs, weights = (v.unflatten(2, (-1, 2)) for v in (x, weighing(x)))
        return (pairs * weights.softmax(-1)).sum(-1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to each track's mean over bins (B, tracks)."""
        x = self.pooled(self.stem(x), self.weighing[0])
        for convolution, weighing in zip(self.tower, self.weighing[1:], strict=True):
            x = self.pooled(x + convolution(F.gelu(x)), weighing)
        return F.softplus(self.head(self.transformer(x.transpose(1, 2)).mean(1)))


class Tokenised(nn.Module):
    """Overlapping words of k letters as tokens, a transformer over them (after Ji et al., Bioinformatics 2021)."""

    def __init__(self, input_length: int = 200, k: int = 6, width: int = 64, layers: int = 4, outputs: int = 2) -> None:
        super().__init__()
        self.input_length, self.k = input_length, k
        self.tokens = nn.Embedding(4**k, width)
        self.places = nn.Parameter(0.1 * torch.randn(input_length - k + 1, width))
        one = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.1, "gelu", batch_first=True)
        self.transformer = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
        self.output = nn.Linear(width, outputs)
        self.register_buffer("powers", 4 ** torch.arange(k))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to outputs (B, K); N counts as A."""
        words = (x.argmax(1).unfold(1, self.k, 1) * self.powers).sum(-1)
        return self.output(self.transformer(self.tokens(words) + self.places).mean(1))
