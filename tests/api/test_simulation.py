"""mx.simulate: what it says is planted stands there; the command gives the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode, reverse_complement
from maxent_cli.commands import maxent
from maxent_cli.data import Motif
from maxent_cli.io.motif_files import write_meme

WORDS = {"X1": "AGATAA", "X2": "CAGC"}


@pytest.fixture
def motifs(tmp_path: Path) -> str:
    path = str(tmp_path / "two.meme")
    write_meme(path, [Motif(name, 20.0 * np.eye(4)[encode(word)], 20.0) for name, word in WORDS.items()])
    return path


def test_what_is_planted_stands_where_it_says(motifs: str) -> None:
    plants = [mx.Plant(("X1", "X2(-)"), position=(10, 12), spacing=(3, 5)), mx.Plant("X2", density=0.5, strand="+")]
    found = mx.simulate(200, 60, plants, motifs=motifs, progress=False)
    table = found.to_frame()
    for row in table.itertuples():
        letters = encode(found.sequences[row.record][row.start : row.end])
        assert decode(reverse_complement(letters) if row.strand == "-" else letters) == WORDS[row.motif]
    assert (table["motif"] == "X1").sum() == 200
    assert 50 < (table["motif"] == "X2").sum() - 200 < 150  # 100 are expected
    pairs = table[table["motif"] == "X1"].set_index("record")
    forward = pairs[pairs["strand"] == "+"]
    assert set(forward["start"]) == {10, 11, 12}
    assert 60 < len(forward) < 140


@pytest.mark.parametrize(("given", "gc"), [({"gc": 0.8}, 0.8), ({"background": (0.7, 0.1, 0.1, 0.1)}, 0.2), ({}, 0.5)])
def test_composition(given: dict[str, Any], gc: float) -> None:
    letters = "".join(mx.simulate(200, 100, progress=False, **given).sequences.values())
    share = (letters.count("G") + letters.count("C")) / len(letters)
    assert share == pytest.approx(gc, abs=4 * 0.5 / len(letters) ** 0.5)


def test_same_bytes_as_the_command(tmp_path: Path, motifs: str) -> None:
    words = ["--count", "50", "--length", "40", "--gc", "0.4", "--seed", "7", "--motifs", motifs]
    plants = ["--plant", "X1,X2(-):spacing=2-5,density=0.6", "--plant", "X2:position=30,strand=-"]
    places = {name: str(tmp_path / name) for name in ("c.fa", "c.bed", "f.fa", "f.bed")}
    files = ["--out", places["c.fa"], "--truth", places["c.bed"]]
    result = CliRunner().invoke(maxent, ["simulate", *words, *plants, *files])
    assert result.exit_code == 0, result.output
    asked = [mx.Plant(("X1", "X2(-)"), 0.6, spacing=(2, 5)), mx.Plant("X2", position=30, strand="-")]
    found = mx.simulate(
        50,
        40,
        asked,
        gc=0.4,
        motifs=motifs,
        seed=7,
        out=places["f.fa"],
        truth=places["f.bed"],
        progress=False,
    )
    for kind in ("fa", "bed"):
        assert Path(places[f"f.{kind}"]).read_bytes() == Path(places[f"c.{kind}"]).read_bytes()
    assert next(iter(found.sequences)) == "seq000001"
    assert len(Path(places["f.bed"]).read_text().splitlines()) == len(found.sites)


def test_nothing_is_written_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mx.simulate(3, 30, [mx.Plant("CTCF")], progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"elements": ()}, "a motif's name is missing"),
        ({"elements": ("X1", "")}, "a motif's name is missing"),
        ({"elements": "X1", "density": 1.5}, "density of X1: 1.5 is not from 0 to 1"),
        ({"elements": "X1", "density": float("nan")}, "density of X1: nan"),
        ({"elements": "X1", "strand": "x"}, "strand of X1: 'x' is not"),
        ({"elements": "X1", "position": (9, 5)}, "position of X1: 9 to 5 is no range"),
        ({"elements": "X1", "position": -1}, "position of X1: -1 to -1 is no range"),
        ({"elements": "X1", "spacing": 3}, "spacing of X1: is between motifs"),
    ],
)
def test_what_is_wrong_with_a_plant(given: dict[str, Any], said: str) -> None:
    with pytest.raises(mx.InputError, match=said):
        mx.Plant(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 0}, "count: 0 is not from"),
        ({"length": 0}, "length: 0 is not from"),
        ({"gc": 0.5, "background": (0.25,) * 4}, "gc: excludes background"),
        ({"gc": 1.0}, r"gc: 1.0 is not from 0 to 1, ends excluded"),
        ({"background": (0.3,) * 4}, "background: does not sum to 1"),
        ({"out": "s.fa", "truth": "s.fa"}, "truth: is the same place as out"),
        ({"plants": [mx.Plant("nothing")]}, "motif 'nothing' is not there in .*MA0139.1"),
        ({"plants": [mx.Plant("CTCF", position=90)]}, "plant CTCF: takes up to 19 bp; in 101 bp the last .* is 82"),
        ({"plants": [mx.Plant("CTCF")] * 6}, "no way of fitting 6 plantings side by side"),
    ],
)
def test_what_cannot_be_simulated(
    given: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(mx.InputError, match=said):
        mx.simulate(progress=False, **given)
    assert list(tmp_path.iterdir()) == []
