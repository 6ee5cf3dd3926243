"""Backgrounds and energies: the parts that a law is made of."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def background_rows(
    frequencies: NDArray[np.float64], anchor: NDArray[np.uint8], tether: float | NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Letter frequencies (L, 4) from one row (4,): the same everywhere, or leaning to the anchor (L,).

    A tether t, one number or one for each letter (4,), gives the anchor's letter the frequency t and shares the rest in
    proportion to the row.
    """
    rows = np.tile(frequencies / frequencies.sum(), (len(anchor), 1))
    if tether is None:
        return rows
    known = np.flatnonzero(anchor < 4)
    letters = anchor[known]
    share = np.broadcast_to(tether, 4)[letters]
    rows[known, letters] = 0
    rows[known] *= ((1 - share) / rows[known].sum(axis=1))[:, None]
    rows[known, letters] = share
    return rows


def doubled_odds(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """The tether (4,) at which each letter of the anchor has twice the odds that it has by its frequency (4,)."""
    share = frequencies / frequencies.sum()
    return np.asarray(2 * share / (1 + share))


def gc_field(rows: NDArray[np.float64], mu: float) -> NDArray[np.float64]:
    """Rows (L, 4) under exp(mu · number of G and C): letters stay independent, so it is a background."""
    tilted = rows * np.exp(mu * np.array([0.0, 1.0, 1.0, 0.0]))
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


def distance_of(represented: Tensor, weights: Tensor, negative: Tensor) -> Tensor:
    """E(x) = ||w ∘ (Phi(x) - Phi(x0))||_2 (B,), not squared (Finnegan & Song 2017, equation 2).

    represented: Phi (B, ...); negative (1 or B, ...): -weights · those of the references.
    """
    difference = torch.addcmul(negative, represented, weights)
    distance: Tensor = torch.linalg.vector_norm(difference.flatten(1), dim=1)
    return distance
