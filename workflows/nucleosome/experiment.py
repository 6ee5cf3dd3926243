"""What do networks of nucleosomes hold: the 10 bp of A and T, GC content, or both? Draws beside attributions.

python -m workflows.nucleosome.experiment workflows/nucleosome/nucleosome.toml

Networks are trained on dyads of a BED file with scores and their genome, as the configuration says.
Around confident dyads of held-out chromosomes sequences are drawn, by the network and by one with fresh weights at the
beta at which it keeps as much energy; five methods attribute the network's output at the same anchors. Of all, the
spectrum of A and T is taken. The GC probe comes last. OUT/results.md is the page; its figure comes from the tables
beside it. What has been made is not made again.
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import maxent_cli as mx
from maxent_cli.analysis import ANCHOR, BACKGROUND, DRAWS
from maxent_cli.io import read_intervals, write_bed, write_table

from ..global_features.steps import (
    Row,
    auroc,
    called_rightly,
    made,
    probe_row,
    request,
    save_untrained,
    seconds,
    surest,
    table,
)
from ..xor.answers import METHODS
from .page import write_page
from .spectra import Powers, of_draws, of_scores, peaks, spectrum_rows, summary

Config = dict[str, Any]

UNTRAINED = "draws, untrained network"
ALL = "all"  # seeds
UNTETHERED = mx.Law(tether=None)


@dataclass(frozen=True)
class Network:
    """One training: the network's name and seed, where its files are, the model and its surest held-out positives."""

    name: str
    seed: int
    folder: Path
    model: Path
    anchors: Path

    @property
    def known(self) -> Row:
        """What its rows begin with."""
        return {"network": self.name, "seed": self.seed}


@dataclass(frozen=True)
class Found:
    """Spectra of a network's anchors by track, the CPU seconds an anchor that they took, and what chance gives."""

    network: Network
    records: list[str]
    powers: Powers
    seconds: dict[str, float]
    chance: float


def experiment(config: Config) -> Path:
    """Train, draw, attribute and compare; then probe for GC. Gives the page."""
    out = Path(config["out"])
    networks = list(trained(out, config))
    found = [compared(network, config) for network in networks]
    together = [[one for one in found if one.network.name == name] for name in config["networks"]]
    groups = [(ALL, some) for some in together] + [(one.network.seed, [one]) for one in found]
    tables = {
        "networks": [network.known | _settled(network) for network in networks],
        "peaks": [one.network.known | row for one in found for row in peaks(one.records, one.powers)],
        "summary": [row for seed, some in groups for row in _summary(some, seed)],
        "spectra": [row for some in together for row in _spectra(some)],
    }
    for name, rows in tables.items():
        write_table(str(out / f"{name}.tsv"), rows)
    page, probed = write_page(out), list[Row]()
    for network in networks if "probe" in config else ():
        probed.append(network.known | _probed(network, config))
        write_table(str(out / "gc.tsv"), probed)
        write_page(out)
    return page


def trained(out: Path, config: Config) -> Iterator[Network]:
    """Every network with every seed."""
    out.mkdir(parents=True, exist_ok=True)
    dyads = out / "dyads.bed"
    rows = read_intervals(config["dyads"])
    write_bed(str(dyads), (row for row in rows if row.interval.chromosome not in config["drop"]))
    split = request(mx.Split, config["split"])
    for number, (name, chosen) in enumerate(config["networks"].items(), 1):
        data = request(mx.TrainingData, config["data"], chosen, positives=str(dyads), genome=config["genome"])
        for seed in config["seeds"]:
            folder = out / f"network_{number}" / f"seed_{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            training = request(mx.Training, config["training"], seed=seed)
            model = made(folder / "model", mx.train, data, split, training, threads=1)
            yield Network(name, seed, folder, model, surest(folder, model, config["anchors"]))


def compared(network: Network, config: Config) -> Found:
    """Draw and attribute around a network's anchors, and take the spectra."""
    folder, seed, around = network.folder, network.seed, str(network.anchors)
    models = {"trained": network.model, "untrained": save_untrained(network.model, folder / "untrained", seed)}
    nets = {name: mx.network(str(model)) for name, model in models.items()}
    runs = {name: request(mx.Sampling, config["sampling"], config.get(name, {}), seed=seed) for name in nets}
    draws = {
        name: made(folder / f"{name}.npz", mx.sample, net, around, UNTETHERED, runs[name], threads=1)
        for name, net in nets.items()
    }
    powers, records, chance = of_draws(draws["trained"], seed)
    fresh, _, _ = of_draws(draws["untrained"], seed)
    found = {DRAWS: powers[DRAWS], UNTRAINED: fresh[DRAWS], ANCHOR: powers[ANCHOR], BACKGROUND: powers[BACKGROUND]}
    cost = {DRAWS: seconds(draws["trained"]) / len(records), UNTRAINED: seconds(draws["untrained"]) / len(records)}
    asked = {"logos": "none", "seed": seed, "threads": 1}
    for method in METHODS:
        scores = made(folder / method, mx.attribute, nets["trained"], around, method, **asked)
        for track, power in of_scores(scores, len(records)).items():
            found[f"{method}: {track}"] = power
            cost[f"{method}: {track}"] = seconds(scores) / len(records)
    return Found(network, records, found, cost, chance)


def _summary(some: list[Found], seed: int | str) -> Iterator[Row]:
    """A row a track over the anchors of one training, or of all of a network."""
    first = some[0]
    known = {"network": first.network.name, "seed": seed, "chance": np.mean([one.chance for one in some])}
    for track in first.powers:
        cost = np.mean([one.seconds.get(track, np.nan) for one in some])
        yield known | summary(track, _stacked(some, track)) | {"cpu_seconds": cost}


def _spectra(some: list[Found]) -> Iterator[Row]:
    """The mean spectra of all of a network's anchors."""
    for track in some[0].powers:
        for row in spectrum_rows(track, _stacked(some, track)):
            yield {"network": some[0].network.name} | row


def _stacked(some: list[Found], track: str) -> np.ndarray:
    return np.concatenate([one.powers[track] for one in some])


def _settled(network: Network) -> Row:
    """How well a network was trained, and how well its chains agree: medians over anchors."""
    measured = auroc(network.model)
    row: Row = {"auroc": measured["value"], "auroc_low": measured["lower"], "auroc_high": measured["upper"]}
    drawn = table(network.folder / "trained.npz.tsv")
    row |= {name: median(float(one[name]) for one in drawn) for name in ("rhat", "ess")}
    row["converged"] = f"{sum(one['converged'] == 'yes' for one in drawn)} of {len(drawn)}"
    return row | {"training_seconds": seconds(network.model)}


def _probed(network: Network, config: Config) -> Row:
    anchors = called_rightly(network.folder, network.model, config["probed"] // 2, network.seed)
    sampling, probe = request(mx.Sampling, config["probing"], seed=network.seed), request(mx.Probe, config["probe"])
    asked = (mx.network(str(network.model)), str(anchors), UNTETHERED, sampling)
    return probe_row(made(network.folder / "gc", mx.gc_probe, *asked, probe=probe, threads=1))


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as asked:
        print(experiment(tomllib.load(asked)).read_text())
