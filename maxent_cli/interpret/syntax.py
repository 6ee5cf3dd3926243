"""What a law makes of two motifs put into its background: by order, strand and distance."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes
from maxent_cli.analysis.syntax import Cell, Placing, Syntax, beta_for, cell, put
from maxent_cli.data import Anchor, Floats, SampleSet
from maxent_cli.interpret.law import CPU, LawSettings, anchored_law, as_drawn, evaluate, output_term
from maxent_cli.models.protocol import SequenceModel

WATCHED = 64  # contexts at most of which the output is asked too

Both = tuple[Floats, Floats]  # energies (N,) and outputs (M,)
NOTHING = Cell(*[np.nan] * 7)


class Implanter:
    """Sites put into sequences drawn from the background of one anchor's law, tether included.

    beta_share: of the law's beta that they are weighed at, so that enough of the contexts count.
    """

    def __init__(
        self,
        model: SequenceModel,
        law: LawSettings,
        samples: SampleSet,
        syntax: Syntax,
        device: torch.device = CPU,
    ) -> None:
        anchor = Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)
        self.energy = anchored_law(model, anchor, as_drawn(law, samples), device).terms.energy
        self.output = output_term(model, law.outputs)
        self.mutable, self.syntax, self.device = samples.mutable, syntax, device
        self.chance = np.random.default_rng([syntax.seed, *samples.anchor.tolist()])
        letters = self.chance.random((syntax.contexts, len(samples.anchor), 1)) >= samples.background.cumsum(1)[:, :3]
        self.codes = np.where(samples.mutable, letters.sum(axis=2), samples.anchor).astype(np.uint8)
        self.neither = self._of(self.codes)
        self.beta = beta_for(self.neither[0], samples.beta)
        self.beta_share = self.beta / samples.beta if samples.beta else 1.0

    def cells(self, placing: Placing, advance: Callable[[int], None]) -> list[Cell]:
        """The interaction at each distance, in bp between facing ends; nan where two sites do not fit.

        The left site lies alike at all distances, as far as there is room, so that distances are compared in the same
        sequences and places.
        """
        most, alone = self.syntax.max_distance + 1, dict[bytes, Both]()
        uniform = self.chance.random(len(self.codes))
        found = []
        for distance in range(most):
            room = self._room(len(placing.left), len(placing.right), distance)
            found.append(self._cell(placing, room, distance, uniform, alone) if len(room) else NOTHING)
            advance(1)
        return found

    def _cell(
        self, placing: Placing, room: NDArray[np.intp], distance: int, uniform: Floats, alone: dict[bytes, Both]
    ) -> Cell:
        starts = room[(uniform * len(room)).astype(np.intp)]
        second = starts + len(placing.left) + distance
        first = put(self.codes, placing.left, starts)
        key = starts.tobytes()
        alone[key] = alone[key] if key in alone else self._of(first)
        right, both = (self._of(put(codes, placing.right, second)) for codes in (self.codes, first))
        energies, outputs = map(np.stack, zip(self.neither, alone[key], right, both, strict=True))
        return cell(energies, outputs, self.beta)

    def _room(self, left: int, right: int, distance: int) -> NDArray[np.intp]:
        """Starts of the left site at which both lie where letters may change; the same for all distances, if it can."""
        span, widest = left + right + distance, left + right + self.syntax.max_distance
        for width in (widest, span):
            if width <= len(self.mutable):
                free = np.flatnonzero(sliding_window_view(self.mutable, width).all(axis=1))
                if len(free):
                    return free
        return np.zeros(0, np.intp)

    def _of(self, codes: Codes) -> Both:
        """Energies (N,) and, of those watched, outputs."""
        asked = (self.energy, codes), (self.output, codes[:WATCHED])
        energies, outputs = (evaluate(term, some, self.device) for term, some in asked)
        return energies, outputs
