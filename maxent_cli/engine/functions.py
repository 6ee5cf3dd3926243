"""Pointwise functions of the compiled chain."""

import math

import numpy as np

from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.layers import ELU, GELU, IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, SOFTPLUS, TANH


@uncounted()
def apply_function(code, slope, sums, values):  # type: ignore[no-untyped-def]
    """Fill values (n,) by the function of sums (n,)."""
    if code == IDENTITY:
        for i in range(len(sums)):
            values[i] = sums[i]
    elif code == RELU:
        for i in range(len(sums)):
            values[i] = max(sums[i], np.float32(0))
    else:
        for i in range(len(sums)):
            values[i] = _other_function(code, slope, sums[i])


@uncounted()
def _other_function(code, slope, x):  # type: ignore[no-untyped-def]
    if code == LEAKY_RELU:
        return x if x > 0 else slope * x
    if code == ELU:
        return x if x > 0 else slope * np.expm1(x)
    if code == SIGMOID:
        return 1 / (1 + np.exp(-x))
    if code == TANH:
        return np.tanh(x)
    if code == GELU:
        return x * 0.5 * (1 + math.erf(x * 0.7071067811865476))
    if code == SILU:
        return x / (1 + np.exp(-x))
    if code == SOFTPLUS:
        return max(x, 0) + np.log1p(np.exp(-abs(x)))
    return np.exp(x)
