"""Networks that many have trained, in the shapes that were published: a function and a line in FAMILIES each.

Names of weights are those of the implementations in torch that are most in use, so that files of weights fit.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Named(nn.Sequential):
    """Layers one after another, for inputs of one length."""

    def __init__(self, input_length: int, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.input_length = input_length


def _scan(into: int, filters: int, width: int, pool: int, same: bool = False) -> list[nn.Module]:
    convolution = nn.Conv1d(into, filters, width, padding=width // 2 if same else 0)
    return [convolution, nn.BatchNorm1d(filters), nn.ReLU(), nn.MaxPool1d(pool)]


def _dense(into: int, units: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(into, units), nn.BatchNorm1d(units), nn.ReLU(), nn.Dropout(dropout)]


def basset(outputs: int = 164) -> Named:
    """DNase accessibility in cell types, of 600 bp (Kelley, Snoek & Rinn, Genome Res. 26:990, 2016)."""
    scan = [*_scan(4, 300, 19, 3), *_scan(300, 200, 11, 4), *_scan(200, 200, 7, 4), nn.Flatten()]
    return Named(600, *scan, *_dense(2000, 1000, 0.3), *_dense(1000, 1000, 0.3), nn.Linear(1000, outputs), nn.Sigmoid())


def deepsea(outputs: int = 919) -> Named:
    """Chromatin profiles, of 1,000 bp (Zhou & Troyanskaya, Nat. Methods 12:931, 2015)."""
    scan: list[nn.Module] = []
    for into, filters, dropout in ((4, 320, 0.2), (320, 480, 0.2), (480, 960, 0.5)):
        scan += [nn.Conv1d(into, filters, 8), nn.ReLU(), nn.MaxPool1d(4), nn.Dropout(dropout)]
    del scan[-2]  # the last one is not pooled
    top = [nn.Flatten(), nn.Linear(53 * 960, 925), nn.ReLU(), nn.Linear(925, outputs), nn.Sigmoid()]
    return Named(1000, *scan, *top)


def deepstarr(outputs: int = 2) -> Named:
    """Developmental and housekeeping enhancers of flies, of 249 bp (de Almeida et al., Nat. Genet. 54:613, 2022)."""
    scan: list[nn.Module] = []
    for into, filters, width in ((4, 256, 7), (256, 60, 3), (60, 60, 5), (60, 120, 3)):
        scan += _scan(into, filters, width, 2, same=True)
    return Named(249, *scan, nn.Flatten(), *_dense(1800, 256, 0.4), *_dense(256, 256, 0.4), nn.Linear(256, outputs))


def deepbind(input_length: int = 101, motifs: int = 16, width: int = 24, hidden: int = 32, outputs: int = 1) -> Named:
    """Binding of one factor: motifs, the best match of each, units (Alipanahi et al., Nat. Biotechnol. 33:831, 2015).

    hidden: its units; 0: none, as in many of the published ones.
    """
    scan = [nn.Conv1d(4, motifs, width), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()]
    top = [nn.Linear(motifs, hidden), nn.ReLU(), nn.Dropout(0.5)] if hidden else []
    return Named(input_length, *scan, *top, nn.Linear(hidden or motifs, outputs))


class BPNet(nn.Module):
    """Profile and total count at base resolution: a tower of dilated convolutions that add to what they read.

    As bpnet-lite names it. input_length, output_length: bp read and bp told of. controls: tracks beside the sequence,
    which are held at zero.
    """

    def __init__(
        self, filters: int, layers: int, input_length: int, output_length: int, controls: int = 0, strands: int = 1
    ) -> None:
        super().__init__()
        self.input_length, self.trimmed, self.controls = input_length, (input_length - output_length) // 2, controls
        if self.trimmed < _PROFILE // 2:
            raise ValueError(f"{output_length} of {input_length} bp leave no room for the profile's convolution")
        self.iconv = nn.Conv1d(4, filters, 21, padding=10)
        self.irelu = nn.ReLU()
        self.rconvs = nn.ModuleList(
            nn.Conv1d(filters, filters, 3, padding=2**number, dilation=2**number) for number in range(1, layers + 1)
        )
        self.rrelus = nn.ModuleList(nn.ReLU() for _ in range(layers))
        self.fconv = nn.Conv1d(filters + controls, strands, _PROFILE, padding=_PROFILE // 2)
        self.linear = nn.Linear(filters + (controls > 0), 1)

    def forward(self, one_hot: Tensor) -> dict[str, Tensor]:
        """One-hot (B, 4, L) to the profile's logits (B, strands, output_length) and the log of the count (B, 1)."""
        seen = self.irelu(self.iconv(one_hot))
        for convolution, function in zip(self.rconvs, self.rrelus, strict=True):
            seen = seen + function(convolution(seen))
        end, wide = self.input_length - self.trimmed, _PROFILE // 2
        mean = seen[:, :, self.trimmed - wide : end + wide].mean(dim=2)
        if self.controls:
            seen, mean = nn.functional.pad(seen, (0, 0, 0, self.controls)), nn.functional.pad(mean, (0, 1))
        return {"profile": self.fconv(seen)[:, :, self.trimmed : end], "counts": self.linear(mean)}


_PROFILE = 75  # bp that a position of the profile reads


def bpnet(
    filters: int = 64,
    layers: int = 8,
    input_length: int = 2114,
    output_length: int = 1000,
    controls: int = 0,
    strands: int = 1,
) -> BPNet:
    """ChIP-seq profiles and counts (Avsec et al., Nat. Genet. 53:354, 2021), as bpnet-lite has it."""
    return BPNet(filters, layers, input_length, output_length, controls, strands)


def chrombpnet_nobias(
    filters: int = 512, layers: int = 8, input_length: int = 2114, output_length: int = 1000
) -> BPNet:
    """Accessibility without the enzyme's bias: what ChromBPNet (Pampari et al. 2024) learns beside a bias model."""
    return BPNet(filters, layers, input_length, output_length)


class ChromBPNet(nn.Module):
    """A bias model and an accessibility model: logits add, counts add before their logarithm is taken."""

    def __init__(self, bias: BPNet, accessibility: BPNet) -> None:
        super().__init__()
        self.bias, self.accessibility, self.input_length = bias, accessibility, accessibility.input_length

    def forward(self, one_hot: Tensor) -> dict[str, Tensor]:
        """As BPNet."""
        bias, plain = self.bias(one_hot), self.accessibility(one_hot)
        counts = torch.logsumexp(torch.stack([bias["counts"], plain["counts"]]), dim=0)
        return {"profile": bias["profile"] + plain["profile"], "counts": counts}


def chrombpnet(
    filters: int = 512,
    layers: int = 8,
    bias_filters: int = 128,
    bias_layers: int = 4,
    input_length: int = 2114,
    output_length: int = 1000,
) -> ChromBPNet:
    """Accessibility with the enzyme's bias, as it is measured (Pampari et al. 2024), as bpnet-lite has it."""
    sizes = (input_length, output_length)
    return ChromBPNet(BPNet(bias_filters, bias_layers, *sizes), BPNet(filters, layers, *sizes))


FAMILIES: dict[str, Callable[..., nn.Module]] = {
    "basset": basset,
    "bpnet": bpnet,
    "chrombpnet": chrombpnet,
    "chrombpnet-nobias": chrombpnet_nobias,
    "deepbind": deepbind,
    "deepsea": deepsea,
    "deepstarr": deepstarr,
}
