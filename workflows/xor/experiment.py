"""Networks that learned an XOR rule on dinucleotides: what attributions say of it, and what sequences drawn say.

python -m workflows.xor.experiment workflows/xor/xor.toml

After the XOR experiment of Finnegan & Song (2017). Class 1: exactly one of [position 0 is A or T], [position 1 is G].
All sixteen inputs are anchors, and every law is known by listing. OUT/results.md is the page; its figures come from
the tables beside it, and these from draws and attributions in OUT/network_NN/. What has been made is not made again.
"""

import csv
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save

import maxent_cli as mx
from maxent_cli.alphabet import Codes, decode, encode
from maxent_cli.io import write_fasta, write_table, writing
from maxent_cli.models import Examples, Settings, fit

from ..global_features.steps import made, request
from .answers import METHODS, REFERENCED, answers, law_rows, law_tests
from .network import network
from .page import write_page
from .rule import NAMES, classes

Config = dict[str, Any]


def experiment(config: Config) -> Path:
    """Train, draw, attribute, count; gives the page."""
    out = Path(config["out"])
    out.mkdir(parents=True, exist_ok=True)
    write_fasta(str(out / "anchors.fa"), NAMES, NAMES)
    write_fasta(str(out / "start.fa"), NAMES[:1], NAMES[:1])  # of the law that has no anchor
    folders = [_told(out / f"network_{number:02d}", number, config) for number in range(config["networks"])]
    frequencies = np.array(config["background"])
    write_table(str(out / "laws.tsv"), [row for folder in folders for row in law_rows(folder, frequencies)])
    write_table(str(out / "tests.tsv"), [row for folder in folders for row in law_tests(folder, frequencies)])
    write_table(str(out / "answers.tsv"), [row for folder in folders for row in answers(folder, frequencies)])
    return write_page(out, config)


def _told(folder: Path, number: int, config: Config) -> Path:
    """One network and all that is said of it."""
    folder.mkdir(exist_ok=True)
    anchors, start = folder.parent / "anchors.fa", folder.parent / "start.fa"
    weights = _trained(folder, number, config)
    trained = network(config["hidden"])
    trained.load_state_dict(load_file(weights))
    net = mx.network(trained, 2)
    law = mx.Law(tether=None, background=tuple(config["background"]))
    sampling = request(mx.Sampling, config["sampling"], seed=number)
    made(folder / "anchored.npz", mx.sample, net, str(anchors), law, sampling, threads=1)
    for held, output in enumerate(("0-1", "1-0")):
        alone = replace(law, held="output", output=output, beta=config["beta"])
        made(folder / f"class_{held}.npz", mx.sample, net, str(start), alone, sampling, threads=1)
    for method in METHODS:
        asked = {"references": config["references"]} if method in REFERENCED else {}
        asked |= {"law": law, "logos": "none", "seed": number, "threads": 1}
        made(folder / method, mx.attribute, net, str(anchors), method, **asked)
    return folder


def _trained(folder: Path, number: int, config: Config) -> Path:
    """Weights of a network, and the examples that it learned from."""
    weights = folder / "weights.safetensors"
    if not weights.exists():
        codes, labels = read_published(config, number) if "published" in config else simulated(config, number)
        rows = [{"sequence": decode(row), "label": label} for row, label in zip(codes, labels, strict=True)]
        write_table(str(folder / "examples.tsv"), rows)
        examples, none = Examples(codes, labels), Examples(codes[:0], labels[:0])
        epochs = config["epochs"]
        settings = Settings(epochs, epochs, 64, 0.01, reverse_complement=False, shift=0, seed=number)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            model = network(config["hidden"])
        for _ in fit(model, lambda _: examples, none, settings):
            pass
        with writing(str(weights), "wb") as stream:
            stream.write(save(model.state_dict()))
    return weights


def simulated(config: Config, number: int) -> tuple[Codes, np.ndarray]:
    """Dinucleotides of independent letters, and their classes."""
    chance = np.random.default_rng(number)
    codes = chance.choice(4, (config["examples"], 2), p=config["background"]).astype(np.uint8)
    return codes, classes(codes)


def read_published(config: Config, number: int) -> tuple[Codes, np.ndarray]:
    """The published dinucleotides and their labels: a line each, tab between."""
    path = Path(config["published"]) / f"XOR_model_{number}_train.data"
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    return np.stack([encode(sequence) for sequence, _ in rows]), np.array([int(label) for _, label in rows])


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as asked:
        print(experiment(tomllib.load(asked)).read_text())
