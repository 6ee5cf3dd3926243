"""Motifs of a whole data set: by draws around thousands of anchors, and by DeepLIFT with TF-MoDISco on the same ones.

python -m workflows.dataset.experiment OUT --model FOLDER --positives FASTA --modisco PATH [--anchors 5000]

Anchors are positives that the network calls rightly, at random. PATH is TF-MoDISco's command (`pip install
modisco-lite`, in an environment of its own). Each step is a command by itself, on one thread; OUT/cost.tsv has its CPU
seconds, wall time and memory, OUT/motifs.tsv the motifs that either way found, by their names in JASPAR. What is there
is not made again.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from maxent_cli.analysis import Family, best_match, name_motifs
from maxent_cli.data import Motif
from maxent_cli.io import databases, read_meme, write_table

ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
ALIKE = 0.65  # Pearson r from which a motif of one way is one of the other's
Row = dict[str, object]


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", required=True, help="model folder")
    parser.add_argument("--positives", required=True, help="FASTA")
    parser.add_argument("--modisco", required=True, help="TF-MoDISco's command")
    parser.add_argument("--anchors", type=int, default=5000, help="so many (5000)")
    parser.add_argument("--max-steps", type=int, default=32_000, help="of an anchor's chains (32000)")
    parser.add_argument("--seqlets", type=int, default=20_000, help="TF-MoDISco's -n (20000)")
    return parser.parse_args()


def main() -> None:
    """Make what is not there."""
    given = options()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, result, command in steps(given):
        if not (given.out / result).exists():
            timed(given.out, name, command)
        if name == "predict" and not (given.out / "anchors.fa").exists():
            choose(given.out, given.anchors)
    write_table(str(given.out / "motifs.tsv"), found(given.out))


def steps(given: argparse.Namespace) -> Iterator[tuple[str, str, list[str]]]:
    """Names of steps, what they make, and their commands."""
    maxent, model = [sys.executable, "-m", "maxent_cli"], ["--model", given.model, "--threads", "1"]
    every = ["--label", "1", "--correct", "--top", "1000000", "--select", "called.fa", "--out", "called.tsv"]
    yield "predict", "called.fa", [*maxent, "predict", str(Path(given.positives).resolve()), *model, *every]
    drawn = ["--max-steps", str(given.max_steps), "--seed", "1", "--out", "draws"]
    yield "sample", "draws", [*maxent, "sample", "anchors.fa", *model, *drawn]
    read = ["--known", "jaspar-vertebrates", "--logos", "none", "--threads", "1", "--out", "motifs"]
    yield "motifs", "motifs", [*maxent, "motifs", "draws", *read]
    scored = ["--method", "deeplift", "--logos", "none", "--out", "deeplift"]
    yield "DeepLIFT", "deeplift", [*maxent, "attribute", "anchors.fa", *model, *scored]
    arrays = ["-s", "deeplift/modisco/one_hot.npz", "-a", "deeplift/modisco/attributions.npz"]
    width = ["-n", str(given.seqlets), "-w", str(shortest(given.out / "anchors.fa"))]
    yield "TF-MoDISco", "patterns.h5", [given.modisco, "motifs", *arrays, *width, "-o", "patterns.h5"]
    matrices = ["-i", "patterns.h5", "-t", "PFM", "-o", "patterns.meme"]
    yield "its matrices", "patterns.meme", [given.modisco, "meme", *matrices]


def timed(out: Path, name: str, command: list[str]) -> None:
    """Run a step in OUT; a line of what it took."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=out, env=os.environ | ONE_THREAD)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{name}: ended with {os.waitstatus_to_exitcode(status)}")
    seconds, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1000
    line = f"{name}\t{seconds:.0f}\t{time.monotonic() - started:.0f}\t{memory:.0f}\n"
    table = out / "cost.tsv"
    head = "" if table.exists() else "step\tcpu_seconds\tseconds\tmemory_mb\n"
    with table.open("a") as stream:
        stream.write(head + line)


def choose(out: Path, count: int) -> None:
    """So many anchors at random, of those that are called rightly."""
    records = (out / "called.fa").read_text().split(">")[1:]
    order = np.random.default_rng(1).permutation(len(records))[:count]
    (out / "anchors.fa").write_text("".join(f">{records[row]}" for row in order))


def shortest(anchors: Path) -> int:
    """Letters of the shortest anchor: TF-MoDISco's window may not be wider."""
    if not anchors.exists():
        return 0
    return min(len("".join(record.split("\n")[1:])) for record in anchors.read_text().split(">")[1:])


def found(out: Path) -> list[Row]:
    """Motifs of both ways, named by JASPAR's, each with the most like one of the other way."""
    known = [motif for path in databases("jaspar-vertebrates") for motif in read_meme(path)]
    path = out / "patterns.meme"
    matrices = read_meme(str(path)) if "MOTIF" in path.read_text() else []  # it may find none
    patterns = [replace(motif, sites=seqlets(out, motif.name)) for motif in matrices]
    ways = {"draws": read_meme(str(out / "motifs/motifs.meme")), "deeplift": patterns}
    rows = list[Row]()
    for (way, motifs), other in zip(ways.items(), reversed(ways.values()), strict=True):
        for motif, families in zip(motifs, name_motifs(motifs, known), strict=True):
            told: Row = {"way": way, "motif": motif.name, "sites": motif.sites}
            rows.append(told | named(families) | likest(motif, other))
    return rows


def seqlets(out: Path, name: str) -> float:
    """How many seqlets a pattern of TF-MoDISco's is made of; its matrices do not say."""
    with h5py.File(out / "patterns.h5") as file:
        return float(file[name.replace(".", "/", 1)]["seqlets/n_seqlets"][()].item())


def named(families: list[Family]) -> Row:
    """The family that a motif is most like, if that is more than chance."""
    tells = bool(families) and families[0].tells
    return {"known": families[0].label if tells else "", "q": families[0].best.q if families else None}


def likest(motif: Motif, others: list[Motif]) -> Row:
    """The motif of the other way that is most like it, and whether they are one."""
    matches = [(best_match(motif, other).similarity, other.name) for other in others]
    similarity, name = max(matches, default=(0.0, ""))
    return {"other": name, "r": similarity, "in_both": similarity >= ALIKE}


if __name__ == "__main__":
    main()
