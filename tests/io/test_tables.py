import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hostile_files import HOSTILE_NAMES, check_not_a_file, check_reader

from maxent_cli.data import Interval, Rejected
from maxent_cli.errors import InputError
from maxent_cli.io.tables import read_labelled, read_table, text_of, write_rejected, write_table
from maxent_cli.tables import Column, Table
from maxent_cli.tables.schema import NUMBER, SHARE, TEXT, TRUTH, WHOLE

TABLE = Table(
    "a.tsv",
    "a record",
    "what a test writes",
    (
        Column("record", TEXT, "", "Its name."),
        Column("bits", NUMBER, "bits", "Its bits.", "nobody knows"),
        Column("draws", WHOLE, "", "Its draws."),
        Column("seen", TRUTH, "", "Whether it was seen.", optional="nobody looked"),
    ),
).with_columns(["record", "bits", "draws"])
GOOD = b"id\tsequence\tlabel\nchr1:10-14\tACGT\t1\nb\tacgn\t0\n"


FORMULAS = ["=1+1", "@SUM(A1)", "-2+3|x", "+cmd", "'=1+1", "''@x", '=HYPERLINK("x";"y")']
TAME = ["a", "-", "+", "-1.5", "+3", "-1e-9", "'a", "''", "-inf", "'-1.5", "=", "chr1:5-9(-)"]


@pytest.mark.parametrize("name", [*FORMULAS, *TAME])
def test_text_that_a_spreadsheet_would_reckon_is_marked_and_comes_back(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "a.tsv")
    write_table(path, [{"record": name, "bits": -1.5, "draws": -3}], TABLE)
    cell = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).iloc[0]
    assert cell["record"] == (f"'{name}" if name in FORMULAS else name)
    assert (cell["bits"], cell["draws"]) == ("-1.5", "-3")
    assert next(read_table(path, TABLE, "write it again"))["record"] == name


def labelled(text: str, folder: Path) -> list[tuple[str, str, int]]:
    (folder / "a.tsv").write_text(text)
    return [(r.name, r.sequence, label) for r, label in read_labelled(str(folder / "a.tsv"))]


@pytest.mark.parametrize(
    "text",
    [
        "id\tsequence\tlabel\na\tACGT\t1\nb\tGG\t0\n",
        "Label\tSEQ\tName\r\n1\tACGT\ta\r\n\r\n0\tGG\tb\r\n",
        "FoldID\tEventID\tseq\tBound\nA\ta\tACGT\t1.0\nB\tb\tGG\t0",
        'id\tsequence\tlabel\n"a"\t"ACGT"\t"1"\nb\tGG\t0\n',
    ],
    ids=["plain", "other order and case, CRLF", "DeepBind", "quoted"],
)
def test_columns_are_found_by_name(text: str, tmp_path: Path) -> None:
    assert labelled(text, tmp_path) == [("a", "ACGT", 1), ("b", "GG", 0)]


def test_rows_without_names_are_called_by_their_line(tmp_path: Path) -> None:
    assert labelled("seq\tlabel\nAC\t1\n\nGT\t0\n", tmp_path) == [("row2", "AC", 1), ("row4", "GT", 0)]


def test_place_and_interval(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(GOOD))
    (first, _), (second, _) = read_labelled(str(path))
    assert first.interval == Interval("chr1", 10, 14)
    assert (second.place, second.interval) == (f"{path}: line 3", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id\tlabel\na\t1\n", "line 1: no column named sequence or seq"),
        ("seq,label\nAC,1\n", "line 1: no column named sequence or seq; give a tab-separated"),
        ("seq\tclass\nAC\t1\n", "line 1: no column named label or bound"),
        ("seq\tlabel\nAC\t1\nAC\n", "line 3: 1 columns where the header has 2"),
        ("seq\tlabel\nAC\t1\t2\n", "line 2: 3 columns where the header has 2"),
        ("seq\tlabel\nAC\t2\n", "line 2, column 2: the label '2' is not 0 or 1"),
        ("label\tseq\nnan\tAC\n", "line 2, column 1: the label 'nan'"),
        ("seq\tlabel\n", "holds no row"),
    ],
)
def test_errors_name_line_and_column(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        labelled(text, tmp_path)


def test_hostile_input(tmp_path: Path) -> None:
    check_not_a_file(read_labelled, GOOD, tmp_path)
    check_reader(read_labelled, GOOD, tmp_path)


def test_rows_and_columns_write_the_same(tmp_path: Path) -> None:
    columns = {"record": ["a", "b"], "bits": np.array([1 / 3, np.nan]), "draws": np.array([3, 1_000_000_000])}
    rows = [{"draws": 3, "record": "a", "bits": 1 / 3}, {"record": "b", "bits": float("nan"), "draws": 10**9}]
    write_table(str(tmp_path / "a"), columns)
    write_table(str(tmp_path / "b"), rows, TABLE)
    assert (tmp_path / "a").read_bytes() == b"record\tbits\tdraws\na\t0.333333\t3\nb\tnan\t1000000000\n"
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


READ = Table(
    "read.tsv",
    "a thing",
    "what a test reads",
    (
        Column("#a", NUMBER, "", "A number.", "nobody knows"),
        Column("b", TRUTH, "", "A truth."),
        Column("more", TEXT, "", "A text.", "there is none"),
        Column("part", SHARE, "", "A share.", "nobody knows", optional="nobody looked"),
    ),
)


def read(folder: Path, text: str, *wanted: str) -> list[dict[str, object]]:
    (folder / "read.tsv").write_text(text)
    return list(read_table(str(folder / "read.tsv"), READ, "cure", wanted))


def test_a_table_is_read_by_column(tmp_path: Path) -> None:
    rows = read(tmp_path, 'b\tmore\t#a\nyes\t"x ""y"""\t1e3\nno\t\t\n')
    assert rows[0] == {"#a": 1000.0, "b": True, "more": 'x "y"'}
    assert np.isnan(rows[1].pop("#a"))  # type: ignore[call-overload]
    assert rows[1] == {"b": False, "more": ""}
    assert read(tmp_path, "#a\tb\tmore\tpart\n1\tyes\t\tnan\n", "b") == [{"b": True}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: has no column named #a; cure"),
        ("#a\tb\n", "line 1: has no column named more"),
        ("#a\tb\tmore\tbit\n", "line 1: has a column named bit, which is none of read.tsv"),
        ("#a\tb\tmore\tb\n", "line 1: has two columns named b"),
        ("#a\tb\tmore\n1\tyes\n", "line 2: 2 columns where the header has 3"),
        ("#a\tb\tmore\n1\t1\t\n", "line 2, column b: '1' cannot be read as yes or no"),
        ("#a\tb\tmore\n1\t\t\n", "line 2, column b: '' cannot be read as yes or no"),
        ("#a\tb\tmore\ninf\tno\t\n", "line 2, column #a: 'inf' cannot be read as number"),
        ("#a\tb\tmore\tpart\n1\tno\t\t1.5\n", "column part: '1.5' cannot be read as share"),
    ],
)
def test_what_is_not_of_the_table_is_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tsv: is not there; cure"):
        list(read_table(str(tmp_path / "none.tsv"), READ, "cure"))


@pytest.mark.parametrize("meaning", ["", "no capital.", "No end"])
def test_no_heading_without_a_sentence(meaning: str) -> None:
    with pytest.raises(ValueError, match="a is not explained in a sentence"):
        Column("a", TEXT, "", meaning)


def test_truth_and_nothing(tmp_path: Path) -> None:
    write_table(str(tmp_path / "a"), [{"converged": True, "seen": np.bool_(False), "bits": None}])
    assert (tmp_path / "a").read_text() == "converged\tseen\tbits\nyes\tno\t\n"


def test_no_rows_leave_the_header(tmp_path: Path) -> None:
    write_rejected(str(tmp_path / "a"), [])
    assert (tmp_path / "a").read_text() == "record\tplace\treason\n"


def test_columns_of_unequal_length_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_table(str(tmp_path / "a"), {"x": [1, 2], "y": [1]})
    assert list(tmp_path.iterdir()) == []


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_table("-", {"x": [1]})
    assert capsys.readouterr().out == "x\n1\n"


def test_hostile_names_stay_in_their_cells(tmp_path: Path) -> None:
    names = [*HOSTILE_NAMES, "tab\there", "line\nbreak", "\x1b[2Jclear", "\u2028separator", '"', '"open', "return\r"]
    path = str(tmp_path / "a.tsv")
    write_rejected(path, [Rejected(name, "p", "r") for name in names])
    read = pd.read_csv(path, sep="\t", keep_default_na=False)
    cleaned = [name.translate(dict.fromkeys([9, 10, 13, 27, 0x2028], " ")) for name in names]
    assert [text_of(name) for name in read["record"]] == cleaned
    assert set(read["reason"]) == {"r"}


def test_real_tables() -> None:
    data = Path(__file__).parents[2].parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the folder of real data is not here")
    rows = list(read_labelled(str(data / "ctcf" / "ctcf_a_test.tsv.gz")))
    assert (len(rows), {len(r.sequence) for r, _ in rows}) == (19_544, {101})
    assert all(r.interval for r, _ in rows)
    for path in sorted((data / "tf_chipseq").glob("*_B.seq.gz")):
        assert [sum(label == value for _, label in read_labelled(str(path))) for value in (0, 1)] == [500, 500]
