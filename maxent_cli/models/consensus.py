"""Several networks as one: their representations one after another, and the mean of their outputs."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maxent_cli.models.protocol import SequenceModel


class Consensus(nn.Module):
    """Networks of one input length as a SequenceModel; its representation is (B, units of all networks).

    columns: of each network, which of its outputs are the first, second, ... of all (K).
    """

    def __init__(self, networks: Sequence[nn.Module], columns: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.input_length: int = networks[0].input_length  # type: ignore[assignment]
        self.outputs, self.columns = len(columns[0]), [list(some) for some in columns]
        for number, own in enumerate(self.columns):  # where the networks are, so that no pass waits for them
            self.register_buffer(f"columns_{number}", torch.tensor(own), persistent=False)
        blank = torch.zeros(1, 4, self.input_length)
        with torch.no_grad():
            self.shapes = [tuple(part.representation(blank).shape[1:]) for part in self.parts]
        self.sizes = [math.prod(shape) for shape in self.shapes]

    @property
    def placed_columns(self) -> list[Tensor]:
        """The columns, each (K,), on the networks' device."""
        return [self.get_buffer(f"columns_{number}") for number in range(len(self.columns))]

    @property
    def parts(self) -> list[SequenceModel]:
        """The networks."""
        return list(self.networks)  # type: ignore[arg-type]

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to all networks' activations (B, units)."""
        return torch.cat([part.representation(one_hot).flatten(1) for part in self.parts], 1)

    def each(self, representation: Tensor) -> Tensor:
        """Representation (B, units) to the outputs of each of M networks (B, M, K)."""
        found = []
        for part, values, shape, own in zip(
            self.parts, torch.split(representation, self.sizes, 1), self.shapes, self.placed_columns, strict=True
        ):
            found.append(part.head(values.reshape(-1, *shape))[:, own])
        return torch.stack(found, 1)

    def head(self, representation: Tensor) -> Tensor:
        """Representation (B, units) to the mean of the networks' outputs (B, K)."""
        return self.each(representation).mean(1)

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the mean of the networks' outputs (B, K)."""
        outputs = [part(one_hot)[:, own] for part, own in zip(self.parts, self.placed_columns, strict=True)]
        return torch.stack(outputs, 1).mean(1)


def consensus_of(model: SequenceModel) -> Consensus | None:
    """The several networks that a model, or what it wraps, is made of; None where it is one."""
    found = getattr(model, "wrapped", model)
    return found if isinstance(found, Consensus) else None


def networks_of(model: SequenceModel) -> list[SequenceModel]:
    """The networks that a model is made of: itself, if it is one."""
    several = consensus_of(model)
    return [model] if several is None else several.parts


def of_each(model: SequenceModel, values: Tensor) -> list[Tensor]:
    """What of values like a representation (...) each network's is."""
    several = consensus_of(model)
    return [values] if several is None else list(torch.split(values, several.sizes))
