"""`python -m maxent_cli` is `maxent`."""

from maxent_cli.commands import maxent as main

if __name__ == "__main__":
    main()
