"""What is written and said of attributions."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.alphabet import LETTERS, decode, one_hot
from maxent_cli.api.motif_results import place_at
from maxent_cli.data import Interval
from maxent_cli.errors import shown
from maxent_cli.interpret.attribution import COMPLETE, Attribution, AttributionSettings, Completeness, MethodScores
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.logos import Logo, write_logo
from maxent_cli.io.tables import Row
from maxent_cli.io.unfinished import Arrays, packed, unpacked
from maxent_cli.tables.attribution import ANCHORS, POSITIONS

CURES = {
    "deeplift": "DeepLIFT does not know all parts of this network: use --method integrated-gradients or mutagenesis",
    "integrated-gradients": "give more --steps",
}
UNITS = {"saliency": "|gradient|", "input-x-gradient": "gradient"}


@dataclass(frozen=True)
class AttributionJob:
    """Where to write, what was asked, and the numbers of the anchors among all records.

    max_delta: share by which a sum of scores may be off, None for the method's own. logos: their format, or 'none'.
    """

    folder: Path
    settings: AttributionSettings
    max_delta: float | None
    logos: str
    numbers: list[int]

    @property
    def most(self) -> float:
        """The share in use."""
        return COMPLETE.get(self.settings.method, 0.0) if self.max_delta is None else self.max_delta


def pack(one: Attribution) -> bytes:
    """What an anchor was found to have, to be kept."""
    given = one.given
    arrays: Arrays = {"hypothetical": given.hypothetical, "scores": given.scores}
    arrays |= {"anchor": one.anchor, "mutable": one.mutable}
    arrays |= {} if given.errors is None else {"errors": given.errors}
    interval = one.interval and astuple(one.interval)
    facts = {"name": one.name, "interval": interval, "output": one.output, "drift": given.drift}
    return packed(arrays, facts | {"completeness": given.completeness})


def unpack(path: Path) -> Attribution:
    """What `pack` made of it."""
    arrays, facts = unpacked(path)
    sums = None if facts["completeness"] is None else Completeness(*facts["completeness"])
    given = MethodScores(arrays["hypothetical"], arrays["scores"], arrays.get("errors"), sums, facts["drift"])
    interval = facts["interval"] and Interval(*facts["interval"])
    return Attribution(facts["name"], interval, arrays["anchor"], arrays["mutable"], facts["output"], given)


def write(found: Iterable[Attribution], job: AttributionJob, most_logos: int) -> list[dict[str, Any]]:
    """Write tables and the first logos, anchor by anchor; give the rows of anchors.tsv, highest scores too."""
    rows = []
    (job.folder / "logos").mkdir()
    with ExitStack() as stack:
        positions, anchors = (
            stack.enter_context(growing_table(str(job.folder / table.file), table)) for table in (POSITIONS, ANCHORS)
        )
        for number, one in zip(job.numbers, found, strict=True):
            logo = write_anchor_logo(one, number, job) if number < most_logos and job.logos != "none" else None
            positions(position_rows(one))
            rows.append(anchor_row(one, job) | {"logo": logo})
            anchors([{name: rows[-1][name] for name in ANCHORS.names}])
    return rows


def account(rows: Sequence[dict[str, Any]], job: AttributionJob) -> Iterator[str]:
    """Whether scores add up, their error, and what is empty."""
    method = job.settings.method
    yield f"{len(rows)} anchors by {method}"
    flat = [row["record"] for row in rows if not row["peak"]]
    if flat:
        yield f"  WARNING: {len(flat)} of {len(rows)} anchors have no score but 0 (first: {shown(flat[0])})"
    if method == "mutagenesis" and job.settings.device == "cpu" and any(row["drift"] is None for row in rows):
        yield "  by full passes, since the compiled kernel cannot take this network"
    if method not in COMPLETE or not rows:
        return
    worst = max(rows, key=lambda row: float(row["delta_share"]))
    off = f"{shown(worst['record'])}, off by {worst['delta']:.3g}, {worst['delta_share']:.2g} of the difference"
    bad = sum(not row["complete"] for row in rows)
    if bad:
        yield f"  WARNING: scores of {bad} of {len(rows)} anchors do not add up (worst: {off}); {CURES[method]}"
    else:
        yield f"  all add up to the output less that of the references (worst: {off})"
    error = np.median([row["error"] / row["peak"] for row in rows if row["peak"]] or [0.0])
    yield f"  errors from {job.settings.references} references: {error:.1%} of the highest score, in the median"


def position_rows(one: Attribution) -> Iterator[Row]:
    """Rows of positions.tsv; held positions have no score."""
    place, given = one.interval, one.given
    for position, letter in enumerate(decode(one.anchor)):
        free = bool(one.mutable[position])
        row: dict[str, object] = {"record": one.name, "position": position, "letter": letter}
        row["score"] = given.scores[position] if free else None
        row["error"] = given.errors[position] if free and given.errors is not None else None
        row |= {name: given.hypothetical[code, position] if free else None for code, name in enumerate(LETTERS)}
        yield row | dict(zip(("chromosome", "chromosome_position"), place_at(place, position), strict=True))


def anchor_row(one: Attribution, job: AttributionJob) -> dict[str, Any]:
    """A row of anchors.tsv, with the highest score and the root mean square of errors."""
    given, sums = one.given, one.given.completeness
    return {
        "record": one.name,
        "output": one.output,
        "score_sum": float(given.scores.sum()),
        "reference_output": sums and sums.reference_output,
        "reference_output_error": sums and sums.reference_error,
        "delta": sums and sums.delta,
        "delta_share": sums and sums.share,
        "complete": sums and sums.share <= job.most,
        "drift": given.drift,
        "peak": float(np.abs(given.scores).max()),
        "error": None if given.errors is None else float(np.sqrt(np.mean(given.errors[one.mutable] ** 2))),
    }


def write_anchor_logo(one: Attribution, number: int, job: AttributionJob) -> str:
    """Write a numbered logo, so that no record's name is in a path; give its path within the folder."""
    name, method = f"logos/logo_{number + 1:06d}.{job.logos}", job.settings.method
    heights = (one_hot(one.anchor) * one.given.scores).T
    logo = Logo(
        title=f"{one.name}   {method}",
        heights=np.asarray(heights, np.float64),
        errors=one.given.errors,
        letters=decode(one.anchor),
        unit=UNITS.get(method, "contribution"),
    )
    write_logo(str(job.folder / name), logo)
    return name
