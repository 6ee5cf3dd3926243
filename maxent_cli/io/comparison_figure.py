"""Two sets of findings in one figure: anchors' numbers against each other, and the motifs that both have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from maxent_cli.data import Floats, Motif
from maxent_cli.io.figures import BLUE, GREY, INK, ORANGE, drawable, write_figure
from maxent_cli.io.logos import draw_logo, information_heights

COLOURS = (BLUE, ORANGE, "#00876c", "#a3318f")
MOST_LOGOS = len(COLOURS)
SIDE, LOGO = 3.7, 1.5  # inches: the width of a scatter, the height of a logo


@dataclass(frozen=True)
class Scatter:
    """A number of anchors of A (N,) and of B (M,), with errors ((N,), (N,)) where these are the same anchors.

    groups (N,) says of which motif a point is, if of any.
    """

    title: str
    a: Floats
    b: Floats
    errors: tuple[Floats, Floats] | None = None
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class MatchedLogos:
    """A motif of A and one of B: A's first column, turned to the other strand or not, is at an offset on B's."""

    a: Motif
    b: Motif
    offset: int
    turned: bool


@dataclass(frozen=True)
class ComparisonFigure:
    """Names of A and B, scatters, and motifs that both have, of which four are drawn."""

    names: tuple[str, str]
    scatters: Sequence[Scatter]
    logos: Sequence[MatchedLogos]


def write_comparison_figure(path: str, shown: ComparisonFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    logos = shown.logos[:MOST_LOGOS]
    heights = [SIDE + 0.8, *[2 * LOGO] * len(logos)]
    figure = Figure(figsize=(SIDE * max(len(shown.scatters), 2), sum(heights)), layout="constrained")
    parts = np.ravel(np.asarray(figure.subfigures(len(heights), 1, height_ratios=heights)))
    for axes, scatter in zip(np.ravel(parts[0].subplots(1, len(shown.scatters))), shown.scatters, strict=True):
        _draw_scatter(axes, scatter, shown.names)
    if any(scatter.errors for scatter in shown.scatters):
        said = "an anchor a dot; bars: 95 % of the draws' Monte Carlo error; dashed: A and B alike"
        parts[0].suptitle(said, fontsize=8, color=INK, x=0.01, ha="left")
    for part, pair in zip(parts[1:], logos, strict=True):
        _draw_logos(part, pair)
    write_figure(path, figure)


def _draw_scatter(axes: Axes, shown: Scatter, names: tuple[str, str]) -> None:
    a, b = (drawable(name) for name in names)
    axes.set_title(shown.title, fontsize=10, fontweight="bold", color=INK, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    if shown.errors is None:
        _draw_apart(axes, shown, (a, b))
        return
    bars = [1.96 * np.nan_to_num(error) for error in shown.errors]
    groups = np.array(shown.groups or [""] * len(shown.a))
    for number, name in enumerate(dict.fromkeys(groups.tolist())):
        at = groups == name
        style: dict[str, Any] = {"color": COLOURS[number] if number < MOST_LOGOS else GREY, "label": name}
        style |= {"fmt": "o", "markersize": 4, "elinewidth": 0.8, "alpha": 0.75, "markeredgewidth": 0}
        axes.errorbar(shown.a[at], shown.b[at], bars[1][at], bars[0][at], **style)
    ends = min(axes.get_xlim()[0], axes.get_ylim()[0]), max(axes.get_xlim()[1], axes.get_ylim()[1])
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel(f"A: {a}", fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(f"B: {b}", fontsize=9, color=INK, parse_math=False)
    if len(set(shown.groups)) > 1:
        axes.legend(*(each[:MOST_LOGOS] for each in axes.get_legend_handles_labels()), frameon=False, fontsize=7)


def _draw_apart(axes: Axes, shown: Scatter, names: tuple[str, str]) -> None:
    """Shares of anchors up to each value, where the two sides have other anchors."""
    for letter, name, values, colour in zip("AB", names, (shown.a, shown.b), COLOURS, strict=False):
        known = np.sort(values[np.isfinite(values)])
        if len(known):
            axes.ecdf(known, color=colour, label=f"{letter}: {name}")
    axes.set_xlabel(shown.title, fontsize=9, color=INK)
    axes.set_ylabel("share of anchors up to it", fontsize=9, color=INK)
    for text in axes.legend(frameon=False, fontsize=8).get_texts():
        text.set_parse_math(False)


def _draw_logos(part: SubFigure, pair: MatchedLogos) -> None:
    counts = pair.a.probabilities[::-1, ::-1] if pair.turned else pair.a.probabilities
    last = max(pair.offset + len(counts), len(pair.b.counts))
    drawn = (
        (counts, pair.offset, f"A: {pair.a.name}{', on the other strand' if pair.turned else ''}"),
        (pair.b.probabilities, 0, f"B: {pair.b.name}"),
    )
    for axes, (letters, first, title) in zip(part.subplots(2, 1), drawn, strict=True):
        draw_logo(axes, information_heights(letters, _bits(letters)), first=first)
        axes.set(xlim=(min(pair.offset, 0) - 0.7, last - 0.3), ylim=(0, 2), xticks=[], yticks=[0, 1, 2])
        axes.set_title(title, fontsize=9, color=INK, loc="left", parse_math=False)


def _bits(probabilities: Floats) -> Floats:
    """Information of columns (W,) against uniform letters."""
    return np.asarray(2 + (probabilities * np.log2(np.maximum(probabilities, 1e-12))).sum(axis=1))
