"""Fit a network to labelled sequences: one generator that yields a record an epoch."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import Codes
from maxent_cli.models.prediction import device_of, inputs_of, predict

STEPS = 10_000  # fewer underfit 70,000 CTCF sequences; the schedule ends where the steps do
MOST_PATIENCE = 15  # epochs; of longer waits on ChIP-seq none ended in a better network (tests/calibration/table.md)
LEAST_SCHEDULE = 20  # steps: a tenth of ten would be a rise of no step, by which torch divides


@dataclass(frozen=True)
class Examples:
    """Labelled sequences: codes (B, L) and labels (B,), 0 or 1."""

    codes: Codes
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Settings:
    """How to train.

    averaging is the share that the running mean of the weights keeps at every step; shift, in letters, how far each
    sequence may be rotated (what leaves at one end enters at the other, so that nothing is lost or made up).
    halved_every: instead of one cycle, the learning rate is halved after so many epochs, again and again. clamp: each
    number of a gradient is kept within so much either way.
    """

    epochs: int = 20
    patience: int = 10
    batch: int = 128
    learning_rate: float = 0.003
    weight_decay: float = 0.01
    averaging: float = 0.998
    reverse_complement: bool = True
    shift: int = 5
    seed: int = 1
    halved_every: int | None = None
    clamp: float | None = None


DEEPMOTIF = Settings(  # of Lanchantin et al. (2017): Adam, every epoch, nothing turned, rotated or averaged
    *(50, 50, 256, 0.01),
    weight_decay=0.0,
    averaging=0.0,
    reverse_complement=False,
    shift=0,
    halved_every=10,
    clamp=5.0,
)
PUBLISHED = {f"deepmotif-{kind}": DEEPMOTIF for kind in ("cnn", "rnn", "cnn-rnn")}  # architectures with their own


def enough_epochs(size: int, batch: int) -> int:
    """Epochs that make about 10,000 steps over so many sequences, but 10 to 200."""
    return min(max(round(STEPS * batch / max(size, 1)), 10), 200)


def enough_patience(epochs: int) -> int:
    """Epochs without a lower validation loss after which to stop: half of them, but 1 to 15."""
    return min(max(epochs // 2, 1), MOST_PATIENCE)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part; losses are mean cross entropies in nats, of the averaged weights for validation.

    The validation figures are NaN where there is no validation part; best says whether no earlier epoch was as good.
    """

    epoch: int
    learning_rate: float
    training_loss: float
    validation_loss: float
    validation_auroc: float
    seconds: float
    best: bool


class Snapshot(NamedTuple):
    """All that the rest of a training depends on, after some step: tensors by name, and facts that JSON can say."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class Checkpoints(NamedTuple):
    """The snapshot to go on from, and who may take another after each step and may end the training by an exception."""

    past: Snapshot | None
    keep: Callable[[Callable[[], Snapshot]], None]


NO_CHECKPOINTS = Checkpoints(None, lambda _: None)
Watch = Callable[[int, nn.Module, bool], None]  # step, averaged network, whether it is the last


def log_spaced(last: int, count: int) -> list[int]:
    """Steps from 0 to the last, so many or all that there are, each about as many times the one before; 0, 1, ..."""
    steps = [0, 1][: last + 1]
    while len(steps) < count and steps[-1] < last:
        ratio = (last / steps[-1]) ** (1 / (count - len(steps)))
        steps.append(max(steps[-1] + 1, round(steps[-1] * ratio)))
    return steps[:count]


def steps_an_epoch(size: int, batch: int) -> int:
    """Steps that one pass over so many sequences takes; what is left over sits out."""
    return size // min(batch, size)


class DivergedError(ArithmeticError):
    """The training loss is no longer a finite number."""


def fit(
    model: nn.Module,
    examples: Callable[[int], Examples],
    validation: Examples,
    settings: Settings,
    advance: Callable[[int], None] = lambda _: None,
    checkpoints: Checkpoints = NO_CHECKPOINTS,
    watch: Watch = lambda *_: None,
) -> Iterator[Epoch]:
    """Train a model in place, one Epoch at a time; it ends with the best averaged weights, in eval mode.

    examples gives the training part of an epoch (0, 1, ...), of the same size each time, so that negatives may be
    drawn anew; advance hears the number of sequences done; watch may look at every step and must change nothing, and
    hears the last step twice. Stops early after `patience` epochs without a lower
    validation loss; with an empty validation part the last weights stay. The same seed, data and number of threads
    give the same weights, also from a snapshot on: the epochs before it are yielded as they were. Raises DivergedError.
    """
    training = _Training(model, settings, len(examples(0)))
    if checkpoints.past:
        training.restore(checkpoints.past)
        advance(training.step * training.batch)
    try:
        yield from training.epochs
        if not training.step:
            watch(0, training.averaged, False)
        for epoch in range(len(training.epochs), settings.epochs):
            if training.waited >= settings.patience:
                break
            started = time.monotonic()
            loss = training.run(epoch, examples(epoch), advance, checkpoints.keep, watch)
            yield training.judge(loss, validation, started)
        watch(training.step, training.averaged, True)
    finally:
        model.load_state_dict(training.best.state_dict())
        model.eval()


def evaluate(model: nn.Module, examples: Examples) -> tuple[float, float]:
    """Mean cross entropy in nats and AUROC of output 1 against output 0; NaN where they are not defined."""
    from sklearn.metrics import roc_auc_score  # slow to import

    outputs = torch.from_numpy(predict(model, examples.codes))
    labels = torch.from_numpy(examples.labels)
    loss = nn.functional.cross_entropy(outputs, labels).item() if len(labels) else float("nan")
    both = len(np.unique(examples.labels)) == 2
    return loss, float(roc_auc_score(examples.labels, (outputs[:, 1] - outputs[:, 0]).numpy())) if both else float(
        "nan"
    )


def rotated(codes: Codes, most: int, chance: np.random.Generator) -> Codes:
    """Each row of codes (B, L) rotated by -most to most letters, all as likely."""
    if not most:
        return codes
    length = codes.shape[1]
    shifts = chance.integers(-most, most + 1, (len(codes), 1))
    return np.take_along_axis(codes, (np.arange(length) - shifts) % length, axis=1)


_NETWORKS, _NUMBERS = ("model", "averaged", "best"), ("step", "done", "total", "lowest", "waited")


class _Training:
    """The model being trained, the running mean of its weights, the optimiser and its one-cycle schedule.

    epochs: those that are over; best, lowest: the best averaged weights and their validation loss; waited: epochs
    since. done, total: batches of the epoch under way, and the sum of their losses; under_way: a snapshot within it.
    """

    def __init__(self, model: nn.Module, settings: Settings, size: int) -> None:
        self.model, self.settings, self.device = model, settings, device_of(model)
        self.averaged, self.best = copy.deepcopy(model), copy.deepcopy(model)
        self.batch = min(settings.batch, size)
        self.steps = steps_an_epoch(size, settings.batch)
        self.step, self.done, self.total = 0, 0, 0.0
        self.epochs, self.lowest, self.waited = list[Epoch](), float("inf"), 0
        self.under_way: Snapshot | None = None
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.schedule = self._schedule()

    def _schedule(self) -> torch.optim.lr_scheduler.LRScheduler:
        """Of the learning rate, which moves after every step."""
        schedules, settings = torch.optim.lr_scheduler, self.settings
        if settings.halved_every is not None:
            return schedules.StepLR(self.optimiser, self.steps * settings.halved_every, gamma=0.5)
        steps = max(self.steps * settings.epochs + 1, LEAST_SCHEDULE)
        return schedules.OneCycleLR(self.optimiser, settings.learning_rate, total_steps=steps, pct_start=0.1)

    def run(
        self,
        epoch: int,
        examples: Examples,
        advance: Callable[[int], None],
        keep: Callable[..., None],
        watch: Watch = lambda *_: None,
    ) -> float:
        """One pass over the examples in a random order, or what is left of it; gives the mean loss."""
        chance = np.random.default_rng((self.settings.seed, epoch))
        order = chance.permutation(len(examples))[: self.steps * self.batch].reshape(self.steps, self.batch)
        self.model.train()
        with torch.random.fork_rng(devices=[] if self.device.type == "cpu" else [self.device]):  # dropout draws from it
            torch.manual_seed(int(chance.integers(2**63)))
            if self.under_way:
                chance.bit_generator.state = self.under_way.facts["chance"]
                self.generator.set_state(self.under_way.tensors["generator"])
                self.under_way = None
            for rows in order[self.done :]:
                inputs = self._inputs(examples.codes[rows], chance)
                self.total += self._step(inputs, torch.from_numpy(examples.labels[rows]).to(self.device))
                self.done += 1
                advance(self.batch)
                watch(self.step, self.averaged, False)
                keep(lambda: self.snapshot(chance))
        loss, self.done, self.total = self.total / self.steps, 0, 0.0
        return loss

    def judge(self, loss: float, validation: Examples, started: float) -> Epoch:
        """End an epoch, of which the loss is the training part's."""
        validation_loss, auroc = evaluate(self.averaged, validation)
        better = not validation_loss >= self.lowest  # NaN, no validation part: the latest is the best
        if better:
            self.best, self.lowest = copy.deepcopy(self.averaged), validation_loss
        self.waited = 0 if better else self.waited + 1
        rate, seconds = float(self.schedule.get_last_lr()[0]), time.monotonic() - started
        self.epochs.append(Epoch(len(self.epochs) + 1, rate, loss, validation_loss, auroc, seconds, better))
        return self.epochs[-1]

    def snapshot(self, chance: np.random.Generator) -> Snapshot:
        """Everything, within an epoch whose random numbers so far came from chance and the global generator."""
        tensors = {"generator": self.generator.get_state()}
        for name in _NETWORKS:
            tensors |= {f"{name}.{key}": value for key, value in getattr(self, name).state_dict().items()}
        optimiser = self.optimiser.state_dict()
        for number, moments in optimiser["state"].items():
            tensors |= {f"optimiser.{number}.{key}": value for key, value in moments.items()}
        facts = {name: getattr(self, name) for name in _NUMBERS} | {
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "groups": optimiser["param_groups"],
            "schedule": self.schedule.state_dict(),
            "chance": chance.bit_generator.state,
        }
        return Snapshot({name: value.clone() for name, value in tensors.items()}, facts)

    @property
    def generator(self) -> torch.Generator:
        """Of the random numbers that the network's own layers draw."""
        on_cpu = self.device.type == "cpu"
        return torch.default_generator if on_cpu else torch.cuda.default_generators[self.device.index]

    def restore(self, past: Snapshot) -> None:
        """Put everything back as it was."""
        parts = dict[str, dict[str, Tensor]]()
        for name, value in past.tensors.items():
            first, _, rest = name.partition(".")
            parts.setdefault(first, {})[rest] = value.clone()
        for name in _NETWORKS:
            getattr(self, name).load_state_dict(parts[name])
        moments = dict[int, dict[str, Tensor]]()
        for name, value in parts.get("optimiser", {}).items():
            number, _, key = name.partition(".")
            moments.setdefault(int(number), {})[key] = value
        self.optimiser.load_state_dict({"state": moments, "param_groups": past.facts["groups"]})
        self.schedule.load_state_dict(past.facts["schedule"])
        for name in _NUMBERS:
            setattr(self, name, past.facts[name])
        self.epochs = [Epoch(**epoch) for epoch in past.facts["epochs"]]
        self.under_way = past

    def _inputs(self, codes: Codes, chance: np.random.Generator) -> Tensor:
        """One-hot (B, 4, L); where asked for, rotated a little, and a random half turned to the other strand."""
        inputs = inputs_of(rotated(codes, self.settings.shift, chance), self.device)
        if self.settings.reverse_complement:
            turned = torch.from_numpy(chance.random(len(codes)) < 0.5).to(self.device)
            inputs[turned] = inputs[turned].flip(1, 2)  # A C G T backwards is T G C A: the complements
        return inputs

    def _step(self, inputs: Tensor, labels: Tensor) -> float:
        self.optimiser.zero_grad()
        loss = nn.functional.cross_entropy(self.model(inputs), labels)
        if not torch.isfinite(loss):
            raise DivergedError(f"loss {loss.item()} at step {self.step}")
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.clamp is not None:
            nn.utils.clip_grad_value_(self.model.parameters(), self.settings.clamp)
        self.optimiser.step()
        self.schedule.step()
        self._average()
        return loss.item()

    def _average(self) -> None:
        """Move the running mean towards the weights; the first steps weigh less, as they are far from the end."""
        self.step += 1
        kept = min(self.settings.averaging, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, latest in zip(self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True):
                mean.lerp_(latest, 1 - kept) if mean.is_floating_point() else mean.copy_(latest)
