"""Run so many generated cases, each in a fork of this process; exit code 1 where one ended other than it may.

A case may end with 0 to 4 and a last line that says why; by no traceback, no fault of maxent's own (exit code 5), not
by a signal of the system, and not never: one that takes long must end when it is told to. What was there before is
there afterwards, unchanged, and nothing under a temporary name.
"""

import argparse
import contextlib
import os
import random
import resource
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "commands"), str(HERE)]
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import torch  # noqa: E402
from cases import Case, make_case  # noqa: E402
from test_faults import make_site  # noqa: E402

from maxent_cli.commands import COMMANDS, load, maxent  # noqa: E402

PATIENCE, GRACE = 40.0, 60.0  # seconds until a case is told to end, and until it must have ended
MOST_MEMORY = 12 << 30  # bytes
NOT_FOREIGN = {0, 1, 2, 3, 4, 143}


def main() -> int:
    """Run the cases; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the case of this number alone, and what it said")
    parser.add_argument("--line", default="", help="lines that begin so alone")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in COMMANDS:  # what a fork need not import again
        load(name)
    import maxent_cli.api.attribution
    import maxent_cli.api.comparison
    import maxent_cli.api.dependence
    import maxent_cli.api.examining
    import maxent_cli.api.merging
    import maxent_cli.api.motifs
    import maxent_cli.api.periodicity
    import maxent_cli.api.prediction
    import maxent_cli.api.probing
    import maxent_cli.api.reports
    import maxent_cli.api.simulation
    import maxent_cli.api.training  # noqa: F401

    ends, failed, started = Counter[str](), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maxent-hostile-") as name:
        (Path(name) / "site").mkdir()
        make_site(Path(name) / "site")
        for number in range(asked.count) if asked.only is None else [asked.only]:
            folder = Path(name) / "work"
            end, faults, case = run(number, asked, Path(name) / "site", folder)
            ends[end] += 1
            if faults or asked.only is not None:
                failed += bool(faults)
                told = f"{shlex.join(case.words).replace(str(folder), '.')[:600]}\n  {'; '.join(case.done)}"
                print(f"case {number} of seed {asked.seed}: {'; '.join(faults) or end}\n  maxent {told}", flush=True)
                print((folder.parent / "stderr").read_text(errors="replace")[-1500:], flush=True)
    print(
        f"{sum(ends.values())} cases, {failed} failed, {time.monotonic() - started:.0f} s; {dict(sorted(ends.items()))}"
    )
    return int(failed > 0)


def run(number: int, asked: argparse.Namespace, site: Path, folder: Path) -> tuple[str, list[str], Case]:
    """How a case ended, what is wrong with that, and the case."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site, folder, symlinks=True)
    for kind in ("new", "more", "third", "folder"):
        (folder / "out" / kind).mkdir(parents=True)
    case = make_case(random.Random(f"{asked.seed} {number}"), folder, asked.line)
    before = contents(folder)
    code, late = in_a_fork(case, folder, folder.parent / "stderr")
    faults = check(code, late, (folder.parent / "stderr").read_text(errors="replace"))
    for place, held in before.items():
        named = any(word == str(folder / place) for word in case.words)
        now = contents_of(folder / place)
        if now != held and not place.endswith(".fai") and not (named and now is not None and place.startswith("out/")):
            faults.append(f"{place} was {'lost' if now is None else 'changed'}")
    litter = [
        str(place.relative_to(folder))
        for place in folder.rglob(".*.*")
        if place.name.endswith((".tmp", ".old", ".json"))
    ]
    faults += [f"left {place}" for place in litter]
    shown = "stopped" if late else str(code)
    return shown, faults, case


def in_a_fork(case: Case, folder: Path, stderr: Path) -> tuple[int, bool]:
    """The exit code of a case, negative for a signal; and whether it had to be told to end."""
    child = os.fork()
    if child == 0:
        end_as(case, folder, stderr)
    started, late = time.monotonic(), False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), late
        waited = time.monotonic() - started
        if waited > PATIENCE and not late:
            os.kill(child, signal.SIGTERM)
            late = True
        if waited > PATIENCE + GRACE:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def end_as(case: Case, folder: Path, stderr: Path) -> None:
    """Become the command, and end as it does."""
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        os.chdir(folder)
        for stream, path in ((0, os.devnull), (1, os.devnull), (2, str(stderr))):
            flags = os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path, flags, 0o600), stream)
        os.environ |= case.variables
        sys.argv = ["maxent", *case.words]
        maxent(case.words, prog_name="maxent")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def check(code: int, late: bool, said: str) -> list[str]:
    """What is wrong with an end."""
    faults = []
    if code == -signal.SIGKILL and late:
        faults.append("did not end when it was told to")
    elif code not in NOT_FOREIGN:
        faults.append(f"exit code {code}")
    if "Traceback" in said or "Exception ignored" in said:
        faults.append("a traceback")
    last = said.splitlines()[-1] if said else ""
    if code in (1, 4, 143) and not last.startswith("maxent: ") and "WRONG" not in said and "doctor" not in said:
        faults.append(f"no line of its own: {last[:200]}" if last else "nothing was said")
    if code == 1 and not (": " in last and "; " in last) and last:
        faults.append("no cure")
    if code == 2 and not any(line.startswith(("Error: ", "maxent: ")) for line in said.splitlines()):
        faults.append(f"usage without an error: {last[:200]}")
    return faults


def contents(folder: Path) -> dict[str, object]:
    """Every file and link in a folder, and what it holds."""
    places = (place for place in sorted(folder.rglob("*")) if place.is_symlink() or place.is_file())
    return {place.relative_to(folder).as_posix(): contents_of(place) for place in places}


def contents_of(place: Path) -> object:
    """What a file holds or a link says; None where there is neither."""
    if place.is_symlink():
        return str(place.readlink())
    return place.read_bytes() if place.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
