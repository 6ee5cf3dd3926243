"""Attribution scores of an anchor's positions and letters, by the methods in common use.

What is attributed is f, an output or a weighted sum of several, before any final sigmoid or softmax, on one-hot
sequences (4, L).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli import choices
from maxent_cli.alphabet import Codes
from maxent_cli.data import Anchor, Floats, Interval
from maxent_cli.engine.incremental import single_changes
from maxent_cli.engine.randomness import chain_keys
from maxent_cli.engine.target import Terms
from maxent_cli.engine.terms import background_rows
from maxent_cli.errors import InputError, is_lost_card, is_out_of_memory
from maxent_cli.interpret.backgrounds import random_codes
from maxent_cli.interpret.deeplift import multipliers
from maxent_cli.interpret.law import evaluate, output_term, sums_of
from maxent_cli.interpret.plan import NotAStack, as_representation, read_plan
from maxent_cli.interpret.reading import ReadThrough, gains, read_through, reading_of, running_outputs
from maxent_cli.interpret.sampling import ready
from maxent_cli.laws import Outputs
from maxent_cli.models.protocol import SequenceModel, one_hot

REFERENCES = 20  # unless others are asked for
PAIRS = 64  # references a pass
PASSES = 256  # points on the way to them, or changed letters, a pass
CHECKED, MOST_DRIFT = 16, 1e-3  # changed letters compared with full passes; share of the largest change they may differ

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class AttributionSettings:
    """What is attributed, and how.

    method: a key of METHODS. outputs: one weighted sum of them. background (4,): letter frequencies.
    references: sequences drawn from it that deeplift, integrated-gradients and prefix compare with. steps: points on
    the way from each of them at which integrated-gradients takes the gradient.
    """

    method: str
    outputs: Outputs
    background: tuple[float, float, float, float]
    references: int
    steps: int
    seed: int
    device: str = "cpu"


class Completeness(NamedTuple):
    """Whether scores sum to what they should: the output less that of the references, whose mean and error are given.

    delta: mean over references of how far off the sum is, whatever its sign; share: of the mean difference of outputs.
    error: standard error of the mean sum over references.
    """

    reference_output: float
    reference_error: float
    delta: float
    share: float
    error: float


class MethodScores(NamedTuple):
    """What a method gives: hypothetical (4, L), scores (L,); if it has references, errors (L,) and completeness.

    drift: the most that the compiled kernel's outputs differed from full passes, where it served. hypothetical is nan
    where the method says nothing of a letter. reading: what was read on the way, if it reads from left to right.
    """

    hypothetical: Floats
    scores: Floats
    errors: Floats | None = None
    completeness: Completeness | None = None
    drift: float | None = None
    reading: ReadThrough | None = None


@dataclass(frozen=True)
class Attribution:
    """The scores of one anchor (L,) with this output; 0 where positions are held (not mutable (L,))."""

    name: str
    interval: Interval | None
    anchor: Codes
    mutable: Mask
    output: float
    given: MethodScores


@dataclass(frozen=True)
class Question:
    """An anchor, the network, and what is asked."""

    model: SequenceModel
    anchor: Anchor
    settings: AttributionSettings

    @property
    def codes(self) -> Codes:
        """The anchor (L,)."""
        return self.anchor.codes

    @property
    def mutable(self) -> Mask:
        """Positions that may change (L,)."""
        return self.anchor.mutable

    @property
    def rows(self) -> Floats:
        """Letter frequencies of the background (L, 4)."""
        return background_rows(np.array(self.settings.background), self.codes, None)

    def value(self, inputs: Tensor) -> Tensor:
        """f of one-hot sequences (B, 4, L)."""
        return sums_of(self.model(inputs), self.settings.outputs)[..., 0]

    def values(self, codes: Codes) -> Floats:
        """f of codes (..., L), some hundred at a time."""
        term = output_term(self.model, self.settings.outputs)
        return evaluate(term, codes, torch.device(self.settings.device))

    def encoded(self, codes: Codes) -> Tensor:
        """Codes (B, L) as one-hot (B, 4, L) on the device."""
        return one_hot(torch.from_numpy(codes).to(self.settings.device))

    def gradient(self) -> Floats:
        """The gradient of f at the anchor (4, L)."""
        point = self.encoded(self.codes[None]).requires_grad_()
        with torch.enable_grad():
            value = self.value(point).sum()
        return _array(torch.autograd.grad(value, point)[0][0])

    def references(self) -> Codes:
        """Sequences (R, L) drawn from the background where the anchor may change; letters are independent."""
        use = f"references of {self.anchor.name}"
        terms = Terms(output_term(self.model, self.settings.outputs), self.rows, self.mutable)
        keys = chain_keys(self.settings.seed, use, self.codes, self.settings.references)
        return random_codes(self.codes, terms, keys)


Method = Callable[[Question], MethodScores]
# share of the difference of outputs up to which sums of scores may be off: by rounding alone, or by the steps
COMPLETE = {"deeplift": 1e-3, "integrated-gradients": 0.05, "prefix": 1e-3}


def make_ready(model: SequenceModel) -> None:
    """What must be done once, before attribute_anchor is called, perhaps in several threads."""
    ready(model)
    if isinstance(model, nn.Module) and any(isinstance(part, nn.RNNBase) for part in model.modules()):
        torch.backends.cudnn.enabled = False  # its recurrent layers give no gradient in evaluation mode


def attribute_anchor(question: Question) -> Attribution:
    """The attribution of one anchor."""
    name, method, mutable = question.anchor.name, question.settings.method, question.mutable
    output = float(question.values(question.codes))
    try:
        given = METHODS[method](question)
    except RuntimeError as error:
        if method in ("mutagenesis", "prefix") or is_out_of_memory(error) or is_lost_card(error):
            raise
        problem = f"{method} cannot go through this network ({' '.join(str(error).split())[:200]})"
        raise InputError(name, "", problem, "use --method mutagenesis, which asks for outputs alone") from error
    if np.isinf(given.hypothetical).any() or not np.isfinite(given.scores).all():
        raise InputError(name, "", f"{method} gives scores that are not finite numbers", "use --method mutagenesis")
    given = given._replace(hypothetical=np.where(mutable, given.hypothetical, 0.0), scores=given.scores * mutable)
    return Attribution(name, question.anchor.interval, question.codes, mutable, output, given)


def saliency(question: Question) -> MethodScores:
    """|gradient| of each letter; of a position the largest (Simonyan et al. 2014)."""
    size = np.abs(question.gradient())
    return MethodScores(size, size.max(axis=0))


def input_x_gradient(question: Question) -> MethodScores:
    """The gradient of each letter; of a position that of the anchor's letter (Shrikumar et al. 2016)."""
    gradient = question.gradient()
    return MethodScores(gradient, (gradient * _array(question.encoded(question.codes[None])[0])).sum(axis=0))


def deeplift(question: Question) -> MethodScores:
    """Contributions by DeepLIFT's rescale rule, a mean over references (Shrikumar et al. 2017)."""
    return _against_references(question, lambda anchor, some: multipliers(question.value, anchor, some))


def integrated_gradients(question: Question) -> MethodScores:
    """Contributions by the mean gradient on the way from a reference, a mean over these (Sundararajan et al. 2017)."""
    from captum.attr import IntegratedGradients

    method, steps = IntegratedGradients(question.value, multiply_by_inputs=False), question.settings.steps

    def worth(anchor: Tensor, some: Tensor) -> Tensor:
        found: Tensor = method.attribute(anchor.expand_as(some), some, n_steps=steps, internal_batch_size=PASSES)
        return found

    return _against_references(question, worth)


def mutagenesis(question: Question) -> MethodScores:
    """f with each letter at a position, less its mean over the background's letters there."""
    changed, drift = _changed_values(question)
    change = changed - question.values(question.codes)
    mean = (change * question.rows.T).sum(axis=0)
    return MethodScores(change - mean, -mean, drift=drift)


def prefix(question: Question) -> MethodScores:
    """What each letter adds to f, letters not yet read being the background's: half from the left, half from the right.

    Of Shapley's orders of the letters these are the two in which they stand; either adds up to f less its mean over the
    references, whose letters are the same at every step.
    """
    codes, anchor = question.references(), question.codes
    through = read_through(question.values, anchor, codes)
    scores = gains(through).mean(axis=0).T  # (R, L)
    known = np.flatnonzero(anchor < 4)
    hypothetical = np.full((4, len(anchor)), np.nan)
    hypothetical[anchor[known], known] = scores.mean(axis=0)[known]
    complete = _completeness(scores.sum(axis=1), float(question.values(anchor)), question.values(codes))
    running = running_outputs(lambda: float(question.values(anchor)), len(anchor))
    errors, read = _standard_error(scores), reading_of(through, running, _own_saliency(question))
    return MethodScores(hypothetical, scores.mean(axis=0), errors, complete, reading=read)


def _own_saliency(question: Question) -> Floats | None:
    """|gradient| of the anchor's letters (L,), as the Deep Motif Dashboard draws it; None where there is none."""
    try:
        size = np.abs(question.gradient())
    except (RuntimeError, InputError) as error:
        if isinstance(error, RuntimeError) and (is_out_of_memory(error) or is_lost_card(error)):
            raise
        return None
    known = question.mutable & (question.codes < 4)
    return np.where(known, size[question.codes % 4, np.arange(size.shape[1])], 0.0) if np.isfinite(size).all() else None


METHODS: dict[str, Method] = {name: globals()[name.replace("-", "_")] for name in choices.METHODS}


def _against_references(question: Question, worth_of: Callable[[Tensor, Tensor], Tensor]) -> MethodScores:
    """Scores from what each letter is worth (B, 4, L), by the anchor (4, L) and some references (B, 4, L).

    A letter is scored by what it is worth more than the reference's; a position by its anchor's letter.
    """
    codes = question.references()
    point, references = question.encoded(question.codes[None])[0], question.encoded(codes)
    worth = torch.cat([worth_of(point, some) for some in torch.split(references, PAIRS)])
    scores = _array((worth * (point - references)).sum(1))  # (R, L)
    hypothetical = _array((worth - (worth * references).sum(1, keepdim=True)).mean(0))
    complete = _completeness(scores.sum(axis=1), float(question.values(question.codes)), question.values(codes))
    return MethodScores(hypothetical, scores.mean(axis=0), _standard_error(scores), complete)


def _completeness(sums: Floats, output: float, references: Floats) -> Completeness:
    """Sums of scores (R,) against the output less those of the references (R,)."""
    delta = float(np.abs(sums - (output - references)).mean())
    most = float(np.abs(output - references).mean())
    share = delta / most if most else float(delta > 0)
    reference_error, error = (float(_standard_error(each)) for each in (references, sums))
    return Completeness(float(references.mean()), reference_error, delta, share, error)


def _standard_error(values: Floats) -> Floats:
    """Of the mean of values (R, ...)."""
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def _changed_values(question: Question) -> tuple[Floats, float | None]:
    """f with each letter at each position (4, L), and the drift of the compiled kernel, if that gave them."""
    letters, places = np.indices((4, len(question.codes)))
    wanted = question.mutable[places] & (letters != question.codes[places])
    found = np.full(wanted.shape, float(question.values(question.codes)))
    where, to = places[wanted], letters[wanted].astype(np.uint8)
    compiled = _compiled(question, where, to)
    if compiled is not None:
        few = np.linspace(0, len(where) - 1, CHECKED).astype(int)
        drift = np.abs(compiled[few] - _full_passes(question, where[few], to[few])).max()
        if drift <= MOST_DRIFT * np.abs(compiled - found[0, 0]).max():
            found[wanted] = compiled
            return found, float(drift)
    found[wanted] = _full_passes(question, where, to)
    return found, None


def _full_passes(question: Question, places: NDArray[np.intp], letters: Codes) -> Floats:
    """f of codes with one letter changed (M,), some hundred at a time."""
    values = []
    for start in range(0, len(places), PASSES):
        some = slice(start, start + PASSES)
        changed = np.tile(question.codes, (len(places[some]), 1))
        changed[np.arange(len(changed)), places[some]] = letters[some]
        values.append(question.values(changed))
    return np.concatenate(values)


def _compiled(question: Question, places: NDArray[np.intp], letters: Codes) -> Floats | None:
    """f of codes with one letter changed (M,), by the compiled kernel and the head; None where it cannot."""
    if question.settings.device != "cpu":
        return None
    with torch.inference_mode():
        reference = question.model.representation(question.encoded(question.codes[None]))[0]
        try:
            plan = read_plan(question.model, reference, torch.ones_like(reference))
        except NotAStack:
            return None
        outputs = []
        for start in range(0, len(places), PASSES):
            some = slice(start, start + PASSES)
            values = single_changes(plan, question.codes, places[some], letters[some])
            outputs.append(question.model.head(as_representation(question.model, plan, values, reference.shape)))
    return _array(sums_of(torch.cat(outputs), question.settings.outputs)[..., 0])


def _array(values: Tensor) -> Floats:
    return np.asarray(values.detach().double().cpu().numpy())
