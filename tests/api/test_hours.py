"""Runs that would take too long are refused, with the time that they would take."""

from typing import Any

import pytest
import torch
from click.testing import CliRunner
from small import saved, small_model
from torch import Tensor, nn

import maxent_cli as mx
from maxent_cli.api import expectations, hours
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.interpret import sampling
from maxent_cli.interpret.sampling import REFERENCE_DRAWS

ANCHORS = ["GATCATTG", "CCGTATTA", "TTGCAACC"]
LENGTH = len(ANCHORS[0])
LAW = mx.Law(gc=0.5, beta=2.0)
RUN = mx.Sampling(chains=4, replicas=3, draws=10, thin=5, warmup=240, max_steps=50)


class Unread(nn.Module):
    """No stack of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(4 * LENGTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) to (B, 1)."""
        return self.output(torch.softmax(x, 2).flatten(1) if x.sum() > 0 else x.flatten(1))


def refusal(monkeypatch: pytest.MonkeyPatch, seconds: float, **more: Any) -> str | None:
    """What is said if a pass takes so many seconds; None if the run is begun."""
    monkeypatch.setattr(hours, "_seconds_a_pass", lambda *_: seconds)
    monkeypatch.setattr(sampling, "LEAST_TAUGHT", 0)
    torch.manual_seed(0)
    try:
        given = more.pop("anchors", ANCHORS), LAW, more.pop("run", RUN)
        mx.sample(mx.network(Unread(), LENGTH), *given, progress=False, **more).close()
    except InputError as error:
        return str(error)
    return None


def test_what_passes_take_is_counted_by_proposals_of_a_surrogate(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = len(ANCHORS) * (2 * REFERENCE_DRAWS + 12 * 290 / 100)  # as many as 100 steps are decided on at once
    told = refusal(monkeypatch, 100.0, threads=1)
    assert told is not None
    assert f"around 3 anchors would take {passes * 100 / 86400:.1f} days or more on 1 CPUs" in told
    told = refusal(monkeypatch, 100.0, threads=2)
    assert told is not None
    assert f"{passes * 100 / 86400 / 2:.1f} days or more on 2 CPUs" in told


def test_single_letters_take_a_pass_each(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, 100.0, threads=1, run=mx.Sampling(**{**vars(RUN), "moves": "letters"}))
    assert told is not None
    assert f"{len(ANCHORS) * (2 * REFERENCE_DRAWS + 12 * 290) * 100 / 86400:.1f} days or more" in told


def test_what_is_within_the_hours_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"anchors": ANCHORS[:1], "threads": 1}
    seconds = 3600 * 2 / (2 * REFERENCE_DRAWS + 12 * 290 / 100)  # a pass, for a run of two hours
    assert refusal(monkeypatch, seconds, max_hours=1.99, **one) is not None
    assert refusal(monkeypatch, seconds, max_hours=2.01, **one) is None


def test_compiled_draws_are_as_long_as_expected(tmp_path: Any) -> None:
    model, words = saved(tmp_path / "model", small_model(LENGTH)), tmp_path / "anchors.fa"
    words.write_text("".join(f">{number}\n{letters}\n" for number, letters in enumerate(ANCHORS)))
    asked = ["sample", str(words), "--model", model, "--beta", "2", "--gc", "0.5", "--out", str(tmp_path / "d.npz")]
    likely = expectations.drawing(lambda: small_model(LENGTH), mx.Sampling(), 3, 1, 1).seconds
    assert likely is not None
    result = CliRunner().invoke(maxent, [*asked, "--threads", "1", f"--max-hours={0.99 * likely / 3600}"])
    assert result.exit_code == 2, result.output
    assert f"would take {likely:.0f} s or more" in result.output
    assert not list(tmp_path.glob("d.npz*"))
