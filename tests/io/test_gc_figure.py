import numpy as np
import pytest

from maxent_cli.io.gc_figure import GCFigure, write_gc_figure

FIELDS = np.array([1.0, -1.0, 0.0])  # in any order


def shown(anchors=20, interval=0.05, label="G and C", unit=100.0):
    rng = np.random.default_rng(1)
    mean = 1 / (1 + np.exp(-FIELDS))
    response = np.stack([mean, mean - interval, mean + interval], axis=1)
    share = rng.uniform(0.3, 0.7, anchors)
    names = ("A", "G and C", "<b>$x$\n/" + 50 * "long")
    rigidity = {name: np.array([0.3, 0.3 - interval, 0.3 + interval]) for name in names}
    return GCFigure(
        label=label,
        unit=unit,
        mu=FIELDS,
        response=response,
        exact=mean,
        anchors=share,
        draws=0.2 + 0.5 * share,
        rigidity=rigidity,
        held=("A",),
        least=0.25,
    )


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_numbers_give_the_same_figure(tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        write_gc_figure(str(path), shown())
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_is_plotted_is_in_order_and_in_per_cent(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.figures.write_figure", lambda _, figure: drawn.append(figure))
    write_gc_figure("a.png", shown())
    response, scatter, rigidity = drawn[0].axes
    exact, draws = (line.get_xydata() for line in response.lines)
    np.testing.assert_allclose(draws, [[-1, 26.894], [0, 50], [1, 73.106]], rtol=1e-4)
    np.testing.assert_allclose(exact, draws)
    assert len(scatter.collections[0].get_offsets()) == 20
    assert rigidity.get_title(loc="left") == "Which count is held? A"
    assert [text.get_text() for text in rigidity.get_yticklabels()][:2] == ["A", "G and C"]
    assert rigidity.lines[0].get_color() != rigidity.lines[2].get_color()  # one is held


def test_other_counts_are_numbers(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.figures.write_figure", lambda _, figure: drawn.append(figure))
    write_gc_figure("a.png", shown(label="a $motif$\n" + 50 * "x", unit=1.0))
    response = drawn[0].axes[0]
    np.testing.assert_allclose(response.lines[1].get_xydata()[:, 1], [0.26894, 0.5, 0.73106], rtol=1e-4)
    assert "%" not in response.get_ylabel()


def test_one_anchor_has_no_interval(monkeypatch):
    drawn = []
    monkeypatch.setattr("maxent_cli.io.figures.write_figure", lambda _, figure: drawn.append(figure))
    write_gc_figure("a.png", shown(anchors=1, interval=np.nan))
    assert len(drawn[0].axes[0].collections) == 0
