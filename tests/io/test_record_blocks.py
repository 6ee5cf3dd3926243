"""Blocks of a file's records: together they are what the whole is read as, whatever the file holds."""

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hostile_files import mutants

from maxent_cli.data import Rejected, Sequences, Shard
from maxent_cli.errors import InputError
from maxent_cli.io import digests, places
from maxent_cli.io.bed import interval_places, read_intervals
from maxent_cli.io.fasta import fasta_places, read_fasta
from maxent_cli.io.places import Places
from maxent_cli.io.records import RecordSource, read_part, read_sequences
from maxent_cli.io.tables import labelled_places, read_labelled
from maxent_cli.io.windows import read_flanked

FASTA = "\ufeff>a one\r\nACGT\r\nAC\n\n>b\nACGTAC\n;note\n  >c\nNN\n>\n>chr1:4-10\nacgtaa\n> d\nACGTACG\n".encode()
BED = b"track x\nchr1\t2\t8\tp1\t0\t+\n\n#chr1\t1\t2\nchr1\t9\t15\nbrowser y\nchr2\t0\t6\nchr1\t20\t26\tp3\t1\t-\n"
TABLE = "\ufeffid\tsequence\tlabel\r\na\tACGTAC\t1\n\n\tACGTAA\t0\n  \n é\tNNNNNN\t1\nf\tACG\t0\n".encode()
READERS = {
    "fasta": (read_fasta, fasta_places, FASTA),
    "bed": (read_intervals, interval_places, BED),
    "table": (read_labelled, labelled_places, TABLE),
}


def outcome(read: Callable[[], list[object]]) -> list[object] | str:
    try:
        return read()
    except InputError as error:
        return str(error)


def in_blocks(
    path: str, read: Callable[..., Iterator[object]], find: Callable[[str], Places], parts: int
) -> list[object]:
    known = find(path)
    blocks = [Shard(n, parts).block(known.count) for n in range(1, parts + 1)]
    return [record for block in blocks for record in read(path, block, known.before(block.start))]


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", READERS)
def test_blocks_are_the_whole_of_any_file(
    kind: str, parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, find, good = READERS[kind]
    path = tmp_path / "input"
    errors = 0
    for number, data in enumerate([good, good.replace(b"\n", b"\r"), gzip.compress(good), *mutants(good, 300)]):
        monkeypatch.setattr(places, "_PIECE", (1, 7, 30, 1 << 22)[number % 4])
        path.write_bytes(data)
        digests.forget()
        whole = outcome(lambda: list(read(str(path))))
        digests.forget()
        found = outcome(lambda: in_blocks(str(path), read, find, parts))
        assert found == whole or (isinstance(found, str) and isinstance(whole, str)), data  # of two faults, another
        errors += isinstance(whole, str)
    assert 10 < errors < 290


@pytest.mark.parametrize("kind", READERS)
def test_a_block_is_read_from_where_it_begins(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the block's piece is read again: what stands before it may be gone."""
    read, find, good = READERS[kind]
    monkeypatch.setattr(places, "_PIECE", 8)
    path = tmp_path / "input"
    path.write_bytes(good)
    digests.forget()
    whole, known = list(read(str(path))), find(str(path))
    number = known.count - 1
    begin = known.before(number)
    assert begin.records == number
    header = good.find(b"\n") + 1 if kind == "table" else 0
    path.write_bytes(good[:header] + b"!" * (begin.offset - header) + good[begin.offset :])
    assert list(read(str(path), range(number, number + 1), begin)) == whole[number:]


def source(folder: Path, kind: str) -> RecordSource:
    (folder / "genome.fa").write_text(">chr1\nACGTTGCAAC\nGGGTCATTAC\nCCATGNACgt\n>chr2\nACGTACGTAC\nGT\n")
    path = folder / ("records.bed" if kind == "bed" else "records")
    path.write_bytes(BED if kind == "bed" else FASTA)
    return RecordSource(str(path), str(folder / "genome.fa"))


def flanked(some: RecordSource) -> tuple[Sequences, list[Rejected]]:
    return read_flanked(some, 10, None)


WAYS = {
    "as they are": lambda some: read_sequences(some, 6),
    "of the first one's length": lambda some: read_sequences(some, None if some.path.endswith("records") else 6),
    "in the genome": flanked,
}


@pytest.mark.parametrize("parts", [2, 5, 9])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["fasta", "bed"])
def test_parts_are_the_whole(kind: str, way: str, parts: int, tmp_path: Path) -> None:
    given = source(tmp_path, kind)
    whole, left_out = WAYS[way](given)
    found = [read_part(given, Shard(n, parts), WAYS[way]) for n in range(1, parts + 1)]
    total = len(whole) + len(left_out)
    assert {count for _, _, count in found} == {total}
    assert [name for part, _, _ in found for name in part.names] == list(whole.names)
    assert [record for _, rejected, _ in found for record in rejected] == sorted(left_out, key=lambda one: one.number)
    np.testing.assert_array_equal(np.concatenate([part.numbered for part, _, _ in found]), whole.numbered)
    np.testing.assert_array_equal(np.concatenate([part.codes for part, _, _ in found]), whole.codes)
    assert sorted([*whole.numbered.tolist(), *(record.number for record in left_out)]) == list(range(total))
    for (part, rejected, _), n in zip(found, range(1, parts + 1), strict=True):
        block = Shard(n, parts).block(total)
        assert all(number in block for number in (*part.numbered, *(record.number for record in rejected)))


def test_a_pipe_is_read_whole_and_that_is_said(tmp_path: Path) -> None:
    given, said = source(tmp_path, "fasta"), list[str]()
    whole = read_sequences(given, 6)[0]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeding = threading.Thread(target=lambda: pipe.write_bytes(FASTA))
    feeding.start()
    token = digests.saying.set(said.append)
    try:
        part, _, count = read_part(RecordSource(str(pipe)), Shard(2, 3), WAYS["as they are"])
    finally:
        digests.saying.reset(token)
        feeding.join(5)
    block = Shard(2, 3).block(count)
    assert part.names == whole.within(block).names
    assert said == [f"{pipe}: is no file, and all its records are read for this part"]


@pytest.mark.parametrize("around", [2, 3, 100])
def test_a_block_may_be_widened(around: int, tmp_path: Path) -> None:
    given = source(tmp_path, "fasta")
    part, rejected, count = read_part(given, Shard(2, 3), WAYS["as they are"], around)
    numbers = sorted([*part.numbered.tolist(), *(record.number for record in rejected)])
    block = Shard(2, 3).block(count)
    assert numbers == list(range(block.start // around * around, min(-(-block.stop // around) * around, count)))


def test_the_digest_of_a_block_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(FASTA * 2000)
    digests.forget()
    list(read_fasta(str(path), range(2, 3)))
    assert digests.noted(str(path)) == digests.digest(str(path))
    assert str(path) in "".join(digests._NOTED)
