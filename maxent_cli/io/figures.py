"""Figures, by the object interface of matplotlib, so that they are drawn without a screen and without state."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxent_cli.errors import InputError
from maxent_cli.io.files import PIPE
from maxent_cli.io.outputs import writing

BLUE, ORANGE, GREY, PALE, INK = "#1f5fbf", "#d98324", "#8a8a8a", "#dde8f7", "#222222"
PANEL = (4.2, 4.0)  # inches
SUFFIXES = ("png", "svg", "pdf")
_NO_DATE: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


class CurvePoint(Protocol):
    """What the learning curve shows of an epoch; losses in nats."""

    @property
    def epoch(self) -> int: ...
    @property
    def training_loss(self) -> float: ...
    @property
    def validation_loss(self) -> float: ...
    @property
    def validation_auroc(self) -> float: ...
    @property
    def best(self) -> bool: ...


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


def label_axes(axes: Axes, title: str, across: str, up: str) -> None:
    """Say what axes show; text of a user's is taken as it is, not as mathematics."""
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left", parse_math=False)
    axes.set_xlabel(across, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(up, fontsize=9, color=INK, parse_math=False)


def write_learning_curve(path: str, epochs: Sequence[CurvePoint]) -> None:
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
