"""Letter frequencies of draws and the information they hold against the background, with errors."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.diagnostics import letter_diagnostics
from maxent_cli.analysis.jackknife import MOST_BLOCKS, Estimate, block_numbers, jackknife, second_order
from maxent_cli.analysis.reweighting import energy_slopes, wanted_error
from maxent_cli.data import Floats, SampleSet

UNSEEN = 0.05  # a letter never seen is rarer than its bound with 95 % confidence


@dataclass(frozen=True)
class Frequencies:
    """Letter frequencies (L, 4) of the draws, their standard errors (L, 4), and the ESS (L,) that they rest on.

    The error of a letter never seen, or always seen, is a 95 % bound. Positions that the law holds fixed have error 0
    and ESS nan.
    """

    probabilities: Floats
    errors: Floats
    ess: Floats


@dataclass(frozen=True)
class Information:
    """Bits of each position (L,) against its background row and of all together, bias-corrected, with errors.

    Fixed positions hold 0 bits, with error 0. A value may be negative within its error.
    """

    positions: Floats
    errors: Floats
    total: float
    total_error: float


def frequencies(samples: SampleSet) -> Frequencies:
    """Position-wise letter frequencies of a sample set, with errors from the effective sample size.

    A position's ESS is the sum of its letters' variances over the sum of their squared errors; one that never changed
    has C, no more than its chains are independent of each other.
    """
    counts = _block_counts(samples.codes, np.zeros(samples.codes.shape[:2], np.intp))[0]
    probabilities = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    variances = probabilities * (1 - probabilities)
    squares = np.divide(variances, letter_diagnostics(samples.codes)[1], where=variances > 0, out=np.zeros_like(counts))
    sizes = np.full(len(counts), float(len(samples.codes)))
    np.divide(variances.sum(axis=1), squares.sum(axis=1), where=squares.sum(axis=1) > 0, out=sizes)
    errors = np.where(variances > 0, np.sqrt(squares), 1 - UNSEEN ** (1 / sizes[:, None]))
    free = samples.mutable
    return Frequencies(probabilities, np.where(free[:, None], errors, 0.0), np.where(free, sizes, np.nan))


def information_of(samples: SampleSet) -> Information:
    """D_j = sum_a p_j(a) log2(p_j(a) / q_j(a)) of each mutable position j and their sum, by jackknife over chains.

    q_j is the background row in use, the tether included; p_j the mean of the letters' conditionals where these are
    known, else of their counts. The total's error is that of the sum, since positions depend on each other. Where beta
    was found, what goes with the energy has the error of the energy asked for, as in reweighting.mean_error. Where
    counts of all blocks are the same, the error is the difference that one more of the background would make.
    """
    free, blocks = samples.mutable, block_numbers(*samples.codes.shape[:2])
    if samples.conditionals is None:
        counts = _block_counts(samples.codes[..., free], blocks)
    else:
        counts = samples.conditionals[:, free].astype(np.float64)
    each, total = _bits(counts, samples.background[free], _pinned(samples, counts, blocks))
    positions, errors = np.zeros(len(free)), np.zeros(len(free))
    positions[free] = each.value
    least = _one_block_more(counts, samples.background[free]) if samples.conditionals is None else 0.0
    errors[free] = np.where(each.error > 0, each.error, least)
    return Information(positions, errors, float(total.value), float(total.error) or float(errors.sum()))


@dataclass(frozen=True)
class _Pinned:
    """What it takes to hold the mean energy: the slope of each position's bits (L,) on it, and its own error.

    without (B, B): the mean energy of all draws but two blocks less that of all; on the diagonal, but one.
    """

    slopes: Floats
    without: Floats
    error: float


_FREE = _Pinned(np.zeros(1), np.zeros((1, 1)), 0.0)


def _pinned(samples: SampleSet, counts: Floats, blocks: NDArray[np.intp]) -> _Pinned:
    if samples.keep is None:
        return _FREE
    sizes, sums = np.bincount(blocks.ravel()), np.bincount(blocks.ravel(), samples.energy.ravel())
    own = 1 - np.eye(len(sizes))  # a block is left out once
    left = sums.sum() - sums[:, None] - own * sums
    without = left / (sizes.sum() - sizes[:, None] - own * sizes) - samples.energy.mean()
    shares = counts.sum(axis=0) / counts.sum(axis=(0, 2))[:, None]
    seen = np.log2(np.maximum(shares, 1e-12) / samples.background[samples.mutable])
    codes = samples.codes[..., samples.mutable]
    letters = np.where(codes < 4, codes, 0)
    values = seen[np.arange(len(seen)), letters]
    return _Pinned(energy_slopes(samples, values), without, wanted_error(samples))


def bits_of_counts(counts: Floats, background: Floats) -> Estimate:
    """Total information, in bits, of each chain's letter counts (C, L, 4) against background rows (L, 4)."""
    per_block = -(-len(counts) // MOST_BLOCKS)
    return _bits(np.add.reduceat(counts, np.arange(0, len(counts), per_block), axis=0), background, _FREE)[1]


def _bits(counts: Floats, background: Floats, pinned: _Pinned) -> tuple[Estimate, Estimate]:
    """Information of block counts (B, L, 4) against rows (L, 4), for each position and in total."""
    everything, number = counts.sum(axis=0), len(counts)
    excess = np.broadcast_to(pinned.without, (number, number))[..., None] * pinned.slopes
    whole = divergence(everything, background)
    without_one = divergence(everything - counts, background) - np.diagonal(excess).T
    if number < 3:
        return jackknife(whole, without_one), jackknife(whole.sum(), without_one.sum(axis=1))
    pairs = np.array(np.triu_indices(number, 1))
    left = (everything - counts[block] - counts[block + 1 :] for block in range(number - 1))  # not all at once: memory
    without_two = np.concatenate([divergence(each, background) for each in left]) - excess[*pairs]
    each = second_order(whole, without_one, without_two, pairs)
    total = second_order(whole.sum(), without_one.sum(axis=1), without_two.sum(axis=1), pairs)
    return _with_error(each, pinned.slopes * pinned.error), _with_error(total, pinned.slopes.sum() * pinned.error)


def _one_block_more(counts: Floats, background: Floats) -> Floats:
    """By how much the information (L,) of blocks (B, L, 4) would fall with one more, of the background rows (L, 4)."""
    shares = counts.sum(axis=0) / counts.sum(axis=(0, 2))[:, None]
    more = (len(counts) * shares + background) / (len(counts) + 1)
    return np.asarray(divergence(shares, background) - divergence(more, background))


def _with_error(estimate: Estimate, more: Floats) -> Estimate:
    return Estimate(estimate.value, np.hypot(estimate.error, more))


def divergence(counts: Floats, background: Floats) -> Floats:
    """Bits (..., W) of counts (..., W, 4) against a background; a column without counts holds none."""
    against, bits = np.empty(counts.shape), np.empty(counts.shape[:-1])
    against[...] = background
    _diverge(np.reshape(counts, (-1, 4)), against.reshape(-1, 4), bits.reshape(-1))
    return bits


@njit(cache=True, nogil=True)
def _diverge(counts, background, bits):  # type: ignore[no-untyped-def]
    """Fill in the bits (W,) of counts (W, 4) against backgrounds (W, 4)."""
    for column in range(len(counts)):
        total, held = counts[column].sum(), 0.0
        for letter in range(4):
            share, usual = counts[column, letter] / total if total > 0 else 0.0, background[column, letter]
            if share > 0:
                held += share * np.log2(share / usual) if usual > 0 else np.inf
        bits[column] = held


def _block_counts(codes: Codes, blocks: NDArray[np.intp]) -> Floats:
    """Counts (B, L, 4) of the letters of draws (C, D, L) in each block (C, D)."""
    length, number = codes.shape[-1], int(blocks.max()) + 1
    places = (blocks[..., None] * length + np.arange(length)) * 5 + codes
    counts = np.bincount(places.ravel(), minlength=number * length * 5).reshape(number, length, 5)
    return counts[..., :4].astype(float)
