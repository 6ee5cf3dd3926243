"""The share of the gradient that lies where letters may change, where it is known by hand."""

import numpy as np
import pytest
import torch
from small import law
from torch import nn

from maxent_cli.data import Sequences
from maxent_cli.interpret.reach import gradient_inside
from maxent_cli.laws import LAWS
from maxent_cli.models.adapter import AdaptedNetwork, Reading

LENGTH = 20
SIZES = torch.linspace(0.0, 3.0, LENGTH)  # of the gradient, position by position


class Weighted(nn.Module):
    """Two outputs, each the sum over positions of A or not A, times sizes; the second of the other end."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(2 * LENGTH, 2, bias=False)
        weight = torch.zeros(2, 2 * LENGTH)
        weight[0, :LENGTH], weight[1, LENGTH:] = SIZES, SIZES.flip(0)
        self.output.weight.data = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.cat([x[:, 0], x[:, 1]], 1))


class Tokens(nn.Module):
    """Has no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.output = nn.Embedding(4, 3), nn.Linear(3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.words(x.argmax(1)).mean(1))


def anchors(count: int, first: int) -> Sequences:
    mutable = np.ones((count, LENGTH), bool)
    mutable[:, :first] = False
    codes = np.random.default_rng(0).integers(0, 4, (count, LENGTH), np.uint8)
    return Sequences(tuple(map(str, range(count))), codes, (None,) * count, mutable)


def model(network: nn.Module) -> AdaptedNetwork:
    return AdaptedNetwork(network, LENGTH, Reading(), "weighted")


def test_it_is_the_share_of_the_sizes() -> None:
    found = gradient_inside(model(Weighted()), law(1.0, output="0"), anchors(3, 5))
    assert found is not None
    assert found.share == pytest.approx(float(SIZES[5:].sum() / SIZES.sum()), rel=1e-5)
    assert found.error == pytest.approx(0, abs=1e-6)
    one = gradient_inside(model(Weighted()), law(1.0, output="0"), anchors(1, 5))
    assert one is not None
    assert one.error is None


def test_of_several_outputs_it_is_the_root_of_their_squares() -> None:
    network = Weighted()
    network.output.weight.data = torch.zeros(2, 2 * LENGTH)
    network.output.weight.data[0, :8], network.output.weight.data[1, 8:LENGTH] = SIZES[:8], SIZES[8:]
    found = gradient_inside(model(network), law(1.0, output=(((0, 1.0),), ((1, 1.0),))), anchors(1, 5))
    assert found is not None
    assert found.share == pytest.approx(float(SIZES[5:].sum() / SIZES.sum()), rel=1e-5)


def test_of_a_profile_what_moves_all_outputs_counts_for_nothing() -> None:
    network = Weighted()
    network.output.weight.data = network.output.weight.data[:1].repeat(2, 1)
    network.output.weight.data[1, 2 * LENGTH - 1] = 1.0  # but for this, both outputs are the same
    found = gradient_inside(
        model(network), law(1.0, output=(((0, 1.0),), ((1, 1.0),)), kind=LAWS["profile"]), anchors(1, LENGTH - 1)
    )
    assert found is not None
    assert found.share == pytest.approx(1.0, abs=1e-6)


def test_where_there_is_no_gradient_nothing_is_said() -> None:
    torch.manual_seed(0)
    assert gradient_inside(model(Tokens()), law(1.0, output="0"), anchors(1, 5)) is None
