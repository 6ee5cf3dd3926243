import contextlib
import csv
import gzip
import json
from dataclasses import replace

import numpy as np
import pyBigWig
import pytest
from Bio import motifs as bio_motifs
from click.testing import CliRunner
from memelite import io as memelite_io
from running import invoke, table

from maxent_cli.alphabet import encode
from maxent_cli.commands import maxent
from maxent_cli.commands.motifs import PRINTED
from maxent_cli.data import Interval, Motif, Replicas, SampleSet
from maxent_cli.io.motif_files import DATABASES, read_meme, write_meme
from maxent_cli.io.samples import writing_draws

WORD = np.array([1, 1, 0, 3, 0, 2, 2, 0, 0])
HOSTILE = '../../<b>"x"\t$y$'


def draws_around(seed, place=None, length=40, word=WORD, **given):
    """A sample set of independent draws, the word planted at a place (or nowhere)."""
    rng = np.random.default_rng(seed)
    law = np.full((length, 4), 0.25)
    if place is not None:
        law[place : place + len(word)] = np.where(np.arange(4) == word[:, None], 0.91, 0.03)
    codes = (rng.random((20, 30, length, 1)) > np.cumsum(law, axis=1)[:, :3]).sum(axis=-1).astype(np.uint8)
    plain = {
        "name": f"a{seed}",
        "interval": None,
        "anchor": law.argmax(axis=1).astype(np.uint8),
        "energy": rng.normal(size=(20, 30)),
        "output": rng.normal(size=(20, 30)),
        "background": np.full((length, 4), 0.25),
        "mutable": np.ones(length, bool),
        "replicas": Replicas(
            np.zeros(0), *np.zeros((2, 20, 0, 0)), np.zeros((20, 0, length, 4), np.uint32), np.zeros((0, 0))
        ),
        "output_background": np.array([-1.0, 0.0, 1.0]),
        "thin": 100,
        "kernel": "full passes",
        "drift_start": 0.0,
        "drift": 0.0,
        "beta": 10.0,
        "anchor_output": 3.0,
        "energy_background": 4.0,
        "acceptance": 0.3,
    }
    return SampleSet(codes=codes, **(plain | given))


def run(tmp_path, sets, *options):
    path = tmp_path / "draws.npz"
    with writing_draws(str(path), {}) as writer:
        for samples in sets:
            writer.add(samples)
    return invoke("motifs", path, "-o", tmp_path / "out", *options), tmp_path / "out"


def test_a_planted_motif_is_found_in_place_and_over_anchors(tmp_path):
    sets = [
        draws_around(1, 5, interval=Interval("chr1", 100, 140, "+")),
        draws_around(2, 22, interval=Interval("chr2", 100, 140, "-")),
        draws_around(3),
    ]
    _, out = run(tmp_path, sets, "--logos", "none")
    segments = table(out / "segments.tsv")
    assert [(row["record"], row["start"], row["end"]) for row in segments] == [("a1", "5", "14"), ("a2", "22", "31")]
    places = [(row["chromosome"], row["chromosome_start"], row["chromosome_end"]) for row in segments]
    assert places == [("chr1", "105", "114"), ("chr2", "109", "118")]
    assert [row["consensus"] for row in segments] == ["CCATAGGAA"] * 2
    (motif,) = table(out / "motifs.tsv")
    assert (motif["motif"], motif["anchors"], motif["consensus"], motif["known_1"]) == ("motif_1", "2", "CCATAGGAA", "")
    assert 900 < int(motif["sites"]) < 1250
    sites = table(out / "sites.tsv")
    assert [(row["chromosome"], row["start"], row["end"], row["strand"]) for row in sites] == [
        ("chr1", "105", "114", "+"),
        ("chr2", "109", "118", "-"),
    ]
    shares = {row["record"]: row for row in table(out / "occupancy.tsv")}
    assert [shares[name]["present"] for name in ("a1", "a2", "a3")] == ["yes", "yes", "no"]
    assert (shares["a2"]["best_start"], shares["a2"]["best_strand"]) == ("22", "+")
    assert float(shares["a3"]["occupancy"]) < 0.05
    assert [row["segments"] for row in table(out / "anchors.tsv")] == ["1", "1", "0"]
    assert json.loads((tmp_path / "out.provenance.json").read_text())["inputs"]
    bed = [line.split("\t") for line in (out / "sites.bed").read_text().splitlines()]
    assert [row[:4] for row in bed] == [["chr1", "105", "114", "motif_1"], ["chr2", "109", "118", "motif_1"]]
    placed = {(row["record"], row["position"]): row for row in table(out / "positions.tsv")}
    assert (placed["a2", "0"]["chromosome"], placed["a2", "0"]["chromosome_position"]) == ("chr2", "139")
    assert placed["a3", "0"]["chromosome"] == ""
    with contextlib.closing(pyBigWig.open(str(out / "information.bw"))) as signal:
        for name, place, row in (("chr1", 107, ("a1", "7")), ("chr2", 139, ("a2", "0"))):
            (value,) = signal.values(name, place, place + 1)
            assert value == pytest.approx(float(placed[row]["information"]), rel=1e-4, abs=1e-6)
    assert "information.bw" in (out / "igv.xml").read_text()


def test_tables_say_what_was_drawn(tmp_path):
    samples = draws_around(4, 10)
    _, out = run(tmp_path, [samples, draws_around(5, 12)], "--logos", "none")
    rows = table(out / "positions.tsv")
    assert [row["position"] for row in rows] == [str(place) for place in range(40)] * 2
    read = np.array([[float(row[f"p_{letter}"]) for letter in "ACGT"] for row in rows[:40]])
    share = np.array([[(samples.codes[..., place] == code).mean() for code in range(4)] for place in range(40)])
    np.testing.assert_allclose(read, share, atol=1e-5)
    assert 1.0 < float(rows[10]["information"]) < 1.8
    assert 0 < float(rows[10]["information_error"]) < 0.1
    odds = table(out / "pwm.tsv")
    assert float(odds[10]["C"]) == pytest.approx(np.log2(share[10, 1] / 0.25), abs=0.05)
    assert len(odds) == 80


def test_meme_files_are_read_by_us_memelite_and_biopython(tmp_path):
    _, out = run(tmp_path, [draws_around(1, 5), draws_around(2, 22)], "--logos", "none")
    for name, count in (("motifs.meme", 1), ("anchor_motifs.meme", 2)):
        ours = read_meme(str(out / name))
        assert len(ours) == len(memelite_io.read_meme(str(out / name))) == count
        with (out / name).open() as stream:
            theirs = bio_motifs.parse(stream, "minimal")
        assert [motif.num_occurrences for motif in theirs] == [round(motif.sites) for motif in ours]
        assert ours[0].probabilities.argmax(axis=1).tolist() == WORD.tolist()
    assert 0.5 * 600 < read_meme(str(out / "anchor_motifs.meme"))[0].sites < 1.5 * 600  # independent draws: all count


def test_the_motifs_go_into_a_pipe(tmp_path):
    result, out = run(tmp_path, [draws_around(1, 5), draws_around(2, 22)], "--logos", "none")
    printed = CliRunner().invoke(maxent, ["motifs", str(tmp_path / "draws.npz"), "-o", "-"])
    assert printed.exit_code == 0
    assert printed.stdout == (out / "motifs.meme").read_text()
    for name in PRINTED:
        assert (out / name).is_file()
    bed = CliRunner().invoke(maxent, ["motifs", str(tmp_path / "draws.npz"), "-o", "-", "--print", "sites.bed"])
    assert bed.stdout == (out / "sites.bed").read_text()
    assert printed.stderr.endswith(result.stderr.rpartition(f"{out}: ")[2])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draws.npz", "out", "out.provenance.json"]


def test_logos_are_numbered_limited_and_listed(tmp_path):
    sets = [draws_around(1, 5, name=HOSTILE), draws_around(2, 7), draws_around(3)]
    _, out = run(tmp_path, sets, "--logos", "svg", "--max-logos", "2")
    assert sorted(path.name for path in (out / "logos").iterdir()) == [
        "aligned_000001.svg",
        "aligned_000002.svg",
        "logo_000001.svg",
        "logo_000002.svg",
        "motif_001.svg",
    ]
    assert [row["logo"] for row in table(out / "anchors.tsv")] == ["logos/logo_000001.svg", "logos/logo_000002.svg", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draws.npz", "out", "out.provenance.json"]


def test_nothing_found_says_what_was_looked_at_and_what_to_try(tmp_path):
    result, out = run(tmp_path, [draws_around(1), draws_around(2)], "--logos", "none")
    assert "0 motifs in all, 0 in more" in result.stderr
    assert "looked in 1200 draws of 2 anchors (80 mutable positions)" in result.stderr
    assert "0.1 bits" in result.stderr
    assert "--tether" in result.stderr
    for name in ("segments.tsv", "motifs.tsv", "sites.tsv", "occupancy.tsv", "spacing.tsv"):
        assert table(out / name) == []
    assert (out / "segments.tsv").read_text().startswith("record\tstart\tend")


def test_the_same_draws_give_the_same_bytes(tmp_path):
    sets = [draws_around(1, 5), draws_around(2, 9)]
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    folders = [run(tmp_path / name, sets)[1] for name in ("first", "second")]
    files = [sorted(path for path in folder.rglob("*") if path.is_file()) for folder in folders]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert len(files[0]) == 17 + 5 + 2


def test_fixed_positions_hold_nothing_and_belong_to_no_segment(tmp_path):
    fixed = draws_around(1, 5)
    codes, mutable = fixed.codes.copy(), np.ones(40, bool)
    codes[..., 30:38], mutable[30:38] = 4, False
    samples = draws_around(1, 5, mutable=mutable, anchor=codes[0, 0])
    samples.codes[...] = codes
    _, out = run(tmp_path, [samples], "--logos", "none")
    assert [(row["start"], row["end"]) for row in table(out / "segments.tsv")] == [("5", "14")]
    rows = table(out / "positions.tsv")[30:38]
    assert {(row["letter"], row["information"], row["ess"]) for row in rows} == {("N", "0", "nan")}
    assert {row["A"] for row in table(out / "pwm.tsv")[30:38]} == {"0"}


def test_what_is_not_a_draws_file_is_one_line(tmp_path):
    path = tmp_path / "draws.npz"
    path.write_text("hello")
    result = CliRunner().invoke(maxent, ["motifs", str(path), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


KNOWN = "MEME version 4\n\nALPHABET= ACGT\n\n"


def known_file(path, name):
    rng = np.random.default_rng(1)
    matrices = [rng.dirichlet(np.full(4, 0.2), 9) for _ in range(30)] + [np.eye(4)[WORD][::-1, ::-1]]
    names = [*(f"K{number}" for number in range(30)), name]
    body = "".join(
        f"MOTIF {name}\nletter-probability matrix: alength= 4 w= 9 nsites= 20\n"
        + "".join(" ".join(f"{p:.6f}" for p in row) + "\n" for row in matrix)
        for name, matrix in zip(names, matrices, strict=True)
    )
    path.write_bytes(gzip.compress((KNOWN + body).encode()))
    return str(path)


def test_motifs_get_known_names_as_text_in_one_cell(tmp_path):
    known = known_file(tmp_path / "known.meme.gz", 'X1 <b>\x07"n"')
    _, out = run(tmp_path, [draws_around(1, 5), draws_around(2, 22)], "--logos", "none", "--known", known)
    (row,) = table(out / "motifs.tsv")
    assert (row["known_1"], row["orientation_1"], row["overlap_1"]) == ('<b> "n"', "-", "9")
    assert float(row["p_1"]) <= float(row["q_1"]) < 1e-3
    assert table(out / "known.tsv")[0]["known"] == 'X1 <b> "n"'
    assert {line.split("\t")[3] for line in (out / "sites.bed").read_text().splitlines()} == {'<b>?"n"'}
    assert known in json.loads((tmp_path / "out.provenance.json").read_text())["inputs"]


def test_databases_come_with_the_package(tmp_path):
    word = encode("TGGCCACCAGGGGGCGCTA")
    sets = [draws_around(1, 5, word=word), draws_around(2, 17, word=word)]
    _, out = run(tmp_path, sets, "--logos", "none", "--known", "jaspar-vertebrates")
    (row,) = table(out / "motifs.tsv")
    assert row["known_1"].startswith("CTCF")
    (place,) = DATABASES["jaspar-fungi"]
    fungi = {motif.name for motif in read_meme(place)}
    assert "MA0266.1 ABF2" in fungi  # in the file MA0266.1.ABF2
    assert len(fungi) == 179


def test_every_site_of_every_draw_is_written_when_asked_for(tmp_path):
    samples = draws_around(1, 5)
    _, out = run(tmp_path, [samples, draws_around(2, 22)], "--logos", "none", "--draw-sites")
    with gzip.open(out / "draw_sites.tsv.gz", "rt") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert len(rows) == int(table(out / "motifs.tsv")[0]["sites"])
    whole = [row for row in rows if int(row["end"]) - int(row["start"]) == len(WORD)]
    assert len(whole) > 0.95 * len(rows)
    for row in whole[:50]:
        start, end = int(row["start"]), int(row["end"])
        letters = samples.codes[int(row["chain"]), int(row["draw"]), start:end]
        word = WORD if row["strand"] == "+" else 3 - WORD[::-1]
        assert (letters == word).sum() >= 6, row
    counts = sum(row["record"] == "a1" and row["start"] == "5" for row in rows)
    held = next(row for row in table(out / "occupancy.tsv") if row["record"] == "a1")
    assert counts / 600 == pytest.approx(float(held["best_occupancy"]), abs=1e-4)


def test_matrices_agree_in_all_formats_and_rates_are_written(tmp_path):
    result, out = run(tmp_path, [draws_around(1, 5), draws_around(2, 22), draws_around(3)], "--logos", "none")
    (motif,) = read_meme(str(out / "motifs.meme"))
    ppm = np.array([[float(row[letter]) for letter in "ACGT"] for row in table(out / "motifs_ppm.tsv")])
    np.testing.assert_allclose(ppm, motif.probabilities, atol=1e-5)
    with (out / "motifs.jaspar").open() as stream:
        (jaspar,) = bio_motifs.parse(stream, "jaspar")
    counts = np.array([jaspar.counts[letter] for letter in "ACGT"]).T
    np.testing.assert_allclose(counts / counts.sum(axis=1, keepdims=True), ppm, atol=1e-4)
    rates = {row["quantity"]: (row["found"], row["of"]) for row in table(out / "rates.tsv")}
    assert rates["anchors whose draws hold a motif"] == ("2", "3")
    assert rates["anchors whose beta = 0 draws do"] == ("0", "3")
    assert rates["motifs found in single anchors that are motif_1"] == ("2", "2")
    alike, of = rates["the same with shuffled columns that are like motif_1"]
    assert (int(alike) < 20, of) == (True, "1000")
    assert float(table(out / "motifs.tsv")[0]["recurrence_p"]) < 0.05
    assert "1 motifs in all, 1 in more anchors than by chance" in result.stderr
    said = f"2 of 2 motifs found in single anchors are like it, {alike} of 1000 with shuffled columns: p 0.0"
    assert said in result.stderr
    with np.load(out / "modisco" / "attributions.npz") as members:
        assert members["arr_0"].shape == (3, 4, 40)
        assert np.abs(members["arr_0"]).sum(axis=1)[0].argmax() in range(5, 14)


def test_results_do_not_depend_on_threads(tmp_path):
    sets = [draws_around(seed, 5 + seed) for seed in range(1, 7)]
    for threads in ("1", "3"):
        (tmp_path / threads).mkdir()
        run(tmp_path / threads, sets, "--logos", "none", "--threads", threads)
    one, three = (sorted(path for path in (tmp_path / t / "out").rglob("*") if path.is_file()) for t in ("1", "3"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in three]


def test_sites_that_hang_over_the_ends_are_written_within_the_anchor(tmp_path):
    """One anchor has room for a part of the motif only."""
    rng = np.random.default_rng(9)
    law = np.full((40, 4), 0.25)
    law[:7] = np.where(np.arange(4) == WORD[2:, None], 0.97, 0.01)
    codes = (rng.random((20, 30, 40, 1)) > np.cumsum(law, axis=1)[:, :3]).sum(axis=-1).astype(np.uint8)
    cut = replace(draws_around(9, interval=Interval("chr1", 100, 140, "+")), codes=codes)
    _, out = run(tmp_path, [draws_around(1, 5), draws_around(2, 22), cut], "--logos", "none", "--draw-sites")
    (site,) = (row for row in table(out / "sites.tsv") if row["record"] == "a9")
    assert (site["chromosome"], site["start"], site["end"], site["strand"]) == ("chr1", "100", "107", "+")
    with gzip.open(out / "draw_sites.tsv.gz", "rt") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["record"] == "a9"]
    assert all(0 <= int(row["start"]) < int(row["end"]) <= 40 for row in rows)
    assert sum((row["start"], row["end"]) == ("0", "7") for row in rows) > 400


AVOIDED = np.array([0, 3, 2, 1, 2, 0, 1, 3])


def without(samples, word, seed):
    """The draws with windows that are within two letters of a word, on either strand, drawn again."""
    rng, codes = np.random.default_rng(seed), samples.codes.reshape(-1, samples.codes.shape[2]).copy()
    for target in (word, 3 - word[::-1]):
        for start in range(codes.shape[1] - len(word) + 1):
            near = np.flatnonzero((codes[:, start : start + len(word)] != target).sum(axis=1) <= 2)
            codes[near, start : start + len(word)] = rng.integers(0, 4, (len(near), len(word)))
    return replace(samples, codes=codes.reshape(samples.codes.shape))


def of_word(name, word):
    return Motif(name, 100 * np.where(np.arange(4) == np.asarray(word)[:, None], 0.91, 0.03), 100)


def test_given_motifs_are_held_avoided_or_neither(tmp_path):
    sets = [without(draws_around(seed, 5), AVOIDED, seed) for seed in range(4)]
    given = [
        of_word("one held", WORD),
        of_word("two avoided", AVOIDED),
        of_word("three other", [2, 3, 3, 1, 0, 0, 3, 1]),
    ]
    write_meme(str(tmp_path / "given.meme"), given)
    asked = ("--test", str(tmp_path / "given.meme"), "--rate", "0.2", "--logos", "none", "--unconverged")
    result, out = run(tmp_path, sets, *asked)
    rows = {row["motif"]: row for row in table(out / "tested.tsv")}
    assert [rows[motif.name]["verdict"] for motif in given] == ["held", "avoided", "undecided"]
    held, avoided, other = (rows[motif.name] for motif in given)
    assert float(held["low"]) > 0.5
    assert float(avoided["elsewhere_high"]) < -0.5
    assert float(other["elsewhere_low"]) < 0 < float(other["elsewhere_high"])
    assert held["anchors_held"] == "4"
    assert "1 held, 1 avoided, " in " ".join(result.stderr.split())
    kinds = [row["kind"] for row in table(out / "motifs.tsv")]
    assert kinds[0] == "held"
    for row in table(out / "motifs.tsv")[1:]:
        assert float(row["cost"]) > 0.5


def test_nothing_is_said_of_motifs_where_nothing_is_held(tmp_path):
    write_meme(str(tmp_path / "given.meme"), [of_word("one", WORD)])
    asked = ("--test", str(tmp_path / "given.meme"), "--logos", "none", "--unconverged")
    _, out = run(tmp_path, [draws_around(seed) for seed in range(6)], *asked)
    assert table(out / "motifs.tsv") == []
    (row,) = table(out / "tested.tsv")
    assert row["verdict"] == "undecided"
