"""Is --keep met? Energy, output, bits and bits held of two runs, and of each against the listed law; the share kept."""

from collections.abc import Iterator

import numpy as np

from maxent_cli.analysis.comparison import difference
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.summary import summarise

from .lines import Line, share, spread
from .listed import listed, runs

KEEP = 0.75
QUANTITIES = ("beta", "energy", "output", "bits", "bits_held")
SEEDS = 1_000, 100_000  # where the seeds of the two sets of runs begin, chosen beforehand


def keeping(replicates: range) -> Iterator[Line]:
    """So many pairs of runs, ten anchors in turn."""
    pairs = zip(*(runs(replicates, seed, keep=KEEP) for seed in SEEDS), strict=True)
    both, anchors, share_scores = [], [], []
    for (anchor, first), (_, second) in pairs:
        both.append([summarise(samples, diagnose(samples)) for samples in (first, second)])
        anchors.append(anchor)
        true = listed(anchor).kept(first.beta)
        share_scores.append((true - KEEP) / both[-1][0]["energy_reduction_error"])
    truths = [listed(anchor).at_share(KEEP) for anchor in anchors]
    for name in QUANTITIES:
        values = np.array([[row[name] for row in rows] for rows in both])
        errors = np.array([[row[f"{name}_error"] for row in rows] for rows in both])
        true_values = np.array([getattr(truth, name) for truth in truths])
        yield spread(f"{name}: sd of z between two runs", (values[:, 0] - values[:, 1]) / np.hypot(*errors.T))
        yield spread(f"{name}: sd of z against the list", (values[:, 0] - true_values) / errors[:, 0])
        if name in ("bits", "bits_held"):
            scores = [difference(*rows, name)[f"{name}_z"] for rows in both]
            yield share(f"{name}: compared with itself, differs by two errors", np.abs(scores) > 2, 0.03, 0.07)
    yield share("share kept by the law at the beta found: within two errors", np.abs(share_scores) <= 2, 0.93, 0.97)
