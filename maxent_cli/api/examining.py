"""The doctor: what a network is like as a thing to sample, and whether the sampler is right on it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from maxent_cli.api.anchors import Given, anchors
from maxent_cli.api.jobs import Task, check_together, granted_cpus, take_up, torch_threads
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.runs import account
from maxent_cli.interpret.checkup import NOTE, RUN, WRONG, Finding, Patient, check, letters, self_test_finding
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import COMPILED, Sampling, ready
from maxent_cli.interpret.self_test import self_test
from maxent_cli.io.machine import GIB, granted_memory
from maxent_cli.io.records import read_labelled_sequences

MOST_LABELLED = 1000
TEST_SECONDS = 60.0  # that the self-test's passes of the network take at most


def doctor(
    network: Network,
    given: Given,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    table: str | None = None,
    crop: bool = False,
    threads: int | None = None,
    progress: Progress = True,
) -> Sequence[Finding]:
    """Examine a network before a run that `sample` would make of the same arguments.

    Parameters
    ----------
    network, given, law, sampling
        As `sample` takes them.
    table, crop
        TSV with columns sequence and label (0 or 1): all orders of the letters are tried on it; crop keeps the middle
        of longer records.
    threads, progress
        CPU threads that the run will have; who is told of records left out.

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
    subject = take_up(network, anchors(given), asked, run.device, {}, task)
    ready(subject.model)
    patient = Patient(subject.model, subject.outputs, subject.anchors, subject.law, run, task.threads)
    with torch_threads(1):
        found = [_fitting(finding) for finding in check(patient)]
        found.insert(1, _letters(patient, network.reading.letters, table, crop, listener))
        first = subject.anchors.take(np.array([0]))
        numbers = {finding.topic: finding.numbers for finding in found}
        most = np.inf if numbers["kernel"]["kernel"] == COMPILED else TEST_SECONDS * numbers["speed"]["passes"]
        found.append(self_test_finding(self_test(subject.model, first, subject.law, run, most_passes=most)))
    return found


def _fitting(finding: Finding) -> Finding:
    """What a run needs is wrong where this machine has not so much memory."""
    granted = granted_memory()
    if finding.topic != RUN or finding.numbers["bytes"] <= granted:
        return finding
    return replace(finding, verdict=WRONG, text=f"{finding.text}; {granted / GIB:.1f} GiB can be had here")


def _letters(patient: Patient, told: str, table: str | None, crop: bool, listener: Listener) -> Finding:
    """Whether the letters are in the order that the network was trained on."""
    if table is None:
        text = f"taken to be {told}; give labelled sequences, --table, to try all"
        return Finding("letters", NOTE, text)
    sequences, labels, rejected = read_labelled_sequences(table, patient.model.input_length, crop)
    account(len(sequences), rejected, table, None, listener)
    some = np.random.default_rng(0).permutation(len(sequences))[:MOST_LABELLED]
    return letters(patient, sequences.codes[some], labels[some], told)
