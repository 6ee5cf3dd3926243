"""maxent motifs: what the draws hold."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options, requests
from maxent_cli.commands.console import Console, print_file, spoken
from maxent_cli.commands.params import PIPE, InputPath, PairsOf
from maxent_cli.tables import WRITTEN

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling
    from maxent_cli.analysis.syntax import Syntax
    from maxent_cli.api.networks import Network

NO_TEXT = ("/", ".gz", ".bw", ".bedgraph", ".xml", ".png")  # or not there where anchors have no places
ASKED = ("tested.tsv", "records.tsv", "rejected.tsv", "interactions.tsv", "syntax.tsv")  # there where it is asked for
PRINTED = tuple(
    output.file for output in WRITTEN["motifs"] if not output.file.endswith(NO_TEXT) and output.file not in ASKED
)


def _syntax(syntax: str | None, contexts: int, max_distance: int) -> "Syntax | None":
    from maxent_cli.analysis.syntax import Syntax

    return None if syntax is None else Syntax(syntax, contexts, max_distance)


syntax_options = options.group(
    "syntax",
    _syntax,
    options.option(
        "--syntax",
        type=PairsOf(),
        everyday=True,
        help="Also say how pairs of motifs go together by order, strand and distance, with --model: 'found', or MEME.",
    ),
    options.option(
        "--contexts",
        default=256,
        show_default=True,
        type=click.IntRange(16),
        help="With --syntax: put motifs into so many sequences of each anchor's background.",
    ),
    options.option(
        "--max-distance",
        default=30,
        show_default=True,
        type=click.IntRange(0),
        help="With --syntax: put them up to so many bp apart.",
    ),
)


@options.command("motifs")
@spoken
@click.argument("draws", type=InputPath(folder=None))
@options.known_option()
@options.asked_motifs_option()
@requests.calling_options
@options.similarity_option("Merge motifs of different anchors whose")
@options.option(
    "--unconverged/--no-unconverged",
    default=False,
    help="Let anchors whose draws have not converged count for what comes again.  [default: no]",
)
@options.option(
    "--records",
    type=InputPath(),
    section="Anchors",
    everyday=True,
    help="Also say how common the motifs are in these records, FASTA or BED, best held out from training.",
)
@options.genome_options
@syntax_options
@options.network_if_any_options
@options.device_option
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
    records: str | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    map_chromosomes: bool,
    syntax: "Syntax | None",
    network: "Network | None",
    device: str,
    threads: int | None,
    out: str,
    printed: str,
    logos: Literal["png", "svg", "pdf", "none"],
    max_logos: int,
    draw_sites: bool,
    unconverged: bool,
) -> None:
    """Motifs that the draws hold or avoid, wherever and on either strand.

    DRAWS is what sample wrote, or OUT.partial, where it is at work. Motifs are found in each anchor's draws against
    its background, the tether included, merged over anchors and looked for in all draws; what is avoided, in the draws
    of all converged anchors together. Positions are 0-based, start and end half-open.

    --syntax puts sites of two motifs into sequences of the background, at each distance: what the law makes of both
    together, beyond each by itself, is their interaction.
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
        records=options.read_anchors(records, genome, centre, crop, map_chromosomes=map_chromosomes),
        syntax=syntax,
        network=network,
        device=device,
        logos="none" if pipe else logos,
        max_logos=max_logos,
        out=None if pipe else out,
        threads=threads,
        progress=console,
    )
    if pipe:
        print_file(found.path / printed)
