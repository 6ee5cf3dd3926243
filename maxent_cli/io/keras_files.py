"""Networks in files of Keras: `.h5` of Keras 2 and 3, `.keras`; the configuration and the arrays, and no code.

Keras itself is never asked to read a file: it can run code that stands in one.
"""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import note
from maxent_cli.models.keras import KerasGraph, KerasLayer, KerasNetwork, Ref

HDF5 = b"\x89HDF\r\n\x1a\n"
CONFIGURATION, WEIGHTS = "config.json", "model.weights.h5"
_MOST_BYTES = 2**34  # of a file's weights, unpacked
_MOST_NUMBERS = 2**30  # of a layer's weights
_SAVE = "save the whole network with model.save(FILE.keras)"
_INSTALL = "install it: pip install h5py"


def is_keras(path: str) -> bool:
    """Whether it is a file of Keras, by what stands in it: HDF5, or an archive with a configuration."""
    with Path(path).open("rb") as stream:
        begins = stream.read(8)
    if begins == HDF5:
        return True
    try:
        return begins[:2] == b"PK" and CONFIGURATION in zipfile.ZipFile(path).namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def read_keras(path: str, input_length: int | None = None) -> KerasNetwork:
    """The network of a file, for DNA of so many bp if the file leaves that open.

    Raises InputError where the file is damaged, holds weights alone, reads other files, or has a layer that is not
    known here or is code.
    """
    note(path)
    try:
        return KerasNetwork(_graph(path), path, input_length)
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,
        zipfile.error,
    ) as error:
        raise InputError(path, "", f"cannot be read as a network of Keras ({said(error)})", _SAVE) from error


def _graph(path: str) -> KerasGraph:
    if not zipfile.is_zipfile(path):
        with _hdf5(path) as file:
            given = file.attrs.get("model_config")
            if given is None:
                raise InputError(path, "", "holds weights and no network", _SAVE)
            groups = {str(name): group for name, group in file["model_weights"].items()}
            return _network(json.loads(given), _Legacy(groups, file.filename, path))
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(WEIGHTS).file_size > _MOST_BYTES:
            raise InputError(path, WEIGHTS, f"is larger than {_MOST_BYTES >> 30} GiB", _SAVE)
        configuration, weights = json.loads(archive.read(CONFIGURATION)), io.BytesIO(archive.read(WEIGHTS))
    with _hdf5(weights) as file:
        return _network(configuration, _Saved(file, file.filename, path))


def _hdf5(source: "str | io.BytesIO") -> Any:
    try:
        import h5py
    except ImportError as error:
        raise InputError(str(source), "", "is a file of Keras, and h5py is not here", _INSTALL) from error
    return h5py.File(source, "r")


class KerasPlace(NamedTuple):
    """Where a layer's weights are looked for: its name, its class, and its number among those of its class."""

    name: str
    kind: str
    number: int


class _Legacy:
    """Weights of `.h5`: a group a layer of the outer network, whose names lead to those of inner ones."""

    def __init__(self, groups: Mapping[str, Any], file: str, path: str, within: tuple[str, ...] = ()) -> None:
        self.groups, self.file, self.path, self.within = groups, file, path, within

    def of(self, layer: KerasPlace) -> list[NDArray[np.float32]]:
        """A layer's arrays, in the order in which Keras keeps them."""
        group = self.groups.get(self.within[0] if self.within else layer.name)
        if group is None:
            return []
        names = [_text(each) for each in group.attrs["weight_names"]]
        wanted = {*self.within[1:], layer.name} if self.within else set()
        chosen = [each for each in names if wanted <= {*each.split("/")[:-1]}]
        return [_array(group[each], self.file, self.path) for each in chosen]

    def inner(self, layer: KerasPlace) -> "_Legacy":
        """The weights of an inner network."""
        return _Legacy(self.groups, self.file, self.path, (*self.within, layer.name))


class _Saved:
    """Weights of `.keras`: a group a layer by its class and its number among those; its variables by number."""

    def __init__(self, group: Any, file: str, path: str) -> None:
        self.group, self.file, self.path = group, file, path

    def of(self, layer: KerasPlace) -> list[NDArray[np.float32]]:
        """A layer's arrays, in the order in which Keras keeps them."""
        found = self._group(layer)
        return [] if found is None else [_array(each, self.file, self.path) for each in _variables(found)]

    def inner(self, layer: KerasPlace) -> "_Saved":
        """The weights of an inner network."""
        found = self._group(layer)
        if found is None:
            raise InputError(self.path, layer.name, "has no weights in the file", _SAVE)
        return _Saved(found, self.file, self.path)

    def _group(self, layer: KerasPlace) -> Any:
        return self.group["layers"].get(_snake(layer.kind) + (f"_{layer.number}" if layer.number else ""))


def _variables(group: Any) -> Iterator[Any]:
    """Its own variables by number, then those of what it holds: cells, and the layers that go forth and back."""
    own = group.get("vars", {})
    yield from (own[key] for key in sorted(own, key=int))
    held = [name for name in ("cell", "forward_layer", "backward_layer") if name in group]
    for name in held or [name for name in ("layer",) if name in group]:
        yield from _variables(group[name])


def _snake(kind: str) -> str:
    """Keras's name for a class, as in max_pooling1d."""
    apart = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", apart).lower()


def _array(found: Any, file: str, path: str) -> NDArray[np.float32]:
    """The numbers of a data set that stands in the file itself."""
    if not hasattr(found, "shape"):
        raise InputError(path, str(found.name), "is a group, and weights are expected", _SAVE)
    if found.is_virtual or found.external or found.file.filename != file:
        raise InputError(path, str(found.name), "stands in another file, which is not read", _SAVE)
    if found.size > _MOST_NUMBERS:
        raise InputError(path, str(found.name), f"holds more than {_MOST_NUMBERS:,} numbers", _SAVE)
    return np.asarray(found, np.float32)


def _text(given: Any) -> str:
    return given.decode() if isinstance(given, bytes) else str(given)


def _network(configuration: Mapping[str, Any], weights: "_Legacy | _Saved") -> KerasGraph:
    """The network of a configuration, of layers one after another or of a graph of them."""
    kind, config = configuration["class_name"], configuration["config"]
    given = config if isinstance(config, list) else config["layers"]
    numbered = _numbered(given)
    layers = [_layer(each, number, weights) for each, number in numbered]
    if kind == "Sequential":
        return _chain(layers)
    if kind not in ("Functional", "Model"):
        problem = f"is a {kind}, a class whose code is not in the file"
        raise InputError(weights.path, "", problem, "build it as a functional network and save that")
    inputs = [ref.layer for ref in _refs(config["input_layers"])]
    return KerasGraph(_settled(layers), inputs, _settle(_refs(config["output_layers"]), layers))


def _numbered(given: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Each layer with its number among those of its class."""
    seen: Counter[str] = Counter()
    found = []
    for each in given:
        name = _snake(each["class_name"])
        found.append((each, seen[name]))
        seen[name] += 1
    return found


def _layer(given: Mapping[str, Any], number: int, weights: "_Legacy | _Saved") -> KerasLayer:
    kind, config = given["class_name"], given["config"]
    name = str(given.get("name") or (config.get("name") if isinstance(config, Mapping) else None) or f"{kind}_{number}")
    calls = [_refs(each) for each in given.get("inbound_nodes", ())]
    place = KerasPlace(name, kind, number)
    if kind in ("Sequential", "Functional", "Model"):
        return KerasLayer(kind, name, {}, (), calls, _network(given, weights.inner(place)))
    return KerasLayer(kind, name, config, weights.of(place), calls)


def _refs(given: Any) -> list[Ref]:
    """What a call reads, in the writings of Keras 2 ([layer, call, output, ...]) and of Keras 3 (keras_history)."""
    if isinstance(given, Mapping):
        history = given.get("config", {}).get("keras_history") if isinstance(given.get("config"), Mapping) else None
        return [Ref(str(history[0]), *map(int, history[1:3]))] if history else _refs(list(given.values()))
    if isinstance(given, list | tuple):
        if len(given) >= 3 and isinstance(given[0], str) and all(isinstance(each, int) for each in given[1:3]):
            return [Ref(given[0], *given[1:3])]
        return [ref for each in given for ref in _refs(each)]
    return []


def _chain(layers: Sequence[KerasLayer]) -> KerasGraph:
    """Layers one after another; the first says what it reads, if no layer of inputs does."""
    if not layers:
        raise ValueError("no layers")
    if layers[0].kind != "InputLayer":
        first = layers[0]
        shape = first.config if first.inner is None else first.inner.layers[0].config
        layers = [KerasLayer("InputLayer", f"{first.name}_input", shape), *layers]
    before, found = Ref(layers[0].name, 0, 0), [layers[0]]
    for layer in layers[1:]:
        found.append(KerasLayer(layer.kind, layer.name, layer.config, layer.weights, [[before]], layer.inner))
        before = Ref(layer.name, 0, 0)
    return KerasGraph(found, [layers[0].name], [before])


def _settled(layers: Sequence[KerasLayer]) -> list[KerasLayer]:
    return [
        KerasLayer(
            each.kind, each.name, each.config, each.weights, [_settle(call, layers) for call in each.calls], each.inner
        )
        for each in layers
    ]


def _settle(refs: Sequence[Ref], layers: Sequence[KerasLayer]) -> list[Ref]:
    """References to the one call of a layer, whatever number they give it: Keras 2 counts an inner network's own."""
    once = {layer.name for layer in layers if len(layer.calls) <= 1}
    return [ref._replace(call=0) if ref.layer in once else ref for ref in refs]
