"""Whether a training stopped too early or went on too long, told from the losses of the same records."""

import re

import numpy as np
import pytest

from maxent_cli.api.learning_results import ByStep, _too_early, _too_long

STEPS = (0, 50, 100)


def by_step(*rises: float) -> tuple[ByStep, list[dict[str, float]]]:
    """Losses that differ widely between records, and hardly in how far each rises from checkpoint to checkpoint."""
    chance = np.random.default_rng(1)
    each = chance.exponential(1.0, 100)
    found = ByStep([(step, str(step)) for step in STEPS], None, np.full(4, 0.25))
    found.losses = [each + rise + chance.normal(0, 0.05, 100) for rise in rises]
    return found, [{"bits": 8.0 + number, "bits_error": 0.2} for number in range(3)]


@pytest.mark.parametrize(
    ("rises", "verdict"),
    [((0.5, 0.0, 0.1), "the training went on too long"), ((0.5, 0.0, 0.005), "no rise beyond its error since")],
)
def test_a_rise_of_the_same_records_is_told_from_their_spread(rises: tuple[float, ...], verdict: str) -> None:
    found, _ = by_step(*rises)
    (line,) = _too_long(found)
    assert line.startswith("  loss is lowest at step 50 (")
    assert line.endswith(verdict)
    assert float(line.partition("±")[2].partition(":")[0]) == pytest.approx(0.05 * np.sqrt(2 / 100), rel=0.3)


def test_a_loss_that_is_lowest_at_the_end_has_not_risen() -> None:
    (line,) = _too_long(by_step(0.5, 0.2, 0.0)[0])
    assert re.fullmatch(r"  loss is lowest at the end, \d\.\d{4}: it has not risen", line)


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(-0.1, "still changing, so that more training may teach more"), (0.1, "it rises"), (0.0, "no change beyond")],
)
def test_a_loss_that_still_falls_is_told_from_one_that_rises(last: float, verdict: str) -> None:
    found, steps = by_step(0.5, 0.0, last)
    loss, bits = _too_early(found, steps)
    assert loss.startswith("  loss since step 50: ")
    assert verdict in loss
    assert bits.startswith("  bits since step 50: +1 ± 0.28, still changing")


def test_losses_that_are_not_known_say_nothing() -> None:
    found, steps = by_step(*3 * (np.nan,))
    assert not list(_too_long(found))
    assert len(list(_too_early(found, steps))) == 1  # of bits
