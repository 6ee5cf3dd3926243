"""`--device` of a card, with the CPU in its place (cpu:0): parts, the end of memory, a lost card, what is said."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from running import invoke
from small import saved, small_model
from torch import nn

from maxent_cli.data import SampleSet
from maxent_cli.engine import gathering
from maxent_cli.errors import is_lost_card, is_out_of_memory
from maxent_cli.interpret.law import Represented
from maxent_cli.io import unfinished
from maxent_cli.io.samples import open_draws
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.pieces import Pieces

RECORDS = {"one": "GATCATTG", "two": "CCGTATTA", "three": "TTGCAACC"}
RUN = "--chains 4 --replicas 3 --draws 10 --thin 5 --warmup 240 --beta 20 --max-steps 50 --threads 1 --device cpu:0"


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    (tmp_path / "anchors.fa").write_text("".join(f">{name}\n{word}\n" for name, word in RECORDS.items()))
    return [str(tmp_path / "anchors.fa"), "--model", saved(tmp_path / "model", small_model(8)), *RUN.split()]


def draws_of(path: Path) -> list[SampleSet]:
    with open_draws(str(path)) as draws:
        return list(draws)


def test_parts_put_together_are_the_whole(tmp_path: Path, inputs: list[str]) -> None:
    whole, merged, parts = tmp_path / "whole.npz", tmp_path / "merged.npz", [tmp_path / f"{n}.npz" for n in (1, 2)]
    invoke("sample", *inputs, "-o", str(whole))
    for number, part in enumerate(parts, 1):
        invoke("sample", *inputs, "--shard", f"{number}/2", "-o", str(part))
    invoke("merge", *map(str, parts), "-o", str(merged))
    for one, other in zip(draws_of(whole), draws_of(merged), strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        np.testing.assert_allclose(one.energy, other.energy, atol=1e-5)


def test_where_a_card_is_lost_the_work_is_kept_and_gone_on_with(
    tmp_path: Path, inputs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("sample", *inputs, "-o", str(tmp_path / "whole.npz"))
    out, bursts, right = tmp_path / "out.npz", [0], gathering.burst

    def burst(*given: object) -> object:
        bursts[0] += 1
        if bursts[0] == 14:
            raise RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported later")
        return right(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as lost:
        lost.setattr(gathering, "burst", burst)
        lost.setattr(unfinished, "INTERVAL", 0)
        result = invoke("sample", *inputs, "-o", str(out), code=4)
    assert "the GPU was lost (CUDA error: unspecified launch failure); run the same command again" in result.stderr
    assert list((tmp_path / "out.npz.partial").iterdir())
    invoke("sample", *inputs, "-o", str(out))
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_where_its_memory_ends_passes_are_halved_which_is_said(
    tmp_path: Path, inputs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("sample", *inputs, "-o", str(tmp_path / "whole.npz"))
    sizes, right = list[int](), Represented.__call__

    def look(self: Represented, codes: torch.Tensor) -> torch.Tensor:
        sizes.append(len(codes))
        if len(codes) > 16:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return right(self, codes)

    monkeypatch.setattr(Represented, "__call__", look)
    with pytest.warns(UserWarning, match=r"the card's memory ended; \d+ sequences a pass from here on"):
        invoke("sample", *inputs, "-o", str(tmp_path / "out.npz"))
    assert max(sizes) > 16 >= sizes[-1]
    for one, other in zip(draws_of(tmp_path / "whole.npz"), draws_of(tmp_path / "out.npz"), strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)


def test_memory_that_does_not_do_for_one_sequence_ends_the_run() -> None:
    def never(_: torch.Tensor) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.warns(UserWarning, match="the card's memory ended; 1 "), pytest.raises(torch.OutOfMemoryError):
        Pieces(8)(never, torch.zeros(3))


def test_a_card_that_is_not_used_is_said(tmp_path: Path, inputs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    on_the_cpu = [*inputs[:-2], "--device", "cpu"]
    assert "a GPU is here and is not used" in invoke("sample", *on_the_cpu, "-o", str(tmp_path / "out.npz")).stderr


def test_doctor_says_how_many_anchors_go_together(tmp_path: Path, inputs: list[str]) -> None:
    out = tmp_path / "doctor.json"
    result = invoke("doctor", *inputs, "--out", str(out))
    assert "3 anchors, 3 at once on cpu:0" in result.stdout
    assert json.loads(out.read_text())["run"]["at_once"] == 3


class DriverError(Exception):
    """As numba's driver of a card raises it."""

    __module__ = "numba.cuda.cudadrv.driver"


@pytest.mark.parametrize(
    ("error", "lost", "memory"),
    [
        (RuntimeError("CUDA error: unspecified launch failure"), True, False),
        (DriverError("[719] Call to cuStreamSynchronize results in CUDA_ERROR_LAUNCH_FAILED"), True, False),
        (DriverError("[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY"), False, True),
        (ValueError("CUDA_ERROR_LAUNCH_FAILED"), False, False),
    ],
)
def test_a_lost_card_is_told_from_one_whose_memory_ended(error: Exception, lost: bool, memory: bool) -> None:
    assert (is_lost_card(error), is_out_of_memory(error)) == (lost, memory)


def test_a_card_that_is_lost_in_somebodys_network_is_no_fault_of_the_network() -> None:
    class Theirs(nn.Sequential):
        lost = False

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            if Theirs.lost:
                raise RuntimeError("CUDA error: unspecified launch failure")
            return super().forward(given)  # type: ignore[no-any-return]

    net = Theirs(nn.Conv1d(4, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(21, 2))
    adapted = AdaptedNetwork(net, 9, Reading(), "theirs")
    Theirs.lost = True
    with pytest.raises(RuntimeError, match="launch failure"):
        adapted(torch.zeros(2, 4, 9))


def test_readings_of_a_device_are_those_of_the_cpu(tmp_path: Path, inputs: list[str]) -> None:
    """Passes of the network alone: of prefixes, and of patterns at checkpoints."""
    anchors, model = inputs[0], inputs[2]
    prefix = ["attribute", anchors, "--method", "prefix", "--model", model, "--gc", "0.4", "--logos", "none"]
    patterns = ["learning", "--model", model, "--model", model, "--positives", anchors]
    found = []
    for place in ("cpu", "cpu:0"):
        out = tmp_path / place
        out.mkdir(exist_ok=True)
        for number, command in enumerate((prefix, patterns)):
            invoke(*command, "--device", place, "--out", str(out / str(number)))
        found.append([(out / name).read_text() for name in ("0/positions.tsv", "0/reading.tsv", "1/patterns.tsv")])
    assert found[0] == found[1]
