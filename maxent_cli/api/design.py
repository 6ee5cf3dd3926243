"""Sequences of a wanted output, and edits that lead to one: the law of most entropy at it, its price, its draws."""

import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, decode
from maxent_cli.analysis.designs import (
    Row,
    design_rows,
    edit_rows,
    edited,
    edits_of,
    mean_distance,
    most_unlike,
    number_rows,
    set_rows,
    spread_out,
    taken,
)
from maxent_cli.analysis.diagnostics import diagnose, mcse_mean
from maxent_cli.analysis.free_energy import bits_of_law
from maxent_cli.api.anchors import Anchors, Given, anchors
from maxent_cli.api.examining import random_anchors
from maxent_cli.api.jobs import Job, Sampler, Subject, Task, check_together, take_up
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import settings_of
from maxent_cli.data import WHOLE, Anchor, Floats, SampleSet, Shard
from maxent_cli.engine.proposals import SINGLE_LETTERS
from maxent_cli.engine.support import bytes_of_inside
from maxent_cli.errors import SettingsError, require_range
from maxent_cli.interpret.annealing import Optima, anneal
from maxent_cli.interpret.constraints import FREE, Constraints, log_share_inside
from maxent_cli.interpret.edits import smallest_sets
from maxent_cli.interpret.law import Law, background_of, evaluate, output_term
from maxent_cli.interpret.sampling import Sampling
from maxent_cli.io.machine import granted_cpus, require_memory
from maxent_cli.io.outputs import planned, writing
from maxent_cli.io.tables import write_table
from maxent_cli.io.unfinished import Unfinished, unfinished
from maxent_cli.laws import beta_of_spread, is_reached
from maxent_cli.tables.design import BY_RECORD, OF_EDITS

BEST, OUTPUT, NEAR = "best", "output", "near"
MOST_DESIGNS = 10_000
MOST_SETS = 20  # of edits that are written
MOST_SAID = 5  # records, to people
UNANCHORED = "design"  # what designs are called where there is no record


@dataclass(frozen=True)
class Design:
    """What is wanted.

    to: the mean output; with a spread each design's own lies so near to it, a standard deviation. near: edits of the
    anchors with outputs as near (None: a tenth of how far the anchor's is from it). best: no mean, but the highest
    output that is found. number: of sequences that are written of each record; apart: letters in which any two of them
    differ at least. constraints: on what there may be at all. Raises SettingsError where two of these exclude each
    other.
    """

    to: float | None = None
    near: bool = False
    spread: float | None = None
    best: bool = False
    number: int = 100
    apart: int = 1
    constraints: Constraints = FREE

    def __post_init__(self) -> None:
        if (self.to is None) != self.best:
            raise SettingsError("to", "", "is the output that is wanted, unless the best is", "give to, or best")
        if self.best and self.near:
            raise SettingsError("best", "", "excludes near", "give one of them")
        if self.best and self.spread is not None:
            raise SettingsError("best", "", "excludes spread", "give one of them")
        require_range("spread", self.spread, 0, 1e9, "()")
        require_range("designs", self.number, 1, MOST_DESIGNS)
        require_range("apart", self.apart, 1)

    @property
    def kind(self) -> str:
        """What is written."""
        return BEST if self.best else NEAR if self.each_near else OUTPUT

    @property
    def each_near(self) -> bool:
        """Whether each output, and not their mean alone, is near what is wanted."""
        return self.near or self.spread is not None

    @property
    def free_to_choose(self) -> bool:
        """Whether it does not matter to the mean output, nor to the number of edits, which of the draws are written."""
        return self.spread is not None and not self.near

    def law_of(self, asked: Law) -> Law:
        """The law whose draws are wanted, of the outputs and background that are asked for."""
        if self.best:
            return replace(asked, held="output", beta=1.0, to=None, keep=None)
        beta = None if self.spread is None else beta_of_spread(self.spread)
        tether = None if asked.tether == "auto" and not self.near else asked.tether
        return replace(asked, held=self.kind, beta=beta, to=self.to, keep=None, tether=tether)


@whole_products()
def design(
    network: Network,
    given: Given | None = None,
    wanted: Design | None = None,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    out: str | None = None,
    shard: Shard = WHOLE,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """Draw sequences of a wanted output, or edits of anchors that lead to one.

    The designs are draws from p(x) ∝ q(x)·exp(gamma·output(x)) on all sequences that the constraints allow, gamma being
    found so that the mean output is `wanted.to`: of all laws of that mean it has the most entropy relative to the
    background q (Jaynes, Phys Rev 106:620, 1957), so that no designs of that mean are more diverse. Its price is its
    divergence from q, in bits. Edits are draws from q(x)·exp(-(output(x) - to)²/2s²), q leaning to the anchor.

    Parameters
    ----------
    network
        What `network` gives.
    given
        Sequences that positions which stay are taken from, or, of edits, that are edited, as `sample` takes them; None:
        all is designed.
    wanted
        The output, the number of designs, and what constrains them.
    law
        Of which output (one, 'A-B' for on in A and off in B, or a TSV of weights), background and tether; held, beta
        and to follow from `wanted`.
    sampling, out, shard, threads, progress
        As `sample` takes them; out is a folder.

    Returns
    -------
    Results
        Tables 'summary' (output reached, gamma and price in bits, with Monte Carlo errors), 'designs', and of edits
        'edits', 'edit_numbers' and 'edit_sets'.

    Raises
    ------
    InputError
        Where the input cannot be used, settings exclude each other, or the constraints leave no sequence.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> wanted = mx.Design(to=5.0, number=20, constraints=mx.Constraints(sites=("EcoRI",), gc=(0.4, 0.6)))
    >>> found = mx.design(mx.network("model"), wanted=wanted)  # doctest: +SKIP
    >>> found["designs"].sequence  # doctest: +SKIP
    """
    what, run = wanted or Design(best=True), sampling or Sampling()
    asked = what.law_of(law or Law())
    check_together(asked, run)
    if what.constraints.any and run.moves == SINGLE_LETTERS:
        raise SettingsError("moves", "", "single letters may not reach all that constraints allow", "give all moves")
    if what.best and asked.hold is not None:
        raise SettingsError("hold", "", "is overrun where the output goes to its highest", "give to")
    task = Task("design", listener_of(progress), out, shard, threads or granted_cpus())
    source = _source(network, given, asked, what)
    outputs = planned(
        [*network.files, *source.files, *asked.files], folders=[out], implied=[task.rejected_table], noting=False
    )
    settings = settings_of(law=asked, sampling=run, reading=network.reading, design=what)
    subject = take_up(network, source, asked, run.device, settings, task)
    subject = replace(subject, law=replace(subject.law, constraints=what.constraints))
    _require_memory(subject, task)
    job, rows_of = Job(subject, run, task), _Designer(subject, run, what, given is not None)
    with (
        tempfile.TemporaryDirectory() as scratch,
        unfinished(out or f"{scratch}/design", subject.identity, task.listener.stop) as work,
    ):
        kept = job.work_through(work, rows_of, anneal if what.best else None)
        part = subject.run.part("folder")
        with results_folder(out, outputs, seed=run.seed, device=run.device, part=part) as folder:
            summary = _write(folder, work, kept, what)
    return tell(folder, out, "summary", account(summary, what), task.listener)


def _source(network: Network, given: Given | None, law: Law, what: Design) -> Anchors:
    """The anchors; where there are none, a sequence whose letters do not matter."""
    if given is not None:
        return anchors(given)
    for name, asked in (("near", what.near), ("hold", law.hold is not None)):
        if asked:
            raise SettingsError(name, "", "needs anchors", "give them")
    if network.input_length is None:
        raise SettingsError("anchors", "", f"{network.name} does not say how many letters it reads", "give anchors")
    background = law.frequencies or network.background or (0.25,) * 4
    (codes,) = random_anchors(network.input_length, background, 1).codes
    return anchors({UNANCHORED: decode(codes)})


def _require_memory(subject: Subject, task: Task) -> None:
    length = subject.anchors.codes.shape[1]
    support = subject.law.constraints.support(length)
    if support is not None:
        workers = max(1, min(task.threads, len(subject.anchors)))
        what = f"the constraints on {length} letters, for {workers} at once"
        cure = "give fewer forbidden words, no limits on G and C, or fewer --threads"
        require_memory(workers * bytes_of_inside(support, length), what, cure)


@dataclass(frozen=True)
class _Designer:
    """Makes the rows of all tables of what was found for a record; anchored: whether records were given."""

    subject: Subject
    run: Sampling
    what: Design
    anchored: bool

    def __call__(self, draw: Sampler) -> bytes:
        """As JSON, by table."""
        found = draw(self.subject.model, self.subject.law)
        rows = self.of_optima(found) if isinstance(found, Optima) else self.of_draws(found)
        return json.dumps(rows, default=lambda number: number.item()).encode()

    def of_draws(self, samples: SampleSet) -> dict[str, list[Row]]:
        """Designs of a mean output, or edits."""
        diagnosis = diagnose(samples, self.run.max_rhat, self.run.min_ess)
        settled = {"converged": diagnosis.converged, "rhat": diagnosis.worst_rhat}
        codes, output = self._candidates(samples)
        choose = most_unlike if self.what.free_to_choose else taken
        rows = choose(codes, self.what.number, self.what.apart)
        anchor = samples.anchor if self.anchored else None
        summary = self._summary(samples) | settled | {"ess": diagnosis.least_ess} | _of_designs(codes[rows])
        found = {"designs": design_rows(samples.name, codes[rows], output[rows], anchor, settled)}
        if self.what.near:
            found |= self._edits(samples, settled)
            summary |= _edits_told(samples, found["edit_sets"])
        return found | {"summary": [summary]}

    def of_optima(self, found: Optima) -> dict[str, list[Row]]:
        """Designs of the highest output."""
        rows, name = taken(found.codes, self.what.number, self.what.apart), found.anchor.name
        codes, output = found.codes[rows], found.output[rows]
        summary = {
            "record": name,
            "output": output[0],
            "output_anchor": found.anchor_output,
            "output_background": found.background,
            "bits_constraints": self._bits_of_constraints(found.anchor),
            "chains": int(found.chains[0]),
            "kernel": found.kernel,
            "steps": found.steps,
        }
        anchor, undrawn = found.anchor.codes if self.anchored else None, {"converged": None, "rhat": None}
        designs = design_rows(name, codes, output, anchor, undrawn)
        return {"summary": [self._whole(summary) | _of_designs(codes)], "designs": designs}

    def _candidates(self, samples: SampleSet) -> tuple[Codes, Floats]:
        """Draws (n, L) in the order they are taken in, and outputs (n,); near an output those within the spread."""
        codes, output = samples.codes.reshape(-1, samples.codes.shape[-1]), samples.output.ravel()
        order = spread_out(*samples.output.shape)
        if self.what.each_near:
            order = order[np.abs(output - self.wanted)[order] <= _spread(samples)]
        return codes[order], output[order]

    @property
    def wanted(self) -> float:
        """The output that is wanted."""
        assert self.what.to is not None
        return self.what.to

    def _summary(self, samples: SampleSet) -> Row:
        bits, near = bits_of_law(samples), self.what.each_near
        background = float(samples.output_background[1]) if near else -samples.energy_background
        gamma = math.copysign(samples.beta, self.wanted - background)
        met = is_reached(float(samples.output.mean()), self.wanted, background)
        reached = np.abs(samples.output - self.wanted) <= _spread(samples) if near else met
        return self._whole(
            {
                "record": samples.name,
                "to": self.wanted,
                "output": samples.output.mean(),
                "output_error": float(mcse_mean(samples.output)),
                "reached": bool(np.any(reached)),
                "output_anchor": samples.anchor_output,
                "output_background": background,
                **({} if near else {"gamma": gamma, "gamma_error": samples.beta_error}),
                "bits": float(bits.value),
                "bits_error": float(bits.error),
                "bits_constraints": self._bits_of_constraints(anchor_of(samples)),
                "kernel": samples.kernel,
                "steps": samples.thin * samples.codes.shape[1],
            }
        )

    def _whole(self, some: Row) -> Row:
        """A row of the summary, with nothing in what is not among some of its columns."""
        summary, *_ = BY_RECORD
        told = some if self.anchored else some | {"output_anchor": None}
        return dict.fromkeys(summary.names) | {"law": self.what.kind} | told

    def _bits_of_constraints(self, anchor: Anchor) -> float:
        law = self.subject.law
        return abs(log_share_inside(anchor, background_of(anchor, law)[0], law.constraints)) / math.log(2)

    def _edits(self, samples: SampleSet, settled: Row) -> dict[str, list[Row]]:
        law, device = self.subject.law, torch.device(self.run.device)
        term, support = output_term(self.subject.model, law.outputs), law.constraints.support(len(samples.anchor))

        def outputs(codes: Codes) -> Floats:
            return evaluate(term, codes, device)

        def inside(codes: Codes) -> NDArray[np.bool_]:
            return np.ones(len(codes), np.bool_) if support is None else support(torch.from_numpy(codes)).numpy() == 0

        sets = smallest_sets(samples, self.wanted, _spread(samples), outputs, inside)
        told = sets.codes[:MOST_SETS], sets.output[:MOST_SETS]
        return {
            "edits": edit_rows(samples, settled),
            "edit_numbers": number_rows(samples, settled),
            "edit_sets": set_rows(samples.name, samples.anchor, *told, self.wanted, settled),
        }


def anchor_of(samples: SampleSet) -> Anchor:
    """What the draws are around."""
    return Anchor(samples.name, samples.anchor, samples.interval, samples.mutable)


def _spread(samples: SampleSet) -> float:
    """The standard deviation of the output that edits are drawn with."""
    return 1 / math.sqrt(2 * samples.beta)


def _of_designs(codes: Codes) -> Row:
    return {"designs": len(codes), "distance": mean_distance(codes)}


def _edits_told(samples: SampleSet, sets: list[Row]) -> Row:
    numbers = edits_of(samples)
    return {
        "edits": numbers.mean(),
        "edits_error": float(mcse_mean(numbers)),
        "edits_background": edited(samples).background.sum(),
        "smallest": sets[0]["edits"] if sets else None,
    }


def _write(folder: Path, work: Unfinished, kept: list[str], what: Design) -> list[Row]:
    """Write the tables of all records, and the designs as FASTA; give the rows of the summary."""
    found = [work.read_json(name) for name in kept]
    for table in BY_RECORD:
        name = table.file.removesuffix(".tsv")
        if table not in OF_EDITS or what.near:
            write_table(str(folder / table.file), [row for one in found for row in one[name]], table)
    designs = [row for one in found for row in one["designs"]]
    with writing(str(folder / "designs.fa")) as stream:
        stream.writelines(f">{row['design']} output={row['output']:.6g}\n{row['sequence']}\n" for row in designs)
    return [row for one in found for row in one["summary"]]


def account(summary: list[Row], what: Design) -> Iterator[str]:
    """What was found, in words."""
    designs = sum(row["designs"] for row in summary)
    yield f"{len(summary)} records, {designs} designs"
    for row in summary[:MOST_SAID]:
        yield f"  {row['record']}: {_told(row)}"
    short = [row for row in summary if row["designs"] < what.number]
    if short and not what.best:
        yield f"  {len(short)} records have fewer than {what.number} designs: give more --draws, or less --apart"
    missed = sum(row["reached"] is False for row in summary)
    if missed:
        yield f"  {missed} of {len(summary)} records do not reach the output that is wanted: give another --to"
    unsettled = sum(row["converged"] is False for row in summary)
    if unsettled:
        yield f"  {unsettled} of {len(summary)} records have not converged: more --max-steps or --replicas may help"


def _told(row: Row) -> str:
    """What a row of the summary says, in words."""
    if row["law"] == BEST:
        return f"output {row['output']:.4g} at best, to which {row['chains']} chains came"
    reached = f"output {row['output']:.4g} ± {row['output_error']:.2g} where {row['to']:.4g} is wanted"
    price = f"{row['bits']:.3g} ± {row['bits_error']:.2g} bits"
    if row["law"] == OUTPUT:
        return f"{reached}, gamma {row['gamma']:.4g} ± {row['gamma_error']:.2g}, {price}"
    if row["edits"] is None:
        return f"{reached}, each near it, {price}"
    least = "none is near" if row["smallest"] is None else f"the smallest set has {row['smallest']}"
    return f"{reached}, {row['edits']:.3g} ± {row['edits_error']:.2g} edits, {least}; {price}"
