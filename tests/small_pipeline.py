"""The Snakemake workflow on small simulated data: its configuration, tables and records, and what runs it.

MAXENT_SNAKEMAKE is the path of a snakemake of version 9, which wants an environment of its own.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from click.testing import CliRunner
from forked import maxent_words

from maxent_cli.commands import maxent

WORKFLOWS = Path(__file__).parents[1] / "workflows"
SNAKEMAKE = os.environ.get("MAXENT_SNAKEMAKE") or shutil.which("snakemake")

RUN = {"chains": 4, "replicas": 3, "draws": 20, "thin": 20, "warmup": 200, "max-steps": 400}
PIPELINE = {
    "workflow": {"out": "results", "models": "models.tsv", "anchors": "anchors.tsv"},
    "law": {"beta": 5},
    "sampling": RUN,
    "train": {"batch": 32, "reverse-complement": False},
    "predict": {"label": 1, "correct": True},
    "sample": {"tether": 0.4},
    "motifs": {"logos": "none"},
    "gc-probe": {"mu": [-1, 0]},
}
MODELS = [{"name": "ctcf", "positives": "positives.fa", "epochs": 4}]
PARTS = 2
ANCHORS = [{"name": "held_out", "diverse": 3, "shards": PARTS}]


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def write_toml(path: Path, sections: dict[str, dict[str, object]]) -> None:
    """Sections of plain values, which JSON and TOML write alike."""
    lines = [
        [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        for name, values in sections.items()
    ]
    path.write_text("".join(f"{line}\n" for section in lines for line in section))


def prepare(folder: Path, config: dict[str, dict[str, object]] = PIPELINE, **rows: list[dict[str, object]]) -> None:
    """run.toml, tables and records in a folder."""
    write_toml(folder / "run.toml", config)
    write_table(folder / "models.tsv", rows.get("models", MODELS))
    write_table(folder / "anchors.tsv", rows.get("anchors", ANCHORS))
    simulated = ["simulate", "--count", "400", "--length", "60", "--plant", "CTCF:position=20,strand=+"]
    result = CliRunner().invoke(maxent, [*simulated, "-o", str(folder / "positives.fa")])
    assert result.exit_code == 0, result.output


def environment(folder: Path, own: Path = Path(sys.executable).parent) -> dict[str, str]:
    """This environment's maxent on PATH, or one of a folder before it, and a cache for Snakemake alone."""
    path = os.pathsep.join([str(own), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


@cache
def forked_maxent() -> Path:
    """A folder with a maxent that need not import anything: most jobs of the workflow are over before it has."""
    folder = Path(tempfile.mkdtemp(prefix="maxent-on-path-"))
    program = folder / "maxent"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(maxent_words())} "$@"\n')
    program.chmod(0o755)
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a folder, a job at a time; on a Slurm, in test_slurm.py, maxent starts as users start it."""
    places = ["--snakefile", str(WORKFLOWS / "Snakefile"), "--cores", "1"]
    return subprocess.run(
        [str(SNAKEMAKE), *places, *arguments],
        cwd=folder,
        env=environment(folder, forked_maxent()),
        capture_output=True,
        text=True,
        check=False,
    )
