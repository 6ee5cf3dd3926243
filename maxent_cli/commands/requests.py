"""Options of requests that a command of its own takes, and `maxent run` too: training, motifs, the probe."""

from typing import TYPE_CHECKING, Any

import click

from maxent_cli.choices import ARCHITECTURES
from maxent_cli.commands import options
from maxent_cli.commands.params import Arguments, FiniteRange, InputPath, Names

if TYPE_CHECKING:
    from maxent_cli.analysis.discovery import Calling
    from maxent_cli.api.probing import Probe
    from maxent_cli.api.training import Training
    from maxent_cli.api.training_data import Split

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


def training_of(
    architecture: str,
    arguments: dict[str, Any],
    epochs: int | None,
    patience: int | None,
    batch: int | None,
    learning_rate: float | None,
    weight_decay: float | None,
    reverse_complement: bool | None,
    shift: int | None,
    fresh_shuffles: bool,
    checkpoints: int | None,
    seed: int,
    device: str,
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
        checkpoints,
        device,
    )


TRAINING = (
    options.option(
        "--architecture",
        default=next(iter(ARCHITECTURES)),
        show_default=True,
        metavar="NAME",
        everyday=True,
        help=" ".join(f"{name}: {what}." for name, what in ARCHITECTURES.items())
        + " Or module:function, yours, with two outputs.",
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
        help="Passes over the training part, at most.  [default: for 10,000 steps, but 10 to 200; of deepmotif 50]",
    ),
    options.option(
        "--patience",
        type=click.IntRange(1),
        help="Stop after so many epochs without a lower validation loss; the best weights are kept.  [default: half "
        "of the epochs, but 15 at most; deepmotif: all]",
    ),
    options.option("--batch", type=click.IntRange(2), help="Sequences a step.  [default: 128; deepmotif: 256]"),
    options.option(
        "--learning-rate",
        type=FiniteRange(0, 1, min_open=True),
        help="Highest learning rate of the one-cycle schedule, in (0, 1]; of deepmotif the first, halved every 10 "
        "epochs.  [default: 0.003; deepmotif: 0.01]",
    ),
    options.option("--weight-decay", type=FiniteRange(0, 1), help="Of AdamW, 0 to 1.  [default: 0.01; deepmotif: 0]"),
    options.option(
        "--reverse-complement/--no-reverse-complement",
        default=None,
        help="Turn a random half of each batch to the other strand.  [default: do; deepmotif: do not]",
    ),
    options.option(
        "--shift",
        type=click.IntRange(0),
        help="Rotate each training sequence by up to so many letters either way, from 0: what leaves at one end "
        "enters at the other.  [default: 5; deepmotif: 0]",
    ),
    options.option(
        "--fresh-shuffles/--fixed-shuffles",
        default=True,
        show_default=True,
        help="Shuffle the training positives anew each epoch, where shuffles are the negatives.",
    ),
    options.option(
        "--checkpoints",
        type=click.IntRange(2, 1000),
        help="Also keep the running mean of the weights after so many steps, from 0 to the last, spaced "
        "logarithmically: model folders in OUT/checkpoints, for `maxent learning`.  [default: none]",
    ),
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


class Potentials(click.ParamType[Any]):
    """Numbers, with 0 among them."""

    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return tuple(float(part) for part in str(value).strip("()").split(","))
        except ValueError:
            return self.fail("give numbers between -10 and 10, as in -2,-1,0,1,2", param, ctx)


def _probe(feature: str, match_p: float, mu: tuple[float, ...]) -> "Probe":
    from maxent_cli.api.probing import Probe

    return Probe(feature, match_p, mu)


probe_options = options.group(
    "probe",
    _probe,
    options.option(
        "--feature",
        default="gc",
        show_default=True,
        metavar="gc|cpg|kmer:WORD|motif:FILE",
        everyday=True,
        help="What mu is on: G and C; CG; a word in IUPAC letters; the first motif of a MEME file.",
    ),
    options.option(
        "--mu",
        type=Potentials(),
        default="-0.5,0,0.5",
        show_default=True,
        metavar="A,B,...",
        everyday=True,
        help="Chemical potentials mu on each that is counted, natural-log units, -10 to 10, and 0.",
    ),
    options.option(
        "--match-p",
        default=1e-4,
        show_default=True,
        type=FiniteRange(0, 1, min_open=True),
        help="A motif matches where its score is as high as that of this share of places in the background.",
    ),
)
