"""Every calibration, small: what it counts is not outside its bounds by more than so few replicates leave open.

In full: python -m tests.calibration.full --out tests/calibration/table.md
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from . import full
from .calibrations import CALIBRATIONS, Planned
from .lines import Line, joined, mean, share, spread

ERRORS = 3.5


@pytest.mark.parametrize("name", [name for name, planned in CALIBRATIONS.items() if planned.few])
def test_calibrated(name: str) -> None:
    lines = list(CALIBRATIONS[name].run(range(CALIBRATIONS[name].few)))
    assert lines
    assert not [line for line in lines if not line.holds(ERRORS)]


def test_a_line_outside_its_bounds_does_not_hold() -> None:
    assert share("", [True] * 80 + [False] * 20, 0.93, 0.97).holds() is False
    assert share("", [True] * 80 + [False] * 20, 0.93, 0.97).holds(ERRORS) is True
    assert share("", [True] * 50 + [False] * 50, 0.93, 0.97).holds(ERRORS) is False
    assert spread("", [3.0, -3.0] * 20).holds(ERRORS) is False
    assert mean("", [0.2], 0.0, 1.0).holds() is True  # one value has no error
    assert Line("", "mean", (float("nan"),), 0.0, 1.0).holds() is False


def test_pieces_hold_each_replicate_once() -> None:
    for planned in CALIBRATIONS.values():
        assert [number for piece in planned.pieces for number in piece] == list(range(planned.full))


def noisy(replicates: range) -> Iterator[Line]:
    """Two claims."""
    values = [np.random.default_rng(number).normal() for number in replicates]
    yield mean("mean", values, -1.0, 1.0)
    yield share("share", np.array(values) > 0, 0.0, 1.0)


def test_pieces_give_what_all_replicates_at_once_do() -> None:
    whole = list(noisy(range(30)))
    assert joined([*noisy(range(20)), *noisy(range(20, 30))]) == whole


def test_goes_on_where_it_was_ended_and_mixes_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = list[int]()

    def counted(replicates: range) -> Iterator[Line]:
        """Of noise."""
        ran.extend(replicates)
        yield from noisy(replicates)

    monkeypatch.setattr(full, "CALIBRATIONS", {"noisy": Planned(counted, 0, 30, 10)})
    out, partial = tmp_path / "table.md", tmp_path / "table.md.partial"
    arguments = ["full", "--out", str(out)]
    monkeypatch.setattr("sys.argv", [*arguments, "--minutes", "0"])
    assert full.main() == full.STOPPED
    assert "So far 0 of 3 pieces" in out.read_text()
    piece, other = full.piece("noisy", range(10, 20)), full.piece("noisy", range(10)) | {"code": "other"}
    partial.write_text(f"{json.dumps(piece)}\n{json.dumps(other)}\n" + json.dumps(piece)[:40])  # and one cut off
    ran.clear()
    monkeypatch.setattr("sys.argv", arguments)
    assert full.main() == 0
    assert ran == [*range(10), *range(20, 30)]
    assert not partial.exists()
    assert "So far" not in out.read_text()
    assert full.row(next(noisy(range(30)))) in out.read_text()
