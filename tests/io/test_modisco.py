import numpy as np

from maxent_cli.io.modisco import write_modisco


def test_arrays_are_where_modisco_looks_and_the_same_bytes_twice(tmp_path):
    one_hot, values = np.eye(4, dtype=np.float32)[None], np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    for name in ("a", "b"):
        write_modisco(str(tmp_path / name), one_hot, values)
    for name, expected in (("one_hot", one_hot), ("attributions", values)):
        with np.load(tmp_path / "a" / f"{name}.npz") as members:
            np.testing.assert_array_equal(members["arr_0"], expected)
        assert (tmp_path / "a" / f"{name}.npz").read_bytes() == (tmp_path / "b" / f"{name}.npz").read_bytes()
