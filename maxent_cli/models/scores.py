"""Functions of sequences, such as gkm-SVMs and boosted trees, as networks whose representation is their output."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import UNKNOWN, decode
from maxent_cli.errors import InputError, said

Function = Callable[[list[str]], Any]
_TRIED = 128  # random sequences
_REMEMBERED = 1024  # sequences, with what the function gave for them


class Score(nn.Module):
    """A function of N strings to N numbers, or N rows of them, as a SequenceModel: its outputs are what is held."""

    def __init__(self, function: Function, name: str, input_length: int = 0) -> None:
        super().__init__()
        self.function, self.name, self.input_length, self.outputs = function, name, input_length, 0
        self.known = dict[str, NDArray[np.float32]]()  # such functions are slow, and chains come back

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
        sequences = list(map(decode, codes))
        new = [sequence for sequence in dict.fromkeys(sequences) if sequence not in self.known]
        if len(self.known) + len(new) > _REMEMBERED:
            self.known, new = {}, list(dict.fromkeys(sequences))
        known = self.known | (dict(zip(new, self._of(new), strict=True)) if new else {})
        self.known = known  # replaced and not changed, since several threads may be at it
        return torch.from_numpy(np.stack([known[sequence] for sequence in sequences])).to(one_hot.device)

    def head(self, representation: Tensor) -> Tensor:
        """The numbers (B, K) themselves."""
        return representation

    def forward(self, one_hot: Tensor) -> Tensor:
        """One-hot (B, 4, L) to the function's numbers (B, K)."""
        return self.representation(one_hot)

    def _of(self, sequences: Sequence[str]) -> NDArray[np.float32]:
        try:
            found = np.asarray(self.function(list(sequences)), np.float32)
        except Exception as error:  # whatever somebody's function raises
            problem = f"fails on {len(sequences)} sequences of {self.input_length} letters ({said(error)})"
            raise InputError(self.name, "", problem, "see the function's code") from error
        if found.ndim not in (1, 2) or len(found) != len(sequences):
            problem = f"gives numbers of shape {found.shape} for {len(sequences)} sequences"
            raise InputError(self.name, "", problem, "give a number, or a row of numbers, a sequence")
        if not np.isfinite(found).all():
            raise InputError(self.name, "", "gives numbers that are not finite", "see its code and input")
        return found.reshape(len(found), -1)
