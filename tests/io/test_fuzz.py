"""Every reader on damaged files: an answer, or an InputError of one line that names the file. Never anything else.

MAXENT_FUZZ=20000 gives each reader so many; without, some hundred.
"""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hostile_files import check_one, check_reader, mutants
from hypothesis import strategies as st
from report_files import write_crossing, write_parts
from safetensors.torch import save
from small import saved, small_model

from maxent_cli.data import Interval, Sequences
from maxent_cli.io.bed import BedRow, fetch_windows, read_intervals
from maxent_cli.io.checkpoint import load_model
from maxent_cli.io.comparison_inputs import read_side
from maxent_cli.io.fasta import read_fasta, to_sequences
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.provenance import read_provenance
from maxent_cli.io.records import RecordSource
from maxent_cli.io.report_drawing import tree_plot
from maxent_cli.io.report_inputs import read_crossing, read_motifs, read_series, read_sites, read_spacing
from maxent_cli.io.samples import open_draws
from maxent_cli.io.tables import read_labelled
from maxent_cli.io.weight_files import read_weights
from maxent_cli.io.windows import fix_positions, read_flanked

MANY = int(os.environ.get("MAXENT_FUZZ", 200))
GENOME = b">chr1 first\nACGTTGCAAC\nGGGTCATTAC\nCC\n>chrM\nACGTACGT\n"
BED = b"chr1\t2\t12\tpeak1\t500\t+\t3.5\t-1\t0.2\t4\nchrM\t1\t5\t.\t0\t-\t3.5\t-1\t0.2\t-1\n"
FASTA = b">chr1:10-14(-) a comment\nACGT\n>b\nAC\nGT\n>empty\n>n\nACNT\n"
TABLE = b"id\tsequence\tlabel\na\tACGT\t1\nb\tTTTT\t0\n"
MEME = b"MEME version 4\n\nALPHABET= ACGT\n\nMOTIF MA1 CTCF\nletter-probability matrix: alength= 4 w= 2 nsites= 20\n"
MEME += b"0.7 0.1 0.1 0.1\n0.1 0.2 0.3 0.4\n"
ROWS = [BedRow(Interval("chr1", 2, 12, "-"), place="rows"), BedRow(Interval("chrM", 0, 4), place="rows")]
ANCHORS = Sequences(("a", "chr1"), np.zeros((2, 12), np.uint8), (Interval("chr1", 0, 12), None))


class Reader(NamedTuple):
    """What reads a path, a good file for it, and the file's name in the folder that the path is of, if it is one."""

    read: Callable[[str], Iterable[object]]
    good: bytes
    name: str = ""


def read_draws(path: str) -> Iterable[object]:
    with open_draws(path) as draws:
        return [draws.intervals(), *draws]


def archive(**members: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]
    return buffer.getvalue()


def good_files(folder: Path) -> dict[str, bytes]:
    """Files as the commands write them."""
    write_parts(folder, ["a", "b"], length=8)
    write_crossing(folder / "crossed", ["a", "b"], ["x", "y", "z"])
    saved(folder / "model", small_model(8))
    weights = small_model(8).state_dict()
    torch.save(weights, folder / "state.pt")
    (folder / "state.safetensors").write_bytes(save(weights))
    with zipfile.ZipFile(folder / "draws.npz") as whole, zipfile.ZipFile(folder / "stored.npz", "w") as stored:
        for name in whole.namelist():
            stored.writestr(name, whole.read(name))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def readers(files: dict[str, bytes]) -> dict[str, Reader]:
    """Every function that opens a user's path, by what it reads."""
    return {
        "FASTA": Reader(lambda path: [to_sequences(read_fasta(path), crop=True, unknown=True)], FASTA),
        "BED": Reader(read_intervals, BED),
        "genome": Reader(lambda path: fetch_windows(path, ROWS, 6), GENOME),
        "labelled table": Reader(read_labelled, TABLE),
        "MEME": Reader(read_meme, MEME),
        "anchors in letters": Reader(
            lambda path: read_flanked(RecordSource(path), 12, np.zeros(12, np.uint8), unknown=True), FASTA
        ),
        "fixed positions": Reader(lambda path: [fix_positions(ANCHORS, path)], BED),
        "draws": Reader(read_draws, files["draws.npz"]),
        "draws, not compressed": Reader(read_draws, files["stored.npz"]),
        "model card": Reader(load_model, files["model/model.json"], "model/model.json"),
        "model weights": Reader(load_model, files["model/weights.safetensors"], "model/weights.safetensors"),
        "state dict": Reader(read_weights, files["state.pt"]),
        "safetensors": Reader(read_weights, files["state.safetensors"]),
        "provenance": Reader(
            lambda path: [read_provenance(path.removesuffix(".provenance.json"))],
            files["draws.npz.provenance.json"],
            "x.provenance.json",
        ),
        "motifs of a report": Reader(read_motifs, files["motifs/motifs.tsv"], "motifs/motifs.tsv"),
        "matrices of a report": Reader(read_motifs, files["motifs/motifs.meme"], "motifs/motifs.meme"),
        "sites of a report": Reader(
            lambda path: read_sites(path, [{"record": "a", "interval": None}, {"record": "b", "interval": None}]),
            files["motifs/sites.tsv"],
            "motifs/sites.tsv",
        ),
        "spacing of a report": Reader(
            lambda path: read_spacing(path, 1.0), files["motifs/spacing.tsv"], "motifs/spacing.tsv"
        ),
        "series of a report": Reader(lambda path: read_series(path, ["a", "b"]), files["draws.npz.series.tsv"]),
        "tree of networks": Reader(
            lambda path: [tree_plot(read_crossing(path, ["a", "b"])[2])], files["crossed/tree.tsv"], "crossed/tree.tsv"
        ),
        "anchors to compare": Reader(lambda path: [read_side(path)], files["motifs/anchors.tsv"], "motifs/anchors.tsv"),
        "positions to compare": Reader(
            lambda path: [read_side(path)], files["motifs/positions.tsv"], "motifs/positions.tsv"
        ),
    }


NAMES = list(readers(dict.fromkeys(
    ["draws.npz", "stored.npz", "model/model.json", "model/weights.safetensors", "state.pt", "state.safetensors",
     "draws.npz.provenance.json", "motifs/motifs.tsv", "motifs/motifs.meme", "motifs/sites.tsv", "motifs/spacing.tsv",
     "draws.npz.series.tsv", "crossed/tree.tsv", "motifs/anchors.tsv", "motifs/positions.tsv"], b"")))  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return good_files(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files(name: str, tmp_path: Path, files: dict[str, bytes]) -> None:
    reader = readers(files)[name]
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    place = tmp_path / (reader.name or "input")
    top = tmp_path / place.relative_to(tmp_path).parts[0]
    place.write_bytes(reader.good)
    assert list(reader.read(str(top)))
    for data in mutants(reader.good, MANY):
        check_one(lambda _: reader.read(str(top)), data, tmp_path, place)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
DTYPES = st.sampled_from([np.uint8, np.float64, np.bool_, np.int64, "U3", np.complex128, "M8[s]"])
ARRAYS = st.builds(
    lambda kind, shape, fill: np.full(shape, fill).astype(np.int64).astype(kind),
    DTYPES,
    st.lists(st.integers(0, 5), max_size=4),
    st.integers(0, 6),
)


def test_cards_with_other_values(tmp_path: Path) -> None:
    card = json.loads(good_files(tmp_path)["model/model.json"])
    place = tmp_path / "model" / "model.json"
    other = st.builds(lambda key, value: json.dumps(card | {key: value}).encode(), st.sampled_from(sorted(card)), JSON)
    check_reader(
        lambda _: load_model(str(tmp_path / "model")),
        b"",
        tmp_path,
        60,
        place=place,
        files=other | JSON.map(lambda v: json.dumps(v).encode()),
    )


def test_draws_with_other_members(tmp_path: Path) -> None:
    with np.load(io.BytesIO(good_files(tmp_path)["draws.npz"])) as found:
        members = {name: found[name] for name in found.files}
    values = ARRAYS | JSON.map(lambda value: np.array(json.dumps(value)))
    record = json.loads(str(members["record_000000"]))
    cards = st.builds(
        lambda key, value: np.array(json.dumps(record | {key: value})), st.sampled_from(sorted(record)), JSON
    )
    other = st.one_of(
        st.builds(lambda key, value: archive(**(members | {key: value})), st.sampled_from(sorted(members)), values),
        cards.map(lambda value: archive(**(members | {"record_000000": value}))),
    )
    check_reader(read_draws, b"", tmp_path, 60, files=other)
