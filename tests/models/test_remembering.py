"""Networks that are passed through once for each sequence."""

import numpy as np
import pytest
import torch
from small import small_model
from torch import nn

from maxent_cli.alphabet import encode
from maxent_cli.models import remembering as module
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.protocol import one_hot
from maxent_cli.models.remembering import remembering

ANCHOR = encode("GATCANTACG")
PLACES = np.array([1, 2, 5])


class Counting(nn.Module):
    """Counts the sequences that it is passed."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.output, self.seen = nn.Conv1d(4, 3, 5), nn.Linear(18, 2), 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        return self.output(self.scan(x).relu().flatten(1))


def inputs(count: int, seed: int) -> torch.Tensor:
    codes = np.tile(ANCHOR, (count, 1))
    codes[:, PLACES] = np.random.default_rng(seed).integers(0, 5, (count, len(PLACES)))
    return one_hot(torch.from_numpy(codes))


def test_it_gives_the_same_and_passes_each_sequence_once() -> None:
    torch.manual_seed(0)
    model = AdaptedNetwork(Counting(), len(ANCHOR), Reading(), "counting")
    found = remembering(model, ANCHOR, PLACES)
    before = model.network.seen
    with torch.no_grad():
        for seed in range(30):
            given = inputs(20, seed)
            torch.testing.assert_close(found.representation(given), model.representation(given))
            torch.testing.assert_close(found(given), model(given))
    asked = model.network.seen - before - 2 * 600
    assert asked <= 2 * 5 ** len(PLACES)
    assert isinstance(found, AdaptedNetwork)


def test_other_sequences_and_gradients_are_passed_on() -> None:
    """None is told from the letters at the places alone."""
    torch.manual_seed(0)
    model = AdaptedNetwork(Counting(), len(ANCHOR), Reading(), "counting")
    found, given = remembering(model, ANCHOR, PLACES), inputs(4, 1)
    with torch.no_grad():
        found(given)
        others = torch.roll(given, 1, 2)
        others[:, :, PLACES] = given[:, :, PLACES]
        torch.testing.assert_close(found(others), model(others))
        assert not torch.equal(found(others), found(given))
    point = given.clone().requires_grad_()
    (slope,) = torch.autograd.grad(found(point).sum(), point)
    assert bool(slope.any())


def test_what_there_is_no_room_for_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    model = small_model()
    codes = encode("GATCA")
    found = remembering(model, codes, np.array([1, 2]))
    given = one_hot(torch.from_numpy(codes)[None])
    with torch.no_grad():
        torch.testing.assert_close(found.representation(given), model.representation(given))
    assert found.representation.values is None
