"""Do draws or attributions point at the sites that a network reads? On simulated sequences, and on CTCF's peaks.

python -m workflows.ctcf.experiment workflows/ctcf/ctcf.toml

Simulated: one motif; two at a fixed spacing, where negatives have them at any; a weak one; one beside a decoy, the same
columns in another order, that negatives have too. Real: peaks with one match of MA0139.1 at p < 1e-5. OUT/results.md is
the page, OUT/metrics.tsv what it is made of. What has been made is not made again.
"""

import csv
import gzip
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.alphabet import Codes, encode
from maxent_cli.data import Floats
from maxent_cli.io.checkpoint import load_model
from maxent_cli.io.provenance import read_provenance
from maxent_cli.io.tables import write_table
from maxent_cli.models.prediction import predict

from ..global_features.steps import run, table
from ..xor.answers import METHODS
from . import metrics
from .page import write_page
from .systems import CASES, System, real, simulated

Config = dict[str, Any]
Row = dict[str, object]

WIDTH = 19  # bp, of the window that is looked for
TETHERS = {"tethered": "auto", "untethered": "none"}


def experiment(config: Config) -> Path:
    """Every system, every method, every metric; gives the page."""
    systems = [simulated(name, config) for name in config.get("cases", CASES)]
    if "peaks" in config:
        systems += [real(architecture, config) for architecture in config["architectures"]]
    out = Path(config["out"])
    write_table(str(out / "metrics.tsv"), [row for system in systems for row in measured(system, config)])
    return write_page(out, config, WIDTH)


def measured(system: System, config: Config) -> Iterator[Row]:
    """A row a method and metric: the mean over anchors with its interval."""
    network, _ = load_model(str(system.model))
    codes = np.stack([encode(record.sequence) for record in system.anchors])

    def value(rows: Codes) -> Floats:
        outputs = predict(network, rows.reshape(-1, rows.shape[-1])).astype(np.float64)
        return (outputs[:, 1] - outputs[:, 0]).reshape(rows.shape[:-1])

    frequencies, times = np.full(4, 0.25), (config["redrawn"], config["redraws"], config["seed"])
    per_anchor: list[Row] = []
    for method, (scores, seconds) in scored(system, config).items():
        found = {
            "share in site": metrics.share_inside(scores, system.sites),
            "window hits": metrics.hits(scores, system.sites, WIDTH),
            "offset, bp": metrics.offsets(scores, system.sites, WIDTH),
            "AUPRC": metrics.precisions(scores, system.sites),
            "output lost": metrics.losses(value, codes, scores, frequencies, times),
        }
        rows = [{"record": one.name, "method": method} for one in system.anchors]
        per_anchor += [row | {name: each[n] for name, each in found.items()} for n, row in enumerate(rows)]
        for name, each in found.items():
            mean = metrics.over_anchors(each)
            where = {"system": system.name, "anchors": len(codes), "method": method, "metric": name}
            yield where | mean.__dict__ | {"seconds": seconds}
    write_table(str(system.folder / "per_anchor.tsv"), per_anchor)


def scored(system: System, config: Config) -> dict[str, tuple[Floats, float]]:
    """Scores of positions (N, L) by each method, and the seconds that an anchor took."""
    folder, options, seed = system.folder, config["options"], config["seed"]
    files, found = (("", folder / "anchors.fa"), ("model", system.model)), {}
    for name, tether in TETHERS.items():
        draws = run(folder / f"{name}.npz", f"sample --tether {tether} {options['sample']} --seed {seed}", *files)
        motifs = run(folder / name, "motifs --logos none --draw-sites --threads 1", ("", draws))
        found[f"draws, {name}"] = _positions(motifs, "information", system), _seconds(system, draws, motifs)
        found[f"sites in draws, {name}"] = site_counts(motifs, system), _seconds(system, draws, motifs)
    for method in METHODS:
        scores = run(folder / method, f"attribute --method {method} {options['attribute']} --seed {seed}", *files)
        found[method] = _positions(scores, "score", system), _seconds(system, scores)
    return found


def _positions(folder: Path, column: str, system: System) -> Floats:
    """A column of positions.tsv as (N, L)."""
    values = [float(row[column]) for row in table(folder / "positions.tsv")]
    return np.array(values).reshape(len(system.anchors), -1)


def site_counts(motifs: Path, system: System) -> Floats:
    """In how many sites of motifs, of all of an anchor's draws, each position lies (N, L)."""
    rows = {record.name: number for number, record in enumerate(system.anchors)}
    counts = np.zeros((len(rows), len(system.anchors[0].sequence)))
    with gzip.open(motifs / "draw_sites.tsv.gz", "rt", newline="") as stream:
        for line in csv.DictReader(stream, delimiter="\t"):
            counts[rows[line["record"]], max(int(line["start"]), 0) : int(line["end"])] += 1
    return counts


def _seconds(system: System, *outputs: Path) -> float:
    """Wall seconds an anchor, of the commands that made the outputs."""
    made = [read_provenance(str(output)) or {} for output in outputs]
    return sum(one["wall_seconds"] for one in made) / len(system.anchors)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as asked:
        print(experiment(tomllib.load(asked)).read_text())
