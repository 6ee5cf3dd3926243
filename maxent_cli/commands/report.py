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
@part_options
@options.assembly_option
@options.out_option("HTML file; '-' for stdout.", pipe=True)
def command(draws: str, assembly: str, out: str, **parts: str | None) -> None:
    """One HTML file of what was found, which asks for nothing from anywhere.

    DRAWS is what sample wrote, or OUT.partial, where it is at work; its summary (DRAWS.tsv) and beta series
    (DRAWS.series.tsv) lie beside it. The page begins with a verdict in plain words: how good the network is, what it
    reads, avoids and how that is arranged, and whether to trust it. Each part given follows; anchors are cards that
    unfold, with search, filters, zoom, and pictures, motifs and tables to save. Parts left out are named.
    """
    from maxent_cli.api.reports import report

    pipe = out == PIPE
    page = report(draws, assembly=assembly, out=None if pipe else out, **parts)
    if pipe:
        page.save(PIPE)
