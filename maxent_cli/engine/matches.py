"""A field on how often words or motifs match: the one constraint that the compiled chain knows."""

from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from maxent_cli.engine.placed import placed


class MatchField(NamedTuple):
    """strength · N(x), where N counts the windows of W letters whose scores sum to a matrix's threshold or more.

    A term (Target.constraints). matrices (M, W, 5), thresholds (M,): whole numbers, so that no sum is rounded; the
    fifth column is an unknown letter's score.
    """

    strength: float
    matrices: NDArray[np.int32]
    thresholds: NDArray[np.int32]

    def __call__(self, codes: Tensor) -> Tensor:
        """Log-weights (...) of codes (..., L)."""
        number = torch.zeros(codes.shape[:-1], dtype=torch.float64, device=codes.device)
        width = self.matrices.shape[1]
        if width > codes.shape[-1]:
            return number
        matrices = placed(self.matrices, codes.device)
        windows, columns = codes.unfold(-1, width, 1).long(), torch.arange(width, device=codes.device)
        for matrix, threshold in zip(matrices, self.thresholds.tolist(), strict=True):
            number += (matrix[columns, windows].sum(-1) >= threshold).sum(-1)
        return self.strength * number


def no_field() -> MatchField:
    """A field on nothing."""
    return MatchField(0.0, np.zeros((0, 1, 5), np.int32), np.zeros(0, np.int32))


@njit(cache=True)
def match_change(field, x, proposed, first, last):  # type: ignore[no-untyped-def]
    """How the log-weight of x (L,) changes where proposed (L,) takes its place in [first, last)."""
    change, width = 0, field.matrices.shape[1]
    for m in range(len(field.thresholds)):
        matrix, threshold = field.matrices[m], field.thresholds[m]
        for start in range(max(first - width + 1, 0), min(last, len(x) - width + 1)):
            old, new = 0, 0
            for column in range(width):
                p = start + column
                old += matrix[column, x[p]]
                new += matrix[column, proposed[p] if first <= p < last else x[p]]
            change += (new >= threshold) - (old >= threshold)
    return field.strength * change
