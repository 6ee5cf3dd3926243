"""The experiments on global features: constructed networks, small, and the nucleosome experiment's wiring."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maxent_cli.alphabet import decode, encode, is_gc, reverse_complement

WORKFLOW = Path(__file__).parents[2] / "workflows" / "global_features"


@pytest.fixture(autouse=True)
def workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(WORKFLOW))
    for name in ("constructed", "nucleosome", "steps"):
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
    (with_gc, whole), (without_gc, none) = shares["motif"]
    assert whole == 1
    assert none < 0.05  # random orders that happen to be the motif
    assert abs(with_gc - without_gc) < 0.01
    (high, whole), (low, none) = shares["both"]
    assert high - low > 0.05
    assert whole > 0.7 > 0.3 > none


def test_the_probe_tells_composition_from_a_motif(tmp_path: Path) -> None:
    import constructed

    size = replace(constructed.QUICK, anchors=8, probing=f"{constructed.QUICK.probing} --untrained 1")
    rows = {row["network"]: row for row in constructed.experiment(tmp_path, size, ("composition", "motif"))}
    assert rows["composition"]["verdict"] == "yes"
    assert rows["motif"]["verdict"] != "yes"
    assert rows["composition"]["excess_low"] > rows["motif"]["excess"] + 0.1
    assert rows["composition"]["slope"] > 0.4 > rows["motif"]["slope"]
    assert rows["composition"]["largest"] < 5
    again = list(constructed.experiment(tmp_path, size, ("composition",)))  # nothing is run again
    assert again == [rows["composition"]]


def test_the_nucleosome_experiment_on_a_toy(tmp_path: Path) -> None:
    """Windows with a ten-bp rhythm against windows without, of a genome of two chromosomes."""
    import nucleosome
    import steps

    chance, genome, dyads = np.random.default_rng(1), [], []
    for name in ("chrA", "chrB", "chrC"):
        codes = chance.integers(0, 4, 30_000).astype(np.uint8)
        for at in range(100, 29_900, 200):
            score = chance.random()
            rhythm = np.tile(encode("AATTTGGCCC"), 8)[:75]
            window = slice(at - 37, at + 38)
            codes[window] = np.where(chance.random(75) < 0.9 * (score > 0.5), rhythm, codes[window])
            dyads.append(f"{name}\t{at}\t{at + 1}\tn\t{score}\n")
        genome.append(f">{name}\n{decode(codes)}\n")
    (tmp_path / "genome.fa").write_text("".join(genome))
    (tmp_path / "dyads.bed").write_text("".join(dyads))
    short = "--tether none --chains 4 --rungs 3 --draws 20 --thin 10 --warmup 240 --threads 1"
    config = {
        "genome": str(tmp_path / "genome.fa"),
        "dyads": str(tmp_path / "dyads.bed"),
        "drop": ["chrC"],
        "out": str(tmp_path / "out"),
        "seeds": [1],
        "anchors": 3,
        "probed": 4,
        "options": {
            "train": "--length 75 --architecture nucleosome --shift 0 --epochs 5 --batch 32 --test-chromosomes chrB",
            "sample": short,
            "gc-probe": f"{short} --fields 0,0.5 --untrained 1",
        },
        "networks": {"matched": "--top-score 0.4 --bottom-score 0.4 --match-gc"},
    }
    rows = steps.write_results(tmp_path / "out", "Toy", nucleosome.experiment(config))
    assert [(row["network"], row["seed"]) for row in rows] == [("matched", 1)]
    for row in rows:
        assert float(row["auroc"]) > 0.8
        for name in ("draws", "anchors", "beta_0", "untrained_draws"):
            assert 0 <= float(row[f"{name}_in_band"]) <= 1
        assert float(row["anchors_in_band"]) == 1
        assert row["verdict"] in ("yes", "no", "undecided")
    assert "chrC" not in (tmp_path / "out" / "dyads.bed").read_text()
    page = (tmp_path / "out" / "results.md").read_text()
    assert page.startswith("## Toy\n")
    assert f"| matched | 1 | {float(str(rows[0]['auroc'])):.3g} (" in page
