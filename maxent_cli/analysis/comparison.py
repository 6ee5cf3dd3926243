"""Two sets of findings side by side: which motifs are the same, and how what the anchors hold differs.

Differences are B less A. Over anchors that both have, they are paired; otherwise means are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtri, stdtr

from maxent_cli.analysis.motifs import Match, best_match
from maxent_cli.analysis.over_anchors import difference_of_means, mean_over_anchors
from maxent_cli.data import Floats, Motif

Row = dict[str, Any]
PLACE = ("best_start", "best_end", "best_strand", "best_occupancy")
SAME_PLACE = 0.5  # of the narrower motif's width, by which two sites overlap that are at one place


@dataclass(frozen=True)
class Same:
    """A motif of A and one of B, by their rows, that are the same; match says how A's lies on B's."""

    a: int
    b: int
    match: Match


def match_motifs(a: Sequence[Motif], b: Sequence[Motif], least: float) -> list[Same]:
    """Motifs of A and of B that are the same, each in one pair at most, so that the similarities' sum is largest.

    Pairs less similar than the least are none. In A's order.
    """
    matches = [[best_match(one, other) for other in b] for one in a]
    scores = np.array([[match.similarity for match in row] for row in matches]).reshape(len(a), len(b))
    rows, columns = linear_sum_assignment(np.where(scores >= least, scores, 0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [Same(row, column, matches[row][column]) for row, column in pairs if scores[row, column] >= least]


def difference(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> Row:
    """A number of both with its error, the difference with its own, and how many errors it is (nan where that is 0).

    Where errors have few degrees of freedom (a column of them, _df), that is the normal score as likely as the distance
    is by Student's t (Welch's degrees).
    """
    errors = a[f"{name}_error"], b[f"{name}_error"]
    error = float(np.hypot(*errors))
    apart = b[name] - a[name]
    return {
        f"{name}_a": a[name],
        f"{name}_a_error": errors[0],
        f"{name}_b": b[name],
        f"{name}_b_error": errors[1],
        f"{name}_difference": apart,
        f"{name}_difference_error": error,
        f"{name}_z": _score(apart / error, _welch(errors, [side.get(f"{name}_df", np.inf) for side in (a, b)]))
        if error > 0
        else np.nan,
    }


def _welch(errors: Sequence[float], freedoms: Sequence[float]) -> float:
    shares = [error**4 / freedom for error, freedom in zip(errors, freedoms, strict=True)]
    return float(np.sum(np.square(errors)) ** 2 / sum(shares)) if sum(shares) > 0 else np.inf


def _score(distance: float, freedom: float) -> float:
    """The standard normal score as likely as a distance under Student's t."""
    return float(-np.copysign(ndtri(stdtr(freedom, -abs(distance))), distance)) if np.isfinite(freedom) else distance


def place_row(a: Mapping[str, Any], b: Mapping[str, Any], turned: bool) -> Row:
    """Where an anchor's draws have a motif most often, in A and in B; turned: B's motif is A's on the other strand.

    Sites that overlap by half of the narrower are at one place. Nothing is said where one of them is unknown.
    """
    row = {f"{name}_{side}": given[name] for side, given in (("a", a), ("b", b)) for name in PLACE}
    if a["best_start"] is None or b["best_start"] is None:
        return row | {"same_place": None, "same_strand": None}
    overlap = min(a["best_end"], b["best_end"]) - max(a["best_start"], b["best_start"])
    near = overlap >= SAME_PLACE * min(side["best_end"] - side["best_start"] for side in (a, b))
    return row | {"same_place": near, "same_strand": (a["best_strand"] == b["best_strand"]) != turned if near else None}


def mean_row(quantity: str, sides: tuple[Floats, Floats], paired: bool) -> Row:
    """Means over anchors of A and B, and their difference with its interval; of pairs, where both are known."""
    a, b = sides
    if paired:
        known = np.isfinite(a) & np.isfinite(b)
        a, b = a[known], b[known]
    apart = mean_over_anchors(b - a) if paired else difference_of_means(a, b)
    means = {"a": mean_over_anchors(a), "b": mean_over_anchors(b)}
    return {
        "quantity": quantity,
        "anchors_a": int(np.isfinite(a).sum()),
        "anchors_b": int(np.isfinite(b).sum()),
        "paired": paired,
        **{f"mean_{side}": mean.value for side, mean in means.items()},
        **{f"{end}_{side}": getattr(mean, end) for side, mean in means.items() for end in ("low", "high")},
        "difference": apart.value,
        "low": apart.low,
        "high": apart.high,
    }
