"""Files that hold a network with its code, TorchScript and torch.export: run only where they are trusted."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from maxent_cli.errors import InputError, said
from maxent_cli.io.digests import note
from maxent_cli.models.whole import as_module

SCRIPT, EXPORT = "torchscript", "torch.export"
SPOKEN = {
    SCRIPT: "is TorchScript, a network whose code is in the file",
    EXPORT: "is an archive of torch.export, whose code is in the file",
}
_READERS: dict[str, Callable[[io.BytesIO], Any]] = {
    SCRIPT: lambda content: torch.jit.load(content, map_location="cpu"),  # type: ignore[no-untyped-call]
    EXPORT: lambda content: torch.export.load(content).module(),
}


def whole_kind(path: str) -> str | None:
    """Which of the two an archive is; None: neither. Raises InputError where it is damaged."""
    if not Path(path).is_file():
        return None
    with Path(path).open("rb") as stream:
        if stream.read(2) != b"PK":
            return None
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {part for name in archive.namelist() for part in name.split("/")}
    except Exception as error:  # a damaged file can end in any
        raise InputError(path, "", f"cannot be read as weights ({said(error)})", "copy the file again") from error
    if "constants.pkl" in parts:
        return SCRIPT
    return EXPORT if "serialized_exported_program.json" in parts or "archive_format" in parts else None


def read_whole(path: str, kind: str) -> nn.Module:
    """The network of a file, by running what it holds. Raises InputError where that fails."""
    note(path)
    return from_bytes(Path(path).read_bytes(), kind, path)


def from_bytes(content: bytes, kind: str, path: str) -> nn.Module:
    """The network of a file's bytes."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # torch's about its own files
            return as_module(_READERS[kind](io.BytesIO(content)))
    except Exception as error:  # whatever is in the file
        problem = f"cannot be read as {kind} ({said(error)})"
        raise InputError(path, "", problem, f"save it again, with torch {torch.__version__}") from error
