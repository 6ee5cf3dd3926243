"""The dependence figure: the same bytes, what lies on either side of the diagonal, and names that are only text."""

import numpy as np
import pytest

from maxent_cli.io.dependence_figure import DependenceFigure, LetterTable, dependence_figure

HOSTILE = '../../<b>"x"\t$y$ \u4e2d'


def shown(length=60, pairs=1, title="anchor"):
    bits, dependent = np.full((length, length), 0.001), np.zeros((length, length), bool)
    bits[12, 30] = bits[30, 12] = 0.4
    dependent[12, 30] = dependent[30, 12] = pairs > 0
    dependent[2, 55] = dependent[55, 2] = pairs > 0  # found, but too weak to widen the map
    product = np.outer([0.7, 0.1, 0.1, 0.1], [0.25] * 4)
    table = LetterTable("0.400 ± 0.010 bits", "at 12", "at 30", product[::-1], product)
    return DependenceFigure(
        title, np.arange(length), "ACGT" * (length // 4), bits, bits / 4, dependent, [table] * pairs
    )


def drawn(monkeypatch, figure):
    kept = []
    monkeypatch.setattr("maxent_cli.io.dependence_figure.save_figure", lambda _, made, __: kept.append(made))
    dependence_figure("png", figure)
    return kept[0]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_numbers_give_the_same_figure(suffix):
    one, other = (dependence_figure(suffix, shown(title=HOSTILE)) for _ in range(2))
    assert one == other
    assert b"<b>" not in one


def test_the_map_ends_beside_the_strong_pairs_with_the_reference_below_the_diagonal(monkeypatch):
    figure = drawn(monkeypatch, shown())
    axes = figure.subfigs[0].axes[0]
    seen = np.asarray(axes.images[0].get_array())
    assert seen.shape == (31 - 12 + 8, 31 - 12 + 8)
    assert (seen[4, 22], seen[22, 4]) == (0.4, 0.1)
    assert axes.collections[0].get_offsets().tolist() == [[22, 4]]
    assert [text.get_text() for text in axes.texts][::2] == list(("ACGT" * 15)[8:35])


def test_as_many_tables_as_pairs_and_six_at_most(monkeypatch):
    for pairs, tables in ((0, 0), (1, 1), (9, 6)):
        right = drawn(monkeypatch, shown(pairs=pairs)).subfigs[1]
        assert sum(bool(axes.images) for axes in right.axes) == tables
    texts = [text.get_text() for text in right.axes[0].texts]
    assert texts[0] == "2.5\n(17.5)"


def test_without_pairs_and_without_reference_all_is_shown(monkeypatch):
    plain = shown(pairs=0)
    squared = np.full_like(plain.bits, np.nan)
    figure = drawn(monkeypatch, DependenceFigure(**(vars(plain) | {"squared": squared})))
    axes = figure.subfigs[0].axes[0]
    assert axes.images[0].get_array().shape == (60, 60)
    assert "gamma" not in axes.get_title(loc="left")
