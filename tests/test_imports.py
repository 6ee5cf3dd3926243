"""What `maxent X --help` imports, and who opens paths. Which room may import which: test_rooms.py."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from maxent_cli.commands import COMMANDS

PACKAGE = Path(__file__).parents[1] / "maxent_cli"
# of commands, which import nothing heavy themselves
LIGHT_ROOMS = {"options", "requests", "params", "console", "configuration", "faults", "stopping"}
LIGHT_MODULES = {"choices", "errors", "laws", "tables"}  # of the package, which help may import
LIGHT = {"click", "tqdm"}  # what a command may import before it is called
HEAVY = ("torch", "numba", "numpy", "pandas", "scipy", "sklearn", "matplotlib")
# what `maxent X --help` imports; the other files of the room help commands once they are called
AT_ONCE = ["__init__", "options", *(name.replace("-", "_") for name in COMMANDS)]


def at_import(tree: ast.Module) -> set[str]:
    """Names imported when a module is, so not those in functions or for type checking alone."""
    names = set()
    for node in tree.body:
        checking = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        if not checking and not isinstance(node, ast.FunctionDef):
            names |= named(node)
    return names


def named(tree: ast.AST) -> set[str]:
    """Dotted names that any import below a node names."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_what_is_imported_at_once_is_told_from_what_is_imported_later():
    later = "if TYPE_CHECKING:\n    import pandas\ndef f():\n    from torch import nn\n"
    code = later + "import numpy\nif sys.version:\n    import scipy.stats\n"
    assert at_import(ast.parse(code)) == {"numpy", "scipy.stats"}
    assert named(ast.parse(code)) == {"pandas", "numpy", "torch.nn", "scipy.stats"}


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_command_imports_nothing_heavy_before_it_is_called(name):
    names = at_import(ast.parse((PACKAGE / "commands" / f"{name}.py").read_text(encoding="utf-8")))
    ours = {dotted for dotted in names if dotted.startswith("maxent_cli.")}
    assert {dotted.split(".")[0] for dotted in names - ours} <= LIGHT | set(sys.stdlib_module_names)
    assert {dotted.split(".")[1] for dotted in ours} <= {"commands", *LIGHT_MODULES, "__version__"}
    assert {dotted.split(".")[2] for dotted in ours if dotted.startswith("maxent_cli.commands.")} <= LIGHT_ROOMS


@pytest.mark.parametrize("name", sorted(LIGHT_MODULES))
def test_what_help_imports_imports_nothing_heavy(name):
    files = sorted((PACKAGE / name).glob("*.py")) or [PACKAGE / f"{name}.py"]
    names = {dotted for file in files for dotted in named(ast.parse(file.read_text(encoding="utf-8")))}
    ours = {dotted.split(".")[1] for dotted in names if dotted.split(".")[0] == "maxent_cli"}
    others = {dotted.split(".")[0] for dotted in names} - {"maxent_cli", *sys.stdlib_module_names}
    assert (ours - LIGHT_MODULES, others) == (set(), set())


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_loads_no_heavy_package(command):
    """In a fresh interpreter: the command's module is imported and its help is written."""
    arguments = [command, "--help"] if command else ["--help"]
    code = (
        "import sys\n"
        "from maxent_cli.commands import maxent\n"
        f"maxent({arguments!r}, standalone_mode=False)\n"
        f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in result.stdout
    assert result.stdout.splitlines()[-1].strip() == "loaded:"


@pytest.mark.parametrize(
    ("room", "needless"),
    [
        ("sampling", ["matplotlib", "pandas", "scipy.stats"]),
        ("motifs", ["torch"]),
        ("reports", ["torch", "numba", "pandas"]),
    ],
)
def test_a_call_loads_no_package_that_it_does_not_need(room, needless):
    code = f"import sys, maxent_cli.api.{room}; print([name for name in {needless!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_only_io_opens_paths():
    """No room but io calls what reads or writes a file."""
    opening = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "savez", "savetxt"}
    found = {
        str(module.relative_to(PACKAGE))
        for module in PACKAGE.rglob("*.py")
        if module.relative_to(PACKAGE).parts[0] != "io"
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and called(node.func) in opening
    }
    assert found == set()


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
