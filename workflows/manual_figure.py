"""The README's picture: one anchor's site by in-silico mutagenesis and by draws.

python workflows/manual_figure.py DEMO PICTURE; DEMO is what `make demo` left.
"""

import sys
from pathlib import Path

import logomaker
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

ANCHOR, AROUND, SHOWN = 0, 6, 8  # which anchor; letters shown beside its site; draws written out
COLOURS = {"A": "#109648", "C": "#255c99", "G": "#f7b32b", "T": "#d62839"}


def main(demo: str, picture: str) -> None:
    """Draw the letters' scores above what draws keep of each position, and some draws below."""
    import maxent_cli as mx

    sites = pd.read_table(Path(demo) / "motifs" / "occupancy.tsv").iloc[ANCHOR]
    first, last = max(sites["best_start"] - AROUND, 0), sites["best_end"] + AROUND
    with mx.open_draws(f"{demo}/draws.npz") as draws:
        codes = draws[ANCHOR].codes[:, -1][:SHOWN, first:last]
    shown = range(first, last)
    scores = pd.read_table(Path(demo) / "attributions" / "positions.tsv").query("record == @sites.record")
    kept = pd.read_table(Path(demo) / "motifs" / "positions.tsv").query("record == @sites.record")
    letters = np.array(list("ACGT"))
    single = pd.DataFrame(0.0, shown, list(letters))
    for row in scores.query("@first <= position < @last").itertuples():
        single.loc[row.position, row.letter] = row.score
    window = kept.query("@first <= position < @last").set_index("position")
    heights = window[[f"p_{letter}" for letter in letters]].mul(window["information"], axis=0)
    heights.columns = letters
    figure, (above, below, written) = plt.subplots(3, 1, figsize=(9, 5), height_ratios=[1, 1, 0.9])
    logomaker.Logo(single, ax=above, color_scheme=COLOURS)
    above.set_ylabel("score")
    above.set_title("In-silico mutagenesis: a score of each letter, the others as they are", loc="left", fontsize=10)
    logomaker.Logo(heights, ax=below, color_scheme=COLOURS)
    below.set_ylabel("bits")
    below.set_title("Draws: what the network needs, and what may stand instead", loc="left", fontsize=10)
    written.set_title("Some of the draws: the network cannot tell them from the anchor", loc="left", fontsize=10)
    for number, row in enumerate(letters[codes]):
        for place, letter in zip(shown, row, strict=True):
            alpha = 0.25 + 0.75 * min(window["information"][place], 1)
            written.text(place, -number, letter, color=COLOURS[letter], alpha=alpha, ha="center", family="monospace")
    written.set(xlim=(first - 0.5, last - 0.5), ylim=(-SHOWN + 0.5, 0.8))
    written.axis("off")
    for axes in (above, below):
        axes.set_xticks([])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
