"""Files of Keras, against Keras itself; and what must not be read from them."""

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from keras_2 import older_archive, older_h5

from maxent_cli.errors import InputError
from maxent_cli.interpret.plan import read_layers
from maxent_cli.io.keras_files import is_keras, read_keras
from maxent_cli.models.adapter import AdaptedNetwork, Reading
from maxent_cli.models.keras import KerasNetwork, described, from_description

NAMES = ("columns", "letters", "rows", "bpnet", "strided", "recurrent", "nested", "control", "shared")
WRITTEN = ("h5", "keras", "2.h5", "2.keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of all networks, as both generations of Keras write them."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed (pip install keras)")
    found = tmp_path_factory.mktemp("keras")
    program = Path(__file__).with_name("keras_models.py")
    home = {"KERAS_HOME": str(found), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(program), str(found)], check=True, env=os.environ | home, capture_output=True)
    for name in NAMES:
        older_h5(found / f"{name}.h5", found / f"{name}.2.h5")
        older_archive(found / f"{name}.keras", found / f"{name}.2.keras")
    return found


def read_and_asked(folder: Path, name: str, ending: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs of the network that is read from the file, and those that Keras gave."""
    asked = np.load(folder / f"{name}.npz")
    inputs = torch.from_numpy(asked["x"])
    inputs = {"columns": inputs[:, :, 0], "letters": inputs[..., 0], "rows": inputs[..., 0].mT}.get(name, inputs)
    with torch.no_grad():
        found = read_keras(str(folder / f"{name}.{ending}")).eval()(inputs.mT)
    outputs = list(found.values()) if isinstance(found, dict) else [found]
    return [each.numpy() for each in outputs], [asked[f"y{number}"] for number in range(len(outputs))]


@pytest.mark.parametrize("ending", WRITTEN)
@pytest.mark.parametrize("name", NAMES)
def test_a_network_gives_what_it_gives_in_keras(folder: Path, name: str, ending: str) -> None:
    for found, wanted in zip(*read_and_asked(folder, name, ending), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * max(1, float(np.abs(wanted).max())))


def test_several_outputs_have_the_names_of_their_layers(folder: Path) -> None:
    network = read_keras(str(folder / "bpnet.keras"))
    assert network.names == ("logits_profile_predictions", "logcount_predictions")
    assert network.input_length == 120


def test_inputs_beside_the_sequence_are_held_at_zero(folder: Path) -> None:
    assert read_keras(str(folder / "control.keras")).constants == ("track",)


@pytest.mark.parametrize("name", ["columns", "strided", "shared", "bpnet"])
def test_it_can_be_adopted(folder: Path, name: str) -> None:
    """Its representation and outputs are found as any network's."""
    network = read_keras(str(folder / f"{name}.keras"))
    head = "logcount_predictions" if name == "bpnet" else None
    adapted = AdaptedNetwork(network, network.input_length, Reading(head=head), name)
    one_hot = torch.eye(4)[torch.randint(0, 4, (3, network.input_length))].mT
    with torch.no_grad():
        torch.testing.assert_close(adapted.head(adapted.representation(one_hot)), adapted(one_hot))


def test_a_stack_is_read_for_the_compiled_chain(folder: Path) -> None:
    network = read_keras(str(folder / "columns.keras"))
    kinds = [type(step).__name__ for _, step in read_layers(AdaptedNetwork(network, 64, Reading(), "columns"))]
    assert kinds[:3] == ["ConstantPad1d", "Conv1d", "ReLU"]


def configured(folder: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The file of `columns` with another configuration."""
    with zipfile.ZipFile(folder / "columns.keras") as source, zipfile.ZipFile(target, "w") as made:
        configuration = json.loads(source.read("config.json"))
        change(configuration)
        made.writestr("config.json", json.dumps(configuration))
        made.writestr("model.weights.h5", source.read("model.weights.h5"))
    return str(target)


def layer(kind: str, **config: object) -> Callable[[dict[str, Any]], object]:
    """Put another layer in the place of the dropout."""

    def change(configuration: dict[str, Any]) -> None:
        found = next(each for each in configuration["config"]["layers"] if each["class_name"] == "Dropout")
        found["class_name"] = kind
        found["config"] |= config

    return change


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a lambda": (layer("Lambda", function="4wEAAAA="), r"dropout.* \(Lambda\): is code in the file, which is not run"),
    "a class of somebody's": (layer("Attention>Mine"), r"Attention>Mine\): is not a layer that is known here"),
    "an activation of somebody's": (layer("Activation", activation={"class_name": "mine"}), "activation .*mine"),
    "channels first": (layer("MaxPooling2D", data_format="channels_first", pool_size=2), "keeps channels first"),
    "a pool over letters": (
        layer("MaxPooling2D", pool_size=[2, 2], strides=None, padding="valid"),
        "2 by 2, over more",
    ),
    "no sizes": (layer("MaxPooling2D"), "cannot be built .KeyError: 'pool_size'"),
    "a network of a class of its own": (lambda c: c.update(class_name="Mine"), "is a Mine, a class whose code"),
    "no layers": (lambda c: c["config"].update(layers=[]), "cannot be read as a network of Keras"),
    "five letters": (
        lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, 64, 1, 5]),
        "has 0 inputs of four letters",
    ),
    "no configuration": (lambda c: c.clear(), "cannot be read as a network of Keras .KeyError"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    change, said = REFUSED[name]
    with pytest.raises(InputError, match=said):
        read_keras(configured(folder, tmp_path / "a.keras", change))


def with_weights(folder: Path, target: Path, change: Callable[[h5py.File], object]) -> str:
    """The file of `columns` with other weights."""
    with zipfile.ZipFile(folder / "columns.keras") as source, zipfile.ZipFile(target, "w") as made:
        weights = io.BytesIO(source.read("model.weights.h5"))
        with h5py.File(weights, "r+") as file:
            change(file["layers/dense/vars"])
        made.writestr("config.json", source.read("config.json"))
        made.writestr("model.weights.h5", weights.getvalue())
    return str(target)


def test_other_files_are_not_read_through_links(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros((110, 7), np.float32)
    layout = h5py.VirtualLayout((110, 7), np.float32)
    layout[:] = h5py.VirtualSource(str(other), "secret", (110, 7))

    def link(group: h5py.Group) -> None:
        del group["0"]
        group["0"] = h5py.ExternalLink(str(other), "/secret")

    def virtual(group: h5py.Group) -> None:
        del group["0"]
        group.create_virtual_dataset("0", layout)

    def outside(group: h5py.Group) -> None:
        del group["0"]
        group.create_dataset("0", (110, 7), np.float32, external=[(str(other), 0, h5py.h5f.UNLIMITED)])

    for change in (link, virtual, outside):
        with pytest.raises(InputError, match=r"stands in another file, which is not read|cannot be read"):
            read_keras(with_weights(folder, tmp_path / "a.keras", change))


def test_weights_of_another_size_are_refused(folder: Path, tmp_path: Path) -> None:
    def change(group: h5py.Group) -> None:
        del group["0"]
        group["0"] = np.zeros((3, 7), np.float32)

    with pytest.raises(InputError, match=r"dense.* \(Dense\): cannot be built"):
        read_keras(with_weights(folder, tmp_path / "a.keras", change))


def test_weights_alone_and_damage_are_said(folder: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["dense/kernel:0"] = np.zeros(3)
    with pytest.raises(InputError, match=r"holds weights and no network; save the whole network"):
        read_keras(str(tmp_path / "weights.h5"))
    whole = (folder / "columns.h5").read_bytes()
    for number, length in enumerate((9, 2000, len(whole) // 2)):
        (tmp_path / f"{number}.h5").write_bytes(whole[:length])
        with pytest.raises(InputError, match="cannot be read as a network of Keras"):
            read_keras(str(tmp_path / f"{number}.h5"))


def test_files_are_told_by_what_stands_in_them(folder: Path, tmp_path: Path) -> None:
    assert all(is_keras(str(folder / f"bpnet.{ending}")) for ending in WRITTEN)
    torch.save({"a": torch.zeros(3)}, tmp_path / "state.h5")
    (tmp_path / "text").write_text("PK not an archive")
    assert not any(is_keras(str(tmp_path / name)) for name in ("state.h5", "text"))


def test_a_length_that_the_file_leaves_open_must_be_given(folder: Path, tmp_path: Path) -> None:
    def opened(configuration: dict[str, Any]) -> None:
        configuration["config"]["layers"][0]["config"]["batch_shape"] = [None, None, 1, 4]

    path = configured(folder, tmp_path / "a.keras", opened)
    with pytest.raises(InputError, match="reads sequences of any length; give the input length"):
        read_keras(path)
    assert read_keras(path, 64).input_length == 64
    with pytest.raises(InputError, match=r"reads 64 letters"):
        read_keras(str(folder / "columns.keras"), 65)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_built_again_from_what_is_said_of_it(folder: Path, name: str) -> None:
    """As JSON, with its weights by name."""
    network = read_keras(str(folder / f"{name}.keras")).eval()
    description = json.loads(json.dumps(described(network.graph)))
    again = KerasNetwork(from_description(description), "again", None).eval()
    again.load_state_dict(network.state_dict())
    inputs = torch.rand(3, 4, network.input_length)
    with torch.no_grad():
        torch.testing.assert_close(again(inputs), network(inputs), rtol=0, atol=0)
