"""The page of the localisation experiment, from the table of its metrics."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maxent_cli.io.files import writing

from ..global_features.steps import Table, machine, table

TEXT = """\
# Do draws or attributions point at the sites that a network reads?

{date}, {machine}.
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

Under each table, draws less the attribution method that is best by that metric on these anchors, so that chance favours
the attribution: the mean of anchors' differences with its interval. An offset is better when less, all else when more.
Of {compared} such differences of the tethered draws' information, {better} are better than 0 with their interval and
{worse} are worse.

{sections}"""
DRAWS = "draws, tethered"


def write_page(out: Path, config: dict[str, Any], width: int) -> Path:
    """Write results.md; gives it."""
    rows = table(out / "metrics.tsv")
    systems = dict.fromkeys(row["system"] for row in rows)
    signs = [_sign(row) for row in rows if row["method"] == DRAWS]
    text = TEXT.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(next(out.glob("*/0000/tethered.npz"))),
        width=width,
        redrawn=config["redrawn"],
        better=signs.count(1),
        worse=signs.count(-1),
        compared=len(signs),
        sections="\n".join(line for name in systems for line in _section(name, rows)),
    )
    with writing(str(out / "results.md")) as stream:
        stream.write(text)
    return out / "results.md"


def _sign(row: dict[str, str]) -> int:
    """1 where the difference from the best attribution is better than 0 with its interval, -1 where worse, else 0."""
    lower, upper = sorted(float(row["better"]) * float(row[f"{end}_against"]) for end in ("lower", "upper"))
    return (lower > 0) - (upper < 0)


def _section(system: str, rows: Table) -> Iterator[str]:
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
    yield ""


def _best(rows: Table, name: str) -> str:
    return next(f"{name}: {row['best']}" for row in rows if row["metric"] == name)


def _cell(row: dict[str, str], which: str = "", sign: str = "") -> str:
    value, lower, upper = (f"{float(row[name + which]):{sign}.3g}" for name in ("value", "lower", "upper"))
    return f"{value} ({lower} to {upper})"
