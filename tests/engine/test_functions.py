"""The compiled chain's pointwise functions against those of PyTorch."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from maxent_cli.engine import layers
from maxent_cli.engine.functions import apply_function

SLOPE = 0.3
FUNCTIONS: dict[int, Callable[[Tensor], Tensor]] = {
    layers.IDENTITY: lambda x: x,
    layers.RELU: torch.relu,
    layers.LEAKY_RELU: lambda x: functional.leaky_relu(x, SLOPE),
    layers.ELU: lambda x: functional.elu(x, SLOPE),
    layers.SIGMOID: torch.sigmoid,
    layers.TANH: torch.tanh,
    layers.GELU: functional.gelu,
    layers.SILU: functional.silu,
    layers.SOFTPLUS: functional.softplus,
    layers.EXP: torch.exp,
}


@pytest.mark.parametrize("code", FUNCTIONS)
def test_functions_are_those_of_pytorch_to_rounding(code):
    most = 80 if code == layers.EXP else 300
    sums = np.concatenate([np.linspace(-most, most, 4001), np.linspace(-3, 3, 4001), [0.0]]).astype(np.float32)
    values = np.empty_like(sums)
    apply_function(code, np.float32(SLOPE), sums, values)
    wanted = FUNCTIONS[code](torch.from_numpy(sums).double()).numpy()
    np.testing.assert_allclose(values, wanted, rtol=3e-7, atol=3e-7)
