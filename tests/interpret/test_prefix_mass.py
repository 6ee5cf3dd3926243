"""Bits of prefixes: those of a law that is listed, from draws of it; wrong ways to weigh and to move are found.

Whether errors are what sums are off by is asked where it is hardest: of a word that may stand in several registers.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from small import Listed, anchor, law, run, small_model
from torch import nn

from maxent_cli.alphabet import Codes, decode, encode
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.errors import StoppedError
from maxent_cli.interpret import prefix_mass, sampling
from maxent_cli.interpret.prefix_mass import Effort, PrefixBits, prefix_bits
from maxent_cli.interpret.sampling import prepare, sample_anchor
from maxent_cli.models.architectures import LayeredModel

WORD, BETA, FEW = "GATCA", 200.0, 4.5
MODEL = small_model(len(WORD))
EFFORT = Effort(1000, 5)


@cache
def drawn() -> SampleSet:
    return sample_anchor(MODEL, anchor(WORD), law(BETA), run(chains=20, draws=50, warmup=800))


@cache
def listed() -> Floats:
    """log2 of the law's probability of each prefix over the background's (L,)."""
    all_of_it = Listed(MODEL, WORD)
    p, q = all_of_it.law(BETA), all_of_it.law(0.0)
    kept = [[word[: j + 1] == WORD[: j + 1] for word in all_of_it.words] for j in range(len(WORD))]
    return np.array([np.log2(p[some].sum() / q[some].sum()) for some in map(np.array, kept)])


def check(found: PrefixBits) -> None:
    """Within errors of the listed law, each letter and each prefix; and what they sum to."""
    for part, wanted in ((found.prefixes, listed()), (found.letters, np.diff(listed(), prepend=0))):
        assert (np.abs(part.value - wanted) < FEW * part.error + 1e-6).all()
        assert part.error.max() < 0.5
    assert abs(found.prefixes.value[-1] - found.law.value) < 3 * np.hypot(found.prefixes.error[-1], found.law.error)


def test_bits_are_those_of_the_listed_law_and_sum_to_what_the_law_holds() -> None:
    found, whole = prefix_bits(MODEL, drawn(), law(BETA), 1, effort=EFFORT), Listed(MODEL, WORD)
    check(found)
    held = whole.bits(BETA) + BETA * whole.mean_energy(BETA) / np.log(2)
    assert listed()[-1] == pytest.approx(held)
    assert abs(found.law.value - held) < FEW * found.law.error
    assert held > 3
    again = prefix_bits(MODEL, drawn(), law(BETA), 1, effort=EFFORT)
    np.testing.assert_array_equal(again.letters.value, found.letters.value)


def test_by_full_passes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "compiled", lambda setting, *_: setting)
    monkeypatch.setattr(sampling, "with_surrogate", lambda setting, *_: setting)
    check(prefix_bits(MODEL, drawn(), law(BETA), 1, effort=EFFORT))


def test_where_chains_mix_slowly_more_steps_are_taken_as_far_as_they_may() -> None:
    samples = drawn()  # 20 chains of 50 draws, 4 replicas
    taken, places = 20 * 50 * len(samples.replicas.betas), len(WORD)
    asked = Effort(100, 10, 2.0, 5)
    assert asked.steps_from(replace(samples, thin=8)) == 10
    assert asked.steps_from(replace(samples, thin=12)) == 12
    wide = replace(samples, thin=40, codes=samples.codes[:, :1])
    assert asked.steps_from(wide) == max(10, int(2.0 * (taken // 50) * 40 / (100 * places) - 5))


def _without_background(self: prefix_mass._Islands, place: int) -> Floats:
    self.log_rows[:] = np.log(0.25)
    return PUT_IN(self, place)


def _mass_is_lost(self: prefix_mass._Islands) -> None:
    before = self.log_mass.copy()
    CHOOSE(self)
    self.log_mass = before


def _moves_undo_the_prefix(self: prefix_mass._Islands) -> None:
    free, self.free = self.free, np.ones_like(self.free)
    MOVE(self)
    self.free = free


def _weights_are_forgotten(self: prefix_mass._Islands) -> None:
    self.log_mass += logsumexp(self.log_weights, axis=1) - np.log(self.log_weights.shape[1])
    self.log_weights[:] = 0.0


PUT_IN, CHOOSE, MOVE = prefix_mass._Islands.put_in, prefix_mass._Islands._choose, prefix_mass._Islands._move
WRONG = {
    "put_in": _without_background,
    "_choose": _mass_is_lost,
    "_move": _moves_undo_the_prefix,
    "_choose ": _weights_are_forgotten,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ways_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_mass, "LEFT", 0.99)
    monkeypatch.setattr(prefix_mass._Islands, name.strip(), WRONG[name])
    found = prefix_bits(MODEL, drawn(), law(BETA), 1, effort=Effort(1000, 1))
    with pytest.raises(AssertionError):
        check(found)


def test_held_positions_and_unknown_letters_are_not_put_in() -> None:
    mutable = np.array([True, False, True, True, True])
    around = anchor("GATCN", mutable=mutable)
    samples = sample_anchor(MODEL, around, law(BETA), run(chains=20, draws=50, warmup=800))
    found = prefix_bits(MODEL, samples, law(BETA), 1, effort=EFFORT)
    np.testing.assert_array_equal(np.isfinite(found.letters.value), [True, False, True, True, False])


def test_it_ends_between_letters_when_asked_to() -> None:
    calls = []

    def listen() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        prefix_bits(MODEL, drawn(), law(BETA), 1, listen=listen, effort=EFFORT)
    assert len(calls) == 3


SITE, LENGTH, FREE = "GATAAG", 40, slice(20, 28)
REPEATS = 12


class Word(NamedTuple):
    """A network that reads a word anywhere, an anchor that has it among its free positions, and its law, listed.

    codes (S, L), p (S,): every sequence, and its probability; prefixes (F,): what is to be found.
    """

    model: LayeredModel
    anchor: Anchor
    samples: SampleSet
    codes: Codes
    p: Floats
    prefixes: Floats

    def draws(self, number: int) -> SampleSet:
        """Draws of the law itself, in as many chains as by default."""
        rows = np.random.default_rng(number).choice(len(self.p), (8, 200), p=self.p)
        return replace(self.samples, codes=self.codes[rows])


@cache
def word() -> Word:
    match = nn.Conv1d(4, 1, len(SITE))
    model = LayeredModel(LENGTH, nn.Sequential(match, nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())).eval()
    with torch.no_grad():
        match.weight.copy_(torch.eye(4)[torch.from_numpy(encode(SITE)).long()].T[None])
        match.bias.fill_(-1.0)
    letters = np.random.default_rng(3).integers(0, 4, LENGTH, np.uint8)
    letters[21:27] = encode(SITE)
    mutable = np.zeros(LENGTH, bool)
    mutable[FREE] = True
    around, asked = anchor(decode(letters), mutable=mutable), law(None)
    samples = sample_anchor(model, around, asked, run(chains=8, draws=200, thin=10, warmup=800))
    free = np.array(list(product(range(4), repeat=8)), np.uint8)
    codes = np.tile(letters, (len(free), 1))
    codes[:, FREE] = free
    setting = prepare(model, around, asked, run(), 1)
    log_q = np.log(setting.law.terms.background[FREE][np.arange(8), free]).sum(axis=1)
    log_p = log_q - samples.beta * setting.energies(codes)
    log_p -= logsumexp(log_p)
    kept = [(free[:, : j + 1] == letters[FREE][: j + 1]).all(axis=1) for j in range(8)]
    prefixes = [(logsumexp(log_p[some]) - logsumexp(log_q[some])) / np.log(2) for some in kept]
    return Word(model, around, samples, codes, np.exp(log_p) / np.exp(log_p).sum(), np.array(prefixes))


def off_by(draws: Callable[[int], SampleSet]) -> Floats:
    """By how many of their errors the bits of the longer prefixes are off (REPEATS, F / 2)."""
    hard, found = word(), []
    for number in range(REPEATS):
        bits = prefix_bits(hard.model, draws(number), law(None), number, effort=Effort(320, 5)).prefixes
        found.append((bits.value[FREE] - hard.prefixes) / bits.error[FREE])
    return np.array(found)[:, 4:]


def check_errors(z: Floats) -> None:
    """No prefix is off beyond chance, and the sum is off by as much as its error says."""
    assert np.abs(z.mean(axis=0)).max() < 3.5 / np.sqrt(REPEATS)
    assert 0.5 < z.std(axis=0, ddof=1)[-1] < 1.7


def test_errors_are_what_sums_are_off_by() -> None:
    assert word().prefixes[-1] > 3
    check_errors(off_by(word().draws))


def test_errors_that_are_too_small_are_found() -> None:
    """As of islands that share their draws."""

    def twice(number: int) -> SampleSet:
        samples = word().draws(number)
        return replace(samples, codes=np.tile(samples.codes[:2], (4, 1, 1)))

    with pytest.raises(AssertionError):
        check_errors(off_by(twice))
