"""The benchmark's rows as a page: medians over anchors with bootstrap intervals, and the machine that gave them."""

import argparse
import platform
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
from ways import BARE, TWIN_TIMES

Row = dict[str, object]
By = dict[str, dict[str, Row]]  # anchor -> way -> row

PACKAGES = ("torch", "numba", "numpy", "scipy")
RESAMPLED = 2000
REFERENCE = "reference"
HEADER = ("way", "proposals/s", "least ESS/s", "over the reference", "least ESS per 1,000 proposals", "converged")


def page(rows: list[Row], given: argparse.Namespace, seconds: float) -> str:
    """Markdown: how it was run, then a section for each beta asked for."""
    asked = list(dict.fromkeys(str(row["asked"]) for row in rows))
    sections = [section(name, by_anchor(row for row in rows if row["asked"] == name)) for name in asked]
    return "\n".join(["# Ways to sample, side by side", "", *preface(given, seconds), *sections])


def preface(given: argparse.Namespace, seconds: float) -> list[str]:
    """Machine, date, versions, and what the columns are."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    files = f"Model `{Path(given.model).name}`, anchors `{Path(given.anchors).name}`"
    turns = (
        f"{given.turns} turns of {given.slice:g} CPU seconds a way ({TWIN_TIMES} times that: `incremental, letters`)"
    )
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, one thread, Python {platform.python_version()}, {versions}.",
        f"{files}, {given.chains} chains where there is no ladder, {turns}, seed {given.seed}; {seconds:.0f} s in all.",
        "",
        "Per CPU second; medians over anchors, in brackets 95 % bootstrap intervals over anchors, x: times the",
        "reference's. ESS: of 'the letter equals the anchor's', at the position where it is least; all replicas are",
        "paid for. `<=`: some anchors have not converged (R-hat above 1.05), and their ESS/s is an upper bound. A",
        "ratio is a lower bound (`>=`) where it is the reference that has not converged, and none (`?`) where neither",
        "has.",
        "The reference's ESS is that of its compiled twin, `incremental, letters`, at the reference's own pace.",
        "",
    ]


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({len(names)} visible)" if names else platform.machine()


def by_anchor(rows: Iterator[Row]) -> By:
    """Rows by anchor and way."""
    found: By = {}
    for row in rows:
        found.setdefault(str(row["anchor"]), {})[str(row["way"])] = row
    return found


def section(asked: str, anchors: By) -> str:
    """A table with a row for each way."""
    first = next(iter(anchors.values()))
    betas = [number(ways[REFERENCE], "beta") for ways in anchors.values()]
    kept = [1 - number(ways[REFERENCE], "energy_of_background") for ways in anchors.values()]
    title = asked if asked.startswith("LSTM") else f"beta {asked}"
    lines = [
        f"## {title}: {len(anchors)} anchors",
        "",
        f"beta {min(betas):.3g} to {max(betas):.3g}; mean energy down by {min(kept):.0%} to {max(kept):.0%} of the "
        f"background's; plain path, proposals/s over bare forward passes/s: {ratio(anchors, REFERENCE, BARE, SPEED)}",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
    ]
    lines += [f"| {' | '.join(cells(way, anchors))} |" for way in first if way != BARE]
    return "\n".join([*lines, ""])


SPEED, ESS, YIELD = "proposals_per_second", "ess_per_second", "ess_per_1000_proposals"


def cells(way: str, anchors: By) -> list[str]:
    """One way's row of the table."""
    rows = [ways[way] for ways in anchors.values()]
    converged = sum(not row["bound"] for row in rows)
    bound = "" if converged == len(rows) else "<= "
    return [
        way,
        f"{median(number(row, SPEED) for row in rows):,.0f} ({ratio(anchors, way, REFERENCE, SPEED)})",
        f"{bound}{median(number(row, ESS) for row in rows):.3g}",
        lower_bound(anchors, way) + ratio(anchors, way, REFERENCE, ESS),
        f"{bound}{median(number(row, YIELD) for row in rows):.3g} ({ratio(anchors, way, REFERENCE, YIELD)})",
        f"{converged} of {len(rows)}",
    ]


def lower_bound(anchors: By, way: str) -> str:
    """How to read a ratio to the reference, given who has converged."""
    stuck = any(ways[REFERENCE]["bound"] for ways in anchors.values())
    if any(ways[way]["bound"] for ways in anchors.values()):
        return "? " if stuck else "<= "
    return ">= " if stuck else ""


def ratio(anchors: By, way: str, other: str, figure: str) -> str:
    """Median over anchors of one way's figure over another's, with its interval."""
    ratios = [number(ways[way], figure) / number(ways[other], figure) for ways in anchors.values()]
    low, high = interval(ratios)
    return f"{median(ratios):.3g}x [{low:.3g}, {high:.3g}]"


def interval(values: list[float], statistic: Callable[..., np.ndarray] = np.median) -> tuple[float, float]:
    """The 95 % bootstrap interval of a statistic."""
    rng = np.random.default_rng(0)
    resampled = statistic(rng.choice(values, (RESAMPLED, len(values))), axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def number(row: Row, name: str) -> float:
    """A row's figure."""
    return float(str(row[name]))
