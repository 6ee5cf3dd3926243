"""Progress in a log: a line now and then, also while nothing is finished, and one at the end."""

import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import saved, small_model

from maxent_cli.commands import console, maxent
from maxent_cli.data import Stop


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "LOGGED", 0.1)


def test_life_is_shown_while_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Console(Stop()).progress("drawing", 4, "anchors", "no step yet") as progress:
        time.sleep(0.25)
        progress.advance()
        progress.note = "a\x1b[2Jb: step 200"
        time.sleep(0.25)
        progress.advance(3)
    first, *_, second, last = lines(capsys)
    assert first == "drawing: 0/4 anchors, 0 anchors/s, time left unknown; no step yet"
    assert re.fullmatch(r"drawing: 1/4 anchors, [\d.]+ anchors/s, \d+ s left; a\?\[2Jb: step 200", second)
    assert re.fullmatch(r"drawing: 4/4 anchors, [\d.]+ anchors/s, 0 s left", last)


def test_no_more_lines_than_that(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Console(Stop()).progress("predicting", 2000, "records") as progress:
        for _ in range(2000):
            progress.advance()
    assert len(lines(capsys)) == 1


def test_what_fails_leaves_no_thread(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), console.Console(Stop()).progress("drawing", 4, "anchors"):
        raise ValueError("wrong")
    time.sleep(0.25)
    assert lines(capsys) == []


@pytest.mark.parametrize(
    ("more", "last"), [(["--max-steps", "100000"], "100200"), (["--max-steps", "200000"], "up to 200200")]
)
def test_of_a_long_anchor_its_steps_are_counted(more: list[str], last: str, tmp_path: Path) -> None:
    model, anchors = saved(tmp_path / "model", small_model(8)), tmp_path / "anchors.fa"
    anchors.write_text(">a\nACGTACGT\n")
    run = ["--beta=2", "--chains=4", "--replicas=3", "--warmup=200", "--draws=100", "--thin=1000", "--threads=1", *more]
    words = ["sample", str(anchors), f"--model={model}", f"--out={tmp_path / 'out'}", *run]
    said = CliRunner().invoke(maxent, words).stderr
    assert re.search(rf"drawing: 0/1 .*; a: step \d+ of {last}, 200 of them warm-up$", said, re.MULTILINE), said
