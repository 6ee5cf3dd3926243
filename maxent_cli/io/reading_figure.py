"""A picture of an anchor read from left to right and back: outputs, and the bits by which a law holds each letter."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, GREY, ORANGE, name_figure, write_figure
from maxent_cli.io.logos import COLOURS

A_LETTER, LEAST_WIDE, MOST_WIDE = 0.11, 6.0, 24.0  # inches
MOST_LETTERS = 220  # positions whose letters are written


@dataclass(frozen=True)
class ReadingFigure:
    """What is read of an anchor of some letters, from the left and from the right (2, L); bits (L,), if known."""

    title: str
    letters: str
    outputs: Floats
    errors: Floats
    running: Floats | None
    bits: Floats | None
    bits_errors: Floats | None


def write_reading_figure(path: str, shown: ReadingFigure) -> None:
    """Write it as PNG, SVG or PDF by the path's suffix."""
    rows = 1 if shown.bits is None else 2
    wide = float(np.clip(A_LETTER * len(shown.letters) + 1.5, LEAST_WIDE, MOST_WIDE))
    figure = Figure(figsize=(wide, 0.6 + 2.2 * rows), layout="constrained")
    name_figure(figure, shown.title)
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    _draw_outputs(panels[0], shown)
    if shown.bits is not None:
        _draw_bits(panels[1], shown.bits, shown.bits_errors)
    _write_letters(panels[-1], shown.letters)
    write_figure(path, figure)


def _draw_outputs(axes: Axes, shown: ReadingFigure) -> None:
    places = np.arange(len(shown.letters))
    for side, (name, colour) in enumerate((("letters up to here", BLUE), ("letters from here on", ORANGE))):
        value, error = shown.outputs[side], shown.errors[side]
        axes.plot(places, value, color=colour, linewidth=1.4, label=name)
        axes.fill_between(places, value - error, value + error, color=colour, alpha=0.2, linewidth=0)
        if shown.running is not None:
            axes.plot(places, shown.running[side], color=colour, linewidth=1, linestyle=":", label=f"{name} alone")
    axes.set_ylabel("output")
    axes.legend(fontsize=7, frameon=False)


def _draw_bits(axes: Axes, bits: Floats, errors: Floats | None) -> None:
    axes.bar(np.arange(len(bits)), bits, yerr=errors, color=BLUE, ecolor=GREY, width=0.8)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_ylabel("bits, given those before")


def _write_letters(axes: Axes, letters: str) -> None:
    axes.set_xlim(-0.7, len(letters) - 0.3)
    if len(letters) > MOST_LETTERS:
        return
    axes.tick_params(axis="x", pad=10)
    for position, letter in enumerate(letters):
        axes.text(
            *(position, -0.05, letter),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=6,
            color=COLOURS.get(letter, GREY),
        )
