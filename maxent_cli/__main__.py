"""`python -m maxent_cli` is `maxent`."""

from maxent_cli.commands import maxent
from maxent_cli.commands.stopping import leave_if_ended


def main() -> None:
    """Run the command line."""
    try:
        maxent()
    finally:
        leave_if_ended()


if __name__ == "__main__":
    main()
