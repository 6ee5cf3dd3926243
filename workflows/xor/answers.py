"""What each method says of a network, counted where it is right; and draws held against the listed laws."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis import agreement, listed_law
from maxent_cli.data import Floats, SampleSet
from maxent_cli.io import open_draws

from ..global_features.steps import Table, table
from .rule import (
    BRANCH,
    CLASSES,
    NAMES,
    OTHER_BRANCH,
    SEQUENCES,
    Bools,
    background,
    enriched_right,
    larger_right,
    letters_right,
    marginals,
    signs_right,
    sums_right,
    told_apart,
)

METHODS = ("saliency", "input-x-gradient", "deeplift", "integrated-gradients", "mutagenesis")
UNSIGNED = ("saliency",)  # they say where, and not for which class
REFERENCED = ("deeplift", "integrated-gradients")
QUESTIONS = ("letters", "sign", "larger", "sequences")

Row = dict[str, object]


def network_of(folder: Path) -> tuple[Floats, Floats]:
    """Energies (16 anchors, 16 sequences) and the contrast (16,), class 1 less class 0, by NumPy from the weights."""
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / "weights.safetensors").items()}
    inputs = np.eye(4)[SEQUENCES].transpose(0, 2, 1).reshape(16, 8)
    representation = np.maximum(inputs @ weights["1.weight"].T + weights["1.bias"], 0)
    row, bias = np.diff(weights["3.weight"], axis=0)[0], np.diff(weights["3.bias"])[0]
    weighted = representation * row
    return np.linalg.norm(weighted[:, None] - weighted, axis=-1), weighted.sum(axis=1) + bias


def draws_of(path: Path) -> list[SampleSet]:
    """The draws of a file, an anchor each."""
    with open_draws(str(path)) as draws:
        return list(draws)


def counts_of(samples: SampleSet) -> np.ndarray:
    """How often each chain drew each sequence (C, 16)."""
    numbers = 4 * samples.codes[..., 0].astype(int) + samples.codes[..., 1]
    return np.stack([np.bincount(chain, minlength=16) for chain in numbers])


def shares_of(samples: SampleSet) -> Floats:
    """The share (16,) of draws that is each sequence."""
    counts = counts_of(samples).sum(axis=0)
    return counts / counts.sum()


def listed_of(folder: Path, frequencies: Floats) -> Floats:
    """The anchored laws (16 anchors, 16 sequences) at the betas of the draws."""
    energies, _ = network_of(folder)
    log_background = np.log(background(frequencies))
    betas = [samples.beta for samples in draws_of(folder / "anchored.npz")]
    return np.stack([listed_law(energy, log_background, beta) for energy, beta in zip(energies, betas, strict=True)])


def law_rows(folder: Path, frequencies: Floats) -> Iterator[Row]:
    """Every cell of every joint table: listed and drawn, and the difference in errors of so many independent draws."""
    anchored = draws_of(folder / "anchored.npz")
    for samples, listed in zip(anchored, listed_of(folder, frequencies), strict=True):
        test, drawn = agreement(counts_of(samples), listed), shares_of(samples)
        error = np.sqrt(listed * (1 - listed) / test.independent)
        for name, *cells in zip(NAMES, listed, drawn, error, (drawn - listed) / error, strict=True):
            values = zip(("listed", "drawn", "error", "z"), cells, strict=True)
            yield {"network": folder.name, "anchor": samples.name, "sequence": name, **dict(values)}


def law_tests(folder: Path, frequencies: Floats) -> Iterator[Row]:
    """Every anchor's draws against its listed law, and where the law has its mass."""
    anchored = draws_of(folder / "anchored.npz")
    for number, (samples, listed) in enumerate(zip(anchored, listed_of(folder, frequencies), strict=True)):
        test = agreement(counts_of(samples), listed)
        yield {
            "network": folder.name,
            "anchor": samples.name,
            "beta": samples.beta,
            **test.__dict__,
            "branch": listed[BRANCH[number]].sum(),
            "other_branch": listed[OTHER_BRANCH[number]].sum(),
        }


def answers(folder: Path, frequencies: Floats) -> Iterator[Row]:
    """How often each method is right about a network, question by question."""
    _, output = network_of(folder)
    called = {"network": folder.name, "method": "network", "question": "sequences"}
    yield called | _count((output > 0) == (CLASSES == 1))
    for method in METHODS:
        for question, right in _attributed(folder, method, output).items():
            yield {"network": folder.name, "method": method, "question": question} | _count(right)
    for method, law in _laws(folder, frequencies).items():
        for question, right in _drawn(law, frequencies).items():
            yield {"network": folder.name, "method": method, "question": question} | _count(right)


def letter_scores(path: Path) -> tuple[Floats, Floats]:
    """Scores of every letter at both positions (16, 4, 2), and of the anchors' own (16, 2)."""
    rows = table(path / "positions.tsv")
    letters = np.array([[float(row[letter]) for letter in LETTERS] for row in rows]).reshape(16, 2, 4)
    return letters.transpose(0, 2, 1), np.array([float(row["score"]) for row in rows]).reshape(16, 2)


def _attributed(folder: Path, method: str, output: Floats) -> dict[str, Bools]:
    letters, present = letter_scores(folder / method)
    larger = {"larger": larger_right(np.abs(present))}
    if method in UNSIGNED:
        return larger
    towards = (2 * CLASSES - 1)[:, None, None]  # of class 0, what lowers the output keeps the class
    signed = {"letters": letters_right(letters * towards), "sign": signs_right(present)}
    return signed | larger | {"sequences": sums_right(letters, output)}


def _count(right: Bools) -> Row:
    return {"right": int(right.sum()), "of": right.size}


def _laws(folder: Path, frequencies: Floats) -> dict[str, Floats]:
    """Laws (16, 16) of the anchors, drawn and listed; those of the two classes (2, 16), by anchors and without."""
    drawn = np.stack([shares_of(samples) for samples in draws_of(folder / "anchored.npz")])
    weight = background(frequencies) * (np.array([[0], [1]]) == CLASSES)
    united = weight / weight.sum(axis=1, keepdims=True) @ drawn
    unanchored = np.stack([shares_of(draws_of(folder / f"class_{held}.npz")[0]) for held in (0, 1)])
    listed = listed_of(folder, frequencies)
    return {"anchored": drawn, "anchored, listed": listed, "united": united, "unanchored": unanchored}


def _drawn(law: Floats, frequencies: Floats) -> dict[str, Bools]:
    if len(law) == 2:
        return {"sequences": told_apart(law)}
    letters = marginals(law)
    bits = (letters * np.log2(np.maximum(letters, 1e-12) / frequencies[:, None])).sum(axis=1)
    return {
        "letters": letters_right(letters / frequencies[:, None]),
        "larger": larger_right(bits),
        "sequences": enriched_right(law, frequencies),
    }


def total(rows: Table, method: str, question: str) -> tuple[int, int]:
    """How many of the written answers of a method to a question are right, and of how many."""
    found = [row for row in rows if (row["method"], row["question"]) == (method, question)]
    return sum(int(row["right"]) for row in found), sum(int(row["of"]) for row in found)
