"""Sites of motifs in draws: how much more likely letters are than the law's background makes them, place by place.

A motif is a preference r: at a site, column j holds letter a with probability in proportion to q(a) r_j(a), where q is
the background row of the position that the column lies on. A position that the network ignores has r = 1 and scores 0
bits under any tether, and columns from differently tethered anchors add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
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
    def words(self) -> Rows:
        """The word of five letters that starts at each position (N, L), as a number in base 5."""
        padded = np.pad(self.codes, ((0, 0), (0, WORD - 1)), constant_values=UNKNOWN).astype(np.int16)
        length = self.codes.shape[1]
        number = padded[:, :length]
        for at in range(1, WORD):
            number = 5 * number + padded[:, at : at + length]
        return number.astype(np.intp)

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


def scan(letters: Letters, weights: Floats) -> NDArray[np.float32]:
    """Log odds in bits (2, N, P) of a motif's sites at each of P starts, plus and minus strand.

    weights (W, 4) are log2 r. P = 0 where the motif is longer than the draws.
    """
    width, length = len(weights), letters.codes.shape[1]
    places = max(length - width + 1, 0)
    scores = np.empty((2, len(letters.codes), places), np.float32)
    if places:
        for strand, turned in enumerate((weights, weights[::-1, ::-1])):
            scores[strand] = -_expected(letters.background, turned)
            for number, table in enumerate(_word_scores(turned)):
                at = number * WORD
                scores[strand] += np.take(table, letters.words[:, at : at + places])
    if letters.masked is not None and places:
        scores[:, _any_masked(letters.masked, width)] = -np.inf
    return scores


def where(chosen: NDArray[np.bool_]) -> tuple[Rows, Rows, Rows]:
    """Strand, draw and start of the chosen places (2, N, P): np.nonzero, in a tenth of its time for few."""
    strand, draw, start = np.unravel_index(np.flatnonzero(chosen), chosen.shape)
    return strand, draw, start


def candidates(scores: NDArray[np.float32], threshold: float, motif: int = 0) -> Sites:
    """All places of a scan (2, N, P) that score the threshold or more, with weight 1."""
    strand, draw, start = where(scores >= threshold)
    odds = scores[strand, draw, start].astype(np.float64)
    return Sites(draw, start, strand, np.full(len(draw), motif), odds, np.ones(len(draw)))


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
    columns = np.arange(-flank, width + flank)
    known = letters.codes if letters.masked is None else np.where(letters.masked, UNKNOWN, letters.codes)
    padded = np.pad(known, ((0, 0), (flank, flank)), constant_values=UNKNOWN)
    turned = sites.strand[:, None] == 1
    positions = flank + sites.start[:, None] + np.where(turned, width - 1 - columns, columns)
    read = padded[sites.draw[:, None], positions].astype(np.intp)
    read = np.where(turned & (read < UNKNOWN), 3 - read, read)
    cells = (letters.chain[sites.draw][:, None] * len(columns) + np.arange(len(columns))) * 5 + read
    weights = np.broadcast_to(sites.weight[:, None], cells.shape)
    shape = (letters.chains, len(columns), 5)
    return np.asarray(np.bincount(cells.ravel(), weights.ravel(), int(np.prod(shape))).reshape(shape)[..., :4])


def exposures(letters: Letters, sites: Sites, width: int, flank: int = 0) -> tuple[Floats, Floats]:
    """Background rows (2 P, flank + W + flank, 4) that a motif's columns lie on, and the sites' weight (2 P,) there.

    Rows off the ends are 0. The minus strand comes second, turned to the motif's own direction.
    """
    places = letters.background.shape[0] - width + 1
    padded = np.pad(letters.background, ((flank, flank), (0, 0)))
    rows = np.lib.stride_tricks.sliding_window_view(padded, width + 2 * flank, axis=0).transpose(0, 2, 1)
    weight = np.bincount(sites.strand * places + sites.start, sites.weight, 2 * places).astype(np.float64)
    return np.concatenate([rows, rows[:, ::-1, ::-1]]), weight


def preference(counts: Floats, rows: Floats, weight: Floats, pseudocount: float = 1.0) -> tuple[Floats, Floats]:
    """Maximum-likelihood r (W, 4) of letter counts (W, 4) at sites, and the mean background (W, 4) of those sites.

    rows (S, W, 4) are background rows and weight (S,) the sites that lie on them. r is scaled to mean 1 under the mean
    background; pseudocount sites without preference are added.
    """
    used = weight > 0
    rows, weight = rows[used], weight[used]
    total = np.einsum("s,swa->wa", weight, rows)
    mean = total / np.maximum(total.sum(axis=1, keepdims=True), 1e-300)
    ratio = np.ones_like(counts)
    for _ in range(5):
        share = np.einsum("swa,wa->sw", rows, ratio)
        expected = np.einsum("sw,swa->wa", weight[:, None] / np.where(share > 0, share, np.inf), rows)
        prior = pseudocount * np.where(mean > 0, mean, 1e-3)
        ratio = (counts + prior) / (expected + prior)
        scale = (mean * ratio).sum(axis=1, keepdims=True)
        ratio /= np.where(scale > 0, scale, 1)
    return ratio, mean


def _rows_in_use(samples: SampleSet) -> Floats:
    fixed = np.eye(5, 4)[samples.anchor]
    return np.where(samples.mutable[:, None], samples.background, fixed)


def _expected(background: Floats, weights: Floats) -> Floats:
    """log2 of the mean r (P,) that the background itself makes at each start."""
    shares = background @ np.exp2(weights.T)  # (L, W)
    logs = np.log2(np.where(shares > 0, shares, 1))
    return np.asarray(np.einsum("pww->p", np.lib.stride_tricks.sliding_window_view(logs, len(weights), axis=0)))


def _word_scores(weights: Floats) -> NDArray[np.float32]:
    """The summed weights (K, 5^5) of each word on five columns, then on the next five, ...; other letters weigh 0."""
    words = -(-len(weights) // WORD)
    columns = np.zeros((words * WORD, 5), np.float32)
    columns[: len(weights), :4] = weights
    by_word = columns.reshape(words, WORD, 5)
    tables = by_word[:, 0]
    for at in range(1, WORD):
        tables = (tables[:, :, None] + by_word[:, at, None]).reshape(words, -1)
    return np.asarray(tables)


def _any_masked(masked: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Whether a window (N, P) holds a masked letter."""
    sums = np.cumsum(np.pad(masked, ((0, 0), (1, 0))), axis=1, dtype=np.int16)
    return np.asarray(sums[:, width:] > sums[:, :-width])
