import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from maxent_cli.alphabet import encode, reverse_complement
from maxent_cli.commands import maxent
from maxent_cli.data import Motif
from maxent_cli.io.bed import read_intervals
from maxent_cli.io.fasta import read_fasta, to_sequences
from maxent_cli.io.motif_files import write_meme


def run(*arguments: object) -> Result:
    return CliRunner().invoke(maxent, ["simulate", *map(str, arguments)])


@pytest.fixture
def motif_file(tmp_path: Path) -> str:
    path = str(tmp_path / "pairs.meme")
    motifs = [
        Motif(name, 20.0 * np.eye(4)[encode(word)], 20.0) for name, word in [("X1 GATA", "AGATAA"), ("X2", "CAGC")]
    ]
    write_meme(path, [*motifs, Motif("Y GATA", motifs[0].counts, 20.0)])
    return path


def test_sequences_truth_and_provenance(tmp_path: Path) -> None:
    out, truth = tmp_path / "s.fa", tmp_path / "t.bed"
    result = run("--out", out, "--truth", truth, "--count", 200, "--length", 60, "--plant", "CTCF:density=0.5")
    assert result.exit_code == 0
    kept, rejected = to_sequences(read_fasta(str(out)), 60)
    assert rejected == []
    assert kept.names == tuple(f"seq{number:06d}" for number in range(1, 201))
    sites = list(read_intervals(str(truth)))
    assert 60 < len(sites) < 140
    assert {site.name for site in sites} == {"MA0139.1_CTCF"}
    assert {site.interval.strand for site in sites} == {"+", "-"}
    assert {site.interval.end - site.interval.start for site in sites} == {19}
    assert f"200 sequences, {len(sites)} sites planted" in result.stderr
    for path in (out, truth):
        made = json.loads(Path(f"{path}.provenance.json").read_text())
        assert made["seed"] == 1
        assert [Path(name).name for name in made["inputs"]] == ["MA0139.1.meme"]


def test_the_truth_says_what_stands_in_the_sequences(motif_file: str, tmp_path: Path) -> None:
    out, truth = str(tmp_path / "s.fa"), str(tmp_path / "t.bed")
    plants = ["--plant", "X1,X2(-):spacing=3-5,position=10-12", "--plant", "X2:density=0.5,strand=+"]
    result = run("-o", out, "--truth", truth, "--motifs", motif_file, *plants, "--count", 100, "--gc", 0.3)
    assert result.exit_code == 0
    sequences = {record.name: encode(record.sequence) for record in read_fasta(out)}
    words = {"X1_GATA": encode("AGATAA"), "X2": encode("CAGC")}
    rows = list(read_intervals(truth))
    assert len(rows) > 220
    for row in rows:
        place = row.interval
        letters = sequences[place.chromosome][place.start : place.end]
        assert np.array_equal(reverse_complement(letters) if place.strand == "-" else letters, words[row.name])
        gc = {"X1_GATA": 1, "X2": 3}[row.name]
        width = place.end - place.start
        assert row.score == pytest.approx(-gc * np.log2(0.15) - (width - gc) * np.log2(0.35), abs=1e-3)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in [("a", 5), ("b", 5), ("c", 6)]:
        plant = ["--plant", "CTCF:density=0.5"]
        assert run("-o", tmp_path / f"{name}.fa", "--truth", tmp_path / name, *plant, "--seed", seed).exit_code == 0
    for suffix in ("", ".fa"):
        first, same, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "abc")
        assert first == same != other


def test_standard_output_holds_only_fasta() -> None:
    result = run("-o", "-", "--count", 3, "--length", 8)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[::2] == [">seq000001", ">seq000002", ">seq000003"]
    assert all(len(line) == 8 and set(line) <= set("ACGT") for line in lines[1::2])


@pytest.mark.parametrize(
    ("option", "value", "gc"),
    [("--gc", "0.8", 0.8), ("--background", "0.7,0.1,0.1,0.1", 0.2)],
)
def test_composition(option: str, value: str, gc: float) -> None:
    letters = "".join(run("-o", "-", "--count", 200, option, value).stdout.splitlines()[1::2])
    assert (letters.count("G") + letters.count("C")) / len(letters) == pytest.approx(gc, abs=0.015)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ("CTCF", "plant: motif 'CTCF' is not there in .*X1 GATA, X2, Y GATA"),
        ("GATA", "plant: motif 'GATA' names 2 motifs .*X1 GATA, Y GATA"),
        ("X1:densty=1", "write NAME.* with the keys density, position, strand, spacing"),
        ("X1:density=1,width=2", "'width' is none of density, position, strand, spacing"),
        ("X1:density=1,density=0", "'density' is given twice"),
        ("X1:density=1.1", r"density of X1: 1.1 is not from 0 to 1"),
        ("X1:density=much", "--plant.* density is a number from 0 to 1, not 'much'"),
        ("X1:density=nan", "density of X1: nan is not from 0 to 1"),
        ("X1:position=9-5", "position of X1: 9 to 5 is no range"),
        ("X1:position=-5", "--plant.* position is a whole number"),
        ("X1:position=96", "plant X1: takes up to 6 bp; in 101 bp the last start that fits is 95"),
        ("X1,X2:spacing=100", "plant X1,X2: takes up to 110 bp; in 101 bp it does not fit at all"),
        ("X1:strand=x", "strand of X1: 'x' is not \\+, - or both"),
        ("X1:spacing=3", "spacing of X1: is between motifs; there is one"),
        ("X1,,X2", "a motif's name is missing"),
        ("", "write NAME"),
    ],
)
def test_what_is_wrong_with_a_planting_is_said(plant: str, words: str, motif_file: str, tmp_path: Path) -> None:
    result = run("-o", tmp_path / "s.fa", "--motifs", motif_file, "--plant", plant)
    assert result.exit_code == 2
    message = " ".join(result.stderr.split())
    assert re.search(words, message), message
    assert not (tmp_path / "s.fa").exists()


def test_plantings_that_never_fit_together(tmp_path: Path) -> None:
    result = run("-o", tmp_path / "s.fa", *(["--plant", "CTCF"] * 6))
    assert result.exit_code == 2
    assert "no way of fitting 6 plantings side by side in 101 bp" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--background", "data"], "there are no data"),
        (["--background", "0.5,0.5,0.5,0.5"], "sum to 1"),
        (["--truth", "s.fa"], "same place as out"),
        (["--length", "0"], "0 is not in the range"),
    ],
)
def test_usage_errors(options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("-o", "s.fa", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_input_errors_name_the_file_and_leave_nothing(tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing.meme", tmp_path / "folder"
    folder.mkdir()
    absent = run("-o", tmp_path / "s.fa", "--motifs", missing, "--plant", "X")
    assert absent.exit_code == 1
    assert absent.stderr.startswith(f"maxent: {missing}: no such file")
    occupied = run("-o", folder, "--count", 2)
    assert occupied.exit_code == 1
    assert f"{folder}: is a folder" in occupied.stderr
    assert list(tmp_path.iterdir()) == [folder]


def test_the_wall_time_is_that_of_the_command(tmp_path: Path) -> None:
    """Not of the process, nor since some module was imported."""
    before = time.time()
    result = CliRunner().invoke(maxent, ["simulate", "-o", str(tmp_path / "a.fa"), "--count", "3"])
    took = time.time() - before
    assert result.exit_code == 0
    assert 0 < json.loads((tmp_path / "a.fa.provenance.json").read_text())["wall_seconds"] <= took + 0.001
