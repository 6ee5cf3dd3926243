import numpy as np
import pytest

from analysis.sample_sets import independent_draws, sample_set
from maxent_cli.analysis.information import frequencies, information
from maxent_cli.analysis.motifs import (
    Calling,
    Segment,
    aggregate,
    best_match,
    column_information,
    consensus,
    find_segments,
)
from maxent_cli.data import Motif

WORD = np.array([1, 1, 0, 3, 0, 2, 2, 0, 0])  # CCATAGGAA, unlike its reverse complement


def matrix(letters, sharpness=0.91):
    return np.where(np.arange(4) == np.asarray(letters)[:, None], sharpness, (1 - sharpness) / 3)


def motif(probabilities, sites=100.0):
    return Motif("m", probabilities * sites, sites)


def segments_of(samples, calling=None):
    return find_segments(samples, frequencies(samples), information(samples), calling or Calling())


def planted(seed, length, *places, hold=0.5):
    law = np.full((length, 4), 0.25)
    for place in places:
        law[place : place + len(WORD)] = matrix(WORD)
    return independent_draws(np.random.default_rng(seed), law, 20, 100, hold)


def test_segments_stand_where_the_draws_hold_information():
    found = segments_of(sample_set(planted(1, 60, 10, 40), name="x"))
    assert [(segment.anchor, segment.start, segment.end) for segment in found] == [("x", 10, 19), ("x", 40, 49)]
    first = found[0].motif
    assert first.sites == pytest.approx(20 * 100 / 3, rel=0.2)  # letters held half of the time
    assert first.counts.sum(axis=1) == pytest.approx(np.full(9, first.sites))
    assert first.probabilities.argmax(axis=1).tolist() == WORD.tolist()


def test_background_draws_have_no_segment():
    rng = np.random.default_rng(2)
    for _ in range(30):
        background = rng.dirichlet(np.full(4, 5.0), 60)
        assert segments_of(sample_set(independent_draws(rng, background, 20, 30, 0.5), background)) == []


def test_gaps_are_bridged_widths_are_minimal_and_fixed_positions_part():
    law = np.full((40, 4), 0.25)
    law[5:8], law[10:12], law[20:24] = 0.01, 0.01, 0.01
    law[law[:, 0] == 0.01, 0] = 0.97
    codes = independent_draws(np.random.default_rng(3), law, 20, 100)
    fixed = np.arange(40) != 9
    spans = [(s.start, s.end) for s in segments_of(sample_set(codes))]
    assert spans == [(5, 12)]  # 20:24 is too narrow
    assert segments_of(sample_set(codes, mutable=fixed)) == []
    narrow = segments_of(sample_set(codes), Calling(gap=0, width=2))
    assert [(s.start, s.end) for s in narrow] == [(5, 8), (10, 12), (20, 24)]


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


def made_segments(rng, count):
    """Segments that hold parts of one word on both strands, and what each part is."""
    made = list[tuple[Segment, int, str]]()
    for number in range(count):
        first, last = int(rng.integers(0, 2)), int(rng.integers(7, 10))
        letters = matrix(WORD[first:last], rng.uniform(0.5, 0.95))
        strand = "+-"[number % 2]
        letters = letters if strand == "+" else letters[::-1, ::-1]
        made.append((Segment(f"a{number}", 3, 3 + len(letters), rng.uniform(3, 9), motif(letters)), first, strand))
    return made


def test_segments_of_one_motif_come_together_from_both_strands_and_any_offset():
    made = made_segments(np.random.default_rng(5), 40)
    groups = aggregate([segment for segment, _, _ in made])
    assert [group.anchors for group in groups] == [40]
    found = best_match(groups[0].motif, motif(matrix(WORD)))
    assert found.similarity > 0.85
    assert found.overlap == len(groups[0].motif.counts) >= 7
    assert groups[0].motif.sites == pytest.approx(4000)
    for member in groups[0].members:
        _, first, strand = made[member.segment]
        assert (member.strand == strand) == (found.strand == "+")
        width = len(made[member.segment][0].motif.counts)
        end = found.offset + len(groups[0].motif.counts)
        assert member.offset == (first - found.offset if found.strand == "+" else end - first - width)


def test_two_motifs_stay_two_and_the_more_frequent_comes_first():
    rng = np.random.default_rng(6)
    other = np.array([3, 2, 3, 3, 1, 0, 1, 3])
    rare = [Segment(f"b{row}", 0, 8, 12.0, motif(matrix(other))) for row in range(4)]
    groups = aggregate([*rare, *(segment for segment, _, _ in made_segments(rng, 10))])
    assert [(group.motif.name, group.anchors) for group in groups] == [("motif_1", 10), ("motif_2", 4)]


def test_an_anchor_with_two_sites_counts_once():
    segments = [Segment("a", start, start + 9, 9.0, motif(matrix(WORD))) for start in (0, 30)]
    groups = aggregate(segments)
    assert [(group.anchors, len(group.members)) for group in groups] == [(1, 2)]


def test_random_segments_rarely_come_together():
    rng = np.random.default_rng(7)
    segments = [Segment(f"r{n}", 0, 10, 5.0, motif(rng.dirichlet(np.full(4, 0.3), 10))) for n in range(60)]
    assert max(group.anchors for group in aggregate(segments)) <= 3


def test_nothing_gives_nothing():
    assert aggregate([]) == []


def test_bits_of_a_motif_have_their_error_over_segments():
    rng = np.random.default_rng(8)
    uniform = np.full(4, 0.25)
    segments = [
        Segment(f"a{n}", 0, 9, 9.0, motif(matrix(WORD, sharpness)))
        for n, sharpness in enumerate(rng.uniform(0.6, 0.95, 12))
    ]
    (group,) = aggregate(segments)
    bits, errors = column_information(group, segments, uniform)
    p = group.motif.probabilities[0]
    assert bits[0] == pytest.approx(np.sum(p * np.log2(p / uniform)) - 3 / (2 * 1200 * np.log(2)))
    assert (errors > 0.02).all()
    alone = aggregate(segments[:1])[0]
    assert np.isnan(column_information(alone, segments, uniform)[1]).all()


def test_a_consensus_has_one_two_or_any_letter():
    columns = np.array([[0.5, 0.2, 0.2, 0.1], [0.4, 0.1, 0.4, 0.1], [0.3, 0.3, 0.2, 0.2], [0.0, 0.45, 0.1, 0.45]])
    assert consensus(motif(columns)) == "ARNY"
