"""A run in blocks: the same draws wherever it is cut, and from wherever it goes on."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from exact import random_keys
from toy import LAWS, MOVE_SETS

from maxent_cli.engine.full_passes import full_pass_chain
from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.sampling import NO_JOURNAL, Block, Journal, block_steps, in_blocks
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Trace, start_state
from maxent_cli.engine.tuning import Tuned, first_ladder, tune
from maxent_cli.errors import InputError

LAW = LAWS["five letters"]()
MOVES, LADDER, CHAINS = MOVE_SETS["adapted mixture"], Ladder(3, 20), 12
KERNELS = {"full": full_pass_chain(MOVES, LADDER), "compiled": compiled_chain(LAW.plan, MOVES, LADDER)}


def start() -> State:
    length = LAW.target.background.shape[0]
    codes = np.random.default_rng(1).integers(0, 4, (CHAINS, length), np.uint8)
    return start_state(LAW.target, codes, random_keys(CHAINS), torch.device("cpu"))


def ladder(beta: float = 2.0) -> Target:
    return replace(LAW.target, beta=np.tile([0.0, beta / 2, beta], CHAINS // 3))


def run_of(kernel: Kernel) -> tuple[Tuned, State, Trace]:
    """A warm-up and draws, as one goes on from the other."""
    tuned = tune(kernel, start(), LAW.target, first_ladder(2.0, 3, 0.5), None, 720)
    return tuned, *kernel(tuned.state, ladder(float(tuned.betas[-1])), 10, 7)


def same(first: tuple[Tuned, State, Trace], second: tuple[Tuned, State, Trace]) -> bool:
    pairs = [*zip(first[2], second[2], strict=True), (first[0].betas, second[0].betas)]
    states = zip(first[1], second[1], strict=True)
    return all(np.array_equal(a, b) for a, b in [*pairs, *((np.asarray(a), np.asarray(b)) for a, b in states)])


@pytest.mark.parametrize("steps", [1, 3, 7, 20, 1000])
@pytest.mark.parametrize("thin", [1, 7, 20])
def test_full_passes_draw_the_same_wherever_they_are_cut(steps: int, thin: int) -> None:
    kernel = KERNELS["full"]
    whole, trace = kernel(start(), ladder(), 6, thin)
    state, parts = in_blocks(kernel, steps, NO_JOURNAL)(start(), ladder(), 6, thin)
    assert state.step == whole.step == 6 * thin
    for one, other in zip(trace, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole.energy, state.energy)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("before", [0, 1, 5, 24, 30])
def test_a_run_goes_on_from_any_block_as_if_it_had_not_ended(name: str, before: int) -> None:
    blocks, again = list[Block](), list[Block]()
    expected = run_of(in_blocks(KERNELS[name], 12, Journal(iter(()), blocks.append)))
    assert len(blocks) > 60
    found = run_of(in_blocks(KERNELS[name], 12, Journal(islice(iter(blocks), before), again.append)))
    assert same(expected, found)
    assert len(again) == len(blocks) - before


def test_blocks_of_another_run_are_refused() -> None:
    blocks = list[Block]()
    in_blocks(KERNELS["full"], 20, Journal(iter(()), blocks.append))(start(), ladder(), 4, 10)
    other = in_blocks(KERNELS["full"], 20, Journal(iter(blocks), blocks.append, "out.partial"))
    with pytest.raises(InputError, match=r"out\.partial: holds what another run did; remove it"):
        other(start(), ladder(), 4, 5)


@pytest.mark.parametrize(("chains", "compiled"), [(2, True), (80, True), (80, False), (10**6, False)])
def test_blocks_have_some_steps_and_not_too_many(chains: int, compiled: bool) -> None:
    steps = block_steps(chains, compiled)
    assert 1 <= steps <= 2000
    assert steps == 1 or steps * chains <= 100_000
