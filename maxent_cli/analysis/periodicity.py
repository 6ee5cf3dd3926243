"""Periodicity of a letter class along draws: power between periods of 5 and 20 bp, its peak, and what chance gives.

The profile is the share of draws that hold the class at each position. Its power spectrum sees a period that keeps its
place in the draws; the mean spectrum of single draws, which is that of their autocorrelation, is free of phase and sees
one that moves as well, above the floor that letters make by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from maxent_cli.alphabet import LETTERS, Codes
from maxent_cli.analysis.diagnostics import Judge, diagnose
from maxent_cli.analysis.jackknife import block_numbers, jackknife
from maxent_cli.analysis.over_anchors import wilson
from maxent_cli.analysis.sites import background_letters
from maxent_cli.data import Floats, SampleSet
from maxent_cli.tables.periodicity import BAND as BAND

SHORTEST, LONGEST = 5.0, 20.0  # bp
FREQUENCIES = np.linspace(1 / LONGEST, 1 / SHORTEST, 601)  # as a padded transform has them: far finer than it resolves
LEAST_POWER = 1e-20  # what rounding leaves of a profile that is a straight line
CHANCE = 10  # times that each anchor's background is drawn
IUPAC = dict(zip("ACGTRYSWKM", ("A", "C", "G", "T", "AG", "CT", "CG", "AT", "GT", "AC"), strict=True)) | {
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": LETTERS,
}
DRAWS, PHASE_FREE, ANCHOR, BACKGROUND = SOURCES = ("draws", "draws, phase-free", "anchor", "beta = 0")

Row = dict[str, Any]
LetterClass = tuple[NDArray[np.bool_], ...]  # words (W, 5), W the same for all: which letters each column may hold


@dataclass(frozen=True)
class Peak:
    """The highest point between 5 and 20 bp, each number with its jackknife error over chains (nan: unknown).

    period in bp; height: power over its median between 5 and 20 bp; swing: share by which the profile rises and falls
    about its mean with that period; phase: bp from the anchor's middle to the nearest maximum. The last two are nan
    where the spectrum is free of phase.
    """

    period: float
    period_error: float
    height: float
    height_error: float
    swing: float = np.nan
    swing_error: float = np.nan
    phase: float = np.nan
    phase_error: float = np.nan

    @property
    def in_band(self) -> bool:
        """Whether it lies between 9.5 and 11 bp."""
        return BAND[0] <= self.period <= BAND[1]


@dataclass(frozen=True)
class Periodicity:
    """One anchor's spectra and peaks by source, its draws' profile and its own (P,), nan where letters are fixed.

    power: (F,) at FREQUENCIES. chance: share of backgrounds drawn anew, as many draws each, whose peak is in the band.
    """

    record: str
    converged: bool
    rhat: float
    power: dict[str, Floats]
    peaks: dict[str, Peak]
    profile: Floats
    own: Floats
    chance: float


@dataclass(frozen=True)
class Share:
    """How many of the anchors have their peak in the band, with a 95 % interval (Wilson) over anchors."""

    count: int
    of: int
    low: float
    high: float


@dataclass(frozen=True)
class PeriodicityAnswer:
    """All anchors' peaks, and the mean of their spectra with its own peak, by source; chance as a share."""

    shares: dict[str, Share]
    power: dict[str, Floats]
    peaks: dict[str, Peak]
    chance: float


def letter_class(text: str) -> LetterClass:
    """Words of one length joined by '/', in IUPAC's letters: W is A or T, WW is AA/AT/TA/TT.

    Raises ValueError.
    """
    words = text.upper().split("/")
    if not words[0] or len({len(word) for word in words}) > 1 or set("".join(words)) - set(IUPAC):
        raise ValueError(f"{text!r} is not one or more words of one length, joined by /")
    return tuple(np.array([[other in IUPAC[letter] for other in f"{LETTERS}-"] for letter in word]) for word in words)


def in_words(text: str) -> str:
    """A class for a reader: W is 'A or T', AA/TT is 'AA or TT'."""
    words = text.upper().split("/")
    return " or ".join(IUPAC[text.upper()] if len(text) == 1 else words)


def holding(codes: Codes, words: LetterClass) -> NDArray[np.bool_]:
    """Whether a word of the class starts at each position: codes (..., L) to (..., L - W + 1)."""
    width, places = len(words[0]), codes.shape[-1] - len(words[0]) + 1
    found = np.zeros((*codes.shape[:-1], max(places, 0)), np.bool_)
    for word in words:
        here = np.ones_like(found)
        for column in range(width if places > 0 else 0):
            here &= word[column][codes[..., column : column + places]]
        found |= here
    return found


def periodicity_of(samples: SampleSet, words: LetterClass, seed: int, judge: Judge = diagnose) -> Periodicity:
    """The spectra of one anchor's draws, of itself, and of as many draws from its background rows (beta = 0)."""
    where = _free_places(samples.mutable, words)
    chance = np.random.default_rng((seed, *samples.anchor.tolist()))
    plain = [background_letters(samples, chance).codes for _ in range(CHANCE)]
    profiles, single = _means(samples.codes, words, where)
    diagnosis = judge(samples)
    found = {
        DRAWS: _of_profiles(profiles, where),
        PHASE_FREE: _of_powers(_power_of_lags(single)),
        ANCHOR: _of_profiles(_means(samples.anchor[None, None], words, where)[0], where),
        BACKGROUND: _of_profiles(_means(plain[0].reshape(samples.codes.shape), words, where)[0], where),
    }
    again = [highest(spectrum(holding(codes, words).mean(axis=0), where))[0] for codes in plain]
    return Periodicity(
        record=samples.name,
        converged=diagnosis.converged,
        rhat=diagnosis.worst_rhat,
        power={source: power for source, (power, _) in found.items()},
        peaks={source: peak for source, (_, peak) in found.items()},
        profile=np.where(where, profiles[0], np.nan),
        own=np.where(where, holding(samples.anchor, words), np.nan),
        chance=float(np.mean([BAND[0] <= period <= BAND[1] for period in again])),
    )


def over_anchors(found: Sequence[Periodicity]) -> PeriodicityAnswer:
    """All anchors together; the mean spectra's errors are by leaving one anchor out."""
    powers, peaks, shares = dict[str, Floats](), dict[str, Peak](), dict[str, Share]()
    for source in SOURCES:
        each = np.array([one.power[source] for one in found])
        powers[source], peaks[source] = _of_powers(_with_and_without(np.ones(len(each)), each))
        count = sum(bool(one.peaks[source].in_band) for one in found)
        interval = wilson(count / len(found), len(found))
        shares[source] = Share(count, len(found), interval.low, interval.high)
    return PeriodicityAnswer(shares, powers, peaks, float(np.mean([one.chance for one in found])))


def peak_rows(one: Periodicity) -> list[Row]:
    """An anchor's peaks, a source a row."""
    known = {"record": one.record, "converged": one.converged, "rhat": one.rhat}
    return [{**known, "source": source, "in_band": peak.in_band, **vars(peak)} for source, peak in one.peaks.items()]


def answer_rows(answer: PeriodicityAnswer) -> list[Row]:
    """What the anchors say together, a source a row: share of peaks in the band, and the mean spectrum's peak."""
    rows = list[Row]()
    for source, share in answer.shares.items():
        peak = answer.peaks[source]
        rows.append(
            {
                "source": source,
                "anchors": share.of,
                "in_band": share.count,
                "share": share.count / share.of,
                "low": share.low,
                "high": share.high,
                "chance": answer.chance,
                **{name: getattr(peak, name) for name in ("period", "period_error", "height", "height_error")},
            }
        )
    return rows


def detrended(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Values (..., P) less the straight line through those that where (P,) selects; 0 at the others."""
    places = np.arange(len(where)) - np.flatnonzero(where).mean() if where.any() else np.zeros(len(where))
    design = np.stack([np.ones(len(where)), places]) * where
    return np.asarray((values - values @ np.linalg.pinv(design) @ design) * where)


def spectrum(profiles: Floats, where: NDArray[np.bool_]) -> Floats:
    """Power (..., F) at FREQUENCIES of profiles (..., P) less their straight line, of the places that where selects."""
    return np.asarray(np.abs(_transform(profiles, where)) ** 2)


def highest(power: Floats) -> tuple[float, float]:
    """Period of the highest point of a spectrum (F,), by a parabola through its neighbours, and height over median."""
    top, median = int(power.argmax()), float(np.median(power))
    shift = 0.0
    if 0 < top < len(power) - 1:
        before, here, after = power[top - 1 : top + 2]
        curvature = before - 2 * here + after
        shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    frequency = FREQUENCIES[top] + shift * (FREQUENCIES[1] - FREQUENCIES[0])
    return float(1 / frequency), float(power[top]) / median if median > 0 else np.nan


def _free_places(mutable: NDArray[np.bool_], words: LetterClass) -> NDArray[np.bool_]:
    """Which places (P,) of a word have letters that may change alone."""
    width = len(words[0])
    if len(mutable) < width:
        return np.zeros(0, np.bool_)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(mutable, width).all(axis=-1))


def _means(codes: Codes, words: LetterClass, where: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Profiles and autocovariances of draws (C, D, L), of all and of all but each block of chains: (1 + B, P) each."""
    blocks, flat = block_numbers(*codes.shape[:2]).ravel(), codes.reshape(-1, codes.shape[-1])
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    padded, profiles, products = fft.next_fast_len(max(2 * len(where), 1), real=True), [], []
    for part in np.split(flat, starts[1:]):
        held = holding(part, words).astype(float)
        spectrum = fft.rfft(detrended(held, where), n=padded, axis=1)
        profiles.append(held.sum(axis=0))
        products.append(fft.irfft((spectrum.real**2 + spectrum.imag**2).sum(axis=0), n=padded)[: len(where)])
    sizes = np.bincount(blocks).astype(float)
    return _with_and_without(sizes, np.array(profiles)), _with_and_without(sizes, np.array(products))


def _with_and_without(sizes: Floats, sums: Floats) -> Floats:
    """From sums (B, P) over blocks of so many (B,): the mean of all, then, if there are some, of all but each."""
    whole = sums.sum(axis=0)[None] / sizes.sum()
    if len(sizes) < 2:
        return np.asarray(whole)
    return np.concatenate([whole, (sums.sum(axis=0) - sums) / (sizes.sum() - sizes)[:, None]])


def _transform(profiles: Floats, where: NDArray[np.bool_]) -> NDArray[np.complex128]:
    """Detrended profiles (..., P) at FREQUENCIES (..., F), phases counted from the middle."""
    places = np.arange(len(where)) - (len(where) - 1) / 2
    return np.asarray(detrended(profiles, where) @ np.exp(-2j * np.pi * np.outer(places, FREQUENCIES)))


def _power_of_lags(products: Floats) -> Floats:
    """Spectra (..., F) of autocovariances (..., P)."""
    waves = np.cos(2 * np.pi * np.outer(np.arange(products.shape[-1]), FREQUENCIES))
    waves[1:] *= 2
    return np.asarray(products @ waves)


def _of_powers(power: Floats) -> tuple[Floats, Peak]:
    """The spectrum of all and its peak, from spectra (1 + B, F) of all and of all but each block."""
    if not power[0].max() > LEAST_POWER:
        return power[0], Peak(*(np.nan,) * 4)
    values = np.array([highest(row) for row in power])
    errors = jackknife(values[0], values[1:]).error
    return power[0], Peak(*(float(number) for pair in zip(values[0], errors, strict=True) for number in pair))


def _of_profiles(profiles: Floats, where: NDArray[np.bool_]) -> tuple[Floats, Peak]:
    """As _of_powers, with swing and phase, from profiles (1 + B, P)."""
    waves = _transform(profiles, where)
    power, peak = _of_powers(np.abs(waves) ** 2)
    at = waves[:, power.argmax()]
    swing, turn = 2 * np.abs(at) / max(where.sum(), 1), np.angle(at[1:] * at[0].conj())
    radian = peak.period / (2 * np.pi)
    errors = [float(jackknife(whole, rest).error) for whole, rest in ((swing[0], swing[1:]), (np.array(0.0), turn))]
    phase = -float(np.angle(at[0])) * radian
    return power, replace(
        peak, swing=float(swing[0]), swing_error=errors[0], phase=phase, phase_error=errors[1] * radian
    )
