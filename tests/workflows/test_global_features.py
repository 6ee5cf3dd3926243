"""The experiments on global features: constructed networks, small."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from thinned import thinned

from maxent_cli.alphabet import decode, is_gc, reverse_complement

HELD = ("G and C", "A", "CG", "G and C, left half", "G and C, left less right", "A less T", "none")
WORKFLOW = Path(__file__).parents[2] / "workflows" / "global_features"


@pytest.fixture(autouse=True)
def workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(WORKFLOW))
    for name in ("constructed", "steps", "by_hand"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_labels_are_what_is_said() -> None:
    import constructed

    size = constructed.Size(count=2000)
    motif = {decode(constructed.MOTIF), decode(reverse_complement(constructed.MOTIF))}
    shares = {}
    for case in constructed.EXPECTED:
        sides = constructed.labelled(case, size, 1)
        assert min(map(len, sides)) > 0.3 * size.count
        shares[case] = [
            (is_gc(rows).mean(), np.mean([any(one in decode(row) for one in motif) for row in rows])) for rows in sides
        ]
    (high, _), (low, _) = shares["composition"]
    assert high - low > 0.12
    assert abs(np.subtract(*shares["shuffled"]))[0] < 0.02
    (with_gc, whole), (without_gc, none) = shares["motif"]
    assert whole == 1
    assert none < 0.05  # random orders that happen to be the motif
    assert abs(with_gc - without_gc) < 0.01
    (high, whole), (low, none) = shares["both"]
    assert high - low > 0.05
    assert whole > 0.7 > 0.3 > none


@pytest.mark.parametrize("held", thinned(HELD, 3))
def test_what_a_network_was_given_to_hold_is_named(tmp_path: Path, held: str) -> None:
    import by_hand
    import constructed

    assert set(by_hand.NETWORKS) == set(HELD)
    size = replace(constructed.QUICK, anchors=8)
    (row,) = constructed.given(tmp_path, size, (held,))
    assert row["held"] == held
    assert row["right"] is True
    assert row["largest"] < 5


@pytest.mark.slow
def test_the_probe_tells_composition_from_a_motif(tmp_path: Path) -> None:
    import constructed

    size = replace(constructed.QUICK, anchors=16)
    rows = {row["network"]: row for row in constructed.experiment(tmp_path, size, ("composition", "motif"))}
    assert rows["composition"]["held"] == "G and C"
    assert rows["motif"]["held"] == "none"
    assert rows["composition"]["rigidity_low"] > rows["motif"]["rigidity"] + 0.1
    assert rows["composition"]["slope"] > 0.4 > rows["motif"]["slope"]
    assert rows["composition"]["largest"] < 5
    again = list(constructed.experiment(tmp_path, size, ("composition",)))  # nothing is run again
    assert str(again) == str([rows["composition"]])  # nan is not itself
