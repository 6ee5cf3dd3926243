"""The finished workflow, which several tests look at, and the root on the path, from which experiments are imported."""

import sys
from pathlib import Path

import pytest
from small_pipeline import WORKFLOWS, prepare, snakemake

sys.path.insert(0, str(WORKFLOWS.parent))  # as `python -m workflows...` has it, whichever module is run alone


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on this machine, from positives to the report."""
    folder = tmp_path_factory.mktemp("run")
    prepare(folder)
    result = snakemake(folder, "--profile", str(WORKFLOWS / "profiles/local"))
    assert result.returncode == 0, result.stderr + "".join(log.read_text() for log in folder.rglob("logs/*.log"))
    return folder
