"""The draws of an anchor that letters are put into: nearer to the anchor than draws are, where these hold it in place.

A law that lets a site move, or loses it now and then, says of a change within the site what it does in sequences where
there is none. So draws count by weights that lean to the anchor: at the positions where the draws have the anchor's
letter more often than the background has it, its odds are multiplied by one factor, as high as leaves a given share of
the draws in effect (Kish, Survey Sampling, 1965, section 11.7). Such contexts are draws of the same law with a firmer
tether there, so all that is said of a law can be said of that one.
"""

from dataclasses import dataclass, replace
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.jackknife import block_numbers, jackknife
from maxent_cli.data import Floats, SampleSet

SHARE = 0.25  # of the draws, that is to be in effect
FIRMEST = 100.0  # times the odds that the anchor's letter has in the background
SURE = 3.0  # standard errors by which its frequency is above the background's, where it is held


@dataclass(frozen=True)
class Contexts:
    """n draws, some perhaps twice, as draws (1, n, L) of a law whose background (L, 4) is that of the firmer tether.

    blocks (n,): of the jackknife, numbered up to B. pinned (B,): the mean energy of all draws but each block's, less
    that of all, and spread its variance over draws: where beta was found, it is by that mean. firmer: times the odds of
    the anchor's letters at `held` positions. effective: how many of all draws the weights leave.
    """

    samples: SampleSet
    blocks: NDArray[np.intp]
    pinned: Floats
    spread: float
    firmer: float
    held: int
    effective: float

    @property
    def codes(self) -> Codes:
        """The draws (n, L)."""
        return np.asarray(self.samples.codes[0])

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the errors."""
        return len(np.unique(self.blocks)) - 1

    def slope(self, values: Floats) -> float:
        """By how much the mean of values (n,) changes with draws' mean energy as beta does; 0 if beta was given."""
        if self.samples.keep is None or not self.spread > 0:
            return 0.0
        return float(np.cov(self.samples.energy[0], values, ddof=0)[0, 1] / self.spread)

    def without_one(self, values: Floats) -> Floats:
        """Means (B, ...) of the values (n, ...) of all contexts but those of each block."""
        member = (self.blocks == np.arange(len(self.pinned))[:, None]).astype(float)
        sums, sizes = member @ values, member.sum(axis=1)
        left = np.maximum(len(values) - sizes, 1).reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray((values.sum(axis=0) - sums) / left)


def contexts_of(samples: SampleSet, most: int, share: float = SHARE) -> Contexts:
    """Draws of all chains, as many as are in effect and so many at most, each as often as its weight says.

    share: of the draws, that is in effect where they hold the anchor anywhere; 1: draws as they are, evenly spaced.
    """
    codes, blocks = samples.codes.reshape(-1, samples.codes.shape[-1]), block_numbers(*samples.energy.shape).ravel()
    energy = samples.energy.ravel()
    without = _without_one(energy, blocks)
    held = _held(samples, codes, blocks)
    kept = (codes[:, held] == samples.anchor[held]).sum(axis=1)
    firmer = _firmer(kept, share)
    weights = _weights(kept, firmer)
    effective = 1 / np.square(weights).sum()
    chosen = _resampled(weights, max(1, min(most, round(effective))))
    parts = {name: getattr(samples, name).reshape(len(codes), -1)[chosen] for name in ("codes", "energy", "output")}
    parts = {name: part[None] if name == "codes" else part.T for name, part in parts.items()}
    parts["background"] = _tethered(samples, held, firmer)
    found = without - energy.mean(), float(energy.var()), exp(firmer), int(held.sum()), float(effective)
    return Contexts(replace(samples, **parts), blocks[chosen], *found)


def _held(samples: SampleSet, codes: Codes, blocks: NDArray[np.intp]) -> NDArray[np.bool_]:
    """At which positions (L,) draws surely have the anchor's letter more often than the background has it."""
    known = samples.mutable & (samples.anchor < 4)
    same = (codes == samples.anchor).astype(float)
    found = jackknife(same.mean(axis=0), _without_one(same, blocks))
    beyond = found.value - samples.background[np.arange(len(known)), samples.anchor % 4]
    return np.asarray(known & (beyond > SURE * found.error))


def _firmer(kept: NDArray[np.intp], share: float) -> float:
    """The logarithm of the factor at which so many held letters (n,) leave a share of the draws in effect."""

    def excess(firmer: float) -> float:
        return float(1 / (len(kept) * np.square(_weights(kept, firmer)).sum())) - share

    if share >= 1 or not np.ptp(kept):
        return 0.0
    return log(FIRMEST) if excess(log(FIRMEST)) >= 0 else float(brentq(excess, 0, log(FIRMEST)))


def _weights(kept: NDArray[np.intp], firmer: float) -> Floats:
    weights = np.exp(firmer * (kept - kept.max()))
    return np.asarray(weights / weights.sum())


def _resampled(weights: Floats, number: int) -> NDArray[np.intp]:
    """So many rows, rising, each as often as its weight says, to the next number (systematic sampling)."""
    upto = np.cumsum(weights)
    return np.searchsorted(upto / upto[-1], (np.arange(number) + 0.5) / number)


def _tethered(samples: SampleSet, held: NDArray[np.bool_], firmer: float) -> Floats:
    """The background (L, 4) with the odds of the anchor's letters raised at held positions."""
    rows = np.array(samples.background, float)
    places = np.flatnonzero(held)
    rows[places, samples.anchor[places]] *= exp(firmer)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _without_one(values: Floats, blocks: NDArray[np.intp]) -> Floats:
    """Means (B, ...) of the values (n, ...) but those of each block, all blocks filled."""
    member = (blocks == np.arange(blocks.max() + 1)[:, None]).astype(float)
    left = (len(values) - member.sum(axis=1)).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((values.sum(axis=0) - member @ values) / left)
