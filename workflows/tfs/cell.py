"""One network of the table: a set of positives, an architecture and a seed.

python -m workflows.tfs.cell train SET ARCHITECTURE SEED OUT     a model folder, scores of the held-out table, anchors
python -m workflows.tfs.cell views SET ARCHITECTURE SEED OUT     which view of its anchors names the set's known motif

OUT holds a folder a network, which the second command reads. Sets are those of $MAXENT_DATA/tf_chipseq: AC is trained
on, against dinucleotide shuffles, and B, which nothing is chosen by, is tested on.
"""

import argparse
import gzip
import os
import shutil
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import maxent_cli as mx
from maxent_cli.alphabet import LETTERS, encode
from maxent_cli.analysis import name_motifs
from maxent_cli.data import Floats, Motif
from maxent_cli.interpret import PRESETS
from maxent_cli.io import databases, read_meme

DATA = Path(os.environ.get("MAXENT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tf_chipseq"
CONFIG = Path(__file__).parent / "tfs.toml"
LENGTH = 101
SITES = 20.0  # that a matrix made of scores stands for
SCALES = ("positives", "epochs", "anchors", "preset")  # what makes the table dear
VIEWS = ("saliency", "prefix", "class optimisation", "draws")

Config = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A network of the table, and where it lies."""

    name: str
    architecture: str
    seed: int
    out: Path
    config: Config

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return self.out / self.name / f"{self.architecture}.{self.seed}"


def read_config(path: Path = CONFIG) -> Config:
    """What is asked for."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def scaled(parser: argparse.ArgumentParser) -> None:
    """Options that say how much is done, in place of the configuration's."""
    parser.add_argument("--config", type=Path, default=CONFIG)
    for name in SCALES:
        parser.add_argument(f"--{name}", type=str if name == "preset" else int)


def asked(given: argparse.Namespace) -> Config:
    """The configuration with what such options say instead."""
    told = {name: getattr(given, name) for name in SCALES}
    return read_config(given.config) | {name: value for name, value in told.items() if value is not None}


def sets() -> dict[str, Path]:
    """The tables to train on, by the name of the set."""
    return {path.name.partition("_")[0]: path for path in sorted(DATA.glob("*_AC.seq.gz"))}


def records(path: Path) -> tuple[list[str], Floats]:
    """Sequences in A, C, G and T, and their labels."""
    with gzip.open(path, "rt") as stream:
        rows = [line.split() for line in islice(stream, 1, None)]
    rows = [row for row in rows if len(row[2]) == LENGTH and set(row[2]) <= set("ACGT")]
    return [row[2] for row in rows], np.array([int(row[3]) for row in rows])


def train(cell: Cell) -> None:
    """Train, score the held-out table, and write its surest positives as anchors."""
    path, config = sets()[cell.name], cell.config
    positives, labels = records(path)
    positives = [letters for letters, label in zip(positives, labels, strict=True) if label]
    order = np.random.default_rng(0).permutation(len(positives))[: config["positives"]]
    training = mx.Training(cell.architecture, epochs=config["epochs"] or None, seed=cell.seed)
    cell.folder.mkdir(parents=True, exist_ok=True)
    for old in cell.folder.glob("draws.npz*"):  # of another network
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    model = str(cell.folder / "model")
    trained = mx.train(
        [positives[row] for row in sorted(order)], mx.Split(test_share=0.0), training, out=model, threads=1
    )
    held_out, truth = records(Path(str(path).replace("_AC.", "_B.")))
    try:
        scores = mx.predict(trained.network, held_out, threads=1, progress=False).to_frame()["contrast"].to_numpy()
        surest = [row for row in np.argsort(-scores) if truth[row]][: config["anchors"]]
    except mx.InputError as nothing:  # was learned: it gives the same output for all, and there is nothing to look at
        print(nothing, file=sys.stderr)
        scores, surest = np.zeros(len(truth)), []
    lines = [f">b{row}\n{held_out[row]}\n" for row in surest]
    (cell.folder / "anchors.fa").write_text("".join(lines), encoding="utf-8")
    pd.DataFrame({"label": truth, "score": scores}).to_csv(cell.folder / "scores.tsv", sep="\t", index=False)


def views(cell: Cell) -> None:
    """Write views.tsv: of each view, how many sequences are named at all, and as the set's known motif."""
    known, lines = known_motifs(), ["view\tsequences\tnamed\texpected\tcommonest"]
    for view, matrices in matrices_of(cell).items():
        told = [name for some in matrices if (name := best_name(some, known))]
        right = [name for name in told if is_expected(name, cell.config["known"][cell.name])]
        commonest = max(sorted(set(told)), key=told.count) if told else ""
        lines.append(f"{view}\t{len(matrices)}\t{len(told)}\t{len(right)}\t{commonest}")
    (cell.folder / "views.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def known_motifs() -> list[Motif]:
    """JASPAR's, of vertebrates."""
    return [motif for path in databases("jaspar-vertebrates") for motif in read_meme(path)]


def matrices_of(cell: Cell) -> dict[str, list[list[Motif]]]:
    """Of each view the matrices of each sequence."""
    folder, width, seed = cell.folder, cell.config["width"], cell.seed
    if not (folder / "anchors.fa").stat().st_size:
        return {view: [] for view in VIEWS}
    network, anchors = mx.network(str(folder / "model")), str(folder / "anchors.fa")
    path, run = folder / "draws.npz", PRESETS[cell.config["preset"]]
    if not path.exists():
        mx.sample(network, anchors, sampling=run, out=str(path), threads=1)
    draws = mx.open_draws(str(path))
    read = mx.attribute(network, anchors, "prefix", logos="none", seed=seed, threads=1, progress=False)
    best = mx.design(network, wanted=mx.Design(best=True), sampling=run, threads=1)
    designs = {row["design"]: row["sequence"] for _, row in best["designs"].iterrows()}
    along = mx.attribute(network, designs, "prefix", logos="none", seed=seed, threads=1, progress=False)
    found = {
        "saliency": windows(read["reading"], "saliency", width),
        "prefix": windows(read["positions"], "score", width),
        "class optimisation": windows(along["reading"], "saliency", width),
    }
    mx.motifs(draws, logos="none", out=str(folder / "motifs"), progress=False)
    return found | {"draws": drawn(folder / "motifs" / "anchor_motifs.meme", list(draws.names()))}


def windows(table: pd.DataFrame, column: str, width: int) -> list[list[Motif]]:
    """Of each sequence the window of the highest sum of scores, its letters as sure as their score is high."""
    found = []
    for name, rows in table.groupby("record", sort=False):
        scores = np.clip(rows[column].fillna(0).to_numpy(float), 0, None)
        if not scores.any():
            found.append([])
            continue
        sums = np.convolve(scores, np.ones(width), "valid")
        start = int(np.argmax(sums))
        sure = scores[start : start + width, None] / scores.max()
        letters = np.eye(4)[encode("".join(rows["letter"])[start : start + width])]
        found.append([Motif(str(name), SITES * (sure * letters + (1 - sure) / len(LETTERS)), SITES)])
    return found


def drawn(path: Path, names: Sequence[str]) -> list[list[Motif]]:
    """The motifs of each anchor's draws."""
    motifs = read_meme(str(path)) if path.exists() else []
    return [[motif for motif in motifs if motif.name.split(":")[0] == name] for name in names]


def best_name(motifs: Sequence[Motif], known: Sequence[Motif]) -> str:
    """The known motif that is most like any of them, where that is more than chance; nothing otherwise."""
    best = [families[0].best for families in name_motifs(motifs, known) if families and families[0].tells]
    return min(best, key=lambda one: one.p).name if best else ""


def is_expected(name: str, beginnings: Sequence[str]) -> bool:
    """Whether any part of a name, of which heterodimers have two, begins so."""
    return any(part.strip().upper().startswith(tuple(beginnings)) for part in name.split("::"))


def main() -> None:
    """One step of a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train", "views"))
    parser.add_argument("set")
    parser.add_argument("architecture")
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=Path)
    scaled(parser)
    given = parser.parse_args()
    cell = Cell(given.set, given.architecture, given.seed, given.out, asked(given))
    (train if given.step == "train" else views)(cell)


if __name__ == "__main__":
    main()
