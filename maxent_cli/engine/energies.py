"""Energies of several anchors by the same passes: what a network makes of sequences, and how each anchor reads it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

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


def plus(term: Term, added: float) -> Term:
    """A term and a number."""
    if isinstance(term, SharedTerm):
        return replace(term, read=lambda seen, *parameters: term.read(seen, *parameters) + added)
    return lambda codes: term(codes) + added


def alike(energies: Sequence[Term]) -> bool:
    """Whether all are of one look and one read, so that they are one function of codes and parameters."""
    kinds = {(one.look, one.read) if isinstance(one, SharedTerm) else (one, object()) for one in energies}
    return len(kinds) == 1


def together(energies: Sequence[Term], rows: Sequence[slice], of: Tensor) -> Term:
    """The energies (C,) of codes (C, L) of several anchors' chains, of which each anchor has some rows.

    of (C,): which anchor a chain is of. Chains in nobody's rows have any energy.
    """
    if alike(energies) and isinstance(energies[0], SharedTerm):
        return _by_parameters([one for one in energies if isinstance(one, SharedTerm)], of)
    return _by_rows(energies, rows)


def _by_parameters(energies: Sequence[SharedTerm], of: Tensor) -> Term:
    first, every = energies[0], zip(*(one.parameters for one in energies), strict=True)
    stacked = [torch.cat(values) for values in every]

    def energy(codes: Tensor) -> Tensor:
        return first.passing(lambda some, its: first.read(first.look(some), *(one[its] for one in stacked)), codes, of)

    return energy


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
