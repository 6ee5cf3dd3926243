"""Have the chains converged? R-hat, effective sample size and Monte Carlo error of what is watched of an anchor.

R-hat is the rank-normalised split R-hat and ESS is Geyer's (Vehtari et al., Bayesian Analysis 16:667, 2021), the same
numbers as arviz-stats', which takes a second to import and one quantity at a time: letter indicators are hundreds a
sample set, and judged by compiled code. What is constant in all chains has no R-hat and no ESS (nan): unknown, not
converged. What is constant in each chain, but not the same constant, has R-hat inf.

Converged is R-hat up to 1.05 and ESS from 100 in all that is watched, and letter frequencies known to 0.03. Vehtari et
al. ask for R-hat up to 1.01 and ESS from 400 of a quantity before anything is said of it; here hundreds of letters are
watched of each anchor, of which the worst has to pass, and what draws are for is bounded itself: frequencies (an ESS
of 278 where a letter is in half of the draws).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtri

from maxent_cli.alphabet import LETTERS, Codes, is_gc
from maxent_cli.data import Floats, SampleSet

LEAST_ESS = 100.0
MOST_ERROR = 0.03  # of a letter's frequency, where chains have converged
LEAST_DRAWS, LEAST_CHAINS = 4, 2  # below these there is no split R-hat
_BLOCK = 100_000  # indicator values worked on at once: they fit a cache, and memory that is not given back each time
_MOST_PAIRS = 16  # of lags, that are summed one by one; beyond, transforms of all are sooner
_TAIL = (0.05, 0.95)


@dataclass(frozen=True)
class Watched:
    """R-hat, ESS and, of letters, standard error of the frequency (Q,) of the named quantities.

    A tail has no R-hat, an unknown quantity none of them (nan).
    """

    names: tuple[str, ...]
    rhat: Floats
    ess: Floats
    error: Floats


@dataclass(frozen=True)
class Diagnosis:
    """The worst of the watched quantities; unknown counts those that never changed in any chain."""

    worst_rhat: float
    worst_rhat_quantity: str
    least_ess: float
    least_ess_quantity: str
    worst_error: float
    worst_error_quantity: str
    converged: bool
    watched: int
    unknown: int


Judge = Callable[[SampleSet], Diagnosis]


def diagnose(samples: SampleSet, max_rhat: float = 1.05, min_ess: float = LEAST_ESS) -> Diagnosis:
    """The worst R-hat, least ESS and worst frequency of a sample set, and whether all stay within the bounds.

    Chains that cannot be judged (fewer than two chains of four draws, or nothing ever changed) have not converged.
    """
    seen = watch(samples)
    unknown = np.isnan(seen.rhat) & np.isnan(seen.ess)
    worst, rhat_quantity = _extreme(seen.rhat, seen.names, np.nanargmax)
    least, ess_quantity = _extreme(seen.ess, seen.names, np.nanargmin)
    error, error_quantity = _extreme(seen.error, seen.names, np.nanargmax)
    return Diagnosis(
        worst_rhat=worst,
        worst_rhat_quantity=rhat_quantity,
        least_ess=least,
        least_ess_quantity=ess_quantity,
        worst_error=error,
        worst_error_quantity=error_quantity,
        converged=bool(worst <= max_rhat and least >= min_ess and not error > MOST_ERROR),
        watched=int((~unknown).sum()),
        unknown=int(unknown.sum()),
    )


def watch(samples: SampleSet) -> Watched:
    """R-hat and ESS of energy, output and GC count, tail ESS of the first two, and of each mutable position's letters.

    Letters are named 'A at 12': position 12 of the anchor, 0-based.
    """
    gc_count = is_gc(samples.codes[..., samples.mutable]).sum(axis=-1)
    names, rhats, sizes = [], [], []
    for name, values in (("energy", samples.energy), ("output", samples.output), ("GC count", gc_count)):
        names.append(name)
        rhats.append(float(rhat(values)))
        sizes.append(float(ess_mean(values)))
    for name, values in (("energy (tails)", samples.energy), ("output (tails)", samples.output)):
        names.append(name)
        rhats.append(np.nan)
        sizes.append(float(ess_tail(values)))
    free = np.flatnonzero(samples.mutable)
    codes = samples.codes[..., free]
    letter_rhat, letter_ess = letter_diagnostics(codes)
    errors = _frequency_errors(codes, letter_ess)
    names += [f"{letter} at {position}" for position in free for letter in LETTERS]
    none = np.full(len(rhats), np.nan)
    return Watched(
        tuple(names),
        np.concatenate([rhats, letter_rhat.ravel()]),
        np.concatenate([sizes, letter_ess.ravel()]),
        np.concatenate([none, errors.ravel()]),
    )


def letters_converged(codes: Codes, max_rhat: float, min_ess: float) -> bool:
    """Whether the letters of draws (C, D, L) have converged, as diagnose asks of them and of more."""
    rhats, sizes = letter_diagnostics(codes)
    if np.isnan(rhats).all():
        return False
    error = _frequency_errors(codes, sizes)
    return bool(
        np.nanmax(rhats) <= max_rhat and np.nanmin(sizes) >= min_ess and not np.nanmax(error, initial=0) > MOST_ERROR
    )


def letter_shares(codes: Codes) -> Floats:
    """Shares (L, 4) of draws (C, D, L) that have each letter."""
    return np.array([(codes == letter).mean(axis=(0, 1)) for letter in range(len(LETTERS))]).T


def _frequency_errors(codes: Codes, sizes: Floats) -> Floats:
    """Standard errors (L, 4) of the letters' frequencies in draws (C, D, L) of so many effective ones (L, 4)."""
    shares = letter_shares(codes)
    return np.asarray(np.sqrt(shares * (1 - shares) / np.where(sizes > 0, sizes, np.nan)))


def rhat(values: NDArray[np.generic]) -> Floats:
    """Rank-normalised split R-hat of quantities (C, D, ...) -> (...).

    Constant in all chains, or too few chains or draws: nan. Constants that differ between chains, or a value that is
    not finite: inf.
    """
    return _each(values, _rhat_of_one)


def ess_mean(values: NDArray[np.generic]) -> Floats:
    """Effective sample size for the mean of quantities (C, D, ...) -> (...).

    Constant in all chains, or too few draws: nan. Constants that differ between chains: at most C. A value that is not
    finite: 0. Anticorrelated chains have more than C·D, at most C·D·log10(C·D).
    """
    return _each(values, lambda one: _ess_of_one(one, "mean"))


def ess_tail(values: NDArray[np.generic]) -> Floats:
    """The lesser ESS of the 5 % and the 95 % quantile of quantities (C, D, ...) -> (...); otherwise as ess_mean."""
    return _each(values, lambda one: _ess_of_one(one, "tail"))


def mcse_mean(values: NDArray[np.generic]) -> Floats:
    """Monte Carlo standard error of the mean of quantities (C, D, ...) -> (...); nan where the ESS is."""
    sizes = ess_mean(values)
    count = values.shape[0] * values.shape[1]
    variance = np.asarray(values, float).var(axis=(0, 1)) * count / max(count - 1, 1)
    return np.asarray(np.sqrt(variance / np.where(sizes > 0, sizes, np.nan)))


def letter_diagnostics(codes: Codes) -> tuple[Floats, Floats]:
    """R-hat (L, 4) and ESS for the mean (L, 4) of the letter indicators of draws (C, D, L).

    Equal to rhat and ess_mean of each indicator: the ranks of a two-valued quantity are a straight line in its values,
    folded or not, so that its rank-normalised R-hat is its plain split R-hat.
    """
    chains, draws, length = codes.shape
    rhats, sizes = np.full((length, 4), np.nan), np.full((length, 4), np.nan)
    if draws < LEAST_DRAWS:
        return rhats, sizes
    _judge_letters(np.ascontiguousarray(codes), rhats, sizes)
    long = np.argwhere(sizes < 0)
    step = max(1, _BLOCK // (chains * draws))
    for start in range(0, len(long), step):
        position, letter = long[start : start + step].T
        indicators = np.moveaxis(codes[..., position] == letter, -1, 0)
        sizes[position, letter] = _size(_halves(indicators).astype(float))
    sizes[np.isinf(rhats)] = np.minimum(sizes[np.isinf(rhats)], chains)
    return (rhats if chains >= LEAST_CHAINS else np.full_like(rhats, np.nan)), sizes


def _halves(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Chains (..., C, D) cut in two (..., 2C, D/2)."""
    half = values.shape[-1] // 2
    return np.concatenate([values[..., :half], values[..., values.shape[-1] - half :]], axis=-2)


def _variances(split: Floats) -> tuple[Floats, Floats]:
    """The mean variance within chains (..., C, D), and that of their means, (...)."""
    return np.asarray(split.var(axis=-1, ddof=1).mean(axis=-1)), np.asarray(split.mean(axis=-1).var(axis=-1, ddof=1))


def _plain_rhat(split: Floats) -> Floats:
    """R-hat (...) of halves of chains (..., C, D)."""
    (within, between), draws = _variances(split), split.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((draws * between / within + draws - 1) / draws))


def _size(split: Floats) -> Floats:
    """ESS (...) for the mean of halves of chains (..., C, D): all draws where they are one value."""
    means = split.mean(axis=-1)
    sizes = _geyer(_mean_autocovariance(split - means[..., None]), means.var(axis=-1, ddof=1), split.shape[-2])
    return np.where(np.ptp(split, axis=(-2, -1)) == 0, split.shape[-2] * split.shape[-1], sizes)


def _normal_scores(values: Floats) -> Floats:
    """Values as a normal quantity's of the same ranks (Blom's), ties in the middle of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(ndtri((ranks - 3 / 8) / (values.size + 1 / 4))[place].reshape(values.shape))


def _mean_autocovariance(centred: Floats) -> Floats:
    """Autocovariance at each lag (..., D), averaged over the chains of centred values (..., C, D)."""
    draws = centred.shape[-1]
    padded = fft.next_fast_len(2 * draws, real=True)
    spectrum = fft.rfft(centred, n=padded, axis=-1)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=-2)
    return np.asarray(fft.irfft(power, n=padded, axis=-1)[..., :draws] / draws)


def _geyer(covariance: Floats, between: Floats, chains: int) -> Floats:
    """ESS (...) from mean autocovariances (..., D): Geyer's initial positive, monotone sequence of pairs of lags."""
    draws = covariance.shape[-1]
    within = covariance[..., :1] * draws / (draws - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1 - (within - covariance) / (covariance[..., :1] + between[..., None])
    correlation[..., 0] = 1
    pairs = max(-(-(draws - 2) // 2), 1)
    paired = correlation[..., : 2 * pairs].reshape(*between.shape, pairs, 2)
    even, sums = paired[..., 0], paired.sum(axis=-1)
    ended = sums <= 0
    last = np.where(ended.any(axis=-1), ended.argmax(axis=-1), pairs - 1)[..., None]
    before = np.where(np.arange(pairs) < last, np.minimum.accumulate(sums, axis=-1), 0).sum(axis=-1)
    edge, edge_sum = (np.take_along_axis(values, last, axis=-1)[..., 0] for values in (even, sums))
    time = 2 * before - 1 + np.where((edge > 0) | (edge_sum >= 0), edge, 0)
    return np.asarray(chains * draws / np.maximum(time, 1 / np.log10(chains * draws)))


def _each(values: NDArray[np.generic], measure: Callable[[Floats], float]) -> Floats:
    flat = np.asarray(values, float).reshape(*values.shape[:2], -1)
    return np.array([measure(flat[..., index]) for index in range(flat.shape[-1])]).reshape(values.shape[2:])


def _rhat_of_one(values: Floats) -> float:
    if not np.isfinite(values).all():
        return np.inf
    if len(values) < LEAST_CHAINS or values.shape[1] < LEAST_DRAWS or np.ptp(values) == 0:
        return np.nan
    if (np.ptp(values, axis=1) == 0).all():
        return np.inf
    split = _halves(values).astype(float)
    folded = np.abs(split - np.median(split))  # its R-hat is of the spread, and unknown where that is one value
    return float(np.fmax(*(_plain_rhat(_normal_scores(one)) for one in (split, folded))))


def _ess_of_one(values: Floats, method: str) -> float:
    if not np.isfinite(values).all():
        return 0.0
    if values.shape[1] < LEAST_DRAWS or np.ptp(values) == 0:
        return np.nan
    below = [values <= np.quantile(values, share) for share in _TAIL] if method == "tail" else [values]
    size = min(float(_size(_halves(one).astype(float))) for one in below)
    return min(size, float(len(values))) if (np.ptp(values, axis=1) == 0).all() else size


def _extreme(values: Floats, names: tuple[str, ...], where: Callable[[Floats], np.intp]) -> tuple[float, str]:
    if np.isnan(values).all():
        return np.nan, "nothing that changed"
    index = where(values)
    return float(values[index]), names[index]


@njit(cache=True, nogil=True)
def _judge_letters(codes, rhats, sizes):  # type: ignore[no-untyped-def]
    """Fill in R-hat and ESS (L, 4) of the letters of draws (C, D, L); those that never change are left as they are.

    An ESS that takes more lags is -1.
    """
    chains, draws, length = codes.shape
    half = draws // 2
    split = np.empty((2 * chains, half), np.uint8)
    for position in range(length):
        for letter in range(4):
            for chain in range(chains):
                for draw in range(half):
                    split[2 * chain, draw] = codes[chain, draw, position] == letter
                    split[2 * chain + 1, draw] = codes[chain, draws - half + draw, position] == letter
            means = _shares(split)
            between, within = _spread(means), half * (means - means**2).mean() / (half - 1)
            if within > 0:
                rhats[position, letter] = np.sqrt((half * between / within + half - 1) / half)
                sizes[position, letter] = _size_of_halves(split, means, between)
            elif between > 0:
                rhats[position, letter], sizes[position, letter] = np.inf, -1


@njit(cache=True, nogil=True)
def _shares(split):  # type: ignore[no-untyped-def]
    """The means (C,) of halves of chains (C, D) of 0 and 1."""
    means = np.empty(len(split))
    for row in range(len(split)):
        means[row] = split[row].sum() / split.shape[1]
    return means


@njit(cache=True, nogil=True)
def _spread(means):  # type: ignore[no-untyped-def]
    """Their variance."""
    return np.square(means - means.mean()).sum() / (len(means) - 1)


@njit(cache=True, nogil=True)
def _size_of_halves(split, means, between):  # type: ignore[no-untyped-def]
    """ESS of halves of chains (C, D) of 0 and 1, lag by lag; as _size, whose sums are by Fourier transforms; or -1."""
    chains, draws = split.shape
    pairs, before, least = max((draws - 1) // 2, 1), 0.0, np.inf
    variance = _covariance(split, means, 0)
    for pair in range(pairs):
        if pair == _MOST_PAIRS:
            return -1.0
        even, odd = 1.0, 0.0
        for lag in (2 * pair, 2 * pair + 1):
            value = 1 - (variance * draws / (draws - 1) - _covariance(split, means, lag)) / (variance + between)
            if lag % 2:
                odd = value
            elif lag:
                even = value
        if even + odd <= 0 or pair == pairs - 1:
            break
        least = min(least, even + odd)
        before += least
    time = 2 * before - 1 + (even if even > 0 or even + odd >= 0 else 0.0)
    return chains * draws / max(time, 1 / np.log10(chains * draws))


@njit(cache=True, nogil=True)
def _covariance(split, means, lag):  # type: ignore[no-untyped-def]
    """The autocovariance at a lag, averaged over halves of chains (C, D) of 0 and 1, from whole numbers."""
    chains, draws = split.shape
    total, kept = 0.0, draws - lag
    for row in range(chains):
        own, together, ends = split[row], 0, 0
        for draw in range(kept):
            together += own[draw] & own[draw + lag]
        for draw in range(lag):
            ends += own[draw] + own[kept + draw]
        mean = means[row]
        total += together - mean * (2 * draws * mean - ends) + kept * mean**2
    return total / (chains * draws)
