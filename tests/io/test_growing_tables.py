import pytest

from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.tables import write_table

ROWS = [{"record": 'a "b"\tc', "bits": 0.123456789, "logo": None}, {"record": "d", "bits": 2, "logo": "x"}]


def test_a_growing_table_reads_as_one_written_at_once(tmp_path):
    with growing_table(str(tmp_path / "a.tsv"), ("record", "bits", "logo")) as append:
        append(ROWS[:1])
        append(ROWS[1:])
    write_table(str(tmp_path / "b.tsv"), ROWS)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_a_table_that_was_not_finished_is_absent(tmp_path):
    with pytest.raises(KeyError, match="bits"), growing_table(str(tmp_path / "a.tsv"), ("record", "bits")) as append:
        append([{"record": "a"}])
    assert list(tmp_path.iterdir()) == []
