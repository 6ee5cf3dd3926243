"""Each proposal by listing: what it may give, how often, and its Hastings correction."""

from collections import Counter
from functools import cache
from math import exp, log

import numpy as np
import pytest
from exact import ODD, all_letters, law_probability, random_keys
from plain_chain import propose_block
from toy import MOVE_SETS, SKEWED

from maxent_cli.alphabet import Codes, decode, encode, reverse_complement
from maxent_cli.engine.proposals import (
    LETTER,
    REDRAW,
    REVERSE_COMPLEMENT,
    SCATTER,
    SHIFT,
    SPARED,
    Move,
    cumulative_rows,
    move_table,
)
from maxent_cli.engine.terms import background_rows

ALL_FREE = np.ones(4, np.bool_)


def proposals(
    moves: tuple[Move, ...], rows: np.ndarray, mutable: np.ndarray, count: int, steps: int = 1, first_step: int = 0
) -> tuple[np.ndarray, ...]:
    """Arrays (T, C, L) source, scale, offset, lost and (T, C) move, log_uniform."""
    shape = (steps, count, len(mutable))
    maps = np.empty(shape, np.int64), np.empty(shape, np.uint8), np.empty(shape, np.uint8), np.empty(shape, np.bool_)
    block = (*maps, np.empty(shape[:2], np.int64), np.empty(shape[:2]))
    propose_block(random_keys(count), first_step, move_table(moves, rows, mutable), block)
    return block


def applied(block: tuple[np.ndarray, ...], codes: Codes) -> Codes:
    """x' (T, C, L) of each proposal on one sequence (L,)."""
    source, scale, offset, *_ = block
    return ((scale * codes[source] + offset) % 4).astype(np.uint8)


def slow_shift(sequence: str, first: int, last: int, by: int, fresh: str) -> str:
    """The window [first, last) moved right by so many letters (left if negative), fresh letters where it left."""
    window = sequence[first:last]
    moved = fresh + window[:-by] if by > 0 else window[-by:] + fresh
    return sequence[:first] + moved + sequence[last:]


def slow_ways(sequence: str, move: Move, rows: np.ndarray) -> Counter[str]:
    """The probability of each x' for a window move on a sequence of free letters, by strings."""
    ways: Counter[str] = Counter()
    length = len(sequence)
    width = min(move.width, length)
    windows = [(first, first + width) for first in range(length - width + 1)]
    reach = min(move.reach, width - 1)
    shifts = [by for by in range(-reach, reach + 1) if by] if move.kind == SHIFT else [width]
    for first, last in windows:
        if move.kind == REVERSE_COMPLEMENT:
            turned = decode(reverse_complement(encode(sequence[first:last])))
            ways[sequence[:first] + turned + sequence[last:]] += 1 / len(windows)
            continue
        for by in shifts:
            places = range(first, first + by) if by > 0 else range(last + by, last)
            for letters in all_letters(abs(by)):
                chance = np.prod([rows[p, letter] for p, letter in zip(places, letters, strict=True)])
                new = slow_shift(sequence, first, last, by, decode(letters))
                ways[new] += chance / len(windows) / len(shifts)
    return ways


WINDOW_MOVES = {
    "shift": Move(SHIFT, 1.0, 3, 2),
    "shift of the whole": Move(SHIFT, 1.0, 10**6, 2),
    "shift by more than the window": Move(SHIFT, 1.0, 2, 9),
    "reverse complement": Move(REVERSE_COMPLEMENT, 1.0, 3),
    "reverse complement of the whole": Move(REVERSE_COMPLEMENT, 1.0, 10**6),
    "redraw": Move(REDRAW, 1.0, 2),
    "redraw of the whole": Move(REDRAW, 1.0, 10**6),
}


@pytest.mark.parametrize("sequence", ["GATC", "AAAA", "CATT"])
@pytest.mark.parametrize("name", WINDOW_MOVES)
def test_a_window_move_gives_each_sequence_as_often_as_its_slow_twin(name, sequence):
    rows = background_rows(SKEWED, encode("GGCA"), 0.5)
    block = proposals((WINDOW_MOVES[name],), rows, ALL_FREE, 50_000)
    numbers = applied(block, encode(sequence))[0].astype(int) @ [64, 16, 4, 1]
    ways = slow_ways(sequence, WINDOW_MOVES[name], rows)
    assert sum(ways.values()) == pytest.approx(1)
    expected = np.array([ways[decode(letters)] for letters in all_letters(4)])
    assert law_probability(np.bincount(numbers, minlength=256), expected) > ODD


@pytest.mark.parametrize("name", WINDOW_MOVES)
def test_the_correction_is_the_ratio_of_the_way_back_to_the_way_there(name):
    """For each x and x' joined by one window and one shift only, against the slow twin's two probabilities."""
    rows = background_rows(SKEWED, encode("GGCA"), 0.5)
    ways = cache(lambda sequence: slow_ways(sequence, WINDOW_MOVES[name], rows))
    block = proposals((WINDOW_MOVES[name],), rows, ALL_FREE, 60)
    scale, lost = block[1][0], block[3][0]
    compared = 0
    for sequence in ("GATC", "CATT", "ACGG"):
        x = encode(sequence)
        for chain, new in enumerate(applied(block, x)[0]):
            proposed = decode(new)
            if len(_joining(sequence, proposed, WINDOW_MOVES[name])) == 1:
                correction = sum(log(rows[p, x[p]]) for p in np.flatnonzero(lost[chain]))
                correction -= sum(log(rows[p, new[p]]) for p in np.flatnonzero(scale[chain] == 0))
                assert exp(correction) == pytest.approx(ways(proposed)[sequence] / ways(sequence)[proposed])
                compared += 1
    assert compared > 50


def _joining(sequence: str, proposed: str, move: Move) -> list[tuple[int, int]]:
    """The windows and shifts by which a sequence may become the proposed one."""
    width = min(move.width, len(sequence))
    reach = min(move.reach, width - 1)
    shifts = [by for by in range(-reach, reach + 1) if by] if move.kind == SHIFT else [width]
    found = []
    for first in range(len(sequence) - width + 1):
        last = first + width
        if sequence[:first] + sequence[last:] != proposed[:first] + proposed[last:]:
            continue
        old, new = sequence[first:last], proposed[first:last]
        for by in shifts:
            kept = (old[:-by], new[by:]) if by > 0 else (old[-by:], new[:by])
            if move.kind == REVERSE_COMPLEMENT or kept[0] == kept[1]:
                found.append((first, by))
    return found


@pytest.mark.parametrize("step", [0, 1, 5, 4003])
def test_letters_change_in_turn_to_one_of_the_other_three(step):
    block = proposals((Move(LETTER, 1.0),), np.tile(SKEWED, (4, 1)), ALL_FREE, 30_000, first_step=step)
    new = applied(block, encode("GATC"))[0]
    position = step % 4
    others = np.delete(np.arange(4), encode("GATC")[position])
    counts = np.bincount(new[:, position], minlength=4)[others]
    assert counts.sum() == 30_000
    assert law_probability(counts, np.full(3, 1 / 3)) > ODD
    assert (np.delete(new, position, axis=1) == np.delete(encode("GATC"), position)).all()
    assert not block[3].any()


def test_moves_are_chosen_by_their_weight():
    moves = tuple(move._replace(weight=weight) for move, weight in zip(MOVE_SETS["mixture"], (2, 1, 4, 3), strict=True))
    chosen = proposals(moves, np.tile(SKEWED, (4, 1)), ALL_FREE, 2_000, 20)[4]
    assert law_probability(np.bincount(chosen.ravel(), minlength=4), np.array([0.2, 0.1, 0.4, 0.3])) > ODD


@pytest.mark.parametrize("moves", MOVE_SETS)
def test_protected_positions_are_neither_changed_read_nor_lost(moves):
    mutable = np.array([True, True, True, False, True, True, False])
    rows = np.tile(SKEWED, (7, 1))
    source, scale, offset, lost, _, log_uniform = proposals(MOVE_SETS[moves], rows, mutable, 500, 20)
    positions = np.arange(7)
    for p in np.flatnonzero(~mutable):
        assert (source[..., p] == p).all()
        assert (scale[..., p] == 1).all()
        assert (offset[..., p] == 0).all()
        assert not lost[..., p].any()
        assert not ((source == p) & (positions != p)).any()
    changed = ((source != positions) | (scale != 1) | (offset != 0)).any(axis=2)
    assert np.isposinf(log_uniform[~changed & ~lost.any(axis=2)]).all()
    assert (log_uniform[changed] < 0).all()
    assert changed.any()


@pytest.mark.parametrize(("width", "windows"), [(2, {(0, 2), (1, 3), (5, 7), (6, 8), (7, 9)}), (10**6, {(5, 9)})])
def test_windows_lie_in_what_may_change_and_the_widest_is_its_longest_stretch(width, windows):
    mutable = np.array([True, True, True, False, False, True, True, True, True, False])
    lost = proposals((Move(REDRAW, 1.0, width),), np.tile(SKEWED, (10, 1)), mutable, 4000)[3][0] == 1
    spans = Counter((int(places[0]), int(places[-1]) + 1) for places in map(np.flatnonzero, lost))
    assert set(spans) == windows
    assert law_probability(np.array(list(spans.values())), np.full(len(windows), 1 / len(windows))) > ODD


@pytest.mark.parametrize("moves", MOVE_SETS)
def test_where_nothing_is_free_nothing_is_proposed(moves):
    block = proposals(MOVE_SETS[moves], np.tile(SKEWED, (4, 1)), np.zeros(4, np.bool_), 100, 5)
    np.testing.assert_array_equal(applied(block, encode("GATC")), np.broadcast_to(encode("GATC"), (5, 100, 4)))
    assert np.isposinf(block[5]).all()


def test_a_shift_of_one_letter_has_nowhere_to_go():
    block = proposals((Move(SHIFT, 1.0, 1, 3),), np.tile(SKEWED, (4, 1)), ALL_FREE, 100)
    assert np.isposinf(block[5]).all()


def test_the_deciding_number_is_uniform_whatever_the_move_and_proposal():
    block = proposals(MOVE_SETS["redraw"], np.tile(SKEWED, (4, 1)), ALL_FREE, 40_000)
    decile = np.minimum((np.exp(block[5][0]) * 10).astype(int), 9)
    new = applied(block, encode("AAAA"))[0].max(axis=1)
    for letter in range(4):
        counts = np.bincount(decile[new == letter], minlength=10)
        assert law_probability(counts, np.full(10, 0.1)) > ODD


def test_cumulative_rows_end_at_1_even_where_frequencies_do_not_add_up():
    rows = cumulative_rows(np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 1.0, 1.0]]))
    np.testing.assert_allclose(rows, [[0.1, 0.3, 0.6, 1.0], [0.25, 0.5, 0.75, 1.0]])
    assert (rows[:, 3] == 1).all()


ADAPTED = np.array([[0.25] * 4, [0.97, 0.01, 0.01, 0.01], [0.4, 0.3, 0.2, 0.1], [0.25] * 4])
UNIFORM = np.full((4, 4), 0.25)


@pytest.mark.parametrize("wanted", [1, 2, 4, 100])
def test_scattered_letters_are_as_many_as_wanted_and_fewer_where_the_adapted_rows_hold_much(wanted: int) -> None:
    mutable = np.array([True, True, True, False])
    (chances,) = move_table((Move(SCATTER, 1.0, wanted),), UNIFORM, mutable, ADAPTED).chances
    assert chances.sum() == pytest.approx(min(wanted, 3))
    assert chances[3] == 0
    if wanted < 2:
        bits = np.sum(ADAPTED * np.log2(ADAPTED / UNIFORM), axis=1)
        assert chances[1] / chances[0] == pytest.approx(2 ** (-SPARED * bits[1]))


def test_a_scattered_redraw_gives_each_sequence_as_often_as_listing_says() -> None:
    moves, count = (Move(SCATTER, 1.0, 2),), 50_000
    table = move_table(moves, UNIFORM, ALL_FREE, ADAPTED)
    maps = [np.empty((1, count, 4), kind) for kind in (np.int64, np.uint8, np.uint8, np.uint8)]
    block = (*maps, np.empty((1, count), np.int64), np.empty((1, count)))
    propose_block(random_keys(count), 0, table, block)
    x = encode("GATC")
    numbers = applied(block, x)[0].astype(int) @ [64, 16, 4, 1]
    (chances,) = table.chances
    each = chances[:, None] * ADAPTED + (1 - chances)[:, None] * np.eye(4)[x]
    expected = np.array([np.prod(each[np.arange(4), letters]) for letters in all_letters(4)])
    assert law_probability(np.bincount(numbers, minlength=256), expected) > ODD
    redrawn = maps[3][0] > 0
    np.testing.assert_array_equal(redrawn, maps[1][0] == 4)
    np.testing.assert_allclose(redrawn.mean(axis=0), chances, atol=0.02)
    together = (redrawn[:, 0] & redrawn[:, 2]).mean()  # by numbers of their own
    assert together == pytest.approx(chances[0] * chances[2], abs=0.02)
