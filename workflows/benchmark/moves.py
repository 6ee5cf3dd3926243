"""Which moves pay? ESS per CPU second of mixtures of moves, each on the same ladder in equilibrium.

python workflows/benchmark/moves.py --model FOLDER --anchors FASTA --beta 20 --beta auto --out TABLE.tsv

Mixtures run in turns, every second round in reverse. ESS is of 'the letter equals the anchor's': at the position where
it is least, and the median one; all replicas are paid for. What warm-up has learned (the rows that refills and toggles
draw from) is the same for all. Where R-hat is above 1.05 the ESS is an upper bound.
"""

import argparse

import numpy as np
import torch
from benchmark import AUTO
from ways import Place, Run, Way, default_run, figures, settle, start

from maxent_cli.analysis import letter_diagnostics
from maxent_cli.engine import LETTER, REDRAW, REFILL, REVERSE_COMPLEMENT, SHIFT, SINGLE_LETTERS, TOGGLE, WHOLE, Move
from maxent_cli.interpret import ALL_MOVES, LawSettings
from maxent_cli.io import RecordSource, load_model, read_sequences, write_table
from maxent_cli.laws import ONE_LESS_ZERO

SHIFTS = (Move(SHIFT, 0.1, 24, 8),)
TURNS = (Move(REVERSE_COMPLEMENT, 0.1, 24),)
MIXTURES = {
    "letters": SINGLE_LETTERS,
    "letters, shifts of 24": (Move(LETTER, 0.9), *SHIFTS),
    "letters, shifts of the whole": (Move(LETTER, 0.95), Move(SHIFT, 0.05, WHOLE, 8)),
    "letters, reverse complements of 24": (Move(LETTER, 0.9), *TURNS),
    "letters, redraws of 4": (Move(LETTER, 0.9), Move(REDRAW, 0.1, 4)),
    "letters, redraws of 20": (Move(LETTER, 0.9), Move(REDRAW, 0.1, 20)),
    "letters, refills of 4 and 12": (Move(LETTER, 0.88), Move(REFILL, 0.06, 4), Move(REFILL, 0.06, 12)),
    "letters, toggles of 20": (Move(LETTER, 0.9), Move(TOGGLE, 0.1, 20)),
    "letters, shifts, reverse complements": (Move(LETTER, 0.8), *SHIFTS, *TURNS),
    "letters, refills, toggles": (
        *(Move(LETTER, 0.78), Move(TOGGLE, 0.1, 20)),
        *(Move(REFILL, 0.06, 4), Move(REFILL, 0.06, 12)),
    ),
    "letters, shifts of 24, reverse complements, refills, toggles": (
        *(Move(LETTER, 0.66), Move(SHIFT, 0.06, 24, 8), Move(REVERSE_COMPLEMENT, 0.06, 24)),
        *(Move(TOGGLE, 0.1, 20), Move(REFILL, 0.06, 4), Move(REFILL, 0.06, 12)),
    ),
    "all (the default)": ALL_MOVES,
}


def compare(place: Place, given: argparse.Namespace) -> list[dict[str, object]]:
    """The mixtures at a place in turns; a row a mixture."""
    runs = dict[str, Run]()
    for name, moves in MIXTURES.items():
        run = start(Way(True, moves, True), place, given.chains, given.seed)
        if run is None:
            raise SystemExit("the network is no stack of layers that the compiled chain runs")
        run.pace(given.slice)
        runs[name] = run
    for turn in range(given.turns):
        for name in list(runs)[:: -1 if turn % 2 else 1]:
            runs[name].slice()
    return [{"moves": name, **row(run, place)} for name, run in runs.items()]


def row(run: Run, place: Place) -> dict[str, object]:
    """What a run came to, the median position with it."""
    codes, energy = np.concatenate(run.codes, axis=1), np.concatenate(run.energy, axis=1)
    seconds = sum(run.cpu), sum(run.wall)
    sizes = letter_diagnostics((codes != place.anchor).astype(np.uint8))[1][:, 0]
    median = {"median_ess_per_second": float(np.nanmedian(sizes)) / seconds[0]}
    return {**figures(codes, energy, place.anchor, seconds, sum(run.proposals)), **median}


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model folder")
    parser.add_argument("--anchors", required=True, help="FASTA; longer records are cropped to the model's input")
    parser.add_argument("--first", type=int, default=3, help="so many anchors at most (3)")
    parser.add_argument("--beta", action="append", help="a number (1/energy), or auto; may be repeated (auto)")
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--slice", type=float, default=1.0, help="CPU seconds of a mixture's turn (1)")
    parser.add_argument("--turns", type=int, default=8, help="turns of each mixture (8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="TSV")
    return parser.parse_args()


def main() -> None:
    torch.set_num_threads(1)
    given = options()
    model, card = load_model(given.model)
    anchors, _ = read_sequences(RecordSource(given.anchors), model.input_length, crop=True)
    rows = list[dict[str, object]]()
    for beta in given.beta or [AUTO]:
        law = LawSettings(ONE_LESS_ZERO, card.background, None, None if beta == AUTO else float(beta))
        for number in range(min(given.first, len(anchors))):
            place = settle(model, anchors.anchor(number), law, default_run(given.seed))
            named = {"anchor": anchors.names[number], "asked": beta, "beta": float(place.betas[-1])}
            rows += [{**named, **figures} for figures in compare(place, given)]
            write_table(given.out, rows)


if __name__ == "__main__":
    main()
