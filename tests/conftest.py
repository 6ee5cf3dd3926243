"""Puts this folder on the path, for exact.py, toy.py and broken.py, and makes every run of the tests the same run."""

import gc
import os
from collections.abc import Iterator

os.environ.setdefault("MPLBACKEND", "Agg")  # no test needs a screen
os.environ.setdefault("OMP_NUM_THREADS", "1")  # as many tests at once as there are CPUs, and what they start

import pytest
import torch
from hypothesis import settings

from maxent_cli.io.machine import KEPT_CODE
from maxent_cli.io.provenance import configured

gc.disable()  # until all tests are there: nothing of what they import goes away
torch.set_num_threads(1)  # as the sampler runs
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _code_is_kept_where_it_was() -> Iterator[None]:
    """What later tests start does not look for compiled code where an earlier one went, and compile anew."""
    before = os.environ.get(KEPT_CODE)
    yield
    os.environ.pop(KEPT_CODE, None)
    if before is not None:
        os.environ[KEPT_CODE] = before


@pytest.fixture(autouse=True)
def _timed_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed is measured for a second each time that adopt or the doctor asks; no test needs it well.

    And one thread again for torch: after Tomtom, whose threads are OpenMP's too, it has as many as there are CPUs.
    Nor is there a file of options of a command that another test ran.
    """
    torch.set_num_threads(1)
    configured.set(None)
    monkeypatch.setattr("maxent_cli.interpret.checkup.TIMED", 0.02)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that at the end no process is alone at work; of it last what is waited for."""
    items.sort(key=lambda item: (item.path.parent.name != "workflows", item.get_closest_marker("late") is not None))


def pytest_collection_finish() -> None:
    """From here on there is something to collect; what is there already need not be looked through."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Nor as Python ends."""
    gc.freeze()
