"""Which positions depend on each other in an anchor's draws, and what of it is only the norm's doing.

The energy is a norm, and sqrt(a² + b²) is not a + b: two features that the network treats apart come out dependent,
for losing the second costs less where the first is lost. Draws reweighted to q(x) · exp(-gamma · E(x)²) tell: there,
features whose squared energies merely add are exactly independent. What such features show under the law is the norm's
doing, and what is left after reweighting is not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, optimize, special, stats

from maxent_cli.alphabet import LETTERS, Codes, decode
from maxent_cli.analysis.jackknife import Estimate, block_numbers, jackknife
from maxent_cli.data import Floats, SampleSet

NULL_ROUNDS = 25  # each gives two null values a pair, so that one pair alone can reach q = 0.02
LEAST_SHARE = 0.1  # of the draws that must count after reweighting: with fewer, single draws would decide
Row = dict[str, Any]


@dataclass(frozen=True)
class Dependence:
    """Mutual information between the F mutable positions (F,) of an anchor, in bits, bias-corrected: each (F, F).

    bits under the law; squared under q · exp(-gamma · E²) at the same mean E², nan where these draws cannot tell. ess
    of each pair; p against the null and q (Benjamini-Hochberg over pairs), nan on the diagonal and where a position
    never changed. share: of the draws that count after reweighting, nan where the energy is no distance.
    """

    positions: NDArray[np.intp]
    bits: Estimate
    squared: Estimate
    ess: Floats
    p: Floats
    q: Floats
    share: float


def dependence(samples: SampleSet, is_distance: bool = True) -> Dependence:
    """Mutual information of all pairs of mutable positions; is_distance: whether the energy is the norm of one.

    Bias: (K_i - 1)(K_j - 1) / (2 · ESS_ij · ln 2) for K letters observed. Null: a position of one chain with another
    position of another chain, at another time, which are independent and as autocorrelated; p-values are ranks among
    the null values of all pairs, put on one scale by their chi-square tails. Errors by jackknife over chains.
    """
    free = np.flatnonzero(samples.mutable)
    codes = samples.codes[..., free]
    letters, ess = _letters_observed(codes), pair_ess(codes, repeats(samples.codes))
    degrees = np.outer(letters - 1.0, letters - 1.0)
    bias = degrees / (2 * ess * np.log(2))
    weights, share = squared_weights(samples) if is_distance else (np.ones(codes.shape[:2]), np.nan)
    nothing = np.full_like(bias, np.nan)
    p = _against_null(codes, repeats(samples.codes), ess, degrees)
    return Dependence(
        positions=free,
        bits=_estimate(codes, np.ones(codes.shape[:2]), bias),
        squared=_estimate(codes, weights, bias / share) if share >= LEAST_SHARE else Estimate(nothing, nothing),
        ess=ess,
        p=p,
        q=_benjamini_hochberg(p),
        share=share,
    )


def squared_weights(samples: SampleSet) -> tuple[Floats, float]:
    """Weights (C, D) that take draws to the law of the squared energy, of mean 1, and the share of draws that count.

    They are exp(beta · E - gamma · E²), with the gamma that leaves the mean of E² as it is. The share is Kish's
    (sum of weights)² / sum of squared weights, over the number of draws.
    """
    scale = samples.energy.mean()
    if not samples.beta * scale > 0 or np.ptp(samples.energy) == 0:
        return np.ones_like(samples.energy), 1.0
    square = (samples.energy / scale) ** 2

    def weights(gamma: float) -> Floats:
        return np.asarray(special.softmax(samples.beta * samples.energy - gamma * square) * square.size)

    def excess(gamma: float) -> float:
        return float((weights(gamma) * square).mean() - square.mean())

    most = samples.beta * scale
    while excess(most) > 0:  # more gamma, less energy
        most *= 2
    found = weights(optimize.brentq(excess, 0, most))
    return found, float(1 / np.square(found).mean())


def pair_ess(codes: Codes, run: NDArray[np.intp]) -> Floats:
    """ESS (F, F) for the joint letters of two positions of draws (C, D, F) that are independent of each other.

    The joint letters' autocorrelation is the product of the positions' own, each cut off where Geyer's sums of
    neighbouring lags end being positive; run (C, D): which draws are repeated, as `repeats` tells, which they are at
    all positions at once.
    """
    own = np.array([_autocorrelation(codes[..., position]) for position in range(codes.shape[-1])])
    same = _same(run)
    apart = np.where(same < 1, (own - same) / np.sqrt(np.where(same < 1, 1 - same, 1)), 0)
    return np.asarray(codes.shape[0] * codes.shape[1] / (2 * (same.sum() + apart @ apart.T) - 1))


def repeats(codes: Codes) -> NDArray[np.intp]:
    """Which of its chain's different draws, counted from 0, each draw (C, D, L) is; a repeat is the one before."""
    changed = (codes[:, 1:] != codes[:, :-1]).any(axis=-1)
    return np.concatenate([np.zeros((len(codes), 1), np.intp), np.cumsum(changed, axis=1)], axis=1)


def _same(run: NDArray[np.intp]) -> Floats:
    """Share (D,) of pairs of draws so far apart that are one repeated draw; run (C, D)."""
    draws = run.shape[1]
    shares = np.zeros(draws)
    for lag in range(draws):
        shares[lag] = (run[:, lag:] == run[:, : draws - lag]).sum() / run.size
        if not shares[lag]:
            break
    return shares


def top_pairs(found: Dependence, count: int) -> list[tuple[int, int]]:
    """Rows i < j of the pairs that depend most: by p, and where p is as small as the null can tell, by bits."""
    first, second = np.triu_indices(len(found.positions), 1)
    tested = np.isfinite(found.p[first, second])
    first, second = first[tested], second[tested]
    order = np.lexsort((-found.bits.value[first, second], found.p[first, second]))[:count]
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def pair_row(samples: SampleSet, found: Dependence, pair: tuple[int, int]) -> Row:
    """What is known of a pair, given by its rows; positions and letters are the anchor's."""
    first, second = (int(found.positions[row]) for row in pair)
    return {
        "record": samples.name,
        "first": first,
        "second": second,
        "first_letter": decode(samples.anchor[[first]]),
        "second_letter": decode(samples.anchor[[second]]),
        "bits": found.bits.value[pair],
        "bits_error": found.bits.error[pair],
        "p": found.p[pair],
        "q": found.q[pair],
        "bits_squared": found.squared.value[pair],
        "bits_squared_error": found.squared.error[pair],
        "ess": found.ess[pair],
    }


def joint_letters(samples: SampleSet, first: int, second: int) -> tuple[Estimate, Floats]:
    """Shares (4, 4) of draws with each pair of letters at two positions, with errors, and the margins' product."""
    blocks = block_numbers(*samples.codes.shape[:2])
    places = (blocks * 4 + samples.codes[..., first]) * 4 + samples.codes[..., second]
    counts = np.bincount(places.ravel(), minlength=16 * (int(blocks.max()) + 1)).reshape(-1, 4, 4)
    without = counts.sum(axis=0) - counts
    observed = counts.sum(axis=0) / counts.sum()
    error = jackknife(observed, without / without.sum(axis=(1, 2), keepdims=True)).error
    return Estimate(observed, error), np.outer(observed.sum(axis=1), observed.sum(axis=0))


def _estimate(codes: Codes, weights: Floats, bias: Floats) -> Estimate:
    """Plug-in mutual information (F, F) of weighted draws, less its bias; errors over blocks of chains."""
    blocks = block_numbers(*codes.shape[:2])
    counts = np.array([_joint(codes[blocks == b], codes[blocks == b], weights[blocks == b]) for b in np.unique(blocks)])
    everything = counts.sum(axis=0)
    whole = _mutual_information(everything)
    without = np.array([_mutual_information(everything - one) for one in counts])
    return Estimate(whole - bias, jackknife(whole, without).error)


def _joint(first: Codes, second: Codes, weights: Floats) -> NDArray[np.float32]:
    """Weighted counts (F, 4, F, 4) of letters at pairs of positions, one of codes (n, F) and one of others (n, F)."""
    length = first.shape[1]
    one, other = (np.eye(4, dtype=np.float32)[codes].reshape(len(codes), -1) for codes in (first, second))
    return (one.T @ (other * weights[:, None].astype(np.float32))).reshape(length, 4, length, 4)


def _mutual_information(counts: NDArray[np.float32]) -> Floats:
    """Plug-in mutual information (F, F) in bits of joint counts (F, 4, F, 4)."""
    shares = np.maximum(counts, 0).astype(float)
    shares /= shares.sum(axis=(1, 3), keepdims=True)
    joint = special.xlogy(shares, shares).sum(axis=(1, 3))
    first, second = shares.sum(axis=3), shares.sum(axis=1)
    apart = special.xlogy(first, first).sum(axis=1) + special.xlogy(second, second).sum(axis=2)
    return np.asarray((joint - apart) / np.log(2))


def _against_null(codes: Codes, run: NDArray[np.intp], ess: Floats, degrees: Floats) -> Floats:
    """p-values (F, F); nan on the diagonal and where a position never changed."""
    chains, draws, length = codes.shape
    tested = (degrees > 0) & ~np.eye(length, dtype=bool)
    flat, ones = codes.reshape(-1, length), np.ones(chains * draws)

    def tails(other: Codes) -> Floats:
        bits = _mutual_information(_joint(flat, other.reshape(-1, length), ones))[tested]
        return np.asarray(special.chdtrc(degrees[tested], 2 * ess[tested] * bits * np.log(2)))

    seen = tails(codes)
    null = np.sort(np.concatenate([tails(_elsewhere(codes, run, turn)) for turn in range(NULL_ROUNDS)]))
    p = np.full((length, length), np.nan)
    p[tested] = (1 + np.searchsorted(null, seen, side="right")) / (1 + len(null))
    return p


def _elsewhere(codes: Codes, run: NDArray[np.intp], turn: int) -> Codes:
    """The draws (C, D, F) with each chain's in another's place, each time by other chains or at other times.

    Those of the other chain are repeated where the chain's own are: run (C, D) numbers the different ones of each.
    """
    chains, draws = run.shape
    found = np.empty_like(codes)
    for chain in range(chains):
        other = (chain - 1 - turn % (chains - 1)) % chains
        different = codes[other][np.flatnonzero(np.diff(run[other], prepend=-1))]
        found[chain] = different[(run[chain] - draws * turn // NULL_ROUNDS) % len(different)]
    return found


def _benjamini_hochberg(p: Floats) -> Floats:
    """q-values of symmetric p-values (F, F), each pair counted once."""
    q, upper = np.full_like(p, np.nan), np.triu(np.isfinite(p))
    if upper.any():
        q[upper] = stats.false_discovery_control(p[upper])
    return np.where(upper, q, q.T)


def _letters_observed(codes: Codes) -> NDArray[np.intp]:
    """How many letters (F,) were seen at each position of draws (C, D, F)."""
    return np.asarray(sum((codes == code).any(axis=(0, 1)).astype(int) for code in range(len(LETTERS))))


def _autocorrelation(codes: Codes) -> Floats:
    """Autocorrelation (D,) of one position's letters (C, D): letters count by the inverse of their frequency.

    So weighted, it is the one by which their chi-square statistics are too large.
    """
    seen = np.unique(codes)
    draws = codes.shape[1]
    if len(seen) < 2:
        return np.asarray(np.eye(1, draws)[0])
    indicators = codes == seen[:, None, None]
    shares = indicators.mean(axis=(1, 2), keepdims=True)
    centred = (indicators - shares) / np.sqrt(shares)
    spectrum = fft.rfft(centred, n=fft.next_fast_len(2 * draws, real=True), axis=-1)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=1).sum(axis=0)
    covariance = np.asarray(fft.irfft(power, n=fft.next_fast_len(2 * draws, real=True)))[:draws]
    return _cut(np.asarray(covariance / covariance[0]))


def _cut(correlation: Floats) -> Floats:
    """Zero from the first two neighbouring lags whose sum is not positive."""
    pairs = len(correlation) // 2
    ended = correlation[: 2 * pairs].reshape(pairs, 2).sum(axis=1) <= 0
    last = 2 * int(ended.argmax()) if ended.any() else 2 * pairs
    return np.asarray(np.where(np.arange(len(correlation)) < last, correlation, 0.0))
