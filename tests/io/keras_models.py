"""Networks built, saved and asked by Keras itself, on torch: `python keras_models.py FOLDER`.

Of each, NAME.h5 and NAME.keras as Keras 3 writes them, and NAME.npz: inputs x as the network reads them, and outputs.
"""

import logging
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
from keras import layers as L

LENGTH = 64


def columns():
    """As the yeast nucleosome network is: letters as channels of an image, one wide."""
    return keras.Sequential(
        [
            *(L.Input((LENGTH, 1, 4)), L.Conv2D(6, (8, 1), padding="same", activation="relu")),
            *(L.MaxPooling2D((3, 1), padding="same"), L.BatchNormalization(), L.Conv2D(5, (4, 1), padding="same")),
            *(L.LeakyReLU(), L.Dropout(0.2), L.Flatten(), L.Dense(7, activation="relu")),
            L.Dense(1, activation="sigmoid"),
        ]
    )


def letters():
    """Letters as columns of an image, that a kernel reads at once."""
    scan = [L.Conv2D(6, (7, 4), activation="relu", use_bias=False), L.AveragePooling2D((4, 1)), L.Flatten()]
    return keras.Sequential([L.Input((LENGTH, 4, 1)), *scan, L.Dense(3, activation="softmax")])


def rows():
    """The same, of an image that lies."""
    scan = [L.Conv2D(6, (4, 7), activation="relu"), L.MaxPooling2D((1, 4)), L.Flatten()]
    return keras.Sequential([L.Input((4, LENGTH, 1)), *scan, L.Dense(2)])


def bpnet():
    """A dilated residual tower that is cropped as it goes, with a profile and a count (ChromBPNet's graph)."""
    read = L.Input((120, 4), name="sequence")
    x = L.Conv1D(8, 21, activation="relu", name="bpnet_1st_conv")(read)
    for number in range(1, 4):
        seen = L.Conv1D(8, 3, dilation_rate=2**number, activation="relu", name=f"bpnet_{number}conv")(x)
        x = L.add([seen, L.Cropping1D((x.shape[1] - seen.shape[1]) // 2)(x)])
    profile = L.Cropping1D(8)(L.Conv1D(1, 25, name="prof_out_precrop")(x))
    count = L.Dense(1, name="logcount_predictions")(L.GlobalAveragePooling1D()(x))
    return keras.Model([read], [L.Flatten(name="logits_profile_predictions")(profile), count])


def strided():
    """Strides, padding of each kind, functions by name."""
    return keras.Sequential(
        [
            *(L.Input((100, 4)), L.Conv1D(6, 9, strides=2, padding="same"), L.BatchNormalization(scale=False)),
            *(L.Activation("gelu"), L.MaxPooling1D(4, strides=3, padding="same")),
            *(L.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="elu"), L.SpatialDropout1D(0.1)),
            *(L.GlobalMaxPooling1D(), L.Dense(4, activation="softplus"), L.Dense(2, activation="linear")),
        ]
    )


def recurrent():
    """As DanQ is: a convolution, and a recurrent layer both ways; and one of another kind."""
    read = L.Input((LENGTH, 4))
    x = L.MaxPooling1D(3)(L.Conv1D(6, 9, activation="relu")(read))
    x = L.Bidirectional(L.LSTM(5, return_sequences=True))(x)
    return keras.Model(read, L.Dense(2)(L.GRU(4)(x)))


def nested():
    """Networks as layers of another one."""
    read = L.Input((120, 4))
    scan = [L.SeparableConv1D(5, 7, activation="relu"), L.LayerNormalization(), L.BatchNormalization(), L.Flatten()]
    inner = keras.Sequential([L.Input((120, 4)), *scan, L.Dense(1)], name="inner")
    profile, count = bpnet()(read)
    return keras.Model(read, [profile, L.Concatenate()([count, inner(read)])])


def control():
    """A track beside the sequence, and what is seldom met."""
    read, track = L.Input((90, 4), name="dna"), L.Input((70, 2), name="track")
    x = L.DepthwiseConv1D(3)(L.Concatenate(axis=-1)([L.Conv1D(6, 21, activation="relu")(read), track]))
    x = L.Multiply()([x, L.Activation("sigmoid")(x)])
    x = L.Reshape((-1,))(L.Permute((2, 1))(L.ZeroPadding1D((1, 2))(x)))
    return keras.Model([read, track], L.Dense(1)(x))


def shared():
    """A layer that is called twice, and the same dense layer at each position."""
    read = L.Input((LENGTH, 4))
    scan = L.Conv1D(4, 5, padding="same", activation="tanh")
    x = L.TimeDistributed(L.Dense(3, activation="relu"))(L.Average()([scan(read), scan(scan(read))]))
    return keras.Model(read, L.Dense(2)(L.Flatten()(L.Dense(4)(x))))


NETWORKS = (columns, letters, rows, bpnet, strided, recurrent, nested, control, shared)


def main(folder: Path) -> None:
    """Write all of them, with random weights."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    rng = np.random.default_rng(0)
    for build in NETWORKS:
        model = build()
        noise = [0.3 * rng.normal(size=value.shape) for value in model.get_weights()]
        kept = zip(model.get_weights(), noise, model.weights, strict=True)
        model.set_weights([v + (abs(n) if "variance" in w.path else n) for v, n, w in kept])
        first, *others = (tuple(each.shape[1:]) for each in model.inputs)
        inputs = [rng.random((5, *first)).astype("float32"), *(np.zeros((5, *shape), "float32") for shape in others)]
        found = model(inputs if others else inputs[0])
        outputs = {f"y{number}": value.detach().numpy() for number, value in enumerate(keras.tree.flatten(found))}
        np.savez(folder / f"{build.__name__}.npz", x=inputs[0], **outputs)
        for ending in ("h5", "keras"):
            model.save(folder / f"{build.__name__}.{ending}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
