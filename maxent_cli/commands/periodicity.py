"""maxent periodicity: do the draws repeat a class of letters with the turn of DNA?"""

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import InputPath


@options.command("periodicity")
@spoken
@click.argument("draws", type=InputPath())
@options.option(
    "--class",
    "words",
    metavar="WORDS",
    default="W",
    show_default=True,
    everyday=True,
    help="Letters or words that are looked at, in IUPAC's letters, words of one length joined by /: W is A or T, WW is "
    "AA, AT, TA or TT, AA/TT is either.",
)
@options.seed_option
@options.out_option("Folder for the results; an older one is replaced.")
def command(console: Console, draws: str, words: str, seed: int, out: str) -> None:
    """Do the draws repeat a class of letters with the turn of DNA?

    DRAWS is what sample wrote. The share of draws that hold the class at each position, less its straight line, is
    transformed between 5 and 20 bp. A peak's height is its power over the median between those periods. The same is
    done with the anchors themselves and with as many draws from each anchor's background rows (beta = 0), tether
    included; `draws, phase-free` is the mean spectrum of single draws, that of their autocorrelation, which sees a
    period that keeps no place. By chance is the share of such backgrounds whose highest point lies at 9.5-11 bp. Only
    positions that may change count.

    Phase is the distance of the nearest maximum from the anchor's middle, in bp.
    """
    from maxent_cli.api.periodicity import periodicity

    periodicity(draws, words, seed=seed, out=out, progress=console)
