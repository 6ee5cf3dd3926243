"""Every command and snippet of the manual, page by page, on small stand-ins of what the pages name."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest
import torch
from safetensors.torch import save_file

import maxent_cli as mx
from maxent_cli.io import read_meme
from maxent_cli.io.motif_files import CTCF_MOTIF
from maxent_cli.models.families import FAMILIES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {  # in which tests what stands on a page is run
    "docs/install.md": "the gate",
    "docs/tutorials/own_network.md": "test_manual_networks.py, test_published.py",
}
BIN = Path(sys.executable).parent
# Less than by default, before what a page says, which goes before it.
LESS = {
    "train": "--epochs 2",
    "sample": "--preset quick --max-steps 2000 --draws 20",
    "gc-probe": "--preset quick --max-steps 2000 --draws 20 --mu 0,1",
    "design": "--preset quick --max-steps 400 --draws 10",
    "doctor": "--preset quick",
    "run": "--preset quick --max-steps 2000 --draws 20 --diverse 6",
    "learning": "--max-steps 400 --draws 10",
}
FEWER = {
    "--shard 3/20 --out draws.3.npz": "--out draws.3.npz",  # of one, merged alone
    "--draws draws.npz --out prefix": "--draws draws.npz --shard 1/4 --out prefix",  # a minute an anchor
}
LEAST = "--chains 4 --replicas 3 --warmup 240 --max-steps 40 --draws 5 --thin 5"
PREPARE = """
train --positives peaks.narrowPeak --genome genome.fa --length 101 --epochs 4 --out model
train --positives peaks.narrowPeak --genome genome.fa --length 101 --epochs 4 --seed 2 --out another_seed
predict model/test.positives.fa --model model --label 1 --diverse 4 --select anchors.fa --out scores.tsv
sample anchors.fa --model model --out draws.npz
sample anchors.fa --model another_seed --out draws_seed2.npz
motifs draws.npz --logos none --out motifs
motifs draws_seed2.npz --logos none --out motifs_seed2
gc-probe anchors.fa --model model --out gc
attribute anchors.fa --model model --method mutagenesis --logos none --out attributions
"""


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def shell(lines: str, folder: Path) -> None:
    """Run lines in a folder; each as it stands, but that `maxent` is told to do less by default."""
    text = "set -eu\n" + re.sub(r"^maxent ([\w-]+)", lambda found: smaller(found[1]), lines, flags=re.MULTILINE)
    path = f"{BIN}:{os.environ['PATH']}"
    found = subprocess.run(
        ["sh", "-c", text], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert found.returncode == 0, f"{text}\n{found.stderr[-3000:]}"


def smaller(command: str) -> str:
    return f"maxent {command} {LESS.get(command, '')}"


def genome(folder: Path) -> None:
    """Chromosomes in which every other window has a CTCF site, and what lies where, by all names of the pages."""
    chance, sites = np.random.default_rng(1), read_meme(CTCF_MOTIF)[0].probabilities
    chromosomes, peaks, dyads = dict[str, str](), [], []
    for name in (*(f"chr{number}" for number in range(1, 10)), "chrIX", "chrXV"):
        windows = chance.choice(list("ACGT"), (160, 101))
        for row in range(0, len(windows), 2):
            windows[row, 40 : 40 + len(sites)] = [chance.choice(list("ACGT"), p=p / p.sum()) for p in sites]
            peaks.append(f"{name}\t{101 * row}\t{101 * row + 101}\tpeak_{len(peaks)}\t{len(peaks)}\t.\t5\t-1\t-1\t50")
            dyads.append(f"{name}\t{101 * row + 50}\t{101 * row + 51}\t.\t{chance.integers(1, 900)}")
        chromosomes[name] = "".join(windows.ravel())
    text = "".join(f">{name}\n{letters}\n" for name, letters in chromosomes.items())
    for name in ("genome.fa", "hg38.fa"):
        (folder / name).write_text(text)
    (folder / "peaks.narrowPeak").write_text("\n".join(peaks) + "\n")
    (folder / "dyads.bed").write_text("\n".join(dyads) + "\n")


def changes(folder: Path) -> None:
    """A VCF of a change in the first anchor."""
    name = (folder / "anchors.fa").read_text().split("\n")[0].split()[0][1:]
    chromosome, start, _ = re.findall(r"(chr\w+):(\d+)-(\d+)", name)[0]
    letter = re.findall(rf">{chromosome}\n(\w+)", (folder / "genome.fa").read_text())[0][int(start) + 50]
    row = f"{chromosome}\t{int(start) + 51}\t.\t{letter}\t{'C' if letter == 'A' else 'A'}\t.\t.\t."
    head = f"##fileformat=VCFv4.2\n##contig=<ID={chromosome}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    (folder / "variants.vcf").write_text(f"{head}\n{row}\n")
    pysam.tabix_compress(str(folder / "variants.vcf"), str(folder / "variants.vcf.gz"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the pages name."""
    folder = tmp_path_factory.mktemp("manual")
    genome(folder)
    shell("".join(f"maxent {line}\n" for line in PREPARE.strip().splitlines()), folder)
    changes(folder)
    for name, model in (("fold0", "model"), ("fold1", "another_seed"), ("fold2", "model")):
        shutil.copytree(folder / model, folder / name)
        shell(f"maxent sample anchors.fa --model {name} --out {name}.npz\n", folder)
    positives = (folder / "model" / "train.positives.fa").read_text()
    for name in ("positives.fa", "peaks.fa"):
        (folder / name).write_text(positives)
    (folder / "records.fa").write_text("".join(positives.splitlines(keepends=True)[:4]))
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it for one page."""
    return Path(shutil.copytree(prepared, tmp_path / "page"))


RUN = [page for page in PAGES if str(page.relative_to(ROOT)) not in ELSEWHERE and blocks(page, "sh")]


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_commands_of_a_page(page: Path, folder: Path) -> None:
    networks(folder, page.stem)
    for block in blocks(page, "sh"):
        kept = [line for line in block.splitlines() if not re.match(r"make |cp workflows|snakemake |modisco ", line)]
        whole = "\n".join(kept)
        for words, fewer in FEWER.items():
            whole = whole.replace(words, fewer)
        if page.stem == "bpnet":  # of true size
            whole = re.sub("^maxent sample", f"maxent sample {LEAST}", whole, flags=re.MULTILINE)
        shell(whole + "\n", folder)


def networks(folder: Path, page: str) -> None:
    """Networks that pages bring."""
    torch.manual_seed(1)
    if page == "README":
        (folder / "mine.py").write_text(OWN)
        names: dict[str, object] = {}
        exec(OWN, names)
        save_file(names["network"]().state_dict(), folder / "mine.safetensors")  # type: ignore[operator]
        mx.simulate(2, 500, [mx.Plant("CTCF")], out=str(folder / "anchors.fa"), progress=False)
    if page == "bpnet":
        torch.save(FAMILIES["bpnet"]().state_dict(), folder / "bpnet.torch")
        for name, length in (("anchors.fa", 2114), ("short.fa", 300)):
            mx.simulate(1, length, out=str(folder / name), progress=False)


OWN = """from torch import nn


def network():
    scan = (nn.Conv1d(4, 8, 12), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    return nn.Sequential(*scan, nn.Linear(8, 1))
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_snippets_of_a_page(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if str(page.relative_to(ROOT)) in ELSEWHERE:
        pytest.skip(f"run by {ELSEWHERE[str(page.relative_to(ROOT))]}")
    monkeypatch.chdir(folder)
    for code in blocks(page, "python"):
        names: dict[str, object] = {"net": mx.network("model").module}
        exec(code.replace("500", "101"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.stem)
def test_options_in_files(page: Path, tmp_path: Path) -> None:
    """Their sections and names are known: the command gets as far as its model, which is not there."""
    (tmp_path / "run.toml").write_text("\n".join(blocks(page, "toml")))
    words = [str(BIN / "maxent"), "sample", "-", "--config", "run.toml", "--model", "none", "--out", "draws.npz"]
    found = subprocess.run(words, cwd=tmp_path, input=">a\nACGT\n", capture_output=True, text=True)
    assert found.returncode == 1, found.stderr
    assert found.stderr.startswith("maxent: none/model.json: "), found.stderr


NOTEBOOK = ROOT / "docs" / "tutorials" / "ten_minutes.ipynb"


@pytest.mark.slow
def test_the_notebook_runs_and_finds_what_it_shows(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(NOTEBOOK, 4)
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "CTCF" in json.dumps(book)


def test_the_notebook_as_it_is_kept_shows_what_it_says() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])
    assert "CTCF" in json.dumps([cell["outputs"] for cell in code])
