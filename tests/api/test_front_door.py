"""import maxent_cli: light until something is used; every public name is there, explained by an example that runs."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

import maxent_cli as mx

PACKAGE = Path(mx.__file__).parent
HEAVY = ("torch", "numba", "pandas", "matplotlib", "numpy", "scipy", "click")


def test_the_import_is_light() -> None:
    """A process of its own: here all has been imported already."""
    code = f"import sys, maxent_cli; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", mx.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    found = getattr(mx, name)
    assert inspect.getdoc(found)
    assert name in dir(mx)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="smaple"):
        mx.smaple  # noqa: B018


@pytest.mark.parametrize("module", sorted(path.stem for path in (PACKAGE / "api").glob("*.py")))
def test_examples_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"maxent_cli.api.{module}"))
    assert not found.failed


@pytest.mark.parametrize("path", sorted((PACKAGE / "api").glob("*.py")), ids=lambda path: path.stem)
def test_public_functions_say_what_they_take(path: Path) -> None:
    """Every argument of a public function is typed, and none is a mapping of options."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name in mx.__all__:
            arguments = [*node.args.args, *node.args.kwonlyargs]
            assert all(argument.annotation is not None for argument in arguments)
            assert node.args.kwarg is None
            docstring = ast.get_docstring(node) or ""
            assert ">>>" in docstring, f"{node.name} has no example"


@pytest.mark.parametrize(("name", "option"), [("motifs", "logos"), ("attribute", "logos"), ("dependence", "maps")])
def test_a_format_of_pictures_that_is_not_known_is_said_at_once(name: str, option: str) -> None:
    first = ("draws.npz",) if name != "attribute" else (mx.network(nn.Linear(4, 1), 4), ["ACGT"], "saliency")
    with pytest.raises(
        mx.InputError, match=rf"^{option}: None is none that is known here; give one of png, svg, pdf, none"
    ):
        getattr(mx, name)(*first, **{option: None})
