"""Known motifs that found ones are like: Tomtom, by memelite."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maxent_cli.data import Floats, Motif
from maxent_cli.tables.columns import BEST

FEWEST = 25  # known motifs below which Tomtom's p-values depend much on which they are
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


def name_motifs(motifs: Sequence[Motif], known: Sequence[Motif]) -> list[list[Name]]:
    """The three known motifs most like each motif, the best first.

    Source: Gupta et al., Genome Biology 8:R24, 2007.
    """
    if not motifs or not known:
        return [[] for _ in motifs]
    from memelite import tomtom

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="tomtom was given")
        matrices = [[_columns(motif) for motif in group] for group in (motifs, known)]
        p, _, _, overlaps, strands = tomtom(*matrices)[:5]
    return [_best(known, *rows) for rows in zip(np.clip(p, _LEAST_P, 1), overlaps, strands, strict=True)]


def _columns(motif: Motif) -> Floats:
    return np.ascontiguousarray(motif.probabilities.T)


def _best(known: Sequence[Motif], p: Floats, overlaps: Floats, strands: Floats) -> list[Name]:
    from scipy.stats import false_discovery_control  # a second to import

    q = false_discovery_control(p)
    order = np.argsort(p, kind="stable")[:BEST]
    return [Name(known[k].name, float(p[k]), float(q[k]), int(overlaps[k]), "+-"[int(strands[k])]) for k in order]
