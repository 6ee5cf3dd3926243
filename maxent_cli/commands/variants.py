"""maxent variants: what single-letter changes do, in the anchors and averaged over draws around them."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import InputPath

if TYPE_CHECKING:
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard

DETAILS = """
Letters at other positions are the draw's in either case, so that an average is over the law's contexts. Errors are by
jackknife over blocks of chains; Student's t with df degrees of freedom gives intervals. Free-energy differences rest on
the conditional probabilities of the letters tried, averaged over contexts.

What is rejected is listed in OUT.rejected.tsv: indels, alleles outside all anchors, REF that is not the anchor's letter
or the genome's. Records of several alleles are split; in the annotated VCF they stay together, with a value an allele.
"""


@options.command("variants", details=DETAILS)
@resumable
@click.argument("draws", type=InputPath())
@options.network_options
@options.option(
    "--vcf",
    type=InputPath(),
    everyday=True,
    help="Changes to try: VCF, plain or compressed by bgzip, or BCF. The anchors' places in the genome must be known.",
)
@options.option("--all-single", is_flag=True, everyday=True, help="Instead, every single change of each anchor.")
@options.option(
    "--genome", type=InputPath(), everyday=True, help="FASTA that REF is compared with, beside the anchor's letter."
)
@options.option(
    "--contexts",
    default=400,
    show_default=True,
    type=click.IntRange(20, 100_000),
    everyday=True,
    help="Most draws of each anchor that letters are put into; of its background a quarter as many.",
)
@options.option(
    "--contexts-share",
    default=0.25,
    show_default=True,
    type=click.FloatRange(0.01, 1),
    everyday=True,
    help="Weigh draws towards the anchor, by a firmer tether at the positions that they hold, until this share of them "
    "is in effect; 1: draws as they are.",
)
@options.output_option
@options.device_option
@options.seed_option
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced.")
@options.option(
    "--annotated",
    type=click.Choice(["vcf.gz", "vcf", "none"]),
    default="vcf.gz",
    show_default=True,
    section="Output",
    help="How the annotated VCF is written: by bgzip, with an index; plain; or not at all.",
)
@options.shard_option
def command(
    console: Console,
    draws: str,
    network: "Network",
    vcf: str | None,
    all_single: bool,
    genome: str | None,
    contexts: int,
    contexts_share: float,
    output: str | None,
    device: str,
    seed: int,
    threads: int | None,
    out: str,
    annotated: Literal["vcf.gz", "vcf", "none"],
    shard: "Shard",
) -> None:
    """What single-letter changes do: in the anchors, averaged over draws around them, and to the law.

    DRAWS is what sample wrote, of the same network. Each allele is put into draws of each anchor that it lies in. The
    effect is the output with ALT less the output with REF: in the anchor, and averaged over draws; flips is the share
    of draws in which its sign is another than in the anchor. The free-energy difference is what the law charges for
    ALT, in bits: -log2 of its mass with ALT over that with REF, beyond the background's own. Nulls are the same in
    sequences drawn from the background (beta = 0), where the free-energy difference is 0.

    VCF positions are 1-based and letters of the + strand; positions in anchors are 0-based.
    """
    if (vcf is None) != all_single:
        raise click.UsageError("give either --vcf FILE or --all-single")
    from maxent_cli.api.variants import variants

    variants(
        network,
        draws,
        vcf,
        all_single=all_single,
        genome=genome,
        output=output,
        contexts=contexts,
        contexts_share=contexts_share,
        annotated=annotated,
        seed=seed,
        device=device,
        out=out,
        shard=shard,
        threads=threads,
        progress=console,
    )
