"""A Slurm of one's own on this machine, for as long as a test lasts: a controller and a few nodes, all as this user.

Wants Debian's packages slurmctld, slurmd and slurm-client, and neither root nor munge, database or systemd.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

DAEMONS = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("slurmctld", "slurmd")}
CLIENTS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
MISSING = [name for name, path in {**DAEMONS, **{name: shutil.which(name) for name in CLIENTS}}.items() if not path]
# cred_expire: how long a requeued job waits before it may start again, 120 seconds by default.
CONFIGURATION = """\
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
KillWait=5
"""


@dataclass(frozen=True)
class PrivateSlurm:
    """The folder that it lives in, and the environment in which its commands find it."""

    folder: Path
    environment: dict[str, str]

    def ask(self, *words: str) -> str:
        """Run one of Slurm's commands; its standard output."""
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout.strip()

    def wait(self, condition: Callable[[], object], seconds: float) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not after {seconds} s; {self.ask('squeue', '--states=all')}\n{self.tail()}")
            time.sleep(0.2)

    def jobs(self, *options: str) -> list[str]:
        """Job numbers that squeue gives."""
        return self.ask("squeue", "--noheader", "--format=%A", *options).split()

    def tail(self) -> str:
        """The last lines of the daemons' logs."""
        return "\n".join("\n".join(log.read_text().splitlines()[-5:]) for log in sorted(self.folder.glob("*.log")))

    def power_off(self, node: str) -> None:
        """Kill a node's daemon and all that runs on it, as a power cut would; then tell the controller."""
        self.wait(lambda: self.processes(node), 20)
        daemon = self.folder / f"{node}.pid"
        os.kill(int(daemon.read_text()), signal.SIGKILL)
        daemon.unlink()
        running = self.processes(node)
        # Those that watch over the jobs go first, so that they report nothing.
        watchers = {parent for parent in map(parent_of, running) if "slurmstepd" in "".join(words_of(parent))}
        for pid in [*watchers, *running]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=power")

    def processes(self, node: str) -> list[int]:
        """Processes of jobs on a node."""
        marks = {f"SLURMD_NODENAME={node}".encode(), f"SLURM_CONF={self.folder}/slurm.conf".encode()}
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if marks <= set((process / "environ").read_bytes().split(b"\0")):
                    found.append(int(process.name))
        return found


def words_of(process: int) -> list[str]:
    """The command line of a process; none where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    return []


def parent_of(process: int) -> int:
    """The process that started another; 0 where that has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


@contextmanager
def private_slurm(folder: Path, nodes: int = 3) -> Iterator[PrivateSlurm]:
    """Start a controller and nodes n1, n2, ..., and end them and their jobs."""
    (folder / "state").mkdir(parents=True)
    (folder / "slurm.conf").write_text(configuration(folder, nodes))
    slurm = PrivateSlurm(folder, with_commands(folder))
    try:
        start("slurmctld", ["-i"], slurm)
        for number in range(1, nodes + 1):
            (folder / f"n{number}").mkdir()
            start("slurmd", ["-N", f"n{number}"], slurm)
        slurm.wait(lambda: slurm.ask("sinfo", "--noheader", "--Node", "--format=%t").split() == ["idle"] * nodes, 20)
        yield slurm
    finally:
        end(slurm)


def configuration(folder: Path, nodes: int) -> str:
    """slurm.conf: every node is this machine under another name and port, with 2 CPUs and 32 GB whatever is here."""
    host, ports = socket.gethostname().partition(".")[0], free_ports(nodes + 1)
    user = pwd.getpwuid(os.getuid()).pw_name
    lines = [
        f"NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[number]} CPUs=2 RealMemory=32000"
        for number in range(1, nodes + 1)
    ]
    partition = "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
    return CONFIGURATION.format(host=host, user=user, folder=folder, ports=ports) + "\n".join([*lines, partition, ""])


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def with_commands(folder: Path) -> dict[str, str]:
    """The environment, with Slurm's commands told where its configuration is.

    Snakemake's executor drops all SLURM_* variables before its srun, so that SLURM_CONF alone is not enough.
    """
    commands = folder / "bin"
    commands.mkdir()
    for name in CLIENTS:
        (commands / name).write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which(name)} "$@"\n')
        (commands / name).chmod(0o755)
    return {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "SLURM_CONF": f"{folder}/slurm.conf"}


def start(daemon: str, options: list[str], slurm: PrivateSlurm) -> None:
    """Start a daemon, which goes to the background."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([str(DAEMONS[daemon]), *options], env=slurm.environment, check=True, timeout=20, **quiet)


def end(slurm: PrivateSlurm) -> None:
    """Cancel all jobs, then end the daemons, by the process numbers that they left."""
    with suppress(subprocess.SubprocessError):
        slurm.ask("scancel", "--full", "--signal=KILL", "--user", pwd.getpwuid(os.getuid()).pw_name)
        slurm.wait(lambda: not slurm.jobs(), 20)
    for pid in slurm.folder.glob("*.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(pid.read_text()), signal.SIGTERM)
    deadline = time.monotonic() + 10
    while list(slurm.folder.glob("*.pid")) and time.monotonic() < deadline:
        time.sleep(0.1)
