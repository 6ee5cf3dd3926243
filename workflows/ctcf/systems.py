"""Networks and anchors with known sites: simulated, and real peaks with one match of the CTCF motif."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import rel_entr

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.analysis import motif
from maxent_cli.data import Motif, Record
from maxent_cli.io import CTCF_MOTIF, read_fasta, read_meme, write_fasta, write_meme

from ..global_features.steps import made, request

Config = dict[str, Any]
Pairs = list[list[tuple[int, int]]]  # of each anchor, (start, end), 0-based half-open

RARITY = 1e-5  # of a match at a place of the background
UNIFORM = (0.25, 0.25, 0.25, 0.25)
TARGET, DECOY = "target", "decoy"
LEFT, RIGHT, WEAK = "left", "right", "weak"
# what positives hold, what negatives hold (nothing: shuffles of the positives), and the motifs that are to be found
CASES: dict[str, tuple[tuple[mx.Plant, ...], tuple[mx.Plant, ...], tuple[str, ...]]] = {
    "one motif": ((mx.Plant(TARGET),), (), (TARGET,)),
    "two at 10 bp": ((mx.Plant((LEFT, RIGHT), spacing=10),), (mx.Plant(LEFT), mx.Plant(RIGHT)), (LEFT, RIGHT)),
    "weak motif": ((mx.Plant(WEAK),), (), (WEAK,)),
    "motif and decoy": ((mx.Plant(TARGET), mx.Plant(DECOY)), (mx.Plant(DECOY),), (TARGET,)),
}


class Site(NamedTuple):
    """Where a motif is; columns: which places of it hold half as much information as its best column or more.

    turned: on the minus strand.
    """

    start: int
    end: int
    columns: tuple[int, ...]
    turned: bool


@dataclass(frozen=True)
class System:
    """A network, its anchors in random order, and where their sites are; qualified: of how many they were taken."""

    name: str
    folder: Path
    model: Path
    anchors: list[Record]
    sites: list[list[Site]]
    qualified: int

    @property
    def windows(self) -> Pairs:
        """Each anchor's sites."""
        return [[(site.start, site.end) for site in one] for one in self.sites]

    @property
    def columns(self) -> Pairs:
        """The informative places of each anchor's sites, one by one."""
        return [[(place, place + 1) for site in one for place in site.columns] for one in self.sites]

    def batches(self, size: int) -> Iterator["System"]:
        """So many anchors at a time, each batch in a folder of its own: more anchors are more batches."""
        for start in range(0, len(self.anchors), size):
            some = slice(start, start + size)
            batch = replace(
                self, folder=self.folder / f"{start:04d}", anchors=self.anchors[some], sites=self.sites[some]
            )
            batch.folder.mkdir(exist_ok=True)
            names, sequences = zip(*((one.name, one.sequence) for one in batch.anchors), strict=True)
            write_fasta(str(batch.folder / "anchors.fa"), names, sequences)
            yield batch


def simulated(name: str, config: Config) -> System:
    """A network that learned a case, and held-out positives that it calls rightly."""
    folder = Path(config["out"]) / name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    positives, negatives, wanted = CASES[name]
    write_meme(str(folder / "planted.meme"), planted())
    asked, seed = config["simulated"] | {"motifs": str(folder / "planted.meme")}, config["seed"]
    truth, sides = folder / "truth.bed", [folder / "positives.fa"]
    made(sides[0], mx.simulate, plants=positives, seed=seed, truth=str(truth), **asked)
    if negatives:
        sides.append(made(folder / "negatives.fa", mx.simulate, plants=negatives, seed=seed + 1, **asked))
    training = request(mx.Training, config["training"], seed=seed)
    model = made(folder / "model", mx.train, mx.TrainingData(*map(str, sides)), training=training, threads=1)
    sites = _read_sites(truth, {one.name: one for one in planted() if one.name in wanted})
    chosen = _chosen(folder, model, config, lambda record: sites.get(record.name, []))
    return System(name, folder, model, *chosen)


def real(architecture: str, config: Config) -> System:
    """A network that learned the peaks, and held-out ones that it calls rightly, with one match of the CTCF motif."""
    folder, asked = Path(config["out"]) / architecture, config | config["real"][architecture]
    folder.mkdir(parents=True, exist_ok=True)
    if "model" in asked:
        model = Path(asked["model"])
    else:
        split, training = request(mx.Split, asked["split"]), mx.Training(architecture, seed=config["seed"])
        model = made(folder / "model", mx.train, config["peaks"], split, training, threads=1)
    (given,) = read_meme(CTCF_MOTIF)
    known = motif(given, UNIFORM, RARITY)

    def sites(record: Record) -> list[Site]:
        if record.interval is None or record.interval.chromosome not in asked["chromosomes"]:
            return []
        codes = encode(record.sequence)
        places = np.flatnonzero(known.matches(codes))
        if len(places) != 1:
            return []
        window = codes[places[0] : places[0] + known.width]
        plus, minus = (matrix[np.arange(known.width), window].sum() for matrix in known.matrices)
        return [_site(given, int(places[0]), bool(minus > plus))]

    return System(architecture, folder, model, *_chosen(folder, model, asked, sites))


def planted() -> Iterator[Motif]:
    """CTCF's motif; a weak version of it; a decoy of the same columns in another order; and its two halves."""
    (known,) = read_meme(CTCF_MOTIF)
    share = known.probabilities
    order = np.random.default_rng(0).permutation(len(share))
    weak = 0.75 * share + 0.25 / 4
    matrices = {TARGET: share, DECOY: share[order], "weak": weak, "left": share[:10], "right": share[10:]}
    return (Motif(name, 100 * matrix, 100) for name, matrix in matrices.items())


def _read_sites(truth: Path, wanted: dict[str, Motif]) -> dict[str, list[Site]]:
    """Where the wanted motifs were planted, by record."""
    sites: dict[str, list[Site]] = {}
    for line in truth.read_text().splitlines():
        name, start, _, planted_name, _, strand = line.split("\t")
        if planted_name in wanted:
            sites.setdefault(name, []).append(_site(wanted[planted_name], int(start), strand == "-"))
    return sites


def _site(given: Motif, start: int, turned: bool) -> Site:
    bits = rel_entr(given.probabilities, UNIFORM).sum(axis=1)
    columns = np.flatnonzero((bits[::-1] if turned else bits) >= bits.max() / 2)
    return Site(start, start + len(bits), tuple(int(start + column) for column in columns), turned)


def _chosen(folder: Path, model: Path, asked: Config, sites_of: Any) -> tuple[list[Record], list[list[Site]], int]:
    """Of held-out positives that the network calls rightly, those with sites: the first of a random order."""
    called = folder / "called.fa"
    asked_of = {"label": 1, "correct": True, "select": str(called), "threads": 1}
    made(folder / "scores.tsv", mx.predict, mx.network(str(model)), str(model / "test.positives.fa"), **asked_of)
    held = ((record, sites_of(record)) for record in read_fasta(str(called)))
    qualified = [(record, sites) for record, sites in held if sites]
    rows = np.random.default_rng(asked["seed"]).permutation(len(qualified))[: asked["anchors"]]
    anchors, sites = zip(*(qualified[row] for row in rows), strict=True)
    return list(anchors), list(sites), len(qualified)
