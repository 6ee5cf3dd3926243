"""maxent design: its folder, what it says, and what it refuses."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from running import invoke, table
from small import law, saved, small_model, words

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.interpret.law import evaluate, output_term

MODEL = small_model(6)
WORDS = words(6)
OUTPUT = dict(
    zip(WORDS, evaluate(output_term(MODEL, law(None).outputs), np.array([encode(w) for w in WORDS])), strict=True)
)
SHORT = "--chains 8 --replicas 3 --draws 40 --thin 10 --warmup 480 --max-steps 400 --threads 1".split()  # noqa: SIM905
NEAR = {"one": "GATCAT", "two": "CCGTGC"}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anchors.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in NEAR.items()))
    return saved(tmp_path / "model", MODEL)


design = partial(invoke, "design")


def test_designs_keep_to_what_is_asked(model: str) -> None:
    asked = "--to -0.40 --designs 30 --apart 2 --forbid GA --sites AluI --gc-limits 0.3,0.7 --out out".split()  # noqa: SIM905
    result = design("--model", model, *SHORT, *asked)
    assert sorted(path.name for path in Path("out").iterdir()) == ["designs.fa", "designs.tsv", "summary.tsv"]
    rows, (summary,) = table("out/designs.tsv"), table("out/summary.tsv")
    letters = [row["sequence"] for row in rows]
    assert int(summary["designs"]) == len(rows) > 3
    for one in letters:
        assert not any(word in one for word in ("GA", "TC", "AGCT"))
        assert 2 <= sum(letter in "GC" for letter in one) <= 4
        assert all(sum(a != b for a, b in zip(one, other, strict=True)) >= 2 for other in letters if other is not one)
    for row in rows:
        assert float(row["output"]) == pytest.approx(OUTPUT[row["sequence"]], abs=1e-4)
    fasta = Path("out/designs.fa").read_text().split()
    assert fasta[::3] == [f">{row['design']}" for row in rows]
    assert fasta[2::3] == letters
    assert float(summary["output"]) == pytest.approx(-0.40, abs=1e-3)
    assert (summary["record"], summary["reached"], summary["output_anchor"]) == ("design", "yes", "")
    share = sum(
        np.prod([{"A": 0.4, "C": 0.1, "G": 0.2, "T": 0.3}[letter] for letter in word])
        for word in WORDS
        if not any(w in word for w in ("GA", "TC", "AGCT")) and 2 <= sum(letter in "GC" for letter in word) <= 4
    )
    assert float(summary["bits_constraints"]) == pytest.approx(-np.log2(share), rel=1e-4)
    assert "where -0.4 is wanted, gamma" in result.stderr
    assert json.loads(Path("out.provenance.json").read_text())["inputs"].keys() == {model}


def test_edits_come_with_their_tables(model: str) -> None:
    result = design("--near", "anchors.fa", "--model", model, *SHORT, "--to", "-0.4", "--spread", "0.01", "-o", "out")
    names = ["designs.fa", "designs.tsv", "edit_numbers.tsv", "edit_sets.tsv", "edits.tsv", "summary.tsv"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    assert {row["record"] for row in table("out/edit_sets.tsv")} == set(NEAR)
    for row in table("out/edit_sets.tsv"):
        anchor = NEAR[row["record"]]
        assert abs(float(row["missed"])) <= 0.01
        edited = list(anchor)
        for change in filter(None, row["changes"].split(",")):
            place = int(change[:-3])
            assert anchor[place] == change[-3]
            edited[place] = change[-1]
            without = row["sequence"][:place] + anchor[place] + row["sequence"][place + 1 :]
            assert abs(OUTPUT[without] - -0.4) > 0.01, "an edit could be taken back"
        assert "".join(edited) == row["sequence"]
    for name in NEAR:
        shares = [float(row["share"]) for row in table("out/edit_numbers.tsv") if row["record"] == name]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        summed = sum(float(row["edited"]) for row in table("out/edits.tsv") if row["record"] == name)
        mean = sum(number * share for number, share in enumerate(shares))
        assert summed == pytest.approx(mean, abs=1e-3)
    assert "the smallest set has" in result.stderr


def test_with_a_spread_each_design_is_near(model: str) -> None:
    result = design("--model", model, *SHORT, "--to", "-0.4", "--spread", "0.01", "-o", "out")
    outputs = [float(row["output"]) for row in table("out/designs.tsv")]
    assert len(outputs) > 20
    assert max(abs(value - -0.4) for value in outputs) <= 0.01
    (summary,) = table("out/summary.tsv")
    assert (summary["law"], summary["gamma"], summary["edits"]) == ("near", "", "")
    assert "each near it" in result.stderr
    designs = np.array([list(row["sequence"]) for row in table("out/designs.tsv")])
    for count in (1, 5, 20):  # each next one differs most from those before it
        apart = (designs[count:, None] != designs[None, :count]).sum(axis=(1, 2))
        assert apart[0] == apart.max()


def test_one_output_is_held_while_another_moves(model: str) -> None:
    every = np.array([encode(word) for word in WORDS])
    held, moved = (output_term(MODEL, law(None, output=number).outputs) for number in "01")
    to = float(evaluate(moved, every).mean() + 0.5 * evaluate(moved, every).std())
    asked = ["anchors.fa", "--model", model, *SHORT, "--output", "1", f"--to={to}"]
    design(*asked, "-o", "free")
    design(*asked, "--hold", "0", "--hold-beta", "200", "-o", "held")
    for name, letters in NEAR.items():
        own, away = evaluate(held, encode(letters)[None])[0], []
        for folder in ("free", "held"):
            rows = [row["sequence"] for row in table(f"{folder}/designs.tsv") if row["record"] == name]
            away.append(np.abs(evaluate(held, np.array([encode(one) for one in rows])) - own).mean())
        assert away[1] < 0.8 * away[0]
    assert "full passes (another output is held" in table("held/summary.tsv")[0]["kernel"]


def test_positions_that_stay_stay_and_threads_change_nothing(model: str) -> None:
    asked = ["anchors.fa", "--fix", "0-2,5", "--model", model, *SHORT[:-2], "--to", "-0.42"]
    for threads in ("1", "2"):
        design(*asked, "--threads", threads, "-o", f"out{threads}")
    for row in table("out1/designs.tsv"):
        one, anchor = row["sequence"], NEAR[row["record"]]
        assert (one[:2], one[5]) == (anchor[:2], anchor[5])
    for path in Path("out1").iterdir():
        assert path.read_bytes() == (Path("out2") / path.name).read_bytes()


def test_the_best_is_that_of_listing(model: str) -> None:
    result = design("--model", model, *SHORT, "--best", "--forbid", "GA", "-o", "out")
    best = max(value for word, value in OUTPUT.items() if "GA" not in word and "TC" not in word)
    rows = table("out/designs.tsv")
    assert float(rows[0]["output"]) == pytest.approx(best, abs=1e-4)
    assert f"output {best:.4g} at best" in result.stderr


def test_an_output_that_cannot_be_is_said_not_to_be_reached(model: str) -> None:
    result = design("--model", model, *SHORT, "--to", "9", "-o", "out")
    assert table("out/summary.tsv")[0]["reached"] == "no"
    assert "1 of 1 records do not reach the output that is wanted" in result.stderr


def test_python_gives_what_the_command_writes(model: str) -> None:
    design("--model", model, *SHORT, "--to", "-0.4", "--designs", "5", "-o", "out")
    run_of = mx.Sampling(chains=8, replicas=3, draws=40, thin=10, warmup=480, max_steps=400)
    found = mx.design(mx.network(model), None, mx.Design(to=-0.4, number=5), sampling=run_of, progress=False)
    assert found["designs"].sequence.tolist() == [row["sequence"] for row in table("out/designs.tsv")]
    assert found.to_frame().gamma[0] == pytest.approx(float(table("out/summary.tsv")[0]["gamma"]))


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("", 2, "to: is the output that is wanted, unless the best is; give to, or best"),
        ("--to 1 --best", 2, "to: is the output that is wanted, unless the best is"),
        ("--best --spread 1", 2, "best: excludes spread"),
        ("--best --near anchors.fa", 2, "best: excludes near"),
        ("anchors.fa --near anchors.fa --to 1", 2, "either designed, RECORDS, or edited, --near"),
        ("--to 1 --output 1 --hold 0", 2, "hold-beta: goes with hold"),
        ("--to 1 --output 1 --hold 0 --hold-beta 2", 2, "hold: needs anchors; give them"),
        ("--to nan", 2, "nan is not a finite number"),
        ("--to 1 --forbid GJ", 2, "forbid: 'GJ' is no word"),
        ("--to 1 --sites Eco", 2, "sites: there is no enzyme named Eco"),
        ("--to 1 --gc-limits 0.5", 2, "give a least and a most share"),
        ("--to 1 --gc-limits 0.6,0.4", 2, "gc-limits: 0.6,0.4 is no range"),
        ("--to 1 --forbid GA --moves letters", 2, "moves: single letters may not reach all"),
        ("--to 1 --replicas 2", 2, "beta: cannot be found with fewer than 3 replicas"),
        ("--to 1 --output 0,1", 2, "output: 2 are given, and the law output holds 1"),
        ("anchors.fa --fix 0-5 --to 1 --forbid GATCA", 1, "one: no sequence is left by the forbidden words, for GATCA"),
        ("--to 1 --forbid A,C", 1, "no sequence is left by the forbidden words; forbid less"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(model: str, asked: str, code: int, said: str) -> None:
    result = design("--model", model, *SHORT, *asked.split(), "-o", "out", code=code)
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not Path("out").exists()
