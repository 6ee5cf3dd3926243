"""Networks from wherever a user has them: a model folder, or a function that builds one and a file of weights.

Nothing is read that can run code, unless it is said to be trusted: of files only tensors are read. A factory is the
user's own code, named on purpose.
"""

import importlib
import pickle
import re
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.io.checkpoint import CARD, WEIGHTS, load_model
from maxent_cli.io.digests import note, noted
from maxent_cli.io.files import check_input
from maxent_cli.io.user_code import modules_of
from maxent_cli.io.weights import sound_weights
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.prediction import require_sound

Frequencies = tuple[float, float, float, float]

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_NESTED = ("state_dict", "model_state_dict", "model")  # where training scripts keep the weights among other things
_TRUST = "or, if you trust whoever made it, give --trust-pickle"
_SAVE = (
    "save its weights with torch.save(network.state_dict(), FILE) or as safetensors and give a factory with --weights"
)


@dataclass(frozen=True)
class Source:
    """What names a network: a model folder, or module:factory with its arguments and a file of weights.

    prefix: of the names in the file of weights that are the network's. trusted: files may run code when read. length:
    of the network's input in bp; None: as the network says (an input_length of its own), or that of the first record.
    """

    model: str
    arguments: dict[str, Any]
    weights: str | None = None
    prefix: str = ""
    trusted: bool = False
    length: int | None = None

    @property
    def files(self) -> list[str]:
        """The paths that the network comes from; the factory's own, once it has been imported."""
        return [path for path in (self.model, *self.code.values(), self.weights) if path and Path(path).exists()]

    @property
    def code(self) -> dict[str, str]:
        """The file that the factory is in, and those of what it imports from the user's folders, by module."""
        name = self.model.partition(":")[0]
        file = getattr(sys.modules.get(name), "__file__", None)
        return {} if file is None else modules_of(name, file)


@dataclass(frozen=True)
class Network:
    """A network as read: input_length in bp, names of its outputs and training frequencies, as far as known."""

    module: nn.Module
    name: str
    input_length: int | None
    outputs: tuple[str, ...] = ()
    background: Frequencies | None = None

    def read_as(self, reading: Reading, input_length: int) -> LayeredModel | AdaptedNetwork:
        """The network as one that can be interpreted; a model folder's own as it is, if nothing else is asked for."""
        if isinstance(self.module, LayeredModel) and reading == Reading():
            return require_sound(self.module, self.name)
        return AdaptedNetwork(self.module, input_length, reading, self.name)

    def output_names(self, count: int) -> tuple[str, ...]:
        """A name for each of its outputs; numbers from 0 where none are known."""
        return self.outputs if len(self.outputs) == count else tuple(f"output_{number}" for number in range(count))


def load_network(source: Source) -> Network:
    """The network that a source names, its weights filled in, on the CPU.

    Raises InputError where there is none, where a file would run code and is not trusted, and where weights do not fit
    or are not finite.
    """
    if Path(source.model).is_dir():
        return _from_folder(source)
    if Path(source.model).exists():
        return Network(_whole(source), source.model, source.length)
    if not _FACTORY.fullmatch(source.model):
        cure = "give a model folder, or package.module:factory for a network of your own"
        raise InputError(source.model, "", "no such model", cure)
    network = _built(source)
    for path in source.code.values():
        note(path)
    if source.weights is not None:
        _fill(network, read_weights(source.weights, source.prefix, source.trusted), source)
    length = source.length or getattr(network, "input_length", None)
    return Network(network, source.model, length if isinstance(length, int) else None)


def network_digest(source: Source) -> object:
    """What tells one network from another: digests of its files, the factory's own and what it imports among them."""
    if Path(source.model).exists():
        found = noted(source.model)
        return {name: found.get(name) for name in (CARD, WEIGHTS)} if isinstance(found, dict) else found
    code = {name: noted(path) for name, path in source.code.items()}
    weights = source.weights and noted(source.weights)
    return {"factory": source.model, "arguments": source.arguments, "code": code, "weights": weights}


def read_weights(path: str, prefix: str = "", trusted: bool = False) -> dict[str, Tensor]:
    """Tensors by name from safetensors or a state dict, also one within a checkpoint; no code runs unless trusted.

    Of names, those with the prefix, without it. Raises InputError where the file cannot be read so.
    """
    if not Path(path).is_file():
        raise InputError(path, "", "is not a file", "give a file of weights")
    note(path)
    found = _read_tensors(path, trusted)
    found = found.state_dict() if isinstance(found, nn.Module) else found
    within = [found[key] for key in _NESTED if isinstance(found, dict) and isinstance(found.get(key), dict)]
    nested = within[0] if within else found
    if not isinstance(nested, dict):
        raise InputError(path, "", f"holds a {type(found).__name__} and no weights by name", _SAVE)
    weights = {str(name): value for name, value in nested.items() if isinstance(value, Tensor)}
    if not weights:
        raise InputError(path, "", "holds no weights by name", _SAVE)
    chosen = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    if not chosen:
        raise InputError(path, "", f"no weights begin with {prefix}", f"they begin like {next(iter(weights))}")
    return chosen


def _from_folder(source: Source) -> Network:
    if source.weights is not None or source.arguments:
        cure = "leave out --weights and --model-args"
        raise InputError(source.model, "", "is a model folder, which has its own weights", cure)
    model, card = load_model(source.model)
    if source.length not in (None, model.input_length):
        raise InputError(source.model, "", f"reads {model.input_length} letters", "leave out --input-length")
    return Network(model, source.model, model.input_length, card.outputs, card.background)


def _built(source: Source) -> nn.Module:
    """What the factory gives; the same weights each time, and the random state as it was."""
    module, _, path = source.model.partition(":")
    factory = _imported(source.model, module)
    for name in path.split("."):
        if not hasattr(factory, name):
            raise InputError(source.model, "", f"{module} has no {name}", "give package.module:factory")
        factory = getattr(factory, name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            network = factory(**source.arguments)
        except Exception as error:  # whatever somebody's code raises
            raise InputError(source.model, _last_line(error), f"fails ({_said(error)})", "see --model-args") from error
    if not isinstance(network, nn.Module):
        problem = f"gives a {type(network).__name__}"
        raise InputError(source.model, "", problem, "name a function or class that gives a torch.nn.Module")
    return network


def _imported(name: str, module: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module)
    except Exception as error:
        cure = "run in the folder that holds it, or put that on PYTHONPATH"
        raise InputError(name, _last_line(error), f"cannot be imported ({_said(error)})", cure) from error


def _whole(source: Source) -> nn.Module:
    """A network in one file, which only pickle can give."""
    check_input(source.model)
    note(source.model)
    if source.weights is not None or source.arguments:
        raise InputError(source.model, "", "is a file and builds nothing", "give package.module:factory with --weights")
    found = _read_tensors(source.model, source.trusted)
    if not isinstance(found, nn.Module):
        cure = f"give package.module:factory as the model, and --weights {source.model}"
        raise InputError(source.model, "", "holds weights and no network", cure)
    return found


def _read_tensors(path: str, trusted: bool) -> Any:
    """Tensors by name; if trusted, whatever torch reads."""
    archive = _archive(path)
    if archive and not trusted:
        raise _refusal(path, archive)
    try:
        if archive:
            return _ARCHIVES[archive](path)
        return load_file(path) if _is_safetensors(path) else _load(path, weights_only=True)
    except pickle.UnpicklingError as error:
        if not _is_pickle(path):
            raise InputError(path, "", "is no file of weights", _SAVE) from error
        if not trusted:
            raise _refusal(path, "pickled Python objects") from error
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, "", f"cannot be read as weights ({_said(error)})", _SAVE) from error
    try:
        return _load(path, weights_only=False)
    except Exception as error:  # the file's own code ran
        cure = "put the code that it was made with on PYTHONPATH"
        raise InputError(path, "", f"cannot be unpickled ({_said(error)})", cure) from error


def _load(path: str, weights_only: bool) -> Any:
    # as a stream: of a path, torch goes by its suffix
    with warnings.catch_warnings(action="ignore"), Path(path).open("rb") as stream:
        return torch.load(stream, map_location="cpu", weights_only=weights_only)


def _refusal(path: str, kind: str) -> InputError:
    return InputError(path, "", f"is {kind}: reading it can run code, so it was not read", f"{_SAVE}; {_TRUST}")


_ARCHIVES: dict[str, Callable[[str], Any]] = {
    "TorchScript": lambda path: torch.jit.load(path, map_location="cpu").state_dict(),  # type: ignore[no-untyped-call]
    "a torch.export archive": lambda path: dict(torch.export.load(path).state_dict),
}


def _archive(path: str) -> str | None:
    """Which kind of archive that can run code a zip file is; what a state dict is saved as is none."""
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            parts = {part for name in archive.namelist() for part in name.split("/")[1:]}
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, "", f"cannot be read ({_said(error)})", "check the path and its permissions") from error
    if "constants.pkl" in parts:
        return "TorchScript"
    return None if "data.pkl" in parts else "a torch.export archive"


def _is_safetensors(path: str) -> bool:
    with Path(path).open("rb") as stream:
        return stream.read(9)[8:] == b"{"


def _is_pickle(path: str) -> bool:
    with Path(path).open("rb") as stream:
        return stream.read(2) in (b"PK", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))


def _fill(network: nn.Module, weights: dict[str, Tensor], source: Source) -> None:
    path = str(source.weights)
    sound = sound_weights(path, weights, "give other weights")
    try:
        network.load_state_dict(sound)
    except RuntimeError as error:
        lines = "; ".join(" ".join(line.split()) for line in str(error).splitlines()[1:])
        problem = f"weights do not fit {source.model}: {lines[:400]}"
        raise InputError(path, "", problem, _fitting(weights, network)) from error


def _fitting(weights: dict[str, Tensor], network: nn.Module) -> str:
    """What may make the names fit."""
    wanted = next(iter(network.state_dict()), "")
    prefixes = {name.removesuffix(wanted) for name in weights if wanted and name.endswith(f".{wanted}")}
    if len(prefixes) == 1:
        return f"give --weights-prefix {prefixes.pop()}"
    return "see --model-args, or name what the weights' names begin with by --weights-prefix"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".removesuffix(": ")


def _last_line(error: BaseException) -> str:
    """Where in somebody's code an error came from, if from there."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = last.filename == __file__ or last.filename.startswith("<")
    return "" if ours else f"{Path(last.filename).name}: line {last.lineno}"
