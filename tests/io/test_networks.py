"""Networks from files: a factory and weights that run no code; what would run code is refused, and does not."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.io.networks import Source, load_network, read_weights

CODE = """
from torch import nn

def network(filters=6):
    return nn.Sequential(nn.Conv1d(4, filters, 3), nn.ReLU(), nn.Flatten(), nn.Linear(filters * 8, 1))

def fails():
    raise RuntimeError("no filters")

def nothing():
    return "a network"

class known:
    pass
"""
NAME = "somebodys_networks"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a module of networks in it."""
    (tmp_path / f"{NAME}.py").write_text(CODE)
    (tmp_path / "broken_code.py").write_text("import torch\nraise ValueError('half done')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # taken off again, with what was imported from it
    for name in (NAME, "broken_code"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    return tmp_path


def network() -> nn.Sequential:
    torch.manual_seed(5)
    return nn.Sequential(nn.Conv1d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1)).eval()


def source(weights: object = None, **given: Any) -> Source:
    plain = {"name": f"{NAME}:network"}
    return Source(**(plain | given), weights=None if weights is None else str(weights))


def test_a_factory_from_the_current_folder_with_its_arguments() -> None:
    found = load_network(source(arguments={"filters": 2}))
    assert found[0].out_channels == 2  # type: ignore[index]


def test_a_factory_gives_the_same_weights_each_time_and_leaves_the_random_state() -> None:
    state = torch.get_rng_state()
    first, second = (load_network(source()).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), state)


def nested(weights: dict[str, Tensor]) -> dict[str, Any]:
    return {"epoch": 3, "state_dict": {f"model.{name}": value for name, value in weights.items()}}


@pytest.mark.parametrize("kind", ["safetensors", "renamed safetensors", "state dict", "legacy", "Lightning"])
def test_weights_of_every_kind_that_runs_no_code(folder: Path, kind: str) -> None:
    weights, path, prefix = network().state_dict(), folder / "weights", ""
    if "safetensors" in kind:
        path = folder / ("weights.safetensors" if kind == "safetensors" else "weights.bin")
        save_file(weights, path)
    elif kind == "Lightning":
        prefix = "model."
        torch.save(nested(weights), path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=kind != "legacy")
    found = load_network(source(path, prefix=prefix))
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=0, atol=0)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("exploded",)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"0.weight": Bomb()}))


def pickled_by_torch(path: Path) -> None:
    torch.save({"0.weight": Bomb()}, path)


def pickled_module(path: Path) -> None:
    torch.save(network(), path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def scripted(path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network()).save(str(path))


def exported(path: Path) -> None:
    torch.export.save(torch.export.export(network(), (torch.randn(2, 4, 10),)), path)


RUN_CODE = {
    "pickle": (pickled, "pickled Python objects"),
    "torch.save": (pickled_by_torch, "pickled Python objects"),
    "module": (pickled_module, "pickled Python objects"),
    "TorchScript": (scripted, "TorchScript"),
    "torch.export": (exported, "a torch.export archive"),
}


@pytest.mark.parametrize("name", RUN_CODE)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pt2", ".safetensors"])
def test_what_can_run_code_is_refused_and_does_not_run(folder: Path, name: str, suffix: str) -> None:
    make, kind = RUN_CODE[name]
    path = folder / f"weights{suffix}"
    if name == "torch.export" and suffix != ".pt2":
        exported(folder / "weights.pt2")
        (folder / "weights.pt2").rename(path)
    else:
        make(path)
    message = rf"is {kind}: reading it can run code, so it was not read; .*state_dict.*--trust-pickle"
    for given in (source(path), source(name=str(path))):
        with pytest.raises(InputError, match=message):
            load_network(given)
    assert not (folder / "exploded").exists()


def test_the_bomb_is_live(folder: Path) -> None:
    """Otherwise the test above shows nothing."""
    pickled_by_torch(folder / "weights.pt")
    with pytest.raises(InputError, match="holds no weights by name"):
        load_network(source(folder / "weights.pt", trusted=True))
    assert (folder / "exploded").exists()


@pytest.mark.filterwarnings("ignore")  # of deprecated parts of torch that these loaders use
@pytest.mark.parametrize("name", ["module", "TorchScript", "torch.export"])
def test_what_is_trusted_gives_its_weights(folder: Path, name: str) -> None:
    path = folder / "weights.pt2"
    RUN_CODE[name][0](path)
    found = load_network(source(path, trusted=True)).state_dict()
    for key, value in network().state_dict().items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)


def test_a_trusted_pickled_module_is_a_network(folder: Path) -> None:
    pickled_module(folder / "whole.pth")
    found = load_network(source(name=str(folder / "whole.pth"), trusted=True))
    assert isinstance(found, nn.Sequential)


def test_code_and_weights_are_its_files(folder: Path) -> None:
    torch.save(network().state_dict(), folder / "w.pt")
    given = source(folder / "w.pt", arguments={"filters": 6})
    load_network(given)
    assert [Path(path).name for path in given.files] == [f"{NAME}.py", "w.pt"]


def test_the_weights_names_say_what_prefix_fits(folder: Path) -> None:
    torch.save(nested(network().state_dict()), folder / "w.pt")
    with pytest.raises(InputError, match=r"weights do not fit .*0\.weight.*; give --weights-prefix model"):
        load_network(source(folder / "w.pt"))
    with pytest.raises(InputError, match=r"no weights begin with net; they begin like model\.0\.weight"):
        load_network(source(folder / "w.pt", prefix="net"))


def bad(name: str, folder: Path) -> str:
    path = folder / "w.pt"
    content: dict[str, Any] = {
        "not finite": network().state_dict() | {"0.bias": torch.full((6,), torch.nan)},
        "no tensors": {"epoch": 3},
        "a number": 3,
        "other shapes": network().state_dict() | {"0.bias": torch.zeros(5)},
    }
    torch.save(content[name], path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "not finite": r"w.pt: 0.bias: holds a weight that is not a finite number",
        "no tensors": "holds no weights by name",
        "a number": "holds a int and no weights by name",
        "other shapes": "weights do not fit .*size mismatch for 0.bias",
    }.items(),
)
def test_weights_that_do_not_serve_are_an_error_that_says_why(folder: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_network(source(bad(name, folder)))


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("nowhere:network", {}, "cannot be imported .*No module named 'nowhere'.*PYTHONPATH"),
        ("broken_code:network", {}, r"broken_code.py: line 2: cannot be imported \(ValueError: half done\)"),
        (f"{NAME}:absent", {}, "has no absent"),
        (f"{NAME}:fails", {}, rf"{NAME}.py: line 8: fails \(RuntimeError: no filters\); see --arguments"),
        (f"{NAME}:network", {"width": 3}, "unexpected keyword argument 'width'"),
        (
            f"{NAME}:nothing",
            {},
            "gives a str; name a function or class that gives a torch.nn.Module, or one of sequences with --score",
        ),
        (f"{NAME}:known", {}, "gives a known"),
        ("nonsense", {}, "no such network; give package.module:function"),
    ],
)
def test_a_factory_that_does_not_serve_is_an_error_that_says_why(model: str, arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_network(source(name=model, arguments=arguments))


@pytest.mark.parametrize("content", [b"", b"ACGT\n", b"PK\x03\x04 half a zip", b"\x80\x02", bytes(range(256)) * 9])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_junk_is_no_weights(folder: Path, content: bytes, suffix: str) -> None:
    path = folder / f"junk{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"junk\.\w+: .*(weights|code)"):
        read_weights(str(path))


def test_weights_alone_are_no_model(folder: Path) -> None:
    torch.save(network().state_dict(), folder / "w.pt")
    with pytest.raises(InputError, match=r"holds weights and no network; give package.module:factory, and --weights"):
        load_network(source(name=str(folder / "w.pt")))
