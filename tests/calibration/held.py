"""Bits held: how often their interval covers those of the list, at a beta that is given and at one that is found."""

from collections.abc import Iterator

from scipy.stats import t

from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.summary import summarise

from .lines import Line, share
from .listed import listed, runs

BETA, KEEP = 250.0, 0.75


def held(replicates: range) -> Iterator[Line]:
    """Student's t with the degrees of freedom that the summary says, ten anchors in turn."""
    for chains in (8, 16):
        for name, given in (("beta given", {"beta": BETA}), ("beta found", {"keep": KEEP})):
            covered = []
            for anchor, samples in runs(replicates, 10_000, chains=chains, **given):
                row, law = summarise(samples, diagnose(samples)), listed(anchor)
                truth = law.at(BETA) if "beta" in given else law.at_share(KEEP)
                half = t.ppf(0.975, row["bits_held_df"]) * row["bits_held_error"]
                covered.append(abs(row["bits_held"] - truth.bits_held) <= half)
            yield share(f"{chains} chains, {name}: covered", covered, 0.93, 0.97)
