"""Who may import whom: the manual's table of rooms is read and the imports are walked."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "maxent_cli"
ANY_ROOM = {"errors", "__init__"}  # the version is in __init__


def rooms() -> dict[str, tuple[set[str], set[str]]]:
    """room -> our rooms, outside packages, from docs/extending.md."""
    table = {}
    for row in re.findall(r"^\| (`[^|]+) \|([^|]*)\|([^|]*)\|[^|]*\|$", EXTENDING, re.MULTILINE):
        names, ours, outside = (set(re.findall(r"`(\w+)`", cell)) for cell in row)
        table |= dict.fromkeys(names, (ours, outside))
    return table


EXTENDING = (ROOT / "docs" / "extending.md").read_text()
ROOMS = rooms()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield str(node.module)
            if node.module == "maxent_cli":
                yield from (f"maxent_cli.{alias.name}" for alias in node.names)


def test_every_room_is_in_the_table() -> None:
    found = {room_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert found == set(ROOMS)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    stub = {"lazy_loader"} if path.name == "__init__.py" else set()  # a room's public names are imported when used
    if room in ("__init__", "__main__"):
        return
    ours, outside = ROOMS[room]
    for name in imported(path):
        first, _, rest = name.partition(".")
        if first == "maxent_cli":
            other = rest.split(".")[0] or "__init__"
            allowed = {room, *ours, *ANY_ROOM, "__version__"}
            assert other in allowed, f"{room} imports {name}"
        elif first not in sys.stdlib_module_names:
            assert first in outside | stub, f"{room} imports {name}"
