"""The user's modules are found through every way of importing; what is installed is passed over."""

from pathlib import Path

import pytest

from maxent_cli.io.user_code import modules_of

FILES = {
    "net.py": "import torch, helpers\nfrom pack.sub import thing\nfrom numpy import array\n",
    "helpers.py": "def late():\n    import lazy\n",
    "lazy.py": "import net\nimport nowhere\n",
    "unused.py": "",
    "pack/__init__.py": "from .names import NAMES\n",
    "pack/names.py": "import helpers\n",
    "pack/sub/__init__.py": "",
    "pack/sub/thing.py": "from .. import more\nfrom ..sub.deep import *\n",
    "pack/sub/deep.py": "this is not Python",
    "pack/more.py": "",
    "pack/unused.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(found: dict[str, str], root: Path) -> dict[str, str]:
    return {name: Path(path).relative_to(root).as_posix() for name, path in found.items()}


def test_all_that_is_imported_from_beside_it(root: Path) -> None:
    found = names(modules_of("net", str(root / "net.py")), root)
    assert found == {
        "helpers": "helpers.py",
        "lazy": "lazy.py",
        "net": "net.py",
        "pack": "pack/__init__.py",
        "pack.more": "pack/more.py",
        "pack.names": "pack/names.py",
        "pack.sub": "pack/sub/__init__.py",
        "pack.sub.deep": "pack/sub/deep.py",
        "pack.sub.thing": "pack/sub/thing.py",
    }


def test_a_module_within_a_package(root: Path) -> None:
    found = names(modules_of("pack.sub.thing", str(root / "pack/sub/thing.py")), root)
    assert {"pack", "pack.names", "pack.more", "pack.sub", "pack.sub.thing"} <= found.keys()
    assert "pack.unused" not in found


def test_python_path_counts(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "nowhere.py").write_text("")
    assert "nowhere" not in modules_of("net", str(root / "net.py"))
    monkeypatch.setenv("PYTHONPATH", str(other))
    assert modules_of("net", str(root / "net.py"))["nowhere"] == str(other / "nowhere.py")


def test_what_is_installed_stands_for_itself() -> None:
    import pyfaidx

    assert modules_of("pyfaidx", str(pyfaidx.__file__)) == {"pyfaidx": pyfaidx.__file__}
