"""The four letters, in the order that every array of this package uses: A, C, G, T."""

import numpy as np
from numpy.typing import NDArray

LETTERS = "ACGT"
UNKNOWN = 4  # any other letter; its one-hot column is all zeros

Codes = NDArray[np.uint8]
Frequencies = tuple[float, float, float, float]  # of A, C, G, T
UNIFORM: Frequencies = (0.25, 0.25, 0.25, 0.25)

_CODE_OF_BYTE = np.full(256, UNKNOWN, np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, UNKNOWN], np.uint8)
_BYTE_OF_CODE = np.frombuffer(b"ACGTN", np.uint8)
for _code, _letter in enumerate(LETTERS):
    _CODE_OF_BYTE[ord(_letter)] = _CODE_OF_BYTE[ord(_letter.lower())] = _code


def encode(sequence: str) -> Codes:
    """Letters of either case to codes (L,); whatever is not A, C, G or T becomes UNKNOWN."""
    return _CODE_OF_BYTE[np.frombuffer(sequence.encode("ascii", "replace"), np.uint8)]


def decode(codes: Codes) -> str:
    """Codes (L,) to upper-case letters; UNKNOWN becomes N."""
    return _BYTE_OF_CODE[codes].tobytes().decode("ascii")


def one_hot(codes: Codes) -> NDArray[np.float32]:
    """Codes (..., L) to indicators (..., 4, L); UNKNOWN gives a column of zeros."""
    return np.moveaxis(np.eye(5, 4, dtype=np.float32)[codes], -1, -2)


def reverse_complement(codes: Codes) -> Codes:
    """Codes (..., L) of the other strand, read 5' to 3'."""
    return _COMPLEMENT[codes[..., ::-1]]


def is_gc(codes: Codes) -> NDArray[np.bool_]:
    """Which letters (..., L) are G or C."""
    return np.asarray((codes == 1) | (codes == 2))


def frequencies_of(gc: float) -> Frequencies:
    """Letter frequencies of which G and C have this share together."""
    return (1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2
