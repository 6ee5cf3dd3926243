"""The kernel of a graphics card, by one thread of the CPU: it takes the path of the compiled chain."""

from dataclasses import replace

import numpy as np
import pytest
from test_incremental import MOVES, NETWORKS, same, start
from toy import LAWS, MOVE_SETS, Law, law_around

from maxent_cli.engine.card import block_chain, threads_of
from maxent_cli.engine.incremental import compiled_chain
from maxent_cli.engine.target import Ladder

ANCHOR = "GATTACANCGTAC"
SOME = ("usual",)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_takes_the_path_of_the_compiled_chain(name: str) -> None:
    law = law_around(NETWORKS[name](), ANCHOR, beta=2.0, tether=0.3)
    target, ladder = replace(law.target, beta=np.tile([0.0, 0.7, 1.5, 3.0], 3)), Ladder(4, 3)
    begin = start(target, 12, 1)
    one, other = (make(law.plan, MOVES, ladder)(begin, target, 20, 4) for make in (block_chain, compiled_chain))
    same(one, other, 5e-5)
    np.testing.assert_array_equal(one[1].accepted, other[1].accepted)
    assert one[1].drift < 1e-4
    assert 0.05 < one[1].accepted.sum() / one[1].tried.sum() < 0.95
