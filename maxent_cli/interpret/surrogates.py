"""Cheap copies of a network for surrogate transitions: its first layers, pooled, and a linear map fitted to draws.

What is fitted is w ∘ (Phi(x) - Phi(x0)), whose length the energy is, or the energy itself where that is linear; by ridge
regression on the activations of the first layers, pooled over positions. The copy is a stack of layers as any other, so
the compiled chain runs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats
from maxent_cli.engine import layers
from maxent_cli.engine.incremental import last_values
from maxent_cli.engine.layers import Layer, Plan, make_plan
from maxent_cli.interpret.law import AnchoredLaw
from maxent_cli.interpret.plan import LayerWeights, read_front
from maxent_cli.models.pieces import in_pieces, sequences_at_once
from maxent_cli.models.protocol import SequenceModel, one_hot

MOST_WORK = 300_000  # multiplications that a changed letter may cost in the layers of a copy
BINS = (1, 8)  # stretches that activations are pooled in; which, the fit decides
MOST_UNITS = 64  # directions of w ∘ Phi that are fitted; the rest is held at its mean
RIDGES = 10.0 ** np.arange(-2, 5)  # penalties that are tried, in units of a feature's variance


def work(front: list[LayerWeights]) -> int:
    """Multiplications that a changed letter costs in so many layers, if it changes all that it reaches."""
    reached, total = 1, 0
    for layer, weights, _ in front:
        span = (layer.width - 1) * layer.dilation + 1
        outputs = min(layer.out_length, -(-(reached + span - 1) // layer.stride))
        if layer.kind == layers.SUM:
            taps = min(layer.width * outputs, layer.width * reached)
            total += taps * layer.in_channels * layer.out_channels // (4 if layer is front[0][0] else 1)
        else:
            total += outputs * layer.out_channels
        reached = outputs
    return total


def cheap_front(model: SequenceModel) -> list[LayerWeights]:
    """As many of the network's first layers as a copy may have; NotAStack where not even the first can be read."""
    front = read_front(model)
    counts = [count for count in range(1, len(front) + 1) if work(front[:count]) <= MOST_WORK]
    return front[: max(counts, default=1)]


def pooled(front: list[LayerWeights], bins: int) -> list[LayerWeights]:
    """The layers and means of what they give, in so many stretches at most."""
    last, nothing = front[-1][0], np.zeros(0, np.float32)
    width = max(1, last.out_length // bins)
    shape = (last.out_length, last.out_channels, last.out_length // width, last.out_channels)
    return [*front, (Layer(layers.MEAN, layers.IDENTITY, *shape, width, width), nothing, nothing)]


def features(front: list[LayerWeights], codes: Codes) -> Floats:
    """What the last layer gives (n, length · channels) for codes (n, L), position by position."""
    last = front[-1][0]
    size = last.out_length * last.out_channels
    plan = make_plan(front, np.zeros(size, np.float32), np.zeros(size, np.float32))
    return last_values(plan, codes)[0].astype(float)


class Ridge(NamedTuple):
    """A linear map of features (p,) to units (r,): weights (p, r) and bias (r,); error: its mean square, held out."""

    weights: Floats
    bias: Floats
    error: float


def ridge(given: Floats, wanted: Floats) -> Ridge:
    """Ridge regression of wanted (n, r) on given (n, p), at the penalty whose leave-one-out error is least."""
    mean, spread = given.mean(axis=0), given.std(axis=0) + 1e-9
    middle = wanted.mean(axis=0)
    left, values, right = np.linalg.svd((given - mean) / spread, full_matrices=False)
    turned = left.T @ (wanted - middle)
    found = []
    for penalty in RIDGES * len(given):
        kept = values**2 / (values**2 + penalty)
        leverage = np.square(left) @ kept + 1 / len(given)
        missed = (wanted - middle - left @ (kept[:, None] * turned)) / np.maximum(1 - leverage, 1e-3)[:, None]
        found.append((float(np.square(missed).sum(axis=1).mean()), penalty))
    error, penalty = min(found)
    weights = (right.T @ ((values / (values**2 + penalty))[:, None] * turned)) / spread[:, None]
    return Ridge(weights, middle - mean @ weights, error)


def copy_plan(front: list[LayerWeights], fitted: Ridge, rest: float, linear: bool) -> Plan:
    """The layers, then the fitted map; its length, or the one unit itself where linear, is the copy's energy.

    rest: what the length is where all fitted units are zero, of what is not fitted.
    """
    last, units = front[-1][0], len(fitted.bias) + 1
    shape = (last.out_length, last.out_channels, 1, units, last.out_length)
    weights = np.zeros((last.out_length, last.out_channels, units), np.float32)
    weights[..., :-1] = fitted.weights.reshape(last.out_length, last.out_channels, -1)
    bias = np.append(fitted.bias, 0 if linear else rest).astype(np.float32)
    reference, sign = np.zeros(units, np.float32), np.full(units, -1 if linear else 1, np.float32)
    layer = Layer(layers.SUM, layers.IDENTITY, *shape)
    return make_plan([*front, (layer, weights, bias)], sign, reference, 0.0 if linear else None)


@dataclass(frozen=True)
class Teacher:
    """What a copy is fitted to, and on what: the network's first layers, a law, and numbers that draw sequences.

    differences: codes (n, L) -> w ∘ (Phi - Phi0) as (n, units), or the energy (n, 1) where it is linear.
    """

    front: list[LayerWeights]
    law: AnchoredLaw
    differences: Callable[[Codes], Floats]

    @property
    def linear(self) -> bool:
        """Whether the energy is linear in the representation."""
        return self.law.offset is not None


class Lessons(NamedTuple):
    """Sequences (n, L) with what is to be fitted (n, units) and the square of what is left out (n,); basis (·, units)."""

    codes: Codes
    wanted: Floats
    left: Floats
    basis: Floats


def teacher_of(model: SequenceModel, law: AnchoredLaw) -> Teacher:
    """NotAStack where none of the network's layers can be read."""
    at_once = sequences_at_once(model, torch.device("cpu"))

    def difference(codes: Tensor) -> Tensor:
        return (law.weights * (model.representation(one_hot(codes)) - law.reference)).flatten(1)

    def energy(codes: Tensor) -> Tensor:
        return law.target.energy(codes)[:, None]

    run = in_pieces(difference if law.offset is None else energy, at_once)

    def differences(codes: Codes) -> Floats:
        with torch.inference_mode():
            return run(torch.from_numpy(codes)).double().numpy()

    return Teacher(cheap_front(model), law, differences)


def first_lessons(teacher: Teacher, codes: Codes) -> Lessons:
    """Of codes (n, L); the directions that are fitted are those in which they differ most."""
    found = teacher.differences(codes)
    directions = np.linalg.svd(found, full_matrices=False)[2][:MOST_UNITS].T
    basis = np.eye(found.shape[1]) if found.shape[1] <= MOST_UNITS else directions
    return _lessons(codes, found, basis)


def more_lessons(teacher: Teacher, lessons: Lessons, codes: Codes) -> Lessons:
    """The lessons, and those of more codes (n, L)."""
    more = _lessons(codes, teacher.differences(codes), lessons.basis)
    joined = (np.concatenate([old, new]) for old, new in zip(lessons[:3], more[:3], strict=True))
    return Lessons(*joined, lessons.basis)


def _lessons(codes: Codes, found: Floats, basis: Floats) -> Lessons:
    wanted = found @ basis
    left = np.square(found).sum(axis=1) - np.square(wanted).sum(axis=1)
    return Lessons(codes, wanted, np.maximum(left, 0), basis)


def fitted_plan(teacher: Teacher, lessons: Lessons) -> Plan:
    """The copy that the lessons give: pooled as finely as serves sequences that were not among them."""
    fronts = [pooled(teacher.front, bins) for bins in BINS]
    fits = [ridge(features(front, lessons.codes), lessons.wanted) for front in fronts]
    best = min(range(len(fits)), key=lambda number: fits[number].error)
    return copy_plan(fronts[best], fits[best], float(np.sqrt(lessons.left.mean())), teacher.linear)


def crossed(codes: Codes, others: Codes, share: float, random: np.random.Generator) -> Codes:
    """Codes (n, L) with some letters, by chance as many as the share, taken from others (n, L)."""
    return np.where(random.random(codes.shape) < share, others, codes)
