"""Dependence of positions: how often pairs are told of draws whose positions know nothing of each other."""

from collections.abc import Iterator

import numpy as np
from analysis.sample_sets import independent_draws, sample_set

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.dependence import dependence
from maxent_cli.analysis.reweighting import settle

from .lines import Line, mean, share

LENGTH, CHAINS, DRAWS = 16, 8, 200
LEFT = 0.85  # of the draws, when they are weighed


def pairs(replicates: range) -> Iterator[Line]:
    """Draws of independent positions, as they are and weighed to another mean of an energy that is a sum over them."""
    for hold in (0.0, 0.5):
        for what, left in (("as drawn", 1.0), ("weighed", LEFT)):
            found = [dependence(sample_set(drawn(seed, hold, left)), False) for seed in replicates]
            upper = np.triu_indices(LENGTH, 1)
            small = [float((one.p[upper] <= 0.05).mean()) for one in found]
            told = [bool((one.q[upper] <= 0.05).any()) for one in found]
            kind = f"letters held from draw to draw by {hold:g}, {what}"
            yield mean(f"{kind}: share of pairs with p up to 0.05", small, 0.03, 0.07)
            yield share(f"{kind}: a pair is told", told, 0.0, 0.08)


def drawn(seed: int, hold: float, left: float) -> Codes:
    """Draws (C, D, L); weights that leave so much of them repeat some and drop others."""
    chance = np.random.default_rng(seed)
    codes = independent_draws(chance, chance.dirichlet([2] * 4, LENGTH), CHAINS, DRAWS, hold)
    if left == 1:
        return codes
    energy = chance.normal(size=(LENGTH, 4))[np.arange(LENGTH), codes].sum(axis=-1)
    energy /= energy.std()
    change = np.sqrt(np.log(1 / left))  # of normal energies
    rows = settle(energy + 10, 5.0, float(energy.mean() + 10 - change)).rows
    return np.take_along_axis(codes, rows[..., None], axis=1)
