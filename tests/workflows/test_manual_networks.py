"""The manual's page on networks of one's own, run; and published networks, read the way it says."""

import csv
import gzip
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from thinned import thinned

from maxent_cli.alphabet import encode
from maxent_cli.analysis.classification import auroc
from maxent_cli.api import examining
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.io.networks import NetworkSource, load_network
from maxent_cli.models.adapter import AS_IS, AdaptedNetwork
from maxent_cli.models.families import FAMILIES
from maxent_cli.models.prediction import predict

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "workflows" / "examples"
PAGE = (ROOT / "docs" / "tutorials" / "own_network.md").read_text()
LENGTH = 40


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("maxent ")]


MINE, EACH, FILES = (commands(block) for block in blocks("sh"))


@pytest.fixture(autouse=True)
def short_self_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor tests the sampler for a moment."""
    monkeypatch.setattr(examining, "TEST_SECONDS", 0.1)


@pytest.fixture
def anchors(tmp_path: Path) -> str:
    rng = np.random.default_rng(7)
    path = tmp_path / "anchors.fa"
    path.write_text("".join(f">a{row}\n{''.join(rng.choice(list('ACGT'), LENGTH))}\n" for row in range(2)))
    return str(path)


def run(words: list[str], folder: Path, anchors: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A command of the page, in a folder, with its modules looked up there anew."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    for name in ("mine", "networks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    result = CliRunner().invoke(maxent, [*(anchors if w == "anchors.fa" else w for w in words), "--threads", "1"])
    assert result.exit_code == 0, result.output
    return result.output


def adapted(source: NetworkSource, length: int) -> AdaptedNetwork:
    """The network of a source, as one that reads so many letters."""
    return AdaptedNetwork(load_network(source), length, AS_IS, source.name)


def test_the_ten_lines(tmp_path: Path, anchors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of the page is trained elsewhere: its weights come from a file."""
    (code,) = blocks("python")
    assert len(code.splitlines()) <= 10
    (tmp_path / "mine.py").write_text(code)
    names: dict[str, object] = {}
    exec(code, names)
    torch.manual_seed(11)
    save_file(names["network"](filters=64).state_dict(), tmp_path / "mine.safetensors")  # type: ignore[operator]
    adopt, doctor, sample = MINE
    for words in (adopt, doctor):
        found = run(words, tmp_path, anchors, monkeypatch)
        assert re.search(r"^kernel +ok +compiled", found, re.MULTILINE)
        assert "before the final sigmoid" in found
    short = ["--chains", "4", "--replicas", "3", "--draws", "5", "--thin", "5", "--warmup", "240", "--max-steps", "40"]
    run([*sample, *short], tmp_path, anchors, monkeypatch)
    assert (tmp_path / "draws.npz").exists()


@pytest.mark.parametrize("words", thinned(EACH, 2), ids=lambda words: words[1].partition(":")[2])
def test_every_kind_of_network_is_adopted_and_passes_the_self_test(
    words: list[str], anchors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run([*words[:-1], str(tmp_path / "model")], EXAMPLES, anchors, monkeypatch)
    assert re.search(r"^self-test +ok +all 256 sequences", found, re.MULTILINE), found
    assert "WRONG" not in found


def test_the_page_runs_every_small_network_of_the_examples() -> None:
    code = (EXAMPLES / "networks.py").read_text().partition("class DeepBind")[0]
    written = set(re.findall(r"^(?:class|def) (\w+)", code, re.MULTILINE))
    assert {words[1].partition(":")[2] for words in EACH} == written


def test_files_and_families_of_the_page_are_known() -> None:
    """They are run in test_published.py, where they are small."""
    given = [words[1] for words in FILES]
    assert given == ["nucleosomes.h5", "basset", "published:DanQ"]
    assert "basset" in FAMILIES
    assert "class DanQ" in (EXAMPLES / "published.py").read_text()


def test_deepbinds_tensors_fit_and_both_strands_score_alike(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(EXAMPLES)
    network = load_network(NetworkSource("networks:DeepBind", {"pool": "max"}))
    weights = {name: torch.randn_like(value) for name, value in network.state_dict().items()}
    assert {name: tuple(value.shape) for name, value in weights.items()} == {
        "conv": (16, 4, 24),
        "rect": (16,),
        "wHidden": (16, 32),
        "wHiddenBias": (32,),
        "wNeu": (32, 1),
        "wNeuBias": (1,),
    }
    torch.save(weights, tmp_path / "w.pth")
    model = adapted(NetworkSource("networks:DeepBind", {"pool": "max"}, str(tmp_path / "w.pth")), 30)
    codes = np.random.default_rng(0).integers(0, 4, (6, 30), dtype=np.uint8)
    np.testing.assert_allclose(predict(model, codes), predict(model, 3 - codes[:, ::-1]), rtol=1e-5)
    with torch.no_grad():
        assert model.representation(torch.zeros(2, 4, 30)).shape == (2, 2, 32)


# published networks: only where they lie beside the checkout
DATA = ROOT.parent / "shared" / "data"
DEEPBIND = {
    "GABPA_GM12878_GABP_HudsonAlpha": ("max", 0.963),
    "FOXA1_HepG2_FOXA1_(SC-101058)_HudsonAlpha": ("max and mean", 0.953),
    "ZBTB7A_HepG2_ZBTB7A_(SC-34508)_HudsonAlpha": ("max and mean", 0.346),
    "CTCFL_K562_CTCFL_(SC-98982)_HudsonAlpha": ("max and mean", 0.978),
}


def labelled(path: Path) -> Iterator[tuple[str, int]]:
    with gzip.open(path, "rt") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            yield row["seq"], int(row["Bound"])


@pytest.mark.skipif(not (DATA / "models").is_dir(), reason="published networks are not here")
@pytest.mark.parametrize("name", DEEPBIND)
def test_published_deepbind_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    pool, expected = DEEPBIND[name]
    given = NetworkSource("networks:DeepBind", {"pool": pool}, str(DATA / f"models/deepbind_torch/{name}.pth"))
    model, sites = adapted(given, 101), DATA / f"tf_chipseq/{name}_B.seq.gz"
    if not sites.exists():
        pytest.skip("loads; its labelled sequences are not here")
    sequences, labels = zip(*labelled(sites), strict=True)
    scores = predict(model, np.stack([encode(sequence) for sequence in sequences]))[:, 0]
    assert auroc(labels, scores)[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.skipif(not (DATA / "models").is_dir(), reason="published networks are not here")
def test_other_published_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(EXAMPLES)
    weights = str(DATA / "models/explainn/model_epoch_best_4.pth")
    model = adapted(NetworkSource("networks:ExplaiNN", {"units": 100, "outputs": 3}, weights), 200)
    assert (model.network.input_length, model.outputs) == (200, 3)
    pickled = DATA / "models" / "pickled"
    whole = str(pickled / "full_model.pth")
    with pytest.raises(InputError, match=r"holds weights and no network; give package.module:function"):
        load_network(NetworkSource(whole, {}))
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def dense():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(4000, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid())\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    dense = adapted(NetworkSource("mine:dense", {}, str(pickled / "only_weights.pth")), 1000)
    assert (dense.outputs, dense.final, dense.layer) == (1, "sigmoid", "3")
    assert adapted(NetworkSource("mine:dense", {}, whole), 1000).outputs == 1  # of a network pickled whole, the weights
