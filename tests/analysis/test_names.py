import numpy as np
import pytest

from maxent_cli.analysis.names import name_motifs
from maxent_cli.data import Motif

WIDTH = 10


def known_motifs(count=30):
    rng = np.random.default_rng(1)
    return [Motif(f"K{number}", rng.dirichlet(np.full(4, 0.2), WIDTH) * 50 + 1e-6, 50) for number in range(count)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_motif_gets_the_name_of_its_like_on_either_strand(turned):
    known = known_motifs()
    counts = known[7].counts[:, :][1:9]
    (names,) = name_motifs([Motif("found", counts[::-1, ::-1] if turned else counts, 50)], known)
    assert [len(names), names[0].known] == [3, "K7"]
    assert (names[0].orientation, names[0].overlap) == ("-" if turned else "+", 8)
    assert names[0].p <= names[1].p <= names[2].p
    assert names[0].p <= names[0].q < 1e-4


def test_motifs_unlike_all_have_no_small_q():
    rng = np.random.default_rng(2)
    strangers = [Motif("x", rng.dirichlet(np.full(4, 0.2), WIDTH) * 50 + 1e-6, 50) for _ in range(10)]
    named = sum(names[0].q < 0.05 for names in name_motifs(strangers, known_motifs()))
    assert named <= 3


def test_without_known_motifs_everything_works():
    assert name_motifs(known_motifs(2), []) == [[], []]
    assert name_motifs([], known_motifs(2)) == []
    few = name_motifs(known_motifs(2), known_motifs(2))  # fewer than Tomtom would like is no error
    assert [len(names) for names in few] == [2, 2]
