"""maxent sample: draws around anchors."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import AUTO, FiniteRange

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.draws import Draws
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


@options.command("sample")
@resumable
@options.network_options
@options.anchors_options
@options.law_options(AUTO)
@options.sampling_options
@options.threads_option
@options.out_option("Draws file (.npz); its summary goes to OUT.tsv, its beta series to OUT.series.tsv.")
@options.shard_option
@options.option(
    "--max-hours",
    type=FiniteRange(min=0, min_open=True),
    default=24.0,
    section="Sampling",
    help="Do not begin what would take longer.",
)
@options.option("--fasta", section="Output", help="Also write the draws as FASTA; '-' for stdout.  [default: not]")
@options.option(
    "--strict", is_flag=True, section="Output", help="Exit with 3 if an anchor has not converged (results are written)."
)
def command(
    console: Console,
    network: "Network",
    anchors: "Anchors",
    law: "Law",
    sampling: "Sampling",
    threads: int | None,
    out: str,
    shard: "Shard",
    max_hours: float,
    fasta: str | None,
    strict: bool,
) -> None:
    """Draw sequences that the network cannot tell from each anchor, otherwise as random as possible.

    ANCHORS is FASTA ('-' for stdin), or BED with --genome. The law is p(x) ∝ q(x)·exp(-beta·E(x)): E is
    the distance of the representations of x and of the anchor, weighted by the output layer, and q the
    background (Finnegan & Song 2017). By default q leans to the anchor, so that motifs stay in place and
    logos are sharp; with --tether none, the published law, they may move and turn.
    """
    from maxent_cli.api.sampling import sample

    with sample(
        network,
        anchors,
        law,
        sampling,
        out=out,
        fasta=fasta,
        shard=shard,
        max_hours=max_hours,
        threads=threads,
        progress=console,
    ) as draws:
        converged = all(row["converged"] for row in draws.rows())
        for line in alone(draws, sampling, out):
            console.say(line)
    raise click.exceptions.Exit(3 if strict and not converged else 0)


MOST_SAID = 3  # anchors that have not converged, by their command
CHANGED = ("--out", "-o", "--fasta", "--shard", "--max-steps")


def alone(draws: "Draws", sampling: "Sampling", out: str) -> Iterator[str]:
    """The commands that draw on around single anchors that have not converged, twice as long; none where out is a pipe.

    They begin as this one did, with the same random numbers, and go on where it ended.
    """
    if out == "-" or not Path(out).is_file() or "-" in sys.argv[1:]:
        return
    unsettled = [(row, part) for row, part in zip(draws.rows(), draws.parts, strict=True) if not row["converged"]]
    for row, part in unsettled[:MOST_SAID]:
        changed = {"shard": part, "max-steps": 2 * sampling.max_steps, "out": _numbered(out, part.number)}
        words = ["maxent", *_without(sys.argv[1:]), *(f"--{name}={value}" for name, value in changed.items())]
        yield f"  to draw on around {row['record']} alone: {shlex.join(words)}"


def _numbered(path: str, number: int) -> str:
    place = Path(path)
    return str(place.with_name(f"{place.stem}.{number}{place.suffix}"))


def _without(words: Sequence[str]) -> Iterator[str]:
    """A command's words without the options that change."""
    left = iter(words)
    for word in left:
        if word in CHANGED:
            next(left, None)
        elif not word.startswith(tuple(f"{name}=" for name in CHANGED)):
            yield word
