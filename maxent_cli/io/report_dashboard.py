"""The drawings of sequences read along, several views of each on one axis, as plain numbers and path strings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats
from maxent_cli.io.logos import LEAST_HEIGHT, MOST_COLUMNS, information_heights
from maxent_cli.io.report_drawing import LEFT, RIGHT, WIDEST, Letter, Scale, Tick, letters_of
from maxent_cli.io.report_inputs import Read, Tracks

HIGH, GAP, TOP, FOOT = 58, 16, 8, 34  # px: of a view, between two, above the first, below the last
WIDEST_STEP = 14.0  # px of a position


@dataclass(frozen=True)
class ShownView:
    """A view of some positions: its name and unit, its axis in px, letters upon it, lines and bars."""

    name: str
    unit: str
    scale: Scale
    letters: list[Letter] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)  # class and path
    bars: str = ""


@dataclass(frozen=True)
class Dashboard:
    """Some positions of an anchor, its views one above the other, in px."""

    start: int
    width: float
    height: float
    step: float
    sequence: str
    columns: list[float]
    sequence_y: float
    ticks: list[Tick]
    views: list[ShownView]


def dashboards(read: Read, tracks: Tracks | None) -> list[Dashboard]:
    """An anchor's drawing: the draws' logo, saliency, outputs as it is read, bits; in strips if it is long."""
    length = len(read.letters)
    columns = math.ceil(length / max(1, math.ceil(length / MOST_COLUMNS)))
    starts = range(0, length, columns)
    return [_dashboard(read, tracks, range(start, min(start + columns, length))) for start in starts]


def _dashboard(read: Read, tracks: Tracks | None, part: range) -> Dashboard:
    step = round(min(WIDEST_STEP, (WIDEST - LEFT - RIGHT) / len(part)), 2)
    views = list[ShownView]()
    if tracks is not None:
        views.append(_logo(tracks, part, _place(views)))
    if np.isfinite(read.saliency).any():
        views.append(_saliency(read, part, _place(views)))
    views.append(_outputs(read, part, step, _place(views)))
    if np.isfinite(read.bits).any():
        views.append(_bits(read, part, step, _place(views)))
    foot = views[-1].scale.start + GAP
    return Dashboard(
        start=part.start,
        width=round(LEFT + len(part) * step + RIGHT, 1),
        height=foot + FOOT,
        step=step,
        sequence=read.letters[part.start : part.stop],
        columns=[_middle(column, step) for column in range(len(part))],
        sequence_y=foot,
        ticks=[(_middle(p - part.start, step), str(p)) for p in part if p % 10 == 0],
        views=views,
    )


def _place(views: Sequence[ShownView]) -> int:
    """Where the next view begins."""
    return TOP + len(views) * (HIGH + GAP)


def _middle(column: int, step: float) -> float:
    return round(LEFT + (column + 0.5) * step, 1)


def _axis(values: Floats, top: int) -> Scale:
    """From the lowest to the highest number, with 0 among them."""
    known = values[np.isfinite(values)]
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    return Scale(low, high if high > low else low + 1, top + HIGH, top)


def _logo(tracks: Tracks, part: range, top: int) -> ShownView:
    heights = information_heights(tracks.probabilities, tracks.information)
    scale = _axis(heights.sum(axis=1), top)
    return ShownView("draws", "bits", scale, letters_of(heights[part.start : part.stop], LEAST_HEIGHT * scale.high))


def _saliency(read: Read, part: range, top: int) -> ShownView:
    scale = _axis(read.saliency, top)
    letters = [
        Letter(read.letters[place], place - part.start, 0.0, round(float(read.saliency[place]), 4))
        for place in part
        if read.saliency[place] > LEAST_HEIGHT * scale.high and read.letters[place] in LETTERS
    ]
    return ShownView("saliency", "|gradient|", scale, letters)


def _outputs(read: Read, part: range, step: float, top: int) -> ShownView:
    """Solid: of prefixes; dashed: of suffixes; thin: where nothing but them is read."""
    both = np.stack([read.prefix, read.suffix])
    scale = _axis(np.stack([both, read.running]), top)
    lines = [("profile", both[0]), ("profile suffix", both[1])]
    lines += [(f"{kind} alone", line) for (kind, _), line in zip(lines, read.running, strict=True)]
    paths = [(kind, _path(line[part.start : part.stop], scale, step)) for kind, line in lines]
    return ShownView("read along", "output", scale, lines=[(kind, path) for kind, path in paths if path])


def _path(values: Floats, scale: Scale, step: float) -> str:
    """A path from position to position; nothing where a number is not known."""
    if not np.isfinite(values).all():
        return ""
    return "M" + "L".join(f"{_middle(place, step)} {scale(float(value))}" for place, value in enumerate(values))


def _bits(read: Read, part: range, step: float, top: int) -> ShownView:
    scale = _axis(read.bits, top)
    wide = round(0.8 * step, 1)
    known = [place for place in part if np.isfinite(read.bits[place])]
    lefts = {place: f"{_middle(place - part.start, step) - wide / 2:.1f}" for place in known}
    bars = [f"M{lefts[place]} {scale(0.0)}h{wide}V{scale(float(read.bits[place]))}h-{wide}z" for place in known]
    return ShownView("law", "bits a letter", scale, bars="".join(bars))
