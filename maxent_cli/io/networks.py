"""Networks of the user's own: a function that builds one, a file that holds one, a family by name; and their weights.

Of files only configurations and tensors are read, and nothing in them runs. A function is the user's own code, named on
purpose.
"""

import functools
import importlib
import re
import sys
import traceback
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import note
from maxent_cli.io.files import check_input
from maxent_cli.io.keras_files import is_keras, read_keras
from maxent_cli.io.user_code import modules_of
from maxent_cli.io.weight_files import read_weights
from maxent_cli.io.weights import sound_weights
from maxent_cli.io.whole_files import read_whole, whole_kind
from maxent_cli.models.families import FAMILIES
from maxent_cli.models.scores import Score

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True)
class NetworkSource:
    """What names a network: module:factory or a family, with arguments and a file of weights; or a file of all of it.

    prefix: of the names in the file of weights that are the network's. score: the function is no factory, but gives
    numbers for sequences. seed: of the weights that a factory draws. length: of its input in bp, where that is left
    open. trusted: code that stands in the file may run.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    prefix: str = ""
    score: bool = False
    seed: int = 0
    length: int | None = None
    trusted: bool = False

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


def load_network(source: NetworkSource) -> nn.Module:
    """The network that a source names, its weights filled in, on the CPU.

    Raises InputError where there is none, where a file is none that is read, and where weights do not fit or are not
    finite.
    """
    if Path(source.name).is_file():
        return _from_file(source)
    if source.name in FAMILIES:
        network = _family(source)
    elif is_factory(source.name):
        network = built_by(_imported(source.name), source)
    elif Path(source.name).is_dir():
        return _from_file(source)
    else:
        cure = f"give package.module:function, a file of Keras, or one of {', '.join(FAMILIES)}"
        raise InputError(source.name, "", "no such network", cure)
    for path in source.code.values():
        note(path)
    if source.weights is not None:
        _fill(network, read_weights(source.weights, source.prefix), source)
    return network


def built_by(module: ModuleType, source: NetworkSource) -> nn.Module:
    """What a source's factory in a module gives; the same weights each time, and the random state as it was."""
    factory: Any = module
    name = source.name
    for part in name.partition(":")[2].split("."):
        if not hasattr(factory, part):
            raise InputError(name, "", f"{module.__name__} has no {part}", "give package.module:factory")
        factory = getattr(factory, part)
    if source.score:
        return Score(functools.partial(factory, **source.arguments), name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(source.seed)
        try:
            network = factory(**source.arguments)
        except Exception as error:  # whatever somebody's code raises
            raise InputError(name, last_line(error), f"fails ({said(error)})", "see --arguments") from error
    if not isinstance(network, nn.Module):
        problem = f"gives a {type(network).__name__}"
        cure = "name a function or class that gives a torch.nn.Module, or one of sequences with --score"
        raise InputError(name, "", problem, cure)
    return network


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


def _from_file(source: NetworkSource) -> nn.Module:
    """A network that a file holds whole: one of Keras, without code; or one with its code, where that is trusted."""
    check_input(source.name, folder=None)
    if source.weights is not None or source.arguments:
        cure = "give it alone, or package.module:function with --weights"
        raise InputError(source.name, "", "is a file, and takes no weights and no arguments", cure)
    if Path(source.name).is_file() and is_keras(source.name):
        return read_keras(source.name, source.length)
    kind = whole_kind(source.name) if source.trusted else None
    if kind is not None:
        return read_whole(source.name, kind)
    read_weights(source.name)  # or what it is instead
    families = ", ".join(FAMILIES)
    cure = f"give package.module:function, or one of {families}, with --weights {source.name}"
    raise InputError(source.name, "", "holds weights and no network", cure)


def family_arguments(source: NetworkSource) -> dict[str, Any]:
    """What a published network is built with, its length among it where it has a choice."""
    free = source.length is not None and "input_length" in signature(FAMILIES[source.name]).parameters
    return ({"input_length": source.length} if free else {}) | source.arguments


def _family(source: NetworkSource) -> nn.Module:
    """One of the published networks, of the sizes asked for."""
    make = FAMILIES[source.name]
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(source.seed)
            return make(**family_arguments(source))
    except (TypeError, ValueError, RuntimeError) as error:
        takes = ", ".join(signature(make).parameters)
        raise InputError(source.name, "", f"cannot be built ({said(error)})", f"its arguments are {takes}") from error


def _fill(network: nn.Module, weights: dict[str, Tensor], source: NetworkSource) -> None:
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
