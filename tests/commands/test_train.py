"""maxent train, end to end on small simulated data."""

import gzip
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.choices import ARCHITECTURES
from maxent_cli.commands import maxent
from maxent_cli.errors import InputError
from maxent_cli.io.checkpoint import load_model
from maxent_cli.io.fasta import read_fasta

LENGTH = 50
PARTS = ("train", "validation", "test")
QUICK = ["--epochs", "3", "--batch", "32", "--threads", "1"]


def positives(count: int, seed: int = 1) -> list[str]:
    """Random letters with TGACTCAGCAT in the middle."""
    codes = np.random.default_rng(seed).integers(0, 4, (count, LENGTH), np.uint8)
    codes[:, 20:31] = encode("TGACTCAGCAT")
    return [decode(row) for row in codes]


def located(count: int, chromosomes: int = 10) -> list[str]:
    return [f"chr{row % chromosomes + 1}:{100 * row}-{100 * row + LENGTH}" for row in range(count)]


def fasta(path: Path, names: list[str], sequences: list[str]) -> str:
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in zip(names, sequences, strict=True))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def train(*arguments: str, expect: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(maxent, ["train", *arguments, *QUICK], input=stdin)
    assert result.exit_code == expect, result.output
    return result


def parts(folder: Path) -> dict[str, list[str]]:
    """The records' names of each file of the split."""
    paths = folder.glob("*.fa")
    return {path.stem: [r.name for r in read_fasta(str(path))] if path.stat().st_size else [] for path in paths}


def test_whole_folder_by_chromosome(tmp_path: Path) -> None:
    path = fasta(tmp_path / "peaks.fa.gz", located(400), positives(400))
    result = train("--positives", path, "--test-chromosomes", "chr8,chr9", "-o", str(tmp_path / "model"))
    folder = tmp_path / "model"
    expected = {"weights.safetensors", "model.json", "learning_curve.tsv", "learning_curve.png", "metrics.tsv"}
    expected |= {f"{part}.{rest}" for part in PARTS for rest in ("positives.bed", "positives.fa", "negatives.fa")}
    expected |= {"rejected.tsv"}
    assert {entry.name for entry in folder.iterdir()} == expected
    assert "400 records = 400 kept + 0 rejected" in result.stderr
    names = parts(folder)
    assert {name.split(":")[0] for name in names["test.positives"]} == {"chr8", "chr9"}
    assert sorted(name for part in PARTS for name in names[f"{part}.positives"]) == sorted(located(400))
    for part in PARTS:
        assert [f"{name}_shuf" for name in names[f"{part}.positives"]] == names[f"{part}.negatives"]
    first = (folder / "test.positives.bed").read_text().splitlines()[0].split("\t")
    assert f"{first[0]}:{first[1]}-{first[2]}" == names["test.positives"][0]
    assert "validation the last 0.05 of each other chromosome" in result.stderr  # none is as small as the share
    assert "0 of 80 test records share a 24-mer with training" in result.stderr
    assert not result.stdout


def test_metrics_curve_and_card_say_the_same(tmp_path: Path) -> None:
    path = fasta(tmp_path / "peaks.fa", located(600), positives(600))
    train("--positives", path, "--architecture", "finnegan2017", "-o", str(tmp_path / "model"))
    model, card = load_model(str(tmp_path / "model"))
    rows = [line.split("\t") for line in (tmp_path / "model" / "metrics.tsv").read_text().splitlines()]
    assert rows[0] == ["part", "metric", "value", "lower", "upper", "positives", "negatives"]
    assert [row[:2] for row in rows[1:]] == [[p, m] for p in ("validation", "test") for m in ("AUROC", "AUPRC")]
    assert float(rows[3][2]) > 0.9
    assert float(rows[3][3]) <= float(rows[3][2]) <= float(rows[3][4])
    assert card.training["metrics"][2]["value"] == pytest.approx(float(rows[3][2]), rel=1e-5)
    assert (card.architecture, card.input_length, card.outputs) == ("finnegan2017", LENGTH, ("negative", "positive"))
    assert model.input_length == LENGTH
    curve = (tmp_path / "model" / "learning_curve.tsv").read_text().splitlines()
    assert curve[0].split("\t")[:3] == ["epoch", "learning_rate", "training_loss"]
    assert len(curve) == 4
    provenance = json.loads((tmp_path / "model.provenance.json").read_text())
    assert list(provenance["inputs"]) == [path]


def test_background_is_that_of_the_training_part_on_both_strands(tmp_path: Path) -> None:
    path = fasta(tmp_path / "peaks.fa", located(200), positives(200))
    for turned in ("--reverse-complement", "--no-reverse-complement"):
        train("--positives", path, turned, "-o", str(tmp_path / turned))
        folder = tmp_path / turned
        letters = "".join(r.sequence for label in ("positives", "negatives")
                          for r in read_fasta(str(folder / f"train.{label}.fa")))  # fmt: skip
        counts = np.array([letters.count(letter) for letter in "ACGT"])
        counts = counts + counts[::-1] if turned == "--reverse-complement" else counts
        assert load_model(str(folder))[1].background == pytest.approx(counts / counts.sum(), abs=1e-12)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    path = fasta(tmp_path / "peaks.fa", [f"r{row}" for row in range(200)], positives(200))
    for name, seed in (("one", "4"), ("other", "4"), ("third", "5")):
        train("--positives", path, "--seed", seed, "-o", str(tmp_path / name))
    contents = [
        {entry.name: entry.read_bytes() for entry in (tmp_path / name).iterdir()} for name in ("one", "other", "third")
    ]
    assert contents[0] == contents[1]
    assert contents[0]["weights.safetensors"] != contents[2]["weights.safetensors"]
    assert contents[0]["test.positives.fa"] == contents[2]["test.positives.fa"]  # the split is the sequences' own


def test_equal_sequences_stay_on_one_side_whatever_their_chromosome(tmp_path: Path) -> None:
    sequences = positives(200)
    sequences[0] = sequences[7]  # chr1 and chr8
    path = fasta(tmp_path / "peaks.fa", located(200), sequences)
    train("--positives", path, "--test-chromosomes", "chr8", "-o", str(tmp_path / "model"))
    names = parts(tmp_path / "model")
    assert located(200)[7] in names["test.positives"]
    assert not any(located(200)[0] in listed for listed in names.values())
    rejected = (tmp_path / "model" / "rejected.tsv").read_text().splitlines()
    assert rejected[1:] == [f"{located(200)[0]}\tsplit\talso in a part farther from training"]


def test_table_of_both_classes_is_split_by_sequence_with_shuffles_on_the_positives_side(tmp_path: Path) -> None:
    bound = positives(150)
    chance = np.random.default_rng(5)
    lines = ["id\tsequence\tlabel"]
    for row, sequence in enumerate(bound):
        other = decode(chance.integers(0, 4, LENGTH, np.uint8))
        lines += [f"p{row}\t{sequence}\t1", f"n{row}\t{other}\t0", f"short{row}\tACGT\t0"]
    (tmp_path / "data.tsv").write_text("\n".join(lines) + "\n")
    result = train("--table", str(tmp_path / "data.tsv"), "-o", str(tmp_path / "model"))
    names = parts(tmp_path / "model")
    assert "450 records = 300 kept + 150 rejected" in result.stderr
    assert all(name[0] == "p" for part in PARTS for name in names[f"{part}.positives"])
    assert all(name[0] == "n" for part in PARTS for name in names[f"{part}.negatives"])
    assert sum(map(len, names.values())) == 300
    assert len((tmp_path / "model" / "rejected.tsv").read_text().splitlines()) == 151


def test_bed_with_genome_and_given_negatives(tmp_path: Path) -> None:
    sequences = positives(120)
    genome = {f"chr{number}": "".join(sequences[number * 12 : number * 12 + 12]) for number in range(10)}
    fasta(tmp_path / "genome.fa", list(genome), list(genome.values()))
    bed = [f"{name}\t{start}\t{start + LENGTH}\n" for name in genome for start in range(0, 12 * LENGTH, LENGTH)]
    (tmp_path / "peaks.bed").write_text("".join(bed))
    shifted = [f"{name}\t{start + 25}\t{start + 75}\n" for name in genome for start in range(0, 11 * LENGTH, LENGTH)]
    (tmp_path / "off.bed").write_text("".join(shifted) + "chr0\t590\t640\n")
    files = ["--positives", str(tmp_path / "peaks.bed"), "--negatives", str(tmp_path / "off.bed")]
    where = ["--genome", str(tmp_path / "genome.fa"), "--length", str(LENGTH), "--test-chromosomes", "chr3"]
    result = train(*files, *where, "-o", str(tmp_path / "model"))
    assert "off.bed: 111 records = 110 kept + 1 rejected" in result.stderr
    test = [record.sequence for record in read_fasta(str(tmp_path / "model" / "test.positives.fa"))]
    assert test == sequences[36:48]
    assert (tmp_path / "model" / "test.negatives.bed").read_text().startswith("chr3\t25\t75\t")


def test_from_a_pipe_without_test_part(tmp_path: Path) -> None:
    text = "".join(f">{row}\n{sequence}\n" for row, sequence in enumerate(positives(80)))
    shares = ["--test-share", "0", "--validation-share", "0"]
    train("--positives", "-", *shares, "-o", str(tmp_path / "model"), stdin=text)
    rows = [line.split("\t") for line in (tmp_path / "model" / "metrics.tsv").read_text().splitlines()]
    assert rows[3][2:] == ["", "", "", "0", "0"]
    assert len(parts(tmp_path / "model")["train.positives"]) == 80


WRONG = {
    "nothing": ([], 2, "positives: either they or a table are needed, not both"),
    "both": (["--positives", "peaks.fa", "--table", "peaks.fa"], 2, "a table are needed, not both"),
    "unknown chromosome": (["--positives", "peaks.fa", "--test-chromosomes", "chrQ"], 2, "no record lies on chrQ"),
    "no coordinates": (["--positives", "bare.fa", "--test-chromosomes", "chr8"], 2, "100 of 100 records have no coord"),
    "device": (["--positives", "bare.fa", "--device", "meta"], 2, "device: meta is none that is known here"),
    "too short": (["--positives", "short.fa"], 2, "convnet does not take 8 bp"),
    "BED without genome": (["--positives", "peaks.bed"], 1, "give --genome"),
    "all held out": (["--positives", "two.fa", "--test-chromosomes", "chr1,chr2"], 1, "training part lacks a class"),
    "no positives": (["--table", "negative.tsv"], 1, "holds no record labelled 1"),
    "one large group": (["--positives", "overlapping.fa"], 1, "overlapping.fa: 21 of 100 records hang together"),
    "no test chromosome": (
        ["--positives", "two.fa", "--validation-chromosomes", "chr1"],
        2,
        "no chromosome is small enough to test on",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    fasta(tmp_path / "peaks.fa", located(100), positives(100))
    fasta(tmp_path / "bare.fa", [str(row) for row in range(100)], positives(100))
    fasta(tmp_path / "short.fa", [str(row) for row in range(9)], [letters[:8] for letters in positives(9)])
    fasta(tmp_path / "overlapping.fa", [str(row) for row in range(100)], positives(80) + [positives(1)[0]] * 20)
    fasta(tmp_path / "two.fa", located(20, 2), positives(20))
    (tmp_path / "peaks.bed").write_text("chr1\t1\t51\n")
    (tmp_path / "negative.tsv").write_text("sequence\tlabel\nACGT\t0\n")
    arguments, code, message = WRONG[name]
    result = train(*arguments, "-o", "model", expect=code)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*model*"))


OWN = """
from torch import nn

from pieces import head


class Own(nn.Module):
    def __init__(self, filters=4, outputs=2):
        super().__init__()
        self.scan, self.output = nn.Conv1d(4, filters, 5), head(filters, outputs)

    def forward(self, x):
        return self.output(self.scan(x).relu().amax(-1))


def plain(filters):
    scan = (nn.Conv1d(4, filters, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    return nn.Sequential(*scan, nn.Linear(filters, 2))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with networks of one's own, and positives."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "pieces.py").write_text("from torch import nn\n\ndef head(a, b):\n    return nn.Linear(a, b)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("own", "pieces"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    fasta(tmp_path / "p.fa", [f"p{n}" for n in range(200)], positives(200))
    return tmp_path


def test_an_architecture_of_ones_own(own: Path) -> None:
    train("--positives", "p.fa", "--architecture", "own:Own", "--arguments", '{"filters": 6}', "-o", "model")
    card = json.loads((own / "model/model.json").read_text())
    assert (card["architecture"], card["arguments"]) == ("own:Own", {"filters": 6})
    assert set(card["code"]["files"]) == {"own.py", "pieces.py"}
    with pytest.raises(InputError, match=r"building its network runs code, own\.py, pieces\.py"):
        mx.network("model")
    net = mx.network("model", trust_code=True)
    assert net.names == ("negative", "positive")
    assert net.module.scan.out_channels == 6
    first = (own / "model/weights.safetensors").read_bytes()
    again = ["--positives", "p.fa", "--architecture", "own:Own", "--arguments", '{"filters": 6}']
    train(*again, "-o", "again")
    assert (own / "again/weights.safetensors").read_bytes() == first
    train(*again, "--seed", "2", "-o", "other")
    assert (own / "other/weights.safetensors").read_bytes() != first
    record = json.loads((own / "model.provenance.json").read_text())
    assert {Path(name).name for name in record["inputs"]} == {"p.fa", "own.py", "pieces.py"}


def test_a_stack_of_ones_own_needs_no_code(own: Path) -> None:
    train("--positives", "p.fa", "--architecture", "own:plain", "--arguments", '{"filters": 3}', "-o", "model")
    assert mx.network("model").module[0].out_channels == 3
    assert not (own / "model/code").exists()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_arguments_of_an_architecture_of_ours(name: str, own: Path) -> None:
    argument = "states" if name == "deepmotif-rnn" else "filters"  # which has no filters
    given = json.dumps({argument: 3})
    train("--positives", "p.fa", "--architecture", name, "--arguments", given, "--epochs", "1", "-o", "model")
    model, card = load_model("model")
    assert (card.architecture, card.arguments) == (name, {argument: 3})
    assert 3 in next(model.parameters()).shape or 4 * 3 in next(model.parameters()).shape
    words = ["predict", str(own / "p.fa"), "--model", "model", "--threads", "1", "--out", "scores.tsv"]
    assert CliRunner().invoke(maxent, words).exit_code == 0


@pytest.mark.parametrize(
    ("architecture", "arguments", "code", "message"),
    [
        ("convent", "{}", 2, "architecture: there is none named convent; give one of convnet, .*module:function"),
        ("convnet", '{"depth": 3}', 2, r"arguments: are not those of convnet .*it takes filters \(64\), hidden \(64\)"),
        ("convnet", '{"filters": "many"}', 2, "arguments: are not those of convnet"),
        ("convnet", "filters", 2, "is not JSON"),
        (
            "own:Own",
            '{"outputs": 3}',
            1,
            r"own:Own: gives outputs of shape \(2, 3\) for 2 sequences and 2 classes;",
        ),
        ("own:Own", '{"depth": 3}', 1, "own:Own: .*unexpected keyword argument 'depth'"),
        ("own:Own", '{"filters": 0}', 1, "own:Own: "),
        ("nowhere:Own", "{}", 1, "nowhere:Own: cannot be imported"),
    ],
)
def test_an_architecture_that_does_not_serve_is_one_line(
    architecture: str, arguments: str, code: int, message: str, own: Path
) -> None:
    words = ["--architecture", architecture, "--arguments", arguments]
    result = train("--positives", "p.fa", *words, "-o", "model", expect=code)
    assert re.search(message, result.stderr), result.stderr
    assert not (own / "model").exists()
