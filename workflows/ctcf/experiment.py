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

import maxent_cli as mx
from maxent_cli.alphabet import Codes, encode
from maxent_cli.data import Floats
from maxent_cli.io import load_model, write_table
from maxent_cli.models import predict

from ..global_features.steps import made, request, seconds, table
from ..xor.answers import METHODS
from . import metrics
from .page import DRAWS, write_page
from .systems import CASES, System, real, simulated

Config = dict[str, Any]
Row = dict[str, object]

WIDTH = 19  # bp, of the window that is looked for
AROUND = 10  # bp on either side of a site that the figure shows
METRICS = {
    "share in site": 1,
    "window hits": 1,
    "offset, bp": -1,
    "AUPRC": 1,
    "AUPRC of columns": 1,
}  # -1: less is better
LAWS = {"tethered": mx.Law(), "untethered": mx.Law(tether=None)}


def experiment(config: Config) -> Path:
    """Every system, every method, every metric; gives the page."""
    systems = [real(architecture, config) for architecture in config.get("real", ())]
    systems += [simulated(name, config) for name in config.get("cases", CASES)]
    out = Path(config["out"])
    write_table(str(out / "metrics.tsv"), [row for system in systems for row in measured(system, config)])
    write_table(str(out / "misses.tsv"), [row for system in systems for row in missed(system, config)])
    write_table(str(out / "aligned.tsv"), [row for system in systems for row in aligned(system, config)])
    return write_page(out, config, WIDTH)


def measured(system: System, config: Config) -> Iterator[Row]:
    """A row a method and metric: the mean over anchors with its interval, how far it is from the best attribution, and
    how far tethered draws are from it. Of differences the intervals are those of anchors' differences.
    """
    scores, cost = scored(system, config)
    found = {method: _values(system, each, config) for method, each in scores.items()}
    records = [record.name for record in system.anchors]
    write_table(str(system.folder / "per_anchor.tsv"), _by_anchor(records, found))
    for name, better in _metrics(config).items():
        best = max(METHODS, key=lambda method, name=name, better=better: better * found[method][name].mean())
        for method, values in found.items():
            pairs = (values[name] - found[best][name], found[DRAWS][name] - values[name])
            whole, against, drawn = map(metrics.over_anchors, (values[name], *pairs))
            where = {"system": system.name, "anchors": len(records), "qualified": system.qualified}
            difference = {f"{key}_against": value for key, value in against.__dict__.items()}
            difference |= {f"{key}_drawn": value for key, value in drawn.__dict__.items()}
            what = {
                "method": method,
                "metric": name,
                **whole.__dict__,
                "best": best,
                "better": better,
                **difference,
            }
            yield where | what | {"cpu_seconds": cost[method]}


def _values(system: System, scores: Floats, config: Config) -> dict[str, Floats]:
    """Each metric (N,) of scores (N, L)."""
    value, codes, background = _network_of(system)
    times = (config["redraws"], config["seed"])
    found = (
        metrics.share_inside(scores, system.windows),
        metrics.hits(scores, system.windows, WIDTH),
        metrics.offsets(scores, system.windows, WIDTH),
        metrics.precisions(scores, system.windows),
        metrics.precisions(scores, system.columns),
        *(metrics.losses(value, codes, scores, background, (most, *times)) for most in config["redrawn"]),
    )
    return dict(zip(_metrics(config), found, strict=True))


def _network_of(system: System) -> tuple[metrics.Value, Codes, Floats]:
    """The contrast of the system's network, its anchors (N, L), and its background (4,)."""
    network, card = load_model(str(system.model))

    def value(rows: Codes) -> Floats:
        outputs = predict(network, rows.reshape(-1, rows.shape[-1])).astype(np.float64)
        return np.asarray((outputs[:, 1] - outputs[:, 0]).reshape(rows.shape[:-1]))

    return value, np.stack([encode(record.sequence) for record in system.anchors]), np.array(card.background)


def missed(system: System, config: Config) -> Iterator[Row]:
    """Anchors whose best window by tethered draws is no site: output lost when it is redrawn, and when a site is."""
    scores = scored(system, config)[0][DRAWS]
    starts, hit = metrics.best_windows(scores, WIDTH), metrics.hits(scores, system.windows, WIDTH)
    value, codes, background = _network_of(system)
    places, times = np.arange(codes.shape[1]), (WIDTH, config["redraws"], config["seed"])
    sites = [round((first + end - WIDTH) / 2) for (first, end), *_ in system.windows]
    lost = [
        metrics.losses(value, codes, 1.0 * ((places >= first) & (places < first + WIDTH)), background, times)
        for first in (np.clip(some, 0, len(places) - WIDTH)[:, None] for some in (starts, np.array(sites)))
    ]
    for row in np.flatnonzero(hit == 0):
        where = {"system": system.name, "record": system.anchors[row].name, "window": starts[row], "site": sites[row]}
        yield where | {"window_lost": lost[0][row], "site_lost": lost[1][row]}


def aligned(system: System, config: Config) -> Iterator[Row]:
    """Where scores lie about anchors' first sites, as these read: mean shares of an anchor's score, a place a row."""
    places = np.arange(-AROUND, WIDTH + AROUND)
    for method, scores in scored(system, config)[0].items():
        speaking = np.maximum(scores, 0)
        shares = speaking / np.maximum(speaking.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        about = np.full((len(shares), len(places)), np.nan)
        for row, share, (site, *_) in zip(about, shares, system.sites, strict=True):
            at = site.end - 1 - places if site.turned else site.start + places
            inside = (at >= 0) & (at < len(share))
            row[inside] = share[at[inside]]
        for place, mean in zip(places, np.nanmean(about, axis=0), strict=True):
            yield {"system": system.name, "method": method, "place": place, "share": mean}


def _metrics(config: Config) -> dict[str, int]:
    """The metrics, 1 where more is better and -1 where less is."""
    return METRICS | {f"output lost, {most}": 1 for most in config["redrawn"]}


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
    folder, seed = system.folder, config["seed"]
    sampling = request(mx.Sampling, config["sampling"], seed=seed)
    asked, found = (mx.network(str(system.model)), str(folder / "anchors.fa")), dict[str, tuple[Floats, float]]()
    for name, law in LAWS.items():
        draws = made(folder / f"{name}.npz", mx.sample, *asked, law, sampling, threads=1)
        motifs = made(folder / name, mx.motifs, str(draws), logos="none", draw_sites=True, threads=1)
        found[f"draws, {name}"] = _positions(motifs, "information", system), seconds(draws, motifs)
        found[f"sites in draws, {name}"] = site_counts(motifs, system), seconds(draws, motifs)
    for method in METHODS:
        scores = made(folder / method, mx.attribute, *asked, method, logos="none", seed=seed, threads=1)
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
