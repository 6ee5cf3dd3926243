"""What a job costs besides drawing, in CPU seconds, on this machine: start, compiling, merging.

    python workflows/cluster/overheads.py anchors.fa --model model

The first four anchors are drawn, each on one thread; the rest of the arguments go to `maxent sample`.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ANCHORS = 4
TOGETHER = 4  # jobs that start at once without compiled code
SHORT = ("--draws", "4", "--thin", "1", "--warmup", "240", "--max-steps", "4")
MAXENT = [sys.executable, "-m", "maxent_cli"]


def seconds(*commands: list[str], **environment: str) -> float:
    """CPU seconds of commands that run at the same time, of each on average."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [subprocess.Popen(command, env=os.environ | environment) for command in commands]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"failed: {commands}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(commands)


def measure(folder: Path, arguments: list[str]) -> Iterator[tuple[str, float]]:
    """What is measured, and its seconds; the folder holds anchors.fa."""

    def sample(out: str, *more: str) -> list[str]:
        given = [str(folder / "anchors.fa"), *arguments, "--threads", "1", "--out", str(folder / out), *more]
        return [*MAXENT, "sample", *given]

    kept, other = str(folder / "cache"), str(folder / "together")
    cold = seconds(sample("a", "--shard", "1/4", *SHORT), NUMBA_CACHE_DIR=kept)
    start = seconds(sample("b", "--shard", "1/5", *SHORT), NUMBA_CACHE_DIR=kept)  # an empty part
    warm = seconds(sample("c", "--shard", "1/4", *SHORT), NUMBA_CACHE_DIR=kept)
    at_once = seconds(*(sample(f"d{job}", "--shard", "1/4", *SHORT) for job in range(TOGETHER)), NUMBA_CACHE_DIR=other)
    parts = [seconds(sample(f"part{i}", "--shard", f"{i}/2"), NUMBA_CACHE_DIR=kept) for i in (1, 2)]
    whole = seconds(sample("whole"), NUMBA_CACHE_DIR=kept)
    merge = seconds([*MAXENT, "merge", str(folder / "part1"), str(folder / "part2"), "--out", str(folder / "merged")])
    if (folder / "merged").read_bytes() != (folder / "whole").read_bytes():
        raise SystemExit("the parts together are not the whole")
    yield "start: imports, model, an empty part", start
    yield "compiling, in the first job on a kind of machine", cold - warm
    yield f"the same in each of {TOGETHER} that start at once", at_once - warm
    yield "an anchor", (2 * whole - sum(parts)) / ANCHORS
    yield "a job beside its anchors", sum(parts) - whole
    yield f"merging {ANCHORS} anchors, start included", merge


def main(anchors: str, *arguments: str) -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as name:
        records = Path(anchors).read_text().split(">")[1 : ANCHORS + 1]
        (Path(name) / "anchors.fa").write_text("".join(f">{record}" for record in records))
        print("| | CPU seconds |\n|---|---|")
        for what, took in measure(Path(name), list(arguments)):
            print(f"| {what} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
