"""Motifs of one anchor, found in its draws free of register and strand.

Words that the draws hold more often than the background makes them are the seeds. Around each, sites are weighed and
the motif is estimated from them in turn (expectation maximisation), as wide as columns hold information. A motif that
is there is kept and its sites are masked for the next. Beta = 0 draws go the same way, which gives the rate of motifs
that are found by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from maxent_cli.analysis.information import divergence
from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.scanning import MOST_ODDS, Peaks, peaks
from maxent_cli.analysis.sites import (
    Letters,
    Sites,
    composition_tilt,
    counts_at,
    exposures,
    mask,
    preference,
    redrawn,
    thinned,
)
from maxent_cli.analysis.words import Word, enriched_words
from maxent_cli.data import Floats
from maxent_cli.errors import require_range

ROUNDS = 12  # of weighing sites and estimating the motif from them
FLANK = 8  # columns by which a motif can grow to each side in a round
MOST_SEEDS, TRIAL_ROUNDS = 5, 3  # words tried for a motif, before the best supported are gone on with
MOST_MOTIFS, MOST_TRIALS = 6, 3  # of one anchor, and of one motif
SHORT_RATE = 0.1  # most background draws that may hold a site of a motif too short for a stricter rate
TRIAL_DRAWS, ENOUGH = 300, 1000  # draws to try seeds on; to find seeds in, estimate a motif from or be the background
STILL = 0.005  # bits by which no column of a motif changes any more
FAINT = 0.25  # of the bits of a motif's best column: fewer are faint
SOFTEST = 0.02  # least weight of a site in the estimates
LEAST_SHARE, FIRST_SHARE, MOST_SHARE = 0.001, 0.3, 0.999  # of draws that hold a motif, while it is estimated
WIDEST = 40
LEAST_RATE = 1e-6  # of background draws: with none at all, no threshold is high enough


@dataclass(frozen=True)
class Calling:
    """When columns make a motif and draws hold it.

    bits and errors: least information of a column, and in its standard errors; gap: most other columns (bp) to bridge;
    width: least width, bp; motif_bits: least information of all columns; presence: least bits that a draw's having or
    not having a site holds against the background. rate and site_rate: share of background draws that may hold a site
    by chance while a motif is sought, and once it is found and its sites are counted. Raises SettingsError for what is
    out of range.
    """

    bits: float = 0.1
    errors: float = 3.0
    gap: int = 3
    width: int = 5
    motif_bits: float = 5.0
    presence: float = 0.1
    rate: float = 0.01
    site_rate: float = 0.05

    def __post_init__(self) -> None:
        require_range("bits", self.bits, 0, 2)
        for name in ("errors", "gap", "motif_bits", "presence"):
            require_range(name, getattr(self, name), 0)
        require_range("width", self.width, 1)
        for name in ("rate", "site_rate"):
            require_range(name, getattr(self, name), LEAST_RATE, 1)


@dataclass(frozen=True)
class Found:
    """A motif of one anchor: weights (W, 4) = log2 r, letter counts (C, W, 4) of its sites by chain, and shares.

    mean_background (W, 4) is what the sites' letters would be without the network. share and background_share are
    those of draws that hold a site, at beta and at beta = 0.
    """

    weights: Floats
    counts: Floats
    mean_background: Floats
    bits: Floats
    share: float
    background_share: float
    threshold: float


@dataclass(frozen=True)
class _Model:
    weights: Floats
    share: float  # of draws that have a site
    counts: Floats
    mean_background: Floats
    bits: Floats


def discover(letters: Letters, background: Letters, calling: Calling) -> list[Found]:
    """The motifs that the draws hold more often than draws of the background do, the best supported first."""
    found = list[Found]()
    while len(found) < MOST_MOTIFS:
        few = thinned(letters, ENOUGH)
        fewest = thinned(few, TRIAL_DRAWS)
        models = _tried(fewest, enriched_words(few)[:MOST_SEEDS], calling)
        nearly = (_settle(fewest, model, calling, ROUNDS) for model in models[:MOST_TRIALS])
        settled = (_settle(few, model, calling, ROUNDS) for model in nearly)
        present = (_present(letters, background, model, calling) for model in settled if model is not None)
        first = next((one for one in present if one is not None), None)
        if first is None:
            break
        motif, letters = first
        found.append(motif)
    return found


def weighed(letters: Letters, weights: Floats, share: float, rounds: int = 1) -> tuple[Sites, float]:
    """Places by their probability of being the site of their draw, which has one at most; and the share that has.

    Over some rounds, the share of draws that have a site is what the round before found.
    """
    found = peaks(letters, weights, share=SOFTEST)
    return _weighed(found, share, rounds)


def column_bits(counts: Floats, background: Floats) -> Estimate:
    """Information (W,) of counts by block (B, W, 4) against a background (W, 4) or (4,), jackknifed over blocks."""
    total = counts.sum(axis=0)
    return jackknife(divergence(total, background), divergence(total - counts, background))


def site_threshold(by_chance: Floats, own: Floats, rate: float, places: int) -> float:
    """Least log odds of a site: more than places to choose from, and such that few background draws reach it.

    rate is the share of background draws, by their best (N,), that may. For a motif too short for that, the threshold
    is what three quarters of its own sites (S,) reach, as long as no more than a tenth of background draws do.
    """
    if not len(own) or not places:
        return np.inf
    loose, strict = np.quantile(by_chance, [1 - max(SHORT_RATE, rate), 1 - rate], method="higher")
    return float(max(loose, min(max(strict, np.log2(places)), np.quantile(own, 0.25))))


def presence_bits(share: float, background_share: float) -> float:
    """What one draw's having a site or not tells, in bits: the divergence of two shares; 0 where it is the rarer."""
    rare = max(background_share, 1e-6)
    two = np.array([share, 1 - share]), np.array([rare, 1 - rare])
    return float(rel_entr(*two).sum() / np.log(2)) if share > rare else 0.0


def _tried(letters: Letters, words: Sequence[Word], calling: Calling) -> list[_Model]:
    """What words grow into in a few rounds, the best supported first; one that a model holds would grow into that."""
    grown = list[_Model]()
    for word in words:
        if not any(_holds(model, word) for model in grown):
            model = _settle(letters, _from_word(letters, word, calling), calling, TRIAL_ROUNDS)
            grown += [model] if model else []
    return sorted(grown, key=lambda model: -_support(letters, model))


def _holds(model: _Model, word: Word) -> bool:
    """Whether a model prefers the letters of a word somewhere, on either strand."""
    places = np.arange(len(model.weights) - word.columns[-1])[:, None] + word.columns
    both = model.weights, model.weights[::-1, ::-1]
    return any(bool((weights[places, word.letters] > 0).all(axis=1).any()) for weights in both)


def _settle(letters: Letters, model: _Model | None, calling: Calling, rounds: int) -> _Model | None:
    """Weigh sites and estimate the motif from them in turn, until it stays as it is."""
    for _ in range(rounds):
        if model is None:
            return None
        before, model = model, _improve(letters, model, calling)
        if model is not None and _settled(before, model):
            break
    return model


def _weighed(found: Peaks, share: float, rounds: int = 1) -> tuple[Sites, float]:
    for _ in range(rounds):
        prior, none = share / max(found.places, 1), 1 - share
        share = float(np.clip((prior * found.total / (none + prior * found.total)).mean(), LEAST_SHARE, MOST_SHARE))
    odds = np.exp2(np.minimum(found.sites.log_odds, MOST_ODDS))
    weight = odds * (prior / (none + prior * found.total))[found.sites.draw]
    return replace(found.sites, weight=weight).take(np.flatnonzero(weight >= SOFTEST)), share


def _support(letters: Letters, model: _Model) -> float:
    """Log likelihood ratio of the draws against the background, in bits."""
    found = peaks(letters, model.weights)
    return float(np.log2(1 - model.share + model.share * found.total / max(found.places, 1)).sum())


def _settled(before: _Model, after: _Model) -> bool:
    return before.bits.shape == after.bits.shape and bool(np.abs(before.bits - after.bits).max() < STILL)


def _from_word(letters: Letters, word: Word, calling: Calling) -> _Model | None:
    """The model of a seed: first its letters and hardly any others, to weigh sites by."""
    weights = np.zeros((word.columns[-1] + 1, 4))
    weights[word.columns] = -6
    weights[word.columns, word.letters] = 2
    return _estimate(letters, weighed(letters, weights, FIRST_SHARE), weights, calling)


def _improve(letters: Letters, model: _Model, calling: Calling) -> _Model | None:
    sites = weighed(letters, model.weights, model.share)
    return _estimate(letters, sites, model.weights, calling)


def _estimate(letters: Letters, weighed: tuple[Sites, float], weights: Floats, calling: Calling) -> _Model | None:
    """The model that sites make, on the informative columns around the best; None where there are too few."""
    sites, share = weighed
    if sites.weight.sum() < 10:
        return None
    width = len(weights)
    flank = min(FLANK, (WIDEST - width) // 2) if width < WIDEST else 0
    counts = counts_at(letters, sites, width, flank)
    ratio, mean = preference(counts.sum(axis=0), *exposures(letters, sites, width, flank))
    held = column_bits(counts, mean)
    span = informative_span(held, calling)
    if span is None:
        return None
    return _Model(np.log2(ratio[span]), share, counts[:, span], mean[span], held.value[span])


def informative_span(held: Estimate, calling: Calling) -> slice | None:
    """The run of columns that holds most, gaps bridged, and as many fainter ones next to it as would be bridged.

    Faint columns do not bridge: between two motifs at a fixed distance letters are seldom wholly free.
    """
    good = (held.value >= calling.bits) & (held.value >= calling.errors * held.error)
    places = np.flatnonzero(good & (held.value >= FAINT * held.value.max()))
    if not len(places):
        return None
    runs = np.split(places, np.flatnonzero(np.diff(places) > calling.gap + 1) + 1)
    best = max(runs, key=lambda run: float(held.value[run].sum()))
    first, last = int(best[0]), int(best[-1]) + 1
    for _ in range(calling.gap):
        first -= bool(first and good[first - 1])
        last += bool(last < len(good) and good[last])
    return slice(first, last)


def _present(letters: Letters, background: Letters, model: _Model, calling: Calling) -> tuple[Found, Letters] | None:
    """The motif, if it is wide and informative enough and draws hold it beyond the background; the rest of the letters.

    Beyond a background of the composition that the rest of the draws has, too: a network that holds no more than a
    share of G and C has no motif.
    """
    if len(model.weights) < calling.width or model.bits.sum() < calling.motif_bits:
        return None
    found, by_chance = peaks(letters, model.weights, share=SOFTEST), peaks(background, model.weights).best
    sites, _ = _weighed(found, model.share)
    own = sites.log_odds[sites.weight > 0.5]
    threshold = site_threshold(by_chance, own, calling.rate, found.places)
    chance = float((by_chance >= threshold).mean())
    holding = found.best >= threshold
    if not _beyond(holding, chance, letters.chains, calling):
        return None
    rest = mask(letters, peaks(letters, model.weights, threshold, 0).sites, len(model.weights))
    other = redrawn(thinned(letters, ENOUGH), np.random.default_rng(0), composition_tilt(rest))
    alike = peaks(other, model.weights).best
    if not _beyond(holding, float((alike >= threshold).mean()), letters.chains, calling):
        return None
    numbers = (float(holding.mean()), chance, threshold)
    return Found(model.weights, model.counts, model.mean_background, model.bits, *numbers), rest


def _beyond(holding: NDArray[np.bool_], chance: float, chains: int, calling: Calling) -> bool:
    """Whether draws (N,) hold a motif more often than a share of background draws does."""
    by_chain = holding.reshape(chains, -1).mean(axis=1)
    share, error = float(by_chain.mean()), float(by_chain.std(ddof=1)) / np.sqrt(chains)
    return presence_bits(share, chance) >= calling.presence and share - chance >= calling.errors * error
