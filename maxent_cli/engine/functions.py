"""Pointwise functions of the compiled chain, to the rounding of their sums.

All but softplus are written so that vector instructions can compute them, sixteen at a time: by an exponential without
branches or calls.
"""

import math

import numpy as np

from maxent_cli.engine.compiling import uncounted
from maxent_cli.engine.layers import ELU, GELU, IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, SOFTPLUS, TANH

_ZERO, _HALF, _ONE, _TWO = np.array([0, 0.5, 1, 2], np.float32)
_MOST_EXPONENT = np.float32(87)  # beyond which a float32 holds no exponential
_LOG2_E = np.float32(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = (
    np.float32(0.693359375),
    np.float32(-2.12194440e-4),
)  # ln 2 in two parts, the first without rounding
_C2, _C3, _C4, _C5, _C6 = np.array([1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720], np.float32)
_SQRT_HALF = np.float32(0.7071067811865476)
_P = np.float32(0.3275911)  # of the error function, Abramowitz & Stegun 7.1.26
_A1, _A2, _A3, _A4, _A5 = np.array([0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429], np.float32)
_EXPONENT_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)


@uncounted(inline="always")
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) to 3e-7 of itself: a power of two, put together from its bits, times a series for at most sqrt 2."""
    x = min(max(x, -_MOST_EXPONENT), _MOST_EXPONENT)
    scaled = x * _LOG2_E
    power = np.int32(scaled + (_HALF if scaled > _ZERO else -_HALF))
    n = np.float32(power)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    series = _ONE + r * (_ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * _C6)))))
    return series * np.int32((power + _EXPONENT_BIAS) << _MANTISSA_BITS).view(np.float32)


@uncounted(inline="always")
def _erf(x):  # type: ignore[no-untyped-def]
    """The error function to 3e-7."""
    size = max(x, -x)
    t = _ONE / (_ONE + _P * size)
    tail = t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5)))) * _exp(-size * size)
    return (_ONE - tail) * (_TWO * np.float32(x > _ZERO) - _ONE)


@uncounted()
def lstm_state(gates, cells, states):  # type: ignore[no-untyped-def]
    """Overwrite an LSTM's cells (S,), those before, by those that follow; and fill the states (S,).

    gates (4 S,): what the input, forget, cell and output gates read, as torch has them.
    """
    size = len(cells)
    into, kept = gates[:size], gates[size : 2 * size]
    new, out = gates[2 * size : 3 * size], gates[3 * size :]
    for j in range(size):  # sigmoid(x) · tanh(y), twice, each by one division
        forget, enter, leave = _exp(-kept[j]), _exp(-into[j]), _exp(-out[j])
        added = _exp(_TWO * new[j])
        cell = cells[j] / (_ONE + forget) + (added - _ONE) / ((added + _ONE) * (_ONE + enter))
        shown = _exp(_TWO * cell)
        cells[j], states[j] = cell, (shown - _ONE) / ((shown + _ONE) * (_ONE + leave))


@uncounted()
def apply_function(code, slope, sums, values):  # type: ignore[no-untyped-def]
    """Fill values (n,) by the function of sums (n,)."""
    if code == IDENTITY:
        for i in range(len(sums)):
            values[i] = sums[i]
    elif code == RELU:
        for i in range(len(sums)):
            values[i] = max(sums[i], _ZERO)
    elif code == LEAKY_RELU:
        for i in range(len(sums)):
            values[i] = max(sums[i], _ZERO) + slope * min(sums[i], _ZERO)
    elif code == ELU:
        for i in range(len(sums)):
            values[i] = max(sums[i], _ZERO) + slope * (_exp(min(sums[i], _ZERO)) - _ONE)
    elif code == SIGMOID:
        for i in range(len(sums)):
            values[i] = _ONE / (_ONE + _exp(-sums[i]))
    elif code == TANH:
        for i in range(len(sums)):
            values[i] = _ONE - _TWO / (_exp(_TWO * sums[i]) + _ONE)
    elif code == GELU:
        for i in range(len(sums)):
            values[i] = sums[i] * _HALF * (_ONE + _erf(sums[i] * _SQRT_HALF))
    elif code == SILU:
        for i in range(len(sums)):
            values[i] = sums[i] / (_ONE + _exp(-sums[i]))
    elif code == SOFTPLUS:
        for i in range(len(sums)):
            values[i] = max(sums[i], _ZERO) + math.log1p(math.exp(-abs(sums[i])))
    else:
        for i in range(len(sums)):
            values[i] = _exp(sums[i])
