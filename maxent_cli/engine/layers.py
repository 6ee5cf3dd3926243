"""A network's layers as arrays that compiled code can go through."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SUM, MAXIMUM, MEAN, SCALE, LSTM = range(5)
IDENTITY, RELU, LEAKY_RELU, ELU, SIGMOID, TANH, GELU, SILU, SOFTPLUS, EXP = range(10)

(KIND, FUNCTION, IN_LENGTH, IN_CHANNELS, OUT_LENGTH, OUT_CHANNELS, WIDTH, STRIDE, PADDING, DILATION) = range(10)
WEIGHTS, BIAS, PLACE = 10, 11, 12  # offsets of the layer's weights, bias and values
ADDED = 13  # which layer's values are added, or NOTHING
FIRST = 14  # whether it reads the letters; its WEIGHTS are then a column of the plan's letters
FEATURES = 15  # where the plan's reference has the values of a stack's last layer; of any other layer NOTHING
INPUT = 16  # which layer it reads; of one that reads the letters NOTHING
SPARSE = 17  # whether values that are zero from the start need not be told to those who read it
NOTHING, LETTERS = -1, -2

UNBOUNDED = 1e30  # and not infinity, which times a beta of 0 is no number
_LANES = 16  # numbers that a vector instruction takes, at most: a row of as many leaves no remainder

Weights = NDArray[np.float32]


class Layer(NamedTuple):
    """One layer: what it computes, on (in_length, in_channels) to (out_length, out_channels).

    SUM: weights (width, in_channels, out_channels), bias (out_channels,); tap t of output o reads input
    o - padding + t · dilation. SCALE: weights and bias (channels,). Pooling has no weights; output o reads inputs from
    o · stride - padding on; a negative padding crops. LSTM: what its gates read (length, 4 · channels) to states; of
    width 2, from the left and then from the right, each with half of the channels; weights (channels, 4 · channels /
    width). added: an earlier layer of the same shape, by its number, whose
    values are added after the function. reads: the number of the layer that it reads, LETTERS, or NOTHING for the layer
    before it, if there is one.
    """

    kind: int
    function: int
    in_length: int
    in_channels: int
    out_length: int
    out_channels: int
    width: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    slope: float = 0.0
    added: int = NOTHING
    reads: int = NOTHING

    @property
    def is_linear(self) -> bool:
        """Whether its one output column reads all of its input, by weights of its own for each."""
        return self.kind == SUM and self.out_length == 1 and self.width == self.in_length and self.dilation == 1


class Plan(NamedTuple):
    """Stacks side by side as arrays: table (layers, 18), slopes (layers,), all weights end to end; then of the energy.

    letters (5, span · channels): what a letter at p adds to a first layer's sums, from output p + padding - span + 1
    on, as they lie in memory; the fifth is none, and adds nothing. First layers have no other weights. Later ones
    have theirs by input, then by output: a linear layer's by row (column, channel), others' by (channel, output).
    feature_weights and reference are (length · channels,), position-major as a last layer's values lie in memory, one
    stack's after another's.
    The energy is the weighted distance from the reference, never below least_energy = 0; or, if linear, the offset less
    the weighted sum; if squared, the square of that. Linear layers have units without any weight, so that there are
    whole vectors of them.
    """

    table: NDArray[np.int64]
    slopes: Weights
    letters: Weights
    parameters: Weights
    feature_weights: Weights
    reference: Weights
    linear: bool
    offset: float
    least_energy: float
    squared: bool

    @property
    def values(self) -> int:
        """How many values all layers have."""
        return int(self.table[-1, PLACE] + self.table[-1, OUT_LENGTH] * self.table[-1, OUT_CHANNELS])

    @property
    def stacks(self) -> list[NDArray[np.int64]]:
        """The table of each stack."""
        return np.split(self.table, np.flatnonzero(self.table[:, FEATURES] != NOTHING)[:-1] + 1)


def make_plan(
    layers: list[tuple[Layer, Weights, Weights]],
    feature_weights: Weights,
    reference: Weights,
    offset: float | None = None,
    squared: bool = False,
) -> Plan:
    """Lay the layers with their weights and biases end to end; with an offset, the energy is linear, or its square."""
    inputs = [input_of(number, layer) for number, (layer, _, _) in enumerate(layers)]
    layers = _widened(layers, inputs)
    kinds = [
        {layer.kind for (layer, _, _), read in zip(layers, inputs, strict=True) if read == row}
        for row in range(len(layers))
    ]
    rows, parameters, size, place, columns = [], list[Weights](), 0, 0, 0
    for number, (layer, weights, bias) in enumerate(layers):
        first, features = inputs[number] == NOTHING, 0 if number == len(layers) - 1 else NOTHING
        ordered = weights[:0] if first else _by_input(layer, weights)
        places = [columns if first else size, size + ordered.size, place, layer.added, first, features]
        rows.append([*layer[:WEIGHTS], *places, inputs[number], kinds[number] <= {SUM, MEAN}])
        columns += layer.out_channels * ((layer.width - 1) * layer.dilation + 1) if first else 0
        parameters += [ordered.ravel(), bias.ravel()]
        size += ordered.size + bias.size
        place += layer.out_length * layer.out_channels
    last = layers[-1][0].out_length * layers[-1][0].out_channels
    linear = offset is not None
    return Plan(
        table=np.array(rows, np.int64),
        slopes=np.array([layer.slope for layer, _, _ in layers], np.float32),
        letters=aligned(
            np.hstack([_letters(*layer[:2]) for layer, read in zip(layers, inputs, strict=True) if read == NOTHING])
        ),
        parameters=aligned(np.concatenate(parameters)),
        feature_weights=aligned(_longer(feature_weights, 0, last)),
        reference=aligned(_longer(reference, 0, last)),
        linear=linear,
        offset=offset or 0.0,
        least_energy=-UNBOUNDED if linear and not squared else 0.0,
        squared=squared,
    )


def side_by_side(plans: Sequence[Plan]) -> Plan:
    """One plan of all their stacks; its energy is that of all their features together."""
    tables, size = [], np.zeros(5, np.int64)  # layers, parameters, values, columns of letters, features before a plan
    for plan in plans:
        layers, parameters, values, columns, features = size
        table = plan.table.copy()
        later = table[:, FIRST] == 0
        table[:, WEIGHTS] = np.where(later, table[:, WEIGHTS] + parameters, columns)
        table[:, BIAS] += parameters
        table[:, PLACE] += values
        for column in (ADDED, INPUT):
            table[:, column] += np.where(table[:, column] == NOTHING, 0, layers)
        table[:, FEATURES] += np.where(table[:, FEATURES] == NOTHING, 0, features)
        tables.append(table)
        size += (len(table), plan.parameters.size, plan.values, plan.letters.shape[1], len(plan.reference))
    return plans[0]._replace(
        table=np.concatenate(tables),
        slopes=np.concatenate([plan.slopes for plan in plans]),
        letters=aligned(np.hstack([plan.letters for plan in plans])),
        parameters=aligned(np.concatenate([plan.parameters for plan in plans])),
        feature_weights=aligned(np.concatenate([plan.feature_weights for plan in plans])),
        reference=aligned(np.concatenate([plan.reference for plan in plans])),
        offset=sum(plan.offset for plan in plans),
    )


def input_of(number: int, layer: Layer) -> int:
    """Which layer the layer of a number reads; NOTHING if it reads the letters."""
    if layer.reads == LETTERS:
        return NOTHING
    return number - 1 if layer.reads == NOTHING else layer.reads


def _widened(layers: list[tuple[Layer, Weights, Weights]], inputs: list[int]) -> list[tuple[Layer, Weights, Weights]]:
    """The layers, linear ones with units added that have no weight and that those who read them give none."""
    wider = list[tuple[Layer, Weights, Weights]]()
    for (layer, weights, bias), read in zip(layers, inputs, strict=True):
        channels = layer.in_channels if read == NOTHING else wider[read][0].out_channels
        if layer.kind == SUM:
            out = -(-layer.out_channels // _LANES) * _LANES if layer.is_linear else layer.out_channels
            weights = _longer(_longer(weights, 1, channels), 2, out)
        elif layer.kind == LSTM:
            out = layer.out_channels
        else:
            out, weights = channels, _longer(weights, 0, channels if weights.size else 0)
        bias = _longer(bias, 0, out if bias.size else 0)
        wider.append((layer._replace(in_channels=channels, out_channels=out), weights, bias))
    return wider


def _longer(values: Weights, axis: int, size: int) -> Weights:
    """The values, zeros added along an axis."""
    added = [(0, 0)] * values.ndim
    added[axis] = (0, size - values.shape[axis])
    return np.pad(values, added)


def _letters(layer: Layer, weights: Weights) -> Weights:
    """Weights (width, 4, out) by letter and output (5, span · out); dilation is spelled out."""
    width, _, out = weights.shape
    spread = np.zeros((5, (width - 1) * layer.dilation + 1, out), np.float32)
    spread[:4, :: layer.dilation] = weights[::-1].transpose(1, 0, 2)
    return spread.reshape(5, -1)


def _by_input(layer: Layer, weights: Weights) -> Weights:
    """Weights (width, in, out) of a convolution as (in, output from the first that reads it, out)."""
    return weights if layer.kind != SUM or layer.is_linear else weights[::-1].transpose(1, 0, 2)


def aligned(values: Weights) -> Weights:
    """A copy that starts where a line of the cache does."""
    room = np.empty(values.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + values.nbytes].view(np.float32).reshape(values.shape)
    copy[...] = values
    return copy
