"""An index that is wrong gives no wrong letters, whatever its time: it is made again."""

import os
from collections.abc import Callable
from pathlib import Path

import pyfaidx
import pytest

from maxent_cli.data import Interval, Record
from maxent_cli.errors import InputError
from maxent_cli.io import digests, genome_index, outputs
from maxent_cli.io.bed import BedRow, fetch_windows
from maxent_cli.io.genome_index import index_digest, index_of, is_right

LETTERS = {
    "one": "ACGTTGCAACGGGTCATTACCCATG",
    "two": "TTTTGGGGCCCCAAAATTTTGGGGCC",
    "three": "GATTACAGAT",
    "four": "ACGTA",
}
WIDTH = 10


def wrapped(name: str, letters: str, end: str = "\n") -> str:
    lines = [letters[at : at + WIDTH] for at in range(0, len(letters), WIDTH)]
    return end.join([f">{name}", *lines]) + end


def write(path: Path, letters: dict[str, str], end: str = "\n") -> str:
    path.write_bytes("".join(wrapped(name, row, end) for name, row in letters.items()).encode())
    return str(path)


def indexed(path: Path) -> None:
    """An index that is newer than its file."""
    pyfaidx.Faidx(str(path), rebuild=False).close()
    later = path.stat().st_mtime + 100
    os.utime(f"{path}.fai", (later, later))


def letters_of(path: str, names: list[str]) -> dict[str, str]:
    rows = [BedRow(Interval(name, 1, 5)) for name in names]
    found = list(fetch_windows(path, rows, 4))
    return {name: row.sequence for name, row in zip(names, found, strict=True) if isinstance(row, Record)}


EDITS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "a letter in front": lambda known: known | {"one": "T" + known["one"]},
    "a longer name": lambda known: {name.replace("one", "one more"): row for name, row in known.items()},
    "another name of as many letters": lambda known: {name.replace("one", "uno"): row for name, row in known.items()},
    "two names changed over": lambda known: known | {"one": known["two"], "two": known["one"]},
    "another order": lambda known: dict(reversed(known.items())),
    "one more at the end": lambda known: known | {"five": "GGGGG"},
    "one fewer at the end": lambda known: {name: row for name, row in known.items() if name != "four"},
    "one more in between": lambda known: {"one": known["one"], "other": "GGGGG"} | known,
    "the last is longer": lambda known: known | {"four": known["four"] + "T"},
    "the last is shorter": lambda known: known | {"four": known["four"][:-1]},
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_wrong_index_is_made_again(edit: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    write(path, LETTERS, end)
    indexed(path)
    assert is_right(str(path), f"{path}.fai")
    now = EDITS[edit](LETTERS)
    write(path, now, end)
    indexed_before = Path(f"{path}.fai").read_bytes()
    later = path.stat().st_mtime + 100
    os.utime(f"{path}.fai", (later, later))
    assert not is_right(str(path), f"{path}.fai")
    called = {name.split()[0]: row for name, row in now.items()}
    assert letters_of(str(path), list(called)) == {name: row[1:5] for name, row in called.items() if len(row) > 4}
    assert Path(f"{path}.fai").read_bytes() != indexed_before
    assert is_right(str(path), f"{path}.fai")
    assert {place.name for place in tmp_path.iterdir()} == {"genome.fa", "genome.fa.fai"}


@pytest.mark.parametrize("index", ["", "one\t4\n", "one\t400\t5\t400\t401\n", "\xff\n", "one\t-1\t5\t10\t11\n"])
def test_what_is_no_index_is_made_again(index: str, tmp_path: Path) -> None:
    path = write(tmp_path / "genome.fa", LETTERS)
    Path(f"{path}.fai").write_text(index, encoding="latin-1")
    assert letters_of(path, ["two"]) == {"two": "TTTG"}
    assert is_right(path, f"{path}.fai")


@pytest.mark.parametrize("older", [None, "two\t26\t0\t10\t11\n"])
def test_an_index_is_kept_beside_the_genome(older: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "genome.fa", LETTERS)
    litter = tmp_path / ".genome.fa.fai.999999.tmp"  # of a process that was killed
    litter.write_text("one")
    if older is not None:
        Path(f"{path}.fai").write_text(older)
    assert letters_of(path, ["two"]) == {"two": "TTTG"}
    assert {place.name for place in tmp_path.iterdir()} == {"genome.fa", "genome.fa.fai"}
    assert Path(f"{path}.fai").read_text().splitlines()[1] == "two\t26\t38\t10\t11"


@pytest.mark.parametrize("older", [None, "two\t26\t0\t10\t11\n"])
def test_where_it_cannot_be_kept_the_letters_are_right_and_the_waste_is_said_once(
    older: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said, built = write(tmp_path / "genome.fa", LETTERS), list[str](), list[str]()
    if older is not None:
        Path(f"{path}.fai").write_text(older)
    build = genome_index._build
    monkeypatch.setattr(genome_index, "_build", lambda *given: (built.append(path), build(*given))[1])

    def cannot(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(outputs.Path, "replace", cannot)
    token = digests.saying.set(said.append)
    try:
        assert letters_of(path, ["two"]) == letters_of(path, ["two"]) == {"two": "TTTG"}
    finally:
        digests.saying.reset(token)
    assert len(said) == len(built) == 1
    assert "cannot be kept beside it, and every run makes its own: make one where it can" in said[0]
    assert (Path(f"{path}.fai").read_text() if Path(f"{path}.fai").exists() else None) == older
    assert {place.name for place in tmp_path.iterdir()} <= {"genome.fa", "genome.fa.fai"}


def test_a_genome_that_cannot_be_indexed_leaves_the_index(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    write(path, LETTERS)
    indexed(path)
    kept = Path(f"{path}.fai").read_bytes()
    path.write_text(">one\nACGT\nAC\nACGT\n")
    with pytest.raises(InputError, match="cannot be indexed"):
        letters_of(str(path), ["one"])
    assert Path(f"{path}.fai").read_bytes() == kept


def test_the_digest_is_of_names_and_places(tmp_path: Path) -> None:
    first = index_digest(write(tmp_path / "a.fa", LETTERS))
    assert index_digest(write(tmp_path / "b.fa", LETTERS | {"one": LETTERS["one"][::-1]})) == first
    assert index_digest(write(tmp_path / "c.fa", dict(reversed(LETTERS.items())))) != first


def test_an_index_that_is_right_is_used(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    write(path, LETTERS)
    indexed(path)
    with index_of(str(path)) as index:
        assert index == f"{path}.fai"
