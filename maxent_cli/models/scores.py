"""Functions of sequences, such as gkm-SVMs and boosted trees, as networks whose representation is their output."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from maxent_cli.alphabet import UNKNOWN, decode
from maxent_cli.errors import InputError

Function = Callable[[list[str]], Any]
_TRIED = 16  # random sequences


class Score(nn.Module):
    """A function of N strings to N numbers, or N rows of them, as a SequenceModel: its outputs are what is held."""

    def __init__(self, function: Function, name: str, input_length: int = 0) -> None:
        super().__init__()
        self.function, self.name, self.input_length, self.outputs = function, name, input_length, 0

    def sized(self, input_length: int, name: str) -> "Score":
        """For sequences of a length in bp; InputError where random ones all give the same, or no finite numbers."""
        found = copy.copy(self)
        found.name, found.input_length = name, input_length
        codes = np.random.default_rng(0).integers(0, 4, (_TRIED, input_length), np.uint8)
        first = found._of(list(map(decode, codes)))
        found.outputs = first.shape[1]
        if not np.ptp(first, axis=0).any():
            problem = "gives the same numbers for random sequences"
            raise InputError(name, "", problem, "see that it reads its input")
        return found

    def representation(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the function's numbers (B, K)."""
        if one_hot.requires_grad:
            problem = "is a function of sequences, which has no gradient"
            raise InputError(self.name, "", problem, "use --method mutagenesis")
        codes = torch.where(one_hot.any(1), one_hot.argmax(1), UNKNOWN).to(torch.uint8).cpu().numpy()
        return torch.from_numpy(self._of(list(map(decode, codes)))).to(one_hot.device)

    def head(self, representation: Tensor) -> Tensor:
        """The numbers (B, K) themselves."""
        return representation

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the function's numbers (B, K)."""
        return self.representation(one_hot)

    def _of(self, sequences: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        try:
            found = np.asarray(self.function(list(sequences)), np.float32)
        except Exception as error:  # whatever somebody's function raises
            problem = f"fails on {len(sequences)} sequences of {self.input_length} letters ({_said(error)})"
            raise InputError(self.name, "", problem, "see the function's code") from error
        if found.ndim not in (1, 2) or len(found) != len(sequences):
            problem = f"gives numbers of shape {found.shape} for {len(sequences)} sequences"
            raise InputError(self.name, "", problem, "give a number, or a row of numbers, a sequence")
        if not np.isfinite(found).all():
            raise InputError(self.name, "", "gives numbers that are not finite", "see its code and input")
        return found.reshape(len(found), -1)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".removesuffix(": ")
