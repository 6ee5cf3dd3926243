"""Steps of many chains at once, of any anchors, each energy by a full forward pass; nothing but tensors.

Chains stand at steps of their own, and do nothing once theirs are done. An anchor's chains are beside each other, so
that neighbouring replicas can exchange.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from maxent_cli.engine.batch_proposals import (
    Proposals,
    Tables,
    as_integers,
    exchange_log_uniforms,
    joined,
    propose,
    slots_of,
    tables_of,
    words,
)
from maxent_cli.engine.energies import Energies, together
from maxent_cli.engine.proposals import FRESH, FRESH_ADAPTED, LOST, LOST_ADAPTED, Move, move_table
from maxent_cli.engine.randomness import Keys
from maxent_cli.engine.target import Ladder, Target, Term, log_acceptance, log_exchange, log_weights


class Batched(NamedTuple):
    """Where C chains stand: codes (C, L); energy, constrained (C,): their constraints' log-weights; step (C,).

    tried, accepted (C, M + 1): how often each move was, and last the exchange with the next chain.
    """

    codes: Tensor
    energy: Tensor
    constrained: Tensor
    step: Tensor
    tried: Tensor
    accepted: Tensor


class Anchored(NamedTuple):
    """What one anchor's chains go by, on the device; in a Batch, A anchors' one after another.

    keys, beta (C,); replica, replicas (C,): a chain's place in its ladder, and how long that is. tables of A = 1
    anchors; log_weights (A, 3, L, 5): zeros, and logarithms of the background and of the adapted rows; modulus (A, L):
    3, and 7 where a letter stays, which may be an unknown one.
    """

    keys: Tensor
    beta: Tensor
    replica: Tensor
    replicas: Tensor
    tables: Tables
    log_weights: Tensor
    modulus: Tensor


class Batch(NamedTuple):
    """Several anchors' chains: what they go by, of which anchor each is (C,), and after which step it ends (C,)."""

    anchored: Anchored
    of: Tensor
    end: Tensor
    energy: Energies
    constraints: Term | None
    every: int
    slots: int


Step = Callable[[Batched, Batch, Tensor], Batched]


def anchored(keys: Keys, target: Target, moves: tuple[Move, ...], ladder: Ladder, device: torch.device) -> Anchored:
    """One anchor's part of a batch."""
    table = move_table(target.spread(moves), target.background, target.mutable, target.adapted)
    place = torch.arange(len(keys), device=device)
    beta = torch.as_tensor(target.beta, dtype=torch.float64, device=device).expand(len(keys))
    mutable = torch.from_numpy(target.mutable).to(device)
    modulus = torch.where(mutable, 3, 7).to(torch.uint8)[None]
    weights = torch.from_numpy(log_weights(target)).to(device)[None]
    replicas = torch.full_like(place, ladder.replicas)
    numbers = (as_integers(keys).to(device), beta, place % ladder.replicas, replicas)
    return Anchored(*numbers, tables_of(table, device), weights, modulus)


def slots(target: Target, moves: tuple[Move, ...]) -> int:
    """How many slots of random words the target's proposals take."""
    return slots_of(move_table(target.spread(moves), target.background, target.mutable, target.adapted))


def batch_of(
    parts: Sequence[Anchored], targets: Sequence[Target], ends: Sequence[int], every: int, slots: int
) -> Batch:
    """The batch of several anchors' parts, whose chains end after these steps."""
    sizes, device = [len(part.keys) for part in parts], parts[0].keys.device
    edges = [0, *torch.tensor(sizes).cumsum(0).tolist()]
    rows = [slice(a, b) for a, b in pairwise(edges)]
    count = torch.tensor(sizes, device=device)
    of = torch.arange(len(parts), device=device).repeat_interleave(count)
    end = torch.tensor(ends, device=device).repeat_interleave(count)
    tables = joined([part.tables for part in parts])
    fields = {name: torch.cat([getattr(part, name) for part in parts]) for name in Anchored._fields if name != "tables"}
    energy = together([target.energy for target in targets], rows)
    constraints = [target.constraints for target in targets]
    return Batch(Anchored(tables=tables, **fields), of, end, energy, _sum_of(constraints, rows), every, slots)


@dataclass(frozen=True)
class OneForAll:
    """The sum (C,) of constraints that all anchors have: equal ones are one function of codes."""

    said: tuple[Hashable, ...]
    terms: tuple[Term, ...] = field(compare=False)

    def __call__(self, codes: Tensor) -> Tensor:
        found = torch.zeros(len(codes), dtype=torch.float64, device=codes.device)
        for term in self.terms:
            found += term(codes)
        return found


def _sum_of(constraints: Sequence[tuple[Term, ...]], rows: Sequence[slice]) -> Term | None:
    """The sums (C,) of each anchor's constraints on its rows; None where there are none."""
    if not any(constraints):
        return None
    said = {tuple(_said(term) for term in terms) for terms in constraints}
    if len(said) == 1:
        return OneForAll(said.pop(), constraints[0])

    def constrained(codes: Tensor) -> Tensor:
        found = torch.zeros(len(codes), dtype=torch.float64, device=codes.device)
        for terms, its in zip(constraints, rows, strict=True):
            for term in terms:
                found[its] += term(codes[its])
        return found

    return constrained


def _said(term: Term) -> Hashable:
    """What a term is: its fields, where these are all of it, else the very object."""
    if not isinstance(term, tuple):
        return term
    return type(term), *((one.shape, one.tobytes()) if isinstance(one, np.ndarray) else one for one in term)


def stepped(chains: Batched, batch: Batch, log_u: Tensor) -> Batched:
    """Chains after one more step; log_u (C,): logarithms of the uniform numbers for their exchanges after it."""
    return _exchange(_step(chains, batch), batch, log_u, chains.step < batch.end)


def burst(chains: Batched, batch: Batch, steps: int, step: Step = stepped) -> tuple[Batched, Tensor, Tensor]:
    """So many steps, fewer where a chain's end comes before; and codes (T, C, L) and energies (T, C) after each."""
    at = chains.step + torch.arange(steps, device=batch.of.device)[:, None]
    codes, energy = (values.new_empty(steps, *values.shape) for values in (chains.codes, chains.energy))
    for now, log_u in enumerate(exchange_log_uniforms(batch.anchored.keys, at + 1)):
        chains = step(chains, batch, log_u)
        codes[now], energy[now] = chains.codes, chains.energy
    return chains, codes, energy


def _step(chains: Batched, batch: Batch) -> Batched:
    """One step of every chain that has not come to its end."""
    by, codes, active = batch.anchored, chains.codes, chains.step < batch.end
    drawn = words(by.keys[:, None], chains.step[:, None], torch.arange(batch.slots, device=codes.device))
    asked = propose(by.tables, batch.of, drawn, chains.step)
    proposed = (codes.gather(1, asked.source) * asked.scale + asked.offset) & by.modulus[batch.of]
    change, correction = _changes(by.log_weights, batch.of, codes, proposed, asked)
    found = batch.energy.function(proposed, batch.of, *batch.energy.parameters)
    energy, constrained = found.double(), chains.constrained
    if batch.constraints is not None:
        constrained = batch.constraints(proposed)
        change = change + (constrained - chains.constrained)
    ratio = log_acceptance(change, by.beta, energy - chains.energy, correction)
    accept = active & (asked.log_uniform < ratio)
    return Batched(
        torch.where(accept[:, None], proposed, codes),
        torch.where(accept, energy, chains.energy),
        torch.where(accept, constrained, chains.constrained),
        chains.step + active,
        chains.tried.scatter_add(1, asked.move[:, None], active.long()[:, None]),
        chains.accepted.scatter_add(1, asked.move[:, None], accept.long()[:, None]),
    )


def _changes(
    log_weights: Tensor, of: Tensor, codes: Tensor, proposed: Tensor, asked: Proposals
) -> tuple[Tensor, Tensor]:
    """How the background's log-probability (C,) changes, and the Hastings correction (C,)."""
    length = codes.shape[1]
    places = torch.arange(length, device=of.device) * 5
    start = of[:, None] * (15 * length)  # of three rows for each position
    weights = log_weights.reshape(-1)

    def logs(rows: Tensor | int, letters: Tensor) -> Tensor:
        return weights[start + rows * (5 * length) + places + letters]

    change = logs(LOST, proposed) - logs(LOST, codes)
    fresh = torch.where(asked.scale == FRESH, LOST, torch.where(asked.scale == FRESH_ADAPTED, LOST_ADAPTED, 0))
    correction = logs(asked.lost.long(), codes) - logs(fresh, proposed)
    return change.sum(1), correction.sum(1)


def _exchange(chains: Batched, batch: Batch, log_u: Tensor, active: Tensor) -> Batched:
    """Let neighbouring replicas exchange states after a step at which their ladder may, even and odd pairs in turn."""
    by, step = batch.anchored, chains.step
    asked = active & (step % batch.every == 0) & (by.replica < by.replicas - 1)
    asked = asked & (by.replica % 2 == step // batch.every % 2)
    ratio = log_exchange(by.beta, by.beta.roll(-1), chains.energy, chains.energy.roll(-1))
    lower = asked & (log_u < ratio)
    rows = torch.arange(len(step), device=step.device) + lower.long() - lower.long().roll(1)
    counts = (chains.tried, asked), (chains.accepted, lower)
    tried, accepted = (torch.cat([count[:, :-1], count[:, -1:] + which[:, None]], 1) for count, which in counts)
    codes, energy, constrained = (values[rows] for values in (chains.codes, chains.energy, chains.constrained))
    return Batched(codes, energy, constrained, step, tried, accepted)
