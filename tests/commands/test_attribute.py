"""maxent attribute: what is in the folder, what is said, and when it says that something is wrong."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hostile_files import HOSTILE_NAMES
from running import invoke, table
from small import saved, small_model

from maxent_cli.alphabet import LETTERS, encode, one_hot, reverse_complement
from maxent_cli.api.attribution import SUMMED
from maxent_cli.choices import METHODS
from maxent_cli.commands import maxent
from maxent_cli.interpret import attribution
from maxent_cli.io.provenance import read_provenance

LENGTH = 12
RECORDS = {"a": "GATCATTGCAAC", "b": "CCGTATTACGGT", "c": "TTTTACGCAAGA"}
GATED = """
import torch
from torch import nn

class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.last = nn.Linear(48, 12), nn.Linear(6, 2)

    def forward(self, inputs):
        one, other = self.first(inputs.flatten(1)).chunk(2, 1)
        return self.last(one * other.sigmoid())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "model", small_model(LENGTH))
    (tmp_path / "anchors.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in RECORDS.items()))
    (tmp_path / "gated.py").write_text(GATED)
    return tmp_path


def run(line: str, code: int = 0) -> Result:
    return invoke("attribute", *line.split(), "--threads", "1", code=code)


def adopted(network: str) -> None:
    """Describe a network of the folder's as the model folder `adopted`."""
    line = f"adopt {network} --input-length {LENGTH} --gc 0.4 --output 0 --threads 1 --out adopted"
    result = CliRunner().invoke(maxent, line.split())
    assert result.exit_code == 0, result.output


def scores(path: str) -> np.ndarray:
    """Scores (N, L) of positions.tsv."""
    return np.array([float(row["score"] or "nan") for row in table(path)]).reshape(-1, LENGTH)


def test_the_methods_offered_are_those_there_are() -> None:
    assert set(METHODS) == set(attribution.METHODS)
    assert set(SUMMED) == set(attribution.COMPLETE)


@pytest.mark.parametrize("method", METHODS)
def test_the_folder_of_each_method(folder: Path, method: str) -> None:
    result = run(f"anchors.fa --model model --method {method} --logos svg --max-logos 2 --out out")
    rows, anchors = table("out/positions.tsv"), table("out/anchors.tsv")
    assert [(row["record"], row["position"], row["letter"]) for row in rows] == [
        (name, str(place), letter) for name, letters in RECORDS.items() for place, letter in enumerate(letters)
    ]
    assert sorted(place.name for place in (folder / "out" / "logos").iterdir()) == [
        "logo_000001.svg",
        "logo_000002.svg",
    ]
    assert [row["logo"] for row in anchors] == ["logos/logo_000001.svg", "logos/logo_000002.svg", ""]
    with np.load("out/modisco/one_hot.npz") as letters, np.load("out/modisco/attributions.npz") as hypothetical:
        codes = np.stack([encode(word) for word in RECORDS.values()])
        np.testing.assert_array_equal(letters["arr_0"], one_hot(codes))
        four = hypothetical["arr_0"]
    taken = four.max(axis=1) if method == "saliency" else np.take_along_axis(four, codes[:, None].astype(int), 1)[:, 0]
    np.testing.assert_allclose(scores("out/positions.tsv"), taken, rtol=2e-5, atol=1e-7)
    np.testing.assert_allclose([float(row["score_sum"]) for row in anchors], taken.sum(1), rtol=1e-4)
    referred = method in SUMMED
    assert all((row["error"] != "") == referred for row in rows)
    assert [row["complete"] for row in anchors] == 3 * (["yes"] if referred else [""])
    assert ("all add up to the output less that of the references" in result.stderr) == referred
    assert all((row["drift"] != "") == (method == "mutagenesis") for row in anchors)
    assert "no anchor has coordinates" in result.stderr
    assert not (folder / "out" / "scores.bedgraph").exists()
    made = read_provenance("out")
    assert made is not None
    assert {"anchors.fa", "model"} <= set(made["inputs"])


def test_one_table_into_a_pipe(folder: Path) -> None:
    run("anchors.fa --model model --method saliency --logos none --out out")
    result = run("anchors.fa --model model --method saliency --out -")
    assert result.stdout == (folder / "out" / "positions.tsv").read_text()


def test_scores_that_do_not_add_up_are_said(folder: Path) -> None:
    adopted("gated:Gated")
    line = "anchors.fa --model adopted --trust-code --logos none --method deeplift"
    result = run(f"{line} --out out")
    assert "WARNING: scores of 3 of 3 anchors do not add up (worst: " in result.stderr
    assert "use --method integrated-gradients or mutagenesis" in result.stderr
    assert {row["complete"] for row in table("out/anchors.tsv")} == {"no"}
    assert all(float(row["delta_share"]) > 0.01 for row in table("out/anchors.tsv"))
    run(f"{line} --strict --out strict", 3)
    assert (folder / "strict" / "positions.tsv").read_bytes() == (folder / "out" / "positions.tsv").read_bytes()
    run(f"{line} --strict --max-delta 1000 --out out")
    assert {row["complete"] for row in table("out/anchors.tsv")} == {"yes"}


def test_steps_that_are_too_few_are_said(folder: Path) -> None:  # noqa: ARG001
    line = "anchors.fa --model model --logos none --method integrated-gradients --strict --out"
    assert "do not add up" in run(f"{line} out --steps 2", 3).stderr
    assert "give more --steps" in run(f"{line} out --steps 2", 3).stderr
    assert "do not add up" not in run(f"{line} out --steps 200").stderr


def test_coordinates(folder: Path) -> None:
    """Two anchors that overlap by four letters, on either strand."""
    (folder / "genome.fa").write_text(">chr1\n" + "ACGTTGCAAGGCATTACGATCCGA" + "\n")
    (folder / "places.bed").write_text("chr1\t0\t12\tone\t0\t+\nchr1\t8\t20\ttwo\t0\t-\n")
    result = run("places.bed --genome genome.fa --model model --method input-x-gradient --logos none --out out")
    assert "tracks of 20 bp, 4 of them the mean of several anchors" in result.stderr
    assert "scores.bw" in (folder / "out" / "igv.xml").read_text()
    one, two = scores("out/positions.tsv")
    lines = [line.split("\t") for line in (folder / "out" / "scores.bedgraph").read_text().splitlines()]
    assert [line[:3] for line in lines] == [["chr1", str(place), str(place + 1)] for place in range(20)]
    sums = np.zeros(20)
    sums[:12] += one
    sums[8:] += two[::-1]
    sums[8:12] /= 2
    np.testing.assert_allclose([float(line[3]) for line in lines], sums, rtol=1e-4, atol=1e-9)


def test_the_other_strand_is_the_other_strands_letters(folder: Path) -> None:
    """A record on the reverse strand has the letters and scores of its reverse complement."""
    letters = "ACGTTGCAAGGC"
    (folder / "genome.fa").write_text(f">chr1\n{letters}\n")
    (folder / "place.bed").write_text("chr1\t0\t12\tx\t0\t-\n")
    turned = "".join(LETTERS[code] for code in reverse_complement(encode(letters)))
    (folder / "turned.fa").write_text(f">x\n{turned}\n")
    run("place.bed --genome genome.fa --model model --method mutagenesis --logos none --out out")
    run("turned.fa --model model --method mutagenesis --logos none --out fasta")
    np.testing.assert_array_equal(scores("out/positions.tsv"), scores("fasta/positions.tsv"))


def test_held_positions_are_empty(folder: Path) -> None:  # noqa: ARG001
    run("anchors.fa --model model --method mutagenesis --fix 3-5 --logos none --out out")
    empty = np.isnan(scores("out/positions.tsv"))
    assert (empty == np.isin(np.arange(LENGTH), [3, 4])).all()
    with np.load("out/modisco/attributions.npz") as hypothetical:
        assert not hypothetical["arr_0"][:, :, 3:5].any()


def test_an_output_that_nothing_moves_is_said(folder: Path) -> None:
    (folder / "dead.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Dead(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(48, 3), nn.ReLU(), nn.Linear(3, 1))\n"
        "        nn.init.constant_(self[1].weight, 0.1)\n        nn.init.constant_(self[1].bias, -1.25)\n"
        "        with torch.no_grad():\n            self[1].weight[:, 36] = 1  # T at 0\n"
    )
    adopted("dead:Dead")
    result = run("anchors.fa --model adopted --trust-code --method saliency --logos none --out out")
    assert "WARNING: 2 of 3 anchors have no score but 0 (first: a)" in result.stderr


def test_names_do_no_harm(folder: Path) -> None:
    names = [name for name in HOSTILE_NAMES if name.split()]
    (folder / "anchors.fa").write_text("".join(f">{name}\nGATCATTGCAAC\n" for name in names), encoding="utf-8")
    run("anchors.fa --model model --method saliency --logos svg --out out")
    assert len(table("out/anchors.tsv")) == len(names)
    assert len(scores("out/positions.tsv")) == len(names)
    assert len(list((folder / "out" / "logos").iterdir())) == len(names)


@pytest.mark.parametrize("option", ["references", "steps", "max_delta"])
def test_what_a_method_does_not_heed_is_refused(folder: Path, option: str) -> None:
    spelled = option.replace("_", "-")
    result = run(f"anchors.fa --model model --method mutagenesis --{spelled} 3 --out out", 2)
    assert f"{option}: is heeded by" in result.stderr
    assert not (folder / "out").exists()


def test_pooled_files_are_written(folder: Path) -> None:
    (folder / "genome.fa").write_text(">chr1\nACGTTGCAAGGC\n")
    (folder / "place.bed").write_text("chr1\t0\t12\n")
    run("place.bed --genome genome.fa --model model --method saliency --logos none --out out")
    assert all((folder / "out" / name).is_file() for name in ("scores.bedgraph", "modisco/one_hot.npz"))
