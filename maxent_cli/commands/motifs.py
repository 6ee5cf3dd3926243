"""maxent motifs: what the draws hold."""

from typing import Any

import click

from maxent_cli.commands import options

PRINTED = (
    *("motifs.meme", "motifs.jaspar", "motifs.tsv", "motifs_ppm.tsv", "motifs_pwm.tsv", "sites.bed", "occupancy.tsv"),
    *("spacing.tsv", "anchor_motifs.meme", "rates.tsv", "anchors.tsv", "positions.tsv", "pwm.tsv", "segments.tsv"),
)


@click.command("motifs")
@click.argument("draws", type=options.InputPath())
@options.out_option("Folder for the results; an older one is replaced. '-' prints one file, for a pipe.", pipe=True)
@click.option("--print", "printed", default="motifs.meme", show_default=True, type=click.Choice(PRINTED), help="Which.")
@options.logo_options
@click.option("--known", type=options.InputPath(), help="MEME file of known motifs to name the found ones by.")
@click.option(
    "--bits", default=0.1, show_default=True, type=options.FiniteRange(0, 2), help="Least bits of a column or position."
)
@click.option(
    "--errors",
    default=3.0,
    show_default=True,
    type=options.FiniteRange(0),
    help="Least information of a column or position, in its standard errors.",
)
@click.option("--gap", default=3, show_default=True, type=click.IntRange(0), help="Other columns (bp) to bridge.")
@click.option("--width", default=5, show_default=True, type=click.IntRange(1), help="Least width, bp.")
@click.option(
    "--motif-bits", default=5.0, show_default=True, type=options.FiniteRange(0), help="Least bits of a whole motif."
)
@click.option(
    "--rate",
    "site_rate",
    default=0.05,
    show_default=True,
    type=options.FiniteRange(0, 1, min_open=True),
    help="Share of background draws that hold a site of a motif by chance: the fewer, the stricter sites are counted.",
)
@click.option(
    "--similarity",
    default=0.65,
    show_default=True,
    type=options.FiniteRange(0, 1),
    help="Least correlation of anchors' motifs that are one.",
)
@click.option("--draw-sites/--no-draw-sites", default=False, help="Also write every site of every draw.  [default: no]")
@options.threads_option
def command(
    draws: str,
    out: str,
    printed: str,
    logos: str,
    max_logos: int,
    known: str | None,
    similarity: float,
    draw_sites: bool,
    threads: int,
    **calling: Any,
) -> None:
    """Motifs that the draws hold, wherever and on either strand.

    DRAWS is what sample wrote. Motifs are found in each anchor's draws against its background, the tether included,
    merged over anchors and looked for in all draws. Positions are 0-based, start and end half-open. In the folder:

    \b
    motifs.tsv         the motifs: consensus, anchors, sites, bits, the three known motifs most like each, and p of
                       coming again in so many anchors, had the anchors' motifs their columns in any order
    motifs.meme        the same as matrices; also motifs.jaspar, motifs_ppm.tsv, motifs_pwm.tsv (log2 odds)
    sites.bed          places of motifs that 5 % of an anchor's draws or more hold; genomic where anchors are
    occupancy.tsv      share of each anchor's draws that hold each motif, at beta = 0 too, and the best place
    spacing.tsv        distances that draws prefer: bp between the facing ends of two motifs (0: side by side), seen
                       with motif_a on the plus strand
    anchor_motifs.meme the motifs as each anchor's draws have them
    rates.tsv          how often motifs are found and come again, and how often by chance
    anchors.tsv        bits of each anchor in place, its informative segments, and its logo
    positions.tsv      letter frequencies and information of each position, with errors and ESS
    pwm.tsv            log2 odds of each position's letters against its background
    segments.tsv       informative stretches in place, in the anchor and in the genome
    logos/             of anchors in place (logo_), of anchors' best motif aligned (aligned_), of motifs (motif_)
    modisco/           one_hot.npz and attributions.npz for `modisco motifs`
    """
    from maxent_cli.analysis.discovery import Calling
    from maxent_cli.commands import motif_tables
    from maxent_cli.commands.motif_results import Job, read_off, share
    from maxent_cli.io.files import PIPE
    from maxent_cli.io.motif_files import read_meme
    from maxent_cli.io.outputs import folder_or_pipe, planned
    from maxent_cli.io.samples import open_draws

    outputs = planned([draws, known], folders=[out])
    named = read_meme(known) if known else []
    with open_draws(draws) as anchors, folder_or_pipe(out, printed, outputs) as folder:
        wanted = "none" if out == PIPE else logos
        job = Job(folder, Calling(**calling), similarity, wanted, max_logos, draw_sites, threads)
        found = read_off(anchors, job)
        shared = share(anchors, found, job)
        motifs = motif_tables.final_motifs(shared, job)
        names = motif_tables.write_motifs(motifs, shared, named, job)
        motif_tables.write_places(motifs, shared, job)
        if draw_sites:
            motif_tables.write_draw_sites(motifs, shared, job)
        motif_tables.write_rates(motifs, found, shared, job)
        motif_tables.write_attributions(found, job)
    for line in motif_tables.account(motifs, found, shared, names, job):
        options.say(f"{out}: {line}" if not line.startswith(" ") else line)
