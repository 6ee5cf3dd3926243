"""What drawing costs by length, chains, steps and network, and in many jobs: expected by `maxent doctor`, and measured.

    python workflows/cluster/scale.py > tables.md

Networks are trained for one epoch on simulated sequences; seconds are of one CPU. It takes half an hour of them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

FEW = 4  # anchors by which a setting's cost is measured
SIZES = (10, 100)  # anchors in one job
MANY, PARTS = 1000, 20
AT_ONCE = 2


@dataclass(frozen=True)
class Case:
    """A network and a run."""

    architecture: str = "convnet"
    length: int = 100
    chains: int = 4
    replicas: int = 3
    draws: int = 100
    thin: int = 60

    @property
    def options(self) -> list[str]:
        """The run, as options."""
        numbers = {name: getattr(self, name) for name in ("chains", "replicas", "draws", "thin")}
        numbers |= {"warmup": 1000, "max-steps": self.draws * self.thin}
        return [*(f"--{name}={number}" for name, number in numbers.items()), "--threads=1"]


BASE = Case()
CASES = {
    "convnet, 100 bp, 4 chains, 3 replicas, 7,000 steps": BASE,
    "8 chains": replace(BASE, chains=8),
    "6 replicas": replace(BASE, replicas=6),
    "13,000 steps": replace(BASE, thin=120),
    "200 draws, each after 30 steps": replace(BASE, draws=200, thin=30),
    "200 bp": replace(BASE, length=200),
    "400 bp": replace(BASE, length=400),
    "finnegan2017, 100 bp": replace(BASE, architecture="finnegan2017"),
    "nucleosome, 147 bp": replace(BASE, architecture="nucleosome", length=147),
}


@dataclass(frozen=True)
class Work:
    """A folder with anchors and a network."""

    folder: Path
    case: Case

    def maxent(self, *words: str) -> tuple[float, str]:
        """CPU seconds and standard output of a command."""
        command = [sys.executable, "-m", "maxent_cli", *words]
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, cwd=self.folder, env=alone, stdout=-1, stderr=-1, text=True) as running:
            out, err = running.stdout.read(), running.stderr.read()
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            raise SystemExit(f"{' '.join(words)}: {err}")
        return used.ru_utime + used.ru_stime, out

    def prepare(self, anchors: int) -> None:
        """Simulate, and train for an epoch."""
        length = str(self.case.length)
        self.maxent("simulate", "--count", "1000", "--length", length, "--plant", "CTCF:density=0.9", "-o", "all.fa")
        training = ("--epochs", "1", "--architecture", self.case.architecture, "--out", "model", "--threads", "1")
        self.maxent("train", "--positives", "all.fa", *training)
        self.write(anchors)

    def write(self, anchors: int) -> None:
        """The first so many sequences as anchors."""
        records = (self.folder / "all.fa").read_text().split(">")[1 : anchors + 1]
        (self.folder / "anchors.fa").write_text("".join(f">{record}" for record in records))

    def expected(self) -> tuple[float, float]:
        """Seconds and bytes of memory that the doctor expects."""
        _, found = self.maxent("doctor", "anchors.fa", "--model", "model", *self.case.options, "--json")
        run = json.loads(found)["run"]
        return run["seconds"], run["bytes"]

    def sample(self, shard: str = "1/1", out: str = "draws.npz") -> float:
        """CPU seconds of a job."""
        given = ("anchors.fa", "--model", "model", *self.case.options)
        return self.maxent("sample", *given, "--shard", shard, "--out", out)[0]

    def start(self) -> float:
        """CPU seconds of a job whose part is empty."""
        return min(self.sample("1/100000", "none.npz") for _ in range(3))

    def memory(self, out: str = "draws.npz") -> int:
        """MiB that a job held at most."""
        return int(json.loads((self.folder / f"{out}.provenance.json").read_text())["peak_memory_mib"])


def settings(folder: Path) -> Iterator[str]:
    """A row for each case: seconds of an anchor and MiB of the job, expected and measured; kilobytes of an anchor."""
    yield "| | s an anchor, expected | measured | MiB, expected | measured | KB an anchor |\n|---|---|---|---|---|---|"
    for number, (name, case) in enumerate(CASES.items()):
        work = Work(folder / str(number), case)
        work.folder.mkdir()
        work.prepare(FEW)
        seconds, memory = work.expected()
        work.sample(f"1/{FEW}")  # compiles
        taken = work.sample() - work.start()
        size = (work.folder / "draws.npz").stat().st_size / FEW / 1e3
        numbers = f"{seconds / FEW:.2f} | {taken / FEW:.2f} | {memory / 2**20:.0f} | {work.memory()} | {size:.0f}"
        yield f"| {name} | {numbers} |"


def sizes(folder: Path) -> Iterator[str]:
    """A row for each number of anchors; the largest in parts, with what starting and merging add."""
    work = Work(folder / "0", BASE)
    start = work.start()
    yield f"A job starts in {start:.1f} s.\n"
    yield "| anchors | jobs | s, expected | measured | MiB | draws, MB |\n|---|---|---|---|---|---|"
    for anchors in SIZES:
        work.write(anchors)
        seconds, _ = work.expected()
        taken, size = work.sample() - start, (work.folder / "draws.npz").stat().st_size / 1e6
        yield f"| {anchors} | 1 | {seconds:.0f} | {taken:.0f} | {work.memory()} | {size:.1f} |"
    work.write(MANY)
    seconds, _ = work.expected()
    names = [f"part{number}.npz" for number in range(1, PARTS + 1)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = list(pool.map(work.sample, (f"{number}/{PARTS}" for number in range(1, PARTS + 1)), names))
    merging, _ = work.maxent("merge", *names, "--out", "merged.npz")
    drawing, size = sum(jobs) - PARTS * start, (work.folder / "merged.npz").stat().st_size / 1e6
    most = max(map(work.memory, names))
    yield f"| {MANY} | {PARTS} | {seconds:.0f} | {drawing:.0f} | {most} | {size:.1f} |"
    extra = (PARTS * start + merging) / drawing
    tiny = Work(work.folder, replace(BASE, chains=2, draws=4, thin=1))
    for anchors in (SIZES[0], MANY):
        tiny.write(anchors)
        tiny.sample()
        yield f"| {anchors}, 2 chains of 4 draws | 1 | | | {tiny.memory()} | |"
    yield f"\nStarting {PARTS} jobs takes {PARTS * start:.0f} s and merging {merging:.1f} s: {extra:.1%} of drawing."


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        for line in chain(settings(Path(name)), [""], sizes(Path(name))):
            print(line, flush=True)


if __name__ == "__main__":
    main()
