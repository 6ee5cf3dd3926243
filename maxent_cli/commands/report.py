"""maxent report: a page to look at."""

import click

from maxent_cli.commands import options
from maxent_cli.commands.params import PIPE, InputPath


def folder_option(name: str, command: str, shown: str) -> options.Decorator:
    """A folder that a command wrote."""
    text = f"Folder that `maxent {command}` wrote: {shown}.  [default: left out]"
    return options.option(name, type=InputPath(folder=True), everyday=True, help=text)


@options.command("report")
@click.argument("draws", type=InputPath())
@options.option("--summary", everyday=True, help="Summary TSV that sample wrote.  [default: DRAWS.tsv]")
@folder_option("--motifs", "motifs", "motifs, and the hundred most telling anchors drawn")
@folder_option("--periodicity", "periodicity", "where anchors peak, and mean spectra")
@folder_option("--gc-probe", "gc-probe", "the response to a chemical potential on a count, and what is held of it")
@options.out_option("HTML file; '-' for stdout.", pipe=True)
def command(
    draws: str, summary: str | None, motifs: str | None, periodicity: str | None, gc_probe: str | None, out: str
) -> None:
    """One HTML file of what was found, which asks for nothing from anywhere.

    DRAWS is what sample wrote; its summary (DRAWS.tsv) and beta series (DRAWS.series.tsv) lie beside it. Each part that
    is there is shown: convergence, motifs with logos and names, the hundred most telling anchors with sequence, logo,
    information, sites and occupancy, beta series, periodicity and GC probe, what each number means, and how all of it
    was made.
    """
    from maxent_cli.api.reports import report

    pipe = out == PIPE
    page = report(
        draws,
        summary=summary,
        motifs=motifs,
        periodicity=periodicity,
        gc_probe=gc_probe,
        out=None if pipe else out,
    )
    if pipe:
        page.save(PIPE)
