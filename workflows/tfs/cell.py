"""One network of the table: a set of positives, an architecture and a seed.

python -m workflows.tfs.cell train SET ARCHITECTURE SEED OUT     a model folder, scores of the held-out table, anchors
python -m workflows.tfs.cell views SET ARCHITECTURE SEED OUT     which known motif each view of its anchors names

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
from numpy.typing import NDArray

import maxent_cli as mx
from maxent_cli.alphabet import UNKNOWN, Codes, encode
from maxent_cli.analysis import name_motifs
from maxent_cli.data import Floats, Motif
from maxent_cli.engine import dinucleotide_shuffle
from maxent_cli.interpret import PRESETS
from maxent_cli.io import databases, read_meme

DATA = Path(os.environ.get("MAXENT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tf_chipseq"
CONFIG = Path(__file__).parent / "tfs.toml"
LENGTH = 101
WORD, SHUFFLES = 6, 10  # letters of a word; shuffles of each sequence that words are counted in
SCALES = ("positives", "epochs", "anchors", "preset")  # what makes the table dear
VIEWS = ("random window", "saliency", "prefix", "class optimisation", "draws")

Config = dict[str, Any]
Motifs = dict[str, Motif | None]  # by sequence
Words = NDArray[np.int64]


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
    """Write views.tsv: of each view and each sequence that it is of, the known motif that it names, if any."""
    known = known_motifs()
    rows = [
        {"view": view, "sequence": name, "known": name_of(motif, known)}
        for view, motifs in motifs_of(cell).items()
        for name, motif in motifs.items()
    ]
    pd.DataFrame(rows, columns=["view", "sequence", "known"]).to_csv(cell.folder / "views.tsv", sep="\t", index=False)


def known_motifs() -> list[Motif]:
    """JASPAR's, of vertebrates."""
    return [motif for path in databases("jaspar-vertebrates") for motif in read_meme(path)]


def motifs_of(cell: Cell) -> dict[str, Motifs]:
    """Of each view the motif of each sequence: one at most, whatever the view."""
    folder, width, seed = cell.folder, cell.config["width"], cell.seed
    if not (folder / "anchors.fa").stat().st_size:
        return {}
    network, anchors = mx.network(str(folder / "model")), str(folder / "anchors.fa")
    path, run = folder / "draws.npz", PRESETS[cell.config["preset"]]
    if not path.exists():
        mx.sample(network, anchors, sampling=run, out=str(path), threads=1)
    draws = mx.open_draws(str(path))
    read = mx.attribute(network, anchors, "prefix", logos="none", seed=seed, threads=1, progress=False)
    best = mx.design(network, wanted=mx.Design(best=True), sampling=run, threads=1)["designs"]
    mx.motifs(draws, logos="none", out=str(folder / "motifs"), progress=False)
    chance = np.random.default_rng(seed).random(len(read["positions"]))
    return {
        "random window": windows(read["positions"].assign(score=chance), "score", width),
        "saliency": windows(read["reading"], "saliency", width),
        "prefix": windows(read["positions"], "score", width),
        "class optimisation": windows(shared_words(best.set_index("design")["sequence"]), "score", width),
        "draws": drawn(folder / "motifs" / "anchor_motifs.meme", list(draws.names())),
    }


def windows(table: pd.DataFrame, column: str, width: int) -> Motifs:
    """Of each sequence the window of the highest sum of scores, aligned with the site of each that is most like it.

    Its letters weigh as much as their scores, of which those below 0 count as 0.
    """
    tables = {str(name): rows for name, rows in table.groupby("record", sort=False)}
    codes = np.array([encode("".join(rows["letter"])) for rows in tables.values()])
    found: Motifs = {}
    for own, (name, rows) in zip(codes, tables.items(), strict=True):
        scores = np.clip(rows[column].fillna(0).to_numpy(float), 0, None)
        start = int(np.argmax(np.convolve(scores, np.ones(width), "valid")))
        seed = np.eye(4)[own[start : start + width]] * scores[start : start + width, None]
        found[name] = Motif(name, aligned(seed, codes), len(codes)) if scores.any() else None
    return found


def shared_words(sequences: pd.Series) -> pd.DataFrame:
    """Scores of each sequence's letters: how far its words are those of the other sequences, and not of their shuffles.

    Words are of WORD letters, on either strand; one that a share s of the others holds, and a share e of dinucleotide
    shuffles, has s · log2(s / e) where that is above 0. A letter has the mean over the words that it is of.
    """
    codes = np.array([encode(letters) for letters in sequences])
    shuffled = np.concatenate([dinucleotide_shuffle(codes, seed) for seed in range(SHUFFLES)])
    words, by_chance = words_of(codes), held(words_of(shuffled))
    shares = (held(words).sum(axis=0) - 1) / max(1, len(codes) - 1)  # each holds its own
    expected = (by_chance.sum(axis=0) + 1) / (len(by_chance) + 1)
    telling = (shares * np.log2(np.maximum(shares / expected, 1)))[words]
    each = [np.convolve(row, np.ones(WORD) / WORD) for row in telling]
    scored = zip(sequences.items(), each, strict=True)
    tables = [pd.DataFrame({"record": name, "letter": list(whole), "score": row}) for (name, whole), row in scored]
    return pd.concat(tables, ignore_index=True)


def aligned(seed: Floats, codes: Codes) -> Floats:
    """Letters (W, 4) of the sites, one of each of codes (n, L) on either strand, that are most like the seed (W, 4).

    A site may lie across an end; what is beyond it counts as all letters alike.
    """
    width = len(seed)
    padded = np.pad(codes, ((0, 0), (width - 1, width - 1)), constant_values=UNKNOWN)
    turned = np.array([3, 2, 1, 0, UNKNOWN])[padded[:, ::-1]]
    strands = [np.lib.stride_tricks.sliding_window_view(one, width, axis=1) for one in (padded, turned)]
    sites = np.vstack([np.eye(4), np.full(4, 1 / 4)])[np.concatenate(strands, axis=1)]  # (n, places, W, 4)
    best = np.einsum("npwl,wl->np", sites, seed).argmax(axis=1)
    return np.asarray(sites[np.arange(len(codes)), best].sum(axis=0))


def words_of(codes: Codes) -> Words:
    """The number of the word that starts at each place of codes (n, L), the same for its reverse complement."""
    places = np.lib.stride_tricks.sliding_window_view(codes, WORD, axis=1).astype(np.int64)
    powers = 4 ** np.arange(WORD)
    return np.minimum(places @ powers, (3 - places) @ powers[::-1])


def held(words: Words) -> Words:
    """Whether each sequence holds each word (n, 4^WORD)."""
    found = np.zeros((len(words), 4**WORD), np.int64)
    np.put_along_axis(found, words, 1, axis=1)
    return found


def drawn(path: Path, names: Sequence[str]) -> Motifs:
    """Of each anchor the motif with the most sites in its draws."""
    motifs = read_meme(str(path)) if path.exists() else []
    each = {name: [motif for motif in motifs if motif.name.rpartition(":")[0] == name] for name in names}
    return {name: max(some, key=lambda one: one.sites, default=None) for name, some in each.items()}


def name_of(motif: Motif | None, known: Sequence[Motif]) -> str:
    """The known motif that is most like it, where that is more than chance; nothing otherwise."""
    families = name_motifs([motif], known)[0] if motif else []
    return families[0].best.name if families and families[0].tells else ""


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
