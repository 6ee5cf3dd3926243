"""Draws with motifs planted at known places."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from analysis.sample_sets import sample_set

SHARP = 0.94


def matrix(word, sharpness=SHARP):
    """A motif (W, 4) that prefers the letters of a word; N is any."""
    rows = [np.full(4, 0.25) if letter == "N" else np.where([letter == a for a in "ACGT"], 1.0, 0.0) for letter in word]
    return sharpness * np.array(rows) + (1 - sharpness) * 0.25


@dataclass
class Planted:
    """Draws and what was planted in them: (draw's row, motif's row, start, strand)."""

    samples: object
    truth: list = field(default_factory=list)


def plant(seed, motifs, share=0.9, gap=None, shape=(8, 60), length=60, background=None, hold=0.3, **given):
    """Draws (C, D, L) with each motif in a share of them, anywhere on either strand; with a gap, all side by side.

    A draw repeats the places of the one before with probability hold, not the letters.
    """
    rng = np.random.default_rng(seed)
    rows = np.full((length, 4), 0.25) if background is None else background
    codes = (rng.random((*shape, length, 1)) > np.cumsum(rows, axis=1)[:, :3]).sum(axis=-1).astype(np.uint8)
    planted = Planted(None)
    for chain in range(shape[0]):
        places = _places(rng, motifs, share, gap, length)
        for draw in range(shape[1]):
            if rng.random() > hold:
                places = _places(rng, motifs, share, gap, length)
            for motif, start, strand in places:
                letters = (rng.random((len(motifs[motif]), 1)) > np.cumsum(motifs[motif], axis=1)[:, :3]).sum(axis=1)
                codes[chain, draw, start : start + len(letters)] = 3 - letters[::-1] if strand else letters
                planted.truth.append((chain * shape[1] + draw, motif, start, strand))
    planted.samples = sample_set(codes, rows, **given)
    return planted


def _places(rng, motifs, share, gap, length):
    widths = [len(motif) for motif in motifs]
    if gap is not None:
        if rng.random() > share:
            return []
        strand = int(rng.integers(2))
        order = range(len(motifs))[:: -1 if strand else 1]
        at, places = int(rng.integers(0, length - sum(widths) - gap * (len(motifs) - 1) + 1)), []
        for motif in order:
            places.append((motif, at, strand))
            at += widths[motif] + gap
        return places
    while True:
        drawn = [(m, int(rng.integers(0, length - w + 1)), int(rng.integers(2))) for m, w in enumerate(widths)]
        places = sorted((place for place in drawn if rng.random() < share), key=lambda place: place[1])
        if all(a[1] + widths[a[0]] <= b[1] for a, b in pairwise(places)):
            return places
