"""Weights from files as they come: what is read, and that nothing in them runs."""

import argparse
import collections
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from maxent_cli.errors import InputError
from maxent_cli.io.weight_files import read_weights


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


class Settings(argparse.Namespace):
    """As hyper-parameters are kept."""


class Odd(list[int]):
    """A list of somebody's, with slots of its own."""

    __slots__ = ("kept",)


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), nn.Sequential(nn.Linear(6, 2)))


def same(found: dict[str, Tensor]) -> None:
    wanted = network().state_dict()
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


def lightning(path: Path) -> None:
    """With what a restricted reader of torch's own refuses whole."""
    odd = Odd([1, 2])
    odd.kept = {1, 2}
    kept = {"hyper_parameters": Settings(lr=0.1, folder=Path("a")), "counts": collections.Counter("aab"), "odd": odd}
    torch.save(kept | {"epoch": 3, "state_dict": network().state_dict(), "callbacks": {Settings: {"best": 1}}}, path)


WAYS: dict[str, Callable[[Path], None]] = {
    "safetensors": lambda path: save_file(network().state_dict(), path),
    "a state dict": lambda path: torch.save(network().state_dict(), path),
    "of old": lambda path: torch.save(network().state_dict(), path, _use_new_zipfile_serialization=False),
    "protocol 5": lambda path: torch.save(network().state_dict(), path, pickle_protocol=5),
    "parameters": lambda path: torch.save(dict(network().named_parameters()) | dict(network().named_buffers()), path),
    "a checkpoint of Lightning": lightning,
    "within a model": lambda path: torch.save({"model": {"state_dict": network().state_dict()}, "step": 3}, path),
    "a network pickled whole": lambda path: torch.save(network(), path),
    "a network pickled whole, of old": lambda path: torch.save(network(), path, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".safetensors", ".bin", ".h5"])
@pytest.mark.parametrize("name", WAYS)
def test_weights_are_read_whatever_stands_beside_them(tmp_path: Path, name: str, suffix: str) -> None:
    WAYS[name](tmp_path / f"w{suffix}")
    same(read_weights(str(tmp_path / f"w{suffix}")))


def test_those_of_a_prefix_are_chosen(tmp_path: Path) -> None:
    torch.save(
        {f"model.{key}": value for key, value in network().state_dict().items()} | {"a": torch.zeros(1)}, tmp_path / "w"
    )
    same(read_weights(str(tmp_path / "w"), "model."))
    with pytest.raises(InputError, match=r"no weights begin with net; they begin like model\.0\.weight"):
        read_weights(str(tmp_path / "w"), "net")


@pytest.mark.parametrize("new", [True, False])
def test_nothing_in_a_file_runs(tmp_path: Path, new: bool) -> None:
    """Beside the weights, among them, in their place, instead of the whole file, and without torch."""
    bomb, weights, path = Bomb(tmp_path / "exploded"), network().state_dict(), tmp_path / "w.pt"
    for content in ({"state_dict": weights, "beside": bomb}, {**weights, "beside": bomb}):
        torch.save(content, path, _use_new_zipfile_serialization=new)
        same(read_weights(str(path)))
    for nothing in ({"state_dict": bomb}, bomb):
        torch.save(nothing, path, _use_new_zipfile_serialization=new)
        with pytest.raises(InputError, match="holds no weights by name"):
            read_weights(str(path))
    path.write_bytes(pickle.dumps(bomb))
    with pytest.raises(InputError, match=r"w.pt: (holds no weights|cannot be read as weights)"):
        read_weights(str(path))
    assert not (tmp_path / "exploded").exists()


def test_the_bomb_is_live(tmp_path: Path) -> None:
    """Otherwise the test above shows nothing."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded")))
    assert (tmp_path / "exploded").exists()


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "builtins.getattr", "torch.load", "torch.hub.load"])
def test_functions_by_name_are_not_called(tmp_path: Path, name: str) -> None:
    """Written in pickle's own words: the function, its argument, a call."""
    module, _, function = name.rpartition(".")
    call = f"c{module}\n{function}\n(S'touch {tmp_path}/exploded'\ntR."
    (tmp_path / "w.pt").write_bytes(b"\x80\x02" + call.encode())
    with pytest.raises(InputError, match=r"w.pt: "):
        read_weights(str(tmp_path / "w.pt"))
    assert not (tmp_path / "exploded").exists()


def test_folders_of_hugging_face(tmp_path: Path) -> None:
    weights, names = network().state_dict(), list(network().state_dict())
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "config.json").write_text("{}")
    save_file(weights, tmp_path / "one" / "model.safetensors")
    same(read_weights(str(tmp_path / "one")))
    (tmp_path / "bin").mkdir()
    torch.save(weights, tmp_path / "bin" / "pytorch_model.bin")
    same(read_weights(str(tmp_path / "bin")))
    (tmp_path / "parts").mkdir()
    parts = {"a.safetensors": names[:3], "b.safetensors": names[3:]}
    for file, keys in parts.items():
        save_file({key: weights[key] for key in keys}, tmp_path / "parts" / file)
    index = {"weight_map": {key: f"../other/{file}" for file, keys in parts.items() for key in keys}}
    (tmp_path / "parts" / "model.safetensors.index.json").write_text(json.dumps(index))
    same(read_weights(str(tmp_path / "parts")))  # of the names of files the last part: they stand beside the index


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("{}", "is no index of weights"),
        ("[1]", "is no index of weights"),
        ("[" * 100_000, "is no index of weights"),
        ('{"weight_map": {"a": "b.safetensors"}}', r"b\.safetensors: is not there, and the index names it"),
    ],
)
def test_a_broken_folder_is_said(tmp_path: Path, index: str, said: str) -> None:
    with pytest.raises(InputError, match=r"holds no model\.safetensors or pytorch_model\.bin"):
        read_weights(str(tmp_path))
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(InputError, match=said):
        read_weights(str(tmp_path))


@pytest.mark.filterwarnings("ignore")  # of deprecated parts of torch that write these
def test_other_files_are_named_for_what_they_are(tmp_path: Path) -> None:
    plain = nn.Sequential(nn.Conv1d(4, 6, 3), nn.Flatten(), nn.Linear(48, 2))
    torch.jit.script(plain).save(str(tmp_path / "script.pt"))
    torch.export.save(torch.export.export(plain, (torch.randn(2, 4, 10),)), tmp_path / "export.pt2")
    content = {
        "onnx.onnx": b"\x08\x08\x12\x07pytorch\x1a\x051.9.0:\x80",
        "saved_model.pb": b"\x08\x01\x12\x91",
        "weights.index": b"\x00\x00\x08\x01",
        "weights.data-00000-of-00001": b"\x00\x00\x80\x3f",
        "model.json": b'{"class_name": "Sequential", "config": {}}',
        "net.th": b"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1",
        "keras.h5": b"\x89HDF\r\n\x1a\n" + bytes(64),
        "text.txt": b"ACGT\n",
        "empty": b"",
    }
    for name, each in content.items():
        (tmp_path / name).write_bytes(each)
    said = {
        "script.pt": "is TorchScript, a network whose code is in the file",
        "export.pt2": "is an archive of torch.export, whose code is in the file",
        "onnx.onnx": r"is ONNX; turn it into torch with onnx2torch",
        "saved_model.pb": r"is TensorFlow's; save the network from Keras",
        "weights.index": "is TensorFlow's",
        "weights.data-00000-of-00001": "is TensorFlow's",
        "model.json": r"is a configuration of Keras without its weights; save the network whole, with model\.save",
        "net.th": "is a file of Lua Torch",
        "keras.h5": "is a file of Keras; give it as the network itself: maxent adopt",
        "text.txt": "is no file of weights; save its weights with",
        "empty": "is no file of weights",
    }
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "saved_model.pb").write_bytes(content["saved_model.pb"])
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "variables.index").write_bytes(content["weights.index"])
    said |= {"tensorflow": "is TensorFlow's", "variables": "is TensorFlow's"}
    for name, message in said.items():
        with pytest.raises(InputError, match=message):
            read_weights(str(tmp_path / name))


def test_no_advice_leads_anybody_to_run_a_strangers_code() -> None:
    import maxent_cli.io.weight_files as module

    text = Path(module.__file__).read_text()
    assert "--trust" not in text
    assert "safe_mode" not in text
