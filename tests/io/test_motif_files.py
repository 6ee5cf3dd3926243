import gzip
from pathlib import Path

import memelite.io
import numpy as np
import pytest
from Bio import motifs as biopython
from hostile_files import HOSTILE_NAMES, check_not_a_file, check_reader

from maxent_cli.data import Motif
from maxent_cli.errors import InputError
from maxent_cli.io.motif_files import (
    CTCF_MOTIF,
    DATABASES,
    read_meme,
    read_meme_file,
    write_jaspar,
    write_meme,
    write_pwm_table,
)

GOOD = (
    b"MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n"
    b"MOTIF M1 first\nletter-probability matrix: alength= 4 w= 2 nsites= 50 E= 1e-5\n"
    b" 0.5 0.5 0 0\n 0.1 0.2 0.3 0.4\nURL http://example.org\n\n"
    b"MOTIF M2\nletter-probability matrix:\n 1 0 0 0\n"
)


def some_motifs() -> list[Motif]:
    chance = np.random.default_rng(3)
    sizes = [(1, 3.0), (7, 41.6), (30, 1e5), (12, 0.2)]
    return [Motif(f"M{i} name{i}", sites * chance.dirichlet([0.4] * 4, w), sites) for i, (w, sites) in enumerate(sizes)]


def broken(old: bytes, new: bytes, folder: Path) -> str:
    assert old in GOOD
    (folder / "a.meme").write_bytes(GOOD.replace(old, new, 1))
    return str(folder / "a.meme")


def test_reads_minimal_meme(tmp_path: Path) -> None:
    path = tmp_path / "a.meme.gz"
    path.write_bytes(gzip.compress(GOOD))
    (first, second), background = read_meme_file(str(path))
    assert (first.name, first.sites, second.name, second.sites) == ("M1 first", 50, "M2", 20)
    np.testing.assert_allclose(first.counts, [[25, 25, 0, 0], [5, 10, 15, 20]])
    np.testing.assert_allclose(second.probabilities, [[1, 0, 0, 0]])
    np.testing.assert_allclose(background, [0.3, 0.2, 0.2, 0.3])


def test_reads_what_meme_itself_writes_around_the_matrix(tmp_path: Path) -> None:
    path = tmp_path / "meme.txt"
    path.write_text(
        "*****\nMEME - Motif discovery tool\n*****\nMEME version 5.5.5 (Release date)\n\nALPHABET= ACGT\n"
        "Background letter frequencies (from file dataset with add-one prior applied):\nA 0.3 C 0.2 G 0.2 T 0.3 \n"
        "MOTIF RRA MEME-1\twidth =   1  sites =  10  llr = 142  E-value = 1.6e-002\n"
        "\tMotif RRA MEME-1 position-specific scoring matrix\nlog-odds matrix: alength= 4 w= 1 n= 10 bayes= 5 E= 1\n"
        "   -35     30   -122     60\n\tMotif RRA MEME-1 position-specific probability matrix\n------\n"
        "letter-probability matrix: alength= 4 w= 1 nsites= 10 E= 1.6e-002\n 0.2 0.3 0.1 0.4\n------\n"
    )
    (motif,), background = read_meme_file(str(path))
    assert motif.name == "RRA MEME-1"
    np.testing.assert_allclose(motif.counts, [[2, 3, 1, 4]])
    np.testing.assert_allclose(background, [0.3, 0.2, 0.2, 0.3])


def test_background_is_uniform_where_missing(tmp_path: Path) -> None:
    path = broken(b"Background letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n", b"", tmp_path)
    np.testing.assert_allclose(read_meme_file(path)[1], 0.25)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b" 0.1 0.2 0.3 0.4", b" 0.1 0.2 0.3 0.5", "line 13: is not four probabilities"),
        (b" 0.1 0.2 0.3 0.4", b" 0.1 0.2 0.7", "line 13: is not four probabilities"),
        (b" 0.1 0.2 0.3 0.4", b" -0.1 0.2 0.5 0.4", "line 13: is not four probabilities"),
        (b" 0.1 0.2 0.3 0.4", b" nan 0.2 0.5 0.4", "line 13: is not four probabilities"),
        (b" 0.5 0.5 0 0", b" 25 25 0 0", "line 12: .*give probabilities, not counts"),
        (b"w= 2", b"w= 3", "line 11: 2 rows of 4 where the header says w= 3"),
        (b"alength= 4", b"alength= 20", "line 11: .*alength= 20"),
        (b"nsites= 50", b"nsites= many", "line 11: nsites= many"),
        (b"nsites= 50", b"nsites= -5", "line 11: nsites= -5"),
        (b"ALPHABET= ACGT", b"ALPHABET= ACDEFGHIKLMNPQRSTVWY", "line 3: the alphabet 'ACDEF"),
        (b"T 0.3", b"T 0.9", "line 7: is not four probabilities"),
        (b"MOTIF M2", b"MOTIF", "line 16: a motif without a name"),
        (b"letter-probability matrix:\n 1 0 0 0\n", b"", "line 16: motif M2 has no letter-probability matrix"),
    ],
)
def test_errors_name_the_line(old: bytes, new: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read_meme(broken(old, new, tmp_path))


def test_hostile_input(tmp_path: Path) -> None:
    check_not_a_file(read_meme, GOOD, tmp_path)
    check_reader(read_meme, GOOD, tmp_path)


def test_three_readers_agree_on_what_is_written(tmp_path: Path) -> None:
    path, written = tmp_path / "a.meme", some_motifs()
    write_meme(str(path), written, (0.3, 0.2, 0.2, 0.3))
    ours, background = read_meme_file(str(path))
    theirs = memelite.io.read_meme(str(path))
    with path.open() as stream:
        bio = biopython.parse(stream, "minimal")
    np.testing.assert_allclose(background, [0.3, 0.2, 0.2, 0.3])
    assert [m.name for m in ours] == list(theirs) == [m.name for m in written]
    assert [m.name for m in bio] == ["M0", "M1", "M2", "M3"]
    for motif, back, other in zip(written, ours, bio, strict=True):
        np.testing.assert_allclose(back.probabilities, motif.probabilities, atol=2e-6)
        np.testing.assert_allclose(theirs[motif.name].T, back.probabilities, atol=1e-9)
        assert other.num_occurrences == back.sites == max(1, round(motif.sites))
        counts = np.array([other.counts[letter] for letter in "ACGT"]).T
        np.testing.assert_allclose(counts, back.counts, atol=0.5)


def test_reading_and_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, motifs in [("a", some_motifs()), ("b", None)]:
        write_meme(str(tmp_path / name), motifs or read_meme(str(tmp_path / "a")))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "a\nMOTIF b", "one two three", ""])
def test_names_cannot_break_the_file(name: str, tmp_path: Path) -> None:
    write_meme(str(tmp_path / "a"), [Motif(name, np.ones((2, 4)), 4.0)])
    write_jaspar(str(tmp_path / "b"), [Motif(name, np.ones((2, 4)), 4.0)])
    (back,) = read_meme(str(tmp_path / "a"))
    assert "_".join(back.name.split()) == ("_".join(name.split()) or "motif")
    with (tmp_path / "b").open() as stream:
        assert len(biopython.parse(stream, "jaspar")) == 1


def test_jaspar_counts_are_read_by_biopython(tmp_path: Path) -> None:
    counts = np.array([[1.0, 2, 3, 4], [0, 0.5, 9.5, 0]])
    write_jaspar(str(tmp_path / "a"), [Motif("X1 name", counts, 10.0)])
    with (tmp_path / "a").open() as stream:
        (back,) = biopython.parse(stream, "jaspar")
    assert (back.matrix_id, back.name) == ("X1", "name")
    np.testing.assert_allclose([back.counts[letter] for letter in "ACGT"], counts.T)


def test_log_odds_are_against_the_background_with_one_pseudocount(tmp_path: Path) -> None:
    motif, q = Motif("m", np.array([[3.0, 0, 0, 1]]), 4.0), np.array([0.4, 0.1, 0.1, 0.4])
    np.testing.assert_allclose(motif.log_odds(q), np.log2([[3.4 / 5 / 0.4, 0.2, 0.2, 1.4 / 5 / 0.4]]))
    write_pwm_table(str(tmp_path / "a"), [motif], q)
    assert (
        tmp_path / "a"
    ).read_text() == "motif\tposition\tA\tC\tG\tT\nm\t0\t0.765535\t-2.32193\t-2.32193\t-0.514573\n"
    assert np.allclose(Motif("q", np.array([q * 7]), 7.0).log_odds(q), 0)


def test_the_ctcf_matrix_that_is_shipped() -> None:
    (motif,) = read_meme(CTCF_MOTIF)
    assert (motif.name, motif.sites, motif.counts.shape) == ("MA0139.1 CTCF", 913, (19, 4))
    expected = [87, 167, 281, 56, 8, 744, 40, 107, 851, 5, 333, 54, 12, 56, 104, 372, 82, 117, 402]
    np.testing.assert_allclose(motif.counts[:, 0], expected, atol=3)  # some columns of JASPAR's hold up to 5 sites less
    head = Path(CTCF_MOTIF).read_text().split("MOTIF")[0]
    assert "CC BY 4.0" in head
    assert "JASPAR MA0139.1" in head


def test_the_databases_that_are_shipped() -> None:
    found = {name: [motif for path in paths for motif in read_meme(path)] for name, paths in DATABASES.items()}
    counts = {name: len(motifs) for name, motifs in found.items()}
    assert counts == {"jaspar-vertebrates": 841, "jaspar-fungi": 179, "jaspar": 841 + 179}
    assert "CC BY 4.0" in Path(CTCF_MOTIF).with_name("LICENSES.md").read_text()
    jaspar = next(motif for motif in found["jaspar-vertebrates"] if motif.name == "MA0139.1 CTCF")
    np.testing.assert_allclose(jaspar.probabilities, read_meme(CTCF_MOTIF)[0].probabilities, atol=2e-6)
