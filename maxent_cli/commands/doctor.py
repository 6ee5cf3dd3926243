"""maxent doctor: what a network is like as a thing to sample, and whether the sampler is right on it."""

from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import AUTO

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
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
@options.option("--out", "-o", section="Output", metavar="PATH", help="Also write JSON into a file.  [default: not]")
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors | None",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    as_json: bool,
    out: str | None,
) -> None:
    """Examine a network before a run: give the options that `sample` will be given.

    Says what is read and held (shape, layer, outputs), what would make draws wrong (randomness, batches), how fast
    the network and the sampler are, and what time, memory and resources the run will need. And a self-test: with all
    but four positions of the first anchor held, all 256 sequences are listed and draws are compared with the exact
    law. Without ANCHORS it looks at random sequences. Exit code 1 if anything is wrong.
    """
    from maxent_cli.api.examining import as_json as text_of
    from maxent_cli.api.examining import doctor
    from maxent_cli.interpret.checkup import WRONG

    heard = None if as_json else lambda finding: click.echo(finding.line)
    found = doctor(network, anchors, law, sampling, out=out, threads=threads, progress=console, heard=heard)
    if as_json:
        click.echo(text_of(found))
    raise click.exceptions.Exit(any(finding.verdict == WRONG for finding in found))
