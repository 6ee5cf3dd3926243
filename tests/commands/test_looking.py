"""motifs and report while sample is at work: what is finished, said as that, and as it will be in the end."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from running import run, table
from small import saved, small_model

from maxent_cli.alphabet import decode
from maxent_cli.api import sampling
from maxent_cli.commands import maxent
from maxent_cli.io.samples import open_draws

LENGTH, NAMES = 12, ("a", "b", "c")
RUN = "--chains 4 --replicas 3 --draws 20 --thin 5 --warmup 240 --max-steps 100 --beta 20 --threads 1"
SAMPLE = f"sample anchors.fa --model model {RUN} --out draws.npz"


class KilledError(BaseException):
    """As if the process were gone."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unfinished draws of three anchors, of which two are done; and what sample said."""
    folder = tmp_path_factory.mktemp("looking")
    saved(folder / "model", small_model(LENGTH))
    rows = np.random.default_rng(1).integers(0, 4, (3, LENGTH), np.uint8)
    (folder / "anchors.fa").write_text("".join(f">{n}\n{decode(row)}\n" for n, row in zip(NAMES, rows, strict=True)))

    def killed(*_: object) -> None:
        raise KilledError

    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patched:
        patched.setattr(sampling, "_write", killed)
        with pytest.raises(KilledError):
            CliRunner().invoke(maxent, SAMPLE.split(), catch_exceptions=False)
        patched.undo()
        assert len(list(Path("draws.npz.partial").glob("*.result"))) == 3
        Path("draws.npz.partial/000001.result").rename("second")
    return folder


@pytest.fixture
def unfinished(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of that, since tests go on with it, and may be run in any order."""
    folder = tmp_path / "looking"
    shutil.copytree(made, folder)
    with contextlib.chdir(folder):
        yield folder


def test_what_is_finished_is_read_and_said(unfinished: Path) -> None:
    found = run("motifs draws.npz.partial --logos none --threads 1 --out look")
    assert "draws.npz.partial: 2 of 3 anchors so far" in found.stderr
    lines = (unfinished / "look/anchors.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == ["a", "c"]
    run("report draws.npz.partial --motifs look --out look.html")
    page = (unfinished / "look.html").read_text()
    assert "2 of 3 anchors so far" in page
    assert "draws.npz.partial" in page
    assert "/tmp/maxent-" not in page


def test_the_page_has_the_anchors_of_its_motifs_where_more_have_ended_since(unfinished: Path) -> None:
    run("motifs draws.npz.partial --logos none --threads 1 --out early")
    late = unfinished / "draws.npz.partial/000001.result"
    late.write_bytes((unfinished / "second").read_bytes())
    try:
        run("report draws.npz.partial --motifs early --out early.html")
        run("report draws.npz.partial --out all.html")
    finally:
        late.unlink()
    drawn = re.findall(r'class="unfold"[^>]*><bdi>(\w+)</bdi>', (unfinished / "early.html").read_text())
    assert sorted(drawn) == ["a", "c"]
    assert "3 of 3 anchors so far" in (unfinished / "all.html").read_text()


def test_nothing_finished_is_said(unfinished: Path, tmp_path: Path) -> None:
    empty = tmp_path / "none.partial"
    empty.mkdir()
    for name in ("settings.json", "header.json"):
        (empty / name).write_bytes((unfinished / "draws.npz.partial" / name).read_bytes())
    result = run(f"motifs {empty} --out {tmp_path / 'out'}", 1)
    assert "has finished none of 3 anchors; wait until it has" in result.stderr
    (empty / "header.json").write_text(json.dumps({"anchors": "many"}))
    assert "header.json: cannot be read" in run(f"report {empty} --out {tmp_path / 'out'}", 1).stderr
    assert "model: is a directory" in run(f"motifs model --out {tmp_path / 'out'}", 1).stderr


def test_it_ends_as_if_nobody_had_looked_and_each_anchor_is_said(unfinished: Path) -> None:
    """The summary has the numbers that were said of anchors, whether they were finished in this process or not."""
    result = run(SAMPLE)
    assert "2 of 3 anchors are done" in result.stderr
    said = re.findall(r"^  (\w): (\S+) ± (\S+) bits, R-hat (\S+), (not )?converged$", result.stderr, re.MULTILINE)
    assert [line[0] for line in said] == ["b"]
    whole = run(SAMPLE.replace("draws.npz", "whole.npz")).stderr
    said += re.findall(r"^  (\w): (\S+) ± (\S+) bits, R-hat (\S+), (not )?converged$", whole, re.MULTILINE)
    rows = {row["record"]: row for row in table("draws.npz.tsv")}
    assert sorted(line[0] for line in said) == sorted(["b", *NAMES])
    for name, bits, error, rhat, unsettled in said:
        row = rows[name]
        assert (bits, error) == (f"{float(row['bits']):.2f}", f"{float(row['bits_error']):.2f}")
        assert rhat == f"{float(row['rhat']):.3f}"
        assert bool(unsettled) == (row["converged"] == "no")
    for name in ("", ".tsv", ".series.tsv"):
        assert (unfinished / f"draws.npz{name}").read_bytes() == (unfinished / f"whole.npz{name}").read_bytes()
    with open_draws("draws.npz") as draws:
        assert draws.names() == list(NAMES)
