"""Small networks around anchors whose laws are listed: what draws and numbers read off them are held against."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from exact import all_letters
from numpy.typing import NDArray
from scipy.optimize import brentq
from small import SKEWED, anchor, law, run, small_model

from maxent_cli.alphabet import decode
from maxent_cli.data import SampleSet
from maxent_cli.interpret.sampling import sample_anchor
from maxent_cli.models.protocol import one_hot

Floats = NDArray[np.float64]
LENGTH = 5
CODES = all_letters(LENGTH)
MODEL = small_model(LENGTH)


@dataclass(frozen=True)
class Truth:
    """What a law by listing has: at the beta that keeps a share, or at a given one."""

    beta: float
    energy: float
    output: float
    bits: float
    bits_held: float
    frequencies: Floats  # (L, 4)


@dataclass(frozen=True)
class ListedLaw:
    """Energies, outputs and log-background (4^L,) of all sequences around an anchor."""

    energy: Floats
    output: Floats
    log_background: Floats

    def probabilities(self, beta: float) -> Floats:
        """The law (4^L,) at a beta."""
        weight = self.log_background - beta * self.energy
        weight = np.exp(weight - weight.max())
        return np.asarray(weight / weight.sum())

    def mean_energy(self, beta: float) -> float:
        """The mean energy at a beta."""
        return float(self.probabilities(beta) @ self.energy)

    def kept(self, beta: float) -> float:
        """The share by which the mean energy has fallen at a beta."""
        return 1 - self.mean_energy(beta) / self.mean_energy(0.0)

    def at_share(self, keep: float) -> Truth:
        """At the beta that keeps a share."""
        scale = 1 / self.mean_energy(0.0)
        return self.at(brentq(lambda beta: self.kept(beta) - keep, 1e-3 * scale, 1e4 * scale))

    def at(self, beta: float) -> Truth:
        """At a beta."""
        p, q = self.probabilities(beta), self.probabilities(0.0)
        letters = np.array([[p @ (CODES[:, place] == code) for code in range(4)] for place in range(LENGTH)])
        return Truth(
            beta=beta,
            energy=float(p @ self.energy),
            output=float(p @ self.output),
            bits=float((letters * np.log2(letters / np.array(SKEWED))).sum()),
            bits_held=float((p * np.log2(p / q)).sum()),
            frequencies=letters,
        )


@cache
def listed(anchor: str) -> ListedLaw:
    """The published law of the small network's contrast around an anchor."""
    with torch.inference_mode():
        hidden = MODEL.representation(one_hot(torch.from_numpy(CODES))).double()
        outputs = MODEL.head(hidden.float()).double().numpy()
    rows = MODEL.output.weight.detach().double().numpy()
    weighted = hidden.numpy() * (rows[1] - rows[0])
    own = weighted[[decode(codes) for codes in CODES].index(anchor)]
    background = np.log(np.array(SKEWED))[CODES].sum(axis=1)
    return ListedLaw(np.linalg.norm(weighted - own, axis=1), outputs[:, 1] - outputs[:, 0], background)


def some_anchors(count: int) -> list[str]:
    """So many random sequences."""
    return [decode(codes) for codes in np.random.default_rng(0).integers(0, 4, (count, LENGTH)).astype(np.uint8)]


def drawn(word: str, seed: int, beta: float | None = None, keep: float = 0.75, **given: object) -> SampleSet:
    """Draws around an anchor in a short run, at a beta or at the one that keeps a share."""
    short = {"chains": 8, "draws": 100, "thin": 20, "warmup": 480, "seed": seed}
    return sample_anchor(MODEL, anchor(word), law(beta, keep=keep), run(**(short | given)))


def runs(replicates: range, first: int, **given: object) -> Iterator[tuple[str, SampleSet]]:
    """Draws of the runs of these numbers around ten anchors in turn, each with a seed of its own from the first on."""
    chosen = some_anchors(10)
    for number in replicates:
        word = chosen[number % len(chosen)]
        yield word, drawn(word, first + number, **given)
