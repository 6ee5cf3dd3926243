"""Known motifs that found ones are like: Tomtom, by memelite; those that are like each other are one answer."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maxent_cli.analysis.motifs import similarities
from maxent_cli.data import Floats, Motif
from maxent_cli.tables.columns import BEST, KNOWN_COLUMNS
from maxent_cli.tables.motifs import TELLING_Q

ALIKE = 0.75  # from which known motifs are alike: 1 where the one with less information lies in the other
MOST_LISTED = 100  # of the known motifs that one is like, the most like
NAMED = 3  # names in a label
_LEAST_P = 1e-300


@dataclass(frozen=True)
class Name:
    """A known motif like a found one: Tomtom's p, q over the known motifs (Benjamini-Hochberg), columns that overlap.

    orientation is '+' where the two are alike as they stand, '-' where one of them is turned.
    """

    known: str
    p: float
    q: float
    overlap: int
    orientation: str

    @property
    def told(self) -> tuple[float, float, int, str]:
        """How alike the two are: p, q, overlap and orientation."""
        return self.p, self.q, self.overlap, self.orientation

    @property
    def name(self) -> str:
        """What it is called: its other name, or its identifier where it has none."""
        return self.known.partition(" ")[2] or self.known


@dataclass(frozen=True)
class Family:
    """Known motifs that are like a found one and like each other, the most like first."""

    members: tuple[Name, ...]

    @property
    def best(self) -> Name:
        """The most like."""
        return self.members[0]

    @property
    def label(self) -> str:
        """The first names, each once whatever its case, and dots where there are more."""
        names = list({one.name.upper(): one.name for one in reversed(self.members)}.values())[::-1]
        return ", ".join(names[:NAMED] + (["..."] if len(names) > NAMED else []))

    @property
    def tells(self) -> bool:
        """Whether it is more than chance."""
        return self.best.q <= TELLING_Q


def cells_of(families: Sequence[Family]) -> list[str | float | None]:
    """What KNOWN_COLUMNS say of a motif's families, None where there are fewer."""
    told = [cell for family in families for cell in (family.label, *family.best.told)]
    return [*told, *[None] * (len(KNOWN_COLUMNS) - len(told))]


def name_motifs(motifs: Sequence[Motif], known: Sequence[Motif]) -> list[list[Family]]:
    """The three families of known motifs most like each motif, the best first.

    Of those with a q of 0.05 or less, a known motif joins the first family whose best member's matrix lies in its own,
    or the other way round, to 0.75 or more, or that has its name; where none has such a q, the best three stand for
    themselves. Source: Gupta et al., Genome Biology 8:R24, 2007.
    """
    if not motifs or not known:
        return [[] for _ in motifs]
    from memelite import tomtom

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="tomtom was given")
        matrices = [[_columns(motif) for motif in group] for group in (motifs, known)]
        p, _, _, overlaps, strands = tomtom(*matrices)[:5]
    return [_families(known, *rows) for rows in zip(np.clip(p, _LEAST_P, 1), overlaps, strands, strict=True)]


def _columns(motif: Motif) -> Floats:
    return np.ascontiguousarray(motif.probabilities.T)


def _families(known: Sequence[Motif], p: Floats, overlaps: Floats, strands: Floats) -> list[Family]:
    from scipy.stats import false_discovery_control  # a second to import

    q = false_discovery_control(p)
    order = np.argsort(p, kind="stable")[:MOST_LISTED]
    telling = order[q[order] <= TELLING_Q]
    names = {
        int(k): Name(known[k].name, float(p[k]), float(q[k]), int(overlaps[k]), "+-"[int(strands[k])]) for k in order
    }
    groups = _grouped(telling.tolist(), known) if len(telling) else [[row] for row in order.tolist()]
    return [Family(tuple(names[row] for row in rows)) for rows in groups[:BEST]]


def _grouped(rows: list[int], known: Sequence[Motif]) -> list[list[int]]:
    """Rows of known motifs, each with the first that it is like, or with one of its own name."""
    groups = list[list[int]]()
    while rows:
        first, *rest = rows
        alike = _contained(known[first], [known[row] for row in rest]) >= ALIKE
        named = {_name(known[row]) for row in (first, *(row for row, same in zip(rest, alike, strict=True) if same))}
        group = {row for row, same in zip(rest, alike, strict=True) if same or _name(known[row]) in named}
        groups.append([first, *(row for row in rest if row in group)])
        rows = [row for row in rest if row not in group]
    return groups


def _name(known: Motif) -> str:
    """What it is called, whatever its case."""
    return (known.name.partition(" ")[2] or known.name).upper()


def _contained(motif: Motif, others: Sequence[Motif]) -> Floats:
    """How far a motif lies in each of G others (G,), or the other in it: their product over that of the smaller one."""
    sizes = np.array([np.linalg.norm(one.probabilities - 0.25) for one in (motif, *others)])
    smaller, larger = np.minimum(sizes[0], sizes[1:]), np.maximum(sizes[0], sizes[1:])
    return np.asarray(similarities(motif, others) * larger / np.where(smaller > 0, smaller, np.inf))
