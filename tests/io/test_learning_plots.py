"""Curves of a training on the page: where they run, and how long the bars of their errors are."""

import re
from typing import Any

import pytest

from maxent_cli.io.report_drawing import Plot, learning_key, learning_plots
from maxent_cli.tables.learning import ALL_LAYERS

NAN = float("nan")
UNKNOWN = ("loss", "loss_error", "bits", "bits_error", "bits_held", "bits_held_error")
LOSS, ERRORS = (0.7, 0.5, NAN, 0.2), (0.02, NAN, NAN, 0.05)


def plots(**more: float) -> list[list[Plot]]:
    none = dict.fromkeys(("bits", "bits_error", "bits_held", "bits_held_error"), NAN)
    steps = [
        {"step": 4**row, "kept": row == 2, "loss": loss, "loss_error": error, **none, **more}
        for row, (loss, error) in enumerate(zip(LOSS, ERRORS, strict=True))
    ]
    return learning_plots({"steps": steps, "patterns": [layer("act", 0.5)] * len(steps), "regions": []})


def layer(name: str, share: float, label: str = "all") -> dict[str, Any]:
    return {"layer": name, "class": label, "share": share, "jaccard_end": share / 2, "dead": 3, "units": 12}


def test_bars_are_as_long_as_the_errors() -> None:
    (loss, entropy), _ = plots()
    kinds = [kind for kind, _ in loss.lines]
    assert kinds == ["limit", "whisker blue", "bold blue"]
    bars = [[float(number) for number in bar] for bar in re.findall(r"M(\S+) (\S+?)V([^M]+)", loss.lines[1][1])]
    drawn = [(row, LOSS[row], ERRORS[row]) for row in (0, 3)]  # an error that is not known has none
    wanted = [[loss.x(row), loss.y(value - error), loss.y(value + error)] for row, value, error in drawn]
    assert bars == wanted
    assert loss.lines[2][1].count(" ") == 3  # points: all but the one that is not known
    assert [kind for kind, _ in entropy.lines] == ["limit", "bold blue depth4"]


def test_bits_of_the_law_and_of_positions_are_told_apart_and_fit_in_with_their_errors() -> None:
    (_, bits, _), _ = plots(bits=2.0, bits_error=0.5, bits_held=4.0, bits_held_error=3.0)
    assert [kind for kind, _ in bits.lines] == ["limit", "whisker blue", "bold blue", "whisker red", "bold red"]
    assert bits.y.high == pytest.approx(1.05 * 7)


def test_layers_are_told_apart_by_entropy_and_similarity() -> None:
    steps = [{"step": step, "kept": False} | dict.fromkeys(UNKNOWN, NAN) for step in (0, 5)]
    shares = {"first": (1.0, 0.5), "second": (0.8, 0.6), "last": (0.4, 0.2), ALL_LAYERS: (1.0, 1.0)}
    rows = [layer(name, share) for name, values in shares.items() for share in values]
    found: dict[str, list[dict[str, Any]]] = {"steps": steps, "patterns": rows, "regions": []}
    (entropy,), (dead, similarity) = learning_plots(found)
    kinds = [kind for kind, _ in entropy.lines]
    assert kinds == ["bold blue depth0", "bold blue depth2", "bold blue depth4", "bold red"]
    assert learning_key(found) == [
        ("hue0 depth0", "first"),
        ("hue0 depth2", "second"),
        ("hue0 depth4", "last"),
        ("hue1", ALL_LAYERS),
    ]
    for plot, of in ((entropy, 1), (similarity, 2)):
        for (_, line), values in zip(plot.lines, shares.values(), strict=True):
            assert heights(line) == [plot.y(value / of) for value in values]
    assert [heights(line) for _, line in dead.lines] == 4 * [2 * [dead.y(0.25)]]


def heights(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"[ML]\S+ (\S+?)(?=[ML]|$)", line)]


def test_classes_are_drawn_in_the_layer_where_they_differ_most_and_so_are_the_patterns_of_draws() -> None:
    steps = [{"step": step, "kept": False} | dict.fromkeys(UNKNOWN, NAN) for step in (0, 5)]
    rows = [
        layer(name, share + difference * (label == "positive"), label)
        for name, difference in (("first", 0.1), ("last", -0.3))
        for label in ("all", "negative", "positive")
        for share in (0.5, 0.4)
    ]
    regions = [
        {"step": step, "layer": name, "distinct": distinct, "patterns": 10}
        for step in (0, 5)
        for name, several in (("first", (2, 4)), ("last", (5, 5)))
        for distinct in several
    ]
    _, (classes, _, draws, _) = learning_plots({"steps": steps, "patterns": rows, "regions": regions})
    assert [kind for kind, _ in classes.lines] == ["bold blue", "bold red"]
    negatives, positives = (heights(line) for _, line in classes.lines)
    assert negatives == [classes.y(0.5), classes.y(0.4)]
    assert positives == [classes.y(0.2), classes.y(0.1)]
    assert [heights(line) for _, line in draws.lines] == [2 * [draws.y(0.3)], 2 * [draws.y(0.5)]]


def test_without_layers_loss_is_left() -> None:
    steps = [{"step": 0, "kept": False} | dict.fromkeys(UNKNOWN, 0.5)]
    ((loss, bits),) = learning_plots({"steps": steps, "patterns": [], "regions": []})
    assert (loss.y_label, bits.y_label) == ("loss, nats", "bits held")
