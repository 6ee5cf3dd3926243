"""A file of Keras 2 that h5py writes, as Keras 2.2 did: a network of one convolution, with random weights."""

import json
from pathlib import Path

import h5py
import numpy as np

FILTERS, WIDTH = 6, 8


def write_keras(path: Path, length: int) -> None:
    """Letters as channels of an image one wide, a convolution, pooling, two dense layers, a sigmoid."""
    pooled = -(-length // 3)
    layers = [
        ("Conv2D", {"kernel_size": [WIDTH, 1], "strides": [1, 1], "dilation_rate": [1, 1], "padding": "same"}),
        ("MaxPooling2D", {"pool_size": [3, 1], "strides": [3, 1], "padding": "same"}),
        ("Flatten", {}),
        ("Dense", {"activation": "relu"}),
        ("Dense", {"activation": "sigmoid"}),
    ]
    shapes = {0: (WIDTH, 1, 4, FILTERS), 3: (pooled * FILTERS, 5), 4: (5, 1)}
    layers[0][1].update(activation="relu", batch_input_shape=[None, length, 1, 4])
    named = [{"class_name": kind, "config": {"name": f"layer_{n}"} | config} for n, (kind, config) in enumerate(layers)]
    rng = np.random.default_rng(2)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": named}).encode()
        weights = file.create_group("model_weights")
        for number, each in enumerate(named):
            name = each["config"]["name"]
            group = weights.create_group(name)
            shape = shapes.get(number)
            given = {} if shape is None else {"kernel:0": shape, "bias:0": shape[-1:]}
            group.attrs["weight_names"] = [f"{name}/{key}".encode() for key in given]
            for key, size in given.items():
                group[f"{name}/{key}"] = rng.normal(0, 0.3, size).astype(np.float32)
