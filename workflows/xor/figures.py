"""The figures of the XOR experiment's page."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats

from ..global_features.steps import Table
from .answers import METHODS, QUESTIONS, draws_of, letter_scores, listed_of, shares_of, total
from .rule import NAMES, SEQUENCES

SHOWN = ("AA", "AG", "CA", "CG")  # an anchor of each branch


def count_figure(answers: Table) -> Figure:
    """How often each method is wrong, question by question."""
    names = {name: name for name in METHODS} | {"anchored": "draws"}
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    for axes, question in zip(figure.subplots(1, len(QUESTIONS), sharey=True), QUESTIONS, strict=True):
        counts = [total(answers, name, question) for name in names]
        wrong = [of - right for right, of in counts]
        bars = axes.barh(list(names.values()), wrong, color=["tab:red"] * len(METHODS) + ["0.25"])
        axes.bar_label(bars, [f"{of - right:,}" if of else "-" for right, of in counts], fontsize=8)
        axes.set(title=f"{question}: wrong, of {max(of for _, of in counts):,}", xlim=(0, 1.25 * max(*wrong, 1)))
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()
    return figure


def law_figure(laws: Table) -> Figure:
    """Every cell of every joint table: drawn against listed, and the differences in errors."""
    listed, drawn, z = (np.array([float(row[name]) for row in laws]) for name in ("listed", "drawn", "z"))
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, listed.max()], [0, listed.max()], color="0.7", lw=1)
    left.plot(listed, drawn, ".", ms=2)
    left.set(xlabel="listed", ylabel="share of draws", title=f"{len(laws)} cells")
    right.hist(z, np.linspace(-5, 5, 51), density=True, color="0.7")
    points = np.linspace(-5, 5, 201)
    right.plot(points, np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi), lw=1)
    right.set(xlabel="(drawn - listed) / error", title="beside the normal law")
    return figure


def example_figure(folder: Path, frequencies: Floats) -> Figure:
    """One network, an anchor of each branch a row: its law listed, its draws, and each method's letter scores."""
    figure = Figure(figsize=(1.7 * (2 + len(METHODS)), 7), layout="constrained")
    grid = figure.subplots(len(SHOWN), 2 + len(METHODS), squeeze=False)
    listed, anchored = listed_of(folder, frequencies), draws_of(folder / "anchored.npz")
    scores = {method: letter_scores(folder / method) for method in METHODS}
    for row, name in zip(grid, SHOWN, strict=True):
        anchor = NAMES.index(name)
        _joint(row[0], listed[anchor], f"{name}: law, listed")
        _joint(row[1], shares_of(anchored[anchor]), "draws")
        for axes, (method, (letters, _)) in zip(row[2:], scores.items(), strict=True):
            _letters(axes, letters[anchor], method, anchor)
    return figure


def _joint(axes: Axes, law: Floats, title: str) -> None:
    """A joint table (16,): first letter down, second across."""
    axes.imshow(law.reshape(4, 4), cmap="Greys", vmin=0, vmax=law.max())
    axes.set_title(title, fontsize=8)
    axes.set_xticks(range(4), LETTERS, fontsize=7)
    axes.set_yticks(range(4), LETTERS, fontsize=7)


def _letters(axes: Axes, scores: Floats, title: str, anchor: int) -> None:
    """Scores of letters (4, 2), letters down; the anchor's own are framed."""
    limit = np.abs(scores).max()
    axes.imshow(scores, cmap="RdBu", vmin=-limit, vmax=limit)
    axes.plot((0, 1), SEQUENCES[anchor], "s", ms=14, mfc="none", mec="black")
    axes.set_title(title, fontsize=8)
    axes.set_xticks((0, 1), ("1st", "2nd"), fontsize=7)
    axes.set_yticks(range(4), LETTERS, fontsize=7)
