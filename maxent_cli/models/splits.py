"""Which sequences train, which stop the training, and which are held out for the test."""

import hashlib
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from maxent_cli.alphabet import Codes, is_gc, reverse_complement

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
LEFT_OUT = -1
CONVENTIONAL_TEST = ("chr8", "chr9")  # held out by much published work on the human genome
WORD = 24  # letters; of 10^8 pairs of unrelated sequences of 1,000 letters about one shares such a word by chance
AT_ONCE = 2**23  # words that are held in memory, of 8 bytes each
_BLOCK = 2**16  # letters read at a time
_MIXER = 0x9E3779B97F4A7C15  # odd, so that multiplying by it loses nothing

Parts = NDArray[np.intp]
Groups = NDArray[np.intp]
Words = NDArray[np.uint64]


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


def split_by_place(
    chromosomes: Sequence[str],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    shares: tuple[float, float],
    gap: int,
) -> Parts:
    """The part of each of N records: on each chromosome the last share by place tests, the one before it validates.

    shares: of test and validation. LEFT_OUT where less than gap bp lie between a record and a part farther from
    training. starts, ends (N,): bp, 0-based half-open.
    """
    parts = np.full(len(chromosomes), TRAIN, np.intp)
    number = np.unique(np.asarray(chromosomes, dtype=object).astype(str), return_inverse=True)[1]
    for each in range(number.max(initial=-1) + 1):
        rows = np.flatnonzero(number == each)
        rows = rows[np.lexsort((ends[rows], starts[rows]))]
        left = 1 - (np.arange(len(rows)) + 0.5) / len(rows)
        parts[rows] = np.where(left < shares[0], TEST, np.where(left < sum(shares), VALIDATION, TRAIN))
        for nearer, farther in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST)):
            first = starts[rows[parts[rows] == farther]].min(initial=np.iinfo(np.int64).max)
            parts[rows[(parts[rows] == nearer) & (ends[rows] > first - gap)]] = LEFT_OUT
    return parts


def related(codes: Codes) -> Groups:
    """The group (N,), from 0, of each row of codes (N, L): rows that share a word of 24 letters on either strand.

    So do rows with the dinucleotide counts of one another's strands, such as dinucleotide-preserving shuffles; and
    what is related to the same row is related. Rows are of A, C, G and T. Of memory it needs 8 bytes a row and letter,
    but at most 300 MB beside some 300 bytes a row.
    """
    keys = _composition_keys(codes)
    group = np.unique(keys, return_inverse=True)[1]
    for word, rows in _sorted_words(codes):
        again = np.flatnonzero(word[1:] == word[:-1])
        pairs = group[rows[again]], group[rows[again + 1]]
        if (pairs[0] != pairs[1]).any():
            count = group.max() + 1
            graph = coo_array((np.ones(len(again), np.bool_), pairs), shape=(count, count))
            group = connected_components(graph, directed=False)[1][group]
    return group.astype(np.intp)


def split_by_group(codes: Codes, group: Groups, test_share: float, validation_share: float) -> Parts:
    """The part of each row of codes (N, L), by a hash of its group (N,) as `related` gives it.

    A group's hash is that of the dinucleotide counts of one of its rows, whichever the order of the rows; so a
    sequence's part does not depend on others that it is not related to.
    """
    keys = _composition_keys(codes)
    first = np.full(group.max(initial=-1) + 1, np.iinfo(np.uint64).max)
    np.minimum.at(first, group, _halves_exchanged(keys))  # the lower half is no part of what decides
    place = _halves_exchanged(first)[group] / 2**64
    return np.where(place < test_share, TEST, np.where(place < test_share + validation_share, VALIDATION, TRAIN))


def shares_words(codes: Codes, parts: Parts) -> NDArray[np.bool_]:
    """Rows of codes (N, L) of the test part that share a word of 24 letters, on either strand, with training."""
    found = np.zeros(len(codes), np.bool_)
    training = parts == TRAIN
    for word, rows in _sorted_words(codes):
        number = np.cumsum(np.append(False, word[1:] != word[:-1]))
        seen = np.bincount(number, training[rows]) > 0
        found[rows[seen[number]]] = True
    found &= parts == TEST
    return found


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


def _sorted_words(codes: Codes) -> Iterator[tuple[Words, NDArray[np.intp]]]:
    """All words of 24 letters of codes (N, L) with their rows, equal words side by side: some of the words at a time.

    A word stands for both strands. Words and rows are sorted as one number, word before row: its highest bits are the
    same for all words of one time, which leaves room for the row.
    """
    size = min(WORD, codes.shape[1])
    row_bits = np.uint64(max(len(codes) - 1, 1).bit_length())
    times_bits = max(2 * size + int(row_bits) - 64, (codes.size // AT_ONCE).bit_length(), 0)
    word_bits = np.uint64(2 * size - min(times_bits, 2 * size))
    step = max(_BLOCK // codes.shape[1], 1)
    for time in range(2 ** min(times_bits, 2 * size)):
        found = []
        for start in range(0, len(codes), step):
            words = _strandless_words(codes[start : start + step], size)
            place = np.flatnonzero(words >> word_bits == time)
            low = words.ravel()[place] & (np.uint64(1) << word_bits) - np.uint64(1)
            found.append(low << row_bits | (place // words.shape[1] + start).astype(np.uint64))
        keys = np.concatenate([np.zeros(0, np.uint64), *found])
        keys.sort()
        yield keys >> row_bits, (keys & (np.uint64(1) << row_bits) - np.uint64(1)).astype(np.intp)


def _strandless_words(codes: Codes, size: int) -> Words:
    """Each word of codes (N, L), or its reverse complement if that comes first, as a number below 4^size (N, L-size+1).

    The numbers are mixed, one to one, so that their highest bits are even.
    """
    words = np.minimum(_words(codes, size), _words(reverse_complement(codes), size)[:, ::-1])
    mixed: Words = words * np.uint64(_MIXER) & np.uint64(4**size - 1)
    return mixed


def _words(codes: Codes, size: int) -> Words:
    """Each word of so many letters of codes (N, L) as a number of base 4 (N, L-size+1)."""
    if size == 1:
        return codes.astype(np.uint64)
    half, odd = divmod(size, 2)
    halves = _words(codes, half)
    words = halves[:, : codes.shape[1] - 2 * half + 1] << np.uint64(2 * half) | halves[:, half:]
    return words[:, :-1] << np.uint64(2) | codes[:, size - 1 :] if odd else words


def _composition_keys(codes: Codes) -> Words:
    """A hash (N,) of each row's dinucleotide counts, on the strand whose counts come first in order."""
    keys = []
    for start in range(0, len(codes), step := max(_BLOCK // codes.shape[1], 1)):
        for counts in _strandless_dinucleotides(codes[start : start + step]):
            keys.append(hashlib.blake2b(np.ascontiguousarray(counts, "<i4").tobytes(), digest_size=8).digest())
    return np.frombuffer(b"".join(keys), "<u8").astype(np.uint64)


def _halves_exchanged(keys: Words) -> Words:
    return keys << np.uint64(32) | keys >> np.uint64(32)


def _strandless_dinucleotides(codes: Codes) -> NDArray[np.int32]:
    """Dinucleotide counts (N, 25) of the strand whose counts come first in order."""
    forward, backward = _dinucleotides(codes), _dinucleotides(reverse_complement(codes))
    differ = forward != backward
    first = differ.argmax(axis=1)[:, None]
    lower = np.take_along_axis(forward, first, 1) <= np.take_along_axis(backward, first, 1)
    return np.where(lower, forward, backward)


def _dinucleotides(codes: Codes) -> NDArray[np.int32]:
    rows = np.arange(len(codes))[:, None] * 25
    pairs = rows + codes[:, :-1] * np.uint8(5) + codes[:, 1:]
    return np.bincount(pairs.ravel(), minlength=25 * len(codes)).reshape(-1, 25).astype(np.int32)
