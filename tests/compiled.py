"""Compile before the tests begin, beside other work; what is compiled is kept.

`python -m tests.compiled chains` (and what finds motifs) and `python -m tests.compiled tomtom` have no code in common.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "engine"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from small import saved, small_model
from test_card import NETWORKS, around, begin, run

import maxent_cli as mx
from maxent_cli.alphabet import encode
from maxent_cli.analysis import name_motifs
from maxent_cli.analysis.discovery import Calling, discover
from maxent_cli.analysis.scanning import scan
from maxent_cli.analysis.sites import Letters, redrawn
from maxent_cli.engine.card import block_chain
from maxent_cli.io import CTCF_MOTIF, read_meme

LENGTH = 20


def chains() -> None:
    """Draw a little around a sequence, by either chain, and find motifs."""
    with tempfile.TemporaryDirectory() as name:
        saved(Path(name) / "model", small_model(LENGTH))
        network = mx.network(str(Path(name) / "model"))
        draws = mx.sample(network, ["ACGTT" * (LENGTH // 5)], preset="quick", threads=1, progress=False)
        mx.motifs(draws, logos="none", threads=1, progress=False)
    motifs()
    run(block_chain, begin(around(next(iter(NETWORKS)))))  # the kernel of a card, as this CPU runs it


def motifs() -> None:
    """Find a word that stands in every draw."""
    codes = np.random.default_rng(1).integers(0, 4, (400, 40), np.uint8)
    codes[np.arange(400)[:, None], np.arange(400)[:, None] % 30 + np.arange(9)] = encode("GATTACAGG")
    letters = Letters(codes, np.full((40, 4), 0.25), 8)
    found = discover(letters, redrawn(letters, np.random.default_rng(2)), Calling())
    scan(letters, found[0].weights)


def tomtom() -> None:
    """Name a motif."""
    ctcf = read_meme(CTCF_MOTIF)
    name_motifs(ctcf, ctcf)


if __name__ == "__main__":
    {"chains": chains, "tomtom": tomtom}[sys.argv[1]]()
