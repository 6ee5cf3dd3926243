"""Compile before the tests begin, beside other work; what is compiled is kept.

`python -m tests.compiled chains` (and scans for motifs) and `python -m tests.compiled tomtom` have no code in common.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "engine"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from small import saved, small_model
from test_card import NETWORKS, around, begin, run

import maxent_cli as mx
from maxent_cli.analysis import name_motifs
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
    run(block_chain, begin(around(next(iter(NETWORKS)))))  # the kernel of a card, as this CPU runs it


def tomtom() -> None:
    """Name a motif."""
    ctcf = read_meme(CTCF_MOTIF)
    name_motifs(ctcf, ctcf)


if __name__ == "__main__":
    {"chains": chains, "tomtom": tomtom}[sys.argv[1]]()
