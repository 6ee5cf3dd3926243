"""Passes in pieces: what they give is that of one pass, and their size is that of the network's activations."""

import pytest
import torch
from torch import Tensor, nn
from toy import ToyNetwork, network

from maxent_cli.models.pieces import LEAST, MOST, PIECE_BYTES, in_pieces, sequences_at_once

CPU = torch.device("cpu")


def scan(channels: int) -> ToyNetwork:
    return network(40, nn.Conv1d(4, channels, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())


def test_as_many_sequences_at_once_as_their_largest_activation_leaves_room_for():
    assert sequences_at_once(scan(200), CPU) == PIECE_BYTES // (4 * 200 * 38)


@pytest.mark.parametrize(("channels", "expected"), [(1, MOST), (20_000, LEAST)])
def test_but_neither_too_few_nor_too_many(channels, expected):
    assert sequences_at_once(scan(channels), CPU) == expected


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 5)])
def test_pieces_give_what_one_pass_gives_in_any_shape(shape):
    codes, seen = torch.randint(0, 4, (*shape, 6), dtype=torch.uint8), list[int]()

    def function(some: Tensor) -> Tensor:
        seen.append(some.shape[:-1].numel())
        return some.double().sum(-1)

    torch.testing.assert_close(in_pieces(function, 5)(codes), codes.double().sum(-1))
    assert max(seen) <= 5
    assert sum(seen) == codes.shape[:-1].numel()
    assert max(seen) - min(seen) <= 2
