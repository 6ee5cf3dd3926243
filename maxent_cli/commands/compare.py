"""maxent compare: two sets of findings side by side."""

import click

from maxent_cli.commands import options

FOLDER = options.InputPath(folder=True)


@click.command("compare")
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@options.out_option("Folder for the results; an older one is replaced.")
@click.option(
    "--summaries",
    nargs=2,
    type=options.InputPath(),
    metavar="A.tsv B.tsv",
    help="Summaries that sample wrote with the draws of A and of B: compares the bits held too.  [default: not]",
)
@click.option(
    "--similarity",
    default=0.65,
    show_default=True,
    type=options.FiniteRange(0, 1),
    help="Least correlation, 0 to 1, of motifs that are the same.",
)
@options.seed_option
def command(a: str, b: str, out: str, summaries: tuple[str, str] | None, similarity: float, seed: int) -> None:
    """What differs between two models on the same anchors, or between two sets of anchors.

    A and B are folders that motifs wrote. Anchors of one name and sequence are the same and are compared one by one;
    if there are none, means are compared. Differences are B less A. Errors of single anchors are Monte Carlo errors of
    the draws; intervals of means are over anchors (95 %, bootstrap), and hold for more anchors of these kinds, not for
    another training of the networks. In the folder:

    \b
    motifs.tsv   motifs that are the same: similarity, anchors, sites, bits, and how many anchors have them at one place
    places.tsv   where each shared anchor's draws have each of these motifs, and how often
    anchors.tsv  bits of the positions, and bits held, of each shared anchor
    summary.tsv  means over anchors, and their differences with intervals
    compare.png  anchors' bits and occupancies of A against those of B, and the motifs above each other
    """
    from maxent_cli.commands.compare_results import compare, report, write_comparison
    from maxent_cli.io.comparison_inputs import read_side
    from maxent_cli.io.outputs import planned

    outputs = planned([a, b, *(summaries or ())], folders=[out])
    first, second = summaries or (None, None)
    found = compare(read_side(a, first), read_side(b, second), similarity, seed)
    with outputs.writing_folder(out, seed=seed) as folder:
        write_comparison(folder, found)
    for line in report(found):
        options.say(f"{out}: {line}" if not line.startswith(" ") else line)
