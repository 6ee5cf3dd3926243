"""What copies of a network are fitted to, and how close they come."""

import numpy as np
import pytest
from small import anchor, law
from torch import nn
from toy import ToyNetwork, network

from maxent_cli.alphabet import encode
from maxent_cli.engine.incremental import last_values
from maxent_cli.engine.target import Surrogate, Trace
from maxent_cli.interpret.law import LAWS, anchored_law, evaluate
from maxent_cli.interpret.surrogates import (
    LEAST_STEPS,
    MOST_UNITS,
    Apprentice,
    Learner,
    first_lessons,
    fitted_plan,
    most_steps,
    ridge,
    teacher_of,
    work,
)

ANCHOR = "GATTACAGCGTACCATGGTCA"
LENGTH = len(ANCHOR)
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 4, (400, LENGTH), dtype=np.uint8)


def pooled_network(units: int) -> ToyNetwork:
    scan = (nn.Conv1d(4, 12, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    return network(LENGTH, *scan, units)


def test_the_penalty_is_chosen_by_leaving_each_one_out() -> None:
    given, noise = RNG.normal(size=(40, 6)), RNG.normal(size=(40, 2))
    wanted = given @ RNG.normal(size=(6, 2)) + 3 + 0.5 * noise
    found = ridge(given, wanted)
    left = [ridge(np.delete(given, row, 0), np.delete(wanted, row, 0)) for row in range(40)]
    missed = [wanted[row] - given[row] @ fit.weights - fit.bias for row, fit in enumerate(left)]
    assert found.error == pytest.approx(np.square(missed).sum(axis=1).mean(), rel=0.05)
    exact = ridge(given, given @ np.ones((6, 1)) + 3)
    np.testing.assert_allclose(exact.weights, 1, atol=1e-3)
    np.testing.assert_allclose(exact.bias, 3, atol=1e-3)


@pytest.mark.parametrize("held", ["anchor", "output"])
def test_a_network_that_is_linear_in_what_is_pooled_is_copied_as_it_is(held: str) -> None:
    model = pooled_network(5)
    found = anchored_law(model, anchor(ANCHOR), law(1.0, output="0", kind=LAWS[held]))
    teacher = teacher_of(model, found)
    plan = fitted_plan(teacher, first_lessons(teacher, CODES[:200]))
    energy = evaluate(found.terms.energy, CODES)
    np.testing.assert_allclose(last_values(plan, CODES)[1], energy, atol=0.01 * energy.std())


def test_what_is_not_fitted_is_held_at_its_mean() -> None:
    model = network(LENGTH, nn.Conv1d(4, 12, 5), nn.ReLU(), nn.Flatten(), 3 * MOST_UNITS, nn.Tanh())
    found = anchored_law(model, anchor(ANCHOR), law(1.0, output="0"))
    teacher = teacher_of(model, found)
    lessons = first_lessons(teacher, CODES)
    assert lessons.wanted.shape == (400, MOST_UNITS)
    energy = evaluate(found.terms.energy, CODES)
    np.testing.assert_allclose(np.square(lessons.wanted).sum(axis=1) + lessons.left, energy**2, rtol=1e-4)


def test_of_a_network_without_a_convolution_of_letters_a_student_learns() -> None:
    model = network(LENGTH, nn.Softmax(1), nn.Flatten(), 5)
    teacher = teacher_of(model, _law_of(model))
    assert (teacher.front, teacher.name) == ([], "a student")
    one = Apprentice(teacher, CODES, 1, 2, most_steps(LENGTH)).learner()
    first = one.begin(encode(ANCHOR))
    energy = evaluate(anchored_law(model, anchor(ANCHOR), law(1.0, output="0")).terms.energy, CODES)
    missed = last_values(first.plan, CODES)[1] - energy
    assert np.square(missed).mean() < 0.5 * energy.var()
    before = one.student
    assert one.learn(2, first, trace(24)).plan is first.plan
    assert one.student is before  # nothing is learned but where the copy is fitted again
    assert one.learn(3, first, trace(24)).plan is not first.plan
    assert not np.array_equal(one.student.kernel, before.kernel)


def test_the_work_of_a_changed_letter_is_what_it_reaches() -> None:
    model = network(LENGTH, nn.Conv1d(4, 6, 5), nn.ReLU(), nn.Conv1d(6, 7, 3), nn.Flatten(), 5)
    found = [layer for layer, _, _ in teacher_of(model, _law_of(model)).front]
    # a letter: 5 columns of 6, each of which 3 columns of 7 read, so that 7 of them change
    assert work(found) == 5 * 6 + 5 * 6 + 5 * 3 * 6 * 7 + 7 * 7


def _law_of(model: ToyNetwork):
    return anchored_law(model, anchor(ANCHOR), law(1.0, output="0"))


def learner() -> Learner:
    model = network(LENGTH, nn.Conv1d(4, 6, 5), nn.ReLU(), nn.Conv1d(6, 7, 3), nn.Tanh(), nn.Flatten(), 5)
    return Apprentice(teacher_of(model, _law_of(model)), CODES, 1, 2, most_steps(LENGTH)).learner()


def trace(accepted: int) -> Trace:
    """Ten draws of four chains of two replicas, of which so many of 40 were accepted at the upper replica."""
    codes = np.random.default_rng(1).integers(0, 4, (8, 10, LENGTH), dtype=np.uint8)
    return Trace(codes, np.zeros((8, 10)), np.array([40, 40, 20]), np.array([40, accepted, 10]))


def test_more_steps_are_taken_at_once_where_many_are_accepted() -> None:
    one = learner()
    first = one.begin(encode(ANCHOR))
    assert one.learn(0, first, trace(40)).steps > first.steps
    assert one.learn(0, first, trace(4)).steps < first.steps
    assert one.learn(0, first, trace(24)).steps == first.steps
    assert one.learn(0, Surrogate(first.plan, LEAST_STEPS), trace(0)).steps == LEAST_STEPS
    assert one.learn(0, Surrogate(first.plan, most_steps(LENGTH)), trace(40)).steps == most_steps(LENGTH)


def test_what_is_learned_depends_on_nothing_but_what_is_seen() -> None:
    found = []
    for _ in range(2):
        one = learner()
        surrogate = one.begin(encode(ANCHOR))
        assert one.learn(2, surrogate, trace(20)).plan is surrogate.plan
        found.append(one.learn(3, surrogate, trace(20)))
        assert found[-1].plan.parameters.tobytes() != surrogate.plan.parameters.tobytes()
    assert found[0].steps == found[1].steps
    assert found[0].plan.parameters.tobytes() == found[1].plan.parameters.tobytes()
