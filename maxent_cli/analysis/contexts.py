"""The draws of an anchor that letters are put into: nearer to the anchor than draws are, where these hold it in place.

A law that lets a site move, or loses it now and then, says of a change within the site what it does in sequences where
there is none. So draws count by weights that lean to the anchor: the odds of its letter at a position are raised by
exp(s (f - q)²), where the draws have it with a frequency f above that of the background, q; s is as high as leaves a
given share of the draws in effect (Kish, Survey Sampling, 1965, section 11.7). The square leaves alone what is noise.
Such contexts are draws of the same law with a firmer tether, so all that is said of a law can be said of that one.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.jackknife import block_numbers
from maxent_cli.data import Floats, SampleSet

SHARE = 0.25  # of the draws, that is to be in effect
STRONGEST = 50.0  # s: where the draws have a letter 0.3 more often, its odds are raised 90 times, and by noise hardly


@dataclass(frozen=True)
class Contexts:
    """n draws, some perhaps twice, as draws (1, n, L) of a law whose background (L, 4) is that of the firmer tether.

    blocks (n,): of the jackknife. left (B, n): how much each counts where a block is left out, and the weights are by
    the draws of the others. pinned (B,): the mean energy of all draws but each block's, less that of all, and spread
    its variance over draws: where beta was found, it is by that mean. firmer: most times that the odds of a letter of
    the anchor are raised. effective: how many of all draws the weights leave.
    """

    samples: SampleSet
    blocks: NDArray[np.intp]
    left: Floats
    pinned: Floats
    spread: float
    firmer: float
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
        """Means (B, ...) of the values (n, ...) by all draws but those of each block."""
        return np.asarray(np.tensordot(self.left, values, 1))


def contexts_of(samples: SampleSet, most: int, share: float = SHARE) -> Contexts:
    """Draws of all chains, as many as are in effect and so many at most, each as often as its weight says.

    share: of the draws, that is in effect where they hold the anchor anywhere; 1: draws as they are, evenly spaced.
    """
    codes, energy = samples.codes.reshape(-1, samples.codes.shape[-1]), samples.energy.ravel()
    blocks = block_numbers(*samples.energy.shape).ravel()
    same = (codes == samples.anchor) & samples.mutable & (samples.anchor < 4)
    outside = blocks != np.arange(blocks.max() + 1)[:, None]  # (B, n)
    every = np.ones(len(codes), np.bool_)
    lean, weights = _lean(samples, same, every, share)
    effective = float(1 / np.square(weights).sum())
    chosen = _resampled(weights, max(1, min(most, round(effective))))
    left = np.array([_lean(samples, same, rows, share)[1][chosen] for rows in outside]) / weights[chosen]
    pinned = np.array([energy[rows].mean() for rows in outside]) - energy.mean()
    parts = {name: getattr(samples, name).reshape(1, len(codes), -1)[:, chosen] for name in ("energy", "output")}
    chosen_draws = replace(
        samples,
        codes=codes[None, chosen],
        background=_tethered(samples, lean),
        **{name: part[..., 0] for name, part in parts.items()},
    )
    firmer = float(np.exp(lean.max()))
    left /= np.maximum(left.sum(axis=1, keepdims=True), 1e-300)
    return Contexts(chosen_draws, blocks[chosen], left, pinned, float(energy.var()), firmer, effective)


def _lean(samples: SampleSet, same: NDArray[np.bool_], rows: NDArray[np.bool_], share: float) -> tuple[Floats, Floats]:
    """By what the log odds of the anchor's letters (L,) are raised, and weights (n,) of draws, by some rows of these.

    same (n, L): where draws have the anchor's letter. Weights are 0 in other rows, and add up to 1.
    """
    background = samples.background[np.arange(same.shape[1]), samples.anchor % 4]
    held = np.square(np.maximum(same[rows].mean(axis=0) - background, 0)) * samples.mutable
    kept, weights = same @ held, np.zeros(len(same))

    def excess(strength: float) -> float:
        return float(1 / np.square(softmax(strength * kept[rows])).sum() - share * rows.sum())

    strength = 0.0
    if share < 1:
        strength = STRONGEST if excess(STRONGEST) >= 0 else float(brentq(excess, 0, STRONGEST))
    weights[rows] = softmax(strength * kept[rows])
    return strength * held, weights


def _resampled(weights: Floats, number: int) -> NDArray[np.intp]:
    """So many rows, rising, each as often as its weight says, to the next number (systematic sampling)."""
    upto = np.cumsum(weights)
    return np.searchsorted(upto / upto[-1], (np.arange(number) + 0.5) / number)


def _tethered(samples: SampleSet, lean: Floats) -> Floats:
    """The background (L, 4) with the log odds of the anchor's letters raised."""
    rows = np.array(samples.background, float)
    places = np.flatnonzero(lean > 0)
    rows[places, samples.anchor[places]] *= np.exp(lean[places])
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))
