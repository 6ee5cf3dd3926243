"""What does an anchor cost by defaults, and does it converge? `maxent sample` as it comes, on one thread.

python workflows/benchmark/defaults.py --model FOLDER --anchors FASTA --first 100 --out TABLE.tsv

Anchors are taken at random from the FASTA, however the network calls them. CPU seconds are the process's own and all
included: reading, law, warm-up, draws, outputs, conditionals, writing; what is compiled on first use is not, since an
anchor is drawn before. Prints the mean, how many have converged, and the steps and replicas that they took; writes a
row an anchor.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from page import interval

import maxent_cli as mx
from maxent_cli.alphabet import decode
from maxent_cli.io import RecordSource, read_sequences, write_table

Row = dict[str, object]


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder")
    parser.add_argument("--anchors", required=True, help="FASTA; longer records are cropped to the model's input")
    parser.add_argument("--first", type=int, default=60, help="so many anchors (60)")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--seed", type=int, default=1, help="which anchors (1)")
    parser.add_argument("--out", required=True, help="TSV")
    return parser.parse_args()


def chosen(given: argparse.Namespace, length: int | None) -> dict[str, str]:
    """Anchors at random, by name."""
    found, _ = read_sequences(RecordSource(given.anchors), length, crop=True)
    rows = np.random.default_rng(given.seed).permutation(len(found))[: given.first]
    return {found.names[row]: decode(found.codes[row]) for row in rows}


def measured(network: mx.Network, name: str, letters: str, given: argparse.Namespace) -> Row:
    """A row of what one anchor cost and came to."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        out = str(Path(folder) / "draws.npz")
        draws = mx.sample(network, {name: letters}, preset=given.preset, out=out, threads=1, progress=False)
        seconds, row = time.process_time() - started, draws.rows()[0]
        figures = {key: row[key] for key in ("beta", "converged", "rhat", "ess", "frequency_error", "steps")}
        replicas = len(draws[0].replicas.betas)
    return {"record": name, "cpu_seconds": seconds, "replicas": replicas, **figures}


def main() -> None:
    given = options()
    network = mx.network(given.model)
    anchors = chosen(given, network.input_length)
    measured(network, *next(iter(anchors.items())), given)  # compiles
    rows = [measured(network, name, letters, given) for name, letters in anchors.items()]
    seconds = np.array([float(str(row["cpu_seconds"])) for row in rows])
    low, high = interval(list(seconds), np.mean)
    spread = f"{seconds.mean():.2f} CPU s [{low:.2f}, {high:.2f}] on the mean, median {np.median(seconds):.2f}"
    print(f"{len(rows)} anchors: {spread}")
    print(f"{sum(bool(row['converged']) for row in rows)} of {len(rows)} converged")
    write_table(given.out, rows)


if __name__ == "__main__":
    main()
