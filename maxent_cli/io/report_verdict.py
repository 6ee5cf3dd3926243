"""The verdict at the head of the page: what a stranger asks first, answered in a sentence or two each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maxent_cli.io.report_inputs import MotifShown, Row
from maxent_cli.tables.motifs import TELLING_Q

# what is asked, in order, and the command whose folder answers it ('': the draws)
QUESTIONS = {
    "How good is the network?": "train",
    "What does it read?": "motifs",
    "What does it avoid?": "motifs",
    "How is it arranged?": "motifs",
    "Does it take shortcuts?": "gc-probe",
    "Can this page be trusted?": "",
}
GOOD, FAIR = 0.9, 0.7  # lower ends of AUROC's interval from which a network is said to do well, or better than chance
MOST = 4  # motifs that a sentence names
LONGEST = 60  # letters of a name in a sentence
STAND = {  # how two motifs stand in an arrangement
    "a> b>": "one behind the other",
    "b> a>": "the other one first",
    "a> <b": "facing each other",
    "<b a>": "back to back",
}
COMES_AGAIN = 0.05  # p up to which a motif comes again in more anchors than by chance


@dataclass(frozen=True)
class Said:
    """An answer to one of the questions, in plain words; tone: good, fair, bad, or '' where it is no judgement."""

    question: str
    answer: str
    tone: str = ""


def named(row: Row) -> str:
    """What a motif is called: the first known motif that it is like beyond chance, or else its letters."""
    told = row["known_1"] and row["q_1"] <= TELLING_Q
    name = str(row["known_1"]).partition(",")[0] if told else str(row["consensus"] or row["motif"])
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def quality(metrics: Sequence[Row]) -> Said:
    """How well the network tells positives from negatives of the test part."""
    question = "How good is the network?"
    for row in metrics:
        if (row["part"], row["metric"]) == ("test", "AUROC") and math.isfinite(row["value"]):
            shown = f"test AUROC {row['value']:.3f}, 95 % interval {row['lower']:.3f} to {row['upper']:.3f}"
            of = f"{row['positives']} positives and {row['negatives']} negatives that it was not trained on"
            if not row["lower"] > 0.5:
                return Said(question, f"It cannot be told from guessing on {of} ({shown}).", "bad")
            tone = "good" if row["lower"] >= GOOD else "fair" if row["lower"] >= FAIR else "bad"
            word = {"good": "well", "fair": "better than guessing, not well", "bad": "little better than guessing"}[
                tone
            ]
            return Said(question, f"It does {word}: {shown}, on {of}.", tone)
    return Said(question, "Not known: no AUROC of a test part was found.", "fair")


def reads(table: Sequence[MotifShown], anchors: int, asked: Sequence[Row] = ()) -> Said:
    """Which motifs draws hold, in how many anchors and what share of the data; of those asked about, if none is found.

    asked: the motifs asked about, those held most surely first.
    """
    question = "What does it read?"
    if not table:
        none = f"No motif was found in the draws of {_many(anchors, 'anchor')}"
        held = [row for row in asked if row["verdict"] == "held"]
        if not held:
            return Said(question, f"{none}.", "fair")
        names = ", ".join(f"{row['motif'].split()[-1]} ({row['bits']:.2f} bits)" for row in held[:MOST])
        more = _left(len(held) - MOST, "other")
        return Said(question, f"{none}, but of {_many(len(asked), 'motif')} asked about they hold {names}{more}.")
    first = [one.row for one in table[:MOST]]
    text = "; ".join(
        f"{named(row)} in {row['anchors']} of {_many(anchors, 'anchor')}{_share(row)}{_chance(row)}" for row in first
    )
    left = len(table) - len(first)
    return Said(question, f"{text}{_left(left, 'other motif')}.")


def avoided(table: Sequence[MotifShown]) -> Said:
    """Which motifs the draws avoid."""
    if not table:
        return Said("What does it avoid?", "No motif was found that draws have less often than chance.")
    names = ", ".join(
        f"{named(one.row)} ({_pm(one.row['cost'], one.row['cost_error'])} bits a site)" for one in table[:MOST]
    )
    left = len(table) - MOST
    return Said("What does it avoid?", f"{names}{_left(left, 'other')}.")


def arrangement(table: Sequence[MotifShown], spacing: Sequence[Row], pairs: Sequence[Row]) -> Said:
    """Whether motifs stand at distances, or lower or raise each other."""
    question, names = "How is it arranged?", {one.row["motif"]: named(one.row) for one in table}
    if not table:
        return Said(question, "There are no motifs to arrange.")
    told = sorted(spacing, key=lambda row: row["q"])[:MOST]
    lines = [
        f"{_pair(row, names)} prefer {row['distance']} bp between them, {STAND.get(row['arrangement'], '')} "
        f"({_percent(row['share'], row.get('share_error', math.nan))} of pairs where {100 * row['expected']:.1g} % are "
        f"expected, q {row['q']:.1g})"
        for row in told
    ]
    lines += [
        f"{_pair(row, names)} prefer an order or a distance (p {row['preference_p']:.1g})"
        for row in pairs
        if row["preferred"]
    ][:MOST]
    if lines:
        return Said(question, f"{'; '.join(lines)}.")
    if len(table) < 2 and not pairs:
        return Said(question, "One motif was found; no distance to another of its kind is preferred.")
    return Said(question, "No order or distance of two motifs is preferred beyond chance.")


def counts_held(answer: Sequence[Row]) -> Said:
    """Whether a global count such as GC is held beyond local features."""
    question = "Does it take shortcuts?"
    held = [row for row in answer if row["held"] == "yes"]
    open_ = sum(row["held"] == "undecided" for row in answer)
    if held:
        each = ", ".join(
            f"{row['count'][:LONGEST]} (rigidity {row['rigidity']:.2f}, 95 % {row['low']:.2f} to {row['high']:.2f})"
            for row in held[:MOST]
        )
        return Said(question, f"It holds {each} as a global count, beyond its motifs.", "fair")
    if open_:
        return Said(question, f"None was found; {_many(open_, 'count')} of {len(answer)} cannot be decided.", "fair")
    return Said(question, f"None of {_many(len(answer), 'global count')} is held beyond its motifs.", "good")


def trust(rows: Sequence[Row]) -> Said:
    """Whether the draws can be relied on."""
    good, told = sum(row["converged"] for row in rows), sum(row["distinguishable"] for row in rows)
    tone = "bad" if 2 * good <= len(rows) else "good" if good == len(rows) and 2 * told > len(rows) else "fair"
    word = {"good": "Yes", "fair": "With care", "bad": "No"}[tone]
    chains = f"chains agree in {good} of {_many(len(rows), 'anchor')}"
    rest = "" if good == len(rows) else f"; do not rely on the other {len(rows) - good}"
    fewer = (
        ""
        if told == len(rows)
        else f" {told} of {len(rows)} anchors can be told from random sequences by their output."
    )
    more = " It says what this network reads, not what biology does; another training may have learned otherwise."
    return Said("Can this page be trusted?", f"{word}: {chains}{rest}.{fewer}{more}", tone)


def verdict(said: Sequence[Said]) -> list[Said]:
    """An answer to each of the questions; where its folder was not given, that is said. Others follow."""
    by = {one.question: one for one in said}
    missing = "Not asked: the page was made without a folder of maxent {}."
    asked = [
        by.get(question) or Said(question, missing.format(command), "none") for question, command in QUESTIONS.items()
    ]
    return [*asked, *(one for one in said if one.question not in QUESTIONS)]


def _share(row: Row) -> str:
    stands = row.get("stands_for", math.nan)
    return f", which stand for {100 * stands:.0f} % of the data" if math.isfinite(stands) else ""


def _chance(row: Row) -> str:
    few = row["anchors"] - row["anchors_converged"]
    converged = f" ({row['anchors_converged']} of these converged)" if few else ""
    return converged + (", which is no more than by chance" if row["recurrence_p"] > COMES_AGAIN else "")


def _pair(row: Row, names: Mapping[str, str]) -> str:
    one, other = (names.get(row[side], row[side]) for side in ("motif_a", "motif_b"))
    return f"{one} and {other}" if row["motif_a"] != row["motif_b"] else f"two {one}"


def _percent(share: float, error: float) -> str:
    return f"{100 * share:.0f} % ± {100 * error:.0f} %" if math.isfinite(error) else f"{100 * share:.0f} %"


def _left(number: int, word: str) -> str:
    return f"; and {_many(number, word)}" if number > 0 else ""


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"


def _pm(value: float, error: float) -> str:
    return f"{value:.2f} ± {error:.2f}" if math.isfinite(error) else f"{value:.2f}"
