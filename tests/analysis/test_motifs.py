import numpy as np
import pytest

from maxent_cli.analysis.motifs import best_match, cluster, consensus, similarities
from maxent_cli.data import Motif

WORD = np.array([1, 1, 0, 3, 0, 2, 2, 0, 0])  # CCATAGGAA, unlike its reverse complement


def matrix(letters, sharpness=0.91):
    return np.where(np.arange(4) == np.asarray(letters)[:, None], sharpness, (1 - sharpness) / 3)


def motif(probabilities, sites=100.0):
    return Motif("m", probabilities * sites, sites)


def test_a_motif_lies_on_itself_on_its_reverse_complement_and_on_a_part():
    whole = motif(matrix(WORD))
    same = best_match(whole, whole)
    assert (same.offset, same.strand, same.overlap) == (0, "+", 9)
    assert same.similarity == pytest.approx(1)
    turned = best_match(motif(matrix(WORD)[::-1, ::-1]), whole)
    assert (turned.offset, turned.strand) == (0, "-")
    assert turned.similarity == pytest.approx(1)
    part = best_match(motif(matrix(WORD[2:7])), whole)
    assert (part.offset, part.strand, part.overlap) == (2, "+", 5)
    assert part.similarity == pytest.approx(np.sqrt(5 / 9))
    longer = best_match(whole, motif(matrix(WORD[2:7])))
    assert (longer.offset, longer.strand, longer.overlap) == (-2, "+", 5)


def test_similarity_is_the_correlation_over_both_motifs():
    rng = np.random.default_rng(4)
    one, other = motif(rng.dirichlet(np.ones(4), 6)), motif(rng.dirichlet(np.ones(4), 9))
    found = best_match(one, other)
    letters = one.probabilities if found.strand == "+" else one.probabilities[::-1, ::-1]
    canvas_one, canvas_other = np.full((40, 4), 0.25), np.full((40, 4), 0.25)
    canvas_one[15 + found.offset : 21 + found.offset] = letters
    canvas_other[15:24] = other.probabilities
    # far from both, uniform columns add nothing to the correlation
    assert found.similarity == pytest.approx(np.corrcoef(canvas_one.ravel(), canvas_other.ravel())[0, 1])


def parts_of_the_word(rng, count):
    """Motifs that hold parts of one word on both strands."""
    for number in range(count):
        first, last = int(rng.integers(0, 2)), int(rng.integers(7, 10))
        letters = matrix(WORD[first:last], rng.uniform(0.5, 0.95))
        yield motif(letters if number % 2 else letters[::-1, ::-1])


def test_parts_of_one_motif_come_together_from_both_strands_and_any_offset():
    (one,) = cluster(list(parts_of_the_word(np.random.default_rng(5), 40)))
    assert sorted(one.members) == list(range(40))
    found = best_match(Motif("", one.counts, 1), motif(matrix(WORD)))
    assert found.similarity > 0.85
    assert found.overlap == len(one.counts) >= 7
    assert one.counts.sum(axis=1).max() == pytest.approx(4000)


def test_two_motifs_stay_two_and_the_more_frequent_comes_first():
    other = np.array([3, 2, 3, 3, 1, 0, 1, 3])
    rare = [motif(matrix(other)) for _ in range(4)]
    clusters = cluster([*rare, *parts_of_the_word(np.random.default_rng(6), 10)])
    assert [sorted(one.members) for one in clusters] == [list(range(4, 14)), list(range(4))]


def test_motifs_side_by_side_are_as_similar_as_two_by_two():
    parts = [*parts_of_the_word(np.random.default_rng(5), 6), motif(matrix(np.array([3, 2, 3, 3, 1, 0, 1, 3])))]
    np.testing.assert_allclose(similarities(parts[0], parts), [best_match(parts[0], one).similarity for one in parts])


def test_nothing_gives_nothing():
    assert cluster([]) == []
    assert similarities(motif(matrix(WORD)), []).shape == (0,)


def test_a_consensus_has_one_two_or_any_letter():
    columns = np.array([[0.5, 0.2, 0.2, 0.1], [0.4, 0.1, 0.4, 0.1], [0.3, 0.3, 0.2, 0.2], [0.0, 0.45, 0.1, 0.45]])
    assert consensus(motif(columns)) == "ARNY"
