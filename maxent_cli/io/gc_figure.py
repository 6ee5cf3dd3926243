"""The GC probe's figure: how the draws' GC answers a field, and how it follows the anchors' own GC."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import write_figure

DRAWS, REFERENCE, INK = "#1f5fbf", "#8a8a8a", "#222222"


@dataclass(frozen=True)
class GCFigure:
    """What the figure shows, GC as a share of an anchor's mutable positions.

    fields (S,): Δmu; response (S, 3): mean over anchors and its 95 % interval; exact (S,): the same at beta = 0.
    anchors (N,), draws (N,) at Δmu = 0; slope (3,): draws on anchors, with its 95 % interval, nan where unknown.
    """

    fields: Floats
    response: Floats
    exact: Floats
    anchors: Floats
    draws: Floats
    slope: Floats


def write_gc_figure(path: str, shown: GCFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    figure = Figure(figsize=(8.6, 4.0), layout="constrained")
    response, scatter = figure.subplots(1, 2)
    _draw_response(response, shown)
    _draw_scatter(scatter, shown)
    for axes in (response, scatter):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    write_figure(path, figure)


def _draw_response(axes: Axes, shown: GCFigure) -> None:
    order = np.argsort(shown.fields)
    fields, (mean, low, high) = shown.fields[order], 100 * shown.response[order].T
    axes.plot(
        fields, 100 * shown.exact[order], color=REFERENCE, linestyle="--", label="background alone (beta = 0), exact"
    )
    told = bool(np.isfinite(low).all())
    if told:
        axes.fill_between(fields, low, high, color=DRAWS, alpha=0.2, linewidth=0)
    axes.plot(
        fields,
        mean,
        color=DRAWS,
        marker="o",
        markersize=3.5,
        label=f"draws{', 95 % interval over anchors' if told else ''}",
    )
    _label(axes, "A field on GC: does it move the draws?", "field on GC, Δmu", "GC of the draws, %")
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_scatter(axes: Axes, shown: GCFigure) -> None:
    anchors, draws = 100 * shown.anchors, 100 * shown.draws
    reference = 100 * float(np.interp(0, np.sort(shown.fields), shown.exact[np.argsort(shown.fields)]))
    ends = _limits(anchors, room=0.1)
    axes.plot(ends, ends, color=REFERENCE, linewidth=0.8, linestyle=":", label="as the anchor")
    axes.axhline(reference, color=REFERENCE, linewidth=0.8, linestyle="--", label="as the background")
    axes.scatter(anchors, draws, s=16, color=DRAWS, alpha=0.7, linewidths=0)
    value, low, high = shown.slope
    if np.isfinite(value):
        across = np.array([anchors.min(), anchors.max()])
        label = f"slope {value:.2f} (95 %: {low:.2f} to {high:.2f})"
        axes.plot(across, draws.mean() + value * (across - anchors.mean()), color=INK, label=label)
    _label(axes, "Do the draws keep the anchor's GC?", "GC of the anchor, %", "GC of its draws, %")
    axes.set(xlim=ends, ylim=_limits(np.append(draws, reference), room=0.6))
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _limits(values: Floats, room: float) -> tuple[float, float]:
    """A range of per cents around values, at least ten wide, with room above as a share of its width."""
    middle, half = (values.min() + values.max()) / 2, max(np.ptp(values) / 2, 5.0)
    return float(middle - 1.2 * half), float(middle + (1 + 2 * room) * half)


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    style: dict[str, Any] = {"fontsize": 9, "color": INK}
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left")
    axes.set_xlabel(across, **style)
    axes.set_ylabel(up, **style)
