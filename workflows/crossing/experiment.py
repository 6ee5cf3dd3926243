"""Does reading each other's draws tell an undertrained or overfitted network, without a label?

    python -m workflows.crossing.experiment TABLE OUT [--networks 24]

TABLE: labelled sequences, as columns sequence and label (0 or 1; tab-separated, .gz). Networks of one architecture are
trained on from 100 to 6,400 of them, for 3 to 40 epochs, in two sizes, and drawn from around the same anchors. Then
every network reads the draws of all others (`maxent compare`), which sees no label; and the mean T of each network's
draws is set against its AUROC on sequences that none was trained on. What is there already is not made again. The page
is OUT/results.md.
"""

import argparse
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.analysis import auroc
from maxent_cli.models import predict

SIZES, EPOCHS, FILTERS = (100, 400, 1600, 6400), (3, 12, 40), (16, 32)
NETWORKS = tuple(product(SIZES, EPOCHS, FILTERS))
HELD_OUT, ANCHORS = 1000, 8  # of either label; of the positives among them
LAW = mx.Law(tether=None)
DRAWING = mx.Sampling(replicas=3, max_replicas=3, draws=50, warmup=1500, min_ess=50, max_steps=4000)
RESAMPLED = 10_000
WANTED = 0.6


def main() -> None:
    """Make what is not there yet, and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("out", type=Path)
    parser.add_argument("--networks", type=int, default=len(NETWORKS))
    parser.add_argument("--only-draw", action="store_true", help="leave the reading for another time")
    asked = parser.parse_args()
    (asked.out / "draws").mkdir(parents=True, exist_ok=True)
    (asked.out / "models").mkdir(exist_ok=True)
    data, rows = Labelled(asked.table), []
    for number in order(len(NETWORKS))[: asked.networks]:
        rows.append(made(number, data, asked.out))
        print(rows[-1], file=sys.stderr)
    pd.DataFrame(rows).to_csv(asked.out / "networks.tsv", sep="\t", index=False, float_format="%.6g")
    if not asked.only_draw:
        (asked.out / "results.md").write_text(page(read(rows, asked.out)), encoding="utf-8")


def order(count: int) -> list[int]:
    """In which networks are made: any number of the first are of all kinds."""
    return [int(number) for number in np.random.default_rng(0).permutation(count)]


class Labelled:
    """Positives and negatives, in one random order: the first are held out."""

    def __init__(self, path: str) -> None:
        table = pd.read_table(path)
        random = np.random.default_rng(0)
        self.of = [random.permutation(table.loc[table["label"] == label, "sequence"]) for label in (0, 1)]

    def training(self, size: int) -> mx.TrainingData:
        """So many sequences, half of them positives."""
        negatives, positives = (list(some[HELD_OUT : HELD_OUT + size // 2]) for some in self.of)
        return mx.TrainingData(positives, negatives)

    def area(self, net: mx.Network) -> dict[str, float]:
        """The AUROC on what is held out, and its standard error."""
        codes = np.stack([encode(each) for some in self.of for each in some[:HELD_OUT]])
        outputs = predict(net.reader(codes.shape[1]), codes)  # type: ignore[arg-type]
        area, error = auroc(np.repeat([0, 1], HELD_OUT), (outputs[:, 1] - outputs[:, 0]).astype(float))
        return {"auroc": area, "auroc_error": error}

    @property
    def anchors(self) -> dict[str, str]:
        """Positives of what is held out."""
        return {f"anchor_{row}": str(each) for row, each in enumerate(self.of[1][:ANCHORS])}


def made(number: int, data: Labelled, out: Path) -> dict[str, object]:
    """A network and its draws, and what they took."""
    size, epochs, filters = NETWORKS[number]
    name = f"n{size}_e{epochs}_f{filters}"
    model, draws, begun = out / "models" / name, out / "draws" / f"{name}.npz", time.process_time()
    how = {"reverse_complement": False, "shift": 0, "weight_decay": 0.0, "batch": 32}
    training = mx.Training(
        "convnet",
        epochs,
        seed=number + 1,
        arguments={"filters": filters, "hidden": filters},
        **how,  # type: ignore[arg-type]
    )
    if not model.is_dir():
        split = mx.Split(test_share=0.05, validation_share=0.0)
        mx.train(data.training(size), split, training, out=str(model), threads=1, progress=False)
    net = mx.network(str(model))
    if not draws.is_file():
        mx.sample(net, data.anchors, LAW, DRAWING, out=str(draws), threads=1, progress=False).close()
    took = time.process_time() - begun
    return {"network": name, "size": size, "epochs": epochs, "filters": filters, **data.area(net), "cpu_s": took}


def read(rows: list[dict[str, object]], out: Path) -> pd.DataFrame:
    """The rows of networks, with what the others make of their draws."""
    names = [str(row["network"]) for row in rows]
    draws = [str(out / "draws" / f"{name}.npz") for name in names]
    nets, begun = [mx.network(str(out / "models" / name)) for name in names], time.process_time()
    found = mx.cross_read(draws, nets, out=str(out / "crossed"), threads=1, progress=False)
    print(f"read in {time.process_time() - begun:.0f} CPU s", file=sys.stderr)
    return pd.DataFrame(rows).merge(found["networks"], on="network")


def correlation(a: pd.Series, b: pd.Series) -> tuple[float, float, float]:
    """Spearman's rank correlation with a 95 % interval by resampling networks."""
    random, count = np.random.default_rng(0), len(a)
    rows = random.integers(0, count, (RESAMPLED, count))
    ranks = [np.apply_along_axis(rankdata, 1, values.to_numpy()[rows]) for values in (a, b)]
    centred = [each - each.mean(axis=1, keepdims=True) for each in ranks]
    size = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    low, high = np.nanquantile((centred[0] * centred[1]).sum(axis=1) / size, (0.025, 0.975))
    return float(spearmanr(a, b).statistic), float(low), float(high)


def page(found: pd.DataFrame) -> str:
    """What was wanted, and what was found."""
    numbers = {
        "mean T of its draws, read by the others": found["t"],
        "excess of that over the readers' own draws": found["excess"],
        "share of its draws that the others call as the anchor": found["called"],
        "mean T of the others' draws, read by it": found["read_t"],
    }
    lines = [
        f"| {name} | {rho:+.2f} ({low:+.2f} to {high:+.2f}) |"
        for name, values in numbers.items()
        for rho, low, high in [correlation(values, found["auroc"])]
    ]
    ranged = ("t", "excess", "called", "own_t", "read_t")
    header = ["network", "AUROC", *(f"{name} (95 %)" for name in ranged), "p", "verdict"]
    cells = [
        [
            row["network"],
            f"{row['auroc']:.3f} ± {row['auroc_error']:.3f}",
            *(f"{row[name]:.2f} ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})" for name in ranged),
            f"{row['p']:.2g}",
            row["verdict"],
        ]
        for row in found.sort_values("auroc").to_dict("records")
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *cells])
    head = f"{len(found)} networks, {ANCHORS} anchors; rank correlation with held-out AUROC (95 %, networks resampled)"
    met = abs(correlation(found["t"], found["auroc"])[0]) >= WANTED
    wanted = f"Wanted: at least {WANTED} in size for the first. {'Met' if met else 'Not met'}."
    rows = "\n".join(["| number | rank correlation |", "|---|---|", *lines])
    return f"# Networks read each other\n\n{head}:\n\n{rows}\n\n{wanted}\n\n{table}\n"


if __name__ == "__main__":
    main()
