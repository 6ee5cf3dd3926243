"""The benchmark of a card: its line where there is none, and its measures with the CPU in a card's place."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maxent_cli.engine import card
from maxent_cli.interpret import sampling

BENCHMARK = Path(__file__).parents[2] / "workflows" / "benchmark"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import gpu

    return gpu


def stack(gpu: object) -> object:
    return next(iter(gpu.SMALL.stepped.values()))


def with_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread of the CPU in place of a card's kernel."""
    monkeypatch.setattr(card, "is_ready", lambda device: device.index == 0)
    monkeypatch.setattr(card, "launcher", lambda _: card.by_one_thread)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is here")
def test_without_a_card_it_says_so_in_one_line() -> None:
    done = subprocess.run([sys.executable, str(BENCHMARK / "gpu.py")], capture_output=True, text=True, check=True)
    assert done.stdout == "no card is here: nothing was measured\n"


@pytest.mark.slow
def test_it_is_rehearsed_from_end_to_end(gpu: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick = replace(gpu.SMALL, seconds=0.1, timed_seconds=0.5, trained=(40, 1))
    monkeypatch.setattr(gpu, "SMALL", quick)
    out = tmp_path / "gpu.md"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu:0", "--small", "--out", str(out)])
    assert gpu.main() == 0
    said = out.read_text()
    for row in ("exactness", "proposals a second", "share of these", "converged anchors a second", ": time |"):
        assert row in said


@pytest.mark.slow
def test_every_way_of_a_card_is_checked(gpu: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_card(monkeypatch)
    ways = ["100.0% of chains as on the CPU, compiled for the card", "100.0% of chains as on the CPU, full passes"]
    assert list(gpu.exactness(stack(gpu), "cpu:0")) == ways
    assert not list(gpu.surrogates(stack(gpu), "cpu:0"))
    monkeypatch.setattr(sampling, "MOST_COMPILED", 0)
    assert list(gpu.surrogates(gpu.SMALL.timed[1], "cpu:0")) == ["100.0% of chains as on the CPU, surrogate"]


def test_draws_that_go_another_way_end_it(gpu: object, monkeypatch: pytest.MonkeyPatch) -> None:
    right = gpu.full_pass_chain
    monkeypatch.setattr(gpu, "full_pass_chain", lambda moves, _: right(moves))
    with pytest.raises(SystemExit, match="of the chains on the card go another way"):
        list(gpu.exactness(stack(gpu), "cpu:0"))


def test_the_whole_has_a_row_for_each_figure(gpu: object) -> None:
    shapes = [*gpu.WHOLE.stepped.values(), gpu.WHOLE.timed[1]]
    assert [(one.architecture, one.length) for one in shapes] == [
        ("finnegan2017", 101),
        ("residual", 2114),
        ("residual", 2114),
    ]
    assert gpu.WHOLE.timed[1].arguments == {"filters": 512, "blocks": 8}
    assert gpu.WHOLE.counted == 100
