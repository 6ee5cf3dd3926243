"""Sequence logos: stacked letters whose height is information, with its error, along the anchor they belong to."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats
from maxent_cli.io.figures import GREY, INK, drawable, save_figure, write_figure

# the usual hues in shades that the common kinds of colour blindness tell apart, three times as dark as white or more
COLOURS = {"A": "#00876c", "C": "#1f5fbf", "G": "#c98600", "T": "#c1292e"}
BAND = "#eef1f5"
MOST_COLUMNS = 120  # positions in a row before the logo is wrapped
LEAST_HEIGHT = 0.01  # letters lower than this share of the axis are not drawn: nobody sees them
LEAST_AXIS = 0.25  # bits: an axis that ends lower would blow noise up to look like signal


@dataclass(frozen=True)
class Logo:
    """What a logo shows: letter heights (L, 4) and their errors (L,) in bits or another unit, and where they belong.

    Heights below zero hang from the axis. letters (length L) is the sequence written below, spans the stretches shaded
    behind (0-based half-open), both on the columns of this logo; axis is what its columns are.
    """

    title: str
    heights: Floats
    errors: Floats | None = None
    letters: str = ""
    spans: Sequence[tuple[int, int]] = ()
    axis: str = "position in the anchor (0-based)"
    unit: str = "bits"


def information_heights(probabilities: Floats, information: Floats) -> Floats:
    """Letter heights (L, 4) from frequencies (L, 4) and a position's information (L,) in bits; none below zero."""
    return np.asarray(probabilities * np.maximum(information, 0)[:, None])


def png_of(logo: Logo) -> bytes:
    """A logo as PNG, without a file of one's own."""
    stream = io.BytesIO()
    save_figure(stream, _figure_of(logo), "png")
    return stream.getvalue()


def write_logo(path: str, logo: Logo) -> None:
    """Write a logo as PNG, SVG or PDF by the path's suffix; more than 120 positions are wrapped in even rows."""
    write_figure(path, _figure_of(logo))


def _figure_of(logo: Logo) -> Figure:
    length = len(logo.heights)
    rows = max(1, math.ceil(length / MOST_COLUMNS))
    columns = math.ceil(length / rows)
    width, height = max(3.4, 0.9 + 0.135 * columns), 0.7 + 1.75 * rows
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(0.55 / width, 0.55 / height, 1 - 0.1 / width, 1 - 0.35 / height, hspace=0.3)
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        _draw_row(axes, logo, slice(row * columns, (row + 1) * columns), columns)
        axes.set_ylim(*_ends(logo))
    style: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 10, "fontweight": "bold", "color": INK}
    title = figure.text(0.1 / width, 1 - 0.08 / height, drawable(logo.title), parse_math=False, **style)
    room, needed = 0.95 * (width - 0.1) * figure.dpi, title.get_window_extent().width  # small letters are rounded wider
    title.set_fontsize(10 * min(1, room / max(needed, 1)))
    figure.axes[-1].set_xlabel(logo.axis, fontsize=8, color=INK)
    return figure


def draw_logo(axes: Axes, heights: Floats, errors: Floats | None = None, first: int = 0, unit: str = "bits") -> None:
    """Draw letters of the given heights (L, 4), with error bars (L,), on axes; first is the first position."""
    positions = np.arange(first, first + len(heights))
    stack = heights.sum(axis=1)
    top = max(float(np.abs(stack).max(initial=0)), _least_axis(unit))
    seen = np.where(np.abs(heights) >= LEAST_HEIGHT * top, heights, 0.0)
    if seen.any():
        axes.add_collection(_letters(seen, first), autolim=False)
        axes.axhline(color="black", linewidth=0.5, zorder=-1)
    if errors is not None:
        told = np.isfinite(errors) & (np.abs(stack) + np.nan_to_num(errors) >= 2 * LEAST_HEIGHT * top)
        axes.errorbar(
            positions[told], stack[told], yerr=errors[told], fmt="none", ecolor=INK, elinewidth=0.7, capsize=1.4
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(visible=True, color=GREY, linewidth=0.7)
    axes.tick_params(labelsize=7, colors=INK, length=2.5)
    axes.set_ylabel(unit, fontsize=8, color=INK)
    axes.set_xlim(first - 0.7, first + len(heights) - 0.3)


def _letters(heights: Floats, first: int) -> PathCollection:
    """Letters of heights (L, 4), the highest on top, those below zero hanging; as logomaker stacks them, in one piece.

    logomaker would shape each anew, and ask each how far it reaches: two thirds of the time of a logo.
    """
    outlines, colours = list[Outline](), list[str]()
    for position, column in enumerate(heights, first):
        floor = float(column[column < 0].sum())
        for letter in np.argsort(column):
            height = float(column[letter])
            if height:
                place = Affine2D().scale(1, abs(height)).translate(position, floor)
                outlines.append(place.transform_path(_outline(LETTERS[letter], height < 0)))
                colours.append(COLOURS[LETTERS[letter]])
                floor += abs(height)
    return PathCollection(outlines, facecolors=colours, linewidths=0, zorder=0)


@cache
def _outline(letter: str, hanging: bool) -> Outline:
    """A letter as logomaker shapes it, at position 0 and from 0 to 1; upside down where it hangs."""
    import logomaker  # and with it pandas, which takes long and which the page of a report does without

    glyph = logomaker.Glyph(0, letter, 0, 1, ax=Figure().subplots(), width=0.92, vpad=0.02, flip=hanging)
    outline: Outline = glyph.patch.get_path()
    return outline


def _draw_row(axes: Axes, logo: Logo, part: slice, columns: int) -> None:
    errors = None if logo.errors is None else logo.errors[part]
    draw_logo(axes, logo.heights[part], errors, part.start, logo.unit)
    last = part.start + columns
    for start, end in logo.spans:
        if start < last and end > part.start:
            axes.axvspan(max(start, part.start) - 0.5, min(end, last) - 0.5, color=BAND, zorder=-2, linewidth=0)
    _write_below(axes, logo, part)
    axes.set_xlim(part.start - 0.7, last - 0.3)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xticks([place for place in range(part.start, last) if place % 10 == 0])
    axes.tick_params(axis="x", pad=10 if logo.letters else 2)


def _write_below(axes: Axes, logo: Logo, part: slice) -> None:
    inside = {place for start, end in logo.spans for place in range(start, end)}
    place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "top", "fontsize": 6}
    for position, letter in enumerate(logo.letters[part], part.start):
        colour = COLOURS.get(letter, GREY) if position in inside else GREY
        axes.text(position, -0.05, letter, color=colour, weight="bold" if position in inside else "normal", **place)


def _ends(logo: Logo) -> tuple[float, float]:
    """The axis's lower and upper end: 0 below, unless a letter hangs."""
    errors = np.zeros(len(logo.heights)) if logo.errors is None else np.nan_to_num(logo.errors)
    stack = logo.heights.sum(axis=1)
    top = float((stack + np.where(stack > 0, errors, 0)).max(initial=0))
    bottom = float((stack - errors)[stack < 0].min(initial=0))
    return 1.06 * bottom, 1.06 * max(top, 0 if bottom else _least_axis(logo.unit))


def _least_axis(unit: str) -> float:
    return LEAST_AXIS if unit == "bits" else 1e-6
