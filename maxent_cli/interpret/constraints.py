"""What sequences may not have: words on either strand, restriction sites, too little or too much G and C."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNKNOWN
from maxent_cli.analysis.features import read_words
from maxent_cli.analysis.periodicity import letter_class
from maxent_cli.data import Anchor, Floats
from maxent_cli.engine.support import UNBOUNDED, Support, inside
from maxent_cli.errors import InputError, SettingsError

MOST_STATES = 5000  # of the automaton that reads the words
LONGEST_WORD = 100

Word = NDArray[np.bool_]  # (W, 5)


@dataclass(frozen=True)
class Constraints:
    """Which sequences there may be at all; positions that stay are the anchors' business.

    forbid: words in IUPAC letters that stand nowhere, on neither strand. sites: names of restriction enzymes whose
    sites are such words. gc: least and most share of G and C among all letters of the input, ends included. Raises
    SettingsError where one cannot be.
    """

    forbid: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    gc: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.gc is not None and not 0 <= self.gc[0] <= self.gc[1] <= 1:
            cure = "give a least and a most share, from 0 to 1, as in 0.4,0.6"
            raise SettingsError("gc-limits", "", f"{self.gc[0]:g},{self.gc[1]:g} is no range of shares", cure)
        if self.words:
            self._automaton  # noqa: B018 (which says what is wrong with it)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.words) or self.gc is not None

    @cached_property
    def words(self) -> dict[str, str]:
        """What stands nowhere: each word, in IUPAC letters, by the name that it was given."""
        return {**{word: word for word in self.forbid}, **{name: site_of(name) for name in self.sites}}

    def support(self, length: int) -> Support | None:
        """As the engine has them, for so many letters; None: all sequences."""
        if not self.any:
            return None
        least, most = (0.0, 1.0) if self.gc is None else self.gc
        # a share such as 0.6 of 10 letters is 6, though it is a rounded number
        bounds = math.ceil(round(least * length, 6)), math.floor(round(most * length, 6))
        after, width = self._automaton if self.words else (np.array([[0] * 5, [1] * 5]), 1)
        return Support(after, width, *((0, UNBOUNDED) if self.gc is None else bounds))

    @cached_property
    def _automaton(self) -> tuple[NDArray[np.int64], int]:
        """States after each letter (S + 1, 5), the last for a word that was read; and the longest word's letters."""
        both = [word for name, text in self.words.items() for word in both_strands(name, text)]
        try:
            step, ended = read_words(both, MOST_STATES)
        except OverflowError as error:
            cure = "give fewer, or words with fewer letters that may be any"
            raise SettingsError("forbid", "", "the words are too many to be read together", cure) from error
        after = np.where(ended > 0, len(step), step)
        return np.vstack([after, np.full((1, 5), len(step))]), max(map(len, both))


FREE = Constraints()


def log_share_inside(anchor: Anchor, background: Floats, constraints: Constraints) -> float:
    """Natural logarithm of the share of background rows (L, 4) around an anchor that the constraints leave, exact.

    Raises InputError where they leave nothing.
    """
    support = constraints.support(len(anchor.codes))
    if support is None:
        return 0.0
    share = inside(support, background, anchor.codes, anchor.mutable).log_share
    if share > -np.inf:
        return share
    named = {
        "the forbidden words": replace(constraints, gc=None),
        "the limits on G and C": Constraints(gc=constraints.gc),
    }
    alone = [
        name
        for name, some in named.items()
        if (one := some.support(len(anchor.codes))) is not None
        and inside(one, background, anchor.codes, anchor.mutable).log_share == -np.inf
    ]
    which = alone[0] if alone else " and ".join(named)
    problem = f"no sequence is left by {which}{_standing(anchor, constraints)}"
    raise InputError(anchor.name, "", problem, "forbid less, or let more positions change")


def _standing(anchor: Anchor, constraints: Constraints) -> str:
    """Where a forbidden word stands among the letters that stay, in words, or nothing."""
    letters = np.where(anchor.mutable, UNKNOWN, anchor.codes)
    for name, text in constraints.words.items():
        for word in both_strands(name, text):
            for start in range(len(letters) - len(word) + 1):
                if word[np.arange(len(word)), letters[start : start + len(word)]].all():
                    return f", for {name} stands at {start}, where letters stay"
    return ""


def both_strands(name: str, text: str) -> tuple[Word, ...]:
    """A word of IUPAC letters (W, 5), and its reverse complement where that is another."""
    try:
        (word,) = letter_class(text)
        if len(word) > LONGEST_WORD or word[:, :4].all():
            raise ValueError
    except ValueError as error:
        cure = f"give words of IUPAC letters, at most {LONGEST_WORD} and not all of them N, as in GAATTC,TATAWAW"
        raise SettingsError("forbid", "", f"{name!r} is no word that could be forbidden", cure) from error
    word = word & (np.arange(5) < 4)  # an unknown letter is none
    other = np.hstack([word[::-1, 3::-1], word[:, 4:]])
    return (word,) if np.array_equal(word, other) else (word, other)


def site_of(enzyme: str) -> str:
    """The site of a restriction enzyme, by REBASE's name. Raises SettingsError where there is none such."""
    from Bio.Restriction.Restriction_Dictionary import rest_dict  # takes half a second

    named = {name.lower(): name for name in rest_dict}
    if enzyme.lower() not in named:
        raise SettingsError("sites", "", f"there is no enzyme named {enzyme}", "give names as in EcoRI,BsaI")
    return str(rest_dict[named[enzyme.lower()]]["site"])
