"""Informative segments of anchors, and the motifs that recur among them on either strand at any offset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis.information import Frequencies, Information
from maxent_cli.analysis.jackknife import jackknife
from maxent_cli.data import Floats, Motif, SampleSet

_TWO = {frozenset(pair): code for pair, code in zip(("AG", "CT", "CG", "AT", "GT", "AC"), "RYSWKM", strict=True)}


@dataclass(frozen=True)
class Calling:
    """When positions make a segment: bits each, bits over their error, gap in bp to bridge, least width in bp."""

    bits: float = 0.1
    errors: float = 3.0
    gap: int = 2
    width: int = 5


@dataclass(frozen=True)
class Segment:
    """A stretch of an anchor where the draws hold information; start and end in bp of it, 0-based half-open."""

    anchor: str
    start: int
    end: int
    bits: float
    motif: Motif


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
class Member:
    """A segment, by its row, on a group's motif: its first column on the strand at the motif's column offset."""

    segment: int
    offset: int
    strand: str


@dataclass(frozen=True)
class Group:
    """Segments that are one motif, their counts summed, and the number of anchors that they come from."""

    motif: Motif
    anchors: int
    members: tuple[Member, ...]


@dataclass(frozen=True)
class _Item:
    counts: Floats
    members: tuple[Member, ...]
    widths: tuple[int, ...]


def find_segments(samples: SampleSet, letters: Frequencies, held: Information, calling: Calling) -> list[Segment]:
    """The informative segments of one anchor, in order; a fixed position belongs to none and is not bridged.

    A segment's counts are its letter frequencies times its ESS, the median over its positions.
    """
    return [
        _segment(samples.name, start, end, letters, held)
        for start, end in _stretches(_standing_out(held, calling), samples.mutable, calling)
    ]


def best_match(motif: Motif, other: Motif) -> Match:
    """The offset and strand at which a motif is most similar to another; of equals the plus strand."""
    width = len(motif.counts)
    padded = np.pad(_centred(other.counts), ((width, width), (0, 0)))[None]
    offset, strand, similarity = _best_place(_centred(motif.counts), padded)[:, 0]
    first = int(offset) - width
    overlap = min(len(other.counts), first + width) - max(0, first)
    return Match(float(similarity), first, "+-"[int(strand)], max(overlap, 0))


def aggregate(segments: Sequence[Segment], similarity: float = 0.65, bits: float = 0.1) -> list[Group]:
    """Motifs that recur among segments: greedy from the strongest, each joining the group most similar to it.

    Groups that are alike are joined in turn. A motif is trimmed to columns that half of its sites cover and edges of
    at least the given bits against uniform letters; most anchors first. Offsets of members refer to the trimmed motif.
    """
    order = np.argsort([-segment.bits for segment in segments], kind="stable")
    items = [
        _Item(segments[row].motif.counts, (Member(int(row), 0, "+"),), (len(segments[row].motif.counts),))
        for row in order
    ]
    groups = _greedy(items, similarity)
    groups = _greedy(sorted(groups, key=lambda item: -len(item.members)), similarity)
    found = [_group(item, segments, bits) for item in groups]
    found.sort(key=lambda group: (-group.anchors, -group.motif.sites))
    return [_named(group, number) for number, group in enumerate(found, 1)]


def column_information(group: Group, segments: Sequence[Segment], background: Floats) -> tuple[Floats, Floats]:
    """Bits (W,) of a group's columns against letter frequencies (4,), bias-corrected by their counts, and errors.

    The errors are over segments (jackknife), so that they hold for other anchors too; nan for a single segment.
    """
    counts = group.motif.counts
    without = counts - np.array([_aligned(segments[member.segment], member, len(counts)) for member in group.members])
    kept = np.maximum(without, 0)
    kept = np.where(kept.sum(axis=-1, keepdims=True) > 1e-9 * counts.sum(), kept, counts)
    error = jackknife(_divergence(counts, background), _divergence(kept, background)).error
    return _divergence(counts, background) - 3 / (2 * counts.sum(axis=1) * np.log(2)), error


def consensus(motif: Motif) -> str:
    """One letter a column: a letter at half or more, else two (IUPAC) at three quarters or more, else N."""
    return "".join(_column_letter(column) for column in motif.probabilities)


def _column_letter(column: Floats) -> str:
    first, second = np.argsort(-column, kind="stable")[:2]
    if column[first] >= 0.5:
        return LETTERS[first]
    return _TWO[frozenset((LETTERS[first], LETTERS[second]))] if column[first] + column[second] >= 0.75 else "N"


def _divergence(counts: Floats, background: Floats) -> Floats:
    return np.asarray(rel_entr(counts / counts.sum(axis=-1, keepdims=True), background).sum(axis=-1) / np.log(2))


def _aligned(segment: Segment, member: Member, width: int) -> Floats:
    """The counts (W, 4) of a segment on the columns of the motif that it belongs to."""
    counts = segment.motif.counts if member.strand == "+" else segment.motif.counts[::-1, ::-1]
    columns = member.offset + np.arange(len(counts))
    inside = (columns >= 0) & (columns < width)
    placed = np.zeros((width, 4))
    placed[columns[inside]] = counts[inside]
    return placed


def _standing_out(held: Information, calling: Calling) -> NDArray[np.bool_]:
    return np.asarray((held.positions >= calling.bits) & (held.positions >= calling.errors * held.errors))


def _stretches(informative: NDArray[np.bool_], mutable: NDArray[np.bool_], calling: Calling) -> list[tuple[int, int]]:
    places = np.flatnonzero(informative & mutable)
    stretches = list[tuple[int, int]]()
    for place in places.tolist():
        if stretches and place - stretches[-1][1] <= calling.gap and mutable[stretches[-1][1] : place].all():
            stretches[-1] = (stretches[-1][0], place + 1)
        else:
            stretches.append((place, place + 1))
    return [(start, end) for start, end in stretches if end - start >= calling.width]


def _segment(anchor: str, start: int, end: int, letters: Frequencies, held: Information) -> Segment:
    sites = float(np.median(letters.ess[start:end]))
    motif = Motif(f"{anchor}:{start}-{end}", letters.probabilities[start:end] * sites, sites)
    return Segment(anchor, start, end, float(held.positions[start:end].sum()), motif)


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


def _greedy(items: Sequence[_Item], similarity: float) -> list[_Item]:
    """Lay each item on the group most similar to it, or begin another; groups are drawn on canvases of one length."""
    margin = max((len(item.counts) for item in items), default=0)
    counts = np.zeros((len(items), 3 * margin, 4))
    centred = np.zeros_like(counts)
    groups = list[_Item]()
    for item in items:
        offset, strand, best = _best_place(_centred(item.counts), centred[: max(len(groups), 1)])
        row = int(best.argmax())
        if best[row] < similarity:
            row, at, turned = len(groups), margin, False
            groups.append(_Item(counts[row], (), ()))
        else:
            at, turned = int(offset[row]), bool(strand[row])
        counts[row, at : at + len(item.counts)] += item.counts[::-1, ::-1] if turned else item.counts
        centred[row] = _centred(counts[row])
        members = groups[row].members + _moved(item, at, turned)
        groups[row] = _Item(counts[row], members, groups[row].widths + item.widths)
    return [_cropped(group, np.flatnonzero(group.counts.sum(axis=1))) for group in groups]


def _moved(item: _Item, offset: int, turned: bool) -> tuple[Member, ...]:
    """Members of an item that is laid at an offset, turned to the other strand or not."""
    if not turned:
        return tuple(Member(m.segment, offset + m.offset, m.strand) for m in item.members)
    width = len(item.counts)
    return tuple(
        Member(m.segment, offset + width - m.offset - w, "-" if m.strand == "+" else "+")
        for m, w in zip(item.members, item.widths, strict=True)
    )


def _cropped(item: _Item, columns: NDArray[np.intp]) -> _Item:
    first, last = int(columns[0]), int(columns[-1])
    return _Item(item.counts[first : last + 1], _moved(item, -first, False), item.widths)


def _group(item: _Item, segments: Sequence[Segment], bits: float) -> Group:
    totals = item.counts.sum(axis=1)
    covered = totals >= totals.max() / 2
    probabilities = item.counts / np.maximum(totals, 1e-300)[:, None]
    entropy = -(probabilities * np.log2(np.where(probabilities > 0, probabilities, 1))).sum(axis=1)
    kept = np.flatnonzero(covered & (2 - entropy >= bits))
    trimmed = _cropped(item, kept if len(kept) else np.flatnonzero(covered))
    anchors = {segments[member.segment].anchor for member in item.members}
    sites = sum(segments[member.segment].motif.sites for member in item.members)
    return Group(Motif("", trimmed.counts, sites), len(anchors), trimmed.members)


def _named(group: Group, number: int) -> Group:
    motif = Motif(f"motif_{number}", group.motif.counts, group.motif.sites)
    return Group(motif, group.anchors, group.members)
