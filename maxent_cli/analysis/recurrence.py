"""Which motifs of anchors are one motif, and whether it comes again more often than motifs of such columns would."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc

from maxent_cli.analysis.discovery import Calling, Found
from maxent_cli.analysis.information import divergence
from maxent_cli.analysis.motifs import Cluster, cluster, similarities
from maxent_cli.data import Floats, Motif

SHUFFLED = 1000  # motifs with shuffled columns, or more, that a motif is held against
MOST = 30  # motifs that are looked for in all draws


@dataclass(frozen=True)
class Shuffles:
    """How many motifs of anchors with their columns in random order are like a motif, and of how many."""

    alike: int
    of: int


@dataclass(frozen=True)
class Merged:
    """A motif that anchors share: weights (W, 4) = log2 r against the reference, and the anchors it was found in.

    members: how many motifs of anchors, of those that count, it is made of. p is the chance that any motif has so many,
    were each anchor's motif as often like it as motifs with shuffled columns are; nan for one, which says nothing.
    """

    weights: Floats
    anchors: frozenset[int]
    members: int
    shuffled: Shuffles
    p: float


def merge(
    found: Sequence[tuple[int, Found]],
    reference: Floats,
    calling: Calling,
    similarity: float,
    converged: Collection[int] | None = None,
) -> list[Merged]:
    """Motifs of anchors (by row) that are alike, as one; those in most anchors first, thirty at most.

    Whether one comes again is judged by the motifs of converged anchors (rows; None: of all).
    """
    ordered = sorted(found, key=lambda pair: -float(pair[1].bits.sum()) * pair[1].share)
    motifs = [_motif(one, reference) for _, one in ordered]
    clusters, shuffled = cluster(motifs, similarity), _shuffled(motifs)
    counts = [converged is None or anchor in converged for anchor, _ in ordered]
    merged = list[Merged]()
    for one in clusters[:MOST]:
        alike = int((similarities(Motif("", one.counts, 0), shuffled) >= similarity).sum())
        anchors = frozenset(ordered[row][0] for row in one.members)
        shuffles = Shuffles(alike, len(shuffled))
        members = sum(counts[row] for row in one.members)
        p = min(1.0, len(clusters) * chance_of(members, sum(counts), shuffles)) if members > 1 else np.nan
        merged.append(Merged(_trimmed(one, reference, calling), anchors, members, shuffles, p))
    wide = [one for one in merged if len(one.weights) >= calling.width]
    return sorted(wide, key=lambda one: -len(one.anchors))


def chance_of(members: int, motifs: int, shuffles: Shuffles) -> float:
    """The chance that one of so many motifs has as many members, itself included, at the rate of shuffled motifs."""
    rate = (shuffles.alike + 1) / (shuffles.of + 1)
    return float(bdtrc(members - 2, motifs - 1, rate)) if members > 1 else 1.0


def _shuffled(motifs: Sequence[Motif]) -> list[Motif]:
    """The motifs with the columns of each in random order, as often as it takes."""
    chance, times = np.random.default_rng(0), -(-SHUFFLED // max(len(motifs), 1))
    return [Motif(one.name, chance.permutation(one.counts), one.sites) for _ in range(times) for one in motifs]


def _motif(found: Found, reference: Floats) -> Motif:
    """An anchor's motif under the reference background; its counts are the per cent of draws that hold it."""
    shares = reference * np.exp2(found.weights)
    return Motif("", 100 * found.share * shares / shares.sum(axis=1, keepdims=True), 100 * found.share)


def _trimmed(one: Cluster, reference: Floats, calling: Calling) -> Floats:
    """Log odds of the columns between the first and the last that hold information."""
    bits = divergence(one.counts, reference)
    kept = np.flatnonzero(bits >= calling.bits)
    inside = one.counts[kept[0] : kept[-1] + 1] if len(kept) else one.counts[:0]
    return Motif("", inside, 0).log_odds(reference)
