"""The table of all networks that are done: python -m workflows.tfs.page OUT > results.md.

AUROC of a set and an architecture is the mean over seeds, with the interval of bootstraps over records and seeds;
differences of two architectures are paired: the same records and seeds in both.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from maxent_cli.data import Floats

from .cell import VIEWS, asked, scaled

RESAMPLES, LEVEL = 1000, 0.95
LEAST_NAMED = 3  # sequences that a view names alike before a set's motif counts as found by it

Scores = dict[tuple[str, str], list[pd.DataFrame]]  # by set and architecture, a table a seed


def read_scores(out: Path) -> Scores:
    """Of all networks that are done."""
    found: Scores = defaultdict(list)
    for path in sorted(out.glob("*/*.*/scores.tsv")):
        architecture = path.parent.name.rpartition(".")[0]
        found[path.parent.parent.name, architecture].append(pd.read_csv(path, sep="\t"))
    return found


def bootstrapped(seeds: list[pd.DataFrame], seed: int = 1) -> tuple[float, Floats]:
    """The mean AUROC over seeds, and that of resamples (RESAMPLES,): of records of either class, and of seeds.

    The same records and seeds are drawn, whatever the network, so that differences are paired.
    """
    labels = seeds[0]["label"].to_numpy()
    scores = np.array([each["score"] for each in seeds])
    positives, negatives = (scores[:, labels == label] for label in (1, 0))
    above = np.sign(positives[:, :, None] - negatives[:, None, :]) / 2 + 0.5  # of each pair, ties counting half
    chance = np.random.default_rng(seed)
    weights = [chance.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n for n in above.shape]
    found = [one @ ((above @ few) @ many) for one, many, few in zip(*weights, strict=True)]
    return float(above.mean()), np.array(found)


def interval(resamples: Floats) -> str:
    """Its ends."""
    low, high = np.quantile(resamples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return f"{low:+.3f} to {high:+.3f}" if low < 0 or high < 0.3 else f"{low:.3f} to {high:.3f}"


def over_sets(differences: Floats) -> str:
    """The mean over sets, and its interval by Student's t."""
    if len(differences) < 2:
        return "not known from one set"
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    wide = student.ppf((1 + LEVEL) / 2, len(differences) - 1) * error
    return f"{mean:+.3f} ({mean - wide:+.3f} to {mean + wide:+.3f}) over {len(differences)} sets"


def table_of_areas(found: Scores, architectures: list[str]) -> Iterator[str]:
    """AUROC by set, and paired differences."""
    yield "| set | " + " | ".join(architectures) + " |"
    yield "|---" * (1 + len(architectures)) + "|"
    areas = {key: bootstrapped(seeds) for key, seeds in found.items()}
    names = sorted({name for name, _ in found})
    for name in names:
        cells = []
        for architecture in architectures:
            area = areas.get((name, architecture))
            count = len(found.get((name, architecture), []))
            cells.append(f"{area[0]:.3f} ({interval(area[1])}), {count} seed{'s' * (count > 1)}" if area else "not run")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    for first, second in combinations(architectures, 2):
        both = [name for name in names if len(found.get((name, first), [])) == len(found.get((name, second), [])) > 0]
        each = [(name, areas[name, second][0] - areas[name, first][0]) for name in both]
        for name, difference in each:
            paired = areas[name, second][1] - areas[name, first][1]
            yield f"- {second} less {first}, {name}: {difference:+.3f} ({interval(paired)})"
        if each:
            yield f"- {second} less {first}: {over_sets(np.array([difference for _, difference in each]))}"


def is_found(row: pd.Series) -> bool:
    """Whether most of the sequences that a view names are named as the set's known motif, and at least three."""
    return bool(row["expected"] >= LEAST_NAMED and 2 * row["expected"] > row["named"])


def table_of_views(out: Path) -> Iterator[str]:
    """By which view the set's known motif is found."""
    yield "| set | network | " + " | ".join(VIEWS) + " | draws converged |"
    yield "|---" * (3 + len(VIEWS)) + "|"
    for path in sorted(out.glob("*/*.*/views.tsv")):
        rows = pd.read_csv(path, sep="\t", keep_default_na=False).set_index("view")
        cells = [
            f"{'**found**' if is_found(row) else 'not found'}: {row['expected']} of {row['sequences']}"
            + (f"; {row['commonest']}" if row["commonest"] else "")
            for row in (rows.loc[view] for view in VIEWS)
        ]
        settled = converged(path.parent / "draws.npz.tsv")
        yield f"| {path.parent.parent.name} | {path.parent.name} | " + " | ".join([*cells, settled]) + " |"
    yield ""
    yield from counts_of_views(out)


def converged(summary: Path) -> str:
    """Around how many anchors draws have converged, of how many, and the median of their worst R-hat."""
    if not summary.exists():
        return "none drawn"
    rows = pd.read_csv(summary, sep="\t")
    return f"{(rows['converged'] == 'yes').sum()} of {len(rows)}, R-hat {rows['rhat'].median():.2f}"


def counts_of_views(out: Path) -> Iterator[str]:
    """In how many networks of each architecture each view finds the motif."""
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for path in sorted(out.glob("*/*.*/views.tsv")):
        rows = pd.read_csv(path, sep="\t", keep_default_na=False).set_index("view")
        found[path.parent.name.rpartition(".")[0]].append(rows)
    for architecture, tables in found.items():
        told = [f"{view} {sum(is_found(rows.loc[view]) for rows in tables)}" for view in VIEWS]
        yield f"- {architecture}, of {len(tables)} networks: {', '.join(told)}"


def table_of_times(out: Path) -> Iterator[str]:
    """CPU seconds of a network's two jobs, the mean over those that Snakemake timed."""
    yield "| network | trained, CPU s | looked at, CPU s |"
    yield "|---|---|---|"
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(out.glob("*/*.*/*.time.tsv")):
        rows = pd.read_csv(path, sep="\t")
        found[path.parent.name.rpartition(".")[0]][path.name.partition(".")[0]] += rows["cpu_time"].tolist()
    for architecture, jobs in found.items():
        cells = [f"{np.mean(jobs[job]):.0f} ({len(jobs[job])})" if jobs[job] else "" for job in ("train", "views")]
        yield f"| {architecture} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    scaled(parser)
    given = parser.parse_args()
    config = asked(given)
    print("# Networks of the Deep Motif Dashboard on sets of ChIP-seq peaks\n")
    settings = ", ".join(f"{name} {config[name]}" for name in ("positives", "epochs", "anchors", "width", "preset"))
    print(f"Asked for: {settings} (epochs 0: as published).\n\n## AUROC on held-out peaks\n")
    print("\n".join(table_of_areas(read_scores(given.out), config["architectures"])))
    print("\n## By which view the known motif is found\n")
    print("\n".join(table_of_views(given.out)))
    print("\n## What it took\n")
    print("\n".join(table_of_times(given.out)))


if __name__ == "__main__":
    main()
