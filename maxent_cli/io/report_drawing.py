"""The drawings of a report as plain numbers and path strings; the template turns them into SVG."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats
from maxent_cli.io.crossing_figure import brackets, order_of
from maxent_cli.io.learning_figure import ByClass, by_class, visited
from maxent_cli.io.logos import LEAST_HEIGHT, information_heights
from maxent_cli.io.report_inputs import MotifShown, Row
from maxent_cli.tables.learning import ALL_LAYERS
from maxent_cli.tables.periodicity import BAND

WIDE = 1.96  # standard errors to either side of a 95 % band
MOST_NAMED = 30  # letters of what is counted
COMMANDS = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C", Outline.CLOSEPOLY: "Z"}
DEPTHS = 5  # shades by which layers are told apart, as the page styles them
COUNTS_LEFT, COUNTS_RIGHT, COUNTS_TOP, COUNTS_STEP = 150, 700, 14, 15  # px of the chart of counts
STACKED = 126  # px of a plot that shares its axis with those below
Tick = tuple[float, str]


@dataclass(frozen=True)
class Scale:
    """From numbers to px: low is drawn at start, high at end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self, whole: bool = False) -> list[Tick]:
        """Round numbers within the scale, in px and as text; whole: of what is counted."""
        steps = [1, 2, 5, 10] if whole else [1, 2, 2.5, 5, 10]
        values = MaxNLocator(5, steps=steps, integer=whole).tick_values(self.low, self.high)
        slack = 1e-9 * abs(self.high - self.low)
        return [(self(v), signed(f"{v:.6g}")) for v in values if self.low - slack <= v <= self.high + slack]


@dataclass(frozen=True)
class Letter:
    """A letter in a logo: its column, where it stands and how high it is, in bits."""

    letter: str
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Plot:
    """A plot of lines, bands and dots in px; lines and dots carry the class that styles them."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    summary: str
    bands: list[tuple[str, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    dots: list[tuple[float, float, str]] = field(default_factory=list)


@dataclass(frozen=True)
class CountsChart:
    """Counts one below the other, the most rigid first: of each its name, y, verdict, and px of the numbers.

    Where its interval is not known, low and high are None.
    """

    x: Scale
    ticks: list[Tick]
    height: float
    rows: list[dict[str, Any]]


def counts_chart(answer: Sequence[Row]) -> CountsChart:
    """The rigidity of every count that the probe looked at, which are the rows of its answer."""
    known = sorted((row for row in answer if math.isfinite(row["rigidity"])), key=lambda row: -row["rigidity"])
    lows = [row["low"] for row in known if math.isfinite(row["low"])]
    x = Scale(max(min([-0.05, *lows]), -1.0), 1.0, COUNTS_LEFT, COUNTS_RIGHT)

    def clipped(value: float) -> float | None:
        return x(min(max(value, x.low), x.high)) if math.isfinite(value) else None

    rows = [
        {
            "count": row["count"],
            "y": COUNTS_TOP + at * COUNTS_STEP,
            "held": row["held"],
            "at": clipped(row["rigidity"]),
            "low": clipped(row["low"]),
            "high": clipped(row["high"]),
            "least": x(row["least"]),
        }
        for at, row in enumerate(known)
    ]
    return CountsChart(x, x.ticks(), COUNTS_TOP + len(known) * COUNTS_STEP, rows)


def signed(text: str) -> str:
    """A number's text with a true minus sign."""
    return text.replace("-", "\u2212")


@cache
def glyphs() -> dict[str, str]:
    """Outlines of A C G T in a box of one by one, y upwards, as SVG path data."""
    bold = FontProperties(family="DejaVu Sans", weight="bold")
    return {letter: _outline(TextPath((0, 0), letter, size=1, prop=bold)) for letter in LETTERS}


def letters_of(heights: Floats, least: float) -> list[Letter]:
    """Letters of a logo (L, 4) in bits, the highest on top; those below the least height are left out."""
    found = []
    for column, row in enumerate(heights):
        y = 0.0
        for letter in np.argsort(row, kind="stable"):
            if row[letter] >= least:
                found.append(Letter(LETTERS[letter], column, round(y, 3), round(float(row[letter]), 3)))
            y += float(row[letter])
    return found


def motif_letters(motif: MotifShown) -> list[Letter]:
    """The letters of a motif's logo, on an axis of 2 bits."""
    return letters_of(information_heights(motif.probabilities, motif.information), 2 * LEAST_HEIGHT)


def convergence_plot(rows: Sequence[Row], max_rhat: float | None) -> Plot:
    """Least ESS against worst R-hat of each anchor, both on logarithmic axes."""
    known = [row for row in rows if not np.isnan(row["rhat"]) and np.isfinite(row["ess"])]
    rhat = [_excess(row["rhat"]) for row in known]
    ess = [math.log10(max(row["ess"], 1)) for row in known]
    marks = [_excess(max_rhat)] if max_rhat else []
    x = Scale(min([*rhat, *marks, -2.0]) - 0.1, max([*rhat, *marks, -1.0]) + 0.1, 52, 340)
    y = Scale(min([*ess, 1.5]) - 0.1, max([*ess, 2.5]) + 0.1, 186, 10)
    line = [("limit", f"M{x(mark)} {y(y.low)}V{y(y.high)}") for mark in marks]
    return Plot(
        x=x,
        y=y,
        x_label="worst R-hat",
        y_label="least ESS",
        x_ticks=[
            (x(_excess(v)), f"{v:g}") for v in (1.001, 1.01, 1.03, 1.1, 1.3, 2, 11) if x.low <= _excess(v) <= x.high
        ],
        y_ticks=[
            (y(math.log10(v)), f"{v:g}")
            for v in (1, 10, 30, 100, 300, 1000, 3000, 10000)
            if y.low <= math.log10(v) <= y.high
        ],
        summary=f"Least effective sample size against worst R-hat of {len(known)} anchors.",
        lines=line,
        dots=[(x(a), y(b), "good" if row["converged"] else "bad") for a, b, row in zip(rhat, ess, known, strict=True)],
    )


def series_plots(series: Sequence[Sequence[Row]]) -> list[Plot]:
    """Share of energy kept, and bits held and shown, against beta as a share of the one in use; mean drawn bold."""
    bits = [
        row[name] for replicas in series for row in replicas for name in ("bits", "bits_held") if np.isfinite(row[name])
    ]
    kept = Scale(0, 1, 186, 10)
    held = Scale(1.05 * min([*bits, 0.0]), 1.05 * max([*bits, 1.0]), 186, 10)
    return [
        _series_plot(series, kept, "share of energy kept", {"energy_reduction": "blue"}),
        _series_plot(series, held, "bits", {"bits_held": "blue", "bits": "red"}),
    ]


@dataclass(frozen=True)
class StepCurve:
    """Values by checkpoint (S,), their standard errors, nan or 0 where none is drawn, and the colour."""

    values: Sequence[float]
    errors: Sequence[float]
    colour: str

    def points(self) -> Iterator[tuple[int, float, float]]:
        """Place, value and error of what is known."""
        for place, (value, error) in enumerate(zip(self.values, self.errors, strict=True)):
            if np.isfinite(value):
                yield place, value, error if np.isfinite(error) else 0.0


def learning_plots(found: dict[str, list[Row]]) -> list[list[Plot]]:
    """Curves by checkpoint, those of a list one below the other on one axis; what is not known is left out.

    First loss, bits and entropy, then more of each layer's patterns.
    """
    steps = found["steps"]
    loss, held, bits = (
        StepCurve([row[name] for row in steps], [row[f"{name}_error"] for row in steps], colour)
        for name, colour in (("loss", "blue"), ("bits_held", "blue"), ("bits", "red"))
    )
    shares, dead, alike, regions = _by_layer(found)
    first = (
        ("loss, nats", [loss], "Loss by step."),
        ("bits held", [held, bits], "Bits that the law (blue) and positions (red) hold around anchors, by step."),
        ("entropy, share", shares, "Entropy of each layer's patterns by step, as a share of the most."),
    )
    second = (
        ("entropy by class", _by_class(found), "Entropy of positives (red) and negatives (blue) by step."),
        ("dead, share", dead, "Dead units of each layer by step."),
        ("visited, share", regions, "Distinct patterns of each layer by step, as a share of those of the draws."),
        ("similarity to end", alike, "Jaccard similarity of each layer's patterns to the last, by step."),
    )
    return [stack for stack in (_stacked(steps, first), _stacked(steps, second)) if stack]


def learning_key(found: dict[str, list[Row]]) -> list[tuple[str, str]]:
    """Each layer with the class that styles its square."""
    shades = _shades(_layers(found))
    return [(shade.replace("blue", "hue0").replace("red", "hue1"), layer) for layer, shade in shades.items()]


def layer_by_class(found: dict[str, list[Row]]) -> ByClass | None:
    """The layer whose entropy is drawn by class, where one is."""
    return by_class(found["patterns"], [layer for layer in _layers(found) if layer != ALL_LAYERS])


def _layers(found: dict[str, list[Row]]) -> list[str]:
    return list(dict.fromkeys(row["layer"] for row in found["patterns"]))


def _by_layer(found: dict[str, list[Row]]) -> Iterator[list[StepCurve]]:
    """A curve a layer of entropy, dead units, similarity to the end, and patterns that draws visit."""
    shades, whole = _shades(_layers(found)), [row for row in found["patterns"] if row["class"] == "all"]
    own = {layer: [row for row in whole if row["layer"] == layer] for layer in shades}
    yield [_exact((row["share"] for row in rows), shades[layer]) for layer, rows in own.items()]
    yield [_exact((row["dead"] / row["units"] for row in rows), shades[layer]) for layer, rows in own.items()]
    yield [_exact((row["jaccard_end"] for row in rows), shades[layer]) for layer, rows in own.items()]
    regions = visited(found["regions"], list(shades), [row["step"] for row in found["steps"]])
    yield [] if regions is None else [_exact(one, shade) for one, shade in zip(regions, shades.values(), strict=True)]


def _by_class(found: dict[str, list[Row]]) -> list[StepCurve]:
    one = layer_by_class(found)
    return [_exact(one.negatives, "blue"), _exact(one.positives, "red")] if one else []


def _shades(layers: Sequence[str]) -> dict[str, str]:
    """The classes of each layer's lines: the deeper the darker, and all together in red."""
    single = [layer for layer in layers if layer != ALL_LAYERS]
    depths = np.linspace(0, DEPTHS - 1, len(single)).round().astype(int) if len(single) > 1 else [DEPTHS - 1]
    return {layer: f"blue depth{depth}" for layer, depth in zip(single, depths, strict=False)} | {
        layer: "red" for layer in layers if layer == ALL_LAYERS
    }


def _exact(values: Iterable[float], colour: str) -> StepCurve:
    """Values that have no error."""
    known = list(values)
    return StepCurve(known, [0.0] * len(known), colour)


def _stacked(steps: Sequence[Row], drawn: Iterable[tuple[str, list[StepCurve], str]]) -> list[Plot]:
    """What is known of it, a plot each."""
    return [_by_step(steps, *each) for each in drawn if any(np.isfinite(curve.values).any() for curve in each[1])]


def _by_step(steps: Sequence[Row], label: str, curves: Sequence[StepCurve], summary: str) -> Plot:
    """Curves by checkpoint, equally far apart, with the step below; their errors as bars."""
    ends = [value + sign * error for curve in curves for _, value, error in curve.points() for sign in (-1, 1)]
    x = Scale(0, max(len(steps) - 1, 1), 52, 340)
    y = Scale(min(0.0, *ends), 1.05 * max(*ends, 1e-9), STACKED - 10, 10)
    ticks = np.unique(np.linspace(0, len(steps) - 1, 6).astype(int))
    lines = [("limit", f"M{x(place)} {y.start}V{y.end}") for place, row in enumerate(steps) if row["kept"]]
    for curve in curves:
        known = list(curve.points())
        bars = [f"M{x(place)} {y(value - error)}V{y(value + error)}" for place, value, error in known if error > 0]
        lines += [(f"whisker {curve.colour}", "".join(bars))] if bars else []
        if known:
            places, values, _ = zip(*known, strict=True)
            lines.append((f"bold {curve.colour}", _curve(places, values, x, y)))
    x_ticks = [(x(int(place)), str(steps[place]["step"])) for place in ticks]
    return Plot(x, y, "step of the training", label, x_ticks, y.ticks(), summary, lines=lines)


def gc_plots(response: Sequence[Row]) -> list[Plot]:
    """The draws' count against mu, and at mu = 0 against the anchor's."""
    potentials = sorted({row["mu"] for row in response})
    by_mu = {value: [row for row in response if row["mu"] == value] for value in potentials}
    return [_response_plot(by_mu), _anchors_plot(by_mu[0.0])]


def period_plot(spectra: Floats) -> Plot:
    """Mean power of draws, anchors and beta = 0 over its median against the period, that of draws with its 95 % band.

    spectra (5, F): periods, the three, and the standard error of the draws' over anchors.
    """
    periods, *powers, error = spectra
    heights = [power / (float(np.median(power)) or 1.0) for power in powers]
    errors = error / (float(np.median(powers[0])) or 1.0)
    top = max(2.0, *(1.05 * h.max() for h in (*heights, heights[0] + WIDE * errors)))
    x, y = Scale(periods.min(), periods.max(), 52, 340), Scale(0, top, 186, 10)
    kinds = ("bold blue", "bold red", "limit")
    return Plot(
        *(x, y, "period, bp", "mean power over its median", x.ticks(), y.ticks()),
        "Mean spectrum of the draws, beside those of the anchors and of the background alone.",
        bands=[
            ("blue shade", f"M{x(BAND[0])} {y.start}V{y.end}H{x(BAND[1])}V{y.start}Z"),
            ("blue", _band(periods, heights[0], errors, x, y)),
        ],
        lines=[(kind, _curve(periods, height, x, y)) for kind, height in zip(kinds, heights, strict=True)][::-1],
    )


def syntax_plot(cells: Sequence[Row]) -> Plot:
    """What two motifs are worth together in an arrangement, by distance: free energy, and at small beta; 95 % bands."""
    kinds = (("red", "interaction"), ("blue", "first_order"))
    seen = [row for row in cells if np.isfinite(row["first_order"])]
    errors = {name: np.array([row[f"{name}_error"] for row in seen]) for _, name in kinds}
    middles = {name: np.array([row[name] for row in seen]) for _, name in kinds}
    ends = [middles[name] + side * WIDE * np.nan_to_num(errors[name]) for _, name in kinds for side in (-1, 1)]
    values = [float(value) for end in ends for value in end if np.isfinite(value)] + [0.0]
    x, y = (
        Scale(0, max(row["distance"] for row in seen) or 1, 52, 340),
        Scale(1.05 * min(values), 1.05 * max(*values, 0.1), 186, 10),
    )
    distances = [row["distance"] for row in seen]
    lines = [(f"bold {kind}", _curve(distances, middles[name], x, y)) for kind, name in kinds]
    return Plot(
        *(x, y, "bp between facing ends", "interaction, bits", x.ticks(whole=True), y.ticks()),
        "What two motifs are worth together beyond each by itself, by distance.",
        bands=[(kind, _band(distances, middles[name], errors[name], x, y)) for kind, name in kinds],
        lines=[("limit", f"M{x.start} {y(0)}H{x.end}"), *lines],
    )


def variants_plot(points: Floats) -> Plot:
    """Effects over contexts against those in the anchors, of some changes (n, 2)."""
    low, high = min(0.0, float(points.min())), max(0.0, float(points.max()))
    room = 0.05 * (high - low) or 1.0
    x, y = Scale(low - room, high + room, 52, 340), Scale(low - room, high + room, 186, 10)
    return Plot(
        *(x, y, "in the anchor", "over contexts", x.ticks(), y.ticks()),
        f"Effects over contexts against those in the anchors, of {len(points)} changes.",
        lines=[("limit", f"M{x(low)} {y(low)}L{x(high)} {y(high)}")],
        dots=[(x(one), y(other), "good") for one, other in points.tolist()],
    )


def curve_plot(rows: Sequence[Row]) -> Plot:
    """Losses by epoch, and where the weights that were kept come from."""
    epochs = [row["epoch"] for row in rows]
    kinds = (("limit", "training_loss"), ("bold blue", "validation_loss"))
    top = max((row[name] for row in rows for _, name in kinds if math.isfinite(row[name])), default=1.0)
    x, y = Scale(0, max(epochs), 52, 340), Scale(0, 1.05 * top or 1.0, 186, 10)
    kept = [row for row in rows if row["best"]][-1:]
    return Plot(
        *(x, y, "epoch", "mean loss, nats", x.ticks(whole=True), y.ticks()),
        "Losses of the training part and of the validation part by epoch.",
        lines=[(kind, _curve(epochs, [row[name] for row in rows], x, y)) for kind, name in kinds],
        dots=_dots([row["epoch"] for row in kept], [row["validation_loss"] for row in kept], x, y),
    )


def edits_plot(positions: Sequence[Row]) -> Plot:
    """How often each position of a record is edited, with its 95 % band, and at beta = 0."""
    places = [row["position"] for row in positions]
    x, y = Scale(min(places), max(places) + 1, 52, 340), Scale(0, 1, 186, 10)
    lines = [
        (kind, _curve(places, [row[name] for row in positions], x, y))
        for kind, name in (("limit", "background"), ("bold blue", "edited"))
    ]
    told = "Probability that each position is edited, beside that of the background alone."
    edited, errors = (np.array([row[name] for row in positions]) for name in ("edited", "edited_error"))
    bands = [("blue", _band(places, edited, errors, x, y))]
    ticks = x.ticks(whole=True), y.ticks()
    return Plot(x, y, "position (0-based)", "probability of an edit", *ticks, told, bands, lines)


def tree_plot(joints: Sequence[Row]) -> Plot:
    """The tree of networks, by their numbers from 1."""
    order, top = order_of(joints), max(row["excess"] for row in joints)
    x, y = Scale(0, 1.05 * top or 1.0, 52, 340), Scale(len(order) - 0.5, -0.5, 186, 10)
    told = "Tree of networks, those that are alike beside each other."
    names = [(y(place), str(number + 1)) for place, number in enumerate(order)]
    lines = [("bold blue", _curve(across, up, x, y)) for across, up in brackets(joints)]
    return Plot(x, y, "excess of T, mean of both ways, sd", "network", x.ticks(), names, told, lines=lines)


def _counted(rows: Sequence[Row]) -> tuple[float, str]:
    """What a count is multiplied by to be shown, and its name with the unit."""
    name = rows[0]["counted"][:MOST_NAMED]
    return (100.0, f"{name}, %") if rows[0]["share"] else (1.0, name)


def _outline(path: TextPath) -> str:
    box = path.get_extents()
    low, size = np.array([box.x0, box.y0]), np.array([box.width, box.height])
    room = np.array([0.04, 0.0]), np.array([0.92, 0.98])  # so that neighbours do not touch
    parts = []
    for points, code in path.iter_segments(simplify=False, curves=True):
        unit = (np.reshape(points, (-1, 2)) - low) / size * room[1] + room[0]
        numbers = [] if code == Outline.CLOSEPOLY else [f"{value:.3f}" for value in unit.ravel()]
        parts.append(COMMANDS[code] + " ".join(numbers))
    return "".join(parts)


def _series_plot(series: Sequence[Sequence[Row]], y: Scale, label: str, names: dict[str, str]) -> Plot:
    x = Scale(0, 1, 52, 340)
    plot = Plot(x, y, "beta, as a share of the beta in use", label, x.ticks(), y.ticks(), f"{label} as beta rises.")
    for name, colour in names.items():
        plot.lines.extend(
            (f"thin {colour}", _curve(_share(replicas), [r[name] for r in replicas], x, y)) for replicas in series
        )
    even = len({len(replicas) for replicas in series}) == 1
    for name, colour in names.items() if even else ():
        shares = np.mean([_share(replicas) for replicas in series], axis=0)
        values = np.mean([[row[name] for row in replicas] for replicas in series], axis=0)
        plot.lines.append((f"bold {colour}", _curve(shares, values, x, y)))
    return plot


def _response_plot(by_mu: dict[float, list[Row]]) -> Plot:
    potentials = list(by_mu)
    unit, name = _counted(by_mu[potentials[0]])
    counts = [unit * np.array([row["draws"] for row in by_mu[value]]) for value in potentials]
    mean = np.array([values.mean() for values in counts])
    error = np.array([values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0 for values in counts])
    exact = [unit * float(np.mean([row["beta_0"] for row in by_mu[value]])) for value in potentials]
    top = unit if unit == 100 else max(*(mean + WIDE * error), *exact, 1e-9)
    x, y = Scale(potentials[0], potentials[-1], 52, 340), Scale(0, top, 186, 10)
    return Plot(
        *(x, y, "chemical potential mu", f"draws: {name}", x.ticks(), y.ticks()),
        "Mean count in the draws at each mu, with that of the background alone.",
        bands=[("blue", _band(potentials, mean, error, x, y))],
        lines=[("limit", _curve(potentials, exact, x, y)), ("bold blue", _curve(potentials, mean, x, y))],
        dots=_dots(potentials, mean, x, y),
    )


def _anchors_plot(rows: Sequence[Row]) -> Plot:
    unit, name = _counted(rows)
    anchors, draws = (unit * np.array([row[column] for row in rows]) for column in ("anchor", "draws"))
    half_widths = WIDE * np.nan_to_num(unit * np.array([row["draws_error"] for row in rows]))
    both = np.concatenate([anchors, draws - half_widths, draws + half_widths])
    middle, half = (both.max() + both.min()) / 2, max(np.ptp(both) / 2, 10 if unit == 100 else 0.5)
    x, y = (
        Scale(middle - 1.1 * half, middle + 1.1 * half, 52, 340),
        Scale(middle - 1.1 * half, middle + 1.1 * half, 186, 10),
    )
    ends = zip(_dots(anchors, draws - half_widths, x, y), _dots(anchors, draws + half_widths, x, y), strict=True)
    whiskers = "".join(f"M{at:g} {low:g}V{high:g}" for (at, low, _), (_, high, _) in ends)
    return Plot(
        *(x, y, f"anchor: {name}", f"its draws: {name}", x.ticks(), y.ticks()),
        "The count in each anchor's draws at mu = 0, against the anchor's own.",
        lines=[("limit", _curve([x.low, x.high], [y.low, y.high], x, y)), ("whiskers", whiskers)],
        dots=_dots(anchors, draws, x, y),
    )


def _curve(xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, x: Scale, y: Scale) -> str:
    points = [f"{a:g} {b:g}" for a, b, _ in _dots(xs, ys, x, y)]
    return f"M{'L'.join(points)}" if points else ""


def _band(xs: Sequence[float] | Floats, ys: Floats, errors: Floats, x: Scale, y: Scale) -> str:
    """Around a curve, as wide as its 95 % intervals; where errors are not known it has none."""
    known = np.isfinite(ys) & np.isfinite(errors)
    at, low, high = np.asarray(xs, float)[known], (ys - WIDE * errors)[known], (ys + WIDE * errors)[known]
    upper, lower = _curve(at, np.minimum(high, y.high), x, y), _curve(at[::-1], np.maximum(low, y.low)[::-1], x, y)
    return f"{upper}L{lower[1:]}Z" if upper else ""


def _dots(
    xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, x: Scale, y: Scale
) -> list[tuple[float, float, str]]:
    """Where the known points lie."""
    return [(x(a), y(b), "good") for a, b in zip(xs, ys, strict=True) if np.isfinite(a) and np.isfinite(b)]


def _share(replicas: Sequence[Row]) -> list[float]:
    return [row["beta"] / replicas[-1]["beta"] for row in replicas]


def _excess(rhat: float) -> float:
    return math.log10(min(max(rhat - 1, 1e-3), 10))
