"""Designs and edits from draws: which draws are taken, what they are like, and where edits lie."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS, UNKNOWN, Codes, decode, is_gc
from maxent_cli.analysis.diagnostics import letter_diagnostics, mcse_mean
from maxent_cli.data import Floats, SampleSet

Row = dict[str, Any]

MOST_COMPARED = 100_000_000  # pairs of a design and a draw, beyond which designs are taken in order
AT_ONCE = 500  # sequences whose distances from all others are held


class Edited(NamedTuple):
    """How often positions are edited: probability (L,), its standard error (L,), and that at beta = 0 (L,)."""

    probability: Floats
    error: Floats
    background: Floats

    @property
    def excess(self) -> Floats:
        """By how much more often than at beta = 0 (L,)."""
        return self.probability - self.background


def taken(codes: Codes, number: int, apart: int) -> NDArray[np.intp]:
    """Rows of so many of codes (n, L) at most, each of which differs from those before it in so many letters."""
    rows, kept = list[int](), np.empty((min(number, len(codes)), codes.shape[1]), np.uint8)
    for row, one in enumerate(codes):
        if len(rows) == number:
            break
        if not rows or int((kept[: len(rows)] != one).sum(axis=1).min()) >= apart:
            kept[len(rows)] = one
            rows.append(row)
    return np.array(rows, np.intp)


def most_unlike(codes: Codes, number: int, apart: int) -> NDArray[np.intp]:
    """As taken, but each next one is that which differs most, on the mean, from those before it.

    Of so many that this would take minutes, as taken.
    """
    if number * len(codes) > MOST_COMPARED:
        return taken(codes, number, apart)
    rows, least = list[int](), np.full(len(codes), codes.shape[1])
    shared = np.zeros(len(codes), np.int64)  # letters, with all that are taken
    while len(rows) < number and (able := np.flatnonzero(least >= (apart if rows else 0))).size:
        rows.append(int(able[shared[able].argmin()]))
        same = (codes == codes[rows[-1]]).sum(axis=1)
        shared, least = shared + same, np.minimum(least, codes.shape[1] - same)
    return np.array(rows, np.intp)


def spread_out(chains: int, draws: int) -> NDArray[np.intp]:
    """The order (C · D,) in which draws (C, D) are taken, as rows of all: all chains in turn, at times far apart.

    Draws near in time are alike. Times are in the order of van der Corput's sequence, so that however many are taken,
    they are spread about evenly.
    """
    bits = max(1, (draws - 1).bit_length())
    turned = [int(f"{time:0{bits}b}"[::-1], 2) for time in range(draws)]
    return (np.arange(chains) * draws + np.argsort(turned)[:, None]).ravel()


def nearest(codes: Codes) -> NDArray[np.int64]:
    """In how many letters each of codes (n, L) differs from the one nearest to it (n,)."""
    letters = np.eye(UNKNOWN + 1, dtype=np.float32)[codes].reshape(len(codes), (UNKNOWN + 1) * codes.shape[1])
    found = np.empty(len(codes), np.int64)
    for start in range(0, len(codes), AT_ONCE):
        alike = letters[start : start + AT_ONCE] @ letters.T
        alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -1
        found[start : start + AT_ONCE] = codes.shape[1] - alike.max(axis=1)
    return found


def mean_distance(codes: Codes) -> float:
    """The mean number of letters in which two of codes (n, L) differ; nan of fewer than two."""
    pairs = len(codes) * (len(codes) - 1)
    if not pairs:
        return float("nan")
    counts = np.array([(codes == letter).sum(axis=0) for letter in range(UNKNOWN + 1)])
    return float((len(codes) ** 2 - np.square(counts).sum(axis=0)).sum() / pairs)


def edited(samples: SampleSet) -> Edited:
    """How often each position differs from the anchor, in the draws and at beta = 0, before any constraints."""
    known = np.flatnonzero(samples.mutable & (samples.anchor != UNKNOWN))
    found = np.zeros((3, len(samples.anchor)))
    letters = samples.anchor[known]
    probability = (samples.codes[..., known] != letters).mean(axis=(0, 1))
    sizes = letter_diagnostics(samples.codes[..., known])[1][np.arange(len(known)), letters]
    found[0, known] = probability
    found[1, known] = np.sqrt(probability * (1 - probability) / np.where(sizes > 0, sizes, np.nan))
    found[2, known] = 1 - samples.background[known, letters]
    return Edited(*found)


def edits_of(samples: SampleSet) -> NDArray[np.int64]:
    """The number of edits (C, D) of each draw."""
    return np.asarray(are_edited(samples.anchor, samples.codes).sum(axis=-1))


def number_of_edits(samples: SampleSet) -> tuple[Floats, Floats, Floats]:
    """Shares of draws with 0, 1, 2, ... edits, their standard errors, and at beta = 0, up to the most that is seen."""
    numbers = edits_of(samples)
    most = int(numbers.max())
    of_each = numbers[..., None] == np.arange(most + 1)
    return of_each.mean(axis=(0, 1)), mcse_mean(of_each), independent_edits(edited(samples).background)[: most + 1]


def independent_edits(probability: Floats) -> Floats:
    """Probability of 0, 1, ..., L edits where each position (L,) is edited by itself."""
    law = np.ones(1)
    for one in probability:
        law = np.append(law * (1 - one), 0) + np.append(0, law * one)
    return law


def are_edited(anchor: Codes, codes: Codes) -> NDArray[np.bool_]:
    """Which known letters of the anchor (L,) are others in codes (..., L)."""
    return np.asarray((codes != anchor) & (anchor != UNKNOWN))


def changes(anchor: Codes, codes: Codes) -> str:
    """The edits of a sequence (L,), as in '12A>G,15T>C', positions from 0; what was unknown before is none."""
    places = np.flatnonzero(are_edited(anchor, codes))
    return ",".join(f"{place}{decode(anchor[place : place + 1])}>{LETTERS[codes[place]]}" for place in places)


def design_rows(name: str, codes: Codes, output: Floats, anchor: Codes | None, settled: Row) -> list[Row]:
    """A row for each of codes (n, L) and their outputs (n,); anchor (L,): what they are edits of, if of anything.

    settled: whether the draws have converged, in columns.
    """
    apart = nearest(codes)
    return [
        {
            "record": name,
            "design": f"{name}/{number}",
            "output": float(value),
            "edits": None if anchor is None else int(are_edited(anchor, one).sum()),
            "gc": float(is_gc(one).mean()),
            "nearest": int(apart[number]) if len(codes) > 1 else None,
            "sequence": decode(one),
            **settled,
        }
        for number, (one, value) in enumerate(zip(codes, output, strict=True))
    ]


def edit_rows(samples: SampleSet, settled: Row) -> list[Row]:
    """A row for each position that may change and whose letter is known."""
    found, shares = edited(samples), _letter_shares(samples.codes)
    return [
        {
            "record": samples.name,
            "position": int(place),
            "letter": decode(samples.anchor[place : place + 1]),
            "edited": found.probability[place],
            "edited_error": found.error[place],
            "background": found.background[place],
            "excess": found.excess[place],
            **{f"to_{letter}": shares[place, number] for number, letter in enumerate(LETTERS)},
            **settled,
        }
        for place in np.flatnonzero(samples.mutable & (samples.anchor != UNKNOWN))
    ]


def _letter_shares(codes: Codes) -> Floats:
    return np.stack([(codes == letter).mean(axis=(0, 1)) for letter in range(4)], axis=1)


def number_rows(samples: SampleSet, settled: Row) -> list[Row]:
    """A row for each number of edits that was seen, and those below."""
    return [
        {
            "record": samples.name,
            "edits": number,
            "share": share,
            "share_error": error,
            "background": alone,
            **settled,
        }
        for number, (share, error, alone) in enumerate(zip(*number_of_edits(samples), strict=True))
    ]


def set_rows(name: str, anchor: Codes, sets: Codes, output: Floats, to: float, settled: Row) -> list[Row]:
    """A row for each set of edits that makes codes (n, L) of the anchor (L,), the smallest first."""
    return [
        {
            "record": name,
            "set": number,
            "edits": int(are_edited(anchor, one).sum()),
            "changes": changes(anchor, one),
            "output": float(value),
            "missed": float(value - to),
            "sequence": decode(one),
            **settled,
        }
        for number, (one, value) in enumerate(zip(sets, output, strict=True), 1)
    ]
