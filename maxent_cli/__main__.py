"""`python -m maxent_cli` is `maxent`."""

import gc

from maxent_cli.commands import maxent
from maxent_cli.commands.stopping import leave_if_ended

RARELY = (700, 10, 100)  # collections; what imports bring stays, and looking through all of it takes half a second


def main() -> None:
    """Run the command line."""
    gc.set_threshold(*RARELY)
    try:
        maxent()
    finally:
        leave_if_ended()
        gc.freeze()  # or Python would look through it once more as it ends, for as long


if __name__ == "__main__":
    main()
