"""maxent dependence: which positions depend on each other in the draws."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from maxent_cli.data import Shard


@click.command("dependence")
@click.argument("draws", type=options.InputPath())
@options.out_option("Folder for the results; an older one is replaced.")
@click.option(
    "--record",
    "records",
    multiple=True,
    help="Name of an anchor to look at; may be repeated.  [default: all, half a second each]",
)
@click.option(
    "--top", default=20, show_default=True, type=click.IntRange(1), help="Pairs of each anchor in the tables."
)
@click.option(
    "--maps",
    type=click.Choice(["png", "svg", "pdf", "none"]),
    default="png",
    show_default=True,
    help="Format of the heat maps, about a second each.",
)
@click.option(
    "--max-maps", default=100, show_default=True, type=click.IntRange(0), help="Maps of the first anchors asked for."
)
@click.option(
    "--most-rhat",
    default=1.05,
    show_default=True,
    type=options.FiniteRange(1, min_open=True),
    help="R-hat, above 1, from which an anchor is refused.",
)
@options.shard_option
def command(draws: str, out: str, records: tuple[str, ...], max_maps: int, shard: "Shard", **given: Any) -> None:
    """Which positions depend on each other in the draws, and what of it is only the norm's doing.

    DRAWS is what sample wrote. Mutual information of each pair of positions, in bits, is corrected for the bias of
    finite draws and tested against pairs of which one is taken from another chain; q is Benjamini-Hochberg over an
    anchor's pairs. An anchor whose chains disagree (R-hat) is refused.

    The law's energy is a norm, which itself couples: sqrt(a²+b²) is not a+b. Two features that the network treats
    apart, so that their squared energies merely add, depend in the draws all the same. As the reference, the draws
    are reweighted to q(x)·exp(-gamma·E(x)²) at the same mean E²: there, such features are exactly independent. Where
    bits_squared is 0 within its error, bits are the norm's doing; where it is not, the network itself joins the two.
    This takes the energies of the draws alone; to draw the features' own energies apart would take the network and a
    choice of what the features are. Under --law output the energy is no norm, and bits_squared is nan.

    Without a tether a motif may move, and positions depend on each other through its place; for what depends within
    and between motifs in place, sample with --tether.

    Positions are 0-based in the anchor. In the folder:

    \b
    pairs.tsv    the pairs that depend most: bits, p, q, and bits_squared, with errors
    letters.tsv  how often each two letters stand together there, and would if apart
    anchors.tsv  pairs tested and dependent (q up to 0.05) of each anchor, or why it was refused
    maps/        heat map of an anchor's pairs, below the diagonal the reference, and tables of its top pairs' letters
    """
    from maxent_cli.commands.dependence_results import Job, read_off, report
    from maxent_cli.errors import InputError
    from maxent_cli.io.digests import noted
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.samples import open_draws

    outputs = planned([draws], folders=[out])
    with open_draws(draws) as anchors, ExitStack() as stack:
        part = options.part_asked(shard, len(anchors), len(shard.block(len(anchors))), 0, {"draws": noted(draws)}) | {
            "kind": "folder"
        }
        folder = stack.enter_context(outputs.writing_folder(out, part=part))
        (folder / "maps").mkdir()
        names = anchors.names() if records else []
        missing = set(records) - set(names)
        if missing:
            problem = f"holds no anchor named {min(missing)[:80]!r}"
            raise InputError(draws, "", problem, "give names as in the table that sample wrote beside it")
        asked = [number for number in range(len(anchors)) if not records or names[number] in records]
        mapped = set(asked[:max_maps])
        job = Job(folder, [number for number in asked if number in shard.block(len(anchors))], mapped, **given)
        rows = read_off(anchors, job)
    for line in report(rows, job):
        options.say(f"{out}: {line}" if not line.startswith(" ") else line)
