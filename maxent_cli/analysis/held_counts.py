"""Which count does a network hold? Letters, their halves, dinucleotides and homopolymers, all from one set of draws.

A count is a weighted sum w of elementary ones, n(x): letters in the left and in the right half, dinucleotides, ... Its

    rigidity = 1 - w'Vw / min(w'V_independent w, w'V_background w)

where V is the covariance of n in the draws, V_independent what it would be if each position were drawn from its own
marginal, V_background what it is at beta = 0: 0 for letters that know nothing of each other, 1 for a count that is
fixed. What is held of one count shows in others: a network that holds the number of A alone has rigidity 1 in A, 1/3 in
G and C, in A and G and in G and T, 1/9 in C, 4/7 in AA (even letters; the squared correlation of independent letters'
counts). So counts are named one by one, the most rigid first, and the others are held against what is left of them
beyond those named: the rigidity of w less its regression on them among independent letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS, Codes
from maxent_cli.analysis.diagnostics import LEAST_ESS, ess_mean, letter_shares, mcse_mean, rhat
from maxent_cli.analysis.features import Feature
from maxent_cli.analysis.jackknife import block_numbers, jackknife
from maxent_cli.data import Floats, SampleSet

Row = dict[str, object]
Places = NDArray[np.bool_]

DRAWN = 8000  # sequences of independent letters that give the variances of reference
REPEATED = 3  # letters of a homopolymer
HALVES = {"": (1, 1), ", left half": (1, 0), ", right half": (0, 1), ", left less right": (1, -1)}
SIDES = tuple(HALVES)[1:3]
CLASSES = {**{letter: letter for letter in LETTERS}, "G and C": "CG", "A and G": "AG", "G and T": "GT"}
SKEWS = {"A less T": ("A", "T"), "G less C": ("G", "C")}
DINUCLEOTIDES = tuple("".join(pair) for pair in product(LETTERS, repeat=2))
HOMOPOLYMERS = "homopolymers"
ELEMENTARY = 2 * len(LETTERS) + len(DINUCLEOTIDES) + 1
# Rigidity that counts as a property. A motif that always stands somewhere fixes its own letters: of a quarter of all
# positions it gives 0.25, of a quarter that all lie in one half 0.5 there.
LEAST_RIGIDITY = 0.25
NOTHING_LEFT = 1e-3  # of a count's variance, beyond which regression on others leaves something


@dataclass(frozen=True)
class Counts:
    """Named counts (F,) as weights (F, K) on the elementary ones, of which that of a feature may be the last."""

    names: tuple[str, ...]
    weights: Floats

    @property
    def least(self) -> Floats:
        """The rigidity (F,) that is asked for."""
        half = [name.endswith(SIDES) for name in self.names]
        return np.where(half, 2 * LEAST_RIGIDITY, LEAST_RIGIDITY)


def counts_with(label: str) -> Counts:
    """All counts, with that of a feature of such a label unless it is one of them."""
    found = dict[str, Floats]()
    for (name, letters), (half, sides) in product(CLASSES.items(), HALVES.items()):
        found[name + half] = _on_letters([letter in letters for letter in LETTERS], sides)
    for name, (more, less) in SKEWS.items():
        found[name] = _on_letters([(letter == more) - (letter == less) for letter in LETTERS], (1, 1))
    found |= dict(zip((*DINUCLEOTIDES, HOMOPOLYMERS), np.eye(ELEMENTARY)[2 * len(LETTERS) :], strict=True))
    weights = np.array(list(found.values()))
    if label in found:
        return Counts(tuple(found), weights)
    grown = np.pad(weights, ((0, 1), (0, 1)))
    grown[-1, -1] = 1
    return Counts((*found, label), grown)


def elementary(codes: Codes, where: Places, feature: Feature | None = None) -> NDArray[np.int64]:
    """Elementary counts (..., K) of codes (..., L), over windows within places (L,), a feature's own the last."""
    left = np.arange(codes.shape[-1]) < codes.shape[-1] // 2
    letters = [(codes[..., where & half, None] == np.arange(4)).sum(axis=-2) for half in (left, ~left)]
    pairs = np.where(where[:-1] & where[1:], 5 * codes[..., :-1].astype(np.int64) + codes[..., 1:], -1)
    words = [(pairs == 5 * first + second).sum(axis=-1) for first, second in product(range(4), repeat=2)]
    found = [*letters, np.stack(words, axis=-1), _homopolymers(codes, where)[..., None]]
    if feature is not None:
        found.append(feature.count(codes, feature.places(where, all_of=True))[..., None])
    return np.concatenate(found, axis=-1)


@dataclass(frozen=True)
class Spread:
    """Covariances (K, K) of one anchor's elementary counts: in its draws, of independent letters, and at beta = 0."""

    draws: Floats
    independent: Floats
    background: Floats

    def rigidity(self, weights: Floats, beyond: Floats | None = None) -> Floats:
        """Of counts (F, K), less their regression on others (S, K); nan where nothing is left of a count."""
        beyond = np.zeros((0, len(self.draws))) if beyond is None else beyond
        across = weights @ self.independent @ beyond.T
        left = weights - across @ np.linalg.pinv(beyond @ self.independent @ beyond.T) @ beyond
        free = np.minimum(_variances(left, self.independent), _variances(left, self.background))
        known = free > NOTHING_LEFT * np.maximum(_variances(weights, self.independent), NOTHING_LEFT)
        drawn = _variances(left, self.draws)
        return np.asarray(1 - np.divide(drawn, free, out=np.full_like(drawn, np.nan), where=known))


def count_rows(samples: SampleSet, feature: Feature, where: Places, max_rhat: float = 1.05) -> tuple[list[Row], Spread]:
    """An anchor's counts over places (L,) as rows, and their spread; numbers are a position, variances are not.

    Errors are by jackknife over chains.
    """
    counts = counts_with(feature.label)
    extra = feature if counts.weights.shape[1] > ELEMENTARY else None
    number, own = (elementary(codes, where, extra) for codes in (samples.codes, samples.anchor))
    covariances = _covariances(number)
    spread = Spread(jackknife(covariances[0], covariances[1:]).value, *_free(samples, where, extra))
    named, places = number @ counts.weights.T, max(int(where.sum()), 1)
    variances = {name: _variances(counts.weights, each) for name, each in vars(spread).items()}
    without = np.array([_variances(counts.weights, each) for each in covariances])
    error, free = (
        jackknife(without[0], without[1:]).error,
        np.minimum(variances["independent"], variances["background"]),
    )
    rigid, apart, sizes = spread.rigidity(counts.weights), rhat(named), ess_mean(named)
    columns: dict[str, NDArray[np.generic]] = {
        "anchor": own @ counts.weights.T / places,
        "draws": named.mean(axis=(0, 1)) / places,
        "draws_error": mcse_mean(named) / places,
        "variance": variances["draws"],
        "variance_error": error,
        "independent_variance": variances["independent"],
        "background_variance": variances["background"],
        "rigidity": rigid,
        "rigidity_error": np.divide(error, free, out=np.full_like(error, np.nan), where=np.isfinite(rigid)),
        "rhat": apart,
        "ess": sizes,
        "converged": ~((apart > max_rhat) | (sizes < LEAST_ESS)),
    }
    known = {"record": samples.name, "places": places}
    return [
        known | {"count": name} | {column: values[at] for column, values in columns.items()}
        for at, name in enumerate(counts.names)
    ], spread


def _on_letters(letters: Sequence[int], sides: tuple[int, int]) -> Floats:
    """Weights (K,) on letters (4,) of the left and of the right half."""
    return np.concatenate([np.outer(sides, letters).ravel(), np.zeros(ELEMENTARY - 2 * len(letters))])


def _homopolymers(codes: Codes, where: Places) -> NDArray[np.int64]:
    """How many windows (...) of codes (..., L) repeat one letter."""
    ends = codes.shape[-1] - REPEATED + 1
    alike, free = np.ones((*codes.shape[:-1], max(ends, 0)), bool), np.ones(max(ends, 0), bool)
    for column in range(REPEATED if ends > 0 else 0):
        alike &= codes[..., column : column + ends] == codes[..., :ends]
        free &= where[column : column + ends]
    return np.asarray((alike & free).sum(axis=-1))


def _variances(weights: Floats, covariance: Floats) -> Floats:
    """Variances (F,) of counts (F, K)."""
    return np.asarray(np.einsum("fk,kl,fl->f", weights, covariance, weights))


def _covariances(number: NDArray[np.int64]) -> Floats:
    """Covariances (1 + B, K, K) of counts (C, D, K), of all draws and of all but each block of chains."""
    blocks = block_numbers(*number.shape[:2]).ravel()
    rows = number.reshape(-1, number.shape[-1]) - number.mean(axis=(0, 1))
    rows = np.column_stack([np.ones(len(rows)), rows])
    moments = np.array([rows[blocks == block].T @ rows[blocks == block] for block in range(blocks.max() + 1)])
    whole = np.concatenate([moments.sum(axis=0)[None], moments.sum(axis=0) - moments])
    whole = whole / whole[:, :1, :1]
    return np.asarray(whole[:, 1:, 1:] - whole[:, 1:, :1] * whole[:, :1, 1:])


def _free(samples: SampleSet, where: Places, extra: Feature | None) -> tuple[Floats, Floats]:
    """Covariances (K, K) where positions are drawn apart: from the draws' own letters, and from the background's."""
    drawn = letter_shares(samples.codes)
    uniform = np.random.default_rng(samples.anchor.tolist()).random((DRAWN, len(drawn), 1))
    found = []
    for rows in (drawn, samples.background):
        codes = (uniform >= np.cumsum(rows, axis=1)[:, :3]).sum(axis=-1).astype(np.uint8)
        codes[:, ~samples.mutable] = samples.anchor[~samples.mutable]
        found.append(np.cov(elementary(codes, where, extra).T))
    return found[0], found[1]
