"""The page of the nucleosome experiment: its tables and figure, from the files that the experiment wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.analysis import ANCHOR, BACKGROUND, BAND, DRAWS
from maxent_cli.io import BLUE, GREY, INK, ORANGE, PALE, write_figure, writing

from ..global_features.steps import Table, converged, machine, markdown, table, used
from ..xor.answers import METHODS
from .spectra import POSITIONS_TRACK

TEXT = """\
# The rhythm of nucleosomes: draws beside attributions

`python -m workflows.nucleosome.experiment workflows/nucleosome/nucleosome.toml`, {date}; {machine}.
CPU minutes of all networks: {minutes}.
Anchors are the held-out positives that a network calls rightly and is surest of; all that is said of one is said of
the same anchors.

## Who shows the 10 bp

{name}, {seeds} trainings, {anchors} anchors in all.

{rhythm}

By chance {chance:.1%} of anchors peak there. A *track* is one number a position:

- *Draws*: the share of them that hold A or T; *anchor*: whether it does; *beta = 0*: as draws, of the background.
- *A and T less G and C*: the mean score of A and T at a position less that of G and C, whatever letter the anchor has.
  It asks what draws answer: which letters the network would have there. This is the track to compare draws with.
- *Scores*: of the letter that is there, which is what is mostly plotted. It has the anchor's own letters in it.
  Saliency has no sign, so that it tells where and not which letters.

A track less its straight line is transformed, as `maxent periodicity` does, and its highest point between 5 and 20 bp
taken. Shares with Wilson intervals. The mean spectrum is that of all anchors, each spectrum over its own mean, with
bootstrap intervals over anchors; its height is over its median. Seconds are of a CPU, an anchor.

![spectra](spectra.png)

Of each network, mean spectra of draws, anchors, the background, the attribution track by which most anchors peak there
and the same method's scores.

## Networks and trainings one by one

Anchors that peak at {band}; attributions by A and T less G and C. R-hat (the worst of an anchor's letters) and
ESS (the least) are medians over anchors. Of untrained networks' draws, which are stopped early, {untrained} have
converged.

{networks}
{gc}"""
GC = """
## Do they hold GC content?

Other anchors: of both labels, at random among those that the network calls rightly. Told: how many of them it tells
from the background. Held: which counts are. Slope and rigidity are of GC outside local features; `maxent gc-probe
--help-all` says what they are.
R-hat is the worst of letters and of the count, checks are z-scores of the sampler.

{table}
"""
IN_BAND = f"{BAND[0]:g}-{BAND[1]:g} bp"
STAGES = {
    "training": ("model",),
    "draws": ("trained.npz", "untrained.npz"),
    "attributions": METHODS,
    "GC probe": ("gc",),
}
STYLES = {DRAWS: (BLUE, "-"), ANCHOR: (ORANGE, "-"), BACKGROUND: (GREY, "--")}


def write_page(out: Path) -> Path:
    """Write results.md and its figure; gives the page."""
    summary, networks = table(out / "summary.tsv"), table(out / "networks.tsv")
    name = networks[0]["network"]
    mine = [row for row in summary if row["network"] == name and row["seed"] == "all"]
    probed = table(out / "gc.tsv") if (out / "gc.tsv").exists() else []
    text = TEXT.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(next(out.glob("*/*/trained.npz"))),
        minutes=_minutes(out),
        name=f"Network {name}",
        seeds=sum(row["network"] == name for row in networks),
        anchors=mine[0]["anchors"],
        chance=float(mine[0]["chance"]),
        band=IN_BAND,
        rhythm="\n".join(_rhythm(mine)),
        networks="\n".join(_one_by_one(networks, summary)),
        untrained=converged(out, "untrained.npz"),
        gc=GC.format(table="\n".join(markdown(probed))) if probed else "",
    )
    write_figure(str(out / "spectra.png"), spectra_figure(table(out / "spectra.tsv"), summary))
    with writing(str(out / "results.md")) as stream:
        stream.write(text)
    return out / "results.md"


def _minutes(out: Path) -> str:
    """CPU minutes of the commands, by what they did."""
    minutes = {stage: sum(used(out, name) for name in names) / 60 for stage, names in STAGES.items()}
    return ", ".join(f"{stage} {number:.2g}" for stage, number in minutes.items())


def _rhythm(rows: Table) -> Iterator[str]:
    """The table of tracks."""
    yield f"| track | anchors that peak at {IN_BAND} | median height | mean spectrum's peak, bp | height | seconds |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        low, high = (f"{float(row[f'share_{end}']):.0%}" for end in ("low", "high"))
        share = f"{row['in_band']} of {row['anchors']} ({low} to {high})"
        cost = f"{float(row['cpu_seconds']):.2g}" if row["cpu_seconds"] != "nan" else "-"
        cells = (share, f"{float(row['median_height']):.3g}", _cell(row, "period"), _cell(row, "height"), cost)
        yield f"| {row['track']} | {' | '.join(cells)} |"


def _cell(row: dict[str, str], name: str) -> str:
    value, low, high = (f"{float(row[f'{name}{end}']):.4g}" for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high})"


def _one_by_one(networks: Table, summary: Table) -> Iterator[str]:
    """A row a training: how good it is, how well its chains agree, and the anchors that peak in the band by track."""
    shown = [track for track in dict.fromkeys(row["track"] for row in summary) if not track.endswith(POSITIONS_TRACK)]
    names = [track.partition(":")[0] for track in shown]
    yield f"| network | seed | AUROC | R-hat | ESS | converged | {' | '.join(names)} |"
    yield "|---|" + "---:|" * (5 + len(shown))
    for row in networks:
        mine = {one["track"]: one for one in summary if all(one[key] == row[key] for key in ("network", "seed"))}
        settled = (f"{float(row[name]):.3g}" for name in ("rhat", "ess"))
        counts = (mine[track]["in_band"] for track in shown)
        cells = (row["network"], row["seed"], _cell(row, "auroc"), *settled, row["converged"], *counts)
        yield f"| {' | '.join(cells)} |"


def spectra_figure(spectra: Table, summary: Table) -> Figure:
    """Mean spectra over their medians, a network a panel."""
    names = list(dict.fromkeys(row["network"] for row in spectra))
    figure = Figure(figsize=(4.2 * len(names), 3.8), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False, sharey=True)[0], names, strict=True):
        rows = [row for row in spectra if row["network"] == name]
        _draw(axes, name, rows, best_attribution([row for row in summary if row["network"] == name]))
    highest = max(float(row["power"]) for row in spectra)
    figure.axes[0].set(ylabel="mean power over its median", ylim=(0.3, 30 * highest))  # room for the legend
    return figure


def best_attribution(rows: Table) -> str:
    """Of attributions' tracks that by which most anchors peak in the band; of several, the highest."""
    known = (row for row in rows if row["seed"] == "all" and ": " in row["track"])
    return max(known, key=lambda row: (int(row["in_band"]), float(row["height"])))["track"]


def _draw(axes: Axes, name: str, rows: Table, best: str) -> None:
    axes.axvspan(*BAND, color=PALE, linewidth=0)
    plotted = f"{best.partition(':')[0]}: {POSITIONS_TRACK}"
    for track, (colour, style) in (STYLES | {best: (INK, "-"), plotted: (INK, ":")}).items():
        points = [(float(row["period"]), float(row["power"])) for row in rows if row["track"] == track]
        axes.plot(*np.transpose(points), color=colour, linestyle=style, label=track, linewidth=1.4)
    axes.set(xlim=(5, 20), yscale="log", xlabel="period, bp")
    axes.set_title(name, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=7, loc="upper right")
