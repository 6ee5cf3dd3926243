"""Sequences from a law's background alone, beta = 0."""

import numpy as np

from maxent_cli.alphabet import Codes
from maxent_cli.engine.proposals import cumulative_rows
from maxent_cli.engine.randomness import START_STEP, Keys, background_draws
from maxent_cli.engine.support import Support, draws_inside, inside
from maxent_cli.engine.target import Terms


def random_codes(anchor: Codes, terms: Terms, keys: Keys) -> Codes:
    """Independent draws (C, L) from the background alone, within its constraints, where the anchor (L,) may change."""
    support = support_of(terms)
    if support is not None:
        return draws_inside(inside(support, terms.background, anchor, terms.mutable), keys)
    codes = np.tile(anchor, (len(keys), 1))
    background_draws(keys, START_STEP, cumulative_rows(terms.background), codes)
    codes[:, ~terms.mutable] = anchor[~terms.mutable]
    return codes


def support_of(terms: Terms) -> Support | None:
    """The support among the constraints, if there is one."""
    return next((term for term in terms.constraints if isinstance(term, Support)), None)
