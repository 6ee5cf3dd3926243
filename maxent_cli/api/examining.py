"""The doctor: what a network is like as a thing to sample, and whether the sampler is right on it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from maxent_cli.alphabet import UNIFORM, Frequencies, decode
from maxent_cli.api.anchors import Given, anchors
from maxent_cli.api.jobs import Task, check_together, drawn_at_once, granted_cpus, take_up, torch_threads
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.precision import whole_products
from maxent_cli.api.runs import account
from maxent_cli.data import Sequences
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.interpret.checkup import (
    LAST_OF_SPEED,
    NOTE,
    RUN,
    SOUGHT,
    WRONG,
    Finding,
    Patient,
    check,
    copies,
    letters,
    self_test_finding,
    speed,
)
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import Sampling, ready
from maxent_cli.interpret.self_test import self_test
from maxent_cli.io.machine import GIB, granted_memory
from maxent_cli.io.outputs import planned
from maxent_cli.io.records import RecordSource, read_labelled_sequences

MOST_LABELLED = 1000
RANDOM = 8  # sequences, where no anchors are given
TEST_SECONDS = 20.0  # that the self-test takes at most, unless that is too little to say anything


@whole_products()
def doctor(
    network: Network,
    given: Given | None = None,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
    heard: Callable[[Finding], object] | None = None,
) -> Sequence[Finding]:
    """Examine a network before a run that `sample` would make of the same arguments.

    Parameters
    ----------
    network, given, law, sampling
        As `sample` takes them; without anchors, random sequences of the background.
    out
        JSON file of the findings by topic, with their numbers; not written by default.
    threads, progress
        CPU threads that the run will have; who is told of records left out.
    heard
        Is given each finding once it is made; the first come at once, and the self-test can take a minute.

    Returns
    -------
    findings
        Each with a topic, a verdict ('ok', 'note' or 'WRONG'), a text and numbers; of 'run' the seconds and bytes.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.doctor(mx.network("model"), "anchors.fa")  # doctest: +SKIP
    >>> [finding.topic for finding in found if finding.verdict == "WRONG"]  # doctest: +SKIP
    []
    """
    asked, run, listener = law or Law(), sampling or Sampling(), listener_of(progress)
    check_together(asked, run)
    task = Task("doctor", listener, threads=threads or granted_cpus())
    source = anchors(_background(network, asked) if given is None else given)
    outputs = planned([*network.files, *source.files, *asked.files], [out], noting=False)
    subject = take_up(network, source, asked, run.device, {}, task)
    patient = Patient(subject.model, subject.outputs, subject.anchors, subject.law, run, task.threads)
    patient = replace(patient, together=drawn_at_once(run, subject.model, subject.anchors, task.threads))
    with torch_threads(1):
        found = list[Finding]()
        for finding in examined(patient, given is None):
            found.append(finding)
            if heard is not None:
                heard(finding)
    if out is not None:
        with outputs.writing(seed=run.seed, device=run.device) as opening:
            opening(out).write(f"{as_json(found)}\n")
    return found


def as_json(found: Sequence[Finding]) -> str:
    """The findings by topic, with their numbers."""
    return json.dumps({f.topic: {"verdict": f.verdict, "text": f.text, **f.numbers} for f in found}, indent=2)


def examined(patient: Patient, random: bool) -> Iterator[Finding]:
    """All but the letters, which need labels, each once it is found.

    random: anchors are random sequences, of which not all need serve.
    """
    ready(patient.model)
    yield from check(patient)
    said = dict[str, Finding]()
    for row in range(len(patient.anchors) if random else 1):
        order = np.roll(np.arange(len(patient.anchors)), -row)
        try:
            for finding in _measured(replace(patient, anchors=patient.anchors.take(order)), said):
                said[finding.topic] = finding
                yield finding
        except InputError as error:
            if not random or error.path not in patient.anchors.names:
                raise
        else:
            return
    text = f"none of {len(patient.anchors)} random sequences has a neighbour that the network tells from it"
    yield Finding("self-test", NOTE, f"{text}; `maxent doctor` with anchors will say")


def _measured(patient: Patient, said: Mapping[str, Finding]) -> Iterator[Finding]:
    """Speed, what a run needs, and the self-test, on the first anchor; but what is said already."""
    found = dict(said)
    if LAST_OF_SPEED not in found:
        for finding in speed(patient):
            found[finding.topic] = finding
            if finding.topic not in said:
                yield _fitting(finding)
    if "copies" not in found:
        yield copies(patient)
    kernel, passes = found["kernel"].numbers, found["speed"].numbers["passes"]
    last = self_test(
        patient.model,
        patient.anchors.anchor(0),
        patient.law,
        patient.run,
        most_proposals=TEST_SECONDS * kernel["proposals"],
        most_passes=SOUGHT * passes,
        decision=kernel["decision"],
    )
    yield self_test_finding(last)


def _fitting(finding: Finding) -> Finding:
    """What a run needs is wrong where this machine has not so much memory."""
    granted = granted_memory()
    if finding.topic != RUN or finding.numbers["bytes"] <= granted:
        return finding
    return replace(finding, verdict=WRONG, text=f"{finding.text}; {granted / GIB:.1f} GiB can be had here")


def random_anchors(length: int, background: Frequencies, count: int = RANDOM) -> Sequences:
    """Random sequences of independent letters, the same each time."""
    codes = np.random.default_rng(0).choice(4, (count, length), p=background).astype(np.uint8)
    return Sequences(tuple(f"random_{row}" for row in range(count)), codes, (None,) * count)


def _background(network: Network, law: Law) -> dict[str, str]:
    if network.input_length is None:
        raise SettingsError("anchors", "", f"{network.name} does not say how many letters it reads", "give anchors")
    found = random_anchors(network.input_length, law.frequencies or network.background or UNIFORM)
    return dict(zip(found.names, map(decode, found.codes), strict=True))


def letters_finding(patient: Patient, told: str, table: str | None, listener: Listener) -> Finding:
    """Whether the letters are in the order that the network was trained on."""
    if table is None:
        return Finding("letters", NOTE, f"taken to be {told}; give labelled sequences, --table, to try all")
    source = RecordSource(table, labelled=True)
    sequences, labels, rejected = read_labelled_sequences(source, patient.model.input_length, False)
    account(len(sequences), rejected, table, None, listener)
    some = np.random.default_rng(0).permutation(len(sequences))[:MOST_LABELLED]
    return letters(patient, sequences.codes[some], labels[some], told)
