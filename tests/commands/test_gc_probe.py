"""maxent gc-probe: its tables, its figure, what it says, and that its checks see a wrong field."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from small import Listed, saved, small_model

from maxent_cli.commands import gc_probe, maxent
from maxent_cli.interpret import sampling

ANCHORS = {"one": "GATCAT", "two": "CCGTGC", "three": "TTGAAA", "four": "ATATAG"}
MODEL = small_model(6)
SHORT = ["--chains", "20", "--rungs", "3", "--draws", "40", "--thin", "10", "--warmup", "240", "--beta", "60"]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return saved(tmp_path / "model", MODEL)


@pytest.fixture
def fasta(tmp_path: Path) -> str:
    path = tmp_path / "anchors.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in ANCHORS.items()))
    return str(path)


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(maxent, ["gc-probe", *arguments])
    assert result.exit_code == expect, result.output
    return result


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_the_folder_holds_response_checks_answer_and_figure(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "probe"
    result = run(fasta, "--model", model, "-o", str(out), *SHORT, "--fields", "-1,1", "--threads", "2")
    assert sorted(path.name for path in out.iterdir()) == ["answer.tsv", "checks.tsv", "response.png", "response.tsv"]
    assert (out / "response.png").read_bytes().startswith(b"\x89PNG")
    rows = table(out / "response.tsv")
    assert [(row["record"], float(row["field"])) for row in rows] == [(n, f) for n in ANCHORS for f in (-1, 0, 1)]
    assert len(table(out / "checks.tsv")) == 2 * len(ANCHORS)
    assert [row["quantity"] for row in table(out / "answer.tsv")] == [
        "slope of draws' GC on anchors' GC",
        "rigidity of N without a field",
    ]
    for row in table(out / "answer.tsv"):
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        assert f"{float(row['value']):.3f}" in result.stderr
    assert set(json.loads((tmp_path / "probe.provenance.json").read_text())["inputs"]) == {model, fasta}


def test_the_response_is_that_of_listing(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--fields", "-1,1")
    for row in table(tmp_path / "probe" / "response.tsv"):
        field = float(row["field"])
        listed = Listed(MODEL, ANCHORS[row["record"]], field=field)
        content = np.array([sum(letter in "GC" for letter in word) for word in listed.words])
        exact = listed.law(60.0) @ content
        spread = listed.law(60.0) @ content**2 - exact**2
        assert float(row["gc"]) == pytest.approx(exact / 6, abs=4.5 * float(row["gc_error"]))
        assert float(row["variance"]) == pytest.approx(spread, abs=4.5 * float(row["variance_error"]))
        assert float(row["gc_beta_0"]) == pytest.approx(listed.law(0.0) @ content / 6, rel=1e-5)
        assert float(row["beta"]) == 60


def test_checks_of_right_draws_hold(tmp_path: Path, model: str, fasta: str) -> None:
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT)
    rows = table(tmp_path / "probe" / "checks.tsv")
    scores = np.array([float(row["z"]) for row in rows])
    assert len(scores) == 4 * len(ANCHORS)
    assert np.abs(scores).max() < 4.5
    assert 0.4 < scores.std() < 1.8
    assert f"{(np.abs(scores) <= 3).sum()} of {len(scores)} z-scores within 3" in result.stderr


def test_a_wrong_field_is_caught(tmp_path: Path, model: str, fasta: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = sampling.sample_anchor

    def weaker(network, anchor, law, *rest):
        return right(network, anchor, replace(law, field=0.6 * law.field), *rest)

    monkeypatch.setattr(sampling, "sample_anchor", weaker)
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT)
    scores = [abs(float(row["z"])) for row in table(tmp_path / "probe" / "checks.tsv")]
    assert np.mean(np.array(scores) > 3) > 0.7


def test_beta_0_answers_as_the_background_does(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--beta", "0")
    for row in table(tmp_path / "probe" / "response.tsv"):
        assert float(row["gc"]) == pytest.approx(float(row["gc_beta_0"]), abs=4.5 * float(row["gc_error"]))
        assert abs(float(row["rigidity"])) < 4.5 * float(row["rigidity_error"])


def test_same_seed_same_bytes(tmp_path: Path, model: str, fasta: str) -> None:
    for name, threads in (("first", "1"), ("second", "2")):
        run(fasta, "--model", model, "-o", str(tmp_path / name), *SHORT, "--fields", "1", "--threads", threads)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("given", ["a", "0", "", "11", "1,nan", "-20,0"])
def test_fields_that_cannot_be_are_refused(tmp_path: Path, model: str, fasta: str, given: str) -> None:
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--fields", given, expect=2)
    assert "--fields" in result.stderr
    assert not (tmp_path / "probe").exists()


def test_fields_are_sorted_and_hold_0() -> None:
    fields = gc_probe.Fields()
    assert fields.convert("2,-1", None, None) == (-1, 0, 2)
    assert fields.convert("0,1,1", None, None) == (0, 1)
