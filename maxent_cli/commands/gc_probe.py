"""maxent gc-probe: how the draws answer a field on their GC content."""

from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from maxent_cli.analysis.gc import Interval95
    from maxent_cli.analysis.gc_probe import Answer, Row
    from maxent_cli.io.gc_figure import GCFigure


class Fields(click.ParamType[Any]):
    """Rising numbers, 0 among them."""

    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            numbers = tuple(sorted({float(part) for part in str(value).strip("()").split(",")} | {0.0}))
        except ValueError:
            numbers = ()
        if len(numbers) < 2 or not all(abs(number) <= 10 for number in numbers):
            return self.fail("give numbers between -10 and 10, as in -2,-1,0,1,2", param, ctx)
        return numbers


@click.command("gc-probe")
@options.anchors_argument
@options.model_options
@options.out_option("Folder for the results; an older one is replaced.")
@click.option(
    "--fields",
    type=Fields(),
    default="-2,-1,0,1,2",
    show_default=True,
    help="Chemical potentials Δmu on each G and C, in natural-log units, -10 to 10; 0 is always among them.",
)
@options.genome_options
@options.window_options
@options.law_options
@options.tether_option(options.NONE)
@options.beta_options
@options.run_options
def command(model: str, out: str, fields: tuple[float, ...], **given: Any) -> None:
    """How the draws answer a field on their GC content.

    Around each of ANCHORS, sequences are drawn from p(x) ∝ q(x)·exp(Δmu·N(x) - beta·E(x)), N(x) being the number of G
    and C; beta is the same under all fields. Where the network holds GC, the draws answer less than the background
    alone would (dashed, exact), and N varies less than positions that vary on their own would let it (rigidity above
    0). A motif that holds G and C in place answers less too: this is not yet evidence of a global property.

    In the folder:

    \b
    response.tsv  GC, its variance and rigidity, energy and output, an anchor and field a line
    checks.tsv    log P'(N)/P(N) between neighbouring fields must have the slope Δmu'-Δmu; z-scores
    answer.tsv    slope of the draws' GC on the anchors' and rigidity, with 95 % intervals over anchors
    response.png  the response, and the draws' GC against the anchors'
    """
    options.before_torch()
    from maxent_cli.analysis.gc_probe import answer, probe_anchor
    from maxent_cli.commands.drawing import set_up
    from maxent_cli.io.files import writing_folder
    from maxent_cli.io.gc_figure import write_gc_figure
    from maxent_cli.io.provenance import write_provenance
    from maxent_cli.io.tables import write_table

    job = set_up(model, out, given)
    with writing_folder(out) as folder:
        probes = [probe_anchor(by_field, fields, given["most_rhat"]) for by_field in job.draw_fields(fields)]
        rows, checks = [r for p in probes for r in p.response], [r for p in probes for r in p.checks]
        found = answer(rows, given["seed"])
        write_table(str(folder / "response.tsv"), rows)
        write_table(str(folder / "checks.tsv"), checks)
        write_table(str(folder / "answer.tsv"), answer_rows(found))
        write_gc_figure(str(folder / "response.png"), figure_of(found))
    write_provenance(out, job.inputs, given["seed"], device=given["device"])
    report(found, rows, checks, out)


def answer_rows(found: "Answer") -> list[dict[str, object]]:
    """The answer as rows: quantity, value, and its 95 % interval over anchors."""
    named = {"slope of draws' GC on anchors' GC": found.slope, "rigidity of N without a field": found.rigidity}
    return [{"quantity": name, "value": e.value, "low": e.low, "high": e.high} for name, e in named.items()]


def figure_of(found: "Answer") -> "GCFigure":
    """The figure's arrays."""
    import numpy as np

    from maxent_cli.io.gc_figure import GCFigure

    def triple(estimate: "Interval95") -> list[float]:
        return [estimate.value, estimate.low, estimate.high]

    response = np.array([triple(estimate) for estimate in found.response])
    return GCFigure(found.fields, response, found.exact, found.anchors, found.draws, np.array(triple(found.slope)))


def report(found: "Answer", rows: "list[Row]", checks: "list[Row]", out: str) -> None:
    """Say slope and rigidity with their intervals, whether the sampler's checks hold, and what did not converge."""
    known = [abs(score) for row in checks if (score := float(str(row["z"]))) == score]
    within = sum(score <= 3 for score in known)
    options.say(f"{out}: {len(found.anchors)} anchors")
    for row in answer_rows(found):
        options.say(
            f"  {row['quantity']}: {row['value']:.3f} (95 % over anchors: {row['low']:.3f} to {row['high']:.3f})"
        )
    options.say(f"  sampler checks: {within} of {len(known)} z-scores within 3")
    if len(known) < len(checks):
        options.say(f"  {len(checks) - len(known)} pairs of fields share too few counts to check: give closer --fields")
    unsettled = sum(not row["converged"] for row in rows)
    if unsettled:
        options.say(f"  {unsettled} of {len(rows)} anchors and fields have not converged; see response.tsv")
