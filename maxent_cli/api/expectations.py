"""What the steps of a run will need, before they are begun: seconds of this machine and bytes, about."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from maxent_cli.api.hours import START, compiled_seconds
from maxent_cli.api.training import Training, untrained
from maxent_cli.api.training_data import TrainingData
from maxent_cli.errors import spoken_time
from maxent_cli.interpret.plan import NotAStack
from maxent_cli.interpret.sampling import Sampling
from maxent_cli.io.machine import GIB, granted_memory, peak_memory
from maxent_cli.models.protocol import SequenceModel
from maxent_cli.models.training import Examples, fit

TIMED = 24  # steps of a training that are timed, the first third of them not
SHARE = 0.85  # of records that are trained on
A_RECORD = 60e-6  # seconds in which a record is read and compared with the others
COMPILING = 30.0  # seconds until code has been compiled
READING, NAMING = 0.2, 8.0  # seconds: an anchor's motifs, and what names and draws those of all
ATTRIBUTING, PAGE = 1.0, 4.0  # seconds: an anchor, all of it
READING_BYTES = 0.9 * GIB  # a thousand known motifs, compared and looked for, beside what earlier steps have left
DOCTOR = 20.0


class Needs(NamedTuple):
    """Seconds, None where nothing is known yet, bytes, and what of."""

    seconds: float | None
    bytes: float = 0.0
    what: str = ""


def training(data: TrainingData, asked: Training, threads: int) -> Needs:
    """Of a training through all its epochs, by the time that a few steps on random letters take."""
    records, length = data.counted
    size = round(SHARE * records) * (1 if data.table is not None else 2)
    settings = asked.settled(size)
    steps = settings.epochs * (size // settings.batch)
    spoken = f"{records} records of {length} bp, at most {settings.epochs} epochs of {asked.architecture}"
    seconds = START + A_RECORD * records + steps * _seconds_a_step(length, asked) / threads
    return Needs(seconds, 12.0 * size * length, spoken)


def _seconds_a_step(length: int, asked: Training) -> float:
    """CPU seconds."""
    chance = np.random.default_rng(0)
    batch = asked.settled(1).batch
    codes = chance.integers(0, 4, (TIMED * batch, length)).astype(np.uint8)
    some = Examples(codes, chance.integers(0, 2, len(codes)))
    times = [time.process_time()]
    settings = replace(asked.settled(len(codes)), epochs=1)

    def timed(_: int) -> None:
        times.append(time.process_time())

    list(fit(untrained(length, asked).module, lambda _: some, some, settings, timed))
    return float(np.median(np.diff(times)[TIMED // 3 :]))


def drawing(like: Callable[[], SequenceModel], run: Sampling, anchors: int, times: int, threads: int) -> Needs:
    """Of draws around so many anchors, so many times over, until most have converged; like: gives the network."""
    workers, what = max(1, min(threads, anchors)), f"{anchors} anchors" + (f", {times} mu" if times > 1 else "")
    try:
        model = like()
        seconds = compiled_seconds(model, run, anchors * times, workers)
    except NotAStack:
        seconds = None
    if seconds is None:
        return Needs(None, 0.0, what)
    return Needs(seconds, 2.0 * workers * run.bytes_held(model.input_length), what)


def examining() -> Needs:
    """Of the doctor and its self-test, and of compiling where code is not kept yet."""
    return Needs(DOCTOR, 0.0, f"the self-test too; {COMPILING:.0f} s more where code must be compiled")


def choosing() -> Needs:
    """Of choosing anchors."""
    return Needs(START)


def reading(anchors: int) -> Needs:
    """Of motifs."""
    return Needs(START + NAMING + READING * anchors, READING_BYTES)


def attributing(anchors: int) -> Needs:
    """Of attributions."""
    return Needs(START + ATTRIBUTING * anchors)


def page() -> Needs:
    """Of the report."""
    return Needs(PAGE)


def plan(out: str, steps: Sequence[tuple[str, bool, Callable[[], Needs]]], threads: int) -> Iterator[str]:
    """What will be done, in lines for people; steps: name, whether it has been done, and what it needs."""
    yield f"plan for {out} ({threads} CPUs, {granted_memory() / GIB:.1f} GiB):"
    total, most, unknown = 0.0, float(peak_memory()), False
    for number, (name, done, needed) in enumerate(steps, 1):
        needs = Needs(0.0, what="done before") if done else needed()
        known = "time unknown" if needs.seconds is None else f"about {spoken_time(needs.seconds)}"
        yield f"  {number} {name:10} {'' if done else known:15} {needs.what}".rstrip()
        total += needs.seconds or 0.0
        unknown |= needs.seconds is None
        most = max(most, peak_memory() + needs.bytes)
    said = f"{'at least' if unknown else 'about'} {spoken_time(total)} and {most / GIB:.1f} GiB"
    yield f"  in all {said}; stopped at any time, the same command goes on"
