"""maxent train: a network from positives and negatives."""

from typing import TYPE_CHECKING, Literal

from maxent_cli.commands import options, requests
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import InputPath

if TYPE_CHECKING:
    from maxent_cli.api.training import Training
    from maxent_cli.api.training_data import Split, TrainingData


def _data(
    positives: str | None,
    negatives: str | None,
    negatives_away: int | None,
    top_score: float | None,
    bottom_score: float | None,
    match_gc: bool,
    table: str | None,
    length: int | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    map_chromosomes: bool,
) -> "TrainingData":
    from maxent_cli.api.training_data import TrainingData

    return TrainingData(
        positives,
        negatives,
        table,
        genome,
        centre,
        crop,
        length,
        negatives_away,
        top_score,
        bottom_score,
        match_gc,
        map_chromosomes,
    )


data_options = options.group(
    "data",
    _data,
    options.option(
        "--positives",
        type=InputPath(pipe=True),
        everyday=True,
        help="FASTA ('-' for stdin), or BED/narrowPeak with --genome.",
    ),
    options.option(
        "--table",
        type=InputPath(pipe=True),
        everyday=True,
        help="TSV with columns sequence and label (0 or 1), instead of files.",
    ),
    *requests.CHOOSING,
    options.genome_options,
)


@options.command("train")
@resumable
@data_options
@options.group("split", requests.split_of, *requests.SPLIT)
@options.group("training", requests.training_of, *requests.TRAINING, options.seed_option, options.device_option)
@options.threads_option
@options.out_option("Model folder.")
def command(
    console: Console, data: "TrainingData", split: "Split", training: "Training", threads: int | None, out: str
) -> None:
    """Train a network to tell positives from negatives.

    The same seed, data and threads give the same weights. A positive and its shuffles are always in the same part;
    without coordinates so are all records that share a 24-mer on either strand. Intervals are over such groups. BED is
    0-based half-open.
    """
    from maxent_cli.api.training import train

    train(data, split, training, out=out, threads=threads, progress=console)
