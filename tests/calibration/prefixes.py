"""Do the bits of prefixes sum to what the law holds?

python -m tests.calibration.prefixes OUT [--sequences N] [--seed N]

A small network is trained on simulated sequences of 60 bp with one CTCF site each. Around held-out ones, all by
defaults, the sum of bits is compared with what the replicas' ladder says of the law, -log2 Z - beta E(x0) / ln 2. Then
all but 8 positions, within the site, are held: there are 65,536 sequences, and the law is listed. Mean and standard
deviation of the differences over their errors are printed, and OUT/prefixes.tsv has a row a sequence.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logsumexp

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.data import Anchor
from maxent_cli.interpret import PRESETS
from maxent_cli.interpret.law import LawSettings
from maxent_cli.interpret.prefix_mass import prefix_bits
from maxent_cli.interpret.sampling import prepare, sample_anchor
from maxent_cli.laws import asked_outputs

COUNT, LENGTH, HELD_OUT = 2500, 60, 200
FREE, WITHIN = 8, 4  # positions that may change, from so many letters into the site on


def main() -> None:
    """Train where that is not done, draw, read, and print how far sums are off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sequences", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1, help="of all that is random: data, network, draws and readings")
    given = parser.parse_args()
    made = mx.simulate(COUNT + HELD_OUT, LENGTH, [mx.Plant("CTCF")], seed=given.seed, progress=False)
    run = replace(PRESETS["standard"], seed=given.seed)
    names, model = list(made.sequences), given.out / "model"
    if not model.exists():
        training = mx.Training("convnet", epochs=10, seed=given.seed, arguments={"filters": 16, "hidden": 32})
        positives = {name: made.sequences[name] for name in names[HELD_OUT:]}
        mx.train(positives, mx.Split(test_share=0.0), training, out=str(model), threads=1)
    network, starts = mx.network(str(model)), made.to_frame().set_index("record")["start"]
    held_out = {name: made.sequences[name] for name in names[: given.sequences]}
    draws = mx.sample(network, held_out, sampling=run, threads=1)
    read = mx.attribute(network, held_out, "prefix", draws=draws, logos="none", seed=given.seed, threads=1)["anchors"]
    told = read.set_index("record")[["bits", "bits_error", "law_bits", "law_bits_error"]]
    free = {name: slice(starts[name] + WITHIN, starts[name] + WITHIN + FREE) for name in held_out}
    rows = [listed(network, name, held_out[name], free[name], run) for name in held_out if free[name].stop <= LENGTH]
    table = told.join(pd.DataFrame(rows).set_index("record"))
    table.to_csv(given.out / "prefixes.tsv", sep="\t")
    say("the ladder", (table["bits"] - table["law_bits"]) / np.hypot(table["bits_error"], table["law_bits_error"]))
    say("listing, all but 8 positions held", (table["few_bits"] - table["listed"]) / table["few_bits_error"])


def listed(network: mx.Network, name: str, letters: str, free: slice, run: mx.Sampling) -> dict[str, str | float]:
    """Of an anchor whose other positions are held, the sum of bits, its error, and what it is by listing."""
    model, codes, mutable = network.reader(LENGTH, None), encode(letters), np.zeros(LENGTH, bool)
    mutable[free] = True
    background = network.background
    assert background is not None
    anchor = Anchor(name, codes, None, mutable)
    law = LawSettings(asked_outputs(None, ("0", "1")), background, "auto", None)
    samples = sample_anchor(model, anchor, law, run)
    found = prefix_bits(model, samples, law, run.seed).prefixes
    setting = prepare(model, anchor, law, run, 1)
    words = np.array(list(product(range(4), repeat=FREE)), np.uint8)
    every = np.tile(codes, (len(words), 1))
    every[:, free] = words
    log_q = np.log(setting.law.terms.background[free])[np.arange(FREE), words].sum(axis=1)
    log_z = logsumexp(log_q - samples.beta * setting.energies(every))
    bits = -(log_z + samples.beta * float(setting.energies(codes))) / np.log(2)
    last = np.flatnonzero(mutable)[-1]
    return {"record": name, "few_bits": found.value[last], "few_bits_error": found.error[last], "listed": bits}


def say(against: str, off: pd.Series) -> None:
    """How far sums are off, in their errors."""
    off = off.dropna()
    spread = f"{off.mean():.2f} ± {off.std() / np.sqrt(len(off)):.2f}, sd {off.std():.2f}, most {off.abs().max():.2f}"
    print(f"sums of bits less those by {against}, in their errors: mean {spread}, of {len(off)} sequences")


if __name__ == "__main__":
    main()
