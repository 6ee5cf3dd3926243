"""Proposals x -> x': a letter; a shifted, reverse-complemented, redrawn, refilled or toggled window; scattered letters.

Each is an affine map of letters: x'[p] = (scale[p] · x[source[p]] + offset[p]) mod 4, drawn without looking at x. So
the same few lines serve a compiled chain and a batch on a GPU. Letters that a proposal draws afresh come from the
background; the Hastings correction is the background's log-probability of the letters lost less that of the fresh.

Two moves draw from adapted rows, letter frequencies that warm-up has learned from sequences of low energy. A refill
draws its window from them, and would draw the lost letters back from them. A toggle fills the window from them or, as
often, clears it: draws it from the background. Filling and clearing are each other's way back, so that a motif comes
and goes in one step: letter by letter it would have to be held by half, which is unlikely at every beta. Their windows
lie where the adapted rows differ from the background.

Windows hold only positions that may change.

A scattered redraw draws many letters at once, wherever they are, from the adapted rows: each by a chance of its own,
which is the less the more these rows hold there. It is for where a proposal costs the same whatever changes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.randomness import below, letter, philox, uniform

LETTER, SHIFT, REVERSE_COMPLEMENT, REDRAW, REFILL, TOGGLE, SCATTER = range(7)
ADAPTING = (REFILL, TOGGLE, SCATTER)  # which draw from the adapted rows

# Where a letter is drawn afresh its scale is a multiple of 4, which forgets the old one: 0 if from the background, 4 if
# from the adapted rows. A lost letter is marked by the rows that would draw it back.
FRESH, FRESH_ADAPTED = 0, 4
KEPT, LOST, LOST_ADAPTED = 0, 1, 2

WHOLE = 10**9  # bp: a window wider than any sequence is the longest stretch that may change
ELSEWHERE = 0.2  # share of refilled and toggled windows that lie anywhere
SPARED = 4.0  # halvings of a letter's chance to be redrawn among others, for each bit that the adapted rows hold there


class Move(NamedTuple):
    """A kind of proposal: how often (weight), on windows of how many bp, shifted by at most how many bp.

    Of a scattered redraw, width is how many letters are redrawn on the average.
    """

    kind: int
    weight: float
    width: int = 1
    reach: int = 0


class MoveTable(NamedTuple):
    """Moves as arrays (M,), with what the sequence allows: cumulative rows (L, 4) and free positions.

    cumulative_adapted (L, 4): of the adapted rows. cumulative_starts (M, L): of a window's probability to start there.
    chances (M, L): of each letter to be redrawn, by a scattered redraw.
    """

    kind: NDArray[np.int64]
    width: NDArray[np.int64]
    reach: NDArray[np.int64]
    cumulative_weight: NDArray[np.float64]
    cumulative_rows: NDArray[np.float64]
    free: NDArray[np.int64]
    cumulative_adapted: NDArray[np.float64]
    cumulative_starts: NDArray[np.float64]
    chances: NDArray[np.float64]


SINGLE_LETTERS = (Move(LETTER, 1.0),)


def cumulative_rows(background: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative letter frequencies (L, 4); the last column is 1."""
    rows = np.cumsum(background, axis=1)
    return np.ascontiguousarray(rows / rows[:, -1:])


def move_table(
    moves: tuple[Move, ...],
    background: NDArray[np.float64],
    mutable: NDArray[np.bool_],
    adapted: NDArray[np.float64] | None = None,
) -> MoveTable:
    """Arrays for the given moves on a sequence with background (L, 4), mutable (L,) and adapted rows (L, 4).

    Without adapted rows, the background takes their place. A window wider than the longest stretch that may change is
    that stretch; a shift reaches at most one letter less than its window.
    """
    free = np.flatnonzero(mutable)
    stretch = _stretch_ahead(mutable)
    width = np.minimum([move.width for move in moves], stretch.max())
    reach = np.minimum([move.reach for move in moves], np.maximum(width - 1, 0))
    weight = np.cumsum([move.weight for move in moves])
    kind = np.array([move.kind for move in moves])
    adapted = background if adapted is None else adapted
    bits = np.sum(adapted * np.log2(adapted / background), axis=1)
    rows, adapted_rows = cumulative_rows(background), cumulative_rows(adapted)
    adapts = np.isin(kind, ADAPTING)
    starts = [
        _cumulative_starts(stretch >= one, one, bits * by_bits) for one, by_bits in zip(width, adapts, strict=True)
    ]
    chances = [_chances(mutable, bits, move.width * (move.kind == SCATTER)) for move in moves]
    arrays = rows, free, adapted_rows, np.array(starts), np.array(chances)
    return MoveTable(kind, width, reach, weight / weight[-1], *arrays)


def _chances(mutable: NDArray[np.bool_], bits: NDArray[np.float64], wanted: int) -> NDArray[np.float64]:
    """Chances (L,) of letters to be redrawn, so many in all or every one that may: less by their bits (L,)."""
    share = mutable * 2.0 ** (-SPARED * np.maximum(bits, 0))
    chances = np.zeros(len(share))
    for _ in range(len(share)):  # those that come to one leave the others more
        left = chances < 1
        missing = min(wanted, mutable.sum()) - (~left).sum()
        chances = np.where(left, np.minimum(1, missing * share / max((share * left).sum(), 1e-300)), 1)
        if (chances < 1).sum() == left.sum():
            break
    return np.asarray(chances * mutable)


def _stretch_ahead(mutable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many positions (L,) from each on may change, before the first that may not."""
    barriers = np.append(np.flatnonzero(~mutable), len(mutable))
    position = np.arange(len(mutable))
    return np.asarray(barriers[np.searchsorted(barriers, position)] - position)


def _cumulative_starts(allowed: NDArray[np.bool_], width: int, bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative probability (L,) of windows' starts, where allowed (L,): most by a window's bits (L,), some alike."""
    share = allowed / allowed.sum()
    inside = allowed * np.convolve(bits, np.ones(max(width, 1)))[-len(bits) :]
    if inside.sum() > 0:
        share = ELSEWHERE * share + (1 - ELSEWHERE) * inside / inside.sum()
    cumulative = np.cumsum(share)
    cumulative[np.flatnonzero(share)[-1] :] = 1.0
    return np.asarray(cumulative)


@uncounted(inline="always")
def _number_up_to(cumulative, u):  # type: ignore[no-untyped-def]
    """How many of rising numbers are at most u: np.searchsorted to the right, which a graphics card has not."""
    low, left = 0, len(cumulative)
    while left > 0:
        half = left // 2
        if cumulative[low + half] <= u:
            low, left = low + half + 1, left - half - 1
        else:
            left = half
    return low


@uncounted()
def propose(key, step, table, source, scale, offset, lost):  # type: ignore[no-untyped-def]
    """Fill the map (source, scale, offset) and the lost letters, each (L,), for one chain and step.

    Returns (move, first, last, u): the map differs from the identity in [first, last) only, and u in (0, 1) decides.
    Outside [first, last) the arrays are left as they were.
    """
    words = philox(key, step, 0)
    choice = uniform(words[0])
    move = 0
    while choice >= table.cumulative_weight[move]:
        move += 1
    u = uniform(words[3])
    kind, width = table.kind[move], table.width[move]
    if kind == LETTER:
        if len(table.free) == 0:
            return move, 0, 0, u
        # in turn, not at random: chains that run in step then change the same letter and share what they read
        position = table.free[step % len(table.free)]
        source[position], scale[position], offset[position], lost[position] = position, 1, 1 + below(words[2], 3), KEPT
        return move, position, position + 1, u
    first = _number_up_to(table.cumulative_starts[move], uniform(words[1]))
    last = first + width
    if kind == SCATTER:
        if len(table.free) == 0:
            return move, 0, 0, u
        first, last = table.free[0], table.free[-1] + 1
        if not _scatter(key, step, table, table.chances[move], first, last, source, scale, offset, lost):
            return move, 0, 0, u
        return move, first, last, u
    if kind == REVERSE_COMPLEMENT:
        for p in range(first, last):
            source[p], scale[p], offset[p], lost[p] = first + last - 1 - p, 3, 3, KEPT
        return move, first, last, u
    if kind in (REFILL, TOGGLE):
        filling = kind == REFILL or words[2] & 1
        _fill(key, step, table, first, last, filling, kind == REFILL or not filling, source, scale, offset, lost)
        return move, first, last, u
    by = width  # a redraw loses every letter of its window
    if kind == SHIFT:
        if table.reach[move] == 0:
            return move, 0, 0, u
        by = below(words[2], 2 * table.reach[move]) - table.reach[move]
        by += by >= 0
    _shift(key, step, table, first, last, by, source, scale, offset, lost)
    return move, first, last, u


@uncounted()
def _shift(key, step, table, first, last, by, source, scale, offset, lost):  # type: ignore[no-untyped-def]
    fresh = 0
    for p in range(first, last):
        origin = p - by
        lost[p] = LOST if p + by < first or p + by >= last else KEPT
        if first <= origin < last:
            source[p], scale[p], offset[p] = origin, 1, 0
            continue
        if fresh % 4 == 0:
            words = philox(key, step, 1 + fresh // 4)
        source[p], scale[p], offset[p] = p, FRESH, letter(words[fresh % 4], table.cumulative_rows[p])
        fresh += 1


@uncounted()
def _fill(key, step, table, first, last, from_adapted, back_to_adapted, source, scale, offset, lost):  # type: ignore[no-untyped-def]
    for p in range(first, last):
        if (p - first) % 4 == 0:
            words = philox(key, step, 1 + (p - first) // 4)
        row = table.cumulative_adapted[p] if from_adapted else table.cumulative_rows[p]
        source[p], scale[p], offset[p] = (
            p,
            FRESH_ADAPTED if from_adapted else FRESH,
            letter(words[(p - first) % 4], row),
        )
        lost[p] = LOST_ADAPTED if back_to_adapted else LOST


@uncounted()
def _scatter(key, step, table, chances, first, last, source, scale, offset, lost):  # type: ignore[no-untyped-def]
    """Returns how many letters are redrawn."""
    drawn = 0
    for p in range(first, last):
        slot, half = (p - first) // 2, (p - first) % 2
        if half == 0:
            words = philox(key, step, 1 + slot)
        source[p], scale[p], offset[p], lost[p] = p, 1, 0, KEPT
        if uniform(words[2 * half]) < chances[p]:
            scale[p], offset[p] = FRESH_ADAPTED, letter(words[2 * half + 1], table.cumulative_adapted[p])
            lost[p] = LOST_ADAPTED
            drawn += 1
    return drawn


@uncounted()
def apply(x, proposed, maps, first, last, log_weights):  # type: ignore[no-untyped-def]
    """Write x' in [first, last); return the change of the background's log-probability, and the correction.

    log_weights (3, L, 5): zeros, and the logarithms of the background and of the adapted rows.
    """
    source, scale, offset, lost = maps
    change, correction = 0.0, 0.0
    for p in range(first, last):
        letter = (scale[p] * x[source[p]] + offset[p]) & 3
        if x[p] > 3:  # no letter, which nothing changes
            letter = x[p]
        proposed[p] = letter
        change += log_weights[LOST, p, letter] - log_weights[LOST, p, x[p]]
        correction += log_weights[lost[p], p, x[p]]
        if scale[p] == FRESH:
            correction -= log_weights[LOST, p, letter]
        elif scale[p] == FRESH_ADAPTED:
            correction -= log_weights[LOST_ADAPTED, p, letter]
    return change, correction
