"""Figures, by the object interface of matplotlib, so that they are drawn without a screen and without state."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxent_cli.errors import InputError
from maxent_cli.io.files import PIPE
from maxent_cli.io.outputs import writing

if TYPE_CHECKING:
    from maxent_cli.models.training import Epoch

BLUE, ORANGE, GREY, PALE, INK = "#1f5fbf", "#d98324", "#8a8a8a", "#dde8f7", "#222222"
BLUES = LinearSegmentedColormap.from_list("blues", ["#ffffff", "#b9cff0", BLUE, "#0b2545"]).with_extremes(bad="#eeeeee")
PANEL = (4.2, 4.0)  # inches
SUFFIXES = ("png", "svg", "pdf")
_NO_DATE: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def write_figure(path: str, figure: Figure) -> None:
    """Write a figure as PNG, SVG or PDF by the path's suffix; the same figure gives the same bytes.

    Raises InputError for another suffix.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if path == PIPE or suffix not in SUFFIXES:
        raise InputError(path, "", "is not a figure's name", f"end it in .{', .'.join(SUFFIXES)}")
    with writing(path, "wb") as stream:
        save_figure(stream, figure, suffix)


def save_figure(stream: IO[bytes], figure: Figure, suffix: str) -> None:
    """Write a figure to a stream; the same figure gives the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "maxent_cli"}):
        figure.savefig(stream, format=suffix, dpi=150, metadata=_NO_DATE[suffix])


def write_panels(path: str, panels: Sequence[Callable[[Axes], None]]) -> None:
    """Write panels side by side, each drawn on its own axes, as write_figure does."""
    width, height = PANEL
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    for draw, axes in zip(panels, figure.subplots(1, len(panels)), strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    write_figure(path, figure)


def drawable(text: str) -> str:
    """Text as a font can show it, on one line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = plain.encode("latin-1", "replace").decode("latin-1")
    return plain if len(plain) <= 90 else f"{plain[:87]}..."


def name_figure(figure: Figure, title: str) -> None:
    """Say above a figure what it is of; text of a user's is taken as it is, not as mathematics."""
    text = drawable(title)
    figure.suptitle(text, fontsize=11, fontweight="bold", x=0.01, ha="left", parse_math=False, color=INK)


def label_axes(axes: Axes, title: str, across: str, up: str) -> None:
    """Say what axes show; text of a user's is taken as it is, not as mathematics."""
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left", parse_math=False)
    axes.set_xlabel(across, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(up, fontsize=9, color=INK, parse_math=False)


def write_learning_curve(path: str, epochs: "Sequence[Epoch]") -> None:
    """Training and validation loss (nats), and validation AUROC, against the epoch; the kept epoch is marked."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    losses, areas = figure.subplots(1, 2)
    numbers = [epoch.epoch for epoch in epochs]
    losses.plot(numbers, [epoch.training_loss for epoch in epochs], label="training")
    losses.plot(numbers, [epoch.validation_loss for epoch in epochs], label="validation")
    areas.plot(numbers, [epoch.validation_auroc for epoch in epochs], color="C1")
    kept = [epoch.epoch for epoch in epochs if epoch.best][-1:]
    for axes, name in ((losses, "cross entropy (nats)"), (areas, "AUROC, validation")):
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        for epoch in kept:
            axes.axvline(epoch, color="0.6", linestyle=":", label="kept")
    losses.legend(frameon=False)
    write_figure(path, figure)
