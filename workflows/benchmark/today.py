"""What a converged anchor costs with networks of today's kinds, and what surrogates gain over full passes.

python workflows/benchmark/today.py --only bpnet --length 1000 --weights FOLDER

Networks of published shapes, trained here for some CPU seconds on simulated sequences of five motifs (weights that are
in FOLDER are taken from there, others are put there), around one sequence that holds all five. Draws are asked for as
`maxent sample` would, at defaults. --against: also the sampler without a surrogate, single letters by full passes at
the beta found, for so many CPU seconds; its chains do not converge, so its ESS is an upper bound. Prints Markdown.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis import ess_mean, letter_diagnostics
from maxent_cli.data import SampleSet

MOTIFS = {"TGGCCACCAGGGGGCGCTA": 2.0, "ATGACTCAT": 1.2, "AGATAAGA": 0.8, "TGCGCATGCGC": 1.5, "CCGGAAGTG": 1.0}
FREQUENCIES = (0.29, 0.21, 0.21, 0.29)
TRAINED_ON, BATCH = 300, 64  # bp, where the network reads any length


class BPNet(nn.Module):
    """A 21-bp convolution, dilated residual layers, the mean over positions, and one output (Avsec et al. 2021)."""

    def __init__(self, _: int, filters: int = 64, layers: int = 8) -> None:
        super().__init__()
        self.iconv = nn.Conv1d(4, filters, 21, padding=10)
        dilations = [2**n for n in range(1, layers + 1)]
        self.rconvs = nn.ModuleList(nn.Conv1d(filters, filters, 3, padding=d, dilation=d) for d in dilations)
        self.linear = nn.Linear(filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        x = functional.relu(self.iconv(x))
        for layer in self.rconvs:
            x = x + functional.relu(layer(x))
        return self.linear(x.mean(2))  # type: ignore[no-any-return]


def scan(into: int, out: int, width: int, pool: int) -> list[nn.Module]:
    """A convolution with its norm, ReLU and maxima."""
    norm = nn.BatchNorm1d(out)
    return [nn.Conv1d(into, out, width, padding=width // 2), norm, nn.ReLU(), nn.MaxPool1d(pool)]


def dense(into: int, *units: int) -> list[nn.Module]:
    """Linear layers with ReLUs, and one output."""
    sizes = [into, *units]
    hidden = [layer for a, b in zip(sizes, units, strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
    return [*hidden, nn.Linear(sizes[-1], 1)]


def basset(length: int) -> nn.Module:
    """Kelley et al. 2016."""
    layers = [*scan(4, 300, 19, 3), *scan(300, 200, 11, 4), *scan(200, 200, 7, 4), nn.Flatten()]
    return nn.Sequential(*layers, *dense(200 * (length // 3 // 4 // 4), 1000, 1000))


def deepstarr(length: int) -> nn.Module:
    """de Almeida et al. 2022."""
    layers = [*scan(4, 256, 7, 2), *scan(256, 60, 3, 2), *scan(60, 60, 5, 2), *scan(60, 120, 3, 2), nn.Flatten()]
    return nn.Sequential(*layers, *dense(120 * (length // 16), 256, 256))


class Recurrent(nn.Module):
    """A convolution, maxima and an LSTM both ways, as DanQ (Quang & Xie 2016)."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.scan = nn.Sequential(*scan(4, 64, 19, 5))
        self.lstm = nn.LSTM(64, 32, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        return self.linear(self.lstm(self.scan(x).transpose(1, 2))[0].mean(1))  # type: ignore[no-any-return]


class Attentive(nn.Module):
    """A convolution, maxima, and a layer of a transformer."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.scan = nn.Sequential(*scan(4, 64, 19, 5))
        self.layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.linear = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        return self.linear(self.layer(self.scan(x).transpose(1, 2)).mean(1))  # type: ignore[no-any-return]


NETWORKS: dict[str, tuple[Callable[[int], nn.Module], int]] = {
    "bpnet": (BPNet, 1000),
    "basset": (basset, 600),
    "deepstarr": (deepstarr, 249),
    "lstm": (Recurrent, 300),
    "attention": (Attentive, 300),
}
ANY_LENGTH = {"bpnet", "lstm", "attention"}


def simulated(count: int, length: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One-hot sequences (count, 4, length) with some motifs each, on either strand, and their effects (count,)."""
    codes, effects = rng.choice(4, (count, length), p=FREQUENCIES), np.zeros(count, np.float32)
    words = [encode(word) for word in MOTIFS]
    for row in range(count):
        for number in rng.integers(0, len(words), rng.poisson(1.5)):
            word = words[number] if rng.random() < 0.5 else 3 - words[number][::-1]
            word = np.where(rng.random(len(word)) < 0.1, rng.integers(0, 4, len(word)), word)
            start = rng.integers(0, length - len(word) + 1)
            codes[row, start : start + len(word)] = word
            effects[row] += list(MOTIFS.values())[number]
    return functional.one_hot(torch.from_numpy(codes), 4).float().transpose(1, 2), torch.from_numpy(effects)


def anchor(length: int) -> str:
    """A random sequence that holds each motif once."""
    codes = np.random.default_rng(5).choice(4, length, p=FREQUENCIES)
    for share, word in zip((0.35, 0.50, 0.53, 0.62, 0.70), MOTIFS, strict=True):
        start = int(share * length)
        codes[start : start + len(word)] = encode(word)
    return decode(codes.astype(np.uint8))


def trained(name: str, length: int, seconds: float, folder: Path | None) -> nn.Module:
    """The network, its weights from the folder if they are there."""
    torch.manual_seed(1)
    make, _ = NETWORKS[name]
    model, reads = make(length), TRAINED_ON if name in ANY_LENGTH else length
    path = None if folder is None else folder / (f"{name}.pt" if name in ANY_LENGTH else f"{name}-{length}.pt")
    if path is not None and path.exists():
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()
    rng, optimizer, started = np.random.default_rng(1), torch.optim.Adam(model.parameters(), 1e-3), time.process_time()
    while (done := (time.process_time() - started) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - done) + 2e-5
        x, y = simulated(BATCH, reads, rng)
        loss = functional.mse_loss(model(x)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        x, y = simulated(256, reads, rng)
        print(f"{name}: r = {np.corrcoef(model(x)[:, 0], y)[0, 1]:.2f} on new sequences", flush=True)
    if path is not None:
        torch.save(model.state_dict(), path)
    return model


def ess(samples: SampleSet) -> tuple[float, float]:
    """Effective sample sizes: of the energy, and of the letters in the median."""
    letters = letter_diagnostics(samples.codes)[1]
    return float(ess_mean(samples.energy)), float(np.nanmedian(letters))


def measure(name: str, length: int, given: argparse.Namespace) -> str:
    """A network's line."""
    model = mx.network(trained(name, length, given.train, given.weights), length)
    run = mx.Sampling(seed=given.seed)
    started = time.process_time()
    with mx.sample(model, [anchor(length)], mx.Law(background=FREQUENCIES), run, progress=False) as draws:
        seconds, samples, row = time.process_time() - started, draws[0], draws.rows()[0]
    found = [value / seconds for value in ess(samples)]
    cells = [f"{name}, {length} bp", samples.kernel, f"{seconds:.0f}", f"{row['rhat']:.3f}", f"{row['ess']:.0f}"]
    cells += [f"{value:.2g}" for value in found]
    if given.against:
        cells += [f"{a / b:.1f}x" for a, b in zip(found, plainly(model, length, samples.beta, given), strict=True)]
    return f"| {' | '.join(cells)} |"


def plainly(model: mx.Network, length: int, beta: float, given: argparse.Namespace) -> list[float]:
    """ESS per CPU second of single letters by full passes."""
    law = mx.Law(background=FREQUENCIES, beta=beta)
    seconds, steps, found = 0.0, 100, [np.nan, np.nan]
    while seconds < given.against:
        run = mx.Sampling(replicas=1, draws=100, thin=steps // 100, warmup=0, moves="letters", max_steps=steps)
        started = time.process_time()
        with mx.sample(model, [anchor(length)], law, run, progress=False) as draws:
            samples = draws[0]
        seconds = time.process_time() - started
        found, steps = [value / seconds for value in ess(samples)], 100 * max(2, int(steps / 100 * 1.5))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=NETWORKS, help="may be repeated (all)")
    parser.add_argument("--length", type=int, help="bp (the published)")
    parser.add_argument("--train", type=float, default=120, help="CPU seconds of training (120)")
    parser.add_argument("--weights", type=Path, help="folder of weights")
    parser.add_argument("--against", type=float, default=0, help="CPU seconds of full passes to compare with (none)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    columns = ["network", "kernel", "CPU s", "R-hat", "least ESS", "energy ESS/s", "median letter ESS/s"]
    columns += ["energy ESS/s over full passes", "letter ESS/s over full passes"] if given.against else []
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in given.only or NETWORKS:
        print(measure(name, given.length or NETWORKS[name][1], given), flush=True)


if __name__ == "__main__":
    main()
