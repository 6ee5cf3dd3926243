"""Anchors within a longer input, and positions that must stay."""

from pathlib import Path

import numpy as np
import pytest

from maxent_cli.alphabet import decode, encode, reverse_complement
from maxent_cli.data import Interval, Sequences
from maxent_cli.errors import InputError
from maxent_cli.io.records import RecordSource
from maxent_cli.io.windows import changeable, fix_positions, read_flanked, settle_unknown

LENGTH = 12
GENOME = "".join(np.random.default_rng(0).choice(list("ACGT"), 60))


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{GENOME}\n")
    return str(path)


def written(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def free(sequences: Sequences, row: int) -> list[int]:
    assert sequences.mutable is not None
    return np.flatnonzero(sequences.mutable[row]).tolist()


@pytest.mark.parametrize("strand", ["+", "-", "."])
@pytest.mark.parametrize(("start", "end"), [(20, 26), (20, 27), (21, 22), (20, 32)])
def test_intervals_lie_in_their_genome(tmp_path: Path, genome: str, strand: str, start: int, end: int) -> None:
    bed = written(tmp_path, "a.bed", f"chr1\t{start}\t{end}\tx\t0\t{strand}\n")
    found, rejected = read_flanked(RecordSource(bed, genome), LENGTH, None)
    place = found.intervals[0]
    assert not rejected
    assert place is not None
    letters = encode(GENOME[place.start : place.end])
    expected = reverse_complement(letters) if strand == "-" else letters
    np.testing.assert_array_equal(found.codes[0], expected)
    held = encode(GENOME[start:end])
    np.testing.assert_array_equal(found.codes[0, free(found, 0)], reverse_complement(held) if strand == "-" else held)
    assert free(found, 0) == list(range(free(found, 0)[0], free(found, 0)[0] + end - start))


@pytest.mark.parametrize("strand", ["", "(+)", "(-)"])
def test_records_with_coordinates_bring_their_own_letters(tmp_path: Path, genome: str, strand: str) -> None:
    fasta = written(tmp_path, "a.fa", f">chr1:20-25{strand}\nAAAAA\n")
    found, _ = read_flanked(RecordSource(fasta, genome), LENGTH, None)
    window = decode(found.codes[0])
    assert decode(found.codes[0, free(found, 0)]) == "AAAAA"
    around = GENOME if strand != "(-)" else decode(reverse_complement(encode(GENOME)))
    before, after = window.split("AAAAA")[0], window[free(found, 0)[-1] + 1 :]
    assert before in around
    assert after in around
    assert found.names == (f"chr1:20-25{strand}",)


def test_what_does_not_fit_is_rejected_with_the_reason(tmp_path: Path, genome: str) -> None:
    text = ">chr1:20-25\nAAAAA\n>nowhere\nACGTA\n>chr1:20-40\n" + 20 * "A" + "\n>chr1:0-5\nACGTA\n>chr1:30-35\nACNTA\n"
    found, rejected = read_flanked(RecordSource(written(tmp_path, "a.fa", text), genome), LENGTH, None)
    assert len(found) == 1
    assert sorted((row.name, row.reason) for row in rejected) == [
        ("chr1:0-5", "window runs past the chromosome's end"),
        ("chr1:20-40", "longer than 12 bp"),
        ("chr1:30-35", "letter N (not one of ACGT)"),
        ("nowhere", "its name spells no coordinates (chrom:start-end)"),
    ]


def test_letters_around_records_of_any_length(tmp_path: Path) -> None:
    flank = encode("TTTTTTTTTTTT")
    text = ">a\nACG\n>b\nACGC\n>c\nACGACGACGACG\n>d\nACGACGACGACGA\n>e\n"
    found, rejected = read_flanked(RecordSource(written(tmp_path, "a.fa", text)), LENGTH, flank)
    assert [decode(codes) for codes in found.codes] == ["TTTTTACGTTTT", "TTTTACGCTTTT", "ACGACGACGACG"]
    assert [len(free(found, row)) for row in range(3)] == [3, 4, 12]
    assert [(row.name, row.reason) for row in rejected] == [("d", "longer than 12 bp"), ("e", "empty")]


def test_flanks_need_a_place_to_come_from(tmp_path: Path) -> None:
    bed = written(tmp_path, "a.bed", "chr1\t20\t26\n")
    with pytest.raises(InputError, match="give --flank genome"):
        read_flanked(RecordSource(bed), LENGTH, encode("T" * LENGTH))
    with pytest.raises(InputError, match="give --genome FASTA"):
        read_flanked(RecordSource(bed), LENGTH, None)
    fasta = written(tmp_path, "a.fa", ">a\nACGTACGTACGTACGT\n")
    found, rejected = read_flanked(RecordSource(fasta), LENGTH, encode("T" * LENGTH))
    assert found.codes.shape == (0, LENGTH)
    assert [(entry.reason, entry.cure) for entry in rejected] == [("longer than 12 bp", "give shorter anchors")]


@pytest.mark.parametrize("sampled", [True, False])
def test_unknown_letters_stay_unless_they_are_to_be_sampled(sampled: bool) -> None:
    codes = np.stack([encode("ANGT"), encode("ACGT"), encode("NNGN")])
    plain = Sequences(("a", "b", "c"), codes, (None,) * 3)
    held = fix_positions(plain, "2")
    for given, fixed in ((plain, set()), (held, {2})):
        found = settle_unknown(given, sampled)
        for row, unknown in enumerate(({1}, set(), {0, 1, 3})):
            assert free(found, row) == sorted({0, 1, 2, 3} - fixed - (set() if sampled else unknown))


def test_known_letters_alone_leave_anchors_as_they_are() -> None:
    plain = anchors()
    assert settle_unknown(plain, True) is plain
    assert changeable(plain, "a.fa") == (plain, [])


def test_anchors_that_nothing_may_change_in_are_rejected() -> None:
    held = fix_positions(Sequences(("a", "b"), np.stack([encode("NAGN"), encode("AAGT")]), (None, None)), "1-3")
    kept, (rejected,) = changeable(settle_unknown(held, False), "a.fa")
    assert kept.names == ("b",)
    assert (rejected.name, rejected.place, rejected.reason) == ("a", "a.fa", "none of its positions may change")


def test_a_window_with_unknown_letters_is_taken_on_request(tmp_path: Path) -> None:
    fasta = written(tmp_path, "a.fa", ">a\nANG\n")
    found, rejected = read_flanked(RecordSource(fasta), LENGTH, encode("T" * LENGTH), unknown=True)
    assert not rejected
    assert decode(found.codes[0]) == "TTTTTANGTTTT"


def anchors() -> Sequences:
    intervals = (Interval("chr1", 100, 112, "+"), Interval("chr1", 100, 112, "-"), None)
    return Sequences(("a", "b", "c"), np.zeros((3, LENGTH), np.uint8), intervals)


@pytest.mark.parametrize(("fix", "held"), [("3", [3]), ("0-2, 11", [0, 1, 11]), ("10-12", [10, 11])])
def test_positions_are_fixed_in_every_anchor(fix: str, held: list[int]) -> None:
    found = fix_positions(anchors(), fix)
    for row in range(3):
        assert free(found, row) == [place for place in range(LENGTH) if place not in held]


def test_intervals_are_fixed_by_genome_strand_and_name(tmp_path: Path) -> None:
    bed = written(tmp_path, "fix.bed", "chr1\t98\t103\nchr2\t100\t112\nc\t4\t6\n")
    found = fix_positions(anchors(), bed)
    assert [free(found, row) for row in range(3)] == [
        list(range(3, 12)),
        list(range(9)),
        [0, 1, 2, 3, 6, 7, 8, 9, 10, 11],
    ]


def test_what_is_fixed_stays_fixed() -> None:
    assert free(fix_positions(fix_positions(anchors(), "0-3"), "8-12"), 0) == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("fix", "message"),
    [
        ("30-40", "ends beyond the 12 positions"),
        ("20-10", "is empty"),
        ("5-5", "is empty"),
        ("3,10-13", "10-13 ends beyond the 12 positions"),
        ("", "is neither a file nor positions"),
        ("3,x", "neither a file nor positions"),
        ("5-", "neither"),
    ],
)
def test_what_fixes_nothing_is_an_error(fix: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fix_positions(anchors(), fix)


def test_a_bed_that_touches_no_anchor_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"touches no anchor; .*BED whose chromosomes are theirs, or their names"):
        fix_positions(anchors(), written(tmp_path, "fix.bed", "chr1\t300\t400\n1\t100\t112\n"))
