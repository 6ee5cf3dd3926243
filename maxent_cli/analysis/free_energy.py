"""Bits that the law holds: its divergence from the background, by thermodynamic integration along a beta ladder."""

import numpy as np
from scipy.special import expit

from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.data import Floats

_BISECTIONS = 40


def bits_held(betas: Floats, energy: Floats) -> Estimate:
    """KL(p_beta || q) in bits at each rung (R,), with jackknife errors over ladders.

    energy (C, D, R): energies of C independent ladders at the betas (R,), which rise from 0. KL = -beta <E> - log Z,
    where log Z is summed over neighbouring rungs by Bennett's acceptance ratio. nan for a ladder that does not reach
    down to 0, such as a single rung: nothing ties it to the background.
    """
    if betas[0] != 0:
        return Estimate(np.full(len(betas), np.nan), np.full(len(betas), np.nan))
    ladders = len(energy)
    without = np.array([_bits(betas, np.delete(energy, ladder, axis=0)) for ladder in range(ladders)])
    return jackknife(_bits(betas, energy), without)


def _bits(betas: Floats, energy: Floats) -> Floats:
    flat = energy.reshape(-1, len(betas))
    steps = [
        log_ratio(flat[:, rung], flat[:, rung + 1], betas[rung + 1] - betas[rung]) for rung in range(len(betas) - 1)
    ]
    log_z = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray((-betas * flat.mean(axis=0) - log_z) / np.log(2))


def log_ratio(lower: Floats, upper: Floats, step: float) -> float:
    """log Z(beta + step) - log Z(beta) from as many energies (n,) drawn at each beta.

    Source: Bennett, J. Comput. Phys. 22:245, 1976.
    """
    low, high = float(-step * max(lower.max(), upper.max())), float(-step * min(lower.min(), upper.min()))
    for _ in range(_BISECTIONS):  # the difference of the two sums falls steadily with the ratio
        middle = (low + high) / 2
        if expit(-step * lower - middle).sum() > expit(step * upper + middle).sum():
            low = middle
        else:
            high = middle
    return (low + high) / 2
