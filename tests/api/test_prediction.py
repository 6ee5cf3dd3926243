"""mx.predict: the outputs are the network's, as the command gives them; what is chosen can be sampled."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.commands import maxent
from maxent_cli.data import Shard
from maxent_cli.io.checkpoint import ModelCard, save_model
from maxent_cli.models.architectures import build

LENGTH = 12
LETTERS = [decode(row) for row in np.random.default_rng(2).integers(0, 4, (20, LENGTH), np.uint8)]
NAMED = {f"r{row}": letters for row, letters in enumerate(LETTERS)}


class Counts(nn.Module):
    """Outputs whose difference is worked out by hand: G and C on the one side, T on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4 * LENGTH, 2, bias=False)
        weights = torch.tensor([[0.0, 0, 0, 2], [0, 1, 1, 0]])
        self.linear.weight = nn.Parameter(weights.repeat_interleave(LENGTH, dim=1))

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        return self.linear(one_hot.flatten(1))


def margin(letters: str) -> int:
    return letters.count("G") + letters.count("C") - 2 * letters.count("T")


@pytest.fixture
def network() -> mx.Network:
    return mx.network(Counts(), LENGTH)


def test_contrast_probability_and_calls_are_as_worked_out_by_hand(network: mx.Network) -> None:
    table = mx.predict(network, NAMED, label=1, progress=False).to_frame()
    expected = np.array([margin(letters) for letters in LETTERS])
    assert table["record"].tolist() == list(NAMED)
    assert table["contrast"].to_numpy() == pytest.approx(expected)
    assert table["probability"].to_numpy() == pytest.approx(1 / (1 + np.exp(-expected)))
    assert table["correct"].tolist() == (expected > 0).tolist()
    assert table["label"].tolist() == [1] * len(NAMED)
    turned = mx.predict(network, NAMED, output="0-1", progress=False).to_frame()
    assert turned["contrast"].to_numpy() == pytest.approx(-expected)


def test_a_weighted_sum_has_a_contrast_and_no_probability(network: mx.Network, tmp_path: Path) -> None:
    weights = tmp_path / "weights.tsv"
    weights.write_text("output\tweight\n0\t-0.5\n1\t2\n")
    found = mx.predict(network, NAMED, output=str(weights), out=str(tmp_path / "scores.tsv"), progress=False).to_frame()
    expected = 2 * found["output_1"] - 0.5 * found["output_0"]
    assert found["contrast"].to_numpy() == pytest.approx(expected.to_numpy())
    assert found["probability"].isna().all()
    one = mx.predict(network, NAMED, output=0, progress=False).to_frame()
    assert one["probability"].to_numpy() == pytest.approx(1 / (1 + np.exp(-one["output_0"].to_numpy())))


def test_what_is_chosen_is_highest_first_and_can_be_handed_on(network: mx.Network) -> None:
    found = mx.predict(network, NAMED, label=1, min_contrast=-3, correct=True, top=4, progress=False)
    expected = sorted((name for name in NAMED if margin(NAMED[name]) > 0), key=lambda name: -margin(NAMED[name]))
    assert found.to_frame()["record"][found.rows].tolist() == expected[:4]
    anchors, rejected = found.chosen.read(LENGTH)
    assert (list(anchors.names), rejected) == (expected[:4], [])
    assert np.array_equal(anchors.codes[0], encode(NAMED[expected[0]]))
    again = mx.predict(network, found.chosen, progress=False).to_frame()
    assert again["contrast"].is_monotonic_decreasing
    with pytest.raises(mx.InputError, match="there are none"):
        _ = mx.predict(network, NAMED, min_contrast=1e9, progress=False).chosen


def test_same_bytes_as_the_command(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    card = ModelCard("convnet", 60, ("negative", "positive"), {}, (0.25, 0.25, 0.25, 0.25), {})
    save_model(tmp_path / "model", build("convnet", 60, {}, seed=8), card)
    simulated = mx.simulate(30, 60, out=str(tmp_path / "records.fa"), progress=False).sequences
    model, files = str(tmp_path / "model"), {name: str(tmp_path / name) for name in ("c.tsv", "c.fa", "f.tsv", "f.fa")}
    words = ["--top", "3", "--out", files["c.tsv"], "--select", files["c.fa"]]
    result = CliRunner().invoke(maxent, ["predict", str(tmp_path / "records.fa"), "--model", model, *words])
    assert result.exit_code == 0, result.output
    found = mx.predict(mx.network(model), simulated, top=3, out=files["f.tsv"], select=files["f.fa"], progress=False)
    for kind in ("tsv", "fa"):
        assert Path(files[f"f.{kind}"]).read_bytes() == Path(files[f"c.{kind}"]).read_bytes()
    written = pd.read_csv(files["c.tsv"], sep="\t")
    assert list(written) == list(found.to_frame())
    assert written["contrast"].to_numpy() == pytest.approx(found.to_frame()["contrast"].to_numpy(), rel=1e-5)


def test_parts_are_the_whole_and_threads_as_before(network: mx.Network) -> None:
    before = torch.get_num_threads()
    whole = mx.predict(network, NAMED, threads=before + 1, progress=False).to_frame()
    parts = [mx.predict(network, NAMED, shard=Shard(n, 3), progress=False).to_frame() for n in (1, 2, 3)]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    assert torch.get_num_threads() == before


def test_a_table_gives_the_labels(network: mx.Network, tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    rows = [f"{letters}\t{row % 2}" for row, letters in enumerate([*LETTERS, "ACGT" * 4])]
    path.write_text("\n".join(["sequence\tlabel", *rows]) + "\n")
    assert len(mx.predict(network, table=str(path), progress=False)) == len(LETTERS)
    cropped = mx.predict(network, table=str(path), crop=True, progress=False).to_frame()
    assert cropped["label"].tolist() == [row % 2 for row in range(len(LETTERS) + 1)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "records: either they or a table are needed"),
        ({"given": ["ACGT"], "table": "t.tsv"}, "records: either they or a table are needed"),
        ({"given": []}, "anchors: none are given"),
        ({"table": "t.tsv", "label": 1}, "holds labels"),
        ({"given": ["ACGT"], "correct": True}, "needs labels"),
        ({"given": ["ACGT"], "label": 2}, "label: 2 is not from 0 to 1"),
        ({"given": ["ACGT"], "top": 2, "diverse": 2}, "top: chooses the surest, and excludes diverse"),
        ({"given": ["ACGT"], "diverse": 5001}, "diverse: 5001 is not from 1 to 5000"),
        ({"given": ["ACGT"], "select": "a.fa", "shard": Shard(1, 2)}, "select: chooses among all records"),
        ({"given": ["ACGT" * 3], "output": "2-0"}, "numbered 0 to 1"),
        ({"given": ["ACGT" * 3], "output": "0,1"}, "2 are given, and a contrast is of 1"),
        ({"given": ["ACGT"]}, "all 1 records were rejected .*shorter than 12 bp"),
    ],
)
def test_what_excludes_what_is_said(network: mx.Network, given: dict[str, object], said: str) -> None:
    with pytest.raises(mx.InputError, match=said):
        mx.predict(network, progress=False, **given)  # type: ignore[arg-type]
