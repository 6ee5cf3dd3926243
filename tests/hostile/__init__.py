"""Bad inputs and options by the thousand, for the real commands: `python -m tests.hostile 1000 --seed 1`."""
