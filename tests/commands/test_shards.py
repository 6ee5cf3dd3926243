"""--shard and merge: the parts of a run put together are the run, and what is no part of it is named."""

import gzip
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import invoke
from small import saved, small_model
from thinned import thinned

from maxent_cli.data import Shard
from maxent_cli.io.samples import open_draws
from maxent_cli.models import prediction

RECORDS = {
    "r1": "GATCATTG",
    "bad": "ACGTNNNN",
    "chr1:100-108(-)": "CCGTATTA",
    "short": "ACG",
    "<b>'\"ä/../x": "ttgcaacc",
    "peak::chr1:10-18": "ACGTACGA",
    "-r5": "TTTTACGC",
    "long": "ACGTACGTA",
}
KEPT = 5
ALL, LEFT_OUT = list(RECORDS), {"bad", "short", "long"}


def blocks(count: int) -> list[range]:
    """The records of each part."""
    return [Shard(number, count).block(len(RECORDS)) for number in range(1, count + 1)]


SHORT = [
    "--chains",
    "4",
    "--replicas",
    "3",
    "--draws",
    "10",
    "--thin",
    "5",
    "--warmup",
    "240",
    "--max-rhat",
    "1.3",
    "--beta",
    "20",
    "--max-steps",
    "50",
]
DESIGNING = ["anchors.fa", "--model", "model", *SHORT[:-4], *SHORT[-2:], "--threads", "1"]  # without a beta
DRAWING = ["anchors.fa", "--model", "model", *SHORT, "--threads", "1"]


@dataclass(frozen=True)
class Command:
    """How a command is called, and the names of its outputs, the main one first, with OUT for where they go."""

    arguments: list[str]
    outputs: list[str]


COMMANDS = {
    "sample": Command(
        [*DRAWING, "--fasta", "OUT.fa"], ["OUT", "OUT.tsv", "OUT.series.tsv", "OUT.rejected.tsv", "OUT.fa"]
    ),
    "gc-probe": Command([*DRAWING, "--mu", "-1,1"], ["OUT", "OUT.rejected.tsv"]),
    "design": Command(["--near", *DESIGNING, "--to", "1"], ["OUT", "OUT.rejected.tsv"]),
    "predict": Command(["anchors.fa", "--model", "model", "--label", "1"], ["OUT", "OUT.rejected.tsv"]),
    "attribute": Command(
        ["anchors.fa", "--model", "model", "--method", "deeplift", "--max-logos", "3", "--logos", "svg"],
        ["OUT", "OUT.rejected.tsv"],
    ),
    "attribute ": Command(
        ["anchors.fa", "--model", "model", "--method", "prefix", "--draws", "draws.npz", "--logos", "none"],
        ["OUT", "OUT.rejected.tsv"],
    ),
    "dependence": Command(["draws.npz", "--maps", "svg", "--top", "2"], ["OUT"]),
}


def refused(*arguments: str) -> str:
    """What a refusal says: one line."""
    result = invoke(*arguments, code=1)
    assert result.stderr.count("\n") == 1
    return result.stderr


def call(name: str, out: str, shard: str = "1/1") -> None:
    arguments = [argument.replace("OUT", out) for argument in COMMANDS[name].arguments]
    invoke(name.strip(), *arguments, "--out", out, "--shard", shard)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, records, draws of them, and each command's whole output."""
    folder = tmp_path_factory.mktemp("origin")
    saved(folder / "model", small_model(8))
    (folder / "anchors.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in RECORDS.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        invoke("sample", *DRAWING, "--out", "draws.npz")
        for name in COMMANDS:
            call(name, f"whole_{name}")
    return folder


@pytest.fixture(autouse=True)
def here(origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of one's own with all of that in it, the current one."""
    shutil.copytree(origin, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def content(path: str) -> object:
    """The bytes of a file, of each file in a folder, or None."""
    place = Path(path)
    if place.is_dir():
        return {str(entry.relative_to(place)): entry.is_file() and entry.read_bytes() for entry in place.rglob("*")}
    return place.read_bytes() if place.exists() else None


@pytest.mark.parametrize("count", [*(pytest.param(count, marks=pytest.mark.slow) for count in (1, 2)), 7])
@pytest.mark.parametrize("name", thinned(list(COMMANDS), 2))
def test_parts_together_are_the_whole(name: str, count: int) -> None:
    parts = [f"part{number}" for number in range(1, count + 1)]
    for number, part in enumerate(parts, 1):
        call(name, part, f"{number}/{count}")
    rejected = [Path(f"{part}.rejected.tsv").exists() for part in parts]
    of_each = [bool(set(ALL[block.start : block.stop]) & LEFT_OUT) for block in blocks(count)]
    assert rejected == (of_each if "OUT.rejected.tsv" in COMMANDS[name].outputs else [False] * count)
    result = invoke("merge", *reversed(parts), "--out", "merged")
    assert f"merged: {count} parts, {KEPT} records" in result.stderr
    if name == "sample":
        invoke("merge", *reversed([f"{part}.fa" for part in parts]), "--out", "merged.fa")
    for output in COMMANDS[name].outputs:
        assert content(output.replace("OUT", f"whole_{name}")) is not None
        assert content(output.replace("OUT", "merged")) == content(output.replace("OUT", f"whole_{name}"))
    invoke("merge", "merged", "--out", "again")
    assert content("again") == content(f"whole_{name}")


@pytest.fixture
def parts() -> list[str]:
    """The scores of three parts."""
    for number in (1, 2, 3):
        call("predict", f"part{number}", f"{number}/3")
    return ["part1", "part2", "part3"]


@pytest.mark.usefixtures("parts")
def test_what_is_missing_is_named() -> None:
    assert "part3: of 3 parts, 2 are missing: 1, 2; give all parts" in refused("merge", "part3", "--out", "merged")
    assert "nothing: no such file" in refused("merge", "part1", "nothing", "part3", "--out", "merged")
    assert not Path("merged").exists()


def test_what_is_there_twice_is_named(parts: list[str]) -> None:
    call("predict", "other", "2/3")
    assert "other: is part 2/3, as part2 is; give all" in refused("merge", *parts, "other", "--out", "merged")


def change_sequence(arguments: list[str]) -> list[str]:
    path = Path("anchors.fa")
    path.write_text(path.read_text().replace("TTTTACGC", "TTTTACGG"))
    return arguments


def reject_another(arguments: list[str]) -> list[str]:
    with Path("anchors.fa").open("a") as stream:
        stream.write(">another\nNNNNNNNN\n")
    return arguments


def other_model(arguments: list[str]) -> list[str]:
    saved(Path("second"), small_model(8, seed=9))
    return ["second" if argument == "model" else argument for argument in arguments]


def in_four(arguments: list[str]) -> list[str]:
    return [*arguments, "--shard", "2/4"]


FOREIGN = {
    "setting": (lambda given: [*given, "--label", "0"], "setting label is 0, and there 1"),
    "sequence": (change_sequence, "digest of records is"),
    "rejected": (reject_another, "records is 9, and there 8"),
    "model": (other_model, "digest of model is {'model.json'"),
    "count": (in_four, "number of parts is 4, and there 3"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_of_another_run_is_named(parts: list[str], name: str) -> None:
    alter, said = FOREIGN[name]
    given = alter(["anchors.fa", "--model", "model", "--label", "1", "--shard", "2/3"])
    invoke("predict", *given, "--out", "part2")
    message = refused("merge", *parts, "--out", "merged")
    assert f"part2: is not of the run of part1: {said}" in message
    assert not Path("merged").exists()


def test_where_records_lie_is_no_matter(parts: list[str]) -> None:
    shutil.copytree("model", "elsewhere/model")
    shutil.copy("anchors.fa", "elsewhere/a.fa")
    invoke(
        "predict", "elsewhere/a.fa", "--model", "elsewhere/model", "--label", "1", "--shard", "2/3", "--out", "part2"
    )
    invoke("merge", *parts, "--out", "merged")
    assert content("merged") == content("whole_predict")


def test_other_versions_commands_and_kinds_are_named(parts: list[str]) -> None:
    record = Path("part2.provenance.json")
    good = record.read_text()
    record.write_text(good.replace('"version": "1', '"version": "9'))
    assert "part2: is not of the run of part1: version of maxent is 9" in refused("merge", *parts, "--out", "merged")
    record.write_text(good.replace('"code": "', '"code": "0'))
    assert "part2: is not of the run of part1: code of maxent is 0" in refused("merge", *parts, "--out", "merged")
    record.write_text(good)
    call("dependence", "other", "2/3")
    message = refused("merge", "part1", "other", "part3", "--out", "merged")
    assert "other: is not of the run of part1: command is dependence, and there predict" in message
    call("sample", "draws1", "1/2")
    call("sample", "draws2", "2/2")
    message = refused("merge", "draws1", "draws2.tsv", "--out", "merged")
    assert "draws2.tsv: is summary and draws1 is draws; merge each by itself" in message


def test_what_has_changed_since_is_named(parts: list[str]) -> None:
    with Path("part3").open("a") as stream:
        stream.write("more\t0\t0\t0\t0\t1\tno\n")
    assert "part3: is not as it was when its provenance was written" in refused("merge", *parts, "--out", "merged")
    Path("part2.provenance.json").unlink()
    assert "part2: has no provenance beside it" in refused("merge", *parts, "--out", "merged")


@pytest.mark.parametrize("text", ["", "[]", '{"inputs": {}}', '{"part": {"shard": "2/3"}}', "part", "seed", "version"])
def test_damaged_provenance_is_an_input_error(parts: list[str], text: str) -> None:
    made = json.loads(Path("part2.provenance.json").read_text())
    damaged = json.dumps({name: value for name, value in made.items() if name != text})
    Path("part2.provenance.json").write_text(damaged if text in made else text)
    assert refused("merge", *parts, "--out", "merged").startswith("maxent: part2")


def test_other_machines_are_told(parts: list[str]) -> None:
    assert "NOTE" not in invoke("merge", *parts, "--out", "merged").stderr
    made = json.loads(Path("part2.provenance.json").read_text())
    made["packages"]["torch"] = "9.0"
    Path("part2.provenance.json").write_text(json.dumps(made))
    assert "NOTE: 2 kinds of CPU or versions" in invoke("merge", *parts, "--out", "merged").stderr


def test_rejected_records_come_along_or_are_missed(parts: list[str]) -> None:
    Path("part2.rejected.tsv").rename("away")
    assert "part2.rejected.tsv: is not there, and 1 records were" in refused("merge", *parts, "--out", "merged")
    Path("away").rename("part2.rejected.tsv")
    invoke("merge", *parts, "--out", "merged")
    table = Path("merged.rejected.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in table] == ["record", "bad", "short", "long"]


def test_summaries_come_along_where_they_are() -> None:
    for number in (1, 2):
        invoke("sample", *DRAWING, "--out", f"draws{number}", "--shard", f"{number}/2")
        Path(f"draws{number}.tsv").rename(f"s{number}.tsv")
        Path(f"draws{number}.tsv.provenance.json").rename(f"s{number}.tsv.provenance.json")
    invoke("merge", "draws1", "draws2", "--out", "merged")
    assert not Path("merged.tsv").exists()
    invoke("merge", "s1.tsv", "s2.tsv", "--out", "merged.tsv")
    assert content("merged.tsv") == content("whole_sample.tsv")


def test_more_batches_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts take the whole's batches, so that what comes of one sequence does not depend on its neighbours."""
    monkeypatch.setattr(prediction, "BATCH", 2)
    seen = set[bytes]()
    one_hot = prediction.one_hot
    monkeypatch.setattr(prediction, "one_hot", lambda codes: (seen.add(codes.numpy().tobytes()), one_hot(codes))[1])
    call("predict", "whole", "1/1")
    known = seen.copy()
    for number in (1, 2, 3):
        call("predict", f"part{number}", f"{number}/3")
    assert seen == known
    invoke("merge", "part1", "part2", "part3", "--out", "merged")
    assert content("merged") == content("whole") == content("whole_predict")


@pytest.mark.parametrize("packed", [False, True])
def test_parts_of_a_labelled_table(packed: bool) -> None:
    rows = "".join(f"{name}\t{letters}\t{number % 2}\n" for number, (name, letters) in enumerate(RECORDS.items()))
    text = f"name\tsequence\tlabel\n{rows}".encode()
    Path("records").write_bytes(gzip.compress(text) if packed else text)
    invoke("predict", "--table", "records", "--model", "model", "--out", "whole")
    for number in (1, 2, 3):
        line = ["--table", "records", "--model", "model", "--out", f"part{number}", "--shard", f"{number}/3"]
        said = "records: is compressed, and is read through for this part; of a plain file only its block is"
        assert (said in invoke("predict", *line).stderr) == packed
    invoke("merge", "part1", "part2", "part3", "--out", "merged")
    assert content("merged") == content("whole")
    assert content("merged.rejected.tsv") == content("whole.rejected.tsv") is not None
    assert [line.split("\t")[-2] for line in Path("merged").read_text().splitlines()[1:]] == ["0", "0", "0", "1", "0"]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_what_is_no_shard_is_a_usage_error(shard: str) -> None:
    result = invoke("predict", "anchors.fa", "--model", "model", "--out", "part", "--shard", shard, code=2)
    assert "--shard" in result.stderr


def test_records_are_chosen_from_all() -> None:
    arguments = ["anchors.fa", "--model", "model", "--out", "part", "--shard", "1/2", "--select", "chosen.fa"]
    assert "select: chooses among all records" in invoke("predict", *arguments, code=2).stderr


def test_draws_of_parts_are_numbered_within_them() -> None:
    call("sample", "part2", "2/2")
    with open_draws("part2") as part, open_draws("draws.npz") as whole:
        assert part.names() == [name for name in whole.names() if name in ALL[4:]]


def test_provenance_is_shown_and_required(parts: list[str]) -> None:
    invoke("merge", *parts, "--out", "merged")
    shown = invoke("provenance", "merged").stdout
    for wanted in ("version   maxent 1", "torch 2", "part      1/1 of 5 records, 3 rejected", "took ", "output "):
        assert wanted in shown
    assert re.search(r"^took +[\d.]+ s, \d+ MiB; its parts [\d.]+ s, \d+ MiB$", shown, re.MULTILINE)
    assert re.search(r"^input +anchors.fa sha256 [0-9a-f]{64}$", shown, re.MULTILINE)
    assert re.search(r"^input +model/weights.safetensors sha256 [0-9a-f]{64}$", shown, re.MULTILINE)
    made = json.loads(invoke("provenance", "merged", "--json").stdout)
    assert made["packages"]["numpy"]
    assert list(made["parts"]["outputs"]) == parts
    Path("part2").unlink()  # may go once it is merged
    assert invoke("provenance", "merged", "--check").output == ""
    Path("anchors.fa").write_text("changed")
    assert "anchors.fa: has changed since merged was made from it" in refused("provenance", "merged", "--check")
    Path("anchors.fa").unlink()
    assert "anchors.fa: is gone, and merged was made from it" in refused("provenance", "merged", "--check")
    Path("merged").write_text("changed")
    assert "merged: is not as it was when" in refused("provenance", "merged", "--check")
    assert "model: has no provenance" in refused("provenance", "model", "--check")


def test_provenance_of_a_folder_sees_each_file() -> None:
    assert "pairs.tsv sha256" in invoke("provenance", "whole_dependence").stdout
    invoke("provenance", "whole_dependence/", "--check")
    Path("whole_dependence/letters.tsv").unlink()
    assert "whole_dependence: is not as it was" in refused("provenance", "whole_dependence", "--check")
