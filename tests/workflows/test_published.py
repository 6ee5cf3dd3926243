"""Published networks as they come: adopted, checked by the doctor, and drawn from, with random weights."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from keras_by_hand import write_keras

import maxent_cli as mx
from maxent_cli.api import examining
from maxent_cli.commands import maxent
from maxent_cli.models.families import FAMILIES

EXAMPLES = Path(__file__).parents[2] / "workflows" / "examples"
SHORT = {"chains": 4, "replicas": 3, "draws": 8, "thin": 5, "warmup": 240, "max_steps": 40}
# name -> arguments that make it small, and what is said to adopt
SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "basset": ({"outputs": 3}, {"output": "1"}),
    "bpnet": ({"filters": 8, "layers": 2, "output_length": 60}, {"input_length": 200, "head": "counts"}),
    "chrombpnet": (
        {"filters": 8, "layers": 2, "bias_filters": 4, "bias_layers": 1, "output_length": 60},
        {"input_length": 200, "head": "counts", "layer": "output"},  # no representation that its counts go through
    ),
    "chrombpnet-nobias": ({"filters": 8, "layers": 2, "output_length": 60}, {"input_length": 200, "head": "counts"}),
    "deepbind": ({"hidden": 8}, {"input_length": 60}),
    "deepsea": ({"outputs": 2}, {}),
    "deepstarr": ({}, {"output": "0"}),
    "published:DanQ": ({"input_length": 120, "filters": 8, "states": 6, "outputs": 3}, {"output": "2"}),
    "published:Malinois": ({"trunk": 20, "branch": 8}, {"output": "0-1"}),
    "published:EnformerLike": ({"input_length": 128, "channels": 16, "layers": 1}, {"output": "3"}),
    "published:Tokenised": ({"input_length": 60, "k": 3, "width": 16, "layers": 1}, {}),
}
QUICK = ("deepbind",)  # in a few seconds; the manual's networks are of the other kinds


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "published", raising=False)
    monkeypatch.setattr(examining, "TEST_SECONDS", 0.1)
    return tmp_path


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in SMALL]
)
def test_it_is_adopted_and_drawn_from(here: Path, name: str) -> None:
    arguments, said = SMALL[name]
    model = str(here / "model")
    network = mx.adopt(name, arguments=arguments, gc=0.41, out=model, progress=False, **said)
    again = mx.network(model, trust_code=":" in name)
    assert again.input_length == network.input_length is not None
    anchor = "".join(np.random.default_rng(1).choice(list("ACGT"), network.input_length))
    with mx.sample(again, [anchor], sampling=mx.Sampling(**SHORT), progress=False) as draws:
        assert np.ptp(draws[0].energy) > 0


def test_all_families_are_tried() -> None:
    assert {name for name in SMALL if ":" not in name} == FAMILIES.keys()


@pytest.mark.slow
def test_the_profile_of_a_network_is_drawn_from_too(here: Path) -> None:
    arguments, said = SMALL["bpnet"]
    said = dict(said)
    model = str(here / "model")
    torch.manual_seed(3)
    mx.adopt(
        "bpnet",
        arguments=arguments,
        gc=0.41,
        out=model,
        progress=False,
        **said | {"head": "profile", "output": "0", "layer": "fconv"},
    )
    anchor = "".join(np.random.default_rng(1).choice(list("ACGT"), 200))
    law = mx.Law("profile", output="20:40")
    with mx.sample(mx.network(model), [anchor], law=law, sampling=mx.Sampling(**SHORT), progress=False) as draws:
        assert draws.header["law"]["held"] == "profile"
        assert np.ptp(draws[0].energy) > 0


def test_a_file_of_keras_from_the_command_line(here: Path) -> None:
    write_keras(here / "nucleosomes.h5", 60)
    out = str(here / "model")
    words = ["adopt", str(here / "nucleosomes.h5"), "--letters", "ATGC", "--gc", "0.38", "--out", out, "--threads", "1"]
    found = CliRunner().invoke(maxent, words)
    assert found.exit_code == 0, found.output
    assert "channels A, T, G, C" in found.output
    assert "no code is run" in found.output
    (here / "anchors.fa").write_text(">a\n" + "ACGTTGCAAC" * 6 + "\n")
    short = ["--chains", "4", "--replicas", "3", "--draws", "5", "--thin", "5", "--warmup", "240"]
    words = ["sample", str(here / "anchors.fa"), "--model", out, *short, "--out", str(here / "draws.npz")]
    found = CliRunner().invoke(maxent, words)
    assert found.exit_code in (0, 3), found.output
    assert mx.open_draws(str(here / "draws.npz"))[0].kernel == "compiled"
