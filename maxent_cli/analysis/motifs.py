"""Motifs side by side: how one lies on another, which of them are one motif."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats, Motif

_TWO = {frozenset(pair): code for pair, code in zip(("AG", "CT", "CG", "AT", "GT", "AC"), "RYSWKM", strict=True)}


def score_law(scores: NDArray[np.integer[Any]], background: Floats) -> tuple[int, Floats]:
    """The lowest sum of whole-number scores (W, 4) of independent letters, and the chance of each sum from it on."""
    law = np.ones(1)
    for column in scores - scores.min(axis=1, keepdims=True):
        longer = np.zeros(len(law) + int(column.max()))
        for score, share in zip(column, background, strict=True):
            longer[score : score + len(law)] += share * law
        law = longer
    return int(scores.min(axis=1).sum()), law


@dataclass(frozen=True)
class Match:
    """How one motif lies on another: its first column, on the given strand, at the other's column offset.

    similarity is Pearson's correlation of the letter probabilities, columns that hang over counting as uniform.
    """

    similarity: float
    offset: int
    strand: str
    overlap: int


@dataclass(frozen=True)
class Cluster:
    """Motifs, by their rows, that are one; their counts (W, 4) summed, on the strand of the first."""

    counts: Floats
    members: tuple[int, ...]


def best_match(motif: Motif, other: Motif) -> Match:
    """The offset and strand at which a motif is most similar to another; of equals the plus strand."""
    width = len(motif.counts)
    padded = np.pad(_centred(other.counts), ((width, width), (0, 0)))[None]
    offset, strand, similarity = _best_place(_centred(motif.counts), padded)[:, 0]
    first = int(offset) - width
    overlap = min(len(other.counts), first + width) - max(0, first)
    return Match(float(similarity), first, "+-"[int(strand)], max(overlap, 0))


def cluster(motifs: Sequence[Motif], similarity: float = 0.65) -> list[Cluster]:
    """Motifs that are one, on either strand at any offset: greedy in the order given, each joining the most similar.

    Clusters that are alike are joined in turn. Columns that half of the members' sites cover are kept; most members
    first.
    """
    clusters = _greedy([Cluster(motif.counts, (row,)) for row, motif in enumerate(motifs)], similarity)
    clusters = _greedy(sorted(clusters, key=lambda one: -len(one.members)), similarity)
    return sorted((_trimmed(one) for one in clusters), key=lambda one: (-len(one.members), -one.counts.sum()))


def similarities(motif: Motif, others: Sequence[Motif]) -> Floats:
    """How similar each of G motifs (G,) is to one, at the offset and on the strand where it is most."""
    width, longest = len(motif.counts), max((len(other.counts) for other in others), default=0)
    drawn = np.zeros((len(others), longest + 2 * width, 4))
    for canvas, other in zip(drawn, others, strict=True):
        canvas[width : width + len(other.counts)] = _centred(other.counts)
    return np.asarray(_best_place(_centred(motif.counts), drawn)[2])


def consensus(motif: Motif) -> str:
    """One letter a column: a letter at half or more, else two (IUPAC) at three quarters or more, else N."""
    shares = motif.probabilities
    order = np.argsort(-shares, axis=1, kind="stable")[:, :2]
    return "".join(map(_column_letter, order.tolist(), np.take_along_axis(shares, order, axis=1).tolist()))


def _column_letter(two: list[int], shares: list[float]) -> str:
    first, second = (LETTERS[letter] for letter in two)
    if shares[0] >= 0.5:
        return first
    return _TWO[frozenset((first, second))] if sum(shares) >= 0.75 else "N"


def _centred(counts: Floats) -> Floats:
    """Counts (..., W, 4) as excess over uniform, as shares of the best covered column."""
    total = counts.sum(axis=-1, keepdims=True)
    most = total.max(axis=-2, keepdims=True)
    return np.asarray((counts - total / 4) / np.where(most > 0, most, 1))


def _best_place(motif: Floats, others: Floats) -> Floats:
    """Offset, strand (0 plus, 1 minus) and similarity (3, G) of a motif (W, 4) on each of others (G, P, 4), centred."""
    plus, minus = _correlations(motif, others), _correlations(motif[::-1, ::-1], others)
    both = np.concatenate([plus, minus], axis=1)
    best = both.argmax(axis=1)
    norm = np.linalg.norm(motif) * np.linalg.norm(others, axis=(1, 2))
    similarity = np.take_along_axis(both, best[:, None], axis=1)[:, 0] / np.where(norm > 0, norm, np.inf)
    return np.stack([best % plus.shape[1], best // plus.shape[1], similarity])


def _correlations(motif: Floats, others: Floats) -> Floats:
    places = others.shape[1] - len(motif) + 1
    scores = np.zeros((len(others), places))
    for column, letters in enumerate(motif):
        scores += others[:, column : column + places] @ letters
    return scores


def _greedy(items: Sequence[Cluster], similarity: float) -> list[Cluster]:
    """Lay each item on the cluster most similar to it, or begin another; all are drawn on canvases of one length."""
    margin = max((len(item.counts) for item in items), default=0)
    counts = np.zeros((len(items), 3 * margin, 4))
    centred = np.zeros_like(counts)
    members = list[tuple[int, ...]]()
    for item in items:
        offset, strand, best = _best_place(_centred(item.counts), centred[: max(len(members), 1)])
        row = int(best.argmax())
        if best[row] < similarity:
            row, at, turned = len(members), margin, False
            members.append(())
        else:
            at, turned = int(offset[row]), bool(strand[row])
        counts[row, at : at + len(item.counts)] += item.counts[::-1, ::-1] if turned else item.counts
        centred[row] = _centred(counts[row])
        members[row] += item.members
    return [Cluster(_covered(drawn, 0), rows) for drawn, rows in zip(counts, members, strict=False)]


def _trimmed(one: Cluster) -> Cluster:
    return Cluster(_covered(one.counts, 0.5), one.members)


def _covered(counts: Floats, share: float) -> Floats:
    """The columns from the first to the last that hold more than a share of the most counts of any column."""
    totals = counts.sum(axis=1)
    places = np.flatnonzero((totals > 0) & (totals >= share * totals.max()))
    return counts[places[0] : places[-1] + 1]
