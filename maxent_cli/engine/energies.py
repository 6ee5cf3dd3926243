"""Energies of several anchors by the same passes: what a network makes of sequences, and how each anchor reads it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxent_cli.engine.target import Term

Passing = Callable[..., Tensor]  # (function of tensors (B, ...), the tensors) -> its values, in pieces


@dataclass(frozen=True, eq=False)
class SharedTerm:
    """A term (Terms.energy) that anchors may share the passes of: read(look(codes), *parameters).

    look: codes (B, L) to what a network makes of them (B, ...); equal looks, which are hashable, give equal values.
    read: that, and an anchor's parameters, each (1 or B, ...), to energies (B,). passing: how sequences go through it.
    """

    look: Callable[[Tensor], Tensor]
    read: Callable[..., Tensor]
    parameters: tuple[Tensor, ...]
    passing: Passing

    def __call__(self, codes: Tensor) -> Tensor:
        """Energies (...) of codes (..., L)."""
        flat = codes.reshape(-1, codes.shape[-1])
        return self.passing(lambda some: self.read(self.look(some), *self.parameters), flat).reshape(codes.shape[:-1])


@dataclass(frozen=True)
class _Plus:
    """What a read gives and a number (1 or B, 1), the last of the parameters."""

    read: Callable[..., Tensor]

    def __call__(self, seen: Tensor, *parameters: Tensor) -> Tensor:
        return self.read(seen, *parameters[:-1]) + parameters[-1][:, 0]


def plus(term: Term, added: float) -> Term:
    """A term and a number."""
    if isinstance(term, SharedTerm):
        number = torch.full((1, 1), added, device=term.parameters[0].device)
        return replace(term, read=_Plus(term.read), parameters=(*term.parameters, number))
    return lambda codes: term(codes) + added


class Energies(NamedTuple):
    """Energies (C,) of codes (C, L) of several anchors' chains: function(codes, of, *parameters).

    of (C,): which anchor a chain is of. parameters: the anchors' (A, ...). A function that is ByParameters depends on
    no anchor but by these.
    """

    function: Callable[..., Tensor]
    parameters: tuple[Tensor, ...] = ()


def together(energies: Sequence[Term], rows: Sequence[slice]) -> Energies:
    """The energies of several anchors' chains, of which each anchor has some rows; those in nobody's have any."""
    shared = [one for one in energies if isinstance(one, SharedTerm)]
    if len(shared) == len(energies) and len({(one.look, one.read) for one in shared}) == 1:
        stacked = tuple(torch.cat(values) for values in zip(*(one.parameters for one in shared), strict=True))
        return Energies(ByParameters(shared[0].look, shared[0].read, shared[0].passing), stacked)
    by_rows = _by_rows(energies, rows)
    return Energies(lambda codes, _: by_rows(codes))


@dataclass(frozen=True)
class ByParameters:
    """Anchors of one look and one read share its passes, and read them together."""

    look: Callable[[Tensor], Tensor]
    read: Callable[..., Tensor]
    passing: Passing = field(compare=False)

    def __call__(self, codes: Tensor, of: Tensor, *parameters: Tensor) -> Tensor:
        """Energies (C,) of codes (C, L)."""

        def energy(some: Tensor, its: Tensor) -> Tensor:
            return self.read(self.look(some), *(one[its] for one in parameters))

        return self.passing(energy, codes, of)


def _by_rows(energies: Sequence[Term], rows: Sequence[slice]) -> Term:
    """Anchors of one look share its passes, and read them one by one."""
    looks = dict[Hashable, list[int]]()
    for number, one in enumerate(energies):
        looks.setdefault(one.look if isinstance(one, SharedTerm) else one, []).append(number)

    def energy(codes: Tensor) -> Tensor:
        found = torch.zeros(len(codes), dtype=torch.float64, device=codes.device)
        for numbers in looks.values():
            seen = _seen(energies[numbers[0]], torch.cat([codes[rows[number]] for number in numbers]))
            parts = torch.split(seen, [rows[number].stop - rows[number].start for number in numbers])
            for number, part in zip(numbers, parts, strict=True):
                found[rows[number]] = _read(energies[number], part).double()
        return found

    return energy


def _seen(energy: Any, codes: Tensor) -> Tensor:
    seen: Tensor = energy.passing(energy.look, codes) if isinstance(energy, SharedTerm) else energy(codes)
    return seen


def _read(energy: Any, seen: Tensor) -> Tensor:
    read: Tensor = energy.read(seen, *energy.parameters) if isinstance(energy, SharedTerm) else seen
    return read
