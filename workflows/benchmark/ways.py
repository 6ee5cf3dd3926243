"""The ways to sample that are compared, and slices of their runs: what each costs and what it gives."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch

import maxent_cli as mx
from maxent_cli.alphabet import Codes
from maxent_cli.analysis import letter_diagnostics, rhat
from maxent_cli.data import Anchor
from maxent_cli.engine import (
    SINGLE_LETTERS,
    Kernel,
    Ladder,
    Move,
    State,
    Target,
    chain_keys,
    compiled_chain,
    full_pass_chain,
    start_state,
)
from maxent_cli.interpret import (
    ALL_MOVES,
    EXCHANGE_EVERY,
    LawSettings,
    NotAStack,
    Setting,
    prepare,
    read_plan,
    sample_anchor,
    warmed_up,
)
from maxent_cli.models import SequenceModel, one_hot

CPU = torch.device("cpu")
SETTLING = 2  # times the default warm-up, and as many steps again, before anything is compared
DRAWS_A_SLICE = 20
CONVERGED = 1.05  # the most R-hat
TWIN_TIMES = 10  # times as long a turn: the further it goes, the closer the bound on a reference that does not converge


class Way(NamedTuple):
    """A kernel, its moves, and whether it climbs the ladder of betas."""

    compiled: bool
    moves: tuple[Move, ...]
    ladder: bool


WAYS = {
    "reference": Way(False, SINGLE_LETTERS, False),
    "full passes, moves": Way(False, ALL_MOVES, False),
    "incremental, letters": Way(True, SINGLE_LETTERS, False),
    "incremental, moves": Way(True, ALL_MOVES, False),
    "incremental, letters, ladder": Way(True, SINGLE_LETTERS, True),
    "incremental, moves, ladder": Way(True, ALL_MOVES, True),
    "full passes, moves, ladder": Way(False, ALL_MOVES, True),
}
COMPILED = tuple(name for name, way in WAYS.items() if way.compiled)
BARE, DEFAULT = "bare forward passes", "default sampler"


def default_run(seed: int) -> mx.Sampling:
    """What `maxent sample` runs when nothing is asked for."""
    return mx.Sampling(seed=seed)


@dataclass(frozen=True)
class Place:
    """An anchor at a beta in equilibrium: its setting, the ladder's betas (R,), and codes (G, R, D, L) of its replicas.

    adapted (L, 4): the letter frequencies that warm-up has learned for moves.
    """

    setting: Setting
    betas: np.ndarray
    codes: Codes
    adapted: np.ndarray

    @property
    def anchor(self) -> Codes:
        """The anchor's letters (L,)."""
        return self.setting.anchor.codes

    @property
    def energy(self) -> float:
        """Mean energy of the top replica over that of the background."""
        return float(self.setting.energies(self.codes[:, -1]).mean() / self.setting.reference.energy)


def settle(model: SequenceModel, anchor: Anchor, law: LawSettings, run: mx.Sampling) -> Place:
    """Find the ladder (and beta where the law has none) and run it until chains have forgotten where they started."""
    run = replace(run, warmup=SETTLING * run.warmup)
    setting, tuned = warmed_up(prepare(model, anchor, law, run, 1))
    run = setting.run
    target = setting.law.terms.at(np.tile(tuned.betas, run.chains), tuned.adapted, tuned.surrogate)
    _, trace = setting.kernel(tuned.state, target, 2 * DRAWS_A_SLICE, setting.run.warmup // (2 * DRAWS_A_SLICE))
    late = trace.codes[:, DRAWS_A_SLICE:]
    return Place(setting, tuned.betas, late.reshape(run.chains, run.replicas, *late.shape[1:]), tuned.adapted)


@dataclass
class Run:
    """A way's chains at a place, and what its slices have cost and given so far."""

    kernel: Kernel
    target: Target
    state: State
    replicas: int
    thin: int = 1
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    proposals: list[int] = field(default_factory=list)
    codes: list[Codes] = field(default_factory=list)
    energy: list[np.ndarray] = field(default_factory=list)

    def pace(self, seconds: float) -> None:
        """Choose the thinning for slices of so many CPU seconds; compiles what is to be compiled."""
        self.kernel(self.state, self.target, 1, self.thin)
        steps, started = 0, time.process_time()
        while time.process_time() - started < seconds / 4:
            self.kernel(self.state, self.target, 1, 50)
            steps += 50
        speed = steps / (time.process_time() - started)
        self.thin = max(1, round(speed * seconds / DRAWS_A_SLICE))

    def slice(self) -> None:
        """Go on for the draws of a slice."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.state, trace = self.kernel(self.state, self.target, DRAWS_A_SLICE, self.thin)
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        self.proposals.append(len(trace.codes) * DRAWS_A_SLICE * self.thin)
        self.codes.append(trace.codes[self.replicas - 1 :: self.replicas])
        self.energy.append(trace.energy[self.replicas - 1 :: self.replicas])


def start(way: Way, place: Place, chains: int, seed: int) -> Run | None:
    """A way's chains, all replicas in equilibrium from the start; None where the network is not a stack."""
    setting, replicas = place.setting, len(place.betas) if way.ladder else 1
    kernel = kernel_of(way, setting, replicas)
    if kernel is None:
        return None
    if way.ladder:
        codes = place.codes[:, :, -1].reshape(-1, place.codes.shape[-1])
    else:
        top = place.codes[:, -1].reshape(-1, place.codes.shape[-1])
        codes = top[np.linspace(0, len(top) - 1, chains).astype(int)]
    codes = np.ascontiguousarray(codes)
    target = setting.law.terms.at(np.tile(place.betas[-replicas:], len(codes) // replicas), place.adapted)
    keys = chain_keys(seed, setting.anchor.name, place.anchor, len(codes))
    return Run(kernel, target, start_state(target, codes, keys, CPU), replicas)


def kernel_of(way: Way, setting: Setting, replicas: int) -> Kernel | None:
    """The way's kernel, with one thread."""
    ladder = Ladder(replicas, EXCHANGE_EVERY)
    if not way.compiled:
        return full_pass_chain(way.moves, ladder)
    try:
        plan = read_plan(setting.model, setting.law.reference, setting.law.weights)
    except NotAStack:
        return None
    return compiled_chain(plan, way.moves, ladder, 1)


def bare_pace(place: Place, chains: int, seconds: float) -> Callable[[], float]:
    """A function that runs forward passes of so many sequences for about so many CPU seconds; sequences a second."""
    codes = np.ascontiguousarray(place.codes.reshape(-1, place.codes.shape[-1])[:chains])
    inputs = one_hot(torch.from_numpy(codes))

    def passes() -> float:
        count, started = 0, time.process_time()
        with torch.inference_mode():
            while time.process_time() - started < seconds:
                for _ in range(20):
                    place.setting.model.representation(inputs)
                count += 20 * chains
        return count / (time.process_time() - started)

    return passes


def result(run: Run, place: Place) -> dict[str, object]:
    """What a run came to."""
    codes, energy = np.concatenate(run.codes, axis=1), np.concatenate(run.energy, axis=1)
    seconds = sum(run.cpu), sum(run.wall)
    speed = float(np.median(np.divide(run.proposals, run.cpu)))
    return {**figures(codes, energy, place.anchor, seconds, sum(run.proposals)), "proposals_per_second": speed}


def default_result(place: Place, seed: int) -> dict[str, object]:
    """`maxent sample` as it comes, at the place's beta: warm-up included, from the anchor and from the background."""
    run, setting = default_run(seed), place.setting
    law = replace(setting.settings, beta=float(place.betas[-1]))
    wall, cpu = time.perf_counter(), time.process_time()
    samples = sample_anchor(setting.model, setting.anchor, law, run, 1)
    seconds = time.process_time() - cpu, time.perf_counter() - wall
    proposals = run.chains * run.replicas * (run.warmup + run.draws * samples.thin)
    return figures(samples.codes, samples.energy, place.anchor, seconds, proposals)


def figures(
    codes: Codes, energy: np.ndarray, anchor: Codes, seconds: tuple[float, float], proposals: int
) -> dict[str, object]:
    """The row of a table for draws (C, D, L) that took so many CPU and wall seconds, all replicas' proposals counted.

    Where R-hat is too high, the ESS is an upper bound: chains that hardly move show hardly any variance within.
    """
    least, worst = own_letters(codes, anchor)
    worst = max(worst, float(rhat(energy)))
    return {
        "proposals_per_second": proposals / seconds[0],
        "proposals_per_wall_second": proposals / seconds[1],
        "cpu_seconds": seconds[0],
        "proposals": proposals,
        "rhat": worst,
        "bound": "" if worst <= CONVERGED else "<=",
        "least_ess": least,
        "ess_per_second": least / seconds[0],
        "ess_per_wall_second": least / seconds[1],
        "ess_per_1000_proposals": 1000 * least / proposals,
    }


def own_letters(codes: Codes, anchor: Codes) -> tuple[float, float]:
    """Least ESS and worst R-hat, over positions that ever change, of 'the letter equals the anchor's'; (C, D, L)."""
    rhats, sizes = letter_diagnostics((codes != anchor).astype(np.uint8))
    if np.isnan(sizes[:, 0]).all():
        return 0.0, np.inf
    return float(np.nanmin(sizes[:, 0])), float(np.nanmax(rhats[:, 0]))
