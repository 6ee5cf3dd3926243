"""Motifs that draws avoid: words that all anchors' draws together hold less often than the background, grown to motifs.

Sites of held motifs are masked, in each draw and in a background draw beside it alike, so that a word is not missing
where a held motif takes its place. Around a word that is missing, windows of draws are told from windows of the
background by logistic regression on their letters: what a letter adds to the log odds of background is what it costs,
whatever the other columns hold. The motif is made of the letters at the sites that are missing.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import expit

from maxent_cli.alphabet import LETTERS, UNKNOWN, Codes
from maxent_cli.analysis.discovery import FLANK, WIDEST, Calling, informative_span
from maxent_cli.analysis.information import divergence
from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.motifs import best_match
from maxent_cli.analysis.scanning import scan
from maxent_cli.analysis.sites import Letters, Rows, Sites, counts_at, where
from maxent_cli.analysis.words import Word, missing_words
from maxent_cli.data import Floats, Motif

MOST_SEEDS = 5  # words tried for a motif, of which the best supported is kept
MOST_AVOIDED = 4
BLOCKS = 24  # of chains, for errors
WINDOWS = (0.5, 0.25, 0.12)  # windows a background draw that costs are estimated from, round by round
SITES, MASKED = 0.05, 0.15  # of them that count as sites, and that are masked before others are sought
NEAR = 5  # letters of six that a window shares with a word
MOST_WINDOWS = 6_000  # of each side that costs are estimated from
STEPS = 8  # of Newton's method
RIDGE = 5.0  # windows' worth of belief that a letter costs nothing
SPREAD, UNLIKE = 1.5, 16.0  # variance of counts over Poisson's; chi-square of a column's letters, p 1e-3
LEAST_ERRORS = 5.0  # of the sites that are missing
MOST_COST = 1.0  # bits of a column beside which others are faint
EQUAL = 1e-3  # bits: scores that differ by less are one


@dataclass(frozen=True)
class Avoided:
    """A motif that draws avoid: weights (W, 4) = log2 r; letters at missing sites by block of chains (B, W, 4)."""

    weights: Floats
    missing: Floats

    @property
    def as_motif(self) -> Motif:
        """As counts of letters."""
        return Motif("", np.maximum(self.missing.sum(axis=0), 0) + 0.01, self.sites)

    @property
    def sites(self) -> float:
        """Sites that are missing in the draws that were looked at."""
        return float(self.missing.sum(axis=(0, 2)).max())


@dataclass(frozen=True)
class PooledDraws:
    """Draws of several anchors as one, and as many of the background, masked alike, over one background (4,)."""

    draws: Letters
    background: Letters

    @property
    def sides(self) -> tuple[Letters, Letters]:
        """Both."""
        return self.draws, self.background

    def without(self, weights: Floats) -> "PooledDraws":
        """The pool with the sites of a motif masked, in pairs of draws."""
        scores = [scan(letters, weights) for letters in self.sides]
        level, taken = _level(scores[1], MASKED), np.zeros(self.draws.codes.shape, bool)
        for each in scores:
            _, draw, start = where(each >= level)
            for column in range(len(weights)):
                taken[draw, start + column] = True
        return paired(*self.sides, taken)


def paired(draws: Letters, background: Letters, taken: NDArray[np.bool_]) -> PooledDraws:
    """Draws and as many background draws with some letters (N, L) masked in both, besides those that are."""
    already = [letters.masked for letters in (draws, background) if letters.masked is not None]
    masked = np.logical_or.reduce([taken, *already])
    return PooledDraws(replace(draws, masked=masked), replace(background, masked=masked))


def avoided_motifs(pool: PooledDraws, reference: Floats, calling: Calling, similarity: float = 0.65) -> list[Avoided]:
    """The motifs that the draws hold less often than the background, the best supported first.

    Those that are alike, by Pearson's r, are one.
    """
    found = list[Avoided]()
    for _ in range(MOST_AVOIDED):
        words = missing_words(pool.draws, pool.background)[:MOST_SEEDS]
        begun = [one for word in words if (one := _begun(pool, word, calling)) is not None]
        if not begun:
            break
        support, best = _grown(pool, max(begun, key=lambda one: one[0]), calling)
        if support < LEAST_ERRORS:
            break
        motif = _motif(pool, best, reference, calling)
        wide = motif is not None and len(motif.weights) >= calling.width
        if motif and wide and all(best_match(motif.as_motif, one.as_motif).similarity < similarity for one in found):
            found.append(motif)
        pool = pool.without(best)
    return found


def missing_bits(missing: Floats, reference: Floats) -> Estimate:
    """Information (W,) of the letters at missing sites by block (B, W, 4), with errors over blocks."""
    total = missing.sum(axis=0)
    whole = divergence(np.maximum(total, 0), reference)
    error = jackknife(whole, divergence(np.maximum(total - missing, 0), reference)).error
    return Estimate(whole, error)


def _begun(pool: PooledDraws, word: Word, calling: Calling) -> tuple[float, Floats] | None:
    """What letters cost (W, 4), in bits, by windows near a word, and how well that is supported."""
    weights = np.zeros((6 + word.spacer, len(LETTERS)))
    weights[word.columns, word.letters] = 1
    scores = [_sums(letters, weights) for letters in pool.sides]
    own = (weights != 0).any(axis=1)  # a word as a whole is known to tell
    costs = _costs(pool, scores, NEAR - EQUAL, own, calling)
    return None if costs is None else (_support(pool, costs), costs)


def _grown(pool: PooledDraws, begun: tuple[float, Floats], calling: Calling) -> tuple[float, Floats]:
    """The same by the windows that cost most in turn, from the best supported round."""
    rounds = [begun]
    for windows in WINDOWS:
        weights = rounds[-1][1]
        scores = [_sums(letters, weights) for letters in pool.sides]
        costs = _costs(pool, scores, _level(scores[1], windows) - EQUAL, np.zeros(len(weights), bool), calling)
        if costs is None:
            break
        rounds.append((_support(pool, costs) if len(costs) >= calling.width else 0.0, costs))
    return max(rounds, key=lambda one: one[0])


def _sums(letters: Letters, weights: Floats) -> NDArray[np.float32]:
    """The summed weights (2, N, P) of windows, without what the background makes of them."""
    scores = scan(letters, weights)
    scores += np.float32(np.log2((letters.background[0] * np.exp2(weights)).sum(axis=1)).sum())
    return scores


def _level(scores: NDArray[np.float32], windows: float) -> float:
    """The score that so many windows a draw reach at most, or the highest."""
    flat = scores.ravel()
    count = min(max(int(windows * scores.shape[1]), 1), flat.size - 1)
    top = np.partition(flat, flat.size - count - 1)[flat.size - count - 1 :]
    above = top[top > top.min() + EQUAL]
    return float(above.min() if len(above) else top.max())


def _costs(
    pool: PooledDraws, scores: list[NDArray[np.float32]], level: float, own: NDArray[np.bool_], calling: Calling
) -> Floats | None:
    """What letters cost (W, 4), in bits, by windows that score so much, on the columns around that tell."""
    width = len(own)
    flank = min(FLANK, (WIDEST - width) // 2) if width < WIDEST else 0
    read = [_read(letters, each >= level, width, flank) for letters, each in zip(pool.sides, scores, strict=True)]
    if min(map(len, read)) < 20:
        return None
    costs, telling = _regression(*read)
    held = np.where(telling | np.pad(own, flank), np.minimum(np.ptp(costs, axis=1), MOST_COST), 0)
    span = informative_span(Estimate(held, np.zeros_like(held)), calling)
    return None if span is None else costs[span]


def _read(letters: Letters, chosen: NDArray[np.bool_], width: int, flank: int) -> NDArray[np.uint8]:
    """The letters (S, flank + W + flank) of chosen windows, UNKNOWN off the ends and where masked."""
    strand, draw, start = where(chosen)
    every = max(1, -(-len(draw) // MOST_WINDOWS))
    strand, draw, start = strand[::every], draw[::every], start[::every]
    known = letters.codes if letters.masked is None else np.where(letters.masked, UNKNOWN, letters.codes)
    padded = np.pad(known, ((0, 0), (flank, flank)), constant_values=UNKNOWN)
    columns, turned = np.arange(-flank, width + flank), strand[:, None] == 1
    read = padded[draw[:, None], flank + start[:, None] + np.where(turned, width - 1 - columns, columns)]
    return np.where(turned & (read < UNKNOWN), 3 - read, read).astype(np.uint8)


def _regression(draws: NDArray[np.uint8], background: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.bool_]]:
    """What letters (W, 4) add to the log odds of background, in bits, and which columns (W,) tell the two apart."""
    letters = np.concatenate([draws, background])
    is_background = np.arange(len(letters)) >= len(draws)
    width = letters.shape[1]
    ridge = np.append(np.full(4 * width, RIDGE), 0.0)
    slopes = np.zeros(4 * width + 1)
    for _ in range(STEPS):
        curvature, gradient = _derivatives(letters, is_background, slopes)
        curvature += np.diag(ridge + 1e-6)
        change = np.linalg.solve(curvature, gradient - ridge * slopes)
        slopes += change
        if np.abs(change).max() < 1e-2:
            break
    costs = slopes[:-1].reshape(width, 4)
    costs = costs - costs.mean(axis=1, keepdims=True)
    covariance = SPREAD * np.linalg.inv(curvature)
    centre = np.eye(4) - 0.25
    each = [covariance[4 * at : 4 * at + 4, 4 * at : 4 * at + 4] for at in range(width)]
    unlike = [cost @ np.linalg.pinv(centre @ one @ centre) @ cost for cost, one in zip(costs, each, strict=True)]
    return costs / np.log(2), np.array(unlike) >= UNLIKE


def _derivatives(letters: Codes, is_background: NDArray[np.bool_], slopes: Floats) -> tuple[Floats, Floats]:
    """Of the log likelihood that windows (S, W) are of the background, by slopes (K,): curvature (K, K), gradient (K,).

    K = 4 W + 1: what each letter of each column adds to the log odds, and what there is without any.
    """
    odds, (curvature, gradient) = np.empty(len(letters)), (np.zeros(2 * slopes.shape), np.zeros_like(slopes))
    _add_up(letters, slopes, odds)
    chance = expit(odds)
    _derive(letters, chance * (1 - chance), is_background - chance, curvature, gradient)
    return curvature + np.tril(curvature, -1).T, gradient


def _support(pool: PooledDraws, weights: Floats) -> float:
    """How many errors the draws with a site fall short of those of the background."""
    scores = [scan(letters, weights) for letters in pool.sides]
    level = _level(scores[1], SITES)
    seen, expected = ((one >= level).any(axis=(0, 2)) for one in scores)
    short = np.bincount(_blocks(pool.draws), expected.astype(np.float64) - seen)
    if len(short) < 2:  # one chain says nothing of its error
        return 0.0
    error = np.sqrt(max(float(short.var(ddof=1)) * len(short), float(seen.sum() + expected.sum()), 1.0))
    return float(short.sum() / error)


def _motif(pool: PooledDraws, costs: Floats, reference: Floats, calling: Calling) -> Avoided | None:
    """The letters at missing sites: at those of the background that cost most, less at those of the draws."""
    scores = [scan(letters, costs) for letters in pool.sides]
    level = _level(scores[1], SITES)
    seen, expected = (
        _by_block(letters, _sites(one >= level), len(costs)) for letters, one in zip(pool.sides, scores, strict=True)
    )
    missing = expected - seen
    informative = np.flatnonzero(missing_bits(missing, reference).value >= calling.bits)
    if not len(informative):
        return None
    missing = missing[:, informative[0] : informative[-1] + 1]
    total = np.maximum(missing.sum(axis=0), 0)
    ratio = (total + reference) / (total.sum(axis=1, keepdims=True) + 1) / reference
    return Avoided(np.log2(ratio), missing)


def _sites(chosen: NDArray[np.bool_]) -> Sites:
    strand, draw, start = where(chosen)
    return Sites(draw, start, strand, np.zeros_like(draw), np.zeros(len(draw)), np.ones(len(draw)))


def _by_block(letters: Letters, sites: Sites, width: int) -> Floats:
    counts = counts_at(letters, sites, width)
    blocks = np.arange(letters.chains) * min(BLOCKS, letters.chains) // letters.chains
    return np.array([counts[blocks == block].sum(axis=0) for block in range(blocks.max() + 1)])


def _blocks(letters: Letters) -> Rows:
    """The block (N,) of chains that each draw is of."""
    return np.asarray(letters.chain * min(BLOCKS, letters.chains) // letters.chains)


@njit(cache=True, nogil=True)
def _add_up(letters, slopes, odds):  # type: ignore[no-untyped-def]
    """Fill in the log odds (S,) of windows (S, W); what is unknown adds nothing."""
    for window in range(len(letters)):
        odds[window] = slopes[-1]
        for column in range(letters.shape[1]):
            if letters[window, column] < UNKNOWN:
                odds[window] += slopes[4 * column + letters[window, column]]


@njit(cache=True, nogil=True)
def _derive(letters, spread, excess, curvature, gradient):  # type: ignore[no-untyped-def]
    """Add windows (S, W), by their spread and excess (S,), to the lower half of the curvature and to the gradient."""
    last = len(gradient) - 1
    for window in range(len(letters)):
        gradient[last] += excess[window]
        curvature[last, last] += spread[window]
        for column in range(letters.shape[1]):
            if letters[window, column] == UNKNOWN:
                continue
            row = 4 * column + letters[window, column]
            gradient[row] += excess[window]
            curvature[last, row] += spread[window]
            for other in range(column + 1):
                if letters[window, other] < UNKNOWN:
                    curvature[row, 4 * other + letters[window, other]] += spread[window]
