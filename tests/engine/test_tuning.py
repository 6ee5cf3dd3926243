"""The ladder and its top settle in warm-up, where listing says they should; then nothing changes any more."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import (
    ODD,
    all_states,
    draw_from,
    exact_start_probability,
    law_probability,
    listed_energy,
    listed_law,
    random_keys,
    state_number,
)
from plain_chain import metropolis_hastings
from toy import LAWS, MOVE_SETS, Law

from maxent_cli.engine.full_passes import full_pass_chain
from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.proposals import REDRAW, SCATTER, Move
from maxent_cli.engine.surrogate import surrogate_chain
from maxent_cli.engine.target import Kernel, Ladder, State, Surrogate, Target, Trace, start_state
from maxent_cli.engine.tuning import FROZEN, ROUNDS, SEEN, Tuned, first_ladder, tune

REPLICAS, EVERY = 5, 4
LAW = LAWS["tethered"]()


def kernel(replicas: int = REPLICAS) -> Kernel:
    assert LAW.plan is not None
    return compiled_chain(LAW.plan, MOVE_SETS["mixture"], Ladder(replicas, EVERY))


def started(law: Law, ladders: int, replicas: int = REPLICAS) -> State:
    """Half of the ladders at the anchor, half at draws from the background."""
    count = ladders * replicas
    codes = all_states(law)[draw_from(listed_law(law, 0.0), count)]
    codes[np.arange(count) // replicas % 2 == 0] = law.anchor
    return start_state(law.target, codes, random_keys(count), torch.device("cpu"))


def tuned(betas: np.ndarray, wanted: float | None = None, steps: int = 2400, ladders: int = 40) -> Tuned:
    return tune(kernel(len(betas)), started(LAW, ladders, len(betas)), LAW.target, betas, wanted, steps)


def mean_energy(beta: float) -> float:
    return float(listed_law(LAW, beta) @ listed_energy(LAW))


@pytest.mark.parametrize("replicas", [2, 3, 8])
def test_a_first_ladder_rises_from_0_to_its_top(replicas: int) -> None:
    betas = first_ladder(50.0, replicas, 0.5)
    assert (betas[0], betas[-1], len(betas)) == (0, 50, replicas)
    assert (np.diff(betas) > 0).all()
    np.testing.assert_allclose(np.diff(np.log(betas[1:])), np.log(100) / max(replicas - 2, 1))


def test_a_first_ladder_of_one_replica_or_of_no_beta() -> None:
    assert first_ladder(50.0, 1, 0.5).tolist() == [50]
    assert first_ladder(0.0, 1, 0.5).tolist() == [0]
    assert first_ladder(0.0, 4, 0.5).tolist() == [0, 0, 0, 0]
    low = first_ladder(0.2, 4, 0.5)  # the top is below the lowest replica that was proposed
    assert (low[0], low[-1]) == (0, 0.2)
    assert (np.diff(low) > 0).all()


def test_a_given_top_stays_and_neighbours_come_to_exchange_equally_often() -> None:
    crowded = np.array([0.0, 5.8, 5.9, 5.95, 6.0])  # all but one exchange are all but sure
    found = tuned(crowded)
    assert (found.betas[0], found.betas[-1]) == (0, 6)
    assert (np.diff(found.betas) > 0).all()
    before, after = (exchanges(betas) for betas in (crowded, found.betas))
    assert before.max() - before.min() > 0.4
    assert after.max() - after.min() < 0.15


def exchanges(betas: np.ndarray) -> np.ndarray:
    """How often neighbouring replicas exchange states."""
    start = started(LAW, 40, len(betas))
    ladder = replace(LAW.target, beta=np.tile(betas, 40))
    state, _ = kernel(len(betas))(start, ladder, 1, 100)
    _, trace = kernel(len(betas))(state, ladder, 1, 200)
    return trace.accepted[-len(betas) + 1 :] / trace.tried[-len(betas) + 1 :]


@pytest.mark.parametrize(("keep", "first"), [(0.3, 20.0), (0.6, 60.0), (0.8, 60.0)])
def test_the_top_is_found_at_which_the_mean_energy_is_as_wanted(keep: float, first: float) -> None:
    wanted = (1 - keep) * mean_energy(0.0)
    found = tuned(first_ladder(first, REPLICAS, 0.5), wanted, steps=4800, ladders=80)
    assert mean_energy(found.betas[-1]) == pytest.approx(wanted, abs=0.03 * mean_energy(0.0))
    assert found.betas[0] == 0
    assert (np.diff(found.betas) > 0).all()


def test_a_top_that_is_too_low_climbs() -> None:
    wanted = 0.4 * mean_energy(0.0)
    found = tuned(first_ladder(0.5, REPLICAS, 0.2), wanted, steps=4800)
    assert mean_energy(found.betas[-1]) == pytest.approx(wanted, abs=0.05 * mean_energy(0.0))


def test_a_warm_up_of_few_steps_takes_few_and_at_least_one_a_round() -> None:
    steps = [tuned(first_ladder(20.0, REPLICAS, 0.5), None, steps=some).state.step for some in (1, 3 * ROUNDS, 300)]
    assert steps == [ROUNDS, 3 * ROUNDS, 10 * ROUNDS]


def test_too_few_replicas_are_soon_seen_where_more_may_be_had() -> None:
    few, top = first_ladder(40.0, 2, 0.5), 2400
    early, whole = (tune(kernel(2), started(LAW, 40, 2), LAW.target, few, None, top, most=most) for most in (6, 2))
    assert (early.state.step, whole.state.step) == (SEEN * top // ROUNDS, top)
    assert early.replicas_wanted() > 2
    enough = tune(kernel(), started(LAW, 40), LAW.target, first_ladder(4.0, REPLICAS, 0.5), None, top, most=12)
    assert enough.state.step == top
    assert enough.replicas_wanted() == REPLICAS


def test_the_last_rounds_change_nothing_and_the_history_says_so() -> None:
    found = tuned(first_ladder(20.0, REPLICAS, 0.5), 0.5 * mean_energy(0.0))
    assert found.history.shape == (ROUNDS, 2 * REPLICAS)
    betas, energies = found.history[:, :REPLICAS], found.history[:, REPLICAS:]
    assert (betas[-FROZEN:] == found.betas).all()
    assert (betas[:-FROZEN, -1] != found.betas[-1]).any()
    expected = [mean_energy(beta) for beta in found.betas]
    np.testing.assert_allclose(energies[-FROZEN:].mean(axis=0), expected, rtol=0.15)
    assert found.state.step == 2400


def test_draws_after_tuning_follow_the_listed_law() -> None:
    found = tuned(first_ladder(4.0, 3, 0.5), steps=240, ladders=2_500)
    ladder = replace(LAW.target, beta=np.tile(found.betas, 2_500))
    ends = kernel(3)(found.state, ladder, 1, 20)[0].codes.numpy().reshape(2_500, 3, -1)
    for replica, beta in enumerate(found.betas):
        probabilities = listed_law(LAW, float(beta))
        counts = np.bincount(state_number(LAW, ends[:, replica]), minlength=len(probabilities))
        assert law_probability(counts, probabilities) > ODD
    wrong = listed_law(LAW, 1.2 * float(found.betas[-1]))
    assert law_probability(counts, wrong) < ODD


def test_tuning_depends_on_the_state_alone() -> None:
    first, again = (tuned(first_ladder(20.0, REPLICAS, 0.5), 1.0, 480) for _ in range(2))
    np.testing.assert_array_equal(first.betas, again.betas)
    np.testing.assert_array_equal(first.state.codes.numpy(), again.state.codes.numpy())


@pytest.mark.parametrize("wanted", [None, 0.5])
def test_without_steps_nothing_changes(wanted: float | None) -> None:
    betas, start = first_ladder(20.0, REPLICAS, 0.5), started(LAW, 4)
    found = tune(kernel(), start, LAW.target, betas, wanted, 0)
    assert found.state is start
    np.testing.assert_array_equal(found.betas, betas)
    assert found.history.shape == (0, 2 * REPLICAS)


def test_a_single_replica_warms_up_and_stays() -> None:
    found = tuned(np.array([3.0]), steps=480)
    assert found.betas.tolist() == [3]
    assert found.state.step == 480


def test_chains_that_are_slow_to_come_down_do_not_drive_the_top_up() -> None:
    """Every other ladder is stuck at a high energy; the search listens to the others."""
    seen = tune(stuck(kernel()), started(LAW, 40), LAW.target, first_ladder(20.0, REPLICAS, 0.5), WANTED, 2400)
    assert mean_energy(seen.betas[-1]) == pytest.approx(WANTED, abs=0.05 * mean_energy(0.0))


WANTED = 0.5 * mean_energy(0.0)


def stuck(right: Kernel) -> Kernel:
    def run(state, target, draws, thin):
        state, trace = right(state, target, draws, thin)
        energy = trace.energy.copy()
        energy[np.arange(len(energy)) // REPLICAS % 2 == 1] = listed_energy(LAW).max()
        return state, trace._replace(energy=energy)

    return run


def test_a_surrogate_is_learned_until_the_last_rounds_which_change_nothing() -> None:
    plan, rounds, used = LAW.plan, [], []
    assert plan is not None

    def learn(number: int, before: Surrogate, trace: Trace) -> Surrogate:
        assert trace.codes.shape[1] == 10
        rounds.append(number)
        return before._replace(steps=before.steps + 1)

    def noting(state: State, target: Target, draws: int, thin: int) -> tuple[State, Trace]:
        used.append((target.surrogate.steps, thin))
        return right(state, target, draws, thin)

    right = surrogate_chain((Move(REDRAW, 1.0, 1),), Ladder(REPLICAS))
    betas = first_ladder(4.0, REPLICAS, 0.5)
    found = tune(noting, started(LAW, 6), LAW.target, betas, None, 240, Surrogate(plan, 5), learn)
    assert rounds == list(range(ROUNDS - FROZEN))
    assert used == [(5 + min(number, ROUNDS - FROZEN),) * 2 for number in range(ROUNDS)]
    assert found.surrogate == Surrogate(plan, 5 + ROUNDS - FROZEN)
    np.testing.assert_array_equal(found.accepted, 1)  # the surrogate is the network itself


def spread_in_warm_up(share: float, beta: float = 1.0) -> list[float]:
    """How many letters were drawn at once, in what the moves say, in each round and after, if such a share is taken."""
    seen = list[float]()

    def scripted(state: State, target: Target, draws: int, _: int) -> tuple[State, Trace]:
        seen.append(target.scattered)
        codes = np.repeat(state.codes.numpy()[:, None], draws, axis=1)
        energy = np.repeat(state.energy.numpy()[:, None], draws, axis=1)
        return state, Trace(codes, energy, np.array([50, 100, 100]), np.array([50, 100 * share, 100 * share]))

    moves = np.array([False, True, True])
    found = tune(scripted, started(LAW, 4, 1), LAW.target, np.array([beta]), None, 2400, scattering=moves)
    return [*seen, found.scattered]


def test_scattered_redraws_draw_more_letters_where_many_are_accepted_and_end_so() -> None:
    rising, falling, well = (spread_in_warm_up(share) for share in (0.6, 0.1, 0.35))
    assert rising[0] == falling[0] == 1
    assert (np.diff(rising[: ROUNDS - FROZEN]) >= 0).all()
    assert rising[-1] == len(LAW.free)  # times what the moves say; no more letters may change
    assert falling[-1] == pytest.approx(max(np.exp(2 * -0.25 * (ROUNDS - FROZEN)), 1 / len(LAW.free)))
    assert well == pytest.approx([1.0] * (ROUNDS + 1))
    for one in (rising, falling):
        assert len(set(one[ROUNDS - FROZEN :])) == 1  # the last third changes nothing


def test_moves_are_spread_by_what_warm_up_found_and_the_law_is_kept_whatever_that_is() -> None:
    spread = replace(LAW.target, scattered=2.0)
    moves = (Move(SCATTER, 0.5, 1), Move(REDRAW, 0.5, 2))
    assert spread.spread(moves) == (Move(SCATTER, 0.5, 2), Move(REDRAW, 0.5, 2))
    assert replace(spread, scattered=0.01).spread(moves)[0].width == 1
    wide = Law(spread, LAW.anchor, LAW.plan)
    assert exact_start_probability(metropolis_hastings(MOVE_SETS["scattered"]), wide, chains=50_000) > ODD
    assert exact_start_probability(full_pass_chain(MOVE_SETS["scattered"]), wide, chains=50_000) > ODD
