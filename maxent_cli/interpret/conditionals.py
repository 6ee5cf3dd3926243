"""What each letter of a draw could be, the others as they are: frequencies of letters with less noise than counts have.

The mean over draws of p(x_j = a | the other letters) is the frequency of a at j, as its count is, and a position that
the network does not heed has its background there in every single draw (Gelfand & Smith, JASA 85:398, 1990).
"""

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.jackknife import block_numbers
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.engine.incremental import single_changes
from maxent_cli.engine.layers import Plan
from maxent_cli.interpret.law import LawSettings, anchored_law
from maxent_cli.interpret.plan import read_plan
from maxent_cli.interpret.sampling import COMPILED
from maxent_cli.models.protocol import SequenceModel

MOST = 400  # draws of an anchor that are looked at


def block_conditionals(model: SequenceModel, settings: LawSettings, samples: SampleSet) -> Floats | None:
    """Mean conditional letter frequencies (B, L, 4) of draws, in each block of the jackknife over chains.

    None where the compiled chain could not draw, since outputs of the network one by one would take longer than the
    draws, under a chemical potential on matches or other constraints, and where beta was found for a mean output.
    """
    constrained = settings.constraints.any or (settings.counted is not None and settings.mu)
    if samples.kernel != COMPILED or constrained or settings.finds_mean:
        return None
    anchor = Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)
    law = anchored_law(model, anchor, settings)
    plan = read_plan(model, law.reference, law.weights, law.offset, law.squared)
    chains, draws, length = samples.codes.shape
    proposals = chains * len(samples.replicas.betas) * draws * samples.thin
    blocks = block_numbers(chains, draws)
    of_a_chain = max(looked_at(proposals, length), blocks.max() + 1) // chains
    some = np.unique(np.linspace(0, draws - 1, max(1, of_a_chain)).astype(int))
    blocks = blocks[:, some].ravel()
    rows = samples.codes[:, some].reshape(-1, length)
    found = np.array([conditionals(plan, row, samples) for row in rows])
    return np.array([found[blocks == block].mean(axis=0) for block in np.unique(blocks)])


def looked_at(proposals: int, length: int) -> int:
    """Draws, evenly spaced: their single changes are at most half of the proposals, as neighbours say much the same."""
    return min(MOST, proposals // (2 * 4 * length))


def conditionals(plan: Plan, codes: Codes, samples: SampleSet) -> Floats:
    """p(x_j = a | the other letters) (L, 4) at one sequence (L,); the letter that is there where it may not change."""
    free = samples.mutable
    logs = np.log(samples.background[free]) - samples.beta * changed_energies(plan, codes, free)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares = np.zeros((len(codes), 4))
    shares[free] = weights / weights.sum(axis=1, keepdims=True)
    held = ~free & (codes < 4)
    shares[held, codes[held]] = 1
    return shares


def changed_energies(plan: Plan, codes: Codes, free: NDArray[np.bool_]) -> Floats:
    """The energy (F, 4) of a sequence (L,) with each letter at each position that is free (L,), F of them.

    Its own is found once, in the way of the others, not taken from the kernel: rounded otherwise, it would tell letters
    apart that the network does not.
    """
    places = np.flatnonzero(free)
    other = codes[places, None] != np.arange(4)
    rows, letters = np.nonzero(other)
    own = places[0], codes[places[0]]
    values = single_changes(plan, codes, np.append(places[rows], own[0]), np.append(letters, own[1]).astype(np.uint8))
    found = energies(plan, values)
    table = np.full(other.shape, found[-1])
    table[other] = found[:-1]
    return table


def energies(plan: Plan, values: NDArray[np.float32]) -> Floats:
    """The energy (M,) of the last layer's values (M, size)."""
    change = (values - plan.reference) * plan.feature_weights
    if plan.linear:
        linear = np.asarray(plan.offset - change.sum(axis=1, dtype=np.float64))
        return np.square(linear) if plan.squared else linear
    return np.asarray(np.sqrt(np.square(change, dtype=np.float64).sum(axis=1)))
