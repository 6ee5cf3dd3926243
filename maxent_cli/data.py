"""The nouns that several rooms share: plain frozen data over NumPy."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN, Codes

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)  # there may be millions
class Interval:
    """A stretch of a genome; start and end in bp, 0-based half-open; strand is '+', '-' or '.'."""

    chromosome: str
    start: int
    end: int
    strand: str = "."


@dataclass(frozen=True)
class Record:
    """One named sequence as read from a file; place says where it stood (for messages).

    stands_for: the share of the data that it was chosen to stand for, if it was.
    """

    name: str
    sequence: str
    place: str
    interval: Interval | None = None
    stands_for: float | None = None


@dataclass
class Stop:
    """Whether the run has been asked to stop; who is at work looks here between two blocks."""

    asked: bool = False


@dataclass(frozen=True)
class Rejected:
    """A record that was read and left out, why, and what may be done about it; number: which of all, from 0."""

    name: str
    place: str
    reason: str
    cure: str = ""
    number: int = 0


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`, from 1: a block of consecutive records; a part is empty where records are fewer."""

    number: int = 1
    count: int = 1

    def block(self, records: int) -> range:
        """The rows, out of so many records, that are this part's; all parts' are as equal as can be."""
        return range((self.number - 1) * records // self.count, self.number * records // self.count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


WHOLE = Shard()


@dataclass(frozen=True)
class Anchor:
    """A sequence around which is drawn: codes (L,), positions that may change (L,), and where it lies, if known.

    stands_for: the share of the data that it was chosen to stand for, if it was.
    """

    name: str
    codes: Codes
    interval: Interval | None
    mutable: NDArray[np.bool_]
    stands_for: float | None = None


@dataclass(frozen=True)
class Sequences:
    """N named sequences of one length: codes (N, L); mutable (N, L): positions that may change, None for all.

    numbers (N,): which of all records each was, from 0, those that were left out counted; None: they are all.
    stands_for (N,): the share of the data that each was chosen to stand for; None: none was.
    """

    names: tuple[str, ...]
    codes: Codes
    intervals: tuple[Interval | None, ...]
    mutable: NDArray[np.bool_] | None = None
    numbers: NDArray[np.intp] | None = None
    stands_for: tuple[float | None, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def anchor(self, row: int) -> Anchor:
        """A row as an anchor; where nothing is said, letters that are not known do not change."""
        mutable = self.codes[row] != UNKNOWN if self.mutable is None else self.mutable[row]
        stands_for = None if self.stands_for is None else self.stands_for[row]
        return Anchor(self.names[row], self.codes[row], self.intervals[row], mutable, stands_for)

    @property
    def numbered(self) -> NDArray[np.intp]:
        """The numbers (N,), also where they are all."""
        return np.arange(len(self)) if self.numbers is None else self.numbers

    def within(self, block: range) -> "Sequences":
        """Those whose numbers are in a block."""
        return self.take(np.flatnonzero((self.numbered >= block.start) & (self.numbered < block.stop)))

    def digest(self) -> str:
        """SHA-256 of names, codes, places and what may change: what tells these records from others."""
        found = hashlib.sha256(repr(self.codes.shape).encode())
        for record in zip(self.names, self.intervals, strict=True):
            found.update(repr(record).encode())
        for array in (self.codes, self.mutable):
            found.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        found.update(b"" if self.stands_for is None else repr(self.stands_for).encode())
        return found.hexdigest()

    def take(self, rows: NDArray[np.intp]) -> "Sequences":
        """The given rows, in the given order."""
        return Sequences(
            tuple(self.names[row] for row in rows),
            self.codes[rows],
            tuple(self.intervals[row] for row in rows),
            None if self.mutable is None else self.mutable[rows],
            self.numbered[rows],
            None if self.stands_for is None else tuple(self.stands_for[row] for row in rows),
        )


@dataclass(frozen=True)
class Replicas:
    """What the ladder of R betas saw, from its lowest replica to the beta in use, on some of the draws.

    betas (R,), energy (C, T, R), output (C, U, R), letters (C, R, L, 4): how often each letter stood at each position.
    search (rounds, 2 R): betas and mean energies of the replicas, a row a round of the warm-up that settled them.
    """

    betas: Floats
    energy: Floats
    output: Floats
    letters: NDArray[np.uint32]
    search: Floats


@dataclass(frozen=True)
class Networks:
    """What each of M networks makes of draws: distance, each in units of its own, and output (C, D, M).

    distance_background (M,): mean distance of background sequences; anchor_output (M,): output at the anchor.
    """

    distance: Floats
    output: Floats
    distance_background: Floats
    anchor_output: Floats


@dataclass(frozen=True)
class SampleSet:
    """The draws around one anchor, and the law that they were drawn from.

    anchor (L,), codes (C, D, L), energy (C, D), output (C, D): the output held, a weighted sum, or the mean of several,
    before any sigmoid or softmax. background (L, 4): letter frequencies a position, the tether included. mutable (L,):
    positions the law leaves free. energy_background: mean energy under the background alone (beta = 0);
    output_background (3,): the 2.5, 50 and 97.5 % points of the output under the untethered background. thin: steps
    between draws. acceptance: share of proposals accepted, all replicas together. kernel: which one ran, and why if not
    the compiled one; drift_start, drift: the most that its energies differed from full passes, before and at the end of
    any block. conditionals (B, L, 4): mean letter frequencies given the other letters, in each block of draws; None:
    not known.
    energy_background_error: standard error of energy_background. keep: the share of it by which beta was found so that
    the draws' mean energy falls short of it (where a mean output was asked for, any, with no error), and beta_error
    that beta's standard error; None and 0: beta was given. stands_for: the share of the data that the anchor was chosen
    to stand for, if it was. networks: each network's own, where the law is of several.
    """

    name: str
    interval: Interval | None
    anchor: Codes
    codes: Codes
    energy: Floats
    output: Floats
    background: Floats
    mutable: NDArray[np.bool_]
    beta: float
    anchor_output: float
    energy_background: float
    output_background: Floats
    thin: int
    acceptance: float
    kernel: str
    drift_start: float
    drift: float
    replicas: Replicas
    conditionals: Floats | None = None
    energy_background_error: float = 0.0
    keep: float | None = None
    beta_error: float = 0.0
    stands_for: float | None = None
    networks: Networks | None = None

    @property
    def distinguishable(self) -> bool:
        """Whether the network tells the anchor from background: its output is outside the background's central 95 %."""
        return not self.output_background[0] <= self.anchor_output <= self.output_background[2]


@dataclass(frozen=True)
class Motif:
    """A position frequency matrix: counts (W, 4); sites is the effective number of sequences that it rests on."""

    name: str
    counts: Floats
    sites: float

    @property
    def probabilities(self) -> Floats:
        """The position probability matrix (W, 4)."""
        return np.asarray(self.counts / self.counts.sum(axis=1, keepdims=True))

    def log_odds(self, background: Sequence[float] | Floats) -> Floats:
        """The position weight matrix (W, 4) in bits, with one pseudocount a position shared out as the background (4,).

        Or as each position's own background (W, 4).
        """
        q = np.asarray(background, np.float64)
        return np.asarray(np.log2((self.counts + q) / (self.counts.sum(axis=1, keepdims=True) + 1) / q))
