"""maxent train: a network from positives and negatives."""

from typing import TYPE_CHECKING, Any, Literal

import click

from maxent_cli.choices import ARCHITECTURES
from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import Arguments, FiniteRange, InputPath, Names

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


CHOOSING = (
    options.option(
        "--negatives",
        type=InputPath(pipe=True),
        everyday=True,
        help="FASTA, or BED with --genome.  [default: dinucleotide-preserving shuffles of the positives]",
    ),
    options.option(
        "--length",
        type=click.IntRange(1),
        everyday=True,
        help="Input length, bp, from 1; needed for BED.  [default: the commonest; with --crop, the largest that 95 % "
        "of the records have]",
    ),
    options.option(
        "--negatives-away",
        type=click.IntRange(1),
        metavar="BP",
        help="Negatives are windows of the genome, on each chromosome as many as positives, whose centre is at least "
        "so many bp, from 1, from every interval of --positives.",
    ),
    options.option(
        "--top-score",
        type=FiniteRange(0, 1, min_open=True),
        metavar="SHARE",
        help="Positives are the intervals with the highest scores (column 5 of BED): this share of them, up to 1.",
    ),
    options.option(
        "--bottom-score",
        type=FiniteRange(0, 1, min_open=True),
        metavar="SHARE",
        help="Negatives are the intervals of --positives with the lowest scores: this share of them, up to 1.",
    ),
    options.option(
        "--match-gc",
        is_flag=True,
        help="Leave out positives and negatives, at random, until each number of G and C is as frequent in both.",
    ),
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
    *CHOOSING,
    options.genome_options,
)


def split_of(
    test_chromosomes: tuple[str, ...],
    validation_chromosomes: tuple[str, ...],
    test_share: float,
    validation_share: float,
) -> "Split":
    """Which records are held out."""
    from maxent_cli.api.training_data import Split

    return Split(test_chromosomes, validation_chromosomes, test_share, validation_share)


SPLIT = (
    options.option(
        "--test-chromosomes",
        type=Names(),
        default=(),
        everyday=True,
        help="Chromosomes to test on.  [default, if every record has coordinates: chr8,chr9 if present, else whole "
        "chromosomes for about the test share, else the end of each; without coordinates the split is by groups of "
        "records that share a 24-mer]",
    ),
    options.option(
        "--validation-chromosomes",
        type=Names(),
        default=(),
        help="Chromosomes that decide when to stop.  [default: whole ones for about the validation share, else the end "
        "of each]",
    ),
    options.option(
        "--test-share",
        default=0.1,
        show_default=True,
        type=FiniteRange(0, 0.5),
        help="Share to test on, 0 to 0.5.",
    ),
    options.option(
        "--validation-share",
        default=0.05,
        show_default=True,
        type=FiniteRange(0, 0.4),
        help="Share that decides when to stop, 0 to 0.4; 0: train through all epochs and keep the last weights.",
    ),
)
split_options = options.group("split", split_of, *SPLIT)


def training_of(
    architecture: str,
    arguments: dict[str, Any],
    epochs: int | None,
    patience: int | None,
    batch: int,
    learning_rate: float,
    weight_decay: float,
    reverse_complement: bool,
    shift: int,
    fresh_shuffles: bool,
    seed: int,
) -> "Training":
    """How a network is trained."""
    from maxent_cli.api.training import Training

    return Training(
        architecture,
        epochs,
        patience,
        batch,
        learning_rate,
        weight_decay,
        reverse_complement,
        shift,
        fresh_shuffles,
        seed,
        arguments,
    )


TRAINING = (
    options.option(
        "--architecture",
        default=next(iter(ARCHITECTURES)),
        show_default=True,
        metavar="|".join((*ARCHITECTURES, "MODULE:FUNCTION")),
        everyday=True,
        help=" ".join(f"{name}: {what}." for name, what in ARCHITECTURES.items()) + " Or yours, with two outputs.",
    ),
    options.option(
        "--arguments",
        type=Arguments(),
        default="{}",
        help="Arguments of the architecture, a JSON object, as in '{\"filters\": 32}'.  [default: its own]",
    ),
    options.option(
        "--epochs",
        type=click.IntRange(1),
        everyday=True,
        help="Passes over the training part, at most.  [default: as many as make 10,000 steps, but 10 to 200]",
    ),
    options.option(
        "--patience",
        type=click.IntRange(1),
        help="Stop after so many epochs without a lower validation loss; the best weights are kept.  [default: half "
        "of the epochs, but 15 at most]",
    ),
    options.option("--batch", default=128, show_default=True, type=click.IntRange(2), help="Sequences a step."),
    options.option(
        "--learning-rate",
        default=0.003,
        show_default=True,
        type=FiniteRange(0, 1, min_open=True),
        help="Highest learning rate of the one-cycle schedule, in (0, 1].",
    ),
    options.option("--weight-decay", default=0.01, show_default=True, type=FiniteRange(0, 1), help="Of AdamW, 0 to 1."),
    options.option(
        "--reverse-complement/--no-reverse-complement",
        default=True,
        show_default=True,
        help="Turn a random half of each batch to the other strand.",
    ),
    options.option(
        "--shift",
        default=5,
        show_default=True,
        type=click.IntRange(0),
        help="Rotate each training sequence by up to so many letters either way, from 0: what leaves at one end "
        "enters at the other.",
    ),
    options.option(
        "--fresh-shuffles/--fixed-shuffles",
        default=True,
        show_default=True,
        help="Shuffle the training positives anew each epoch, where shuffles are the negatives.",
    ),
)
training_options = options.group("training", training_of, *TRAINING, options.seed_option)


@options.command("train")
@resumable
@data_options
@split_options
@training_options
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
