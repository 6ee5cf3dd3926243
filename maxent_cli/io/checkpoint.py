"""A network on disk: a folder with weights.safetensors, model.json and, where it needs code, a copy of that.

Layers that are known here are built from what the card says of them: no code is run. Code is run only where it is
trusted, and only as it was when the network was adopted.
"""

import dataclasses
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from maxent_cli.alphabet import LETTERS
from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import NETWORK, note
from maxent_cli.io.networks import NetworkSource, built_by, family_arguments, is_factory, last_line
from maxent_cli.io.user_code import Code, copy_code, copy_file, import_copy, unchanged
from maxent_cli.io.weights import sound_weights
from maxent_cli.io.whole_files import EXPORT, SCRIPT, from_bytes, whole_kind
from maxent_cli.laws import Outputs, spelled
from maxent_cli.models import keras
from maxent_cli.models.adapter import AS_IS, Reading
from maxent_cli.models.architectures import ARCHITECTURES, LayeredModel, build
from maxent_cli.models.families import FAMILIES
from maxent_cli.models.keras import KerasNetwork, from_description
from maxent_cli.models.known_layers import built, described

SCHEMA, OLDER = 2, 1
CARD, WEIGHTS, CODE = NETWORK
MOST_NAMED = 12  # outputs, of more the first and the last
CHECKPOINTS = "checkpoints"  # of a training, model folders within its own
LAYERS, KERAS = "layers", "keras"  # the architectures of those whose layers the card describes
KNOWN = (*ARCHITECTURES, *FAMILIES, LAYERS, KERAS)
WHOLE = (SCRIPT, EXPORT)  # those that stand in a file with their code
_LAYOUTS = ("channels-first", "channels-last")
_MAKE = "make the folder again with `maxent train` or `maxent adopt`, or copy the whole folder again"


@dataclass(frozen=True)
class ModelCard:
    """What a model folder says about its weights.

    architecture: of models.architectures, 'layers', or the module:function in its code; arguments: of that. outputs:
    their K names, if known; background: frequencies of A, C, G, T that the network was trained on, if known; training:
    digests, settings, metrics, or what it was adopted from and was found to be. reading: how it reads DNA, and the
    layer held by default. held: outputs held by default. code: what building it runs. score: it is a function of
    sequences.
    """

    architecture: str
    input_length: int
    outputs: tuple[str, ...]
    arguments: dict[str, Any]
    background: tuple[float, float, float, float] | None
    training: dict[str, Any]
    reading: Reading = AS_IS
    held: Outputs | None = None
    code: Code | None = None
    score: bool = False

    @property
    def says(self) -> str:
        """How the network reads and what it gives, for people."""
        shape = f"{self.input_length}, 4" if self.reading.channels_last else f"4, {self.input_length}"
        reads = f" as (batch, {shape}), channels {', '.join(self.reading.letters)}"
        first, last = ", ".join(self.outputs[:MOST_NAMED]), self.outputs[MOST_NAMED:][-1:]
        gives = " ... ".join([first, *last]) or "outputs that have no names"
        lines = [f"Reads {self.input_length} letters{'' if self.score else reads}; gives {gives}."]
        lines += [str(line) for line in self.training.get("found", ())]
        if self.held is not None:
            lines.append(f"Held unless something else is asked for: {spelled(self.held, self.outputs)}.")
        if self.background is not None:
            lines.append("Background: " + ", ".join(map("{} {:.3g}".format, LETTERS, self.background)) + ".")
        if self.code is None:
            return " ".join([*lines, "Built of layers that maxent knows: no code is run."])
        return " ".join([*lines, f"Building it runs code, {self.code.said}, and needs --trust-code."])


def save_model(folder: Path, model: nn.Module, card: ModelCard) -> None:
    """Write weights and card into an existing folder (one of io.outputs.writing_folder, so that both appear whole)."""
    (folder / WEIGHTS).write_bytes(weights_of(model))  # save_file would hide the file from the group
    save_card(folder, card)


def weights_of(model: nn.Module) -> bytes:
    """A model's weights as a file of them; each has its own memory, which layers may share."""
    return save({name: value.detach().cpu().clone().contiguous() for name, value in model.state_dict().items()})


def save_card(folder: Path, card: ModelCard) -> None:
    """Write a card into an existing folder."""
    content = {"schema": SCHEMA, "says": card.says, **dataclasses.asdict(card)}
    reading = content.pop("reading")
    content |= {"layout": _LAYOUTS[reading.pop("channels_last")], **reading}
    (folder / CARD).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def kept_as(folder: Path, module: nn.Module, source: NetworkSource) -> tuple[str, dict[str, Any], Code | None]:
    """What a card says of how a module is built: architecture, its arguments, and code, which is copied.

    Raises InputError where neither its layers are known nor its code is in a file.
    """
    if isinstance(module, KerasNetwork):
        return KERAS, {"graph": keras.described(module.graph)}, None
    if source.name in FAMILIES:
        return source.name, family_arguments(source), None
    kind = whole_kind(source.name)
    if kind is not None:
        return kind, {}, copy_file(folder / CODE, source.name)
    try:
        layers = described(module)
        with torch.device("meta"):
            if built(layers).state_dict().keys() != module.state_dict().keys():
                raise ValueError("it holds more than its layers do")
        return LAYERS, {"layers": layers}, None
    except ValueError as error:
        if source.module is None or not source.code:
            problem = f"cannot be kept without the code that builds it ({error})"
            raise InputError(source.name, "", problem, "give package.module:function in a file of yours") from error
    return source.name, source.arguments, copy_code(folder / CODE, source.module, source.code[source.module])


def load_model(folder: str, trusted: bool = False) -> tuple[nn.Module, ModelCard]:
    """The network of a model folder, in eval mode, and its card.

    Raises InputError where a file is missing or damaged, of another schema, where the weights do not fit the
    architecture or are not finite, and where it needs code that is not trusted, or not as it was adopted.
    """
    card = read_card(folder)
    if card.code is not None and not trusted:
        problem = f"building its network runs code, {card.code.said}; it was not run"
        cure = f"read it in {Path(folder) / CODE}, and if you trust whoever wrote it, give --trust-code"
        raise InputError(folder, "", problem, cure)
    note(folder)
    path = Path(folder) / WEIGHTS
    model = _build(card, str(Path(folder) / CARD)) if card.code is None else _run(card.code, card, Path(folder))
    _fill(model, _read_weights(path), str(path), isinstance(model, LayeredModel))
    return model.eval(), card


def read_card(folder: str) -> ModelCard:
    """The card of a model folder; InputError where there is none that can be used."""
    if is_factory(folder):
        cure = f"adopt it first: maxent adopt {folder} --out model"
        raise InputError(folder, "", "is a function, and not a model folder", cure)
    path = Path(folder) / CARD
    _require_file(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content.pop("schema")
        if schema not in (SCHEMA, OLDER):
            raise InputError(path, "", f"schema {schema} is not known here", f"schemas {OLDER} and {SCHEMA} are")
        content.pop("says", None)  # which is for people
        return _card(content)
    except OSError as error:
        cure = "give a model folder as `maxent train` and `maxent adopt` write it"
        raise InputError(path, "", "cannot be read", cure) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(path, "", f"is not a model card ({error})", _MAKE) from error


def _card(content: dict[str, Any]) -> ModelCard:
    """The card of a JSON object; ValueError, KeyError or TypeError say what is wrong with it."""
    reading, code = _reading(content), content.pop("code", None)
    card = ModelCard(**content, reading=reading, code=None if code is None else _code(code))
    if card.background is not None:
        a, c, g, t = (float(share) for share in card.background)
        if not (all(share > 0 for share in (a, c, g, t)) and abs(a + c + g + t - 1) <= 1e-6):
            raise ValueError("background must be four positive frequencies that sum to 1")
        card = dataclasses.replace(card, background=(a, c, g, t))
    if type(card.input_length) is not int or card.input_length < 1:
        raise ValueError("input_length must be a whole number of letters")
    if not isinstance(card.outputs, list) or not all(isinstance(name, str) for name in card.outputs):
        raise ValueError("outputs must be names")
    for name, kind in (("architecture", str), ("arguments", dict), ("training", dict), ("score", bool)):
        if not isinstance(getattr(card, name), kind):
            raise ValueError(f"{name} must be a {kind.__name__}")
    known = card.architecture in KNOWN
    if card.code is not None and (known or not (is_factory(card.architecture) or card.architecture in WHOLE)):
        raise ValueError(f"{card.architecture} needs no code")
    held = None if card.held is None else _held(card.held, len(card.outputs))
    return dataclasses.replace(card, outputs=tuple(card.outputs), held=held)


def _held(given: Any, count: int) -> Outputs:
    """Weighted sums of outputs, of so many."""
    found = tuple(tuple((number, float(weight)) for number, weight in one) for one in given)
    numbers = [number for one in found for number, _ in one]
    if not (numbers and all(found) and all(type(number) is int and 0 <= number < count for number in numbers)):
        raise ValueError("held must be weighted sums of its outputs")
    return found


def _reading(content: dict[str, Any]) -> Reading:
    letters, layout = content.pop("letters"), content.pop("layout", _LAYOUTS[0])
    head, layer, final = (content.pop(name, getattr(Reading, name)) for name in ("head", "layer", "final"))
    if sorted(letters) != sorted(LETTERS):
        raise ValueError("letters must be A, C, G, T in an order")
    if not all(isinstance(each, str) for each in (letters, final)) or not all(
        each is None or isinstance(each, str) for each in (head, layer)
    ):
        raise ValueError("head, layer and final must be names")
    return Reading(letters, bool(_LAYOUTS.index(layout)), head, layer, final)


def _code(content: dict[str, Any]) -> Code:
    code = Code(**content)
    for found in (code.files, code.packages):
        if not all(isinstance(part, str) for pair in found.items() for part in pair):
            raise ValueError("code must name files and packages")
    for place in code.files:
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise ValueError(f"{place} lies outside the folder")
    return code


def _build(card: ModelCard, path: str) -> nn.Module:
    if card.architecture not in KNOWN:
        problem = f"architecture {card.architecture} is not known here"
        raise InputError(path, "", problem, f"known are {', '.join(KNOWN)}")
    try:
        # without room for weights, nor warnings of their first values: a damaged card may ask for any size
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            if card.architecture == LAYERS:
                return built(card.arguments["layers"])
            if card.architecture == KERAS:
                return KerasNetwork(from_description(card.arguments["graph"]), path, card.input_length)
            if card.architecture in FAMILIES:
                return FAMILIES[card.architecture](**card.arguments)
            return build(card.architecture, card.input_length, card.arguments, seed=0)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise InputError(path, "", f"no network fits this card ({error})", _MAKE) from error


def _run(code: Code, card: ModelCard, folder: Path) -> nn.Module:
    """The network that its code builds."""
    name = card.architecture
    if name in WHOLE:
        ((place, content),) = unchanged(folder / CODE, code).items()
        return from_bytes(content, name, str(folder / CODE / place))
    try:
        module = import_copy(folder / CODE, code, name.partition(":")[0])
        return built_by(module, NetworkSource(name, card.arguments, score=card.score))
    except InputError as error:
        raise InputError(folder, error.where, f"{error.path} {error.problem}", error.cure) from error
    except ModuleNotFoundError as error:
        package = code.packages.get(str(error.name).partition(".")[0])
        cure = (
            f"install {package.replace(' ', '==')}" if package else "adopt the network again, with all that it imports"
        )
        raise InputError(folder, "", f"its code needs {package or error.name}, which is not here", cure) from error
    except Exception as error:  # whatever somebody's code raises
        problem = f"its code cannot be imported ({said(error)})"
        raise InputError(folder, last_line(error), problem, "see the code and its packages' versions") from error


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    _require_file(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(path, "", f"cannot be read ({error})", _MAKE) from error


def _require_file(path: Path) -> None:
    """A pipe would be waited for."""
    if path.exists() and not path.is_file():
        raise InputError(path, "", "is not a file", _MAKE)


def _fill(model: nn.Module, weights: dict[str, torch.Tensor], path: str, as_floats: bool) -> None:
    sound = sound_weights(path, weights, _MAKE)
    try:
        model.load_state_dict(
            {name: value.float() if as_floats else value for name, value in sound.items()}, assign=True
        )
    except RuntimeError as error:
        problem = " ".join(str(error).split())
        raise InputError(path, "", f"weights do not fit the architecture ({problem})", _MAKE) from error
