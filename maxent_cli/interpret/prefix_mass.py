"""Reading a law from left to right: what mass of the background each prefix of the anchor leaves to it.

log2 Z_j / Z is the bits by which the law holds the anchor's first j letters together: Z_j is the mean of
exp(-beta E) over the background with these letters in place. By the chain rule its steps are
log2 p(x_j | x_<j) / q_j(x_j) at the anchor's letters, and they add up to -log2 Z - beta E(x0) / ln 2: of a distance,
to the bits held and beta <E> / ln 2.

They are found by a sequential Monte Carlo sampler (Del Moral, Doucet & Jasra, J. R. Stat. Soc. B 68:411, 2006) that
begins with draws of the law and puts the anchor's letters in, one after another: each draw weighs as the law's
conditional of that letter, given all others, and moves on under the law with the prefix in place.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.free_energy import log_partition
from maxent_cli.analysis.jackknife import Estimate, block_numbers, jackknife
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.engine.incremental import letter_energies
from maxent_cli.engine.randomness import chain_keys
from maxent_cli.engine.target import NO_LADDER, State, log_base, start_state
from maxent_cli.engine.tuning import adapted_rows, low_energy_letters
from maxent_cli.interpret.law import LawSettings, as_drawn
from maxent_cli.interpret.plan import read_plan
from maxent_cli.interpret.sampling import COMPILED, Sampling, Setting, prepare
from maxent_cli.models.protocol import SequenceModel

LEFT = 0.5  # share of an island's draws that its weights must leave, or it is chosen anew


class Effort(NamedTuple):
    """Draws in all, and steps of each for every letter that is put in.

    Where the chains had to be thinned wider they mix slowly, and so do these: as many steps are taken as lay between
    two of the draws, if that, and so many more for weighing, is no more than so many times the steps between all of the
    draws. times and weighing are by trial: all took 7 to 19 times as long as the draws and their warm-up.
    """

    draws: int
    steps: int
    times: float = 0.0
    weighing: int = 0

    def steps_from(self, samples: SampleSet) -> int:
        """Steps for every letter, from draws of an anchor."""
        chains, draws, _ = samples.codes.shape
        taken = chains * draws * len(samples.replicas.betas) * samples.thin
        most = self.times * taken / (self.draws * max(int(samples.mutable.sum()), 1)) - self.weighing
        return int(max(self.steps, min(samples.thin, most)))


COMPILED_EFFORT = Effort(1600, 10, 30.0, 50)
FULL_EFFORT = Effort(320, 4, 3.0, 4)  # where each step is a full pass


class PrefixBits(NamedTuple):
    """Bits of each letter given those before it, and of each prefix, (L,); nan at positions that are not put in.

    law: what the last must be, -log2 Z - beta E(x0) / ln 2, by the ladder of the draws alone.
    """

    letters: Estimate
    prefixes: Estimate
    law: Estimate


def prefix_bits(
    model: SequenceModel,
    samples: SampleSet,
    settings: LawSettings,
    seed: int,
    device: str = "cpu",
    listen: Callable[[], None] = lambda: None,
    effort: Effort | None = None,
) -> PrefixBits:
    """The bits of each prefix of an anchor, by draws of its law; listen is called between letters and may end it.

    Positions that are held, and unknown letters, are not put in.
    """
    anchor = Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)
    asked = replace(as_drawn(settings, samples), beta=samples.beta)
    setting = prepare(model, anchor, asked, Sampling(seed=seed, device=device), 1)
    setting = setting.plain  # a surrogate would have to be learned for each prefix
    walk = _Islands(setting, samples, effort or (COMPILED_EFFORT if setting.kernel_name == COMPILED else FULL_EFFORT))
    places = np.flatnonzero(samples.mutable & (samples.anchor < 4))
    logs = [np.zeros(len(walk.codes))]
    for place in places:
        listen()
        logs.append(walk.put_in(int(place)))
    own, mass = float(setting.energies(samples.anchor)) * samples.beta, log_partition(samples)
    law = Estimate(-(mass.value + own) / np.log(2), mass.error / np.log(2))
    return _estimates(np.array(logs), places, len(anchor.codes), law)


def _estimates(logs: Floats, places: NDArray[np.intp], length: int, law: Estimate) -> PrefixBits:
    """From the log of each island's mass (P + 1, G), relative to the law's own."""
    islands = logs.shape[1]
    parts = [logs, *(np.delete(logs, island, axis=1) for island in range(islands))]
    totals = np.array([np.logaddexp.reduce(part, axis=1) - np.log(part.shape[1]) for part in parts]) / np.log(2)
    found = [jackknife(values[0], values[1:]) for values in (np.diff(totals, axis=1), totals[:, 1:])]
    spread = [Estimate(_at(places, each.value, length), _at(places, each.error, length)) for each in found]
    return PrefixBits(spread[0], spread[1], law)


def _at(places: NDArray[np.intp], values: Floats, length: int) -> Floats:
    found = np.full(length, np.nan)
    found[places] = values
    return found


class _Islands:
    """Draws (G, N, L) with some of the anchor's letters in place, the logs of their weights, and of islands' masses."""

    def __init__(self, setting: Setting, samples: SampleSet, effort: Effort) -> None:
        self.setting, self.anchor, self.beta = setting, samples.anchor, samples.beta
        self.steps = effort.steps_from(samples)
        self.codes = _islands_of(samples.codes, effort.draws)
        self.log_weights: Floats = np.zeros(self.codes.shape[:2])
        self.log_mass: Floats = np.zeros(len(self.codes))
        law = setting.law
        self.plan = None
        if setting.kernel_name == COMPILED:
            self.plan = read_plan(setting.model, law.reference, law.weights, law.offset, law.squared)
        self.log_rows = np.log(law.terms.background)
        self.adapted = adapted_rows(low_energy_letters(samples.energy, samples.codes), law.terms.background)
        self.keys = chain_keys(setting.run.seed, f"prefixes of {samples.name}", self.anchor, self.log_weights.size)
        self.chance = np.random.default_rng(int(self.keys[0]))
        self.free, self.step = law.terms.mutable.copy(), 0

    def put_in(self, place: int) -> Floats:
        """Put the anchor's letter in at a place; give the log of each island's mass (G,)."""
        energies = self._energies(place)  # (G, N, 4)
        logs = self.log_rows[place] - self.beta * energies
        letter = self.anchor[place]
        self.log_weights += -self.beta * energies[..., letter] - np.logaddexp.reduce(logs, axis=-1)
        self.codes[..., place], self.free[place] = letter, False
        self._choose()
        if self.free.any():
            self._move()
        left = np.logaddexp.reduce(self.log_weights, axis=1) - np.log(self.log_weights.shape[1])
        return np.asarray(self.log_mass + left)

    def _energies(self, place: int) -> Floats:
        if self.plan is None:
            changed: Codes = np.stack([self.codes] * 4, axis=-2)
            changed[..., place] = np.arange(4)
            return self.setting.energies(changed)
        found: Floats = letter_energies(self.plan, self.codes.reshape(-1, len(self.anchor)), place)
        return found.reshape(*self.codes.shape[:2], 4)

    def _choose(self) -> None:
        """Choose the draws of an island anew where its weights leave too few (systematic resampling)."""
        count = self.log_weights.shape[1]
        for island, logs in enumerate(self.log_weights):
            total = np.logaddexp.reduce(logs)
            shares = np.exp(logs - total)
            if 1 / np.square(shares).sum() >= LEFT * count:
                continue
            points = (self.chance.random() + np.arange(count)) / count
            rows = np.minimum(np.searchsorted(np.cumsum(shares), points), count - 1)
            self.codes[island] = self.codes[island, rows]
            self.log_mass[island] += total - np.log(count)
            self.log_weights[island] = 0.0

    def _move(self) -> None:
        """Let each draw go some steps under the law with the letters in place."""
        terms, device = replace(self.setting.law.terms, mutable=self.free), torch.device(self.setting.run.device)
        codes = self.codes.reshape(-1, len(self.anchor))
        if self.plan is None:
            state = start_state(terms, codes, self.keys, device)._replace(step=self.step)
        else:  # which builds its energies from the codes itself
            placed = torch.from_numpy(codes)
            nothing = torch.zeros(len(codes), dtype=torch.float64)
            state = State(placed, nothing, log_base(terms, placed), self.keys, self.step)
        target = terms.at(np.array([self.beta]), self.adapted)
        state, trace = self.setting.build(NO_LADDER)(state, target, 1, self.steps)
        self.codes, self.step = trace.codes[:, -1].reshape(self.codes.shape), state.step


def _islands_of(draws: Codes, count: int) -> Codes:
    """About so many draws (G, N, L) of chains (C, D, L), evenly spaced, an island a block of the jackknife."""
    blocks = block_numbers(*draws.shape[:2])
    each = max(1, count // (int(blocks.max()) + 1))
    members = (draws[blocks == block] for block in np.unique(blocks))
    return np.stack([some[np.linspace(0, len(some) - 1, each).astype(int)] for some in members])
