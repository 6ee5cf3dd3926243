"""How a network and an anchor become a law."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.alphabet import Codes, Frequencies, frequencies_of
from maxent_cli.analysis.features import Feature
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.engine.energies import SharedTerm
from maxent_cli.engine.matches import MatchField
from maxent_cli.engine.placed import placed
from maxent_cli.engine.randomness import chain_keys
from maxent_cli.engine.target import Term, Terms
from maxent_cli.engine.terms import background_rows, distance_of, doubled_odds, gc_field
from maxent_cli.errors import InputError, SettingsError, require_range
from maxent_cli.interpret.backgrounds import random_codes
from maxent_cli.interpret.constraints import FREE, Constraints
from maxent_cli.laws import LAWS, LawKind, Outputs, is_table, law_named
from maxent_cli.models.consensus import Consensus, consensus_of, of_each
from maxent_cli.models.pieces import Pieces, in_pieces, sequences_at_once
from maxent_cli.models.protocol import SequenceModel, one_hot

BATCH = 512  # sequences a forward pass
SCALED_BY = 1000  # background sequences whose mean distance is a network's unit, where there are several
CPU = torch.device("cpu")
DEFAULT_KEEP = 0.75
MOST_OUTPUT = 1e9  # beyond, a wanted output is a slip of the keyboard
MANY = 8  # outputs, from which on they are chosen together


@dataclass(frozen=True)
class Law:
    """What is asked of a law: what of the network is held, against which background, and how firmly.

    held: a key of LAWS: 'anchor' for the law around an anchor; 'output' for q(x)·exp(beta·output(x)), whose anchor is
    only a start. output: one output by its number from 0 or its name; a difference, 'A-B'; several together, 'A,B,C';
    or the path of a TSV of weights (columns output, weight and, for several weighted sums, row); None: 1 less 0 of two,
    or the only one. background (4,): letter frequencies, or gc alone; None: those of the network's training data.
    tether: the share of the anchor's letter in each background row, 'auto' for twice the odds that it has there (of a
    law that ties to no anchor: None), or None for the published law. beta: inverse temperature, in 1/energy; None: that
    at which the mean energy is (1 - keep) of the background's. keep: None for 0.75, where beta is None. layer:
    the module whose input is the representation, instead of the network's own. to: of the law of an output, instead of
    beta: the mean output that it is to have; of the law 'near', the output that it is near, whose beta is 1/(2 s²) for
    a spread s of the output, by default a tenth of its distance from the anchor's. hold, hold_beta: of a law of
    an output, another that is held meanwhile, as the law of the anchor holds it at that beta. Raises InputError where
    two of these exclude each other, or the law needs another.
    """

    held: str = "anchor"
    output: int | str | None = None
    background: Frequencies | None = None
    gc: float | None = None
    tether: float | Literal["auto"] | None = "auto"
    beta: float | None = None
    keep: float | None = None
    layer: str | None = None
    to: float | None = None
    hold: int | str | None = None
    hold_beta: float | None = None

    def __post_init__(self) -> None:
        for one, other in (("gc", "background"), ("keep", "beta"), *([] if self.kind.own_beta else [("to", "beta")])):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise SettingsError(one, "", f"excludes {other}", "give one of them")
        for need in self.kind.needs:
            if all(getattr(self, one) is None for one in need.split(" or ")):
                raise SettingsError(need, "", f"is needed by the law {self.held}, and not found for it", "give it")
        if self.to is not None and not any("to" in need.split(" or ") for need in self.kind.needs):
            raise SettingsError("to", "", f"is nothing that the law {self.held} has", "give the law output or near")
        if (self.hold is None) != (self.hold_beta is None):
            raise SettingsError("hold-beta", "", "goes with hold", "give both or neither")
        if self.hold is not None and self.kind.is_distance:
            raise SettingsError("hold", "", f"is nothing that the law {self.held} has", "give the law output or near")
        require_range("hold-beta", self.hold_beta, 0)
        require_range("to", self.to, -MOST_OUTPUT, MOST_OUTPUT)

    @property
    def kind(self) -> LawKind:
        """The law's entry in the table."""
        return law_named(self.held)

    @property
    def files(self) -> tuple[str, ...]:
        """The paths that are read for it."""
        return tuple(str(asked) for asked in (self.output, self.hold) if is_table(asked))

    @property
    def frequencies(self) -> Frequencies | None:
        """Those asked for, by background or gc."""
        return self.background if self.gc is None else frequencies_of(self.gc)

    def settled(
        self, outputs: Outputs, background: Frequencies | None, network: str, hold: Outputs = ()
    ) -> "LawSettings":
        """As settings, of these outputs of a network of that name, and perhaps training frequencies.

        hold: outputs that are held meanwhile.
        """
        frequencies = self.frequencies or background
        if frequencies is None:
            problem = f"are not known, since {network} does not say on what letters it was trained"
            raise SettingsError("background frequencies", "", problem, "give gc or background")
        require_few(outputs, self.kind.most_outputs, f"the law {self.held} holds")
        if len(outputs) < self.kind.least_outputs:
            problem = f"{len(outputs)} is given, and the law {self.held} holds {self.kind.least_outputs} or more"
            raise SettingsError("output", "", problem, "give more, or another law")
        if any(one in outputs for one in hold):
            raise SettingsError("hold", "", "names the output that is to move", "hold another one")
        tether = self.kind.tether if self.tether == "auto" else self.tether
        keep = DEFAULT_KEEP if self.keep is None else self.keep
        settings = LawSettings(outputs, frequencies, tether, self.beta, keep, kind=self.kind, to=self.to)
        return replace(settings, hold=hold, hold_beta=self.hold_beta or 0.0)


def require_few(outputs: Outputs, most: int | None, who: str) -> None:
    """Raise SettingsError where outputs are more than can be asked about together."""
    if most is not None and len(outputs) > most:
        raise SettingsError("output", "", f"{len(outputs)} are given, and {who} {most}", "give one, or one difference")


@dataclass(frozen=True)
class LawSettings:
    """What of the network is held, against which background, and how firmly.

    outputs: weighted sums of outputs, which the law holds together. background (4,): letter frequencies. tether: the
    share of the anchor's letter in each background row; 'auto' for twice the odds that it has there; or None for the
    published law. beta: inverse temperature, in units of 1/energy, or None for that at which the mean energy has fallen
    by the share `keep` of its value under the background. mu: chemical potential added for each of what `counted`
    counts, None for G and C (the difference from the background's own). kind: the law's entry in the table. to: the
    output that is wanted. constraints: which sequences there may be at all. hold, hold_beta: outputs that are held
    meanwhile, as the law of the anchor does at that beta.
    """

    outputs: Outputs
    background: Frequencies
    tether: float | Literal["auto"] | None
    beta: float | None
    keep: float = DEFAULT_KEEP
    mu: float = 0.0
    kind: LawKind = LAWS["anchor"]
    counted: Feature | None = None
    to: float | None = None
    constraints: Constraints = FREE
    hold: Outputs = ()
    hold_beta: float = 0.0

    @property
    def finds_mean(self) -> bool:
        """Whether beta is to be found for a mean output."""
        return self.to is not None and self.beta is None and self.kind.own_beta is None

    @property
    def header(self) -> dict[str, Any]:
        """What a draws file says of it, as JSON can have it."""
        named = ("outputs", "background", "tether", "beta", "keep", "mu")
        wanted: dict[str, Any] = {} if self.to is None else {"to": self.to}
        wanted |= {"hold": self.hold, "hold_beta": self.hold_beta} if self.hold else {}
        return {"held": self.kind.name} | {name: getattr(self, name) for name in named} | wanted


@dataclass(frozen=True)
class Represented:
    """What a network's representation (B, ...) makes of codes (B, L)."""

    model: SequenceModel

    def __call__(self, codes: Tensor) -> Tensor:
        return self.model.representation(one_hot(codes))


@dataclass(frozen=True)
class Sums:
    """The weighted sums of a network's outputs that are asked for, as a function of codes (B, L) -> (B, R)."""

    model: SequenceModel
    asked: Outputs

    def __call__(self, codes: Tensor) -> Tensor:
        return sums_of(self.model(one_hot(codes)), self.asked)


@dataclass(frozen=True)
class View:
    """What a network makes of an anchor: its representation there, and how the outputs held read it, both (...).

    weights: of the outputs' weighted sum, its gradient at the anchor; of several sums, the root of their squares' sum.
    output: their mean, of codes (B, L). sums: all of them (B, R); anchor_sums (R,): at the anchor.
    """

    model: SequenceModel
    reference: Tensor
    weights: Tensor
    output: Term
    anchor_output: float
    at_once: int
    sums: Term
    anchor_sums: Tensor
    to: float | None = None

    @property
    def distance(self) -> Term:
        """E(x) = ||w ∘ (Phi(x) - Phi(x0))||; of several sums of outputs the root of the sum of their squares."""
        parameters = self.weights[None], (-self.weights * self.reference)[None]
        return SharedTerm(Represented(self.model), distance_of, parameters, Pieces(self.at_once))

    @property
    def profile(self) -> Term:
        """E(x) = ||c(f(x)) - c(f(x0))||, where c(f) is f less its mean over the outputs held."""
        return in_pieces(lambda codes: torch.linalg.vector_norm(self.reshaped(codes), dim=-1), self.at_once)

    @property
    def reshaped(self) -> Term:
        """How far the shape of the profile is from the anchor's, output by output: c(f(x)) - c(f(x0)) (B, R)."""
        reference = _centred(self.anchor_sums)
        return lambda codes: _centred(self.sums(codes)) - reference


@dataclass(frozen=True)
class ReadSums:
    """The energy of a law that takes outputs alone, of their sums (B, R) and those at the anchor (1 or B, R).

    view: of any anchor, for it reads nothing else there.
    """

    kind: LawKind
    to: float | None
    view: View = field(compare=False)

    def __call__(self, sums: Tensor, anchor_sums: Tensor) -> Tensor:
        there = replace(self.view, output=lambda some: some.mean(-1), sums=lambda some: some, anchor_sums=anchor_sums)
        return cast(Tensor, self.kind.energy(there).term(sums))


def _centred(sums: Tensor) -> Tensor:
    return sums - sums.mean(-1, keepdim=True)


@dataclass(frozen=True)
class AnchoredLaw:
    """The law around one anchor: its terms, the output, and what the energy is made of (weights and reference (...)).

    of_outputs: where it takes outputs, so that representation and weights do not tell the energy, what of codes (B, L)
    the energy is the length of (B, R). offset: None for the weighted distance; else the energy at the reference, of
    which it is a linear function if the head is linear; squared: its square is. networks: None where there is one.
    """

    terms: Terms
    output: Term
    weights: Tensor
    reference: Tensor
    offset: float | None
    anchor_output: float
    of_outputs: Term | None = None
    squared: bool = False
    networks: "EachNetwork | None" = None


@dataclass(frozen=True)
class EachNetwork:
    """What each of M networks makes of sequences around an anchor.

    seen: codes (B, L) to its own distance, not squared, and its output (B, M, 2). scales (M,): its mean distance of
    background sequences; anchor_outputs (M,).
    """

    seen: Term
    scales: Floats
    anchor_outputs: Floats


def anchored_law(
    model: SequenceModel, anchor: Anchor, settings: LawSettings, device: torch.device = CPU
) -> AnchoredLaw:
    """The law of these settings around an anchor, as its entry in LAWS has it (Finnegan & Song 2017).

    Raises InputError where the outputs do not depend on the representation, for then none is further than another, and
    where no position may change.
    """
    view = view_of(model, anchor, settings.outputs, device, weigh=not settings.kind.of_outputs)
    if not anchor.mutable.any():
        raise InputError(anchor.name, "", "none of its positions may change", "see --fix and its letters")
    view = replace(view, to=settings.to)
    rows, mutable, constraints = background_of(anchor, settings)
    several, background = consensus_of(model), Terms(view.output, rows, mutable, constraints)
    networks = None if several is None else each_network(several, view, anchor, background, settings.outputs)
    if networks is not None and settings.kind.is_distance:
        view = in_common_units(view, networks)
    energy, offset, squared = settings.kind.energy(view)
    if not isinstance(energy, SharedTerm):  # it is of the outputs
        parameters = (view.anchor_sums[None],)
        energy = SharedTerm(view.sums, ReadSums(settings.kind, view.to, view), parameters, Pieces(view.at_once))
    if settings.hold:
        constraints = (*constraints, held_meanwhile(model, anchor, settings, background, device))
    made_of = view.weights, view.reference, offset, view.anchor_output
    reshaped = view.reshaped if settings.kind.of_outputs else None
    return AnchoredLaw(
        replace(background, energy=energy, constraints=constraints), view.output, *made_of, reshaped, squared, networks
    )


def each_network(model: Consensus, view: View, anchor: Anchor, background: Terms, outputs: Outputs) -> EachNetwork:
    """What each network makes of sequences; its scale is found on background sequences that depend on the anchor alone.

    So all that builds the law of an anchor anew has the same energies. Raises InputError where a network tells none of
    them from the anchor.
    """
    weights = [len(model.sizes) * part for part in of_each(model, view.weights)]  # the output is the networks' mean
    reference = of_each(model, view.reference)

    def seen(codes: Tensor) -> Tensor:
        found = model.representation(one_hot(codes))
        apart = [
            (part - at) * own
            for part, at, own in zip(torch.split(found, model.sizes, 1), reference, weights, strict=True)
        ]
        distances = torch.stack([torch.linalg.vector_norm(part, dim=1) for part in apart], 1)
        return torch.stack([distances, sums_of(model.each(found), outputs).mean(-1)], 2)

    run = in_pieces(seen, view.at_once)
    codes = random_codes(anchor.codes, background, chain_keys(0, "networks", anchor.codes, SCALED_BY))
    device = view.reference.device
    scales = evaluate(run, codes, device)[..., 0].mean(0)
    at_anchor = evaluate(run, anchor.codes[None], device)[0, :, 1]
    for number in np.flatnonzero(~(scales > 0)):
        problem = f"network {number + 1} of {len(scales)} tells no background sequence from it"
        raise InputError(anchor.name, "", problem, "leave that network out, or choose another output")
    return EachNetwork(run, scales, at_anchor)


def in_common_units(view: View, networks: EachNetwork) -> View:
    """The view whose distance is the length of all networks' distances, each in units of its mean on the background."""
    several = consensus_of(view.model)
    assert several is not None
    parts = zip(of_each(several, view.weights), networks.scales.tolist(), strict=True)
    scaled = torch.cat([part * (len(networks.scales) / scale) for part, scale in parts])
    return replace(view, weights=scaled)


def as_drawn(settings: LawSettings, samples: SampleSet) -> LawSettings:
    """The settings by which the energies of draws are as the draws have them.

    A mean output below the background's is drawn by the output times -1.
    """
    by_output = settings.kind.output_of
    if by_output is None or np.allclose(by_output(samples.energy), samples.output, rtol=1e-3, atol=1e-3):
        return settings
    turned = tuple(tuple((number, -weight) for number, weight in one) for one in settings.outputs)
    return replace(settings, outputs=turned, to=None if settings.to is None else -settings.to)


def held_meanwhile(
    model: SequenceModel, anchor: Anchor, settings: LawSettings, background: Terms, device: torch.device
) -> Term:
    """A constraint: minus hold_beta times the distance that the law of the anchor has of the outputs held."""
    view, several = view_of(model, anchor, settings.hold, device), consensus_of(model)
    if several is not None:
        view = in_common_units(view, each_network(several, view, anchor, background, settings.hold))
    distance = view.distance
    return lambda codes: -settings.hold_beta * distance(codes).double()


def view_of(model: SequenceModel, anchor: Anchor, outputs: Outputs, device: torch.device, weigh: bool = True) -> View:
    """What a network makes of an anchor (L,), as the outputs held read it.

    Weights are gradients with respect to the representation there: for a linear head, the output layer's weights; of
    several outputs the root of their squares' sum, or, unless weigh, those of their total.
    """
    reference = _represent(model, torch.from_numpy(anchor.codes)[None].to(device))[0]
    with torch.enable_grad():
        point = reference.clone().requires_grad_()
        sums = sums_of(model.head(point[None]), outputs)[0]
        rows = [torch.autograd.grad(one, point, retain_graph=True)[0] for one in (sums if weigh else [sums.sum()])]
    weights = rows[0] if len(rows) == 1 else torch.linalg.vector_norm(torch.stack(rows), dim=0)
    if not bool(weights.any()):
        problem = "the output does not depend on the representation here"
        raise InputError(anchor.name, "", problem, "choose another output")
    at_once = sequences_at_once(model, device)
    value = in_pieces(output_term(model, outputs), at_once)
    every, found = sums_term(model, outputs), sums.detach()
    return View(model, reference, weights, value, float(found.mean()), at_once, every, found)


def background_of(anchor: Anchor, settings: LawSettings) -> tuple[Floats, NDArray[np.bool_], tuple[Term, ...]]:
    """Background rows (L, 4) around an anchor, positions that may change (L,), and a chemical potential's term."""
    frequencies, counted = np.array(settings.background), settings.counted
    tether = doubled_odds(frequencies) if settings.tether == "auto" else settings.tether
    rows, support = background_rows(frequencies, anchor.codes, tether), settings.constraints.support(len(anchor.codes))
    kept = () if support is None else (cast(Term, support),)
    if counted is None:  # letters stay independent, so that moves can draw from the tilted background itself
        return gc_field(rows, settings.mu), anchor.mutable, kept
    field = cast(Term, MatchField(settings.mu, counted.matrices, counted.thresholds))
    return rows, anchor.mutable, (*kept, field) if settings.mu else kept


def sums_of(outputs: Tensor, asked: Outputs) -> Tensor:
    """Outputs (..., K) to the weighted sums asked for (..., R)."""
    if len(asked) > MANY and all(len(one) == 1 and one[0][1] == 1 for one in asked):
        return outputs[..., placed([one[0][0] for one in asked], outputs.device)]
    none = torch.zeros_like(outputs[..., 0])
    return torch.stack([sum((weight * outputs[..., number] for number, weight in one), none) for one in asked], -1)


def output_term(model: SequenceModel, asked: Outputs) -> Term:
    """The weighted sum of outputs asked for, or the mean of several, as a function of codes (B, L) -> (B,)."""
    every = sums_term(model, asked)
    return lambda codes: every(codes).mean(-1)


def sums_term(model: SequenceModel, asked: Outputs) -> Term:
    """The weighted sums of outputs asked for (R), as a function of codes (B, L) -> (B, R)."""
    return Sums(model, asked)


def evaluate(term: Callable[[Tensor], Tensor], codes: Codes, device: torch.device = CPU) -> Floats:
    """A term on codes (..., L), some hundred sequences at a time, as (...) float64; or (..., R), if it gives R."""
    flat = torch.from_numpy(codes.reshape(-1, codes.shape[-1]))
    with torch.inference_mode():
        parts = [term(flat[start : start + BATCH].to(device)).double() for start in range(0, len(flat), BATCH)]
    found = torch.cat(parts).cpu().numpy()
    return found.reshape((*codes.shape[:-1], *found.shape[1:]))


def _represent(model: SequenceModel, codes: Tensor) -> Tensor:
    with torch.no_grad():
        return model.representation(one_hot(codes))
