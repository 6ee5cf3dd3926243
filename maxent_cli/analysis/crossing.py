"""Networks read each other's draws: does what one holds hold for the others?

A draw of A's law is a sequence that A cannot tell from the anchor. Where another network tells it, A is blind to
something that the other sees: an invariance of A's own, as networks have that learned too little or by heart. (Asked of
networks for images and sounds by Feather et al., Nature Neuroscience 26:2017, 2023.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from maxent_cli.analysis.diagnostics import mcse_mean
from maxent_cli.analysis.over_anchors import Interval95, mean_over_anchors, p_above
from maxent_cli.data import Floats
from maxent_cli.tables.crossing import AS_OTHERS, OWN, SHARED, UNDECIDED

Row = dict[str, Any]
SURE = 0.05  # of all verdicts together
NUMBERS = ("called", "t", "excess", "divergence", "apart")
WITHIN = ("called", "apart")  # 0 and 1, and so are their intervals


@dataclass(frozen=True)
class CrossRead:
    """What network B makes of the draws of A around an anchor: its output and its log of p (C, D).

    anchor_output: at the anchor; spread: the standard deviation of its output over background sequences.
    """

    output: Floats
    log_law: Floats
    anchor_output: float
    spread: float


def cross(seen: Sequence[Sequence[CrossRead]], threshold: float) -> list[list[Row]]:
    """From what each network B makes of each network A's draws (A, B), around one anchor, the numbers of each pair.

    called: share of A's draws that B calls what it calls the anchor, by the side of a threshold that its output is on.
    t: mean of |f_B(x) - f_B(x0)| / sd_q(f_B); excess: that less the same of B's own draws. divergence: KL(p_A || p_B)
    in bits; apart: the Jensen-Shannon divergence of the two, from 0 to 1 bit.
    """
    moved = [[np.abs(each.output - each.anchor_output) / each.spread for each in row] for row in seen]
    found = []
    for a, row in enumerate(seen):
        rows = []
        for b, each in enumerate(row):
            called = (each.output > threshold) == (each.anchor_output > threshold)
            more = (row[a].log_law - each.log_law) / np.log(2)
            back = (seen[b][b].log_law - seen[b][a].log_law) / np.log(2)
            told = {"called": called.mean(), "called_error": _error(called), "t": moved[a][b].mean()}
            told |= {"t_error": _error(moved[a][b]), "excess": moved[a][b].mean() - moved[b][b].mean()}
            told |= {"divergence": more.mean(), "divergence_error": _error(more), "apart": _apart(more, back)}
            rows.append({name: float(value) for name, value in told.items()})
        found.append(rows)
    return found


def _error(values: Floats) -> float:
    """The Monte Carlo error of a mean of draws (C, D); 0 where all are alike."""
    return float(mcse_mean(values)) if np.ptp(values.astype(float)) else 0.0


def _apart(more: Floats, back: Floats) -> float:
    """Jensen-Shannon divergence in bits from log2 p_A/p_B on A's draws and log2 p_B/p_A on B's."""
    return float(sum((1 - np.logaddexp2(0.0, -log).mean()) / 2 for log in (more, back)))


def pair_row(drawn: str, read: str, values: Sequence[Row]) -> Row:
    """Means over anchors, with intervals, of what one network makes of another's draws."""
    row: Row = {"drawn": drawn, "read": read, "anchors": len(values)}
    for name in NUMBERS:
        row |= _spelled(name, mean_over_anchors(np.array([value[name] for value in values])))
    return row


def _spelled(name: str, found: Interval95) -> Row:
    least, most = (0.0, 1.0) if name in WITHIN else (-np.inf, np.inf)
    low, high = np.clip([found.low, found.high], least, most).tolist()
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}


def network_rows(names: Sequence[str], tables: dict[str, Floats]) -> list[Row]:
    """What the others make of each network's draws, and it of theirs; tables (N anchors, A drawn, B read) by number.

    The verdict: its invariances are its own where the others' outputs move more in its draws than in their own, and
    more than they do in the draws of the rest; as others', where not more than that; shared, where they do not.
    """
    count = len(names)
    others = ~np.eye(count, dtype=bool)
    rows = []
    for number, name in enumerate(names):
        given = {what: table[:, number, others[number]].mean(axis=1) for what, table in tables.items()}
        row: Row = {"network": name, "anchors": len(given["t"])}
        row |= _spelled("t", mean_over_anchors(given["t"]))
        row |= _spelled("called", mean_over_anchors(given["called"]))
        row |= _spelled("excess", mean_over_anchors(given["excess"]))
        row |= _spelled("own_t", mean_over_anchors(tables["t"][:, number, number]))
        row |= _spelled("read_t", mean_over_anchors(tables["t"][:, others[:, number], number].mean(axis=1)))
        beyond = _beyond(number, tables["excess"], given["excess"])
        row["beyond"], row["p"] = beyond.mean(), p_above(beyond, 0.0)
        row["verdict"] = _verdict(p_above(given["excess"], 0.0), row["p"], SURE / count)
        rows.append(row)
    return rows


def _verdict(of_any: float, of_more: float, sure: float) -> str:
    """From the p of a network's excess being none, and no more than that among the others."""
    if not np.isfinite(of_any + of_more):
        return UNDECIDED
    return SHARED if of_any > sure else OWN if of_more <= sure else AS_OTHERS


def _beyond(number: int, excess: Floats, own: Floats) -> Floats:
    """By how much a network's excess (N,) is above that among the others, or 0."""
    left = np.delete(np.arange(excess.shape[1]), number)
    pairs = [(a, b) for a in left for b in left if a != b]
    rest = np.mean([excess[:, a, b] for a, b in pairs], axis=0) if pairs else np.zeros(len(own))
    return np.asarray(own - np.maximum(rest, 0))


def tree_of(excess: Floats) -> list[Row]:
    """The joints of a tree of networks by the mean of the two excesses (A, B) of each pair, average linkage (UPGMA).

    What is below 0 counts as 0. Networks are numbered from 0, and joints after them, those of the most alike first.
    """
    both = np.maximum((excess + excess.T) / 2, 0.0)
    np.fill_diagonal(both, 0.0)
    joints = linkage(squareform(both, checks=False), "average")
    return [
        {"joint": len(both) + row, "first": int(first), "second": int(second), "excess": height, "networks": int(count)}
        for row, (first, second, height, count) in enumerate(joints.tolist())
    ]
