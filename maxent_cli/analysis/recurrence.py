"""Which motifs of anchors are one motif, and whether more come together than would by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maxent_cli.analysis.discovery import Calling, Found, divergence
from maxent_cli.analysis.motifs import cluster, largest_by_chance
from maxent_cli.data import Floats, Motif

SHUFFLES = 5
MOST = 30  # motifs that are looked for in all draws


@dataclass(frozen=True)
class Merged:
    """A motif that anchors share: weights (W, 4) = log2 r against the reference, and the anchors it was found in."""

    weights: Floats
    anchors: frozenset[int]


@dataclass(frozen=True)
class Recurrence:
    """How many anchors the most frequent motif has, and, at most, with the columns of each anchor's motif shuffled."""

    found: int
    by_chance: int


def merge(found: Sequence[tuple[int, Found]], reference: Floats, calling: Calling, similarity: float) -> list[Merged]:
    """Motifs of anchors (by row) that are alike, as one; those in most anchors first, thirty at most."""
    ordered = _strongest_first(found)
    clusters = cluster([_motif(one, reference) for _, one in ordered], similarity)
    merged = [
        Merged(_trimmed(one.counts, reference, calling), frozenset(ordered[row][0] for row in one.members))
        for one in clusters
    ]
    wide = [one for one in merged if len(one.weights) >= calling.width]
    return sorted(wide, key=lambda one: -len(one.anchors))[:MOST]


def recurrence(found: Sequence[tuple[int, Found]], reference: Floats, similarity: float) -> Recurrence:
    """Whether motifs recur beyond what motifs of such columns do by chance."""
    chance = np.random.default_rng(0)
    motifs = [_motif(one, reference) for _, one in _strongest_first(found)]
    most = max((len(one.members) for one in cluster(motifs, similarity)), default=0)
    return Recurrence(most, max(largest_by_chance(motifs, similarity, chance) for _ in range(SHUFFLES)))


def _strongest_first(found: Sequence[tuple[int, Found]]) -> list[tuple[int, Found]]:
    return sorted(found, key=lambda pair: -float(pair[1].bits.sum()) * pair[1].share)


def _motif(found: Found, reference: Floats) -> Motif:
    """An anchor's motif under the reference background; its counts are the per cent of draws that hold it."""
    shares = reference * np.exp2(found.weights)
    return Motif("", 100 * found.share * shares / shares.sum(axis=1, keepdims=True), 100 * found.share)


def _trimmed(counts: Floats, reference: Floats, calling: Calling) -> Floats:
    """Log odds of the columns between the first and the last that hold information."""
    bits = divergence(counts, reference)
    kept = np.flatnonzero(bits >= calling.bits)
    inside = counts[kept[0] : kept[-1] + 1] if len(kept) else counts[:0]
    total = inside.sum(axis=1, keepdims=True)
    return np.asarray(np.log2((inside + reference) / (total + 1) / reference))
