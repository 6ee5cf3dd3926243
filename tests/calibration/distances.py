"""Distances between motifs: how often one is told where there is none, and how often a fixed one is."""

from collections.abc import Iterator

import numpy as np

from maxent_cli.analysis.occupancy import MotifProbe
from maxent_cli.analysis.sites import Letters, Sites
from maxent_cli.analysis.spacing import Spacings

from .lines import Line, share

LENGTH, WIDTH, CHAINS, DRAWS = 80, 8, 8, 50
PLACES = LENGTH - WIDTH + 1
PROBE = MotifProbe(np.zeros((WIDTH, 4)), 0.0)
ANCHORS = (3, 10, 13, 100)
FIXED = 5  # bp between the two, where there is a distance


def distances(replicates: range) -> Iterator[Line]:
    """Eight chains of fifty draws with two motifs each, which keep their places for a while; q up to 0.05 is told."""
    for anchors in ANCHORS:
        for what, given in (("none", {}), ("none, anchors with places of their own", {"own": 0.7})):
            told = [bool(found(anchors, seed, **given)) for seed in replicates]
            yield share(f"{anchors} anchors, {what}: told", told, 0.0, 0.05)
        for part in (0.5, 0.1):
            seen = [FIXED in found(anchors, 1_000_000 + seed, fixed=part) for seed in replicates[::4]]
            wanted = 0.9 if part == 0.5 or anchors >= 10 else 0.0
            yield share(f"{anchors} anchors, a distance in {part:.0%} of draws: told", seen, wanted, 1.0)


def found(anchors: int, seed: int, fixed: float = 0.0, own: float = 0.0) -> list[int]:
    """The distances downstream that are told, where a share of draws has a fixed one, and of anchors' own places."""
    chance, spacings = np.random.default_rng(seed), Spacings(LENGTH)
    for _ in range(anchors):
        sites = placed(chance, fixed, own)
        letters = Letters(np.zeros((CHAINS * DRAWS, LENGTH), np.uint8), np.zeros((LENGTH, 4)), CHAINS)
        spacings.add(letters, sites, (0, 1), (PROBE, PROBE))
    return [one.distance for one in spacings.preferences() if one.q <= 0.05]


def placed(chance: np.random.Generator, fixed: float, own: float) -> Sites:
    """Sites of both motifs in each draw: strand and start, held from draw to draw by chance."""
    shape = (2, CHAINS, DRAWS)
    start, strand = chance.integers(0, PLACES, shape), chance.integers(0, 2, shape)
    usual = chance.random(shape) < own
    start = np.where(usual, chance.integers(0, PLACES, (2, 1, 1)), start)
    strand = np.where(usual, chance.integers(0, 2, (2, 1, 1)), strand)
    for draw in range(1, DRAWS):
        hold = chance.random((2, CHAINS)) < 0.5
        for values in (start, strand):
            values[..., draw] = np.where(hold, values[..., draw - 1], values[..., draw])
    beside = chance.random((CHAINS, DRAWS)) < fixed
    ahead = np.where(strand[0] == 0, 1, -1)
    start[1] = np.where(beside, start[0] + ahead * (WIDTH + FIXED), start[1])
    strand[1] = np.where(beside, strand[0], strand[1])
    inside = ((start >= 0) & (start < PLACES)).ravel()
    draw = np.tile(np.arange(CHAINS * DRAWS), 2)
    motif = np.repeat([0, 1], CHAINS * DRAWS)
    ones = np.ones(len(draw))
    return Sites(draw, start.ravel(), strand.ravel(), motif, ones, ones).take(inside)
