"""The probe's figure: how the draws' count answers a chemical potential, follows the anchors', and how rigid it is."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, GREY, PALE, drawable, label_axes, write_panels

LONGEST = 24  # letters of a name that are shown


@dataclass(frozen=True)
class GCFigure:
    """What the figure shows of the count named label; unit 100 shows it in per cent, 1 as a number.

    mu (S,): chemical potential, natural-log units; response (S, 3): mean over anchors and its 95 % interval; exact
    (S,): the same at beta = 0.
    anchors (N,), draws (N,) at mu = 0. rigidity: of each count outside local features, with its 95 % interval (3,);
    held: which of them are; least: what rigidity must exceed.
    """

    label: str
    unit: float
    mu: Floats
    response: Floats
    exact: Floats
    anchors: Floats
    draws: Floats
    rigidity: dict[str, Floats]
    held: tuple[str, ...]
    least: float

    @property
    def name(self) -> str:
        """The count with its unit."""
        return f"{drawable(self.label)[:LONGEST]}{', %' if self.unit == 100 else ''}"

    @property
    def narrowest(self) -> float:
        """Half of the least range that axes of the count have."""
        return self.unit / 20 if self.unit == 100 else 0.5


def write_gc_figure(path: str, shown: GCFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    write_panels(path, [partial(draw, shown=shown) for draw in (_draw_response, _draw_scatter, _draw_rigidity)])


def _draw_response(axes: Axes, shown: GCFigure) -> None:
    order = np.argsort(shown.mu)
    potentials, (mean, low, high) = shown.mu[order], shown.unit * shown.response[order].T
    exact = shown.unit * shown.exact[order]
    axes.plot(potentials, exact, color=GREY, linestyle="--", label="background alone (beta = 0)")
    told = bool(np.isfinite(low).all())
    if told:
        axes.fill_between(potentials, low, high, color=BLUE, alpha=0.2, linewidth=0)
    interval = ", 95 % interval over anchors" if told else ""
    axes.plot(potentials, mean, color=BLUE, marker="o", markersize=3.5, label=f"draws{interval}")
    across = f"chemical potential mu on {drawable(shown.label)[:LONGEST]}"
    label_axes(axes, "Do the draws resist a chemical potential?", across, f"draws: {shown.name}")
    seen = np.concatenate([exact, mean, low, high])
    axes.set_ylim(_limits(seen[np.isfinite(seen)], 0.25, shown.narrowest))
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_scatter(axes: Axes, shown: GCFigure) -> None:
    anchors, draws = shown.unit * shown.anchors, shown.unit * shown.draws
    order = np.argsort(shown.mu)
    reference = shown.unit * float(np.interp(0, shown.mu[order], shown.exact[order]))
    ends = _limits(anchors, room=0.1, least=shown.narrowest)
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle=":", label="as the anchor")
    axes.axhline(reference, color=GREY, linewidth=0.8, linestyle="--", label="as the background")
    axes.scatter(anchors, draws, s=16, color=BLUE, alpha=0.7, linewidths=0)
    label_axes(axes, "Do the draws follow their anchor?", f"anchor: {shown.name}", f"its draws: {shown.name}")
    axes.set(
        xlim=ends,
        ylim=_limits(np.append(draws, reference), room=0.6, least=shown.narrowest),
    )
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_rigidity(axes: Axes, shown: GCFigure) -> None:
    """Intervals of counts one below the other; those that are held in blue."""
    rows = np.arange(len(shown.rigidity))[::-1]
    values = np.array(list(shown.rigidity.values()))
    for row, name, (value, low, high) in zip(rows, shown.rigidity, values, strict=True):
        colour = BLUE if name in shown.held else GREY
        if np.isfinite([low, high]).all():
            axes.plot([low, high], [row, row], color=colour, linewidth=2)
        axes.plot([value], [row], color=colour, marker="o", markersize=5)
    axes.axvspan(shown.least, 1.05, color=PALE, linewidth=0, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.8, linestyle="--")
    axes.set_yticks(rows, [drawable(name)[-LONGEST:] for name in shown.rigidity], parse_math=False)
    finite = values[np.isfinite(values)]
    axes.set(xlim=(min(-0.2, float(finite.min(initial=0))) - 0.05, 1.05), ylim=(-0.6, len(rows) - 0.4))
    held = ", ".join(drawable(name)[:LONGEST] for name in shown.held[:2]) or "none"
    across = "rigidity outside local features (1: fixed)"
    label_axes(axes, f"Which count is held? {held[:1].upper()}{held[1:]}", across, "")


def _limits(values: Floats, room: float, least: float) -> tuple[float, float]:
    """A range around values, at least twice as wide as least, with room above as a share of its width."""
    middle, half = (values.min() + values.max()) / 2, max(np.ptp(values) / 2, least)
    return float(middle - 1.2 * half), float(middle + (1 + 2 * room) * half)
