"""maxent design: sequences of a wanted output, or edits that lead to one."""

from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options
from maxent_cli.commands.console import Console, resumable
from maxent_cli.commands.params import AUTO, Finite, FiniteRange, InputPath, Names, Tether

if TYPE_CHECKING:
    from collections.abc import Callable

    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.design import Design
    from maxent_cli.api.networks import Network
    from maxent_cli.data import Shard
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling


class Limits(click.ParamType[Any]):
    """Two shares, the least first."""

    name = "LEAST,MOST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            least, most = map(float, value.split(",") if isinstance(value, str) else value)
        except (TypeError, ValueError):
            return self.fail("give a least and a most share, from 0 to 1, as in 0.4,0.6", param, ctx)
        return least, most


def _wanted(
    to: float | None,
    spread: float | None,
    best: bool,
    designs: int,
    apart: int,
    forbid: tuple[str, ...],
    sites: tuple[str, ...],
    gc_limits: tuple[float, float] | None,
) -> "Callable[[bool], Design]":
    """What is wanted, given whether it is edits."""
    from maxent_cli.api.design import Design
    from maxent_cli.interpret.constraints import Constraints

    constraints = Constraints(forbid, sites, gc_limits)
    return lambda near: Design(to, near, spread, best, designs, apart, constraints)


def _records(
    near: str | None,
    records: str | None,
    genome: str | None,
    centre: Any,
    crop: bool,
    flank: Any,
    fix: str | None,
    n_policy: Any,
    map_chromosomes: bool,
) -> "tuple[bool, Anchors | None]":
    """Whether records are to be edited, and they."""
    if near is not None and records is not None:
        raise click.UsageError("records are either designed, RECORDS, or edited, --near: give one of them")
    return near is not None, options.read_anchors(
        near or records, genome, centre, crop, flank, fix, n_policy, map_chromosomes
    )


wanted_options = options.group(
    "wanted",
    _wanted,
    options.option(
        "--to",
        type=Finite(),
        metavar="OUTPUT",
        everyday=True,
        help="The output that is wanted, before any sigmoid or softmax: the designs' mean, or that of edits.",
    ),
    options.option("--best", is_flag=True, everyday=True, help="Instead of --to: the highest output that is found."),
    options.option(
        "--spread",
        type=FiniteRange(0, min_open=True),
        metavar="OUTPUT",
        help="Standard deviation around --to of each output, not of the mean alone.  [default: with --near a tenth of "
        "how far the record's is from it; else any]",
    ),
    options.option(
        "--designs",
        default=100,
        show_default=True,
        type=click.IntRange(1, 10_000),
        metavar="N",
        everyday=True,
        help="Sequences to write of each record.",
    ),
    options.option(
        "--apart",
        default=1,
        show_default=True,
        type=click.IntRange(1),
        metavar="LETTERS",
        help="Letters in which any two of them differ at least.",
    ),
    options.option(
        "--forbid",
        type=Names(),
        default=(),
        metavar="WORD,...",
        help="Words in IUPAC letters that are on neither strand.",
    ),
    options.option(
        "--sites",
        type=Names(),
        default=(),
        metavar="ENZYME,...",
        help="Restriction enzymes that cut nowhere, as in EcoRI,BsaI.",
    ),
    options.option(
        "--gc-limits",
        type=Limits(),
        help="Least and most share of G and C among all letters of the input.",
    ),
)


records_options = options.group(
    "records",
    _records,
    options.option(
        "--near",
        type=InputPath(pipe=True),
        metavar="FASTA|BED",
        everyday=True,
        help="Records to edit, instead of RECORDS to design.",
    ),
    click.argument("records", required=False, type=InputPath(pipe=True)),
    options.anchor_reading_options,
)


def _asked(
    output: str | None,
    background: Any,
    gc: float | None,
    tether: Any,
    layer: str | None,
    hold: str | None,
    hold_beta: float | None,
) -> "Callable[[Design], Law]":
    """The law, given what is wanted."""
    from dataclasses import replace

    law = options.law_of("anchor", output, background, gc, tether, AUTO, None, layer)
    return lambda wanted: replace(wanted.law_of(law), hold=hold, hold_beta=hold_beta)


law_options = options.group(
    "law",
    _asked,
    options.asked_options,
    options.option(
        "--tether",
        type=Tether(),
        default=AUTO,
        show_default="none; with --near 0.95",
        section="Law",
        help="How far the background leans to the record: none, or the frequency of its letter.",
    ),
    options.layer_option,
    options.hold_options,
)

DETAILS = """
The law. Of all laws of that mean output, p(x) ∝ q(x)·exp(gamma·output(x)) on the allowed sequences has the most
entropy relative to the background q: no other designs of that mean are more diverse. bits is what the mean costs,
KL(p||q) in bits, by thermodynamic integration over the replicas; bits_constraints what the constraints cost,
exact. Single designs scatter around the mean as that law does; with --spread S each is near it, by the law
q(x)·exp(-(output(x) - to)²/2S²). Words are forbidden on both strands, as parts of the law: chains begin inside and
never leave, and where nothing is inside that is said.

On in A and off in B: --output A-B. Off in both, or any other aim: a TSV of weights. Positions that stay: give
records, with --fix. Before a long run: `maxent doctor --law output --to OUTPUT`.

Edits. With --near, p(x) ∝ q(x)·exp(-(output(x) - to)²/2s²), where q keeps each letter of the record with the
probability that --tether says. edits.tsv has each position's probability of being edited, and how much that is above
q's; edit_sets.tsv sets of edits none of which can be taken back, the smallest first: the smallest that were found.

A network may be fooled: try designs on another, trained from another seed (maxent predict designs.fa).
"""


@options.command("design", rare=("genome",), details=DETAILS)
@resumable
@options.network_options
@wanted_options
@records_options
@law_options
@options.sampling_options
@options.threads_option
@options.out_option("Folder for the results; an older one is replaced.")
@options.shard_option
def command(
    console: Console,
    network: "Network",
    wanted: "Callable[[bool], Design]",
    records: "tuple[bool, Anchors | None]",
    law: "Callable[[Design], Law]",
    sampling: "Sampling",
    threads: int | None,
    out: str,
    shard: "Shard",
) -> None:
    """Draw sequences of a wanted output, or edits that lead to one.

    Designs are draws from the law of most entropy at that mean output, q(x)·exp(gamma·output(x)) on all
    sequences that the constraints allow; gamma is found. RECORDS, FASTA or BED with --genome, hold the
    positions that stay (--fix); without them all is designed. With --near, edits of records whose output
    comes near; with --best, the highest output.
    """
    from maxent_cli.api.design import design

    near, given = records
    what = wanted(near)
    design(network, given, what, law(what), sampling, out=out, shard=shard, threads=threads, progress=console)
