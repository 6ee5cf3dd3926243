"""Letters put into an anchor, into draws around it and into its background: what a network says of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.contexts import SHARE, Contexts, contexts_of
from maxent_cli.analysis.variants import Tried, VariantEffect, variant_effect
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.engine.incremental import single_changes
from maxent_cli.engine.layers import Plan
from maxent_cli.engine.randomness import chain_keys
from maxent_cli.engine.target import Terms
from maxent_cli.interpret.attribution import CHECKED, MOST_DRIFT
from maxent_cli.interpret.backgrounds import random_codes
from maxent_cli.interpret.conditionals import energies
from maxent_cli.interpret.law import AnchoredLaw, LawSettings, anchored_law, as_drawn, output_term, sums_of
from maxent_cli.interpret.plan import NotAStack, as_representation, read_plan
from maxent_cli.interpret.sampling import COMPILED
from maxent_cli.laws import Outputs
from maxent_cli.models.pieces import sequences_at_once
from maxent_cli.models.protocol import SequenceModel

FULL = "full passes"
CONTEXTS = 400  # draws that letters are put into, unless others are asked for
SITES = 128  # positions that are gone through together, so that memory does not grow with the sequence
LEAST_COMPILED = 4  # changes of a sequence from which the compiled chain, which must take it up first, is faster
BACKGROUND_SHARE = 4  # contexts to a sequence of the background: these are independent of each other

Site = tuple[int, tuple[tuple[int, int], ...]]  # a position, and the changes there: letters from and to
Values = tuple[Floats, Floats]  # outputs and energies, both (N, J, 4); nan: not tried


@dataclass(frozen=True)
class VariantSettings:
    """What is asked of changes: of which outputs' mean the effect is, in how many draws, and where the network runs.

    share: of the draws, that is in effect as contexts (analysis.contexts).
    """

    law: LawSettings
    outputs: Outputs
    contexts: int
    seed: int
    device: str = "cpu"
    share: float = SHARE

    @property
    def backgrounds(self) -> int:
        """Sequences of the background that letters are put into."""
        return max(2, self.contexts // BACKGROUND_SHARE)

    def bytes_held(self, length: int) -> int:
        """What an anchor of so many letters takes at least: values of four letters at each site, twice, and draws."""
        sequences = self.contexts + self.backgrounds
        return sequences * (min(SITES, length) * 4 * 4 * 8 + length)


@dataclass(frozen=True)
class Scanned:
    """What was found of an anchor: effects in the order asked for, what gave the outputs, and its drift if compiled."""

    effects: list[VariantEffect]
    contexts: Contexts
    kernel: str
    drift: float | None


@dataclass
class _Scan:
    """A network around an anchor; plan: of the compiled chain, if that serves."""

    model: "OncePerBatch"
    law: AnchoredLaw
    settings: VariantSettings
    at_once: int
    plan: Plan | None
    drift: float | None = None

    def values(self, codes: Codes, places: NDArray[np.intp], wanted: NDArray[np.bool_]) -> Values:
        """Outputs and energies (N, J, 4) of codes (N, L) with each wanted letter (J, 4) at each place (J,).

        A sequence's own letter is always known: it is found once, in the way of the others, and serves at all places.
        """
        own = codes[:, places, None] == np.arange(4)
        other = wanted & ~own
        way = self._compiled if self.plan is not None else self._by_full_passes
        base, changed = way(codes, places, other)
        tables = []
        for same, found in zip(base, changed, strict=True):
            table = np.where(own, same[:, None, None], np.nan)
            table[other] = found
            tables.append(table)
        return tables[0], tables[1]

    def check(self, codes: Codes, places: NDArray[np.intp], wanted: NDArray[np.bool_]) -> None:
        """Compare some changes of a sequence (1, L) by the compiled chain with full passes; leave it if they differ."""
        if self.plan is None:
            return
        few = np.unique(np.linspace(0, len(places) - 1, CHECKED).astype(int))
        found = self.values(codes, places[few], wanted[few])
        plan, self.plan = self.plan, None
        right = self.values(codes, places[few], wanted[few])
        apart = [
            float(np.nanmax(np.abs(a - b)) / max(np.nanmax(b) - np.nanmin(b), 1e-30))
            for a, b in zip(found, right, strict=True)
        ]
        if max(apart) <= MOST_DRIFT:
            self.plan, self.drift = plan, float(np.nanmax(np.abs(found[0] - right[0])))

    def _compiled(self, codes: Codes, places: NDArray[np.intp], other: NDArray[np.bool_]) -> tuple[Values, Values]:
        assert self.plan is not None
        base, changed = list[Values](), list[Values]()
        for row, missing in zip(codes, other, strict=True):
            sites, letters = np.nonzero(missing)
            where = np.append(places[sites], places[0])
            values = single_changes(self.plan, row, where, np.append(letters, row[places[0]]).astype(np.uint8))
            output, energy = self._outputs(values), energies(self.plan, values)
            base.append((output[-1:], energy[-1:]))
            changed.append((output[:-1], energy[:-1]))
        return _together(base), _together(changed)

    def _by_full_passes(
        self, codes: Codes, places: NDArray[np.intp], other: NDArray[np.bool_]
    ) -> tuple[Values, Values]:
        rows, sites, letters = np.nonzero(other)
        changed = []
        for start in range(0, len(rows), self.at_once):
            some = slice(start, start + self.at_once)
            put = codes[rows[some]]
            put[np.arange(len(put)), places[sites[some]]] = letters[some]
            changed.append(self._pass(put))
        pieces = range(0, len(codes), self.at_once)
        return _together([self._pass(codes[start : start + self.at_once]) for start in pieces]), _together(changed)

    def _pass(self, codes: Codes) -> Values:
        """Outputs and energies (B,) of so many sequences at most as are passed at once."""
        given = torch.from_numpy(codes).to(self.settings.device)
        with torch.inference_mode():
            output = output_term(self.model, self.settings.outputs)(given)
            return _array(output), _array(self.law.terms.energy(given))

    def _outputs(self, values: NDArray[np.float32]) -> Floats:
        """The output (M,) of the last values (M, size) of the compiled chain."""
        assert self.plan is not None
        with torch.inference_mode():
            given = as_representation(self.model.wrapped, self.plan, values, self.law.reference.shape)
            outputs = self.model.head(given)
            return _array(sums_of(outputs, self.settings.outputs).mean(-1))


class OncePerBatch:
    """A network that keeps the representation of the last batch, of which output and energy are both asked."""

    def __init__(self, model: SequenceModel) -> None:
        self.wrapped, self.input_length = model, model.input_length
        self._kept: tuple[Tensor, Tensor] | None = None
        self.head = model.head

    def representation(self, one_hot: Tensor) -> Tensor:
        """Of the network."""
        if self._kept is None or not torch.equal(self._kept[0], one_hot):
            self._kept = one_hot, self.wrapped.representation(one_hot)
        return self._kept[1]

    def __call__(self, one_hot: Tensor) -> Tensor:
        return self.head(self.representation(one_hot))


def scan_anchor(model: SequenceModel, samples: SampleSet, sites: Sequence[Site], settings: VariantSettings) -> Scanned:
    """The effects of changes at some sites of an anchor, in the order of the sites and of the changes of each.

    Each allele is put once into each context; the pass over a context itself is shared by all sites. InputError, with
    the anchor's name as path, where the outputs do not depend on the representation.
    """
    contexts = contexts_of(samples, settings.contexts, settings.share)
    scan = _scan(model, samples, settings, sum(len(changes) for _, changes in sites))
    background = _background(contexts.samples, settings)
    parts = (samples.anchor[None], contexts.codes, background)
    effects = list[VariantEffect]()
    for start in range(0, len(sites), SITES):
        some = sites[start : start + SITES]
        places = np.array([position for position, _ in some])
        wanted = _wanted(some)
        if not start:
            scan.check(samples.anchor[None], places, wanted)
        found = [scan.values(codes, places, wanted) for codes in parts]
        for row, (position, changes) in enumerate(some):
            anchor, tried, beta_0 = (
                Tried(codes[:, position], output[:, row], energy[:, row], wanted[row])
                for codes, (output, energy) in zip(parts, found, strict=True)
            )
            effects += [variant_effect(contexts, tried, anchor, beta_0, position, change) for change in changes]
    return Scanned(effects, contexts, FULL if scan.plan is None else COMPILED, scan.drift)


def _scan(model: SequenceModel, samples: SampleSet, settings: VariantSettings, changes: int) -> _Scan:
    device, once = torch.device(settings.device), OncePerBatch(model)
    anchor = Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)
    law = anchored_law(once, anchor, as_drawn(settings.law, samples), device)
    plan = None
    if settings.device == "cpu" and law.of_outputs is None and changes >= LEAST_COMPILED:
        try:
            plan = read_plan(model, law.reference, law.weights, law.offset, law.squared)
        except NotAStack:
            plan = None
    return _Scan(once, law, settings, sequences_at_once(model, device), plan)


def _background(samples: SampleSet, settings: VariantSettings) -> Codes:
    """Sequences (n, L) of the contexts' law at beta 0, its tether included."""
    terms = Terms(lambda codes: codes, samples.background, samples.mutable)
    keys = chain_keys(settings.seed, f"contexts at beta = 0 of {samples.name}", samples.anchor, settings.backgrounds)
    return random_codes(samples.anchor, terms, keys)


def _wanted(sites: Sequence[Site]) -> NDArray[np.bool_]:
    """Which letters (J, 4) are tried at each site."""
    wanted = np.zeros((len(sites), 4), np.bool_)
    for row, (_, changes) in enumerate(sites):
        wanted[row, [letter for change in changes for letter in change]] = True
    return wanted


def single_sites(samples: SampleSet) -> Iterator[Site]:
    """Every change of a letter that is known and may change."""
    for position in np.flatnonzero(samples.mutable & (samples.anchor < 4)).tolist():
        own = int(samples.anchor[position])
        yield position, tuple((own, letter) for letter in range(4) if letter != own)


def _together(parts: Sequence[Values]) -> Values:
    if not parts:
        return np.zeros(0), np.zeros(0)
    outputs, found = zip(*parts, strict=True)
    return np.concatenate(outputs), np.concatenate(found)


def _array(values: Tensor) -> Floats:
    return np.asarray(values.double().cpu().numpy())
