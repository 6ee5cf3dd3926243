"""The figure of changes: effects in the anchors against those over contexts, and against free energy."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, GREY, label_axes, write_panels

_MOST_VECTORS = 2000  # points from which on they are drawn as a picture, also in SVG and PDF


@dataclass(frozen=True)
class VariantsFigure:
    """Of V changes: effects in the anchors and over contexts, in units of the output, free energy in bits (V,)."""

    in_anchor: Floats
    effect: Floats
    free_energy: Floats


def write_variants_figure(path: str, shown: VariantsFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    write_panels(path, [partial(draw, shown=shown) for draw in (_draw_effects, _draw_free_energy)])


def _draw_effects(axes: Axes, shown: VariantsFigure) -> None:
    ends = np.array([min(shown.in_anchor.min(), shown.effect.min()), max(shown.in_anchor.max(), shown.effect.max())])
    axes.plot(ends, ends, color=GREY, linewidth=0.8)
    _points(axes, shown.in_anchor, shown.effect)
    label_axes(axes, "Context", "effect in the anchor (output)", "effect over contexts (output)")


def _draw_free_energy(axes: Axes, shown: VariantsFigure) -> None:
    axes.axhline(0, color=GREY, linewidth=0.8)
    _points(axes, shown.effect, shown.free_energy)
    label_axes(axes, "What the law charges", "effect over contexts (output)", "free energy (bits)")


def _points(axes: Axes, across: Floats, up: Floats) -> None:
    known = np.isfinite(across) & np.isfinite(up)
    many = int(known.sum()) > _MOST_VECTORS
    axes.plot(across[known], up[known], ".", color=BLUE, alpha=0.5, markersize=3, rasterized=many)
