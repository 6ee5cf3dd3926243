"""What the functions that evaluate a network on anchors share: a model with its anchors, and draws around each."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from maxent_cli.alphabet import UNIFORM
from maxent_cli.api.anchors import Anchors
from maxent_cli.api.listening import FIRST_RUN, Listener
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.runs import Run, account, rejected_beside
from maxent_cli.data import WHOLE, Anchor, Sequences, Shard, Stop
from maxent_cli.engine.sampling import Block, Journal
from maxent_cli.errors import InputError, SettingsError, StoppedError
from maxent_cli.interpret.law import Law, LawSettings
from maxent_cli.interpret.reach import Reached, gradient_inside
from maxent_cli.interpret.sampling import (
    Sampling,
    anchors_together,
    over_rows,
    sample_anchor,
    values_on_card,
    why_full_passes,
)
from maxent_cli.io.digests import run_digests
from maxent_cli.io.machine import granted_cpus as granted_cpus
from maxent_cli.io.machine import granted_memory, require_memory
from maxent_cli.io.output_weights import read_output_weights
from maxent_cli.io.unfinished import Notes, Unfinished
from maxent_cli.laws import Outputs, asked_outputs, is_table, weighted_outputs
from maxent_cli.models.scores import Score

Kept = TypeVar("Kept")
Sampler = Callable[[Reader, LawSettings], Any]  # a SampleSet, unless something else is to be found
COMPILING = f"no step yet; {FIRST_RUN}"
LEAST_REPLICAS = 3  # from which the beta for a wanted energy can be found


@dataclass(frozen=True)
class Task:
    """What is asked for beside what it is about: where to write, which part, with how many threads, who listens.

    command: what provenance calls it. out: None where nothing is to be kept.
    """

    command: str
    listener: Listener
    out: str | None = None
    shard: Shard = WHOLE
    threads: int = 1

    @property
    def rejected_table(self) -> str | None:
        """Where records left out are written, if anywhere."""
        return rejected_beside(self.out)


@dataclass(frozen=True)
class Subject:
    """A model, the anchors of this part, the law as settled, what messages call the model, and the run this is of."""

    model: Reader
    anchors: Sequences
    law: LawSettings
    name: str
    outputs: tuple[str, ...]
    run: Run

    @property
    def identity(self) -> dict[str, Any]:
        """All that unfinished work depends on."""
        return {**self.run.identity, "anchors": self.anchors.digest()}


def take_up(network: Network, anchors: Anchors, law: Law, device: str, settings: dict[str, Any], task: Task) -> Subject:
    """Read the anchors and settle the law; write OUT.rejected.tsv if any were rejected.

    settings: all that shapes the run's outputs, but network and anchors.
    """
    background = law.frequencies or network.background
    found, rejected, read = anchors.read_part(network.input_length, background or UNIFORM, task.shard)
    account(len(found), rejected, anchors.name, task.rejected_table, task.listener, task.shard)
    if found.mutable is not None and not found.mutable.all():
        some = int((~found.mutable).any(axis=1).sum())
        task.listener.say(f"{some} of {len(found)} anchors hold positions; {found.mutable.mean():.1%} may change")
    model = network.reader(found.codes.shape[1], law.layer)
    outputs = network.outputs(model.outputs)
    held = outputs_of(network, law.output, outputs, law.kind.all_outputs)
    hold = () if law.hold is None else outputs_of(network, law.hold, outputs)
    settled = law.settled(held, network.background, network.name, hold)
    place(model, device, task.listener)
    if found.mutable is not None and not found.mutable.all() and not isinstance(model, Score):
        share = gradient_inside(model, settled, found)
        if share is not None:
            task.listener.say(_inside(share))
    digests = {"model": network.digest, **anchors.digests(), **table_digests(law)}
    run = Run(task.command, settings, digests, task.shard, read, len(found), len(rejected))
    run.announce(task.listener)
    return Subject(model, found, settled, network.name, outputs, run)


def _inside(found: Reached) -> str:
    """The share of the gradient where letters may change, in words."""
    error = "" if found.error is None else f" ± {100 * found.error:.0f}"
    of = "the anchor" if found.anchors == 1 else f"{found.anchors} anchors, on the mean"
    return f"of the gradient of what is held, at {of}, {100 * found.share:.0f}{error} % is where letters may change"


def table_digests(law: Law) -> dict[str, object]:
    """Of tables of weights that the law reads."""
    asked = {"weights": law.output, "hold": law.hold}
    return run_digests(**{name: str(one) for name, one in asked.items() if is_table(one)})


def outputs_of(network: Network, asked: int | str | None, names: tuple[str, ...], every: bool = False) -> Outputs:
    """What is asked for of its outputs, of these names, by number or name, or by a table of weights; or its default.

    every: if none is asked for, all.
    """
    if asked is None and network.held is not None and not every:
        return network.held
    if is_table(asked):
        return weighted_outputs(read_output_weights(str(asked)), names, str(asked))
    return asked_outputs(asked, names, every)


def check_together(law: Law, sampling: Sampling) -> None:
    """Raise SettingsError where a beta cannot be found in this way."""
    if law.kind.own_beta is not None:
        return
    if law.beta is None and sampling.replicas < LEAST_REPLICAS:
        problem = f"cannot be found with fewer than {LEAST_REPLICAS} replicas"
        raise SettingsError("beta", "", problem, "give a number, or more replicas")
    if law.beta is None and not sampling.warmup:
        raise SettingsError("beta", "", "is found in the warm-up, of which there is none", "give a number, or a warmup")


def drawn_at_once(sampling: Sampling, model: Reader, anchors: Sequences, threads: int) -> int:
    """How many anchors are drawn around at once: a thread each, but on a card as many as memory takes."""
    if sampling.device == "cpu":
        return threads
    values = values_on_card(model, torch.device(sampling.device))
    return anchors_together(sampling, anchors.codes.shape[1], granted_memory(), values)


@dataclass(frozen=True)
class Job:
    """Draws around each anchor of a subject, as a task asks for them; InputError where memory cannot hold them."""

    subject: Subject
    sampling: Sampling
    task: Task

    def __post_init__(self) -> None:
        run, length = self.sampling, self.subject.anchors.codes.shape[1]
        workers = max(1, min(self.at_once, len(self.subject.anchors)))
        what = f"{run.draws} draws of {run.chains} chains x {run.replicas} replicas of {length} letters"
        at_once = f" around {workers} anchors at once" if workers > 1 else ""
        cure = "give fewer --draws, --chains, --replicas or --threads"
        require_memory(workers * run.bytes_held(length), what + at_once, cure)

    @property
    def at_once(self) -> int:
        """How many anchors are drawn around at once."""
        return drawn_at_once(self.sampling, self.subject.model, self.subject.anchors, self.task.threads)

    def work_through(
        self, work: Unfinished, result: Callable[[Sampler], bytes], how: Callable[..., Any] | None = None
    ) -> list[str]:
        """Have the result for each anchor among the unfinished work, and name them in order.

        `result` is given what draws around its anchor by a network and a law; how: in place of sample_anchor.
        """
        anchors, listener = self.subject.anchors, self.task.listener
        names, left = work.left_of(len(anchors), listener.say)

        def one(row: int, threads: int) -> None:
            anchor, notes = anchors.anchor(row), Notes(work, names[row])

            def keep(block: Block) -> None:
                notes.keep(block)
                ticker.note = self._phase(row, block)

            journal = Journal(notes.past(), keep, str(work.folder))

            def sampler(model: Reader, law: LawSettings) -> Any:
                return (how or sample_anchor)(model, anchor, law, self.sampling, threads, journal)

            work.finish(names[row], result(sampler))

        self._make_ready()
        with listener.progress("drawing", len(left), "anchors", COMPILING) as ticker:
            results = over_rows(one, left, self.at_once, listener.stop)
            try:
                for _ in left:
                    with naming(anchors, self.subject.name):
                        next(results)
                    ticker.advance()
                next(results, None)  # so that it ends, rather than is stopped
            except InputError as error:
                work.useless = error.path == self.subject.name  # the network or the anchors must change
                raise
        return [f"{name}.result" for name in names]

    def _phase(self, row: int, block: Block) -> str:
        """How far a block has come."""
        before, draws, thin = block["asked"].tolist()
        run = self.sampling
        last = f"{'up to ' if run.goes_on else ''}{run.warmup + run.max_steps}"
        return (
            f"{self.subject.anchors.names[row]}: step {before + draws * thin} of {last}, {run.warmup} of them warm-up"
        )

    def _make_ready(self) -> None:
        reason = why_full_passes(self.subject.model, self.sampling)
        if reason and self.sampling.device == "cpu":
            self.task.listener.say(
                f"NOTE: a full forward pass a step, since the compiled chain cannot take this network ({reason})"
            )


def keep_each(
    work: Unfinished, subject: Subject, phase: str, result: Callable[[Anchor], bytes], task: Task
) -> list[str]:
    """Have a result for each anchor among the unfinished work, and name them in order.

    What is wrong at an anchor is wrong with the model there.
    """
    names, left = work.left_of(len(subject.anchors), task.listener.say)

    def one(row: int, _threads: int) -> None:
        work.finish(names[row], result(subject.anchors.anchor(row)))

    results = over_rows(one, left, task.threads, task.listener.stop)
    with task.listener.progress(phase, len(left), "anchors") as ticker:
        for _ in left:
            with naming(subject.anchors, subject.name):
                next(results)
            ticker.advance()
        next(results, None)  # so that it ends, rather than is stopped
    return [f"{name}.result" for name in names]


def one_by_one(
    work: Unfinished,
    phase: str,
    count: int,
    result: Callable[[int], bytes],
    at_fault: Collection[str],
    listener: Listener,
) -> list[str]:
    """Have a result for each of so many anchors among the unfinished work, and name them in order.

    at_fault: what must change before the work can go on, where an error is of that.
    """
    names, left = work.left_of(count, listener.say)
    with listener.progress(phase, len(left), "anchors") as ticker:
        for row in left:
            if listener.stop.asked:
                raise StoppedError
            try:
                work.finish(names[row], result(row))
            except InputError as error:
                work.useless = error.path in at_fault
                raise
            ticker.advance()
    return [f"{name}.result" for name in names]


def in_order(work: Unfinished, kept: Sequence[str], read: Callable[[Path], Kept], stop: Stop) -> Iterator[Kept]:
    """What was kept, one at a time. Raises StoppedError where that was asked for."""
    for name in kept:
        if stop.asked:
            raise StoppedError
        with work.reading(name) as path:
            found = read(path)
        yield found


@contextmanager
def naming(anchors: Sequences, model: str) -> Iterator[None]:
    """Have an error at an anchor name the model too."""
    try:
        yield
    except InputError as error:
        if error.path not in anchors.names:
            raise
        raise InputError(model, f"anchor {error.path}", error.problem, error.cure) from error


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Have torch use so many CPU threads within the block, and afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
