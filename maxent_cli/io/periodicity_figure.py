"""The periodicity figure: mean spectra, where the anchors peak, and one anchor's profile with the wave at its peak."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.data import Floats
from maxent_cli.io.figures import write_figure
from maxent_cli.io.logos import _shown

DRAWS, ANCHOR, REFERENCE, INK = "#1f5fbf", "#d98324", "#8a8a8a", "#222222"
BINS = np.arange(5, 20.5, 0.5)  # bp


@dataclass(frozen=True)
class Seen:
    """Of one source: the mean power (F,), the anchors' peaks in bp (N,), and the share of them in the band."""

    power: Floats
    periods: Floats
    share: float


@dataclass(frozen=True)
class PeriodicityFigure:
    """What the figure shows, at periods (F,) in bp; chance is the share of peaks in the band that backgrounds give.

    record, profile (P,) and wave (period and phase from the middle in bp, swing as a share): one anchor's draws.
    """

    words: str
    periods: Floats
    draws: Seen
    anchors: Seen
    background: Seen
    chance: float
    band: tuple[float, float]
    record: str
    profile: Floats
    wave: tuple[float, float, float]


def write_periodicity_figure(path: str, shown: PeriodicityFigure) -> None:
    """Write the figure as PNG, SVG or PDF by the path's suffix."""
    figure = Figure(figsize=(12.6, 3.9), layout="constrained")
    spectra, peaks, profile = figure.subplots(1, 3)
    _draw_spectra(spectra, shown)
    _draw_peaks(peaks, shown)
    _draw_profile(profile, shown)
    for axes in (spectra, peaks, profile):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    write_figure(path, figure)


def _sources(shown: PeriodicityFigure) -> tuple[tuple[Seen, str, str, str], ...]:
    return (
        (shown.background, "background alone (beta = 0)", REFERENCE, "--"),
        (shown.anchors, "the anchors themselves", ANCHOR, "-"),
        (shown.draws, "draws", DRAWS, "-"),
    )


def _draw_spectra(axes: Axes, shown: PeriodicityFigure) -> None:
    axes.axvspan(*shown.band, color="#dde8f7", linewidth=0)
    for seen, label, colour, style in _sources(shown):
        height = seen.power / (np.median(seen.power) or 1)
        axes.plot(shown.periods, height, color=colour, linestyle=style, label=label, linewidth=1.4)
    axes.set(xlim=(5, 20), ylim=(0, None))
    _label(axes, f"Does {shown.words} come back every few bp?", "period, bp", "mean power over its median")
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _draw_peaks(axes: Axes, shown: PeriodicityFigure) -> None:
    axes.axvspan(*shown.band, color="#dde8f7", linewidth=0)
    for seen, label, colour, style in _sources(shown):
        known = seen.periods[np.isfinite(seen.periods)]
        heights = np.histogram(np.clip(known, BINS[0], BINS[-1]), BINS)[0] * 100 / max(len(known), 1)
        name = f"{label}: {100 * seen.share:.0f} %"
        axes.stairs(heights, BINS, color=colour, linestyle=style, label=name, fill=colour == DRAWS, alpha=0.8)
    axes.set(xlim=(5, 20), ylim=(0, 135))
    low, high = shown.band
    title = f"Which peak at {low:g}-{high:g} bp? (chance: {100 * shown.chance:.0f} %)"
    _label(axes, title, "period of an anchor's highest point, bp", "% of anchors")
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _draw_profile(axes: Axes, shown: PeriodicityFigure) -> None:
    places, profile = np.arange(len(shown.profile)) - (len(shown.profile) - 1) / 2, 100 * shown.profile
    axes.plot(places, profile, color=DRAWS, linewidth=1.2)
    period, phase, swing = shown.wave
    if np.isfinite(period):
        middle = np.nanmean(profile)
        wave = middle + 100 * swing * np.cos(2 * np.pi * (places - phase) / period)
        axes.plot(places, wave, color=INK, linewidth=1, linestyle=":", label=f"its wave of {period:.1f} bp")
        axes.set_ylim(top=np.nanmax(profile) + 0.25 * np.ptp(profile[np.isfinite(profile)]))
        axes.legend(frameon=False, fontsize=8, loc="upper right")
    across = f"bp from the middle of {_shown(shown.record)[:50]}"
    _label(axes, "A typical anchor's draws", across, f"draws with {shown.words}, %")


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK, loc="left", parse_math=False)
    axes.set_xlabel(across, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(up, fontsize=9, color=INK, parse_math=False)
