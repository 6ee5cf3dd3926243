"""What is written and said of attributions."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maxent_cli.alphabet import LETTERS, decode, one_hot
from maxent_cli.analysis.jackknife import Estimate
from maxent_cli.api.motif_results import place_at
from maxent_cli.data import Interval
from maxent_cli.errors import shown
from maxent_cli.interpret.attribution import COMPLETE, Attribution, AttributionSettings, Completeness, MethodScores
from maxent_cli.interpret.prefix_mass import PrefixBits
from maxent_cli.interpret.reading import ReadThrough
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.logos import Logo, write_logo
from maxent_cli.io.reading_figure import ReadingFigure, write_reading_figure
from maxent_cli.io.tables import Row
from maxent_cli.io.unfinished import Arrays, packed, unpacked
from maxent_cli.tables.attribution import ANCHORS, POSITIONS, READING

CURES = {
    "deeplift": "DeepLIFT does not know all parts of this network: use --method integrated-gradients or mutagenesis",
    "integrated-gradients": "give more --steps",
    "prefix": "the network gives other outputs in other company: see `maxent doctor`",
}
FEW_ERRORS = 3  # by which a sum of bits may be off
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


class LawRead(NamedTuple):
    """The bits of an anchor's prefixes, and whether the draws that they are by have converged."""

    bits: PrefixBits
    converged: bool


def pack(one: Attribution, held: LawRead | None = None) -> bytes:
    """What an anchor was found to have, to be kept; held: of its law, if that was drawn from."""
    given = one.given
    arrays: Arrays = {"hypothetical": given.hypothetical, "scores": given.scores}
    arrays |= {"anchor": one.anchor, "mutable": one.mutable}
    arrays |= {} if given.errors is None else {"errors": given.errors}
    for name, part in {} if given.reading is None else given.reading._asdict().items():
        arrays |= {} if part is None else {f"read_{name}": part}
    for name, part in {} if held is None else held.bits._asdict().items():
        arrays |= {f"held_{name}": part.value, f"held_{name}_error": part.error}
    interval = one.interval and astuple(one.interval)
    facts = {"name": one.name, "interval": interval, "output": one.output, "drift": given.drift}
    return packed(arrays, facts | {"completeness": given.completeness, "converged": held and held.converged})


def unpack(path: Path) -> tuple[Attribution, LawRead | None]:
    """What `pack` made of it."""
    arrays, facts = unpacked(path)
    sums = None if facts["completeness"] is None else Completeness(*facts["completeness"])
    read = [arrays.get(f"read_{name}") for name in ReadThrough._fields]
    reading = None if read[0] is None or read[1] is None else ReadThrough(read[0], read[1], read[2], read[3])
    scores = arrays["hypothetical"], arrays["scores"], arrays.get("errors")
    given = MethodScores(*scores, sums, facts["drift"], reading)
    interval = facts["interval"] and Interval(*facts["interval"])
    held = None
    if "held_law" in arrays:
        bits = PrefixBits(
            *(Estimate(arrays[f"held_{name}"], arrays[f"held_{name}_error"]) for name in PrefixBits._fields)
        )
        held = LawRead(bits, facts["converged"])
    return Attribution(facts["name"], interval, arrays["anchor"], arrays["mutable"], facts["output"], given), held


def write(
    found: Iterable[tuple[Attribution, LawRead | None]], job: AttributionJob, most_logos: int
) -> list[dict[str, Any]]:
    """Write tables and the first logos, anchor by anchor; give the rows of anchors.tsv, highest scores too."""
    rows = []
    (job.folder / "logos").mkdir()
    with ExitStack() as stack:
        positions, anchors = (
            stack.enter_context(growing_table(str(job.folder / table.file), table)) for table in (POSITIONS, ANCHORS)
        )
        if job.settings.method == "prefix":
            (job.folder / "reading").mkdir()
            reading = stack.enter_context(growing_table(str(job.folder / READING.file), READING))
        for number, (one, held) in zip(job.numbers, found, strict=True):
            if one.given.reading is not None:
                reading(reading_rows(one, one.given.reading, held))
                if number < most_logos and job.logos != "none":
                    path = str(job.folder / f"reading/reading_{number + 1:06d}.{job.logos}")
                    write_reading_figure(path, _reading_figure(one, one.given.reading, held))
            logo = write_anchor_logo(one, number, job) if number < most_logos and job.logos != "none" else None
            positions(position_rows(one))
            rows.append(anchor_row(one, job) | _held(held) | {"logo": logo})
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
    known = [each for each in map(off_by, rows) if np.isfinite(each)]
    if known:
        fine = sum(each <= FEW_ERRORS for each in known)
        yield f"  bits of prefixes add up to the law's within {FEW_ERRORS} errors in {fine} of {len(known)} anchors"
    yield f"  errors from {job.settings.references} references: {error:.1%} of the highest score, in the median"


def position_rows(one: Attribution) -> Iterator[Row]:
    """Rows of positions.tsv; held positions have no score."""
    place, given = one.interval, one.given
    for position, letter in enumerate(decode(one.anchor)):
        free = bool(one.mutable[position])
        row: dict[str, object] = {"record": one.name, "position": position, "letter": letter}
        row["score"] = given.scores[position] if free else None
        row["error"] = given.errors[position] if free and given.errors is not None else None
        row |= {name: _known(given.hypothetical[code, position]) if free else None for code, name in enumerate(LETTERS)}
        yield row | dict(zip(("chromosome", "chromosome_position"), place_at(place, position), strict=True))


def _known(value: float) -> float | None:
    """None, an empty cell, for what is not known."""
    return value if np.isfinite(value) else None


def reading_rows(one: Attribution, read: ReadThrough, held: LawRead | None) -> Iterator[Row]:
    """Rows of reading.tsv."""
    for position, letter in enumerate(decode(one.anchor)):
        row: dict[str, object] = {"record": one.name, "position": position, "letter": letter}
        for side, name in enumerate(("prefix", "suffix")):
            row |= {name: read.outputs[side, position], f"{name}_error": read.errors[side, position]}
            row[f"running_{name}"] = None if read.running is None else read.running[side, position]
        row["saliency"] = None if read.saliency is None else read.saliency[position]
        for name, part in (("bits", held and held.bits.letters), ("prefix_bits", held and held.bits.prefixes)):
            row[name] = None if part is None else _known(part.value[position])
            row[f"{name}_error"] = None if part is None else _known(part.error[position])
        yield row | dict(zip(("chromosome", "chromosome_position"), place_at(one.interval, position), strict=True))


def _reading_figure(one: Attribution, read: ReadThrough, held: LawRead | None) -> ReadingFigure:
    bits = (None, None) if held is None else (held.bits.letters.value, held.bits.letters.error)
    return ReadingFigure(one.name, decode(one.anchor), *read[:3], *bits)


def _held(held: LawRead | None) -> dict[str, float | bool | None]:
    """The sum of bits, what it must be, and whether the draws have converged."""
    if held is None:
        return dict.fromkeys(("bits", "bits_error", "law_bits", "law_bits_error", "converged"))
    bits = held.bits
    last = np.flatnonzero(np.isfinite(bits.prefixes.value))[-1:]
    sums = {"bits": bits.prefixes.value[last].sum(), "bits_error": bits.prefixes.error[last].sum()}
    sums |= {"law_bits": bits.law.value, "law_bits_error": bits.law.error}
    return {name: _known(float(value)) for name, value in sums.items()} | {"converged": held.converged}


def off_by(row: dict[str, Any]) -> float:
    """By how many of its errors a sum of bits is off; nan where that is not known."""
    if any(row[name] is None for name in ("bits", "bits_error", "law_bits", "law_bits_error")):
        return float("nan")
    return float(abs(row["bits"] - row["law_bits"]) / np.hypot(row["bits_error"], row["law_bits_error"]))


def anchor_row(one: Attribution, job: AttributionJob) -> dict[str, Any]:
    """A row of anchors.tsv, with the highest score and the root mean square of errors."""
    given, sums = one.given, one.given.completeness
    return {
        "record": one.name,
        "output": one.output,
        "score_sum": float(given.scores.sum()),
        "score_sum_error": sums and sums.error,
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
