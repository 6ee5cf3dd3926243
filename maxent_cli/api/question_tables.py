"""How motifs writes what draws avoid, and what it was asked about."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from maxent_cli.analysis.avoidance import missing_bits
from maxent_cli.analysis.motifs import consensus
from maxent_cli.analysis.names import Family, cells_of
from maxent_cli.analysis.verdicts import AVOIDED, HELD, NOT_HELD, UNDECIDED
from maxent_cli.api.motif_questions import Depleted, Questions, TestedMotif
from maxent_cli.api.motif_results import MotifsJob, Shared, convergence_of, told, write_numbered_logo
from maxent_cli.data import Motif
from maxent_cli.io.logos import Logo, information_heights
from maxent_cli.io.tables import Row
from maxent_cli.tables import motifs as tables

SAID = 5  # motifs of each verdict in the account for people


def motif_of(number: int, one: Depleted) -> Motif:
    """The letters at the sites that are missing, under the name that it is written by."""
    return Motif(f"avoided_{number}", np.maximum(one.motif.missing.sum(axis=0), 0), one.motif.sites)


def motif_rows(
    questions: Questions, names: Sequence[Sequence[Family]], shared: Shared, job: MotifsJob
) -> Iterator[Row]:
    """Rows of motifs.tsv."""
    convergence = convergence_of([shared.presences[row] for row in questions.rows])
    for number, (one, like) in enumerate(zip(questions.avoided, names, strict=True), 1):
        motif, bits = motif_of(number, one), missing_bits(one.motif.missing, shared.reference)
        logo = _write_logo(number, one, like, shared, job)
        described = (motif.name, AVOIDED, consensus(motif), len(motif.counts), one.anchors, round(motif.sites))
        total = (float(bits.value.sum()), float(np.sqrt(np.square(bits.error).sum())))
        background = float(np.mean([share[2] for share in one.shares]))
        rest = (
            logo,
            None,
            np.nan,
            one.threshold,
            background,
            -float(one.verdict.ratios[1]),
            one.error,
            *convergence,
            None,
        )
        yield tables.MOTIFS.row(*described, *total, *cells_of(like), *rest)


def occupancy_rows(questions: Questions, at: int, shared: Shared) -> Iterator[Row]:
    """Rows of occupancy.tsv of an anchor that counts, by its place among these."""
    presence = shared.presences[questions.rows[at]]
    for number, one in enumerate(questions.avoided, 1):
        place = (*one.shares[at], None, False, *(None,) * 5, None)
        yield tables.OCCUPANCY.row(presence.name, f"avoided_{number}", *place, *told(presence.convergence))


def write_tested(questions: Questions, shared: Shared, job: MotifsJob) -> None:
    """Write what was asked about, in the order in which it was given."""
    convergence = convergence_of([shared.presences[row] for row in questions.rows])
    rows = (_tested_row(one, convergence) for one in questions.asked)
    job.write(tables.TESTED, rows)


def account(questions: Questions, names: Sequence[Sequence[Family]], job: MotifsJob) -> Iterator[str]:
    """What is avoided and what was asked about, in lines for people."""
    if not questions.rows:
        yield "  no anchor has converged: what they avoid is not asked; --unconverged lets them count"
    else:
        chance = f"{questions.by_chance} in draws at beta = 0"
        yield f"  {len(questions.avoided)} motifs avoided by the draws of {len(questions.rows)} anchors ({chance})"
    for number, (one, like) in enumerate(zip(questions.avoided, names, strict=True), 1):
        known = f"; like {like[0].label}, q {like[0].best.q:.2g}" if like else ""
        cost = f"costs {-one.verdict.ratios[1]:.2g} ± {one.error:.1g} bits"
        yield f"  avoided_{number} {consensus(motif_of(number, one))}: {cost}{known}"
    if questions.asked:
        count = Counter(one.verdict.verdict for one in questions.asked)
        kinds = ", ".join(f"{count[kind]} {kind}" for kind in (HELD, AVOIDED, NOT_HELD, UNDECIDED))
        rate = f"sites of which {job.calling.site_rate:.2g} of random sequences have one"
        yield f"  asked about {len(questions.asked)} motifs, by {rate}: {kinds}"
    for kind, sign in ((HELD, -1), (AVOIDED, 1)):
        ranked = [one for one in questions.asked if one.verdict.verdict == kind]
        ranked.sort(key=lambda one: sign * float(one.verdict.ratios[int(kind == AVOIDED)]))
        for each in ranked[:SAID]:
            yield f"    {kind}: {each.motif.name}, {_interval(each, int(kind == AVOIDED))} bits, q {each.verdict.q:.2g}"


def _interval(one: TestedMotif, which: int) -> str:
    low, high = one.verdict.intervals[which]
    return f"{one.verdict.ratios[which]:.2f} ({low:.2f} to {high:.2f})"


def _tested_row(one: TestedMotif, convergence: tuple[int, float]) -> Row:
    found = one.verdict
    ratios = [value for pair in zip(found.ratios, found.intervals, strict=True) for value in (pair[0], *pair[1])]
    counts = (one.motif.name, found.verdict, one.holding, one.avoiding, *one.shares)
    return tables.TESTED.row(*counts, *map(float, ratios), found.p, found.q, one.threshold, *convergence)


def _write_logo(number: int, one: Depleted, like: Sequence[Family], shared: Shared, job: MotifsJob) -> str | None:
    if job.logos == "none":
        return None
    bits = missing_bits(one.motif.missing, shared.reference)
    known = f"   {like[0].label}" if like else ""
    logo = Logo(
        title=f"avoided_{number}   costs {-one.verdict.ratios[1]:.2g} bits{known}",
        heights=information_heights(motif_of(number, one).probabilities, bits.value),
        errors=bits.error,
        axis="column (0-based)",
    )
    return write_numbered_logo(job, f"avoided_{number:03d}", logo)
