"""How many CPUs a call may use."""

import os
from pathlib import Path


def granted_cpus() -> int:
    """CPUs this process may use: the least of affinity, the control group's quota and SLURM_CPUS_PER_TASK."""
    granted = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    if os.environ.get("SLURM_CPUS_PER_TASK", "").isdigit():
        granted.append(int(os.environ["SLURM_CPUS_PER_TASK"]))
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        allowed, period = quota.read_text().split()
        if allowed != "max":
            granted.append(-(-int(allowed) // int(period)))
    return max(1, min(granted))
