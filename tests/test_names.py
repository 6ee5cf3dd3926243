"""A name says one thing, and a list is kept once."""

import ast
from collections import defaultdict
from pathlib import Path

import maxent_cli

PACKAGE = Path(maxent_cli.__file__).parent
TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def several(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: places for name, places in found.items() if len(places) > 1}


def test_no_two_classes_of_one_name() -> None:
    found = defaultdict[str, list[str]](list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(path)
    assert several(found) == {}


def test_no_list_is_kept_twice() -> None:
    """Tuples, lists, dictionaries, patterns and long texts that modules keep; numbers may happen to be the same."""
    found = defaultdict[str, list[str]](list)
    for path, tree in TREES.items():
        for node in tree.body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            listed = isinstance(value, ast.Tuple | ast.List | ast.Set | ast.Dict) and len(list(ast.walk(value))) > 4
            pattern = isinstance(value, ast.Call) and ast.unparse(value).startswith("re.compile")
            words = isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value
            if value is not None and (listed or pattern or words):
                found[ast.unparse(value)].append(path)
    assert several(found) == {}
