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
from maxent_cli.io.tables import write_table
from maxent_cli.models.prediction import predict

from ..global_features.steps import run, seconds, table
from ..xor.answers import METHODS
from . import metrics
from .page import write_page
from .systems import CASES, System, real, simulated

Config = dict[str, Any]
Row = dict[str, object]

WIDTH = 19  # bp, of the window that is looked for
METRICS = {  # -1: less is better
    "share in site": 1,
    "window hits": 1,
    "offset, bp": -1,
    "AUPRC": 1,
    "AUPRC of columns": 1,
    "output lost": 1,
}
TETHERS = {"tethered": "auto", "untethered": "none"}


def experiment(config: Config) -> Path:
    """Every system, every method, every metric; gives the page."""
    systems = [simulated(name, config) for name in config.get("cases", CASES)]
    systems += [real(architecture, config) for architecture in config.get("real", ())]
    out = Path(config["out"])
    rows = [row for system in systems for row in measured(system, config)]
    write_table(str(out / "metrics.tsv"), rows)
    return write_page(out, config, WIDTH)


def measured(system: System, config: Config) -> Iterator[Row]:
    """A row a method and metric: the mean over anchors with its interval, and how far it is from the best attribution.

    Of the difference the interval is that of anchors' differences.
    """
    scores, cost = scored(system, config)
    found = {method: _values(system, each, config) for method, each in scores.items()}
    records = [record.name for record in system.anchors]
    write_table(str(system.folder / "per_anchor.tsv"), _by_anchor(records, found))
    for name in METRICS:
        best = max(METHODS, key=lambda method, name=name: METRICS[name] * found[method][name].mean())
        for method, values in found.items():
            whole, against = (metrics.over_anchors(each) for each in (values[name], values[name] - found[best][name]))
            where = {"system": system.name, "anchors": len(records), "qualified": system.qualified}
            difference = {f"{key}_against": value for key, value in against.__dict__.items()}
            what = {
                "method": method,
                "metric": name,
                **whole.__dict__,
                "best": best,
                "better": METRICS[name],
                **difference,
            }
            yield where | what | {"cpu_seconds": cost[method]}


def _values(system: System, scores: Floats, config: Config) -> dict[str, Floats]:
    """Each metric (N,) of scores (N, L)."""
    network, card = load_model(str(system.model))
    codes = np.stack([encode(record.sequence) for record in system.anchors])

    def value(rows: Codes) -> Floats:
        outputs = predict(network, rows.reshape(-1, rows.shape[-1])).astype(np.float64)
        return (outputs[:, 1] - outputs[:, 0]).reshape(rows.shape[:-1])

    times = (config["redrawn"], config["redraws"], config["seed"])
    found = (
        metrics.share_inside(scores, system.windows),
        metrics.hits(scores, system.windows, WIDTH),
        metrics.offsets(scores, system.windows, WIDTH),
        metrics.precisions(scores, system.windows),
        metrics.precisions(scores, system.columns),
        metrics.losses(value, codes, scores, np.array(card.background), times),
    )
    return dict(zip(METRICS, found, strict=True))


def _by_anchor(records: list[str], found: dict[str, dict[str, Floats]]) -> list[Row]:
    return [
        {"record": record, "method": method} | {name: each[number] for name, each in values.items()}
        for method, values in found.items()
        for number, record in enumerate(records)
    ]


def scored(system: System, config: Config) -> tuple[dict[str, Floats], dict[str, float]]:
    """Scores of positions (N, L) by each method, and the CPU seconds that an anchor took."""
    batches = [_scored_batch(batch, config) for batch in system.batches(config["batch"])]
    scores = {method: np.concatenate([batch[method][0] for batch in batches]) for method in batches[0]}
    return scores, {method: sum(batch[method][1] for batch in batches) / len(system.anchors) for method in scores}


def _scored_batch(system: System, config: Config) -> dict[str, tuple[Floats, float]]:
    """Scores (n, L) of a batch by each method, and the CPU seconds that they took."""
    folder, options, seed = system.folder, config["options"], config["seed"]
    files, found = (("", folder / "anchors.fa"), ("model", system.model)), {}
    for name, tether in TETHERS.items():
        draws = run(folder / f"{name}.npz", f"sample --tether {tether} {options['sample']} --seed {seed}", *files)
        motifs = run(folder / name, "motifs --logos none --draw-sites --threads 1", ("", draws))
        found[f"draws, {name}"] = _positions(motifs, "information", system), seconds(draws, motifs)
        found[f"sites in draws, {name}"] = site_counts(motifs, system), seconds(draws, motifs)
    for method in METHODS:
        scores = run(folder / method, f"attribute --method {method} {options['attribute']} --seed {seed}", *files)
        found[method] = _positions(scores, "score", system), seconds(scores)
    found["mutagenesis, without sign"] = np.abs(found["mutagenesis"][0]), found["mutagenesis"][1]
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


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as asked:
        print(experiment(tomllib.load(asked)).read_text())
