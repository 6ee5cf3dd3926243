"""Which sequences train, which stop the training, and which are held out for the test."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, is_gc, reverse_complement

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
CONVENTIONAL_TEST = ("chr8", "chr9")  # held out by much published work on the human genome

Parts = NDArray[np.intp]


def split_by_chromosome(chromosomes: Sequence[str], test: Collection[str], validation: Collection[str]) -> Parts:
    """The part of each of N records, by the name of its chromosome."""
    part = {**dict.fromkeys(validation, VALIDATION), **dict.fromkeys(test, TEST)}
    return np.array([part.get(chromosome, TRAIN) for chromosome in chromosomes], np.intp)


def choose_chromosomes(chromosomes: Sequence[str], share: float, conventional: Collection[str] = ()) -> list[str]:
    """Whole chromosomes that hold about a share of the N records; the same for any order of the records.

    The conventional ones if all of them occur beside others; else chromosomes in an order given by a hash of their
    names, leaving out those that would take more than 1.2 times the share. Empty where no chromosome is small enough.
    """
    names, counts = np.unique(np.asarray(chromosomes, dtype=object).astype(str), return_counts=True)
    count = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if conventional and set(conventional) < set(count):
        return sorted(conventional)
    chosen, taken = [], 0
    for name in sorted(count, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if taken < 0.8 * share * len(chromosomes) and taken + count[name] <= 1.2 * share * len(chromosomes):
            chosen.append(name)
            taken += count[name]
    return sorted(chosen)


def split_by_sequence(codes: Codes, test_share: float, validation_share: float) -> Parts:
    """The part of each row of codes (N, L), by a hash of its dinucleotide counts on either strand.

    So equal sequences, their reverse complements and their dinucleotide-preserving shuffles are never parted,
    whatever file they come from, and a sequence's part does not depend on the others.
    """
    place = np.array([_fraction(counts) for counts in _strandless_dinucleotides(codes)])
    return np.where(place < test_share, TEST, np.where(place < test_share + validation_share, VALIDATION, TRAIN))


def repeated_across(codes: Codes, parts: Parts) -> NDArray[np.bool_]:
    """Rows of codes (N, L) that occur, on either strand, in a part that is farther from training as well."""
    farthest: dict[bytes, int] = {}
    turned = reverse_complement(codes)
    keys = [min(row.tobytes(), other.tobytes()) for row, other in zip(codes, turned, strict=True)]
    for key, part in zip(keys, parts.tolist(), strict=True):
        farthest[key] = max(part, farthest.get(key, TRAIN))
    return np.array([farthest[key] > part for key, part in zip(keys, parts.tolist(), strict=True)], np.bool_)


def matched_gc(positives: Codes, negatives: Codes, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of positives (N, L) and negatives (M, L), in order, that have each number of G and C equally often.

    As many as can be, chosen at random where one side has more.
    """
    counts = [is_gc(codes).sum(axis=1) for codes in (positives, negatives)]
    chance, kept = np.random.default_rng(seed), ([np.zeros(0, np.intp)], [np.zeros(0, np.intp)])
    for number in np.intersect1d(*counts):
        rows = [np.flatnonzero(each == number) for each in counts]
        for chosen, some in zip(kept, rows, strict=True):
            chosen.append(chance.permutation(some)[: min(map(len, rows))])
    first, second = (np.sort(np.concatenate(chosen)) for chosen in kept)
    return first, second


def _strandless_dinucleotides(codes: Codes) -> NDArray[np.int32]:
    """Dinucleotide counts (N, 25) of the strand whose counts come first in order."""
    forward, backward = _dinucleotides(codes), _dinucleotides(reverse_complement(codes))
    differ = forward != backward
    first = differ.argmax(axis=1)[:, None]
    lower = np.take_along_axis(forward, first, 1) <= np.take_along_axis(backward, first, 1)
    return np.where(lower, forward, backward)


def _dinucleotides(codes: Codes) -> NDArray[np.int32]:
    pairs = codes[:, :-1].astype(np.intp) * 5 + codes[:, 1:]
    counts = np.zeros((len(codes), 25), np.int32)
    np.add.at(counts, (np.arange(len(codes))[:, None], pairs), 1)
    return counts


def _fraction(counts: NDArray[np.int32]) -> float:
    """A number in [0, 1) that is a hash of the counts."""
    key = hashlib.blake2b(np.ascontiguousarray(counts, "<i4").tobytes(), digest_size=8).digest()
    return int.from_bytes(key, "little") / 2**64
