"""Stopped, killed, out of room: in processes of their own; the same command again ends as if nothing had happened.

MAXENT_KILLS=50 kills so many runs of `sample` with -9; without, a few.
"""

import json
import os
import random
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from forked import forked
from report_files import write_parts
from running import run
from small import saved, small_model
from thinned import thinned

from maxent_cli.alphabet import decode
from maxent_cli.data import Stop
from maxent_cli.io.samples import open_draws
from maxent_cli.io.unfinished import unfinished

KILLS = int(os.environ.get("MAXENT_KILLS", 4))
LENGTH = 40
# savings every tenth of a second
MAIN = "import maxent_cli.io.unfinished as u; u.INTERVAL = 0.1; from maxent_cli.commands import maxent; maxent()"
CHAINS = "--model model --threads 1 --chains 4 --replicas 3"
SAMPLE = f"sample anchors.fa {CHAINS} --warmup 24000 --draws 100 --thin 400 --max-steps 40000"
LONG = f"sample anchors.fa {CHAINS} --warmup 24000 --draws 100 --thin 40000 --max-steps 4000000"
PROBE = f"gc-probe anchors.fa {CHAINS} --warmup 6000 --draws 50 --thin 200 --max-steps 10000 --mu 0,1"
DESIGN = f"design --near anchors.fa {CHAINS} --warmup 6000 --draws 50 --thin 400 --max-steps 20000 --to 1"
TRAIN = f"train --positives many.fa --length {LENGTH} --architecture finnegan2017 --epochs 15 --batch 8 --threads 1"
ATTRIBUTE = (
    "attribute many.fa --model model --method integrated-gradients --steps 20 --threads 1 --logos svg --max-logos 2"
)
KEEPING = f"{TRAIN} --checkpoints 8"
LEARNING = (
    f"learning anchors.fa --model model --model model --positives many.fa --records 40 {CHAINS}"
    " --warmup 600 --draws 20 --thin 20 --max-steps 400"
)
DEPENDENCE = "dependence draws.npz --maps svg --max-maps 2"
SIGNALS = [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path


def write_inputs(folder: Path) -> None:
    """A model, some anchors, and records to train on."""
    saved(folder / "model", small_model(LENGTH))
    rows = [decode(row) for row in np.random.default_rng(1).integers(0, 4, (400, LENGTH), np.uint8)]
    for name, count in (("anchors.fa", 3), ("many.fa", 400)):
        (folder / name).write_text("".join(f">r{n}\n{letters}\n" for n, letters in enumerate(rows[:count])))


def write_draws(folder: Path) -> None:
    """Draws around a few dozen anchors."""
    write_parts(folder, [f"r{n}" for n in range(24)], max_rhat=1000)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of a sampling run that nothing stopped, which no test changes."""
    place = tmp_path_factory.mktemp("undisturbed")
    write_inputs(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        run(f"{SAMPLE} --out whole")
    return place / "whole"


def start(line: str) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    return subprocess.Popen([*forked(), MAIN, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], happened: Callable[[], object]) -> None:
    """Wait for something, while the process lives."""
    while not happened() and process.poll() is None:
        time.sleep(0.01)


def files(out: Path) -> dict[str, bytes]:
    """The bytes of an output, file or folder."""
    places = sorted(out.rglob("*.*")) if out.is_dir() else [out, Path(f"{out}.tsv")]
    return {place.name.replace(out.name, "out"): place.read_bytes() for place in places}


def stop(line: str, out: str, kept: str, number: signal.Signals) -> None:
    """Start a line and send it a signal once it has kept something."""
    process = start(f"{line} --out {out}")
    until(process, lambda: list(Path(f"{out}.partial").glob(kept)))
    process.send_signal(number)
    told, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert said.splitlines()[-1] == "maxent: stopped by a signal; run the same command again to go on"
    assert "Traceback" not in said
    assert told == ""
    assert not Path(out).exists()
    assert list(Path(f"{out}.partial").glob(kept))


STOPPED = [  # a line, what it has kept when it is stopped, and the signal
    (SAMPLE, "000001.*", signal.SIGTERM),
    (PROBE, "000001.*", signal.SIGUSR1),
    (DESIGN, "000001.*", signal.SIGTERM),
    (TRAIN, "training.safetensors", signal.SIGINT),
    (KEEPING, "checkpoint.*", signal.SIGTERM),
    (LEARNING, "000001.*", signal.SIGTERM),
    (ATTRIBUTE, "000001.*", signal.SIGUSR1),
    (DEPENDENCE, "000001.*", signal.SIGTERM),
]


@pytest.mark.parametrize(("line", "kept", "number"), thinned(STOPPED, 4), ids=lambda part: str(part).split()[0])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(
    line: str, kept: str, number: signal.Signals, folder: Path, undisturbed: Path
) -> None:
    whole = undisturbed if line == SAMPLE else folder / "whole"
    if line == DEPENDENCE:
        write_draws(folder)
    if not whole.exists():
        run(f"{line} --out whole")
    stop(line, "out", kept, number)
    other = re.sub(r"(chains|epochs|steps|max-maps) (\d+)\b", lambda found: f"{found[1]} {int(found[2]) + 1}", line)
    said = run(f"{other} --out out", code=1).stderr.splitlines()[-1]
    assert said.startswith("maxent: out.partial: holds unfinished work of other settings (")
    assert re.search(r"chains 4, now 5|epochs 15, now 16|steps 20, now 21|max_maps 2, now 3", said)
    lock = folder / "out.partial/lock"
    assert int(lock.read_text()) > 0
    lock.write_text(f"{1_000_000:015}")  # milliseconds so far
    more = 1 + (not line.startswith("train"))
    run(f"{line} --out out".replace("--threads 1", f"--threads {more}"))
    assert files(folder / "out") == files(whole)
    assert not (folder / "out.partial").exists()
    assert 1000 < json.loads(Path("out.provenance.json").read_text())["wall_seconds"] < 1500


@pytest.mark.parametrize("number", SIGNALS[1:], ids=lambda number: number.name)
def test_a_long_anchor_hears_every_signal(number: signal.Signals, folder: Path) -> None:
    """It would take minutes."""
    (folder / "anchors.fa").write_text(f">a\n{'ACGTG' * 8}\n")
    stop(LONG, "out", "000000.0001.npz", number)


def test_what_cannot_go_on_leaves_nothing(folder: Path) -> None:
    write_draws(folder)
    before = set(folder.iterdir())
    process = start("motifs draws.npz --logos png --out out")
    until(process, lambda: list(folder.glob(".out.*")))
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert set(folder.iterdir()) == before


MOMENTS = {
    "at any time": lambda _: True,
    "when more is kept": lambda before: len(list(Path().glob("out.npz.partial/*"))) > before,
    "when the output is put together": lambda _: list(Path().glob(".out.npz.*")),
}


def fasta_of(path: Path) -> str:
    """What sample prints of draws."""
    with open_draws(str(path)) as draws:
        named = ((each.name, each.codes) for each in draws)
        return "".join(
            f">{name}/{chain}/{draw}\n{decode(codes[chain, draw])}\n"
            for name, codes in named
            for chain, draw in np.ndindex(codes.shape[:2])
        )


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(folder: Path, undisturbed: Path) -> None:
    """What is printed is printed once, and by the run that ends."""
    whole, killed = fasta_of(undisturbed), 0
    chance = random.Random(KILLS)
    while killed < KILLS:
        before = len(list(Path().glob("out.npz.partial/*")))
        (reached,) = chance.choices(list(MOMENTS.values()), [1, 3, 1])
        process = start(f"{SAMPLE} --out out.npz --fasta -")
        until(process, lambda reached=reached, before=before: reached(before))
        time.sleep(chance.choice([0, 0.001, 0.3]) * chance.random())
        process.kill()
        told, said = process.communicate()
        assert process.returncode in (-signal.SIGKILL, 0), said
        killed += process.returncode != 0
        if process.returncode == 0:  # too late: begin anew
            assert told == whole
            assert (folder / "out.npz").read_bytes() == undisturbed.read_bytes()
            (folder / "out.npz").unlink()
    assert run(f"{SAMPLE} --out out.npz --fasta -").stdout == whole
    assert (folder / "out.npz").read_bytes() == undisturbed.read_bytes()
    outputs = {"out.npz", "out.npz.tsv", "out.npz.series.tsv"}
    left = {place.name for place in folder.glob("*out.npz*")}
    assert left <= outputs | {f"{name}.provenance.json" for name in outputs}


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow beyond some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


SHORT = f"sample anchors.fa {CHAINS} --warmup 240 --draws 50 --thin 5 --max-steps 250"


def check_no_room(said: str) -> None:
    last = said.splitlines()[-1]
    assert last.startswith("maxent: ")
    assert "Traceback" not in said
    assert "(no space left on device)" in last or "(file too large)" in last
    assert "; free the place" in last


def test_without_room_for_the_whole_what_was_drawn_is_kept(folder: Path) -> None:
    run(f"{SHORT} --out whole")
    size = (folder / "whole").stat().st_size
    with small_files(size - 1):
        check_no_room(run(f"{SHORT} --out out", code=1).stderr)
    assert len(list(folder.glob("out.partial/*.result"))) == 3
    assert list(folder.glob("*out*")) == [folder / "out.partial"]
    assert "3 of 3 anchors are done" in run(f"{SHORT} --out out").stderr
    assert files(folder / "out") == files(folder / "whole")


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(folder: Path, disk: Path) -> None:
    run(f"{SHORT} --out whole")
    filler = disk / "filler"
    room = int(0.6 * (folder / "whole").stat().st_size) + 3 * 4096  # for one or two anchors of the three
    filler.write_bytes(bytes(256 * 1024 - room))
    check_no_room(run(f"{SHORT} --out {disk}/out", code=1).stderr)
    assert not (disk / "out").exists()
    assert list(disk.glob("out.partial/*.result"))
    filler.unlink()
    run(f"{SHORT} --out {disk}/out")
    assert files(disk / "out") == files(folder / "whole")


@pytest.mark.parametrize("line", [SHORT, PROBE, TRAIN], ids=lambda line: line.split()[0])
def test_a_second_process_on_one_output_says_so(line: str, folder: Path) -> None:
    with unfinished("out", {}, Stop()):
        said = run(f"{line} --out out", code=1).stderr.splitlines()[-1]
    assert said == "maxent: out.partial: another process is at work on this output; wait for it, or give another --out"
    assert {place.name for place in folder.iterdir()} == {"model", "anchors.fa", "many.fa"}


@pytest.mark.usefixtures("folder")
def test_a_device_has_no_unfinished_work() -> None:
    assert run(f"{SHORT} --out /dev/null --fasta -").stdout.count("\n") == 3 * 4 * 50 * 2
    assert not list(Path("/dev").glob("null.*"))
