"""Files as Keras 2 wrote them, made of those of Keras 3: other words in the configuration, other names of weights.

Keras 2.15 itself (tensorflow-cpu 2.15.1) was tried once, 2026-11-27: all nine networks of keras_models.py as `.h5` and
`.keras`, outputs off by 7e-7 at most.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py


def older_h5(newer: Path, older: Path) -> None:
    """An `.h5` in the words of Keras 2."""
    with h5py.File(newer) as source, h5py.File(older, "w") as target:
        target.attrs.update({"keras_version": b"2.4.0", "backend": b"tensorflow"})
        target.attrs["model_config"] = json.dumps(older_words(json.loads(source.attrs["model_config"])))
        weights = target.create_group("model_weights")
        for name, group in source["model_weights"].items():
            names = [str(each) for each in group.attrs["weight_names"]]
            made = weights.create_group(name)
            # moving statistics of inner networks stand last, and inner names are not led by the outer ones
            ordered = sorted(names, key=lambda each: "moving" in each) if name == "inner" else names
            shown = [each.removeprefix("inner/") + ":0" for each in ordered]
            made.attrs["weight_names"] = [each.encode() for each in shown]
            for theirs, ours in zip(ordered, shown, strict=True):
                made[ours] = group[theirs][()]


def older_archive(newer: Path, older: Path) -> None:
    """A `.keras` in the words of Keras 2, whose groups of variables have no names."""
    with zipfile.ZipFile(newer) as source, zipfile.ZipFile(older, "w") as target:
        target.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        target.writestr("config.json", json.dumps(older_words(json.loads(source.read("config.json")))))
        weights = io.BytesIO(source.read("model.weights.h5"))
        with h5py.File(weights, "r+") as file:
            file.visititems(lambda _, each: each.attrs.clear())
        target.writestr("model.weights.h5", weights.getvalue())


def older_words(given: Any) -> Any:
    """A configuration in the words of Keras 2."""
    if isinstance(given, list):
        return [older_words(each) for each in given]
    if not isinstance(given, dict):
        return given
    if given.get("class_name") == "DTypePolicy":
        return "float32"
    found = {name: older_words(value) for name, value in given.items()}
    if "batch_shape" in found:
        found["batch_input_shape"] = found.pop("batch_shape")
    if "negative_slope" in found:
        found["alpha"] = found.pop("negative_slope")
    if "inbound_nodes" in found:
        found["inbound_nodes"] = [older_call(call) for call in given["inbound_nodes"]]
    if isinstance(found.get("output_layers"), list) and found["output_layers"][1:2] == [0]:
        found["output_layers"] = [found["output_layers"]]
    return found


def older_call(call: dict[str, Any]) -> list[list[Any]]:
    """What a call reads: [layer, call, output, {}]; calls of an inner network are counted from 1."""
    tensors = call["args"][0] if isinstance(call["args"][0], list) else call["args"]
    histories = [each["config"]["keras_history"] for each in tensors]
    return [[name, number + (name in ("inner", "functional")), output, {}] for name, number, output in histories]
