"""What a machine grants: schedulers, control groups of both versions, and where compiled code is kept."""

import os
from pathlib import Path

import pytest

from maxent_cli.errors import InputError
from maxent_cli.io import machine
from maxent_cli.io.digests import saying
from maxent_cli.io.machine import CPUS, granted_cpus, granted_memory, peak_memory, place_for_code, require_memory

GIB = 2**30


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 CPUs, and no scheduler."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for name in (*CPUS, machine.SLURM_MEMORY, machine.MEMORY):
        monkeypatch.delenv(name, raising=False)


def groups(root: Path, own: str, **files: str) -> Path:
    """The control groups of a process: lines of /proc/self/cgroup, and files by path with _ for /."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(own)
    for name, text in files.items():
        place = root / "sys/fs/cgroup" / name.replace("__", ".").replace("_", "/").replace("|", "_")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize("name", CPUS)
def test_schedulers_say_how_many(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert granted_cpus(tmp_path) == 64
    monkeypatch.setenv(name, "3")
    assert granted_cpus(tmp_path) == 3
    monkeypatch.setenv(name, "900")
    assert granted_cpus(tmp_path) == 64


def test_what_is_no_number_is_passed_over_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    token = saying.set(said.append)
    monkeypatch.setenv("NSLOTS", "4(x2)")
    assert granted_cpus(tmp_path) == 64
    saying.reset(token)
    assert said == ["NOTE: NSLOTS=4(x2) is not a number of CPUs, and is passed over"]


def test_control_groups_of_the_second_version(tmp_path: Path) -> None:
    inside = {"job_cpu__max": "250000 100000", "job_step_cpu__max": "max 100000", "cpu__max": "max 100000"}
    memory = {"job_step_memory__max": "max", "job_memory__max": str(GIB // 4)}
    root = groups(tmp_path, "0::/job/step\n", **inside, **memory)
    assert granted_cpus(root) == 3
    assert granted_memory(root) == GIB // 4


def test_control_groups_of_the_first_version(tmp_path: Path) -> None:
    own = "9:name=systemd:/x\n4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n"
    quotas = {"cpu_job_cpu__cfs|quota|us": "150000", "cpu_job_cpu__cfs|period|us": "100000"}
    quotas |= {"cpu_cpu__cfs|quota|us": "-1", "cpu_cpu__cfs|period|us": "100000"}
    root = groups(tmp_path, own, **quotas, **{"memory_job_memory__limit|in|bytes": str(GIB // 8)})
    assert granted_cpus(root) == 2
    assert granted_memory(root) == GIB // 8


@pytest.mark.parametrize("text", ["", "x", "-1", "1 2 3", "\ud800"])
def test_odd_control_groups(text: str, tmp_path: Path) -> None:
    root = groups(tmp_path, "0::/\n" if text != "x" else "x\n\n:::\n")
    (root / "sys/fs/cgroup").mkdir(parents=True, exist_ok=True)
    for name in ("cpu.max", "memory.max"):
        (root / "sys/fs/cgroup" / name).write_text(text, errors="replace")
    assert granted_cpus(root) == 64
    assert granted_memory(root) > GIB // 4


def test_memory_of_slurm_and_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = granted_memory(tmp_path)
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "0")
    assert granted_memory(tmp_path) == whole
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "512")
    assert granted_memory(tmp_path) == GIB // 2
    monkeypatch.setenv("MAXENT_MEMORY_GIB", "1e6")
    assert granted_memory(tmp_path) == 10**6 * GIB
    require_memory(10**15, "draws", "give fewer")
    monkeypatch.setenv("MAXENT_MEMORY_GIB", "2")
    with pytest.raises(InputError, match="draws take at least 3 GiB of memory, and 2 GiB can be had; give fewer"):
        require_memory(3 * GIB, "draws", "give fewer")
    assert 2**20 < peak_memory() < 2**40


def test_where_compiled_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    said = list[str]()
    token = saying.set(said.append)
    place_for_code(tmp_path / "package", "")
    assert (tmp_path / "package/__pycache__").is_dir()
    place_for_code(Path("/proc/package"), str(tmp_path / "home"))
    assert (tmp_path / "home/.cache/numba").is_dir()
    assert "NUMBA_CACHE_DIR" not in os.environ
    place_for_code(Path("/proc/package"), "")
    saying.reset(token)
    assert Path(os.environ["NUMBA_CACHE_DIR"]).is_dir()
    note = "NOTE: /proc/package and ~/.cache cannot be written, so code is compiled anew"
    assert said == [f"{note}; NUMBA_CACHE_DIR names another place"]
