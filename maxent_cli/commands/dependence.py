"""maxent dependence: which positions depend on each other in the draws."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.choices import PICTURES
from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import InputPath

if TYPE_CHECKING:
    from maxent_cli.data import Shard


@options.command("dependence")
@resumable
@click.argument("draws", type=InputPath())
@options.option(
    "--record",
    "records",
    multiple=True,
    everyday=True,
    help="Name of an anchor to look at; may be repeated.  [default: all, half a second each]",
)
@options.option(
    "--top",
    default=20,
    show_default=True,
    type=click.IntRange(1),
    everyday=True,
    help="Pairs of each anchor in the tables.",
)
@options.out_option("Folder for the results; an older one is replaced.")
@options.option(
    "--maps",
    type=click.Choice(PICTURES),
    default="png",
    show_default=True,
    section="Output",
    help="Format of the heat maps, about a second each.",
)
@options.option(
    "--max-maps",
    default=100,
    show_default=True,
    type=click.IntRange(0),
    section="Output",
    help="Maps of the first anchors asked for.",
)
@options.shard_option
def command(
    console: Console,
    draws: str,
    records: tuple[str, ...],
    top: int,
    out: str,
    maps: Literal["png", "svg", "pdf", "none"],
    max_maps: int,
    shard: "Shard",
) -> None:
    """Which positions depend on each other in the draws, and what of it is only the norm's doing.

    DRAWS is what sample wrote. Mutual information of each pair of positions, in bits, is corrected for the bias of
    finite draws and tested against pairs of which one is taken from another chain; q is Benjamini-Hochberg over an
    anchor's pairs. An anchor whose chains disagree (R-hat above the --max-rhat that it was drawn with) is refused.

    The law's energy is a norm, which itself couples: sqrt(a²+b²) is not a+b. Two features that the network treats
    apart, so that their squared energies merely add, depend in the draws all the same. As the reference, the draws
    are reweighted to q(x)·exp(-gamma·E(x)²) at the same mean E²: there, such features are exactly independent. Where
    bits_squared is 0 within its error, bits are the norm's doing; where it is not, the network itself joins the two.
    This takes the energies of the draws alone; to draw the features' own energies apart would take the network and a
    choice of what the features are. Under --law output the energy is no norm, and bits_squared is nan.

    Without a tether a motif may move, and positions depend on each other through its place; for what depends within
    and between motifs in place, sample with --tether.

    Positions are 0-based in the anchor.
    """
    from maxent_cli.api.dependence import dependence

    dependence(
        draws,
        records=records,
        top=top,
        maps=maps,
        max_maps=max_maps,
        out=out,
        shard=shard,
        progress=console,
    )
