"""maxent compare: two sets of findings side by side; or networks that read each other's draws."""

from pathlib import Path

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import Finite, InputPath


@options.command("compare")
@spoken
@click.argument("found", metavar="A B ...", nargs=-1, required=True, type=InputPath(folder=None))
@options.similarity_option("Motifs of A and B are the same if their")
@options.option(
    "--model",
    multiple=True,
    metavar="FOLDER",
    section="Network",
    everyday=True,
    help="Of draws: the model folder that each was drawn with, in the same order.",
)
@options.trust_option
@options.option(
    "--threshold",
    type=Finite(),
    default=0.0,
    show_default=True,
    help="Of draws: a network calls a sequence by the side of this that its output is on.",
)
@options.option(
    "--max-draws",
    type=click.IntRange(8, 10**6),
    default=400,
    show_default=True,
    help="Of draws: how many of each anchor's are read, evenly spaced.",
)
@options.device_option
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced.")
def command(
    console: Console,
    found: tuple[str, ...],
    similarity: float,
    model: tuple[str, ...],
    trust_code: bool,
    threshold: float,
    max_draws: int,
    device: str,
    threads: int | None,
    out: str,
) -> None:
    """What differs between two models or sets of anchors; or whose invariances are a network's own.

    A and B are folders that motifs wrote. Anchors of one name and sequence are the same and are compared one by one;
    if there are none, means are compared. Differences are B less A. Errors of single anchors are Monte Carlo errors of
    the draws; intervals of means are over anchors (95 %, by t), and hold for more anchors of these kinds, not for
    another training of the networks.

    Or A, B, ... are draws around the same anchors, each with the --model that it was drawn with: then every network
    reads the draws of all. T(A to B) is how far B's output moves in A's draws, where A sees no difference, in standard
    deviations of its output over the background. In the draws of a network that learned too little, or by heart, the
    others' outputs move: its invariances are its own. No label is looked at.
    """
    if model or not any(Path(path).is_dir() for path in found):
        from maxent_cli.api.crossing import cross_read
        from maxent_cli.api.networks import network

        networks = [network(folder, trust_code=trust_code) for folder in model]
        cross_read(
            found,
            networks,
            threshold=threshold,
            max_draws=max_draws,
            device=device,
            threads=threads,
            out=out,
            progress=console,
        )
        return
    from maxent_cli.api.comparison import compare

    if len(found) != 2:
        raise click.UsageError("give two folders of motifs, or draws with a --model each")
    compare(*found, similarity=similarity, out=out, progress=console)
