"""Estimates over chains with the first bias removed and an error, from leaving blocks of chains out.

Chains are independent, so whatever the autocorrelation within them, leaving whole chains out measures the error. Many
chains are put together in blocks; few chains are cut into stretches, which must be longer than the autocorrelation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.data import Floats

LEAST_BLOCKS, MOST_BLOCKS = 10, 50


@dataclass(frozen=True)
class Estimate:
    """A bias-corrected value and its standard error, each (...)."""

    value: Floats
    error: Floats


def block_numbers(chains: int, draws: int) -> NDArray[np.intp]:
    """The block (C, D) of each draw, counted from 0: a chain, several chains, or a stretch of a chain."""
    stretches = min(draws, -(-LEAST_BLOCKS // chains))
    per_block = -(-chains * stretches // MOST_BLOCKS)
    stretch = np.arange(draws) * stretches // draws
    return np.asarray((np.arange(chains)[:, None] * stretches + stretch) // per_block)


def jackknife(whole: Floats, without_one: Floats) -> Estimate:
    """From the estimate of all (...) and of all but each block (B, ...), blocks of about one size.

    Exact in bias for estimates that are linear or quadratic in the draws' distribution. B = 1 gives nan.
    Source: Efron & Stein, Annals of Statistics 9:586, 1981.
    """
    blocks = len(without_one)
    if blocks < 2:
        return Estimate(np.full_like(whole, np.nan), np.full_like(whole, np.nan))
    mean = without_one.mean(axis=0)
    variance = (blocks - 1) / blocks * np.sum((without_one - mean) ** 2, axis=0)
    return Estimate(blocks * whole - (blocks - 1) * mean, np.sqrt(variance))


def second_order(whole: Floats, without_one: Floats, without_two: Floats, pairs: NDArray[np.intp]) -> Estimate:
    """As jackknife, with the error corrected by all but each two blocks: without_two (P, ...), pairs (2, P).

    Where an estimate is flat (information at no information), the first-order error is too large by sqrt(2), since
    interactions of blocks are counted twice. Source: Efron & Stein 1981, section 4.
    """
    blocks, first = len(without_one), jackknife(whole, without_one)
    interactions = blocks * whole - (blocks - 1) * (without_one[pairs[0]] + without_one[pairs[1]])
    interactions = interactions + (blocks - 2) * without_two
    interaction = (blocks - 1) / (2 * blocks) * np.mean(np.square(interactions), axis=0)
    return Estimate(first.value, np.sqrt(np.maximum(first.error**2 - interaction, interaction)))
