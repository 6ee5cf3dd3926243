"""Surrogate transitions on laws that are listed, whatever the surrogate; and wrong ones, which must be caught."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from unittest import mock

import numpy as np
import pytest
import torch
from exact import (
    CHAINS,
    LADDER,
    ODD,
    Check,
    chains_independent,
    exact_start_probability,
    ladder_probabilities,
    listed_energy,
    looked_up,
    random_keys,
    reaches_support,
    repeatable,
    state_number,
)
from thinned import thinned
from toy import LAWS, Law

from maxent_cli.engine import surrogate
from maxent_cli.engine.blocks import BlockResults, BlockRun, Work
from maxent_cli.engine.card import Launch, by_one_thread, inner_chain
from maxent_cli.engine.proposals import LETTER, REDRAW, REFILL, REVERSE_COMPLEMENT, SHIFT, TOGGLE, Move
from maxent_cli.engine.randomness import Keys
from maxent_cli.engine.surrogate import by_threads, shared, surrogate_chain
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, State, Surrogate, Target, Trace, start_state

MOVES = (
    Move(REDRAW, 0.4, 1),
    Move(SHIFT, 0.2, 3, 2),
    Move(REVERSE_COMPLEMENT, 0.1, 2),
    Move(REFILL, 0.1, 2),
    Move(TOGGLE, 0.2, 3),
)
LETTERS = (Move(REDRAW, 1.0, 1),)
SOME = CHAINS // 8


@cache
def law_named(name: str, steps: int = 3) -> Law:
    """A listed law with a poor surrogate: its own network with other weights."""
    law = LAWS[name]()
    assert law.plan is not None
    return with_surrogate(looked_up(law), Surrogate(poor(law, 0.3), steps))


def poor(law: Law, by: float, seed: int = 6):
    assert law.plan is not None
    parameters = law.plan.parameters * np.random.default_rng(seed).normal(1, by, law.plan.parameters.shape)
    return law.plan._replace(parameters=parameters.astype(np.float32))


def with_surrogate(law: Law, found: Surrogate) -> Law:
    return replace(law, target=replace(law.target, surrogate=found))


@pytest.mark.parametrize("moves", [MOVES, LETTERS], ids=["all moves", "letters"])
@pytest.mark.parametrize(
    "name", thinned(["tethered", "tanh", "unknown letter", "protected letter", "field on matches"], 2)
)
def test_an_exact_start_stays_exact(name: str, moves: tuple[Move, ...]) -> None:
    assert exact_start_probability(surrogate_chain(moves), law_named(name), chains=SOME) > ODD


@pytest.mark.parametrize("check", [reaches_support, chains_independent, repeatable])
def test_the_other_checks_are_passed(check: Check) -> None:
    check(surrogate_chain(MOVES), law_named("tethered"))


def test_every_replica_of_a_ladder_keeps_its_law() -> None:
    assert min(ladder_probabilities(surrogate_chain(MOVES, LADDER), law_named("tethered"), SOME)) > ODD


def test_the_decisions_are_not_all_alike_and_the_books_are_kept() -> None:
    law = law_named("tethered")
    target = replace(law.target, beta=np.tile([0.0, 0.5, 1.0, 1.5], 50))
    begin = start_state(target, np.tile(law.anchor, (200, 1)), random_keys(200), torch.device("cpu"))
    state, trace = surrogate_chain(MOVES, Ladder(4))(begin, target, 20, 3)
    np.testing.assert_array_equal(trace.tried, [1000, 1000, 1000, 1000, 500, 500, 500])
    share = trace.accepted[:4] / trace.tried[:4]
    assert share[0] == 1  # nothing is decided at beta = 0
    assert (np.diff(share) < 0).all()
    assert 0.05 < share[3] < 0.9
    assert state.step == 60
    np.testing.assert_array_equal(state.codes.numpy(), trace.codes[:, -1])
    np.testing.assert_allclose(trace.energy, listed_energy(law)[state_number(law, trace.codes)], atol=1e-6)


def test_a_perfect_surrogate_is_always_accepted() -> None:
    law = LAWS["tethered"]()
    assert law.plan is not None
    perfect = with_surrogate(law, Surrogate(law.plan, 50))
    begin = start_state(perfect.target, np.tile(law.anchor, (50, 1)), random_keys(50), torch.device("cpu"))
    trace = surrogate_chain(MOVES)(begin, perfect.target, 10, 50)[1]
    assert trace.accepted[0] == trace.tried[0] == 500


def test_the_draws_do_not_depend_on_the_number_of_threads() -> None:
    law = law_named("tethered")
    begin = start_state(law.target, np.tile(law.anchor, (30, 1)), random_keys(30), torch.device("cpu"))
    one, other = (surrogate_chain(MOVES, inner=by_threads(n))(begin, law.target, 20, 5)[1] for n in (1, 4))
    np.testing.assert_array_equal(one.codes, other.codes)


@pytest.mark.parametrize(
    "name", thinned(["support and field", "tanh", "tethered", "unknown letter", "field on matches"], 3)
)
def test_an_exact_start_stays_exact_by_the_kernel_of_a_card(name: str) -> None:
    assert exact_start_probability(surrogate_chain(MOVES, inner=inner_chain()), law_named(name), chains=SOME) > ODD


def test_the_kernel_of_a_card_takes_the_path_of_the_compiled_chain() -> None:
    law = law_named("tethered", 20)
    target = replace(law.target, beta=np.tile([0.0, 0.5, 1.0, 1.5], 10))
    begin = start_state(target, np.tile(law.anchor, (40, 1)), random_keys(40), torch.device("cpu"))
    ways = by_threads(1), inner_chain()
    one, other = (surrogate_chain(MOVES, Ladder(4), way)(begin, target, 12, 40)[1] for way in ways)
    for name in ("codes", "energy", "tried", "accepted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _end_for_start(given: BlockRun, work: Work, keys: Keys, beta: np.ndarray, results: BlockResults) -> None:
    """The energy of the end is taken for that of the start."""
    by_one_thread(given, work, keys, beta, results)
    results.first_energy[:] = results.energy[:, 0]


def _at_beta_zero(given: BlockRun, work: Work, keys: Keys, beta: np.ndarray, results: BlockResults) -> None:
    """Steps inside that are of another law than the decision takes them for."""
    by_one_thread(given, work, keys, 0 * beta, results)


@pytest.mark.parametrize("launch", [_end_for_start, _at_beta_zero])
def test_a_wrong_launch_is_caught(launch: Launch) -> None:
    kernel = surrogate_chain(MOVES, inner=inner_chain(launch))
    assert exact_start_probability(kernel, law_named("tethered"), chains=SOME) < ODD


@pytest.mark.parametrize(("steps", "most", "parts"), [(5, 5, [5]), (6, 5, [3, 3]), (1, 5, [1]), (7, 3, [2, 2, 3])])
def test_steps_are_shared_among_as_few_decisions_as_may_be(steps: int, most: int, parts: list[int]) -> None:
    assert shared(steps, most) == parts


def test_letters_in_turn_are_refused() -> None:
    with pytest.raises(ValueError, match="letters in turn are not reversible"):
        surrogate_chain((Move(LETTER, 0.5), Move(REDRAW, 0.5, 1)))


def letters_in_turn() -> Kernel:
    with mock.patch.object(surrogate, "LETTER", -1):
        return surrogate_chain((Move(LETTER, 1.0),))


def with_decision(decide: Callable[..., torch.Tensor], ladder: Ladder = NO_LADDER) -> Kernel:
    """The chain with another decision."""
    right = surrogate_chain(MOVES, ladder)

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        with mock.patch.object(surrogate, "log_acceptance", decide):
            return right(state, target, draws, thin)

    return run


def no_decision(_: float, beta: torch.Tensor, *__: object) -> torch.Tensor:
    return torch.full_like(beta, torch.inf)


def half_the_decision(_: float, beta: torch.Tensor, missed: torch.Tensor, __: float) -> torch.Tensor:
    return -0.5 * beta * missed


def still_learning() -> Kernel:
    """Each transition's surrogate is another where the chain stands at a low energy: what a late fit would do."""
    right, law = surrogate_chain(MOVES), LAWS["tethered"]()
    plans = poor(law, 0.3), poor(law, 0.3, seed=7)

    def run(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        for _ in range(draws * thin // 3):
            ends = [right(state, replace(target, surrogate=Surrogate(plan, 3)), 1, 3) for plan in plans]
            low = state.energy < 1.0
            found = [torch.where(low[:, None], *(end.codes for end, _ in ends))]
            found += [torch.where(low, *(getattr(end, name) for end, _ in ends)) for name in ("energy", "log_base")]
            state = State(*found, state.keys, state.step + 3)
        return state, ends[0][1]

    return run


BROKEN = {
    "letters in turn within a proposal": letters_in_turn,
    "no outer decision": lambda: with_decision(no_decision),
    "half of what is missed is decided on": lambda: with_decision(half_the_decision),
    "a surrogate that goes on learning": still_learning,
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_checks_catch_a_wrong_transition(name: str) -> None:
    assert exact_start_probability(BROKEN[name](), law_named("tethered"), chains=SOME) < ODD


def exchange_by_surrogate(state: State, target: Target, ladder: Ladder, counts: torch.Tensor) -> State:
    """Exchanges decided on energies that are a fifth off, as a surrogate's would be."""
    found = _exchange(state._replace(energy=0.8 * state.energy), target, ladder, counts)
    return found._replace(energy=found.energy / 0.8)


_exchange = surrogate.exchange


def test_exchanges_on_other_energies_are_caught() -> None:
    kernel = surrogate_chain(MOVES, LADDER)
    with mock.patch.object(surrogate, "exchange", exchange_by_surrogate):
        assert min(ladder_probabilities(kernel, law_named("tethered"), SOME)) < ODD
