"""Weights by name from files as they come, without running what stands in them.

Safetensors, state dicts and checkpoints of torch, folders of Hugging Face. A pickle is taken apart by a reader that
knows tensors and plain containers, and puts a hollow object in the place of anything else.
"""

import json
import pickle
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch._utils import _rebuild_parameter, _rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3

from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import note
from maxent_cli.io.keras_files import is_keras
from maxent_cli.io.whole_files import SPOKEN, whole_kind

NESTED = ("state_dict", "model_state_dict", "model")  # where training scripts keep the weights among other things
SAVE = "save its weights with torch.save(network.state_dict(), FILE) or as safetensors"
_FOLDERS = ("model.safetensors", "pytorch_model.bin")  # of Hugging Face
_INDEXES = tuple(f"{name}.index.json" for name in _FOLDERS)  # of files that hold parts


class Hollow(dict[Any, Any]):
    """What stands for an object of a class that is not known: it takes whatever it is given, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> "Hollow":
        """Whatever the class asks for."""
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, Mapping):
                self.update(part)

    def __call__(self, *_: object, **__: object) -> "Hollow":
        """It was no class but a function."""
        return Hollow()

    def append(self, _: object) -> None:
        """It was a list."""

    def extend(self, _: object) -> None:
        """It was a list."""

    def add(self, _: object) -> None:
        """It was a set."""


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("torch.nn.parameter", "Parameter"): torch.nn.Parameter,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor_v3,  # of 8 bits
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch.storage", "UntypedStorage"): torch.UntypedStorage,
}
_ODD = {
    "_rebuild_qtensor": "quantised",
    "_rebuild_sparse_tensor": "not dense",
    "_rebuild_nested_tensor": "not dense",
    "_rebuild_meta_tensor_no_storage": "without values (on the meta device)",
}  # what makes tensors that no network here can have


class _Unpickler(pickle.Unpickler):
    """Tensors, their types, and hollow objects in the place of everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """Nothing is imported."""
        known = _KNOWN.get((module, name))
        if known is not None:
            return known
        kind = getattr(torch, name, None) if module == "torch" else None
        return kind if isinstance(kind, torch.dtype) else type(name.rpartition(".")[2], (Hollow,), {})


def _load(stream: Any, **given: Any) -> Any:
    return _Unpickler(stream, **given).load()


# what torch.load asks of a module of pickles
_PICKLES = SimpleNamespace(
    __name__="maxent_cli.io.weight_files", Unpickler=_Unpickler, load=_load, UnpicklingError=pickle.UnpicklingError
)


def read_weights(path: str, prefix: str = "") -> dict[str, Tensor]:
    """Tensors by name, also of a checkpoint that keeps them among other things; no code runs.

    Of names, those with the prefix, without it. Raises InputError where the file cannot be read so.
    """
    found = _by_name(_found(path))
    for name, value in found.items():
        if name.startswith(prefix) and isinstance(value, Hollow) and type(value).__name__ in _ODD:
            raise InputError(path, name, f"is {_ODD[type(value).__name__]}", "save it as dense numbers")
    weights = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if not weights:
        raise InputError(path, "", "holds no weights by name", SAVE)
    chosen = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    if not chosen:
        raise InputError(path, "", f"no weights begin with {prefix}", f"they begin like {next(iter(weights))}")
    return chosen


def _found(path: str) -> Any:
    if Path(path).is_dir():
        return _folder(path)
    if not Path(path).is_file():
        raise InputError(path, "", "is not a file", "give a file of weights")
    note(path)
    return _file(path)


def _file(path: str) -> Any:
    """What a file holds: tensors by name, maybe among other things."""
    if _is_safetensors(path):
        return _tried(path, load_file)
    other = _foreign(path)
    if other is not None:
        raise InputError(path, "", *other)
    return _tried(path, _unpickled)


def _tried(path: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(path)
    except InputError:
        raise
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, "", f"cannot be read as weights ({said(error)})", SAVE) from error


def _unpickled(path: str) -> Any:
    # as a stream: of a path, torch goes by its suffix
    with warnings.catch_warnings(action="ignore"), Path(path).open("rb") as stream:
        return torch.load(stream, map_location="cpu", pickle_module=_PICKLES, weights_only=False)


def _by_name(found: Any) -> dict[str, Any]:
    """The weights among what a file holds; of a network that was pickled whole, as its state dict has them."""
    if isinstance(found, Hollow):
        return dict(_of_module(found))
    if not isinstance(found, Mapping):
        return {}
    for key in NESTED:
        if isinstance(found.get(key), Mapping):
            return _by_name(found[key])
    return {str(name): value for name, value in found.items()}


def _of_module(module: Hollow, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for kind in ("_parameters", "_buffers"):
        held = module.get(kind)
        if isinstance(held, Mapping):
            yield from ((f"{prefix}{name}", value) for name, value in held.items())
    inner = module.get("_modules")
    if isinstance(inner, Mapping):
        for name, each in inner.items():
            if isinstance(each, Hollow):
                yield from _of_module(each, f"{prefix}{name}.")


def _folder(path: str) -> dict[str, Tensor]:
    """The weights of a folder of Hugging Face: one file, or several that an index names."""
    folder = Path(path)
    for name in _FOLDERS:
        if (folder / name).is_file():
            note(str(folder / name))
            return _by_name(_file(str(folder / name)))
    for name in _INDEXES:
        if (folder / name).is_file():
            return {key: value for part in _parts(folder / name) for key, value in _by_name(_file(part)).items()}
    if any((folder / name).is_file() for name in (_SAVED_MODEL, "variables.index")):
        raise InputError(path, "", *_TENSORFLOW)
    raise InputError(
        path, "", f"holds no {' or '.join(_FOLDERS)}", "give a file of weights, or a folder that holds one"
    )


def _parts(index: Path) -> list[str]:
    """The files that an index names, which stand beside it."""
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise InputError(str(index), "", f"is no index of weights ({type(error).__name__})", SAVE) from error
    paths = [str(index.parent / Path(str(name)).name) for name in names]
    for path in (str(index), *paths):
        if not Path(path).is_file():
            raise InputError(path, "", "is not there, and the index names it", "fetch the whole folder")
        note(path)
    return paths


def _is_safetensors(path: str) -> bool:
    with Path(path).open("rb") as stream:
        return stream.read(9)[8:] == b"{"


_WRITE = "write the network in torch, and give it as module:function with its weights as safetensors"


def _foreign(path: str) -> tuple[str, str] | None:
    """What a file is that no weights by name can be read from, and what helps."""
    with Path(path).open("rb") as stream:
        begins = stream.read(512)
    if is_keras(path):
        return "is a file of Keras", f"give it as the network itself: maxent adopt {path}"
    if begins[:2] == b"PK":
        return _archive(path)
    if begins[:1] == b"\x80" or _is_tar(begins):
        return None
    if begins[4:8] == b"TFL3" or Path(path).name == _SAVED_MODEL or _is_checkpoint(path):
        return _TENSORFLOW
    if b"onnx" in begins or b"pytorch" in begins[:64] or begins[:1] == b"\x08":
        return "is ONNX", f"turn it into torch with onnx2torch in code of yours: {_CODE}"
    if Path(path).suffix in (".th", ".t7") or begins[:4] == b"\x04\x00\x00\x00":
        return "is a file of Lua Torch", f"read it in Lua and save its numbers; {_WRITE}"
    if begins[:1] == b"{" and b'"class_name"' in begins:
        return "is a configuration of Keras without its weights", "save the network whole, with model.save(FILE.keras)"
    return "is no file of weights", SAVE


_SAVED_MODEL = "saved_model.pb"
_CHECKPOINT = re.compile(r"\.(index|data-\d{5}-of-\d{5})$")
_TENSORFLOW = ("is TensorFlow's", "save the network from Keras with model.save(FILE.keras)")
_CODE = "a function that gives onnx2torch.convert(FILE), given as module:function"


def _is_checkpoint(path: str) -> bool:
    """Whether it is a file of TensorFlow's, or one of them: NAME.index, NAME.data-00000-of-00001."""
    return bool(_CHECKPOINT.search(path)) and Path(_CHECKPOINT.sub(".index", path)).is_file()


def _is_tar(begins: bytes) -> bool:
    return begins[257:262] == b"ustar"


def _archive(path: str) -> tuple[str, str] | None:
    """What an archive is; a state dict that torch saved is none of these."""
    kind = whole_kind(path)
    if kind is not None:
        return SPOKEN[kind], SAVE
    with zipfile.ZipFile(path) as archive:
        parts = {part for name in archive.namelist() for part in name.split("/")[1:]}
    return None if "data.pkl" in parts else ("is an archive, and none of weights", SAVE)
