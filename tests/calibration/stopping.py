"""Does stopping when chains agree bias what is read off the draws?"""

from collections.abc import Iterator

import numpy as np

from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.summary import summarise

from .lines import Line, mean
from .listed import Truth, listed, runs, some_anchors

BETA, KEEP = 250.0, 0.75
MOST = 0.005  # of the value
QUANTITIES = ("energy", "output", "bits", "bits_held")


def stopping(replicates: range) -> Iterator[Line]:
    """Runs that begin with a step between draws and go on until they have converged; means over ten anchors in turn."""
    early = {"thin": 1, "warmup": 240, "min_ess": 100.0, "max_steps": 200_000}
    for what, given in (("beta given", {"beta": BETA}), ("beta found", {"keep": KEEP})):
        size, biases = sizes(**given), dict[str, list[float]]()
        for anchor, samples in runs(replicates, 20_000, **early, **given):
            row, true = summarise(samples, diagnose(samples)), truth(anchor, **given)
            for name in QUANTITIES:
                biases.setdefault(name, []).append((row[name] - getattr(true, name)) / size[name])
        for name, found in biases.items():
            yield mean(f"{what}: {name}, bias over its mean", found, -MOST, MOST)


def truth(anchor: str, beta: float | None = None, keep: float = KEEP) -> Truth:
    """By listing, at a beta or at the one that keeps a share."""
    return listed(anchor).at_share(keep) if beta is None else listed(anchor).at(beta)


def sizes(**given: float) -> dict[str, float]:
    """Each quantity's mean magnitude over the ten anchors."""
    truths = [truth(anchor, **given) for anchor in some_anchors(10)]
    return {name: float(np.mean([abs(getattr(one, name)) for one in truths])) for name in QUANTITIES}
