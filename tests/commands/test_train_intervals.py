"""maxent train from scored intervals and a genome: which become positives and negatives."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from maxent_cli.alphabet import decode
from maxent_cli.commands import maxent
from maxent_cli.io.bed import read_intervals
from maxent_cli.io.fasta import read_fasta

LENGTH, SIZE = 21, 6000
CHROMOSOMES = ("chr1", "chr2", "chr3")
PARTS = ("train", "validation", "test")


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "genome.fa"
    letters = np.random.default_rng(1).choice(4, (len(CHROMOSOMES), SIZE), p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8)
    path.write_text("".join(f">{name}\n{decode(row)}\n" for name, row in zip(CHROMOSOMES, letters, strict=True)))
    return str(path)


@pytest.fixture
def dyads(tmp_path: Path) -> str:
    """One base every hundred or so, with a score of its own."""
    path, chance = tmp_path / "dyads.bed", np.random.default_rng(2)
    places = [(name, int(at)) for name in CHROMOSOMES for at in np.arange(30, SIZE - 30, 100) + chance.integers(0, 30)]
    scored = enumerate(zip(places, chance.permutation(len(places)).tolist(), strict=True))
    path.write_text("".join(f"{name}\t{at}\t{at + 1}\tn{i}\t{score}\n" for i, ((name, at), score) in scored))
    return str(path)


def train(folder: Path, genome: str, dyads: str, *arguments: str, expect: int = 0) -> Result:
    files = ["--positives", dyads, "--genome", genome, "--length", str(LENGTH), "-o", str(folder)]
    split = ["--test-chromosomes", "chr3", "--validation-share", "0", "--architecture", "nucleosome", "--length", "60"]
    quick = ["--epochs", "1", "--batch", "16", "--threads", "1"]
    result = CliRunner().invoke(maxent, ["train", *files, *split, *quick, *arguments])
    assert result.exit_code == expect, result.output
    return result


def written(folder: Path, label: str) -> list[tuple[str, int]]:
    """Chromosome and centre of all records of a label, over the parts."""
    files = [folder / f"{part}.{label}.bed" for part in PARTS]
    rows = [
        row.interval for path in files if path.exists() and path.stat().st_size for row in read_intervals(str(path))
    ]
    return [(row.chromosome, (row.start + row.end) // 2) for row in rows]


def places(path: str) -> list[tuple[str, int]]:
    """Chromosome and place of all intervals, lowest score first."""
    rows = sorted(read_intervals(path), key=lambda row: row.score or 0)
    return [(row.interval.chromosome, row.interval.start) for row in rows]


def test_negatives_away_are_as_many_on_each_chromosome_and_far_from_all_intervals(
    tmp_path: Path, genome: str, dyads: str
) -> None:
    train(tmp_path / "model", genome, dyads, "--negatives-away", "25", "--top-score", "0.5")
    positives, negatives = (written(tmp_path / "model", label) for label in ("positives", "negatives"))
    every = places(dyads)
    assert sorted(positives) == sorted(every[len(every) // 2 :])
    assert Counter(name for name, _ in negatives) == Counter(name for name, _ in positives)
    distances = [min(abs(at - other) for chromosome, other in every if chromosome == name) for name, at in negatives]
    assert min(distances) >= 25
    assert max(distances) < 90  # and they are spread over what is free
    assert len(set(negatives)) == len(negatives)
    train(tmp_path / "again", genome, dyads, "--negatives-away", "25", "--top-score", "0.5")
    assert written(tmp_path / "again", "negatives") == negatives
    train(tmp_path / "other", genome, dyads, "--negatives-away", "25", "--top-score", "0.5", "--seed", "2")
    assert written(tmp_path / "other", "negatives") != negatives


def test_high_scores_against_low_scores(tmp_path: Path, genome: str, dyads: str) -> None:
    train(tmp_path / "model", genome, dyads, "--top-score", "0.25", "--bottom-score", "0.4")
    every = places(dyads)
    assert sorted(written(tmp_path / "model", "positives")) == sorted(every[-len(every) // 4 :])
    assert sorted(written(tmp_path / "model", "negatives")) == sorted(every[: len(every) * 4 // 10])


def test_matched_gc_leaves_as_many_of_each_in_every_part(tmp_path: Path, genome: str, dyads: str) -> None:
    train(tmp_path / "model", genome, dyads, "--negatives-away", "20", "--match-gc")
    for part in ("train", "test"):
        contents = []
        for label in ("positives", "negatives"):
            records = read_fasta(str(tmp_path / "model" / f"{part}.{label}.fa"))
            contents.append(Counter(sum(letter in "GC" for letter in record.sequence) for record in records))
        assert contents[0] == contents[1]
        assert contents[0].total() > 10
    rejected = (tmp_path / "model" / "rejected.tsv").read_text()
    kept = sum(len(written(tmp_path / "model", label)) for label in ("positives", "negatives"))
    assert rejected.count("no partner of the same GC") == 2 * len(places(dyads)) - kept


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--negatives-away", "20", "--bottom-score", "0.5"], "exclude each other"),
        (["--match-gc"], "match-gc: needs negatives"),
        (["--top-score", "0"], "--top-score"),
        (["--negatives-away", "0"], "--negatives-away"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, genome: str, dyads: str, arguments: list[str], named: str
) -> None:
    assert named in train(tmp_path / "model", genome, dyads, *arguments, expect=2).stderr


def test_what_cannot_be_had_is_an_error_that_says_so(tmp_path: Path, genome: str, dyads: str) -> None:
    result = train(tmp_path / "model", genome, dyads, "--negatives-away", "300", expect=1)
    assert "chr1 has 0 places 300 bp from every interval; 60 are needed" in result.stderr
    plain = tmp_path / "plain.bed"
    plain.write_text("chr1\t100\t101\n")
    result = train(tmp_path / "model", genome, str(plain), "--top-score", "0.5", expect=1)
    assert "line 1: has no score" in result.stderr
    fasta = CliRunner().invoke(
        maxent, ["train", "--positives", genome, "--top-score", "0.5", "-o", str(tmp_path / "m")]
    )
    assert fasta.exit_code == 2
    assert "give positives as BED" in fasta.stderr
