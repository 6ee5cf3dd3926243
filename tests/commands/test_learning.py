"""maxent learning, and the checkpoints of train that it reads: by hand, whole or resumed, and its faults."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from running import run
from safetensors.torch import load_file
from small import saved, small_model

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.models.training import log_spaced

LENGTH = 30
TRAIN = f"train --positives many.fa --length {LENGTH} --architecture finnegan2017 --epochs 3 --batch 16 --threads 1"
DRAWN = "--chains 4 --replicas 3 --draws 8 --thin 2 --max-steps 16 --warmup 240"


def letters(count: int) -> list[str]:
    return [decode(row) for row in np.random.default_rng(1).integers(0, 4, (count, LENGTH), np.uint8)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with checkpoints, one without, and two anchors."""
    folder = tmp_path_factory.mktemp("made")
    for name, count in (("anchors.fa", 2), ("many.fa", 120)):
        (folder / name).write_text("".join(f">r{n}\n{each}\n" for n, each in enumerate(letters(count))))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        said = run(f"{TRAIN} --checkpoints 6 --out model").stderr
        assert re.search(r"checkpoints: up to 7 of 0\.\d+ MB each", said)
        run(f"{TRAIN} --out bare")
    return folder


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def test_steps_are_spaced_logarithmically_and_end_with_the_last() -> None:
    assert log_spaced(1000, 4) == [0, 1, 32, 1000]
    assert log_spaced(3, 30) == [0, 1, 2, 3]
    steps = log_spaced(10_000, 30)
    assert (len(steps), steps[0], steps[-1]) == (30, 0, 10_000)
    assert np.all(np.diff(steps) > 0)


def test_weights_and_card_are_the_same_with_and_without_checkpoints(here: Path) -> None:
    for name in ("weights.safetensors", "model.json", "learning_curve.tsv", "metrics.tsv"):
        assert (here / "model" / name).read_bytes() == (here / "bare" / name).read_bytes()
    places = sorted((here / "model" / "checkpoints").iterdir())
    cards = [json.loads((place / "model.json").read_text())["training"]["checkpoint"] for place in places]
    assert [card["step"] for card in cards] == log_spaced(3 * cards[0]["steps_an_epoch"], 6)
    kept = next(place for place, card in zip(places, cards, strict=True) if card["step"] >= card["kept"])
    if cards[-1]["step"] == cards[-1]["kept"]:  # the averaged weights of the last epoch are those that train kept
        last, whole = (load_file(place / "weights.safetensors") for place in (kept, here / "model"))
        assert all(torch.equal(last[name], whole[name]) for name in whole)
    assert not (here / "bare" / "checkpoints").exists()


def test_tables_say_what_is_there(here: Path) -> None:
    said = run(f"learning anchors.fa --model model {DRAWN} --beta 5 --threads 1 --out learned").stderr
    assert "6 checkpoints, steps 0 to" in said
    assert all(re.search(rf"{name} since step \d+: [+-]\S+ ± ", said) for name in ("loss", "bits"))
    found = {path.stem: pd.read_csv(path, sep="\t") for path in (here / "learned").glob("*.tsv")}
    assert {*found} == {"anchors", "layers", "learned", "motifs", "patterns", "regions", "steps"}
    assert len(found["anchors"]) == 2 * 6
    patterns = found["patterns"]
    for name in ("start", "end"):
        step = patterns["step"].min() if name == "start" else patterns["step"].max()
        assert (patterns[patterns["step"] == step][f"jaccard_{name}"] == 1).all()
    assert patterns[patterns["step"] == 0]["jaccard_previous"].isna().all()
    of = patterns.set_index(["step", "layer", "class"])["patterns"]
    both = of.xs("negative", level="class") + of.xs("positive", level="class")
    assert (of.xs("all", level="class") == both).all()
    assert (found["regions"]["like_anchor"] > 0.3).all()
    metrics = pd.read_csv("model/learning_curve.tsv", sep="\t")
    last = found["steps"].iloc[-1]
    assert last["loss"] == pytest.approx(metrics["validation_loss"].iloc[-1], rel=1e-4)
    assert last["auroc"] == pytest.approx(metrics["validation_auroc"].iloc[-1], rel=1e-4)
    frame = mx.learning("model", records=40, out=None, threads=1, progress=False)
    assert frame.tables == ["layers", "patterns", "steps"]
    assert frame["steps"]["bits"].isna().all()


@pytest.mark.usefixtures("here")
def test_checkpoints_may_be_removed_without_harm_to_what_the_network_gave(tmp_path: Path) -> None:
    shutil.copytree("model", tmp_path / "model")
    draws, learned = tmp_path / "draws.npz", tmp_path / "learned"
    run(f"sample anchors.fa --model {tmp_path}/model {DRAWN} --beta 5 --threads 1 --out {draws}")
    run(f"learning --model {tmp_path}/model --records 20 --threads 1 --out {learned}")
    inputs = {name: json.loads(Path(f"{name}.provenance.json").read_text())["inputs"] for name in (draws, learned)}
    assert set(inputs[draws][f"{tmp_path}/model"]) == {"model.json", "weights.safetensors"}
    assert set(inputs[learned]) >= set(map(str, (tmp_path / "model" / "checkpoints").iterdir()))
    run(f"provenance {learned} --check")
    shutil.rmtree(tmp_path / "model" / "checkpoints")
    run(f"provenance {draws} --check")
    run(f"report {draws} --train {tmp_path}/model --out {tmp_path}/page.html")
    assert "is gone, and" in run(f"provenance {learned} --check", 1).stderr
    read = json.loads((tmp_path / "page.html.provenance.json").read_text())["inputs"]
    assert {f"{tmp_path}/model/metrics.tsv", f"{tmp_path}/model/learning_curve.tsv"} <= set(read)
    with (tmp_path / "model" / "metrics.tsv").open("a") as table:
        table.write("\n")
    run(f"provenance {draws} --check")
    assert "metrics.tsv: has changed since" in run(f"provenance {tmp_path}/page.html --check", 1).stderr


def test_networks_in_memory_are_taken_in_their_order() -> None:
    several = [mx.network(small_model(LENGTH, seed), LENGTH) for seed in (1, 2, 1)]
    found = mx.learning(several, positives=letters(20), threads=1, progress=False)
    assert found["steps"]["step"].tolist() == [0, 1, 2]
    rows = found["patterns"].query("`class` == 'all'").groupby("step")["jaccard_end"].min()
    assert rows[0] == rows[2] == 1 > rows[1]


@pytest.mark.usefixtures("here")
def test_records_are_cropped_as_anchors_are(tmp_path: Path) -> None:
    rows = letters(20)
    (tmp_path / "long.fa").write_text("".join(f">r{n}\nAC{each}GT\n" for n, each in enumerate(rows)))
    line = f"learning --model model --positives {tmp_path}/long.fa --threads 1"
    assert "--crop keeps the middle of longer records" in run(f"{line} --out {tmp_path}/whole", 1).stderr
    run(f"{line} --crop --out {tmp_path}/cropped")
    middles = mx.learning("model", positives=rows, threads=1, progress=False)["patterns"]
    found = pd.read_csv(tmp_path / "cropped" / "patterns.tsv", sep="\t")
    assert found["entropy"].to_numpy() == pytest.approx(middles["entropy"].to_numpy())


WORD = "GATAAG"


class Reader(torch.nn.Module):
    """How well the letters from 12 on match a word, beyond one; before it has been taught, hardly anything."""

    def __init__(self, taught: bool) -> None:
        super().__init__()
        self.match = torch.nn.Conv1d(4, 1, len(WORD))
        self.head = torch.nn.Linear(1, 2, bias=False)
        with torch.no_grad():
            some = 0.01 * torch.randn((1, 4, len(WORD)), generator=torch.Generator().manual_seed(1))
            word = torch.eye(4)[torch.from_numpy(encode(WORD)).long()].T[None]
            self.match.weight.copy_(word if taught else some)
            self.match.bias.fill_(-1.0 if taught else 0.0)
            self.head.weight.copy_(torch.tensor([[0.0], [3.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 4, L) to (B, 2)."""
        return self.head(torch.relu(self.match(x))[:, :, 12])


@pytest.mark.slow
def test_a_motif_is_learned_at_the_step_from_which_on_the_network_knows_it(tmp_path: Path) -> None:
    """Known, forgotten, and known for good: bits, AUROC and the motif tell all three."""
    negatives = letters(40)
    positives = [f"{each[:12]}{WORD}{each[18:]}" for each in letters(60)[40:]]
    found = mx.learning(
        [mx.network(Reader(taught), LENGTH) for taught in (False, True, False, True)],
        positives[:2],
        mx.Law(gc=0.5, beta=1.0, tether=None),
        positives=positives,
        negatives=negatives,
        out=str(tmp_path / "learned"),
        threads=1,
        progress=False,
    )
    steps = found["steps"].set_index("step")
    assert (steps["anchors_converged"] == 2).all()
    assert (steps["bits"][[1, 3]] > 6).all()
    assert (steps["bits"][[0, 2]].abs() < 4 * steps["bits_error"][[0, 2]]).all()
    assert (steps["auroc"][[1, 3]] > 0.95).all()
    assert (steps["auroc"][[0, 2]] < 0.75).all()
    (motif,) = found["learned"].to_dict("records")
    assert motif["anchors"] == 2
    assert any(word in motif["consensus"] for word in (WORD, decode(3 - encode(WORD)[::-1])))
    assert (motif["first_step"], motif["lasting_step"]) == (1, 3)
    assert set(found["motifs"]["step"]) == {1, 3}
    assert motif["loss"] == pytest.approx(steps["loss"][3])


class Smooth(torch.nn.Module):
    """Without anything that is on or off."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(4 * LENGTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 4, L) to (B, 1)."""
        return self.head(torch.tanh(x.flatten(1)))


def test_a_network_without_relu_has_no_patterns_and_all_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smooth, rows = mx.network(Smooth(), LENGTH), letters(8)
    few = mx.Sampling(chains=4, replicas=3, draws=8, thin=2, max_steps=16, warmup=60)
    given = {"positives": rows[:4], "negatives": rows[4:], "threads": 1, "out": str(tmp_path / "learned")}
    found = mx.learning([smooth, smooth], rows[:2], mx.Law(gc=0.5, beta=2.0), few, **given)
    assert "  no on/off patterns: this network shows no ReLU-like layer" in capsys.readouterr().err
    steps = found["steps"]
    assert np.isfinite(steps[["loss", "bits"]]).all(axis=None)
    assert steps[["entropy", "like_anchor", "regions"]].isna().all(axis=None)
    assert [len(found[name]) for name in ("patterns", "layers", "regions", "anchors")] == [0, 0, 0, 4]


def test_faults_are_said_in_a_line(here: Path, tmp_path: Path) -> None:
    assert "is a single network, and holds no checkpoints" in run("learning --model bare --out x", 1).stderr
    other = saved(tmp_path / "other", small_model(LENGTH))
    assert "has no layer" in run(f"learning --model bare --model {other} --out x", 1).stderr
    assert "no validation part lies" in run(f"learning --model {other} --model bare --out x", 2).stderr
    smooth = mx.network(Smooth(), LENGTH)
    with pytest.raises(mx.InputError, match=r"has no ReLU-like layer.*give anchors"):
        mx.learning([smooth, smooth], positives=letters(8), progress=False)
    assert not (here / "x").exists()
