"""The comparison of a whole data set's motifs: anchors by chance, windows that fit, motifs that both ways found."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from maxent_cli.data import Motif
from maxent_cli.io import CTCF_MOTIF, read_meme, write_meme
from workflows.dataset.experiment import choose, found, options, shortest, steps


def test_anchors_are_so_many_of_those_called_rightly(tmp_path: Path) -> None:
    (tmp_path / "called.fa").write_text("".join(f">r{row}\n{'ACGT' * 3}\n{'A' * row}\n" for row in range(9)))
    choose(tmp_path, 4)
    records = (tmp_path / "anchors.fa").read_text().split(">")[1:]
    assert len(set(records)) == 4
    assert set(records) < set((tmp_path / "called.fa").read_text().split(">"))
    assert shortest(tmp_path / "anchors.fa") == 12 + min(int(record[1]) for record in records)


def test_a_window_is_asked_for_that_is_no_wider_than_the_anchors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anchors.fa").write_text(">a\nACGTACGT\n>b\nACGTA\n")
    monkeypatch.setattr(
        "sys.argv", ["it", str(tmp_path), "--model", "m", "--positives", "p.fa", "--modisco", "modisco"]
    )
    commands = {name: command for name, _, command in steps(options())}
    modisco = commands["TF-MoDISco"]
    assert modisco[modisco.index("-w") + 1] == "5"


def test_what_both_ways_found_is_said(tmp_path: Path) -> None:
    """CTCF's matrix by draws; turned, and beside another, by the other way."""
    (ctcf,) = read_meme(CTCF_MOTIF)
    turned = Motif("pos.p_0", ctcf.counts[::-1, ::-1], 1)
    other = Motif("neg.p_0", np.eye(4)[[3, 3, 0, 3, 0, 0, 3, 0]] * 30 + 1, 1)
    with h5py.File(tmp_path / "patterns.h5", "w") as file:
        file["pos/p_0/seqlets/n_seqlets"], file["neg/p_0/seqlets/n_seqlets"] = np.array([50]), np.array([30])
    (tmp_path / "motifs").mkdir()
    for name, motifs in (("motifs/motifs.meme", [ctcf]), ("patterns.meme", [turned, other])):
        write_meme(str(tmp_path / name), motifs, np.full(4, 0.25))
    first, second, third = found(tmp_path)
    assert (first["way"], first["other"], first["in_both"]) == ("draws", "pos.p_0", True)
    assert (second["other"], second["sites"], second["in_both"]) == (ctcf.name, 50, True)
    assert "CTCF" in str(first["known"])
    assert "CTCF" in str(second["known"])
    assert not third["in_both"]
    (tmp_path / "patterns.meme").write_text("MEME version 4\n")
    (alone,) = found(tmp_path)
    assert (alone["way"], alone["other"], alone["in_both"]) == ("draws", "", False)
