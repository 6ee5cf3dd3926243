"""Proposals of many chains at once, in tensors on any device: those of proposals.propose, word for word.

Chains may belong to different anchors: each reads the tables of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from maxent_cli.engine.proposals import (
    FRESH,
    FRESH_ADAPTED,
    KEPT,
    LETTER,
    LOST,
    LOST_ADAPTED,
    REFILL,
    REVERSE_COMPLEMENT,
    SCATTER,
    SHIFT,
    TOGGLE,
    MoveTable,
)
from maxent_cli.engine.randomness import EXCHANGE_STEP, Keys

_WORD, _ROUNDS = 0xFFFFFFFF, 10
_M0, _M2, _W0, _W1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85  # Philox4x32 (Salmon et al., SC 2011)


class Tables(NamedTuple):
    """The move tables of A anchors, of the same moves, on a device.

    kind (M,), cumulative_weight (M,); width, reach (A, M); starts (A, M, L); rows (A, 2, L, 4): cumulative letter
    frequencies of the background, and adapted; free (A, L), number (A,): positions that may change, and how many;
    chances (A, M, L): of each letter to be redrawn, by a scattered redraw.
    """

    kind: Tensor
    cumulative_weight: Tensor
    width: Tensor
    reach: Tensor
    starts: Tensor
    rows: Tensor
    free: Tensor
    number: Tensor
    chances: Tensor


class Proposals(NamedTuple):
    """What C chains propose: maps source, scale, offset, lost (C, L), and moves and log-uniforms (C,)."""

    source: Tensor
    scale: Tensor
    offset: Tensor
    lost: Tensor
    move: Tensor
    log_uniform: Tensor


def tables_of(table: MoveTable, device: torch.device) -> Tables:
    """One anchor's table of moves, on a device."""
    length = len(table.cumulative_rows)
    free = np.zeros(length, np.int64)
    free[: len(table.free)] = table.free
    rows = np.stack([table.cumulative_rows, table.cumulative_adapted])
    starts, number = table.cumulative_starts, np.array(len(table.free))
    of_anchor = [table.width, table.reach, starts, rows, free, number, table.chances]
    placed = [torch.from_numpy(np.asarray(values)).to(device) for values in (table.kind, table.cumulative_weight)]
    return Tables(*placed, *(torch.from_numpy(np.asarray(values)[None]).to(device) for values in of_anchor))


def joined(tables: Sequence[Tables]) -> Tables:
    """The tables of several anchors, one after another."""
    shared = tables[0][:2]
    return Tables(*shared, *(torch.cat(values) for values in list(zip(*tables, strict=True))[2:]))


def slots_of(table: MoveTable) -> int:
    """How many slots of four words a proposal takes at most: one that chooses, the others for fresh letters."""
    fresh = np.where(table.kind == SHIFT, table.reach, table.width)
    spans = 0 if len(table.free) == 0 else 2 * (table.free[-1] + 1 - table.free[0])  # two words a letter
    fresh = np.where(table.kind == SCATTER, spans, fresh)
    return 1 + -(-int(fresh.max(initial=1)) // 4)


def as_integers(keys: Keys) -> Tensor:
    """Keys (C,) as signed integers of the same bits: tensors have no arithmetic of unsigned ones."""
    return torch.from_numpy(keys.view(np.int64).copy())


def words(keys: Tensor, step: Tensor, slot: Tensor) -> Tensor:
    """Four words (..., 4), from 0 to 2^32 - 1, at keys, steps and slots (...) that broadcast: randomness.philox."""
    none = torch.zeros_like(keys + step + slot)
    key, step, slot = keys + none, step + none, slot + none
    low, high = key & _WORD, (key >> 32) & _WORD
    even, odd = torch.stack([step & _WORD, slot & _WORD]), torch.stack([(step >> 32) & _WORD, none])
    for _ in range(_ROUNDS):
        product = torch.stack([_M0 * even[0], _M2 * even[1]])  # to 64 bits, of which the sign is one
        even = ((product >> 32) & _WORD).flip(0) ^ odd ^ torch.stack([low, high])
        odd = (product & _WORD).flip(0)
        low, high = (low + _W0) & _WORD, (high + _W1) & _WORD
    return torch.stack([even[0], odd[0], even[1], odd[1]], -1)


def uniform(word: Tensor) -> Tensor:
    """Words as numbers strictly between 0 and 1."""
    return (word.double() + 0.5) * (1.0 / 4294967296.0)


def exchange_log_uniforms(keys: Tensor, step: Tensor) -> Tensor:
    """Logarithms of uniform numbers (C,) for the chains' exchanges with the next, at their steps (C,)."""
    return uniform(words(keys, step + EXCHANGE_STEP, torch.zeros_like(step))[..., 0]).log()


def propose(tables: Tables, of: Tensor, drawn: Tensor, step: Tensor) -> Proposals:
    """The proposals of chains (C,) of anchors `of` (C,), from their words (C, slots, 4) at their steps (C,)."""
    chooses, length = drawn[:, 0], tables.rows.shape[2]
    move = (uniform(chooses[:, :1]) >= tables.cumulative_weight).sum(1)
    kind, width, reach = tables.kind[move], tables.width[of, move], tables.reach[of, move]
    is_letter, is_shift, turns = kind == LETTER, kind == SHIFT, kind == REVERSE_COMPLEMENT
    fills, scatters, number = (kind == REFILL) | (kind == TOGGLE), kind == SCATTER, tables.number[of]
    in_turn = tables.free[of, step % number.clamp(min=1)]
    begins = (tables.starts[of, move] <= uniform(chooses[:, 1:2])).sum(1)
    first = torch.where(is_letter, in_turn, torch.where(scatters, tables.free[of, 0], begins))
    until = tables.free[of, (number - 1).clamp(min=0)] + 1
    last = torch.where(is_letter, first + 1, torch.where(scatters, until, first + width))
    empty = ((is_letter | scatters) & (number == 0)) | (is_shift & (reach == 0))
    last = torch.where(empty, first, last)
    by = _below(chooses[:, 2], 2 * reach) - reach
    by = torch.where(is_shift, by + (by >= 0), width)  # a redraw loses every letter of its window

    place, first_, last_, by_ = torch.arange(length, device=of.device), first[:, None], last[:, None], by[:, None]
    inside = (place >= first_) & (place < last_)
    origin = place - by_
    shifts = inside & ~(is_letter | turns | fills | scatters)[:, None]
    moved = shifts & (origin >= first_) & (origin < last_)
    filled, turned = inside & fills[:, None], inside & turns[:, None]
    from_adapted = (kind == REFILL) | scatters | ((kind == TOGGLE) & (chooses[:, 2] & 1 == 1))
    back_to_adapted = (kind == REFILL) | scatters | ~from_adapted
    which = place - torch.where(is_shift & (by < 0), last + by, first)[:, None]  # of the fresh letters
    chance = uniform(_word(drawn, 2 * which)) < tables.chances[of, move]
    filled = filled | (inside & scatters[:, None] & chance)
    last = torch.where(scatters & ~filled.any(1), first, last)
    fresh = (shifts & ~moved) | filled
    word = _word(drawn, torch.where(scatters[:, None], 2 * which + 1, which))
    letters = (uniform(word)[..., None] >= tables.rows[of, from_adapted.long(), :, :3]).sum(-1)

    source = torch.where(moved, origin, torch.where(turned, first_ + last_ - 1 - place, place))
    scale = torch.where(fresh, torch.where(from_adapted, FRESH_ADAPTED, FRESH)[:, None], torch.where(turned, 3, 1))
    single = 1 + _below(chooses[:, 2], 3)
    offset = torch.where(turned, 3, torch.where(inside & is_letter[:, None], single[:, None], 0))
    offset = torch.where(fresh, letters, offset)
    gone = shifts & ((place + by_ < first_) | (place + by_ >= last_))
    lost = torch.where(filled, torch.where(back_to_adapted, LOST_ADAPTED, LOST)[:, None], torch.where(gone, LOST, KEPT))
    log_uniform = torch.where(last > first, uniform(chooses[:, 3]).log(), torch.inf)
    scale, offset, lost = (values.to(torch.uint8) for values in (scale, offset, lost))
    return Proposals(source, scale, offset, lost, move, log_uniform)


def _word(drawn: Tensor, number: Tensor) -> Tensor:
    """Words (C, L) of those (C, slots, 4) behind the first slot, by number (C, L); beyond, any."""
    flat = drawn[:, 1:].flatten(1)
    return flat.gather(1, number.clamp(0, flat.shape[1] - 1))


def _below(word: Tensor, count: Tensor | int) -> Tensor:
    """Words as integers in [0, count)."""
    return (word * count) >> 32
