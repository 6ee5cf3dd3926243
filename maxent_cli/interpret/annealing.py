"""The best sequences of an output: chains that are cooled, then single letters changed while that is any better.

The law q(x) · exp(beta · output(x)) at a rising beta, by the moves and kernels that draw from it. What is found is best
among its neighbours of one letter; that it is best of all nothing says, but that many chains come to it.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.data import Anchor, Floats
from maxent_cli.engine.sampling import NO_JOURNAL, Journal
from maxent_cli.engine.target import Ladder, Terms, start_state
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.sampling import Sampling, Setting, is_inside, journalled, prepare, start_codes
from maxent_cli.models.protocol import SequenceModel

ROUNDS = 40
WARMEST, COLDEST = 0.5, 500.0  # betas, in units of the inverse spread of the background's output
LEAST_GAIN = 1e-6  # of that spread, by which a change of a letter is better


class Optima(NamedTuple):
    """What cooled chains came to: codes (n, L), all different, the best first, outputs (n,), and chains of each (n,).

    background: mean output of background sequences.
    """

    anchor: Anchor
    codes: Codes
    output: Floats
    chains: NDArray[np.int64]
    anchor_output: float
    background: float
    kernel: str
    steps: int


def anneal(
    model: SequenceModel,
    anchor: Anchor,
    settings: LawSettings,
    run: Sampling,
    threads: int = 1,
    journal: Journal = NO_JOURNAL,
) -> Optima:
    """Cool as many chains as the run has replicas in all, for as many steps as its warm-up and draws take."""
    setting = prepare(model, anchor, replace(settings, beta=1.0, to=None), run, threads)
    setting = journalled(setting.plain, journal)
    ends = polished(setting, _cooled(setting))
    distinct, counts = np.unique(ends, axis=0, return_counts=True)
    output = -setting.energies(distinct)
    order = np.lexsort((-counts, -output))
    outputs = setting.law.anchor_output, -setting.reference.energy
    steps = ROUNDS * steps_of(setting.run)
    return Optima(anchor, distinct[order], output[order], counts[order], *outputs, setting.kernel_name, steps)


def steps_of(run: Sampling) -> int:
    """Of a round."""
    return max(1, (run.warmup + run.draws * run.thin) // ROUNDS)


def _cooled(setting: Setting) -> Codes:
    run, terms, kernel = setting.run, setting.law.terms, setting.build(Ladder())
    state = start_state(terms, start_codes(setting), setting.keys, torch.device(run.device))
    for beta in np.geomspace(WARMEST, COLDEST, ROUNDS) / setting.reference.energy_spread:
        state, _ = kernel(state, terms.at(np.array(beta)), 1, steps_of(run))
    return np.asarray(state.codes.cpu().numpy())


def polished(setting: Setting, codes: Codes) -> Codes:
    """Codes (n, L) after changing the letter that makes the output highest, as long as one makes it any higher."""
    distinct, of_each = np.unique(codes, axis=0, return_inverse=True)
    return np.array([_uphill(setting, one) for one in distinct])[of_each.ravel()]


def _uphill(setting: Setting, codes: Codes) -> Codes:
    terms, gain = setting.law.terms, LEAST_GAIN * setting.reference.energy_spread
    energy = float(setting.energies(codes[None])[0])
    while True:
        near = neighbours(terms, codes)
        found = setting.energies(near) if len(near) else np.array([np.inf])
        if not found.min() < energy - gain:
            return codes
        codes, energy = near[found.argmin()], float(found.min())


def neighbours(terms: Terms, codes: Codes) -> Codes:
    """Sequences (n, L) inside the constraints that differ from codes (L,) in one letter that may change."""
    places = np.flatnonzero(terms.mutable)
    near = np.tile(codes, (4 * len(places), 1))
    near[np.arange(len(near)), np.repeat(places, 4)] = np.tile(np.arange(4, dtype=np.uint8), len(places))
    near = near[(near != codes).any(axis=1)]
    return np.asarray(near[is_inside(terms, near)])
