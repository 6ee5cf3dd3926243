"""The table of the Deep Motif Dashboard's networks: what is named, what is found, and differences that are paired."""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.data import Motif
from maxent_cli.io import write_meme

cell, found, page, planted, sets = (
    import_module(f"workflows.tfs.{name}") for name in ("cell", "found", "page", "planted", "sets")
)


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
    found = cell.windows(cell.shared_words(planted_designs()), "score", 15)
    names = [cell.name_of(motif, cell.known_motifs()) for motif in found.values()]
    assert all(cell.is_expected(name, cell.read_config()["known"]["GABPA"]) for name in names)
    assert {motif.sites for motif in found.values()} == {12}


def test_sites_are_aligned_on_either_strand() -> None:
    codes = np.array([encode(letters) for letters in ("TTGATTACATT", "AATGTAATCAA", "CCGATTGCACC")])
    counts = cell.aligned(np.eye(4)[encode("GATTACA")], codes)
    np.testing.assert_array_equal(counts.argmax(axis=1), encode("GATTACA"))
    np.testing.assert_array_equal(counts[4], [2, 0, 1, 0])
    across = cell.aligned(np.eye(4)[encode("GATTACA")], np.array([encode("TTACAGG")]))
    np.testing.assert_array_equal(across, np.vstack([np.full((2, 4), 0.25), np.eye(4)[encode("TTACA")]]))


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
    assert lines[0] == "| set | cnn | rnn | cnn-rnn |"
    assert lines[2].startswith("| USF1 | 0.7")
    assert lines[2].count("2 seeds") == 3
    assert "- rnn less cnn, USF1: +0.000 (+0.000 to +0.000)" in lines  # the same scores
    (better,) = (line for line in lines if line.startswith("- cnn-rnn less rnn, USF1"))
    assert better.partition("(")[2].startswith("+0.1") or better.partition("(")[2].startswith("+0.2")
    (counted,) = (line for line in lines if line.startswith("- **cnn-rnn less rnn**"))
    assert "above 0 in 1 of 1 sets; the interval leaves out 0 in 1 that are above it and in 0 that" in counted


def test_differences_are_over_the_seeds_that_both_have() -> None:
    tables = {seed: scored(1.0, seed) for seed in (1, 2, 3)}
    scores = {("USF1", "a"): {1: tables[1], 2: tables[2]}, ("USF1", "b"): {2: tables[2], 3: tables[3]}}
    lines = list(page.lines_of_pair(scores, ["USF1"], "a", "b"))
    assert lines[0] == "- b less a, USF1: +0.000 (+0.000 to +0.000)"
    assert not list(page.lines_of_pair({("USF1", "a"): tables}, ["USF1"], "a", "b"))


KNOWN = {"MYC": ["MYC", "USF"], "USF1": ["USF"], "SRF": ["SRF"], "SP1": ["NFY"]}


def looked_at(out: Path, named: dict[str, list[str]]) -> pd.DataFrame:
    """Networks, a set each, of which draws have such names and the other views none."""
    for name, names in named.items():
        folder = out / name / "deepmotif-cnn.1"
        folder.mkdir(parents=True)
        rows = pd.DataFrame({"view": "draws", "sequence": range(len(names)), "known": names})
        rows.to_csv(folder / "views.tsv", sep="\t", index=False)
    return found.networks(out)


def rows_of(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["view"] == "draws"].set_index(["set", "motif"])


def test_chance_is_how_often_a_motif_is_named_in_sets_of_others(tmp_path: Path) -> None:
    named = {"MYC": ["USF1"] * 6, "USF1": ["SRF"] * 3 + ["USF2"] * 3, "SRF": ["SRF"] * 5 + ["NFYA"], "SP1": [""] * 6}
    rows = rows_of(found.judged(looked_at(tmp_path, named), KNOWN))
    assert ("USF1", "MYC") not in rows.index  # the same motif
    assert rows.loc[("SRF", "SRF"), "chance"] == 3 / 18
    assert rows.loc[("USF1", "SRF"), "chance"] == pytest.approx(found.shares_of_known(KNOWN)["SRF"])  # its own left out
    assert rows.loc[("SP1", "SP1"), "chance"] == 1 / 18
    assert rows.loc[("USF1", "SRF"), "named"] == 3


def test_a_motif_is_found_where_most_names_are_it_and_more_than_chance_makes(tmp_path: Path) -> None:
    named = {
        "SRF": ["SRF", "SRF", "SRF", "CTCF", "CTCF", ""],
        "USF1": ["USF1", "", "", "", "", ""],  # one of six, by chance
        "MYC": ["MYC"] * 6 + ["CTCF"] * 6,  # no more than half of the names
        "SP1": ["SRF"],
    }
    rows = rows_of(found.judged(looked_at(tmp_path, named), KNOWN))
    assert {name for name, motif in rows[rows["found"]].index if name == motif} == {"SRF"}
    assert rows.loc[("SP1", "SRF"), "found"]  # another set's, of the one sequence that there is
    assert rows.loc[("MYC", "MYC"), "commonest"] == "CTCF"


def test_views_are_counted_beside_the_motifs_of_other_sets(tmp_path: Path) -> None:
    looked = looked_at(tmp_path, {"SRF": ["SRF"] * 6, "SP1": ["SRF"] * 6, "USF1": [""] * 6})
    rows = found.judged(looked, KNOWN)
    lines = list(found.table_of_views(rows, ["deepmotif-cnn", "deepmotif-rnn"]))
    assert lines[0].startswith("| view | cnn | found, of networks |")
    (draws,) = (line for line in lines if line.startswith("| draws"))
    cells = [cell.strip() for cell in draws.split("|")[2:7]]
    assert cells[1:3] == ["0 of 3 (0.0%)", "6 of 18 (33.3%)"]  # SRF's is as common in SP1's network
    assert cells[3:] == ["1 of 8 (12.5%)", "6 of 48 (12.5%)"]
    told = list(found.comparisons(rows))
    assert told[1].endswith("saliency does not: 0, in sets: 0; the other way round: 0, in sets: 0")
    assert told[-1] == "- sets whose motif is found in any network by draws: 0 (none)"


def test_what_was_run_is_told_by_architecture(tmp_path: Path) -> None:
    looked = looked_at(tmp_path, {"SRF": ["SRF"] * 2, "SP1": []})
    rows = pd.DataFrame({"converged": ["yes", "no"], "rhat": [1.01, 1.21]})
    rows.to_csv(looked["folder"].iloc[1] / "draws.npz.tsv", sep="\t", index=False)
    (line,) = found.lines_of_draws(looked)
    assert line.startswith("- cnn: networks 2, of seeds 1; anchors a network 0 (of 1), 2 (of 1); preset none (of 2)")
    assert line.endswith("converged: 1 of 2, R-hat 1.11 at the median")


def test_a_page_keeps_what_is_written_by_hand() -> None:
    first = page.placed("made", "# Title\n")
    assert first == f"# Title\n\n{page.START}\n\nmade\n\n{page.END}\n"
    by_hand = first.replace("# Title", "# Title\n\nSaid before.") + "\nSaid after.\n"
    assert page.placed("anew", by_hand) == by_hand.replace("made\n", "anew\n")


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
    assert list(page.table_of_times(tmp_path))[2:] == ["| rnn | 15 (2) |  |"]


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
    looked = found.networks(tmp_path)
    lines = list(found.table_of_networks(looked, found.judged(looked, one.config["known"])))
    assert lines[2].count("not found: 0 of 0") == len(cell.VIEWS)
    assert any("cnn-rnn" in line for line in page.made(tmp_path, one.config))


def test_each_view_of_a_network_names_each_of_its_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        cell.PRESETS, "tiny", mx.Sampling(chains=4, replicas=3, draws=20, thin=1, warmup=40, max_steps=100)
    )
    one = cell.Cell("SRF", "deepmotif-cnn", 1, tmp_path, cell.read_config() | {"preset": "tiny"})
    one.folder.mkdir(parents=True)
    positives = list(mx.simulate(40, 60, [mx.Plant("CTCF")], seed=1, progress=False).sequences.values())
    mx.train(positives, training=mx.Training(one.architecture, epochs=2), out=str(one.folder / "model"), threads=1)
    (one.folder / "anchors.fa").write_text(f">a\n{positives[0]}\n>b\n{positives[1]}\n", encoding="utf-8")
    cell.views(one)
    rows = pd.read_csv(one.folder / "views.tsv", sep="\t", keep_default_na=False)
    assert list(rows["view"].unique()) == list(cell.VIEWS)
    assert all(
        list(rows.loc[rows["view"] == view, "sequence"]) == ["a", "b"] for view in ("saliency", "prefix", "draws")
    )
    assert 1 <= (rows["view"] == "class optimisation").sum() <= 12
    assert set(rows["known"]) <= {motif.name.partition(" ")[2] for motif in cell.known_motifs()} | {""}
