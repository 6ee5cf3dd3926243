"""Run so many generated cases, each in a fork of this process; exit code 1 where one ended other than it may.

A case may end with 0 to 4 and a last line that says why; by no traceback, no fault of maxent's own (exit code 5), not
by a signal of the system, and not never: one that takes long must end when it is told to. What was there before is
there afterwards, unchanged, and nothing under a temporary name.
"""

import argparse
import os
import random
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

from cases import Case, make_case  # noqa: E402
from forks import contents, contents_of, import_all, in_a_fork  # noqa: E402
from test_faults import make_site  # noqa: E402

PATIENCE = 40.0  # seconds until a case is told to end
OUTPUTS = ("--out", "-o", "--fasta", "--select", "--truth")
RECORD = ".provenance.json"  # which is renewed with what it is of
NOT_FOREIGN = {0, 1, 2, 3, 4, 143}


def main() -> int:
    """Run the cases; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=int, default=0, help="number of the first case: a run may be parted")
    parser.add_argument("--only", type=int, help="the case of this number alone, and what it said")
    parser.add_argument("--line", default="", help="lines that begin so alone")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds until a case is told to end")
    asked = parser.parse_args()
    import_all()
    ends, failed, started = Counter[str](), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maxent-hostile-") as name:
        (Path(name) / "site").mkdir()
        make_site(Path(name) / "site")
        cases = range(asked.begin, asked.begin + asked.count) if asked.only is None else [asked.only]
        for number in cases:
            folder = Path(name) / "work"
            end, faults, case = run(number, asked, Path(name) / "site", folder)
            ends[end] += 1
            if faults or asked.only is not None:
                failed += bool(faults)
                told = f"{shlex.join(case.words).replace(str(folder), '.')[:600]}\n  {'; '.join(case.done)}"
                print(f"case {number} of seed {asked.seed}: {'; '.join(faults) or end}\n  maxent {told}", flush=True)
                print((folder.parent / "stderr").read_text(errors="replace")[-1500:], flush=True)
            if ends.total() % 50 == 0 or number == cases[-1]:
                spent = f"{time.monotonic() - started:.0f} s, {sum(os.times()[:4]):.0f} of CPU"
                print(f"{ends.total()} cases, {failed} failed, {spent}; {dict(sorted(ends.items()))}", flush=True)
    return int(failed > 0)


def run(number: int, asked: argparse.Namespace, site: Path, folder: Path) -> tuple[str, list[str], Case]:
    """How a case ended, what is wrong with that, and the case."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site, folder, symlinks=True)
    for kind in ("new", "more", "third", "folder"):
        (folder / "out" / kind).mkdir(parents=True)
    case = make_case(random.Random(f"{asked.seed} {number}"), folder, asked.line)
    before = contents(folder)
    code, late, _ = in_a_fork(case.words, folder, asked.patience, case.variables)
    faults = check(code, late, (folder.parent / "stderr").read_text(errors="replace"))
    for place, held in before.items():
        now, named = (
            contents_of(folder / place),
            [at for at, word in enumerate(case.words) if word == str(folder / place.removesuffix(RECORD))],
        )
        asked_for = named and all(case.words[at - 1] in OUTPUTS for at in named)  # a file that is named is replaced
        if now != held and not place.endswith(".fai") and not (asked_for and now is not None):
            faults.append(f"{place} was {'lost' if now is None else 'changed'}")
    litter = [
        str(place.relative_to(folder))
        for place in folder.rglob(".*.*")
        if place.name.endswith((".tmp", ".old", ".json"))
    ]
    faults += [f"left {place}" for place in litter]
    shown = "stopped" if late else str(code)
    return shown, faults, case


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


if __name__ == "__main__":
    sys.exit(main())
