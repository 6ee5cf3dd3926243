"""What a change of one letter does to a network's output and to its law: in the anchor, and in draws around it.

In each of some draws, its contexts, either letter is put at the position. The effect is the difference of outputs. The
free-energy difference is what the law charges for the change beyond the background: -log2 of p(alt) / p(ref) over
q(alt) / q(ref), where p are the shares of the law's mass with that letter there. Shares are means of the letters'
conditional probabilities (Gelfand & Smith, JASA 85:398, 1990), in contexts whose own letter is one of those that were
tried: in each of them the law has the tried letters with the probabilities q · exp(-beta · E), so that no letter needs
to have been drawn often.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.contexts import Contexts
from maxent_cli.analysis.information import UNSEEN
from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.reweighting import wanted_error
from maxent_cli.data import Floats

ROUNDING = 1e-6  # of the outputs' size: a smaller difference is none
_LEAST = 1e-300  # of a share, so that its logarithm is a number
UNKNOWN_ESTIMATE = Estimate(np.asarray(np.nan), np.asarray(np.nan))


@dataclass(frozen=True)
class Tried:
    """What the network says with some letters at a position of n sequences: output, energy (n, 4); nan: not tried.

    own (n,): the letters that stand there. wanted (4,): those tried in all of them.
    """

    own: Codes
    output: Floats
    energy: Floats
    wanted: NDArray[np.bool_]

    def effect(self, ref: int, alt: int) -> Floats:
        """By how much the output (n,) is higher with one letter than with another; 0 where only rounding tells them."""
        found = self.output[:, alt] - self.output[:, ref]
        return np.where(np.abs(found) > ROUNDING * np.abs(self.output[:, [ref, alt]]).max(axis=1), found, 0.0)


@dataclass(frozen=True)
class VariantEffect:
    """Of one change: its effect in the anchor and over contexts, how often its sign is another, and its free energy.

    free_energy in bits. beta_0: effect and flips in sequences drawn from the law's background, the null: there the
    free-energy difference is 0. Unknown is nan.
    """

    in_anchor: float
    effect: Estimate
    flips: Estimate
    free_energy: Estimate
    effect_beta_0: Estimate
    flips_beta_0: Estimate


def variant_effect(
    contexts: Contexts, tried: Tried, anchor: Tried, background: Tried, position: int, change: tuple[int, int]
) -> VariantEffect:
    """The effect of a change (ref, alt) at a position, from what was tried in contexts, in the anchor and at beta 0."""
    ref, alt = change
    in_anchor = float(anchor.effect(ref, alt)[0])
    effect, beta_0 = tried.effect(ref, alt), background.effect(ref, alt)
    blocks = contexts.freedom + 1
    return VariantEffect(
        in_anchor,
        mean_over_contexts(contexts, effect),
        _bounded(mean_over_contexts(contexts, _turned(effect, in_anchor)), blocks),
        free_energy(contexts, tried, position, change),
        _mean(beta_0),
        _bounded(_mean(_turned(beta_0, in_anchor)), len(beta_0)),
    )


def mean_over_contexts(contexts: Contexts, values: Floats) -> Estimate:
    """The mean of a value of each context (n,), its error by jackknife over blocks of chains.

    Where beta was found, draws have the mean energy asked for: what goes with the energy has the error of that, as in
    reweighting.mean_error.
    """
    slope, mean = contexts.slope(values), np.asarray(values.mean())
    found = jackknife(mean, contexts.without_one(values) - slope * contexts.pinned)
    return Estimate(mean, np.hypot(found.error, slope * wanted_error(contexts.samples)))


def free_energy(contexts: Contexts, tried: Tried, position: int, change: tuple[int, int]) -> Estimate:
    """The free-energy difference of a change (ref, alt) at a position, in bits, by jackknife over blocks of chains.

    nan where the law holds the position, the background lacks one of the letters, or no context has any that was tried.
    """
    samples = contexts.samples
    counted = tried.wanted[tried.own % 4] & (tried.own < 4)
    if not samples.mutable[position] or not counted.any():
        return UNKNOWN_ESTIMATE
    row = samples.background[position]
    if (row[list(change)] == 0).any():
        return UNKNOWN_ESTIMATE
    logs = np.where(tried.wanted, np.log(np.maximum(row, _LEAST)) - samples.beta * tried.energy, -np.inf)
    weights = np.exp(logs - logs[:, tried.wanted].max(axis=1, keepdims=True)) * counted[:, None]
    pair = (weights / np.maximum(weights.sum(axis=1, keepdims=True), _LEAST))[:, change]  # (n, 2)
    constant = np.log2(row[change[1]] / row[change[0]])

    def bits(shares: Floats) -> Floats:
        known = np.log2(np.maximum(shares, _LEAST))
        return np.asarray(known[..., 0] - known[..., 1] + constant)

    means = np.maximum(pair.mean(axis=0), _LEAST)
    slope = contexts.slope((pair / means) @ np.array([1.0, -1.0]) / np.log(2))
    found = jackknife(bits(means), bits(contexts.without_one(pair)) - slope * contexts.pinned)
    return Estimate(found.value, np.hypot(found.error, slope * wanted_error(samples)))


def _turned(effect: Floats, in_anchor: float) -> Floats:
    """In which contexts (n,) an effect has the other sign than in the anchor, as 0 and 1; nan where it has none."""
    return (effect * in_anchor < 0).astype(float) if in_anchor else np.full(len(effect), np.nan)


def _bounded(share: Estimate, size: int) -> Estimate:
    """A share that was 0 or 1 in all of so many independent parts has a 95 % bound for its error."""
    constant = np.isfinite(share.value) & (share.value * (1 - share.value) == 0)
    return Estimate(share.value, np.where(constant, 1 - UNSEEN ** (1 / size), share.error))


def _mean(values: Floats) -> Estimate:
    """The mean of independent values (n,)."""
    return Estimate(np.asarray(values.mean()), np.asarray(values.std(ddof=1) / np.sqrt(len(values))))
