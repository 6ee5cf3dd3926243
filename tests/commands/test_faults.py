"""Every command, given every input or output that is broken: one line that names it, exit code 1, nothing left behind.

The inputs and outputs of a command are read off LINES, whose lines name them in braces by their kind; a test fails when
the group has a command, or a command a path, that is in none of them.
"""

import contextlib
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import joblib  # noqa: F401  # warns where it is first imported on a full disk
import numpy as np
import pyfaidx
import pytest
import torch
from click.testing import CliRunner, Result
from numba.core import config
from report_files import write_parts
from safetensors.torch import load_file, save_file
from small import saved, small_model, stack
from thinned import one_of_each

from maxent_cli.alphabet import decode
from maxent_cli.commands import COMMANDS, maxent
from maxent_cli.commands.options import InputPath

LENGTH = 8
RUN = "--chains 4 --replicas 3 --draws 4 --thin 2 --max-steps 8 --warmup 240 --beta 5 --threads 1"
LINES = [
    "simulate --motifs {meme} --plant one --length 40 --count 3 --out {new} --truth {more}",
    "train --positives {fasta} --negatives {other} --length 60 --epochs 1 --batch 8 --threads 1 --out {folder}",
    "train --table {table} --length 60 --epochs 1 --batch 8 --threads 1 --out {folder}",
    "train --positives {bed} --genome {genome} --length 60 --epochs 1 --batch 8 --threads 1 --out {folder}",
    f"learning {{anchors}} --model {{model}} --model {{model}} --positives {{anchors}} --known {{meme}} {RUN} "
    "--out {folder}",
    "learning --model {model} --model {model} --positives {peaks} --negatives {peaks} --genome {genome} --threads 1 "
    "--out {folder}",
    "predict {anchors} --model {model} --threads 1 --out {new} --select {more}",
    "predict --table {labelled} --model {model} --threads 1 --out {new}",
    "predict {peaks} --genome {genome} --model {model} --threads 1 --out {new}",
    "adopt small:stack --input-length 8 --weights {weights} --table {labelled} --threads 1 --out {folder}",
    f"doctor {{anchors}} --model {{model}} {RUN}",
    f"doctor {{peaks}} --genome {{genome}} --model {{model}} {RUN}",
    f"sample {{anchors}} --model {{model}} {RUN} --out {{new}} --fasta {{more}}",
    f"sample {{peaks}} --genome {{genome}} --model {{model}} {RUN} --out {{new}}",
    f"sample {{anchors}} --model {{model}} --model {{model}} {RUN} --out {{new}}",
    f"gc-probe {{anchors}} --model {{model}} {RUN} --mu 0,1 --out {{folder}}",
    f"gc-probe {{peaks}} --genome {{genome}} --model {{model}} {RUN} --mu 0,1 --out {{folder}}",
    f"design --near {{anchors}} --model {{model}} {RUN.replace('--beta 5 ', '')} --to 1 --out {{folder}}",
    f"design {{peaks}} --genome {{genome}} --model {{model}} {RUN.replace('--beta 5 ', '')} --best --out {{folder}}",
    "attribute {anchors} --model {model} --method saliency --logos none --threads 1 --out {folder}",
    "attribute {peaks} --genome {genome} --model {model} --method deeplift --logos none --threads 1 --out {folder}",
    "attribute {placed} --model {model} --method prefix --draws {drawn} --logos none --threads 1 --out {folder}",
    "motifs {draws} --known {meme} --test {meme} --records {fasta} --crop --logos none --threads 1 --out {folder}",
    "motifs {drawn} --syntax {meme} --contexts 16 --model {model} --logos none --threads 1 --out {folder}",
    "motifs {draws} --records {peaks} --genome {genome} --logos none --threads 1 --out {folder}",
    "dependence {draws} --maps none --out {folder}",
    "variants {drawn} --model {model} --vcf {vcf} --genome {genome} --threads 1 --out {folder}",
    "periodicity {draws} --out {folder}",
    "compare {motifs} {motifs_b} --out {folder}",
    "compare {drawn} {drawn} --model {model} --model {model} --threads 1 --out {folder}",
    "merge {part} --out {new}",
    "merge {parts} --out {folder}",
    "provenance {part} --check",
    "report {draws} --motifs {motifs} --gc-probe {gc} --periodicity {periodicity} "
    "--train {trained} --variants {variants} --attribute {scores} --design {design} --learning {learned} "
    "--compare {compared} --dependence {pairs} --out {new}",
]
RUNS = [  # what they write is the other commands' doing
    "run {fasta} --negatives {other} --known {meme} --test {meme} --epochs 1 --batch 8 --threads 1 --out {folder}",
    "run {table} --epochs 1 --batch 8 --threads 1 --out {folder}",
    "run {bed} --genome {genome} --length 60 --epochs 1 --batch 8 --threads 1 --out {folder}",
    f"run {{anchors}} --model {{model}} {RUN} --out {{folder}}",
]
TEXTS = ("meme", "fasta", "other", "table", "labelled", "bed", "peaks", "anchors")
FOLDERS = {
    "motifs": "motifs.tsv",
    "motifs_b": "positions.tsv",
    "gc": "response.tsv",
    "design": "summary.tsv",
    "learned": "steps.tsv",
    "periodicity": "spectra.tsv",
    "trained": "metrics.tsv",
    "scores": "positions.tsv",
    "variants": "variants.tsv",
    "compared": "summary.tsv",
    "pairs": "pairs.tsv",
    "parts": "pairs.tsv",
}
JUNK = bytes(range(256)) * 4


def fill(place: Path, data: bytes) -> None:
    """Put data where a file or folder was."""
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.write_bytes(data)


def make_folder(place: Path) -> None:
    """Put an empty folder where a file was."""
    place.unlink()
    place.mkdir()


def make_pipe(place: Path) -> None:
    """Put a named pipe, into which nobody writes, where a file was."""
    place.unlink()
    os.mkfifo(place)


def cut(place: Path) -> None:
    """Leave out the last third of a file."""
    place.write_bytes(place.read_bytes()[: -place.stat().st_size // 3])


def within(name: str, fault: Callable[[Path], object]) -> Callable[[Path], object]:
    """A fault of one file in a folder."""
    return lambda folder: fault(folder / name)


def change_card(**given: object) -> Callable[[Path], object]:
    """Give the card of a model other values."""

    def fault(folder: Path) -> None:
        card = folder / "model.json"
        card.write_text(json.dumps(json.loads(card.read_text()) | given))

    return fault


def change_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    """Give a model other weights."""

    def fault(folder: Path) -> None:
        weights = load_file(folder / "weights.safetensors")
        change(weights)
        save_file(weights, folder / "weights.safetensors")

    return fault


def set_all(value: float, ending: str) -> Callable[[Path], object]:
    """Give all weights whose names end so one value."""
    return change_weights(lambda w: [tensor.fill_(value) for name, tensor in w.items() if name.endswith(ending)])


def other_schema(place: Path) -> None:
    """A draws file of a schema to come."""
    with zipfile.ZipFile(place, "w") as members, members.open("header.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array(json.dumps({"schema": 99, "anchors": 1})))


def other_arrays(place: Path) -> None:
    """An npz file that is no draws file."""
    with place.open("wb") as stream:
        np.savez(stream, values=np.zeros(3))


ANY = {
    "missing": lambda place: fill(place, b"") or place.unlink(),
    "unreadable": lambda place: place.chmod(0),
}
TEXT = {
    "a folder": make_folder,
    "empty": lambda place: fill(place, b""),
    "binary junk": lambda place: fill(place, JUNK),
    "cut gzip": lambda place: fill(place, gzip.compress(os.urandom(2000).hex().encode())[:-9]),
    "another text": lambda place: fill(place, b"Dear reader,\nall is well.\n"),
}
DRAWS = {
    "a folder": make_folder,
    "a pipe": make_pipe,
    "empty": lambda place: fill(place, b""),
    "binary junk": lambda place: fill(place, JUNK),
    "cut short": cut,
    "another schema": other_schema,
    "other arrays": other_arrays,
}
MODEL = {
    "a file": lambda place: fill(place, JUNK),
    "a pipe": lambda place: fill(place, JUNK) or make_pipe(place),
    "no card": within("model.json", Path.unlink),
    "junk card": within("model.json", lambda place: fill(place, JUNK)),
    "another schema": change_card(schema=99),
    "another order of letters": change_card(letters="ACGU"),
    "another architecture": change_card(architecture="transformer"),
    "another length": change_card(input_length=LENGTH + 1),
    "no weights": within("weights.safetensors", Path.unlink),
    "cut weights": within("weights.safetensors", cut),
    "junk weights": within("weights.safetensors", lambda place: fill(place, JUNK)),
    "nan weights": set_all(float("nan"), "weight"),
    "inf weights": set_all(float("inf"), "bias"),
    "one output for all": set_all(0.0, "weight"),
    "nan outputs": change_weights(lambda w: [tensor.mul_(1e30) for tensor in w.values()]),
}


def folder_faults(name: str) -> dict[str, Callable[[Path], object]]:
    """What may be wrong with a folder of results whose table has that name."""
    table = {f"{fault}, {name}": within(name, make) for fault, make in TEXT.items()}
    return {
        "a file": lambda place: fill(place, JUNK),
        "empty": lambda place: fill(place, b"") or place.unlink() or place.mkdir(),
    } | table


FAULTS = {
    **dict.fromkeys(TEXTS, ANY | TEXT),
    "genome": ANY
    | {name: TEXT[name] for name in ("a folder", "empty", "binary junk", "another text")}
    | {"a pipe": make_pipe},
    "draws": ANY | DRAWS,
    "drawn": ANY | DRAWS,
    "vcf": ANY | TEXT | {"a pipe": make_pipe},
    "part": ANY | TEXT | {"a pipe": make_pipe, "cut short": cut},
    "model": ANY | MODEL,
    "weights": ANY | {name: DRAWS[name] for name in DRAWS if name not in ("another schema", "other arrays")},
    **{kind: ANY | folder_faults(table) for kind, table in FOLDERS.items()},
}
PLACES = ("new", "more", "folder")


def kinds(line: str) -> list[str]:
    """What a line names in braces."""
    return re.findall(r"{(\w+)}", line)


CASES = [(line, kind, fault) for line in LINES + RUNS for kind in kinds(line) for fault in FAULTS.get(kind, ())]
OUTPUTS = [(line, kind) for line in LINES for kind in kinds(line) if kind in PLACES]


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """A folder, open to everyone, with a good input of each kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_site(folder)
        yield folder


def make_site(folder: Path) -> None:
    """Put a good input of each kind into a folder."""
    torch.manual_seed(1)  # adopt compares the network with the labels
    rng = np.random.default_rng(1)
    long = [decode(row) for row in rng.integers(0, 4, (40, 60), np.uint8)]
    (folder / "genome").write_text(f">chr1\n{''.join(long)}\n")
    (folder / "bed").write_text("".join(f"chr1\t{60 * n}\t{60 * n + 60}\n" for n in range(40)))
    (folder / "peaks").write_text("".join(f"chr1\t{60 * n}\t{60 * n + LENGTH}\tp{n}\n" for n in range(2)))
    for kind in ("fasta", "other"):
        (folder / kind).write_text("".join(f">{kind}{n}\n{letters}\n" for n, letters in enumerate(long)))
    place = long[0][10 : 10 + LENGTH]  # on the genome; another is not
    (folder / "placed").write_text(f">chr1:10-{10 + LENGTH}\n{place}\n")
    alleles = (f"chr1\t{pos}\t.\t{long[0][pos - 1]}\t{'CA'[long[0][pos - 1] == 'C']}\t.\t.\t." for pos in (12, 14, 30))
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    (folder / "vcf").write_text("\n".join([header, *alleles, ""]))
    (folder / "anchors").write_text(">a\nGATCATTG\n>b\nCCGTATTA\n")
    for kind, size in (("table", 60), ("labelled", LENGTH)):
        rows = (f"{letters[:size]}\t{n % 2}\n" for n, letters in enumerate(long))
        (folder / kind).write_text("sequence\tlabel\n" + "".join(rows))
    matrix = "0.7 0.1 0.1 0.1\n" * 6
    header = "letter-probability matrix: alength= 4 w= 6 nsites= 20"
    (folder / "meme").write_text(f"MEME version 4\n\nMOTIF one\n{header}\n{matrix}")
    saved(folder / "model", small_model(LENGTH))
    save_file(stack(LENGTH).state_dict(), folder / "weights")
    (folder / "weights").chmod(0o644)
    sources = write_parts(folder, ["a", "b"], max_rhat=1000)
    shutil.copytree(folder / "motifs", folder / "motifs_b")
    (folder / "draws.npz.provenance.json").unlink()
    Path(sources.draws).rename(folder / "draws")
    Path(sources.summary).rename(folder / "draws.tsv")
    pyfaidx.Faidx(str(folder / "genome")).close()
    (folder / "bed").rename(folder / "bed.bed")
    (folder / "peaks").rename(folder / "peaks.bed")
    for line in (
        "predict {anchors} --model {model} --out {part}",
        "dependence {draws} --maps none --out {parts}",
        f"sample {{placed}} --model {{model}} {RUN} --out {{drawn}}",
    ):
        assert run(line, folder).exit_code == 0


def words(line: str, folder: Path) -> list[str]:
    """A line's words, with its inputs and outputs in the folder."""
    places = {kind: str(place_of(kind, folder)) for kind in kinds(line)}
    return [word.format(**places) for word in line.split()]


def place_of(kind: str, folder: Path) -> Path:
    """Where the input or output of a kind is; files of intervals are known by their suffix."""
    if kind in PLACES:
        return folder / "out" / kind / kind
    return folder / (f"{kind}.bed" if kind in ("bed", "peaks") else kind)


@pytest.fixture
def here(site: Path) -> Iterator[Path]:
    """A copy of the site that a test may break."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "work"
        shutil.copytree(site, folder)
        for kind in PLACES:
            (folder / "out" / kind).mkdir(parents=True)
            (folder / "out" / kind).chmod(0o777)
        Path(name).chmod(0o755)
        yield folder


def run(line: str, folder: Path) -> Result:
    return CliRunner().invoke(maxent, words(line, folder))


def there(folder: Path) -> dict[str, int]:
    """Everything in a folder, and its size."""
    return {str(place.relative_to(folder)): place.lstat().st_size for place in sorted(folder.rglob("*"))}


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read and write what it likes, so it is laid down."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def check_said(result: Result, place: Path) -> None:
    """Exit code 1, and a last line with the place, the fault and a cure."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    last = result.stderr.splitlines()[-1]
    found = re.fullmatch(r"maxent: (?P<place>[^;]+?): (?P<fault>.+?); (?P<cure>.+)", last)
    assert found, last
    assert str(place) in last


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0])
def test_the_lines_are_right(line: str, here: Path) -> None:
    result = run(line, here)
    assert result.exit_code == 0, result.output
    for kind in set(kinds(line)) & set(PLACES):
        assert place_of(kind, here).exists()


def test_every_command_and_every_path_is_in_a_line() -> None:
    for name in COMMANDS:
        command = maxent.get_command(click.Context(maxent), name)
        assert command is not None
        own = " ".join(line for line in LINES + RUNS if line.split()[0] == name)
        paths = [param for param in command.params if isinstance(param.type, InputPath)]
        assert own or not paths
        for param in paths:
            assert isinstance(param, click.Argument) or param.opts[0] in own or param.name == "weights", param.name


@pytest.mark.skipif(not hasattr(config, "CACHE_LOCATOR_CLASSES"), reason="numba before 0.62 keeps its code elsewhere")
def test_nowhere_to_keep_compiled_code(here: Path) -> None:
    nowhere = {"NUMBA_CACHE_DIR": "/dev/null/in", "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    arguments = [
        sys.executable,
        "-m",
        "maxent_cli",
        *words(f"sample {{anchors}} --model {{model}} {RUN} --out {{new}}", here),
    ]
    found = subprocess.run(arguments, capture_output=True, text=True, env=os.environ | nowhere, check=False)
    assert found.returncode == 1
    assert re.fullmatch(r"maxent: NUMBA_CACHE_DIR: neither it, .*; set it to a folder .*\n", found.stderr)


def test_there_are_as_many_faults_as_were_asked_for() -> None:
    assert len(CASES) + 4 * len(OUTPUTS) >= 80


@pytest.mark.parametrize(
    ("line", "kind", "fault"),
    one_of_each(CASES, lambda case: case[1:]),
    ids=lambda part: part.split()[0] if "{" in part else part,
)
def test_a_broken_input(line: str, kind: str, fault: str, here: Path) -> None:
    place = place_of(kind, here)
    FAULTS[kind][fault](place)
    before = there(here)
    with as_nobody() if fault == "unreadable" else contextlib.nullcontext():
        result = run(line, here)
    if fault == "unreadable":
        place.chmod(0o700)
    check_said(result, place)
    assert there(here) == before


@pytest.mark.parametrize("fault", ["of another kind", "in a file", "not writable", "full"])
@pytest.mark.parametrize(("line", "kind"), OUTPUTS, ids=lambda part: part.split()[0])
def test_an_output_that_cannot_be_written(line: str, kind: str, fault: str, here: Path) -> None:
    place = place_of(kind, here)
    if fault == "of another kind":
        place.write_text("mine") if kind == "folder" else place.mkdir()
    elif fault == "in a file":
        line = line.replace(f"{{{kind}}}", f"{{{kind}}}/in")
        place.write_text("mine")
    elif fault == "not writable":
        place.parent.chmod(0o555)
    before = there(here)
    with {"not writable": as_nobody, "full": full_disk}.get(fault, contextlib.nullcontext)():
        result = run(line, here)
    # a full disk is met first by what is kept until the output is whole, wherever the other outputs go
    check_said(result, here / "out" if fault == "full" else place)
    assert there(here) == before
