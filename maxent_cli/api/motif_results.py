"""What motifs reads off draws: each anchor by itself, then the motifs that anchors share."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import decode, one_hot
from maxent_cli.analysis.diagnostics import Diagnosis, Judge
from maxent_cli.analysis.discovery import ENOUGH, Calling, Found, discover
from maxent_cli.analysis.free_energy import bits_of_law
from maxent_cli.analysis.information import Frequencies, Information, frequencies, information_of
from maxent_cli.analysis.jackknife import Estimate
from maxent_cli.analysis.motifs import consensus
from maxent_cli.analysis.occupancy import (
    MotifProbe,
    Occupancy,
    Tally,
    find_sites,
    occupancy,
    set_threshold,
    share_holding,
    tally,
)
from maxent_cli.analysis.recurrence import Merged, merge
from maxent_cli.analysis.segments import Segment, find_segments
from maxent_cli.analysis.sites import Letters, Sites, letters_of, overhung, redrawn, thinned
from maxent_cli.analysis.spacing import Spacings, pairs_of
from maxent_cli.api.draws import Draws
from maxent_cli.api.listening import FIRST_RUN, Listener
from maxent_cli.data import Floats, Interval, Motif, SampleSet
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.logos import Logo, information_heights, write_logo
from maxent_cli.io.tables import Row, write_table
from maxent_cli.tables import motifs as tables
from maxent_cli.tables.schema import Table

OVERHANG = 8  # bp by which a site may hang over either end of an anchor
THRESHOLD_ANCHORS = 20  # whose background draws set the thresholds of sites
AHEAD = 4  # anchors a thread, read before they are written
MOST_SPACED = 6  # motifs whose distances are looked at

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """What one anchor's draws hold, by themselves; by_chance: motifs of as many draws at beta = 0."""

    samples: SampleSet
    letters: Frequencies
    held: Information
    law: Estimate
    motifs: list[Found]
    by_chance: list[Found]
    diagnosis: Diagnosis


@dataclass(frozen=True)
class MotifsJob:
    """Where to write, what makes a motif, how alike two are that are one, and what more is asked for.

    logos is their format (or 'none'), most_logos the number of anchors that get one; listener hears how far it is.
    unconverged: whether anchors whose draws have not converged count for what comes again.
    """

    folder: Path
    calling: Calling
    similarity: float
    logos: str
    most_logos: int
    draw_sites: bool
    threads: int
    listener: Listener
    unconverged: bool = False

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Write a table into the folder."""
        write_table(str(self.folder / table.file), rows, table)


@dataclass
class Findings:
    """What the anchors gave one by one: motifs with the anchor's row; of how many beta = 0 draws gave any; and sums.

    convergence: what the draws of each are like.
    """

    motifs: list[tuple[int, Found]] = field(default_factory=list)
    by_chance: int = 0
    draws: int = 0
    positions: int = 0
    most_bits: float = 0.0
    rows: Floats = field(default_factory=lambda: np.zeros(4))
    one_hot: list[NDArray[np.float32]] = field(default_factory=list)
    attributions: list[NDArray[np.float32]] = field(default_factory=list)
    convergence: list[Diagnosis] = field(default_factory=list)

    def add(self, read: Read, odds: Floats) -> None:
        """Take in one anchor, and its log odds (L, 4)."""
        row, samples = len(self.one_hot), read.samples
        self.motifs += [(row, motif) for motif in read.motifs]
        self.by_chance += bool(read.by_chance)
        self.draws += samples.codes[..., 0].size
        self.positions += int(samples.mutable.sum())
        self.rows += samples.background[samples.mutable].sum(axis=0)
        self.most_bits = max(self.most_bits, float(read.held.positions.max(initial=0)))
        self.convergence.append(read.diagnosis)
        self.one_hot.append(one_hot(samples.anchor))
        self.attributions.append((odds - odds.mean(axis=1, keepdims=True)).T.astype(np.float32))

    @property
    def converged(self) -> set[int]:
        """The rows of anchors whose draws have converged."""
        return {row for row, one in enumerate(self.convergence) if one.converged}

    @property
    def holding(self) -> int:
        """Anchors whose draws hold a motif."""
        return len({row for row, _ in self.motifs})


@dataclass(frozen=True)
class Presence:
    """Where one anchor's draws (so many a chain) hold each motif, the letters there, and, if asked, all sites."""

    name: str
    interval: Interval | None
    draws: int
    occupancies: list[Occupancy]
    tallies: list[Tally | None]  # None where the draws hold no more than the background
    sites: Sites | None
    convergence: Diagnosis
    stands_for: float | None


@dataclass(frozen=True)
class Shared:
    """Motifs that anchors share, where each anchor has them, their spacings, and what is counted against.

    length is the anchors'; the starts of sites count from OVERHANG bp before them.
    """

    length: int
    reference: Floats
    merged: list[Merged]
    probes: list[MotifProbe]
    presences: list[Presence]
    spacings: dict[tuple[int, int], Spacings]


def read_off(draws: Draws, job: MotifsJob) -> Findings:
    """Go through the anchors, write what belongs to each by itself, and keep the motifs that their draws hold."""
    found = Findings()
    with ExitStack() as stack, job.listener.progress("motifs of anchors", len(draws), "anchors", FIRST_RUN) as progress:
        anchors, positions, pwm, segments = (
            stack.enter_context(growing_table(str(job.folder / table.file), table))
            for table in (tables.ANCHORS, tables.POSITIONS, tables.PWM, tables.SEGMENTS)
        )
        whole = in_order(range(len(draws)), lambda row: _read(job.calling, draws.diagnosis, draws[row]), job.threads)
        for row, read in enumerate(whole):
            stretches = find_segments(read.samples, read.letters, read.held, job.calling)
            positions(_position_rows(read))
            odds = _odds(read.samples, read.letters)
            pwm(_pwm_rows(read, odds))
            segments(_segment_rows(read, stretches))
            logo = _write_anchor_logo(row, read, stretches, job)
            anchors([_anchor_row(read, len(stretches), logo)])
            found.add(read, odds)
            progress.note = ""
            progress.advance()
    return found


def share(draws: Draws, found: Findings, job: MotifsJob) -> Shared:
    """Motifs of all anchors together, and a second pass over the draws for their sites."""
    reference = _reference(draws, found)
    counting = None if job.unconverged else found.converged
    merged = merge(found.motifs, reference, job.calling, job.similarity, counting)
    probes = _probes(draws, merged, reference, job.calling)
    length = draws[0].codes.shape[2] if len(draws) else 0
    spacings = {pair: Spacings(length + 2 * OVERHANG) for pair in pairs_of(min(len(merged), MOST_SPACED))}
    presences = list[Presence]()
    with job.listener.progress("sites in draws", len(draws), "anchors") as progress:
        for letters, sites, presence in in_order(
            range(len(draws)), lambda row: _present(probes, job, found.convergence[row], draws[row]), job.threads
        ):
            for pair, spacing in spacings.items():
                spacing.add(letters, sites, pair, (probes[pair[0]], probes[pair[1]]))
            presences.append(presence)
            progress.advance()
    return Shared(length, reference, merged, probes, presences, spacings)


def write_numbered_logo(job: MotifsJob, stem: str, logo: Logo) -> str:
    """Write a numbered logo, so that no record's name is in a path; give its path within the folder."""
    name = f"logos/{stem}.{job.logos}"
    write_logo(str(job.folder / name), logo)
    return name


def in_genome(start: int, end: int, place: Interval) -> tuple[str, int, int]:
    """Chromosome, start and end of a stretch of an anchor that is an interval; 0-based half-open."""
    if place.strand == "-":
        return place.chromosome, place.end - end, place.end - start
    return place.chromosome, place.start + start, place.start + end


def place_at(place: Interval | None, position: int) -> tuple[str | None, int | None]:
    """Chromosome and place (0-based) of a position of an anchor; None where they are not known."""
    return in_genome(position, position + 1, place)[:2] if place else (None, None)


def convergence_of(presences: Sequence[Presence]) -> tuple[int, float]:
    """Of how many anchors draws have converged, and the worst R-hat."""
    seen = [presence.convergence for presence in presences]
    return sum(one.converged for one in seen), float(np.fmax.reduce([one.worst_rhat for one in seen], initial=np.nan))


def chance_for(samples: SampleSet, use: str) -> np.random.Generator:
    """Random numbers that are a function of the anchor and of what they are for."""
    key = f"{use}\n{samples.name}\n{decode(samples.anchor)}".encode()
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big"))


def _overhung(samples: SampleSet) -> Letters:
    return overhung(letters_of(samples), OVERHANG)


def in_order(rows: Sequence[int], work: Callable[[int], T], threads: int) -> Iterator[T]:
    """The work done on each row, in order, by threads a few anchors ahead at most."""
    begun = deque[Future[T]]()
    with ThreadPoolExecutor(threads) as pool:
        for row in rows:
            begun.append(pool.submit(work, row))
            if len(begun) > AHEAD * threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def told(diagnosis: Diagnosis) -> tuple[bool, float]:
    """Whether draws have converged, and their worst R-hat, as every table of them says at its end."""
    return diagnosis.converged, diagnosis.worst_rhat


def _read(calling: Calling, judge: Judge, samples: SampleSet) -> Read:
    letters = letters_of(samples)
    background = redrawn(thinned(letters, ENOUGH), chance_for(samples, "background"))
    other = redrawn(letters, chance_for(samples, "null"))
    held, by_chance = (discover(drawn, background, calling) for drawn in (letters, other))
    law, diagnosis = bits_of_law(samples), judge(samples)
    return Read(samples, frequencies(samples), information_of(samples), law, held, by_chance, diagnosis)


def _reference(draws: Draws, found: Findings) -> Floats:
    """The untethered background (4,) that motifs of all anchors refer to."""
    said = draws.header.get("law", {}).get("background")
    if said is not None:
        return np.asarray(said, np.float64)
    return found.rows / found.rows.sum() if found.rows.any() else np.full(4, 0.25)


def _probes(draws: Draws, merged: Sequence[Merged], reference: Floats, calling: Calling) -> list[MotifProbe]:
    if not merged:
        return []
    rows = np.unique(np.linspace(0, len(draws) - 1, THRESHOLD_ANCHORS).astype(int))
    chosen = (draws[int(row)] for row in rows)
    few = [(thinned(_overhung(samples), ENOUGH), chance_for(samples, "background")) for samples in chosen]
    backgrounds = [redrawn(letters, chance) for letters, chance in few]
    return [
        MotifProbe(one.weights, set_threshold(one.weights, reference, backgrounds, calling.site_rate)) for one in merged
    ]


def _present(
    probes: Sequence[MotifProbe], job: MotifsJob, diagnosis: Diagnosis, samples: SampleSet
) -> tuple[Letters, Sites, Presence]:
    letters = _overhung(samples)
    worth = np.fmax(diagnosis.least_ess, 1)
    background = redrawn(thinned(letters, ENOUGH), chance_for(samples, "null"))
    sites, by_chance = find_sites(letters, probes), find_sites(background, probes)
    occupancies = [
        occupancy(letters, sites, row, share_holding(by_chance, row, len(background.codes)), worth)
        for row in range(len(probes))
    ]
    tallies = [
        tally(letters, probe) if held.beyond(job.calling) else None
        for probe, held in zip(probes, occupancies, strict=True)
    ]
    kept = sites.compact() if job.draw_sites else None
    draws = samples.codes.shape[1]
    known = samples.name, samples.interval, draws, occupancies, tallies, kept, diagnosis, samples.stands_for
    return letters, sites, Presence(*known)


def _anchor_row(read: Read, segments: int, logo: str | None) -> Row:
    ess = read.letters.ess[read.samples.mutable]
    median = float(np.median(ess)) if len(ess) else np.nan
    held, law = read.held, read.law
    bits = (held.total, held.total_error, float(law.value), float(law.error), len(read.samples.codes) - 1)
    return tables.ANCHORS.row(read.samples.name, *bits, segments, median, logo, *told(read.diagnosis))


def _position_rows(read: Read) -> Iterator[Row]:
    samples, letters, held = read.samples, read.letters, read.held
    sequence = decode(samples.anchor)
    numbers = np.column_stack(
        [held.positions, held.errors, letters.ess, letters.probabilities, letters.errors, samples.background]
    )
    for position, row in enumerate(numbers.tolist()):
        here = (samples.name, position, sequence[position], *place_at(samples.interval, position))
        yield tables.POSITIONS.row(*here, *row, *told(read.diagnosis))


def _odds(samples: SampleSet, letters: Frequencies) -> Floats:
    """Log2 odds (L, 4) of each position's letters against its background; 0 at fixed positions."""
    free = np.flatnonzero(samples.mutable)
    motif = Motif(samples.name, letters.probabilities[free] * letters.ess[free][:, None], 0)
    odds = np.zeros(letters.probabilities.shape)
    odds[free] = motif.log_odds(samples.background[free])
    return odds


def _pwm_rows(read: Read, odds: Floats) -> Iterator[Row]:
    for position, row in enumerate(odds.tolist()):
        place = place_at(read.samples.interval, position)
        yield tables.PWM.row(read.samples.name, position, *row, *place, *told(read.diagnosis))


def _segment_rows(read: Read, segments: Sequence[Segment]) -> Iterator[Row]:
    place = read.samples.interval
    for segment in segments:
        here = (segment.anchor, segment.start, segment.end, segment.bits, segment.motif.sites)
        there = in_genome(segment.start, segment.end, place) if place else (None, None, None)
        yield tables.SEGMENTS.row(*here, consensus(segment.motif), *there, *told(read.diagnosis))


def _write_anchor_logo(row: int, read: Read, segments: Sequence[Segment], job: MotifsJob) -> str | None:
    if job.logos == "none" or row >= job.most_logos:
        return None
    held = read.held
    logo = Logo(
        title=f"{read.samples.name}   {held.total:.2f} ± {held.total_error:.2f} bits",
        heights=information_heights(read.letters.probabilities, held.positions),
        errors=held.errors,
        letters=decode(read.samples.anchor),
        spans=[(segment.start, segment.end) for segment in segments],
    )
    return write_numbered_logo(job, f"logo_{row + 1:06d}", logo)
