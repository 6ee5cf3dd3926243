"""maxent doctor: what a network is like as a thing to sample, and whether the sampler is right on it."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from maxent_cli.interpret.checkup import Finding, Patient

MOST_LABELLED = 1000


@click.command("doctor")
@options.anchors_argument
@options.model_options
@click.option(
    "--table",
    type=options.InputPath(),
    help="TSV with columns sequence and label (0 or 1): try all orders of the letters on it.  [default: not tried]",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout instead of a table.")
@options.genome_options
@options.window_options
@options.law_options
@options.tether_option(options.AUTO)
@options.beta_options
@options.run_options
def command(model: str, table: str | None, as_json: bool, **given: Any) -> None:
    """Examine a network before a run: give the options that `sample` will be given.

    Says what is read and held (shape, letters, layer, outputs), what would make draws wrong (randomness, batches,
    letters in another order), how fast the network and the sampler are, and what time, memory and resources the run
    will need. Then a self-test: with all but four positions of the first anchor held, all 256 sequences are listed and
    draws are compared with the exact law. Exit code 1 if anything is wrong.
    """
    options.before_torch()
    import numpy as np
    import torch

    from maxent_cli.commands.drawing import set_up
    from maxent_cli.interpret.checkup import WRONG, Patient, check, self_test_finding
    from maxent_cli.interpret.sampling import ready
    from maxent_cli.interpret.self_test import self_test

    job = set_up(model, None, given)
    ready(job.model)
    torch.set_num_threads(1)
    patient = Patient(job.model, job.header["outputs"], job.anchors, job.law, job.run, job.threads)
    found = list(check(patient))
    found.insert(1, letters_finding(patient, table, given))
    found.append(self_test_finding(self_test(job.model, job.anchors.take(np.array([0])), job.law, job.run)))
    click.echo(as_json_text(found) if as_json else as_table(found))
    sys.exit(any(finding.verdict == WRONG for finding in found))


def letters_finding(patient: "Patient", table: str | None, given: dict[str, Any]) -> "Finding":
    """Whether the letters are in the order that the network was trained on."""
    import numpy as np

    from maxent_cli.commands.training_data import read_labelled_sequences
    from maxent_cli.interpret.checkup import NOTE, Finding, letters

    if table is None:
        return Finding("letters", NOTE, f"taken to be {given['letters']}; give labelled sequences, --table, to try all")
    sequences, labels, rejected = read_labelled_sequences(table, patient.model.input_length, given["crop"])
    options.account(len(sequences), rejected, table, None)
    some = np.random.default_rng(0).permutation(len(sequences))[:MOST_LABELLED]
    return letters(patient, sequences.codes[some], labels[some], given["letters"])


def as_table(found: "list[Finding]") -> str:
    """Topic, verdict and text, a finding a line."""
    width = max(len(finding.topic) for finding in found)
    return "\n".join(f"{f.topic:{width}}  {f.verdict:5}  {f.text}" for f in found)


def as_json_text(found: "list[Finding]") -> str:
    """The findings by topic, with their numbers."""
    return json.dumps({f.topic: {"verdict": f.verdict, "text": f.text, **f.numbers} for f in found}, indent=2)
