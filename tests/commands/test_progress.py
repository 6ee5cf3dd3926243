"""Progress in a log: a line now and then, also while nothing is finished, and one at the end."""

import re
import time

import pytest

from maxent_cli.commands import options


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "LOGGED", 0.1)


def test_life_is_shown_while_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with options.Progress("drawing", 4, "anchors", "no step yet") as progress:
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
    with options.Progress("predicting", 2000, "records") as progress:
        for _ in range(2000):
            progress.advance()
    assert len(lines(capsys)) == 1


def test_what_fails_leaves_no_thread(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), options.Progress("drawing", 4, "anchors"):
        raise ValueError("wrong")
    time.sleep(0.25)
    assert lines(capsys) == []
