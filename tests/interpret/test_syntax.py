"""Sites put into the background of a law: as listing every sequence has it; positions that may not change; its beta."""

from dataclasses import replace

import numpy as np
import pytest
from analysis.sample_sets import sample_set
from exact import all_letters
from small import anchor, law, small_model

from maxent_cli.alphabet import encode
from maxent_cli.analysis.syntax import Placing, Syntax, put
from maxent_cli.data import SampleSet
from maxent_cli.interpret.law import LawSettings, anchored_law, evaluate
from maxent_cli.interpret.syntax import Implanter

LENGTH = 6
ROWS = np.random.default_rng(2).dirichlet(np.full(4, 5.0), LENGTH)
PLACING = Placing("a> b>", encode("AC"), encode("GG"))
MODEL = small_model(LENGTH)


def drawn(beta: float, free: tuple[int, ...] = tuple(range(LENGTH))) -> tuple[SampleSet, LawSettings]:
    mutable = np.isin(np.arange(LENGTH), free)
    codes = np.tile(encode("GATCAT"), (2, 3, 1))
    return sample_set(codes, ROWS, beta=beta, mutable=mutable), law(beta, tether=None)


def listed(samples: SampleSet, settings: LawSettings, distance: int, starts: list[int], beta: float) -> float:
    """The interaction, in bits, by every sequence that the background has, each start alike."""
    codes = all_letters(LENGTH)
    codes = np.unique(np.where(samples.mutable, codes, samples.anchor), axis=0).astype(np.uint8)
    weight = np.where(samples.mutable, ROWS[np.arange(LENGTH), codes], 1).prod(axis=1)
    one = replace(anchor("GATCAT"), mutable=samples.mutable)
    energy = anchored_law(MODEL, one, settings).terms.energy
    sums = np.zeros(4)
    for start in starts:
        first, second = np.full(len(codes), start), np.full(len(codes), start + 2 + distance)
        left = put(codes, PLACING.left, first)
        states = (codes, left, put(codes, PLACING.right, second), put(left, PLACING.right, second))
        sums += [(weight * np.exp(-beta * evaluate(energy, state))).sum() for state in states]
    return float(np.array([1, -1, -1, 1]) @ -np.log2(sums / len(starts)))


@pytest.mark.parametrize(
    ("free", "starts"), [(tuple(range(6)), {0: [0, 1], 1: [0, 1]}), ((1, 2, 3, 4, 5), {0: [1], 1: [1]})]
)
def test_interactions_are_those_of_listing_within_their_errors(
    free: tuple[int, ...], starts: dict[int, list[int]]
) -> None:
    samples, settings = drawn(2.0, free)
    implanter = Implanter(MODEL, settings, samples, Syntax(contexts=4096, max_distance=1))
    cells = implanter.cells(PLACING, lambda _: None)
    exact = [listed(samples, settings, distance, starts[distance], implanter.beta) for distance in (0, 1)]
    for one, truth in zip(cells, exact, strict=True):
        assert one.interaction == pytest.approx(truth, abs=4 * one.error)
        assert one.error < 0.1
    assert max(map(abs, exact)) > 8 * max(one.error for one in cells)  # else anything would be near


def test_where_two_do_not_fit_there_is_nothing() -> None:
    samples, settings = drawn(2.0, (0, 1, 2, 3, 4))
    cells = Implanter(MODEL, settings, samples, Syntax(contexts=16, max_distance=3)).cells(PLACING, lambda _: None)
    assert [bool(np.isfinite(one.interaction)) for one in cells] == [True, True, False, False]


def test_the_laws_beta_where_contexts_suffice_and_less_where_not() -> None:
    shares = [
        Implanter(MODEL, settings, samples, Syntax()).beta_share for samples, settings in (drawn(0.01), drawn(1e3))
    ]
    assert shares[0] == 1
    assert 0 < shares[1] < 0.5


def test_the_same_seed_gives_the_same() -> None:
    samples, settings = drawn(2.0)
    cells = [
        Implanter(MODEL, settings, samples, Syntax(seed=seed)).cells(PLACING, lambda _: None) for seed in (1, 1, 2)
    ]
    assert str(cells[0]) == str(cells[1])
    assert str(cells[0]) != str(cells[2])
