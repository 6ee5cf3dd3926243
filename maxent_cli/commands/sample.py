"""maxent sample: draws around anchors."""

from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import AUTO

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


@options.command("sample")
@resumable
@options.network_options
@options.anchors_options
@options.law_options(AUTO)
@options.sampling_options
@options.threads_option
@options.out_option("Draws file (.npz); its summary goes to OUT.tsv, its beta series to OUT.series.tsv.")
@options.shard_option
@options.option("--summary", section="Output", help="Where the summary goes, '-' for stdout.  [default: OUT.tsv]")
@options.option("--fasta", section="Output", help="Also write the draws as FASTA; '-' for stdout.  [default: not]")
@options.option(
    "--strict", is_flag=True, section="Output", help="Exit with 3 if an anchor has not converged (results are written)."
)
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    out: str,
    shard: "Shard",
    summary: str | None,
    fasta: str | None,
    strict: bool,
) -> None:
    """Draw sequences that the network cannot tell from each anchor, otherwise as random as possible.

    ANCHORS is FASTA ('-' for stdin), or BED with --genome. The law is p(x) ∝ q(x)·exp(-beta·E(x)): E is
    the distance of the representations of x and of the anchor, weighted by the output layer, and q the
    background (Finnegan & Song 2017). By default q leans to the anchor, so that motifs stay in place and
    logos are sharp; with --tether none, the published law, they may move and turn.
    """
    if summary == fasta == "-":
        raise click.UsageError("only one of --summary and --fasta can be standard output")
    from maxent_cli.api.sampling import sample

    with sample(
        network,
        anchors,
        law,
        sampling,
        out=out,
        summary=summary,
        fasta=fasta,
        shard=shard,
        threads=threads,
        progress=console,
    ) as draws:
        converged = all(row["converged"] for row in draws.rows())
    raise click.exceptions.Exit(3 if strict and not converged else 0)
