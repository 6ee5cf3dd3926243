"""Inputs of kinds that readers meet once in a thousand, by the real command line: a line that names what is wrong."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from analysis.sample_sets import independent_draws, sample_set
from click.testing import CliRunner, Result
from report_files import HEADER, write_parts
from small import saved, small_model

from maxent_cli.commands import maxent
from maxent_cli.data import SampleSet
from maxent_cli.io.samples import writing_draws

LENGTH = 12
ADOPT = f"adopt --input-length {LENGTH} --gc 0.4 --threads 1 --out out"
RUN = "--chains 4 --replicas 3 --draws 4 --thin 2 --max-steps 8 --warmup 240 --beta 5 --threads 1 --gc 0.4"
USING = [
    "predict anchors.fa --threads 1 --out out",
    f"doctor anchors.fa {RUN}",
    f"sample anchors.fa {RUN} --out out",
    "attribute anchors.fa --method saliency --logos none --threads 1 --gc 0.4 --out out",
]
DRAWING = [*USING[1:], f"gc-probe anchors.fa {RUN} --mu 0,1 --out out"]
ODD_DEVICES = ["meta", "cuda:99", "nonsense", "", "mps", "cuda:-1", "cpu:7", "xla", "cuda:9999999999999999999"]
READING = [
    "motifs draws.npz --logos none --out out",
    "dependence draws.npz --maps none --out out",
    "periodicity draws.npz --out out",
    "report draws.npz --out out",
]
NETWORK = """
import torch
from torch import nn


def plain():
    return nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1))


def complex():
    return plain().to(torch.complex64)


def float8():
    return plain().to(torch.float8_e4m3fn)


def half():
    return plain().half()


def integer():
    network = plain()
    network.register_buffer("count", torch.ones(3, dtype=torch.int64))
    return network


def meta():
    return plain().to("meta")


def sparse():
    network = plain()
    network[3].weight = nn.Parameter(network[3].weight.detach().to_sparse())
    return network


def quantised():
    network = plain()
    network.register_buffer("scale", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8))
    return network


def nan():
    network = plain()
    network[3].weight.data.fill_(float("nan"))
    return network
"""
ONES = torch.ones(1, 64)
ODD_WEIGHTS: dict[str, Callable[[], torch.Tensor]] = {
    "quantised": lambda: torch.quantize_per_tensor(ONES, 0.1, 0, torch.quint8),
    "sparse": ONES.to_sparse,
    "compressed": ONES.to_sparse_csr,
    "meta": lambda: ONES.to("meta"),
    "complex": lambda: ONES.to(torch.complex64),
    "nan": lambda: ONES * float("nan"),
    "nan in 8 bits": lambda: (ONES * float("nan")).to(torch.float8_e4m3fn),
}
if hasattr(torch, "float8_e8m0fnu"):  # from torch 2.7 on
    ODD_WEIGHTS["scaled in 8 bits"] = lambda: ONES.to(torch.float8_e8m0fnu)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    saved(tmp_path / "model", small_model(LENGTH))
    (tmp_path / "anchors.fa").write_text(">a\nGATCATTGACGT\n>b\nCCGTATTACCAA\n")
    (tmp_path / "odd.py").write_text(NETWORK)
    yield tmp_path
    sys.modules.pop("odd", None)


def run(line: str, code: int = 1) -> str:
    """The last line on stderr, of a run that may leave nothing behind."""
    before = {place for place in Path().rglob("*") if "__pycache__" not in place.parts}
    result: Result = CliRunner().invoke(maxent, line.split())
    assert result.exit_code == code, result.output + repr(result.exception)
    assert "Traceback" not in result.output
    last = result.stderr.splitlines()[-1] if result.stderr else ""
    if code:
        assert re.fullmatch(r"maxent: [^;]+: .+; .+", last), last
        assert {place for place in Path().rglob("*") if "__pycache__" not in place.parts} == before
    return last


@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ODD_WEIGHTS)
def test_odd_weights_in_a_file(kind: str) -> None:
    weights = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(64, 1))
    torch.save(weights.state_dict() | {"3.weight": ODD_WEIGHTS[kind]()}, "odd.pt")
    line = f"{ADOPT} odd:plain --weights odd.pt"
    if kind != "scaled in 8 bits":
        assert "odd.pt: 3.weight: " in run(line)
        return
    run(line, 0)
    use("out")


@pytest.mark.usefixtures("folder")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["complex", "float8", "meta", "sparse", "quantised", "nan"])
def test_odd_weights_of_a_factory(kind: str) -> None:
    assert run(f"{ADOPT} odd:{kind}").startswith(f"maxent: odd:{kind}: ")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", ["half", "integer"])
def test_odd_weights_that_can_be_used(kind: str) -> None:
    run(f"{ADOPT} odd:{kind}", 0)
    use("out")


def use(model: str) -> None:
    """Give a model folder to each command."""
    Path(model).rename("adopted")
    for line in USING:
        run(f"{line.replace('--out out', f'--out {line.split()[0]}')} --model adopted --trust-code", 0)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("device", ODD_DEVICES)
@pytest.mark.parametrize("line", [USING[0], *DRAWING], ids=lambda line: line.split()[0])
def test_odd_devices(line: str, device: str) -> None:
    last = run_device(line, device)
    assert "device: " in last
    assert "; give cpu" in last


def run_device(line: str, device: str) -> str:
    result = CliRunner().invoke(maxent, [*line.split(), "--model", "model", "--device", device])
    assert result.exit_code == 2, result.output + repr(result.exception)
    assert not Path("out").exists()
    return result.stderr.splitlines()[-1]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("fix", ["20-10", "5-5", "", "40", "3-13", "3,x", "nothing.bed"])
def test_positions_that_cannot_be_fixed(fix: str) -> None:
    for line in (DRAWING[1], DRAWING[2], DRAWING[3]):
        result = CliRunner().invoke(maxent, [*line.split(), "--model", "model", "--fix", fix])
        assert result.exit_code == 1, result.output
        last = result.stderr.splitlines()[-1]
        assert re.fullmatch(r"maxent: .+; give .+", last), last
        assert (fix or "''") in last, last
        assert not list(Path().glob("out*"))


@pytest.mark.usefixtures("folder")
def test_links_in_a_circle() -> None:
    for name, other in (("one", "other"), ("other", "one")):
        Path(name).symlink_to(other)
    Path("self").symlink_to("self")
    for odd in ("one", "self"):
        lines = [
            f"predict {odd} --model model --out out",
            f"predict anchors.fa --model {odd} --out out",
            f"{ADOPT} odd:plain --weights {odd}",
            f"{ADOPT} odd:plain --table {odd}",
            f"{ADOPT} {odd}",
            f"adopt odd:plain --input-length {LENGTH} --threads 1 --out {odd}",
            f"predict anchors.fa --model model --out {odd}",
            f"predict anchors.fa --model model --out {odd}/in",
            f"predict anchors.fa --model model --select {odd} --label 1 --out out",
            f"attribute anchors.fa --model model --method saliency --out {odd}",
            f"sample anchors.fa --model model {RUN} --out out --fix {odd}.bed",
            f"sample anchors.fa --model model {RUN} --out {odd}",
            f"motifs {odd} --out out",
            f"merge {odd} --out out",
            f"provenance {odd}",
            f"provenance anchors.fa --config {odd}",
            f"report {odd} --out out",
            f"compare {odd} {odd} --out out",
            f"simulate --motifs {odd} --plant a --out out",
            f"train --positives {odd} --out out",
            f"train --positives anchors.fa --genome {odd} --out out",
        ]
        for line in lines:
            assert odd in run(line)


@pytest.mark.usefixtures("folder")
def test_circles_within_folders() -> None:
    (Path("model") / "circle").symlink_to("circle")
    (Path("model") / "up").symlink_to("..")
    run("predict anchors.fa --model model --out out", 0)
    run("attribute anchors.fa --model model --method saliency --logos none --out folder", 0)
    Path("folder/up").symlink_to("..")
    assert "folder: holds up, which maxent did not write" in run(
        "attribute anchors.fa --model model --method saliency --logos none --out folder"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("line", USING, ids=lambda line: line.split()[0])
def test_named_pipes_in_a_model(line: str, name: str) -> None:
    place = Path("model") / name
    place.unlink()
    os.mkfifo(place)
    assert f"model/{name}: is not a file; " in run(f"{line} --model model")


@pytest.mark.usefixtures("folder")
def test_named_pipes_elsewhere() -> None:
    os.mkfifo("pipe.bed")
    os.mkfifo("pipe")
    os.mkfifo("pipe.py")
    os.mkfifo("anchors.fa.provenance.json")
    for line in [
        "predict anchors.fa --model pipe --out out",
        f"{ADOPT} odd:plain --weights pipe",
        f"{ADOPT} odd:plain --table pipe",
        f"{ADOPT} pipe",
        f"{ADOPT} pipe:network",
        "predict pipe.bed --genome pipe --model model --out out",
        "motifs pipe --out out",
        "dependence pipe --out out",
        "merge pipe --out out",
        "provenance pipe",
        "provenance anchors.fa",
        "report pipe --out out",
        "compare pipe pipe --out out",
    ]:
        assert ("pipe" if "pipe" in line else "anchors.fa.provenance.json") in run(line)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("device", ["zero", "urandom"])
def test_devices_that_never_end(device: str) -> None:
    for name in ("endless", "endless.bed"):
        Path(name).symlink_to(f"/dev/{device}")
    for line in [
        "predict endless --model model --out out",
        "predict endless.bed --genome anchors.fa --model model --out out",
        "predict anchors.fa --model model --config endless --out out",
        "train --positives endless --out out",
        "train --positives anchors.fa --negatives endless --out out",
        "train --table endless --out out",
        "simulate --motifs endless --plant a --out out",
        "motifs endless --out out",
        f"sample anchors.fa --model model {RUN} --fix endless.bed --out out",
    ]:
        assert "endless" in run(line)


DEEP = {"brackets": "[" * 100_000, "objects": '{"a":' * 100_000, "closed": "[" * 100_000 + "]" * 100_000}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_json(text: str) -> None:
    known = Path("model/model.json").read_text()
    Path("model/model.json").write_text(text)
    assert "model/model.json: " in run("predict anchors.fa --model model --out out")
    Path("model/model.json").write_text(known.replace('"training": {}', f'"training": {{"a": {text}}}'))
    assert "model/model.json: " in run("predict anchors.fa --model model --out out")
    Path("anchors.fa.provenance.json").write_text(text)
    run("provenance anchors.fa")
    result = CliRunner().invoke(maxent, [*ADOPT.split(), "odd:plain", "--arguments", text])
    assert result.exit_code == 2
    assert "is not JSON" in result.stderr or "give a JSON object" in result.stderr
    Path("run.toml").write_text(f"[law]\nkeep = {text}")
    run("predict anchors.fa --model model --config run.toml --out out")
    with Path("draws.npz").open("wb") as stream:
        np.savez(stream, header=np.array(text))
    for line in READING[:3]:
        assert "draws.npz: is not a whole draws file" in run(line)
    header = json.dumps({"schema": 1, "anchors": 1})
    with Path("draws.npz").open("wb") as stream:
        np.savez(stream, header=np.array(header), record_000000=np.array(text))
    for line in READING[:3]:
        assert "draws.npz: is not a whole draws file" in run(line)


def nothing_mutable(samples: SampleSet) -> SampleSet:
    return replace(samples, mutable=np.zeros_like(samples.mutable))


def unknown_codes(samples: SampleSet) -> SampleSet:
    return replace(samples, codes=np.full_like(samples.codes, 4))


def half_a_pair(samples: SampleSet) -> SampleSet:
    return replace(samples, name="a\ud800b")


def nan_background(samples: SampleSet) -> SampleSet:
    return replace(samples, background=samples.background * np.nan)


def one_chain(samples: SampleSet) -> SampleSet:
    parts = replace(samples.replicas, energy=samples.replicas.energy[:1], output=samples.replicas.output[:1])
    parts = replace(parts, letters=parts.letters[:1])
    return replace(
        samples, codes=samples.codes[:1], energy=samples.energy[:1], output=samples.output[:1], replicas=parts
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", [nothing_mutable, unknown_codes, half_a_pair, nan_background, one_chain])
@pytest.mark.parametrize("line", READING[:3], ids=lambda line: line.split()[0])
def test_odd_draws(line: str, change: Callable[[SampleSet], SampleSet]) -> None:
    write_parts(Path(), ["a", "b"])
    with writing_draws("draws.npz", HEADER) as draws:
        codes = independent_draws(np.random.default_rng(1), np.full((40, 4), 0.25), 2, 8)
        draws.add(sample_set(codes))
        draws.add(change(sample_set(codes)))
    assert "draws.npz: " in run(line)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", READING, ids=lambda line: line.split()[0])
def test_draws_without_anchors(line: str) -> None:
    """As those of a part of a run that has more parts than records."""
    write_parts(Path(), ["a", "b"])
    with writing_draws("draws.npz", HEADER):
        pass
    empty = line.split()[0] in ("motifs", "dependence")
    assert "draws.npz" in run(line) if not empty else run(line, 0)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("value", [[float("nan")] * 4, [0.25, 0.25, 0.25, float("inf")], [0.5, 0.5], "ACGT"])
def test_odd_backgrounds_of_a_card(value: Any) -> None:
    card = Path("model/model.json")
    card.write_text(json.dumps(json.loads(card.read_text()) | {"background": value}))
    for line in USING:
        assert "model/model.json: " in run(f"{line} --model model")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("value", ["", "0", "-3", "4(x2)", "²", "9" * 5000, "1e3", " 2", "two", "\u0663"])
@pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "NSLOTS", "PBS_NUM_PPN", "NCPUS", "LSB_DJOB_NUMPROC"])
def test_odd_numbers_of_cores(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(maxent, ["predict", "anchors.fa", "--model", "model", "--out", "out"])
    assert result.exit_code == 0, result.output
    notice = f"NOTE: {name}={value[:40]} is not a number of CPUs, and is passed over"
    assert result.stderr.count(notice) == 1
