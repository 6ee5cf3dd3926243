"""The sampler against the exact law, on a network's own anchor with all but a few letters held."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.listing import Agreement, agreement, beta_keeping, listed_law
from maxent_cli.data import Anchor, SampleSet
from maxent_cli.errors import InputError
from maxent_cli.interpret.law import LawSettings, anchored_law, evaluate
from maxent_cli.interpret.sampling import Sampling, sample_anchor
from maxent_cli.models.protocol import SequenceModel

WINDOW = 4  # letters, so 256 sequences
CHAINS, REPLICAS, DRAWS, THIN, WARMUP = 64, 2, 32, 40, 900
LEAST_CHAINS, LEAST_THIN, LEAST_WARMUP = 8, 8, 240
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
    threads: int = 1,
    most_proposals: float = float("inf"),
) -> SelfTest:
    """List every sequence on four neighbouring positions of an anchor, draw from the law, and compare.

    The positions are those whose single changes have the most energy. beta is that at which the mean energy is half
    way from the background's to the least: there the law is far from both, and chains mix. most_proposals: of all
    chains and replicas, beyond which there are fewer and shorter chains. Raises InputError where no change anywhere
    has an energy.
    """
    free = _window(model, anchor, settings, run)
    mutable = np.zeros(anchor.codes.shape, np.bool_)
    mutable[free] = True
    small, short = replace(anchor, mutable=mutable), _short(run, most_proposals)
    law = anchored_law(model, small, settings, torch.device(run.device))
    codes = _listed(anchor.codes, free)
    energy = evaluate(law.terms.energy, codes, torch.device(run.device))
    log_background = np.log(law.terms.background[free, codes[:, free]]).sum(axis=1)
    for constraint in law.terms.constraints:
        log_background = log_background + evaluate(constraint, codes, torch.device(run.device))
    beta = beta_keeping(energy - energy.min(), log_background, KEPT)
    samples = sample_anchor(model, small, replace(settings, beta=beta), short, threads)
    found = agreement(_counts(samples, free), listed_law(energy, log_background, beta))
    return SelfTest(anchor.name, tuple(map(int, free)), beta, samples.kernel, found)


def _short(run: Sampling, most_proposals: float) -> Sampling:
    """A short run, of about so many proposals at most."""
    affordable = most_proposals / (CHAINS * REPLICAS * (WARMUP + DRAWS * THIN))
    chains = max(LEAST_CHAINS, round(CHAINS * min(1.0, affordable)))
    steps = min(1.0, affordable * CHAINS / chains)
    thin, warmup = max(LEAST_THIN, round(THIN * steps)), max(LEAST_WARMUP, round(WARMUP * steps))
    return replace(run, chains=chains, replicas=REPLICAS, draws=DRAWS, thin=thin, warmup=warmup, max_steps=DRAWS * thin)


def _window(model: SequenceModel, anchor: Anchor, settings: LawSettings, run: Sampling) -> NDArray[np.intp]:
    """Up to four mutable positions (W,), neighbours among the mutable, whose single changes have the most energy."""
    law = anchored_law(model, anchor, settings, torch.device(run.device))
    places = np.flatnonzero(law.terms.mutable)
    changed = np.tile(anchor.codes, (4 * len(places), 1))
    changed[np.arange(len(changed)), np.repeat(places, 4)] = np.tile(np.arange(4), len(places))
    energy = evaluate(law.terms.energy, changed, torch.device(run.device)).reshape(-1, 4)
    spread = np.ptp(energy, axis=1)
    if not np.isfinite(spread).all() or not spread.any():
        problem = "no single change of a letter has an energy, or not a finite one"
        raise InputError(anchor.name, "", problem, "see that the network reads its input; try another anchor")
    width = min(WINDOW, len(places))
    first = int(np.convolve(spread, np.ones(width), "valid").argmax())
    return places[first : first + width]


def _listed(anchor: Codes, free: NDArray[np.intp]) -> Codes:
    """Every sequence (4^W, L) on the free positions, the last fastest; else the anchor (L,)."""
    codes = np.tile(anchor, (4 ** len(free), 1))
    codes[:, free] = list(product(range(4), repeat=len(free)))
    return codes


def _counts(samples: SampleSet, free: NDArray[np.intp]) -> NDArray[np.int64]:
    """How often each of the listed sequences (4^W) is among each chain's draws (C, 4^W)."""
    places = samples.codes[..., free].astype(np.int64) @ 4 ** np.arange(len(free))[::-1]
    return np.stack([np.bincount(chain, minlength=4 ** len(free)) for chain in places])
