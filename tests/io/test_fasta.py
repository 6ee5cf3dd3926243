import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hostile_files import HOSTILE_NAMES, check_not_a_file, check_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from maxent_cli.alphabet import decode, encode
from maxent_cli.data import Interval, Record
from maxent_cli.errors import InputError
from maxent_cli.io.fasta import interval_of_name, read_fasta, to_sequences, write_fasta

GOOD = b">chr1:10-14(-) a comment\nACGT\n>b\nAC\nGT\n>empty\n>n\nACNT\n"


def record(sequence: str, name: str = "a", interval: Interval | None = None) -> Record:
    return Record(name, sequence, "file: line 1", interval)


def test_reads_names_wrapped_lines_empty_records_and_places(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(GOOD)
    records = list(read_fasta(str(path)))
    assert [(r.name, r.sequence) for r in records] == [
        ("chr1:10-14(-)", "ACGT"),
        ("b", "ACGT"),
        ("empty", ""),
        ("n", "ACNT"),
    ]
    assert records[0].interval == Interval("chr1", 10, 14, "-")
    assert records[3].place == f"{path}: line 7"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.replace(b"\n", b"\r\n"),
        gzip.compress(GOOD),
        gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:]),  # several members, as bgzip writes
        b"\xef\xbb\xbf" + GOOD,
        b"; an old comment\n\n" + GOOD.replace(b"AC\nGT", b" AC GT \n\n"),
        GOOD.removesuffix(b"\n"),
    ],
    ids=["crlf", "gzip", "bgzip", "byte-order mark", "comments and spaces", "no last newline"],
)
def test_forms_of_a_file_read_the_same(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(GOOD)
    (tmp_path / "other").write_bytes(data)
    plain, other = (list(read_fasta(str(tmp_path / name))) for name in ("plain", "other"))
    assert [(r.name, r.sequence, r.interval) for r in plain] == [(r.name, r.sequence, r.interval) for r in other]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(GOOD))))
    assert [r.name for r in read_fasta("-")] == ["chr1:10-14(-)", "b", "empty", "n"]


def test_text_before_the_first_header_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("\nACGT\n")
    with pytest.raises(InputError, match=r"a: line 2: is not FASTA"):
        list(read_fasta(str(tmp_path / "a")))


def test_hostile_input(tmp_path: Path) -> None:
    check_not_a_file(read_fasta, GOOD, tmp_path)
    check_reader(lambda path: [to_sequences(read_fasta(path), crop=True)], GOOD, tmp_path)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_odd_names_come_back(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "a.fa")
    write_fasta(path, [name, "next"], ["ACGT", "AC"])
    assert [(r.name, r.sequence) for r in read_fasta(path)] == [(name, "ACGT"), ("next", "AC")]


def test_a_newline_in_a_name_does_not_start_a_record(tmp_path: Path) -> None:
    path = str(tmp_path / "a.fa")
    write_fasta(path, ["a\n>b c"], ["ACGT"])
    assert [r.name for r in read_fasta(path)] == ["a_>b_c"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.text(st.characters(categories=("L", "N", "P")), min_size=1), st.text("ACGTNacgt"))))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    rows = [("first", "A"), *rows]
    path = str(tmp_path_factory.mktemp("fasta") / "a.fa")
    write_fasta(path, [name for name, _ in rows], [sequence for _, sequence in rows])
    assert [(r.name, r.sequence) for r in read_fasta(path)] == rows


@pytest.mark.parametrize(
    ("name", "length", "interval"),
    [
        ("chr1:10-20", 10, Interval("chr1", 10, 20)),
        ("chr1:10-20", 11, Interval("chr1", 9, 20)),  # both ends counted, from 1
        ("chr1:0-10", 11, None),  # cannot be counted from 1, and is no place of eleven letters
        ("peak::chr1:10-20(+)", 10, Interval("chr1", 10, 20, "+")),
        ("a::b::HLA-A*01:10-20(-)", 10, Interval("HLA-A*01", 10, 20, "-")),
        ("chr1:10-20_shuf", 10, Interval("chr1", 10, 20)),
        ("chr1:20-10", 10, None),
        ("chr1:10-20(x)", 10, None),
        ("chr1:a-20", 10, None),
        ("chr1", 10, None),
        ("", 0, None),
    ],
)
def test_intervals_in_names(name: str, length: int, interval: Interval | None) -> None:
    assert interval_of_name(name, length) == interval


def test_rejects_with_the_reason_and_loses_none() -> None:
    records = [
        record("", "empty"),
        record("ACgt", "good"),
        record("ACG", "short"),
        record("ACGTA", "long"),
        record("ACnT", "unknown"),
        record("ACéT", "accent"),
        record("ACGT", ""),
        record("TTTT", "good"),
    ]
    kept, rejected = to_sequences(records)
    assert kept.names == ("good", "good")
    assert [decode(row) for row in kept.codes] == ["ACGT", "TTTT"]
    assert {r.name: r.reason for r in rejected} == {
        "empty": "empty",
        "short": "shorter than 4 bp",
        "long": "longer than 4 bp",
        "unknown": "letter N (not one of ACGT)",
        "accent": "letter U+00E9 (not one of ACGT)",
        "": "no name",
    }


def test_no_records_give_no_rows_of_the_length_asked_for() -> None:
    kept, rejected = to_sequences([], 7)
    assert kept.codes.shape == (0, 7)
    assert kept.codes.dtype == np.uint8
    assert rejected == []


@pytest.mark.parametrize(("length", "start"), [(10, 100), (9, 101), (8, 101), (4, 103), (1, 105)])
def test_crop_keeps_the_middle_of_sequence_and_interval(length: int, start: int) -> None:
    whole = "ACGTTGCAAC"
    kept, _ = to_sequences([record(whole, interval=Interval("chr1", 100, 110, "+"))], length, crop=True)
    assert kept.intervals[0] == Interval("chr1", start, start + length, "+")
    assert decode(kept.codes[0]) == whole[start - 100 : start - 100 + length]


def test_crop_of_the_other_strand_counts_from_the_end() -> None:
    kept, _ = to_sequences([record("ACGTTGCAAC", interval=Interval("chr1", 100, 110, "-"))], 9, crop=True)
    assert decode(kept.codes[0]) == "CGTTGCAAC"
    assert kept.intervals[0] == Interval("chr1", 100, 109, "-")


def test_crop_leaves_shorter_records_to_be_rejected() -> None:
    kept, rejected = to_sequences([record("ACG")], 4, crop=True)
    assert len(kept) == 0
    assert rejected[0].reason == "shorter than 4 bp"


@given(st.text("ACGT", min_size=1, max_size=30), st.integers(1, 30))
def test_crop_centres(sequence: str, length: int) -> None:
    kept, rejected = to_sequences([record(sequence)], length, crop=True)
    assert len(kept) + len(rejected) == 1
    if len(sequence) >= length:
        middle = len(sequence) // 2
        assert kept.codes[0, length // 2] == encode(sequence[middle])[0]


def test_a_crop_moves_the_coordinates_in_the_name_too(tmp_path: Path) -> None:
    path = tmp_path / "peaks.fa"
    write_fasta(str(path), ["p1::chr1:1000-1200(-)", "plain"], ["ACGT" * 50] * 2)
    cropped, _ = to_sequences(read_fasta(str(path)), 101, crop=True)
    write_fasta(str(path), cropped.names, map(decode, cropped.codes))
    again, _ = to_sequences(read_fasta(str(path)), 101)
    assert again.names == ("p1::chr1:1050-1151(-)", "plain") or again.names == ("p1::chr1:1049-1150(-)", "plain")
    assert again.intervals == cropped.intervals
