"""What was learned when, on one axis of checkpoints: loss, bits, entropy and similarity of layers, motifs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, BLUES, GREY, INK, ORANGE, write_figure

MOST_TICKS = 12
MOST_NAMED = 26  # letters of a layer's or a motif's name
MOST_MOTIFS = 12  # that are drawn


@dataclass(frozen=True)
class LearningFigure:
    """S steps; loss, bits and held (S, 2) with errors, nan where unknown; share and jaccard (layers, S).

    bits, held: what positions and what the law hold. kept: number of the checkpoint at or before the step that the
    training kept. similarity (M, S): of the last checkpoint's motifs, nan where one is not found.
    """

    steps: Sequence[int]
    kept: int | None
    loss: Floats
    bits: Floats
    held: Floats
    layers: Sequence[str]
    share: Floats
    jaccard: Floats
    motifs: Sequence[str]
    similarity: Floats


Panel = tuple[float, Callable[[Axes], None]]  # its height in inches, and what draws it


def write_learning_figure(path: str, shown: LearningFigure) -> None:
    """Write the panels that there is something for, one below the other."""
    panels = list(_panels(shown))
    heights = [height for height, _ in panels]
    figure = Figure(figsize=(9, sum(heights) + 0.5), layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (_, draw) in zip(grid, panels, strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        if shown.kept is not None:
            axes.axvline(shown.kept, color=GREY, linestyle=":", linewidth=1)
    _label_steps(grid[-1], shown)
    write_figure(path, figure)


def _panels(shown: LearningFigure) -> list[Panel]:
    layers = 0.7 + 0.25 * len(shown.layers)
    found: list[Panel] = []
    if np.isfinite(shown.loss[:, 0]).any():
        found.append((1.5, lambda axes: _draw_curve(axes, shown.loss, "loss, nats", BLUE)))
    if np.isfinite(shown.held[:, 0]).any():
        found.append((1.5, lambda axes: _draw_bits(axes, shown)))
    found.append((1.8, lambda axes: _draw_entropy(axes, shown)))
    found.append((layers, lambda axes: _draw_map(axes, shown.share, shown.layers, "entropy, share of the most")))
    found.append((layers, lambda axes: _draw_map(axes, shown.jaccard, shown.layers, "Jaccard similarity to the end")))
    if shown.motifs:
        some = shown.motifs[:MOST_MOTIFS]
        motifs = 0.7 + 0.25 * len(some)
        title = "motifs of the last checkpoint: similarity"
        found.append((motifs, lambda axes: _draw_map(axes, shown.similarity[: len(some)], some, title)))
    return found


def _draw_curve(axes: Axes, values: Floats, label: str, colour: str) -> None:
    """Values with their errors, (S, 2)."""
    axes.errorbar(
        range(len(values)), values[:, 0], values[:, 1], color=colour, linewidth=1.5, elinewidth=0.8, label=label
    )
    axes.set_ylabel(label, fontsize=9, color=INK)


def _draw_bits(axes: Axes, shown: LearningFigure) -> None:
    _draw_curve(axes, shown.held, "of the law", BLUE)
    _draw_curve(axes, shown.bits, "of positions", ORANGE)
    axes.set_ylabel("bits held", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_entropy(axes: Axes, shown: LearningFigure) -> None:
    """A line a layer, the deeper the darker."""
    for place, (layer, values) in enumerate(zip(shown.layers, shown.share, strict=True)):
        colour = BLUES(0.35 + 0.65 * place / max(len(shown.layers) - 1, 1))
        axes.plot(values, color=colour, linewidth=1.3, label=_short(layer))
    axes.set_ylabel("entropy,\nshare of the most", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_map(axes: Axes, values: Floats, names: Sequence[str], title: str) -> None:
    """A row a name, a column a checkpoint; the first name below, as layers lie."""
    image = axes.imshow(values, cmap=BLUES, vmin=0, vmax=1, aspect="auto", interpolation="nearest", origin="lower")
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=7)
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    bar = axes.figure.colorbar(image, ax=axes, pad=0.01, aspect=8)
    bar.ax.tick_params(labelsize=7)


def _label_steps(axes: Axes, shown: LearningFigure) -> None:
    places = np.unique(np.linspace(0, len(shown.steps) - 1, MOST_TICKS).astype(int))
    axes.set_xticks(places, [str(shown.steps[place]) for place in places])
    kept = "; dotted: the last one at or before the step that was kept" if shown.kept is not None else ""
    axes.set_xlabel(f"step of the training, one column a checkpoint{kept}", fontsize=9, color=INK)


def _short(name: str) -> str:
    return name if len(name) <= MOST_NAMED else f"{name[: MOST_NAMED - 1]}…"
