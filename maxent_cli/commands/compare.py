"""maxent compare: two sets of findings side by side."""

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import FiniteRange, InputPath

FOLDER = InputPath(folder=True)


@options.command("compare")
@spoken
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@options.option(
    "--summaries",
    nargs=2,
    type=InputPath(),
    metavar="A.tsv B.tsv",
    everyday=True,
    help="Summaries that sample wrote with the draws of A and of B: compares the bits held too.  [default: not]",
)
@options.option(
    "--similarity",
    default=0.65,
    show_default=True,
    type=FiniteRange(0, 1),
    everyday=True,
    help="Motifs of A and B are the same if their aligned columns correlate at least this much (Pearson r).",
)
@options.out_option("Folder for the results; an older one is replaced.")
def command(console: Console, a: str, b: str, summaries: tuple[str, str] | None, similarity: float, out: str) -> None:
    """What differs between two models on the same anchors, or between two sets of anchors.

    A and B are folders that motifs wrote. Anchors of one name and sequence are the same and are compared one by one;
    if there are none, means are compared. Differences are B less A. Errors of single anchors are Monte Carlo errors of
    the draws; intervals of means are over anchors (95 %, by t), and hold for more anchors of these kinds, not for
    another training of the networks.
    """
    from maxent_cli.api.comparison import compare

    compare(a, b, summaries=summaries, similarity=similarity, out=out, progress=console)
