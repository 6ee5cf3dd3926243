"""maxent motifs: what the draws hold."""

from typing import Any

import click

from maxent_cli.commands import options


@click.command("motifs")
@click.argument("draws", type=click.Path(exists=True, dir_okay=False))
@options.out_option("Folder for the results; an older one is replaced.")
@click.option(
    "--logos",
    type=click.Choice(["png", "svg", "pdf", "none"]),
    default="png",
    show_default=True,
    help="Format of the logos, about half a second each.",
)
@click.option("--max-logos", default=100, show_default=True, type=click.IntRange(0), help="Logos of the first anchors.")
@click.option(
    "--bits", default=0.1, show_default=True, type=options.FiniteRange(0, 2), help="Least bits of a position."
)
@click.option(
    "--errors",
    default=3.0,
    show_default=True,
    type=options.FiniteRange(0),
    help="Least information of a position, in its standard errors.",
)
@click.option("--gap", default=2, show_default=True, type=click.IntRange(0), help="Other positions (bp) to bridge.")
@click.option("--width", default=5, show_default=True, type=click.IntRange(1), help="Least width of a segment, bp.")
@click.option(
    "--similarity",
    default=0.65,
    show_default=True,
    type=options.FiniteRange(0, 1),
    help="Least correlation of segments that are one motif.",
)
def command(draws: str, out: str, logos: str, max_logos: int, similarity: float, **calling: Any) -> None:
    """Frequencies, information, motifs and logos from draws.

    DRAWS is what sample wrote. Information is against the background in use, the tether included, bias-corrected,
    with standard errors; positions are 0-based, start and end half-open. In the folder:

    \b
    anchors.tsv        total bits of each anchor, its segments, and the file of its logo
    positions.tsv      letter frequencies (PPM) and information of each position, with errors and ESS
    pwm.tsv            log2 odds of each position's letters against its background
    segments.tsv       informative stretches, in the anchor and in the genome, and the motif each belongs to
    anchor_motifs.meme the segments as motifs; nsites is the effective sample size
    motifs.meme        motifs that the segments make together, over anchors and both strands
    motifs_pwm.tsv     the same as log2 odds
    aggregate.tsv      the same in a line each: consensus, anchors, segments, sites, bits
    logos/             logos of anchors and motifs
    """
    from maxent_cli.analysis.motifs import Calling, aggregate
    from maxent_cli.commands.motif_results import Job, read_off, write_motifs
    from maxent_cli.io.files import writing_folder
    from maxent_cli.io.provenance import write_provenance
    from maxent_cli.io.samples import open_draws

    with open_draws(draws) as anchors, writing_folder(out) as folder:
        job = Job(folder, Calling(**calling), logos, max_logos)
        found = read_off(anchors, job)
        groups = aggregate(found.segments, similarity, job.calling.bits)
        write_motifs(found, groups, job)
    write_provenance(out, [draws])
    options.say(f"{out}: {found.anchors} anchors, {len(found.segments)} informative segments, {len(groups)} motifs")
    for line in found.why_nothing(job.calling) if not found.segments else ():
        options.say(f"  {line}")
