"""Copies of a network with other weights that are the same function: units exchanged and rescaled.

A unit behind a ReLU may be made s times as large, and what reads it s times as small; units may be put in another
order, and what reads them with them (Hecht-Nielsen 1990; Lengyel et al. 2020). The law of an anchor sees neither: its
w ∘ Phi stays as it is, but for the order of its terms.
"""

import copy
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from maxent_cli.interpret.plan import _Add, _Turn, read
from maxent_cli.models.adapter import AdaptedNetwork
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.consensus import Consensus
from maxent_cli.models.protocol import SequenceModel

LEAST_SCALE, MOST_SCALE = 0.25, 4.0
UNITWISE = (nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU, nn.ELU, nn.Softplus)  # which see how large units are


@dataclass
class _Units:
    """Units that a layer gives: what has a row for each, and what happened to them since.

    carriers: the layer, and batch norms behind it, in order. rescalable: nothing since the last of them sees how large
    they are. turned: they come last, not second.
    """

    carriers: list[nn.Module]
    rescalable: bool = True
    turned: bool = False

    @property
    def count(self) -> int:
        """How many there are."""
        return len(_rows_of(self.carriers[-1])[0])


@dataclass
class Moved:
    """Numbers of units that were put in another order, and of those that were rescaled too."""

    ordered: int = 0
    rescaled: int = 0


def equivalent(model: SequenceModel, random: torch.Generator) -> tuple[SequenceModel, Moved]:
    """A copy of a network whose units are exchanged and rescaled, layer by layer, as far as its code can be read.

    Units that several layers read, as at a residual connection, stay as they are.
    """
    found, moved = copy.deepcopy(model), Moved()
    parts = found.parts if isinstance(found, Consensus) else [found]
    for part in {id(part): part for part in parts}.values():
        _move(part, random, moved)
    return found, moved


def _move(model: SequenceModel, random: torch.Generator, moved: Moved) -> None:
    """Exchange and rescale units, from each layer of weights to the next."""
    steps, head = list(read(model).layers), _head(model)
    if read(model).end is None and head is not None:
        steps.append(("head", head))
    added = {step.earlier for _, step in steps if isinstance(step, _Add)}
    used = Counter(id(step) for _, step in steps)
    units: _Units | None = None
    turned = isinstance(model, AdaptedNetwork) and model.reading.channels_last
    with torch.no_grad():
        for name, step in steps:
            if isinstance(step, nn.Conv1d | nn.Linear):
                alone = getattr(step, "groups", 1) == 1 and used[id(step)] == 1
                if units is not None and alone:
                    units.turned = turned
                    _exchange(units, step, random, moved)
                units = _Units([step]) if alone else None
            elif isinstance(step, _Turn):
                turned = not turned
            elif units is not None:
                units = _after(units, step)
            if name in added:
                units = None


def _after(units: _Units, step: nn.Module) -> _Units | None:
    """The units behind a step that is no layer of weights; None where they may not be moved."""
    if isinstance(step, nn.BatchNorm1d):
        if not step.affine or step.num_features != units.count:
            return None
        units.carriers.append(step)
        units.rescalable = True
    elif isinstance(step, UNITWISE) or (isinstance(step, nn.ConstantPad1d) and step.value):
        units.rescalable = False
    elif isinstance(step, _Add):
        return None
    return units


def _exchange(units: _Units, reader: nn.Conv1d | nn.Linear, random: torch.Generator, moved: Moved) -> None:
    """Put units in another order, and rescale them, with what reads them."""
    count = units.count
    spread = reader.weight.shape[1] // count
    if spread * count != reader.weight.shape[1]:
        return
    order, scales = torch.randperm(count, generator=random), torch.ones(count)
    if units.rescalable:
        low, high = torch.log(torch.tensor([LEAST_SCALE, MOST_SCALE]))
        scales = torch.exp(low + (high - low) * torch.rand(count, generator=random))
        moved.rescaled += count
    moved.ordered += count
    for carrier in units.carriers:
        for rows in _rows_of(carrier):
            rows.copy_(rows[order])
    last = units.carriers[-1]
    for name in ("weight", "bias"):
        values = getattr(last, name)
        if values is not None:
            values.mul_(scales.to(values).reshape(-1, *[1] * (values.dim() - 1)))
    shape = (len(reader.weight), spread, count) if units.turned else (len(reader.weight), count, spread)
    if isinstance(reader, nn.Conv1d):
        reader.weight.copy_(reader.weight[:, order] / scales.to(reader.weight)[:, None])
        return
    weights = reader.weight.reshape(shape)
    scaled = scales.to(reader.weight)
    exchanged = weights[..., order] / scaled if units.turned else weights[:, order] / scaled[:, None]
    reader.weight.copy_(exchanged.reshape(reader.weight.shape))


def _rows_of(module: nn.Module) -> list[Tensor]:
    """What of a module has a row for each unit."""
    names = ("weight", "bias", "running_mean", "running_var")
    return [values for name in names if isinstance(values := getattr(module, name, None), Tensor)]


def _head(model: SequenceModel) -> nn.Linear | None:
    """The linear layer that reads the representation, if there is one."""
    if isinstance(model, LayeredModel):
        return model.output
    if isinstance(model, AdaptedNetwork) and model.layer is not None:
        found = model.network.get_submodule(model.layer)
        return found if isinstance(found, nn.Linear) else None
    return None
