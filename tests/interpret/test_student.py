"""What a student learns of a network that cannot be read, and that its layer is what it has learned."""

import numpy as np
import torch
from torch.nn import functional

from maxent_cli.alphabet import encode
from maxent_cli.interpret.student import as_layer, taught, untaught
from maxent_cli.interpret.surrogates import features, pooled, ridge
from maxent_cli.models.protocol import one_hot

LENGTH = 30
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 4, (900, LENGTH), np.uint8)
WORD = encode("GATTACA")
PLACES = np.arange(LENGTH - len(WORD) + 1)
for codes, place in zip(CODES[::2], RNG.choice(PLACES, 450), strict=True):
    codes[place : place + len(WORD)] = WORD
# most letters of the word that stand together anywhere, less three: no sum over letters or pairs of them
WANTED = np.stack([(CODES[:, p : p + len(WORD)] == WORD).sum(axis=1) for p in PLACES]).max(axis=0)[:, None] - 3.0


def explained(steps: int) -> float:
    """Share of the variance of 300 others that a map of the layer's means explains, fitted to 600."""
    student = untaught(LENGTH, 1, 1)
    student = taught(student, CODES[:600], WANTED[:600], 1, steps) if steps else student
    found = features(pooled([as_layer(student, LENGTH)], 1), CODES)
    fit = ridge(found[:600], WANTED[:600])
    missed = WANTED[600:] - found[600:] @ fit.weights - fit.bias
    return float(1 - np.square(missed).mean() / WANTED[600:].var())


def test_a_student_learns_what_its_teacher_reads() -> None:
    """Which of means of random windows, untaught, a map explains less than half as well."""
    after, before = explained(400), explained(0)
    assert 1 - after < 0.5 * (1 - before)
    assert after > 0.75


def test_the_layer_is_what_was_learned() -> None:
    student = taught(untaught(LENGTH, 1, 2), CODES, WANTED, 3, 20)
    width = student.kernel.shape[2]
    letters = functional.pad(one_hot(torch.from_numpy(CODES[:50])), (width // 2, width - 1 - width // 2))
    wanted = functional.conv1d(letters, student.kernel, student.bias).relu().mean(2)
    found = features(pooled([as_layer(student, LENGTH)], 1), CODES[:50])
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
    assert wanted.std() > 0.01


def test_a_window_of_even_width_lies_alike_in_both() -> None:
    codes = CODES[:50, :8].copy()  # so few letters that the window is as wide
    student = untaught(8, 1, 2)
    wanted = functional.conv1d(functional.pad(one_hot(torch.from_numpy(codes)), (4, 3)), student.kernel).relu().mean(2)
    np.testing.assert_allclose(features(pooled([as_layer(student, 8)], 1), codes), wanted.numpy(), atol=1e-5)


def test_the_same_lessons_teach_the_same() -> None:
    one, other = (taught(untaught(LENGTH, 1, 2), CODES, WANTED, 3, 20) for _ in range(2))
    assert all(a.numpy().tobytes() == b.numpy().tobytes() for a, b in zip(one, other, strict=True))
    third = taught(untaught(LENGTH, 1, 2), CODES, WANTED, 4, 20)
    assert third.kernel.numpy().tobytes() != one.kernel.numpy().tobytes()
