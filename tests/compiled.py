"""Compile the chain before the tests begin, while one CPU is at something else: `python -m tests.compiled`."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from small import saved, small_model

import maxent_cli as mx

LENGTH = 20


def main() -> None:
    """Draw a little around a sequence; compiled code stays beside the package."""
    with tempfile.TemporaryDirectory() as name:
        saved(Path(name) / "model", small_model(LENGTH))
        network = mx.network(str(Path(name) / "model"))
        mx.sample(network, ["ACGTT" * (LENGTH // 5)], preset="quick", threads=1, progress=False)


if __name__ == "__main__":
    main()
