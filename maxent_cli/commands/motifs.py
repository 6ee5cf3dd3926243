"""maxent motifs: what the draws hold."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, print_file, spoken
from maxent_cli.commands.params import PIPE, FiniteRange, InputPath, KnownMotifs

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling

PRINTED = (
    *("motifs.meme", "motifs.jaspar", "motifs.tsv", "motifs_ppm.tsv", "motifs_pwm.tsv", "sites.bed", "occupancy.tsv"),
    *("spacing.tsv", "anchor_motifs.meme", "rates.tsv", "anchors.tsv", "positions.tsv", "pwm.tsv", "segments.tsv"),
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
    """Motifs that the draws hold, wherever and on either strand.

    DRAWS is what sample wrote. Motifs are found in each anchor's draws against its background, the tether included,
    merged over anchors and looked for in all draws. Positions are 0-based, start and end half-open. In the folder:

    \b
    motifs.tsv         the motifs: consensus, anchors, sites, bits, the three known motifs most like
                       each, and p of coming again in so many converged anchors, by shuffled columns
    motifs.meme        the same as matrices; also motifs.jaspar, motifs_ppm.tsv, motifs_pwm.tsv
    sites.bed          places of motifs in 5 % or more of an anchor's draws; genomic if anchors are
    occupancy.tsv      share of each anchor's draws with each motif, also at beta 0; the best place
    spacing.tsv        distances that draws prefer: bp between the facing ends of two motifs (0: side
                       by side), seen with motif_a on the plus strand
    anchor_motifs.meme the motifs as each anchor's draws have them
    rates.tsv          how often motifs are found and come again, and how often by chance
    anchors.tsv        bits of each anchor in place, its informative segments, and its logo
    positions.tsv      letter frequencies and information of each position, with errors and ESS
    pwm.tsv            log2 odds of each position's letters against its background
    segments.tsv       informative stretches in place, in the anchor and in the genome
    logos/             of anchors in place (logo_), their best motif aligned (aligned_), and motifs
    modisco/           one_hot.npz and attributions.npz for `modisco motifs`
    """
    from maxent_cli.api.motifs import motifs

    pipe = out == PIPE
    found = motifs(
        draws,
        calling=calling,
        known=known,
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
