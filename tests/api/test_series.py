"""The beta series that sample writes beside the draws: against the law listed sequence by sequence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import SKEWED, Listed, saved, small_model

import maxent_cli as mx

ANCHOR, BETA = "GATCA", 300.0


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, mx.Draws]:
    """Draws of a network of five letters at a beta, at the end of a ladder of five replicas."""
    folder = tmp_path_factory.mktemp("series")
    net = mx.network(saved(folder / "model", small_model(len(ANCHOR))))
    law = mx.Law(background=SKEWED, tether=None, beta=BETA)
    run = mx.Sampling(chains=20, replicas=5, draws=100, thin=20, warmup=480, max_steps=2000)
    out = str(folder / "draws.npz")
    return out, mx.sample(net, {"one": ANCHOR, "two": "CCGTA"}, law, run, out=out, progress=False)


def test_each_replica_has_the_energy_and_bits_of_the_listed_law(drawn: tuple[str, mx.Draws]) -> None:
    table = pd.read_csv(f"{drawn[0]}.series.tsv", sep="\t")
    listed, series = Listed(small_model(len(ANCHOR)), ANCHOR), table[table["record"] == "one"]
    assert series["beta"].iloc[[0, -1]].tolist() == [0, BETA]
    assert (np.diff(series["beta"]) > 0).all()
    for row in series.itertuples():
        assert row.energy == pytest.approx(listed.mean_energy(row.beta), abs=5 * row.energy_error)
        assert row.bits_held == pytest.approx(listed.bits(row.beta), abs=max(5 * row.bits_held_error, 1e-9))
        assert row.beyond_positions == pytest.approx(row.bits_held - row.bits, abs=1e-4)
    assert series["energy_reduction"].iloc[-1] > 0.3


def test_it_is_the_series_of_the_draws_and_ends_where_the_summary_does(drawn: tuple[str, mx.Draws]) -> None:
    out, draws = drawn
    table = pd.read_csv(f"{out}.series.tsv", sep="\t", true_values=["yes"], false_values=["no"])
    pd.testing.assert_frame_equal(table, draws.series(), rtol=1e-5)
    last, summary = table.groupby("record").last(), draws.to_frame().set_index("record")
    np.testing.assert_allclose(last["bits_held"], summary["bits_held"], rtol=1e-4)
    assert (last["bits_held_error"] > 0).all()


def test_draws_that_are_saved_take_it_along(drawn: tuple[str, mx.Draws], tmp_path: Path) -> None:
    out, draws = drawn
    draws.save(str(tmp_path / "copy.npz"))
    for suffix in ("", ".tsv", ".series.tsv"):
        assert (tmp_path / f"copy.npz{suffix}").read_bytes() == Path(f"{out}{suffix}").read_bytes()
    assert 'id="series"' in mx.report(str(tmp_path / "copy.npz")).text
