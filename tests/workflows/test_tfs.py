"""The table of the Deep Motif Dashboard's networks: what is named, what is found, and differences that are paired."""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maxent_cli.alphabet import encode
from maxent_cli.data import Motif
from maxent_cli.io import write_meme

cell, page, planted, sets = (import_module(f"workflows.tfs.{name}") for name in ("cell", "page", "planted", "sets"))


def test_every_set_has_a_known_motif_and_every_network_is_known() -> None:
    config = cell.read_config()
    assert config["architectures"] == ["deepmotif-cnn", "deepmotif-rnn", "deepmotif-cnn-rnn"]
    assert len(config["seeds"]) == 3
    assert config["positives"] == 4000
    assert not cell.DATA.exists() or set(cell.sets()) == set(config["known"])


def test_the_window_of_the_highest_scores_is_named() -> None:
    letters = "A" * 20 + "GTCACGTGAC" + "T" * 20
    scores = [1.0 if 20 <= place < 30 else 0.01 for place in range(50)]
    table = pd.DataFrame({"record": "a", "letter": list(letters), "score": scores})
    motif = cell.windows(table, "score", 10)["a"]
    assert "".join("ACGT"[row] for row in motif.counts.argmax(axis=1)) == "GTCACGTGAC"
    name = cell.name_of(motif, cell.known_motifs())
    assert cell.is_expected(name, cell.read_config()["known"]["USF1"])
    assert cell.windows(table.assign(score=0.0), "score", 10) == {"a": None}
    assert cell.name_of(None, cell.known_motifs()) == ""


def planted_designs() -> pd.Series:
    """Sequences of any letters with a site of GABPA's, now on this strand and now on the other, amid a run of T."""
    chance, sites = np.random.default_rng(1), ("ACCGGAAGTG", "CACTTCCGGT")
    flanks = [["".join(chance.choice(list("ACGT"), 30)) for _ in range(2)] for _ in range(12)]
    texts = [left + sites[number % 2] + right + "T" * 30 for number, (left, right) in enumerate(flanks)]
    return pd.Series(texts, [f"design/{number}" for number in range(12)])


def test_words_that_designs_share_score_and_those_of_their_shuffles_do_not() -> None:
    designs = planted_designs()
    scores = cell.shared_words(designs).groupby("record", sort=False)["score"].apply(np.array)
    places = np.array([30 <= place < 40 for place in range(100)])
    for each in scores:
        assert each[places].min() > 0
        assert each[places].mean() > 5 * each[~places].mean()
        assert each[75:].max() < each[places].mean() / 5  # all hold TTTTTT, but so do their shuffles
    assert not cell.shared_words(designs[:1])["score"].any()  # with nothing to share


def test_designs_are_named_by_what_they_share_once_it_is_aligned() -> None:
    found = cell.designed(planted_designs(), 15)
    names = [cell.name_of(motif, cell.known_motifs()) for motif in found.values()]
    assert all(cell.is_expected(name, cell.read_config()["known"]["GABPA"]) for name in names)
    assert {motif.sites for motif in found.values()} == {12}


def test_sites_are_aligned_on_either_strand() -> None:
    codes = np.array([encode(letters) for letters in ("TTGATTACATT", "AATGTAATCAA", "CCGATTGCACC")])
    motif = cell.aligned(Motif("a", np.eye(4)[encode("GATTACA")], 1), codes)
    np.testing.assert_array_equal(motif.counts.argmax(axis=1), encode("GATTACA"))
    np.testing.assert_array_equal(motif.counts[4], [2, 0, 1, 0])


def test_of_an_anchors_draws_the_motif_with_the_most_sites_is_taken(tmp_path: Path) -> None:
    some = [Motif(name, sites * np.eye(4)[encode("GATTACA")], sites) for name, sites in (("a:1", 5), ("a:2", 9))]
    write_meme(str(tmp_path / "motifs.meme"), some)
    found = cell.drawn(tmp_path / "motifs.meme", ["a", "b"])
    assert found["a"].name == "a:2"
    assert found["b"] is None
    assert cell.drawn(tmp_path / "none.meme", ["a"]) == {"a": None}


@pytest.mark.parametrize(("name", "is_known"), [("MAX::MYC", True), ("usf2", True), ("TAL1::TCF3", False)])
def test_names_are_known_by_any_of_their_parts(name: str, is_known: bool) -> None:
    assert cell.is_expected(name, ["USF", "MYC"]) == is_known


def scored(better: float, seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    label = np.arange(200) % 2
    return pd.DataFrame({"label": label, "score": better * label + chance.normal(size=200)})


def test_areas_are_means_over_seeds_and_differences_are_paired(tmp_path: Path) -> None:
    for name, better in (("deepmotif-cnn", 1.0), ("deepmotif-rnn", 1.0), ("deepmotif-cnn-rnn", 3.0)):
        for seed in (1, 2):
            folder = tmp_path / "USF1" / f"{name}.{seed}"
            folder.mkdir(parents=True)
            scored(better, seed).to_csv(folder / "scores.tsv", sep="\t", index=False)
    lines = list(page.table_of_areas(page.read_scores(tmp_path), cell.read_config()["architectures"]))
    assert lines[2].startswith("| USF1 | 0.7")
    assert lines[2].count("2 seeds") == 3
    assert "- deepmotif-rnn less deepmotif-cnn, USF1: +0.000 (+0.000 to +0.000)" in lines  # the same scores
    (better,) = (line for line in lines if line.startswith("- deepmotif-cnn-rnn less deepmotif-rnn, USF1"))
    assert better.partition("(")[2].startswith("+0.1") or better.partition("(")[2].startswith("+0.2")


def test_a_motif_is_found_where_most_that_are_named_are_it() -> None:
    rows = pd.DataFrame({"expected": [3, 2, 3, 0], "named": [5, 2, 6, 0]})
    assert [page.is_found(row) for _, row in rows.iterrows()] == [True, False, False, False]


def test_the_largest_jump_is_sought_in_the_site() -> None:
    steps = {"a": 12, "b": 3}
    reading = pd.concat(
        pd.DataFrame({"record": name, "prefix": np.arange(20) >= at, "suffix": np.arange(20) <= at}).astype(
            {"prefix": float, "suffix": float}
        )
        for name, at in steps.items()
    )
    tables = {"reading": reading, "anchors": pd.DataFrame({"record": list(steps), "reference_output": 0.0})}
    sites = pd.DataFrame({"record": list(steps), "start": 10, "end": 15})
    found = planted.jumps(tables, sites).set_index("record")
    assert found.loc["a", list(planted.WAYS)].all()
    assert not found.loc["b", list(planted.WAYS)].any()


def test_the_motif_that_tells_records_apart_comes_first_on_either_strand() -> None:
    word, other = (
        Motif(name, 10 * np.eye(4)[encode(letters)], 10) for name, letters in (("a", "GATAAG"), ("b", "TTTT"))
    )
    codes = np.array([encode("TTTGATAAGT"), encode("ACTTATCAAA"), encode("TTTTTTTTTT"), encode("AAAAAAAAAT")])
    np.testing.assert_allclose(sets.best_sites(word, codes)[:2], 6 * np.log2(1.001 / 0.25), rtol=1e-6)
    assert sets.ranked([other, word], codes, np.array([1.0, 1, 0, 0]))[0] == (1.0, "a")


def test_times_are_means_over_networks(tmp_path: Path) -> None:
    for seed, seconds in ((1, 10.0), (2, 20.0)):
        folder = tmp_path / "SRF" / f"deepmotif-rnn.{seed}"
        folder.mkdir(parents=True)
        pd.DataFrame({"s": [99.0], "cpu_time": [seconds]}).to_csv(folder / "train.time.tsv", sep="\t", index=False)
    assert list(page.table_of_times(tmp_path))[2:] == ["| deepmotif-rnn | 15 (2) |  |"]


def test_what_is_asked_for_on_the_command_line_goes_before_the_configuration() -> None:
    parser = argparse.ArgumentParser()
    cell.scaled(parser)
    found = cell.asked(parser.parse_args(["--positives", "500", "--preset", "quick"]))
    assert found == cell.read_config() | {"positives": 500, "preset": "quick"}


def test_a_network_that_learned_nothing_is_found_by_no_view(tmp_path: Path) -> None:
    one = cell.Cell("SRF", "deepmotif-cnn", 1, tmp_path, cell.read_config())
    one.folder.mkdir(parents=True)
    (one.folder / "anchors.fa").touch()
    cell.views(one)
    lines = list(page.table_of_views(tmp_path))
    assert lines[2].count("not found: 0 of 0") == len(cell.VIEWS)
