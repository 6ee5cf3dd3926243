"""Random sequences with motifs planted in them, and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, reverse_complement

Floats = NDArray[np.float64]
Range = tuple[int, int]  # both ends counted

STRANDS = ("+", "-", "both")
_TRIES = 1000


@dataclass(frozen=True)
class Element:
    """A motif as it is planted: probabilities (W, 4), and whether the reverse complement of its sites is meant."""

    name: str
    probabilities: Floats
    turned: bool = False


@dataclass(frozen=True)
class Planting:
    """Motifs planted together, in this order, gap bp between neighbours.

    density is the probability that a sequence has them; position the 0-based starts allowed for the arrangement
    (None: anywhere); on strand '-' the whole arrangement is reverse-complemented, on 'both' for half of them.
    """

    elements: tuple[Element, ...]
    density: float = 1.0
    position: Range | None = None
    strand: str = "both"
    gap: Range = (0, 0)

    @property
    def longest(self) -> int:
        """The most bp that the arrangement can take up."""
        return sum(len(e.probabilities) for e in self.elements) + self.gap[1] * (len(self.elements) - 1)


@dataclass(frozen=True)
class Site:
    """A planted site: 0-based half-open, in bp; score is its log2 odds against the background, in bits."""

    name: str
    start: int
    end: int
    strand: str
    score: float


@dataclass(frozen=True)
class Simulation:
    """What to draw: sequences of length bp, letters independent with frequencies background (4,), and plantings."""

    length: int
    background: tuple[float, float, float, float]
    plantings: tuple[Planting, ...] = ()


@dataclass(frozen=True)
class _Placed:
    planting: Planting
    start: int
    gaps: tuple[int, ...]
    strand: str

    @property
    def end(self) -> int:
        return self.start + sum(len(e.probabilities) for e in self.planting.elements) + sum(self.gaps)


def simulate(simulation: Simulation, count: int, seed: int) -> Iterator[tuple[Codes, list[Site]]]:
    """Draw count sequences (L,) with their sites by start; sequence i is a function of (seed, i) alone.

    Which plantings a sequence has is drawn first; then places, gaps and strands are drawn together until no two
    arrangements overlap, so that all ways of fitting are equally likely. Raises ValueError where they do not fit.
    """
    for index in range(count):
        chance = np.random.default_rng((seed, index))
        codes = chance.choice(4, simulation.length, p=simulation.background).astype(np.uint8)
        carried = [planting for planting in simulation.plantings if chance.random() < planting.density]
        sites = [
            site
            for placed in _place(carried, simulation.length, chance)
            for site in _plant(placed, codes, simulation.background, chance)
        ]
        yield codes, sorted(sites, key=lambda site: site.start)


def _place(plantings: list[Planting], length: int, chance: np.random.Generator) -> list[_Placed]:
    for _ in range(_TRIES):
        placed = sorted((_draw_place(p, length, chance) for p in plantings), key=lambda place: place.start)
        if all(left.end <= right.start for left, right in pairwise(placed)):
            return placed
    raise ValueError(
        f"no way of fitting {len(plantings)} plantings side by side in {length} bp found in {_TRIES} tries"
    )


def _draw_place(planting: Planting, length: int, chance: np.random.Generator) -> _Placed:
    gaps = tuple(int(chance.integers(*planting.gap, endpoint=True)) for _ in planting.elements[1:])
    width = sum(len(element.probabilities) for element in planting.elements) + sum(gaps)
    first, last = planting.position or (0, length - width)
    if first < 0 or last < first or last + width > length:
        raise ValueError(f"a start of {first}-{last} leaves no room for {width} bp in {length} bp")
    strand = "+-"[chance.integers(2)] if planting.strand == "both" else planting.strand
    return _Placed(planting, int(chance.integers(first, last, endpoint=True)), gaps, strand)


def _plant(placed: _Placed, codes: Codes, background: tuple[float, ...], chance: np.random.Generator) -> list[Site]:
    """Write the sites into codes (L,); an arrangement on '-' is laid out from its right end."""
    sites, offset = list[Site](), 0
    for element, gap in zip(placed.planting.elements, (*placed.gaps, 0), strict=True):
        width = len(element.probabilities)
        start = placed.end - offset - width if placed.strand == "-" else placed.start + offset
        letters = _draw_site(element.probabilities, chance)
        score = float(np.log2(element.probabilities[range(width), letters] / np.array(background)[letters]).sum())
        backward = (placed.strand == "-") != element.turned
        codes[start : start + width] = reverse_complement(letters) if backward else letters
        sites.append(Site(element.name, start, start + width, "-" if backward else "+", score))
        offset += width + gap
    return sites


def _draw_site(probabilities: Floats, chance: np.random.Generator) -> Codes:
    """One letter a row of probabilities (W, 4), never one of probability 0."""
    steps = np.cumsum(probabilities, axis=1)
    drawn = (chance.random((len(steps), 1)) * steps[:, -1:] >= steps).sum(axis=1)
    return np.asarray(np.minimum(drawn, 3), np.uint8)
