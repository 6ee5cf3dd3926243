"""maxent dependence from a draws file to a folder."""

import numpy as np
import pytest
from analysis.sample_sets import independent_draws, sample_set
from running import invoke, table

from maxent_cli.io.samples import writing_draws

HOSTILE = '../../<b>"x"\t$y$'
LENGTH = 24


def draws_with(pair, name, seed=1, slow=0.0):
    """A sample set in which one position copies another in half of the draws."""
    rng = np.random.default_rng(seed)
    codes = independent_draws(rng, np.full((LENGTH, 4), 0.25), 8, 100, slow)
    if pair:
        same = rng.random((8, 100)) < 0.5
        codes[..., pair[1]] = np.where(same, codes[..., pair[0]], codes[..., pair[1]])
    return sample_set(codes, name=name, energy=rng.gamma(20, 0.05, (8, 100)))


def run(tmp_path, sets, *options, held="anchor", code=0):
    path = tmp_path / "draws.npz"
    with writing_draws(str(path), {"law": {"held": held}}) as writer:
        for samples in sets:
            writer.add(samples)
    return invoke("dependence", path, "-o", tmp_path / "out", *options, code=code), tmp_path / "out"


def test_the_dependent_pair_comes_first_with_its_letters_and_a_map(tmp_path):
    result, out = run(tmp_path, [draws_with((3, 17), "a1"), draws_with((5, 6), HOSTILE)], "--top", "4")
    pairs = table(out / "pairs.tsv")
    assert [(row["first"], row["second"]) for row in (pairs[0], pairs[4])] == [("3", "17"), ("5", "6")]
    assert len(pairs) == 8
    assert float(pairs[0]["q"]) < 0.05
    assert float(pairs[0]["bits"]) == pytest.approx(
        0.45, abs=5 * float(pairs[0]["bits_error"])
    )  # 0.625 on the diagonal
    assert float(pairs[0]["bits_squared"]) == pytest.approx(float(pairs[0]["bits"]), rel=0.2)
    letters = table(out / "letters.tsv")[:16]
    same = [float(row["share"]) for row in letters if row["first_letter"] == row["second_letter"]]
    assert sum(same) == pytest.approx(0.625, abs=0.06)
    assert sum(float(row["share"]) for row in letters) == pytest.approx(1, abs=1e-4)
    assert sum(float(row["product"]) for row in letters) == pytest.approx(1, abs=1e-4)
    assert sorted(path.name for path in (out / "maps").iterdir()) == ["map_000001.png", "map_000002.png"]
    anchors = table(out / "anchors.tsv")
    assert [(row["refused"], row["pairs"], row["map"]) for row in anchors] == [
        ("no", "276", "maps/map_000001.png"),
        ("no", "276", "maps/map_000002.png"),
    ]
    assert [int(row["dependent"]) for row in anchors] == pytest.approx([1, 1], abs=2)
    assert "2 anchors, 0 refused" in result.stderr


def test_an_anchor_whose_chains_disagree_is_refused_by_its_worst_quantity(tmp_path):
    apart = draws_with(None, "apart")
    apart.codes[:4, :, 7] = 2  # half of the chains never leave a letter
    result, out = run(tmp_path, [apart, draws_with((3, 17), "good")], "--maps", "none")
    assert {row["record"] for row in table(out / "pairs.tsv")} == {"good"}
    first, second = table(out / "anchors.tsv")
    assert (first["refused"], first["rhat_quantity"], first["pairs"], first["map"]) == ("yes", "G at 7", "", "")
    assert float(first["rhat"]) > 1.05
    assert second["refused"] == "no"
    assert "apart: refused, R-hat" in result.stderr
    assert "(G at 7) is not up to 1.05" in result.stderr
    assert "--preset thorough" in result.stderr
    assert list((out / "maps").iterdir()) == []


def test_anchors_are_chosen_by_name_and_an_unknown_one_is_an_error(tmp_path):
    sets = [draws_with((3, 17), "a1"), draws_with((3, 17), HOSTILE, 2)]
    _, out = run(tmp_path, sets, "--record", HOSTILE, "--maps", "svg")
    assert [row["record"] for row in table(out / "anchors.tsv")] == ['../../<b>"x" $y$']
    assert [path.name for path in (out / "maps").iterdir()] == ["map_000002.svg"]
    _, out = run(tmp_path, sets, "--max-maps", "1")
    assert [row["map"] for row in table(out / "anchors.tsv")] == ["maps/map_000001.png", ""]
    result, _ = run(tmp_path, sets, "--record", "nobody", code=1)
    assert "holds no anchor named 'nobody'" in result.stderr


def test_where_the_energy_is_no_norm_there_is_no_reference(tmp_path):
    _, out = run(tmp_path, [draws_with((3, 17), "a1")], "--maps", "none", held="output")
    assert {row["bits_squared"] for row in table(out / "pairs.tsv")} == {"nan"}
    assert table(out / "anchors.tsv")[0]["squared_share"] == "nan"


def test_nothing_found_says_what_was_looked_at_and_what_to_try(tmp_path):
    result, out = run(tmp_path, [draws_with(None, "a1", 4)])
    assert "0 of 276 pairs dependent (q up to 0.05)" in result.stderr
    assert "more draws" in result.stderr
    assert len(table(out / "pairs.tsv")) == 20
