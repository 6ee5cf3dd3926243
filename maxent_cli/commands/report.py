"""maxent report: a page to look at."""

from typing import Any

import click

from maxent_cli.commands import options
from maxent_cli.commands.params import PIPE, InputPath
from maxent_cli.tables import SHOWN


def part_options(function: Any) -> Any:
    """An option for each folder that the page has a part for."""
    for command, shown in reversed(SHOWN.items()):
        text = f"Folder that `maxent {command}` wrote: {shown}.  [default: left out]"
        function = options.option(f"--{command}", type=InputPath(folder=True), everyday=True, help=text)(function)
    return function


@options.command("report")
@click.argument("draws", type=InputPath(folder=None))
@options.option("--summary", everyday=True, help="Summary TSV that sample wrote.  [default: DRAWS.tsv]")
@part_options
@options.out_option("HTML file; '-' for stdout.", pipe=True)
def command(draws: str, summary: str | None, out: str, **parts: str | None) -> None:
    """One HTML file of what was found, which asks for nothing from anywhere.

    DRAWS is what sample wrote, or OUT.partial, where it is at work; its summary (DRAWS.tsv) and beta series
    (DRAWS.series.tsv) lie beside it. Each part that is there is shown: the network's AUROC, convergence, motifs with
    logos and names, the hundred most telling anchors with sequence, logo, information, attribution, sites and
    occupancy, beta series, periodicity, variants and GC probe, what each number means, and how all of it was made.
    """
    from maxent_cli.api.reports import report

    pipe = out == PIPE
    page = report(draws, summary=summary, out=None if pipe else out, **parts)
    if pipe:
        page.save(PIPE)
