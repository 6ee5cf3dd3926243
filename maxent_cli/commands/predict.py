"""maxent predict: a network's outputs for every record."""

from typing import TYPE_CHECKING, Literal

import click

from maxent_cli.commands import options
from maxent_cli.commands.configuration import yields_to
from maxent_cli.commands.console import Console, spoken
from maxent_cli.commands.params import Finite, InputPath

if TYPE_CHECKING:
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard


@options.command("predict")
@click.argument("records", required=False, type=InputPath(pipe=True))
@spoken
@options.network_options
@options.option(
    "--table",
    type=InputPath(pipe=True),
    section="Anchors",
    everyday=True,
    help="TSV with columns sequence and label (0 or 1), instead of RECORDS.",
)
@options.option(
    "--label",
    type=click.IntRange(0, 1),
    section="Anchors",
    everyday=True,
    help="The class of every record of RECORDS, 0 or 1, if known.",
)
@options.genome_options
@options.output_option
@options.option(
    "--select", everyday=True, help="Also write records, highest contrast first: BED by suffix .bed, else FASTA."
)
@options.option(
    "--min-contrast", type=Finite(), everyday=True, help="Select records with this contrast or more.  [default: any]"
)
@options.option(
    "--correct", is_flag=True, everyday=True, help="Select correctly called records; needs --table or --label."
)
@options.option(
    "--top",
    type=click.IntRange(1),
    callback=yields_to("diverse"),
    everyday=True,
    help="Of those, select so many with the highest contrast.",
)
@options.option(
    "--diverse",
    type=click.IntRange(1, 5000),
    callback=yields_to("top"),
    everyday=True,
    help="Or so many that stand for all of them, each for a share that is said.",
)
@options.threads_option
@options.device_option
@options.out_option("Scores, TSV; '-' for stdout.", pipe=True)
@options.shard_option
def command(
    console: Console,
    records: str | None,
    network: "Network",
    table: str | None,
    label: int | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    map_chromosomes: bool,
    output: str | None,
    select: str | None,
    min_contrast: float | None,
    correct: bool,
    top: int | None,
    diverse: int | None,
    threads: int | None,
    device: str,
    out: str,
    shard: "Shard",
) -> None:
    """Outputs of a network for RECORDS: FASTA ('-' for stdin), or BED with --genome.

    OUT has a row a record: record, each output by its name (before the softmax), the contrast (--output), the
    probability of its first class and, where labels are known, label and correct (the contrast is above 0 exactly for
    label 1). Records are selected by --min-contrast and --correct first, then --top or --diverse. BED is 0-based
    half-open.

    --diverse takes medoids: records to which, together, all others are as similar as can be. Similar are records in
    which the network reads the same words (four letters in seven, either strand), by gradient x input. The surest
    records may all have one motif; medoids have all that are common. What share of the records each stands for is
    behind its name in FASTA (stands_for=0.21), from where `sample` and `motifs` read it, and in OUT, with the anchor
    of each.
    """
    if select is None and (min_contrast is not None or top is not None or diverse is not None or correct):
        named = "--min-contrast, --correct, --top and --diverse"
        raise click.UsageError(f"{named} choose what --select writes: give --select FILE")
    from maxent_cli.api.prediction import predict

    predict(
        network,
        options.read_anchors(records, genome, centre, crop, map_chromosomes=map_chromosomes),
        table=table,
        crop=crop,
        label=label,
        output=output,
        min_contrast=min_contrast,
        correct=correct,
        top=top,
        diverse=diverse,
        out=out,
        select=select,
        device=device,
        shard=shard,
        threads=threads,
        progress=console,
    )
