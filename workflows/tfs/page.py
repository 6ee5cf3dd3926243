"""The table of all networks that are done: python -m workflows.tfs.page OUT results.md.

Of a page that is there already only what lies between its two marks is made anew; the rest of it is written by hand.

AUROC of a set and an architecture is the mean over seeds, with the interval of bootstraps over records and seeds;
differences of two architectures are paired: the same records and seeds in both.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from maxent_cli.data import Floats
from maxent_cli.io import writing

from .cell import Config, asked, scaled
from .found import (
    RULE,
    comparisons,
    judged,
    lines_of_draws,
    networks,
    short,
    table_of_chances,
    table_of_networks,
    table_of_views,
)

RESAMPLES, LEVEL = 1000, 0.95
START, END = "<!-- From here on made by workflows/tfs/page.py. -->", "<!-- As far as here. -->"
TITLE = "# Networks of the Deep Motif Dashboard on sets of ChIP-seq peaks"

Scores = dict[tuple[str, str], dict[int, pd.DataFrame]]  # by set and architecture, and by seed


def read_scores(out: Path) -> Scores:
    """Of all networks that are done."""
    found: Scores = defaultdict(dict)
    for path in sorted(out.glob("*/*.*/scores.tsv")):
        architecture, _, seed = path.parent.name.rpartition(".")
        found[path.parent.parent.name, architecture][int(seed)] = pd.read_csv(path, sep="\t")
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


def ends(resamples: Floats) -> tuple[float, float]:
    """Of the interval."""
    low, high = np.quantile(resamples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def interval(resamples: Floats) -> str:
    """Its ends."""
    low, high = ends(resamples)
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
    yield "| set | " + " | ".join(map(short, architectures)) + " |"
    yield "|---" * (1 + len(architectures)) + "|"
    names = sorted({name for name, _ in found})
    for name in names:
        each = [list(found.get((name, architecture), {}).values()) for architecture in architectures]
        yield f"| {name} | " + " | ".join(map(cell_of_area, each)) + " |"
    yield ""
    for first, second in combinations(architectures, 2):
        yield from lines_of_pair(found, names, first, second)


def cell_of_area(seeds: list[pd.DataFrame]) -> str:
    """The AUROC of a set and an architecture."""
    if not seeds:
        return "not run"
    mean, resamples = bootstrapped(seeds)
    return f"{mean:.3f} ({interval(resamples)}), {len(seeds)} seed{'s' * (len(seeds) > 1)}"


def lines_of_pair(found: Scores, names: list[str], first: str, second: str) -> Iterator[str]:
    """Differences of two architectures by set, over the seeds that both have; and how many intervals leave out 0."""
    pair, each, signs = f"{short(second)} less {short(first)}", [], []
    for name in names:
        some, others = found.get((name, first), {}), found.get((name, second), {})
        if both := sorted(set(some) & set(others)):
            (less, below), (more, above) = (bootstrapped([one[seed] for seed in both]) for one in (some, others))
            low, high = ends(above - below)
            each.append(more - less)
            signs.append((low > 0) - (high < 0))
            yield f"- {pair}, {name}: {more - less:+.3f} ({interval(above - below)})"
    if each:
        count = sum(difference > 0 for difference in each)
        yield (
            f"- **{pair}**: {over_sets(np.array(each))}; above 0 in {count} of {len(each)} sets; the interval leaves"
            f" out 0 in {signs.count(1)} that are above it and in {signs.count(-1)} that are below it"
        )


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
        yield f"| {short(architecture)} | " + " | ".join(cells) + " |"


def made(out: Path, config: Config) -> Iterator[str]:
    """All that is made of the networks that are done."""
    looked, architectures = networks(out), config["architectures"]
    looked = looked.sort_values(["set", "architecture", "seed"], key=in_order(architectures), kind="stable")
    rows = judged(looked, config["known"])
    yield from ("## AUROC on held-out peaks", "")
    yield "Intervals are over peaks, and over seeds where there are several."
    yield from ("", *table_of_areas(read_scores(out), architectures))
    yield from ("", "## By which view the known motif is found", "", RULE.format(width=config["width"]), "")
    yield from (
        *table_of_views(rows, architectures),
        "",
        *comparisons(rows),
        "",
        "As run:",
        "",
        *lines_of_draws(looked),
    )
    yield from ("", "Of each network: how many sequences are named as the set's motif, and the commonest name.", "")
    yield from (
        *table_of_networks(looked, rows),
        "",
        "Chance that a sequence is named so:",
        "",
        *table_of_chances(rows),
    )
    yield from ("", "## What it took", "", "CPU seconds of a network, the mean of so many.", "", *table_of_times(out))


def in_order(architectures: list[str]) -> Callable[[pd.Series], pd.Series]:
    """A key by which architectures are sorted as they are listed, and all else as it is."""
    return lambda column: column.map(architectures.index) if column.name == "architecture" else column


def placed(text: str, page: str) -> str:
    """The page with the text between its marks, which stand at its end where it has none."""
    before, _, rest = page.partition(START)
    return f"{before.rstrip()}\n\n{START}\n\n{text}\n\n{END}\n{rest.partition(END)[2].removeprefix(chr(10))}"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("page", type=Path)
    scaled(parser)
    given = parser.parse_args()
    page = given.page.read_text(encoding="utf-8") if given.page.exists() else TITLE
    with writing(str(given.page)) as stream:
        stream.write(placed("\n".join(made(given.out, asked(given))), page))


if __name__ == "__main__":
    main()
