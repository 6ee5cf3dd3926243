"""Which positions the self-test lists, and how long its run is."""

import numpy as np
import pytest
import torch
from small import law
from torch import nn

from maxent_cli.data import Anchor
from maxent_cli.interpret import self_test
from maxent_cli.interpret.sampling import Sampling
from maxent_cli.models.adapter import AdaptedNetwork, Reading

LENGTH, FIRST = 400, 237  # where the four letters lie that the network reads most


class Planted(nn.Module):
    """Reads four letters much, and all others a little."""

    def __init__(self, much: float = 1.0, little: float = 0.01) -> None:
        super().__init__()
        weight = little * torch.randn(4, LENGTH, generator=torch.Generator().manual_seed(0))
        weight[:, FIRST : FIRST + 4] = much * torch.arange(4.0)[:, None] * torch.tensor([1.0, 2.0, 2.0, 1.0])
        self.register_buffer("weight", weight)
        self.output, self.seen = nn.Linear(1, 1), 0
        nn.init.ones_(self.output.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return self.output((x * self.weight).sum((1, 2))[:, None])


def window(most: float, network: Planted, held: range = range(0)) -> tuple[list[int], int]:
    """The positions, and the sequences that finding them takes."""
    model = AdaptedNetwork(network, LENGTH, Reading(), "planted")
    codes, mutable = np.random.default_rng(1).integers(0, 4, LENGTH, np.uint8), np.ones(LENGTH, bool)
    mutable[list(held)] = False
    before = model.network.seen
    found = self_test._window(model, Anchor("one", codes, None, mutable), law(1.0, output="0"), Sampling(), most)
    return found.tolist(), model.network.seen - before


@pytest.mark.parametrize("most", [np.inf, 400.0, 100.0])
def test_the_positions_with_most_energy_are_found_with_few_passes_too(most: float) -> None:
    found, passes = window(most, Planted())
    assert found == list(range(FIRST, FIRST + 4))
    assert passes <= min(most, 4 * LENGTH) + 50


def test_what_is_held_is_not_looked_at() -> None:
    found, _ = window(100.0, Planted(), range(FIRST, FIRST + 4))
    assert not set(found) & set(range(FIRST, FIRST + 4))


def test_where_stretches_cancel_single_changes_are_still_found() -> None:
    """Each letter changed alone has an energy; a whole stretch changed has none."""
    codes, places = np.zeros(40, np.uint8), np.arange(40)
    energies = lambda codes: ((codes != 0).sum(axis=1) == 1).astype(float)  # noqa: E731
    likely = self_test._likely(codes, places, energies, 20)
    assert self_test._spread(codes, places[likely], energies).all()


@pytest.mark.parametrize(
    ("proposals", "decision", "chains", "warmup"),
    [(1e9, 100.0, 64, 240), (150 * 2 * 272 * 20, 100.0, 20, 240), (100.0, 100.0, 8, 48)],
)
def test_a_surrogates_run_is_as_long_as_its_decisions_allow(
    proposals: float, decision: float, chains: int, warmup: int
) -> None:
    found = self_test._short(Sampling(), proposals, decision)
    assert (found.chains, found.warmup, found.draws) == (chains, warmup, 32)


def test_other_runs_are_as_before() -> None:
    found = self_test._short(Sampling(), 1e9, None)
    assert (found.chains, found.warmup, found.thin) == (64, 900, 40)
    assert self_test._short(Sampling(), 1.0, None).chains == 8
