"""maxent predict: the table is the network's, and anchors are chosen as asked."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from running import invoke

from maxent_cli.alphabet import decode
from maxent_cli.io.checkpoint import ModelCard, load_model, save_model
from maxent_cli.io.fasta import read_fasta
from maxent_cli.models.architectures import build
from maxent_cli.models.prediction import predict

LENGTH = 60
CODES = np.random.default_rng(3).integers(0, 4, (30, LENGTH), np.uint8)
SEQUENCES = [decode(row) for row in CODES]
NAMES = [f"chr1:{100 * row}-{100 * row + LENGTH}" for row in range(30)]


@pytest.fixture
def model(tmp_path: Path) -> str:
    folder = tmp_path / "model"
    folder.mkdir()
    card = ModelCard("convnet", LENGTH, ("negative", "positive"), {}, (0.25, 0.25, 0.25, 0.25), {})
    save_model(folder, build("convnet", LENGTH, {}, seed=8), card)
    return str(folder)


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = tmp_path / "records.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in zip(NAMES, SEQUENCES, strict=True)))
    return str(path)


run = partial(invoke, "predict", "--threads", "1")


def columns(text: str) -> dict[str, list[str]]:
    rows = [line.split("\t") for line in text.splitlines()]
    return {name: list(cells) for name, *cells in zip(*rows, strict=True)}


def margins(model: str) -> np.ndarray:
    outputs = predict(load_model(model)[0], CODES).astype(float)
    return outputs[:, 1] - outputs[:, 0]


def test_table_is_the_networks(tmp_path: Path, model: str, records: str) -> None:
    run(records, "--model", model, "-o", str(tmp_path / "scores.tsv"))
    table = columns((tmp_path / "scores.tsv").read_text())
    assert list(table) == ["record", "negative", "positive", "contrast", "probability"]
    assert table["record"] == NAMES
    outputs = predict(load_model(model)[0], CODES).astype(float)
    assert np.array(table["positive"], float) == pytest.approx(outputs[:, 1], rel=1e-4, abs=1e-6)
    assert np.array(table["contrast"], float) == pytest.approx(margins(model), rel=1e-4, abs=1e-6)
    assert np.array(table["probability"], float) == pytest.approx(1 / (1 + np.exp(-margins(model))), rel=1e-5)
    assert (tmp_path / "scores.tsv.provenance.json").is_file()


def test_reversed_contrast_is_the_other_class(model: str, records: str) -> None:
    straight = columns(run(records, "--model", model, "-o", "-").stdout)
    other = columns(run(records, "--model", model, "--output", "negative-positive", "-o", "-").stdout)
    assert np.array(other["contrast"], float) == pytest.approx(-np.array(straight["contrast"], float), abs=1e-9)
    either = np.array(other["probability"], float) + np.array(straight["probability"], float)
    assert either == pytest.approx(1, abs=1e-5)


def test_pipe_in_and_out_is_only_the_table(model: str) -> None:
    result = run("-", "--model", model, "-o", "-", stdin=f">a\n{SEQUENCES[0]}\n>b\n{'N' * LENGTH}\n")
    assert columns(result.stdout)["record"] == ["a"]
    assert "2 records = 1 kept + 1 rejected" in result.stderr


def test_crop_takes_the_middle_only_when_asked(tmp_path: Path, model: str) -> None:
    (tmp_path / "long.fa").write_text(f">a\nAC{SEQUENCES[0]}GT\n>b\n{SEQUENCES[1]}\n")
    out = str(tmp_path / "scores.tsv")
    run(str(tmp_path / "long.fa"), "--model", model, "-o", out)
    assert columns(Path(out).read_text())["record"] == ["b"]
    assert "longer" in Path(f"{out}.rejected.tsv").read_text()
    run(str(tmp_path / "long.fa"), "--model", model, "--crop", "-o", out)
    table = columns(Path(out).read_text())
    assert np.array(table["contrast"], float) == pytest.approx(margins(model)[:2], rel=1e-4, abs=1e-6)


def test_labels_and_whether_the_call_is_right(tmp_path: Path, model: str) -> None:
    labels = np.arange(30) % 2
    rows = "".join(f"{n}\t{s}\t{y}\n" for n, s, y in zip(NAMES, SEQUENCES, labels, strict=True))
    (tmp_path / "data.tsv").write_text(f"id\tseq\tBound\n{rows}")
    table = columns(run("--table", str(tmp_path / "data.tsv"), "--model", model, "-o", "-").stdout)
    assert table["label"] == [str(label) for label in labels]
    right = (margins(model) > 0) == (labels == 1)
    assert 0 < right.sum() < 30
    assert table["correct"] == ["yes" if call else "no" for call in right]


def test_select_highest_first_by_every_condition(tmp_path: Path, model: str, records: str) -> None:
    margin = margins(model)
    least = float(np.median(margin))
    chosen = tmp_path / "anchors.fa"
    base = [records, "--model", model, "-o", str(tmp_path / "scores.tsv"), "--select", str(chosen)]
    order = [NAMES[row] for row in np.argsort(-margin)]

    def names(*more: str) -> list[str]:
        run(*base, *more)
        return [record.name for record in read_fasta(str(chosen))] if chosen.stat().st_size else []

    assert names() == order
    assert names("--top", "4") == order[:4]
    assert names("--min-contrast", repr(least)) == order[: int((margin >= least).sum())]
    positive = [name for name in order if margin[NAMES.index(name)] > 0]
    assert names("--label", "1", "--correct") == positive
    assert names("--label", "0", "--correct", "--top", "3") == [name for name in order if name not in positive][:3]
    assert names("--min-contrast", "1e9") == []
    run(*base, "--top", "1")
    assert next(read_fasta(str(chosen))).sequence == SEQUENCES[int(np.argmax(margin))]
    assert Path(f"{chosen}.provenance.json").is_file()


def test_shares_go_with_the_anchors_and_the_command_line_before_a_file(
    tmp_path: Path, model: str, records: str
) -> None:
    chosen, out = tmp_path / "anchors.fa", tmp_path / "scores.tsv"
    base = [records, "--model", model, "-o", str(out), "--select", str(chosen)]
    result = run(*base, "--diverse", "4")
    kept = list(read_fasta(str(chosen)))
    assert len(kept) == 4
    assert sum(record.stands_for or 0 for record in kept) == pytest.approx(1, abs=1e-5)
    assert "4 of 30 records selected, which stand for 30 that could be: " in result.stderr
    table = columns(out.read_text())
    shares = {name: share for name, share in zip(table["record"], table["stands_for"], strict=True) if share != "nan"}
    assert {name: float(share) for name, share in shares.items()} == {
        record.name: pytest.approx(record.stands_for, abs=1e-5) for record in kept
    }
    assert set(table["anchor"]) == set(shares)
    (tmp_path / "run.toml").write_text("[predict]\ndiverse = 4\n")
    run(*base, "--top", "2", "--config", str(tmp_path / "run.toml"))
    assert [record.stands_for for record in read_fasta(str(chosen))] == [None, None]
    run(*base, "--top", "2", "--diverse", "2", code=2)


def test_select_bed(tmp_path: Path, model: str, records: str) -> None:
    chosen = str(tmp_path / "anchors.bed")
    run(records, "--model", model, "-o", str(tmp_path / "scores.tsv"), "--select", chosen, "--top", "2")
    rows = [line.split("\t") for line in Path(chosen).read_text().splitlines()]
    assert [f"{row[0]}:{row[1]}-{row[2]}" for row in rows] == [NAMES[row] for row in np.argsort(-margins(model))[:2]]
    assert float(rows[0][4]) == pytest.approx(margins(model).max(), rel=1e-4)


def test_select_bed_needs_coordinates(tmp_path: Path, model: str) -> None:
    chosen = str(tmp_path / "anchors.bed")
    arguments = ["-", "--model", model, "-o", str(tmp_path / "scores.tsv"), "--select", chosen]
    result = run(*arguments, stdin=f">a\n{SEQUENCES[0]}\n", code=1)
    assert "anchors.bed: a selected record has no coordinates; name a FASTA file instead" in result.stderr
    assert not Path(chosen).exists()


def test_bed_and_genome(tmp_path: Path, model: str) -> None:
    (tmp_path / "genome.fa").write_text(f">chrI\n{SEQUENCES[0]}{SEQUENCES[1]}\n")
    (tmp_path / "peaks.bed").write_text("chrI\t0\t60\nchrI\t80\t100\n")
    arguments = [str(tmp_path / "peaks.bed"), "--genome", str(tmp_path / "genome.fa"), "--model", model]
    table = columns(run(*arguments, "-o", "-").stdout)
    assert np.array(table["contrast"], float) == pytest.approx(margins(model)[:2], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "records: either they or a table are needed, not both"),
        (["records.fa", "--table", "records.fa"], "a table are needed, not both"),
        (["--table", "records.fa", "--label", "1"], "table: holds labels, and excludes label"),
        (["records.fa", "--top", "3"], "give --select FILE"),
        (["records.fa", "--select", "a.fa", "--correct"], "correct: needs labels"),
        (["records.fa", "--select", "a.fa", "--min-contrast", "nan"], "nan is not a finite number"),
        (["records.fa", "--select", "a.fa", "--min-contrast", "inf"], "inf is not a finite number"),
        (["records.fa", "--output", "2-0"], "numbered 0 to 1 (negative, positive)"),
    ],
)
def test_wrong_use_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str, records: str, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(Path(records).parent)
    result = run(*arguments, "--model", model, "-o", str(tmp_path / "scores.tsv"), code=2)
    assert message in result.stderr
    assert not (tmp_path / "scores.tsv").exists()
