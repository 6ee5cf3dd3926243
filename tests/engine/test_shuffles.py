from collections import Counter
from collections.abc import Callable
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from maxent_cli.alphabet import Codes, decode, encode
from maxent_cli.engine.shuffles import dinucleotide_shuffle

# the first three have three trees of last exits, made of 1, 2 and 4 sets of edges: what a wrong tree would show in
SHORT = ["CGAGCGACA", "ACAGCGAGC", "CGCNGNCNG", "AACAGCAGA", "TATTGTGGAT"]
Shuffler = Callable[[Codes, int], Codes]


def dinucleotides(sequence: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(sequence))


def arrangements(sequence: str) -> list[str]:
    """All sequences with the same dinucleotide counts and ends, by trying every permutation of the inner letters."""
    wanted = dinucleotides(sequence)
    tried = {sequence[0] + "".join(middle) + sequence[-1] for middle in permutations(sequence[1:-1])}
    return sorted(found for found in tried if dinucleotides(found) == wanted)


def uniformity(shuffler: Shuffler, sequence: str) -> float:
    """The p-value of 300 shuffles for each arrangement being uniform over them; 0 if one is no arrangement at all."""
    listed = arrangements(sequence)
    codes = encode(sequence)[None]
    seen = Counter(decode(shuffler(codes, seed)[0]) for seed in range(300 * len(listed)))
    if set(seen) - set(listed):
        return 0.0
    return float(chisquare([seen[found] for found in listed]).pvalue)


def euler_walk(codes: Codes, seed: int, weighted: bool) -> Codes:
    """The same algorithm spelled out: list all trees, draw one (weighted by its number of edges, or not), walk."""
    chance, row = np.random.default_rng(seed), decode(codes[0])
    exits = {letter: [b for a, b in pairwise(row) if a == letter] for letter in set(row)}
    inner = [letter for letter in exits if letter != row[-1] and exits[letter]]
    trees = [dict(zip(inner, choice, strict=True)) for choice in product(*(sorted(set(exits[a])) for a in inner))]
    trees = [tree for tree in trees if all(_leads_to(tree, letter, row[-1]) for letter in inner)]
    weights = [np.prod([exits[a].count(b) for a, b in tree.items()]) if weighted else 1 for tree in trees]
    tree = trees[chance.choice(len(trees), p=np.array(weights) / sum(weights))]
    for letter, last in tree.items():
        exits[letter].remove(last)
    order = {
        a: [bs[i] for i in chance.permutation(len(bs))] + ([tree[a]] if a in tree else []) for a, bs in exits.items()
    }
    walked = row[0]
    while len(walked) < len(row):
        walked += order[walked[-1]].pop(0)
    return encode(walked)[None]


def _leads_to(tree: dict[str, str], letter: str, root: str) -> bool:
    for _ in range(len(tree)):
        letter = tree.get(letter, letter)
    return letter == root


def letter_shuffle(codes: Codes, seed: int) -> Codes:
    """Wrong: keeps letters, not dinucleotides."""
    inner = np.random.default_rng(seed).permutation(codes[0, 1:-1])
    return np.concatenate([codes[0, :1], inner, codes[0, -1:]])[None]


@pytest.mark.parametrize("sequence", SHORT)
def test_uniform_over_all_arrangements(sequence: str) -> None:
    assert len(arrangements(sequence)) >= 14
    assert uniformity(dinucleotide_shuffle, sequence) > 1e-3


def test_the_test_passes_another_right_shuffler() -> None:
    assert uniformity(lambda codes, seed: euler_walk(codes, seed, weighted=True), SHORT[0]) > 1e-3


@pytest.mark.parametrize(
    "wrong",
    [letter_shuffle, lambda codes, seed: euler_walk(codes, seed, weighted=False)],
    ids=["letters", "flat trees"],
)
def test_the_test_catches_wrong_shufflers(wrong: Shuffler) -> None:
    assert uniformity(wrong, SHORT[0]) < 1e-6


@settings(deadline=None)
@given(st.text("ACGTN", max_size=40), st.integers(0, 2**64 - 1))
def test_counts_and_ends_stay(sequence: str, seed: int) -> None:
    shuffled = decode(dinucleotide_shuffle(encode(sequence)[None], seed)[0])
    assert dinucleotides(shuffled) == dinucleotides(sequence)
    assert (shuffled[:1], shuffled[-1:]) == (sequence[:1], sequence[-1:])


def test_long_sequences_are_well_mixed() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (300, 2000)).astype(np.uint8)
    shuffled = dinucleotide_shuffle(codes, 1)
    pairs = [np.sort(rows[:, :-1] * 4 + rows[:, 1:], axis=1) for rows in (codes, shuffled)]
    assert np.array_equal(*pairs)
    assert abs((codes == shuffled)[:, 1:-1].mean() - 0.25) < 5 * np.sqrt(0.1875 / codes.size)


def test_a_row_does_not_depend_on_its_company() -> None:
    codes = np.random.default_rng(2).integers(0, 4, (20, 50)).astype(np.uint8)
    whole = dinucleotide_shuffle(codes, 7)
    assert np.array_equal(whole[::-1], dinucleotide_shuffle(codes[::-1], 7))
    assert np.array_equal(whole[5:9], dinucleotide_shuffle(codes[5:9], 7))
    assert not np.array_equal(whole, dinucleotide_shuffle(codes, 8))


def test_the_input_is_left_as_it_was() -> None:
    codes = np.random.default_rng(2).integers(0, 4, (5, 50)).astype(np.uint8)
    before = codes.copy()
    dinucleotide_shuffle(codes, 7)
    assert np.array_equal(codes, before)


@pytest.mark.parametrize("shape", [(0, 10), (3, 0), (3, 1), (3, 2), (3, 3)])
def test_what_cannot_be_shuffled_comes_back(shape: tuple[int, int]) -> None:
    codes = np.ones(shape, np.uint8)
    assert np.array_equal(dinucleotide_shuffle(codes, 1), codes)


@pytest.mark.parametrize("codes", [np.zeros(10, np.uint8), np.full((1, 5), 5, np.uint8)], ids=["one row", "letter 5"])
def test_other_arrays_are_refused(codes: Codes) -> None:
    with pytest.raises(ValueError, match="codes must be"):
        dinucleotide_shuffle(codes, 1)
