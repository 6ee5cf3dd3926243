"""What the commands that draw share: from their options to a model, anchors and settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import numpy as np

from maxent_cli.commands import options
from maxent_cli.commands.networks import background_asked, reading_asked, source_asked
from maxent_cli.data import WHOLE, Rejected, SampleSet, Sequences, Shard
from maxent_cli.engine.sampling import Block, Journal
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.sampling import (
    Result,
    RunSettings,
    over_rows,
    ready,
    sample_anchor,
)
from maxent_cli.io.digests import run_digests
from maxent_cli.io.networks import load_network, network_digest
from maxent_cli.io.records import RecordSource, read_part, read_sequences
from maxent_cli.io.unfinished import Notes, Unfinished
from maxent_cli.io.windows import changeable, fix_positions, read_flanked, settle_unknown
from maxent_cli.models.adapter import AdaptedNetwork
from maxent_cli.models.architectures import LayeredModel

Sampler = Callable[[Any, LawSettings], SampleSet]
COMPILING = "no step yet; the first run on a machine compiles its code"
LEAST_RUNGS = 3  # from which the beta for a wanted energy can be found


@dataclass(frozen=True)
class Job:
    """A model, its anchors, the law and the run that a command asked for, and the files that they came from."""

    model: LayeredModel | AdaptedNetwork
    anchors: Sequences
    law: LawSettings
    run: RunSettings
    threads: int
    inputs: list[str]
    header: dict[str, Any]
    part: dict[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """All that unfinished work depends on."""
        run = self.part["run"]
        own = {"anchors": self.anchors.digest()}
        return {"command": run["command"], "shard": self.part["shard"], **run["settings"], **run["digests"], **own}

    def work_through(self, work: Unfinished, task: Callable[[Sampler], bytes]) -> list[str]:
        """Have the task's result for each anchor among the unfinished work, and name them in order; progress on stderr.

        The task is given what draws around its anchor by a network and a law.
        """
        names = [f"{row:06d}" for row in range(len(self.anchors))]
        left = [row for row, name in enumerate(names) if not work.has(f"{name}.result")]
        if len(left) < len(names):
            options.say(f"{work.folder}: {len(names) - len(left)} of {len(names)} anchors are done")

        def one(row: int, threads: int) -> None:
            anchor, notes = self.anchors.take(np.array([row])), Notes(work, names[row])

            def keep(block: Block) -> None:
                notes.keep(block)
                progress.note = self._phase(row, block)

            journal = Journal(notes.past(), keep, str(work.folder))

            def sampler(model: Any, law: LawSettings) -> SampleSet:
                return sample_anchor(model, anchor, law, self.run, threads, journal)

            work.finish(names[row], task(sampler))

        self._make_ready()
        progress = options.Progress("drawing", len(left), "anchors", COMPILING)
        results = over_rows(one, left, self.threads, work.stop)
        try:
            for _ in watched(progress, results, self.anchors.take(np.array(left, np.intp)), self.inputs[0]):
                pass
        except InputError as error:
            work.useless = error.path == self.inputs[0]  # the network or the anchors must change
            raise
        return [f"{name}.result" for name in names]

    def _phase(self, row: int, block: Block) -> str:
        """How far a block has come."""
        before, draws, thin = block["asked"].tolist()
        run = self.run
        last = f"{'' if run.until_ess is None else 'up to '}{run.warmup + run.most_steps}"
        return f"{self.anchors.names[row]}: step {before + draws * thin} of {last}, {run.warmup} of them warm-up"

    def _make_ready(self) -> None:
        reason = ready(self.model)
        if reason and self.run.device == "cpu":
            options.say(
                f"NOTE: a full forward pass a step, since the compiled chain cannot take this network ({reason})"
            )


def watched(progress: options.Progress, results: Iterator[Result], anchors: Sequences, model: str) -> Iterator[Result]:
    """A result for each anchor, with progress on stderr; what is wrong at an anchor is wrong with the model there."""
    with progress:
        for _ in range(len(anchors)):
            with _naming(anchors, model):
                result = next(results)
            progress.advance()
            yield result


@contextmanager
def _naming(anchors: Sequences, model: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        if error.path not in anchors.names:
            raise
        raise InputError(model, f"anchor {error.path}", error.problem, error.cure) from error


@dataclass(frozen=True)
class Subject:
    """A model and its anchors, the output or contrast and the background asked for, and the files they came from."""

    model: LayeredModel | AdaptedNetwork
    anchors: Sequences
    contrast: tuple[int, ...]
    background: tuple[float, float, float, float]
    inputs: list[str]
    header: dict[str, Any]
    part: dict[str, Any]


def fixed_by(given: dict[str, Any]) -> str | None:
    """The file that --fix names, if it names one."""
    return given["fix"] if given["fix"] and Path(given["fix"]).exists() else None


def inputs_asked(model: str, given: dict[str, Any]) -> list[str]:
    """The files that the options name, before any is read."""
    files = (given[name] for name in ("anchors", "genome", "fix") if given[name])
    return [*source_asked(model, given).files, *(path for path in files if path == "-" or Path(path).exists())]


def take_up(model_path: str, out: str | None, given: dict[str, Any]) -> Subject:
    """Load the model and the shard's anchors, and write OUT.rejected.tsv if any were rejected and it is the first."""
    network_source = source_asked(model_path, given)
    network = load_network(network_source)
    source = RecordSource(given["anchors"], given["genome"], given["centre"])
    background = background_asked(given, network)
    shard = given.get("shard", Shard())

    def read(some: RecordSource) -> tuple[Sequences, list[Rejected]]:
        return read_anchors(some, network.input_length, background, given, shard)

    anchors, rejected, count = read_part(source, shard, read)
    options.account(len(anchors), rejected, given["anchors"], out and shard.rejected_table(out), shard)
    model = network.read_as(reading_asked(given), anchors.codes.shape[1])
    outputs = network.output_names(model.outputs)
    contrast = options.contrast_asked(given["contrast"], given["output"], outputs)
    place(model, given["device"])
    digest = network_digest(network_source)
    header = {"model": digest, "reading": reading_asked(given).__dict__, "outputs": outputs}
    digests = {"model": digest, **run_digests(records=source.path, genome=source.genome, fix=fixed_by(given))}
    part = options.part_asked(shard, count, len(anchors), len(rejected), digests)
    files = [*network_source.files, *source.files]
    return Subject(model, anchors, contrast, background, files, header, part)


def set_up(model_path: str, out: str | None, given: dict[str, Any]) -> Job:
    """Take up the model and the anchors, and settle law and run."""
    subject = take_up(model_path, out, given)
    beta = None if given["beta"] == options.AUTO else given["beta"]
    law = LawSettings(
        subject.contrast, subject.background, tether_asked(given), beta, given["keep"], held=given["held"]
    )
    run = RunSettings(**{field.name: given[field.name] for field in fields(RunSettings)})
    if beta is None and (run.rungs < LEAST_RUNGS or law.held == "output"):
        raise click.UsageError(f"--beta auto needs --law anchor and --rungs of at least {LEAST_RUNGS}: give a number")
    if beta is None and not run.warmup:
        raise click.UsageError("--beta auto is found in the warm-up: give --warmup of some steps, or a --beta")
    check_steps(run)
    if beta is not None and options.given_by_user("keep"):
        raise click.UsageError("--keep is what --beta auto looks for: give one of --beta and --keep")
    header = {"law": law.__dict__, "run": run.__dict__, **subject.header}
    return Job(subject.model, subject.anchors, law, run, given["threads"], subject.inputs, header, subject.part)


def check_steps(run: RunSettings) -> None:
    """Refuse a limit that would have no effect."""
    if run.until_ess is None and options.given_by_user("max_steps"):
        raise click.UsageError("--max-steps limits --until-ess: without it, --draws times --thin steps are taken")
    if run.until_ess is not None and run.max_steps < run.draws * run.thin:
        least = f"the {run.draws} draws every {run.thin} steps take {run.draws * run.thin}"
        raise click.UsageError(f"--max-steps {run.max_steps} is too few: {least}")


def tether_asked(given: dict[str, Any]) -> Any:
    """What --tether comes to: without an anchor to hold there is none unless it is given as a number."""
    if given["tether"] == options.NONE or (given["tether"] == options.AUTO and given["held"] == "output"):
        return None
    return given["tether"]


def read_anchors(
    source: RecordSource,
    length: int | None,
    background: tuple[float, ...],
    given: dict[str, Any],
    shard: Shard = WHOLE,
) -> tuple[Sequences, list[Rejected]]:
    """The anchors, with what of them may change, and what was left out."""
    unknown = given["n_policy"] != "reject"
    if given["flank"] is None:
        anchors, rejected = read_sequences(source, length, given["crop"], unknown)
    elif length is None:
        raise click.UsageError("--flank needs to know what the network reads: give --input-length")
    else:
        letters = np.random.default_rng(0).choice(4, length, p=background).astype(np.uint8)
        anchors, rejected = read_flanked(source, length, None if given["flank"] == "genome" else letters, unknown)
    anchors = (
        fix_positions(anchors, given["fix"], shard.count == 1) if given["fix"] is not None and len(anchors) else anchors
    )
    anchors, stuck = changeable(settle_unknown(anchors, given["n_policy"] == "sample"), source.path)
    if anchors.mutable is not None and not anchors.mutable.all():
        some = int((~anchors.mutable).any(axis=1).sum())
        options.say(f"{some} of {len(anchors)} anchors hold positions; {anchors.mutable.mean():.1%} may change")
    return anchors, sorted(rejected + stuck, key=lambda record: record.number)


def place(model: Any, device: str) -> None:
    """Put the network on the device, with full 32-bit products (TF32 would bend the law); tell of a GPU left unused."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        model.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        raise click.UsageError(f"--device {device} cannot be used ({str(error).splitlines()[0]})") from error
    if torch.cuda.is_available() and device == "cpu":
        options.say("NOTE: a GPU is here and is not used; give --device cuda to use it")
