"""What every reader must survive: damaged copies of a good file, and things that are no such file at all."""

import gzip
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maxent_cli.errors import InputError

HOSTILE_NAMES = ["../../x", "a/b", '"quoted"', "<script>alert(1)</script>", "-rf", "é☃", "n" * 10_000, "a'b`c$(d)"]


PIECES = [b"\t", b"\n", b"\r\n", b">", b"-1", b"1e999", b"nan", b"\0", b"\xff", b"9" * 30, b" "]


def damaged(good: bytes) -> st.SearchStrategy[bytes]:
    """The good file cut short, with a stretch replaced by junk or a repeat of itself; or junk alone; gzipped or not."""
    place = st.integers(0, len(good))
    pieces = st.sampled_from(PIECES)
    junk = st.one_of(st.binary(max_size=20), pieces)
    spliced = st.builds(lambda a, b, new: good[:a] + new + good[b:], place, place, junk)
    plain = st.one_of(spliced, spliced, st.binary(max_size=200))
    squeezed = plain.map(lambda data: gzip.compress(data, mtime=0))
    cut = st.builds(lambda data, end: data[: max(2, len(data) - end)], squeezed, st.integers(0, 30))
    flipped = st.builds(lambda data, at, bit: _flip(data, at, bit), squeezed, st.integers(0, 60), st.integers(0, 7))
    return st.one_of(plain, plain, squeezed, cut, flipped)


def mutants(good: bytes, count: int) -> Iterator[bytes]:
    """So many copies of a good file, each with up to three faults, one in four compressed and perhaps damaged again."""
    chance = random.Random(0)
    for _ in range(count):
        data = good
        for _ in range(chance.randint(1, 3)):
            data = _mutated(data, chance)
        if chance.random() < 0.25:
            data = gzip.compress(data, 1, mtime=0)
            data = _mutated(data, chance) if chance.random() < 0.5 else data
        yield data


def check_reader(
    read: Callable[[str], Iterable[object]],
    good: bytes,
    folder: Path,
    examples: int = 250,
    place: Path | None = None,
    files: st.SearchStrategy[bytes] | None = None,
) -> None:
    """Read damaged files: an answer or an InputError of one line, which names the file, and nothing else.

    place: of the file, where the path that is read is that of a folder. files: others than damaged copies of the good.
    """

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(damaged(good) if files is None else files)
    def attempt(data: bytes) -> None:
        check_one(read, data, folder, place)

    attempt()


def check_one(read: Callable[[str], Iterable[object]], data: bytes, folder: Path, place: Path | None = None) -> None:
    """Read one damaged file."""
    path = place or folder / "input"
    path.write_bytes(data)
    error = _input_error(read, str(path))
    if error is not None:
        assert str(error).startswith(str(folder))
        assert len(str(error).splitlines()) == 1
        assert error.problem
        assert error.cure


def check_not_a_file(read: Callable[[str], Iterable[object]], good: bytes, folder: Path) -> None:
    """A folder, nothing, an empty file, binary junk and a truncated gzip file each raise InputError."""
    with pytest.raises(InputError, match="is a folder"):
        list(read(str(folder)))
    with pytest.raises(InputError, match="no such file"):
        list(read(str(folder / "missing")))
    for name, data, words in [
        ("empty", b"", "holds no|no column"),
        ("junk", bytes(range(256)), "is not a text file"),
        ("cut.gz", gzip.compress(good + b"\n" * 100_000)[:-20], "damaged gzip file"),
    ]:
        (folder / name).write_bytes(data)
        with pytest.raises(InputError, match=words):
            list(read(str(folder / name)))


def _input_error(read: Callable[[str], Iterable[object]], path: str) -> InputError | None:
    try:
        list(read(path))
    except InputError as error:
        return error
    return None


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """Data with a stretch left out, repeated, or replaced by a piece, by junk or by other bits; or cut short."""
    first, last = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    last = min(last, first + chance.choice((0, 1, 2, 8, 64, 10**9)))
    kind = chance.randrange(6)
    if kind == 0:
        return data[:first]
    if kind == 1:
        return _flip(data, first, chance.randrange(8)) if data else data
    new = (b"", data[first:last] * chance.randint(2, 4), chance.choice(PIECES), chance.randbytes(chance.randint(1, 20)))
    return data[:first] + new[kind - 2] + data[last:]


def _flip(data: bytes, at: int, bit: int) -> bytes:
    at = min(at, len(data) - 1)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
