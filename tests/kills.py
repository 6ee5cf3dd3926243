"""Kill every command so many times, at random moments, and run it again: `python -m tests.kills 50`.

What is there after a kill is whole or absent, and what the next run leaves has the bytes of one that nobody killed.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "commands")]
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from forks import contents, import_all, in_a_fork  # noqa: E402
from test_faults import LINES, PLACES, RUNS, kinds, make_site, place_of, words  # noqa: E402

from maxent_cli.errors import InputError  # noqa: E402
from maxent_cli.io.provenance import require_provenance  # noqa: E402

LONG = 600.0  # seconds
LINES_KILLED = [line for line in (*LINES, RUNS[-1]) if set(kinds(line)) & set(PLACES)]
SUFFIX = ".provenance.json"
TIMED = ("doctor.json", "report.html")  # of `run`: they say how long the rest took


def main() -> int:
    """Kill and run again; 1 where an output was neither whole nor absent, or came out otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--line", default="", help="lines that begin so alone")
    asked, failed = parser.parse_args(), 0
    import_all()
    with tempfile.TemporaryDirectory(prefix="maxent-kills-") as name:
        folder = Path(name) / "work"
        folder.mkdir()
        make_site(folder)
        for line in (line for line in LINES_KILLED if line.startswith(asked.line)):
            failed += killed(line, asked.count, random.Random(f"{asked.seed} {line}"), folder)
    return int(failed > 0)


def killed(line: str, count: int, chance: random.Random, folder: Path) -> int:
    """How often a line's outputs were not as they must be."""
    clear(folder)
    code, _, took = in_a_fork(words(line, folder), folder, LONG)
    whole, faults, kills = outputs(line, folder), list[str](), 0
    faults += [f"exit code {code}"] * (code != 0)
    for _ in range(count):
        if chance.random() < 0.7:
            clear(folder)
        patience = chance.random() * took * 1.1
        kills += in_a_fork(words(line, folder), folder, patience, number=signal.SIGKILL).late
        faults += [
            f"{name} is neither whole nor absent"
            for name, held in outputs(line, folder).items()
            if held != whole.get(name) and not (line.startswith("run ") and is_partial(name))
        ]
        code = in_a_fork(words(line, folder), folder, LONG).code
        faults += [f"exit code {code}: {(folder.parent / 'stderr').read_text()[-300:]}"] * (code != 0)
        faults += [
            f"{name} came out otherwise" for name, held in whole.items() if outputs(line, folder).get(name) != held
        ]
        faults += [f"left {name}" for name in left(folder)]
        faults += [fault for place in recorded(line, folder) for fault in unrecorded(place)]
    print(f"{line.split()[0]:12} {count} runs, {kills} killed, {took:.2f} s each, {len(faults)} faults", flush=True)
    for fault in faults[:5]:
        print(f"  {fault}", flush=True)
    return len(faults)


def recorded(line: str, folder: Path) -> list[Path]:
    """What a line leaves with a record beside it: its outputs, or those of the commands that it ran."""
    places = [place_of(kind, folder) for kind in kinds(line) if kind in PLACES]
    if not line.startswith("run "):
        return places
    return [record.with_name(record.name.removesuffix(SUFFIX)) for record in sorted(places[0].glob(f"*{SUFFIX}"))]


def is_partial(name: str) -> bool:
    """Whether that is unfinished work by its name, as it may stand in a folder that several commands fill."""
    return any(".partial" in part or part.startswith(".") for part in Path(name).parts)


def unrecorded(place: Path) -> list[str]:
    """What the record beside an output says against it."""
    try:
        require_provenance(str(place))
    except InputError as error:
        return [str(error)]
    return []


def clear(folder: Path) -> None:
    """No outputs are there, and a folder for each."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    for kind in PLACES:
        (folder / "out" / kind).mkdir(parents=True)


def outputs(line: str, folder: Path) -> dict[str, object]:
    """The bytes of a line's outputs, without their records and what is unfinished."""
    named = [place_of(kind, folder).relative_to(folder / "out") for kind in kinds(line) if kind in PLACES]
    return {
        name: held
        for name, held in contents(folder / "out").items()
        if any(Path(name) == place or place in Path(name).parents for place in named)
        and not (line.startswith("run ") and (Path(name).name in TIMED or name.endswith(SUFFIX)))
    }


def left(folder: Path) -> list[str]:
    """What no run that ended well leaves."""
    names = (place.relative_to(folder).as_posix() for place in (folder / "out").rglob("*"))
    return [name for name in names if ".partial" in name or "/." in name]


if __name__ == "__main__":
    sys.exit(main())
