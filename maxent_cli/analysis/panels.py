"""Sites of many given motifs at once in draws, each counted from a score that few random sequences reach.

Windows are sorted once by eight letters; of each motif only those are scored whose eight letters at its most telling
columns can still reach its threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS, UNKNOWN, Codes
from maxent_cli.analysis.motifs import score_law
from maxent_cli.analysis.sites import Letters, Rows
from maxent_cli.data import Floats

LOOKED_UP = 8  # columns that are looked up at once
STEP = 1 / 64  # bits: scores are whole multiples, so that their distribution is exact
LEAST_WEIGHT = -12.0  # bits, of a letter that a motif never has
AT_ONCE = 500_000  # motifs times draws that are looked at together


@dataclass(frozen=True)
class Panel:
    """M motifs: log2 odds (M, W, 4) against one background, 0 beyond widths (M,), and thresholds (M,), in bits."""

    weights: Floats
    widths: Rows
    thresholds: Floats

    def __len__(self) -> int:
        return len(self.widths)

    @cached_property
    def both(self) -> Floats:
        """Log2 odds (2 M, W, 4) as motifs read on the plus and on the minus strand."""
        turned = np.zeros_like(self.weights)
        for row, width in enumerate(self.widths):
            turned[row, :width] = self.weights[row, :width][::-1, ::-1]
        return np.concatenate([self.weights, turned])

    @cached_property
    def first(self) -> Rows:
        """Where (2 M,) the columns begin that are looked up: those whose letters differ most."""
        spread = np.ptp(self.both, axis=2)
        sums = np.lib.stride_tricks.sliding_window_view(spread, LOOKED_UP, axis=1).sum(axis=2)
        inside = np.arange(sums.shape[1]) <= np.maximum(np.tile(self.widths, 2) - LOOKED_UP, 0)[:, None]
        return np.asarray(np.where(inside, sums, -np.inf).argmax(axis=1))

    @cached_property
    def others(self) -> Rows:
        """The other columns (2 M, K), those whose letters differ most first."""
        columns = np.arange(self.weights.shape[1])
        looked_up = (columns >= self.first[:, None]) & (columns < self.first[:, None] + LOOKED_UP)
        spread = np.where(looked_up, -1, np.ptp(self.both, axis=2))
        return np.argsort(-spread, axis=1, kind="stable")[:, : len(columns) - LOOKED_UP]

    @cached_property
    def needed(self) -> NDArray[np.float32]:
        """Least log2 odds (2 M, 1 + K) that can still reach the threshold, after so many of the other columns."""
        best = np.take_along_axis(self.both.max(axis=2), self.others, axis=1)
        left = np.pad(np.cumsum(best[:, ::-1], axis=1)[:, ::-1], ((0, 0), (0, 1)))
        return np.asarray(np.tile(self.thresholds, 2)[:, None] - left, np.float32)

    @cached_property
    def flat(self) -> NDArray[np.float32]:
        """Log2 odds of both strands in a row."""
        return np.asarray(self.both.ravel(), np.float32)

    @cached_property
    def words(self) -> tuple[Rows, Rows, NDArray[np.float32]]:
        """Motif and strand (K,) of each word that may be at a site there, its number (K,) and log2 odds (K,)."""
        rows, numbers, odds = list[Rows](), list[Rows](), list[NDArray[np.float32]]()
        for row, (weights, at) in enumerate(zip(self.both, self.first, strict=True)):
            sums = np.zeros(1, np.float32)
            for column in weights[at : at + LOOKED_UP].astype(np.float32):
                sums = (sums[:, None] + column).ravel()
            found = np.flatnonzero(sums >= self.needed[row, 0])
            rows.append(np.full(len(found), row))
            numbers.append(found)
            odds.append(sums[found])
        return np.concatenate(rows), np.concatenate(numbers), np.concatenate(odds)


def panel_of(weights: Sequence[Floats], reference: Floats, rate: float, length: int) -> Panel:
    """Motifs as log2 odds (W, 4) each, with thresholds that such a share of random sequences of so many bp reach.

    reference (4,) is the background of the sequences, which are read on both strands. A motif whose best site more of
    them have has its best score as threshold.
    """
    widths = np.array([len(one) for one in weights], np.intp)
    rounded = np.zeros((len(weights), max([LOOKED_UP, *widths]), len(LETTERS)))
    for row, one in enumerate(weights):
        rounded[row, : len(one)] = np.round(np.maximum(one, LEAST_WEIGHT) / STEP) * STEP
    places = 2 * np.maximum(length - widths + 1, 1)
    chances = -np.expm1(np.log1p(-min(rate, 1 - 1e-9)) / places)
    each = zip(rounded, widths, chances, strict=True)
    lows = [score_threshold(one[:width], reference, float(chance)) for one, width, chance in each]
    return Panel(rounded, widths, np.array(lows))


def score_threshold(weights: Floats, reference: Floats, chance: float) -> float:
    """The least score that a place on either strand reaches with such a chance at most, else the best there is.

    weights (W, 4) are whole multiples of STEP; letters are random, of a reference (4,). The distribution is exact.
    """
    steps = np.rint(weights / STEP).astype(np.intp)
    lowest, plus = score_law(steps, reference)
    spread = (plus + score_law(steps[::-1, ::-1], reference)[1]) / 2
    reached = np.cumsum(spread[::-1])[::-1]
    rare = np.flatnonzero((reached <= chance * (1 + 1e-9)) & (spread > 0))
    at = rare[0] if len(rare) else np.flatnonzero(spread)[-1]
    return float(lowest + at) * STEP


def matches(codes: Codes, panel: Panel) -> tuple[Rows, Rows, Rows]:
    """Motif, draw and start (S,) of the sites of all motifs on either strand in draws (N, L), each place once."""
    number, length = codes.shape
    across = length + panel.weights.shape[1] + LOOKED_UP
    known = np.pad(np.where(codes == UNKNOWN, 0, codes), ((0, 0), (0, across - length)))
    rows, places, odds = _candidates(known, length, panel)
    for step in range(panel.others.shape[1]):
        column = panel.others[rows, step]
        odds += panel.flat[(rows * panel.weights.shape[1] + column) * 4 + known.ravel()[places + column]]
        kept = np.flatnonzero(odds >= panel.needed[rows, step + 1])
        rows, places, odds = rows[kept], places[kept], odds[kept]
    motifs, (draws, starts) = rows % len(panel), np.divmod(places, across)
    unknown = np.cumsum(np.pad(codes == UNKNOWN, ((0, 0), (1, 0))), axis=1)
    whole = unknown[draws, starts + panel.widths[motifs]] == unknown[draws, starts]
    keys = np.unique((motifs[whole] * number + draws[whole]) * length + starts[whole])
    return keys // (number * length), keys // length % number, keys % length


def _candidates(known: Codes, length: int, panel: Panel) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """Motif and strand, place (draw and start) and log2 odds so far (S,) of windows that may be sites."""
    number = np.zeros((len(known), length), np.uint16)
    for column in range(LOOKED_UP):
        number = number * 4 + known[:, column : column + length]
    order = np.argsort(number.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(number.ravel(), minlength=4**LOOKED_UP))
    rows, words, odds = panel.words
    last = ends[words]
    counts = last - np.where(words > 0, ends[words - 1], 0)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    draws, starts = np.divmod(order, length)
    places = (draws * known.shape[1] + starts)[np.repeat(last - counts, counts) + within]
    starts = starts[np.repeat(last - counts, counts) + within]
    rows, odds = np.repeat(rows, counts), np.repeat(odds, counts)
    starts = starts - panel.first[rows]
    inside = np.flatnonzero((starts >= 0) & (starts <= length - panel.widths[rows % len(panel)]))
    rows = rows[inside]
    return rows, places[inside] - panel.first[rows], odds[inside]


def counts_of(letters: Letters, panel: Panel) -> Floats:
    """By chain and motif (2, C, M): the share of draws with a site, and sites a draw that hold no masked letter."""
    draws = len(letters.codes)
    masked = np.zeros(letters.codes.shape, bool) if letters.masked is None else letters.masked
    before = np.cumsum(np.pad(masked, ((0, 0), (1, 0))), axis=1)
    found = np.zeros((2, letters.chains, len(panel)))
    step = max(AT_ONCE // max(len(panel), 1), 1)
    for first in range(0, draws, step):
        motif, draw, start = matches(letters.codes[first : first + step], panel)
        draw = draw + first
        free = before[draw, start + panel.widths[motif]] == before[draw, start]
        holding = np.unique(motif * draws + draw)
        for kind, (rows, which) in enumerate(((holding // draws, holding % draws), (motif[free], draw[free]))):
            np.add.at(found[kind], (letters.chain[which], rows), 1)
    return found * letters.chains / draws
