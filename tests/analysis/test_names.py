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
    best = names[0].best
    assert (best.known, best.orientation, best.overlap) == ("K7", "-" if turned else "+", 8)
    assert [family.best.p for family in names] == sorted(family.best.p for family in names)
    assert best.p <= best.q < 1e-4
    assert names[0].tells


def test_known_motifs_that_are_alike_are_one_family_with_the_names_of_its_first():
    """Five of one matrix, two of which are called alike but for their case."""
    rng = np.random.default_rng(3)
    base, known = known_motifs()[7].counts, known_motifs()
    like = [base + rng.dirichlet(np.full(4, 1), WIDTH) * 4 for _ in range(4)]
    named = [
        Motif(f"M{n}.1 {name}", counts, 50)
        for n, (name, counts) in enumerate(zip(("AA", "Aa", "BB", "CC"), like, strict=True))
    ]
    others = [one for one in known if one.name != "K7"]
    (families,) = name_motifs([Motif("found", base, 50)], [*others, *named, Motif("M9.1 DD", like[0], 50)])
    assert {name.known for name in families[0].members} == {one.name for one in named} | {"M9.1 DD"}
    names = families[0].label.split(", ")
    assert len(names) == 4
    assert names[3] == "..."
    assert len({name.upper() for name in names}) == 4
    assert all(not family.tells or len(family.members) < 3 for family in families[1:])


def test_motifs_unlike_all_have_no_small_q():
    rng = np.random.default_rng(2)
    strangers = [Motif("x", rng.dirichlet(np.full(4, 0.2), WIDTH) * 50 + 1e-6, 50) for _ in range(10)]
    named = sum(names[0].best.q < 0.05 for names in name_motifs(strangers, known_motifs()))
    assert named <= 3


def test_without_known_motifs_everything_works():
    assert name_motifs(known_motifs(2), []) == [[], []]
    assert name_motifs([], known_motifs(2)) == []
    few = name_motifs(known_motifs(2), known_motifs(2))  # fewer than Tomtom would like is no error
    assert [[one.best.known for one in names] for names in few] == [["K0"], ["K1"]]
