"""The XOR rule on dinucleotides, and what it means for an answer about an anchor to be right.

Class 1: exactly one of [position 0 is A or T], [position 1 is G]. Sequences are numbered 4 · first + second letter, of
A, C, G, T. Whatever the anchor, changing either part changes the class, so both letters speak for the anchor's class.
"""

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, decode
from maxent_cli.data import Floats

Bools = NDArray[np.bool_]

SEQUENCES: Codes = np.array([(first, second) for first in range(4) for second in range(4)], np.uint8)
NAMES = [decode(row) for row in SEQUENCES]


def parts(codes: Codes) -> Bools:
    """Which parts of the rule hold (..., 2) for dinucleotides (..., 2): A or T first; G second."""
    return np.stack([np.isin(codes[..., 0], (0, 3)), codes[..., 1] == 2], axis=-1)


def classes(codes: Codes) -> NDArray[np.int64]:
    """Class 0 or 1 (...) of dinucleotides (..., 2)."""
    return parts(codes).sum(axis=-1) % 2


CLASSES = classes(SEQUENCES)
_ALIKE = parts(SEQUENCES)[:, None] == parts(SEQUENCES)  # (16 anchors, 16 sequences, 2 parts)
BRANCH: Bools = _ALIKE.all(axis=2)  # both parts as in the anchor
OTHER_BRANCH: Bools = ~_ALIKE.any(axis=2)  # both changed, so the class is the anchor's all the same


def background(frequencies: Floats) -> Floats:
    """Probabilities (16,) of the sequences for letter frequencies (4,)."""
    return np.outer(frequencies, frequencies).ravel()


def marginals(probabilities: Floats) -> Floats:
    """Letter frequencies (..., 4, 2) at both positions of laws (..., 16)."""
    joint = probabilities.reshape(*probabilities.shape[:-1], 4, 4)
    return np.stack([joint.sum(axis=-1), joint.sum(axis=-2)], axis=-1)


def keeping(anchors: Codes = SEQUENCES) -> Bools:
    """Whether each letter at each position, put into each anchor (N, 2), keeps its class (N, 4, 2)."""
    changed = np.tile(anchors, (4, 2, 1, 1))  # (letter, position, N, 2)
    for letter in range(4):
        for position in range(2):
            changed[letter, position, :, position] = letter
    return (classes(changed) == classes(anchors)).transpose(2, 0, 1)


def letters_right(scores: Floats) -> Bools:
    """Positions (16, 2) at which every letter that keeps the anchor's class scores (16, 4, 2) above all that do not."""
    keeps = keeping()
    return np.where(keeps, scores, np.inf).min(axis=1) > np.where(keeps, -np.inf, scores).max(axis=1)


def signs_right(present: Floats) -> Bools:
    """Whether the anchor's own letters (16, 2) speak for its class: scores above 0 for class 1, below 0 for class 0."""
    return np.sign(present) == (2 * CLASSES - 1)[:, None]


def larger_right(size: Floats) -> Bools:
    """Anchors (16,) where the larger of two sizes (16, 2) is at the first position if the second is no G, else there.

    By the background the rarer part is told more by: so say the information of the letters that keep the class, the
    chance that redrawing the letter changes it, and the exact Shapley values of the rule.
    """
    return (size[:, 0] > size[:, 1]) == (SEQUENCES[:, 1] != 2)


def sums_right(scores: Floats, output: Floats) -> Bools:
    """Pairs of anchor and sequence (16, 16) whose class a sum of letter scores (16, 4, 2) tells.

    From the anchor's output (16,), to which what the letters of the other sequence score more is added.
    """
    of = scores[:, SEQUENCES[:, 0], 0] + scores[:, SEQUENCES[:, 1], 1]  # (anchor, sequence)
    told = output[:, None] + of - np.diag(of)[:, None]
    return (told > 0) == (CLASSES == 1)


def enriched_right(laws: Floats, frequencies: Floats) -> Bools:
    """Pairs of anchor and sequence (16, 16): the anchor's law has it more often than the background if of its class."""
    return (laws > background(frequencies)) == (CLASSES[:, None] == CLASSES)


def told_apart(laws: Floats) -> Bools:
    """Sequences (16,) that the law of their class has more often than that of the other; laws (2, 16) of class 0, 1."""
    return (laws[1] > laws[0]) == (CLASSES == 1)
