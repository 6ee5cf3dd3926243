"""What is made of a table of scores: places in the genome once each, and arrays."""

import contextlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyBigWig
import pytest
from filled import write_filled

from maxent_cli.alphabet import encode, one_hot
from maxent_cli.io.attribution_files import read_scores, write_arrays
from maxent_cli.io.tracks import session, write_signal
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
    assert write_signal(tmp_path, "a", read_scores(path), "score") == (6, 2)
    lines = [
        "chr10\t2\t3\t1",
        "chr10\t3\t4\t16",
        "chr10\t4\t5\t11.5",
        "chr10\t5\t6\t10",
        "chr2\t7\t8\t1.5",
        "chr2\t8\t9\t0",
    ]
    assert (tmp_path / "a.bedgraph").read_text() == "".join(f"{line}\n" for line in lines)


def test_a_bigwig_holds_the_same(path: str, tmp_path: Path) -> None:
    write_signal(tmp_path, "a", read_scores(path), "score")
    plain = [line.split("\t") for line in (tmp_path / "a.bedgraph").read_text().splitlines()]
    with contextlib.closing(pyBigWig.open(str(tmp_path / "a.bw"))) as file:
        assert file.chroms() == {"chr10": 6, "chr2": 9}
        found = [(name, *place) for name in sorted(file.chroms()) for place in file.intervals(name)]
    assert found == [(name, int(start), int(end), float(value)) for name, start, end, value in plain]
    first = (tmp_path / "a.bw").read_bytes()
    write_signal(tmp_path, "a", read_scores(path), "score")
    assert (tmp_path / "a.bw").read_bytes() == first


def test_a_session_names_tracks_by_their_places_beside_it(tmp_path: Path) -> None:
    tracks = [str(tmp_path / "out/a & b.bw"), str(tmp_path / "sites.bed")]
    opened = ElementTree.fromstring(session(str(tmp_path / "out/igv.xml"), tracks, "hg.fa").encode())
    assert [dict(each.attrib) for each in opened.iter("Resource")] == [
        {"path": "a & b.bw", "type": "bigwig"},
        {"path": "../sites.bed", "type": "bed"},
    ]
    assert (tmp_path / "out" / opened.attrib["genome"]).resolve() == Path("hg.fa").resolve()


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
    assert write_signal(tmp_path, "a", table, "score") == (0, 0)
    assert not list(tmp_path.glob("a.*"))
    write_arrays(tmp_path, table)
    with np.load(tmp_path / "one_hot.npz") as letters:
        assert letters["arr_0"].shape == (0, 4, 1)
