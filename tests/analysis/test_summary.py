"""The row of an anchor is what its parts say, and a bad run shows in it."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.free_energy import bits_held
from maxent_cli.analysis.information import information_of
from maxent_cli.analysis.summary import summarise
from maxent_cli.data import SampleSet

CHAINS, DRAWS, LENGTH = 12, 60, 6
LETTERS = np.array([[0.85, 0.05, 0.05, 0.05], *[[0.25] * 4] * 5])
BETAS = np.array([0.0, 2.0, 10.0])


def example(seed: int = 1) -> SampleSet:
    rng = np.random.default_rng(seed)
    codes = independent_draws(rng, LETTERS, CHAINS, DRAWS)
    energy, output = rng.normal(1.5, 0.2, (CHAINS, DRAWS)), rng.normal(3.0, 0.5, (CHAINS, DRAWS))
    ladder = rng.gamma(4, 1 / (1 + BETAS), (CHAINS, 20, 3))
    plain = sample_set(codes)
    replicas = replace(plain.replicas, betas=BETAS, energy=ladder, output=ladder)
    return replace(plain, name="chr1:1-7", energy=energy, output=output, energy_background=6.0, replicas=replicas)


def row_of(samples: SampleSet) -> dict[str, object]:
    return summarise(samples, diagnose(samples))


def test_numbers_are_those_of_the_draws() -> None:
    samples = example()
    row = row_of(samples)
    assert row["record"] == "chr1:1-7"
    assert (row["beta"], row["acceptance"], row["drift"]) == (10, 0.4, 0)
    assert row["energy"] == samples.energy.mean()
    assert row["energy_reduction"] == pytest.approx(1 - samples.energy.mean() / 6)
    assert row["energy_reduction_error"] == pytest.approx(row["energy_error"] / 6)
    assert row["energy_error"] == pytest.approx(0.2 / np.sqrt(CHAINS * DRAWS), rel=0.25)
    assert row["output_error"] == pytest.approx(0.5 / np.sqrt(CHAINS * DRAWS), rel=0.25)
    assert (row["output_anchor"], row["output_background"]) == (4, 0)


def test_information_and_bits_held_are_the_whole_samples() -> None:
    samples = example()
    row, bits, held = (
        row_of(samples),
        information_of(samples),
        bits_held(samples.replicas.betas, samples.replicas.energy),
    )
    assert (row["bits"], row["bits_error"]) == (bits.total, bits.total_error)
    assert (row["bits_held"], row["bits_held_error"]) == (held.value[-1], held.error[-1])
    exact = float(np.sum(LETTERS[0] * np.log2(LETTERS[0] / 0.25)))
    assert row["bits"] == pytest.approx(exact, abs=4.5 * float(str(row["bits_error"])))


def test_converged_draws_are_called_so_and_the_worst_quantity_is_named() -> None:
    row = row_of(example())
    assert row["converged"] is True
    assert 0.9 < float(str(row["rhat"])) <= 1.05
    assert float(str(row["ess"])) >= 100
    assert row["ess_quantity"]


def test_chains_that_stand_apart_have_not_converged() -> None:
    samples = example()
    energy = samples.energy + 5 * (np.arange(CHAINS) % 2)[:, None]
    row = row_of(replace(samples, energy=energy))
    assert row["converged"] is False
    assert row["rhat_quantity"] == "energy"
    assert float(str(row["rhat"])) > 1.5


@pytest.mark.parametrize(("output", "told"), [(4.0, True), (0.5, False), (-1.5, True), (1.0, False)])
def test_distinguishable_is_outside_its_central_95_per_cent(output: float, told: bool) -> None:
    assert row_of(replace(example(), anchor_output=output))["distinguishable"] is told


def test_a_single_replica_has_bits_and_no_bits_held() -> None:
    samples = example()
    alone = replace(samples.replicas, betas=BETAS[-1:], energy=samples.replicas.energy[..., -1:])
    row = row_of(replace(samples, replicas=alone))
    assert np.isnan(row["bits_held"])
    assert np.isfinite(row["bits"])


def test_rows_of_any_anchor_have_the_same_columns() -> None:
    stuck = example()
    ones = np.ones((CHAINS, DRAWS))
    stuck = replace(stuck, codes=np.zeros_like(stuck.codes), energy=ones, output=ones)
    row = row_of(stuck)
    assert list(row) == list(row_of(example()))
    assert row["converged"] is False
