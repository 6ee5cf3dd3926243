"""The benchmark of a card: its line where there is none, and its measures with the CPU in a card's place."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).parents[2] / "workflows" / "benchmark"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import gpu

    monkeypatch.setattr(gpu, "NETWORKS", {"small": ("finnegan2017", 30, {"filters": 4, "width": 5, "hidden": 4}, 3)})
    monkeypatch.setattr(gpu, "SECONDS", 0.1)
    monkeypatch.setattr(gpu, "BATCHES", (8, 16))
    return gpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is here")
def test_without_a_card_it_says_so_in_one_line() -> None:
    done = subprocess.run([sys.executable, str(BENCHMARK / "gpu.py")], capture_output=True, text=True, check=True)
    assert done.stdout == "no card is here: nothing was measured\n"


def test_what_it_measures(gpu: object) -> None:
    assert gpu.exactness("small", "cpu:0") == "100.0% of chains as on the CPU, full passes"
    rate, error, kernel = gpu.proposals("small", "cpu:0")
    assert rate > error > 0
    assert kernel == "full passes"
    assert gpu.passes("small", "cpu:0")[2] in gpu.BATCHES


def test_draws_that_go_another_way_end_it(gpu: object, monkeypatch: pytest.MonkeyPatch) -> None:
    right = gpu.full_pass_chain
    monkeypatch.setattr(gpu, "full_pass_chain", lambda moves, _: right(moves))
    with pytest.raises(SystemExit, match="of the chains on the card go another way"):
        gpu.exactness("small", "cpu:0")
