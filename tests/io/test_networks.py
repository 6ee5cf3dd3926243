"""Networks of the user's own: a factory, a family, and weights that run no code; files: test_weight_files.py."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.io.networks import NetworkSource, family_arguments, load_network
from maxent_cli.io.weight_files import read_weights

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


def source(weights: object = None, **given: Any) -> NetworkSource:
    plain = {"name": f"{NAME}:network"}
    return NetworkSource(**(plain | given), weights=None if weights is None else str(weights))


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


def test_a_network_that_was_pickled_whole_gives_its_weights_to_a_function(folder: Path) -> None:
    torch.save(network(), folder / "whole.pth")
    found = load_network(source(folder / "whole.pth")).state_dict()
    for name, value in network().state_dict().items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)
    with pytest.raises(InputError, match=r"holds weights and no network; give package.module:function, or one"):
        load_network(source(name=str(folder / "whole.pth")))


def test_a_family_is_built_of_the_sizes_asked_for(folder: Path) -> None:
    asked = {"name": "bpnet", "arguments": {"filters": 4, "layers": 1, "output_length": 60}, "length": 200}
    built = load_network(source(**asked))
    assert built.input_length == 200
    assert family_arguments(source(**asked)) == {"input_length": 200, **asked["arguments"]}
    assert family_arguments(source(name="basset", length=600)) == {}  # which reads 600 letters, and no others
    torch.save(built.state_dict(), folder / "w.pt")
    assert load_network(source(folder / "w.pt", **asked)).iconv.out_channels == 4  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"bpnet: cannot be built .*; its arguments are filters, layers, input_length"):
        load_network(source(name="bpnet", arguments={"width": 3}))
    with pytest.raises(InputError, match="weights do not fit bpnet"):
        load_network(source(folder / "w.pt", name="bpnet", length=200, arguments={"filters": 8, "output_length": 60}))


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
        "a number": "holds no weights by name",
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
    with pytest.raises(InputError, match=r"holds weights and no network; give package.module:function, or one"):
        load_network(source(name=str(folder / "w.pt")))
