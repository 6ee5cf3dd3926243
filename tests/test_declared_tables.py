"""Every table that a command writes is as it is declared, and the manual's page is made from the declarations."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from maxent_cli.api.merging import POOLS
from maxent_cli.commands import COMMANDS, maxent
from maxent_cli.interpret import prefix_mass
from maxent_cli.io.motif_files import CTCF_MOTIF
from maxent_cli.io.tables import read_table
from maxent_cli.tables import WRITTEN, Column, Table
from maxent_cli.tables.page import page

ROOT = Path(__file__).parents[1]
RUN = "--chains 4 --replicas 3 --draws 40 --thin 10 --warmup 240 --max-steps 400 --beta 20 --threads 1"
DESIGN = RUN.replace("--beta 20 ", "")
DECLARED = [(command, output) for command, outputs in WRITTEN.items() for output in outputs]
TABLES = [(command, output) for command, output in DECLARED if isinstance(output, Table)]
RECORDS = "--records anchors.fa --threads 1"
PAIRS = "--unconverged --syntax two.meme --model model --contexts 16 --max-distance 12"
TWO = "\n".join(
    f"MOTIF {name}\nletter-probability matrix: alength= 4 w= 4 nsites= 20\n{rows}"
    for name, rows in (("one", "0.97 0.01 0.01 0.01\n" * 4), ("two", "0.01 0.97 0.01 0.01\n" * 4))
)
LINES = {  # by the output, in the order in which they are run
    "model": "train --positives positives.fa --epochs 4 --batch 32 --checkpoints 2 --threads 1 --out {}",
    "scores": "predict model/test.positives.fa --model model --label 1 --select best.fa --diverse 3 --out {}",
    "plain": "predict anchors.fa --model model --threads 1 --out {}",
    "learned": f"learning anchors.fa --model model --known {CTCF_MOTIF} {RUN} --out {{}}",
    "draws": f"sample anchors.fa --model model {RUN} --max-rhat 1.2 --tether 0.4 --out {{}}",
    "others": f"sample anchors.fa --model model {RUN} --tether 0.4 --seed 2 --out {{}}",
    "together": f"sample anchors.fa --model model --model model {RUN} --out {{}}",
    "by_output": f"sample anchors.fa --model model {RUN} --max-rhat 1000 --law output --out {{}}",
    "motifs": f"motifs draws --known {CTCF_MOTIF} --test {CTCF_MOTIF} --draw-sites --max-logos 1 --unconverged "
    f"{RECORDS} --out {{}}",
    "motifs_pairs": f"motifs draws --logos none {PAIRS} --threads 1 --out {{}}",
    "motifs_b": "motifs draws --width 6 --logos none --unconverged --threads 1 --out {}",
    "motifs_output": "motifs by_output --logos none --threads 1 --out {}",
    "dependence": "dependence draws --max-maps 1 --out {}",
    "dependence_output": "dependence by_output --maps none --out {}",
    "variants": "variants draws --model model --all-single --contexts 40 --threads 1 --out {}",
    "changes": "variants draws --model model --vcf v.vcf --contexts 40 --threads 1 --out {}",
    "changes_plain": "variants draws --model model --vcf v.vcf --contexts 20 --annotated vcf --threads 1 --out {}",
    "compare": "compare motifs motifs_b --out {}",
    "crossed": "compare draws others --model model --model model --threads 1 --out {}",
    "compare_motifs": "compare motifs motifs_output --out {}",
    "periodicity": "periodicity draws --out {}",
    "gc": f"gc-probe anchors.fa --model model {RUN.replace('--beta 20', '')} --mu -1,0 --out {{}}",
    "designed": f"design --model model {DESIGN} --to 2 --designs 5 --gc-limits 0.2,0.8 --out {{}}",
    "edited": f"design --near anchors.fa --model model {DESIGN} --to 0 --spread 3 --designs 5 --out {{}}",
    "best": f"design anchors.fa --model model {DESIGN} --best --out {{}}",
    "deeplift": "attribute anchors.fa --model model --method deeplift --max-logos 1 --threads 1 --out {}",
    "prefix": "attribute anchors.fa --model model --method prefix --draws draws --max-logos 1 --threads 1 --out {}",
    "mutagenesis": "attribute anchors.fa --model model --method mutagenesis --fix 5-9 --logos none --out {}",
}


def run(line: str) -> None:
    result = CliRunner().invoke(maxent, line.split())
    assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what every command writes: a real network, real draws; one anchor has a place, one is too short."""
    folder = tmp_path_factory.mktemp("written")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefix_mass, "COMPILED_EFFORT", prefix_mass.Effort(80, 2))  # what is written is looked at alone
        run("simulate --count 400 --length 60 --plant CTCF:position=20,strand=+ --out positives.fa")
        (folder / "two.meme").write_text(f"MEME version 4\n\n{TWO}")
        with (folder / "positives.fa").open("a") as stream:
            stream.write(">short\nACGT\n")
        for name, line in LINES.items():
            run(line.format(name))
            if name == "scores":
                first, second, third = (folder / "best.fa").read_text().split(">")[1:]
                placed = f">chr1:100-160\n{second.partition(chr(10))[2]}"
                (folder / "anchors.fa").write_text(f">{first}{placed}>{third}>short\nACGT\n")
                own = placed.split("\n")[1][4]
                alleles = f"chr1\t105\trs1\t{own}\t{'CA'[own == 'C']}\t.\t.\t.\nchr2\t1\t.\tA\tC\t.\t.\t.\n"
                columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
                (folder / "v.vcf").write_text(f"##fileformat=VCFv4.2\n{columns}{alleles}")
    return folder


def files_of(folder: Path, command: str, table: Table) -> Iterator[Path]:
    """The files of a table that were written."""
    for name, line in LINES.items():
        if line.split()[0] == command:
            place = folder / (table.file.replace("OUT", name) if "OUT" in table.file else f"{name}/{table.file}")
            if place.is_file():
                yield place


def test_every_command_that_writes_is_declared() -> None:
    assert WRITTEN.keys() == {line.split()[0] for line in LINES.values()}
    # FASTA, JSON, HTML, what others write, nothing
    others = {"run", "simulate", "adopt", "doctor", "report", "merge", "provenance"}
    assert WRITTEN.keys() | others == set(COMMANDS)


def test_what_is_pooled_is_made_anew_by_merge() -> None:
    assert POOLS.keys() == {command for command, output in DECLARED if output.pooled}


def test_every_table_that_was_written_is_declared(written: Path) -> None:
    declared = {place for command, table in TABLES for place in files_of(written, command, table)}
    tables = {place for end in ("*.tsv", "*.tsv.gz") for place in written.rglob(end)}
    assert declared - tables == {written / "scores", written / "plain"}
    assert tables - declared == set()


MAYBE_EMPTY = ("spacing.tsv",)  # where draws of a short run hold no two motifs together


def test_tables_are_as_declared(written: Path) -> None:
    """All headings, cells of their kinds, something in each that may not be missing, rows that can be told apart."""
    for command, table in TABLES:
        seen = list[dict[str, object]]()
        for place in files_of(written, command, table):
            rows = list(read_table(str(place), table, "cure"))
            seen += rows
            for column in table.columns:
                values = [row[column.name] for row in rows if column.name in row]
                empty = any(value is None or value != value for value in values)
                assert column.missing or not empty, f"{place}, {column.name}"
            keys = Counter(tuple(row[name] for name in table.key) for row in rows if table.key)
            assert not keys or max(keys.values()) == 1, place
        assert seen or table.file in MAYBE_EMPTY, f"{command}: {table.file}"
        assert not seen or {name for row in seen for name in row} >= set(table.names), f"{command}: {table.file}"


def test_what_is_declared_is_written(written: Path) -> None:
    named = {"OUT": "draws", "SELECT": "best.fa"}
    for command, output in DECLARED:
        if not isinstance(output, Table) and "{" not in output.file:
            folders = [written / name for name, line in LINES.items() if line.split()[0] == command]
            places = [written / named.get(output.file, "nothing")]
            places += [place for folder in folders for place in folder.glob(output.file)]
            assert any(place.exists() for place in places), output


def test_the_page_of_tables_is_current() -> None:
    """python -m maxent_cli.tables.page > docs/tables.md."""
    current = page()
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == current
    assert all(isinstance(column, Column) and f"`{column.name}`" in current for _, t in TABLES for column in t.columns)


# tables of draws' anchors without their convergence, and where it stands
ELSEWHERE = {
    ("gc-probe", "checks.tsv"): "checks are judged where chains agree; response.tsv",
    ("gc-probe", "covariances.tsv"): "counts.tsv",
    ("learning", "regions.tsv"): "anchors.tsv",
    ("sample", "OUT.networks.tsv"): "of the same draws as OUT.tsv",
    ("motifs", "draw_sites.tsv.gz"): "a line a site of a draw; occupancy.tsv",
}
FROM_DRAWS = ("sample", "motifs", "dependence", "variants", "compare", "periodicity", "gc-probe", "design", "learning")


def test_every_table_of_anchors_drawn_from_says_whether_they_have_converged() -> None:
    tables = [
        (command, table)
        for command, table in TABLES
        if command in FROM_DRAWS and "record" in table.names and "reason" not in table.names
    ]
    without = {
        (command, table.file)
        for command, table in tables
        if not all(any(name.startswith(asked) for name in table.names) for asked in ("converged", "rhat"))
    }
    assert len(tables) > 12
    assert without == set(ELSEWHERE)
