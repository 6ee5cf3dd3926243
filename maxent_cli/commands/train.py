"""maxent train: a network from positives and negatives."""

from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options
from maxent_cli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from maxent_cli.commands.training_data import LabelledSet
    from maxent_cli.io.checkpoint import ModelCard
    from maxent_cli.io.unfinished import Unfinished
    from maxent_cli.models.architectures import LayeredModel
    from maxent_cli.models.training import Epoch, Examples, Settings

# of models.architectures, which is slow to import; a test compares
ARCHITECTURES = ("convnet", "finnegan2017", "nucleosome")
OUTPUTS = ("negative", "positive")

_INPUT_FILE = options.InputPath(pipe=True)
_input_options = options.stack(
    click.option("--positives", type=_INPUT_FILE, help="FASTA ('-' for stdin), or BED/narrowPeak with --genome."),
    click.option(
        "--negatives",
        type=_INPUT_FILE,
        help="FASTA, or BED with --genome.  [default: dinucleotide-preserving shuffles of the positives]",
    ),
    click.option(
        "--negatives-away",
        type=click.IntRange(1),
        metavar="BP",
        help="Negatives are windows of the genome, on each chromosome as many as positives, whose centre is at least "
        "so many bp, from 1, from every interval of --positives.",
    ),
    click.option(
        "--top-score",
        type=options.FiniteRange(0, 1, min_open=True),
        metavar="SHARE",
        help="Positives are the intervals with the highest scores (column 5 of BED): this share of them, up to 1.",
    ),
    click.option(
        "--bottom-score",
        type=options.FiniteRange(0, 1, min_open=True),
        metavar="SHARE",
        help="Negatives are the intervals of --positives with the lowest scores: this share of them, up to 1.",
    ),
    click.option(
        "--match-gc",
        is_flag=True,
        help="Leave out positives and negatives, at random, until each number of G and C is as frequent in both.",
    ),
    click.option("--table", type=_INPUT_FILE, help="TSV with columns sequence and label (0 or 1), instead of files."),
    click.option(
        "--length",
        type=click.IntRange(1),
        help="Input length, bp, from 1; needed for BED.  [default: that of the first record]",
    ),
    options.genome_options,
)
_split_options = options.stack(
    click.option(
        "--test-chromosomes",
        metavar="A,B",
        help="Chromosomes to test on.  [default, if every record has coordinates: chr8,chr9 if present, else whole "
        "chromosomes for about the test share; without coordinates the split is by sequence]",
    ),
    click.option(
        "--validation-chromosomes",
        metavar="A,B",
        help="Chromosomes that decide when to stop.  [default: whole ones for about the validation share]",
    ),
    click.option(
        "--test-share",
        default=0.1,
        show_default=True,
        type=options.FiniteRange(0, 0.5),
        help="Share to test on, 0 to 0.5.",
    ),
    click.option(
        "--validation-share",
        default=0.05,
        show_default=True,
        type=options.FiniteRange(0, 0.4),
        help="Share that decides when to stop, 0 to 0.4; 0: train through all epochs and keep the last weights.",
    ),
)
_fit_options = options.stack(
    click.option(
        "--architecture",
        default=ARCHITECTURES[0],
        show_default=True,
        type=click.Choice(ARCHITECTURES),
        help="convnet: two short convolutions with pooling. finnegan2017: as published, no pooling. nucleosome: two "
        "convolutions, the first a helical turn wide, with little pooling.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1),
        help="Passes over the training part, at most.  [default: as many as make 10,000 steps, but 10 to 200]",
    ),
    click.option(
        "--patience",
        type=click.IntRange(1),
        help="Stop after so many epochs without a lower validation loss; the best weights are kept.  [default: half "
        "of the epochs]",
    ),
    click.option("--batch", default=128, show_default=True, type=click.IntRange(2), help="Sequences a step."),
    click.option(
        "--learning-rate",
        default=0.003,
        show_default=True,
        type=options.FiniteRange(0, 1, min_open=True),
        help="Highest learning rate of the one-cycle schedule, in (0, 1].",
    ),
    click.option(
        "--weight-decay", default=0.01, show_default=True, type=options.FiniteRange(0, 1), help="Of AdamW, 0 to 1."
    ),
    click.option(
        "--reverse-complement/--no-reverse-complement",
        default=True,
        show_default=True,
        help="Turn a random half of each batch to the other strand.",
    ),
    click.option(
        "--shift",
        default=5,
        show_default=True,
        type=click.IntRange(0),
        help="Rotate each training sequence by up to so many letters either way, from 0: what leaves at one end "
        "enters at the other.",
    ),
    click.option(
        "--fresh-shuffles/--fixed-shuffles",
        default=True,
        show_default=True,
        help="Shuffle the training positives anew each epoch, where shuffles are the negatives.",
    ),
)


@click.command("train")
@_input_options
@options.out_option("Model folder.")
@_split_options
@_fit_options
@options.seed_option
@options.threads_option
def command(out: str, **given: Any) -> None:
    """Train a network to tell positives from negatives.

    The folder OUT holds the weights (weights.safetensors, model.json), the learning curve (TSV, PNG), metrics.tsv
    (AUROC and AUPRC with bootstrap intervals), the three parts as FASTA (and BED where coordinates are known; 0-based
    half-open), and rejected.tsv. The same seed, data and threads give the same weights. Equal sequences, and a
    positive and its shuffles, are always in the same part.
    """
    from maxent_cli.commands.stopping import stop_at_signals

    stop = stop_at_signals()
    options.before_torch()
    import torch

    from maxent_cli.commands.training_data import examples_of_epochs, read_source, split_source, write_split
    from maxent_cli.io.checkpoint import save_model
    from maxent_cli.io.figures import write_learning_curve
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.tables import renew_rejected, write_rejected, write_table
    from maxent_cli.io.unfinished import unfinished

    torch.set_num_threads(given["threads"])
    read = [given[name] for name in ("positives", "negatives", "table", "genome")]
    outputs = planned(read, folders=[out], implied=[options.rejected_beside(out)])
    source = read_source(given, out)
    sets, how = split_source(source, given)
    _announce(source.files[0], sets, how)
    model, settings = _new_model(sets[0], given), _settings(given, len(sets[0].examples))
    with unfinished(out, _identity(sets, settings, given), stop) as work:
        curve = _fit(model, examples_of_epochs(sets[0], given), sets[1].examples, settings, work)
        metrics = _metrics(model, sets, given["seed"])
        card = _card(model, sets, given, {"settings": _facts(settings, given), "split": how, "metrics": metrics})
        with outputs.writing_folder(out, seed=given["seed"], threads=given["threads"]) as folder:
            save_model(folder, model, card)
            write_table(str(folder / "learning_curve.tsv"), [_row(epoch) for epoch in curve])
            write_learning_curve(str(folder / "learning_curve.png"), curve)
            write_table(str(folder / "metrics.tsv"), metrics)
            write_rejected(str(folder / "rejected.tsv"), source.rejected)
            write_split(folder, sets)
        renew_rejected(options.rejected_beside(out), [])  # what an earlier run left that could use no record


def _identity(sets: "list[LabelledSet]", settings: "Settings", given: dict[str, Any]) -> dict[str, Any]:
    """All that the weights depend on."""
    data = {part: data.digest for part, data in zip(("training", "validation", "test"), sets, strict=True)}
    return {"command": "train", "architecture": given["architecture"], "data": data, **_facts(settings, given)}


def _announce(path: str, sets: "list[LabelledSet]", how: str) -> None:
    options.say(f"split {how}")
    for part, data in zip(("train", "validation", "test"), sets, strict=True):
        options.say(f"  {part}: {data}")
    if not len(sets[0].positives) or not len(sets[0].negatives):
        raise InputError(path, "", "the training part lacks a class", "give more records or hold out a smaller share")


def _new_model(training: "LabelledSet", given: dict[str, Any]) -> "LayeredModel":
    from maxent_cli.models.architectures import build

    length = training.positives.codes.shape[1]
    try:
        return build(given["architecture"], length, {}, given["seed"])
    except ValueError as error:
        raise click.UsageError(f"{given['architecture']} does not take {length} bp: {error}") from error


def _settings(given: dict[str, Any], size: int) -> "Settings":
    """The settings as given; epochs and patience by the size of the training part where they are not."""
    from maxent_cli.models.training import Settings, enough_epochs

    epochs = given["epochs"] or enough_epochs(size, given["batch"])
    named = ("batch", "learning_rate", "weight_decay", "reverse_complement", "shift", "seed")
    return Settings(epochs, given["patience"] or max(epochs // 2, 1), **{name: given[name] for name in named})


def _fit(
    model: "LayeredModel",
    examples: "Callable[[int], Examples]",
    validation: "Examples",
    settings: "Settings",
    work: "Unfinished",
) -> "list[Epoch]":
    """All epochs, each said as it ends; progress and time left within."""
    from maxent_cli.io.unfinished import checkpoints
    from maxent_cli.models.training import DivergedError, fit

    curve = []
    try:
        with options.Progress("training", settings.epochs * len(examples(0)), "sequences") as progress:
            for epoch in fit(model, examples, validation, settings, progress.advance, checkpoints(work)):
                curve.append(epoch)
                options.say(
                    f"epoch {epoch.epoch}/{settings.epochs}: loss {epoch.training_loss:.4f}, validation "
                    f"{epoch.validation_loss:.4f}, AUROC {epoch.validation_auroc:.4f}, {epoch.seconds:.0f} s"
                )
    except DivergedError as error:
        work.useless = True
        raise InputError("training", "", f"diverged ({error})", "lower --learning-rate") from error
    return curve


def _metrics(model: "LayeredModel", sets: "list[LabelledSet]", seed: int) -> list[dict[str, Any]]:
    """AUROC and AUPRC of validation and test part, with the class balance."""
    from maxent_cli.analysis.classification import classification_areas
    from maxent_cli.models.prediction import predict

    rows = []
    for part, data in zip(("validation", "test"), sets[1:], strict=True):
        outputs = predict(model, data.codes)
        for area in classification_areas(data.examples.labels, outputs[:, 1] - outputs[:, 0], seed):
            numbers = {name: _number(getattr(area, name)) for name in ("value", "lower", "upper")}
            counts = {"positives": len(data.positives), "negatives": len(data.negatives)}
            rows.append({"part": part, "metric": area.metric, **numbers, **counts})
            options.say(f"{part} {area.metric} {area.value:.4f} ({area.lower:.4f} to {area.upper:.4f})")
    return rows


def _number(value: float) -> float | None:
    """None, an empty cell, for what is not defined."""
    return value if value == value else None


def _card(
    model: "LayeredModel", sets: "list[LabelledSet]", given: dict[str, Any], facts: dict[str, Any]
) -> "ModelCard":
    """What the folder says of the model; nothing in it differs between two runs of the same thing."""
    from maxent_cli.commands.training_data import letter_frequencies
    from maxent_cli.io.checkpoint import ModelCard

    parts = {
        part: {"positives": len(data.positives), "negatives": len(data.negatives), "sha256": data.digest}
        for part, data in zip(("train", "validation", "test"), sets, strict=True)
    }
    background = letter_frequencies(sets[0].codes, given["reverse_complement"])
    training = {"parts": parts, "shuffled_negatives": sets[0].shuffled, **_chosen(given), **facts}
    return ModelCard(given["architecture"], model.input_length, OUTPUTS, {}, background, training)


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    """How positives and negatives were chosen, where it was asked for."""
    names = ("negatives_away", "top_score", "bottom_score", "match_gc")
    return {name: given[name] for name in names if given[name]}


def _facts(settings: "Settings", given: dict[str, Any]) -> dict[str, Any]:
    return {**settings.__dict__, "threads": given["threads"], "fresh_shuffles": given["fresh_shuffles"]}


def _row(epoch: "Epoch") -> dict[str, Any]:
    """An epoch without its seconds, which differ from run to run."""
    return {name: value for name, value in epoch.__dict__.items() if name != "seconds"}
