"""On/off patterns of a layer, counted: entropy, how many there are, how alike two countings are.

A pattern is the row of bits that says which of a layer's units are on. Up to 128 bits are kept as they are; of more a
hash of 128 bits is kept, linear over GF(2) with random coefficients, so that two patterns fall together with a chance
of 2^-128 whatever they are.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np
from numpy.typing import NDArray

from maxent_cli.data import Floats

HASHED = 128  # bits of a key
CHUNK = 2**14  # bits that are hashed at a time
HELD_AT_ONCE = 4  # countings in memory: of the first checkpoint, of the last, of the one before, of the one at work
FEW = 2**16  # keys that wait until they are counted with the others

Bits = NDArray[np.bool_]
Keys = NDArray[np.uint64]


def keys_of(bits: Bits) -> Keys:
    """Keys (M, 2) of patterns (M, units)."""
    if bits.shape[1] <= HASHED:
        return _packed(bits)
    found = np.zeros((len(bits), 2), np.uint64)
    for number, start in enumerate(range(0, bits.shape[1], CHUNK)):
        part = bits[:, start : start + CHUNK].astype(np.float32)
        sums = part @ _coefficients(number)[: part.shape[1]]  # whole numbers below 2^24: exact
        found ^= _packed(sums.astype(np.int32) % 2 == 1)
    return found


def _packed(bits: Bits) -> Keys:
    packed = np.zeros((len(bits), HASHED // 8), np.uint8)
    some = np.packbits(bits, axis=1)
    packed[:, : some.shape[1]] = some
    return packed.view(np.uint64)


@lru_cache(8)
def _coefficients(chunk: int) -> NDArray[np.float32]:
    return np.random.default_rng((HASHED, chunk)).integers(0, 2, (CHUNK, HASHED), np.uint8).astype(np.float32)


def bytes_held(records: int, places: int, classes: int) -> int:
    """What countings of a training take at most: of so many records, a pattern at each of so many places of one."""
    return HELD_AT_ONCE * records * places * (HASHED // 8 + 4 * classes)


class Patterns:
    """Distinct patterns of a layer, sorted, as keys (P, 2) of 16 bytes, and how often each came, by class (P, K).

    units: bits of a pattern. ever: of each unit, by class (K, units), whether it was on in any.
    """

    def __init__(self, units: int, classes: int) -> None:
        self.units, self.classes = units, classes
        self.ever = np.zeros((classes, units), bool)
        self._keys, self._counts = np.zeros((0, 2), np.uint64), np.zeros((0, classes), np.uint32)
        self._waiting = list[tuple[Keys, NDArray[np.uint32]]]()

    def add(self, bits: Bits, label: int) -> None:
        """Count patterns (M, units) of a class."""
        self.ever[label] |= bits.any(axis=0)
        counts = np.zeros((len(bits), self.classes), np.uint32)
        counts[:, label] = 1
        self._waiting.append(_counted(keys_of(bits), counts))
        if sum(len(keys) for keys, _ in self._waiting) > max(FEW, len(self._keys)):
            self._settle()

    @property
    def keys(self) -> Keys:
        """Distinct patterns (P, 2), sorted."""
        self._settle()
        return self._keys

    @property
    def counts(self) -> NDArray[np.uint32]:
        """How often each came, by class (P, K)."""
        self._settle()
        return self._counts

    def of(self, label: int | None) -> tuple[Keys, NDArray[np.int64]]:
        """Patterns of a class, or of all (None), and their counts."""
        counts = self.counts.sum(axis=1, dtype=np.int64) if label is None else self.counts[:, label].astype(np.int64)
        return self.keys[counts > 0], counts[counts > 0]

    def _settle(self) -> None:
        if self._waiting:
            parts = [(self._keys, self._counts), *self._waiting]
            keys, counts = (np.concatenate(each) for each in zip(*parts, strict=True))
            self._keys, self._counts = _counted(keys, counts)
            self._waiting = []


def _counted(keys: Keys, counts: NDArray[np.uint32]) -> tuple[Keys, NDArray[np.uint32]]:
    """Distinct keys, sorted, and the sums of their counts."""
    if not len(keys):
        return keys, counts
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.r_[True, (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)])
    return sorted_keys[starts], np.add.reduceat(counts[order], starts, axis=0)


@dataclass(frozen=True)
class Counted:
    """What patterns of a class are like: how many there were, of which distinct, their entropy in bits and its most.

    dead: units that were on in none.
    """

    patterns: int
    distinct: int
    entropy: float
    most: float
    dead: int

    @property
    def share(self) -> float:
        """The entropy as a share of its most; nan where that is 0."""
        return self.entropy / self.most if self.most > 0 else float("nan")


def count(found: Patterns, label: int | None = None) -> Counted:
    """What the patterns of a class are like, or of all.

    The entropy is that of the very patterns counted, and can be no more than the units' number or log2 of theirs
    (Hartmann et al., Front. Artif. Intell. 4:642374, 2021).
    """
    _, counts = found.of(label)
    total = int(counts.sum())
    ever = found.ever.any(axis=0) if label is None else found.ever[label]
    most = min(float(found.units), log2(total)) if total else 0.0
    return Counted(total, len(counts), entropy(counts), most, int((~ever).sum()))


def entropy(counts: NDArray[np.int64]) -> float:
    """Entropy in bits of what came so often; 0 of nothing."""
    total = counts.sum()
    return float(np.log2(total) - (counts * np.log2(counts)).sum() / total) if total else 0.0


def jaccard(one: Patterns, other: Patterns, label: int | None = None) -> float:
    """Patterns that both have, as a share of those that either has; nan where neither has any."""
    first, second = (_words(each.of(label)[0]) for each in (one, other))
    shared = len(np.intersect1d(first, second, assume_unique=True))
    either = len(first) + len(second) - shared
    return shared / either if either else float("nan")


def _words(keys: Keys) -> NDArray[np.void]:
    return np.ascontiguousarray(keys).view([("high", "u8"), ("low", "u8")])[:, 0]


def first_lasting(values: Floats, least: float) -> int | None:
    """The first place from which on all values are at least so much; None where the last is not."""
    below = np.flatnonzero(~(values >= least))
    first = int(below[-1]) + 1 if len(below) else 0
    return first if first < len(values) else None


def halfway(similarity_to_end: Floats) -> int | None:
    """The first place from which on patterns are more than half as unlike those of the end as at the start."""
    return first_lasting(similarity_to_end, (1 + similarity_to_end[0]) / 2)


def dip(values: Floats) -> tuple[float, int]:
    """How far values fall below the lower of their first and their last, and where; 0 where they do not."""
    lowest = int(np.nanargmin(values))
    return max(float(min(values[0], values[-1]) - values[lowest]), 0.0), lowest
