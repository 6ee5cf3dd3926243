"""How much of what an output depends on lies where the letters may change."""

from typing import NamedTuple

import numpy as np
import torch

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats, Sequences
from maxent_cli.interpret.law import LawSettings, sums_of
from maxent_cli.models.prediction import device_of, inputs_of
from maxent_cli.models.protocol import SequenceModel

LOOKED_AT, PROBES = 16, 4  # anchors, and random signs of several outputs


class Reached(NamedTuple):
    """The share of the gradient that is at positions that may change: its mean over anchors, and the error of that.

    error: None of a single anchor.
    """

    share: float
    error: float | None
    anchors: int


def gradient_inside(model: SequenceModel, settings: LawSettings, anchors: Sequences) -> Reached | None:
    """The sizes of the gradient of what is held, position by position, at some anchors of which not all may change.

    Of several outputs, the root of their squares' sum, by outputs added with random signs (Hutchinson 1990); of a
    profile, each less their mean, as its law has it. None where the network has no gradient, as of tokens.
    """
    assert anchors.mutable is not None
    rows = np.flatnonzero(~anchors.mutable.all(axis=1))[:LOOKED_AT]
    found = []
    for row in rows:
        size = _sizes(model, settings, anchors.codes[row])
        if not size.any():
            return None
        found.append(size[anchors.mutable[row]].sum() / size.sum())
    error = float(np.std(found, ddof=1) / len(found) ** 0.5) if len(found) > 1 else None
    return Reached(float(np.mean(found)), error, len(found))


def _sizes(model: SequenceModel, settings: LawSettings, codes: Codes) -> Floats:
    """The size of the gradient at each position (L,); zeros where there is none."""
    inputs = inputs_of(codes[None], device_of(model)).requires_grad_()
    signs = torch.Generator().manual_seed(0)
    total = np.zeros(len(codes))
    with torch.enable_grad():
        held = sums_of(model(inputs), settings.outputs)[0]
        held = held - held.mean() if settings.kind.of_outputs else held
        for _ in range((1 if len(held) == 1 else PROBES) if held.requires_grad else 0):
            sign = 2.0 * torch.randint(0, 2, held.shape, generator=signs).to(held) - 1
            (slope,) = torch.autograd.grad((held * sign).sum(), inputs, retain_graph=True, materialize_grads=True)
            total += (slope - slope.mean(1, keepdim=True)).square().sum(1)[0].double().cpu().numpy()
    return np.asarray(np.sqrt(total))
