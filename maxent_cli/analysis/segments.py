"""Informative segments of an anchor: stretches where the draws hold information in place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.information import Frequencies, Information
from maxent_cli.data import Motif, SampleSet


@dataclass(frozen=True)
class Segment:
    """A stretch of an anchor where the draws hold information; start and end in bp of it, 0-based half-open."""

    anchor: str
    start: int
    end: int
    bits: float
    motif: Motif


def find_segments(samples: SampleSet, letters: Frequencies, held: Information, calling: Calling) -> list[Segment]:
    """The informative segments of one anchor, in order; a fixed position belongs to none and is not bridged.

    A segment's counts are its letter frequencies times its ESS, the median over its positions.
    """
    return [
        _segment(samples.name, start, end, letters, held)
        for start, end in _stretches(_standing_out(held, calling), samples.mutable, calling)
    ]


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
