"""A process of its own: numba's simulator of a card runs block_chain's kernel, perhaps with a line of it exchanged.

Reads a start and what a run by one thread found from a file, and prints what became of the same run by several threads.
"""

import os
import pickle
import sys
from pathlib import Path

os.environ |= {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}

import numpy as np

from maxent_cli.engine import blocks, card


def exchanged(right: str, wrong: str) -> None:
    """Run blocks.py anew with one of its lines exchanged."""
    source = Path(blocks.__file__).read_text()
    assert source.count(right) == 1, f"it has not one {right!r}"
    exec(compile(source.replace(right, wrong), blocks.__file__, "exec"), blocks.__dict__)


def main(path: str, lanes: int, groups: int, right: str = "", wrong: str = "") -> None:
    if right:
        exchanged(right, wrong)
    with Path(path).open("rb") as stream:
        given, work, keys, beta, results, expected = pickle.load(stream)
    card.threads_of = lambda _: (lanes, groups)
    np.seterr(over="ignore")
    launch = card.launcher(card.torch.device("cpu"))
    try:
        launch(blocks.BlockRun(*given), blocks.Work(*work), keys, beta, blocks.BlockResults(*results))
    except IndexError:  # a list that another thread had not ended
        print("other")
        return
    codes, energy, counts, first = results
    same = np.array_equal(codes, expected[0]) and np.allclose(energy, expected[1], atol=5e-5)
    same &= np.allclose(first, expected[3], atol=5e-5)
    print("same" if same and np.array_equal(counts, expected[2]) else "other")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
