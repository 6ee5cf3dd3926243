"""The picture of a training: which panels there are, one below the other on one axis of steps."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.io import learning_figure
from maxent_cli.io.learning_figure import ByClass, LearningFigure, write_learning_figure

STEPS, LAYERS = [0, 1, 8], ["low", "high"]


def drawn(monkeypatch: Any, **more: Any) -> list[Axes]:
    """The panels that are written, colour bars left out."""
    found = list[Figure]()
    monkeypatch.setattr(learning_figure, "write_figure", lambda _, figure: found.append(figure))
    curve, layers = np.full((3, 2), 0.5), np.full((len(more.get("layers", LAYERS)), 3), 0.25)
    shown: dict[str, Any] = {"steps": STEPS, "kept": 1, "loss": curve, "bits": curve, "held": curve, "layers": LAYERS}
    shown |= {"share": layers, "dead": layers, "jaccard": layers, "by_class": None, "regions": None}
    shown |= {"motifs": [], "similarity": np.zeros((0, 3))}
    write_learning_figure("learning.png", LearningFigure(**(shown | more)))
    return [axes for axes in found[0].axes if axes.get_label() != "<colorbar>"]


def test_loss_bits_and_entropy_lie_above_one_axis_of_steps(monkeypatch: Any) -> None:
    by_class = ByClass("high", np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.4, 0.8]))
    panels = drawn(monkeypatch, by_class=by_class, regions=np.full((3, 3), 0.75))
    said = [axes.get_ylabel().replace("\n", " ") for axes in panels]
    assert said[:3] == ["loss, nats", "bits held", "entropy, share of the most"]
    assert said[3:6] == ["entropy, share of the most", "dead units, share", "distinct, share of them"]
    assert len({tuple(axes.get_xlim()) for axes in panels}) == 1
    assert [axes.get_xlabel() != "" for axes in panels] == (len(panels) - 1) * [False] + [True]
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == ["0", "1", "8"]
    positives, negatives = panels[3].get_lines()[:2]
    assert list(positives.get_ydata()) == [0.1, 0.4, 0.8]  # type: ignore[arg-type]
    assert list(negatives.get_ydata()) == [0.1, 0.2, 0.3]  # type: ignore[arg-type]
    assert "high" in panels[3].get_title(loc="left")


def test_without_layers_loss_and_bits_are_left(monkeypatch: Any) -> None:
    panels = drawn(monkeypatch, layers=[])
    assert [axes.get_ylabel() for axes in panels] == ["loss, nats", "bits held"]
