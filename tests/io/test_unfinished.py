"""Unfinished work: kept whole, taken up by the same run alone, gone when the output is there."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from maxent_cli.data import Stop
from maxent_cli.errors import InputError, StoppedError
from maxent_cli.io import unfinished as module
from maxent_cli.io.unfinished import Notes, unfinished

SETTINGS = {"thin": 20, "law": {"beta": 0.1, "tether": None}, "anchors": "a" * 64}


@pytest.fixture
def out(tmp_path: Path) -> str:
    return str(tmp_path / "out.npz")


def leave(out: str) -> Path:
    """One result, of a run that was stopped then."""
    with suppress(StoppedError), unfinished(out, SETTINGS, Stop()) as work:
        work.finish("000000", b"done")
        raise StoppedError
    return work.folder


def test_what_was_done_is_there_again_until_the_output_is_whole(out: str) -> None:
    folder = leave(out)
    with unfinished(out, SETTINGS, Stop()) as work:
        assert work.has("000000.result")
        assert not work.has("000001.result")
        with work.reading("000000.result") as path:
            assert path.read_bytes() == b"done"
    assert not folder.exists()


def test_where_nothing_was_done_nothing_stays(out: str) -> None:
    with pytest.raises(StoppedError, match="now"), unfinished(out, SETTINGS, Stop()) as work:
        raise StoppedError("now")
    assert not work.folder.exists()


def test_what_no_run_could_go_on_from_does_not_stay(out: str) -> None:
    with suppress(InputError), unfinished(out, SETTINGS, Stop()) as work:
        work.finish("000000", b"done")
        work.useless = True
        raise InputError("anchors.fa", "a", "is odd", "leave it out")
    assert not work.folder.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"thin": 50}, "thin 20, now 50"),
        ({"law": {"beta": 0.2, "tether": 0.4}}, "law beta 0.1, now 0.2; law tether null, now 0.4"),
        ({"anchors": "b" * 64}, "other anchors"),
        ({"fields": [0, 1]}, r"fields null, now \[0, 1\]"),
        ({"schema": 99}, "schema 99, now 1"),
        ({"code": "c" * 64}, "other code"),
    ],
)
def test_work_of_other_settings_is_refused_and_stays(out: str, change: dict, named: str) -> None:
    folder = leave(out)
    if {"schema", "code"} & set(change):
        path = folder / "settings.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        change = {}
    cure = "; remove it to begin anew, or give another --out"
    with (
        pytest.raises(InputError, match=rf"holds unfinished work of other settings \({named}\){cure}"),
        unfinished(out, SETTINGS | change, Stop()),
    ):
        pass
    assert (folder / "000000.result").exists()


def test_files_that_are_not_ours_are_left_alone(out: str) -> None:
    folder = Path(f"{out}.partial")
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="holds files that maxent did not write"), unfinished(out, SETTINGS, Stop()):
        pass
    assert (folder / "thesis.tex").read_text() == "mine"


def test_what_a_killed_process_was_writing_is_not_read_and_goes(out: str) -> None:
    folder = leave(out)
    (folder / ".000001.result.123").write_bytes(b"ha")
    with unfinished(out, SETTINGS, Stop()) as work:
        assert not work.has("000001.result")
        assert [place.name for place in folder.glob(".*")] == []


def test_a_damaged_file_is_an_error_that_names_it(out: str) -> None:
    folder = leave(out)
    (folder / "000001.0000.npz").write_bytes(b"PK\x03\x04 not much")
    with (
        pytest.raises(InputError, match=r"000001\.0000\.npz: cannot be read \(.*\); remove .*partial to begin anew"),
        unfinished(out, SETTINGS, Stop()) as work,
    ):
        list(Notes(work, "000001").past())
    (folder / "settings.json").write_text("{")
    with pytest.raises(InputError, match=r"settings\.json: cannot be read"), unfinished(out, SETTINGS, Stop()):
        pass


def some_blocks(count: int) -> list[dict]:
    rng = np.random.default_rng(1)
    return [
        {
            "codes": rng.integers(0, 4, (3, draws, 5), np.uint8),
            "energy": rng.random((3, draws)),
            "drift": np.asarray(rng.random()),
        }
        for draws in range(1, count + 1)
    ]


@pytest.mark.parametrize("held", [0, 10**9], ids=["each at once", "all at the end"])
def test_blocks_come_back_as_they_were(out: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HELD", held)
    blocks, stop = some_blocks(6), Stop()
    with suppress(StoppedError), unfinished(out, SETTINGS, stop) as work:
        notes = Notes(work, "000000")
        for block in blocks[:5]:
            notes.keep(block)
        stop.asked = True
        notes.keep(blocks[5])
    assert len(list(work.folder.glob("*.npz"))) == (1 if held else 6)
    with unfinished(out, SETTINGS, Stop()) as work:
        found = list(Notes(work, "000000").past())
        assert len(found) == 6
        for block, other in zip(blocks, found, strict=True):
            assert block.keys() == other.keys()
            for name, values in block.items():
                assert values.dtype == other[name].dtype
                np.testing.assert_array_equal(values, other[name], strict=True)
        work.finish("000000", b"done")
        assert list(work.folder.glob("*.npz")) == []


def test_blocks_are_written_in_time(out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with unfinished(out, SETTINGS, Stop()) as work:
        notes = Notes(work, "000000")
        for block, now in zip(some_blocks(4), (10.0, 29.0, 31.0, 60.0), strict=True):
            clock[0] = now
            notes.keep(block)
        assert len(list(work.folder.glob("*.npz"))) == 1
        clock[0] = 62.0
        notes.keep(some_blocks(1)[0])
        assert len(list(work.folder.glob("*.npz"))) == 2


def test_the_lock_of_a_killed_process_is_free(out: str) -> None:
    hold = (
        "import os, signal; from maxent_cli.data import Stop; from maxent_cli.io.unfinished import unfinished\n"
        f"with unfinished({out!r}, {SETTINGS!r}, Stop()): print('held', flush=True); signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(InputError, match="another process is at work on this output"), unfinished(out, {}, Stop()):
        pass
    process.kill()
    process.communicate()
    with unfinished(out, SETTINGS, Stop()) as work:
        assert work.folder.exists()


def test_a_file_system_without_locks_does(out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(module.errno.ENOSYS, "no locks here")

    monkeypatch.setattr(module.fcntl, "flock", none)
    folder = leave(out)
    with unfinished(out, SETTINGS, Stop()) as work:
        assert work.has("000000.result")
    assert not folder.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_where_no_folder_can_be_it_does_not_try_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.001)
    with (
        pytest.raises(InputError, match=r"/proc/nothing\.partial: cannot be written"),
        unfinished("/proc/nothing", {}, Stop()),
    ):
        pass
