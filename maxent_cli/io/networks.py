"""Networks of the user's own: a function that builds one, and a file of weights.

Nothing is read that can run code, unless it is said to be trusted: of files only tensors are read. A factory is the
user's own code, named on purpose.
"""

import functools
import importlib
import pickle
import re
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.io.digests import note
from maxent_cli.io.files import check_input
from maxent_cli.io.user_code import modules_of
from maxent_cli.io.weights import sound_weights
from maxent_cli.models.scores import Score

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_NESTED = ("state_dict", "model_state_dict", "model")  # where training scripts keep the weights among other things
_TRUST = "or, if you trust whoever made it, give --trust-pickle"
_SAVE = (
    "save its weights with torch.save(network.state_dict(), FILE) or as safetensors and give a factory with --weights"
)


@dataclass(frozen=True)
class Source:
    """What names a network: module:factory with its arguments and a file of weights, or a file that holds all of it.

    prefix: of the names in the file of weights that are the network's. trusted: files may run code when read. score:
    the function is no factory, but gives numbers for sequences.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    prefix: str = ""
    trusted: bool = False
    score: bool = False

    @property
    def files(self) -> list[str]:
        """The paths that the network comes from; the factory's own, once it has been imported."""
        return [path for path in (self.name, *self.code.values(), self.weights) if path and Path(path).exists()]

    @property
    def module(self) -> str | None:
        """The module that the factory is in; None where a file holds all."""
        return self.name.partition(":")[0] if is_factory(self.name) else None

    @property
    def code(self) -> dict[str, str]:
        """The file that the factory is in, and those of what it imports from the user's folders, by module."""
        file = None if self.module is None else getattr(sys.modules.get(self.module), "__file__", None)
        return {} if file is None else modules_of(str(self.module), file)


def is_factory(name: str) -> bool:
    """Whether it is package.module:factory, and no path."""
    return bool(_FACTORY.fullmatch(name)) and not Path(name).exists()


def load_network(source: Source) -> nn.Module:
    """The network that a source names, its weights filled in, on the CPU.

    Raises InputError where there is none, where a file would run code and is not trusted, and where weights do not fit
    or are not finite.
    """
    if Path(source.name).is_file():
        return _whole(source)
    if not is_factory(source.name):
        cure = "give package.module:function, which gives your network"
        raise InputError(source.name, "", "no such network", cure)
    network = built_by(_imported(source.name), source.name, source.arguments, source.score)
    for path in source.code.values():
        note(path)
    if source.weights is not None:
        _fill(network, read_weights(source.weights, source.prefix, source.trusted), source)
    return network


def built_by(module: ModuleType, name: str, arguments: dict[str, Any], score: bool = False) -> nn.Module:
    """What the factory of that name in a module gives; the same weights each time, and the random state as it was.

    score: the function itself, as a network.
    """
    factory: Any = module
    for part in name.partition(":")[2].split("."):
        if not hasattr(factory, part):
            raise InputError(name, "", f"{module.__name__} has no {part}", "give package.module:factory")
        factory = getattr(factory, part)
    if score:
        return Score(functools.partial(factory, **arguments), name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            network = factory(**arguments)
        except Exception as error:  # whatever somebody's code raises
            raise InputError(name, last_line(error), f"fails ({said(error)})", "see --arguments") from error
    if not isinstance(network, nn.Module):
        problem = f"gives a {type(network).__name__}"
        cure = "name a function or class that gives a torch.nn.Module, or one of sequences with --score"
        raise InputError(name, "", problem, cure)
    return network


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


def said(error: BaseException) -> str:
    """An error of somebody's code, in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".removesuffix(": ")


def last_line(error: BaseException) -> str:
    """Where in somebody's code an error came from, if from there."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = last.filename == __file__ or last.filename.startswith("<")
    return "" if ours else f"{Path(last.filename).name}: line {last.lineno}"


def _imported(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name.partition(":")[0])
    except Exception as error:
        cure = "run in the folder that holds it, or put that on PYTHONPATH"
        raise InputError(name, last_line(error), f"cannot be imported ({said(error)})", cure) from error


def _whole(source: Source) -> nn.Module:
    """A network in one file, which only pickle can give."""
    check_input(source.name)
    note(source.name)
    if source.weights is not None or source.arguments:
        raise InputError(source.name, "", "is a file and builds nothing", "give package.module:factory with --weights")
    found = _read_tensors(source.name, source.trusted)
    if not isinstance(found, nn.Module):
        cure = f"give package.module:factory, and --weights {source.name}"
        raise InputError(source.name, "", "holds weights and no network", cure)
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
        raise InputError(path, "", f"cannot be read as weights ({said(error)})", _SAVE) from error
    try:
        return _load(path, weights_only=False)
    except Exception as error:  # the file's own code ran
        cure = "put the code that it was made with on PYTHONPATH"
        raise InputError(path, "", f"cannot be unpickled ({said(error)})", cure) from error


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
        raise InputError(path, "", f"cannot be read ({said(error)})", "check the path and its permissions") from error
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
        problem = f"weights do not fit {source.name}: {lines[:400]}"
        raise InputError(path, "", problem, _fitting(weights, network)) from error


def _fitting(weights: dict[str, Tensor], network: nn.Module) -> str:
    """What may make the names fit."""
    wanted = next(iter(network.state_dict()), "")
    prefixes = {name.removesuffix(wanted) for name in weights if wanted and name.endswith(f".{wanted}")}
    if len(prefixes) == 1:
        return f"give --weights-prefix {prefixes.pop()}"
    return "see --arguments, or name what the weights' names begin with by --weights-prefix"
