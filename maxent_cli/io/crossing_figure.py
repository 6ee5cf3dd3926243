"""What networks make of each other's draws, in one figure: three matrices, and the tree of those that are alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUES, INK, drawable, label_axes, write_figure

SIDE, A_NETWORK = 3.4, 0.2  # inches: of a matrix at least, and of each network
MOST_WRITTEN = 12  # networks up to which numbers stand in the matrices


Row = Mapping[str, Any]


@dataclass(frozen=True)
class CrossingFigure:
    """Names of networks in the tree's order, matrices (A drawn, B read) in it by title, and the tree's joints."""

    names: Sequence[str]
    matrices: dict[str, Floats]
    joints: Sequence[Row]


def order_of(joints: Sequence[Row]) -> list[int]:
    """Numbers of the networks below a tree's joints, those that are alike beside each other."""
    below = {row["joint"]: (row["first"], row["second"]) for row in joints}
    found, left = list[int](), [joints[-1]["joint"]]
    while left:
        here = left.pop()
        if here in below:
            left += below[here][::-1]
        else:
            found.append(here)
    return found


def brackets(joints: Sequence[Row]) -> list[tuple[list[float], list[float]]]:
    """The tree's lines: excesses and places in its order, four points of each joint."""
    at = {number: (0.0, float(place)) for place, number in enumerate(order_of(joints))}
    found = []
    for row in joints:
        (low, one), (other_low, other) = at[row["first"]], at[row["second"]]
        found.append(([low, row["excess"], row["excess"], other_low], [one, one, other, other]))
        at[row["joint"]] = row["excess"], (one + other) / 2
    return found


def write_crossing_figure(path: str, shown: CrossingFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    side = max(SIDE, A_NETWORK * len(shown.names) + 1.5)
    figure = Figure(figsize=(side * (len(shown.matrices) + 1), side + 0.9), layout="constrained")
    *matrices, tree = figure.subplots(1, len(shown.matrices) + 1)
    for number, (axes, (title, values)) in enumerate(zip(matrices, shown.matrices.items(), strict=True)):
        _draw_matrix(axes, title, values, shown.names, number == 0)
    _draw_tree(tree, shown)
    write_figure(path, figure)


def _draw_matrix(axes: Axes, title: str, values: Floats, names: Sequence[str], first: bool) -> None:
    image = axes.imshow(values, cmap=BLUES, vmin=0, vmax=max(float(np.nanmax(values, initial=0)), 1e-9))
    written = [drawable(name) for name in names]
    places = range(len(names))
    axes.set_xticks(places, written, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(places, written if first else [""] * len(names), fontsize=7, parse_math=False)
    label_axes(axes, title, "read by", "drawn from" if first else "")
    if len(names) <= MOST_WRITTEN:
        for (row, column), value in np.ndenumerate(values):
            dark = value > 0.55 * (image.get_clim()[1] or 1)
            text = f"{value:.2g}" if np.isfinite(value) else "-"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if dark else INK)
    axes.figure.colorbar(image, ax=axes, shrink=0.7).ax.tick_params(labelsize=7)


def _draw_tree(axes: Axes, shown: CrossingFigure) -> None:
    for across, up in brackets(shown.joints):
        axes.plot(across, up, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown.names)), [drawable(name) for name in shown.names], fontsize=7, parse_math=False)
    axes.set_ylim(len(shown.names) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", labelsize=7)
    label_axes(axes, "Alike", "excess of T, mean of both ways, sd", "")
