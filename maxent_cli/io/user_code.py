"""The user's own code: a module and the modules that it imports, as far as they lie in the user's folders."""

import ast
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# where installed packages lie, whose versions are known
_INSTALLED = [Path(place).resolve() for place in set(sysconfig.get_paths().values())]


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
            if place is not None and other not in found:
                found[other] = str(place)
                waiting.append(other)
    return dict(sorted(found.items()))


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
