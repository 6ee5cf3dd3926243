import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hostile_files import HOSTILE_NAMES, check_not_a_file, check_reader
from hypothesis import given
from hypothesis import strategies as st

from maxent_cli.data import Interval, Record, Rejected
from maxent_cli.errors import InputError
from maxent_cli.io.bed import Away, BedRow, fetch_windows, places_away, read_intervals, write_bed
from maxent_cli.io.fasta import interval_of_name

GOOD = b"chr1\t10\t20\tpeak1\t500\t+\t3.5\t-1\t0.2\t4\nchr1\t30\t41\t.\t0\t-\t3.5\t-1\t0.2\t-1\n"
CHR1 = "ACGTTGCAACGGGTCATTACCCATGNACgtTGCATGCCATAGGTCCAATG"


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "genome.fa"
    lines = [CHR1[start : start + 20] for start in range(0, len(CHR1), 20)]
    path.write_text(">chr1 first\n" + "\n".join(lines) + "\n>chrM\nACGTACGT\n")
    return str(path)


def rows_of(text: str, folder: Path) -> list[BedRow]:
    (folder / "a.bed").write_text(text)
    return list(read_intervals(str(folder / "a.bed")))


def window(genome: str, interval: Interval, length: int, centre: str = "centre", **more: int) -> Record | Rejected:
    return next(fetch_windows(genome, [BedRow(interval, **more)], length, centre))


@pytest.mark.parametrize("columns", range(3, 13))
def test_reads_three_to_twelve_columns(columns: int, tmp_path: Path) -> None:
    cells = ["chr1", "10", "20", "peak", "7.5", "-", "10", "20", "0", "1", "10", "0"][:columns]
    (row,) = rows_of("\t".join(cells) + "\n", tmp_path)
    assert row.interval == Interval("chr1", 10, 20, "-" if columns >= 6 else ".")
    assert row.name == ("peak" if columns >= 4 else ".")
    assert row.score == (7.5 if columns >= 5 else None)
    assert row.summit == (1 if columns == 10 else None)
    assert row.place.endswith("a.bed: line 1")


def test_passes_over_what_is_not_a_row(tmp_path: Path) -> None:
    text = '\ufefftrack name="a b"\nbrowser position chr1\n#comment\n\n  \nchr1 5 9 a\r\ntracks\t1\t2\n'
    assert [row.interval.chromosome for row in rows_of(text, tmp_path)] == ["chr1", "tracks"]


def test_narrowpeak_summits(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    assert [row.summit for row in read_intervals(str(tmp_path / "a.gz"))] == [4, None]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("chr1\t5", "line 2: fewer than 3 columns"),
        ("chr1\tx\t9", "line 2, column 2: 'x' is not a position"),
        ("chr1\t-5\t9", "line 2, column 2"),
        ("chr1\t5\t1_0", "line 2, column 3"),
        ("chr1\t5\t" + "9" * 5000, "line 2, column 3"),
        ("chr1\t9\t5", "line 2: the end lies before the start"),
        ("\t5\t9", "line 2: no chromosome"),
        ("chr1\t5\t9\ta\t0\t?", "line 2, column 6: the strand '\\?'"),
        ("chr1\t5\t9\ta\t0\t+\t1\t1\t1\t5", "line 2, column 10: the summit '5' is not within the 4 bp"),
    ],
)
def test_errors_name_line_and_column(line: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(f"chr1\t5\t9\n{line}\n", tmp_path)


def test_hostile_input(tmp_path: Path) -> None:
    check_not_a_file(read_intervals, GOOD, tmp_path)
    check_reader(read_intervals, GOOD, tmp_path)


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "two words\nand\ta line"])
def test_rows_written_are_rows_read(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "out.bed")
    write_bed(path, [BedRow(Interval("chr1", 3, 9, "-"), name, 12.5), BedRow(Interval("chr2", 0, 1))])
    first, second = read_intervals(path)
    assert (first.interval, first.score) == (Interval("chr1", 3, 9, "-"), 12.5)
    assert first.name == "_".join(name.split())
    assert (second.interval, second.name, second.score) == (Interval("chr2", 0, 1), ".", 0.0)


@pytest.mark.parametrize("strand", ["+", "-", "."])
@pytest.mark.parametrize(("start", "end"), [(10, 20), (10, 21), (11, 12), (31, 44)])
def test_an_interval_of_the_length_is_its_own_window(genome: str, start: int, end: int, strand: str) -> None:
    found = window(genome, Interval("chr1", start, end, strand), end - start)
    assert isinstance(found, Record)
    assert found.interval == Interval("chr1", start, end, strand)
    plain = CHR1[start:end]
    assert found.sequence == (plain if strand != "-" else plain.translate(str.maketrans("ACGTacgt", "TGCAtgca"))[::-1])
    assert interval_of_name(found.name, end - start) == found.interval


@given(st.integers(6, 9), st.integers(1, 12), st.sampled_from("+-."))
def test_the_summit_is_the_middle_base_of_the_window_along_the_strand(summit: int, length: int, strand: str) -> None:
    genome = {"chr1": "C" * (10 + summit) + "A" + "C" * 30}
    path = Path(__file__).with_name("never opened")
    row = BedRow(Interval("chr1", 10, 20, strand), summit=summit)
    from maxent_cli.io.bed import _fetch, _window

    found = _fetch(str(path), genome, row, _window(row, length, "summit"))
    assert isinstance(found, Record)
    assert found.sequence.find("T" if strand == "-" else "A") == length // 2


def test_a_row_without_summit_has_its_centre(genome: str) -> None:
    interval = Interval("chr1", 10, 21)
    assert window(genome, interval, 5, "summit") == window(genome, interval, 5, "centre")
    assert window(genome, interval, 5, "summit", summit=0) != window(genome, interval, 5, "centre")


@pytest.mark.parametrize("start", [0, 46])
def test_windows_past_the_ends_are_rejected(genome: str, start: int) -> None:
    found = window(genome, Interval("chr1", start, start + 4), 9)
    assert isinstance(found, Rejected)
    assert found.reason == "window runs past the chromosome's end"
    assert found.name == f"chr1:{start}-{start + 4}"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("1", "the intervals say chromosome 1, genome.fa says chr1"),
        ("MT", "the intervals say chromosome MT, genome.fa says chrM"),
        ("chrX", "genome.fa has no chromosome chrX (it has chr1, chrM, ...)"),
    ],
)
def test_other_spellings_are_explained(genome: str, asked: str, reason: str) -> None:
    found = window(genome, Interval(asked, 10, 20), 4)
    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_compressed_and_plain_genomes_give_the_same_and_only_an_index_is_left_beside_them(genome: str) -> None:
    rows = [BedRow(Interval("chr1", start, start + 7, "+-."[start % 3]), f"r{start}") for start in range(0, 45, 4)]
    squeezed = Path(genome + ".gz")
    squeezed.write_bytes(gzip.compress(Path(genome).read_bytes()))
    plain = list(fetch_windows(genome, rows, 6))
    assert plain == list(fetch_windows(str(squeezed), rows, 6))
    assert sum(isinstance(found, Record) for found in plain) > 5
    assert sorted(entry.name for entry in squeezed.parent.iterdir()) == ["genome.fa", "genome.fa.fai", "genome.fa.gz"]


def test_names_hold_the_row_and_the_window(genome: str) -> None:
    (found,) = fetch_windows(genome, [BedRow(Interval("chr1", 10, 14, "-"), "my peak")], 4)
    assert found.name == "my_peak::chr1:10-14(-)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be indexed"),
        ("ACGT\n", "cannot be indexed"),
        (">a\nACGT\nAC\nACGT\n", "cannot be indexed.*lines of equal length"),
        (">a\nACGT\n>a\nACGT\n", "Duplicate key.*names that occur once"),
        (">a\nACGTT\nACGTT\n\nC", "cannot be indexed.*lines of equal length"),
    ],
)
def test_a_broken_genome_is_an_input_error(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(text)
    with pytest.raises(InputError, match=words):
        window(str(tmp_path / "g.fa"), Interval("a", 0, 1), 1)
    (tmp_path / "g.fa.gz").write_bytes(gzip.compress(b">a\nAC\n>a\nAC\n"))
    with pytest.raises(InputError, match="line 3: the name a occurs twice"):
        window(str(tmp_path / "g.fa.gz"), Interval("a", 0, 1), 1)
    with pytest.raises(InputError, match="directory"):
        window(str(tmp_path), Interval("a", 0, 1), 1)


def test_a_genome_that_is_not_what_its_index_says_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_bytes(b">a\nACGT\xc2\x9aACGT\n")
    with pytest.raises(InputError, match=r"a:0-5: is not where the index has it; .* remove a stale .fai"):
        window(str(tmp_path / "g.fa"), Interval("a", 0, 5), 5)


def test_real_peaks_and_genome() -> None:
    data = Path(__file__).parents[2].parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the folder of real data is not here")
    peaks = list(read_intervals(str(data / "ctcf" / "ChIPseq.K562.CTCF.conservative.train.narrowPeak.gz")))
    assert len(peaks) == 47_804
    sites = list(read_intervals(str(data / "yeast" / "chipexo" / "Reb1_CX.sacCer3.bed")))
    found = list(fetch_windows(str(data / "yeast" / "sacCer3_chrI-XVI.fa.gz"), sites, 101))
    assert len(found) == 1078
    core = sum("TTACCCG" in f.sequence or "CGGGTAA" in f.sequence for f in found if isinstance(f, Record))
    assert core > 400  # about 12 by chance: the known Reb1 motif stands under most of its peaks


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("chr4", "4"),
        ("4", "chr4"),
        ("chrIV", "4"),
        ("IV", "chr4"),
        ("4", "chrIV"),
        ("04", "IV"),
        ("chrX", "X"),
        ("chrMT", "chrM"),
        ("Mito", "MT"),
        ("chrXXIV", "chr24"),
    ],
)
def test_chromosomes_that_are_called_otherwise_are_found_on_request(theirs: str, ours: str, tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(f">{ours}\nACGTACGT\n>other\nTTTT\n")
    rows = [BedRow(Interval(theirs, 2, 6), place="line 1"), BedRow(Interval("chrUn", 0, 4), place="line 2")]
    found, unknown = fetch_windows(str(path), rows, 4, mapped=True)
    assert isinstance(found, Record)
    assert (found.interval, found.sequence) == (Interval(ours, 2, 6), "GTAC")
    assert isinstance(unknown, Rejected)
    refused, _ = fetch_windows(str(path), rows, 4)
    assert isinstance(refused, Rejected)
    assert f"genome.fa says {ours}" in refused.reason


@pytest.mark.parametrize(
    ("theirs", "genome", "found"),
    [
        ("chrX", ("9", "10", "16"), "10"),
        ("10", ("chrIX", "chrX"), "chrX"),
        ("chrX", ("9", "10", "17"), None),
        ("chrX", ("10",), None),
        ("10", ("1", "X"), None),
    ],
)
def test_x_is_ten_only_of_yeast(theirs: str, genome: tuple[str, ...], found: str | None, tmp_path: Path) -> None:
    """An interval of a human's X is not put on chromosome 10 of a genome that lacks X."""
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\nACGTACGT\n" for name in genome))
    (record,) = fetch_windows(str(path), [BedRow(Interval(theirs, 2, 6))], 4, mapped=True)
    assert (record.interval.chromosome if isinstance(record, Record) and record.interval else None) == found


def test_a_chromosome_of_its_own_name_comes_before_one_that_a_numeral_may_mean(tmp_path: Path) -> None:
    """X is the tenth of yeast, and the sex chromosome where there is one."""
    path = tmp_path / "genome.fa"
    path.write_text(">10\nAAAAAA\n>X\nCCCCCC\n>V\nGGGGGG\n")
    found = [
        *fetch_windows(str(path), [BedRow(Interval(name, 0, 4)) for name in ("chrX", "10", "chr5")], 4, mapped=True)
    ]
    assert [record.sequence for record in found if isinstance(record, Record)] == ["CCCC", "AAAA", "GGGG"]


@pytest.mark.parametrize("seed", range(20))
def test_places_away_are_chosen_among_all_that_are_listed(seed: int, tmp_path: Path) -> None:
    chance = np.random.default_rng(seed)
    size, length, distance = int(chance.integers(1, 200)), int(chance.integers(1, 30)), int(chance.integers(1, 20))
    (tmp_path / "genome.fa").write_text(f">a\n{'ACGTT' * 40}\n>b\n{('ACGTT' * 40)[:size]}\n")
    starts = chance.integers(0, 250, int(chance.integers(0, 6)))
    rows = [BedRow(Interval("b", int(at), int(at + chance.integers(0, 20)))) for at in starts]
    listed = [
        place
        for place in range(size)
        if place - length // 2 >= 0
        and place - length // 2 + length <= size
        and all(place <= row.interval.start - distance or place >= row.interval.end + distance - 1 for row in rows)
    ]
    away = Away(distance, length, seed)
    found = places_away(str(tmp_path / "genome.fa"), rows, {"b": len(listed)}, away)
    assert [row.interval.start for row in found] == listed
    with pytest.raises(InputError, match=rf"b has {len(listed)} places {distance} bp from every interval"):
        places_away(str(tmp_path / "genome.fa"), rows, {"b": len(listed) + 1}, away)
    some = [row.interval.start for row in places_away(str(tmp_path / "genome.fa"), rows, {"b": len(listed) // 2}, away)]
    assert some == sorted(set(some) & set(listed))
    assert len(some) == len(listed) // 2


def test_places_away_take_no_memory_by_the_length_of_a_chromosome(tmp_path: Path) -> None:
    """Of a human genome, `train --negatives-away` as a whole has taken 673 MiB (tests/README.md)."""
    length = 6_000_000
    (tmp_path / "genome.fa").write_text(">a\n" + ("ACGT" * 150_000 + "\n") * 10)
    rows = [BedRow(Interval("a", at, at + 200)) for at in range(0, length, 10_000)]
    tracemalloc.start()
    found = places_away(str(tmp_path / "genome.fa"), rows, {"a": 600}, Away(1000, 200, 1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 600
    assert most < length / 2
