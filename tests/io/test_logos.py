import warnings

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from maxent_cli.io.logos import Logo, draw_logo, information_heights, write_logo

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def logo(length=30, title="anchor", **more):
    rng = np.random.default_rng(1)
    bits = rng.uniform(0, 1, length)
    heights = information_heights(rng.dirichlet(np.ones(4), length), bits)
    return Logo(title, heights, 0.1 * bits, "ACGT" * (length // 4) + "A" * (length % 4), [(3, 9)], **more)


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_logo_is_written_by_suffix_with_the_same_bytes_each_time(tmp_path, suffix):
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write_logo(str(first), logo())
    write_logo(str(second), logo())
    assert first.read_bytes().startswith(MAGIC[suffix])
    assert first.read_bytes() == second.read_bytes()
    assert pyplot.get_fignums() == []


def test_negative_information_has_no_height_and_letters_share_a_position():
    heights = information_heights(np.array([[0.5, 0.5, 0, 0], [1, 0, 0, 0]]), np.array([1.0, -0.1]))
    assert heights.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    "nothing", [np.zeros((8, 4)), np.full((8, 4), 1e-5)], ids=["no height", "letters too small to see"]
)
def test_a_logo_of_nothing_is_an_empty_axis(tmp_path, nothing):
    write_logo(str(tmp_path / "a.png"), Logo("nothing", nothing, np.full(8, np.nan)))
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_letters_too_small_to_see_cost_nothing():
    axes = Figure().subplots()
    heights = np.full((50, 4), 1e-4)
    heights[7] = [0.5, 0.2, 0.2, 0.1]
    draw_logo(axes, heights, np.full(50, 1e-4))
    assert len(axes.collections[0].get_paths()) == 4
    assert axes.get_xlim() == pytest.approx((-0.7, 49.7))


def test_letters_below_zero_hang_from_the_axis(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.logos.write_figure", lambda _, figure: drawn.append(figure))
    heights = np.array([[0.02, 0, 0, 0], [0, -0.01, 0, 0], [0, 0, 0.0, 0]])
    write_logo("a.png", Logo("scores", heights, np.array([0.002, 0.003, 0.1]), unit="contribution"))
    (axes,) = drawn[0].axes
    assert axes.get_ylabel() == "contribution"
    assert axes.get_ylim() == pytest.approx((-0.013 * 1.06, 0.022 * 1.06))
    letters = axes.collections[0].get_paths()
    assert len(letters) == 2
    assert letters[1].get_extents().y0 == pytest.approx(-0.01, abs=1e-3)


def test_error_bars_stand_on_the_column():
    axes = Figure().subplots()
    draw_logo(axes, np.array([[0.5, 0.1, 0, 0]]), np.array([0.2]), first=20)
    (bar,) = axes.collections[-1].get_segments()
    np.testing.assert_allclose(bar, [[20, 0.4], [20, 0.8]])


def test_long_anchors_are_wrapped_in_even_rows(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.logos.write_figure", lambda _, figure: drawn.append(figure))
    write_logo("a.png", logo(147))
    assert [axes.get_xlim()[0] for axes in drawn[0].axes] == pytest.approx([-0.7, 73.3])
    assert "0-based" in drawn[0].axes[-1].get_xlabel()


@pytest.mark.parametrize(
    "title", ["$\\frac{1}$ x", "<script>alert(1)</script>", "a\nb\x1b[31m", "中文 " + "x" * 500, ""]
)
def test_any_record_name_is_only_text(tmp_path, title):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_logo(str(tmp_path / "a.svg"), logo(title=title))
    assert "<script>" not in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("title", ["motif_1", "motif_1   4 anchors, 1911 sites   MA0139.1 CTCF", "x" * 500])
def test_a_title_is_as_small_as_the_figure_needs_it(monkeypatch, title):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.logos.write_figure", lambda _, figure: drawn.append(figure))
    write_logo("a.png", logo(8, title=title))
    (written,) = drawn[0].texts
    assert written.get_window_extent().x1 <= drawn[0].bbox.x1
    assert (written.get_fontsize() < 10) == (len(title) > 10)
