"""The Snakemake workflow on small simulated data, with the real snakemake where there is one.

MAXENT_SNAKEMAKE is the path of a snakemake of version 9, which wants an environment of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from maxent_cli.commands import COMMANDS, maxent

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SNAKEMAKE = os.environ.get("MAXENT_SNAKEMAKE") or shutil.which("snakemake")
pytestmark = pytest.mark.skipif(SNAKEMAKE is None, reason="no snakemake: neither MAXENT_SNAKEMAKE nor on PATH")

RUN = {"chains": 4, "rungs": 3, "draws": 20, "thin": 20, "warmup": 200}
PIPELINE = {
    "out": "results",
    "threads": 1,
    "positives": "positives.fa",
    "train": {"epochs": 4, "batch": 32, "reverse-complement": False},
    "predict": {"label": 1, "correct": True, "top": 3},
    "sample": {"tether": 0.4, "beta": 5, **RUN},
    "motifs": {"logos": "none"},
    "gc-probe": {"fields": "-1,0", "beta": 5, "untrained": 1, **RUN},
}
RESULTS = (
    *("model/metrics.tsv", "scores.tsv", "anchors.fa", "draws.npz", "draws.npz.tsv"),
    *("motifs/motifs.meme", "motifs/motifs.tsv", "gc/answer.tsv", "gc/response.png"),
    *("periodicity/answer.tsv", "periodicity/periodicity.png"),
)


def snakemake(folder: Path, config: dict[str, object], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a folder, with this environment's maxent on PATH."""
    (folder / "config.json").write_text(json.dumps(config))
    places = ["--snakefile", str(WORKFLOWS / "Snakefile"), "--configfile", "config.json", "--cores", "1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = {"PATH": path, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(SNAKEMAKE), *places, *arguments],
        cwd=folder,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        check=False,
    )


def simulate(path: Path) -> None:
    arguments = ["simulate", "--count", "400", "--length", "60", "--plant", "CTCF:position=20,strand=+"]
    result = CliRunner().invoke(maxent, [*arguments, "-o", str(path)])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run from positives to the GC probe."""
    folder = tmp_path_factory.mktemp("run")
    simulate(folder / "positives.fa")
    result = snakemake(folder, PIPELINE)
    assert result.returncode == 0, result.stderr + "".join(log.read_text() for log in folder.glob("results/logs/*"))
    return folder


def test_pipeline_from_positives(finished: Path) -> None:
    for name in RESULTS:
        assert (finished / "results" / name).stat().st_size, name
    rules = {"train", "predict", "sample", "motifs", "periodicity", "gc-probe"}
    assert {path.stem for path in (finished / "results" / "logs").iterdir()} == rules
    assert {path.stem for path in (finished / "results" / "benchmarks").iterdir()} == rules


def test_nothing_is_done_twice(finished: Path) -> None:
    result = snakemake(finished, PIPELINE)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stderr


def test_pipeline_from_a_model(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "results" / "model", tmp_path / "model")
    simulate(tmp_path / "records.fa")
    config = {name: PIPELINE[name] for name in PIPELINE if name not in ("positives", "train")}
    files = {"model": "model", "records": "records.fa"}
    result = snakemake(tmp_path, {**config, **files}, "--until", "sample")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "results" / "draws.npz").stat().st_size
    assert not (tmp_path / "results" / "model").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sample": {"tether": 2}}, "tether"),
        ({"sample": {"teher": 0.4}}, "teher"),
        ({"samples": {}}, "samples"),
        ({"model": "model"}, "positives"),
    ],
)
def test_a_wrong_configuration_is_refused_before_the_first_job(tmp_path: Path, change: dict, named: str) -> None:
    simulate(tmp_path / "positives.fa")
    result = snakemake(tmp_path, {**PIPELINE, **change})
    assert result.returncode != 0
    assert named in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "results").exists()


def test_lint(tmp_path: Path) -> None:
    (tmp_path / "positives.fa").touch()
    result = snakemake(tmp_path, PIPELINE, "--lint")
    assert "your workflow is in a good condition" in (result.stdout + result.stderr), result.stderr


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    simulate(tmp_path / "positives.fa")
    example = WORKFLOWS / "config.yaml"
    result = snakemake(tmp_path, {}, "--configfile", str(example), "--dry-run")
    assert result.returncode == 0, result.stderr


def test_the_schema_names_options_that_exist() -> None:
    reader = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    text = (WORKFLOWS / "config.schema.yaml").read_text()
    python = Path(str(SNAKEMAKE)).parent / "python"
    read = subprocess.run([str(python), "-c", reader], input=text, capture_output=True, text=True, check=True)
    sections = {
        name: part["properties"] for name, part in json.loads(read.stdout)["properties"].items() if "properties" in part
    }
    assert set(sections) <= set(COMMANDS)
    for name, properties in sections.items():
        command = maxent.get_command(click.Context(maxent), name)
        assert command is not None
        offered = {word.removeprefix("--") for option in command.params for word in option.opts}
        assert set(properties) <= offered, name


def test_the_conda_environment_has_the_dependencies() -> None:
    project = tomllib.loads((WORKFLOWS.parent / "pyproject.toml").read_text())["project"]
    wanted = {name.replace("torch", "pytorch") for name in project["dependencies"]}
    lines = (WORKFLOWS / "environment.yaml").read_text().splitlines()
    given = {line.strip().removeprefix("- ") for line in lines[lines.index("  - pip") + 1 :]}
    assert wanted == {name for name in given if not name.startswith("pip:")}
