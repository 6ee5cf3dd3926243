"""The beta series' figure: what an anchor's law keeps and holds as beta rises."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.io.figures import write_figure

BLUE, ORANGE, GREY = "#1f5fbf", "#c1292e", "#8a8a8a"


def write_series_figure(path: str, title: str, rows: Sequence[Mapping[str, object]], anchor_output: float) -> None:
    """Write one anchor's series (rows of analysis.series.beta_series) as PNG, SVG or PDF by the path's suffix."""
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    figure.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left", parse_math=False)
    energy, output, bits = figure.subplots(1, 3)
    _curve(energy, rows, "energy", BLUE, "mean energy")
    energy.set_ylim(bottom=min(0, energy.get_ylim()[0]))
    _curve(output, rows, "output", BLUE, "draws")
    output.axhline(anchor_output, color=GREY, linestyle="--", linewidth=1, label="anchor")
    _curve(bits, rows, "bits_held", BLUE, "held by the law")
    _curve(bits, rows, "bits", ORANGE, "shown by positions")
    for axes, label in ((energy, "mean energy"), (output, "output"), (bits, "bits")):
        axes.set_xlabel("beta (1/energy)", fontsize=9)
        axes.set_ylabel(label, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (output, bits):
        axes.legend(frameon=False, fontsize=8)
    write_figure(path, figure)


def _curve(axes: Axes, rows: Sequence[Mapping[str, object]], name: str, colour: str, label: str) -> None:
    beta, value, error = (np.array([row[column] for row in rows], float) for column in ("beta", name, f"{name}_error"))
    axes.errorbar(beta, value, 1.96 * np.nan_to_num(error), color=colour, marker="o", markersize=3, label=label)
