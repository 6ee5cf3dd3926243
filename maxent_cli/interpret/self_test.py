"""The sampler against the exact law, on a network's own anchor with all but a few letters held."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.listing import Agreement, agreement, beta_keeping, listed_law
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import LawSettings, anchored_law, evaluate
from maxent_cli.interpret.sampling import Sampling, sample_anchor
from maxent_cli.models.protocol import SequenceModel
from maxent_cli.models.remembering import remembering

WINDOW = 4  # letters, so 256 sequences
CHAINS, REPLICAS, DRAWS, THIN, WARMUP = 64, 2, 32, 40, 900
LEAST_CHAINS, LEAST_THIN, LEAST_WARMUP = 8, 8, 240
LEAST_LEARNED, STEPS = 48, 50  # decisions of a warm-up in which a copy is learned, and steps that each is about
KEPT = 0.5  # of the mean energy's way from the background's to the least
LEAST_P = 1e-5


@dataclass(frozen=True)
class SelfTest:
    """Draws on a few positions of one anchor, at one beta, against the exact law."""

    record: str
    positions: tuple[int, ...]
    beta: float
    kernel: str
    agreement: Agreement

    @property
    def passed(self) -> bool:
        """Whether the draws may well come from the law."""
        return self.agreement.p >= LEAST_P


def self_test(
    model: SequenceModel,
    anchor: Anchor,
    settings: LawSettings,
    run: Sampling,
    most_proposals: float = float("inf"),
    most_passes: float = float("inf"),
    decision: float | None = None,
) -> SelfTest:
    """List every sequence on four neighbouring positions of an anchor, draw from the law, and compare.

    The positions are those whose single changes have the most energy. beta is that at which the mean energy is half
    way from the background's to the least: there the law is far from both, and chains mix. most_proposals: of all
    chains and replicas, beyond which there are fewer and shorter chains. most_passes: about as many as the search for
    positions may take. decision: how many proposals take as long as a surrogate's decision. Raises InputError where no
    change anywhere has an energy.
    """
    free = _window(model, anchor, settings, run, most_passes)
    model = remembering(model, anchor.codes, free)
    mutable = np.zeros(anchor.codes.shape, np.bool_)
    mutable[free] = True
    small, short = replace(anchor, mutable=mutable), _short(run, most_proposals, decision)
    law = anchored_law(model, small, settings, torch.device(run.device))
    codes = _listed(anchor.codes, free)
    energy = evaluate(law.terms.energy, codes, torch.device(run.device))
    log_background = np.log(law.terms.background[free, codes[:, free]]).sum(axis=1)
    for constraint in law.terms.constraints:
        log_background = log_background + evaluate(constraint, codes, torch.device(run.device))
    beta = beta_keeping(energy - energy.min(), log_background, KEPT)
    samples = sample_anchor(model, small, replace(settings, beta=beta), short, 1)
    found = agreement(_counts(samples, free), listed_law(energy, log_background, beta))
    return SelfTest(anchor.name, tuple(map(int, free)), beta, samples.kernel, found)


def _short(run: Sampling, most_proposals: float, decision: float | None) -> Sampling:
    """A short run, of about so many proposals at most; of a surrogate's, draws and rounds of a decision each."""
    if decision is not None:
        affordable = most_proposals / (decision + STEPS) / REPLICAS / (LEAST_WARMUP + DRAWS)
        chains = int(np.clip(affordable, LEAST_CHAINS, CHAINS))
        warmup = LEAST_WARMUP if affordable >= LEAST_CHAINS else LEAST_LEARNED
        return _of(run, chains, LEAST_THIN, warmup)
    affordable = most_proposals / (CHAINS * REPLICAS * (WARMUP + DRAWS * THIN))
    chains = max(LEAST_CHAINS, round(CHAINS * min(1.0, affordable)))
    steps = min(1.0, affordable * CHAINS / chains)
    thin, warmup = max(LEAST_THIN, round(THIN * steps)), max(LEAST_WARMUP, round(WARMUP * steps))
    return _of(run, chains, thin, warmup)


def _of(run: Sampling, chains: int, thin: int, warmup: int) -> Sampling:
    return replace(run, chains=chains, replicas=REPLICAS, draws=DRAWS, thin=thin, warmup=warmup, max_steps=DRAWS * thin)


def _window(
    model: SequenceModel, anchor: Anchor, settings: LawSettings, run: Sampling, most_passes: float
) -> NDArray[np.intp]:
    """Up to four mutable positions (W,), neighbours among the mutable, whose single changes have the most energy.

    Where there are more changes than passes, those in the stretches that have most energy when all of a stretch
    changes.
    """
    law = anchored_law(model, anchor, settings, torch.device(run.device))
    places = np.flatnonzero(law.terms.mutable)

    def energies(codes: Codes) -> Floats:
        return evaluate(law.terms.energy, codes, torch.device(run.device))

    looked_at = _likely(anchor.codes, places, energies, most_passes)
    spread = _spread(anchor.codes, places[looked_at], energies)
    if np.isfinite(spread).all() and not spread.any():
        looked_at = np.arange(len(places))
        spread = _spread(anchor.codes, places, energies)
    if not np.isfinite(spread).all() or not spread.any():
        problem = "no single change of a letter has an energy, or not a finite one"
        raise InputError(anchor.name, "", problem, "see that the network reads its input; try another anchor")
    width = min(WINDOW, len(places))
    every = np.zeros(len(places))
    every[looked_at] = spread
    first = int(np.convolve(every, np.ones(width), "valid").argmax())
    return places[first : first + width]


def _spread(anchor: Codes, places: NDArray[np.intp], energies: Callable[[Codes], Floats]) -> Floats:
    """The spread of the energies of the four letters at each of the places (P,)."""
    changed = np.tile(anchor, (4 * len(places), 1))
    changed[np.arange(len(changed)), np.repeat(places, 4)] = np.tile(np.arange(4), len(places))
    return np.asarray(np.ptp(energies(changed).reshape(-1, 4), axis=1))


def _likely(
    anchor: Codes, places: NDArray[np.intp], energies: Callable[[Codes], Floats], most_passes: float
) -> NDArray[np.intp]:
    """Which of the places (P,) to look at: all, if their changes take so few passes; else some stretches of them."""
    if 4 * len(places) <= most_passes:
        return np.arange(len(places))
    half = most_passes / 2
    width = max(WINDOW, int(np.ceil(len(places) / half)))
    stretches = np.array_split(np.arange(len(places)), max(1, len(places) // width))
    changed = np.tile(anchor, (len(stretches), 1))
    for codes, stretch in zip(changed, stretches, strict=True):
        codes[places[stretch]] = (codes[places[stretch]] + 1) % 4  # to another letter, whatever was there
    order = np.argsort(-np.nan_to_num(energies(changed)))
    beside = WINDOW - 1  # neighbours, with which the last of a stretch may be the most
    chosen = order[: max(1, int(half / (4 * (width + 2 * beside))))]
    wider = [np.arange(stretches[n][0] - beside, stretches[n][-1] + beside + 1) for n in chosen]
    return np.unique(np.clip(np.concatenate(wider), 0, len(places) - 1))


def _listed(anchor: Codes, free: NDArray[np.intp]) -> Codes:
    """Every sequence (4^W, L) on the free positions, the last fastest; else the anchor (L,)."""
    codes = np.tile(anchor, (4 ** len(free), 1))
    codes[:, free] = list(product(range(4), repeat=len(free)))
    return codes


def _counts(samples: SampleSet, free: NDArray[np.intp]) -> NDArray[np.int64]:
    """How often each of the listed sequences (4^W) is among each chain's draws (C, 4^W)."""
    places = samples.codes[..., free].astype(np.int64) @ 4 ** np.arange(len(free))[::-1]
    return np.stack([np.bincount(chain, minlength=4 ** len(free)) for chain in places])
