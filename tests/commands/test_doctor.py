"""maxent doctor: what it says of networks that are as they should be, and of those that are not."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from small import saved, small_model
from thinned import thinned

from maxent_cli.api import examining
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.interpret import checkup, self_test
from maxent_cli.io.checkpoint import ModelCard, save_model
from maxent_cli.io.networks import NetworkSource, load_network
from maxent_cli.io.user_code import copy_code
from maxent_cli.models.adapter import Reading

TOPICS = [
    "network",
    "representation",
    "outputs",
    "modes",
    "repeatable",
    "speed",
    "kernel",
    "run",
    "variants",
    "prefixes",
    "crossing",
    "learning",
    "copies",
    "self-test",
]
BRIEF = {"CHAINS": 16, "DRAWS": 8, "WARMUP": 240}  # of the self-test, where no test is of its power
POWER = {name: getattr(self_test, name) for name in BRIEF}
LENGTH = 16
MOTIF = "GATTACA"
CODE = f"""
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self, last=None, norm=False, order="ACGT"):
        super().__init__()
        self.scan, self.last = nn.Conv1d(4, 3, 7), last
        self.norm = nn.BatchNorm1d(3, track_running_stats=False) if norm else nn.Identity()
        self.drop, self.output = nn.Dropout(), nn.Linear(3, 2)
        with torch.no_grad():
            self.scan.weight[0] = -1
            for place, letter in enumerate("{MOTIF}"):
                self.scan.weight[0, order.index(letter), place] = 1
            self.scan.bias[0] = 0
            self.output.weight[:] = torch.tensor([[0.0, 0.01, 0.01], [1.0, 0.01, 0.01]])

    def forward(self, x):
        y = self.output(self.drop(torch.relu(self.norm(self.scan(x))).amax(-1)))
        return y if self.last is None else getattr(torch, self.last)(y) / 2
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks, anchors and labelled sequences in the current folder."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        letters = rng.choice(list("ACGT"), LENGTH)
        if number % 2:
            start = rng.integers(0, LENGTH - len(MOTIF) + 1)
            letters[start : start + len(MOTIF)] = list(MOTIF)
        rows.append(("".join(letters), number % 2))
    (tmp_path / "doctored.py").write_text(CODE)
    (tmp_path / "table.tsv").write_text("sequence\tlabel\n" + "".join(f"{s}\t{label}\n" for s, label in rows))
    (tmp_path / "anchors.fa").write_text(f">one\n{rows[1][0]}\n>two\n{rows[3][0]}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "doctored", raising=False)
    for name, value in BRIEF.items():
        monkeypatch.setattr(self_test, name, value)
    return tmp_path


def doctor(*arguments: str, expect: int = 0, **given: Any) -> Result:
    """The doctor on an adopted network, which nobody examined before."""
    adopted(given)
    model = ["--model", "model", "--trust-code", "--gc", "0.5", "--threads", "1"]
    result = CliRunner().invoke(maxent, ["doctor", "anchors.fa", *model, *arguments])
    assert result.exit_code == expect, result.output
    return result


def adopted(arguments: dict[str, Any], **reading: Any) -> None:
    """A model folder of a network of the current folder."""
    Path("model").mkdir()
    network = load_network(NetworkSource("doctored:Network", arguments))
    code = copy_code(Path("model/code"), "doctored", "doctored.py")
    read = Reading(**reading)
    card = ModelCard("doctored:Network", LENGTH, ("a", "b"), arguments, None, {}, read, code=code)
    save_model(Path("model"), network, card)


def adopt(*arguments: str, expect: int = 0, **given: Any) -> str:
    """What adopting it says."""
    words = ["adopt", "doctored:Network", "--arguments", json.dumps(given), "--input-length", str(LENGTH)]
    result = CliRunner().invoke(maxent, [*words, "--gc", "0.5", "--threads", "1", "--out", "model", *arguments])
    assert result.exit_code == expect, result.output
    return result.stderr


def findings(*arguments: str, expect: int = 0, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(doctor("--json", *arguments, expect=expect, **given).stdout)
    return found


def test_a_line_a_finding() -> None:
    lines = doctor().stdout.splitlines()
    assert [line.split()[0] for line in lines] == TOPICS
    unread = {"copies"}  # a maximum over positions, as it is written here, is no layer that is read
    assert {line.split()[0] for line in lines if line.split()[1] != "ok"} == unread


def test_findings_are_said_before_the_last_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise InputError("one", "", "is where it ended", "wait")

    monkeypatch.setattr(examining, "self_test", stopped)
    result = doctor(expect=1)
    assert [line.split()[0] for line in result.stdout.splitlines()] == TOPICS[:-1]
    assert result.stderr.splitlines()[-1] == "maxent: one: is where it ended; wait"


def test_a_slow_network_is_looked_at_with_fewer_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    """And all that is asked of it is said all the same."""
    seen = list[int]()
    whole = checkup.Patient.all_outputs
    monkeypatch.setattr(checkup.Patient, "all_outputs", lambda own, codes: seen.append(len(codes)) or whole(own, codes))
    findings()
    assert max(seen) == 512
    seen.clear()
    monkeypatch.setattr(checkup.Patient, "rate", 20.0)
    Path("model").rename("before")
    found = findings()
    assert max(seen) == 20
    assert list(found) == TOPICS
    assert found["self-test"]["verdict"] == "ok"


def test_the_same_for_machines() -> None:
    found = findings()
    assert list(found) == TOPICS
    assert found["network"]["input_length"] == LENGTH
    assert found["representation"] | {"text": ""} == {
        "verdict": "ok",
        "text": "",
        "layer": "module output",
        "shape": [3],
        "linear": True,
    }
    assert found["outputs"]["held"] == [[[1, 1.0], [0, -1.0]]]
    assert found["modes"]["dropout"] == 1
    assert found["kernel"]["kernel"] == "surrogate"
    assert "cut after 1 convolution: many steps by a copy" in found["kernel"]["text"]
    assert found["run"]["resources"].startswith("--cpus-per-task=1 --mem=")
    assert found["learning"]["seconds_a_checkpoint"] > 0
    assert found["learning"]["bytes"] == 4 * 1000 * (LENGTH - 6 + 1) * (16 + 2 * 4)  # a pattern a place, one of all
    assert found["self-test"]["total_variation"] < 2 * found["self-test"]["expected_variation"]
    assert len(found["self-test"]["positions"]) == 4


def test_without_anchors_it_looks_at_random_sequences() -> None:
    adopted({})
    result = CliRunner().invoke(
        maxent, ["doctor", "--model", "model", "--trust-code", "--gc", "0.5", "--threads", "1", "--json"]
    )
    found = json.loads(result.stdout)
    assert list(found) == TOPICS
    assert found["run"]["anchors"] == 8


def test_a_head_that_is_not_linear_is_told() -> None:
    found = findings("--layer", "scan")
    assert not found["representation"]["linear"]
    assert found["representation"]["shape"] == [4, LENGTH]


def test_a_model_folder_of_ours(folder: Path) -> None:
    path = saved(folder / "ours", small_model(LENGTH))
    result = CliRunner().invoke(maxent, ["doctor", "anchors.fa", "--model", path, "--threads", "1", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["kernel"]["kernel"] == "compiled"


@pytest.mark.parametrize("order", thinned(["GCAT", "ACGT", "TGCA"], 3))
def test_the_order_of_letters_that_predicts_best_is_named(order: str) -> None:
    right = adopt("--table", "table.tsv", "--letters", order, order=order)
    found = re.search(
        rf"^letters +ok +AUROC ([01]\.\d+) as {order}; best of 24 orders in 2 directions", right, re.MULTILINE
    )
    assert found
    assert float(found[1]) > 0.95
    told = "CATG"
    wrong = adopt("--table", "table.tsv", "--letters", told, expect=1, order=order)
    assert re.search(rf"^letters +WRONG +.* as {order}; see --letters$", wrong, re.MULTILINE)
    assert wrong.splitlines()[-1].startswith("maxent: doctored:Network: letters: AUROC ")


def test_labels_that_no_order_tells_apart_are_noted(folder: Path) -> None:
    rng = np.random.default_rng(1)
    rows = ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(60)]
    text = "".join(f"{row}\t{number % 2}\n" for number, row in enumerate(rows))
    (folder / "table.tsv").write_text("sequence\tlabel\n" + text)
    assert "as ACGT, the labels are not told apart" in adopt("--table", "table.tsv")


def test_probabilities_that_were_not_recognised_are_noted() -> None:
    found = findings(last="sigmoid")["outputs"]
    assert found["verdict"] == "note"
    assert found["text"].endswith("if these are probabilities, see --final")
    assert "before the final sigmoid" in adopt("--final", "sigmoid", "--out", "again", last="sigmoid")


def test_a_network_whose_outputs_depend_on_the_batch_is_wrong() -> None:
    found = findings(expect=1, norm=True)
    assert found["modes"]["verdict"] == found["repeatable"]["verdict"] == "WRONG"
    assert found["modes"]["text"].endswith("1 batch norm without running statistics")


def test_a_sampler_of_another_law_fails_the_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in POWER.items():
        monkeypatch.setattr(self_test, name, value)
    right = self_test.sample_anchor

    def warmer(model: Any, anchor: Any, law: Any, *more: Any) -> Any:
        return right(model, anchor, dataclasses.replace(law, beta=law.beta / 2), *more)

    monkeypatch.setattr(self_test, "sample_anchor", warmer)
    found = findings(expect=1)
    assert [topic for topic in found if found[topic]["verdict"] == "WRONG"] == ["self-test"]


def test_what_cannot_be_examined_is_one_line() -> None:
    result = doctor("--layer", "nowhere", expect=1)
    assert result.stderr.splitlines()[-1].startswith("maxent: model: has no module nowhere; its modules: ")
    assert result.stdout == ""


def test_a_background_must_be_given_for_a_network_that_has_none() -> None:
    adopted({})
    words = ["doctor", "anchors.fa", "--model", "model", "--trust-code"]
    result = CliRunner().invoke(maxent, words)
    assert result.exit_code == 2
    assert "does not say on what letters it was trained; give gc or background" in result.stderr
