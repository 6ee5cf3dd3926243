"""Fit a network to labelled sequences: one generator that yields a record an epoch."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import Codes
from maxent_cli.models.prediction import inputs_of, predict

STEPS = 10_000  # fewer underfit 70,000 CTCF sequences; the schedule ends where the steps do
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


def enough_epochs(size: int, batch: int) -> int:
    """Epochs that make about 10,000 steps over so many sequences, but 10 to 200."""
    return min(max(round(STEPS * batch / max(size, 1)), 10), 200)


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


class DivergedError(ArithmeticError):
    """The training loss is no longer a finite number."""


def fit(
    model: nn.Module,
    examples: Callable[[int], Examples],
    validation: Examples,
    settings: Settings,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Epoch]:
    """Train a model in place, one Epoch at a time; it ends with the best averaged weights, in eval mode.

    examples gives the training part of an epoch (0, 1, ...), of the same size each time, so that negatives may be
    drawn anew; advance hears the number of sequences done. Stops early after `patience` epochs without a lower
    validation loss; with an empty validation part the last weights stay. The same seed, data and number of threads
    give the same weights. Raises DivergedError.
    """
    training = _Training(model, settings, len(examples(0)))
    best, lowest, waited = copy.deepcopy(model), float("inf"), 0
    try:
        for epoch in range(settings.epochs):
            started = time.monotonic()
            loss = training.run(epoch, examples(epoch), advance)
            validation_loss, auroc = evaluate(training.averaged, validation)
            better = not validation_loss >= lowest  # NaN, no validation part: the latest is the best
            if better:
                best, lowest, waited = copy.deepcopy(training.averaged), validation_loss, 0
            waited += not better
            rate = float(training.schedule.get_last_lr()[0])
            yield Epoch(epoch + 1, rate, loss, validation_loss, auroc, time.monotonic() - started, better)
            if waited >= settings.patience:
                break
    finally:
        model.load_state_dict(best.state_dict())
        model.eval()


def evaluate(model: nn.Module, examples: Examples) -> tuple[float, float]:
    """Mean cross entropy in nats and AUROC of output 1 against output 0; NaN where they are not defined."""
    outputs = torch.from_numpy(predict(model, examples.codes))
    labels = torch.from_numpy(examples.labels)
    loss = nn.functional.cross_entropy(outputs, labels).item() if len(labels) else float("nan")
    return loss, auroc(outputs[:, 1] - outputs[:, 0], labels)


def auroc(scores: Tensor, labels: Tensor) -> float:
    """Chance that a positive scores above a negative, ties counting half (B,), (B,); NaN without both classes."""
    positives, negatives = scores[labels == 1], scores[labels == 0].sort().values
    if not len(positives) or not len(negatives):
        return float("nan")
    below = torch.searchsorted(negatives, positives) + torch.searchsorted(negatives, positives, right=True)
    return below.double().mean().item() / (2 * len(negatives))


def rotated(codes: Codes, most: int, chance: np.random.Generator) -> Codes:
    """Each row of codes (B, L) rotated by -most to most letters, all as likely."""
    if not most:
        return codes
    length = codes.shape[1]
    shifts = chance.integers(-most, most + 1, (len(codes), 1))
    return np.take_along_axis(codes, (np.arange(length) - shifts) % length, axis=1)


class _Training:
    """The model being trained, the running mean of its weights, the optimiser and its one-cycle schedule."""

    def __init__(self, model: nn.Module, settings: Settings, size: int) -> None:
        self.model, self.settings = model, settings
        self.averaged = copy.deepcopy(model)
        self.batch = min(settings.batch, size)
        self.steps = size // self.batch
        self.step = 0
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        steps = max(self.steps * settings.epochs + 1, LEAST_SCHEDULE)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, settings.learning_rate, total_steps=steps, pct_start=0.1
        )

    def run(self, epoch: int, examples: Examples, advance: Callable[[int], None]) -> float:
        """One pass over the examples in a random order; gives the mean loss."""
        chance = np.random.default_rng((self.settings.seed, epoch))
        order = chance.permutation(len(examples))[: self.steps * self.batch].reshape(self.steps, self.batch)
        self.model.train()
        total = 0.0
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(int(chance.integers(2**63)))
            for rows in order:
                total += self._step(self._inputs(examples.codes[rows], chance), torch.from_numpy(examples.labels[rows]))
                advance(self.batch)
        return total / self.steps

    def _inputs(self, codes: Codes, chance: np.random.Generator) -> Tensor:
        """One-hot (B, 4, L); where asked for, rotated a little, and a random half turned to the other strand."""
        inputs = inputs_of(rotated(codes, self.settings.shift, chance))
        if self.settings.reverse_complement:
            turned = torch.from_numpy(chance.random(len(codes)) < 0.5)
            inputs[turned] = inputs[turned].flip(1, 2)  # A C G T backwards is T G C A: the complements
        return inputs

    def _step(self, inputs: Tensor, labels: Tensor) -> float:
        self.optimiser.zero_grad()
        loss = nn.functional.cross_entropy(self.model(inputs), labels)
        if not torch.isfinite(loss):
            raise DivergedError(f"loss {loss.item()} at step {self.step}")
        loss.backward()  # type: ignore[no-untyped-call]
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
