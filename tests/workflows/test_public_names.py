"""Workflows are users: they take public names only, those of the package and those that its rooms name."""

import ast
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
ROOMS = {f"maxent_cli.{room}" for room in ("io", "analysis", "models", "engine", "interpret")}
PUBLIC = {"maxent_cli", "maxent_cli.__main__", "maxent_cli.alphabet", "maxent_cli.data", "maxent_cli.errors", *ROOMS}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.rglob("*.py")), ids=lambda path: str(path.relative_to(WORKFLOWS)))
def test_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
        ours = {module for module in modules if module.split(".")[0] == "maxent_cli"}
        assert ours <= PUBLIC, f"{path.name} imports {ours - PUBLIC}"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_names_of_a_room_are_there(room: str) -> None:
    """A name that is also a module's would be the module."""
    found = __import__(room, fromlist=["*"])
    for name in found.__all__:
        assert type(getattr(found, name)).__name__ != "module", name
