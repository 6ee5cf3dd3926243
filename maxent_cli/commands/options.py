"""Options that several commands share, declared once, and how a command speaks to people."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click

from maxent_cli.data import Rejected

model_option = click.option(
    "--model", required=True, type=click.Path(exists=True, file_okay=False), help="Model folder, as train writes it."
)
seed_option = click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Random seed; same seed, same answer."
)
threads_option = click.option(
    "--threads",
    default=lambda: granted_cpus(),
    show_default="the CPUs granted",
    type=click.IntRange(1),
    help="CPU threads.",
)


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


def say(message: str) -> None:
    """One line for people, on stderr."""
    click.echo(message, err=True)


def account(kept: int, rejected: Iterable[Rejected], where: str) -> None:
    """Say how many records were kept and how many rejected, with a count for each reason."""
    reasons: dict[str, int] = {}
    for record in rejected:
        reasons[record.reason] = reasons.get(record.reason, 0) + 1
    total = sum(reasons.values())
    why = f" ({'; '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))})" if reasons else ""
    say(f"{where}: {kept + total} records = {kept} kept + {total} rejected{why}")


class Progress:
    """Phase, i/N, rate and time left on stderr: one line redrawn on a terminal, else a line every ten seconds."""

    def __init__(self, phase: str, total: int, unit: str) -> None:
        self.phase, self.total, self.unit, self.done = phase, total, unit, 0
        self.started = self.last = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        return self

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count some more units as done; note is shown behind the figures."""
        self.done += count
        now = time.monotonic()
        if now - self.last >= (0.2 if self.terminal else 10.0):
            self.last = now
            self._show(now, note)

    def __exit__(self, *_: object) -> None:
        self._show(time.monotonic(), "")
        if self.terminal:
            click.echo(err=True)

    def _show(self, now: float, note: str) -> None:
        rate = self.done / max(now - self.started, 1e-9)
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        line = f"{self.phase}: {self.done}/{self.total} {self.unit}, {rate:.3g} {self.unit}/s, {left} {note}".rstrip()
        click.echo(f"\r\x1b[K{line}" if self.terminal else line, err=True, nl=not self.terminal)
