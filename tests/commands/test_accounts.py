"""Nothing is dropped in silence: in = kept + rejected, by name, place and reason; names do no harm anywhere."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from hostile_files import HOSTILE_NAMES
from running import invoke, table
from small import saved, small_model
from thinned import thinned

from maxent_cli.alphabet import decode
from maxent_cli.io.bed import read_intervals
from maxent_cli.io.fasta import read_fasta
from maxent_cli.io.samples import open_draws

LENGTH = 30
LETTERS = [decode(row) for row in np.random.default_rng(2).integers(0, 4, (40, LENGTH), np.uint8)]
RUN = "--chains 4 --replicas 3 --draws 8 --thin 4 --max-steps 32 --warmup 240 --max-rhat 9 --beta 5 --threads 1".split()  # noqa: SIM905
BAD = {
    "short": ("ACG", "shorter than 30 bp"),
    "long": (11 * "ACG", "longer than 30 bp"),
    "unknown": (10 * "ACN", "letter N (not one of ACGT)"),
    "protein": (5 * "MKVLAG", "letter M (not one of ACGT)"),
    "empty": ("", "empty"),
}
OF_DRAWS = ("motifs", "dependence", "periodicity", "report", "compare")
TRAIN = ["train", "--epochs", "1", "--batch", "8", "--length", "30", "--architecture", "finnegan2017", "--positives"]
COMMANDS = {
    "predict": (["predict"], "out.rejected.tsv"),
    "sample": (["sample", *RUN], "out.rejected.tsv"),
    "gc-probe": (["gc-probe", *RUN, "--mu", "0,1"], "out.rejected.tsv"),
    "design": (["design", *RUN[:-4], *RUN[-2:], "--to", "1", "--near"], "out.rejected.tsv"),
    "attribute": (["attribute", "--method", "saliency", "--logos", "none"], "out.rejected.tsv"),
    "train": (TRAIN, "out/rejected.tsv"),
}
NAMES = [*HOSTILE_NAMES, "../../../etc/passwd", "..", "=1+1", "a\u2028b", "a\x1b[31mb", "a\u202eb", "%2e%2e%2f", "NUL"]


def run(folder: Path, *words: str, code: int = 0) -> Result:
    model = [] if words[0] in ("train", *OF_DRAWS) else ["--model"]
    more = [*model, str(folder / "model")] if model else []
    return invoke(*words, *more, code=code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(tmp_path / "model", small_model(LENGTH))
    return tmp_path


def fasta(folder: Path, records: dict[str, str]) -> str:
    path = folder / "records.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in records.items()), encoding="utf-8")
    return str(path)


def words_of(name: str, folder: Path, path: str) -> list[str]:
    return [*COMMANDS[name][0], path, "--out", str(folder / "out")]


def good_records(name: str) -> dict[str, str]:
    """As many records as a command needs."""
    return {f"r{n}": letters for n, letters in enumerate(LETTERS[: 40 if name == "train" else 2])}


@pytest.mark.parametrize("name", thinned(list(COMMANDS), 2))
def test_kept_and_rejected_make_up_what_was_read(name: str, folder: Path) -> None:
    good = good_records(name)
    path = fasta(folder, good | {bad: letters for bad, (letters, _) in BAD.items()})
    result = run(folder, *words_of(name, folder, path))
    assert f"{path}: {len(good) + 5} records = {len(good)} kept + 5 rejected" in result.stderr
    rejected = table(folder / COMMANDS[name][1])
    assert {row["record"]: row["reason"] for row in rejected} == {bad: reason for bad, (_, reason) in BAD.items()}
    assert all(re.fullmatch(rf"{re.escape(path)}: line \d+", row["place"]) for row in rejected)


@pytest.mark.parametrize("name", COMMANDS)
def test_all_rejected_is_an_error_with_its_table_and_nothing_else(name: str, folder: Path) -> None:
    path = fasta(folder, {bad: letters for bad, (letters, _) in BAD.items()})
    result = run(folder, *words_of(name, folder, path), code=1)
    assert "5 records = 0 kept + 5 rejected" in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith(
        f"maxent: {path}: all 5 records were rejected (first: short: shorter than 30 bp); give longer"
    )
    assert [row["record"] for row in table(folder / "out.rejected.tsv")] == list(BAD)
    assert {place.name for place in folder.iterdir()} == {"model", "records.fa", "out.rejected.tsv"}


@pytest.mark.parametrize("name", thinned(list(COMMANDS), 3))
def test_the_table_of_an_earlier_run_does_not_stay(name: str, folder: Path) -> None:
    run(folder, *words_of(name, folder, fasta(folder, {"a": "ACG"})), code=1)
    run(folder, *words_of(name, folder, fasta(folder, good_records(name))))
    assert not (folder / "out.rejected.tsv").exists()


def test_doctor_accounts_on_stderr(folder: Path) -> None:
    path = fasta(folder, {"good": LETTERS[0], "bad": "ACG"})
    result = run(folder, "doctor", path, *RUN)
    assert f"{path}: 2 records = 1 kept + 1 rejected (1 shorter than 30 bp)" in result.stderr
    assert f"  bad ({path}: line 3): shorter than 30 bp" in result.stderr


def test_rejected_rows_of_a_table_are_all_accounted_for(folder: Path) -> None:
    (folder / "data.tsv").write_text("id\tsequence\tlabel\na\tACG\t1\nb\tACGN\t0\n")
    result = run(folder, "predict", "--table", str(folder / "data.tsv"), "-o", str(folder / "out"), code=1)
    assert "all 2 records were rejected" in result.stderr.splitlines()[-1]
    assert [row["record"] for row in table(folder / "out.rejected.tsv")] == ["a", "b"]


def test_all_rejected_for_their_chromosomes_says_both_spellings(folder: Path) -> None:
    (folder / "genome.fa").write_text(">chr1\n" + "ACGTGCTA" * 12 + "\n")
    (folder / "peaks.bed").write_text("1\t0\t30\n1\t30\t60\n")
    words = ["predict", str(folder / "peaks.bed"), "--genome", str(folder / "genome.fa"), "-o", str(folder / "out")]
    last = run(folder, *words, code=1).stderr.splitlines()[-1]
    assert "the intervals say chromosome 1, genome.fa says chr1" in last
    assert last.endswith("; --map-chromosomes takes them for the same")


def test_names_do_no_harm(folder: Path) -> None:
    """Records with such names from anchors to the report: all files lie where asked, tables and FASTA stay whole."""
    path = fasta(folder, dict(zip(NAMES, LETTERS, strict=False)) | {'bad" name\t<b>': "ACG"})
    given = [record.name for record in read_fasta(path)][: len(NAMES)]
    before = {place.name for place in folder.parent.iterdir()}
    out = folder / "out"
    out.mkdir()
    draws = str(out / "draws.npz")
    run(folder, "predict", path, "-o", str(out / "scores.tsv"), "--select", str(out / "chosen.fa"))
    result = run(folder, "sample", path, "-o", draws, "--fasta", str(out / "draws.fa"), *RUN)
    assert result.stderr.isprintable() or set(result.stderr) - {"\n"} == set(filter(str.isprintable, result.stderr))
    run(folder, "motifs", draws, "-o", str(out / "motifs"), "--max-logos", "3", "--threads", "1")
    run(folder, "dependence", draws, "-o", str(out / "dependence"))
    run(folder, "report", draws, "--motifs", str(out / "motifs"), "-o", str(out / "report.html"))
    assert {place.name for place in folder.parent.iterdir()} == before
    assert {place.name for place in folder.iterdir()} == {"model", "records.fa", "out"}
    check_tables(out, given)
    with open_draws(draws) as anchors:
        assert [samples.name for samples in anchors] == given
    assert len(list(read_fasta(str(out / "draws.fa")))) == 4 * 8 * len(given)
    assert {record.name for record in read_fasta(str(out / "chosen.fa"))} == set(given)
    bed = out / "motifs" / "sites.bed"
    list(read_intervals(str(bed))) if bed.stat().st_size else []
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def check_tables(out: Path, given: list[str]) -> None:
    """Every TSV has one number of cells a row, and names that were given, up to control characters.

    What a spreadsheet would take for a formula stands behind an apostrophe.
    """
    plain = {
        "".join(" " if not letter.isprintable() and ord(letter) < 0x2030 else letter for letter in n) for n in given
    }
    for path in out.rglob("*.tsv"):
        for row in table(path):
            assert None not in row
            assert None not in row.values()
            if "record" in row and "rejected" not in path.name:
                name = row["record"]
                assert name in plain | set(given) or (name[1:2] in "=+-@" and name[1:] in plain), path


@pytest.mark.parametrize("policy", ["fix", "sample"])
def test_unknown_letters_go_through_all_commands(policy: str, folder: Path) -> None:
    letters = LETTERS[0][:10] + "NNn" + LETTERS[0][13:]
    draws, out = str(folder / "draws.npz"), folder / "out"
    run(folder, "sample", fasta(folder, {"a": letters, "b": LETTERS[1]}), "-o", draws, "--n-policy", policy, *RUN)
    run(folder, "motifs", draws, "-o", str(out / "motifs"), "--threads", "1")
    run(folder, "dependence", draws, "-o", str(out / "dependence"))
    run(folder, "periodicity", draws, "-o", str(out / "periodicity"))
    run(folder, "compare", str(out / "motifs"), str(out / "motifs"), "-o", str(out / "compare"))
    run(folder, "report", draws, "--motifs", str(out / "motifs"), "-o", str(out / "report.html"))
    rows = [row for row in table(out / "motifs" / "positions.tsv") if row["record"] == "a"]
    assert "".join(row["letter"] for row in rows) == letters.upper()
    kept = {row["p_A"] for row in rows[10:13]}
    assert kept == ({"0"} if policy == "fix" else kept - {"0"})


def test_doctor_and_gc_probe_take_unknown_letters(folder: Path) -> None:
    path = fasta(folder, {"a": LETTERS[0][:10] + "N" + LETTERS[0][11:]})
    for policy in ("fix", "sample"):
        result = run(folder, "doctor", path, "--n-policy", policy, *RUN)
        assert "self-test" in result.stdout
        words = ["gc-probe", path, "--n-policy", policy, "--mu", "0,1", "-o", str(folder / "out"), *RUN]
        run(folder, *words)
