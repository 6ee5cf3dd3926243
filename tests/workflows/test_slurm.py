"""The workflow and the array script on a real Slurm, started and ended here, with what goes wrong on clusters."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from private_slurm import MISSING, PrivateSlurm, private_slurm, words_of
from small import saved, small_model
from small_pipeline import ANCHORS, MODELS, PARTS, SNAKEMAKE, WORKFLOWS, environment, prepare

NODES = 3
PLUGIN = SNAKEMAKE and list(
    Path(SNAKEMAKE).parents[1].glob("lib/python*/site-packages/snakemake_executor_plugin_slurm")
)
IMPATIENT = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")
HERE = ("--slurm-no-account", "--slurm-status-command", "squeue", *IMPATIENT)
NOT_COMPARED = re.compile(r".*\.provenance\.json|(.*/)?(logs|benchmarks|doctor)/.*")
TOOK = re.compile(rb"[\d.]+ s, \d+ MiB")  # in the report, of each step
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no Slurm: {', '.join(MISSING)} not found")
with_snakemake = pytest.mark.skipif(not PLUGIN, reason="no snakemake-executor-plugin-slurm beside MAXENT_SNAKEMAKE")


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[PrivateSlurm]:
    with private_slurm(tmp_path / "slurm", NODES) as running:
        yield running


def on_path(slurm: PrivateSlurm, folder: Path) -> dict[str, str]:
    """maxent and the commands of this Slurm on PATH."""
    home = environment(folder)
    return {**home, "PATH": f"{slurm.folder}/bin:{home['PATH']}"}


@contextmanager
def driver(folder: Path, home: dict[str, str], *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Snakemake on Slurm, in the background; killed at the end if it still runs."""
    places = ["--snakefile", str(WORKFLOWS / "Snakefile")]
    words = [str(SNAKEMAKE), *places, "--profile", str(WORKFLOWS / "profiles/slurm"), *HERE, *options]
    with (folder / "driver.log").open("ab") as log:
        process = subprocess.Popen(words, cwd=folder, env=home, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def jobs_of(slurm: PrivateSlurm, rule: str) -> list[tuple[str, str]]:
    """Number and node of each running job of a rule."""
    lines = slurm.ask("squeue", "--noheader", "--states=RUNNING", "--format=%A %N %k").splitlines()
    return [(words[0], words[1]) for words in map(str.split, lines) if words[2].startswith(f"rule_{rule}")]


def whole(results: Path) -> dict[str, bytes]:
    """The results by name, but for what tells of time and memory."""
    named = {str(path.relative_to(results)): path for path in results.rglob("*") if path.is_file()}
    return {name: TOOK.sub(b"", path.read_bytes()) for name, path in named.items() if not NOT_COMPARED.fullmatch(name)}


def drawing_alone(finished: Path) -> dict[str, list[dict[str, object]]]:
    """Tables of a run that begins at the finished one's model and anchors."""
    (model,), (anchors,) = MODELS, ANCHORS
    given = {"name": anchors["name"], "shards": PARTS, "n-policy": "fix"}
    return {
        "models": [{"name": model["name"], "model": str(finished / f"results/models/{model['name']}")}],
        "anchors": [{**given, "file": str(finished / f"results/runs/{model['name']}/{anchors['name']}/anchors.fa")}],
    }


@pytest.mark.slow
@with_snakemake
@pytest.mark.parametrize("part", ["drawing", "all"])
def test_a_workflow_whose_driver_is_killed_and_whose_node_fails(
    slurm: PrivateSlurm, finished: Path, tmp_path: Path, part: str
) -> None:
    prepare(tmp_path, **(drawing_alone(finished) if part == "drawing" else {}))
    asked = ("--until", "merge_draws") if part == "drawing" else ()
    home = on_path(slurm, tmp_path)
    with driver(tmp_path, home, *asked) as killed:
        slurm.wait(lambda: jobs_of(slurm, "doctor"), 240)
        killed.kill()
    # As the manual says: what was submitted is cancelled, the folder unlocked, and the same command given again.
    names = set(slurm.ask("squeue", "--me", "--noheader", "--format=%j").split())
    slurm.ask("scancel", *(f"--name={name}" for name in names))
    with driver(tmp_path, home, "--unlock") as unlocking:
        assert unlocking.wait(60) == 0
    with driver(tmp_path, home, *asked) as again:
        slurm.wait(lambda: jobs_of(slurm, "sample"), 360)
        job, node = jobs_of(slurm, "sample")[0]
        slurm.power_off(node)
        assert again.wait(480) == 0, (tmp_path / "driver.log").read_text()
    assert "Restarts=1" in slurm.ask("scontrol", "show", "job", job)
    found, expected = whole(tmp_path / "results"), whole(finished / "results")
    wanted = [name for name in expected if part == "all" or re.search(r"/draws\.npz((\.series)?\.tsv)?$", name)]
    assert len(wanted) >= 2
    assert found == {name: expected[name] for name in wanted}


def pending(process: int, number: int) -> bool:
    """Whether a signal waits to be heard by a process that stands still."""
    status = Path(f"/proc/{process}/status").read_text()
    return any(int(mask, 16) >> (number - 1) & 1 for mask in re.findall(r"(?:ShdPnd|SigPnd):\s+(\w+)", status))


def sampling(slurm: PrivateSlurm, shard: str) -> list[int]:
    """Processes of `maxent sample` for a part, in jobs."""
    processes = [process for number in range(1, NODES + 1) for process in slurm.processes(f"n{number}")]
    return [process for process in processes if {"sample", shard} <= set(words_of(process))]


class Array(NamedTuple):
    """An array on a Slurm: its job, the process of the part that holds the anchor, where it writes, what was asked."""

    slurm: PrivateSlurm
    job: str
    process: int
    folder: Path
    asked: list[str]


@pytest.fixture(scope="session")
def running_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Array]:
    """One anchor in two parts, so that one is empty, that runs out of time within 30 seconds, as Slurm is punctual."""
    folder = tmp_path_factory.mktemp("array")
    model = saved(folder / "model", small_model(8))
    (folder / "anchors.fa").write_text(">a\nACGTACGT\n")
    asked = [
        "anchors.fa",
        f"--model={model}",
        "--beta=2",
        "--chains=4",
        "--draws=1000",
        "--thin=600",
        "--max-steps=600000",
    ]
    with private_slurm(folder / "slurm", NODES) as slurm:

        def submit(*words: str) -> str:
            words = ("sbatch", "--parsable", *words)
            home = on_path(slurm, folder)
            return subprocess.run(
                words, cwd=folder, env=home, capture_output=True, text=True, check=True
            ).stdout.strip()

        limits = ("--array=1-2", "--time=30", "--signal=B:USR1@600", "--output=%a.log")
        job = submit(*limits, str(WORKFLOWS / "cluster/array.sh"), "2", "draws.npz", *asked)
        submit(f"--dependency=afterok:{job}", "--wrap=maxent merge draws.npz.parts/*.npz --out draws.npz")
        slurm.wait(lambda: (folder / "draws.npz.parts/2.npz.partial/settings.json").exists(), 120)
        (process,) = sampling(slurm, "2/2")
        os.kill(process, signal.SIGSTOP)  # so that it is not done, however fast, when the signal comes
        slurm.ask("scontrol", "update", f"JobId={job}_2", "TimeLimit=10")
        yield Array(slurm, job, process, folder, asked)


def test_an_array_begins(running_out: Array) -> None:
    """It runs out of time while other tests run."""
    assert running_out.slurm.jobs("--states=RUNNING")


@pytest.mark.late
def test_an_array_that_runs_out_of_time(running_out: Array) -> None:
    slurm, job, process, folder, asked = running_out
    slurm.wait(lambda: pending(process, signal.SIGUSR1), 60)
    os.kill(process, signal.SIGCONT)
    slurm.wait(lambda: not slurm.jobs("--states=RUNNING"), 60)
    slurm.ask("scontrol", "update", f"JobId={job}_2", "TimeLimit=30")
    assert (folder / "draws.npz.parts/2.npz.partial").exists()
    home = on_path(slurm, folder)
    subprocess.run(["maxent", "sample", *asked, "--out=whole.npz"], cwd=folder, env=home, check=True)
    slurm.wait(lambda: not slurm.jobs(), 180)
    assert (folder / "draws.npz").read_bytes() == (folder / "whole.npz").read_bytes()
    assert (folder / "draws.npz.tsv").read_bytes() == (folder / "whole.npz.tsv").read_bytes()
    assert "stopped by a signal" in (folder / "2.log").read_text()
