"""maxent compare from two folders of motifs to a third."""

import json
from dataclasses import replace

import numpy as np
import pytest
from analysis.sample_sets import no_replicas, sample_set
from running import invoke, table

from maxent_cli.alphabet import encode
from maxent_cli.io.samples import writing_draws

LENGTH = 60
WORD, OTHER = "CACCAGGGGGCG", "TGTAAACAAATC"
HOSTILE = '../../<b>"x" $y$'


def motifs_of(folder, name, words, kept=0.93, prefix="a", letters=7):
    """A folder of motifs: each anchor's draws hold one of the words at a place of its own."""
    rng = np.random.default_rng(len(words) + int(1000 * kept))
    path = folder / f"{name}.npz"
    anchors = np.random.default_rng(letters).integers(0, 4, (len(words), LENGTH)).astype(np.uint8)
    with writing_draws(str(path), {"law": {"held": "anchor"}}) as writer:
        for number, word in enumerate(words):
            law, start = np.full((LENGTH, 4), 0.25), 10 + 4 * number
            law[start : start + len(word)] = np.where(np.arange(4) == encode(word)[:, None], kept, (1 - kept) / 3)
            codes = (rng.random((8, 60, LENGTH, 1)) > np.cumsum(law, axis=1)[:, :3]).sum(axis=-1).astype(np.uint8)
            record = HOSTILE if prefix == "a" and number == 0 else f"{prefix}{number}"
            writer.add(sample_set(codes, name=record, anchor=anchors[number]))
    invoke("motifs", path, "-o", folder / name, "--logos", "none")
    return folder / name


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sides")
    return {
        "both": motifs_of(folder, "both", [WORD] * 4 + [OTHER] * 4),
        "one": motifs_of(folder, "one", [WORD] * 8, 0.85),
        "elsewhere": motifs_of(folder, "elsewhere", [WORD] * 5, prefix="b"),
        "renamed": motifs_of(folder, "renamed", [WORD] * 8, letters=9),
    }


def test_the_known_motifs_of_both_sides_are_in_the_table(tmp_path, folders):
    known = folders["both"] / "motifs.meme"
    named = tmp_path / "named"
    invoke("motifs", folders["one"].with_suffix(".npz"), "-o", named, "--logos", "none", "--known", known)
    invoke("compare", named, folders["one"], "-o", tmp_path / "out")
    row, (own,) = table(tmp_path / "out" / "motifs.tsv")[0], table(named / "motifs.tsv")
    for name in ("known_1", "p_1", "q_1", "overlap_1", "orientation_1"):
        assert own[name]
        assert row[f"{name}_a"] == own[name]
        assert row[f"{name}_b"] == ""


def test_models_on_the_same_anchors_are_compared_anchor_by_anchor(tmp_path, folders):
    result = invoke("compare", folders["both"], folders["one"], "-o", tmp_path / "out")
    shared, alone = table(tmp_path / "out" / "motifs.tsv")
    assert float(shared["similarity"]) > 0.9
    assert (shared["anchors_a"], shared["anchors_b"]) == ("4", "8")
    assert (shared["held_by_both"], shared["same_place"]) == ("4", "4")
    assert float(shared["bits_difference"]) < 0
    assert (alone["motif_b"], alone["similarity"]) == ("", "")
    assert alone["motif_a"]
    anchors = table(tmp_path / "out" / "anchors.tsv")
    assert [row["record"] for row in anchors] == [HOSTILE, *(f"a{number}" for number in range(1, 8))]
    known = {row["record"]: row for row in table(folders["one"] / "anchors.tsv")}
    for row in anchors:
        assert row["bits_b"] == known[row["record"]]["bits"]
        assert float(row["bits_z"]) < -3  # the word is held less firmly
    bits, occupancy = table(tmp_path / "out" / "summary.tsv")
    assert (bits["paired"], bits["anchors_a"]) == ("yes", "8")
    mean = np.mean([float(row["bits_difference"]) for row in anchors])
    assert float(bits["difference"]) == pytest.approx(mean, abs=1e-4)
    assert float(bits["low"]) <= mean <= float(bits["high"]) < 0
    assert float(occupancy["difference"]) > 0.2  # four more anchors have the word, if less firmly
    assert "8 anchors in both" in result.stderr
    assert "1 motifs in both, 1 in A alone, 0 in B alone" in result.stderr
    assert (tmp_path / "out" / "compare.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "out.provenance.json").read_text())["inputs"]


def test_places_are_those_of_the_anchors(tmp_path, folders):
    invoke("compare", folders["both"], folders["one"], "-o", tmp_path / "out")
    places = table(tmp_path / "out" / "places.tsv")
    assert len(places) == 8
    for number, row in enumerate(places[:4]):
        assert abs(int(row["best_start_a"]) - (10 + 4 * number)) <= 2
        assert (row["same_place"], row["same_strand"]) == ("yes", "yes")
        assert float(row["occupancy_a"]) > 0.8
    for row in places[4:]:
        assert float(row["occupancy_difference"]) > 0.5
        assert float(row["occupancy_z"]) > 3


def test_other_anchors_are_compared_by_their_means(tmp_path, folders):
    result = invoke("compare", folders["one"], folders["elsewhere"], "-o", tmp_path / "out")
    assert "no anchor is in both by name and sequence" in result.stderr
    assert table(tmp_path / "out" / "anchors.tsv") == table(tmp_path / "out" / "places.tsv") == []
    (row, _) = table(tmp_path / "out" / "summary.tsv")
    assert (row["paired"], row["anchors_a"], row["anchors_b"]) == ("no", "8", "5")
    assert float(row["low"]) > 0
    assert (tmp_path / "out" / "compare.png").exists()


def test_names_alone_do_not_make_anchors_the_same(tmp_path, folders):
    result = invoke("compare", folders["one"], folders["renamed"], "-o", tmp_path / "out")
    assert "0 anchors in both" in result.stderr
    assert "8 names whose sequences differ" in result.stderr


def test_bits_held_are_compared_where_ladders_tell_them(tmp_path, folders):
    codes = np.random.default_rng(5).integers(0, 4, (8, 40, LENGTH), dtype=np.uint8)
    ladder = replace(no_replicas(8, LENGTH), betas=np.array([0.0, 3.0]))
    for side, scale in (("a", 0.3), ("b", 0.6)):
        with writing_draws(str(tmp_path / f"{side}.npz"), {"law": {"held": "anchor"}}) as writer:
            for number in range(3):
                energy = np.random.default_rng(number).gamma(9, [scale / 9, scale / 18], (8, 40, 2))
                replicas = replace(ladder, energy=energy, output=energy, letters=np.ones((8, 2, LENGTH, 4), np.uint32))
                writer.add(sample_set(codes, name=f"n{number}", beta=3.0, energy=energy[..., 1], replicas=replicas))
        invoke("motifs", tmp_path / f"{side}.npz", "-o", tmp_path / side, "--logos", "none")
    invoke("compare", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    known = [table(tmp_path / side / "anchors.tsv") for side in "ab"]
    for row, *sides in zip(table(tmp_path / "out" / "anchors.tsv"), *known, strict=True):
        assert [row["bits_held_a"], row["bits_held_b"]] == [side["bits_held"] for side in sides]
        assert float(row["bits_held_difference"]) > 3 * float(row["bits_held_difference_error"]) > 0
    held = table(tmp_path / "out" / "summary.tsv")[1]
    assert held["quantity"] == "bits held by the law"
    assert float(held["low"]) > 0
    invoke("compare", tmp_path / "a", folders["one"], "-o", tmp_path / "lone")
    assert [row["quantity"] for row in table(tmp_path / "lone" / "summary.tsv")] == ["bits of the positions"]


def test_a_folder_that_is_not_of_motifs_is_one_line(tmp_path, folders):
    (tmp_path / "empty").mkdir()
    result = invoke("compare", folders["one"], tmp_path / "empty", "-o", tmp_path / "out", code=1)
    assert len(result.stderr.splitlines()) == 1
    assert "motifs.tsv: is not there" in result.stderr.replace("::", ":")


def test_a_side_without_motifs_is_compared_by_bits(tmp_path, folders):
    rng = np.random.default_rng(3)
    with writing_draws(str(tmp_path / "n.npz"), {"law": {"held": "anchor"}}) as writer:
        for number in range(3):
            writer.add(sample_set(rng.integers(0, 4, (8, 40, LENGTH), dtype=np.uint8), name=f"n{number}"))
    invoke("motifs", tmp_path / "n.npz", "-o", tmp_path / "nothing", "--logos", "none")
    result = invoke("compare", tmp_path / "nothing", folders["one"], "-o", tmp_path / "out")
    assert "0 motifs in both, 0 in A alone, 1 in B alone" in result.stderr
    assert [row["motif_b"] for row in table(tmp_path / "out" / "motifs.tsv")] == ["motif_1"]
