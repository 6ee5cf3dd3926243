"""A trained network on disk: a folder with weights.safetensors and model.json."""

import dataclasses
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from maxent_cli.alphabet import LETTERS
from maxent_cli.errors import InputError
from maxent_cli.io.digests import note
from maxent_cli.io.weights import sound_weights
from maxent_cli.models.architectures import ARCHITECTURES, LayeredModel, build

SCHEMA = 1
WEIGHTS, CARD = "weights.safetensors", "model.json"
_RETRAIN = "train the model again, or copy the whole folder again"


@dataclass(frozen=True)
class ModelCard:
    """What a model folder says about its weights.

    outputs: the K class names; arguments: of the architecture; background: frequencies of A, C, G, T in both classes
    of the training part, both strands pooled if the training turned strands; training: digests, settings, metrics.
    """

    architecture: str
    input_length: int
    outputs: tuple[str, ...]
    arguments: dict[str, Any]
    background: tuple[float, float, float, float]
    training: dict[str, Any]


def save_model(folder: Path, model: LayeredModel, card: ModelCard) -> None:
    """Write weights and card into an existing folder (one of io.outputs.writing_folder, so that both appear whole)."""
    weights = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(weights))  # save_file would hide the file from the group
    content = {"schema": SCHEMA, "letters": LETTERS, **dataclasses.asdict(card)}
    (folder / CARD).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def load_model(folder: str) -> tuple[LayeredModel, ModelCard]:
    """The network of a model folder, in eval mode, and its card.

    Raises InputError where a file is missing or damaged, of another schema or letter order, or where the weights
    do not fit the architecture or are not finite.
    """
    card = _read_card(Path(folder) / CARD)
    note(folder)
    path = Path(folder) / WEIGHTS
    model = _build(card, str(Path(folder) / CARD))
    _fill(model, _read_weights(path), str(path))
    return model.eval(), card


def _read_card(path: Path) -> ModelCard:
    _require_file(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema, letters = content.pop("schema"), content.pop("letters")
        if schema != SCHEMA or letters != LETTERS:
            found = f"schema {schema} with letters {letters}"
            raise InputError(path, "", f"{found} is not known here", f"schema {SCHEMA} with letters {LETTERS} is")
        return _card(content)
    except OSError as error:
        raise InputError(path, "", "cannot be read", "give a model folder as train writes it") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(path, "", f"is not a model card ({error})", _RETRAIN) from error


def _card(content: dict[str, Any]) -> ModelCard:
    """The card of a JSON object; ValueError, KeyError or TypeError say what is wrong with it."""
    card = ModelCard(**content)
    a, c, g, t = (float(share) for share in card.background)
    if not (all(share > 0 for share in (a, c, g, t)) and abs(a + c + g + t - 1) <= 1e-6):
        raise ValueError("background must be four positive frequencies that sum to 1")
    if type(card.input_length) is not int or card.input_length < 1:
        raise ValueError("input_length must be a whole number of letters")
    if not isinstance(card.outputs, list) or not all(isinstance(name, str) for name in card.outputs):
        raise ValueError("outputs must be names")
    for name, kind in (("architecture", str), ("arguments", dict), ("training", dict)):
        if not isinstance(getattr(card, name), kind):
            raise ValueError(f"{name} must be a {kind.__name__}")
    return dataclasses.replace(card, outputs=tuple(card.outputs), background=(a, c, g, t))


def _build(card: ModelCard, path: str) -> LayeredModel:
    if card.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(path, "", f"architecture {card.architecture} is not known here", f"known are {known}")
    try:
        # without room for weights, nor warnings of their first values: a damaged card may ask for any size
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            return build(card.architecture, card.input_length, card.arguments, seed=0)
    except (ValueError, TypeError, RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise InputError(path, "", f"no network fits this card ({error})", _RETRAIN) from error


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    _require_file(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(path, "", f"cannot be read ({error})", _RETRAIN) from error


def _require_file(path: Path) -> None:
    """A pipe would be waited for."""
    if path.exists() and not path.is_file():
        raise InputError(path, "", "is not a file", _RETRAIN)


def _fill(model: LayeredModel, weights: dict[str, torch.Tensor], path: str) -> None:
    sound = sound_weights(path, weights, _RETRAIN)
    try:
        model.load_state_dict({name: value.float() for name, value in sound.items()}, assign=True)
    except RuntimeError as error:
        problem = " ".join(str(error).split())
        raise InputError(path, "", f"weights do not fit the architecture ({problem})", _RETRAIN) from error
