"""maxent variants from draws and a VCF to tables and an annotated VCF: strands, overlaps, what is rejected, parts."""

import contextlib
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
from running import run, table
from small import saved, small_model

import maxent_cli as mx
from maxent_cli.alphabet import decode, encode, reverse_complement
from maxent_cli.data import Shard
from maxent_cli.errors import StoppedError

LENGTH = 8
GENOME = decode(np.random.default_rng(1).integers(0, 4, 60, np.uint8))
PLACES = {"p1": (10, "+"), "p2": (14, "-"), "p3": (40, "+")}
SHORT = "--chains 4 --replicas 3 --draws 20 --thin 5 --warmup 240 --max-steps 100 --beta 20 --threads 1"
TRIED = [(13, "rs1", 3), (17, "rs2", 1), (18, ".", 2), (44, "rs4", 1)]  # position, ID, number of alleles


def letter(pos: int) -> str:
    """Of the genome, at a position as VCF counts."""
    return GENOME[pos - 1]


def others(pos: int) -> list[str]:
    return [each for each in "ACGT" if each != letter(pos)]


def records() -> list[tuple[object, ...]]:
    tried = [(pos, name, letter(pos), ",".join(others(pos)[:count])) for pos, name, count in TRIED]
    bad = [
        (5, ".", letter(5), others(5)[0]),
        (15, ".", letter(15), letter(15) + "A"),
        (16, ".", others(16)[0], letter(16)),
        (44, "again", letter(44), others(44)[0]),
    ]
    return sorted(tried + bad, key=lambda row: row[0])


REASONS = {
    "outside all anchors",
    "indel",
    f"REF is {others(16)[0]}, and the anchor has {letter(16)}",
    "given before",
    "the variants say chromosome 1, the anchors say chr1",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, draws around three anchors of which two overlap on both strands, and a VCF."""
    folder = tmp_path_factory.mktemp("variants")
    saved(folder / "model", small_model(LENGTH))
    (folder / "genome.fa").write_text(f">chr1\n{GENOME}\n")
    rows = (f"chr1\t{start}\t{start + LENGTH}\t{name}\t0\t{strand}\n" for name, (start, strand) in PLACES.items())
    (folder / "anchors.bed").write_text("".join(rows))
    lines = [f"chr1\t{pos}\t{name}\t{ref}\t{alt}\t.\tPASS\t.\n" for pos, name, ref, alt in records()]
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "v.vcf").write_text(header + "".join(lines) + "1\t13\t.\tA\tC\t.\tPASS\t.\n")
    with contextlib.chdir(folder):
        run(f"sample anchors.bed --genome genome.fa --model model {SHORT} --out draws.npz")
        run("variants draws.npz --model model --vcf v.vcf --genome genome.fa --out whole")
    return folder


@pytest.fixture(autouse=True)
def here(origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(origin, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def output(word: str) -> float:
    model = mx.network("model").reader(LENGTH)
    from maxent_cli.interpret.law import evaluate, output_term
    from maxent_cli.laws import ONE_LESS_ZERO

    return float(evaluate(output_term(model, ONE_LESS_ZERO), encode(word)))


def test_each_allele_is_in_each_anchor_that_it_lies_in_with_its_effect_there() -> None:
    rows = table("whole/variants.tsv")
    expected = {
        (name, pos, alt)
        for pos, _, count in TRIED
        for alt in others(pos)[:count]
        for name, (start, _) in PLACES.items()
        if start < pos <= start + LENGTH
    }
    assert {(row["record"][:2], int(row["pos"]), row["alt"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert {row["record"][:2] for row in rows if row["pos"] == "17"} == {"p1", "p2"}
    for row in rows:
        start, strand = PLACES[row["record"][:2]]
        pos = int(row["pos"])
        changed = GENOME[: pos - 1] + row["alt"] + GENOME[pos:]
        words = [encode(each[start : start + LENGTH]) for each in (GENOME, changed)]
        before, after = (decode(word if strand == "+" else reverse_complement(word)) for word in words)
        assert before[int(row["position"])] != after[int(row["position"])]
        assert float(row["anchor_effect"]) == pytest.approx(output(after) - output(before), abs=1e-5)
        assert row["ref"] == letter(pos)
    assert [row["id"] for row in rows if row["record"].startswith("p3")] == ["rs4"]


def test_what_is_rejected_is_listed_with_its_reason_and_all_add_up() -> None:
    result = run("variants draws.npz --model model --vcf v.vcf --genome genome.fa --out again")
    rejected = table("again.rejected.tsv")
    assert {row["reason"] for row in rejected} == REASONS
    assert len(rejected) == len(REASONS)
    kept = sum(count for *_, count in TRIED)
    assert f"v.vcf: {kept + len(REASONS)} alleles = {kept} kept + {len(REASONS)} rejected" in result.stderr
    assert rejected[0]["place"] == "v.vcf: record 1"
    assert contents("again") == contents("whole")


def test_the_genome_is_asked_too() -> None:
    Path("other.fa").write_text(f">chr1\n{GENOME.translate(str.maketrans('ACGT', 'CATG'))}\n")
    result = run("variants draws.npz --model model --vcf v.vcf --genome other.fa --out again", 1)
    assert "alleles were rejected" in result.stderr.splitlines()[-1]
    assert "and the genome has" in result.stderr


def test_the_annotated_vcf_keeps_its_records() -> None:
    given, text = Path("v.vcf").read_text().splitlines(), gzip.decompress(Path("whole/annotated.vcf.gz").read_bytes())
    lines = [line for line in text.decode().splitlines() if not line.startswith("##")]
    assert [line.split("\t")[:7] for line in lines] == [line.split("\t")[:7] for line in given if line[:2] != "##"]
    found = {line.split("\t")[2]: line.split("\t")[7] for line in lines}
    assert found["rs2"].startswith("MAXENT_ANCHORS=2;MAXENT_ANCHOR=p")
    assert found["rs1"].startswith("MAXENT_ANCHORS=1,1,1;")
    assert Path("whole/annotated.vcf.gz.tbi").exists()
    run("variants draws.npz --model model --vcf v.vcf --out plain --annotated vcf")
    assert Path("plain/annotated.vcf").read_bytes() == text
    run("variants draws.npz --model model --vcf v.vcf --out none --annotated none")
    assert sorted(contents("none")) == ["anchors.tsv", "effects.png", "variants.tsv"]


@pytest.mark.parametrize("count", [2, 5])
def test_parts_together_are_the_whole(count: int) -> None:
    for number in range(1, count + 1):
        run(f"variants draws.npz --model model --vcf v.vcf --genome genome.fa --shard {number}/{count} -o part{number}")
    parts = " ".join(f"part{number}" for number in range(count, 0, -1))
    result = run(f"merge {parts} --out merged")
    assert f"{sum(each for *_, each in TRIED)} records" in result.stderr
    assert contents("merged") == contents("whole")
    assert Path("merged.rejected.tsv").read_bytes() == Path("whole.rejected.tsv").read_bytes()
    Path("v.vcf").write_text(Path("v.vcf").read_text().replace("\t13\t", "\t12\t"))
    result = run(f"merge {parts} --out again", 1)
    assert "which was found in it" in result.stderr


def test_every_single_change_and_python_say_the_same() -> None:
    run("variants draws.npz --model model --all-single --contexts 40 --seed 3 --out line")
    mx.variants(mx.network("model"), "draws.npz", all_single=True, contexts=40, seed=3, out="python", progress=False)
    assert contents("python") == contents("line")
    rows = table("line/variants.tsv")
    assert len(rows) == 3 * 3 * LENGTH
    by_vcf = {(row["record"], row["pos"], row["alt"]): row for row in table("whole/variants.tsv")}
    both = [(row, by_vcf[key]) for row in rows if (key := (row["record"], row["pos"], row["alt"])) in by_vcf]
    assert len(both) == len(by_vcf)
    for one, other in both:
        assert (one["ref"], one["position"]) == (other["ref"], other["position"])
        assert float(one["anchor_effect"]) == pytest.approx(float(other["anchor_effect"]), abs=1e-5)
    found = mx.variants(mx.network("model"), "draws.npz", "v.vcf", shard=Shard(1, 3), progress=False)
    assert set(found.to_frame()["record"].str[:2]) == {"p1"}


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    from maxent_cli.api import variants as module

    look, seen = module._look_at, list[int]()

    def once(*given):  # type: ignore[no-untyped-def]
        if seen:
            raise StoppedError
        seen.append(given[3])
        return look(*given)

    monkeypatch.setattr(module, "_look_at", once)
    line = "variants draws.npz --model model --vcf v.vcf --genome genome.fa --threads 1 --out gone_on"
    result = run(line, 4)
    assert "run the same command again" in result.stderr
    assert sorted(path.name for path in Path("gone_on.partial").glob("*.result")) == ["000000.result"]
    monkeypatch.setattr(module, "_look_at", look)
    result = run(line)
    assert "1 of 3 anchors are done" in result.stderr
    assert contents("gone_on") == contents("whole")
    assert not Path("gone_on.partial").exists()


def test_what_cannot_be_is_said_in_a_line() -> None:
    saved(Path("other"), small_model(LENGTH, seed=9))
    result = run("variants draws.npz --model other --all-single --out no", 1)
    assert "were drawn with another network than other" in result.stderr
    result = run("variants draws.npz --model model --out no", 2)
    assert "give either --vcf FILE or --all-single" in result.stderr
    Path("a.fa").write_text(">a\nGATCATTG\n")
    run(f"sample a.fa --model model {SHORT} --out placeless.npz")
    result = run("variants placeless.npz --model model --vcf v.vcf --out no", 1)
    assert "no anchor's place in a genome is known" in result.stderr
    run("variants placeless.npz --model model --all-single --out found")
    row = table("found/variants.tsv")[0]
    assert (row["chromosome"], row["pos"], row["ref"]) == ("", "", "G")
    assert not Path("no").exists()


def test_anchors_that_have_not_converged_are_said() -> None:
    result = run("variants draws.npz --model model --all-single --out found")
    rows = table("found/anchors.tsv")
    unsettled = [row["record"] for row in rows if row["converged"] == "no"]
    assert unsettled  # of so short a run
    assert f"{len(unsettled)} of 3 anchors have not converged" in result.stderr
    assert all(row["converged"] == "no" for row in table("found/variants.tsv") if row["record"] in unsettled)


def test_the_report_shows_the_changes_of_most_effect() -> None:
    run("report draws.npz --variants whole --out page.html")
    page = Path("page.html").read_text()
    strongest = max(table("whole/variants.tsv"), key=lambda row: abs(float(row["effect"])))
    assert f"{strongest['pos']} {strongest['ref']}&gt;{strongest['alt']}" in page
    lines = Path("whole/anchors.tsv").read_text().splitlines()
    for text, problem in ((lines[:1], "holds no anchor"), ([*lines, lines[1].replace("p1", "p9")], "not those of")):
        Path("whole/anchors.tsv").write_text("\n".join(text) + "\n")
        assert problem in run("report draws.npz --variants whole --out again.html", 1).stderr


def test_draws_of_other_laws_are_read_as_what_they_are() -> None:
    """The law near an output needs the one that was wanted; one that holds another output meanwhile is told."""
    Path("near.fa").write_text(">a\nGATCATTG\n")
    short = SHORT.replace("--beta 20 ", "")
    run(f"sample near.fa --model model --law near --to 0.5 {short} --out near.npz")
    run("variants near.npz --model model --all-single --contexts 20 --threads 1 --out near")
    assert all(row["free_energy"] for row in table("near/variants.tsv"))
    held = mx.Law("output", beta=1.0, hold="bound", hold_beta=1.0)
    run_of = mx.Sampling(chains=4, replicas=3, draws=20, thin=5, warmup=240, max_steps=100)
    mx.sample(mx.network("model"), ["GATCATTG"], held, run_of, out="held.npz", progress=False).close()
    result = run("variants held.npz --model model --all-single --out no", 1)
    assert "held.npz: were drawn while another output was held; give draws without that" in result.stderr
