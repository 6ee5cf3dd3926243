"""A small network that learns what another gives, to have layers that can be read where that one has none.

A convolution of letters with a ReLU, means in some stretches, and a linear map; trained on sequences and what the other
gives for them, by Adam on the squared error. Only the convolution is kept: what is read off it is fitted anew.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from maxent_cli.alphabet import Codes
from maxent_cli.data import Floats
from maxent_cli.engine import layers
from maxent_cli.engine.layers import Layer
from maxent_cli.interpret.plan import LayerWeights
from maxent_cli.models.protocol import one_hot

FILTERS, WIDTH = 64, 11  # bp
STRETCHES = 8  # that are pooled by themselves
BATCH, STEPS, RATE = 64, 800, 1e-2


class Student(NamedTuple):
    """A convolution's weights (out, 4, width) and bias (out,), and the linear map's, as torch has them."""

    kernel: Tensor
    bias: Tensor
    weights: Tensor
    rest: Tensor


def untaught(length: int, units: int, seed: int) -> Student:
    """A student of sequences of a length and so many units, who knows nothing."""
    random, width = torch.Generator().manual_seed(seed), min(WIDTH, length)
    size = FILTERS * min(STRETCHES, length)
    kernel = torch.randn(FILTERS, 4, width, generator=random) / np.sqrt(width)
    weights = torch.randn(units, size, generator=random) / np.sqrt(size)
    return Student(kernel, torch.zeros(FILTERS), weights, torch.zeros(units))


def taught(student: Student, codes: Codes, wanted: Floats, seed: int, steps: int = STEPS) -> Student:
    """The student after so many steps on codes (n, L) and what is wanted for them (n, units)."""
    random, parts = np.random.default_rng(seed), [nn.Parameter(part.clone()) for part in student]
    given, target = one_hot(torch.from_numpy(codes)), torch.from_numpy(wanted).float()
    middle, spread = target.mean(0), target.std().clamp_min(1e-9)
    target = (target - middle) / spread
    optimizer = torch.optim.Adam(parts, RATE)
    with torch.enable_grad():
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / steps)
            rows = torch.from_numpy(random.integers(0, len(codes), BATCH))
            loss = functional.mse_loss(_said(Student(*parts), given[rows]), target[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return Student(*(part.detach() for part in parts))


def as_layer(student: Student, length: int) -> LayerWeights:
    """The convolution with its ReLU, as a layer of a plan for sequences of a length."""
    out, into, width = student.kernel.shape
    layer = Layer(layers.SUM, layers.RELU, length, into, length, out, width, 1, width // 2)
    return layer, np.ascontiguousarray(student.kernel.permute(2, 1, 0).numpy()), student.bias.numpy()


def _said(student: Student, letters: Tensor) -> Tensor:
    width = student.kernel.shape[2]
    padded = functional.pad(letters, (width // 2, width - 1 - width // 2))
    scanned = functional.relu(functional.conv1d(padded, student.kernel, student.bias))
    pooled = functional.adaptive_avg_pool1d(scanned, min(STRETCHES, letters.shape[2]))
    return functional.linear(pooled.flatten(1), student.weights, student.rest)
