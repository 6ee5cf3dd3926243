"""The periodicity figure: mean spectra, where the anchors peak, and one anchor's profile with the wave at its peak."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from maxent_cli.data import Floats
from maxent_cli.io.figures import BLUE, GREY, INK, ORANGE, PALE, drawable, label_axes, write_panels

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
    write_panels(path, [partial(draw, shown=shown) for draw in (_draw_spectra, _draw_peaks, _draw_profile)])


def _sources(shown: PeriodicityFigure) -> tuple[tuple[Seen, str, str, str], ...]:
    return (
        (shown.background, "background alone (beta = 0)", GREY, "--"),
        (shown.anchors, "the anchors themselves", ORANGE, "-"),
        (shown.draws, "draws", BLUE, "-"),
    )


def _draw_spectra(axes: Axes, shown: PeriodicityFigure) -> None:
    axes.axvspan(*shown.band, color=PALE, linewidth=0)
    for seen, label, colour, style in _sources(shown):
        height = seen.power / (np.median(seen.power) or 1)
        axes.plot(shown.periods, height, color=colour, linestyle=style, label=label, linewidth=1.4)
    axes.set(xlim=(5, 20), ylim=(0, None))
    label_axes(axes, f"Does {shown.words} come back every few bp?", "period, bp", "mean power over its median")
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _draw_peaks(axes: Axes, shown: PeriodicityFigure) -> None:
    axes.axvspan(*shown.band, color=PALE, linewidth=0)
    for seen, label, colour, style in _sources(shown):
        known = seen.periods[np.isfinite(seen.periods)]
        heights = np.histogram(np.clip(known, BINS[0], BINS[-1]), BINS)[0] * 100 / max(len(known), 1)
        name = f"{label}: {100 * seen.share:.0f} %"
        axes.stairs(heights, BINS, color=colour, linestyle=style, label=name, fill=colour == BLUE, alpha=0.8)
    axes.set(xlim=(5, 20), ylim=(0, 135))
    low, high = shown.band
    title = f"Which peak at {low:g}-{high:g} bp? (chance: {100 * shown.chance:.0f} %)"
    label_axes(axes, title, "period of an anchor's highest point, bp", "% of anchors")
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _draw_profile(axes: Axes, shown: PeriodicityFigure) -> None:
    places, profile = np.arange(len(shown.profile)) - (len(shown.profile) - 1) / 2, 100 * shown.profile
    axes.plot(places, profile, color=BLUE, linewidth=1.2)
    period, phase, swing = shown.wave
    if np.isfinite(period):
        middle = np.nanmean(profile)
        wave = middle + 100 * swing * np.cos(2 * np.pi * (places - phase) / period)
        axes.plot(places, wave, color=INK, linewidth=1, linestyle=":", label=f"its wave of {period:.1f} bp")
        axes.set_ylim(top=np.nanmax(profile) + 0.25 * np.ptp(profile[np.isfinite(profile)]))
        axes.legend(frameon=False, fontsize=8, loc="upper right")
    across = f"bp from the middle of {drawable(shown.record)[:50]}"
    label_axes(axes, "A typical anchor's draws", across, f"draws with {shown.words}, %")
