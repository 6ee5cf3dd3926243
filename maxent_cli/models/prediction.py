"""A network's outputs for many sequences."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import Codes
from maxent_cli.errors import InputError
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.pieces import at_once, in_pieces
from maxent_cli.models.protocol import SequenceModel, one_hot

BATCH = 1024
_TRIED = 16  # random sequences


def inputs_of(codes: Codes, device: torch.device | None = None) -> Tensor:
    """Codes (B, L) to the indicators (B, 4, L) that a network reads; an unknown letter gives a column of zeros."""
    return one_hot(torch.from_numpy(np.ascontiguousarray(codes)).to(device))


def device_of(model: nn.Module | SequenceModel) -> torch.device:
    """Where the weights are; of a function of sequences, which has none, the CPU."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next((each.device for each in weights), torch.device("cpu"))


def require_sound(model: LayeredModel, name: str) -> LayeredModel:
    """The model in eval mode; InputError where random sequences all give the same outputs, or any but finite ones."""
    codes = np.random.default_rng(0).integers(0, 4, (_TRIED, model.input_length), np.uint8)
    outputs = predict(model.eval(), codes)
    if not np.isfinite(outputs).all():
        raise InputError(name, "", "gives outputs that are not finite numbers", "see its weights, or train it again")
    if not np.ptp(outputs, axis=0).any():
        problem = "gives the same outputs for random sequences"
        raise InputError(name, "", problem, "see that it has been trained: its output does not depend on its input")
    return model


def predict(
    model: nn.Module,
    codes: Codes,
    advance: Callable[[int], None] = lambda _: None,
    numbers: NDArray[np.intp] | None = None,
) -> NDArray[np.float32]:
    """Outputs (B, K) before the softmax for codes (B, L); the model is left in the mode that it was in.

    They are made where the model is. advance hears the number of sequences done. numbers (B,): of the sequences among
    more, rising; batches are of numbers, so that outputs are the same to the last bit whatever the part, if it has
    whole batches.
    """
    known = np.arange(len(codes)) if numbers is None else numbers
    edges = np.flatnonzero(np.diff(known // BATCH)) + 1
    device, training = device_of(model), model.training
    model.eval()
    outputs = []
    with torch.inference_mode():
        run = in_pieces(lambda some: model(one_hot(some)), at_once(model, codes.shape[1], device))
        for batch in np.split(codes, edges):
            outputs.append(run(torch.from_numpy(batch).to(device)).cpu())
            advance(len(batch))
    model.train(training)
    return torch.cat(outputs).numpy()
