"""maxent adopt: a network described once; its folder runs no code that is not trusted, and none that was changed."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from forked import maxent_words
from safetensors.torch import save_file
from torch import nn

import maxent_cli as mx
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.interpret import self_test

LENGTH = 12
CODE = """
import random

import torch
from torch import nn

from parts.inner import Mean


def plain(filters=6):
    return nn.Sequential(nn.Conv1d(4, filters, 3), nn.ReLU(), nn.Flatten(), nn.Linear(filters * 10, 2), nn.Sigmoid())


class Own(nn.Module):
    def __init__(self, filters=6, heads=False, last=False):
        super().__init__()
        self.scan, self.pool, self.output = nn.Conv1d(4, filters, 3), Mean(), nn.Linear(filters, 3)
        self.heads, self.last = heads, last

    def forward(self, x):
        from parts.inner import Mean  # once more, when it is called

        found = self.output(self.pool(torch.relu(self.scan(x.transpose(1, 2) if self.last else x))))
        return {"binding": found, "opening": found[:, :1]} if self.heads else found


class Random(Own):
    def forward(self, x):
        return super().forward(x) + torch.rand(len(x), 1)


class Sure(nn.Module):
    input_length = 12

    def __init__(self):
        super().__init__()
        self.scan, self.output = nn.Conv1d(4, 4, 3), nn.Linear(4, 1)
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def forward(self, x):
        return self.output(self.norm(self.scan(x)).amax(-1))


class Forgetful(Own):
    def __init__(self):
        super().__init__()
        self.gain = 1 + random.random()  # which no weight holds

    def forward(self, x):
        return super().forward(x) * self.gain
"""
INNER = "from torch import nn\n\nclass Mean(nn.Module):\n    def forward(self, x):\n        return x.mean(-1)\n"
NAMES = ("somebodys", "parts", "parts.inner")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks and an anchor in the current folder."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "somebodys.py").write_text(CODE)
    (tmp_path / "parts/inner.py").write_text(INNER)
    (tmp_path / "anchors.fa").write_text(">one\nGATTACAGATTC\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # code that changes twice in a second would be taken for old
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name, count in {"CHAINS": 16, "DRAWS": 8, "WARMUP": 240}.items():
        monkeypatch.setattr(self_test, name, count)
    return tmp_path


def maxent_(*words: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(maxent, list(words))
    assert result.exit_code == expect, result.output
    assert not expect or "Traceback" not in result.output
    return result


def adopt(*words: str, expect: int = 0) -> Result:
    return maxent_("adopt", *words, "--input-length", str(LENGTH), "--threads", "1", "--out", "model", expect=expect)


def card() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("model/model.json").read_text())
    return found


def scores(*words: str) -> list[str]:
    return maxent_("predict", "anchors.fa", "--model", "model", "--threads", "1", "--out", "-", *words).stdout.split()


def refusal(*words: str, code: int = 1) -> str:
    """The one line that a command ends with."""
    result = maxent_("predict", "anchors.fa", "--out", "-", *words, expect=code)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_what_is_found_is_said_a_line_each() -> None:
    said = adopt("somebodys:plain", "--gc", "0.41").stderr.splitlines()
    topics = [line.split()[0] for line in said]
    wanted = ["letters", "network", "representation", "outputs", "modes", "repeatable", "self-test", "speed", "kernel"]
    assert set(wanted) <= set(topics)
    assert topics[-1] == "model:"
    assert not (set(topics) & {"run", "held", "background"})


def test_torchs_own_layers_are_kept_without_code(folder: Path) -> None:
    torch.manual_seed(3)
    weights = nn.Sequential(nn.Conv1d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(50, 2)).state_dict()
    save_file(weights, folder / "w.safetensors")
    adopt("somebodys:plain", "--arguments", '{"filters": 5}', "--weights", "w.safetensors", "--gc", "0.41")
    assert sorted(place.name for place in (folder / "model").iterdir()) == ["model.json", "weights.safetensors"]
    found = card()
    assert (found["architecture"], found["code"], found["outputs"]) == ("layers", None, ["output_0", "output_1"])
    assert found["says"].endswith("Built of layers that maxent knows: no code is run.")
    assert found["training"]["adopted"] == "somebodys:plain"
    (folder / "somebodys.py").unlink()
    words = ["predict", "anchors.fa", "--model", "model", "--threads", "1", "--out", "scores.tsv"]
    assert subprocess.run([*maxent_words(), *words], cwd=folder).returncode == 0
    found_by = mx.network("model")
    assert found_by.background == pytest.approx((0.295, 0.205, 0.205, 0.295))
    one_hot = torch.eye(4)[torch.randint(4, (3, LENGTH))].transpose(1, 2)
    network = nn.Sequential(nn.Conv1d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(50, 2))
    network.load_state_dict(weights)
    torch.testing.assert_close(found_by.reader(LENGTH)(one_hot), network(one_hot))


def test_other_code_is_copied_and_not_run_unless_trusted(folder: Path) -> None:
    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    inside = sorted(p.relative_to(folder / "model").as_posix() for p in (folder / "model").rglob("*") if p.is_file())
    assert inside == ["code/parts/inner.py", "code/somebodys.py", "model.json", "weights.safetensors"]
    assert card()["says"].endswith(
        f"Building it runs code, parts/inner.py, somebodys.py (from {folder}), and needs --trust-code."
    )
    line = refusal("--model", "model")
    assert line == (
        f"maxent: model: building its network runs code, parts/inner.py, somebodys.py (from {folder}); it was not run; "
        "read it in model/code, and if you trust whoever wrote it, give --trust-code"
    )
    assert scores("--trust-code")[:6] == ["record", "output_0", "output_1", "output_2", "contrast", "probability"]


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "anchors.fa", "--out", "o"],
        ["doctor", "anchors.fa"],
        ["sample", "anchors.fa", "--out", "o"],
        ["gc-probe", "anchors.fa", "--out", "o"],
        ["attribute", "anchors.fa", "--method", "saliency", "--out", "o"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_refuses_code(folder: Path, words: list[str]) -> None:
    hostile(folder)
    result = maxent_(*words, "--model", "hostile", expect=1)
    assert result.stderr.splitlines()[-1].startswith("maxent: hostile: building its network runs code, evil.py (from ")
    assert not (folder / "ran").exists()
    assert not (folder / "o").exists()


EVIL = "import os\nos.mkdir('ran')\nfrom somebodys import plain\n"


def hostile(folder: Path, **changes: object) -> None:
    """A folder whose code leaves a trace when it is imported."""
    adopt("somebodys:plain", "--gc", "0.5")
    shutil.copytree("model", "hostile")
    (folder / "hostile/code").mkdir()
    (folder / "hostile/code/evil.py").write_text(EVIL)
    import hashlib

    files = {"evil.py": hashlib.sha256(EVIL.encode()).hexdigest()}
    code = {"origin": "/home/friend", "files": files, "packages": {}}
    found = card() | {"architecture": "evil:plain", "arguments": {}, "code": code} | changes
    (folder / "hostile/model.json").write_text(json.dumps(found))


def test_the_hostile_folder_is_live(folder: Path) -> None:
    """Otherwise the test above shows nothing."""
    hostile(folder)
    maxent_("predict", "anchors.fa", "--model", "hostile", "--trust-code", "--threads", "1", "--out", "o")
    assert (folder / "ran").exists()


CARDS: dict[str, tuple[dict[str, object], str]] = {
    "an installed function": (
        {"architecture": "os:mkdir", "arguments": {"path": "ran"}, "code": None},
        "architecture os:mkdir is not known here",
    ),
    "an installed function, as code": (
        {"architecture": "os:mkdir", "arguments": {"path": "ran"}, "code": {"origin": "", "files": {}, "packages": {}}},
        "building its network runs code, installed",
    ),
    "said to be ours": ({"architecture": "convnet", "arguments": {}}, "convnet needs no code"),
    "layers that are none": (
        {"architecture": "layers", "arguments": {"layers": {"os.mkdir": {"path": "ran"}}}, "code": None},
        "os.mkdir is no layer known here",
    ),
    "a name with a line's end": (
        {"code": {"origin": "x\nmaxent: all is well", "files": {"evil.py": ""}, "packages": {}}},
        r"\(from x maxent: all is well\)",
    ),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_lies_runs_nothing(folder: Path, name: str) -> None:
    changes, message = CARDS[name]
    hostile(folder, **changes)
    with pytest.raises(InputError, match=message):
        mx.network("hostile")
    assert not (folder / "ran").exists()
    assert len(refusal("--model", "hostile").splitlines()) == 1


def shadow(folder: Path) -> None:
    (folder / "model/code/torch.py").write_text("import os\nos.mkdir('ran')\n")


def compiled(folder: Path) -> None:
    place = folder / "model/code/__pycache__"
    place.mkdir()
    (place / "somebodys.cpython-311.pyc").write_bytes(b"")


TAMPERED = {
    "another function": (
        lambda f: (f / "model/code/somebodys.py").write_text(f"import os\nos.mkdir('ran')\n{CODE}"),
        r"model: somebodys.py: model/code is not the code that was adopted \(its digest differs\): it was not run",
    ),
    "in what it imports": (
        lambda f: (f / "model/code/parts/inner.py").write_text(f"import os\nos.mkdir('ran')\n{INNER}"),
        "model: parts/inner.py: .*its digest differs",
    ),
    "another file beside it": (shadow, "model: torch.py: model/code is not among the code that was adopted; remove it"),
    "compiled code": (compiled, "__pycache__/somebodys.cpython-311.pyc: .* is not among the code that was adopted"),
    "a link": (
        lambda f: (f / "model/code/os.py").symlink_to(f / "somebodys.py"),
        "os.py: .* is not among the code that was adopted",
    ),
    "gone": (lambda f: (f / "model/code/parts/inner.py").unlink(), "model: parts/inner.py: .* cannot be read"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_code_that_was_changed_is_refused_though_trusted(folder: Path, name: str) -> None:
    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    change, message = TAMPERED[name]
    change(folder)
    with pytest.raises(InputError, match=message):
        mx.network("model", trust_code=True)
    assert not (folder / "ran").exists()


def elsewhere(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command in another folder, where the adopted network's code is not."""
    other = folder / "other"
    other.mkdir(exist_ok=True)
    shutil.copytree(folder / "model", other / "model", dirs_exist_ok=True)
    shutil.copy(folder / "anchors.fa", other)
    command = [*maxent_words(), *words, "--model", "model", "--trust-code", "--threads", "1"]
    root = str(Path(mx.__file__).parents[1])
    return subprocess.run(command, cwd=other, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": root})


def test_a_folder_that_has_moved_works(folder: Path) -> None:
    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    here = scores("--trust-code")
    (folder / "somebodys.py").unlink()
    shutil.rmtree(folder / "parts")
    result = elsewhere(folder, "predict", "anchors.fa", "--out", "o.tsv")
    assert result.returncode == 0, result.stderr
    assert (folder / "other/o.tsv").read_text().split() == here
    assert not list((folder / "other").rglob("*.pyc"))


def test_a_package_that_is_not_there_is_named(folder: Path) -> None:
    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    text = (folder / "model/model.json").read_text()
    gone = f"import nowhere_to_be_found\n{CODE}"
    import hashlib

    old, new = (hashlib.sha256(each.encode()).hexdigest() for each in (CODE, gone))
    found = json.loads(text.replace(old, new))
    found["code"]["packages"]["nowhere_to_be_found"] = "nowhere-found 1.2"
    (folder / "model/model.json").write_text(json.dumps(found))
    (folder / "model/code/somebodys.py").write_text(gone)
    with pytest.raises(
        InputError,
        match=r"model: its code needs nowhere-found 1\.2, which is not here; install nowhere-found==1\.2",
    ):
        mx.network("model", trust_code=True)


def test_what_it_imports_is_noted_with_its_version() -> None:
    adopt("somebodys:Own", "--output", "1")
    assert card()["code"]["packages"] == {"torch": f"torch {metadata.version('torch')}"}


def test_modules_of_the_same_name_are_kept_apart(folder: Path) -> None:
    """Two folders with code of one name, and the user's own module of that name, do not see each other."""
    import somebodys  # type: ignore[import-not-found]

    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    first = mx.network("model", trust_code=True)
    assert sys.modules["somebodys"] is somebodys
    shutil.move("model", "first")
    (folder / "somebodys.py").write_text(CODE.replace("torch.relu(self.scan", "torch.tanh(self.scan"))
    (folder / "parts/inner.py").write_text(INNER.replace("x.mean", "2 * x.mean"))
    for name in NAMES:
        sys.modules.pop(name, None)
    adopt("somebodys:Own", "--output", "1", "--gc", "0.5")
    one_hot = torch.eye(4)[torch.randint(4, (3, LENGTH))].transpose(1, 2)
    found = [mx.network(name, trust_code=True).reader(LENGTH)(one_hot) for name in ("first", "model", "first")]
    assert torch.equal(found[0], found[2])
    assert not torch.allclose(found[0], found[1])
    assert torch.equal(first.reader(LENGTH)(one_hot), found[0])


def test_how_it_reads_is_said_once() -> None:
    asked = '{"heads": true, "last": true}'
    words = ["--letters", "GCAT", "--layout", "channels-last", "--head", "binding", "--output-names", "a,b,c"]
    adopt("somebodys:Own", "--arguments", asked, *words, "--output", "c-a", "--layer", "pool", "--gc", "0.41")
    found = card()
    assert [found[name] for name in ("letters", "layout", "head", "layer", "held", "outputs")] == [
        "GCAT",
        "channels-last",
        "binding",
        "pool",
        [[[2, 1.0], [0, -1.0]]],
        ["a", "b", "c"],
    ]
    for part in ("(batch, 12, 4), channels G, C, A, T", "gives a, b, c", "asked for: c - a.", "C 0.205"):
        assert part in found["says"]
    net = mx.network("model", trust_code=True)
    assert net.reader(LENGTH).representation(torch.zeros(2, 4, LENGTH)).shape == (2, 6, 10)
    quick = ["--chains", "4", "--replicas", "3", "--draws", "4", "--thin", "2", "--max-steps", "8", "--warmup", "240"]
    drawn = maxent_("sample", "anchors.fa", "--model", "model", "--trust-code", *quick, "--threads", "1", "--out", "d")
    assert "1 anchors" in drawn.stderr
    with mx.open_draws("d") as draws:
        assert draws.header["law"]["outputs"] == [[[2, 1.0], [0, -1.0]]]
        assert draws.header["reading"]["letters"] == "GCAT"


def test_python_agrees() -> None:
    adopted = mx.adopt("somebodys:Own", input_length=LENGTH, output=1, gc=0.5, out="model", progress=False)
    opened = mx.network("model", trust_code=True)
    same = ("name", "reading", "input_length", "names", "background", "held", "files", "digest")
    assert all(getattr(adopted, name) == getattr(opened, name) for name in same)
    in_memory = mx.adopt(adopted.module, input_length=LENGTH, letters="GCAT", output=0, progress=False)
    assert in_memory.reading.letters == "GCAT"
    with pytest.raises(
        InputError, match=r"Own: cannot be kept without the code that builds it .*package.module:function"
    ):
        mx.adopt(adopted.module, input_length=LENGTH, output=0, out="kept", progress=False)
    assert not Path("kept").exists()


def test_without_a_background_and_with_many_outputs_it_says_what_commands_will_need() -> None:
    said = adopt("somebodys:Own").stderr
    held = "none of 3 outputs unless a command says which, by --output: one, a difference A-B, several together A,B,C, "
    assert f"held            note   {held}or a TSV of weights; examined with out" in said
    assert "background      note   not known: every command will need --gc or --background" in said
    words = ["predict", "anchors.fa", "--model", "model", "--trust-code", "--threads", "1", "--out", "o"]
    assert "output: the network has 3; say which" in maxent_(*words, expect=2).stderr.splitlines()[-1]


def test_of_a_profile_it_says_which_law_holds_its_shape() -> None:
    short = adopt("somebodys:Own").stderr
    assert "--law profile" not in short
    given = {"filters": 4, "layers": 1, "output_length": 60}
    words = ["bpnet", "--arguments", json.dumps(given), "--input-length", "200", "--gc", "0.5", "--out", "profile"]
    result = CliRunner().invoke(maxent, ["adopt", *words, "--head", "profile", "--layer", "fconv", "--threads", "1"])
    assert result.exit_code == 0, result.output
    said = "none of 60 outputs unless a command says which.*its shape is held by `maxent sample ANCHORS --law profile`"
    assert re.search(said, result.stderr)


WRONG: dict[str, tuple[list[str], int, str]] = {
    "no length": (["somebodys:plain"], 2, "input-length: is not known: somebodys:plain does not say how many letters"),
    "too short": (["somebodys:plain", "--input-length", "2"], 1, "somebodys:plain: fails on 2 letters"),
    "random": (["somebodys:Random", "--input-length", "12"], 1, "gives other outputs for the same sequences again"),
    "by batch": (["somebodys:Sure"], 1, "somebodys:Sure: modes: .*batch norm without running statistics; correct that"),
    "no module": (["nowhere:net"], 1, "nowhere:net: cannot be imported"),
    "no function": (["model"], 1, "model: no such network; give package.module:function"),
    "too many names": (
        ["somebodys:plain", "--input-length", "12", "--output-names", "a,b,c"],
        2,
        "output-names: 3 are given, and somebodys:plain has 2 outputs",
    ),
    "no such output": (["somebodys:plain", "--input-length", "12", "--output", "7"], 2, "numbered 0 to 1"),
    "no such layer": (["somebodys:plain", "--input-length", "12", "--layer", "x"], 1, "has no module x; its modules"),
    "state outside": (
        ["somebodys:Forgetful", "--input-length", "12"],
        1,
        "somebodys:Forgetful: built again from its code and weights, gives other outputs",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_adopted_is_one_line_and_no_folder(name: str, folder: Path) -> None:
    words, code, message = WRONG[name]
    result = maxent_("adopt", *words, "--threads", "1", "--out", "model", expect=code)
    import re

    assert re.search(message, result.stderr.splitlines()[-1]), result.stderr
    assert result.stderr.splitlines()[-1].startswith("maxent: ")
    assert not (folder / "model").exists()


def test_the_model_folder_alone_is_what_commands_take() -> None:
    assert refusal("--model", "somebodys:plain") == (
        "maxent: somebodys:plain: is a function, and not a model folder; adopt it first: maxent adopt somebodys:plain "
        "--out model"
    )


def test_random_sequences_serve_where_there_are_no_anchors() -> None:
    adopt("somebodys:plain", "--gc", "0.41")
    found = json.loads(maxent_("doctor", "--model", "model", "--threads", "1", "--json").stdout)
    assert found["self-test"]["verdict"] == "ok"
    assert found["run"]["anchors"] == 8


def test_a_network_that_random_sequences_do_not_move_is_adopted_all_the_same() -> None:
    """Of a motif that no random sequence comes near, the self-test cannot be made on them."""
    seen = "".join(np.random.default_rng(0).choice(list("ACGT"), LENGTH))
    module = nn.Sequential(nn.Flatten(), nn.Linear(4 * LENGTH, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        wanted = torch.eye(4)[["ACGT".index(letter) for letter in seen]].T.reshape(-1)
        module[1].weight.copy_(torch.stack([wanted, wanted]))
        module[1].bias.fill_(-4.5)
        module[3].weight.fill_(1.0)
    said = list[str]()
    mx.adopt(module, input_length=LENGTH, gc=0.5, out="model", progress=lambda line: said.append(str(line)))
    assert Path("model").exists()
