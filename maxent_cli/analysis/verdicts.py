"""Is a motif held, not held or avoided? Its sites in the draws of some anchors beside those of their background.

Two ratios say so, each as log2 of draws over background: of the share of draws that have a site anywhere, and of the
sites where no held motif stands, which would be missing under it anyhow. A motif is held where the first, and avoided
where both are beyond half a bit, by more than chance among all motifs that were asked about. What is said is of these
anchors: errors are over the chains of each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from maxent_cli.analysis.jackknife import Estimate
from maxent_cli.data import Floats

LEAST = 0.5  # bits by which shares must differ: a factor of 1.41
MOST_Q = 0.05
ANCHOR_ERRORS = 3.0  # beyond which a single anchor holds or avoids a motif
HELD, AVOIDED, NOT_HELD, UNDECIDED = "held", "avoided", "not held", "undecided"


@dataclass
class SiteSums:
    """Sums over A anchors of what panels.counts_of gives of draws and background: means and variances (2, 2, M).

    The first axis is draws or background, the second anywhere or elsewhere. draws: of each anchor. holding, avoiding
    (M,): anchors that do beyond their own errors.
    """

    motifs: int
    anchors: int = 0
    draws: int = 0

    def __post_init__(self) -> None:
        self.means, self.variances = np.zeros((2, 2, self.motifs)), np.zeros((2, 2, self.motifs))
        self.squares = np.zeros((2, 2, self.motifs))
        self.holding, self.avoiding = np.zeros(self.motifs, np.int64), np.zeros(self.motifs, np.int64)

    def add(self, counts: Floats, draws: int) -> None:
        """Take in an anchor: counts (2, 2, C, M) by chain of so many draws, and of as many of the background."""
        chains = counts.shape[2]
        own = counts.mean(axis=2)
        spread = counts.var(axis=2, ddof=1) / chains if chains > 1 else np.zeros_like(own)
        variance = np.maximum(spread, own / draws)  # no less than Poisson's
        ratios = _log_ratios(own, variance, draws)
        self.holding += ratios.value[0] - LEAST >= ANCHOR_ERRORS * ratios.error[0]
        self.avoiding += (ratios.value + LEAST <= -ANCHOR_ERRORS * ratios.error).all(axis=0)
        self.means, self.variances = self.means + own, self.variances + variance
        self.squares = self.squares + variance**2 / max(chains - 1, 1)
        self.anchors, self.draws = self.anchors + 1, self.draws + draws

    def first(self, motifs: int) -> "SiteSums":
        """The sums of so many motifs, the first ones."""
        return self._of(slice(0, motifs))

    def from_row(self, row: int) -> "SiteSums":
        """The sums of the motifs from a row on."""
        return self._of(slice(row, self.motifs))

    def _of(self, rows: slice) -> "SiteSums":
        part = SiteSums(len(range(self.motifs)[rows]), self.anchors, self.draws)
        part.means, part.variances = self.means[..., rows], self.variances[..., rows]
        part.squares = self.squares[..., rows]
        part.holding, part.avoiding = self.holding[rows], self.avoiding[rows]
        return part

    @property
    def shares(self) -> Floats:
        """Mean shares (2, M) of draws and of background draws with a site anywhere."""
        return np.asarray(self.means[:, 0] / max(self.anchors, 1))

    @property
    def ratios(self) -> Estimate:
        """Log2 of draws over background (2, M), anywhere and elsewhere."""
        number = max(self.anchors, 1)
        return _log_ratios(self.means / number, self.variances / number**2, max(self.draws, 1))

    @property
    def freedom(self) -> Floats:
        """Degrees of freedom (2, M) of the ratios' errors, anchors differing in variance (Satterthwaite 1946)."""
        sums, squares = self.variances.sum(axis=0), self.squares.sum(axis=0)
        return np.asarray(np.maximum(sums**2 / np.where(squares > 0, squares, np.inf), 1.0))


@dataclass(frozen=True)
class Verdict:
    """What is said of a motif: ratios (2,) in bits with 95 % intervals (2, 2), p, and q among all motifs asked."""

    verdict: str
    ratios: Floats
    intervals: Floats
    p: float
    q: float


def verdicts(sums: SiteSums) -> list[Verdict]:
    """Of each motif whether it is held or avoided, at a false discovery rate of 0.05 among all."""
    if not sums.motifs:
        return []
    from scipy.stats import false_discovery_control  # a second to import

    found, freedom = sums.ratios, sums.freedom
    held = stdtr(freedom[0], (LEAST - found.value[0]) / found.error[0])
    avoided = stdtr(freedom, (found.value + LEAST) / found.error).max(axis=0)
    p = np.minimum(2 * np.minimum(held, avoided), 1)
    q = np.atleast_1d(false_discovery_control(p))
    half = stdtrit(freedom, 0.975) * found.error
    intervals = np.stack([found.value - half, found.value + half], axis=-1)
    return [
        Verdict(
            _verdict(bool(held[row] < avoided[row]), float(q[row]), intervals[:, row]),
            found.value[:, row],
            intervals[:, row],
            float(p[row]),
            float(q[row]),
        )
        for row in range(sums.motifs)
    ]


def _verdict(more: bool, q: float, intervals: Floats) -> str:
    if q <= MOST_Q:
        return HELD if more else AVOIDED
    within = intervals[0, 1] < LEAST and intervals[1, 0] > -LEAST
    return NOT_HELD if within else UNDECIDED


def _log_ratios(means: Floats, variances: Floats, draws: int) -> Estimate:
    """Log2 of draws over background (2, M) from means and variances (2, 2, M); half a site is added to both."""
    means = means + 0.5 / draws
    relative = (variances + 0.5 / draws**2) / np.square(means)
    value: NDArray[np.float64] = np.log2(means[0] / means[1])
    return Estimate(value, np.sqrt(relative.sum(axis=0)) / np.log(2))
