"""Training: does the test part tell the truth, is anything lost by stopping, what do groups and a step cost?"""

import gzip
import os
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import maxent_cli as mx
from maxent_cli.alphabet import decode, one_hot
from maxent_cli.analysis.classification import auroc as area_under_roc
from maxent_cli.api.training import Trained
from maxent_cli.models.architectures import build
from maxent_cli.models.splits import related
from maxent_cli.models.training import PUBLISHED, Examples, Settings, enough_epochs, enough_patience, fit

from .lines import Line, mean, share

DATA = Path(os.environ.get("MAXENT_DATA", Path(__file__).parents[3] / "shared" / "data"))
LENGTH, WINDOWS, APART = 101, 4, 6  # bp; windows of a region, bp from one to the next
REGIONS, RECORDS = 800, 100_000
BATCH, STEPS = 128, 100
LOST = 0.002  # of AUROC, at most


def noise(replicates: range) -> Iterator[Line]:
    """800 regions of random letters, labelled at random, four windows of each 6 bp apart: AUROC of the test part."""
    held = []
    for seed in replicates:
        chance = np.random.default_rng(seed)
        windows, labels = overlapping(REGIONS, chance), np.repeat(chance.integers(0, 2, REGIONS), WINDOWS)
        positives, negatives = ([decode(codes) for codes in windows[labels == label]] for label in (1, 0))
        trained = mx.train(
            mx.TrainingData(positives, negatives), training=mx.Training(seed=seed), threads=1, progress=False
        )
        test = trained.to_frame().set_index(["part", "metric"]).loc[("test", "AUROC")]
        held.append(test["lower"] <= 0.5 <= test["upper"])
    yield share("the AUROC's interval holds 0.5", held, 0.9, 1.0)


def overlapping(regions: int, chance: np.random.Generator) -> NDArray[np.uint8]:
    """Windows (4 regions, 101) of regions of random letters, side by side those of one."""
    whole = chance.integers(0, 4, (regions, LENGTH + (WINDOWS - 1) * APART), np.uint8)
    windows = [whole[:, APART * number : APART * number + LENGTH] for number in range(WINDOWS)]
    return np.stack(windows, axis=1).reshape(-1, LENGTH)


def patience(replicates: range) -> Iterator[Line]:
    """ChIP-seq sets of DeepBind, trained on AC, judged on B: the default patience against half of the epochs.

    Where there are 30 epochs or fewer it is half of them, and the networks are the same.
    """
    for peaks in sorted(DATA.glob("tf_chipseq/*_AC.seq.gz")):
        name, (positives, _) = peaks.name.split("_")[0], table(peaks)
        most = enough_epochs(2 * len(positives), BATCH)
        default, half = enough_patience(most), most // 2
        for seed in replicates:
            runs = {wait: trained(positives, mx.Training(seed=seed, patience=wait)) for wait in {default, half}}
            areas = {wait: auroc(run, Path(str(peaks).replace("_AC.", "_B."))) for wait, run in runs.items()}
            epochs = {wait: len(run["learning_curve"]) for wait, run in runs.items()}
            gained = areas[default] - areas[half]
            yield mean(f"{name}: AUROC on B", [areas[default]], 0.5, 1.0)
            yield mean(f"{name}: AUROC on B, more than with half of the epochs", [gained], -LOST, 1.0)
            yield mean(f"{name}: epochs, over those with half of them", [epochs[default] / epochs[half]], 0.0, 1.0)


def table(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Sequences of one length in A, C, G and T, and their labels."""
    with gzip.open(path, "rt") as stream:
        rows = [line.split() for line in islice(stream, 1, None)]
    rows = [row for row in rows if set(row[2]) <= set("ACGT") and len(row[2]) == LENGTH]
    return [row[2] for row in rows], np.array([int(row[3]) for row in rows])


def trained(positives: list[str], training: mx.Training) -> Trained:
    """A network that is tested elsewhere."""
    return mx.train(positives, mx.Split(test_share=0.0), training, threads=1, progress=False)


def auroc(run: Trained, path: Path) -> float:
    """Of the network's contrast on a table."""
    sequences, labels = table(path)
    scores = mx.predict(run.network, sequences, threads=1, progress=False).to_frame()
    return area_under_roc(labels, scores["contrast"])[0]


def grouping(replicates: range) -> Iterator[Line]:
    """100,000 records of 101 bp, of which each overlaps three: what it takes to find those that share a 24-mer."""
    times, peaks = [], []
    for seed in replicates:
        codes = overlapping(RECORDS // WINDOWS, np.random.default_rng(seed))
        begun = time.process_time()
        groups = related(codes)
        times.append(time.process_time() - begun)
        assert len(np.unique(groups)) == RECORDS // WINDOWS
        tracemalloc.start()
        related(codes)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    yield mean("CPU seconds", times, 0.0, 10.0)
    yield mean("memory, MB", peaks, 0.0, 300 + 300 * RECORDS / 1e6)


def speed(replicates: range) -> Iterator[Line]:
    """100 steps of 128 records of 101 bp: `train` (turned, rotated, averaged) against a bare loop of PyTorch.

    Those of the Deep Motif Dashboard by their own settings, but for the batch.
    """
    torch.set_num_threads(1)
    ratios = {name: [] for name in ("convnet", "finnegan2017", *PUBLISHED)}
    for seed in replicates:
        codes = np.random.default_rng(seed).integers(0, 4, (BATCH * STEPS, LENGTH), np.uint8)
        examples = Examples(codes, np.arange(len(codes)) % 2)
        for name, found in ratios.items():
            model = build(name, LENGTH, {}, seed)
            found.append(ours(model, examples, PUBLISHED.get(name, Settings())) / bare(model, examples))
    for name, found in ratios.items():
        yield mean(f"{name}: CPU time of a step over the bare loop's", found, 0.0, 1.5)


def ours(model: nn.Module, examples: Examples, settings: Settings) -> float:
    """CPU seconds of an epoch."""
    nobody = Examples(examples.codes[:0], examples.labels[:0])
    begun = time.process_time()
    list(fit(model, lambda _: examples, nobody, replace(settings, epochs=1, batch=BATCH)))
    return time.process_time() - begun


def bare(model: nn.Module, examples: Examples) -> float:
    """CPU seconds of as many steps with nothing but a forward and a backward pass and AdamW."""
    inputs, labels = torch.from_numpy(one_hot(examples.codes)), torch.from_numpy(examples.labels)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.01)
    model.train()
    begun = time.process_time()
    for rows in torch.randperm(len(labels)).reshape(STEPS, BATCH):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
        optimiser.step()
    return time.process_time() - begun
