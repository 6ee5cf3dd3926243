"""What the package asks of a network."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class SequenceModel(Protocol):
    """A network on one-hot DNA, split where its representation enters the head."""

    input_length: int

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L), letters in the order A, C, G, T, to the activations (B, ...) that the head reads."""

    def head(self, representation: Tensor) -> Tensor:
        """Representation (B, ...) to outputs (B, K), before any final sigmoid or softmax."""

    def __call__(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to outputs (B, K): the head of the representation, in one pass."""


def one_hot(codes: Tensor) -> Tensor:
    """Codes (B, L) to float32 indicators (B, 4, L); an unknown letter gives a column of zeros."""
    letters = torch.arange(4, dtype=codes.dtype, device=codes.device)[:, None]
    indicators = torch.empty(len(codes), 4, codes.shape[1], device=codes.device)
    return torch.eq(codes[:, None, :], letters, out=indicators)  # in one pass
