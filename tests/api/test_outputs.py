"""What a function reads and writes, called from Python: several calls in one process, and records in memory."""

import json
from pathlib import Path
from typing import Any

import pytest
from report_files import write_parts
from small import saved, small_model

import maxent_cli as mx
from maxent_cli.api.listening import Bars
from maxent_cli.data import Shard
from maxent_cli.errors import InputError
from maxent_cli.io.digests import digest_of

RECORDS = {"a": "GATCATTG", "bad": "ACGTNNNN", "b": "CCGTATTA", "c": "TTGCAACC", "short": "ACG"}


def record_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(f"{path}.provenance.json").read_text())
    return found


def test_an_input_that_changes_between_two_calls_is_recorded_as_it_was_read(tmp_path: Path) -> None:
    given, out = write_parts(tmp_path, ["a", "b"]), tmp_path / "page.html"
    motifs = given.parts["motifs"]
    for more in ("", "# another line\n"):
        notes = Path(motifs) / "notes.txt"
        notes.write_text(more)
        mx.report(given.draws, motifs=motifs, out=str(out))
        record = record_of(out)
        assert record["inputs"][motifs] == digest_of(motifs)
        assert "changed_inputs" not in record


@pytest.mark.parametrize("count", [2, 7])
def test_parts_of_records_in_memory_are_the_whole(count: int, tmp_path: Path) -> None:
    network = mx.network(small_model(8))
    whole, parts = tmp_path / "whole", [str(tmp_path / f"part{number}") for number in range(1, count + 1)]
    mx.predict(network, RECORDS, out=str(whole), progress=False)
    for number, part in enumerate(parts, 1):
        mx.predict(network, RECORDS, out=part, shard=Shard(number, count), progress=False)
    mx.merge(parts, str(tmp_path / "merged"), progress=False)
    assert (tmp_path / "merged").read_bytes() == whole.read_bytes()
    assert (tmp_path / "merged.rejected.tsv").read_bytes() == Path(f"{whole}.rejected.tsv").read_bytes()
    mx.predict(network, RECORDS | {"c": "TTGCAACG"}, out=parts[-1], shard=Shard(count, count), progress=False)
    with pytest.raises(InputError, match="digest of records is"):
        mx.merge(parts, str(tmp_path / "again"), progress=False)


def test_an_input_is_not_written_over(tmp_path: Path) -> None:
    saved(tmp_path / "model", small_model(8))
    network, anchors = mx.network(str(tmp_path / "model")), tmp_path / "a.fa"
    anchors.write_text(">a\nGATCATTG\n")
    for out in (anchors, tmp_path / "model" / "scores.tsv"):
        with pytest.raises(InputError, match=r"would be written, and (is|lies in) the input"):
            mx.predict(network, str(anchors), out=str(out), progress=False)
    assert anchors.read_text() == ">a\nGATCATTG\n"
    assert len(list((tmp_path / "model").iterdir())) == 2


class Changing(Bars):
    """Hears lines; once the records have been read, the file changes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.lines = path, list[str]()

    def say(self, line: str) -> None:
        self.lines.append(line)
        if "records = " in line:
            self.path.write_text(">a\nGATCATTC\n")


def test_who_listens_hears_of_an_input_that_has_changed(tmp_path: Path) -> None:
    anchors = tmp_path / "a.fa"
    anchors.write_text(">a\nGATCATTG\n")
    listener = Changing(anchors)
    mx.predict(mx.network(small_model(8)), str(anchors), out=str(tmp_path / "scores.tsv"), progress=listener)
    assert f"WARNING: {anchors} has changed since it was read" in listener.lines[-1]
    assert list(record_of(tmp_path / "scores.tsv")["changed_inputs"]) == [str(anchors)]


def test_what_is_saved_comes_with_the_record_of_its_making(tmp_path: Path) -> None:
    run = mx.Sampling(chains=4, replicas=3, draws=10, thin=5, warmup=240, max_steps=50, max_rhat=1000, seed=7)
    draws = mx.sample(mx.network(small_model(8)), ["GATCATTG"], mx.Law(beta=5, gc=0.4), run, progress=False)
    draws.save(str(tmp_path / "draws.npz"))
    found = mx.dependence(draws, maps="none", progress=False)
    found.save(str(tmp_path / "found"))
    mx.open_draws(str(tmp_path / "draws.npz")).save(str(tmp_path / "again.npz"))
    for name in ("draws.npz", "draws.npz.tsv", "draws.npz.series.tsv", "found", "again.npz", "again.npz.tsv"):
        origin = mx.provenance(str(tmp_path / name))
        assert origin["version"] == mx.__version__
    assert mx.provenance(str(tmp_path / "draws.npz"))["seed"] == 7
    mx.provenance(str(tmp_path / "draws.npz.tsv")).check_inputs()
    found.save(str(tmp_path / "found"))  # its own is replaced
    (tmp_path / "found" / "notes").write_text("mine")
    with pytest.raises(mx.InputError, match="holds notes, which maxent did not write"):
        found.save(str(tmp_path / "found"))
    with pytest.raises(mx.InputError, match="would be written, and is the input"):
        draws.save(draws.path)
