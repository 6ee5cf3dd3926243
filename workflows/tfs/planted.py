"""Is the largest jump at the planted site? python -m workflows.tfs.planted OUT [--architecture NAME] [--sequences N].

A network is trained on simulated sequences with one CTCF site each, against their dinucleotide shuffles; of held-out
positives it is read off where reading from the left, from the right, and both together, the output changes most by a
letter, and whether that letter is of the planted site. OUT/planted.tsv has a row a sequence; the shares are printed.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import maxent_cli as mx

COUNT, LENGTH, HELD_OUT = 6000, 60, 200
WAYS = ("from the left", "from the right", "both")


def main() -> None:
    """Train where that is not done, read, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--architecture", default="convnet")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--sequences", type=int, default=COUNT)
    given = parser.parse_args()
    made = mx.simulate(given.sequences + HELD_OUT, LENGTH, [mx.Plant("CTCF")], seed=1, progress=False)
    names = list(made.sequences)
    model, training = given.out / "model", mx.Training(given.architecture, epochs=given.epochs)
    if not model.exists():
        positives = {name: made.sequences[name] for name in names[HELD_OUT:]}
        mx.train(positives, mx.Split(test_share=0.0), training, out=str(model), threads=1)
    held_out = {name: made.sequences[name] for name in names[:HELD_OUT]}
    read = mx.attribute(mx.network(str(model)), held_out, "prefix", logos="none", threads=1)
    table = jumps(read, made.to_frame())
    table.to_csv(given.out / "planted.tsv", sep="\t", index=False)
    for way in WAYS:
        print(f"largest jump {way} in the planted site: {table[way].mean():.1%} of {len(table)} sequences")


def jumps(read: mx.Results, sites: pd.DataFrame) -> pd.DataFrame:
    """Whether the largest jump of each sequence lies in its site, by each way of reading."""
    sites, start = sites.set_index("record"), read["anchors"].set_index("record")["reference_output"]
    found = []
    for name, one in read["reading"].groupby("record", sort=False):
        left = np.diff(one["prefix"].to_numpy(float), prepend=start[name])
        right = -np.diff(one["suffix"].to_numpy(float), append=start[name])
        first, end = (int(sites.loc[name, column]) for column in ("start", "end"))
        within = [first <= int(np.argmax(change)) < end for change in (left, right, left + right)]
        found.append({"record": name, "start": first, "end": end} | dict(zip(WAYS, within, strict=True)))
    return pd.DataFrame(found)


if __name__ == "__main__":
    main()
