"""Pipes, devices and full disks as a shell gives them: in processes of their own."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from forked import maxent_words
from small import saved, small_model

from maxent_cli.io.fasta import read_fasta

LENGTH = 8
RUN = "--chains 4 --replicas 3 --draws 4 --thin 2 --max-steps 8 --warmup 240 --beta 5 --threads 1"
FULL = Path("/dev/full")
PRINTING = [
    "simulate -o - --count 3000",
    "predict anchors.fa --model model -o - --threads 1",
    pytest.param("attribute anchors.fa --model model --method saliency -o - --threads 1", marks=pytest.mark.slow),
    pytest.param(f"doctor anchors.fa --model model {RUN}", marks=pytest.mark.slow),
    f"sample anchors.fa --model model {RUN} -o out.npz --fasta -",
]
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(tmp_path / "model", small_model(LENGTH))
    (tmp_path / "anchors.fa").write_text(">a\nGATCATTG\n>b\nCCGTATTA\n")
    return tmp_path


def maxent(line: str, folder: Path, **given: Any) -> subprocess.CompletedProcess[str]:
    command = [*([sys.executable, "-m", "maxent_cli"] if "env" in given else maxent_words()), *line.split()]
    given = {"stderr": subprocess.PIPE, "encoding": "utf-8"} | given
    return subprocess.run(command, cwd=folder, timeout=120, **given)


@needs_full
@pytest.mark.parametrize("line", PRINTING, ids=lambda line: line.split()[0])
def test_standard_output_on_a_full_disk(line: str, folder: Path) -> None:
    with FULL.open("w") as full:
        result = maxent(line, folder, stdout=full)
    assert result.returncode == 1
    assert "no space left on device" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr
    # what has been drawn waits for a pipe that takes it
    assert {place.name for place in folder.iterdir()} - {"out.npz.partial"} == {"model", "anchors.fa"}


@pytest.mark.parametrize("line", PRINTING, ids=lambda line: line.split()[0])
def test_standard_output_that_nobody_reads(line: str, folder: Path) -> None:
    """`maxent ... | true`: the other outputs are whole."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = maxent(line, folder, stdout=writer)
    finally:
        os.close(writer)
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr
    if "out.npz" in line:
        assert result.returncode == 0
        assert (folder / "out.npz").stat().st_size > 0
        assert (folder / "out.npz.provenance.json").is_file()


@needs_full
@pytest.mark.parametrize("option", ["--out", "--select"])
def test_a_full_device_as_output(option: str, folder: Path) -> None:
    outputs = {"--out": "scores.tsv", "--select": "chosen.fa"} | {option: str(FULL)}
    line = "predict anchors.fa --model model --threads 1 " + " ".join(
        f"{key} {value}" for key, value in outputs.items()
    )
    result = maxent(line, folder)
    assert result.returncode == 1
    assert "(no space left on device)" in result.stderr.splitlines()[-1]
    assert str(FULL) in result.stderr.splitlines()[-1]
    assert {place.name for place in folder.iterdir()} == {"model", "anchors.fa"}
    assert FULL.is_char_device()


def test_a_device_is_written_to_and_not_replaced(folder: Path) -> None:
    result = maxent("predict anchors.fa --model model --threads 1 -o /dev/null", folder)
    assert result.returncode == 0, result.stderr
    assert Path("/dev/null").is_char_device()
    assert not Path("/dev/null.provenance.json").exists()


def test_an_output_that_is_a_link_stays_one(folder: Path) -> None:
    (folder / "link.tsv").symlink_to("there.tsv")
    assert maxent("predict anchors.fa --model model --threads 1 -o link.tsv", folder).returncode == 0
    assert (folder / "link.tsv").is_symlink()
    assert (folder / "there.tsv").read_text().startswith("record\t")


def test_named_pipes_are_read_and_written(folder: Path) -> None:
    """As in `maxent predict <(zcat anchors.fa.gz) -o >(gzip > scores.tsv.gz)`."""
    letters = (folder / "anchors.fa").read_text()
    for name in ("in", "out"):
        os.mkfifo(folder / name)
    feeding = threading.Thread(target=lambda: (folder / "in").write_text(letters))
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.append((folder / "out").read_text()))
    feeding.start()
    reading.start()
    result = maxent("predict in --model model --threads 1 -o out", folder)
    feeding.join(5)
    reading.join(5)
    assert result.returncode == 0, result.stderr
    assert [row.split("\t")[0] for row in found[0].splitlines()] == ["record", "a", "b"]
    assert (folder / "out").is_fifo()


def test_standard_error_that_nobody_reads_stops_nothing(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = maxent("predict anchors.fa --model model --threads 1 -o out.tsv", folder, stderr=writer)
    finally:
        os.close(writer)
    assert result.returncode == 0
    assert (folder / "out.tsv").is_file()


def test_names_are_written_as_utf_8_whatever_the_terminal(folder: Path) -> None:
    (folder / "anchors.fa").write_text(">é☃\nGATCATTG\n", encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    line = "predict anchors.fa --model model --threads 1 -o -"
    result = maxent(line, folder, stdout=subprocess.PIPE, env=environment)
    assert result.returncode == 0, result.stderr
    assert "é☃" in result.stdout


def test_a_pipe_into_a_pipe(folder: Path) -> None:
    simulated = maxent("simulate -o - --count 5 --length 8", folder, stdout=subprocess.PIPE).stdout
    result = maxent(
        "predict - --model model --threads 1 -o scores.tsv --select -", folder, input=simulated, stdout=subprocess.PIPE
    )
    assert result.returncode == 0, result.stderr
    (folder / "chosen.fa").write_text(result.stdout)
    assert len(list(read_fasta(str(folder / "chosen.fa")))) == 5
