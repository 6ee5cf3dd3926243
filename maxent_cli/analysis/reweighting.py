"""Draws at one inverse temperature made draws at another near by, and the errors of what is read off them.

Draws x at beta stand for the law at beta* with weights exp(-(beta* - beta) E(x)). Where little is lost they are drawn
again from themselves by these weights, so that what follows sees plain draws.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from maxent_cli.analysis.diagnostics import mcse_mean
from maxent_cli.data import Floats, SampleSet

FURTHEST = 2.5  # times beta, up or down, that beta* is looked for: there weights say nothing any more


@dataclass(frozen=True)
class Settled:
    """beta*, what of the draws (C, D) its weights leave, as (sum)² / (number · sum of squares), and rows (C, D).

    rows: of each chain's draws, as many, in order, that are plain draws at beta*; some twice, some left out.
    """

    beta: float
    left: float
    rows: NDArray[np.intp]


def settle(energy: Floats, beta: float, wanted: float) -> Settled:
    """The beta* at which the mean energy is as wanted, by energies (C, D) of draws at beta, and draws at beta*.

    beta* is by all draws together. Rows are taken chain by chain, at the change of beta that gives their mean energy.
    """
    change = _change(energy.reshape(1, -1), beta, wanted)
    left = 1 / (energy.size * np.square(softmax(-change * energy)).sum())
    by_chain = _change(energy, beta, wanted)
    offsets = (np.arange(len(energy)) + 0.5) / len(energy)  # all ways to round, else small changes are lost in each
    rows = np.array([_redrawn(chain, by_chain, offset) for chain, offset in zip(energy, offsets, strict=True)])
    return Settled(beta + change, float(left), rows)


def wanted_error(samples: SampleSet) -> float:
    """The standard error of the mean energy that was asked for, which is a share of the background's."""
    return 0.0 if samples.keep is None else (1 - samples.keep) * samples.energy_background_error


def energy_slopes(samples: SampleSet, values: NDArray[np.floating]) -> Floats:
    """By how much means of the law change with its mean energy as beta does: Cov(f, E) / Var(E) (...) of (C, D, ...).

    0 where beta was given.
    """
    centred = samples.energy - samples.energy.mean()
    spread = float(np.square(centred).sum())
    if samples.keep is None or not spread > 0:
        return np.zeros(values.shape[2:])
    return np.asarray(np.tensordot(centred, values, 2) / spread)


def mean_error(samples: SampleSet, values: Floats) -> float:
    """The standard error of the mean of values (C, D) of draws.

    Where beta was found, draws have the mean energy asked for: what goes with the energy has the error of that, and
    only the rest that of the draws (a regression estimator's; Cochran, Sampling Techniques, 1977, chapter 7).
    """
    slope = float(energy_slopes(samples, values))
    rest, of_energy = values - slope * samples.energy, abs(slope) * wanted_error(samples)
    if slope and np.ptp(rest) <= 1e-9 * np.ptp(values):
        return of_energy
    return float(np.hypot(mcse_mean(rest), of_energy))


def beta_error(samples: SampleSet) -> float:
    """The standard error of a beta that was found, from those of the draws' mean energy and of the one asked for."""
    return float(np.hypot(mcse_mean(samples.energy), wanted_error(samples)) / samples.energy.var())


def _change(energy: Floats, beta: float, wanted: float) -> float:
    """The change of beta at which the mean over rows of weighted mean energies (C, D) is as wanted, within bounds."""

    def excess(change: float) -> float:
        return float((softmax(-change * energy, axis=1) * energy).sum(axis=1).mean()) - wanted

    low, high = beta / FURTHEST - beta, beta * FURTHEST - beta
    if excess(low) <= 0:
        return low
    return high if excess(high) >= 0 else float(brentq(excess, low, high))


def _redrawn(energy: Floats, change: float, offset: float) -> NDArray[np.intp]:
    """Rows (D,), rising, of a chain's draws with energies (D,), each as often as its weight says, to the next number.

    By systematic sampling in order of energy, from an offset in (0, 1) on: over chains with offsets spread evenly the
    mean energy has next to no noise.
    """
    order = np.argsort(energy, kind="stable")
    share = np.cumsum(softmax(-change * energy[order]))
    places = (np.arange(len(energy)) + offset) / len(energy)
    return np.sort(order[np.searchsorted(share / share[-1], places)])
