"""Two motifs together: what a second site is worth where the first stands, by order, strand and distance.

Sites are put into sequences of the background: neither (00), the left one (10), the right one (01), or both (11). With
F = -log <exp(-beta E)> over these, the interaction is F11 - F10 - F01 + F00, in bits: below 0 the law favours the two
together more than each by itself. Its limit at small beta, beta (<E11> - <E10> - <E01> + <E00>), rests on all sequences
alike and not on the few of least energy: it tells distances apart that the other cannot.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, stdtr

from maxent_cli.alphabet import UNKNOWN, Codes, reverse_complement
from maxent_cli.analysis.jackknife import Estimate, jackknife
from maxent_cli.analysis.spacing import ARRANGEMENTS
from maxent_cli.data import Floats, Motif
from maxent_cli.errors import require_range

LAW, OUTPUT = "law", "output"
FOUND = "found"  # pairs of the motifs that draws hold
BLOCKS = 16  # of contexts, for errors
LEAST_BITS = 0.5  # of a column that is put in; others stay as the context has them
LEAST_WORTH = 0.25  # share of contexts that must count
LEAST_CELLS = 12  # arrangements and distances, for one to stand out among them
LEAST_ANCHORS = 3
FREEDOM = 5  # degrees of freedom: how heavy the tails are that differences between distances may have by themselves
_SIGNS = np.array([1.0, -1, -1, 1])  # of neither, left, right, both
_NORMAL = 1.4826  # of a median absolute deviation, to be a standard deviation


@dataclass(frozen=True)
class Syntax:
    """Which pairs of motifs are put in, and how.

    motifs: 'found', or the path of a MEME file, of which the first four count. contexts: sequences of the background an
    anchor. max_distance: bp between facing ends. Raises InputError where a number is out of range.
    """

    motifs: str = FOUND
    contexts: int = 256
    max_distance: int = 30
    seed: int = 1

    def __post_init__(self) -> None:
        require_range("contexts", self.contexts, BLOCKS, float("inf"))
        require_range("max-distance", self.max_distance, 0, float("inf"))
        require_range("seed", self.seed, 0, float("inf"))

    @property
    def file(self) -> str | None:
        """The file that is read for the motifs, if there is one."""
        return None if self.motifs == FOUND else self.motifs


@dataclass(frozen=True)
class Placing:
    """An arrangement of two sites: their letters from the left, UNKNOWN where the context's own stay."""

    arrangement: str
    left: Codes
    right: Codes


@dataclass(frozen=True)
class Cell:
    """What an anchor's law makes of two sites in one arrangement and at one distance.

    interaction, first_order in bits; output: F11 - F10 - F01 + F00 of the mean output held; left, right: what each by
    itself adds to it; worth: Kish's number of contexts that the least of the four free energies rests on.
    """

    interaction: float
    error: float
    first_order: float
    output: float
    left: float
    right: float
    worth: float


@dataclass(frozen=True)
class Preference:
    """Over arrangements and distances: mean interactions with errors over anchors, and the distance that stands out.

    p: of the mean output interaction, two-sided, by Student's t over anchors. preferred_by: by which of LAW and OUTPUT
    the preferred cell stands out more surely. excess: first-order bits of it beyond the median of its arrangement, and
    output_excess the same of the output; preference_p: chance of as much at any, by either, were none preferred.
    """

    interaction: Estimate
    output: Estimate
    p: float
    cell: tuple[int, int]
    preferred_by: str
    excess: Estimate
    output_excess: Estimate
    preference_p: float


def site_of(motif: Motif, background: Floats) -> Codes:
    """The commonest letters (W,) of a motif; UNKNOWN where a column holds next to nothing."""
    shares = motif.probabilities
    bits = (shares * np.log2(np.maximum(shares, 1e-12) / background)).sum(axis=1)
    return np.where(bits >= LEAST_BITS, shares.argmax(axis=1), UNKNOWN).astype(np.uint8)


def placings(a: Codes, b: Codes, same: bool) -> Iterator[Placing]:
    """Every order and strand of two sites, seen with a on the plus strand; of a motif with itself those that differ."""
    both = {"a> b>": (a, b), "a> <b": (a, reverse_complement(b)), "b> a>": (b, a), "<b a>": (reverse_complement(b), a)}
    for name in ARRANGEMENTS:
        if not (same and name == "b> a>"):
            yield Placing(name, *both[name])


def put(codes: Codes, site: Codes, starts: NDArray[np.intp]) -> Codes:
    """Sequences (N, L) with a site (W,) at a start of each (N,)."""
    found = codes.copy()
    known = np.flatnonzero(site != UNKNOWN)
    found[np.arange(len(codes))[:, None], starts[:, None] + known] = site[known]
    return found


def beta_for(energies: Floats, beta: float) -> float:
    """The largest inverse temperature up to beta at which enough of the contexts (N,) count, by Kish's number.

    At the law's own beta a few sequences of the background in a million make up the free energy: no sample has them.
    """
    low, high = 0.0, beta
    if _worth(-beta * energies) >= LEAST_WORTH * len(energies):
        return beta
    for _ in range(40):
        middle = (low + high) / 2
        enough = _worth(-middle * energies) >= LEAST_WORTH * len(energies)
        low, high = (middle, high) if enough else (low, middle)
    return low


def _worth(logs: Floats) -> float:
    """Kish's effective number of weights exp(logs) (N,): (sum w)² / sum w²."""
    return float(np.exp(2 * logsumexp(logs) - logsumexp(2 * logs)))


def cell(energies: Floats, outputs: Floats, beta: float) -> Cell:
    """The interaction from energies (4, N) and outputs (4, M) of contexts with neither, left, right and both."""
    logs = -beta * energies
    blocks = np.array_split(np.arange(energies.shape[1]), BLOCKS)
    without = np.array([_interaction(np.delete(logs, block, axis=1)) for block in blocks])
    found = jackknife(np.asarray(_interaction(logs)), without)
    worth = min(map(_worth, logs))
    first = float(_SIGNS @ energies.mean(axis=1)) * beta / np.log(2)
    neither, left, right, both = outputs.mean(axis=1).tolist()
    added = both - left - right + neither, left - neither, right - neither
    return Cell(float(found.value), float(found.error), first, *added, worth)


def _interaction(logs: Floats) -> float:
    """F11 - F10 - F01 + F00, in bits, from -beta E (4, N)."""
    return float(-_SIGNS @ logsumexp(logs, axis=1) / np.log(2))


def over_anchors(values: Floats) -> Estimate:
    """Mean over anchors of values (K, ...) and its standard error, nan of one."""
    count = len(values)
    spread = values.std(axis=0, ddof=1) if count > 1 else np.full(values.shape[1:], np.nan)
    return Estimate(values.mean(axis=0), spread / np.sqrt(count))


def opposition(a: Floats, b: Floats) -> float:
    """Chance (two-sided t over anchors, of a mean that is 0) of two outputs (K,) of opposite sign; 1 of one sign."""
    if len(a) < LEAST_ANCHORS:
        return math.nan
    means = over_anchors(np.stack([a, b], axis=1))
    if means.value[0] * means.value[1] >= 0:
        return 1.0
    return float(2 * stdtr(len(a) - 1, -np.abs(means.value / means.error)).max())


def judge(interactions: Floats, first_order: Floats, outputs: Floats, towards: Floats) -> Preference:
    """The verdict on cells (K anchors, A arrangements, D distances), nan where sites do not fit.

    A distance is preferred where the law's first-order interaction there is below the others, or that of the output
    beyond them on the side of each anchor's own: towards (K,), 1 or -1. The law charges for going beyond the anchor
    too, so that two sites that do, where both stand as they should, are no gain by it.
    """
    sides = np.asarray(towards, float)[:, None, None]
    by_law, by_output = _stand_out(first_order), _stand_out(-sides * outputs)
    chosen, name = (by_output, OUTPUT) if by_output[1] < by_law[1] else (by_law, LAW)
    anchors, at = len(outputs), chosen[0]
    mean = over_anchors(np.nanmean(outputs, axis=(1, 2)))
    sure = 2 * stdtr(anchors - 1, -abs(mean.value / mean.error)) if anchors >= LEAST_ANCHORS else math.nan
    excess, of_output = (over_anchors(_beyond(values)[:, at[0], at[1]]) for values in (first_order, outputs))
    interaction = over_anchors(np.nanmean(interactions, axis=(1, 2)))
    return Preference(interaction, mean, float(sure), at, name, excess, of_output, min(2 * chosen[1], 1.0))


def _beyond(values: Floats) -> Floats:
    """By how much cells (K, A, D) are above the median of their arrangement."""
    return np.asarray(values - np.nanmedian(values, axis=2, keepdims=True))


def _stand_out(values: Floats) -> tuple[tuple[int, int], float]:
    """The cell of (K, A, D) that is furthest below the others of its arrangement, and the chance of it; nan of few.

    Beyond the error over anchors (Student's t), and beyond what distances differ by themselves, by the median absolute
    deviation of all cells (t with few degrees of freedom, for tails); both times the number of cells. So a network that
    has a little taste of its own for every distance does not prefer one.
    """
    anchors, of_cells = len(values), over_anchors(_beyond(values))
    number = int(np.isfinite(of_cells.value).sum())
    best = np.unravel_index(int(np.nanargmin(of_cells.value)), of_cells.value.shape)
    value, error = float(of_cells.value[best]), float(of_cells.error[best])
    spread = _NORMAL * float(np.nanmedian(np.abs(of_cells.value)))
    told = anchors >= LEAST_ANCHORS and number >= LEAST_CELLS and spread > 0 and error > 0
    p = max(stdtr(FREEDOM, value / spread), stdtr(anchors - 1, value / error)) * number if told else math.nan
    return (int(best[0]), int(best[1])), float(p)
