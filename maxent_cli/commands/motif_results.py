"""What the motifs command reads off draws, anchor by anchor, and how it is written."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from maxent_cli.alphabet import LETTERS, decode
from maxent_cli.analysis.information import Frequencies, Information, frequencies, information
from maxent_cli.analysis.motifs import (
    Calling,
    Group,
    Segment,
    column_information,
    consensus,
    find_segments,
)
from maxent_cli.commands.options import Progress
from maxent_cli.data import Floats, Interval, Motif, SampleSet
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.logos import Logo, information_heights, write_logo
from maxent_cli.io.motif_files import log_odds, write_meme, write_pwm_table
from maxent_cli.io.samples import Draws
from maxent_cli.io.tables import Row, write_table

ANCHORS = ("record", "bits", "bits_error", "segments", "ess_median", "logo")
POSITIONS = (
    *("record", "position", "letter", "information", "information_error", "ess"),
    *(f"{name}_{letter}" for name in ("p", "error", "background") for letter in LETTERS),
)
PWM = ("record", "position", *LETTERS)
SEGMENTS = (
    *("record", "start", "end", "bits", "sites", "consensus", "motif", "motif_offset", "motif_strand"),
    *("chromosome", "chromosome_start", "chromosome_end"),
)
AGGREGATE = ("motif", "consensus", "width", "anchors", "segments", "sites", "bits", "bits_error", "logo")
MOST_MOTIF_LOGOS = 20


@dataclass(frozen=True)
class Job:
    """Where to write, what makes a segment, the logos' format (or 'none') and how many anchors get one."""

    folder: Path
    calling: Calling
    logos: str
    most_logos: int


@dataclass
class Findings:
    """What all anchors gave: segments, the interval of the anchor of each, and the sums for a mean background."""

    segments: list[Segment] = field(default_factory=list)
    places: list[Interval | None] = field(default_factory=list)
    anchors: int = 0
    positions: int = 0
    rows: Floats = field(default_factory=lambda: np.zeros(4))
    most_bits: float = 0.0

    @property
    def background(self) -> Floats:
        """Mean background row (4,) of the mutable positions."""
        return self.rows / self.rows.sum() if self.positions else np.full(4, 0.25)

    def add(self, samples: SampleSet, held: Information, segments: Sequence[Segment]) -> None:
        """Take in one anchor."""
        self.segments.extend(segments)
        self.places.extend(samples.interval for _ in segments)
        self.anchors += 1
        self.positions += int(samples.mutable.sum())
        self.rows += samples.background[samples.mutable].sum(axis=0)
        self.most_bits = max(self.most_bits, float(held.positions.max(initial=0)))

    def why_nothing(self, calling: Calling) -> Iterator[str]:
        """What was looked at, against which threshold, and what to try."""
        yield (
            f"nothing found: looked at {self.positions} mutable positions of {self.anchors} anchors for stretches of "
            f"{calling.width} bp or more, each position {calling.bits:g} bits and {calling.errors:g} standard errors"
        )
        yield (
            f"the best position holds {self.most_bits:.2g} bits; try --tether 0.4 in sample, which keeps motifs in "
            "their place, a higher --beta, more draws, or lower --bits here"
        )


def read_off(draws: Draws, job: Job) -> Findings:
    """Go through the anchors once, write what belongs to each, and keep the segments."""
    found = Findings()
    with ExitStack() as stack, Progress("motifs", len(draws), "anchors") as progress:
        anchors, positions, pwm = (
            stack.enter_context(growing_table(str(job.folder / f"{name}.tsv"), header))
            for name, header in (("anchors", ANCHORS), ("positions", POSITIONS), ("pwm", PWM))
        )
        for samples in draws:
            letters, held = frequencies(samples), information(samples)
            segments = find_segments(samples, letters, held, job.calling)
            positions(_position_rows(samples, letters, held))
            pwm(_pwm_rows(samples, letters))
            logo = _write_anchor_logo(found.anchors, samples, (letters, held, segments), job)
            anchors([_anchor_row(samples, letters, held, (len(segments), logo))])
            found.add(samples, held, segments)
            progress.advance()
    return found


def write_motifs(found: Findings, groups: Sequence[Group], job: Job) -> None:
    """Write segments and the motifs that they make together."""
    motifs, background = [group.motif for group in groups], found.background
    held = [column_information(group, found.segments, background) for group in groups]
    logos = [_write_motif_logo(number, group, held[number], job) for number, group in enumerate(groups)]
    write_meme(str(job.folder / "anchor_motifs.meme"), (segment.motif for segment in found.segments), background)
    write_meme(str(job.folder / "motifs.meme"), motifs, background)
    write_pwm_table(str(job.folder / "motifs_pwm.tsv"), motifs, background)
    rows = [_aggregate_row(*each) for each in zip(groups, held, logos, strict=True)]
    write_table(str(job.folder / "aggregate.tsv"), rows, AGGREGATE)
    write_table(str(job.folder / "segments.tsv"), _segment_rows(found, groups), SEGMENTS)


def _anchor_row(samples: SampleSet, letters: Frequencies, held: Information, rest: tuple[int, str | None]) -> Row:
    ess = letters.ess[samples.mutable]
    values = (
        samples.name,
        held.total,
        held.total_error,
        rest[0],
        float(np.median(ess)) if len(ess) else np.nan,
        rest[1],
    )
    return dict(zip(ANCHORS, values, strict=True))


def _position_rows(samples: SampleSet, letters: Frequencies, held: Information) -> Iterator[Row]:
    sequence = decode(samples.anchor)
    numbers = np.column_stack(
        [held.positions, held.errors, letters.ess, letters.probabilities, letters.errors, samples.background]
    )
    for position in range(len(numbers)):
        row = numbers[position]
        yield dict(zip(POSITIONS, (samples.name, position, sequence[position], *row), strict=True))


def _pwm_rows(samples: SampleSet, letters: Frequencies) -> Iterator[Row]:
    free = np.flatnonzero(samples.mutable)
    sites = letters.ess[free]
    motif = Motif(samples.name, letters.probabilities[free] * sites[:, None], 0)
    odds = np.zeros(letters.probabilities.shape)
    odds[free] = log_odds(motif, samples.background[free])
    for position in range(len(odds)):
        row = odds[position]
        yield dict(zip(PWM, (samples.name, position, *row), strict=True))


def _write_anchor_logo(
    row: int, samples: SampleSet, read: tuple[Frequencies, Information, Sequence[Segment]], job: Job
) -> str | None:
    letters, held, segments = read
    if job.logos == "none" or row >= job.most_logos:
        return None
    logo = Logo(
        title=f"{samples.name}   {held.total:.2f} ± {held.total_error:.2f} bits",
        heights=information_heights(letters.probabilities, held.positions),
        errors=held.errors,
        letters=decode(samples.anchor),
        spans=[(segment.start, segment.end) for segment in segments],
    )
    return _write_logo(job, f"logo_{row + 1:06d}", logo)


def _write_motif_logo(number: int, group: Group, held: tuple[Floats, Floats], job: Job) -> str | None:
    if job.logos == "none" or number >= MOST_MOTIF_LOGOS:
        return None
    bits, errors = held
    logo = Logo(
        title=f"{group.motif.name}   {group.anchors} anchors, {len(group.members)} segments",
        heights=information_heights(group.motif.probabilities, bits),
        errors=errors,
        axis="column (0-based)",
    )
    return _write_logo(job, f"motif_{number + 1:03d}", logo)


def _write_logo(job: Job, stem: str, logo: Logo) -> str:
    """Write a numbered logo, so that no record's name is in a path; give its path within the folder."""
    name = f"logos/{stem}.{job.logos}"
    write_logo(str(job.folder / name), logo)
    return name


def _aggregate_row(group: Group, held: tuple[Floats, Floats], logo: str | None) -> Row:
    bits, errors = held
    described = (group.motif.name, consensus(group.motif), len(bits), group.anchors, len(group.members))
    total = (group.motif.sites, float(bits.sum()), float(np.sqrt((errors**2).sum())))
    return dict(zip(AGGREGATE, (*described, *total, logo), strict=True))


def _segment_rows(found: Findings, groups: Iterable[Group]) -> list[Row]:
    members = {member.segment: (group.motif.name, member) for group in groups for member in group.members}
    rows = list[Row]()
    for number, (segment, place) in enumerate(zip(found.segments, found.places, strict=True)):
        motif, member = members[number]
        here = (segment.anchor, segment.start, segment.end, segment.bits, segment.motif.sites, consensus(segment.motif))
        values = (*here, motif, member.offset, member.strand, *_in_genome(segment, place))
        rows.append(dict(zip(SEGMENTS, values, strict=True)))
    return rows


def _in_genome(segment: Segment, place: Interval | None) -> tuple[str | None, int | None, int | None]:
    if place is None:
        return None, None, None
    if place.strand == "-":
        return place.chromosome, place.end - segment.end, place.end - segment.start
    return place.chromosome, place.start + segment.start, place.start + segment.end
