"""From a network and its anchors to draws."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats, Rungs, SampleSet, Sequences
from maxent_cli.engine.incremental import incremental
from maxent_cli.engine.kernels import metropolis_hastings
from maxent_cli.engine.proposals import LETTER, REVERSE_COMPLEMENT, SHIFT, SINGLE_LETTERS, Move, cumulative_rows
from maxent_cli.engine.randomness import START_STEP, Keys, background_draws, chain_keys
from maxent_cli.engine.sampling import blocks
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Trace, start_state
from maxent_cli.engine.tuning import Betas, Tuned, first_ladder, tune
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import AnchoredLaw, LawSettings, anchored_law, evaluate, output_term
from maxent_cli.interpret.plan import NotAStack, read_plan
from maxent_cli.models.protocol import SequenceModel

Result = TypeVar("Result")

REFERENCE_DRAWS = 1000  # background sequences that give the mean energy and the spread of the output at beta = 0
EXCHANGE_EVERY = 20  # steps
FIRST_TOP = 200  # times the inverse mean energy of the background: well above the beta of any share kept so far
RUNG_DRAWS = 40  # of each chain, for what is watched on every rung

MOVES = {
    "all": (
        Move(LETTER, 0.8),
        Move(SHIFT, 0.1, 24, 8),
        Move(REVERSE_COMPLEMENT, 0.1, 24),
    ),
    "letters": SINGLE_LETTERS,
}


@dataclass(frozen=True)
class RunSettings:
    """How the law is drawn from: chains C, each a ladder of R rungs, draws D of each, thin steps apart, after warmup.

    start: 'anchor', 'background', or 'both' (even chains at the anchor). moves: a key of MOVES.
    """

    chains: int
    rungs: int
    draws: int
    thin: int
    warmup: int
    seed: int
    start: str = "both"
    moves: str = "all"


@dataclass(frozen=True)
class Reference:
    """The background alone (beta = 0): mean and spread of the energy, and points of the output (3,)."""

    energy: float
    energy_spread: float
    output: Floats


def over_anchors(task: Callable[[Sequences, int], Result], anchors: Sequences, threads: int) -> Iterator[Result]:
    """Yield task(one anchor, its threads) for each anchor, in order; memory does not grow with the anchors.

    Each anchor is drawn by itself, with one torch thread: its draws depend on no neighbour and on no thread count.
    """
    workers = min(threads, len(anchors))

    def one(row: int) -> Result:
        torch.set_num_threads(1)
        return task(anchors.take(np.array([row])), max(1, threads // workers))

    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for row in range(len(anchors)):
                waiting.append(pool.submit(one, row))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def sample_fields(
    model: SequenceModel, anchor: Sequences, law: LawSettings, run: RunSettings, fields: tuple[float, ...], threads: int
) -> list[SampleSet]:
    """The draws around one anchor under fields on its G and C (S), all at the beta of no field."""
    without = sample_anchor(model, anchor, law, run, threads)
    settled = replace(law, beta=without.beta)
    return [
        sample_anchor(model, anchor, replace(settled, field=field), run, threads) if field else without
        for field in fields
    ]


def sample_anchor(
    model: SequenceModel, anchor: Sequences, settings: LawSettings, run: RunSettings, threads: int = 1
) -> SampleSet:
    """The draws around the one sequence of `anchor`."""
    name, codes = anchor.names[0], anchor.codes[0]
    law = anchored_law(model, codes, settings, name)
    reference = background_reference(model, law, settings, codes, run)
    kernel = choose_kernel(model, law, run, threads)
    keys = chain_keys(run.seed, name, codes, run.chains * run.rungs)
    starts = start_codes(codes, law.target, keys, run)
    state = start_state(law.target, starts, keys, torch.device("cpu"))
    tuned = warm_up(kernel, state, law.target, settings, run, reference)
    traces = list(draw(kernel, tuned, law.target, run))
    draws = np.concatenate([trace.codes for trace in traces], axis=1)
    top = np.ascontiguousarray(draws[run.rungs - 1 :: run.rungs])
    tried, accepted = (sum(getattr(t, field)[: len(MOVES[run.moves])].sum() for t in traces) for field in COUNTS)
    return SampleSet(
        name=name,
        interval=anchor.intervals[0],
        anchor=codes,
        codes=top,
        energy=evaluate(law.target.energy, top),
        output=evaluate(output_term(model, settings.contrast), top),
        background=law.target.background,
        mutable=law.target.mutable,
        beta=float(tuned.betas[-1]),
        anchor_output=law.anchor_output,
        energy_background=reference.energy,
        output_background=reference.output,
        thin=run.thin,
        acceptance=float(accepted / max(tried, 1)),
        drift=max(trace.drift for trace in traces),
        rungs=watch_rungs(model, law.target, settings, tuned.betas, draws),
    )


COUNTS = ("tried", "accepted")


def background_reference(
    model: SequenceModel, law: AnchoredLaw, settings: LawSettings, anchor: Codes, run: RunSettings
) -> Reference:
    """Energy and output of independent draws from the background; InputError if the energy is always the same."""
    keys = chain_keys(run.seed, "beta = 0", anchor, REFERENCE_DRAWS)
    codes = _random(anchor, law.target, keys)
    energy = evaluate(law.target.energy, codes)
    if not np.ptp(energy):
        where, cure = "the energy is the same for every sequence", "see that the model reads its input"
        raise InputError("model", "", where, cure)
    output = evaluate(output_term(model, settings.contrast), codes)
    return Reference(float(energy.mean()), float(energy.std()), np.quantile(output, [0.025, 0.5, 0.975]))


def choose_kernel(model: SequenceModel, law: AnchoredLaw, run: RunSettings, threads: int) -> Kernel:
    """The compiled chain where the network is a stack that it can run, else full forward passes."""
    moves, ladder = MOVES[run.moves], Ladder(run.rungs, EXCHANGE_EVERY)
    try:
        return incremental(read_plan(model, law.reference, law.weights), moves, ladder, threads)
    except NotAStack:
        return metropolis_hastings(moves, ladder)


def warm_up(
    kernel: Kernel, state: State, target: Target, settings: LawSettings, run: RunSettings, reference: Reference
) -> Tuned:
    """Settle the ladder, and its top where beta is to be found; with no warmup the first guess stays."""
    wanted = None if settings.beta is not None else (1 - settings.keep) * reference.energy
    top = settings.beta if settings.beta is not None else FIRST_TOP / reference.energy
    betas = first_ladder(top, run.rungs, 1 / reference.energy_spread)
    return tune(kernel, state, target, betas, wanted, run.warmup)


def draw(kernel: Kernel, tuned: Tuned, target: Target, run: RunSettings) -> Iterator[Trace]:
    """Traces of all chains at the tuned ladder."""
    ladder = target._replace(beta=np.tile(tuned.betas, run.chains))
    return (trace for _, trace in blocks(kernel, tuned.state, ladder, run.draws, run.thin))


def watch_rungs(model: SequenceModel, target: Target, settings: LawSettings, betas: Betas, draws: Codes) -> Rungs:
    """Energy, output and letters of every rung, on some of the draws (C · R, D, L)."""
    rungs = len(betas)
    every = draws[:, :: -(-draws.shape[1] // RUNG_DRAWS)]

    def by_rung(values: Floats) -> Floats:
        return np.ascontiguousarray(values.reshape(-1, rungs, values.shape[1]).transpose(0, 2, 1))

    energy, output = evaluate(target.energy, every), evaluate(output_term(model, settings.contrast), every)
    return Rungs(betas, by_rung(energy), by_rung(output), letter_counts(draws).reshape(-1, rungs, draws.shape[2], 4))


def letter_counts(draws: Codes) -> NDArray[np.uint32]:
    """How often each letter stands at each position of each chain: draws (C, D, L) to counts (C, L, 4)."""
    return np.stack([(draws == letter).sum(axis=1) for letter in range(4)], axis=-1).astype(np.uint32)


def start_codes(anchor: Codes, target: Target, keys: Keys, run: RunSettings) -> Codes:
    """Where the chains' rungs (C · R, L) start: at the anchor (L,), at background draws, or half and half by chain."""
    starts = np.tile(anchor, (len(keys), 1))
    if run.start == "anchor":
        return starts
    random = _random(anchor, target, keys)
    if run.start == "both":
        at_anchor = np.arange(len(keys)) // run.rungs % 2 == 0
        random[at_anchor] = starts[at_anchor]
    return random


def _random(anchor: Codes, target: Target, keys: Keys) -> Codes:
    codes = np.tile(anchor, (len(keys), 1))
    background_draws(keys, START_STEP, cumulative_rows(target.background), codes)
    codes[:, ~target.mutable] = anchor[~target.mutable]
    return codes
