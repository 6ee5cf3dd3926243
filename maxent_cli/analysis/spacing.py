"""Distances between motifs that draws hold together, against draws of different chains, which keep none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.occupancy import MotifProbe
from maxent_cli.analysis.sites import Letters, Sites
from maxent_cli.data import Floats

ARRANGEMENTS = ("a> b>", "a> <b", "b> a>", "<b a>")  # as seen with a on the plus strand
# ends that face each other: of which motif, and 0 its beginning or 1 its end
FACING = dict(
    zip(
        ARRANGEMENTS,
        ((("a", 1), ("b", 0)), (("a", 1), ("b", 1)), (("b", 1), ("a", 0)), (("b", 0), ("a", 0))),
        strict=True,
    )
)
LEAST_SHARE = 0.01  # of draws that hold each motif, for an anchor to count
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Spacing:
    """A distance between two motifs, in bp between facing ends: share of pairs with it, error, share expected, p, q."""

    arrangement: str
    distance: int
    share: float
    error: float
    expected: float
    p: float
    q: float


@dataclass
class Spacings:
    """Pairs of two motifs by arrangement and distance (4 L,), observed and expected, and squared excess over chains.

    What is replicated is a chain, of whichever anchor: chains are independent of each other, and of an anchor's places
    each says as much.
    """

    length: int
    observed: Floats = field(init=False)
    expected: Floats = field(init=False)
    squares: Floats = field(init=False)
    chains: int = 0
    anchors: int = 0

    def __post_init__(self) -> None:
        self.observed, self.expected, self.squares = np.zeros((3, 4 * self.length))

    def add(self, letters: Letters, sites: Sites, pair: tuple[int, int], probes: tuple[MotifProbe, MotifProbe]) -> None:
        """Take in the draws of one anchor."""
        first, second = (sites.take(sites.motif == motif) for motif in pair)
        if min(len(np.unique(own.draw)) for own in (first, second)) < LEAST_SHARE * len(letters.codes):
            return
        kinds = _kinds(self.length, probes[0].width, probes[1].width, pair[0] == pair[1])
        seen = _together(letters, first, second, kinds)
        sums_a, sums_b = (_by_chain(letters, own) for own in (first, second))
        apart = _folded(np.outer(sums_a.sum(axis=0), sums_b.sum(axis=0)) - sums_a.T @ sums_b, kinds, self.length)
        if apart.sum() <= 0 or seen.sum() <= 0:
            return
        expected = seen.sum(axis=1, keepdims=True) * apart / apart.sum()
        self.observed += seen.sum(axis=0)
        self.expected += expected.sum(axis=0)
        self.squares += np.square(seen - expected).sum(axis=0)
        self.chains += letters.chains
        self.anchors += 1

    def preferences(self) -> list[Spacing]:
        """All distances that can be, the most preferred first.

        p is one-sided, of the mean excess over chains (Student's t); their spread is taken for no less than that of
        independent counts, nor p for less than theirs (Poisson), since few counts are not normal.
        """
        from scipy.stats import false_discovery_control, poisson, t  # a second to import

        rows = np.flatnonzero((self.observed > 0) | (self.expected > 0))
        if not len(rows) or self.chains < 2:
            return []
        observed, expected, number = self.observed[rows], self.expected[rows], self.chains
        mean = (observed - expected) / number
        variance = (self.squares[rows] - number * mean**2) / (number - 1)
        spread = np.sqrt(np.maximum(variance, np.maximum(expected, 1) / number) / number)
        p = np.maximum(t.sf(mean / spread, number - 1), poisson.sf(observed - 1, expected))
        q, total = false_discovery_control(p), self.observed.sum()
        columns = observed / total, spread * number / total, expected / total, p, q
        found = [
            Spacing(ARRANGEMENTS[row // self.length], int(row % self.length), *(float(v) for v in values))
            for row, *values in zip(rows, *columns, strict=True)
        ]
        return sorted(found, key=lambda one: (one.p, one.expected - one.share))


def pairs_of(count: int) -> Iterator[tuple[int, int]]:
    """Pairs of so many motifs, each with itself too."""
    return ((a, b) for a in range(count) for b in range(a, count))


def _together(letters: Letters, first: Sites, second: Sites, kinds: Numbers) -> Floats:
    """Pairs of sites in the same draw by chain, arrangement and distance (C, 4 L); sites come in order of draws."""
    begin, end = (np.searchsorted(second.draw, first.draw, side) for side in ("left", "right"))
    count = end - begin
    one = np.repeat(np.arange(len(first)), count)
    other = np.arange(len(one)) + np.repeat(begin - np.cumsum(count) + count, count)
    length = letters.codes.shape[1]
    kind = kinds[_place(first, length)[one], _place(second, length)[other]]
    cells = letters.chain[first.draw[one]] * (4 * length + 1) + kind
    counts = np.bincount(cells, minlength=letters.chains * (4 * length + 1)).reshape(letters.chains, -1)
    return counts[:, :-1].astype(np.float64)


def _by_chain(letters: Letters, sites: Sites) -> Floats:
    """Sites by chain and by strand and start (C, 2 L)."""
    places = 2 * letters.codes.shape[1]
    cells = letters.chain[sites.draw] * places + _place(sites, places // 2)
    return np.bincount(cells, minlength=letters.chains * places).reshape(letters.chains, -1).astype(np.float64)


def _place(sites: Sites, length: int) -> Numbers:
    return sites.strand * length + sites.start


@cache
def _kinds(length: int, width_a: int, width_b: int, same: bool) -> Numbers:
    """Arrangement and distance (2 L, 2 L) of two sites as a number below 4 L, or 4 L where they overlap."""
    strand, start = np.divmod(np.arange(2 * length), length)
    right = start[None, :] - start[:, None] - width_a  # gap with b on the right of a, in the draw
    left = start[:, None] - start[None, :] - width_b
    distance = np.maximum(right, left)
    alike = strand[:, None] == strand[None, :]
    ahead = (right >= 0) == (strand[:, None] == 0)  # b is downstream of a, as a reads
    kind = np.select([alike & ahead, ~alike & ahead, alike & ~ahead], [0, 1, 2], 3)
    if same:
        kind = np.where(kind == 2, 0, kind)
    return np.where(distance >= 0, kind * length + distance, 4 * length)


def _folded(table: NDArray[np.floating], kinds: Numbers, length: int) -> Floats:
    return np.bincount(kinds.ravel(), table.ravel(), 4 * length + 1)[: 4 * length].astype(np.float64)
