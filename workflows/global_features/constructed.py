"""Does the probe name what a network was made to hold, and nothing else?

python workflows/global_features/constructed.py OUT [--quick]

Networks whose weights are given (by_hand.py): a count each, or a motif. Networks that are trained: composition, whose
labels say whether a sequence has more G and C than the median; motif: positives have GCCGCGCCGG somewhere, on either
strand, negatives the same letters in random order, so that only the order tells; both: labels are the sum of the two;
shuffled: composition's sequences with labels at random. Sequences differ in GC; anchors are of both labels, at random
among those called rightly (shuffled: among all). The probe must name G and C, none, G and C; of shuffled nobody
knows. OUT/results.tsv and results.md have a row a network and seed.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import by_hand
import numpy as np
from steps import Row, at_random, auroc, called_rightly, made, probe_row, write_results

import maxent_cli as mx
from maxent_cli.alphabet import Codes, decode, encode, is_gc, reverse_complement
from maxent_cli.io import write_fasta

UNKNOWN = "unknown"
EXPECTED = {"composition": "G and C", "motif": "none", "both": "G and C", "shuffled": UNKNOWN}
MOTIF = encode(by_hand.MOTIF)
SPREAD = 12  # of the beta distribution of a sequence's GC: a standard deviation of 0.1


SAMPLING = mx.Sampling(replicas=3, warmup=480, draws=60, thin=30, max_steps=1800)


@dataclass(frozen=True)
class Size:
    """Sequences, their bp, anchors, training seeds (none that a setting was chosen by); how to train and to probe."""

    count: int = 5000
    length: int = 60
    anchors: int = 40
    seeds: tuple[int, ...] = (91, 92, 93, 94, 95)
    epochs: int = 8
    sampling: mx.Sampling = SAMPLING


QUICK = Size(1500, 40, 12, (1,), 6, mx.Sampling(replicas=3, warmup=480, draws=40, thin=20, max_steps=800))


def experiment(out: Path, size: Size, cases: tuple[str, ...] = tuple(EXPECTED)) -> Iterator[Row]:
    """Train and probe all networks; a row each."""
    for seed in size.seeds:
        for case in cases:
            yield _probe(out / f"{case}_{seed}", case, size, seed)


def given(out: Path, size: Size, networks: tuple[str, ...] = tuple(by_hand.NETWORKS)) -> Iterator[Row]:
    """Probe the networks whose weights are given; a row each."""
    for held in networks:
        folder, seed = out / f"given_{held.replace(' ', '_').replace(',', '')}", size.seeds[0]
        folder.mkdir(parents=True, exist_ok=True)
        anchors = _write(folder / "anchors.fa", by_hand.anchors(held, size.anchors, size.length, seed))
        asked = mx.network(by_hand.NETWORKS[held](size.length)), str(anchors), mx.Law(tether=None, gc=0.5)
        sampling = replace(size.sampling, seed=seed)
        probed = made(folder / "gc", mx.gc_probe, *asked, sampling, probe=mx.Probe(mu=(0, 0.5)), threads=1)
        yield _row("given", seed, float("nan"), held, probed)


def _row(network: str, seed: int, area: float, expected: str, probed: Path) -> Row:
    found = probe_row(probed)
    known = {"network": network, "seed": seed, "auroc": area, "expected": expected}
    return known | {"right": None if expected == UNKNOWN else found["held"] == expected} | found


def _probe(folder: Path, case: str, size: Size, seed: int) -> Row:
    folder.mkdir(parents=True, exist_ok=True)
    positives, negatives = labelled(case, size, seed)
    paths = [_write(folder / f"{name}.fa", rows) for name, rows in (("positives", positives), ("negatives", negatives))]
    data = mx.TrainingData(*map(str, paths))
    training = mx.Training("nucleosome", epochs=size.epochs, seed=seed)
    model = made(folder / "model", mx.train, data, training=training, threads=1)
    if case == "shuffled":  # which calls nothing rightly
        held_out = {name: model / f"test.{name}.fa" for name in ("negatives", "positives")}
        anchors = at_random(folder, held_out, size.anchors // 2, seed)
    else:
        anchors = called_rightly(folder, model, size.anchors // 2, seed)
    asked, sampling = (mx.network(str(model)), str(anchors)), replace(size.sampling, seed=seed)
    probed = made(folder / "gc", mx.gc_probe, *asked, sampling=sampling, probe=mx.Probe(mu=(0, 0.5)), threads=1)
    return _row(case, seed, float(auroc(model)["value"]), EXPECTED[case], probed)


def labelled(case: str, size: Size, seed: int) -> tuple[Codes, Codes]:
    """Positives and negatives (N, L) of a case."""
    chance = np.random.default_rng(seed)
    gc = chance.beta(SPREAD, SPREAD, size.count)
    uniform = chance.random((size.count, size.length))
    edges = np.stack([(1 - gc) / 2, np.full_like(gc, 0.5), (1 + gc) / 2], axis=1)
    codes = (uniform[..., None] >= edges[:, None]).sum(axis=-1).astype(np.uint8)
    holds = chance.random(size.count) < 0.5
    if case in ("motif", "both"):
        for row, whole in zip(codes, holds, strict=True):
            _plant(row, bool(whole), chance)
    number = is_gc(codes).sum(axis=1)
    high = (number - np.median(number)) / number.std()
    told = 2.0 * holds - 1
    score = {"composition": high, "motif": told, "both": high + told, "shuffled": told}[case]
    return codes[score > 0], codes[score < 0]


def _plant(row: Codes, whole: bool, chance: np.random.Generator) -> None:
    """Write the motif into a row (L,), or its letters in random order, anywhere and on either strand."""
    start = chance.integers(len(row) - len(MOTIF) + 1)
    letters = MOTIF if whole else chance.permutation(MOTIF)
    row[start : start + len(MOTIF)] = reverse_complement(letters) if chance.random() < 0.5 else letters


def _write(path: Path, rows: Codes) -> Path:
    write_fasta(str(path), [f"s{number}" for number in range(len(rows))], map(decode, rows))
    return path


if __name__ == "__main__":
    place, size = Path(sys.argv[1]), QUICK if "--quick" in sys.argv[2:] else Size()
    rows = write_results(
        place, "Networks made to hold a count, a motif, or both", chain(given(place, size), experiment(place, size))
    )
    known = [bool(row["right"]) for row in rows if row["right"] is not None]
    print(f"{sum(known)} of {len(known)} answers right; see {place}/results.tsv")
