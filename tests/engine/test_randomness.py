"""Random numbers against their published test vectors and a slow twin; their uniformity; keys that never meet."""

import numpy as np
import pytest
from exact import ODD, law_probability, random_keys
from numba import njit
from scipy import stats

from maxent_cli.alphabet import encode
from maxent_cli.engine.proposals import cumulative_rows
from maxent_cli.engine.randomness import (
    EXCHANGE_STEP,
    START_STEP,
    background_draws,
    below,
    chain_keys,
    exchange_log_uniforms,
    letter,
    philox,
    uniform,
)

LAST = 0xFFFFFFFF


@njit(cache=True)
def words_at(keys, steps, slots):
    words = np.zeros((len(keys), 4), np.uint32)
    for i in range(len(keys)):
        words[i] = philox(keys[i], steps[i], slots[i])
    return words


def slow_philox(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Philox4x32-10 in Python's unbounded integers, as Salmon et al. (2011) define it."""
    c, (low, high) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = (second >> 32) ^ c[1] ^ low, second & LAST, (first >> 32) ^ c[3] ^ high, first & LAST
        low, high = (low + 0x9E3779B9) & LAST, (high + 0xBB67AE85) & LAST
    return c


# known-answer vectors of Random123, philox4x32 with ten rounds
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((LAST, LAST, LAST, LAST), (LAST, LAST), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_slow_twin_gives_the_published_words(counter, key, words):
    assert slow_philox(counter, key) == words


def test_the_first_published_words():
    words = words_at(np.zeros(1, np.uint64), np.zeros(1, np.int64), np.zeros(1, np.int64))[0]
    np.testing.assert_array_equal(words, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])


def test_compiled_words_are_the_slow_twins():
    rng = np.random.default_rng(1)
    keys = np.append(random_keys(300), np.array([0, 1, 2**32, 2**64 - 1], np.uint64))
    steps = np.append(rng.integers(0, 2**62, 300), [0, 2**32, EXCHANGE_STEP, START_STEP])
    slots = np.append(rng.integers(0, 2**31, 300), [0, 1, 2, 2**32 - 1])
    expected = [
        slow_philox((int(step) & LAST, int(step) >> 32, int(slot), 0), (int(key) & LAST, int(key) >> 32))
        for key, step, slot in zip(keys, steps, slots, strict=True)
    ]
    np.testing.assert_array_equal(words_at(keys, steps, slots), expected)


def test_uniform_is_strictly_between_0_and_1():
    numbers = [uniform.py_func(np.uint32(word)) for word in (0, 1, LAST)]
    assert 0 < numbers[0] < numbers[1] < numbers[2] < 1
    assert numbers[0] == pytest.approx(2**-33)


def test_words_are_uniform_bit_by_bit():
    words = words_at(random_keys(20_000), np.arange(20_000), np.zeros(20_000, np.int64))
    bits = np.unpackbits(words.view(np.uint8), axis=1)
    deviation = (bits.mean(0) - 0.5) * 2 * np.sqrt(len(bits))
    assert stats.norm.sf(np.abs(deviation).max()) * 2 * bits.shape[1] > 1e-4


@pytest.mark.parametrize("axis", ["key", "step", "slot"])
def test_neighbouring_counters_give_unrelated_words(axis):
    """Words of counters that differ by one: their pairs, in 8 × 8 boxes, are independent and uniform."""
    count = 50_000
    counters = {"key": np.zeros(count, np.uint64), "step": np.zeros(count, np.int64), "slot": np.zeros(count, np.int64)}
    counters[axis] = np.arange(count).astype(counters[axis].dtype)
    boxes = words_at(counters["key"], counters["step"], counters["slot"]) >> np.uint32(29)
    for word in range(4):
        pairs = 8 * boxes[:-1, word].astype(int) + boxes[1:, word]
        assert law_probability(np.bincount(pairs, minlength=64), np.full(64, 1 / 64)) > ODD


@pytest.mark.parametrize("count", [1, 3, 7, 101])
def test_below_covers_its_range_evenly(count):
    words = words_at(random_keys(30_000), np.zeros(30_000, np.int64), np.zeros(30_000, np.int64))[:, 0]
    numbers = np.array([below.py_func(word, count) for word in words])
    assert numbers.min() == 0
    assert numbers.max() == count - 1
    if count > 1:
        assert law_probability(np.bincount(numbers, minlength=count), np.full(count, 1 / count)) > ODD


@pytest.mark.parametrize(
    ("fraction", "code"), [(0.0, 0), (0.39, 0), (0.41, 1), (0.49, 1), (0.51, 2), (0.69, 2), (0.71, 3), (0.9999, 3)]
)
def test_letter_inverts_the_cumulative_frequencies(fraction, code):
    row = cumulative_rows(np.array([[0.4, 0.1, 0.2, 0.3]]))[0]
    assert letter(np.uint32(fraction * 2**32), row) == code


def test_background_draws_have_the_frequencies_of_their_position():
    rows = np.array(
        [[0.4, 0.1, 0.2, 0.3], [0.05, 0.9, 0.03, 0.02], [0.25] * 4, [0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]]
    )
    codes = np.zeros((40_000, 5), np.uint8)
    background_draws(random_keys(40_000), START_STEP, cumulative_rows(rows), codes)
    for position in range(5):
        assert law_probability(np.bincount(codes[:, position], minlength=4), rows[position]) > ODD
    pairs = 4 * codes[:, 0].astype(int) + codes[:, 4]  # the fifth letter is of another slot
    assert law_probability(np.bincount(pairs, minlength=16), np.outer(rows[0], rows[4]).ravel()) > ODD


def test_exchange_uniforms_are_those_of_their_key_and_step():
    keys, log_uniforms = random_keys(5), np.empty(5)
    exchange_log_uniforms(keys, 17, log_uniforms)
    words = [slow_philox((17, EXCHANGE_STEP >> 32, 0, 0), (int(k) & LAST, int(k) >> 32))[0] for k in keys]
    np.testing.assert_allclose(log_uniforms, np.log((np.array(words) + 0.5) / 2**32))


def test_keys_differ_by_seed_name_letters_and_chain():
    records = [
        (seed, name, encode(letters))
        for seed in (1, 2, 11)
        for name in ("a", "b", "1", "a\nACGT", "chr1:5-9")
        for letters in ("ACGT", "ACGA", "NCGT", "")
    ]
    keys = np.concatenate([chain_keys(seed, name, anchor, 50) for seed, name, anchor in records])
    assert len(np.unique(keys)) == len(records) * 50


def test_keys_do_not_depend_on_how_many_chains_there_are_and_stay_what_they_are():
    few, many = (chain_keys(1, "chr1:5-9", encode("ACGTN"), chains) for chains in (3, 300))
    np.testing.assert_array_equal(few, many[:3])
    # a change here changes every draw of every seed: it needs a line in the changelog
    np.testing.assert_array_equal(few, [14748391018873562618, 11058931468612843398, 5169030325271486222])
