"""Every calibration, small: what it counts is not outside its bounds by more than so few replicates leave open.

In full: python -m tests.calibration.full --out tests/calibration/table.md
"""

import pytest

from .calibrations import CALIBRATIONS
from .lines import Line, share, spread

ERRORS = 3.5


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_calibrated(name: str) -> None:
    calibration, few, _ = CALIBRATIONS[name]
    lines = list(calibration(few))
    assert lines
    assert not [line for line in lines if not line.holds(ERRORS)]


def test_a_line_outside_its_bounds_does_not_hold() -> None:
    assert share("", [True] * 80 + [False] * 20, 0.93, 0.97).holds() is False
    assert share("", [True] * 80 + [False] * 20, 0.93, 0.97).holds(ERRORS) is True
    assert share("", [True] * 50 + [False] * 50, 0.93, 0.97).holds(ERRORS) is False
    assert spread("", [3.0, -3.0] * 20).holds(ERRORS) is False
    assert Line("", float("nan"), 0.0, 0.0, 1.0, 1).holds() is False
