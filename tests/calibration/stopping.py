"""Does stopping when chains agree bias what is read off the draws?"""

from collections.abc import Iterator

import numpy as np

from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.summary import summarise

from .lines import Line, mean
from .listed import listed, runs

BETA, KEEP = 250.0, 0.75
MOST = 0.005  # of the value
QUANTITIES = ("energy", "output", "bits", "bits_held")


def stopping(replicates: int) -> Iterator[Line]:
    """Runs that begin with a step between draws and go on until they have converged; means over ten anchors in turn."""
    early = {"thin": 1, "warmup": 240, "min_ess": 100.0, "max_steps": 200_000}
    for what, given in (("beta given", {"beta": BETA}), ("beta found", {"keep": KEEP})):
        rows, truths = [], []
        for anchor, samples in runs(replicates, 20_000, **early, **given):
            rows.append(summarise(samples, diagnose(samples)))
            truths.append(listed(anchor).at(BETA) if "beta" in given else listed(anchor).at_share(KEEP))
        for name in QUANTITIES:
            found, true = np.array([row[name] for row in rows]), np.array([getattr(one, name) for one in truths])
            yield mean(f"{what}: {name}, bias over its mean", (found - true) / np.abs(true).mean(), -MOST, MOST)
