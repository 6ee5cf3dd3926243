"""All calibrations in full, as a table: python -m tests.calibration.full --out tests/calibration/table.md.

What is done lies in OUT.partial, a piece a line; the same command goes on from there, however it was ended. With
--minutes it ends by itself, with exit code 4 and a table of what there is, once so many are over. Real data are those
of $MAXENT_DATA.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

import maxent_cli

sys.path.insert(0, str(Path(__file__).parents[1]))  # exact.py, small.py, as the tests find them

from .calibrations import CALIBRATIONS
from .lines import Line, joined

HEADER = "| what | found | must lie in | replicates | |\n|---|---|---|---|---|"
STOPPED = 4  # exit code, as of commands that can go on
Piece = dict[str, object]


def main() -> int:
    """Run what is missing, as far as time allows; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    ends, partial = time.monotonic() + 60 * given.minutes, Path(f"{given.out}.partial")
    pieces = done(partial)
    for name, replicates in missing(pieces):
        if time.monotonic() > ends:
            Path(given.out).write_text(page(pieces))
            print(f"{len(pieces)} pieces done; the same command goes on", file=sys.stderr)
            return STOPPED
        pieces.append(piece(name, replicates))
        with partial.open("a") as stream:
            stream.write(json.dumps(pieces[-1]) + "\n")
    Path(given.out).write_text(page(pieces))
    partial.unlink(missing_ok=True)
    return 0


def done(partial: Path) -> list[Piece]:
    """Pieces that there are; those of other code, and one that was cut off, count no more."""
    lines = partial.read_text().splitlines(keepends=True) if partial.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    kept = [each for each in found if each["code"] == code()]
    if len(kept) < len(lines):
        partial.write_text("".join(json.dumps(each) + "\n" for each in kept))
    return kept


def missing(pieces: list[Piece]) -> Iterator[tuple[str, range]]:
    """Calibrations and replicates that are still to be run."""
    there = {(each["calibration"], each["first"]) for each in pieces}
    for name, planned in CALIBRATIONS.items():
        yield from ((name, replicates) for replicates in planned.pieces if (name, replicates.start) not in there)


def piece(name: str, replicates: range) -> Piece:
    """Run some replicates of a calibration."""
    begun = time.process_time()
    lines = [asdict(line) for line in CALIBRATIONS[name].run(replicates)]
    seconds = time.process_time() - begun
    print(f"{name}, from {replicates.start}: {seconds:.0f} CPU seconds", file=sys.stderr)
    return {"code": code(), "calibration": name, "first": replicates.start, "seconds": seconds, "lines": lines}


def code() -> str:
    """A digest of the package and of the calibrations: numbers of other code are not mixed."""
    folders = Path(maxent_cli.__file__).parent, Path(__file__).parent
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def page(pieces: list[Piece]) -> str:
    """The table."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "numba", "numpy", "scipy"))
    made = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {versions}; code {code()}."
    sections = [part for name in CALIBRATIONS for part in section(name, pieces)]
    return "\n".join(["# Calibrations", "", "`python -m tests.calibration.full --out FILE`", "", made, *sections, ""])


def section(name: str, pieces: list[Piece]) -> Iterator[str]:
    """A calibration's title and table."""
    own = sorted((each for each in pieces if each["calibration"] == name), key=lambda each: each["first"])
    lines = joined(Line(**line | {"values": tuple(line["values"])}) for each in own for line in each["lines"])
    seconds, planned = sum(each["seconds"] for each in own), CALIBRATIONS[name]
    part = "" if len(own) == len(planned.pieces) else f" So far {len(own)} of {len(planned.pieces)} pieces."
    what = " ".join(str(planned.run.__doc__).split())
    yield f"\n## {name}\n\n{what} {seconds:.0f} CPU seconds.{part}\n"
    if lines or not part:
        yield "\n".join([HEADER, *map(row, lines)]) if lines else "Not run: the data are not here."


def row(line: Line) -> str:
    """A line of the table."""
    verdict = "" if line.holds() else ("within its error" if line.holds(2) else "**outside**")
    bounds = f"{line.low:.4g} to {line.high:.4g}"
    error = f" ± {line.error:.2g}" if line.error == line.error else ""  # one value has none
    return f"| {line.claim} | {line.found:.4g}{error} | {bounds} | {len(line.values)} | {verdict} |"


if __name__ == "__main__":
    sys.exit(main())
