"""Random numbers as a pure function of (chain key, step, slot).

No generator is passed or stored: whoever knows a chain's key and step knows its randomness, so that a resumed run, a
shard of the input or another number of threads draws what an uninterrupted, whole, single-threaded run would.
"""

import hashlib

import numpy as np
from numba import njit, uint32, uint64
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, decode

Keys = NDArray[np.uint64]

# steps count from 0; these lie where no step count reaches
START_STEP = 2**62
EXCHANGE_STEP = 2**61
DECISION_STEP = 2**60  # of a surrogate's outer decisions


def chain_keys(seed: int, name: str, anchor: Codes, chains: int) -> Keys:
    """A 64-bit key for each of C chains (C,), from the seed, the record's name, its letters and the chain's number."""
    record = f"{seed}\n{name}\n{decode(anchor)}".encode()
    digests = (hashlib.blake2b(record, digest_size=8, person=chain.to_bytes(8, "big")) for chain in range(chains))
    return np.array([int.from_bytes(digest.digest(), "big") for digest in digests], np.uint64)


@njit(cache=True, inline="always")
def philox(key, step, slot):  # type: ignore[no-untyped-def]
    """Four 32-bit words at (key, step, slot): Philox4x32 with ten rounds (Salmon et al., SC 2011)."""
    low, high = uint32(key), uint32(uint64(key) >> uint64(32))
    c0, c1 = uint32(uint64(step)), uint32(uint64(step) >> uint64(32))
    c2, c3 = uint32(slot), uint32(0)
    for _ in range(10):
        p0 = uint64(0xD2511F53) * uint64(c0)
        p1 = uint64(0xCD9E8D57) * uint64(c2)
        c0, c1, c2, c3 = (
            uint32(uint32(p1 >> uint64(32)) ^ c1 ^ low),
            uint32(p1),
            uint32(uint32(p0 >> uint64(32)) ^ c3 ^ high),
            uint32(p0),
        )
        low = uint32(low + uint32(0x9E3779B9))
        high = uint32(high + uint32(0xBB67AE85))
    return c0, c1, c2, c3


@njit(cache=True, inline="always")
def uniform(word):  # type: ignore[no-untyped-def]
    """A word as a number strictly between 0 and 1."""
    return (np.float64(word) + 0.5) * (1.0 / 4294967296.0)


@njit(cache=True, inline="always")
def below(word, count):  # type: ignore[no-untyped-def]
    """A word as an integer in [0, count); the bias is below count / 2**32."""
    return np.int64((uint64(word) * uint64(count)) >> uint64(32))


@njit(cache=True, inline="always")
def letter(word, cumulative):  # type: ignore[no-untyped-def]
    """A word as a letter code, given the row's cumulative frequencies (4,)."""
    u = uniform(word)
    return np.uint8(np.int64(u >= cumulative[0]) + np.int64(u >= cumulative[1]) + np.int64(u >= cumulative[2]))


@njit(cache=True)
def background_draws(keys, step, cumulative, codes):  # type: ignore[no-untyped-def]
    """Overwrite codes (C, L) by draws from cumulative rows (L, 4), one sequence a key, at the given step."""
    for chain in range(codes.shape[0]):
        for position in range(codes.shape[1]):
            if position % 4 == 0:
                words = philox(keys[chain], step, position // 4)
            codes[chain, position] = letter(words[position % 4], cumulative[position])


@njit(cache=True)
def exchange_log_uniforms(keys, step, log_uniforms):  # type: ignore[no-untyped-def]
    """Fill the logarithm of a uniform number (C,) for each chain's exchange with the next at the given step."""
    for chain in range(len(keys)):
        log_uniforms[chain] = np.log(uniform(philox(keys[chain], EXCHANGE_STEP + step, 0)[0]))


@njit(cache=True)
def decision_log_uniforms(keys, step, log_uniforms):  # type: ignore[no-untyped-def]
    """Fill the logarithm of a uniform number (C,) for each chain's outer decision at the given step."""
    for chain in range(len(keys)):
        log_uniforms[chain] = np.log(uniform(philox(keys[chain], DECISION_STEP + step, 0)[0]))
