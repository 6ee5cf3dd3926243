"""Anchors that stand for the data: two motifs in known shares, before a head that does not tell them apart."""

import numpy as np
import pytest
import torch
from torch import nn

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode
from maxent_cli.analysis.gapped_words import profiles
from maxent_cli.analysis.medoids import distances, medoids
from maxent_cli.interpret import standing as room
from maxent_cli.interpret.standing import standing
from maxent_cli.models.scores import Score

WORDS, LENGTH, SHARE = ("GATTACAGG", "CCGGAAGTC"), 40, 0.7
ONE = (((0, 1.0),),)


class EitherWord(nn.Module):
    """One unit, the better match of two words on the plus strand: what the head reads does not say which it was."""

    input_length = LENGTH

    def __init__(self) -> None:
        super().__init__()
        kernels = torch.stack([nn.functional.one_hot(torch.from_numpy(encode(word)).long(), 4).T for word in WORDS])
        self.scan = nn.Conv1d(4, 2, 9, bias=False)
        self.scan.weight = nn.Parameter(kernels.float() * torch.tensor([1.0, 0.9])[:, None, None])
        self.head = nn.Linear(1, 1)
        self.head.weight, self.head.bias = nn.Parameter(torch.ones(1, 1)), nn.Parameter(torch.tensor([-6.5]))

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        return self.head(self.scan(one_hot).amax((1, 2))[:, None])


def records(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random sequences with a word each, and which it is."""
    chance = np.random.default_rng(seed)
    codes = chance.integers(0, 4, (count, LENGTH), np.uint8)
    which = (chance.random(count) >= SHARE).astype(int)
    for row, start in enumerate(chance.integers(0, LENGTH - 9, count)):
        codes[row, start : start + 9] = encode(WORDS[which[row]])
    return codes, which


def test_both_motifs_have_anchors_that_stand_for_their_shares() -> None:
    codes, which = records(400, seed=1)
    net = mx.network(EitherWord())
    named = {f"r{row}": decode(letters) for row, letters in enumerate(codes)}
    asked = {"label": 1, "correct": True, "progress": False}
    surest = mx.predict(net, named, top=6, **asked)  # type: ignore[arg-type]
    assert set(which[surest.rows]) == {0}  # what this is for: the surest all have one motif
    found = mx.predict(net, named, diverse=6, **asked)  # type: ignore[arg-type]
    assert set(which[found.rows]) == {0, 1}
    assert sum(found.shares) == pytest.approx(1)
    assert list(found.shares) == sorted(found.shares, reverse=True)
    held = sum(share for row, share in zip(found.rows, found.shares, strict=True) if which[row] == 0)
    assert held == pytest.approx((which == 0).mean(), abs=0.03)
    table = found.to_frame()
    assert table["anchor"].map(lambda name: which[int(name[1:])]).eq(which).mean() > 0.97
    counted = table["anchor"].value_counts(normalize=True)
    assert dict(counted) == pytest.approx(dict(zip(table["record"][found.rows], found.shares, strict=True)))


def test_many_records_are_given_to_medoids_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are of all, although medoids are sought among a few; the same each time."""
    monkeypatch.setattr(room, "SOUGHT", 60)
    model, (codes, which) = mx.network(EitherWord()).reader(LENGTH), records(700, seed=2)
    heard: list[int] = []
    found = standing(model, ONE, codes, 4, heard.append)
    again = standing(model, ONE, codes, 4)
    assert (found.chosen.tolist(), found.shares.tolist()) == (again.chosen.tolist(), again.shares.tolist())
    assert sum(heard) == len(found.owner) == 700
    assert found.shares[which[found.chosen] == 0].sum() == pytest.approx((which == 0).mean(), abs=0.05)


def test_fewer_than_asked_where_records_are_alike_to_the_network() -> None:
    model, (codes, which) = mx.network(EitherWord()).reader(LENGTH), records(30, seed=3)
    found = standing(model, ONE, codes, 8)
    assert sorted(which[found.chosen]) == [0, 1]
    assert found.shares == pytest.approx([(which == 0).mean(), (which == 1).mean()])


def test_a_function_of_sequences_has_no_gradient_and_all_its_words_count() -> None:
    score = Score(lambda some: [float(letters.count("G")) for letters in some], "counts").sized(LENGTH, "counts")
    codes = records(50, seed=4)[0]
    found = standing(score, ONE, codes, 3)
    words = profiles(codes, np.ones(codes.shape))
    assert sorted(found.chosen) == sorted(medoids(distances(words, words), 3))
