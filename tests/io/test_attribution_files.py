"""What is made of a table of scores: places in the genome once each, and arrays."""

from pathlib import Path

import numpy as np
import pytest
from filled import write_filled

from maxent_cli.alphabet import encode, one_hot
from maxent_cli.io.attribution_files import read_scores, write_arrays, write_bedgraph
from maxent_cli.tables.attribution import POSITIONS

HEADER = ("record", "position", "letter", "score", "A", "C", "G", "T", "chromosome", "chromosome_position")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Three records: on chr2 ahead; on chr10 two, on opposite strands, that share two places; held letters."""
    places = {"GAN": ("chr2", [7, 8, 9], [1.5, 0.0, None]), "CCA": ("chr10", [2, 3, 4], [1.0, 2.0, 3.0])}
    places |= {'T"A': ("chr10", [5, 4, 3], [10.0, 20.0, 30.0])}
    rows = [
        (letters, p, letters[p], score, score, -1.0, 0.25, None, chromosome, starts[p])
        for letters, (chromosome, starts, scores) in places.items()
        for p, score in enumerate(scores)
    ]
    rows += [("NA", p, "ACG"[p], 1.0, 1, 2, 3, 4, None, None) for p in range(3)]
    write_filled(tmp_path / "positions.tsv", POSITIONS, [dict(zip(HEADER, row, strict=True)) for row in rows])
    return str(tmp_path / "positions.tsv")


def test_a_place_is_once_in_a_bedgraph_with_the_mean_of_its_scores(path: str, tmp_path: Path) -> None:
    assert write_bedgraph(tmp_path / "a.bedgraph", read_scores(path)) == (6, 2)
    lines = [
        "chr10\t2\t3\t1",
        "chr10\t3\t4\t16",
        "chr10\t4\t5\t11.5",
        "chr10\t5\t6\t10",
        "chr2\t7\t8\t1.5",
        "chr2\t8\t9\t0",
    ]
    assert (tmp_path / "a.bedgraph").read_text() == "".join(f"{line}\n" for line in lines)


def test_arrays_are_as_modisco_reads_them(path: str, tmp_path: Path) -> None:
    write_arrays(tmp_path, read_scores(path))
    with np.load(tmp_path / "one_hot.npz") as letters, np.load(tmp_path / "attributions.npz") as scores:
        wanted = one_hot(np.stack([encode(word) for word in ("GAN", "CCA", 'T"A', "ACG")]))
        np.testing.assert_array_equal(letters["arr_0"], wanted)
        assert scores["arr_0"].shape == wanted.shape
        np.testing.assert_array_equal(scores["arr_0"][0], [[1.5, 0, 0], [-1] * 3, [0.25] * 3, [0] * 3])
        np.testing.assert_array_equal(scores["arr_0"][3], np.repeat([[1], [2], [3], [4]], 3, 1))
        assert scores["arr_0"].dtype == np.float32


def test_a_table_without_rows_gives_arrays_without_records(tmp_path: Path) -> None:
    write_filled(tmp_path / "positions.tsv", POSITIONS, [])
    table = read_scores(str(tmp_path / "positions.tsv"))
    assert write_bedgraph(tmp_path / "a.bedgraph", table) == (0, 0)
    write_arrays(tmp_path, table)
    with np.load(tmp_path / "one_hot.npz") as letters:
        assert letters["arr_0"].shape == (0, 4, 1)
