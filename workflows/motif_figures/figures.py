"""Does `maxent motifs` find what was planted, and nothing where nothing is? Three figures on simulated data.

python -m workflows.motif_figures.figures OUT [--quick]

pooled: a network with global max pooling, and one that shares weights between strands; the law is not tethered.
spaced: two motifs planted independently, and in a second set at a fixed spacing; the network of `maxent train`.
shuffled: networks trained on labels at random, beside networks that were not trained.

OUT/results.tsv and results.md have a row a finding, with what was wanted; --quick is a smaller version of all.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest
from torch import nn

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis import FACING, Match, best_match
from maxent_cli.data import Motif
from maxent_cli.io import read_meme, write_fasta, write_meme, write_table

from ..global_features.steps import Row, cpu_seconds, machine, table
from . import pooled_networks

PLANTED = {"left": "TTACCACAGGA", "right": "AAGTCGAGCAT"}  # unlike each other and themselves, on either strand
SHARPNESS = 0.9
DECOYS = 60  # known motifs that are planted nowhere
SPACING = 10  # bp, a turn of the helix
LEAST_SITES = 20
POOLED = ("MaxPooled", "BothStrands")
TETHERED, UNTETHERED = mx.Law(gc=0.5), mx.Law(gc=0.5, tether=None)
CONTROL = mx.Sampling(warmup=1000, max_steps=2000)  # of untrained networks, which need not converge

Site = tuple[int, int, str]  # start, end, strand


@dataclass(frozen=True)
class Size:
    """Sequences, their bp, passes over them, anchors (two motifs: pairs), seeds; pooled networks' steps."""

    count: int = 4000
    length: int = 60
    epochs: int = 15
    anchors: int = 8
    pairs: int = 20
    seeds: int = 5
    steps: int = 600


QUICK = Size(count=3000, anchors=2, seeds=1, steps=400)  # all pairs: they are counted


def planted_motif(name: str) -> Motif:
    """A planted motif as counts of 100 sites."""
    letters = np.eye(4)[encode(PLANTED[name])]
    return Motif(name, 100 * (SHARPNESS * letters + (1 - SHARPNESS) / 4), 100)


def write_known(path: Path) -> str:
    """The planted motifs among decoys, as a MEME file."""
    rng = np.random.default_rng(0)
    decoys = [Motif(f"decoy{n}", 100 * rng.dirichlet(np.full(4, 0.15), 11), 100) for n in range(DECOYS)]
    write_meme(str(path), [*(planted_motif(name) for name in PLANTED), *decoys], np.full(4, 0.25))
    return str(path)


def read_off(
    folder: Path, net: mx.Network, law: mx.Law, name: str = "motifs", sampling: mx.Sampling | None = None
) -> Path:
    """Draws around folder/anchors.fa and their motifs; gives the motifs' folder, which is folder/name."""
    motifs, known = folder / name, write_known(folder / "known.meme")
    draws = mx.sample(net, str(folder / "anchors.fa"), law, sampling, out=f"{motifs}.npz", threads=1)
    mx.motifs(draws, known=known, logos="none", out=str(motifs), threads=1)
    return motifs


def closest(motifs: Path, name: str) -> tuple[str, Match] | None:
    """The motif found that is most like a planted one, and how the planted one lies on it; None if none was found."""
    truth = planted_motif(name)
    found = [(motif.name, best_match(truth, motif)) for motif in read_meme(str(motifs / "motifs.meme"))]
    return max(found, key=lambda pair: pair[1].similarity, default=None)


def similarity(motifs: Path, name: str) -> float:
    """How like a planted motif the closest found one is; 0 if none was found."""
    found = closest(motifs, name)
    return found[1].similarity if found else 0.0


def pooled(folder: Path, size: Size) -> Iterator[Row]:
    """Untethered draws give the planted motif while no position holds anything."""
    for number, kind in enumerate(POOLED):
        place = folder / kind
        place.mkdir(parents=True)
        trained = getattr(pooled_networks, kind)()
        right = _train_pooled(place, trained, size, number)
        net = mx.network(trained)
        motifs = read_off(place, net, UNTETHERED)
        in_place = max(float(row["information"]) for row in table(motifs / "positions.tsv"))
        held = [float(row["occupancy"]) for row in table(motifs / "occupancy.tsv") if row["present"] == "yes"]
        yield row(f"{kind}: share of fresh sequences called rightly", right, "0.9 or more", right >= 0.9)
        alike = similarity(motifs, "left")
        yield row(f"{kind}: correlation of motif_1 with the planted one", alike, "0.9 or more", alike >= 0.9)
        share = float(np.mean(held)) if held else 0.0
        yield row(f"{kind}: share of draws with a motif, over anchors", share, "0.5 or more", share >= 0.5)
        yield row(f"{kind}: bits of the best position of any anchor", in_place, "below 0.1", in_place < 0.1)


def row(what: str, found: float | str, wanted: str, met: bool) -> Row:
    """A finding."""
    return {"what": what, "found": found, "wanted": wanted, "met": "yes" if met else "no"}


def _train_pooled(folder: Path, network: nn.Module, size: Size, seed: int) -> float:
    """Train on batches that half hold the motif; write anchors; give the share called rightly."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng, optimizer = np.random.default_rng(seed), torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(size.steps):
        codes, labels = _labelled(128, size.length, rng)
        loss = nn.functional.cross_entropy(_outputs(network, codes), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    codes, labels = _labelled(2000, size.length, rng)
    with torch.no_grad():
        margin = _outputs(network, codes).diff(dim=1)[:, 0].numpy()
    chosen = np.flatnonzero(labels)[np.argsort(-margin[labels == 1])[: size.anchors]]
    (folder / "anchors.fa").write_text("".join(f">a{n}\n{decode(codes[n])}\n" for n in chosen))
    return float(((margin > 0) == labels).mean())


def _labelled(count: int, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random sequences (count, L), every second one with the motif anywhere on either strand, and their classes."""
    codes, labels = rng.integers(0, 4, (count, length)).astype(np.uint8), np.arange(count) % 2
    edges = np.cumsum(planted_motif("left").probabilities, axis=1)[:, :3]
    for number in np.flatnonzero(labels):
        site = (rng.random((len(edges), 1)) > edges).sum(axis=1)
        start = rng.integers(0, length - len(site) + 1)
        codes[number, start : start + len(site)] = 3 - site[::-1] if rng.integers(2) else site
    return codes, labels


def _outputs(network: nn.Module, codes: np.ndarray) -> torch.Tensor:
    one_hot = np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1)
    outputs: torch.Tensor = network(torch.from_numpy(one_hot))
    return outputs


def spaced(folder: Path, size: Size) -> Iterator[Row]:
    """Two motifs, planted independently, or so that the network needs both, or at a fixed distance.

    Where either motif is enough a network may let go of the other in some sequences, and where both are needed it may
    read how far apart they are: so distances are asked of the one network, sites of the other. Distances are of
    untethered draws: a tether holds both motifs of an anchor where they are, and so apart.
    """
    plants = {
        "apart": (mx.Plant("left", 0.8), mx.Plant("right", 0.8)),
        "needed": (mx.Plant("left"), mx.Plant("right")),
        "spaced": (mx.Plant(("left", "right"), 0.9, spacing=SPACING),),
    }
    for kind, plant in plants.items():
        place = folder / kind
        place.mkdir(parents=True)
        _simulate(place, "positives", plant, size)
        net = _trained(place, str(_lone(place, size)) if kind == "needed" else None, size)
        if kind != "needed":
            anywhere = read_off(place, net, UNTETHERED, "anywhere")
            yield from _both(kind, anywhere)
            yield _distance(kind, anywhere)
        if kind != "apart":
            yield from _sites(kind, place, read_off(place, net, TETHERED, "in_place"))


def _simulate(place: Path, name: str, plants: tuple[mx.Plant, ...], size: Size, seed: int = 1) -> dict[str, str]:
    """Sequences with motifs as place/name.fa, and place/name.bed of where; gives the sequences by name."""
    files = {"motifs": write_known(place / "known.meme"), "out": f"{place}/{name}.fa", "truth": f"{place}/{name}.bed"}
    return mx.simulate(size.count, size.length, plants, seed=seed, **files).sequences


def _lone(place: Path, size: Size) -> Path:
    """A FASTA of sequences with one of the motifs each."""
    half, path, alone = replace(size, count=size.count // 2), place / "negatives.fa", dict[str, str]()
    for seed, name in enumerate(PLANTED, 2):
        found = _simulate(place, name, (mx.Plant(name),), half, seed)
        alone |= {f"{name}_{record}": sequence for record, sequence in found.items()}
    write_fasta(str(path), alone.keys(), alone.values())
    return path


def _trained(place: Path, negatives: str | None, size: Size) -> mx.Network:
    """Train the default network, and choose anchors among held-out positives; gives the network."""
    data, training = mx.TrainingData(f"{place}/positives.fa", negatives), mx.Training(epochs=size.epochs)
    net = mx.train(data, training=training, out=f"{place}/model", threads=1).network
    files = {"out": f"{place}/scores.tsv", "select": f"{place}/anchors.fa"}
    mx.predict(net, f"{place}/model/test.positives.fa", label=1, correct=True, top=size.pairs, threads=1, **files)
    return net


def _both(kind: str, motifs: Path) -> Iterator[Row]:
    for name in PLANTED:
        alike = similarity(motifs, name)
        yield row(f"{kind}: correlation with '{name}'", alike, "0.9 or more", alike >= 0.9)
    count = len(_held(motifs))
    yield row(f"{kind}: motifs in all", count, "2", count == 2)


def _sites(kind: str, place: Path, motifs: Path) -> Iterator[Row]:
    """Where an anchor's draws have a motif, against where it was planted; strong: at or above its sites' median."""
    lines = [line.split("\t") for line in (place / "positives.bed").read_text().splitlines()]
    planted = {(name, motif): (int(start), int(end), strand) for name, start, end, motif, _, strand in lines}
    medians = {name: np.median([float(line[4]) for line in lines if line[3] == name]) for name in PLANTED}
    anchors = {line[1:] for line in (place / "anchors.fa").read_text().splitlines() if line.startswith(">")}
    strong = {(line[0], line[3]) for line in lines if line[0] in anchors and float(line[4]) >= medians[line[3]]}
    called = dict(_called(motifs))
    right = {key for key, site in called.items() if key in planted and _same(site, planted[key])}
    yield _counted(f"{kind}: precision of {len(called)} sites", len(right), len(called))
    yield _counted(f"{kind}: recall of {len(strong)} strong sites", len(right & strong), len(strong))


def _counted(what: str, right: int, sites: int) -> Row:
    """A share of sites with its 95 % interval (Wilson); of fewer than 20, one that is missed would decide."""
    share, wanted = right / max(sites, 1), f"0.95 or more, of {LEAST_SITES} sites or more"
    ends = binomtest(right, max(sites, 1)).proportion_ci(method="wilson")
    return row(what, f"{share:.3g} ({ends.low:.2g} to {ends.high:.2g})", wanted, share >= 0.95 and sites >= LEAST_SITES)


def _called(motifs: Path) -> Iterator[tuple[tuple[str, str], Site]]:
    """For each anchor and planted motif that its draws have, the place where most do."""
    for name in PLANTED:
        found = closest(motifs, name)
        for row in table(motifs / "occupancy.tsv"):
            if found and row["motif"] == found[0] and row["present"] == "yes":
                turned = found[1].strand == "-"
                strand = "+-"[(row["best_strand"] == "-") != turned]
                yield (row["record"], name), (int(row["best_start"]), int(row["best_end"]), strand)


def _same(site: Site, planted: Site) -> bool:
    """Whether two sites share half of the planted one, on one strand."""
    shared = min(site[1], planted[1]) - max(site[0], planted[0])
    return site[2] == planted[2] and 2 * shared >= planted[1] - planted[0]


def _distance(kind: str, motifs: Path) -> Row:
    """Distances between the two motifs that draws prefer, between the ends that were planted and as found."""
    told = [line for line in table(motifs / "spacing.tsv") if line["motif_a"] != line["motif_b"] and _low(line["q"])]
    more, wanted = _planted_within(motifs), [SPACING] if kind == "spaced" else []
    ends = [[(line[f"motif_{motif}"], end) for motif, end in FACING[line["arrangement"]]] for line in told]
    planted = [int(line["distance"]) + sum(more[m][end] for m, end in of) for line, of in zip(told, ends, strict=True)]
    found = [
        f"{bp} bp (found: {line['distance']}, {line['arrangement']})" for bp, line in zip(planted, told, strict=True)
    ]
    what = f"{kind}: distances between the two preferred (q < 0.05)"
    return row(what, ", ".join(found) or "none", f"{SPACING} bp" if wanted else "none", planted == wanted)


def _planted_within(motifs: Path) -> dict[str, tuple[int, int]]:
    """Of each motif found, the columns that it has before the planted one and after it."""
    widths = {line["motif"]: int(line["width"]) for line in table(motifs / "motifs.tsv")}
    pairs = ((name, found) for name in PLANTED if (found := closest(motifs, name)))
    return {found: (lies.offset, widths[found] - lies.offset - len(PLANTED[name])) for name, (found, lies) in pairs}


def _held(motifs: Path) -> list[dict[str, str]]:
    """The motifs that draws hold, and not those that they avoid."""
    return [line for line in table(motifs / "motifs.tsv") if line["kind"] == "held"]


def _low(q: str) -> bool:
    return float(q) < 0.05


def shuffled(folder: Path, size: Size) -> Iterator[Row]:
    """Nothing is known to networks that had nothing to learn."""
    named, motifs_found = {"shuffled": 0, "untrained": 0}, {"shuffled": 0, "untrained": 0}
    told = anchors = 0
    for seed in range(1, size.seeds + 1):
        place = folder / f"seed_{seed}"
        place.mkdir(parents=True)
        aurocs = _train_on_nothing(place, seed, size)
        untrained = mx.network(pooled_networks.untrained(seed, size.length))
        for kind, net in {"shuffled": mx.network(f"{place}/model"), "untrained": untrained}.items():
            motifs = read_off(place, net, TETHERED, kind, CONTROL if kind == "untrained" else None)
            motifs_found[kind] += len(_held(motifs))
            named[kind] += sum(_low(line["q_1"]) for line in _held(motifs))
            if kind == "shuffled":
                summary = table(place / f"{kind}.npz.tsv")
                told, anchors = (
                    told + sum(line["distinguishable"] == "yes" for line in summary),
                    anchors + len(summary),
                )
        yield row(f"shuffled, seed {seed}: test AUROC", aurocs, "about 0.5", abs(aurocs - 0.5) < 0.1)
    beyond = binomtest(told, anchors, 0.05, alternative="greater").pvalue < 0.05
    yield row(f"shuffled: of {anchors} anchors told from background", told, "5 %, or no more by chance", not beyond)
    counts = {kind: f"{named[kind]} of {motifs_found[kind]} motifs found" for kind in named}
    few = named["shuffled"] <= named["untrained"]
    what = "shuffled: motifs with a known name at q < 0.05"
    yield row(what, counts["shuffled"], f"no more than untrained: {counts['untrained']}", few)


def _train_on_nothing(place: Path, seed: int, size: Size) -> float:
    """Sequences with motifs, labelled at random; anchors are held-out positives. Gives the AUROC."""
    known = write_known(place / "known.meme")
    plants = (mx.Plant("left", 0.5), mx.Plant("right", 0.5))
    found = mx.simulate(size.count, size.length, plants, motifs=known, seed=seed)
    labels = np.random.default_rng(seed).integers(0, 2, size.count)
    lines = [f"{sequence}\t{label}\n" for sequence, label in zip(found.sequences.values(), labels, strict=True)]
    (place / "all.tsv").write_text("sequence\tlabel\n" + "".join(lines))
    training = mx.Training(epochs=size.epochs, seed=seed)
    mx.train(mx.TrainingData(table=f"{place}/all.tsv"), training=training, out=f"{place}/model", threads=1)
    held = (place / "model" / "test.positives.fa").read_text().splitlines()[: 2 * size.anchors]
    (place / "anchors.fa").write_text("\n".join(held) + "\n")
    return next(
        float(line["value"])
        for line in table(place / "model" / "metrics.tsv")
        if (line["part"], line["metric"]) == ("test", "AUROC")
    )


def page(out: Path, rows: list[Row], size: Size) -> str:
    """The rows in Markdown, with the machine and the date."""
    drawn = next(out.rglob("*.npz"))
    head = [
        "# Motifs where they were planted, and none where none were",
        "",
        f"`python -m workflows.motif_figures.figures OUT{' --quick' * (size == QUICK)}`, {datetime.now(UTC):%Y-%m-%d}; "
        f"{machine(drawn)};",
        f"{cpu_seconds():.0f} CPU seconds. {size}.",
        "",
        "| what | found | wanted | met |",
        "|---|---|---|---|",
    ]
    body = [f"| {each['what']} | {_shown(each['found'])} | {each['wanted']} | {each['met']} |" for each in rows]
    return "\n".join([*head, *body, ""])


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else f"{value}".replace("<", "&lt;")


FIGURES = (pooled, spaced, shuffled)


def main() -> None:
    """All figures, and their page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder that is made")
    parser.add_argument("--quick", action="store_true", help="fewer sequences, anchors and seeds")
    given = parser.parse_args()
    size = QUICK if given.quick else Size()
    given.out.mkdir(parents=True)
    rows = [row for figure in FIGURES for row in figure(given.out / figure.__name__, size)]
    write_table(str(given.out / "results.tsv"), rows)
    text = page(given.out, rows, size)
    (given.out / "results.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
