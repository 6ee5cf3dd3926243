"""From a network and its anchors to draws."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from maxent_cli.alphabet import Codes
from maxent_cli.data import SampleSet, Sequences
from maxent_cli.engine.incremental import incremental
from maxent_cli.engine.kernels import metropolis_hastings
from maxent_cli.engine.proposals import (
    LETTER,
    REVERSE_COMPLEMENT,
    SHIFT,
    SINGLE_LETTERS,
    Move,
    cumulative_rows,
)
from maxent_cli.engine.randomness import START_STEP, Keys, background_draws, chain_keys
from maxent_cli.engine.sampling import blocks, warm_up
from maxent_cli.engine.target import Kernel, Target, start_state
from maxent_cli.interpret.law import AnchoredLaw, LawSettings, anchored_law, evaluate, output_term
from maxent_cli.interpret.plan import NotAStack, read_plan
from maxent_cli.models.protocol import SequenceModel

REFERENCE_DRAWS = 1000  # background sequences that give the mean energy at beta = 0

MOVES = {
    "all": (
        Move(LETTER, 0.5),
        Move(SHIFT, 0.1, 24, 8),
        Move(SHIFT, 0.1, 40, 8),
        Move(SHIFT, 0.1, 10**6, 8),
        Move(REVERSE_COMPLEMENT, 0.05, 16),
        Move(REVERSE_COMPLEMENT, 0.05, 24),
        Move(REVERSE_COMPLEMENT, 0.05, 32),
        Move(REVERSE_COMPLEMENT, 0.05, 10**6),
    ),
    "letters": SINGLE_LETTERS,
}


@dataclass(frozen=True)
class RunSettings:
    """How the law is drawn from: chains C, draws D of each, thin steps apart, after warmup steps.

    start: 'anchor', 'background', or 'both' (even chains at the anchor). moves: a key of MOVES.
    """

    chains: int
    draws: int
    thin: int
    warmup: int
    seed: int
    start: str = "both"
    moves: str = "all"


def sample_anchors(
    model: SequenceModel, anchors: Sequences, law: LawSettings, run: RunSettings, threads: int
) -> Iterator[SampleSet]:
    """Yield the draws around each anchor, in order, from `threads` workers; memory does not grow with the anchors.

    Each anchor is drawn by itself, with one torch thread: its draws depend on no neighbour and on no thread count.
    """
    workers = min(threads, len(anchors))

    def one(row: int) -> SampleSet:
        torch.set_num_threads(1)
        return sample_anchor(model, anchors.take(np.array([row])), law, run, max(1, threads // workers))

    waiting: deque[Future[SampleSet]] = deque()
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


def sample_anchor(
    model: SequenceModel, anchor: Sequences, settings: LawSettings, run: RunSettings, threads: int = 1
) -> SampleSet:
    """The draws around the one sequence of `anchor`."""
    name, codes = anchor.names[0], anchor.codes[0]
    law = anchored_law(model, codes, settings, name)
    keys = chain_keys(run.seed, name, codes, run.chains)
    kernel = choose_kernel(model, law, MOVES[run.moves], threads)
    starts = start_codes(codes, law.target, keys, run.start)
    state = warm_up(kernel, start_state(law.target, starts, keys, torch.device("cpu")), law.target, run.warmup)
    traces = [trace for _, trace in blocks(kernel, state, law.target, run.draws, run.thin)]
    draws = np.concatenate([trace.codes for trace in traces], axis=1)
    tried, accepted = (sum(getattr(trace, field).sum() for trace in traces) for field in ("tried", "accepted"))
    return SampleSet(
        name=name,
        interval=anchor.intervals[0],
        anchor=codes,
        codes=draws,
        energy=evaluate(law.target.energy, draws),
        output=evaluate(output_term(model, settings.contrast), draws),
        background=law.target.background,
        mutable=law.target.mutable,
        beta=settings.beta,
        anchor_output=law.anchor_output,
        energy_background=float(evaluate(law.target.energy, background_codes(codes, law.target, run)).mean()),
        acceptance=float(accepted / max(tried, 1)),
    )


def choose_kernel(model: SequenceModel, law: AnchoredLaw, moves: tuple[Move, ...], threads: int) -> Kernel:
    """The compiled chain where the network is a stack that it can run, else full forward passes."""
    try:
        return incremental(read_plan(model, law.reference, law.weights), moves, threads=threads)
    except NotAStack:
        return metropolis_hastings(moves)


def start_codes(anchor: Codes, target: Target, keys: Keys, start: str) -> Codes:
    """Where the chains (C, L) start: at the anchor (L,), at draws from the background, or even chains at the anchor."""
    starts = np.tile(anchor, (len(keys), 1))
    if start == "anchor":
        return starts
    random = starts.copy()
    background_draws(keys, START_STEP, cumulative_rows(target.background), random)
    random[:, ~target.mutable] = anchor[~target.mutable]
    if start == "both":
        random[::2] = starts[::2]
    return random


def background_codes(anchor: Codes, target: Target, run: RunSettings) -> Codes:
    """Independent draws (REFERENCE_DRAWS, L) from the background alone: the law at beta = 0."""
    keys = chain_keys(run.seed, "beta = 0", anchor, REFERENCE_DRAWS)
    return start_codes(anchor, target, keys, "background")
