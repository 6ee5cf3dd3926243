"""How fast is the sampler, and each part of it? Ways to sample side by side: same anchors, betas, seeds and machine.

python workflows/benchmark/benchmark.py --model FOLDER --anchors FASTA --beta 20 --beta 50 --beta auto --out FOLDER

The reference is the published way: one letter at a time, each proposal a full forward pass in PyTorch. All ways start
in equilibrium and run in turns, a slice each, on one thread; seconds are the process's own (CPU) and the wall's. All
replicas of a ladder are paid for. Figures: proposals/s; ESS/s of 'the letter equals the anchor's' at the position where
it is least. Where chains have not converged (R-hat above 1.05) the ESS/s is an upper bound, marked <=. `default
sampler` is `maxent sample` as it comes: its seconds include warm-up, and it starts at the anchor and at random. Writes
table.tsv and results.md into the folder.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from page import page
from recurrent import anchors as simulated_anchors
from recurrent import trained
from ways import (
    BARE,
    COMPILED,
    DEFAULT,
    TWIN_TIMES,
    WAYS,
    Place,
    bare_pace,
    default_result,
    default_run,
    result,
    settle,
    start,
)

import maxent_cli as mx
from maxent_cli.data import Sequences
from maxent_cli.interpret import LawSettings
from maxent_cli.io import RecordSource, load_model, read_sequences, write_table, writing, writing_folder
from maxent_cli.laws import ONE_LESS_ZERO
from maxent_cli.models import SequenceModel

AUTO = "auto"
UNIFORM = (0.25, 0.25, 0.25, 0.25)
RECURRENT_RUN = mx.Sampling(replicas=6, draws=4, thin=1, warmup=1000, max_steps=4)

REFERENCE, TWIN = "reference", "incremental, letters"  # the same chain
STACK_WAYS = (REFERENCE, "full passes, moves", *COMPILED)  # by full passes a ladder would take minutes

Row = dict[str, object]


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder")
    parser.add_argument("--anchors", required=True, help="FASTA; longer records are cropped to the model's input")
    parser.add_argument("--first", type=int, default=10, help="so many anchors at most (10)")
    parser.add_argument("--beta", action="append", help="a number (1/energy), or auto; may be repeated (auto)")
    parser.add_argument("--chains", type=int, default=50, help="chains of the ways that have no ladder (50)")
    parser.add_argument("--slice", type=float, default=1.0, help="CPU seconds of a way's turn (1)")
    parser.add_argument("--turns", type=int, default=12, help="turns of each way (12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-recurrent", action="store_true", help="leave the LSTM out")
    parser.add_argument("--out", required=True, help="folder")
    return parser.parse_args()


def compare(place: Place, ways: list[str], given: argparse.Namespace) -> list[Row]:
    """The ways at a place in turns, every second round in reverse; a row a way."""
    runs = {name: start(WAYS[name], place, given.chains, given.seed) for name in ways}
    running = {name: run for name, run in runs.items() if run is not None}
    bare, speeds = bare_pace(place, given.chains, given.slice / 2), []
    for name, run in running.items():
        run.pace(given.slice * (TWIN_TIMES if name == TWIN else 1))
    for turn in range(given.turns):
        for name in list(running)[:: -1 if turn % 2 else 1]:
            running[name].slice()
            if name == REFERENCE:
                speeds.append(bare())
    rows = {name: result(run, place) for name, run in running.items()}
    if TWIN in rows:
        rows[REFERENCE] = at_pace(rows[TWIN], rows[REFERENCE])
    bare_row: Row = {"way": BARE, "proposals_per_second": float(np.median(speeds))}
    return [bare_row, *({"way": name, **row} for name, row in rows.items())]


def at_pace(twin: Row, row: Row) -> Row:
    """A way's row, with the ESS that its compiled twin shows at its own pace, where that is a closer bound.

    The two draw the same letters for the same keys, and the twin has gone further: a run that is short for its
    autocorrelation shows an ESS of about the number of its chains, whatever it cost.
    """
    each, speed = float(str(twin["ess_per_1000_proposals"])), float(str(row["proposals_per_second"]))
    if each >= float(str(row["ess_per_1000_proposals"])):
        return row
    closer = {"ess_per_1000_proposals": each, "ess_per_second": each * speed / 1000}
    return {**row, **closer, "bound": twin["bound"], "rhat": twin["rhat"]}


def measure(model: SequenceModel, anchors: Sequences, law: LawSettings, given: argparse.Namespace) -> Iterator[Row]:
    """Rows of all ways for each anchor at one beta, or at the beta found for it."""
    for row in range(min(given.first, len(anchors))):
        place = settle(model, anchors.anchor(row), law, default_run(given.seed))
        named = {
            "anchor": anchors.names[row],
            "asked": AUTO if law.beta is None else f"{law.beta:g}",
            "beta": float(place.betas[-1]),
            "energy_of_background": place.energy,
        }
        rows = [*compare(place, list(STACK_WAYS), given), {"way": DEFAULT, **default_result(place, given.seed)}]
        print(named["asked"], named["anchor"], flush=True)
        yield from ({**named, **figures} for figures in rows)


def measure_recurrent(given: argparse.Namespace) -> Iterator[Row]:
    """Rows for the LSTM, which every way must run by full passes."""
    model, right = trained(given.seed)
    anchors = simulated_anchors(min(given.first, 5), given.seed)
    ways = [name for name in WAYS if name not in COMPILED]
    for row in range(len(anchors)):
        place = settle(model, anchors.anchor(row), LawSettings(ONE_LESS_ZERO, UNIFORM, None, None), RECURRENT_RUN)
        named = {"anchor": anchors.names[row], "asked": f"LSTM, {right:.0%} right", "beta": float(place.betas[-1])}
        print("LSTM", named["anchor"], flush=True)
        yield from (
            {**named, "energy_of_background": place.energy, **figures} for figures in compare(place, ways, given)
        )


def main() -> None:
    torch.set_num_threads(1)
    given, started = options(), time.time()
    model, card = load_model(given.model)
    anchors, _ = read_sequences(RecordSource(given.anchors), model.input_length, crop=True)
    rows: list[Row] = []
    for beta in given.beta or [AUTO]:
        law = LawSettings(ONE_LESS_ZERO, card.background, None, None if beta == AUTO else float(beta))
        rows += measure(model, anchors, law, given)
    if not given.without_recurrent:
        rows += measure_recurrent(given)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with writing_folder(given.out) as folder:
        write_table(str(Path(folder) / "table.tsv"), [{name: row.get(name, "") for name in columns} for row in rows])
        with writing(str(Path(folder) / "results.md")) as stream:
            stream.write(page(rows, given, time.time() - started))


if __name__ == "__main__":
    main()
