"""VCF in and out: what is read of it, what is no VCF, and what an annotated one holds."""

import gzip
from pathlib import Path

import pysam
import pytest

from maxent_cli.errors import InputError
from maxent_cli.io.variant_files import FIELDS, annotate, read_vcf

HEADER = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=100>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
ROW = "chr1\t{}\t{}\t{}\t{}\t.\tPASS\tDP=3\n"


def written(path: Path, *rows: tuple[object, ...], header: str = HEADER) -> str:
    path.write_text(header + "".join(ROW.format(*row) for row in rows))
    return str(path)


def test_alleles_are_split_and_faults_are_named(tmp_path: Path) -> None:
    rows = [(5, "rs1", "a", "C,g"), (6, ".", "A", "<DEL>"), (7, ".", "A", "AT"), (8, ".", "AC", "GT")]
    rows += [(9, ".", "A", "."), (10, ".", "A", "*"), (11, ".", "A", "N"), (0, ".", "A", "C"), (12, ".", "T", "T")]
    found = list(read_vcf(written(tmp_path / "v.vcf", *rows)))
    assert [(each.allele, each.record, each.identifier) for each in found[:2]] == [
        (("chr1", 4, "A", "C"), 1, "rs1"),
        (("chr1", 4, "A", "G"), 1, "rs1"),
    ]
    assert [each.fault for each in found] == [
        *("", "", "symbolic ALT, and no letter", "indel", "several letters at once", "no ALT allele"),
        *("symbolic ALT, and no letter", "letters other than A, C, G and T", "position 0, which is none in VCF"),
        "ALT is REF",
    ]
    assert found[3].name == "chr1:7A>AT"


@pytest.mark.parametrize("form", ["bgzip", "bcf", "crlf"])
def test_other_forms_are_read_alike(form: str, tmp_path: Path) -> None:
    path = written(tmp_path / "v.vcf", (5, "rs1", "A", "C"), header=HEADER.replace("#CHROM", "##INFO=<ID=DP,Number=1,"
                   'Type=Integer,Description="d">\n#CHROM'))  # fmt: skip
    other = tmp_path / {"bgzip": "v.vcf.gz", "bcf": "v.bcf", "crlf": "w.vcf"}[form]
    if form == "bgzip":
        pysam.tabix_compress(path, str(other))
    elif form == "bcf":
        with pysam.VariantFile(path) as read, pysam.VariantFile(str(other), "wb", header=read.header) as write:
            for record in read:
                write.write(record)
    else:
        other.write_bytes(Path(path).read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_vcf(str(other))) == list(read_vcf(path))


BAD = {
    "no header": b"chr1\t5\t.\tA\tC\t.\t.\t.\n",
    "empty": b"",
    "junk": bytes(range(256)) * 4,
    "text": b"Dear reader,\nall is well.\n",
    "too few columns": HEADER.encode() + b"chr1\t10\t.\tA\n",
    "no number": HEADER.encode() + b"chr1\tx\t.\tA\tC\t.\t.\t.\n",
    "beyond all numbers": HEADER.encode() + b"chr1\t99999999999999999999\t.\tA\tC\t.\t.\t.\n",
    "a NUL": HEADER.encode() + b"chr1\t5\t.\tA\0\tC\t.\t.\t.\n",
    "no UTF-8": HEADER.encode() + b"chr1\t5\t\xff\tA\tC\t.\t.\t.\n",
    "gzip": gzip.compress(HEADER.encode()),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_vcf_is_one_error(fault: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "v.vcf"
    path.write_bytes(BAD[fault])
    with pytest.raises(InputError, match="by bgzip, or not" if fault == "gzip" else "give VCF"):
        list(read_vcf(str(path)))
    assert capfd.readouterr() == ("", "")  # of htslib too


def row_of(effect: float, record: str = "p 1;a=b") -> dict[str, object]:
    numbers = ("flips", "free_energy", "free_energy_error", "effect_beta_0", "effect_error", "anchor_effect")
    return {"record": record, "effect": effect} | dict.fromkeys(numbers, 0.25)


def test_an_annotated_file_is_the_file_and_a_value_an_allele(tmp_path: Path) -> None:
    path = written(tmp_path / "v.vcf", (5, "rs1", "A", "C,G"), (7, ".", "A", "AT"))
    found = {("chr1", 4, "A", "G"): [row_of(-1.5), row_of(0.5)]}
    out = tmp_path / "o.vcf.gz"
    assert annotate(path, str(out), found)
    assert out.with_name("o.vcf.gz.tbi").exists()
    with pysam.VariantFile(str(out)) as read:
        assert {name for name, *_ in FIELDS} <= set(read.header.info)
        first, second = read
    assert first.info["MAXENT_ANCHORS"] == (None, 2)
    assert first.info["MAXENT_EFFECT"] == (None, -1.5)
    assert first.info["MAXENT_ANCHOR"] == (".", "p%201%3Ba%3Db")
    assert set(second.info) == {"DP"}
    text = gzip.decompress(out.read_bytes()).decode()
    plain = [line for line in text.splitlines() if not line.startswith("##")]
    original = Path(path).read_text().splitlines(keepends=True)[2:]
    assert [line.split(";MAXENT")[0].strip() for line in plain] == [line.strip() for line in original]
    assert annotate(path, str(tmp_path / "o.vcf"), found)
    assert (tmp_path / "o.vcf").read_text() == text


def test_records_out_of_order_have_no_index_and_what_is_missing_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "v.vcf", (50, ".", "A", "C"), (5, ".", "A", "C"))
    assert not annotate(path, str(tmp_path / "o.vcf.gz"), {("chr1", 4, "A", "C"): [row_of(1)]})
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("o")] == ["o.vcf.gz"]
    with pytest.raises(InputError, match="has no chr1:5A>T, which was found in it"):
        annotate(path, str(tmp_path / "p.vcf"), {("chr1", 4, "A", "T"): [row_of(1)]})
    again = tmp_path / "again.vcf"
    annotate(path, str(again), {})
    with pytest.raises(InputError, match="has an INFO field MAXENT_ANCHORS already"):
        annotate(str(again), str(tmp_path / "p.vcf"), {})
