"""The figure of syntax: what two motifs are worth together, by distance, an arrangement a panel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, GREY, ORANGE, label_axes, write_figure

PANEL = (3.0, 2.4)  # inches
MOST_COLUMNS = 4


class Estimated(Protocol):
    """Values and their standard errors."""

    @property
    def value(self) -> Floats: ...
    @property
    def error(self) -> Floats: ...


@dataclass(frozen=True)
class SyntaxPanel:
    """A pair of motifs: interaction free energies and first-order interactions (A arrangements, D distances), bits."""

    name: str
    arrangements: Sequence[str]
    free: Estimated
    first: Estimated


def write_syntax_figure(path: str, pairs: Sequence[SyntaxPanel]) -> None:
    """Write a row of panels a pair, as PNG, SVG or PDF by the path's suffix."""
    figure = Figure(figsize=(PANEL[0] * MOST_COLUMNS, PANEL[1] * len(pairs)), layout="constrained")
    grid = figure.subplots(len(pairs), MOST_COLUMNS, squeeze=False, sharex=True)
    for row, pair in zip(grid, pairs, strict=True):
        limits = _limits(pair)
        for number, axes in enumerate(row):
            if number < len(pair.arrangements):
                _draw(axes, pair, number, limits)
            else:
                axes.set_visible(False)
    grid[0][0].legend(frameon=False, fontsize=7, loc="lower right")
    write_figure(path, figure)


def _draw(axes: Axes, pair: SyntaxPanel, number: int, limits: tuple[float, float]) -> None:
    distances = np.arange(pair.free.value.shape[1])
    axes.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    kinds = ((pair.free, ORANGE, "free energy"), (pair.first, BLUE, "at small beta"))
    for found, colour, label in kinds:
        value, error = found.value[number], np.nan_to_num(found.error[number])
        axes.fill_between(distances, value - error, value + error, color=colour, alpha=0.2, linewidth=0)
        axes.plot(distances, value, color=colour, linewidth=1.3, marker="o", markersize=2, label=label)
    axes.set_ylim(limits)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    title = f"{pair.name}   {pair.arrangements[number]}" if number == 0 else pair.arrangements[number]
    label_axes(axes, title, "bp between facing ends", "interaction, bits" if number == 0 else "")


def _limits(pair: SyntaxPanel) -> tuple[float, float]:
    """A range that holds all of a pair's values, with their errors."""
    parts = [one.value + sign * np.nan_to_num(one.error) for one in (pair.free, pair.first) for sign in (-1, 1)]
    seen = np.concatenate([part.ravel() for part in parts])
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    room = 0.08 * max(high - low, 1e-3)
    return min(low, 0.0) - room, max(high, 0.0) + room
