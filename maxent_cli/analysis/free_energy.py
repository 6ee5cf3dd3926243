"""Bits that the law holds: its divergence from the background, by thermodynamic integration along a beta ladder."""

import math

import numpy as np
from numba import njit
from scipy.optimize import brentq

from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.reweighting import wanted_error
from maxent_cli.data import Floats, SampleSet

MOST = 350.0  # nats beyond which a chance is 0 or 1, whatever is added


def bits_held(betas: Floats, energy: Floats) -> Estimate:
    """KL(p_beta || q) in bits at each replica (R,), with jackknife errors over ladders (C - 1 degrees of freedom).

    energy (C, D, R): energies of C independent ladders at the betas (R,), which rise from 0. KL = -beta <E> - log Z,
    where log Z is summed over neighbouring replicas by Bennett's acceptance ratio. nan for a ladder that does not reach
    down to 0, such as a single replica: nothing ties it to the background.
    """
    if not _from_background(betas):
        return Estimate(np.full(len(betas), np.nan), np.full(len(betas), np.nan))
    parts = _all_and_without(betas, energy)
    bits = (-betas * np.array([part.reshape(-1, len(betas)).mean(axis=0) for part in parts[0]]) - parts[1]) / np.log(2)
    return jackknife(bits[0], bits[1:])


def bits_of_law(samples: SampleSet) -> Estimate:
    """KL(p || q) in bits of the law of the draws, as bits_held of the top replica.

    Where beta was found, the mean energy is the one asked for, and has its error: as beta* moves with it, so do bits.
    """
    betas, energy = samples.replicas.betas, samples.replicas.energy
    if not _from_background(betas):
        return Estimate(np.array(np.nan), np.array(np.nan))
    if samples.keep is None:
        held = bits_held(betas, energy)
        return Estimate(held.value[-1], held.error[-1])
    log_z = _all_and_without(betas, energy)[1][:, -1]
    bits = -(samples.beta * samples.energy.mean() + log_z) / np.log(2)
    found = jackknife(bits[0], bits[1:])
    return Estimate(found.value, np.hypot(found.error, samples.beta * wanted_error(samples) / np.log(2)))


def log_partition(samples: SampleSet) -> Estimate:
    """log Z of the law of the draws, its background's being 0; nan where the ladder does not reach down to beta 0."""
    betas, energy = samples.replicas.betas, samples.replicas.energy
    if not _from_background(betas):
        return Estimate(np.array(np.nan), np.array(np.nan))
    log_z = _all_and_without(betas, energy)[1][:, -1]
    return jackknife(log_z[0], log_z[1:])


def _from_background(betas: Floats) -> bool:
    """Whether a ladder begins at beta 0."""
    return bool(len(betas) and betas[0] == 0)


def _all_and_without(betas: Floats, energy: Floats) -> tuple[list[Floats], Floats]:
    """The energies (C, D, R) of all ladders and of all but each, and of each the log Z (1 + C, R)."""
    parts = [energy, *(np.delete(energy, ladder, axis=0) for ladder in range(len(energy)))]
    return parts, np.array([_log_z(betas, part.reshape(-1, len(betas))) for part in parts])


def _log_z(betas: Floats, flat: Floats) -> Floats:
    steps = [
        log_ratio(flat[:, replica], flat[:, replica + 1], betas[replica + 1] - betas[replica])
        for replica in range(len(betas) - 1)
    ]
    return np.concatenate([[0.0], np.cumsum(steps)])


def log_ratio(lower: Floats, upper: Floats, step: float) -> float:
    """log Z(beta + step) - log Z(beta) from as many energies (n,) drawn at each beta.

    Source: Bennett, J. Comput. Phys. 22:245, 1976.
    """

    low, high = -step * max(lower.max(), upper.max()), -step * min(lower.min(), upper.min())
    centre = (low + high) / 2
    up, down = (np.exp(np.clip(step * each + centre, -MOST, MOST)) for each in (lower, upper))

    def excess(ratio: float) -> float:  # falls steadily
        return float(_excess(up, down, math.exp(max(-MOST, min(ratio - centre, MOST)))))

    return float(brentq(excess, low, high))


@njit(cache=True, nogil=True)
def _excess(lower, upper, scale):  # type: ignore[no-untyped-def]
    """By how much the summed chances to go up exceed those to go down, of the odds against it (n,) at a scale of 1."""
    total = 0.0
    for odds in lower:
        total += 1 / (1 + odds * scale)
    for odds in upper:
        total -= 1 / (1 + 1 / (odds * scale))
    return total
