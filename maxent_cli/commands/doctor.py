"""maxent doctor: what a network is like as a thing to sample, and whether the sampler is right on it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import AUTO

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.interpret.checkup import Finding
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


@options.command("doctor")
@spoken
@options.network_options
@options.anchors_if_any_options
@options.law_options(AUTO)
@options.sampling_options
@options.threads_option
@options.option("--json", "as_json", is_flag=True, section="Output", everyday=True, help="JSON instead of a table.")
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors | None",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    as_json: bool,
) -> None:
    """Examine a network before a run: give the options that `sample` will be given.

    Says what is read and held (shape, layer, outputs), what would make draws wrong (randomness, batches), how fast
    the network and the sampler are, and what time, memory and resources the run will need. And a self-test: with all
    but four positions of the first anchor held, all 256 sequences are listed and draws are compared with the exact
    law. Without ANCHORS it looks at random sequences. Exit code 1 if anything is wrong.
    """
    from maxent_cli.api.examining import doctor
    from maxent_cli.interpret.checkup import WRONG

    found = doctor(network, anchors, law, sampling, threads=threads, progress=console)
    click.echo(as_json_text(found) if as_json else as_table(found))
    raise click.exceptions.Exit(any(finding.verdict == WRONG for finding in found))


def as_table(found: "Sequence[Finding]") -> str:
    """Topic, verdict and text, a finding a line."""
    width = max(len(finding.topic) for finding in found)
    return "\n".join(f"{f.topic:{width}}  {f.verdict:5}  {f.text}" for f in found)


def as_json_text(found: "Sequence[Finding]") -> str:
    """The findings by topic, with their numbers."""
    return json.dumps({f.topic: {"verdict": f.verdict, "text": f.text, **f.numbers} for f in found}, indent=2)
