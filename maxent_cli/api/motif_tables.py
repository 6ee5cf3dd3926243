"""How motifs writes the motifs that anchors share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from maxent_cli.analysis.avoidance import MOST_AVOIDED
from maxent_cli.analysis.motifs import consensus
from maxent_cli.analysis.names import Family, cells_of, name_motifs
from maxent_cli.analysis.occupancy import LEAST_OCCUPANCY, Occupancy, column_bits, site_counts, total_bits
from maxent_cli.analysis.recurrence import Merged
from maxent_cli.analysis.sites import STRANDS
from maxent_cli.analysis.spacing import FACING, Spacing
from maxent_cli.analysis.verdicts import HELD
from maxent_cli.api.anchors import Anchors
from maxent_cli.api.motif_questions import Questions
from maxent_cli.api.motif_results import (
    OVERHANG,
    Findings,
    MotifsJob,
    Presence,
    Shared,
    convergence_of,
    in_genome,
    told,
    write_numbered_logo,
)
from maxent_cli.api.question_tables import motif_of, motif_rows, occupancy_rows
from maxent_cli.data import Floats, Interval, Motif
from maxent_cli.errors import printable
from maxent_cli.io.bed import BedRow, write_bed
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.logos import Logo, information_heights
from maxent_cli.io.modisco import write_modisco
from maxent_cli.io.motif_files import write_jaspar, write_meme, write_ppm_table, write_pwm_table
from maxent_cli.io.tables import Row, text_of
from maxent_cli.io.tracks import PLACE, SESSION, write_session, write_signal
from maxent_cli.tables import motifs as tables

MOST_MOTIF_LOGOS = 20
SAID = 5  # motifs in the account for people
TURNED = {"a> b>": "b> a>", "b> a>": "a> b>"}  # as the other motif of the pair sees it


@dataclass(frozen=True)
class Final:
    """A motif as it is written: its name, its row while it was looked for, letter counts by block (B, W, 4), anchors.

    first is the column at which the written motif begins in the one that was looked for. converged: of how many of the
    anchors draws have converged; rhat: the worst of theirs.
    """

    name: str
    row: int
    first: int
    counts: Floats
    anchors: int
    sites: int
    converged: int
    rhat: float
    stands_for: float | None

    @property
    def number(self) -> int:
        """The number in its name."""
        return int(self.name.removeprefix("motif_"))

    @property
    def motif(self) -> Motif:
        """As counts at its sites."""
        return Motif(self.name, self.counts[0], self.sites)


def final_motifs(shared: Shared, job: MotifsJob) -> list[Final]:
    """The motifs that draws hold beyond the background in any anchor, on informative columns; most anchors first."""
    rows = range(len(shared.probes))
    held = [[p for p in shared.presences if p.occupancies[row].beyond(job.calling)] for row in rows]
    finals = [_final(shared, row, held[row], job) for row in rows if held[row]]
    wide = [one for one in finals if one.counts.shape[1] >= job.calling.width]
    wide.sort(key=lambda one: (-one.anchors, -one.sites))
    return [replace(one, name=f"motif_{number}") for number, one in enumerate(wide, 1)]


def write_motifs(
    finals: Sequence[Final], shared: Shared, questions: Questions, known: Sequence[Motif], job: MotifsJob
) -> tuple[list[list[Family]], list[list[Family]]]:
    """Write the motifs in every format; give the names of those held and of those avoided."""
    motifs, reference, folder = [one.motif for one in finals], shared.reference, str(job.folder)
    avoided = [motif_of(number, one) for number, one in enumerate(questions.avoided, 1)]
    names, others = name_motifs(motifs, known), name_motifs(avoided, known)
    write_meme(f"{folder}/avoided.meme", avoided, reference)
    write_meme(f"{folder}/motifs.meme", motifs, reference)
    write_jaspar(f"{folder}/motifs.jaspar", motifs)
    write_ppm_table(f"{folder}/motifs_ppm.tsv", motifs)
    write_pwm_table(f"{folder}/motifs_pwm.tsv", motifs, reference)
    held = [_motif_row(*each, shared, job) for each in zip(finals, names, strict=True)]
    job.write(tables.MOTIFS, [*held, *motif_rows(questions, others, shared, job)])
    called_so = zip((*motifs, *avoided), (*names, *others), strict=True)
    job.write(tables.KNOWN, (row for motif, like in called_so for row in _known_rows(motif.name, like)))
    return names, others


def _known_rows(motif: str, families: Sequence[Family]) -> Iterator[Row]:
    for number, family in enumerate(families, 1):
        for name in family.members:
            yield tables.KNOWN.row(motif, number, name.known, *name.told)


def write_places(
    finals: Sequence[Final], shared: Shared, questions: Questions, names: Sequence[Sequence[Family]], job: MotifsJob
) -> None:
    """Write where the draws hold the motifs, how far apart, and each anchor's own version of them."""
    sites = list(_site_rows(finals, shared))
    job.write(tables.SITES, sites)
    _write_bed(sites, called(finals, names), job)
    logos = _write_aligned_logos(finals, shared, job)
    job.write(tables.OCCUPANCY, _occupancy_rows(finals, shared, questions, logos, job))
    job.write(tables.SPACING, _spacing_rows(finals, shared))
    aligned = (_aligned(one, p, shared) for p in shared.presences for one in finals if _holds(one, p, job))
    write_meme(f"{job.folder}/anchor_motifs.meme", aligned, shared.reference)


def write_draw_sites(finals: Sequence[Final], shared: Shared, job: MotifsJob) -> None:
    """Write every site of every draw."""
    with growing_table(str(job.folder / tables.DRAW_SITES.file), tables.DRAW_SITES) as append:
        for presence in shared.presences:
            append(_draw_site_rows(finals, presence, shared))


def write_rates(finals: Sequence[Final], found: Findings, shared: Shared, questions: Questions, job: MotifsJob) -> None:
    """Write how often motifs are found and come again, and how often by chance."""
    rows = [
        ("anchors whose draws hold a motif", found.holding, len(found.one_hot)),
        ("anchors whose beta = 0 draws do", found.by_chance, len(found.one_hot)),
        ("motifs that draws avoid, of those sought at most", len(questions.avoided), MOST_AVOIDED),
        ("the same in beta = 0 draws", questions.by_chance, MOST_AVOIDED),
    ]
    for one in finals:
        merged = shared.merged[one.row]
        rows += [
            (f"motifs found in single anchors that are {one.name}", merged.members, _counting(found, job)),
            (f"the same with shuffled columns that are like {one.name}", merged.shuffled.alike, merged.shuffled.of),
        ]
    job.write(tables.RATES, (tables.RATES.row(*row) for row in rows))


def write_records(finals: Sequence[Final], shared: Shared, records: Anchors, job: MotifsJob) -> list[str]:
    """Write how common the motifs are among records; give that in lines for people."""
    from maxent_cli.api import prevalence  # imports numba, for shuffles

    data = prevalence.read_data(records, shared.length, str(job.folder / tables.LEFT_OUT.file), job.listener)
    motifs = [one.motif for one in finals]
    found = list(prevalence.common(motifs, data, shared.reference, job.calling.site_rate, job.listener))
    job.write(tables.RECORDS, (prevalence.row_of(*each) for each in found))
    return [prevalence.told(one, of_records) for one, _, of_records in found[:SAID]]


def write_attributions(found: Findings, job: MotifsJob) -> None:
    """Write the anchors, and the log2 odds of each position centred over letters, for TF-MoDISco."""
    if found.one_hot:
        write_modisco(f"{job.folder}/modisco", np.stack(found.one_hot), np.stack(found.attributions))


def write_tracks(job: MotifsJob) -> None:
    """Write the information of positions in the genome, and what opens it and the sites in IGV, where it is known."""
    path = job.folder / tables.POSITIONS.file
    wanted = [*PLACE, "information"]
    table = pd.read_csv(path, sep="\t", usecols=wanted, dtype={"chromosome": str}, keep_default_na=False, na_values={})
    table = table.assign(**{name: pd.to_numeric(table[name]) for name in wanted[1:]})
    table["chromosome"] = table["chromosome"].map(text_of)
    if write_signal(job.folder, "information", table, "information")[0]:
        tracks = [str(job.folder / name) for name in (tables.BED.file, "information.bw")]
        write_session(str(job.folder / SESSION), tracks)


def account(
    finals: Sequence[Final], found: Findings, shared: Shared, names: Sequence[Sequence[Family]], job: MotifsJob
) -> Iterator[str]:
    """What was found, in lines for people."""
    again = sum(shared.merged[one.row].p <= tables.TELLING_P for one in finals)
    yield (
        f"{len(found.one_hot)} anchors, {found.holding} with motifs in their draws ({found.by_chance} in as many draws "
        f"at beta = 0); {len(finals)} motifs in all, {again} in more anchors than by chance"
    )
    for one, like in list(zip(finals, names, strict=True))[:SAID]:
        known = f"; like {like[0].label} ({like[0].best.known}), q {like[0].best.q:.2g}" if like else ""
        yield f"  {one.name} {consensus(one.motif)}: {one.anchors} anchors{_standing(one)}, {one.sites} sites{known}"
        yield f"    {_recurrence(shared.merged[one.row], _counting(found, job))}"
    unsettled = len(found.convergence) - len(found.converged)
    if unsettled:
        how = "count" if job.unconverged else "do not count for what comes again"
        yield f"  {unsettled} of {len(found.convergence)} anchors have not converged, and {how}; see anchors.tsv"
    if not finals:
        yield from _why_nothing(found, job)


def _counting(found: Findings, job: MotifsJob) -> int:
    """How many motifs of anchors count for what comes again."""
    return sum(job.unconverged or row in found.converged for row, _ in found.motifs)


def _recurrence(one: Merged, motifs: int) -> str:
    if one.members < 2:
        seen = "one anchor" if one.members else "no anchor that has converged"
        return f"seen in {seen}: whether it comes again cannot be judged"
    shuffled = f"{one.shuffled.alike} of {one.shuffled.of} with shuffled columns"
    verdict = "" if one.p <= tables.TELLING_P else ", no more than by chance"
    return f"{one.members} of {motifs} motifs found in single anchors are like it, {shuffled}: p {one.p:.2g}{verdict}"


def _why_nothing(found: Findings, job: MotifsJob) -> Iterator[str]:
    """What was looked at, against which threshold, and what to try."""
    calling = job.calling
    yield (
        f"  nothing found: looked in {found.draws} draws of {len(found.one_hot)} anchors ({found.positions} mutable "
        f"positions) for motifs of {calling.width} bp and {calling.motif_bits:g} bits or more, columns of "
        f"{calling.bits:g} bits and {calling.errors:g} standard errors, that tell draws from background by "
        f"{calling.presence:g} bits a draw"
    )
    yield (
        f"  the best position holds {found.most_bits:.2g} bits; try a higher --beta or --keep in sample, more chains "
        "and draws, --tether 0.4, which keeps motifs in their place, or lower --bits and --motif-bits here"
    )


def _final(shared: Shared, row: int, presences: Sequence[Presence], job: MotifsJob) -> Final:
    counts = site_counts([tally for p in presences if (tally := p.tallies[row])], shared.reference)
    bits, calling = column_bits(counts, shared.reference), job.calling
    kept = np.flatnonzero(bits.value >= calling.bits)
    first, last = (int(kept[0]), int(kept[-1]) + 1) if len(kept) else (0, 0)
    sites = sum(p.occupancies[row].sites for p in presences)
    told = (*convergence_of(presences), _stands_for(presences))
    return Final("", row, first, counts[:, first:last], len(presences), sites, *told)


def _stands_for(presences: Sequence[Presence]) -> float | None:
    """The share of the data for which anchors stand; None where one was not chosen to."""
    shares = [presence.stands_for for presence in presences]
    known = [share for share in shares if share is not None]
    return min(sum(known), 1.0) if len(known) == len(shares) else None


def _standing(one: Final) -> str:
    return "" if one.stands_for is None else f" that stand for {one.stands_for:.0%} of the data"


def _holds(one: Final, presence: Presence, job: MotifsJob) -> bool:
    return presence.occupancies[one.row].beyond(job.calling)


def _span(one: Final, shared: Shared, start: int, strand: str) -> tuple[int, int]:
    """Start and end of the written motif within the anchor, from the start of the one that was looked for."""
    width, whole = one.counts.shape[1], shared.probes[one.row].width
    first = start - OVERHANG + (one.first if strand == "+" else whole - one.first - width)
    return max(first, 0), min(first + width, shared.length)


def _motif_row(one: Final, names: Sequence[Family], shared: Shared, job: MotifsJob) -> Row:
    motif, total = one.motif, total_bits(one.counts, shared.reference)
    described = (one.name, HELD, consensus(motif), len(motif.counts), one.anchors, one.sites)
    by_chance = np.mean([p.occupancies[one.row].background for p in shared.presences])
    rest = (
        _write_motif_logo(one, names, shared, job),
        len(shared.merged[one.row].anchors),
        shared.merged[one.row].p,
        shared.probes[one.row].threshold,
        float(by_chance),
        np.nan,
        np.nan,
        one.converged,
        one.rhat,
        one.stands_for,
    )
    return tables.MOTIFS.row(*described, float(total.value), float(total.error), *cells_of(names), *rest)


def _write_motif_logo(one: Final, names: Sequence[Family], shared: Shared, job: MotifsJob) -> str | None:
    if job.logos == "none" or one.number > MOST_MOTIF_LOGOS:
        return None
    bits = column_bits(one.counts, shared.reference)
    like = f"   {names[0].label}" if names else ""
    logo = Logo(
        title=f"{one.name}   {one.anchors} anchors, {one.sites} sites{like}",
        heights=information_heights(one.motif.probabilities, bits.value),
        errors=bits.error,
        axis="column (0-based)",
    )
    return write_numbered_logo(job, f"motif_{one.number:03d}", logo)


def _site_rows(finals: Sequence[Final], shared: Shared) -> Iterator[Row]:
    for presence in shared.presences:
        rows = [_site_row(one, place, presence, shared) for one in finals for place in _often(one, presence)]
        yield from sorted(rows, key=lambda row: (row["start"], row["motif"], row["strand"]))


def called(finals: Sequence[Final], names: Sequence[Sequence[Family]]) -> dict[str, str]:
    """What each motif is called where there is little room: the first known motif that it is like beyond chance."""
    return {
        one.name: like[0].best.name if like and like[0].tells else one.name
        for one, like in zip(finals, names, strict=True)
    }


def _write_bed(sites: Sequence[Mapping[str, Any]], names: Mapping[str, str], job: MotifsJob) -> None:
    """The sites as BED6 by chromosome and place, each called as its motif is known."""
    place = ("chromosome", "start", "end", "strand")
    called = {motif: printable(name) for motif, name in names.items()}
    rows = [BedRow(Interval(*(row[name] for name in place)), called[row["motif"]], row["score"]) for row in sites]
    rows.sort(key=lambda row: (row.interval.chromosome, row.interval.start, row.interval.end, row.name))
    write_bed(str(job.folder / tables.BED.file), rows)


def _often(one: Final, presence: Presence) -> list[int]:
    places = presence.occupancies[one.row].places
    return [number for number, place in enumerate(places) if place.share >= LEAST_OCCUPANCY]


def _site_row(one: Final, number: int, presence: Presence, shared: Shared) -> Row:
    place, interval = presence.occupancies[one.row].places[number], presence.interval
    start, end = _span(one, shared, place.start, place.strand)
    chromosome, strand = presence.name, place.strand
    if interval:
        chromosome, start, end = in_genome(start, end, interval)
        strand = {"+": "-", "-": "+"}[strand] if interval.strand == "-" else strand
    values = (chromosome, start, end, one.name, round(1000 * place.share), strand, presence.name)
    return tables.SITES.row(*values, place.share, place.error, place.log_odds, *told(presence.convergence))


def _occupancy_rows(
    finals: Sequence[Final],
    shared: Shared,
    questions: Questions,
    logos: dict[tuple[int, str], str],
    job: MotifsJob,
) -> Iterator[Row]:
    counting = {row: at for at, row in enumerate(questions.rows)}
    for number, presence in enumerate(shared.presences):
        for one in finals:
            held = presence.occupancies[one.row]
            shares = (held.share, held.error, held.background, held.background_error, held.beyond(job.calling))
            logo = logos.get((number, one.name))
            place = _best_place(one, held, shared)
            yield tables.OCCUPANCY.row(presence.name, one.name, *shares, *place, logo, *told(presence.convergence))
        if number in counting:
            yield from occupancy_rows(questions, counting[number], shared)


def _best_place(one: Final, held: Occupancy, shared: Shared) -> tuple[int | str | float | None, ...]:
    if not held.places:
        return (None,) * 5
    best = held.places[0]
    return (*_span(one, shared, best.start, best.strand), best.strand, best.share, best.error)


def _aligned_counts(one: Final, presence: Presence, shared: Shared) -> Floats:
    """Letter counts by block (B, W, 4) of a motif as one anchor's draws have it."""
    tallies = [tally for tally in (presence.tallies[one.row],) if tally]
    return site_counts(tallies, shared.reference)[:, one.first : one.first + one.counts.shape[1]]


def _aligned(one: Final, presence: Presence, shared: Shared) -> Motif:
    counts = _aligned_counts(one, presence, shared)[0]
    return Motif(f"{presence.name}:{one.name}", counts, presence.occupancies[one.row].sites)


def _write_aligned_logos(finals: Sequence[Final], shared: Shared, job: MotifsJob) -> dict[tuple[int, str], str]:
    """Logos of the motif that most draws of an anchor hold, by the anchor's row and the motif's name."""
    if job.logos == "none":
        return {}
    logos = {}
    for row, presence in enumerate(shared.presences[: job.most_logos]):
        held = [one for one in finals if _holds(one, presence, job)]
        if held:
            one = max(held, key=lambda each: presence.occupancies[each.row].share)
            logos[row, one.name] = _write_aligned_logo(row, one, presence, shared, job)
    return logos


def _write_aligned_logo(row: int, one: Final, presence: Presence, shared: Shared, job: MotifsJob) -> str:
    counts = _aligned_counts(one, presence, shared)
    bits, held = column_bits(counts, shared.reference), presence.occupancies[one.row]
    logo = Logo(
        title=f"{one.name} in {held.share:.0%} of draws   {presence.name}",
        heights=information_heights(Motif("", counts[0], 1).probabilities, bits.value),
        errors=bits.error,
        axis="column (0-based)",
    )
    return write_numbered_logo(job, f"aligned_{row + 1:06d}", logo)


def _spacing_rows(finals: Sequence[Final], shared: Shared) -> Iterator[Row]:
    """Distances with q below the limit, and of each pair the best in any case."""
    numbers = {one.row: number for number, one in enumerate(finals)}
    for (a, b), spacings in shared.spacings.items():
        if a in numbers and b in numbers:
            found = spacings.preferences()
            told = (one for number, one in enumerate(found) if not number or one.q <= tables.TELLING_Q)
            pair = (finals[numbers[a]], finals[numbers[b]])
            yield from (_spacing_row(one, pair, shared, spacings.anchors) for one in told)


def _spacing_row(one: Spacing, pair: tuple[Final, Final], shared: Shared, anchors: int) -> Row:
    """A distance between the written motifs, the lower number first."""
    cut = {name: _cut(motif, shared) for name, motif in zip("ab", pair, strict=True)}
    distance = one.distance + sum(cut[name][side] for name, side in FACING[one.arrangement])
    names, arrangement = (pair[0].name, pair[1].name), one.arrangement
    if pair[0].number > pair[1].number:
        names, arrangement = names[::-1], TURNED.get(arrangement, arrangement)
    convergence = convergence_of(shared.presences)
    values = (arrangement, distance, one.share, one.error, one.expected, one.p, one.q, anchors)
    return tables.SPACING.row(*names, *values, *convergence)


def _cut(one: Final, shared: Shared) -> tuple[int, int]:
    """Columns cut off the motif that was looked for, at its beginning and its end."""
    return one.first, shared.probes[one.row].width - one.first - one.counts.shape[1]


def _draw_site_rows(finals: Sequence[Final], presence: Presence, shared: Shared) -> Iterator[Row]:
    by_row, sites = {one.row: one for one in finals}, presence.sites
    for draw, start, strand, row, odds, _ in zip(*(values.tolist() for values in vars(sites).values()), strict=True):
        if row in by_row:
            one, sign = by_row[row], STRANDS[strand]
            place = (one.name, *_span(one, shared, start, sign), sign, odds)
            yield tables.DRAW_SITES.row(presence.name, *divmod(draw, presence.draws), *place)
