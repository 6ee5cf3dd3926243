"""A network of a few letters with its law worked out a string at a time, by none of the package's code."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from maxent_cli.alphabet import UNKNOWN, encode
from maxent_cli.data import Anchor, Sequences
from maxent_cli.interpret.attribution import Attribution, AttributionSettings, Question, attribute_anchor, make_ready
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.sampling import Sampling, over_anchors
from maxent_cli.io.checkpoint import ModelCard, save_model
from maxent_cli.laws import Outputs, asked_outputs
from maxent_cli.models.architectures import LayeredModel, build
from maxent_cli.models.protocol import SequenceModel

ARGUMENTS = {"filters": 8, "width": 4, "hidden": 6}
SKEWED = (0.4, 0.1, 0.2, 0.3)
Floats = NDArray[np.float64]


def small_model(length: int = 5, seed: int = 4) -> LayeredModel:
    """The published architecture, small, with random weights."""
    return build("finnegan2017", length, ARGUMENTS, seed).eval()


def stack(input_length: int = 8) -> nn.Sequential:
    """A stack of torch's own layers, as a user may have it, with random weights."""
    layers = (nn.Conv1d(4, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * (input_length - 2), 2))
    return nn.Sequential(*layers)


def saved(folder: Path, model: LayeredModel, outputs: tuple[str, ...] = ("unbound", "bound")) -> str:
    """The model in a folder, as a path."""
    folder.mkdir()
    save_model(folder, model, ModelCard("finnegan2017", model.input_length, outputs, ARGUMENTS, SKEWED, {}))
    return str(folder)


def anchor(word: str, name: str = "a0", mutable: NDArray[np.bool_] | None = None) -> Anchor:
    """An anchor of the given letters."""
    codes = encode(word)
    return Anchor(name, codes, None, codes != UNKNOWN if mutable is None else mutable)


def anchors(*letters: str, names: tuple[str, ...] = ()) -> Sequences:
    """Anchors of the given letters, named a0, a1, ... unless said otherwise."""
    given = names or tuple(f"a{row}" for row in range(len(letters)))
    return Sequences(given, np.stack([encode(word) for word in letters]), (None,) * len(letters))


def law(beta: float | None, **given: object) -> LawSettings:
    """The law of output 1 less output 0, or of others, on the skewed background."""
    outputs = outputs_held(given.pop("output", "1-0"))
    return LawSettings(**({"outputs": outputs, "background": SKEWED, "tether": None, "beta": beta} | given))


def outputs_held(output: str | Outputs, count: int = 2) -> Outputs:
    """Outputs by number, as text or as weighted sums."""
    return asked_outputs(output, tuple(map(str, range(count)))) if isinstance(output, str) else output


def run(**given: object) -> Sampling:
    """A short run, that goes no further than asked; what is not given is as small as still mixes on a few letters."""
    asked = {"chains": 40, "replicas": 4, "draws": 100, "thin": 20, "warmup": 480, "seed": 1} | given
    return Sampling(**({"max_steps": asked["draws"] * asked["thin"]} | asked))


def attributed(
    model: SequenceModel, anchors: Sequences, settings: AttributionSettings, threads: int = 1
) -> Iterator[Attribution]:
    """The attribution of each anchor, in order."""
    make_ready(model)
    return over_anchors(lambda anchor, _: attribute_anchor(Question(model, anchor, settings)), anchors, threads)


def words(length: int) -> list[str]:
    """Every string of so many letters."""
    return ["".join(letters) for letters in product("ACGT", repeat=length)]


@cache
def hidden_units(model: LayeredModel) -> Callable[[str], Floats]:
    """A slow twin of the network's representation: letters are looked up in a string, layers are sums.

    What it says of a string is kept: it is asked of all of them for each anchor and mu, and no test changes a model.
    """
    convolution, scan = model.layers[0], model.layers[3]
    kernel, shift = (values.detach().double().numpy() for values in (convolution.weight, convolution.bias))
    dense, bias = (values.detach().double().numpy() for values in (scan.weight, scan.bias))

    @cache
    def represent(word: str) -> Floats:
        places = range(len(word) - kernel.shape[2] + 1)
        maps = []
        for weights, offset in zip(kernel, shift, strict=True):
            for place in places:
                total = sum(weights["ACGT".index(word[place + tap]), tap] for tap in range(kernel.shape[2]))
                maps.append(max(0.0, total + offset))
        return np.array([max(0.0, float(row @ maps) + offset) for row, offset in zip(dense, bias, strict=True)])

    return represent


def twin_energy(model: LayeredModel, anchor: str, output: str | Outputs = "1-0") -> Callable[[str], float]:
    """A slow twin of the energy: the distance of hidden units from the anchor's, weighted by the output layer.

    Of several outputs, one weighted difference after another: the length of all together.
    """
    rows = model.output.weight.detach().double().numpy()
    weights = [sum(weight * rows[number] for number, weight in one) for one in outputs_held(output, len(rows))]
    represent = hidden_units(model)
    reference = represent(anchor)
    return lambda word: float(np.linalg.norm(np.concatenate([(represent(word) - reference) * w for w in weights])))


def twin_background(word: str, anchor: str, tether: float | None = None, mu: float = 0.0) -> float:
    """log q(x), tether and mu on G and C included, up to a constant."""
    total = 0.0
    for letter, held in zip(word, anchor, strict=True):
        share = SKEWED["ACGT".index(letter)]
        if tether is not None:
            rest = 1 - SKEWED["ACGT".index(held)]
            share = tether if letter == held else (1 - tether) * share / rest
        total += np.log(share) + mu * (letter in "GC")
    return total


class Listed:
    """A law over all strings of the anchor's length: energies (4^L,) and log-background (4^L,)."""

    def __init__(
        self,
        model: LayeredModel,
        anchor: str,
        tether: float | None = None,
        mu: float = 0.0,
        **given: str | Outputs,
    ) -> None:
        self.words = words(len(anchor))
        energy = twin_energy(model, anchor, **given)
        self.energy = np.array([energy(word) for word in self.words])
        self.log_background = np.array([twin_background(word, anchor, tether, mu) for word in self.words])

    def law(self, beta: float) -> Floats:
        """Probabilities (4^L,) at a beta."""
        log_weight = self.log_background - beta * self.energy
        weight = np.exp(log_weight - log_weight.max())
        return np.asarray(weight / weight.sum())

    def mean_energy(self, beta: float) -> float:
        """Mean energy at a beta."""
        return float(self.law(beta) @ self.energy)

    def bits(self, beta: float) -> float:
        """KL of the law at a beta from the background, in bits."""
        p, q = self.law(beta), self.law(0.0)
        return float(np.sum(p * np.log2(p / q)))

    def counts(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """How often each string stands in codes (..., L)."""
        places = codes.astype(np.int64) @ 4 ** np.arange(codes.shape[-1])[::-1]
        return np.bincount(places.ravel(), minlength=len(self.words))
