"""Networks around one anchor, and what each makes of the draws of all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.crossing import CrossRead
from maxent_cli.analysis.free_energy import log_partition
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.engine.randomness import chain_keys
from maxent_cli.engine.target import log_base
from maxent_cli.engine.terms import background_rows
from maxent_cli.errors import InputError
from maxent_cli.interpret.backgrounds import random_codes
from maxent_cli.interpret.law import AnchoredLaw, LawSettings, anchored_law, as_drawn, evaluate
from maxent_cli.interpret.variants import OncePerBatch
from maxent_cli.models.pieces import sequences_at_once
from maxent_cli.models.protocol import SequenceModel

BACKGROUNDS = 1000  # sequences over which an output's spread is found
MOST_DRAWS = 400  # of an anchor and a network that are read


@dataclass(frozen=True)
class Drawn:
    """A network, the law that was drawn from it, and its draws around an anchor."""

    model: SequenceModel
    law: LawSettings
    samples: SampleSet


def thinned(codes: Codes, most: int) -> Codes:
    """Up to so many of draws (C, D, L), as many of each chain, as far apart as can be."""
    chains, draws = codes.shape[:2]
    kept = max(1, min(draws, most // chains))
    return codes[:, np.linspace(0, draws - 1, kept).round().astype(int)]


def read_each_other(readings: Sequence[Drawn], most: int, device: torch.device) -> list[list[CrossRead]]:
    """What each network B makes of up to so many of each network A's draws around one anchor, [A][B].

    Raises InputError where a network gives all background sequences one output.
    """
    draws = [thinned(reading.samples.codes, most) for reading in readings]
    return [list(each) for each in zip(*(_read_all(reading, draws, device) for reading in readings), strict=True)]


def _read_all(reading: Drawn, draws: Sequence[Codes], device: torch.device) -> Iterator[CrossRead]:
    """What one network makes of all draws (C, D, L)."""
    samples, once = reading.samples, OncePerBatch(reading.model)
    anchor = Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)
    law = anchored_law(once, anchor, as_drawn(reading.law, samples), device)
    spread = float(evaluate(law.output, _background(reading, law), device).std())
    if not spread > 0:
        problem = "all background sequences have the same output, so that none is far from another"
        raise InputError(samples.name, "", problem, "leave that network out")
    normaliser, at_once = float(log_partition(samples).value), sequences_at_once(reading.model, device)
    for codes in draws:
        output, energy, base = _values(law, codes, at_once, device)
        yield CrossRead(output, base - samples.beta * energy - normaliser, law.anchor_output, spread)


def _background(reading: Drawn, law: AnchoredLaw) -> Codes:
    """Sequences of the untethered background."""
    samples = reading.samples
    rows = background_rows(np.array(reading.law.background), samples.anchor, None)
    terms = type(law.terms)(law.terms.energy, rows, samples.mutable)
    return random_codes(samples.anchor, terms, chain_keys(0, "crossing", samples.anchor, BACKGROUNDS))


def _values(law: AnchoredLaw, codes: Codes, at_once: int, device: torch.device) -> tuple[Floats, Floats, Floats]:
    """Outputs, energies and log-weights before the energy, each (C, D), of codes (C, D, L): one pass of the network."""
    flat = torch.from_numpy(np.ascontiguousarray(codes.reshape(-1, codes.shape[-1]))).to(device)
    found = list[torch.Tensor]()
    with torch.inference_mode():
        for piece in torch.split(flat, at_once):
            values = law.terms.energy(piece).double(), law.output(piece).double(), log_base(law.terms, piece).double()
            found.append(torch.stack(values).cpu())
    energy, output, base = torch.cat(found, 1).numpy().reshape(3, *codes.shape[:2])
    return output, energy, base
