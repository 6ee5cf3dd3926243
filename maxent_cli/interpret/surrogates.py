"""Cheap copies of a network for surrogate transitions: its first layers, pooled, and a linear map fitted to draws.

Where the network has no layers that can be read, a student's take their place (student.py).

What is fitted is w ∘ (Phi(x) - Phi(x0)), whose length the energy is, or the energy itself where that is linear; by
ridge regression on the activations of the first layers, pooled over positions. The copy is a stack of layers as any
other, so the compiled chain runs it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats
from maxent_cli.engine import layers
from maxent_cli.engine.incremental import last_values
from maxent_cli.engine.layers import Layer, Plan, make_plan
from maxent_cli.engine.target import Surrogate, Trace
from maxent_cli.interpret.law import AnchoredLaw
from maxent_cli.interpret.plan import LayerWeights, NotAStack, read_front
from maxent_cli.interpret.student import Student, as_layer, taught, untaught
from maxent_cli.models.pieces import in_pieces, sequences_at_once
from maxent_cli.models.protocol import SequenceModel, one_hot

MOST_WORK = 300_000  # multiplications that a changed letter may cost in the layers of a copy
BINS = (1, 8)  # stretches that activations are pooled in; which, the fit decides
MOST_UNITS = 64  # directions of w ∘ Phi that are fitted; the rest is held at its mean
RIDGES = 10.0 ** np.arange(-4, 5)  # penalties that are tried, in units of a feature's variance


LEAST_SQUARE = 1e-10  # of a singular value, as a share of the greatest's
LEAST_STEPS = 20  # that are decided on together
FEWEST, MOST_SWEEPS = 100, 2.0  # the most: so many, or so many a position that may change
WANTED = 0.6  # share of proposals that should be accepted
FASTEST = 1.5  # the most that the number of steps changes in a round
RANDOM_LESSONS, CROSSED_LESSONS = (
    100,
    40,
)  # background sequences; and the anchor with each of these shares of letters lost
SHARES = (0.05, 0.15, 0.3, 0.5)
REFITS = (3, 7, 11, 15)  # rounds of warm-up after which the copy is fitted again
STUDENTS_TIMES = 8  # as many lessons at first for a student, who has all to learn
AGAIN = 100  # steps of a student's training when there are more
LESSON_DRAWS = 4  # of each chain's replicas above the lowest, of a round; as many more with some letters lost
LOST = 0.05


def work(found: list[Layer]) -> int:
    """Multiplications that a changed letter costs in these layers, if it changes all that it reaches."""
    each, total = list[int](), 0
    for number, layer in enumerate(found):
        read = layers.input_of(number, layer)
        reached, inputs = (
            (1, 1) if read == layers.NOTHING else (each[read], layer.in_channels)
        )  # a letter is one of four
        if layer.kind == layers.SUM:
            total += reached * min(layer.width, layer.out_length) * inputs * layer.out_channels
        if layer.kind == layers.LSTM:  # all states from the letter on: half of them on the average of the letters
            total += layer.out_length * layer.out_channels * layer.in_channels // (2 * layer.width)
            reached = layer.out_length
        span = (layer.width - 1) * layer.dilation
        here = min(layer.out_length, (reached + span - 1) // layer.stride + 1)
        each.append(here if layer.added == layers.NOTHING else max(here, each[layer.added]))
        total += each[-1] * layer.out_channels
    return total


def cheap_front(model: SequenceModel) -> list[LayerWeights]:
    """As many of the network's first layers as a copy may have; NotAStack where not even the first can be read."""
    front = read_front(model)
    found = [layer for layer, _, _ in front]
    counts = [count for count in range(1, len(front) + 1) if work(found[:count]) <= MOST_WORK]
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
    return np.asarray(last_values(plan, codes)[0], np.float64)


class Ridge(NamedTuple):
    """A linear map of features (p,) to units (r,): weights (p, r) and bias (r,); error: its mean square, held out."""

    weights: Floats
    bias: Floats
    error: float


def ridge(given: Floats, wanted: Floats) -> Ridge:
    """Ridge regression of wanted (n, r) on given (n, p), at the penalty whose leave-one-out error is least."""
    mean, spread = given.mean(axis=0), given.std(axis=0) + 1e-9
    middle = wanted.mean(axis=0)
    left, values, right = _factors((given - mean) / spread)
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


def _factors(given: Floats) -> tuple[Floats, Floats, Floats]:
    """Singular vectors and values (n, k), (k,), (k, p) of given (n, p); of many more rows than columns by its products.

    That is many times as fast, and as exact as penalties ask: values that are rounding errors are left out.
    """
    if len(given) <= 2 * given.shape[1]:
        return np.linalg.svd(given, full_matrices=False)
    squares, vectors = np.linalg.eigh(given.T @ given)
    sound = squares > LEAST_SQUARE * squares[-1]
    values, right = np.sqrt(squares[sound]), vectors[:, sound].T
    return given @ right.T / values, values, right


def copy_plan(front: list[LayerWeights], fitted: Ridge, rest: float, linear: bool, squared: bool) -> Plan:
    """The layers, then the fitted map; its length, or the one unit itself (squared) where linear, is the copy's energy.

    rest: what the length is where all fitted units are zero, of what is not fitted.
    """
    last, units = front[-1][0], len(fitted.bias) + 1
    shape = (last.out_length, last.out_channels, 1, units, last.out_length)
    weights = np.zeros((last.out_length, last.out_channels, units), np.float32)
    weights[..., :-1] = fitted.weights.reshape(last.out_length, last.out_channels, -1)
    bias = np.append(fitted.bias, 0 if linear else rest).astype(np.float32)
    reference, sign = np.zeros(units, np.float32), np.full(units, -1 if linear else 1, np.float32)
    layer = Layer(layers.SUM, layers.IDENTITY, *shape)
    return make_plan([*front, (layer, weights, bias)], sign, reference, 0.0 if linear else None, squared)


@dataclass(frozen=True)
class Teacher:
    """What a copy is fitted to, and on what: the network's first layers, a law, and numbers that draw sequences.

    front: none where none can be read, so that a student has to learn them.
    differences: codes (n, L) -> w ∘ (Phi - Phi0) as (n, units), or where the energy, or what it is the square of, is
    linear, that (n, 1).
    """

    front: list[LayerWeights]
    law: AnchoredLaw
    differences: Callable[[Codes], Floats]

    @property
    def name(self) -> str:
        """What of the network the copy has."""
        if not self.front:
            return "a student"
        count = sum(layer.kind == layers.SUM for layer, _, _ in self.front)
        return f"cut after {count} convolution{'s' * (count > 1)}"

    @property
    def linear(self) -> bool:
        """Whether the energy is linear in the representation."""
        return self.law.offset is not None


class Lessons(NamedTuple):
    """Sequences (n, L), what is to be fitted (n, units), the square of what is left out (n,); basis (·, units)."""

    codes: Codes
    wanted: Floats
    left: Floats
    basis: Floats


def teacher_of(model: SequenceModel, law: AnchoredLaw) -> Teacher:
    """Of a network around an anchor."""
    device = law.reference.device
    at_once = sequences_at_once(model, device)

    def difference(codes: Tensor) -> Tensor:
        return (law.weights * (model.representation(one_hot(codes)) - law.reference)).flatten(1)

    def energy(codes: Tensor) -> Tensor:
        if law.squared and law.offset is not None:
            return (law.offset + law.anchor_output - law.output(codes))[:, None]
        return law.terms.energy(codes)[:, None]

    run = in_pieces(law.of_outputs or (difference if law.offset is None else energy), at_once)

    def differences(codes: Codes) -> Floats:
        with torch.inference_mode():
            return run(torch.from_numpy(codes).to(device)).double().cpu().numpy()

    try:
        front = cheap_front(model)
    except NotAStack:
        front = []
    return Teacher(front, law, differences)


def first_lessons(teacher: Teacher, codes: Codes) -> Lessons:
    """Of codes (n, L); the directions that are fitted are those in which they differ most."""
    found = teacher.differences(codes)
    directions = np.linalg.svd(found, full_matrices=False)[2][:MOST_UNITS].T
    basis = np.eye(found.shape[1]) if found.shape[1] <= MOST_UNITS else directions
    return _lessons(codes, found, basis)


def more_lessons(teacher: Teacher, lessons: Lessons, codes: Codes) -> Lessons:
    """The lessons, and those of more codes (n, L)."""
    more = _lessons(codes, teacher.differences(codes), lessons.basis)
    codes, wanted, left = (np.concatenate([lessons[part], more[part]]) for part in range(3))
    return Lessons(codes, wanted, left, lessons.basis)


def _lessons(codes: Codes, found: Floats, basis: Floats) -> Lessons:
    wanted = found @ basis
    left = np.square(found).sum(axis=1) - np.square(wanted).sum(axis=1)
    return Lessons(codes, wanted, np.maximum(left, 0), basis)


def fitted_plan(teacher: Teacher, lessons: Lessons) -> Plan:
    """The copy that the lessons give: pooled as finely as serves sequences that were not among them."""
    fronts = [pooled(teacher.front, bins) for bins in BINS]
    fits = [ridge(features(front, lessons.codes), lessons.wanted) for front in fronts]
    best = min(range(len(fits)), key=lambda number: fits[number].error)
    return copy_plan(fronts[best], fits[best], float(np.sqrt(lessons.left.mean())), teacher.linear, teacher.law.squared)


@dataclass(frozen=True)
class Apprentice:
    """Who is to learn a copy of the network in warm-up.

    others (n, L): sequences from the background, whose letters are crossed into draws. seed: of random numbers.
    replicas R; most: steps that are decided on together.
    """

    teacher: Teacher
    others: Codes
    seed: int
    replicas: int
    most: int

    def learner(self) -> "Learner":
        """One that has learned nothing."""
        return Learner(self, np.random.default_rng(self.seed))


@dataclass
class Learner:
    """Learns from draws what the energy is, and from decisions how many steps to take.

    A function of the apprentice and of the traces that it is given, in order.
    """

    apprentice: Apprentice
    random: np.random.Generator
    lessons: Lessons | None = None
    student: Student | None = None

    def begin(self, anchor: Codes) -> Surrogate:
        """A copy fitted to background sequences and to crossings of the anchor (L,) with them."""
        teacher, others = self.apprentice.teacher, self.apprentice.others
        times = 1 if teacher.front else STUDENTS_TIMES
        copies = np.tile(anchor, (times * CROSSED_LESSONS, 1))
        crossings = [self._cross(copies, share) for share in SHARES]
        self.lessons = first_lessons(teacher, np.concatenate([others[: times * RANDOM_LESSONS], *crossings]))
        return Surrogate(self._fitted(), max(LEAST_STEPS, self.apprentice.most // 4))

    def learn(self, number: int, surrogate: Surrogate, trace: Trace) -> Surrogate:
        """The copy after a round of warm-up."""
        assert self.lessons is not None
        replicas, teacher = self.apprentice.replicas, self.apprentice.teacher
        warm = slice(min(1, replicas - 1), replicas)
        share = trace.accepted[warm].sum() / trace.tried[warm].sum()
        change = np.clip(np.exp(2 * (share - WANTED)), 1 / FASTEST, FASTEST)
        steps = int(np.clip(round(surrogate.steps * change), LEAST_STEPS, self.apprentice.most))
        if number not in REFITS:
            return surrogate._replace(steps=steps)
        times = np.linspace(0, trace.codes.shape[1], LESSON_DRAWS + 1).astype(int)[1:] - 1
        draws = trace.codes.reshape(-1, replicas, *trace.codes.shape[1:])[:, warm][:, :, times]
        draws = draws.reshape(-1, draws.shape[-1])
        self.lessons = more_lessons(teacher, self.lessons, np.concatenate([draws, self._cross(draws, LOST)]))
        return Surrogate(self._fitted(), steps)

    def _fitted(self) -> Plan:
        """The copy that the lessons so far give, after the student, if there is one, has learned from them."""
        assert self.lessons is not None
        teacher, (codes, wanted, *_), seed = self.apprentice.teacher, self.lessons, self.apprentice.seed
        if not teacher.front:
            if self.student is None:
                self.student = taught(untaught(codes.shape[1], wanted.shape[1], seed), codes, wanted, seed)
            else:
                self.student = taught(self.student, codes, wanted, seed + len(codes), AGAIN)
            teacher = replace(teacher, front=[as_layer(self.student, codes.shape[1])])
        return fitted_plan(teacher, self.lessons)

    def _cross(self, codes: Codes, share: float) -> Codes:
        others = self.apprentice.others
        chosen = others[self.random.integers(0, len(others), len(codes))]
        return np.where(self.random.random(codes.shape) < share, chosen, codes)


def most_steps(free: int) -> int:
    """How many steps may be decided on together, of a law with so many positions that may change."""
    return max(FEWEST, round(MOST_SWEEPS * free))
