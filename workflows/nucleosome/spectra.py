"""Spectra of A and T along draws, anchors and attributions, all taken the same way, and what they say over anchors.

A track is one number a position of an anchor. Of draws: the share of them that hold A or T; of an anchor: whether it
does. Of attributions, two: the score of each position; and the mean score of A and T there less that of G and C,
which asks, as draws do, what the network would have there and not what the anchor has.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis import (
    ANCHOR,
    BACKGROUND,
    BAND,
    DRAWS,
    FREQUENCIES,
    highest,
    letter_class,
    periodicity_of,
    spectrum,
)
from maxent_cli.data import Floats
from maxent_cli.io import open_draws

from ..global_features.steps import Row, table

CLASS = letter_class("W")  # A or T
SOURCES = (DRAWS, ANCHOR, BACKGROUND)
LETTERS_TRACK, POSITIONS_TRACK = "A and T less G and C", "scores"
RESAMPLED = 1000

Powers = dict[str, Floats]  # of each track, (N, F) at FREQUENCIES


def of_draws(path: Path, seed: int) -> tuple[Powers, list[str], float]:
    """Spectra by source, the anchors' names, and the share of backgrounds that peak in the band by chance."""
    with open_draws(str(path)) as draws:
        found = [periodicity_of(samples, CLASS, seed) for samples in draws]
    powers = {source: np.stack([one.power[source] for one in found]) for source in SOURCES}
    return powers, [one.record for one in found], float(np.mean([one.chance for one in found]))


def of_scores(folder: Path, anchors: int) -> Powers:
    """Spectra of both tracks of an attribution."""
    rows = table(folder / "positions.tsv")
    letters = {letter: _by_anchor([float(row[letter]) for row in rows], anchors) for letter in LETTERS}
    tracks = {
        LETTERS_TRACK: (letters["A"] + letters["T"] - letters["G"] - letters["C"]) / 2,
        POSITIONS_TRACK: _by_anchor([float(row["score"]) for row in rows], anchors),
    }
    return {name: spectrum(track, np.ones(track.shape[1], np.bool_)) for name, track in tracks.items()}


def _by_anchor(values: list[float], anchors: int) -> Floats:
    return np.array(values).reshape(anchors, -1)


def mean_power(power: Floats) -> Floats:
    """The mean (F,) of spectra (N, F), each divided by its own mean so that every anchor counts alike."""
    return np.asarray((power / power.mean(axis=1, keepdims=True)).mean(axis=0))


def in_band(period: float) -> bool:
    """Whether a period lies between 9.5 and 11 bp."""
    return BAND[0] <= period <= BAND[1]


def peaks(records: list[str], powers: Powers) -> Iterator[Row]:
    """Each anchor's highest point by track."""
    for track, power in powers.items():
        for record, row in zip(records, power, strict=True):
            period, height = highest(row)
            yield {"record": record, "track": track, "period": period, "height": height, "in_band": in_band(period)}


def summary(track: str, power: Floats, seed: int = 1) -> Row:
    """Of spectra (N, F): the share of anchors that peak in the band (Wilson), their median height, and the peak of the
    mean spectrum with 95 % bootstrap intervals over anchors.
    """
    each = np.array([highest(row) for row in power])
    count = sum(map(in_band, each[:, 0]))
    share = binomtest(count, len(power)).proportion_ci(method="wilson")
    again = np.random.default_rng(seed).integers(0, len(power), (RESAMPLED, len(power)))
    drawn = np.array([highest(mean_power(power[rows])) for rows in again])
    lower, upper = np.quantile(drawn, (0.025, 0.975), axis=0)
    row: Row = {"track": track, "anchors": len(power), "in_band": count, "share": count / len(power)}
    row |= {"share_low": share.low, "share_high": share.high, "median_height": np.median(each[:, 1])}
    for name, whole, low, high in zip(("period", "height"), highest(mean_power(power)), lower, upper, strict=True):
        row |= {name: whole, f"{name}_low": low, f"{name}_high": high}
    return row


def spectrum_rows(track: str, power: Floats) -> Iterator[Row]:
    """The mean spectrum over its median, a period a row."""
    mean = mean_power(power)
    for frequency, value in zip(FREQUENCIES, mean / np.median(mean), strict=True):
        yield {"track": track, "period": 1 / frequency, "power": value}
