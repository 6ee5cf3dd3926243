"""What of this machine a call may use: CPUs and memory, as system, control groups and schedulers grant them."""

import atexit
import os
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from maxent_cli.errors import InputError
from maxent_cli.io.digests import say

# cores of a job on one machine: Slurm's, Grid Engine's, Torque's, PBS's and LSF's word
CPUS = ("SLURM_CPUS_PER_TASK", "NSLOTS", "PBS_NUM_PPN", "NCPUS", "LSB_DJOB_NUMPROC")
SLURM_MEMORY = "SLURM_MEM_PER_NODE"  # MiB
MEMORY = "MAXENT_MEMORY_GIB"  # what a user says, whatever the machine has
KEPT_CODE = "NUMBA_CACHE_DIR"
GIB = 2**30
_QUOTA = re.compile(r"([1-9][0-9]*) ([1-9][0-9]*)")  # microseconds in each period of so many
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def granted_cpus(root: Path = Path("/")) -> int:
    """CPUs this process may use: the least of affinity, control groups' quotas and what a scheduler says."""
    granted = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    granted += [cpus for name in CPUS if (cpus := _said(name, "a number of CPUs")) is not None]
    quotas = [*_group_lines("cpu", "cpu.max", root), *_old_quotas(root)]
    granted += [-(-int(found[1]) // int(found[2])) for found in map(_QUOTA.fullmatch, quotas) if found]
    return max(1, min(granted))


def granted_memory(root: Path = Path("/")) -> int:
    """Bytes this process may use: the least of memory, its limit, control groups' limits and what Slurm says.

    Or what MAXENT_MEMORY_GIB says. Raises InputError where that is no number.
    """
    if MEMORY in os.environ:
        return _wanted(os.environ[MEMORY])
    granted = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    granted += [limit for limit in resource.getrlimit(resource.RLIMIT_AS)[:1] if limit != resource.RLIM_INFINITY]
    for name in ("memory.max", "memory.limit_in_bytes"):
        granted += [int(line) for line in _group_lines("memory", name, root) if line.isdigit()]
    slurm = _said(SLURM_MEMORY, "a number of MiB") if os.environ.get(SLURM_MEMORY) != "0" else None
    return min([*granted, *([slurm << 20] if slurm else [])])


def require_memory(needed: float, what: str, cure: str) -> None:
    """Raise InputError where so many bytes cannot be had; what: what takes them."""
    granted = granted_memory()
    if needed > granted:
        problem = f"{what} take at least {needed / GIB:.3g} GiB of memory, and {granted / GIB:.3g} GiB can be had"
        raise InputError("memory", "", problem, f"{cure}, or say with {MEMORY}=N that there is more")


def peak_memory() -> int:
    """The most bytes that this process has held; macOS counts them as bytes, others as KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)


def place_for_code(package: Path, home: str) -> None:
    """Have compiled code kept for this process alone where neither package nor home can be written; that is said.

    Of a place that is named and can be read alone, as in an image, this process has a copy: numba passes it over.
    home: '' where there is none.
    """
    named = os.environ.get(KEPT_CODE)
    places = [package / "__pycache__", *([Path(home) / ".cache" / "numba"] if home else [])]
    if sys.platform != "linux" or any(map(_can_be_written, [Path(named)] if named else places)):
        return
    try:
        folder = tempfile.mkdtemp(prefix="maxent-code-")
        if named:
            _copy(Path(named), Path(folder))
    except OSError:
        return  # which is said when code is to be kept
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[KEPT_CODE], where = folder, f"{package} and ~/.cache cannot be written"
    if not named:
        say(f"NOTE: {where}, so code is compiled anew; {KEPT_CODE} names another place")


def _copy(folder: Path, into: Path) -> None:
    """Copy what a folder holds; the copy can be written."""
    shutil.copytree(folder, into, dirs_exist_ok=True)
    for place in (into, *into.rglob("*/")):
        place.chmod(0o700)


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _wanted(text: str) -> int:
    try:
        return int(float(text) * GIB)
    except (ValueError, OverflowError) as error:
        raise InputError(MEMORY, "", f"{text} is no number of GiB", "give one, as in 64, or unset it") from error


def _said(name: str, what: str) -> int | None:
    """The number that a scheduler's variable holds; what is none is passed over, and that is said."""
    text = os.environ.get(name)
    if text is None:
        return None
    if _NUMBER.fullmatch(text):
        return int(text)
    say(f"NOTE: {name}={text[:40]} is not {what}, and is passed over")
    return None


def _old_quotas(root: Path) -> Iterator[str]:
    """Quotas and periods of control groups of the first version; -1 is no quota."""
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    return map(" ".join, zip(*(_group_lines("cpu", name, root) for name in names), strict=False))


def _group_lines(controller: str, name: str, root: Path) -> Iterator[str]:
    """The first line of a file of this process's control group, and of each that it lies in, of either version."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, place = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controllers and controller)
        own = base / place.lstrip("/")
        for folder in (own, *own.parents):
            if folder.is_relative_to(base):
                yield from _lines(folder / name)[:1]


def _lines(path: Path) -> list[str]:
    """The lines of a file; none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
