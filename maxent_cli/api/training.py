"""Training: from positives and negatives to a model folder."""

import inspect
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from maxent_cli.api.jobs import Task, granted_cpus, torch_threads
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network, opened, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder
from maxent_cli.api.training_data import (
    MOST,
    LabelledSet,
    Split,
    TrainingData,
    examples_of_epochs,
    letter_frequencies,
    read_source,
    split_source,
    write_split,
)
from maxent_cli.errors import InputError, SettingsError, require_range, said
from maxent_cli.io.checkpoint import CHECKPOINTS, WEIGHTS, ModelCard, kept_as, save_card, save_model, weights_of
from maxent_cli.io.digests import noted
from maxent_cli.io.figures import write_learning_curve
from maxent_cli.io.networks import NetworkSource, is_factory, load_network
from maxent_cli.io.outputs import planned
from maxent_cli.io.records import Given
from maxent_cli.io.tables import Row, renew_rejected, write_rejected, write_table
from maxent_cli.io.unfinished import Unfinished, checkpoint_name, checkpoints, kept_steps, unfinished
from maxent_cli.models.architectures import ARCHITECTURES, build
from maxent_cli.models.splits import PARTS
from maxent_cli.models.training import (
    PUBLISHED,
    DivergedError,
    Epoch,
    Examples,
    Settings,
    enough_epochs,
    enough_patience,
    fit,
    log_spaced,
    steps_an_epoch,
)
from maxent_cli.tables.training import CURVE, LEFT_OUT, METRICS

OUTPUTS = ("negative", "positive")
MOST_CHECKPOINTS = 1000
_CURE = "give a network that reads (batch, 4, length) and gives two outputs, before any softmax; see --arguments"


@dataclass(frozen=True)
class Training:
    """How a network is trained: by AdamW on a one-cycle schedule, and the running mean of its weights is kept.

    The architectures of the Deep Motif Dashboard are trained as published: by Adam, whose rate is halved every 10
    epochs, with gradients kept within 5 either way, and the weights of the best epoch are kept. None: what the
    architecture has of its own, or else a batch of 128, a learning rate of 0.003, a weight decay of 0.01, the other
    strand too, and shifts of 5.
    architecture: a key of models.architectures.ARCHITECTURES, or "module:function" that gives a torch module with two
    outputs; arguments: of that. epochs: passes over the training part at most; None: as
    many as make 10,000 steps, but 10 to 200. patience: epochs without a lower validation loss after which to stop;
    None: half of them, but 15 at most. batch: sequences a step. learning_rate: the schedule's highest.
    reverse_complement: turn a random half of each batch to the other strand. shift: letters by which each sequence is
    rotated at most. fresh_shuffles: shuffle the positives anew each epoch, where shuffles are the negatives.
    checkpoints: after so many steps, logarithmically spaced from 0 to the last, the running mean of the weights is kept
    too. device: where it is trained, cpu, cuda or cuda:N. Raises SettingsError where one is out of range.
    """

    architecture: str = "convnet"
    epochs: int | None = None
    patience: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    reverse_complement: bool | None = None
    shift: int | None = None
    fresh_shuffles: bool = True
    seed: int = 1
    arguments: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES and not is_factory(self.architecture):
            known = f"{', '.join(ARCHITECTURES)}, or module:function"
            raise SettingsError("architecture", "", f"there is none named {self.architecture}", f"give one of {known}")
        require_range("epochs", self.epochs, 1, MOST)
        require_range("patience", self.patience, 1, MOST)
        require_range("batch", self.batch, 2, MOST)
        require_range("learning-rate", self.learning_rate, 0, 1, "(]")
        require_range("weight-decay", self.weight_decay, 0, 1)
        require_range("shift", self.shift, 0, MOST)
        require_range("checkpoints", self.checkpoints, 2, MOST_CHECKPOINTS)
        require_range("seed", self.seed, 0, float("inf"))

    def settled(self, size: int) -> Settings:
        """As settings, for a training part of so many sequences."""
        names = ("batch", "learning_rate", "weight_decay", "reverse_complement", "shift", "seed")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        own = PUBLISHED.get(self.architecture)
        settings = replace(own or Settings(), **given)
        epochs = self.epochs or (own.epochs if own else enough_epochs(size, settings.batch))
        patience = self.patience or (epochs if own else enough_patience(epochs))
        return replace(settings, epochs=epochs, patience=patience)


class Trained(Results):
    """A model folder: its network, and its tables "metrics", "learning_curve" and "rejected"."""

    @cached_property
    def network(self) -> Network:
        """The network, to be asked."""
        return opened(str(self.path), True)  # whose code has just been run


@whole_products()
def train(
    given: TrainingData | Given,
    split: Split | None = None,
    training: Training | None = None,
    *,
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
) -> Trained:
    """Train a network to tell positives from negatives.

    Parameters
    ----------
    given
        What it is trained on; positives alone may be given as they are (sequences, by name or not, or a path), and
        their dinucleotide-preserving shuffles are the negatives then.
    split, training
        Which records are held out, and how it is trained.
    out
        Model folder: weights, learning curve, metrics, the three parts as FASTA (and BED where coordinates are known;
        0-based half-open), and rejected.tsv. Unfinished work lies in OUT.partial, from which the same call goes on.
        Without it, the folder is kept until nobody holds the result.
    threads
        CPU threads, by default those granted. The same seed, data, threads and device give the same weights on a CPU,
        and all but the same on a GPU, whose sums come in any order.
    progress
        True: bars on stderr; False: none; or a function that is given each step.

    Returns
    -------
    Trained
        `network`, and tables: "metrics" (AUROC and AUPRC of validation and test part, with 95 % bootstrap intervals
        over groups of related records) and "learning_curve" (losses in nats, by epoch).

    Raises
    ------
    InputError
        Where the input cannot be used, settings exclude each other, or the training diverges.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> positives = mx.simulate(60, 30, [mx.Plant("CTCF")], progress=False).sequences
    >>> quick = mx.Training("finnegan2017", epochs=1)
    >>> trained = mx.train(positives, training=quick, progress=False)
    >>> trained.network.input_length, list(trained["metrics"]["metric"].unique())
    (30, ['AUROC', 'AUPRC'])
    """
    data = given if isinstance(given, TrainingData) else TrainingData(given)
    task = Task("train", listener_of(progress), out, threads=threads or granted_cpus())
    with torch_threads(task.threads):
        return _train(data, split or Split(), training or Training(), task)


def _train(data: TrainingData, split: Split, training: Training, task: Task) -> Trained:
    outputs = planned(data.files, folders=[task.out], implied=[task.rejected_table])
    source = read_source(data, training.seed, task)
    sets, how = split_source(source, split, data.match_gc, training.seed, task.listener)
    account = _announce(source.name, sets, how, task.listener)
    length = sets[0].positives.codes.shape[1]
    built, settings = untrained(length, training), training.settled(len(sets[0].examples))
    model, outputs = built.module, outputs.reading(*built.source.code.values())
    place(model, training.device, task.listener)
    facts = {**settings.__dict__, "threads": task.threads, "fresh_shuffles": training.fresh_shuffles}
    facts["device"] = training.device
    identity = _identity(sets, built.source, facts) | {"checkpoints": training.checkpoints}
    with unfinished(task.out, identity, task.listener.stop) as work:
        examples = examples_of_epochs(sets[0], training.fresh_shuffles, training.seed)
        kept = KeptSteps(work, settings, len(sets[0].examples), training.checkpoints)
        kept.announce(model, task.listener)
        curve = _fit(model, examples, sets[1].examples, settings, kept, task.listener)
        metrics = _metrics(model, sets, training.seed, task.listener)
        model.cpu()
        made = {**data.chosen, "settings": facts, "split": how, "metrics": metrics}
        with results_folder(task.out, outputs, seed=training.seed, threads=task.threads) as folder:
            background = letter_frequencies(sets[0].codes, settings.reverse_complement)
            save_model(folder, model, _card(built, folder, sets, background, made))
            for step, inner in kept.into(folder):
                told = {**made, "checkpoint": {"step": step, **kept.times(curve)}}
                save_card(inner, _card(built, inner, sets, background, told))
            write_table(str(folder / CURVE.file), [_row(epoch) for epoch in curve], CURVE)
            write_learning_curve(str(folder / "learning_curve.png"), curve)
            write_table(str(folder / METRICS.file), metrics, METRICS)
            write_rejected(str(folder / LEFT_OUT.file), source.rejected)
            write_split(folder, sets)
        if task.rejected_table is not None:
            renew_rejected(task.rejected_table, [])  # what an earlier run left that could use no record
    return Trained(folder if task.out is None else Path(task.out), account, "metrics", temporary=task.out is None)


def _identity(sets: list[LabelledSet], source: NetworkSource, facts: dict[str, Any]) -> dict[str, Any]:
    """All that the weights depend on."""
    code = {name: noted(path) for name, path in source.code.items()}
    facts = {"arguments": source.arguments, "code": code, **facts}
    data = {part: data.digest for part, data in zip(("training", "validation", "test"), sets, strict=True)}
    return {"command": "train", "architecture": source.name, "data": data, **facts}


def _announce(name: str, sets: list[LabelledSet], how: str, listener: Listener) -> list[str]:
    """Say how the records were parted, and give that back."""
    said = [f"split {how}", *(f"  {part}: {data}" for part, data in zip(PARTS, sets, strict=True))]
    for line in said:
        listener.say(line)
    if not len(sets[0].positives) or not len(sets[0].negatives):
        raise InputError(name, "", "the training part lacks a class", "give more records or hold out a smaller share")
    return said


class Untrained(NamedTuple):
    """A network to be trained, and where it comes from."""

    module: nn.Module
    source: NetworkSource


def untrained(length: int, training: Training) -> Untrained:
    """A network as its training begins, for sequences of length bp.

    Raises InputError where its architecture is none for that.
    """
    source = NetworkSource(training.architecture, dict(training.arguments), seed=training.seed)
    if training.architecture not in ARCHITECTURES:
        return Untrained(_two_outputs(load_network(source), source.name, length), source)
    try:
        return Untrained(build(source.name, length, source.arguments, training.seed), source)
    except (TypeError, RuntimeError, OverflowError) as error:
        problem = f"are not those of {source.name} ({' '.join(str(error).split())})"
        raise SettingsError("arguments", "", problem, _arguments_of(source.name)) from error
    except ValueError as error:
        problem = f"{source.name} does not take {length} bp ({error})"
        raise SettingsError("architecture", "", problem, "give another, or another length") from error


def _arguments_of(architecture: str) -> str:
    """Those that it takes, with their defaults."""
    known = list(inspect.signature(ARCHITECTURES[architecture]).parameters.values())[1:]
    return f"it takes {', '.join(f'{each.name} ({each.default})' for each in known)}"


def _two_outputs(module: nn.Module, name: str, length: int) -> nn.Module:
    """The module; InputError where it does not give two outputs, one a class, for sequences of a length."""
    try:
        with torch.no_grad():
            found = module.eval()(torch.eye(4)[torch.zeros(2, length, dtype=torch.long)].transpose(1, 2))
    except Exception as error:  # whatever somebody's network raises
        raise InputError(name, "", f"fails on {length} letters as (2, 4, {length}) ({said(error)})", _CURE) from error
    if not (isinstance(found, torch.Tensor) and found.shape == (2, len(OUTPUTS))):
        shape = tuple(getattr(found, "shape", ()))
        raise InputError(name, "", f"gives outputs of shape {shape} for 2 sequences and 2 classes", _CURE)
    return module.train()


def _fit(
    model: nn.Module,
    examples: Callable[[int], Examples],
    validation: Examples,
    settings: Settings,
    kept: "KeptSteps",
    listener: Listener,
) -> list[Epoch]:
    """All epochs, each said as it ends; progress and time left within."""
    curve = []
    try:
        with listener.progress("training", settings.epochs * len(examples(0)), "sequences") as ticker:
            for epoch in fit(model, examples, validation, settings, ticker.advance, checkpoints(kept.work), kept):
                curve.append(epoch)
                listener.say(
                    f"epoch {epoch.epoch}/{settings.epochs}: loss {epoch.training_loss:.4f}, validation "
                    f"{epoch.validation_loss:.4f}, AUROC {epoch.validation_auroc:.4f}, {epoch.seconds:.0f} s"
                )
    except DivergedError as error:
        kept.work.useless = True
        raise InputError("training", "", f"diverged ({error})", "lower --learning-rate") from error
    return curve


class KeptSteps:
    """The steps of a training whose weights are kept, which lie among its unfinished work until it is whole."""

    def __init__(self, work: Unfinished, settings: Settings, size: int, count: int | None) -> None:
        self.work, self.an_epoch = work, steps_an_epoch(size, settings.batch)
        self.steps = frozenset(log_spaced(self.an_epoch * settings.epochs, count)) if count else frozenset[int]()

    def __call__(self, step: int, network: nn.Module, last: bool) -> None:
        """Keep the weights, where it is one of the steps or the last."""
        if step in self.steps or (last and self.steps):
            self.work.write(checkpoint_name(step), weights_of(network))

    def announce(self, model: nn.Module, listener: Listener) -> None:
        """Say how much room they will take."""
        if self.steps:
            size = len(weights_of(model)) / 1e6
            most = len(self.steps) + 1
            room = f"up to {most * size:.0f} MB, and as much again while they are put in place"
            listener.say(f"checkpoints: up to {most} of {size:.2g} MB each: {room}")

    def times(self, curve: list[Epoch]) -> dict[str, int]:
        """How many steps an epoch has, and the step at whose weights the training ended up."""
        best = max((epoch.epoch for epoch in curve if epoch.best), default=len(curve))
        return {"steps_an_epoch": self.an_epoch, "kept": best * self.an_epoch}

    def into(self, folder: Path) -> Iterator[tuple[int, Path]]:
        """Copy the weights into folders of their own within a folder, and give their steps and these."""
        for step in kept_steps(self.work):
            place = folder / CHECKPOINTS / f"step_{step:09d}"
            place.mkdir(parents=True)
            with self.work.reading(checkpoint_name(step)) as path:
                shutil.copyfile(path, place / WEIGHTS)
            yield step, place


def _metrics(model: nn.Module, sets: list[LabelledSet], seed: int, listener: Listener) -> list[Row]:
    """AUROC and AUPRC of validation and test part, with the class balance."""
    from maxent_cli.analysis.classification import classification_areas
    from maxent_cli.models.prediction import predict
    from maxent_cli.models.splits import related

    rows = list[Row]()
    for part, data in zip(("validation", "test"), sets[1:], strict=True):
        outputs = predict(model, data.codes)
        margins = outputs[:, 1] - outputs[:, 0]
        for area in classification_areas(data.examples.labels, margins, seed, related(data.codes)):
            numbers = {name: _number(getattr(area, name)) for name in ("value", "lower", "upper")}
            counts = {"positives": len(data.positives), "negatives": len(data.negatives)}
            rows.append({"part": part, "metric": area.metric, **numbers, **counts})
            listener.say(f"{part} {area}")
    return rows


def _number(value: float) -> float | None:
    """None, an empty cell, for what is not defined."""
    return value if value == value else None


def _card(
    built: Untrained,
    folder: Path,
    sets: list[LabelledSet],
    background: tuple[float, float, float, float],
    facts: dict[str, Any],
) -> ModelCard:
    """What the folder says of the model, with its code in place; nothing differs between two runs of the same thing."""
    parts = {
        part: {"positives": len(data.positives), "negatives": len(data.negatives), "sha256": data.digest}
        for part, data in zip(PARTS, sets, strict=True)
    }
    made = {"parts": parts, "shuffled_negatives": sets[0].shuffled, **facts}
    length = sets[0].positives.codes.shape[1]
    if built.source.name in ARCHITECTURES:
        return ModelCard(built.source.name, length, OUTPUTS, built.source.arguments, background, made)
    architecture, arguments, code = kept_as(folder, built.module, built.source)
    return ModelCard(architecture, length, OUTPUTS, arguments, background, made, code=code)


def _row(epoch: Epoch) -> Row:
    """An epoch without its seconds, which differ from run to run."""
    return {name: value for name, value in asdict(epoch).items() if name != "seconds"}
