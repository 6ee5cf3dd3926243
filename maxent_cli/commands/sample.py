"""maxent sample: draws around anchors."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from maxent_cli.data import SampleSet


@click.command("sample")
@options.anchors_argument
@options.model_options
@options.out_option("Draws file (.npz).")
@options.genome_options
@options.window_options
@options.law_options
@options.tether_option(options.AUTO)
@options.beta_options
@options.run_options
@options.shard_option
@click.option("--summary", "summary_path", help="Summary TSV, a row an anchor; '-' for stdout.  [default: OUT.tsv]")
@click.option("--fasta", "fasta_path", help="Also write the draws as FASTA; '-' for stdout.  [default: not written]")
@click.option(
    "--least-ess",
    default=100.0,
    show_default=True,
    type=options.FiniteRange(1),
    help="ESS from which an anchor counts as converged, from 1.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 if an anchor has not converged (results are written).")
def command(
    model: str, out: str, summary_path: str | None, fasta_path: str | None, least_ess: float, strict: bool, **given: Any
) -> None:
    """Draw sequences that the network cannot tell from each anchor, and otherwise as random as possible.

    ANCHORS is FASTA ('-' for stdin), or BED with --genome. The law is p(x) ∝ q(x)·exp(-beta·E(x)), where E is the
    distance of the network's representations of x and of the anchor, weighted by the output layer (Finnegan & Song
    2017), and q the background. By default q leans to the anchor, so that motifs stay in their place and their logos
    are sharp; --tether none is the published law, under which they may move and turn.
    """
    if summary_path == fasta_path == "-":
        raise click.UsageError("only one of --summary and --fasta can be standard output")
    from maxent_cli.commands.stopping import stop_at_signals

    stop = stop_at_signals()
    options.before_torch()
    from maxent_cli.analysis.diagnostics import diagnose
    from maxent_cli.analysis.summary import summarise
    from maxent_cli.commands.drawing import inputs_asked, set_up
    from maxent_cli.interpret.conditionals import block_conditionals
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.samples import draws_into, packed, unpacked
    from maxent_cli.io.tables import write_rows
    from maxent_cli.io.unfinished import unfinished

    paths = {"draws": out, "summary": summary_path or f"{out}.tsv", "fasta": fasta_path}
    beside = [None if summary_path else paths["summary"], given["shard"].rejected_table(out)]
    outputs = planned(inputs_asked(model, given), [out, summary_path, fasta_path], implied=beside)
    job = set_up(model, out, given)
    outputs = outputs.reading(*job.inputs)

    def with_conditionals(samples: "SampleSet") -> "SampleSet":
        return replace(samples, conditionals=block_conditionals(job.model, job.law, samples))

    rows: list[dict[str, Any]] = []
    with unfinished(out, job.identity, stop) as work:
        kept = job.work_through(work, lambda sample: packed(with_conditionals(sample(job.model, job.law))))
        with (
            outputs.writing(seed=given["seed"], device=given["device"]) as opening,
            draws_into(opening(out, "wb", part=job.part | {"kind": "draws"}), job.header) as draws,
        ):
            summary = opening(paths["summary"], part=job.part | {"kind": "summary"})
            fasta = opening(fasta_path, part=job.part | {"kind": "fasta"}) if fasta_path else None
            for name in kept:
                with work.reading(name) as path:
                    samples = unpacked(path)
                draws.add(samples)
                diagnosis = diagnose(samples, given["most_rhat"], least_ess)
                rows.append(summarise(samples, diagnosis, given["held"] == "anchor"))
                if fasta:
                    fasta.writelines(fasta_lines(samples))
            write_rows(summary, rows)
    sys.exit(3 if report(rows, out) and strict else 0)


def report(rows: list[dict[str, Any]], out: str) -> bool:
    """Say how many anchors have not converged, the first few by name, and what may help; whether there are any."""
    unsettled = [row for row in rows if not row["converged"]]
    options.say(f"{out}: {len(rows)} anchors, {len(unsettled)} not converged")
    for row in unsettled[:3]:
        options.say(
            f"  {row['record']}: R-hat {row['rhat']:.3g} ({row['rhat_quantity']}), "
            f"ESS {row['ess']:.3g} ({row['ess_quantity']})"
        )
    if unsettled:
        options.say("  more steps between draws (--thin), a longer --warmup, or a lower --beta may help")
    return bool(unsettled)


def fasta_lines(samples: "SampleSet") -> Iterator[str]:
    """The draws as FASTA, named record/chain/draw, both counted from 0."""
    from maxent_cli.alphabet import decode

    for chain, draws in enumerate(samples.codes):
        for draw, codes in enumerate(draws):
            yield f">{samples.name}/{chain}/{draw}\n{decode(codes)}\n"
