"""The finished workflow, which several tests look at."""

from pathlib import Path

import pytest
from small_pipeline import WORKFLOWS, prepare, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on this machine, from positives to the report."""
    folder = tmp_path_factory.mktemp("run")
    prepare(folder)
    result = snakemake(folder, "--profile", str(WORKFLOWS / "profiles/local"))
    assert result.returncode == 0, result.stderr + "".join(log.read_text() for log in folder.rglob("logs/*.log"))
    return folder
