"""Every kernel with every set of moves on laws that are listed; and wrong kernels, which the same checks must catch."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from broken import BROKEN, BROKEN_LADDERS
from exact import (
    BETAS,
    CHAINS,
    CHECKS,
    LADDER,
    ODD,
    all_states,
    draw_from,
    exact_start_probability,
    failures,
    ladder_probabilities,
    law_probability,
    listed_law,
    looked_up,
    random_keys,
    reaches_support,
    run_once,
    run_slices,
    state_number,
    stays_exact,
)
from plain_chain import metropolis_hastings
from scipy import stats
from thinned import thinned
from toy import LAWS, MOVE_SETS, SKEWED, Law

from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.proposals import Move
from maxent_cli.engine.target import NO_LADDER, Kernel, Ladder, log_exchange, start_state

law_named = cache(lambda name: LAWS[name]())


def full(law: Law, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> tuple[Kernel, Law]:
    return metropolis_hastings(moves, ladder), looked_up(law)


def compiled(law: Law, moves: tuple[Move, ...], ladder: Ladder = NO_LADDER) -> tuple[Kernel, Law]:
    assert law.plan is not None
    return compiled_chain(law.plan, moves, ladder), looked_up(law)


KERNELS = {"full": full, "compiled": compiled}
Make = Callable[..., tuple[Kernel, Law]]


@pytest.fixture(params=KERNELS.values(), ids=KERNELS)
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture
def chains(make: Make) -> int:
    """The compiled chains cost more to start, and are held to the plain ones' trajectories besides."""
    return CHAINS // 2 if make is full else CHAINS // 4


OTHER_CHECKS = [check for check in CHECKS if check is not stays_exact]
other_checks = pytest.mark.parametrize("check", OTHER_CHECKS, ids=lambda check: check.__name__)
other_laws = pytest.mark.parametrize("name", [name for name in LAWS if name != "tethered"])


@pytest.mark.parametrize("moves", MOVE_SETS)
def test_an_exact_start_stays_exact_under_each_set_of_moves(make, chains, moves):
    kernel, law = make(law_named("tethered"), MOVE_SETS[moves])
    assert exact_start_probability(kernel, law, chains=chains) > ODD


@other_laws
def test_an_exact_start_stays_exact_on_each_law(make, chains, name):
    kernel, law = make(law_named(name), MOVE_SETS["mixture"])
    assert exact_start_probability(kernel, law, chains=chains) > ODD


@pytest.mark.parametrize("name", ["unknown letter", "protected letter", "support and field"])
def test_scattered_letters_leave_alone_what_may_not_change(make, chains, name):
    kernel, law = make(law_named(name), MOVE_SETS["scattered"])
    assert exact_start_probability(kernel, law, chains=chains) > ODD


@pytest.mark.parametrize("moves", thinned(list(MOVE_SETS), 2))
@other_checks
def test_each_set_of_moves_passes_the_other_checks(make, check, moves):
    if check is reaches_support and moves == "reverse complement":
        pytest.skip("reverse complements alone do not join all sequences")
    check(*make(law_named("tethered"), MOVE_SETS[moves]))


@pytest.mark.parametrize("name", thinned([name for name in LAWS if name != "tethered"], 2))
@other_checks
def test_each_law_passes_the_other_checks(make, check, name):
    check(*make(law_named(name), MOVE_SETS["mixture"]))


@pytest.mark.parametrize("name", BROKEN)
def test_the_checks_catch_a_wrong_kernel(name):
    broken = BROKEN[name]
    kernel, law = broken.make(MOVE_SETS[broken.moves]), looked_up(law_named(broken.law))
    assert failures(kernel, law, broken.caught_by) == broken.caught_by


def test_every_replica_of_a_ladder_keeps_its_law(make, chains):
    kernel, law = make(law_named("tethered"), MOVE_SETS["mixture"], LADDER)
    assert min(ladder_probabilities(kernel, law, chains)) > ODD


@pytest.mark.parametrize("name", BROKEN_LADDERS)
def test_a_wrong_exchange_is_caught(name):
    kernel = BROKEN_LADDERS[name](MOVE_SETS["mixture"], LADDER)
    assert min(ladder_probabilities(kernel, looked_up(law_named("tethered")), CHAINS // 2)) < ODD


def test_exchanges_are_counted_for_each_pair_of_replicas(make):
    kernel, law = make(law_named("tethered"), MOVE_SETS["letters"], LADDER)
    target = replace(law.target, beta=np.tile(BETAS, 25))
    start = start_state(target, np.tile(law.anchor, (100, 1)), random_keys(100), torch.device("cpu"))
    trace = kernel(start, target, 1, 80)[1]
    # 40 exchanges, 20 of the even pairs and 20 of the odd one, in 25 ladders
    np.testing.assert_array_equal(trace.tried, [8000, 500, 500, 500])
    assert (trace.accepted > 0).all()
    assert (trace.accepted < trace.tried).all()


@pytest.mark.parametrize(
    ("beta", "other_beta", "energy", "other_energy"), [(0.0, 1.0, 2.0, 3.0), (2.0, 0.5, 0.1, 4.0), (1.0, 1.0, 3.0, 0.0)]
)
def test_an_exchange_compares_the_two_joint_densities(beta, other_beta, energy, other_energy):
    before, after = -beta * energy - other_beta * other_energy, -beta * other_energy - other_beta * energy
    assert log_exchange(beta, other_beta, energy, other_energy) == pytest.approx(after - before)


def test_each_chain_may_have_its_own_beta(make, chains):
    kernel, law = make(law_named("tethered"), MOVE_SETS["mixture"])
    target = replace(law.target, beta=np.tile([0.3, 2.0], chains // 2))
    starts = np.stack([draw_from(listed_law(law, beta), chains // 2) for beta in (0.3, 2.0)], axis=1).ravel()
    ends = state_number(law, run_slices(kernel, target, all_states(law)[starts], 6))
    for which, beta in enumerate((0.3, 2.0)):
        counts = np.bincount(ends[which::2], minlength=len(listed_law(law)))
        assert law_probability(counts, listed_law(law, beta)) > ODD


def test_without_energy_the_law_is_the_background_with_its_gc(make):
    kernel, law = make(law_named("no energy"), MOVE_SETS["mixture"])
    draws = run_slices(kernel, law.target, np.tile(law.anchor, (20_000, 1)), 100)
    for position in range(4):
        counts = np.bincount(draws[:, position], minlength=4)
        assert law_probability(counts, SKEWED) > ODD
    gc = np.isin(draws, (1, 2)).sum(1)
    assert law_probability(np.bincount(gc, minlength=5), stats.binom.pmf(np.arange(5), 4, 0.3)) > ODD


def no_cg(codes: torch.Tensor) -> torch.Tensor:
    """0 where C is never followed by G, else -inf."""
    found = ((codes[..., :-1] == 1) & (codes[..., 1:] == 2)).any(-1)
    return torch.where(found, -torch.inf, 0.0)


def few_a(codes: torch.Tensor) -> torch.Tensor:
    """A soft constraint: a log-weight of -0.7 for every A."""
    return -0.7 * (codes == 0).sum(-1)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_constraints_are_part_of_the_law(check):
    law = looked_up(law_named("background"))
    law = Law(replace(law.target, constraints=(no_cg, few_a)), law.anchor, None)
    assert (listed_law(law) == 0).sum() == 47  # CG first, in the middle or last: 3 · 16, CGCG counted twice
    check(metropolis_hastings(MOVE_SETS["mixture"]), law)


def test_the_compiled_chain_refuses_constraints_that_it_does_not_know():
    kernel, law = compiled(law_named("background"), MOVE_SETS["letters"])
    target = replace(law.target, constraints=(no_cg,))
    with pytest.raises(ValueError, match="constraints"):
        run_once(kernel, target, law.anchor[None], random_keys(1), 1)


def test_full_passes_of_a_real_network_keep_its_law():
    law = law_named("tethered")
    assert exact_start_probability(metropolis_hastings(MOVE_SETS["mixture"]), law, 4, CHAINS // 4) > ODD
