"""What the dependence command reads off draws, anchor by anchor, and how it is written."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.alphabet import LETTERS, decode
from maxent_cli.analysis.dependence import Dependence, dependence, joint_letters, pair_row, top_pairs
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.commands.options import Progress
from maxent_cli.data import SampleSet
from maxent_cli.io.dependence_figure import MOST_TABLES, DependenceFigure, LetterTable, write_dependence_figure
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.samples import Draws

SIGNIFICANT = 0.05  # q up to which a pair is called dependent
ANCHORS = ("record", "refused", "rhat", "rhat_quantity", "pairs", "dependent", "squared_share", "map")
PAIRS = (
    *("record", "first", "second", "first_letter", "second_letter", "bits", "bits_error", "p", "q"),
    *("bits_squared", "bits_squared_error", "ess"),
)
LETTER_PAIRS = ("record", "first", "second", "first_letter", "second_letter", "share", "share_error", "product")


Row = dict[str, Any]
Tables = dict[str, Callable[[Iterable[Row]], None]]


@dataclass(frozen=True)
class Job:
    """Where to write, the anchors looked at and mapped, by number, pairs of each, the maps' format, R-hat trusted."""

    folder: Path
    anchors: Sequence[int]
    mapped: Collection[int]
    top: int
    maps: str
    most_rhat: float


def read_off(draws: Draws, job: Job) -> list[Row]:
    """Go through the anchors asked for, write their pairs and maps, and give the rows of anchors.tsv."""
    is_distance, rows = draws.header.get("law", {}).get("held") == "anchor", list[Row]()
    with ExitStack() as stack, Progress("dependence", len(job.anchors), "anchors") as progress:
        tables: Tables = {
            name: stack.enter_context(growing_table(str(job.folder / f"{name}.tsv"), header))
            for name, header in (("anchors", ANCHORS), ("pairs", PAIRS), ("letters", LETTER_PAIRS))
        }
        for number in job.anchors:
            samples = draws[number]
            rows.append(_judge(samples, job))
            if not rows[-1]["refused"]:
                rows[-1] |= _write(number, samples, dependence(samples, is_distance), (job, tables))
            progress.advance()
        tables["anchors"](rows)
    return rows


def report(rows: Sequence[Row], job: Job) -> Iterator[str]:
    """What was looked at and found, what was refused and why, and what to try."""
    refused = [row for row in rows if row["refused"]]
    pairs, dependent = (sum(row[name] for row in rows if not row["refused"]) for name in ("pairs", "dependent"))
    yield f"{len(rows)} anchors, {len(refused)} refused; {dependent} of {pairs} pairs dependent (q up to {SIGNIFICANT})"
    for row in refused[:3]:
        worst = f"R-hat {row['rhat']:.3g} ({row['rhat_quantity']})"
        yield f"  {row['record']}: refused, {worst} is not up to {job.most_rhat:g}"
    if refused:
        yield "  draw those with --until-ess, or with more steps between draws (--thin) in sample"
    elif not dependent:
        yield "  more draws tell weaker dependence; a higher --beta in sample holds more"


def _judge(samples: SampleSet, job: Job) -> Row:
    diagnosis = diagnose(samples, job.most_rhat)
    judged = {
        "record": samples.name,
        "refused": not diagnosis.worst_rhat <= job.most_rhat,
        "rhat": diagnosis.worst_rhat,
        "rhat_quantity": diagnosis.worst_rhat_quantity,
    }
    return dict.fromkeys(ANCHORS) | judged


def _write(number: int, samples: SampleSet, found: Dependence, where: tuple[Job, Tables]) -> Row:
    """Write one anchor's pairs, letters and map; its numbers for anchors.tsv."""
    job, tables = where
    top = [(pair, pair_row(samples, found, pair)) for pair in top_pairs(found, job.top)]
    tables["pairs"](row for _, row in top)
    tables["letters"](line for _, row in top for line in _letter_rows(samples, row))
    upper = found.q[np.triu_indices(len(found.q), 1)]
    name = None
    if job.maps != "none" and number in job.mapped:
        name = f"maps/map_{number + 1:06d}.{job.maps}"
        write_dependence_figure(str(job.folder / name), _figure(samples, found, [row for _, row in top]))
    return {
        "pairs": int(np.isfinite(upper).sum()),
        "dependent": int((upper <= SIGNIFICANT).sum()),
        "squared_share": found.share,
        "map": name,
    }


def _letter_rows(samples: SampleSet, pair: Row) -> Iterator[Row]:
    observed, product = joint_letters(samples, pair["first"], pair["second"])
    for one, other in np.ndindex(4, 4):
        yield {
            **{name: pair[name] for name in ("record", "first", "second")},
            "first_letter": LETTERS[one],
            "second_letter": LETTERS[other],
            "share": observed.value[one, other],
            "share_error": observed.error[one, other],
            "product": product[one, other],
        }


def _figure(samples: SampleSet, found: Dependence, top: Sequence[Row]) -> DependenceFigure:
    return DependenceFigure(
        title=samples.name,
        positions=found.positions,
        letters=decode(samples.anchor[found.positions]),
        bits=found.bits.value,
        squared=found.squared.value,
        dependent=found.q <= SIGNIFICANT,
        tables=[_letter_table(samples, row) for row in top[:MOST_TABLES] if row["q"] <= SIGNIFICANT],
    )


def _letter_table(samples: SampleSet, pair: Row) -> LetterTable:
    observed, product = joint_letters(samples, pair["first"], pair["second"])
    title = f"{pair['bits']:.3f} ± {pair['bits_error']:.3f} bits"
    return LetterTable(title, f"at {pair['first']}", f"at {pair['second']}", observed.value, product)
