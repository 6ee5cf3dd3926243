"""What was learned when, on one axis of checkpoints: loss, bits, patterns of layers and of draws, motifs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, BLUES, GREY, INK, ORANGE, write_figure

MOST_TICKS = 12
MOST_NAMED = 26  # letters of a layer's or a motif's name
MOST_MOTIFS = 12  # that are drawn
ENTROPY = "entropy,\nshare of the most"


Row = dict[str, Any]


@dataclass(frozen=True)
class ByClass:
    """The layer in which the entropies of the classes differ most, and their shares of the most (S,)."""

    layer: str
    negatives: Floats
    positives: Floats


@dataclass(frozen=True)
class LearningFigure:
    """S steps; loss, bits and held (S, 2) with errors, nan where unknown; share, dead and jaccard (layers, S).

    bits, held: what positions and what the law hold. kept: number of the checkpoint at or before the step that the
    training kept. dead: share of units. regions (layers + 1, S): distinct patterns of draws as a share of them, of all
    layers together last; None without draws. similarity (M, S): of the last checkpoint's motifs, nan where one is not
    found.
    """

    steps: Sequence[int]
    kept: int | None
    loss: Floats
    bits: Floats
    held: Floats
    layers: Sequence[str]
    share: Floats
    by_class: ByClass | None
    dead: Floats
    regions: Floats | None
    jaccard: Floats
    motifs: Sequence[str]
    similarity: Floats


def by_class(patterns: Iterable[Row], layers: Sequence[str]) -> ByClass | None:
    """Of rows of patterns, entropy by class where that differs; None where a class is missing, or none differs."""
    shares = defaultdict[tuple[str, str], list[float]](list)
    for row in patterns:
        shares[row["layer"], row["class"]].append(row["share"])
    found = [ByClass(layer, *(np.array(shares[layer, name]) for name in ("negative", "positive"))) for layer in layers]
    apart = [float(np.abs(one.positives - one.negatives).max()) if _has_both(one) else 0.0 for one in found]
    return found[int(np.argmax(apart))] if max(apart, default=0.0) > 0 else None


def _has_both(one: ByClass) -> bool:
    return len(one.negatives) == len(one.positives) > 0


def visited(regions: Iterable[Row], layers: Sequence[str], steps: Sequence[int]) -> Floats | None:
    """Of rows of regions, the share of draws' patterns that are distinct (layers, S), the mean over anchors."""
    shares = defaultdict[tuple[str, int], list[float]](list)
    for row in regions:
        shares[row["layer"], row["step"]].append(row["distinct"] / row["patterns"])
    return np.array([[np.mean(shares[layer, step]) for step in steps] for layer in layers]) if shares else None


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
    found: list[Panel] = []
    if np.isfinite(shown.loss[:, 0]).any():
        found.append((1.5, lambda axes: _draw_curve(axes, shown.loss, "loss, nats", BLUE)))
    if np.isfinite(shown.held[:, 0]).any():
        found.append((1.5, lambda axes: _draw_bits(axes, shown)))
    found += _layer_panels(shown) if len(shown.layers) else []
    if shown.motifs:
        some = shown.motifs[:MOST_MOTIFS]
        title = "motifs of the last checkpoint: similarity"
        found.append((_height(some), lambda axes: _draw_map(axes, shown.similarity[: len(some)], some, title)))
    return found


def _layer_panels(shown: LearningFigure) -> list[Panel]:
    """Entropy first, so that it lies below loss and bits."""
    one, regions, height = shown.by_class, shown.regions, _height(shown.layers)
    found: list[Panel] = [(1.8, lambda axes: _draw_layers(axes, shown, shown.share, ENTROPY, True))]
    if one is not None:
        found.append((1.5, lambda axes: _draw_classes(axes, one)))
    found.append((1.2, lambda axes: _draw_layers(axes, shown, shown.dead, "dead units,\nshare")))
    if regions is not None:
        found.append((1.5, lambda axes: _draw_regions(axes, shown, regions)))
    found.append((height, lambda axes: _draw_map(axes, shown.share, shown.layers, "entropy, share of the most")))
    found.append((height, lambda axes: _draw_map(axes, shown.jaccard, shown.layers, "Jaccard similarity to the end")))
    return found


def _height(rows: Sequence[str]) -> float:
    """Inches of a map."""
    return 0.7 + 0.25 * len(rows)


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
    _draw_key(axes)


def _draw_layers(axes: Axes, shown: LearningFigure, values: Floats, label: str, named: bool = False) -> None:
    """A line a layer, the deeper the darker; named: there is a key of them."""
    for place, (layer, one) in enumerate(zip(shown.layers, values, strict=True)):
        colour = BLUES(0.35 + 0.65 * place / max(len(shown.layers) - 1, 1))
        axes.plot(one, color=colour, linewidth=1.3, label=_short(layer) if named else None)
    axes.set_ylabel(label, fontsize=9, color=INK)
    if named:
        _draw_key(axes)


def _draw_classes(axes: Axes, one: ByClass) -> None:
    axes.plot(one.positives, color=ORANGE, linewidth=1.3, label="positives")
    axes.plot(one.negatives, color=BLUE, linewidth=1.3, label="negatives")
    title = f"by class, in layer {_short(one.layer)}, where classes differ most"
    axes.set_title(title, fontsize=9, color=INK, loc="left", parse_math=False)
    axes.set_ylabel(ENTROPY, fontsize=9, color=INK)
    _draw_key(axes)


def _draw_regions(axes: Axes, shown: LearningFigure, regions: Floats) -> None:
    _draw_layers(axes, shown, regions[:-1], "distinct,\nshare of them")
    axes.plot(regions[-1], color=ORANGE, linewidth=1.3, label="all layers:\nlinear regions")
    axes.set_title("patterns that draws visit", fontsize=9, color=INK, loc="left")
    axes.set_ylim(0, 1.05)
    _draw_key(axes)


def _draw_key(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


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
