import pytest

from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.tables import write_table
from maxent_cli.tables import Column, Table
from maxent_cli.tables.schema import NUMBER, TEXT

TABLE = Table(
    "a.tsv",
    "a record",
    "what a test writes",
    (
        Column("record", TEXT, "", "Its name."),
        Column("bits", NUMBER, "bits", "Its bits."),
        Column("logo", TEXT, "", "Its logo.", "none was drawn"),
    ),
)
ROWS = [{"record": 'a "b"\tc', "bits": 0.123456789, "logo": None}, {"record": "d", "bits": 2, "logo": "x"}]


def test_a_growing_table_reads_as_one_written_at_once(tmp_path):
    with growing_table(str(tmp_path / "a.tsv"), TABLE) as append:
        append(ROWS[:1])
        append(ROWS[1:])
    write_table(str(tmp_path / "b.tsv"), ROWS, TABLE)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"record": "a", "bits": 1.0}, r"\['logo'\] are not in both"),
        (ROWS[0] | {"bit": 1.0}, r"\['bit'\] are not in both"),
        (ROWS[0] | {"bits": None}, "nothing in column bits"),
    ],
)
def test_a_row_that_is_none_of_the_table_leaves_no_file(tmp_path, row, words):
    with pytest.raises(ValueError, match=words), growing_table(str(tmp_path / "a.tsv"), TABLE) as append:
        append([row])
    assert list(tmp_path.iterdir()) == []
