"""Whether draws would take too long to be begun: by what proposals cost where they are compiled, else by passes."""

import time

import numpy as np
import torch

from maxent_cli.alphabet import Codes
from maxent_cli.api.jobs import Job
from maxent_cli.errors import SettingsError, spoken_time
from maxent_cli.interpret.law import evaluate, output_term
from maxent_cli.interpret.sampling import (
    MOST_COMPILED,
    REFERENCE_DRAWS,
    Sampling,
    learns,
    may_be_copied,
    paced,
    work_in,
)
from maxent_cli.interpret.surrogates import most_steps
from maxent_cli.models.protocol import SequenceModel

MOST_HOURS = 24.0  # by default
START = 3.0  # seconds of a process
LOOKS = 6  # at the draws, each after as many steps again, until most anchors have converged
A_PROPOSAL, A_PRODUCT = 0.6e-6, 0.045e-9  # seconds, and seconds a multiplication more; of three runs by default


def require_hours(job: Job, most: float) -> None:
    """Raise SettingsError where a job would take more than so many hours."""
    seconds = seconds_of(job)
    if seconds > 3600 * most:
        problem = f"is {most:g}, and the draws around {len(job.subject.anchors)} anchors would take"
        problem += f" {spoken_time(seconds)} or more on {job.task.threads} CPUs"
        cure = "give more, fewer anchors (--shard), or fewer positions that may change (--free); see `maxent doctor`"
        raise SettingsError("max-hours", "", problem, cure)


def seconds_of(job: Job) -> float:
    """About what the compiled chain takes; of other kernels, what the passes of the network take at least."""
    anchors, run = job.subject.anchors, job.sampling
    workers = max(1, min(job.task.threads, len(anchors)))
    if run.device == "cpu" and _compiled(job):
        return compiled_seconds(job.subject.model, run, len(anchors), workers) or 0.0
    free = [int(anchors.anchor(row).mutable.sum()) for row in range(len(anchors))]
    passes = sum(_passes(job, each) for each in free)
    codes = anchors.codes[:1]
    alone = _seconds_a_pass(job, codes)
    if passes * alone <= workers:  # seconds, and then together they take no more
        return passes * alone / workers
    together = _seconds_a_pass(job, np.repeat(codes, run.chains * run.replicas, axis=0))
    return passes * min(alone, together) / workers


def compiled_seconds(model: SequenceModel, run: Sampling, anchors: int, workers: int) -> float | None:
    """Of a process that draws by the compiled chain until most anchors have converged; None where it does not serve."""
    product = work_in(model)
    if product is None:
        return None
    paced_run = paced(run, model.input_length)
    steps = paced_run.warmup + min(LOOKS * paced_run.draws * paced_run.thin, paced_run.max_steps)
    proposals = steps * run.chains * run.replicas * anchors
    return START + proposals * (A_PROPOSAL + A_PRODUCT * product) / workers


def _compiled(job: Job) -> bool:
    """Whether the compiled chain serves, and not a surrogate."""
    law, run = job.subject.law, job.sampling
    if law.hold or law.kind.of_outputs:
        return False
    product = work_in(job.subject.model)
    return product is not None and (product <= MOST_COMPILED or not learns(run))


def _passes(job: Job, free: int) -> float:
    """Of the network, for the draws of an anchor with so many positions that may change, if they do not go on."""
    run = paced(job.sampling, free)
    steps = run.warmup + run.draws * run.thin
    copied = run.device == "cpu" and learns(run) and not job.subject.law.hold
    at_once = most_steps(free) if copied and may_be_copied(job.subject.model, free) else 1
    return 2 * REFERENCE_DRAWS + run.chains * run.replicas * steps / at_once


def _seconds_a_pass(job: Job, codes: Codes) -> float:
    """A sequence, of passes over codes (n, L) together."""
    term, device = output_term(job.subject.model, job.subject.law.outputs), torch.device(job.sampling.device)
    evaluate(term, codes[:1], device)  # what a first pass has to do besides
    started = time.monotonic()
    evaluate(term, codes, device)
    return (time.monotonic() - started) / len(codes)
