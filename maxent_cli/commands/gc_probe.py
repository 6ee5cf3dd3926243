"""maxent gc-probe: does the network hold a global count, such as GC content?"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from pathlib import Path

    from maxent_cli.analysis.counts import Interval95
    from maxent_cli.analysis.features import Feature
    from maxent_cli.analysis.gc_probe import Answer, Row
    from maxent_cli.commands.drawing import Job, Sampler
    from maxent_cli.io.gc_figure import GCFigure
    from maxent_cli.io.unfinished import Unfinished

POOLED = ("answer.tsv", "response.png")  # what all anchors together give; the other tables have rows of each
FIRST_SEED = 1_000_003  # of the untrained networks: unlikely to be anyone's training seed


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
    "--feature",
    default="gc",
    show_default=True,
    metavar="gc|cpg|kmer:WORD|motif:FILE",
    help="What is counted: G and C; CG; a word in IUPAC letters, as it reads on this strand; the first motif of a MEME "
    "file, on both strands.",
)
@click.option(
    "--match-p",
    default=1e-4,
    show_default=True,
    type=options.FiniteRange(0, 1, min_open=True),
    help="A motif matches where its score is as high as that of this share of places in the background, above 0 to 1.",
)
@click.option(
    "--fields",
    type=Fields(),
    default="-2,-1,0,1,2",
    show_default=True,
    help="Chemical potentials Δmu on each that is counted, in natural-log units, -10 to 10; 0 is always among them.",
)
@click.option(
    "--untrained",
    default=2,
    show_default=True,
    type=click.IntRange(0, 100),
    help="Networks with fresh random weights that are drawn from beside it, each at the beta at which it keeps as much "
    "energy, 0 to 100.",
)
@click.option(
    "--beside",
    type=click.Path(exists=True, file_okay=False),
    help="Model folder of a second network, drawn from in the same way.  [default: none]",
)
@options.genome_options
@options.window_options
@options.law_options
@options.tether_option(options.NONE)
@options.beta_options
@options.run_options
@options.shard_option
def command(model: str, out: str, fields: tuple[float, ...], **given: Any) -> None:
    """Does the network hold a global count, such as GC content?

    Around each of ANCHORS, sequences are drawn from p(x) ∝ q(x)·exp(Δmu·N(x) - beta·E(x)), N(x) being the number of G
    and C, or of what --feature says; beta is the same under all fields. Where the network holds N, the draws answer
    less than the background alone would (dashed, exact), N follows the anchor's (slope), and it varies less than
    positions that vary on their own would let it: rigidity, 1 - Var(N)/Var_indep(N), above 0.

    A motif that holds its letters does all of this a little, so the answer rests on the positions whose letters are no
    more than the draws' composition makes them, and on how far rigidity there exceeds that of untrained networks: yes
    if its 95 % interval, over anchors and untrained networks, lies above 0.25, no if below, else undecided. Anchors
    weigh by the network's mean distance of the background from them: where it sees next to no difference, what it holds
    makes none. Anchors, and untrained networks, whose chains disagree on N (R-hat above 1.2) are shown and do not
    count; without untrained networks it is held against beta = 0, which has none. Anchors should differ in N; positives
    and negatives at random are best. Another training may have learned otherwise: try other seeds.

    In the folder:

    \b
    answer.tsv      slopes and rigidities of network and references, with 95 % intervals over anchors; the answer
    fields.tsv      N, its variance and rigidity, energy and output kept over anchors, with intervals, a field a line
    response.tsv    the same with Monte Carlo errors, an anchor and field a line
    references.tsv  the same of the references, without a field
    checks.tsv      between neighbouring fields log P'(N)/P(N) must have the slope Δmu'-Δmu, and both, reweighted
                    half-way, the same mean N; z-scores, where chains agree on N
    response.png    the response, the draws' N against the anchors', and rigidity beside the references

    GC is a share of the positions that may change (share: yes); other counts are numbers, and outside local features
    numbers a place.
    """
    from maxent_cli.commands.stopping import stop_at_signals

    stop = stop_at_signals()
    options.before_torch()
    from maxent_cli.commands.drawing import inputs_asked, set_up
    from maxent_cli.io.digests import digest_of
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.tables import write_table
    from maxent_cli.io.unfinished import unfinished

    more = [path for path in (given["beside"], given["feature"].partition("motif:")[2]) if path]
    beside = given["shard"].rejected_table(out)
    outputs = planned([*inputs_asked(model, given), *more], folders=[out], implied=[beside])
    job = set_up(model, out, given)
    outputs = outputs.reading(*job.inputs)
    feature, job = counting(job, given)
    probe = prober(job, references(job, given), feature, fields, given["most_rhat"])
    job.part["run"]["digests"] |= {f"input {number}": digest_of(path) for number, path in enumerate(more, 1)}
    with unfinished(out, job.identity, stop) as work:
        probes = [read_probe(work, name) for name in job.work_through(work, probe)]
        rows, checks, beside = (
            [row for found in probes for row in found[name]] for name in ("response", "checks", "references")
        )
        part = job.part | {"kind": "folder"}
        with outputs.writing_folder(out, seed=given["seed"], device=given["device"], part=part) as folder:
            write_table(str(folder / "response.tsv"), rows)
            write_table(str(folder / "checks.tsv"), checks)
            write_table(str(folder / "references.tsv"), beside, () if beside or not rows else ("reference", *rows[0]))
            lines = list(pool(folder, given)) if rows else ["0 anchors"]
    for line in lines:
        options.say(f"{out}: {line}" if not line.startswith(" ") else line)


def prober(
    job: "Job", others: dict[str, Any], feature: "Feature", fields: tuple[float, ...], most_rhat: float
) -> "Callable[[Sampler], bytes]":
    """What draws around an anchor under all fields, and by other networks without one, and gives its rows as JSON."""
    from maxent_cli.analysis.gc_probe import probe_anchor
    from maxent_cli.interpret.sampling import ready, sample_alike, sample_fields

    for other in others.values():
        ready(other)

    def probe(sample: "Sampler") -> bytes:
        by_field = sample_fields(partial(sample, job.model), job.law, fields)
        plain = by_field[fields.index(0.0)]
        beside = {name: sample_alike(partial(sample, other), job.law, plain) for name, other in others.items()}
        rows = probe_anchor(by_field, beside, feature, fields, most_rhat)
        return json.dumps(asdict(rows), default=lambda number: number.item()).encode()

    return probe


def read_probe(work: "Unfinished", name: str) -> "dict[str, list[Row]]":
    """The rows of one anchor, of response, checks and references."""
    found: dict[str, list[Row]] = work.read_json(name)
    return found


def pool(folder: "Path", settings: dict[str, Any]) -> Iterator[str]:
    """Write into a folder what its tables say over all anchors, and say it."""
    from maxent_cli.analysis.gc_probe import AVERAGED, answer, over_anchors
    from maxent_cli.io.gc_figure import write_gc_figure
    from maxent_cli.io.tables import Columns, read_table, truth, write_table

    measured = [f"{name}{where}" for name in ("anchor", "draws", "rigidity") for where in ("", "_outside")]
    measured.append("rhat_counted")
    yes_or_no = dict.fromkeys(("converged", "told_from_background"), truth)
    common: Columns = {"record": str, **yes_or_no, **dict.fromkeys(measured, float)}
    wide = ("field", "beta_0", "beta_0_outside", "rhat", "energy_background", *AVERAGED)
    at_zero = dict.fromkeys(wide, float)
    wanted: dict[str, Columns] = {
        "response": {**common, **at_zero, "counted": str, "share": truth},
        "references": {**common, "reference": str},
        "checks": {"z": float},
    }
    response, references, checks = (
        list(read_table(str(folder / f"{name}.tsv"), columns, "probe again")) for name, columns in wanted.items()
    )
    found = answer(response, references, settings["seed"], anchored=settings["held"] == "anchor")
    label = response[0]["counted"]
    write_table(str(folder / "answer.tsv"), answer_rows(found, label))
    write_table(str(folder / "fields.tsv"), over_anchors(response, settings["seed"]))
    write_gc_figure(str(folder / "response.png"), figure_of(found, label, response[0]["share"]))
    yield from report(found, (response, references, checks), label)


def counting(job: "Job", given: dict[str, Any]) -> "tuple[Feature, Job]":
    """The feature that --feature names, and the job with a law that counts it."""
    from dataclasses import replace

    from maxent_cli.analysis.features import FEATURES, gc
    from maxent_cli.io.motif_files import read_meme

    kind, _, rest = given["feature"].partition(":")
    if kind == "gc" and not rest:
        return gc(), job
    try:
        if kind == "motif" and rest:
            feature = FEATURES[kind](read_meme(rest)[0], job.law.background, given["match_p"])
        else:
            feature = FEATURES[kind](*filter(None, [rest]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f": {error}" if isinstance(error, ValueError) else ""
        raise click.UsageError(
            f"--feature {given['feature']} is none of gc, cpg, kmer:WORD, motif:FILE{reason}"
        ) from error
    return feature, replace(job, law=replace(job.law, counted=feature))


def references(job: "Job", given: dict[str, Any]) -> dict[str, Any]:
    """Networks that are drawn from beside the one that is asked about, by name."""
    from maxent_cli.analysis.gc_probe import UNTRAINED
    from maxent_cli.commands.drawing import LEAST_RUNGS, place
    from maxent_cli.io.networks import Source, load_network
    from maxent_cli.models.adapter import Reading
    from maxent_cli.models.untrained import untrained

    count, others = given["untrained"], dict[str, Any]()
    unknown = job.law.held != "anchor" or job.run.rungs < LEAST_RUNGS or not job.run.warmup
    if unknown and (count or given["beside"]):
        needs = f"--law anchor, --rungs of at least {LEAST_RUNGS} and a warm-up, to find the beta of other networks"
        raise click.UsageError(f"--untrained and --beside need {needs}: give them, or --untrained 0")
    try:
        others = {f"{UNTRAINED} {number + 1}": untrained(job.model, FIRST_SEED + number) for number in range(count)}
    except ValueError as error:
        raise click.UsageError(f"--untrained: {error}; give --untrained 0") from error
    if given["beside"]:
        network = load_network(Source(given["beside"], {}))
        second = network.read_as(Reading(), job.anchors.codes.shape[1])
        if second.outputs != job.model.outputs or second.input_length != job.model.input_length:
            raise click.UsageError(f"--beside {given['beside']} has other outputs or another input length")
        others[f"beside: {given['beside']}"] = second
    for other in others.values():
        place(other, job.run.device)
    return others


def answer_rows(found: "Answer", label: str) -> list[dict[str, object]]:
    """The answer as rows: quantity, of which network, value, and its 95 % interval over anchors."""
    rows: list[dict[str, object]] = [
        {"quantity": measure, "of": name, "value": e.value, "low": e.low, "high": e.high}
        for measure in next(iter(found.measures.values()))
        for name, e in ((name, each[measure]) for name, each in found.measures.items())
    ]
    excess = {"value": found.excess.value, "low": found.excess.low, "high": found.excess.high}
    null = "untrained networks" if found.counted else "beta = 0"
    rows.append({"quantity": f"rigidity outside, beyond {null}", "of": "network", **excess})
    rows.append({"quantity": f"{label} held: {found.verdict}", "of": "network", **dict.fromkeys(excess)})
    return rows


def figure_of(found: "Answer", label: str, share: bool) -> "GCFigure":
    """The figure's arrays."""
    import numpy as np

    from maxent_cli.analysis.gc_probe import LEAST_EXCESS
    from maxent_cli.io.gc_figure import GCFigure

    def triple(estimate: "Interval95") -> list[float]:
        return [estimate.value, estimate.low, estimate.high]

    return GCFigure(
        label=label,
        unit=100.0 if share else 1.0,
        fields=found.fields,
        response=np.array([triple(estimate) for estimate in found.response]),
        exact=found.exact,
        anchors=found.anchors,
        draws=found.draws,
        slope=np.array(triple(found.measures["network"]["slope"])),
        rigidity={name: np.array(triple(each["rigidity outside"])) for name, each in found.measures.items()},
        excess=np.array(triple(found.excess)),
        null="untrained ones" if found.counted else "beta = 0",
        margin=LEAST_EXCESS,
        verdict=found.verdict,
    )


def report(found: "Answer", tables: "tuple[list[Row], ...]", label: str) -> Iterator[str]:
    """The answer, slopes and rigidities beside the references', the sampler's checks, and what did not settle.

    tables: response, references, checks.
    """
    from maxent_cli.analysis.gc_probe import sentence

    response, references, checks = tables
    rows = response + references
    known = [abs(score) for row in checks if (score := float(str(row["z"]))) == score]
    yield f"{len(found.anchors)} anchors; {sentence(found, label)}"
    for name, measures in found.measures.items():
        parts = (f"{measure} {e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for measure, e in measures.items())
        yield f"  {name}: {', '.join(parts)}"
    within = sum(score <= 3 for score in known)
    yield f"  sampler checks: {within} of {len(known)} z-scores within 3, the largest {max(known, default=0):.1f}"
    if len(known) < len(checks):
        what = "fields share too few counts, or chains disagree: give closer --fields, more --draws"
        yield f"  {len(checks) - len(known)} checks are not judged: {what}"
    alike = sum(row["field"] == 0 and not row["told_from_background"] for row in response)
    if alike:
        yield f"  {alike} of {len(found.anchors)} anchors the network does not tell from background"
    unsettled = sum(not row["converged"] for row in rows)
    if unsettled:
        yield f"  {unsettled} of {len(rows)} anchors and fields have not converged; see response.tsv, references.tsv"
