"""Sites of motifs in draws: how much more likely letters are than the law's background makes them, place by place.

A motif is a preference r: at a site, column j holds letter a with probability in proportion to q(a) r_j(a), where q is
the background row of the position that the column lies on. A position that the network ignores has r = 1 and scores 0
bits under any tether, and columns from differently tethered anchors add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.data import Floats, SampleSet

STRANDS = "+-"
WORD = 5  # letters looked up at once in a scan
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Letters:
    """Draws of one anchor, chain after chain: codes (N, L), background (L, 4), the number of chains C.

    Fixed positions have their own letter's row, or none at all where that is unknown, so that they score 0. masked
    (N, L) marks letters that no site may hold any more.
    """

    codes: Codes
    background: Floats
    chains: int
    masked: NDArray[np.bool_] | None = None

    @cached_property
    def words(self) -> NDArray[np.uint16]:
        """The word of five letters that starts at each position (N, L), as a number in base 5."""
        words = np.empty(self.codes.shape, np.uint16)
        _number_words(self.codes, words)
        return words

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """What is masked, for compiled code; (0, 0) where nothing is."""
        return np.zeros((0, 0), np.bool_) if self.masked is None else self.masked

    @property
    def chain(self) -> Rows:
        """The chain (N,) of each draw."""
        return np.arange(len(self.codes)) // (len(self.codes) // self.chains)


@dataclass(frozen=True)
class Sites:
    """S sites in draws: row of the draw, start (0-based), strand (0 plus, 1 minus), motif's row, log odds in bits.

    weight is the share of each that counts.
    """

    draw: Rows
    start: Rows
    strand: Rows
    motif: Rows
    log_odds: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.draw)

    def take(self, chosen: NDArray[np.bool_] | Rows) -> "Sites":
        """Some of them."""
        return Sites(*(values[chosen] for values in vars(self).values()))

    def compact(self) -> "Sites":
        """The same in fewer bytes."""
        kinds = ("u4", "u2", "u1", "u1", "f4", "f2")
        return Sites(*(values.astype(kind) for values, kind in zip(vars(self).values(), kinds, strict=True)))


def no_sites() -> Sites:
    """None."""
    return Sites(*np.zeros((4, 0), np.intp), *np.zeros((2, 0)))


def letters_of(samples: SampleSet) -> Letters:
    """The draws of a sample set as rows."""
    chains, draws, length = samples.codes.shape
    return Letters(samples.codes.reshape(chains * draws, length), _rows_in_use(samples), chains)


def thinned(letters: Letters, enough: int) -> Letters:
    """Every so many draws of each chain, at least enough of them where there are as many."""
    draws = len(letters.codes) // letters.chains
    rows = np.arange(len(letters.codes)).reshape(letters.chains, draws)[:, :: max(1, len(letters.codes) // enough)]
    masked = None if letters.masked is None else letters.masked[rows.ravel()]
    return replace(letters, codes=letters.codes[rows.ravel()], masked=masked)


def overhung(letters: Letters, by: int) -> Letters:
    """The letters with so many unknown ones (bp) at both ends, where sites may hang over; starts count from there."""
    codes = np.pad(letters.codes, ((0, 0), (by, by)), constant_values=UNKNOWN)
    masked = None if letters.masked is None else np.pad(letters.masked, ((0, 0), (by, by)))
    return Letters(codes, np.pad(letters.background, ((by, by), (0, 0))), letters.chains, masked)


def background_letters(samples: SampleSet, chance: np.random.Generator) -> Letters:
    """As many draws at beta = 0: independent letters of the background rows, fixed positions as in the anchor."""
    return redrawn(letters_of(samples), chance)


def redrawn(letters: Letters, chance: np.random.Generator, tilt: Floats | float = 1.0) -> Letters:
    """As many draws of independent letters, with frequencies in proportion to the background times a tilt (4,)."""
    rows = letters.background * tilt
    total = rows.sum(axis=1, keepdims=True)
    edges = np.cumsum(rows / np.where(total > 0, total, 1), axis=1)[:, :3].astype(np.float32)
    uniform = chance.random(letters.codes.shape, dtype=np.float32)
    codes = (uniform >= edges[:, 0]).astype(np.uint8)
    for edge in edges.T[1:]:
        codes += uniform >= edge
    codes[:, total[:, 0] == 0] = UNKNOWN
    return Letters(codes, letters.background, letters.chains)


def composition_tilt(letters: Letters) -> Floats:
    """How much more often letters (4,) stand in draws, wherever they are not masked, than the background makes them."""
    free = np.ones(letters.codes.shape, bool) if letters.masked is None else ~letters.masked
    counts = np.bincount(letters.codes[free], minlength=4)[:4]
    expected = free.sum(axis=0) @ letters.background
    return np.asarray((counts + 1) / (expected + 1))


def where(chosen: NDArray[np.bool_]) -> tuple[Rows, Rows, Rows]:
    """Strand, draw and start of the chosen places (2, N, P): np.nonzero, in a tenth of its time for few."""
    strand, draw, start = np.unravel_index(np.flatnonzero(chosen), chosen.shape)
    return strand, draw, start


def without_overlaps(sites: Sites, widths: Sequence[int]) -> Sites:
    """Sites chosen from the best down, none sharing more than half of the narrower with one already chosen."""
    width = np.asarray(widths, np.intp)[sites.motif]
    left = np.lexsort((sites.strand, sites.start, sites.motif, -sites.log_odds, sites.draw))
    chosen = list[Rows]()
    while len(left):
        first = np.flatnonzero(np.diff(sites.draw[left], prepend=-1))
        best = left[np.repeat(first, np.diff(first, append=len(left)))]
        chosen.append(left[first])
        ends = np.minimum(sites.start[left] + width[left], sites.start[best] + width[best])
        overlap = ends - np.maximum(sites.start[left], sites.start[best])
        left = left[overlap <= 0.5 * np.minimum(width[left], width[best])]
    rows = np.sort(np.concatenate(chosen)) if chosen else left
    return sites.take(rows[np.lexsort((sites.start[rows], sites.draw[rows]))])


def mask(letters: Letters, sites: Sites, width: int) -> Letters:
    """The letters with those in sites of one motif masked too."""
    masked = np.zeros(letters.codes.shape, bool) if letters.masked is None else letters.masked.copy()
    for column in range(width):
        masked[sites.draw, sites.start + column] = True
    return replace(letters, masked=masked)


def counts_at(letters: Letters, sites: Sites, width: int, flank: int = 0) -> Floats:
    """Weighted letter counts (C, flank + W + flank, 4) of the sites of one motif, in its own direction, by chain.

    Letters off the ends of the draws, unknown ones and masked ones count nowhere.
    """
    counts = np.zeros((letters.chains, width + 2 * flank, 5))
    places = sites.draw, sites.start, sites.strand
    _count(letters.codes, letters.hidden, places, sites.weight, (width, flank), counts)
    return counts[..., :4]


def exposures(letters: Letters, sites: Sites, width: int, flank: int = 0) -> tuple[Floats, Floats]:
    """Background rows (2 L, 4) and the weight (flank + W + flank, 2 L) of sites whose columns lie on them.

    The minus strand comes second, its rows turned to the motif's own direction.
    """
    length = len(letters.background)
    weight = np.zeros((width + 2 * flank, 2 * length))
    _expose((sites.start, sites.strand), sites.weight, (width, flank), length, weight)
    return np.concatenate([letters.background, letters.background[:, ::-1]]), weight


def preference(counts: Floats, rows: Floats, weight: Floats, pseudocount: float = 1.0) -> tuple[Floats, Floats]:
    """Maximum-likelihood r (W, 4) of letter counts (W, 4) at sites, and the mean background (W, 4) of those sites.

    rows (S, 4) are background rows and weight (W, S) how many sites have a column on them. r is scaled to mean 1 under
    the mean background; pseudocount sites without preference are added.
    """
    total = weight @ rows
    mean = total / np.maximum(total.sum(axis=1, keepdims=True), 1e-300)
    prior = pseudocount * np.where(mean > 0, mean, 1e-3)
    ratio = np.ones(counts.shape)
    _prefer(counts, prior, mean, rows, weight, ratio)
    return ratio, mean


def expected_letters(ratio: Floats, rows: Floats, weight: Floats) -> Floats:
    """What to divide letter counts (W, 4) by for a better r (W, 4): sites by the mean r that their background makes."""
    expected = np.empty(ratio.shape)
    for column in range(len(ratio)):
        _expect(ratio[column], rows, weight[column], expected[column])
    return expected


def _rows_in_use(samples: SampleSet) -> Floats:
    fixed = np.eye(5, 4)[samples.anchor]
    return np.where(samples.mutable[:, None], samples.background, fixed)


@njit(cache=True, nogil=True)
def _number_words(codes, words):  # type: ignore[no-untyped-def]
    """Fill in words (N, L); beyond the end letters are unknown."""
    most = 5 ** (WORD - 1)
    for draw in range(len(codes)):
        number = 5**WORD - 1
        for position in range(codes.shape[1] - 1, -1, -1):
            number = number // 5 + codes[draw, position] * most
            words[draw, position] = number


@njit(cache=True, nogil=True)
def _count(codes, hidden, places, weight, shape, counts):  # type: ignore[no-untyped-def]
    """Add the letters of sites to counts (C, flank + W + flank, 5)."""
    (draws, starts, strands), (width, flank) = places, shape
    per_chain = len(codes) // len(counts)
    for site in range(len(draws)):
        draw, minus = draws[site], strands[site] == 1
        for column in range(-flank, width + flank):
            position = starts[site] + (width - 1 - column if minus else column)
            if 0 <= position < codes.shape[1] and not (len(hidden) and hidden[draw, position]):
                code = codes[draw, position]
                letter = 3 - code if minus and code < UNKNOWN else code
                counts[draw // per_chain, flank + column, letter] += weight[site]


@njit(cache=True, nogil=True)
def _expose(places, weight, shape, length, exposed):  # type: ignore[no-untyped-def]
    """Add the weight of sites to the positions, of each strand, that their columns lie on: (flank + W + flank, 2 L)."""
    (starts, strands), (width, flank) = places, shape
    for site in range(len(starts)):
        for column in range(-flank, width + flank):
            position = starts[site] + (width - 1 - column if strands[site] == 1 else column)
            if 0 <= position < length:
                exposed[flank + column, strands[site] * length + position] += weight[site]


@njit(cache=True, nogil=True)
def _prefer(counts, prior, mean, rows, weight, ratio):  # type: ignore[no-untyped-def]
    """Make r (W, 4), 1 so far, more likely step by step."""
    expected = np.empty(4)
    for column in range(len(ratio)):
        for _ in range(5):
            _expect(ratio[column], rows, weight[column], expected)
            scale = 0.0
            for letter in range(4):
                added = prior[column, letter]
                ratio[column, letter] = (counts[column, letter] + added) / (expected[letter] + added)
                scale += mean[column, letter] * ratio[column, letter]
            if scale > 0:
                ratio[column] /= scale


@njit(cache=True, nogil=True)
def _expect(ratio, rows, weight, expected):  # type: ignore[no-untyped-def]
    """Fill in what one column's letters (4,) are expected in proportion to, of its sites' weight on rows (S,)."""
    expected[:] = 0
    for row in range(len(rows)):
        share = 0.0
        if weight[row] > 0:  # on most rows there is none
            for letter in range(4):
                share += ratio[letter] * rows[row, letter]
        if share > 0:
            for letter in range(4):
                expected[letter] += rows[row, letter] * weight[row] / share
