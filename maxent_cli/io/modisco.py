"""Anchors and what positions hold, as arrays that TF-MoDISco reads."""

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from maxent_cli.io.outputs import writing
from maxent_cli.io.samples import EPOCH


def write_modisco(folder: str, one_hot: NDArray[np.float32], attributions: NDArray[np.float32]) -> None:
    """Write one_hot.npz and attributions.npz, each (N, 4, L) under the name arr_0, for `modisco motifs -s S -a A`."""
    for name, values in (("one_hot", one_hot), ("attributions", attributions)):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(values), allow_pickle=False)
        with writing(f"{folder}/{name}.npz", "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            member = zipfile.ZipInfo("arr_0.npy", EPOCH)  # of a fixed date: the same bytes for the same values
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, buffer.getvalue())
