"""Patterns counted as listing counts them, over all 4^6 inputs; deliberately broken twins are caught."""

from collections import Counter
from math import log2

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from maxent_cli.alphabet import one_hot
from maxent_cli.analysis.patterns import Patterns, count, dip, first_lasting, halfway, jaccard, keys_of
from maxent_cli.models.adapter import OUTPUT, AdaptedNetwork, Reading
from maxent_cli.models.architectures import Residual
from maxent_cli.models.patterns import on_units, patterns_of
from maxent_cli.tables.learning import ALL_LAYERS

LENGTH = 6
CODES = np.stack(np.meshgrid(*[np.arange(4, dtype=np.uint8)] * LENGTH, indexing="ij"), -1).reshape(-1, LENGTH)
Listed = dict[str, Counter[tuple[bool, ...]]]


class Net(nn.Module):
    """Two convolutions, the second of which adds, and a hidden layer whose ReLU is no module."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.act = nn.Conv1d(4, 5, 3), nn.ReLU(inplace=True)
        self.second = Residual(nn.Conv1d(5, 5, 3, padding=1), nn.LeakyReLU())
        self.hidden, self.head = nn.Linear(20, 140), nn.Linear(140, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.second(self.act(self.first(x)))
        return self.head(functional.gelu(self.hidden(found.flatten(1))))


class Branches(nn.Module):
    """A small network for each of three outputs, in one product: the branches go before the sequences."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.scan, self.act = nn.Conv1d(4, 5, LENGTH), nn.ReLU()
        self.weights = nn.Parameter(torch.randn(3, 5, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.act(self.scan(x)).flatten(1)
        return torch.bmm(found.expand(3, -1, -1), self.weights).relu().sum(2).T


@pytest.mark.parametrize("count", [1, 2, 3, 40])  # three: as many as there are branches
def test_sequences_are_told_from_branches_that_go_before_them(count: int) -> None:
    net, codes = Branches(), CODES[::100][:count]
    (seen,) = on_units(net, codes)
    with torch.no_grad():
        first = net.scan(torch.from_numpy(one_hot(codes))).flatten(1)
        second = torch.einsum("bi,cij->bcj", first.relu(), net.weights)
    assert {name: tuple(on.shape) for name, on in seen.on.items()} == {"act": (count, 1, 5), "relu": (count, 3, 4)}
    assert torch.equal(seen.on["act"][:, 0], first > 0)
    assert torch.equal(seen.on["relu"], second > 0)


def test_functions_that_a_network_calls_itself_are_named_as_such_in_an_adapted_one() -> None:
    net = Branches()
    net.act = nn.Identity()  # type: ignore[assignment]
    names = [
        list(seen.on)
        for each in (net, AdaptedNetwork(net, LENGTH, Reading(layer=OUTPUT), "net"))
        for seen in on_units(each, CODES[:5])
    ]
    assert names[0] == names[1] == ["relu"]


def counted(net: nn.Module, labels: NDArray[np.int64]) -> dict[str, Patterns]:
    found = dict[str, Patterns]()
    for label in (0, 1):
        for seen in on_units(net, CODES[labels == label]):
            for layer, bits in patterns_of(seen.on):
                found.setdefault(layer, Patterns(bits.shape[1], 2)).add(bits, label)
    return found


def listed(net: Net, rows: NDArray[np.bool_]) -> Listed:
    """By hand, position by position."""
    found: Listed = {"act": Counter(), "second.layers.1": Counter(), "gelu": Counter(), ALL_LAYERS: Counter()}
    with torch.no_grad():
        first = net.first(torch.from_numpy(one_hot(CODES[rows])))
        inner = net.second.layers[0](first.relu())
        added = first.relu() + functional.leaky_relu(inner)
        hidden = net.hidden(added.flatten(1))
    for one, two, three in zip(first > 0, inner > 0, hidden > 0, strict=True):
        found["act"].update(tuple(column.tolist()) for column in one.T)
        found["second.layers.1"].update(tuple(column.tolist()) for column in two.T)
        found["gelu"][tuple(three.tolist())] += 1
        found[ALL_LAYERS][tuple(one.T.flatten().tolist() + two.T.flatten().tolist() + three.tolist())] += 1
    return found


def entropy(counts: Counter[tuple[bool, ...]]) -> float:
    total = counts.total()
    return -sum(each / total * log2(each / total) for each in counts.values())


def agrees(found: dict[str, Patterns], by_hand: Listed, label: int | None) -> bool:
    """Whether numbers are those of the list, to the last pattern."""
    for layer, counts in by_hand.items():
        one = count(found[layer], label)
        patterns = np.array(list(counts))
        dead = int((~patterns.any(axis=0)).sum())
        most = min(patterns.shape[1], log2(counts.total()))
        if (one.patterns, one.distinct, one.dead) != (counts.total(), len(counts), dead):
            return False
        if not (abs(one.entropy - entropy(counts)) < 1e-9 and abs(one.most - most) < 1e-12):
            return False
        if sorted(found[layer].of(label)[1].tolist()) != sorted(counts.values()):
            return False
    return True


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    return (CODES[:, 0] > 1).astype(np.int64)


def test_all_inputs_are_counted_as_listing_counts_them(labels: NDArray[np.int64]) -> None:
    net = Net(3)
    found = counted(net, labels)
    assert list(found) == ["act", "second.layers.1", "gelu", ALL_LAYERS]
    assert agrees(found, listed(net, labels >= 0), None)
    assert agrees(found, listed(net, labels == 1), 1)
    other = Net(4)
    for layer, patterns in counted(other, labels).items():
        one, two = (set(listed(each, labels == 0)[layer]) for each in (net, other))
        assert jaccard(found[layer], patterns, 0) == pytest.approx(len(one & two) / len(one | two), abs=1e-12)


@pytest.mark.parametrize(
    "broken",
    [
        lambda bits: keys_of(bits[:, 1:]),  # a unit left out
        lambda bits: keys_of(bits) & np.uint64(0xFF),  # too short a hash
        lambda bits: keys_of(np.sort(bits, axis=1)),  # how many are on, not which
    ],
)
def test_broken_keys_are_caught(broken: object, labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net(3)
    monkeypatch.setattr("maxent_cli.analysis.patterns.keys_of", broken)
    assert not agrees(counted(net, labels), listed(net, labels >= 0), None)


def test_patterns_are_the_same_in_whatever_batches_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(0).random((5000, 6)) < 0.4
    whole, parts = Patterns(6, 1), Patterns(6, 1)
    whole.add(bits, 0)
    monkeypatch.setattr("maxent_cli.analysis.patterns.FEW", 10)
    for part in np.split(bits, 50):
        parts.add(part, 0)
    np.testing.assert_array_equal(whole.keys, parts.keys)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    assert whole.keys.nbytes == 16 * len(whole.keys)


def test_long_patterns_that_differ_in_a_bit_have_other_keys() -> None:
    bits = np.zeros((301, 40_000), bool)
    bits[np.arange(300), np.linspace(0, 39_999, 300).astype(int)] = True
    assert len(np.unique(keys_of(bits), axis=0)) == 301


def test_when_values_last_and_dip() -> None:
    assert first_lasting(np.array([1, 0, 1, 1.0]), 1) == 2
    assert first_lasting(np.array([1.0, 0]), 1) is None
    assert halfway(np.array([0.2, 0.5, 0.6, 1])) == 2
    assert dip(np.array([3.0, 1, 2])) == (1.0, 1)
    assert dip(np.array([1.0, 2, 3])) == (0.0, 0)
    assert np.isnan(count(Patterns(3, 1)).share)
