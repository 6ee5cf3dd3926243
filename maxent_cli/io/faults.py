"""What the makers of maxent need to know of a fault that nobody foresaw, in a file."""

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from maxent_cli import __version__
from maxent_cli.io.provenance import packages


def write_fault(error: BaseException) -> str:
    """Write circumstances and traceback into a file here or, where that cannot be, among temporary files; its path.

    Where neither can be written, they go to stderr, and the path is empty.
    """
    text = "".join([*(f"{line}\n" for line in _circumstances()), *traceback.format_exception(error)])
    for folder in (Path(), Path(tempfile.gettempdir())):
        place = folder / f"maxent-fault.{os.getpid()}.txt"
        with suppress(OSError):
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
            return str(place)
    with suppress(OSError):
        sys.stderr.write(text)
    return ""


def _circumstances() -> Iterator[str]:
    yield f"maxent {__version__}, Python {sys.version}, {sys.platform}"
    yield f"command: {sys.argv}"
    with suppress(Exception):  # of a broken installation
        yield f"packages: {packages()}"
