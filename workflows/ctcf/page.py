"""The page of the localisation experiment, from the table of its metrics."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maxent_cli.io.files import writing
from maxent_cli.io.provenance import read_provenance

from ..global_features.steps import Table, table

TEXT = """\
# Do draws or attributions point at the sites that a network reads?

{date}, {machine}. At most {anchors} anchors a network, at random among held-out positives that it calls rightly.
Means over anchors with 95 % bootstrap intervals.

- *Share in site*: of the positive part of a method's scores, what lies in the true sites.
- *Window hits*: the {width}-bp window with the highest sum holds half of a true site or more; *offset*: of its centre
  from the nearest site's.
- *AUPRC*: of scores for being in a site, over an anchor's positions, averaged over anchors.
- *Output lost*: how far the output falls when the {redrawn} best positions are redrawn from the background.
- *Seconds*: of the clock, an anchor; of draws, with their motifs.

{sections}"""


def write_page(out: Path, config: dict[str, Any], width: int) -> Path:
    """Write results.md; gives it."""
    rows = table(out / "metrics.tsv")
    systems = dict.fromkeys(row["system"] for row in rows)
    text = TEXT.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=_machine(out),
        anchors=config["anchors"],
        width=width,
        redrawn=config["redrawn"],
        sections="\n".join(line for name in systems for line in _section(name, rows)),
    )
    with writing(str(out / "results.md")) as stream:
        stream.write(text)
    return out / "results.md"


def _machine(out: Path) -> str:
    made = read_provenance(str(next(out.glob("*/tethered.npz")))) or {}
    versions = ", ".join(f"{name} {made['packages'][name]}" for name in ("torch", "numba", "numpy"))
    return f"{made['machine']['cpu']}, Python {made['python']}, {versions}"


def _section(system: str, rows: Table) -> Iterator[str]:
    mine = [row for row in rows if row["system"] == system]
    names = list(dict.fromkeys(row["metric"] for row in mine))
    yield f"## {system}\n\n{mine[0]['anchors']} anchors.\n"
    yield f"| | {' | '.join(names)} | seconds |"
    yield "|---|" + "---:|" * (len(names) + 1)
    for method in dict.fromkeys(row["method"] for row in mine):
        own = [row for row in mine if row["method"] == method]
        cells = [_cell(row) for row in own]
        yield f"| {method} | {' | '.join(cells)} | {float(own[0]['seconds']):.2g} |"
    yield ""


def _cell(row: dict[str, str]) -> str:
    value, lower, upper = (f"{float(row[name]):.3g}" for name in ("value", "lower", "upper"))
    return f"{value} ({lower} to {upper})"
