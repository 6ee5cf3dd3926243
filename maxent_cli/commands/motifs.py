"""maxent motifs: what the draws hold."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, print_file, spoken
from maxent_cli.commands.params import PIPE, FiniteRange, InputPath, KnownMotifs
from maxent_cli.tables import WRITTEN

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling

PRINTED = tuple(
    output.file
    for output in WRITTEN["motifs"]
    if not output.file.endswith(("/", ".gz")) and output.file != "tested.tsv"
)


def calling_of(bits: float, errors: float, gap: int, width: int, motif_bits: float, site_rate: float) -> "Calling":
    """When columns make a motif and draws hold it."""
    from maxent_cli.analysis.discovery import Calling

    return Calling(bits=bits, errors=errors, gap=gap, width=width, motif_bits=motif_bits, site_rate=site_rate)


calling_options = options.group(
    "calling",
    calling_of,
    options.option(
        "--bits",
        default=0.1,
        show_default=True,
        type=FiniteRange(0, 2),
        help="Keep columns that hold at least this much information, in bits.",
    ),
    options.option(
        "--errors",
        default=3.0,
        show_default=True,
        type=FiniteRange(0),
        help="Keep columns whose information is at least this many standard errors above zero.",
    ),
    options.option(
        "--gap",
        default=3,
        show_default=True,
        type=click.IntRange(0),
        help="Merge stretches separated by at most this many uninformative bp.",
    ),
    options.option(
        "--width", default=5, show_default=True, type=click.IntRange(1), help="Keep motifs at least this wide, in bp."
    ),
    options.option(
        "--motif-bits",
        default=5.0,
        show_default=True,
        type=FiniteRange(0),
        everyday=True,
        help="Keep motifs that hold at least this much information in all, in bits.",
    ),
    options.option(
        "--rate",
        "site_rate",
        default=0.05,
        show_default=True,
        type=FiniteRange(0, 1, min_open=True),
        help="Count sites that score so high that at most this share of background draws has one: lower is stricter.",
    ),
)


@options.command("motifs")
@spoken
@click.argument("draws", type=InputPath())
@options.option(
    "--known",
    type=KnownMotifs(),
    everyday=True,
    help="Known motifs to name the found ones by: jaspar-vertebrates, jaspar-fungi (included), or a MEME file.",
)
@options.option(
    "--test",
    type=KnownMotifs(),
    everyday=True,
    help="Motifs to ask about, named like --known: is each held, not held or avoided, at --rate (tested.tsv)?",
)
@calling_options
@options.option(
    "--similarity",
    default=0.65,
    show_default=True,
    type=FiniteRange(0, 1),
    everyday=True,
    help="Merge motifs of different anchors whose aligned columns correlate at least this much (Pearson r).",
)
@options.option(
    "--unconverged/--no-unconverged",
    default=False,
    help="Let anchors whose draws have not converged count for what comes again.  [default: no]",
)
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced. '-' prints one file.", pipe=True)
@options.option(
    "--print",
    "printed",
    default="motifs.meme",
    show_default=True,
    type=click.Choice(PRINTED),
    metavar="FILE",
    section="Output",
    help=f"With --out -: which result file to print, one of {', '.join(PRINTED)}.",
)
@options.logo_options
@options.option(
    "--draw-sites/--no-draw-sites",
    default=False,
    section="Output",
    help="Also write every site of every draw.  [default: no]",
)
def command(
    console: Console,
    draws: str,
    known: str | None,
    test: str | None,
    calling: "Calling",
    similarity: float,
    threads: int | None,
    out: str,
    printed: str,
    logos: Literal["png", "svg", "pdf", "none"],
    max_logos: int,
    draw_sites: bool,
    unconverged: bool,
) -> None:
    """Motifs that the draws hold or avoid, wherever and on either strand.

    DRAWS is what sample wrote. Motifs are found in each anchor's draws against its background, the tether included,
    merged over anchors and looked for in all draws; what is avoided, in the draws of all converged anchors together.
    Positions are 0-based, start and end half-open.
    """
    from maxent_cli.api.motifs import motifs

    pipe = out == PIPE
    found = motifs(
        draws,
        calling=calling,
        known=known,
        test=test,
        similarity=similarity,
        unconverged=unconverged,
        draw_sites=draw_sites,
        logos="none" if pipe else logos,
        max_logos=max_logos,
        out=None if pipe else out,
        threads=threads,
        progress=console,
    )
    if pipe:
        print_file(found.path / printed)
