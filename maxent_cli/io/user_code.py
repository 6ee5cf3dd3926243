"""The user's own code: a module and the modules that it imports, as far as they lie in the user's folders.

A model folder holds a copy of them. It is imported from the bytes whose digests have been compared, and from nowhere
else, so that a module or compiled code that somebody has put beside them is never run.
"""

import ast
import builtins
import hashlib
import importlib
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from maxent_cli.errors import InputError

_AGAIN = "adopt the network again, or copy the whole folder again"

# where installed packages lie, whose versions are known; this one among them
_INSTALLED = [*(Path(place).resolve() for place in set(sysconfig.get_paths().values())), Path(__file__).parents[1]]


def modules_of(name: str, file: str) -> dict[str, str]:
    """The files of a module and of what it imports, and of what these import, by the modules' names in order.

    Imports are read off the text, wherever in it they stand; installed packages are passed over. An installed module
    stands for itself.
    """
    if _is_installed(Path(file)):
        return {name: file}
    roots = [_root(name, Path(file)), Path.cwd(), *map(Path, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    roots = [root for root in dict.fromkeys(roots) if not _is_installed(root)]
    found, waiting = {name: file}, [name]
    while waiting:
        module = waiting.pop()
        for other in _imported(module, Path(found[module])):
            place = next(filter(None, (_place(root, other) for root in roots)), None)
            if place is not None and other not in found and not _is_installed(place):
                found[other] = str(place)
                waiting.append(other)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Code:
    """Copied code: the folder that it comes from, SHA-256 by file, and what else it imports, with versions, by module.

    No files: it is that of an installed package.
    """

    origin: str
    files: dict[str, str]
    packages: dict[str, str]

    @property
    def said(self) -> str:
        """Whose code it is, in words."""
        if not self.files:
            return f"installed ({', '.join(self.packages.values()) or self.origin})"
        return f"{', '.join(self.files)} (from {self.origin})"


def copy_code(folder: Path, name: str, file: str) -> Code:
    """Copy a module and what it imports of the user's into a folder, as they are imported from there."""
    modules = modules_of(name, file)
    packages = _packages(modules)
    if _is_installed(Path(file)):
        return Code(file, {}, packages)
    digests = {}
    for module, path in modules.items():
        content = Path(path).read_bytes()
        place = f"{module.replace('.', '/')}{'/__init__' * (Path(path).name == '__init__.py')}.py"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
        digests[place] = hashlib.sha256(content).hexdigest()
    return Code(str(_root(name, Path(file))), digests, packages)


def import_copy(folder: Path, code: Code, name: str) -> ModuleType:
    """Import a module from its copy; InputError where the copy is not what was copied.

    Copies see each other, and nobody else does: modules of the same names from elsewhere are what they were.
    """
    copies = {_module(place): (folder / place, content) for place, content in unchanged(folder, code).items()}
    with _Copies(copies).visible():
        return importlib.import_module(name)


def copy_file(folder: Path, path: str) -> Code:
    """Copy a file that holds a network with its code, which the installed torch runs."""
    content, name = Path(path).read_bytes(), Path(path).name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest()}
    return Code(str(Path(path).resolve().parent), digests, {"torch": f"torch {metadata.version('torch')}"})


def unchanged(folder: Path, code: Code) -> dict[str, bytes]:
    """The files of a copy; InputError where they are not what was copied, or have company."""
    found = {place: _unchanged(folder, place, sha) for place, sha in code.files.items()}
    for entry in sorted(folder.rglob("*")) if folder.is_dir() else ():
        place = entry.relative_to(folder).as_posix()
        if not (entry.is_dir() and not entry.is_symlink()) and place not in found:
            raise InputError(folder, place, "is not among the code that was adopted", "remove it")
    return found


class _Copies(MetaPathFinder):
    """The modules of one folder: found, and in sys.modules, for as long as one of them imports something."""

    def __init__(self, copies: Mapping[str, tuple[Path, bytes]]) -> None:
        self.copies, self.loaded, self.depth = copies, dict[str, ModuleType](), 0
        names = [module.split(".") for module in copies]
        self.names = {".".join(parts[:count]) for parts in names for count in range(1, len(parts) + 1)}

    @contextmanager
    def visible(self) -> Iterator[None]:
        """Let imports find them within the block."""
        with _ONE_AT_A_TIME:
            if self.depth:  # one of them is being imported
                yield
                return
            others = {each: sys.modules.pop(each) for each in self.names if each in sys.modules}
            sys.modules.update(self.loaded)
            sys.meta_path.insert(0, self)
            self.depth += 1
            try:
                yield
            finally:
                self.depth -= 1
                sys.meta_path.remove(self)
                self.loaded = {each: sys.modules.pop(each) for each in self.names if each in sys.modules}
                sys.modules.update(others)

    def imported(self, *given: Any, **more: Any) -> ModuleType:
        """What an import statement in one of them gives, also one that runs later, in a function."""
        with self.visible():
            return __import__(*given, **more)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname in self.copies:
            file, source = self.copies[fullname]
            inside = [str(file.parent)] if file.name == "__init__.py" else None
            loader = _Copy(file, source, self)
            return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=inside)
        return ModuleSpec(fullname, None, is_package=True) if fullname in self.names else None  # without __init__.py


class _Copy(SourceLoader):
    """Runs the bytes that were compared; no compiled code is read or written."""

    def __init__(self, file: Path, source: bytes, copies: _Copies) -> None:
        self.file, self.source, self.copies = str(file), source, copies

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002
        return self.file

    def get_data(self, path: str | bytes) -> bytes:
        return self.source if path == self.file else Path(os.fsdecode(path)).read_bytes()

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = vars(builtins) | {"__import__": self.copies.imported}
        super().exec_module(module)


_ONE_AT_A_TIME = threading.RLock()


def _module(place: str) -> str:
    return place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _unchanged(folder: Path, place: str, sha: str) -> bytes:
    """A file's bytes, if their digest is this one."""
    try:
        content = (folder / place).read_bytes()
    except OSError as error:
        raise InputError(folder, place, "cannot be read", _AGAIN) from error
    if hashlib.sha256(content).hexdigest() != sha:
        raise InputError(folder, place, "is not the code that was adopted (its digest differs): it was not run", _AGAIN)
    return content


def _packages(modules: Mapping[str, str]) -> dict[str, str]:
    """Installed packages that modules import, with their versions, by what they are imported as."""
    names = {name.partition(".")[0] for module, file in modules.items() for name in _imported(module, Path(file))}
    known = metadata.packages_distributions()
    wanted = sorted(name for name in names if name in known and name not in modules)
    return {name: f"{known[name][0]} {metadata.version(known[name][0])}" for name in wanted}


def _imported(module: str, file: Path) -> Iterator[str]:
    """Names that may be those of modules which a file imports, packages before what is in them."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names = [module]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _place(root: Path, module: str) -> Path | None:
    stem = root.joinpath(*module.split("."))
    return next((place for place in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py") if place.is_file()), None)


def _root(name: str, file: Path) -> Path:
    """The folder from which a module is imported."""
    return file.resolve().parents[name.count(".") + (file.name == "__init__.py")]


def _is_installed(place: Path) -> bool:
    return any(place.resolve().is_relative_to(folder) for folder in _INSTALLED)
