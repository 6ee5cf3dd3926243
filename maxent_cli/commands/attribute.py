"""maxent attribute: attribution scores of each anchor's positions and letters."""

from typing import TYPE_CHECKING, Any, Literal

import click

from maxent_cli.choices import METHODS
from maxent_cli.commands import options
from maxent_cli.commands.console import Console, print_file, resumable
from maxent_cli.commands.params import PIPE, FiniteRange, InputPath

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law


def _asked(output: str | None, background: Any, gc: float | None) -> "Law":
    from maxent_cli.interpret.law import Law

    return Law(output=output, background=background, gc=gc)


DETAILS = """
By the last four methods, a position's score is that of the anchor's letter. By deeplift, integrated-gradients and
prefix scores must sum to f less its mean over the references: whether they do is checked for every anchor.
Errors are standard errors over references. Positions that are held (--fix, --flank) have no score.
"""


@options.command("attribute", details=DETAILS)
@resumable
@options.network_options
@options.anchors_options
@options.option(
    "--method",
    required=True,
    type=click.Choice(METHODS),
    metavar="NAME",
    everyday=True,
    help=f"How scores are found: {', '.join(METHODS)}; see below.",
)
@options.option(
    "--references",
    type=click.IntRange(2, 10_000),
    help="Sequences drawn from q, letter by letter, that deeplift, integrated-gradients and prefix compare with, from "
    "2.  [default: 20]",
)
@options.option(
    "--steps",
    type=click.IntRange(2, 10_000),
    help="Points on the way from a reference at which integrated-gradients takes the gradient, from 2.  [default: 50]",
)
@options.option(
    "--max-delta",
    type=FiniteRange(0),
    help="Share of the difference of outputs by which a sum of scores may be off, from 0.  [default: 0.001; of "
    "integrated-gradients 0.05]",
)
@options.option(
    "--draws",
    type=InputPath(),
    help="By prefix: draws around these anchors, whose law is read from left to right too.",
)
@options.group("law", _asked, options.asked_options)
@options.device_option
@options.seed_option
@options.threads_option
@options.out_option(
    "Folder for the results; an older one is replaced. '-' prints positions.tsv, for a pipe.", pipe=True
)
@options.logo_options
@options.shard_option
@options.option(
    "--strict",
    is_flag=True,
    section="Output",
    help="Exit with 3 if an anchor's scores are incomplete (results are written).",
)
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors",
    method: str,
    draws: str | None,
    references: int | None,
    steps: int | None,
    max_delta: float | None,
    law: "Law",
    device: str,
    seed: int,
    threads: int | None,
    out: str,
    logos: Literal["png", "svg", "pdf", "none"],
    max_logos: int,
    shard: "Shard",
    strict: bool,
) -> None:
    """Attribution scores of each position and letter, by the methods in common use.

    ANCHORS is FASTA ('-' for stdin), or BED with --genome. What is attributed is f, the output or
    a difference of two, before the sigmoid or softmax. By --method:

    \b
    saliency              size of the gradient of f by the letter; of a position, the largest
    input-x-gradient      gradient of f by the letter; of a position, that of the anchor's letter
    deeplift              DeepLIFT by the rescale rule, a mean over references drawn from q
    integrated-gradients  the mean gradient on the way from a reference; a mean likewise
    mutagenesis           f with the letter there, less its mean over letters drawn from q there
    prefix                what the letter adds to f, read from either end, the rest drawn from q

    The sums of deeplift, integrated-gradients and prefix are checked. With --draws, reading.tsv has
    the bits by which the law holds each letter, given those before it.
    """
    from maxent_cli.api.attribution import attribute, complete

    pipe = out == PIPE
    found = attribute(
        network,
        anchors,
        method,
        law,
        draws=draws,
        references=references,
        steps=steps,
        max_delta=max_delta,
        logos="none" if pipe else logos,
        max_logos=max_logos,
        seed=seed,
        device=device,
        out=None if pipe else out,
        shard=shard,
        threads=threads,
        progress=console,
    )
    if pipe:
        print_file(found.path / "positions.tsv")
    raise click.exceptions.Exit(3 if strict and not complete(found) else 0)
