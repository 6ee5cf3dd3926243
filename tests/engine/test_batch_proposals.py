"""Proposals in tensors are those of the compiled chain, for the same keys and steps."""

import numpy as np
import pytest
import torch
from exact import random_keys
from plain_chain import propose_block
from toy import MOVE_SETS

from maxent_cli.engine import batch_proposals
from maxent_cli.engine.batch_proposals import as_integers, joined, propose, slots_of, tables_of, words
from maxent_cli.engine.proposals import REDRAW, Move, MoveTable, move_table
from maxent_cli.engine.randomness import EXCHANGE_STEP, exchange_log_uniforms, philox
from maxent_cli.interpret.sampling import ALL_MOVES, REVERSIBLE, SCATTERED

CPU, LENGTH, CHAINS = torch.device("cpu"), 41, 300
SETS = MOVE_SETS | {"all": ALL_MOVES, "reversible": REVERSIBLE, "scattered": SCATTERED}
STEPS = (0, 7, 2**33 + 5)


def tables(name: str) -> list[MoveTable]:
    """The moves on three anchors: all free; with letters that stay, of other rows; and with none that may change."""
    rng = np.random.default_rng(1)
    found = []
    for mutable in (np.ones(LENGTH, bool), rng.random(LENGTH) < 0.9, np.zeros(LENGTH, bool)):
        background, adapted = rng.dirichlet([2.0] * 4, (2, LENGTH))
        found.append((background, mutable, adapted))
    if any(move.kind != SETS["letters"][0].kind for move in SETS[name]):
        found.pop()  # windows need a place
    return [move_table(SETS[name], *given) for given in found]


def by_the_compiled_chain(table: MoveTable, keys: np.ndarray, step: int) -> list[np.ndarray]:
    shape = (1, len(keys), LENGTH)
    arrays = [np.empty(shape, kind) for kind in (np.int64, np.uint8, np.uint8, np.uint8)]
    arrays += [np.empty(shape[:2], kind) for kind in (np.int64, np.float64)]
    propose_block(keys, step, table, tuple(arrays))
    return [array[0] for array in arrays]


def in_tensors(made: list[MoveTable], of: np.ndarray, keys: np.ndarray, step: int) -> list[np.ndarray]:
    steps, slots = torch.full((len(keys),), step), torch.arange(max(map(slots_of, made)))
    drawn = words(as_integers(keys)[:, None], steps[:, None], slots)
    together = joined([tables_of(table, CPU) for table in made])
    return [values.numpy() for values in propose(together, torch.from_numpy(of), drawn, steps)]


def differing(name: str, step: int) -> int:
    """How many numbers differ, of anchors whose chains are mixed."""
    made, keys = tables(name), random_keys(CHAINS)
    of = np.arange(CHAINS) % len(made)
    found, wrong = in_tensors(made, of, keys, step), 0
    for number, table in enumerate(made):
        *exact, log_uniform = by_the_compiled_chain(table, keys[of == number], step)
        wrong += sum(int((mine[of == number] != other).sum()) for mine, other in zip(found[:-1], exact, strict=True))
        wrong += int((~np.isclose(found[-1][of == number], log_uniform, rtol=1e-15, atol=0)).sum())
    return wrong


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", SETS)
def test_proposals_are_those_of_the_compiled_chain(name: str, step: int) -> None:
    assert differing(name, step) == 0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("_below", lambda word, count: (word * count + 2**31) >> 32), ("uniform", lambda word: word.double() / 2**32)],
)
def test_a_slip_of_rounding_is_seen(monkeypatch: pytest.MonkeyPatch, name: str, wrong: object) -> None:
    monkeypatch.setattr(batch_proposals, name, wrong)
    assert sum(differing("all", step) for step in range(3)) > 0


@pytest.mark.parametrize("step", [0, 1, 2**32, EXCHANGE_STEP + 7])
@pytest.mark.parametrize("slot", [0, 3, 2**32 - 1])
def test_words_are_philox(step: int, slot: int) -> None:
    keys = random_keys(50)
    found = words(as_integers(keys), torch.tensor(step), torch.tensor(slot))
    np.testing.assert_array_equal(found.numpy(), [philox(key, step, slot) for key in keys])


def test_exchanges_have_the_numbers_of_the_compiled_chain() -> None:
    keys, expected = random_keys(50), np.empty(50)
    exchange_log_uniforms(keys, 40, expected)
    found = batch_proposals.exchange_log_uniforms(as_integers(keys), torch.full((50,), 40))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-15)


def test_a_proposal_may_take_a_word_for_each_letter_of_its_widest_window() -> None:
    table = move_table((Move(REDRAW, 1.0, 9),), np.full((12, 4), 0.25), np.ones(12, bool))
    assert slots_of(table) == 1 + 3
