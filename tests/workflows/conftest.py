"""The finished workflow, which several tests look at, and what experiments need to be imported."""

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


@pytest.fixture
def workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules of workflows can be imported, as `python -m workflows...` would from the root."""
    monkeypatch.syspath_prepend(str(WORKFLOWS.parent))
