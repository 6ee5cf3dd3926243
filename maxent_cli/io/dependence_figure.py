"""Heat map of the mutual information between positions, and the letters of the pairs that depend most."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUES, GREY, INK, name_figure, save_figure
from maxent_cli.io.logos import COLOURS

EXCESS = LinearSegmentedColormap.from_list("ratio", ["#d98324", "#ffffff", "#6f9fe0"])
MOST_LETTERS = 70  # positions whose letters are written along the axes
ROOM, LEAST_SPAN = 4, 20  # positions shown beside those of pairs that stand out, and at least
OUTSTANDING = 0.1  # of the most bits of a dependent pair
LEAST_TOP = 0.01  # bits: a scale that ends lower would blow noise up to look like signal
MOST_TABLES = 6
TABLES = "Letters of the pairs that depend most\n% of draws (% if apart); blue: together more often, orange: less"


@dataclass(frozen=True)
class LetterTable:
    """Shares (4, 4) of draws with each two letters, the margins' product (4, 4), and what the two positions are."""

    title: str
    first: str
    second: str
    observed: Floats
    product: Floats


@dataclass(frozen=True)
class DependenceFigure:
    """bits (F, F) above the diagonal and squared (F, F), nan where unknown, below it; dependent (F, F): told from 0.

    letters (length F) and positions (F,) are the anchor's.
    """

    title: str
    positions: NDArray[np.intp]
    letters: str
    bits: Floats
    squared: Floats
    dependent: NDArray[np.bool_]
    tables: Sequence[LetterTable]


def dependence_figure(suffix: str, shown: DependenceFigure) -> bytes:
    """The heat map and up to six letter tables as a PNG, SVG or PDF file.

    The map ends a few positions outside of the dependent pairs that have a tenth of the most bits.
    """
    figure = Figure(figsize=(12.4, 7.2), layout="constrained")
    name_figure(figure, shown.title)
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1.6, 1)))
    _draw_map(left.subplots(), shown)
    if shown.tables:
        right.suptitle(TABLES, fontsize=9, color=INK)
    for axes, number in zip(right.subplots(3, 2).ravel(), range(MOST_TABLES), strict=True):
        axes.set_axis_off()
        if number < len(shown.tables):
            _draw_table(axes, shown.tables[number])
    stream = io.BytesIO()
    save_figure(stream, figure, suffix)
    return stream.getvalue()


def _draw_map(axes: Axes, shown: DependenceFigure) -> None:
    first, last = _span(shown)
    part = slice(first, last)
    values = np.where(np.triu(np.ones_like(shown.bits, bool)), shown.bits, shown.squared)
    np.fill_diagonal(values, np.nan)
    top = max(float(np.nanmax(values[part, part], initial=0)), LEAST_TOP)
    image = axes.imshow(np.maximum(values[part, part], 0), cmap=BLUES, vmin=0, vmax=top, interpolation="nearest")
    rows, columns = np.nonzero(np.triu(shown.dependent[part, part], 1))
    axes.scatter(columns, rows, s=max(1.0, 60 / (last - first)), color=INK, linewidths=0)
    axes.plot([-0.5, last - first - 0.5], [-0.5, last - first - 0.5], color=GREY, linewidth=0.8)
    _label(axes, shown, part)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02)
    bar.set_label("mutual information, bits", fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8)


def _label(axes: Axes, shown: DependenceFigure, part: slice) -> None:
    positions, letters = shown.positions[part], shown.letters[part]
    style: dict[str, Any] = {"fontsize": 9, "color": INK}
    below = "below: after reweighting to exp(-gamma·E²), which takes the norm's doing away"
    axes.set_title(
        f"Above the diagonal: the draws (dots: q up to 0.05)\n{below if np.isfinite(shown.squared).any() else ''}",
        loc="left",
        **style,
    )
    axes.set_xlabel("position in the anchor (0-based)", **style)
    axes.set_ylabel("position in the anchor (0-based)", **style)
    axes.spines[:].set(color=GREY, linewidth=0.7)
    step = 5 if len(positions) <= MOST_LETTERS else 10
    tens = [place for place, position in enumerate(positions) if position % step == 0]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(tens, [str(positions[place]) for place in tens], fontsize=8)
        axis.set_tick_params(length=0, pad=12 if len(positions) <= MOST_LETTERS else 2)
    if len(positions) <= MOST_LETTERS:
        _write_letters(axes, letters)


def _write_letters(axes: Axes, letters: str) -> None:
    style: dict[str, Any] = {"fontsize": 6.5, "weight": "bold", "ha": "center", "va": "center"}
    for place, letter in enumerate(letters):
        colour = COLOURS.get(letter, GREY)
        axes.text(place, -0.014, letter, color=colour, transform=axes.get_xaxis_transform(), **style)
        axes.text(-0.014, place, letter, color=colour, transform=axes.get_yaxis_transform(), **style)


def _draw_table(axes: Axes, table: LetterTable) -> None:
    axes.set_axis_on()
    axes.set_title(table.title, fontsize=8.5, fontweight="bold", color=INK)
    excess = (table.observed - table.product) / np.sqrt(np.where(table.product > 0, table.product, 1))
    most = float(np.abs(excess).max()) or 1.0
    axes.imshow(excess, cmap=EXCESS, vmin=-most, vmax=most, aspect="auto")
    for row, column in np.ndindex(4, 4):
        text = f"{100 * table.observed[row, column]:.1f}\n({100 * table.product[row, column]:.1f})"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=INK)
    for axis, name in ((axes.xaxis, table.second), (axes.yaxis, table.first)):
        axis.set_ticks(range(4), list(LETTERS), fontsize=8)
        axis.set_tick_params(length=0)
        axis.set_label_text(name, fontsize=8, color=INK)
    axes.spines[:].set_visible(False)


def _span(shown: DependenceFigure) -> tuple[int, int]:
    """First and last row to show: those of pairs that stand out and a few beside them, or all where none does."""
    bits = np.where(shown.dependent, shown.bits, 0)
    rows, length = np.flatnonzero((bits > OUTSTANDING * bits.max(initial=0)).any(axis=0)), len(bits)
    if not len(rows):
        return 0, length
    first, last = int(rows[0]) - ROOM, int(rows[-1]) + 1 + ROOM
    missing = max(LEAST_SPAN - (last - first), 0)
    return max(first - missing // 2, 0), min(last + missing - missing // 2, length)
