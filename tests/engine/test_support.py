"""Supports against strings that are searched letter by letter: the term, single changes, shares, and exact draws."""

from itertools import product

import numpy as np
import pytest
import torch
from exact import ODD, law_probability, random_keys
from toy import NO_GA, SKEWED

from maxent_cli.alphabet import decode, encode
from maxent_cli.engine.support import Support, bytes_of_inside, draws_inside, inside, no_support, stays_inside
from maxent_cli.interpret.constraints import Constraints

LENGTH = 6
WORDS = ["".join(letters) for letters in product("ACGT", repeat=LENGTH)]
TURNED = str.maketrans("ACGT", "TGCA")
IUPAC = {"W": "AT", "N": "ACGT", "S": "CG", "R": "AG"}
CASES = {
    "word and limits": Constraints(("GA",), gc=(0.3, 0.7)),
    "words of two lengths": Constraints(("GA", "TWSA")),
    "palindrome": Constraints(("ACGT", "AANT")),
    "limits": Constraints(gc=(0.5, 0.5)),
    "all A and T": Constraints(("AAA",), gc=(0.0, 0.0)),
}


def spelled(word: str) -> list[str]:
    return ["".join(letters) for letters in product(*(IUPAC.get(letter, letter) for letter in word))]


def slow(constraints: Constraints, letters: str) -> bool:
    """Whether letters are allowed, by searching a string and its reverse complement."""
    strands = letters, letters.translate(TURNED)[::-1]
    if any(one in strand for word in constraints.forbid for one in spelled(word) for strand in strands):
        return False
    content = sum(letter in "GC" for letter in letters)
    least, most = constraints.gc or (0, 1)
    return least * len(letters) - 1e-9 <= content <= most * len(letters) + 1e-9


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Support, np.ndarray]:
    """A support, and which of all words are inside."""
    support = request.param.support(LENGTH)
    assert support is not None
    return support, np.array([slow(request.param, word) for word in WORDS])


ALL = np.array([encode(word) for word in WORDS])


def test_the_term_is_0_inside_and_minus_infinity_outside(case: tuple[Support, np.ndarray]) -> None:
    support, allowed = case
    found = support(torch.from_numpy(ALL.reshape(64, 64, LENGTH))).numpy().ravel()
    np.testing.assert_array_equal(found, np.where(allowed, 0, -np.inf))


def changed(allowed: np.ndarray, rng: np.random.Generator, count: int) -> list[tuple[np.ndarray, np.ndarray, int, int]]:
    found = []
    for row, other in zip(rng.choice(np.flatnonzero(allowed), count), rng.integers(0, len(ALL), count), strict=True):
        first, last = np.sort(rng.choice(LENGTH + 1, 2, replace=False))
        found.append((ALL[row], ALL[other], int(first), int(last)))
    return found


def disagreements(support: Support, allowed: np.ndarray) -> int:
    """Of 500 changes of allowed sequences, how many are judged otherwise than by the list."""
    wrong = 0
    for x, proposed, first, last in changed(allowed, np.random.default_rng(1), 500):
        after = x.copy()
        after[first:last] = proposed[first:last]
        number = int(after.astype(int) @ 4 ** np.arange(LENGTH)[::-1])
        wrong += stays_inside(support, x, proposed, first, last) != allowed[number]
    return wrong


def test_a_change_is_allowed_where_the_list_says_so(case: tuple[Support, np.ndarray]) -> None:
    assert disagreements(*case) == 0


def test_wrong_supports_are_told_from_right_ones() -> None:
    given = Constraints(("GA",), gc=(0.3, 0.7))
    allowed = np.array([slow(given, word) for word in WORDS])
    right = given.support(LENGTH)
    assert right is not None
    one_strand = NO_GA.after.copy()
    one_strand[2, 1] = 0  # TC is not looked for
    wrong = {
        "the reverse complement is forgotten": right._replace(after=one_strand, width=2),
        "only the change itself is read": right._replace(width=1),
        "the bounds are one letter off": right._replace(most=right.most + 1),
        "the number of G and C is not looked at": right._replace(least=0, most=LENGTH),
    }
    assert {name for name, support in wrong.items() if disagreements(support, allowed)} == set(wrong)


def test_shares_are_exact_and_draws_follow_the_list(case: tuple[Support, np.ndarray]) -> None:
    support, allowed = case
    rows = np.array([SKEWED if p % 2 else SKEWED[::-1] for p in range(LENGTH)])
    mutable = np.array([True, True, False, True, True, True])
    anchor = encode("AAAAAA")
    weight = np.where(allowed, rows[np.arange(LENGTH), ALL][:, mutable].prod(axis=1), 0)
    weight[ALL[:, 2] != anchor[2]] = 0
    found = inside(support, rows, anchor, mutable)
    assert np.exp(found.log_share) == pytest.approx(weight.sum(), rel=1e-12)
    assert found.ahead.nbytes == bytes_of_inside(support, LENGTH)
    draws = draws_inside(found, random_keys(40_000, 3))
    numbers = draws.astype(int) @ 4 ** np.arange(LENGTH)[::-1]
    assert law_probability(np.bincount(numbers, minlength=len(ALL)), weight / weight.sum()) > ODD


def test_draws_depend_on_their_key_alone() -> None:
    found, keys = inside(NO_GA, np.tile(SKEWED, (5, 1)), encode("GCATT"), np.ones(5, bool)), random_keys(50)
    together = draws_inside(found, keys)
    np.testing.assert_array_equal(draws_inside(found, keys[::-1].copy())[::-1], together)
    assert len(np.unique(together, axis=0)) > 20


def test_an_unknown_letter_is_no_word_and_stays() -> None:
    support = Constraints(("NA",)).support(4)
    assert support is not None
    codes = encode("NACC")
    assert support(torch.from_numpy(codes)) == 0
    found = inside(support, np.tile(SKEWED, (4, 1)), codes, codes != 4)
    draws = draws_inside(found, random_keys(200))
    assert {decode(row)[0] for row in draws} == {"N"}
    assert "A" in {decode(row)[1] for row in draws}
    assert not {decode(row)[2:] for row in draws} & {"AA", "CA", "GA", "TA"}


def test_an_empty_support_is_known_to_be_empty() -> None:
    mutable = np.array([False, False, True])
    found = inside(NO_GA, np.tile(SKEWED, (3, 1)), encode("GAT"), mutable)
    assert found.log_share == -np.inf
    assert inside(NO_GA._replace(least=4), np.tile(SKEWED, (3, 1)), encode("GGG"), ~mutable).log_share == -np.inf
    assert inside(no_support(), np.tile(SKEWED, (3, 1)), encode("GAT"), mutable).log_share == pytest.approx(0)
