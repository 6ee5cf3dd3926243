"""What does the compiled chain gain, by kind of network? Each against full passes, in turns, from equilibrium.

python workflows/benchmark/networks.py --out TABLE.tsv

Small networks of every kind that the compiled chain takes, trained here on simulated sequences with one motif: one that
has learned nothing is not as sparse. --model adds model folders, around the first of --anchors. Figures: proposals a
CPU second, and how many times the reference's (one letter at a time, each proposal a full pass); active: the share of
the first layer's values that are not zero. Prints the table as Markdown, too.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from benchmark import REFERENCE, UNIFORM, Row, compare
from torch import nn
from ways import Place, default_run, settle

from maxent_cli.data import Anchor, Sequences
from maxent_cli.interpret import LawSettings
from maxent_cli.io import RecordSource, load_model, read_sequences, write_table
from maxent_cli.laws import ONE_LESS_ZERO
from maxent_cli.models import ARCHITECTURES, LayeredModel, SequenceModel, build, one_hot

LENGTH, STEPS, BATCH, ANCHORS = 100, 400, 128, 1
MOTIF = np.array([1, 1, 3, 1, 3, 0, 2, 3, 2, 2, 1, 2], np.uint8)  # planted whole, anywhere, in half of the sequences
WAYS = (REFERENCE, "full passes, moves", "incremental, letters", "incremental, moves")


def stack(*scan: nn.Module, units: int, hidden: int, function: nn.Module) -> LayeredModel:
    """The layers, flattened to so many units, and one hidden layer."""
    return LayeredModel(LENGTH, nn.Sequential(*scan, nn.Flatten(), nn.Linear(units, hidden), function))


def first(width: int, function: nn.Module) -> tuple[nn.Module, nn.Module]:
    """A first convolution of 64 filters, and its function."""
    return nn.Conv1d(4, 64, width), function


def normalised(pools: tuple[int, int]) -> LayeredModel:
    """Two convolutions with batch norms, one of them behind its function, where it cannot be folded."""
    near, far = nn.MaxPool1d(pools[0]), nn.MaxPool1d(pools[1])
    scan = (nn.Conv1d(4, 64, 24), nn.BatchNorm1d(64), nn.ReLU(), near, nn.BatchNorm1d(64))
    more = (nn.Conv1d(64, 64, 5), nn.BatchNorm1d(64), nn.ReLU(), far)
    return stack(*scan, *more, units=448, hidden=64, function=nn.ReLU())


NETWORKS: dict[str, Callable[[], LayeredModel]] = {
    **{name: (lambda name=name: build(name, LENGTH, {}, 1)) for name in ARCHITECTURES if name != "residual"},
    "GELU": lambda: stack(*first(24, nn.GELU()), units=64 * 77, hidden=100, function=nn.GELU()),
    "tanh": lambda: stack(*first(24, nn.Tanh()), units=64 * 77, hidden=100, function=nn.Tanh()),
    "batch norms": lambda: normalised((4, 2)),
    "global maximum": lambda: stack(
        *first(19, nn.ReLU()), nn.AdaptiveMaxPool1d(1), units=64, hidden=64, function=nn.ReLU()
    ),
    "global mean": lambda: stack(
        *first(19, nn.ReLU()),
        *(nn.Conv1d(64, 64, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1)),
        units=64,
        hidden=64,
        function=nn.ReLU(),
    ),
    "three convolutions": lambda: stack(
        *(nn.Conv1d(4, 100, 19, padding=9), nn.BatchNorm1d(100), nn.ReLU(), nn.MaxPool1d(3)),
        *(nn.Conv1d(100, 80, 7, padding=3), nn.BatchNorm1d(80), nn.ReLU(), nn.MaxPool1d(4)),
        *(nn.Conv1d(80, 80, 3, padding=1), nn.BatchNorm1d(80), nn.ReLU(), nn.MaxPool1d(2)),
        units=320,
        hidden=128,
        function=nn.ReLU(),
    ),
}


def simulated(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random sequences (count, L); every second one holds the motif. With their classes."""
    codes, labels = rng.integers(0, 4, (count, LENGTH)).astype(np.uint8), np.arange(count) % 2
    for row in np.flatnonzero(labels):
        start = rng.integers(0, LENGTH - len(MOTIF) + 1)
        codes[row, start : start + len(MOTIF)] = MOTIF
    return codes, labels


def trained(make: Callable[[], LayeredModel], seed: int) -> LayeredModel:
    """A network that tells the motif from none."""
    torch.manual_seed(seed)
    rng, model = np.random.default_rng(seed), make()
    optimizer = torch.optim.AdamW(model.parameters(), 0.002)
    for _ in range(STEPS):
        codes, labels = simulated(BATCH, rng)
        loss = nn.functional.cross_entropy(model(one_hot(torch.from_numpy(codes))), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def anchors(seed: int) -> Sequences:
    """Sequences that hold the motif."""
    codes, labels = simulated(2 * ANCHORS, np.random.default_rng(seed))
    return Sequences(tuple(f"simulated{row}" for row in range(ANCHORS)), codes[labels == 1], (None,) * ANCHORS)


def active(place: Place) -> float:
    """Share of the first function's values that are not zero at the law's draws, NaN where the layers have no list."""
    layers = getattr(place.setting.model, "layers", None)
    if not isinstance(layers, nn.Sequential):
        return float("nan")
    values = one_hot(torch.from_numpy(place.codes[:, -1].reshape(-1, place.codes.shape[-1])))
    with torch.inference_mode():
        for layer in layers:
            values = layer(values)
            if not isinstance(layer, nn.Conv1d | nn.BatchNorm1d):
                break
    return float((values != 0).float().mean())


def measure(name: str, model: SequenceModel, around: Anchor, given: argparse.Namespace) -> list[Row]:
    """A row a way."""
    law = LawSettings(ONE_LESS_ZERO, UNIFORM, None, None if given.beta is None else given.beta)
    place = settle(model, around, law, default_run(given.seed))
    rows = [row for row in compare(place, list(WAYS), given) if row["way"] in WAYS]
    speed = {row["way"]: float(str(row["proposals_per_second"])) for row in rows}
    share = active(place)
    return [
        {"network": name, "active": share, "beta": place.betas[-1], **row, "over": speed[row["way"]] / speed[REFERENCE]}
        for row in rows
    ]


def line(rows: list[Row]) -> str:
    """A network's line of the table."""
    cells = [f"{float(str(row['proposals_per_second'])):,.0f} ({float(str(row['over'])):.2g}x)" for row in rows]
    return f"| {rows[0]['network']} | {float(str(rows[0]['active'])):.1%} | {' | '.join(cells)} |"


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], help="model folder; may be repeated")
    parser.add_argument("--anchors", help="FASTA; its first record is the anchor of the model folders")
    parser.add_argument("--only", action="append", help="a network of the table; may be repeated (all)")
    parser.add_argument("--beta", type=float, help="1/energy (that at which three quarters of the energy are kept)")
    parser.add_argument("--chains", type=int, default=50)
    parser.add_argument("--slice", type=float, default=0.5, help="CPU seconds of a way's turn (0.5)")
    parser.add_argument("--turns", type=int, default=6, help="turns of each way (6)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="TSV")
    return parser.parse_args()


def main() -> None:
    torch.set_num_threads(1)
    given, rows = options(), list[Row]()
    print(f"| network | active | {' | '.join(WAYS)} |\n|{'---|' * (len(WAYS) + 2)}")
    for name in given.only or NETWORKS:
        rows += measure(name, trained(NETWORKS[name], given.seed), anchors(given.seed).anchor(0), given)
        print(line(rows[-len(WAYS) :]), flush=True)
    for path in given.model:
        model, _ = load_model(path)
        around, _ = read_sequences(RecordSource(given.anchors), model.input_length, crop=True)
        rows += measure(path, model, around.anchor(0), given)
        print(line(rows[-len(WAYS) :]), flush=True)
    write_table(given.out, rows)


if __name__ == "__main__":
    main()
