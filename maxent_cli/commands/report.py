"""maxent report: a page to look at."""

import click

from maxent_cli.commands import options


def folder_option(name: str, command: str, shown: str) -> options.Decorator:
    """A folder that a command wrote."""
    text = f"Folder that `maxent {command}` wrote: {shown}.  [default: left out]"
    return click.option(name, type=options.InputPath(folder=True), help=text)


@click.command("report")
@click.argument("draws", type=options.InputPath())
@options.out_option("HTML file; '-' for stdout.", pipe=True)
@click.option("--summary", help="Summary TSV that sample wrote.  [default: DRAWS.tsv]")
@folder_option("--motifs", "motifs", "motifs, and the hundred most telling anchors drawn")
@folder_option("--series", "series", "the beta series")
@folder_option("--periodicity", "periodicity", "where anchors peak, and mean spectra")
@folder_option("--gc-probe", "gc-probe", "the response to a field on a count, and what is held of it")
def command(draws: str, out: str, summary: str | None, **folders: str | None) -> None:
    """One HTML file of what was found, which asks for nothing from anywhere.

    DRAWS is what sample wrote; its summary TSV lies beside it. Each part that is given is shown: convergence, motifs
    with logos and names, the hundred most telling anchors with sequence, logo, information, sites and occupancy, beta
    series, periodicity and GC probe, what each number means, and how all of it was made.
    """
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.report import page_of
    from maxent_cli.io.report_inputs import Sources

    summary = summary or f"{draws}.tsv"
    outputs = planned([draws, summary, *folders.values()], [out])
    sources = Sources(draws, summary, **folders)
    with outputs.writing() as opening:
        opening(out).write(page_of(sources))
