"""The page of the localisation experiment, from the table of its metrics."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from maxent_cli.io import BLUE, GREY, ORANGE, PALE, write_figure, writing

from ..global_features.steps import Table, machine, table, used

TEXT = """\
# Do draws or attributions point at the sites that a network reads?

`python -m workflows.ctcf.experiment workflows/ctcf/ctcf.toml`, {date}; {machine}.
CPU minutes: {minutes:.0f}, and {training:.0f} for the training of networks that were not given.
Anchors are held-out positives that the network calls rightly, at random among those that qualify. Means over anchors
with 95 % bootstrap intervals.

- *Share in site*: of the positive part of a method's scores, what lies in the true sites.
- *Window hits*: the {width}-bp window with the highest sum holds half of a true site or more; *offset*: of its centre
  from the nearest site's.
- *AUPRC*: of scores for being in a site, over an anchor's positions, averaged over anchors; *of columns*: for being in
  a column of a site's motif that has half of its best column's information or more: where letters matter.
- *Output lost*: how far the output falls when the {redrawn} best positions are redrawn from the background.
- *Seconds*: of a CPU, an anchor; of draws, with their motifs.
- *Draws*: the information of each position, in bits, whatever it speaks for. *Sites in draws*: in how many sites of the
  motifs found in an anchor's draws a position lies. *Mutagenesis, without sign*: where it too may not tell letters for
  the output from letters against it; it is not among the five methods that draws are compared with.

## At one look

The tethered draws' information less the attribution method that is best by that metric on these anchors, so that
chance favours the attribution: the mean of anchors' differences with its interval. An offset is better when less, all
else when more. **Bold**: better than the best attribution beyond the interval, {better} of {compared}; *slanted*:
worse, {worse}.

{look}

No attribution is best by all. Of {systems} systems, in how many tethered draws are better and worse than each method,
beyond the interval:

{each}

![aligned](aligned.png)

Where scores lie about an anchor's site (its first, as it reads; {width} bp are shaded): the mean share of its score.

{sections}"""
DRAWS = "draws, tethered"
SHOWN = {DRAWS: BLUE, "saliency": GREY, "mutagenesis": ORANGE}
MARKS = {1: "**", 0: "", -1: "*"}


def write_page(out: Path, config: dict[str, Any], width: int) -> Path:
    """Write results.md; gives it."""
    rows = table(out / "metrics.tsv")
    systems = dict.fromkeys(row["system"] for row in rows)
    signs = [_sign(row) for row in rows if row["method"] == DRAWS]
    misses = table(out / "misses.tsv")
    text = TEXT.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(next(out.glob("*/0000/tethered.npz"))),
        minutes=(used(out) - used(out, "model")) / 60,
        training=used(out, "model") / 60,
        width=width,
        redrawn=" or ".join(map(str, config["redrawn"])),
        better=signs.count(1),
        worse=signs.count(-1),
        compared=len(signs),
        look="\n".join(_at_one_look(rows)),
        systems=len(systems),
        each="\n".join(_against_each(rows)),
        sections="\n".join(line for name in systems for line in _section(name, rows, misses)),
    )
    write_figure(str(out / "aligned.png"), aligned_figure(table(out / "aligned.tsv"), width))
    with writing(str(out / "results.md")) as stream:
        stream.write(text)
    return out / "results.md"


def _sign(row: dict[str, str], which: str = "_against") -> int:
    """1 where a difference, from the best attribution or of draws, is better than 0 by its interval, -1 where worse."""
    lower, upper = sorted(float(row["better"]) * float(row[f"{end}{which}"]) for end in ("lower", "upper"))
    return (lower > 0) - (upper < 0)


def aligned_figure(rows: Table, width: int) -> Figure:
    """Shares of scores about sites, a system a panel."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    down, across = -(-len(systems) // 3), min(3, len(systems))
    figure = Figure(figsize=(3.6 * across, 2.8 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes in panels[len(systems) :]:
        axes.remove()
    for axes, system in zip(panels, systems, strict=False):
        axes.axvspan(-0.5, width - 0.5, color=PALE, linewidth=0)
        for method, colour in SHOWN.items():
            mine = [row for row in rows if (row["system"], row["method"]) == (system, method)]
            places, shares = ([float(row[name]) for row in mine] for name in ("place", "share"))
            axes.step(places, shares, where="mid", color=colour, label=method, linewidth=1.2)
        axes.set_title(system, fontsize=10, loc="left")
        axes.set_xlabel("bp from the start of the site")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("mean share of an anchor's score")
    figure.axes[0].legend(frameon=False, fontsize=8)
    return figure


def _at_one_look(rows: Table) -> Iterator[str]:
    """A row a system: the tethered draws' difference from the best attribution, metric by metric."""
    mine = [row for row in rows if row["method"] == DRAWS]
    names = list(dict.fromkeys(row["metric"] for row in mine))
    yield f"| | anchors | {' | '.join(names)} |"
    yield "|---|---:|" + "---:|" * len(names)
    for system in dict.fromkeys(row["system"] for row in mine):
        own = [row for row in mine if row["system"] == system]
        cells = (f"{MARKS[_sign(row)]}{_cell(row, '_against', '+')}{MARKS[_sign(row)]}" for row in own)
        yield f"| {system} | {own[0]['anchors']} | {' | '.join(cells)} |"


def _against_each(rows: Table) -> Iterator[str]:
    """A row an attribution: in how many systems the tethered draws are better and worse, metric by metric."""
    names = list(dict.fromkeys(row["metric"] for row in rows))
    yield f"| better, worse | {' | '.join(names)} |"
    yield "|---|" + "---:|" * len(names)
    for method in dict.fromkeys(row["method"] for row in rows if "draws" not in row["method"]):
        mine = [row for row in rows if row["method"] == method]
        signs = [[_sign(row, "_drawn") for row in mine if row["metric"] == name] for name in names]
        yield f"| {method} | {' | '.join(f'{each.count(1)}, {each.count(-1)}' for each in signs)} |"


def _section(system: str, rows: Table, misses: Table) -> Iterator[str]:
    mine = [row for row in rows if row["system"] == system]
    names = list(dict.fromkeys(row["metric"] for row in mine))
    yield f"## {system}\n\n{mine[0]['anchors']} anchors of {mine[0]['qualified']} that qualify.\n"
    yield f"| | {' | '.join(names)} | seconds |"
    yield "|---|" + "---:|" * (len(names) + 1)
    methods = list(dict.fromkeys(row["method"] for row in mine))
    for method in methods:
        own = [row for row in mine if row["method"] == method]
        yield f"| {method} | {' | '.join(_cell(row) for row in own)} | {float(own[0]['cpu_seconds']):.2g} |"
    yield ""
    yield f"| less the best attribution | {' | '.join(_best(mine, name) for name in names)} |"
    yield "|---|" + "---:|" * len(names)
    for method in (method for method in methods if "draws" in method):
        own = [row for row in mine if row["method"] == method]
        yield f"| {method} | {' | '.join(_cell(row, '_against', '+') for row in own)} |"
    yield f"\n{_misses([row for row in misses if row['system'] == system])}\n"


def _misses(rows: Table) -> str:
    if not rows:
        return "The best window by tethered draws hits a site in every anchor."
    lost = ", ".join(f"{float(row['window_lost']):.1f} and {float(row['site_lost']):.1f}" for row in rows)
    return (
        f"Missed by the best window of tethered draws: {len(rows)}. The output lost by redrawing that window, and by "
        f"redrawing the site: {lost}."
    )


def _best(rows: Table, name: str) -> str:
    return next(f"{name}: {row['best']}" for row in rows if row["metric"] == name)


def _cell(row: dict[str, str], which: str = "", sign: str = "") -> str:
    value, lower, upper = (f"{float(row[name + which]):{sign}.3g}" for name in ("value", "lower", "upper"))
    return f"{value} ({lower} to {upper})"
