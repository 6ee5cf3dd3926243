"""Networks trained on a rule about two words at a distance, in windows so short that their laws are listed."""

from dataclasses import dataclass

import numpy as np
from exact import all_letters, draw_from
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax
from small import anchor

from analysis.sample_sets import sample_set
from maxent_cli.alphabet import Codes, encode
from maxent_cli.data import Floats, SampleSet
from maxent_cli.interpret.law import LawSettings, anchored_law, evaluate
from maxent_cli.laws import ONE_LESS_ZERO
from maxent_cli.models.architectures import LayeredModel, build
from maxent_cli.models.training import Examples, Settings, fit

LENGTH = 7
WINDOWS = all_letters(LENGTH)
FIRST, SECOND = "GA", "TC"  # at the two ends
HAS_FIRST = (WINDOWS[:, :2] == encode(FIRST)).all(axis=1)
HAS_SECOND = (WINDOWS[:, 5:] == encode(SECOND)).all(axis=1)
RULES = {"exclusive or": HAS_FIRST ^ HAS_SECOND, "both": HAS_FIRST & HAS_SECOND, "either": HAS_FIRST | HAS_SECOND}
ANCHORS = {"exclusive or": "GACACAG", "both": "GACATTC", "either": "GACATTC"}


@dataclass(frozen=True)
class ShortLaw:
    """A law over all WINDOWS: energies (4^L,), beta, and probabilities (4^L,)."""

    energy: Floats
    beta: float
    probabilities: Floats

    def squared(self) -> Floats:
        """Probabilities (4^L,) under exp(-gamma · E²), of the same mean E²."""
        square = self.energy**2
        gamma = brentq(lambda g: softmax(-g * square) @ square - self.probabilities @ square, 0, 1e4)
        return np.asarray(softmax(-gamma * square))

    def draws(self, chains: int = 16, draws: int = 1000) -> SampleSet:
        """Independent draws, as a sample set."""
        rows = draw_from(self.probabilities, chains * draws).reshape(chains, draws)
        return sample_set(WINDOWS[rows], energy=self.energy[rows], beta=self.beta)


def information_between(probabilities: Floats, first: int, second: int) -> float:
    """Mutual information, in bits, of two positions of WINDOWS."""
    joint = np.zeros((4, 4))
    np.add.at(joint, (WINDOWS[:, first], WINDOWS[:, second]), probabilities)
    return float(np.nansum(joint * np.log2(joint / np.outer(joint.sum(axis=1), joint.sum(axis=0)))))


def trained(rule: str) -> LayeredModel:
    """A network that tells a rule's windows, of which each of the four cases is as frequent and a tenth is mislabelled.

    Without wrong labels, the outputs of 'both' and 'either' would grow until they are sums over the words.
    """
    chance = np.random.default_rng(1)
    cases = [np.flatnonzero((one == HAS_FIRST) & (other == HAS_SECOND)) for one in (0, 1) for other in (0, 1)]
    rows = chance.permutation(np.concatenate([chance.choice(case, 1000) for case in cases]))
    labels = RULES[rule][rows] ^ (chance.random(len(rows)) < 0.1)
    examples = Examples(WINDOWS[rows], labels.astype(np.int64))
    model = build("finnegan2017", LENGTH, {"filters": 8, "width": 3, "hidden": 16, "dropout": 0.1}, 1)
    settings = Settings(epochs=15, reverse_complement=False, shift=0, averaging=0.98)
    for _ in fit(model, lambda _: examples, examples, settings):
        pass
    return model


def law_around(model: LayeredModel, word: str, keep: float = 0.6) -> ShortLaw:
    """The law around an anchor at which the mean energy has fallen by a share, letters being equally frequent."""
    settings = LawSettings(ONE_LESS_ZERO, (0.25,) * 4, None, None)
    return at_share(evaluate(anchored_law(model, anchor(word), settings).terms.energy, WINDOWS), keep)


def at_share(energy: Floats, keep: float) -> ShortLaw:
    """The law of energies (4^L,) at which their mean has fallen by a share."""
    wanted = (1 - keep) * energy.mean()
    beta = float(brentq(lambda b: softmax(-b * energy) @ energy - wanted, 0, 1000))
    return ShortLaw(energy, beta, np.asarray(softmax(-beta * energy)))


def lost(codes: Codes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which windows (..., L) lack the first word, and which the second."""
    return (codes[..., :2] != encode(FIRST)).any(axis=-1), (codes[..., 5:] != encode(SECOND)).any(axis=-1)
