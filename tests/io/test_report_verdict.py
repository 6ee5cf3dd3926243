"""The verdict of the report: what is said of good, poor and missing answers."""

from typing import Any

import numpy as np
import pytest

from maxent_cli.data import Motif
from maxent_cli.io.report_inputs import MotifShown, Row
from maxent_cli.io.report_verdict import QUESTIONS, arrangement, avoided, counts_held, quality, reads, trust, verdict

UNKNOWN = float("nan")


def motif(**told: Any) -> MotifShown:
    row = {"motif": "motif_1", "consensus": "CACGTG", "known_1": "", "q_1": UNKNOWN, "anchors": 3, "recurrence_p": 0.01}
    return MotifShown({**row, "anchors_converged": 3, **told}, Motif("motif_1", np.ones((6, 4)), 1.0), np.full(4, 0.25))


@pytest.mark.parametrize(
    ("value", "lower", "upper", "said", "tone"),
    [
        (0.95, 0.92, 0.97, "It does well: test AUROC 0.950, 95 % interval 0.920 to 0.970", "good"),
        (0.80, 0.75, 0.85, "It does better than guessing, not well", "fair"),
        (0.60, 0.55, 0.65, "It does little better than guessing", "bad"),
        (0.55, 0.45, 0.65, "It cannot be told from guessing", "bad"),
        (0.40, 0.30, 0.49, "It cannot be told from guessing", "bad"),
        (UNKNOWN, UNKNOWN, UNKNOWN, "Not known", "fair"),
    ],
)
def test_a_network_is_judged_by_the_lower_end_of_its_interval(value, lower, upper, said, tone) -> None:
    row = {"metric": "AUROC", "value": value, "lower": lower, "upper": upper, "positives": 40, "negatives": 80}
    found = quality([{**row, "part": "validation", "value": 0.99}, {**row, "part": "test"}])
    assert found.answer.startswith(said)
    assert found.tone == tone


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "CACGTG in 3 of 4 anchors."),
        ({"known_1": "USF1, MAX", "q_1": 1e-4, "stands_for": 0.6}, "USF1 in 3 of 4 anchors, which stand for 60 % of"),
        ({"known_1": "USF1, MAX", "q_1": 0.2}, "CACGTG in"),  # like it no more than by chance
        ({"recurrence_p": 0.3}, "CACGTG in 3 of 4 anchors, which is no more than by chance."),
        ({"anchors_converged": 1, "recurrence_p": UNKNOWN}, "CACGTG in 3 of 4 anchors (1 of these converged)."),
    ],
)
def test_a_motif_is_named_with_how_often_it_is_read(told: dict[str, Any], said: str) -> None:
    assert reads([motif(**told)], 4).answer.startswith(said)


def test_what_is_not_there_is_said() -> None:
    assert reads([], 1).answer == "No motif was found in the draws of 1 anchor."
    asked = [{"motif": "MA0265.2 ABF1", "verdict": "held", "bits": 3.17}, {"motif": "MA1 B", "verdict": "not held"}]
    assert reads([], 12, asked).answer.endswith("but of 2 motifs asked about they hold ABF1 (3.17 bits).")
    assert reads([], 12, asked[1:]).answer == reads([], 12).answer
    assert reads([motif()] * 6, 4).answer.endswith("; and 2 other motifs.")
    assert avoided([]).answer == "No motif was found that draws have less often than chance."
    assert avoided([motif(cost=1.5, cost_error=0.25)]).answer == "CACGTG (1.50 ± 0.25 bits a site)."
    assert "preferred" in arrangement([motif()], [], []).answer


def test_a_distance_is_told_by_the_motifs_names() -> None:
    row = {"motif_a": "motif_1", "motif_b": "motif_1", "arrangement": "a> <b", "distance": 17, "q": 1e-4}
    found = arrangement([motif()], [{**row, "share": 0.31, "expected": 0.01}], []).answer
    told = "17 bp between them, facing each other (31 % of pairs where 1 % are expected, q 0.0001)."
    assert found == f"two CACGTG prefer {told}"
    other = {**row, "motif_b": "motif_2", "share_error": 0.012}
    found = arrangement([motif()], [{**other, "share": 0.31, "expected": 0.01}], []).answer
    assert found.startswith("CACGTG and motif_2 prefer 17 bp between them, facing each other (31 % ± 1 % of pairs")


@pytest.mark.parametrize(
    ("held", "said", "tone"),
    [
        (["yes", "no"], "It holds GC (rigidity 0.50, 95 % 0.40 to 0.60) as a global count", "fair"),
        (["undecided", "no"], "None was found; 1 count of 2 cannot be decided.", "fair"),
        (["no", "no"], "None of 2 global counts is held", "good"),
    ],
)
def test_shortcuts_are_counts_that_are_held(held: list[str], said: str, tone: str) -> None:
    rows = [{"count": "GC", "held": one, "rigidity": 0.5, "low": 0.4, "high": 0.6} for one in held]
    assert counts_held(rows).answer.startswith(said)
    assert counts_held(rows).tone == tone


@pytest.mark.parametrize(("good", "word"), [(4, "Yes"), (3, "With care"), (2, "No"), (0, "No")])
def test_trust_is_in_the_anchors_whose_chains_agree(good: int, word: str) -> None:
    rows: list[Row] = [{"converged": at < good, "distinguishable": True} for at in range(4)]
    assert trust(rows).answer.startswith(f"{word}: chains agree in {good} of 4 anchors")
    assert ("do not rely on the other" in trust(rows).answer) == (good < 4)


@pytest.mark.parametrize(("told", "word"), [(4, "Yes"), (3, "Yes"), (2, "With care"), (0, "With care")])
def test_anchors_that_the_network_does_not_tell_from_random_ones_are_taken_with_care(told: int, word: str) -> None:
    rows: list[Row] = [{"converged": True, "distinguishable": at < told} for at in range(4)]
    assert trust(rows).answer.startswith(f"{word}: chains agree in 4 of 4 anchors.")
    assert (f"{told} of 4 anchors can be told" in trust(rows).answer) == (told < 4)


def test_each_question_is_answered_or_said_not_to_be_asked() -> None:
    found = verdict([trust([{"converged": True, "distinguishable": True}])])
    assert [one.question for one in found] == list(QUESTIONS)
    assert [one.tone for one in found] == [*["none"] * 5, "good"]
    assert found[0].answer == "Not asked: the page was made without a folder of maxent train."
