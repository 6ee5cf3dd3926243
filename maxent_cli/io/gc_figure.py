"""The probe's figure: how the draws' count answers a field, follows the anchors', and how rigid it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import write_figure
from maxent_cli.io.logos import _shown

DRAWS, REFERENCE, INK, ASKED = "#1f5fbf", "#8a8a8a", "#222222", "#dde8f7"
LONGEST = 24  # letters of a name that are shown


@dataclass(frozen=True)
class GCFigure:
    """What the figure shows of the count named label; unit 100 shows it in per cent, 1 as a number.

    fields (S,): Δmu; response (S, 3): mean over anchors and its 95 % interval; exact (S,): the same at beta = 0.
    anchors (N,), draws (N,) at Δmu = 0; slope (3,): draws on anchors, with its 95 % interval, nan where unknown.
    rigidity: of the network, then of each reference, (3,) outside local features. margin: what the network's must
    exceed the references' by; verdict: what was found.
    """

    label: str
    unit: float
    fields: Floats
    response: Floats
    exact: Floats
    anchors: Floats
    draws: Floats
    slope: Floats
    rigidity: dict[str, Floats]
    margin: float
    verdict: str

    @property
    def name(self) -> str:
        """The count with its unit."""
        return f"{_shown(self.label)[:LONGEST]}{', %' if self.unit == 100 else ''}"


def write_gc_figure(path: str, shown: GCFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    figure = Figure(figsize=(12.6, 4.0), layout="constrained")
    response, scatter, rigidity = figure.subplots(1, 3)
    _draw_response(response, shown)
    _draw_scatter(scatter, shown)
    _draw_rigidity(rigidity, shown)
    for axes in (response, scatter, rigidity):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    write_figure(path, figure)


def _draw_response(axes: Axes, shown: GCFigure) -> None:
    order = np.argsort(shown.fields)
    fields, (mean, low, high) = shown.fields[order], shown.unit * shown.response[order].T
    exact = shown.unit * shown.exact[order]
    axes.plot(fields, exact, color=REFERENCE, linestyle="--", label="background alone (beta = 0)")
    told = bool(np.isfinite(low).all())
    if told:
        axes.fill_between(fields, low, high, color=DRAWS, alpha=0.2, linewidth=0)
    interval = ", 95 % interval over anchors" if told else ""
    axes.plot(fields, mean, color=DRAWS, marker="o", markersize=3.5, label=f"draws{interval}")
    _label(
        axes, "Does a field move the draws?", f"field on {_shown(shown.label)[:LONGEST]}, Δmu", f"draws: {shown.name}"
    )
    if shown.unit == 100:
        axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_scatter(axes: Axes, shown: GCFigure) -> None:
    anchors, draws = shown.unit * shown.anchors, shown.unit * shown.draws
    order = np.argsort(shown.fields)
    reference = shown.unit * float(np.interp(0, shown.fields[order], shown.exact[order]))
    ends = _limits(anchors, room=0.1, least=shown.unit / 20 if shown.unit == 100 else 0.5)
    axes.plot(ends, ends, color=REFERENCE, linewidth=0.8, linestyle=":", label="as the anchor")
    axes.axhline(reference, color=REFERENCE, linewidth=0.8, linestyle="--", label="as the background")
    axes.scatter(anchors, draws, s=16, color=DRAWS, alpha=0.7, linewidths=0)
    value, low, high = shown.slope
    if np.isfinite(value):
        across = np.array([anchors.min(), anchors.max()])
        label = f"slope {value:.2f} (95 %: {low:.2f} to {high:.2f})"
        axes.plot(across, draws.mean() + value * (across - anchors.mean()), color=INK, label=label)
    _label(axes, "Do the draws follow their anchor?", f"anchor: {shown.name}", f"its draws: {shown.name}")
    axes.set(
        xlim=ends,
        ylim=_limits(np.append(draws, reference), room=0.6, least=shown.unit / 20 if shown.unit == 100 else 0.5),
    )
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_rigidity(axes: Axes, shown: GCFigure) -> None:
    """Intervals side by side; shaded: what would be told from the references."""
    names = list(shown.rigidity)
    values = np.array(list(shown.rigidity.values()))
    rows = np.arange(len(names))[::-1]
    others = values[1:, 0][np.isfinite(values[1:, 0])]
    asked = (float(others[1:].mean()) if len(others) > 1 else 0.0) + shown.margin
    axes.axvspan(asked, 1.05, color=ASKED, linewidth=0)
    for row, (value, low, high), colour in zip(rows, values, [DRAWS] + [REFERENCE] * len(rows), strict=False):
        if np.isfinite([low, high]).all():
            axes.plot([low, high], [row, row], color=colour, linewidth=2)
        axes.plot([value], [row], color=colour, marker="o", markersize=6)
    axes.axvline(0, color=REFERENCE, linewidth=0.8, linestyle="--")
    axes.set_yticks(rows, [_shown(name)[-LONGEST:] for name in names], parse_math=False)
    finite = values[np.isfinite(values)]
    axes.set(xlim=(min(-0.2, float(finite.min(initial=0))) - 0.05, 1.05), ylim=(-0.6, len(names) - 0.4))
    across = "rigidity outside local features (1: fixed)"
    _label(axes, f"Is it held everywhere? {shown.verdict.capitalize()}", across, "")


def _limits(values: Floats, room: float, least: float) -> tuple[float, float]:
    """A range around values, at least twice as wide as least, with room above as a share of its width."""
    middle, half = (values.min() + values.max()) / 2, max(np.ptp(values) / 2, least)
    return float(middle - 1.2 * half), float(middle + (1 + 2 * room) * half)


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    style: dict[str, Any] = {"fontsize": 9, "color": INK, "parse_math": False}
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left")
    axes.set_xlabel(across, **style)
    axes.set_ylabel(up, **style)
