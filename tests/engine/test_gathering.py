"""Chains of several anchors in one batch draw what each draws by itself."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import numpy as np
import pytest
import torch
from exact import random_keys
from torch import Tensor, nn
from toy import LAWS, MOVE_SETS, SKEWED, Law, ToyNetwork, network

from maxent_cli.engine import batch, gathering
from maxent_cli.engine.batch import Batched
from maxent_cli.engine.energies import SharedTerm, plus
from maxent_cli.engine.full_passes import full_pass_chain
from maxent_cli.engine.gathering import gathered_chain
from maxent_cli.engine.support import Support
from maxent_cli.engine.target import Kernel, Ladder, State, Target, Terms, Trace, start_state
from maxent_cli.engine.terms import background_rows, distance_of
from maxent_cli.models.pieces import Pieces
from maxent_cli.models.protocol import one_hot

LADDER, MOVES = Ladder(3, 20), MOVE_SETS["adapted mixture"]
LENGTH = 9
NO_CG = Support(np.array([[0, 1, 0, 0, 0], [0, 1, 2, 0, 0], [2] * 5]), 2)


class Look:
    """A network's representation; one object for all anchors."""

    def __init__(self, model: ToyNetwork) -> None:
        self.model = model

    def __call__(self, codes: Tensor) -> Tensor:
        return self.model.representation(one_hot(codes))


def without_rounding() -> Look:
    """A network whose sums are exact in any order: few bits, small numbers."""
    model = network(LENGTH, nn.Conv1d(4, 6, 3), nn.ReLU(), nn.Flatten(), 5)
    with torch.no_grad():
        for values in model.parameters():
            values.copy_((8 * values).round() / 8)
    return Look(model)


LOOK = without_rounding()


def around(number: int, **more: object) -> Target:
    """The law of one of many anchors: rows, letters that stay and betas of its own."""
    rng = np.random.default_rng(number)
    anchor = rng.integers(0, 4, LENGTH, np.uint8)
    with torch.no_grad():
        reference = LOOK(torch.from_numpy(anchor)[None])
    weights = torch.from_numpy(rng.integers(1, 4, reference.shape).astype(np.float32))
    energy = SharedTerm(LOOK, distance_of, (weights, -weights * reference), Pieces(7))
    terms = Terms(energy, background_rows(SKEWED, anchor, 0.4), rng.random(LENGTH) < 0.9)
    adapted = rng.dirichlet([2.0] * 4, LENGTH)
    target = terms.at(np.tile([0.0, 0.5, 1.0 + 0.1 * number], 2 + number % 3), adapted)
    return replace(target, **more)


def begin(target: Target, number: int, step: int = 0) -> State:
    chains = len(target.beta)
    anchor = np.random.default_rng(number).integers(0, 4, LENGTH, np.uint8)
    return start_state(target, np.tile(anchor, (chains, 1)), random_keys(chains, number), torch.device("cpu"))._replace(
        step=step
    )


def drawn(kernel: Kernel, targets: Sequence[Target], step: int = 0, draws: int = 4, thin: int = 13) -> list[Trace]:
    """The traces of all anchors, each by a thread of its own; they ask at one time for unlike numbers of draws."""
    barrier = Barrier(len(targets))

    def one(number: int, target: Target) -> Trace:
        barrier.wait()
        return kernel(begin(target, number, step + 7 * number), target, draws + number % 3, thin)[1]

    with ThreadPoolExecutor(len(targets)) as pool:
        return list(pool.map(one, range(len(targets)), targets))


def alone(kernel: Kernel, targets: Sequence[Target], **how: int) -> list[Trace]:
    step, draws, thin = how.get("step", 0), how.get("draws", 4), how.get("thin", 13)
    return [
        kernel(begin(target, number, step + 7 * number), target, draws + number % 3, thin)[1]
        for number, target in enumerate(targets)
    ]


def assert_same(found: Sequence[Trace], expected: Sequence[Trace], atol: float = 0.0) -> None:
    for one, other in zip(found, expected, strict=True):
        for name in ("codes", "tried", "accepted"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        np.testing.assert_allclose(one.energy, other.energy, atol=atol, rtol=0)


LAWS_TOGETHER = {
    "anchors": [around(number) for number in range(5)],
    "constraints": [around(number, constraints=(NO_CG,) if number else ()) for number in range(3)],
    "energies of two kinds": [around(0), around(1), replace(around(2), energy=lambda x: x.float().sum(-1) / 4)],
    "other reads of one look": [replace(around(n), energy=plus(around(n).energy, n / 4)) for n in range(3)],
}


@pytest.mark.parametrize("name", LAWS_TOGETHER)
def test_anchors_together_draw_what_each_draws_by_full_passes_alone(name: str) -> None:
    targets = LAWS_TOGETHER[name]
    assert_same(drawn(gathered_chain(MOVES, LADDER), targets), alone(full_pass_chain(MOVES, LADDER), targets), 1e-6)


def test_anchors_are_in_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()

    def burst(chains: Batched, *rest: object) -> tuple[Batched, Tensor, Tensor]:
        sizes.append(len(chains.step))
        return batch.burst(chains, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering, "burst", burst)
    targets = LAWS_TOGETHER["anchors"]
    drawn(gathered_chain(MOVES, LADDER), targets, draws=12)
    assert max(sizes) > max(len(target.beta) for target in targets)


def test_what_fails_for_one_batch_is_told_to_all_and_the_next_runs() -> None:
    def ends(_: Tensor) -> Tensor:
        raise RuntimeError("the card is gone")

    kernel, target = gathered_chain(MOVES, LADDER), around(0)
    start = begin(target, 0)
    with pytest.raises(RuntimeError, match="the card is gone"):
        kernel(start, replace(target, energy=ends), 2, 3)
    assert_same([kernel(start, target, 2, 3)[1]], [full_pass_chain(MOVES, LADDER)(start, target, 2, 3)[1]], 1e-6)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("exchange_log_uniforms", lambda keys, step: batch_exchange(keys, step - 1)),
        ("log_exchange", lambda beta, other, energy, there: (other - beta) * (energy - there)),
        ("_changes", lambda *given: (lambda change, correction: (change, 0 * correction))(*right_changes(*given))),
        ("propose", lambda tables, of, drawn, step: right_propose(tables, 0 * of, drawn, step)),
    ],
)
def test_a_slip_is_seen(monkeypatch: pytest.MonkeyPatch, name: str, wrong: object) -> None:
    targets = LAWS_TOGETHER["anchors"]
    expected = alone(full_pass_chain(MOVES, LADDER), targets)
    monkeypatch.setattr(batch, name, wrong)
    with pytest.raises(AssertionError):
        assert_same(drawn(gathered_chain(MOVES, LADDER), targets), expected, 1e-6)


batch_exchange, right_changes, right_propose = batch.exchange_log_uniforms, batch._changes, batch.propose


def test_one_anchor_with_another_of_unlike_length_draws_what_it_draws_alone() -> None:
    """Which are of different batches, and run beside each other."""
    laws: list[Law] = [LAWS["five letters"](), LAWS["tethered"]()]
    kernel = partial(gathered_chain(MOVES), draws=5, thin=4)
    states = [start_state(law.target, np.tile(law.anchor, (4, 1)), random_keys(4), torch.device("cpu")) for law in laws]
    with ThreadPoolExecutor(2) as pool:
        found = [trace for _, trace in pool.map(kernel, states, [law.target for law in laws])]
    assert_same(
        found, [full_pass_chain(MOVES)(s, law.target, 5, 4)[1] for s, law in zip(states, laws, strict=True)], 1e-5
    )
