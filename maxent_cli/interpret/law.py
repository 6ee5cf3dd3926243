"""How a network and an anchor become a law."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.alphabet import UNKNOWN, Codes
from maxent_cli.analysis.features import Feature
from maxent_cli.data import Floats
from maxent_cli.engine.matches import MatchField
from maxent_cli.engine.target import Term, Terms
from maxent_cli.engine.terms import background_rows, doubled_odds, gc_field, weighted_distance
from maxent_cli.errors import InputError, SettingsError
from maxent_cli.models.pieces import in_pieces, sequences_at_once
from maxent_cli.models.protocol import SequenceModel, one_hot

BATCH = 512  # sequences a forward pass
CPU = torch.device("cpu")
DEFAULT_KEEP = 0.75

Frequencies = tuple[float, float, float, float]  # of A, C, G, T


@dataclass(frozen=True)
class Law:
    """What is asked of a law: what of the network is held, against which background, and how firmly.

    held: 'anchor' for the law around an anchor; 'output' for q(x)·exp(beta·output(x)), whose anchor is only a start.
    outputs: one output by its number from 0, or two whose difference is held; None: 1 less 0 of two, or the only one.
    background (4,): letter frequencies, or gc alone; None: those of the network's training data. tether: the share of
    the anchor's letter in each background row, 'auto' for twice the odds that it has there, or None for the published
    law. beta: inverse temperature, in 1/energy; None: that at which the mean energy is (1 - keep) of the background's.
    keep: None for 0.75, where beta is None. Raises InputError where two of these exclude each other.
    """

    held: Literal["anchor", "output"] = "anchor"
    outputs: tuple[int, ...] | None = None
    background: Frequencies | None = None
    gc: float | None = None
    tether: float | Literal["auto"] | None = "auto"
    beta: float | None = None
    keep: float | None = None

    def __post_init__(self) -> None:
        for one, other in (("gc", "background"), ("keep", "beta")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise SettingsError(one, "", f"excludes {other}", "give one of them")
        if self.held == "output" and self.beta is None:
            raise SettingsError("beta", "", "is not found for the law of an output", "give a number")

    def settled(self, names: tuple[str, ...], background: Frequencies | None, network: str) -> "LawSettings":
        """As settings, for a network of that name with outputs of these names and perhaps training frequencies."""
        frequencies = self.frequencies or background
        if frequencies is None:
            problem = f"are not known, since {network} does not say on what letters it was trained"
            raise SettingsError("background frequencies", "", problem, "give gc or background")
        tether = None if self.held == "output" and self.tether == "auto" else self.tether
        keep = DEFAULT_KEEP if self.keep is None else self.keep
        return LawSettings(chosen_outputs(self.outputs, names), frequencies, tether, self.beta, keep, held=self.held)

    @property
    def frequencies(self) -> Frequencies | None:
        """Those asked for, by background or gc."""
        if self.gc is None:
            return self.background
        return ((1 - self.gc) / 2, self.gc / 2, self.gc / 2, (1 - self.gc) / 2)


def chosen_outputs(asked: tuple[int, ...] | None, names: tuple[str, ...]) -> tuple[int, ...]:
    """The outputs asked for among those of these names; by default 1 less 0 of two, or the only one."""
    count = len(names)
    if asked is None and count > 2:
        raise SettingsError("output", "", f"the network has {count}", "say which, by output or contrast")
    chosen = asked or (1, 0)[2 - count :]
    if max(chosen) >= count:
        problem = f"the network's outputs are numbered 0 to {count - 1} ({', '.join(names)})"
        raise SettingsError("output", "", problem, "give one of these")
    return chosen


@dataclass(frozen=True)
class LawSettings:
    """What of the network is held, against which background, and how firmly.

    contrast: one output, or two whose difference is held. background (4,): letter frequencies. tether: the share
    of the anchor's letter in each background row; 'auto' for twice the odds that it has there; or None for the
    published law. beta: inverse temperature, in units of 1/energy, or
    None for that at which the mean energy has fallen by the share `keep` of its value under the background. mu:
    chemical potential added for each of what `counted` counts, None for G and C (the difference from the background's
    own). held: 'anchor' for the law
    around an anchor, 'output' for the unanchored law, whose energy is minus the output or contrast.
    """

    contrast: tuple[int, ...]
    background: Frequencies
    tether: float | Literal["auto"] | None
    beta: float | None
    keep: float = DEFAULT_KEEP
    mu: float = 0.0
    held: str = "anchor"
    counted: Feature | None = None


@dataclass(frozen=True)
class AnchoredLaw:
    """The law around one anchor: its terms, the output, and what the energy is made of (weights and reference (...)).

    offset: None for the weighted distance; else the energy at the reference, of which it is a linear function if the
    head is linear.
    """

    terms: Terms
    output: Term
    weights: Tensor
    reference: Tensor
    offset: float | None
    anchor_output: float


def anchored_law(
    model: SequenceModel,
    anchor: Codes,
    settings: LawSettings,
    name: str,
    device: torch.device = CPU,
    mutable: NDArray[np.bool_] | None = None,
) -> AnchoredLaw:
    """p(x) ∝ q(x) · exp(-beta · ||w ∘ (Phi(x) - Phi(x0))||) for an anchor x0 (L,) (Finnegan & Song 2017).

    Or, unanchored, q(x) · exp(+beta · output(x)). w is the gradient of the output or contrast with respect to the
    representation at x0: for a linear head, the output layer's weights. mutable (L,): positions that may change; by
    default those whose letter is known. Raises InputError where w is zero, for then no representation
    is further than another, and where no position may change.
    """
    reference = _represent(model, torch.from_numpy(anchor)[None].to(device))[0]
    with torch.enable_grad():
        point = reference.clone().requires_grad_()
        output = contrast_of(model.head(point[None]), settings.contrast)[0]
        (weights,) = torch.autograd.grad(output, point)
    if not bool(weights.any()):
        raise InputError(name, "", "the output does not depend on the representation here", "choose another output")
    free = anchor != UNKNOWN if mutable is None else mutable
    if not free.any():
        raise InputError(name, "", "none of its positions may change", "see --fix and its letters")
    frequencies = np.array(settings.background)
    tether = doubled_odds(frequencies) if settings.tether == "auto" else settings.tether
    rows = background_rows(frequencies, anchor, tether)
    counted = settings.counted
    constraints: tuple[Term, ...] = ()
    if counted is None:  # letters stay independent, so that moves can draw from the tilted background itself
        rows = gc_field(rows, settings.mu)
    elif settings.mu:
        constraints = (cast(Term, MatchField(settings.mu, counted.matrices, counted.thresholds)),)
    at_anchor, at_once = float(output.detach()), sequences_at_once(model, device)
    value = in_pieces(output_term(model, settings.contrast), at_once)
    if settings.held == "output":
        terms = Terms(lambda codes: -value(codes), rows, free, constraints)
        return AnchoredLaw(terms, value, weights, reference, -at_anchor, at_anchor)
    energy = weighted_distance(lambda codes: model.representation(one_hot(codes)), weights, reference)
    terms = Terms(in_pieces(energy, at_once), rows, free, constraints)
    return AnchoredLaw(terms, value, weights, reference, None, at_anchor)


def contrast_of(outputs: Tensor, contrast: tuple[int, ...]) -> Tensor:
    """Outputs (..., K) to the chosen output, or to the first chosen less the second (...)."""
    chosen = outputs[..., contrast[0]]
    return chosen if len(contrast) == 1 else chosen - outputs[..., contrast[1]]


def output_term(model: SequenceModel, contrast: tuple[int, ...]) -> Term:
    """The chosen output or contrast as a function of codes (B, L) -> (B,)."""
    return lambda codes: contrast_of(model(one_hot(codes)), contrast)


def evaluate(term: Callable[[Tensor], Tensor], codes: Codes, device: torch.device = CPU) -> Floats:
    """A term on codes (..., L), some hundred sequences at a time, as (...) float64."""
    flat = torch.from_numpy(codes.reshape(-1, codes.shape[-1]))
    with torch.inference_mode():
        parts = [term(flat[start : start + BATCH].to(device)).double() for start in range(0, len(flat), BATCH)]
    return torch.cat(parts).cpu().numpy().reshape(codes.shape[:-1])


def _represent(model: SequenceModel, codes: Tensor) -> Tensor:
    with torch.no_grad():
        return model.representation(one_hot(codes))
