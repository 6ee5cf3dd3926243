"""maxent gc-probe: its tables, its figure, what it says, and that its checks see a wrong chemical potential."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from running import invoke, table
from small import Listed, saved, small_model
from thinned import thinned

from maxent_cli.api import jobs
from maxent_cli.api.probing import Probe

ANCHORS = {"one": "GATCAT", "two": "CCGTGC", "three": "TTGAAA", "four": "ATATAG"}
MODEL = small_model(6)
SHORT = [
    "--chains",
    "20",
    "--replicas",
    "3",
    "--draws",
    "40",
    "--thin",
    "10",
    "--warmup",
    "240",
    "--beta",
    "60",
    "--max-steps",
    "400",
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return saved(tmp_path / "model", MODEL)


@pytest.fixture
def fasta(tmp_path: Path) -> str:
    path = tmp_path / "anchors.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in ANCHORS.items()))
    return str(path)


run = partial(invoke, "gc-probe")


def test_the_folder_holds_answer_response_counts_checks_and_figure(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "probe"
    result = run(fasta, "--model", model, "-o", str(out), *SHORT, "--mu", "-1,1", "--threads", "2")
    assert sorted(path.name for path in out.iterdir()) == [
        *("answer.tsv", "by_mu.tsv", "checks.tsv", "counts.tsv", "covariances.tsv", "response.png", "response.tsv"),
    ]
    assert (out / "response.png").read_bytes().startswith(b"\x89PNG")
    rows = table(out / "response.tsv")
    assert [(row["record"], float(row["mu"])) for row in rows] == [(n, f) for n in ANCHORS for f in (-1, 0, 1)]
    potentials = table(out / "by_mu.tsv")
    assert [float(row["mu"]) for row in potentials] == [-1, 0, 1]
    for row in potentials:
        energies = [float(one["energy"]) for one in rows if one["mu"] == row["mu"]]
        assert float(row["energy"]) == pytest.approx(np.mean(energies), rel=1e-4)
        assert float(row["energy_low"]) <= float(row["energy"]) <= float(row["energy_high"])
    assert len(table(out / "checks.tsv")) == 2 * 2 * len(ANCHORS)
    counts, answer = table(out / "counts.tsv"), table(out / "answer.tsv")
    names = [row["count"] for row in counts if row["record"] == "one"]
    assert sorted(row["count"] for row in answer) == sorted(names)
    assert [row["record"] for row in counts] == [name for name in ANCHORS for _ in names]
    assert {"converged", "rhat", "ess"} <= set(counts[0])
    pairs = table(out / "covariances.tsv")
    assert len(pairs) == len(ANCHORS) * 25 * 26 / 2
    asked = next(row for row in answer if row["count"] == "G and C")
    assert asked["held"] == "undecided"  # of four anchors
    assert "4 anchors; is the number of G and C held? undecided" in result.stderr
    assert "held: none of 47 counts" in result.stderr
    inputs = json.loads((tmp_path / "probe.provenance.json").read_text())["inputs"]
    assert set(inputs) == {model, fasta}


def test_the_response_is_that_of_listing(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--mu", "-1,1")
    for row in table(tmp_path / "probe" / "response.tsv"):
        mu = float(row["mu"])
        listed = Listed(MODEL, ANCHORS[row["record"]], mu=mu)
        content = np.array([sum(letter in "GC" for letter in word) for word in listed.words])
        exact = listed.law(60.0) @ content
        spread = listed.law(60.0) @ content**2 - exact**2
        assert float(row["draws"]) == pytest.approx(exact / 6, abs=4.5 * float(row["draws_error"]))
        assert float(row["variance"]) == pytest.approx(spread, abs=4.5 * float(row["variance_error"]))
        assert float(row["beta_0"]) == pytest.approx(listed.law(0.0) @ content / 6, rel=1e-5)
        assert float(row["beta"]) == 60


def test_checks_of_right_draws_hold(tmp_path: Path, model: str, fasta: str) -> None:
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--mu", "-2,-1,1,2")
    rows = table(tmp_path / "probe" / "checks.tsv")
    scores = np.array([float(row["z"]) for row in rows])
    assert len(scores) == 2 * 4 * len(ANCHORS)
    assert np.abs(scores).max() < 4.5
    assert 0.4 < scores.std() < 1.8
    assert f"{(np.abs(scores) <= 3).sum()} of {len(scores)} z-scores within 3" in result.stderr


def test_a_wrong_field_is_caught(tmp_path: Path, model: str, fasta: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = jobs.sample_anchor

    def weaker(network, anchor, law, *rest):
        return right(network, anchor, replace(law, mu=0.6 * law.mu), *rest)

    monkeypatch.setattr(jobs, "sample_anchor", weaker)
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--mu", "-2,-1,1,2")
    scores = [abs(float(row["z"])) for row in table(tmp_path / "probe" / "checks.tsv")]
    assert np.mean(np.array(scores) > 3) > 0.7


def test_beta_0_answers_as_the_background_does(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--beta", "0")
    for row in table(tmp_path / "probe" / "response.tsv"):
        assert float(row["draws"]) == pytest.approx(float(row["beta_0"]), abs=4.5 * float(row["draws_error"]))
        assert float(row["variance"]) == pytest.approx(
            float(row["beta_0_variance"]), abs=4.5 * float(row["variance_error"])
        )


def test_same_seed_same_bytes(tmp_path: Path, model: str, fasta: str) -> None:
    for name, threads in (("first", "1"), ("second", "2")):
        run(fasta, "--model", model, "-o", str(tmp_path / name), *SHORT, "--mu", "1", "--threads", threads)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("given", ["a", "0", "", "11", "1,nan", "-20,0"])
def test_fields_that_cannot_be_are_refused(tmp_path: Path, model: str, fasta: str, given: str) -> None:
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--mu", given, code=2)
    assert "mu" in result.stderr
    assert not (tmp_path / "probe").exists()


def test_fields_are_sorted_and_hold_0() -> None:
    assert Probe(mu=(2, -1)).mu == (-1, 0, 2)
    assert Probe(mu=(0, 1, 1)).mu == (0, 1)


@pytest.mark.parametrize("feature", ["cpg", "kmer:AT", "motif"])
def test_the_response_of_words_and_motifs_is_that_of_listing(
    tmp_path: Path, model: str, fasta: str, feature: str
) -> None:
    meme = tmp_path / "motif.meme"
    meme.write_text(MEME)
    given = f"motif:{meme}" if feature == "motif" else feature
    options = ["--feature", given, "--match-p", "0.02", "--mu", "-0.7,0.8"]
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, *options)
    words = {"cpg": ["CG"], "kmer:AT": ["AT"], "motif": ["GAC", "GTC"]}[feature]
    for row in table(tmp_path / "probe" / "response.tsv"):
        listed = Listed(MODEL, ANCHORS[row["record"]])
        number = np.array([sum(w.startswith(one, at) for one in words for at in range(6)) for w in listed.words])
        tilt = np.exp(float(row["mu"]) * number)
        for column, law in (("draws", listed.law(60.0) * tilt), ("beta_0", listed.law(0.0) * tilt)):
            exact = law @ number / law.sum()
            error = 4.5 * float(row["draws_error"]) if column == "draws" else 0.02 if feature == "motif" else 1e-5
            assert float(row[column]) == pytest.approx(exact, abs=error), (column, row["record"], row["mu"])
    assert "z-scores within 3" in result.stderr


MEME = """MEME version 4

ALPHABET= ACGT

MOTIF one
letter-probability matrix: alength= 4 w= 3 nsites= 100
0 0 1 0
1 0 0 0
0 1 0 0
"""


@pytest.mark.parametrize("word", thinned(["cpg", "kmer:AT"], 2))
def test_a_wrong_field_on_words_is_caught(
    tmp_path: Path, model: str, fasta: str, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    right = jobs.sample_anchor

    def weaker(network, anchor, law, *rest):
        return right(network, anchor, replace(law, mu=0.5 * law.mu), *rest)

    options = ["--feature", word, "--mu", "-1,1", *SHORT, "--draws", "200", "--max-steps", "2000"]
    run(fasta, "--model", model, "-o", str(tmp_path / "right"), *options)
    monkeypatch.setattr(jobs, "sample_anchor", weaker)
    run(fasta, "--model", model, "-o", str(tmp_path / "wrong"), *options)
    scores = [
        np.nanmax(np.abs([float(row["z"]) for row in table(tmp_path / name / "checks.tsv")]))
        for name in ("right", "wrong")
    ]
    assert scores[0] < 4.5 < scores[1]


@pytest.mark.parametrize("given", ["at", "kmer:", "kmer:XY", "gc:2", "motif:", "cpg:1"])
def test_a_feature_that_is_none_is_refused(tmp_path: Path, model: str, fasta: str, given: str) -> None:
    result = run(fasta, "--model", model, "-o", str(tmp_path / "probe"), *SHORT, "--feature", given, code=2)
    assert "feature: " in result.stderr
