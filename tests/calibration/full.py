"""All calibrations in full: python -m tests.calibration.full --out tests/calibration/table.md [NAME ...]."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # exact.py, small.py, as the tests find them

from .calibrations import CALIBRATIONS
from .lines import Line

HEADER = "| what | found | must lie in | replicates | |\n|---|---|---|---|---|\n"


def main() -> None:
    """Run them and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("names", nargs="*", help="which; all unless said")
    given = parser.parse_args()
    names = given.names or list(CALIBRATIONS)
    text = "\n".join(part for name in names for part in section(name))
    Path(given.out).write_text(f"# Calibrations\n\n`python -m tests.calibration.full --out FILE`\n{text}\n")


def section(name: str) -> Iterator[str]:
    """A calibration's title and table."""
    calibration, _, full = CALIBRATIONS[name]
    begun = time.process_time()
    lines = [row(line) for line in calibration(full)]
    print(f"{name}: {time.process_time() - begun:.0f} CPU seconds", file=sys.stderr)
    yield f"\n## {name}\n\n{calibration.__doc__}\n\n{HEADER}" + "\n".join(lines)


def row(line: Line) -> str:
    """A line of the table."""
    verdict = "" if line.holds() else ("within its error" if line.holds(2) else "**outside**")
    bounds = f"{line.low:.4g} to {line.high:.4g}"
    return f"| {line.claim} | {line.found:.3f} ± {line.error:.3f} | {bounds} | {line.replicates} | {verdict} |"


if __name__ == "__main__":
    main()
