"""Workflows use what anyone may: public names alone, which are in the stubs of maxent_cli and of its rooms."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "maxent_cli"
ROOMS = ("io", "analysis", "models", "engine", "interpret")
SCRIPTS = sorted((ROOT / "workflows").rglob("*.py"))


def public(module: str) -> set[str] | None:
    """What may be imported from a module; None: anything that it defines."""
    if module in ("maxent_cli.alphabet", "maxent_cli.data", "maxent_cli.laws"):
        return None
    room = module.removeprefix("maxent_cli").removeprefix(".")
    if room not in ("", *ROOMS):
        return set()
    tree = ast.parse((PACKAGE / room / "__init__.pyi").read_text())
    return {str(one.asname) for node in tree.body if isinstance(node, ast.ImportFrom) for one in node.names}


def not_public(code: str) -> Iterator[str]:
    """What code imports from the package, or takes from `mx`, that is not public."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith("maxent_cli.") or _renamed(one))
        elif isinstance(node, ast.ImportFrom) and not node.level and str(node.module).split(".")[0] == "maxent_cli":
            allowed = public(str(node.module))
            yield from (
                f"{node.module}.{one.name}" for one in node.names if not (allowed is None or one.name in allowed)
            )
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "mx":
            yield from (f"mx.{name}" for name in {node.attr} - (public("maxent_cli") or set()))


def _renamed(one: ast.alias) -> bool:
    return one.name == "maxent_cli" and one.asname != "mx"


def test_what_is_not_public_is_seen() -> None:
    """And what is public is let pass."""
    fine = "import maxent_cli as mx\nfrom maxent_cli.io import read_fasta\nfrom maxent_cli.data import Motif\nmx.sample"
    assert list(not_public(fine)) == []
    for line, name in (
        ("from maxent_cli.io.fasta import read_fasta", "maxent_cli.io.fasta.read_fasta"),
        ("from maxent_cli.commands import maxent", "maxent_cli.commands.maxent"),
        ("from maxent_cli.io import parts", "maxent_cli.io.parts"),
        ("from maxent_cli import io", "maxent_cli.io"),
        ("def f():\n    import maxent_cli.engine.incremental", "maxent_cli.engine.incremental"),
        ("import maxent_cli", "maxent_cli"),
        ("mx.commands", "mx.commands"),
    ):
        assert list(not_public(line)) == [name]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_workflow_uses_public_names(path: Path) -> None:
    assert list(not_public(path.read_text())) == []


@pytest.mark.parametrize("module", ["maxent_cli", *(f"maxent_cli.{room}" for room in ROOMS)])
def test_public_names_are_there_and_are_no_modules(module: str) -> None:
    """A name that is a module's too would be the module once that is imported."""
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    inner = {path.stem for path in folder.iterdir()}
    for name in public(module) or ():
        assert name not in inner
        assert hasattr(importlib.import_module(module), name)


def test_rooms_offer_what_workflows_use_and_no_more() -> None:
    used = {
        f"{node.module}.{one.name}"
        for path in SCRIPTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and not node.level
        for one in node.names
    }
    assert {f"maxent_cli.{room}.{name}" for room in ROOMS for name in public(f"maxent_cli.{room}") or ()} <= used
