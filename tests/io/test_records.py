"""Records come from FASTA or from BED with a genome, by the name of the file; nothing is dropped in silence."""

import gzip
import io
from collections import Counter
from pathlib import Path

import pytest

from maxent_cli.alphabet import decode
from maxent_cli.data import Interval
from maxent_cli.errors import InputError
from maxent_cli.io.digests import saying
from maxent_cli.io.records import (
    BED,
    FASTA,
    TABLE,
    RecordSource,
    agreed_length,
    is_bed,
    kind_of,
    read_labelled_sequences,
    read_sequences,
)

GENOME = "ACGTACGTACGGTTTTACGATTACAGGATCC"


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{GENOME}\n>chr2\nACGTNNNNACGTACGT\n")
    return str(path)


def bed(tmp_path: Path, *rows: str, name: str = "peaks.bed") -> str:
    path = tmp_path / name
    path.write_text("".join("\t".join(row.split()) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("peaks.bed", True),
        ("a/peaks.BED.gz", True),
        ("peaks.narrowPeak", True),
        ("peaks.broadPeak.bgz", True),
        ("peaks.fa", False),
        ("bed", False),
        ("peaks.bed.fa.gz", False),
        ("-", False),
    ],
)
def test_bed_is_known_by_its_name(name: str, found: bool) -> None:
    assert is_bed(name) is found


def test_fasta_gives_its_records_and_what_was_left_out(tmp_path: Path) -> None:
    path = tmp_path / "anchors.fa"
    path.write_text(">chr1:5-9 first\nACgt\n>b\nACGTA\n>c\nACNT\n>d\nTTTT\n")
    sequences, rejected = read_sequences(RecordSource(str(path)), 4)
    assert sequences.names == ("chr1:5-9", "d")
    assert sequences.intervals == (Interval("chr1", 5, 9, "."), None)
    assert [decode(row) for row in sequences.codes] == ["ACGT", "TTTT"]
    assert [(record.name, record.reason) for record in rejected] == [
        ("b", "longer than 4 bp"),
        ("c", "letter N (not one of ACGT)"),
    ]


def test_longer_fasta_records_are_cropped_on_request(tmp_path: Path) -> None:
    path = tmp_path / "anchors.fa.gz"
    path.write_bytes(gzip.compress(b">a\nAAGTCC\n>b\nGTC\n"))
    sequences, rejected = read_sequences(RecordSource(str(path)), 4, crop=True)
    assert [decode(row) for row in sequences.codes] == ["AGTC"]
    assert [record.reason for record in rejected] == ["shorter than 4 bp"]


def test_no_length_takes_that_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "anchors.fa"
    path.write_text(">a\nACGTA\n>b\nACG\n")
    sequences, rejected = read_sequences(RecordSource(str(path)), None)
    assert sequences.codes.shape == (1, 5)
    assert [record.name for record in rejected] == ["b"]


def test_standard_input_is_fasta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b">a\nACGT\n")))
    assert read_sequences(RecordSource("-"), 4)[0].names == ("a",)


def test_bed_gives_windows_of_the_genome_on_its_strand(tmp_path: Path, genome: str) -> None:
    path = bed(tmp_path, "chr1 10 20 up 0 +", "chr1 10 20 down 0 -")
    sequences, rejected = read_sequences(RecordSource(path, genome), 6)
    assert [decode(row) for row in sequences.codes] == [GENOME[12:18], "GTAAAA"]
    assert sequences.intervals == (Interval("chr1", 12, 18, "+"), Interval("chr1", 12, 18, "-"))
    assert rejected == []


def test_narrow_peaks_may_be_centred_on_their_summit(tmp_path: Path, genome: str) -> None:
    path = bed(tmp_path, "chr1 4 24 a 0 . 1 1 1 3", name="peaks.narrowPeak")
    at_summit, _ = read_sequences(RecordSource(path, genome, "summit"), 4)
    at_centre, _ = read_sequences(RecordSource(path, genome), 4)
    assert decode(at_summit.codes[0]) == GENOME[5:9]
    assert decode(at_centre.codes[0]) == GENOME[12:16]


def test_windows_that_cannot_be_used_are_told_apart(tmp_path: Path, genome: str) -> None:
    path = bed(tmp_path, "chr1 0 2", "chr2 2 10", "chr9 0 8", "chr1 8 16")
    sequences, rejected = read_sequences(RecordSource(path, genome), 8)
    assert len(sequences) == 1
    assert len(rejected) == 3
    reasons = " | ".join(record.reason for record in rejected)
    assert "letter N" in reasons
    assert "chr9" in reasons
    assert "end" in reasons


def test_bed_without_genome_is_an_error_with_its_cure(tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1 10 20")
    with pytest.raises(InputError, match=r"peaks.bed: is BED, which holds no sequence; give --genome FASTA"):
        read_sequences(RecordSource(path), 6)


def test_nothing_left_is_no_sequences_and_why(tmp_path: Path) -> None:
    path = tmp_path / "anchors.fa"
    path.write_text(">a\nACGTA\n>b\nACN\n")
    sequences, rejected = read_sequences(RecordSource(str(path)), 4)
    assert sequences.codes.shape == (0, 4)
    assert [(entry.name, entry.reason, entry.cure) for entry in rejected] == [
        ("a", "longer than 4 bp", "--crop keeps the middle of longer records"),
        ("b", "shorter than 4 bp", "give longer records, or --flank"),
    ]


def test_other_names_of_chromosomes_are_explained(tmp_path: Path, genome: str) -> None:
    _, (rejected,) = read_sequences(RecordSource(bed(tmp_path, "1 10 20"), genome), 6)
    assert rejected.reason == "the intervals say chromosome 1, genome.fa says chr1"
    assert rejected.cure == "--map-chromosomes takes them for the same"


@pytest.mark.parametrize("letter", "NnRy")
def test_unknown_letters_are_kept_on_request(tmp_path: Path, letter: str) -> None:
    path = tmp_path / "anchors.fa"
    path.write_text(f">a\nA{letter}GT\n>b\nNNNN\n>c\nA-{letter}T\n>d\nACG{letter}\n")
    sequences, rejected = read_sequences(RecordSource(str(path)), 4, unknown=True)
    assert [decode(row) for row in sequences.codes] == ["ANGT", "ACGN"]
    assert {entry.name: entry.reason for entry in rejected} == {
        "b": "no letter is one of ACGT",
        "c": "letter - (not one of ACGT)",
    }


def test_the_files_that_were_read_are_known(genome: str) -> None:
    assert RecordSource("peaks.bed", genome).files == ["peaks.bed", genome]
    assert RecordSource("a.fa").files == ["a.fa"]


LENGTHS = Counter({90: 10, 100: 70, 150: 20})


def test_the_commonest_length_is_taken_and_how_more_would_be_kept_is_said() -> None:
    said = list[str]()
    token = saying.set(said.append)
    try:
        assert agreed_length("a.fa", LENGTHS, False) == 100
        assert agreed_length("a.fa", LENGTHS, True) == 90
        assert agreed_length("a.fa", LENGTHS | {90: 1}, True) == 100  # all but one have so much
        assert agreed_length("a.fa", Counter({7: 3, 0: 1}), False) == 7
        assert agreed_length("a.fa", Counter({0: 1}), False) is None
    finally:
        saying.reset(token)
    assert said[0] == (
        "a.fa: 100 records of 90 to 150 bp, half of them of 100 or less; 70 of 100 bp are taken; "
        "a length of 90 and --crop keep 100"
    )
    assert said[1].endswith("90 bp are taken of each, which 100 have")
    assert len(said) == 3


def test_where_no_length_is_that_of_half_advice_is_all_there_is(tmp_path: Path) -> None:
    lengths = Counter(range(101, 201))
    with pytest.raises(InputError, match="and 1 at most of one length; give one: a length of 106 and --crop keep 95"):
        agreed_length("a.fa", lengths, False)
    path = tmp_path / "a.fa"
    path.write_text(">first\nACGTAC\n" + "".join(f">r{n}\nACGT\n" for n in range(3)))
    assert read_sequences(RecordSource(str(path)), None)[0].codes.shape == (3, 4)
    assert read_sequences(RecordSource(str(path), block=range(1)), None)[0].codes.shape == (
        0,
        4,
    )  # a part, of all's length
    assert read_sequences(RecordSource(str(path)), None, crop=True)[0].codes.shape == (4, 4)


def deepbind(tmp_path: Path) -> str:
    path = tmp_path / "factor_B.seq.gz"
    rows = ["FoldID\tEventID\tseq\tBound", "A\tseq_00002_peak\tACGTA\t1", "A\tchr1:5-10_shuf\tTTGCA\t0"]
    path.write_bytes(gzip.compress("".join(f"{row}\n" for row in rows).encode()))
    return str(path)


def test_tables_keep_ids_and_the_places_that_they_spell(tmp_path: Path) -> None:
    sequences, labels, _ = read_labelled_sequences(RecordSource(deepbind(tmp_path), labelled=True), None, False)
    assert sequences.names == ("seq_00002_peak", "chr1:5-10_shuf")
    assert sequences.intervals == (None, Interval("chr1", 5, 10))
    assert labels.tolist() == [1, 0]


def test_a_table_given_as_fasta_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"is a table with the columns FoldID, EventID, seq, Bound, and not FASTA; .*--table"
    ):
        read_sequences(RecordSource(deepbind(tmp_path)), 5)


def test_kinds_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    found = [kind_of(path) for path in ("x.narrowPeak.gz", deepbind(tmp_path), str(tmp_path / "a.fa"), "-")]
    assert found == [BED, TABLE, FASTA, FASTA]


@pytest.mark.parametrize(
    ("genome", "length", "said", "unsaid"), [(None, None, "--genome", "length"), ("given", None, "--length", "genome")]
)
def test_the_option_that_is_missing_is_named_alone(
    genome: str | None, length: int | None, said: str, unsaid: str, tmp_path: Path
) -> None:
    source = RecordSource(bed(tmp_path, "chr1 2 9"), genome)
    with pytest.raises(InputError, match=said) as caught:
        read_sequences(source, length)
    assert unsaid not in str(caught.value)
