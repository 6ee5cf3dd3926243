"""maxent sample, from files to files: the draws file, the summary, what is rejected, said and refused."""

import json
import re
import shlex
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from forked import maxent_words
from running import invoke, table
from small import saved, small_model, twin_energy

from maxent_cli.alphabet import decode, one_hot
from maxent_cli.commands import maxent
from maxent_cli.data import SampleSet
from maxent_cli.io.fasta import read_fasta
from maxent_cli.io.samples import open_draws

ANCHOR = "GATCATTG"
MODEL = small_model(len(ANCHOR))
SHORT = [
    "--chains",
    "4",
    "--replicas",
    "3",
    "--draws",
    "10",
    "--thin",
    "5",
    "--warmup",
    "240",
    "--beta",
    "20",
    "--max-steps",
    "50",
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return saved(tmp_path / "model", MODEL)


@pytest.fixture
def fasta(tmp_path: Path) -> str:
    path = tmp_path / "anchors.fa"
    path.write_text(f">one\n{ANCHOR}\n>two\nCCGTATTA\n>three\nttgcaacc\n")
    return str(path)


run = partial(invoke, "sample")


def draws_of(path: object) -> list[SampleSet]:
    with open_draws(str(path)) as draws:
        return list(draws)


def test_draws_summary_and_provenance(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    result = run(fasta, "--model", model, "-o", str(out), *SHORT, "--threads", "2", "--seed", "5")
    found = draws_of(out)
    assert [samples.name for samples in found] == ["one", "two", "three"]
    assert [decode(samples.anchor) for samples in found] == [ANCHOR, "CCGTATTA", "TTGCAACC"]
    rows = table(f"{out}.tsv")
    assert [row["record"] for row in rows] == ["one", "two", "three"]
    for row, samples in zip(rows, found, strict=True):
        assert float(row["beta"]) == samples.beta == 20
        assert float(row["energy"]) == pytest.approx(samples.energy.mean(), rel=1e-4)
        assert float(row["output_anchor"]) == pytest.approx(samples.anchor_output, rel=1e-4)
        assert row["converged"] in ("yes", "no")
    energy = twin_energy(MODEL, "CCGTATTA")
    expected = [[energy(decode(row)) for row in chain] for chain in found[1].codes]
    np.testing.assert_allclose(found[1].energy, expected, atol=1e-5)
    provenance = json.loads((tmp_path / "out.npz.provenance.json").read_text())
    assert provenance["seed"] == 5
    assert set(provenance["inputs"]) == {model, fasta}
    assert "3 records = 3 kept + 0 rejected" in result.stderr
    assert result.stdout == ""


def test_the_header_tells_the_law_the_run_and_the_model(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    run(fasta, "--model", model, "-o", str(out), *SHORT, "--tether", "0.4", "--gc", "0.5", "--seed", "9")
    with np.load(out, allow_pickle=False) as members:
        header, version = json.loads(str(members["header"])), int(members["version"])
    assert header["law"]["tether"] == 0.4
    assert header["law"]["background"] == [0.25, 0.25, 0.25, 0.25]
    assert header["law"]["outputs"] == [[[1, 1.0], [0, -1.0]]]
    assert (header["run"]["seed"], header["run"]["chains"], version) == (9, 4, 2)
    assert set(header["model"]) == {"model.json", "weights.safetensors"}


def test_same_seed_same_bytes_whatever_the_threads(tmp_path: Path, model: str, fasta: str) -> None:
    for name, threads in (("a.npz", "1"), ("b.npz", "2")):
        run(fasta, "--model", model, "-o", str(tmp_path / name), *SHORT, "--threads", threads)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz.tsv").read_bytes() == (tmp_path / "b.npz.tsv").read_bytes()
    run(fasta, "--model", model, "-o", str(tmp_path / "c.npz"), *SHORT, "--seed", "2")
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()


def test_a_shard_draws_what_the_whole_does(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "whole.npz"), *SHORT)
    (tmp_path / "shard.fa").write_text(">three\nTTGCAACC\n")
    run(str(tmp_path / "shard.fa"), "--model", model, "-o", str(tmp_path / "shard.npz"), *SHORT)
    whole, (shard,) = draws_of(tmp_path / "whole.npz"), draws_of(tmp_path / "shard.npz")
    np.testing.assert_array_equal(whole[2].codes, shard.codes)
    np.testing.assert_array_equal(whole[2].energy, shard.energy)
    assert table(tmp_path / "whole.npz.tsv")[2] == table(tmp_path / "shard.npz.tsv")[0]


def test_anchors_from_standard_input(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "file.npz"), *SHORT)
    run("-", "--model", model, "-o", str(tmp_path / "pipe.npz"), *SHORT, stdin=Path(fasta).read_text())
    assert (tmp_path / "file.npz").read_bytes() == (tmp_path / "pipe.npz").read_bytes()


def test_draws_as_fasta_on_standard_output(tmp_path: Path, model: str, fasta: str) -> None:
    out = str(tmp_path / "out.npz")
    result = run(fasta, "--model", model, "-o", out, *SHORT, "--fasta", "-")
    lines = result.stdout.splitlines()
    assert len(lines) == 2 * 3 * 4 * 10
    first = draws_of(out)[0]
    assert lines[:2] == [">one/0/0", decode(first.codes[0, 0])]
    assert lines[-2].startswith(">three/3/9")


def test_draws_as_a_fasta_file(tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "out.npz"), *SHORT, "--fasta", str(tmp_path / "draws.fa"))
    records = list(read_fasta(str(tmp_path / "draws.fa")))
    assert len(records) == 120
    assert records[0].sequence == decode(draws_of(tmp_path / "out.npz")[0].codes[0, 0])


def test_records_that_do_not_fit_are_listed(tmp_path: Path, model: str) -> None:
    path = tmp_path / "anchors.fa"
    path.write_text(f">good\n{ANCHOR}\n>long\n{ANCHOR}A\n>odd\nGATNATTG\n")
    out = tmp_path / "out.npz"
    result = run(str(path), "--model", model, "-o", str(out), *SHORT)
    rows = table(f"{out}.rejected.tsv")
    assert len(rows) == 2
    assert "longer than 8 bp" in str(rows[0])
    assert "letter N" in str(rows[1])
    assert "3 records = 1 kept + 2 rejected" in result.stderr
    run(str(path), "--model", model, "-o", str(tmp_path / "cropped.npz"), *SHORT, "--crop")
    assert [samples.name for samples in draws_of(tmp_path / "cropped.npz")] == ["good", "long"]


def test_anchors_from_bed_and_a_genome(tmp_path: Path, model: str) -> None:
    genome, bed = tmp_path / "genome.fa", tmp_path / "peaks.bed"
    genome.write_text(f">chr1\nAAAA{ANCHOR}CCCC\n")
    bed.write_text("chr1\t4\t12\tpeak\t0\t+\nchr1\t4\t12\tturned\t0\t-\n")
    out = tmp_path / "out.npz"
    run(str(bed), "--genome", str(genome), "--model", model, "-o", str(out), *SHORT)
    plus, minus = draws_of(out)
    assert [decode(plus.anchor), decode(minus.anchor)] == [ANCHOR, "CAATGATC"]
    assert (plus.interval.start, plus.interval.end, minus.interval.strand) == (4, 12, "-")
    assert "give --genome" in run(str(bed), "--model", model, "-o", str(out), *SHORT, code=1).stderr


def test_strict_exits_with_3_and_writes_all_the_same(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    result = run(fasta, "--model", model, "-o", str(out), *SHORT, "--strict", code=3)
    assert "3 not converged" in result.stderr
    assert "ESS" in result.stderr
    assert len(draws_of(out)) == len(table(f"{out}.tsv")) == 3
    loose = run(fasta, "--model", model, "-o", str(out), *SHORT)
    assert "3 not converged" in loose.stderr


def test_strict_exits_with_0_when_all_converged(tmp_path: Path, model: str, fasta: str) -> None:
    long = [
        "--chains",
        "10",
        "--replicas",
        "1",
        "--draws",
        "100",
        "--thin",
        "10",
        "--warmup",
        "240",
        "--beta",
        "1",
        "--max-steps",
        "1000",
    ]
    result = run(fasta, "--model", model, "-o", str(tmp_path / "out.npz"), *long, "--strict")
    assert "0 not converged" in result.stderr
    assert {row["converged"] for row in table(tmp_path / "out.npz.tsv")} == {"yes"}


@pytest.mark.parametrize(
    ("layer", "held"),
    [
        ([], "the anchor's representation, weighted by the output layer for bound - unbound"),
        (
            ["--layer", "layers.5"],
            "the anchor's representation at layer layers.5, weighted by its gradient for bound - unbound",
        ),
    ],
)
def test_draws_say_what_was_held(layer: list[str], held: str, tmp_path: Path, model: str, fasta: str) -> None:
    run(fasta, "--model", model, "-o", str(tmp_path / "draws"), *SHORT, *layer)
    with open_draws(str(tmp_path / "draws")) as draws:
        assert draws.held == held


def test_output_chooses_what_is_held(tmp_path: Path, model: str, fasta: str) -> None:
    found, weights = {}, tmp_path / "weights.tsv"
    weights.write_text("output\tweight\n0\t-1\n1\t1\n")
    for name, given in {
        "pair": ["--output", "1-0"],
        "turned": ["--output", "0-1"],
        "one": ["--output", "0"],
        "both": ["--output", "0,1"],
        "table": ["--output", str(weights)],
    }.items():
        run(fasta, "--model", model, "-o", str(tmp_path / name), *SHORT, *given)
        found[name] = draws_of(tmp_path / name)[0]
    assert found["pair"].anchor_output == -found["turned"].anchor_output
    np.testing.assert_array_equal(found["pair"].codes, found["turned"].codes)
    assert (found["pair"].energy != found["one"].energy).any()
    assert (found["both"].energy != found["one"].energy).any()
    np.testing.assert_array_equal(found["pair"].codes, found["table"].codes)
    assert str(weights) in json.loads((tmp_path / "table.provenance.json").read_text())["inputs"]


def test_beta_is_found_when_it_is_not_given(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    given = [
        "--chains",
        "10",
        "--replicas",
        "4",
        "--draws",
        "20",
        "--thin",
        "10",
        "--warmup",
        "2400",
        "--keep",
        "0.4",
        "--max-steps",
        "200",
    ]
    run(fasta, "--model", model, "-o", str(out), *given)
    for row in table(f"{out}.tsv"):
        assert float(row["energy_reduction"]) == pytest.approx(0.4, abs=0.1)
        assert float(row["beta"]) > 0


@pytest.mark.parametrize(
    ("tether", "expected"),
    [("none", [0.1, 0.2, 0.3, 0.4]), ("auto", [0.2 / 1.1, 0.4 / 1.2, 0.6 / 1.3, 0.8 / 1.4]), ("0.7", [0.7] * 4)],
)
def test_the_tether_is_the_share_of_the_anchors_letters(tmp_path, model, fasta, tether, expected):
    out = tmp_path / "out.npz"
    given = [
        "--chains",
        "2",
        "--replicas",
        "1",
        "--draws",
        "4",
        "--thin",
        "1",
        "--warmup",
        "0",
        "--beta",
        "0",
        "--max-steps",
        "4",
    ]
    run(fasta, "--model", model, "-o", str(out), *given, "--background", "0.1,0.2,0.3,0.4", "--tether", tether)
    for samples in draws_of(out):
        share = np.take_along_axis(samples.background, samples.anchor[:, None].astype(int), axis=1)[:, 0]
        np.testing.assert_allclose(share, np.array(expected)[samples.anchor])


def test_beta_0_is_the_background(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    given = [
        "--chains",
        "10",
        "--replicas",
        "1",
        "--draws",
        "100",
        "--thin",
        "10",
        "--warmup",
        "0",
        "--beta",
        "0",
        "--max-steps",
        "1000",
    ]
    given += ["--background", "0.1,0.2,0.3,0.4", "--start", "background", "--tether", "none"]
    run(fasta, "--model", model, "-o", str(out), *given)
    for samples, row in zip(draws_of(out), table(f"{out}.tsv"), strict=True):
        shares = [(samples.codes == code).mean() for code in range(4)]
        np.testing.assert_allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=4.5 * 0.5 / np.sqrt(8000))
        assert abs(float(row["bits"])) < 4.5 * float(row["bits_error"]) + 1e-9


@pytest.mark.parametrize("wanted", ["9", "-0.4"])
def test_a_mean_output_that_is_not_reached_is_said(tmp_path: Path, model: str, fasta: str, wanted: str) -> None:
    short = SHORT[: SHORT.index("--beta")]
    words = [fasta, "--model", model, *short, "--max-steps", "200", "--law", "output", f"--to={wanted}"]
    said = run(*words, "-o", str(tmp_path / "out.npz")).stderr
    missed = re.search(r"^  one: mean output -?\d\S* ± \S+, and 9 is wanted$", said, re.MULTILINE)
    assert bool(missed) == (wanted == "9"), said
    assert ("  not reached: 3 of 3; a --to nearer to these may help\n" in said) == (wanted == "9")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--output", "1-1"], "output: 1-1 is always 0; give two different outputs"),
        (["--output", "a"], "output: there is no a; the network's outputs are numbered 0 to 1"),
        (["--output", "0-2"], "outputs are numbered 0 to 1"),
        (["--output", "2"], "outputs are numbered 0 to 1"),
        (["--output", "1,1"], "output: 1,1 names an output twice"),
        (["--output", "0,1", "--law", "output", "--beta", "1"], "output: 2 are given, and the law output holds 1"),
        (
            ["--law", "output", "--output", "1", "--hold", "1", "--hold-beta", "2"],
            "hold: names the output that is to move; hold another one",
        ),
        (["--law", "output", "--beta", "auto"], "beta or to: is needed by the law output"),
        (["--contrast", "1,0"], "No such option"),
        (["--beta", "auto", "--replicas", "2"], "beta: cannot be found with fewer than 3 replicas"),
        (["--beta", "-1"], "--beta"),
        (["--beta", "warm"], "--beta"),
        (["--beta", "nan"], "not a finite number"),
        (["--beta", "inf"], "not a finite number"),
        (["--tether", "nan"], "not a finite number"),
        (["--tether", "1"], "--tether"),
        (["--gc", "0"], "--gc"),
        (["--background", "0.5,0.5"], "sum to 1"),
        (["--chains", "1"], "--chains"),
        (["--device", "cuda:99"], "cannot be used"),
        (["-o", "-"], "cannot be a pipe"),
    ],
)
def test_usage_errors_exit_with_2(tmp_path: Path, model: str, fasta: str, given: list[str], words: str) -> None:
    out = tmp_path / "out.npz"
    result = run(fasta, "--model", model, "-o", str(out), *SHORT, *given, code=2)
    assert words in result.stderr
    assert not out.exists()


def test_input_errors_are_one_line_and_leave_nothing(tmp_path: Path, model: str) -> None:
    path, out = tmp_path / "anchors.fa", tmp_path / "out.npz"
    path.write_text(">a\nACG\n")
    result = run(str(path), "--model", model, "-o", str(out), *SHORT, code=1)
    assert result.stderr.splitlines()[-1].startswith(f"maxent: {path}: all 1 records were rejected")
    assert [place.name for place in tmp_path.glob("out.npz*")] == ["out.npz.rejected.tsv"]
    assert table(f"{out}.rejected.tsv")[0]["reason"] == "shorter than 8 bp"
    Path(f"{out}.rejected.tsv").unlink()
    path.write_text(f">a\n{ANCHOR}\n")
    (tmp_path / "empty").mkdir()
    assert "model.json" in run(str(path), "--model", str(tmp_path / "empty"), "-o", str(out), *SHORT, code=1).stderr


def test_a_dead_network_is_an_error_that_names_the_anchor_or_model(tmp_path: Path, fasta: str) -> None:
    dead = small_model(len(ANCHOR))
    dead.output.weight.data[:] = 1.0
    result = run(fasta, "--model", saved(tmp_path / "dead", dead), "-o", str(tmp_path / "out.npz"), *SHORT, code=1)
    assert "one: the output does not depend on the representation" in result.stderr
    assert not (tmp_path / "out.npz").exists()


GATED = """from torch import nn

class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.states, self.output = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.output(self.states(x.transpose(1, 2))[0].mean(1))
"""


@pytest.mark.parametrize("kernel", ["compiled", "full passes"])
def test_it_is_said_that_and_why_every_proposal_is_a_full_pass(
    tmp_path: Path, model: str, fasta: str, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if kernel != "compiled":
        (tmp_path / "gated.py").write_text(GATED)
        model = str(tmp_path / "gated")
        line = "adopt gated:Gated --input-length 8 --gc 0.5 --output 1-0 --threads 1 --out"
        result = CliRunner().invoke(maxent, [*line.split(), model])
        assert result.exit_code == 0, result.output
    given = [
        "--chains",
        "2",
        "--replicas",
        "1",
        "--draws",
        "4",
        "--thin",
        "1",
        "--warmup",
        "0",
        "--beta",
        "1",
        "--max-steps",
        "4",
    ]
    result = run(fasta, "--model", model, "--trust-code", "-o", str(tmp_path / "out.npz"), *given)
    notes = [line for line in result.stderr.splitlines() if line.startswith("NOTE: a full forward pass")]
    assert [("(" in note) for note in notes] == ([] if kernel == "compiled" else [True])


@pytest.mark.parametrize(("policy", "letters"), [("fix", {4}), ("sample", {0, 1, 2, 3})])
def test_unknown_letters_stay_or_are_sampled(tmp_path: Path, model: str, policy: str, letters: set[int]) -> None:
    path, out = tmp_path / "anchors.fa", tmp_path / "out.npz"
    path.write_text(">a\nGATNATTG\n>b\nNNNNNNNN\n")
    result = run(str(path), "--model", model, "-o", str(out), *SHORT, "--n-policy", policy, "--start", "anchor")
    (samples,) = draws_of(out)
    assert set(np.unique(samples.codes[..., 3])) == letters
    assert set(np.unique(samples.codes[..., 4])) > {0}
    assert samples.mutable[3] == (policy == "sample")
    (row,) = table(f"{out}.tsv")
    assert row["unknown"] == "1"
    with torch.no_grad():
        held = MODEL.representation(torch.from_numpy(one_hot(samples.anchor[None])))
        reached = MODEL.representation(torch.from_numpy(one_hot(samples.codes[0])))
    weights = MODEL.output.weight[1] - MODEL.output.weight[0]
    energy = torch.linalg.vector_norm((reached - held) * weights, dim=1)
    np.testing.assert_allclose(samples.energy[0], energy.detach(), atol=1e-5)
    (rejected,) = table(f"{out}.rejected.tsv")
    assert (rejected["record"], rejected["reason"]) == ("b", "no letter is one of ACGT")
    assert "2 records = 1 kept + 1 rejected" in result.stderr


def test_unknown_letters_are_rejected_by_default(tmp_path: Path, model: str) -> None:
    (tmp_path / "a.fa").write_text(f">a\nGATNATTG\n>b\n{ANCHOR}\n")
    run(str(tmp_path / "a.fa"), "--model", model, "-o", str(tmp_path / "out.npz"), *SHORT)
    (row,) = table(tmp_path / "out.npz.rejected.tsv")
    assert row["reason"] == "letter N (not one of ACGT)"
    assert row["place"].endswith("a.fa: line 1")
    assert table(tmp_path / "out.npz.tsv")[0]["unknown"] == "0"


def test_the_error_of_a_share_that_is_not_defined_is_not_either(tmp_path: Path, model: str, fasta: str) -> None:
    out = tmp_path / "out.npz"
    run(fasta, "--model", model, "-o", str(out), *SHORT, "--law", "output")
    assert {(row["energy_reduction"], row["energy_reduction_error"]) for row in table(f"{out}.tsv")} == {("nan", "nan")}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--min-ess", "10", "--max-steps", "49"], "max-steps: 49 is too few: the 10 draws every 5 steps take 50"),
        (["--keep", "0.5"], "keep: excludes beta"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    tmp_path: Path, model: str, fasta: str, given: list[str], words: str
) -> None:
    out = tmp_path / "out.npz"
    assert words in run(fasta, "--model", model, "-o", str(out), *SHORT, *given, code=2).stderr
    assert not out.exists()


def test_a_closed_pipe_still_finishes_the_draws(tmp_path: Path, model: str, fasta: str) -> None:
    """`maxent sample --fasta - | head -n 1`: the reader leaves at once."""
    many = [*SHORT, "--draws", "1500", "--max-steps", "7500", "--threads", "1"]
    command = [*maxent_words(), "sample", fasta, "--model", model, "-o", str(tmp_path / "out.npz")]
    with subprocess.Popen([*command, *many, "--fasta", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b">one/0/0\n"
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == 0, said
    assert "Exception" not in said
    assert [samples.codes.shape[:2] for samples in draws_of(tmp_path / "out.npz")] == [(4, 1500)] * 3
    assert len(table(tmp_path / "out.npz.tsv")) == 3


def test_the_command_for_an_anchor_that_has_not_converged_draws_on_around_it(tmp_path: Path, model: str) -> None:
    anchors = tmp_path / "my anchors.fa"
    anchors.write_text(f">one\n{ANCHOR}\n>short\nACG\n>two\n{ANCHOR[::-1]}\n")
    given = [str(anchors), "--model", model, *SHORT[:-1], "100", "-o", str(tmp_path / "out.npz")]
    said = subprocess.run([*maxent_words(), "sample", *given], capture_output=True, text=True).stderr
    line = next(line for line in said.splitlines() if "draw on around two alone: " in line)
    maxent, *words = shlex.split(line.partition("alone: ")[2])
    assert maxent == "maxent"
    assert words[-3:] == ["--shard=3/3", "--max-steps=200", f"--out={tmp_path / 'out.3.npz'}"]
    subprocess.run([*maxent_words(), *words], check=True, capture_output=True)
    (again,) = draws_of(tmp_path / "out.3.npz")
    before = draws_of(tmp_path / "out.npz")[1]
    assert again.name == before.name == "two"
    assert again.thin * again.codes.shape[1] == 2 * before.thin * before.codes.shape[1]
    np.testing.assert_array_equal(again.codes[:, : again.codes.shape[1] // 2], before.codes[:, 1::2])
    assert [row["record"] for row in table(tmp_path / "out.npz.tsv")] == ["one", "two"]  # is left as it was


def test_no_command_draws_on_from_a_pipe(tmp_path: Path, model: str, fasta: str) -> None:
    command = [*maxent_words(), "sample", "-", "--model", model, "-o", str(tmp_path / "out.npz")]
    found = subprocess.run([*command, *SHORT], input=Path(fasta).read_text(), capture_output=True, text=True)
    assert "not converged" in found.stderr
    assert "alone" not in found.stderr
