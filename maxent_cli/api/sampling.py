"""Draws around anchors: from a network, a law and settings to a file of draws."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from maxent_cli.alphabet import decode
from maxent_cli.analysis.diagnostics import diagnose
from maxent_cli.analysis.series import beta_series
from maxent_cli.analysis.summary import of_networks, summarise
from maxent_cli.api.anchors import Anchors, Given, anchors
from maxent_cli.api.draws import Draws
from maxent_cli.api.hours import MOST_HOURS, require_hours
from maxent_cli.api.jobs import Job, Sampler, Task, check_together, granted_cpus, take_up
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.precision import whole_products
from maxent_cli.api.runs import settings_of
from maxent_cli.data import WHOLE, SampleSet, Shard
from maxent_cli.errors import SettingsError
from maxent_cli.interpret.conditionals import block_conditionals
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import PRESETS, Sampling
from maxent_cli.io.files import is_device
from maxent_cli.io.outputs import Opening, copy_into, planned
from maxent_cli.io.samples import draws_into, packed, unpacked
from maxent_cli.io.tables import Row, write_rows
from maxent_cli.io.unfinished import HEADER, Unfinished, unfinished
from maxent_cli.laws import is_reached
from maxent_cli.tables.sampling import NETWORKS, SERIES, SUMMARY

MOST_SAID = 3  # anchors that have not converged, by name
MOST_LINES = 1000  # anchors of which each is said when it is finished


@whole_products()
def sample(
    network: Network,
    given: Given,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    gc: float | None = None,
    preset: str | None = None,
    out: str | None = None,
    fasta: str | None = None,
    shard: Shard = WHOLE,
    max_hours: float = MOST_HOURS,
    threads: int | None = None,
    progress: Progress = True,
) -> Draws:
    """Draw sequences that a network cannot tell from each anchor, and otherwise as random as possible.

    The law is p(x) ∝ q(x)·exp(-beta·E(x)), with E the distance of the representations of x and of the anchor, weighted
    by the output layer, and q the background (Finnegan & Song, PLoS Comput Biol 13:e1005836, 2017, eq. 2).

    Parameters
    ----------
    network
        What `network` gives.
    given
        Sequences as strings, or by name; the path of a FASTA file; or what `anchors` gives.
    law, sampling
        What is held and how it is drawn from; by default what the network gives, and the standard preset.
    gc, preset
        In place of Law(gc=...) and of sampling: 'quick', 'standard' (until converged), 'thorough' or 'published'.
    out
        Draws file (.npz), with its summary (OUT.tsv) and its beta series (OUT.series.tsv) beside it.
        Unfinished work lies in OUT.partial, from which the same call goes on. Without it, draws are kept until nobody
        holds them.
    fasta
        Also write the draws as FASTA, named record/chain/draw.
    shard, threads
        Which part of the records; CPU threads, by default those granted.
    max_hours
        A run that would take longer is not begun; how long it would is in the error. Of networks that the compiled
        chain cannot take, it is the least: what their passes take, and draws that converge at once.
    progress
        True: bars on stderr; False: none; or a function that is given each step.

    Returns
    -------
    Draws
        An anchor at a time: codes (C chains, D draws, L positions), energies and outputs (C, D).

    Raises
    ------
    InputError
        Where the input cannot be used, or settings exclude each other.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> from torch import nn
    >>> net = mx.network(nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 1)), 10)
    >>> draws = mx.sample(net, ["ACGTTGCAAC"], gc=0.41, preset="quick", progress=False)
    >>> draws[0].codes.shape
    (8, 100, 10)
    """
    asked, run = _settled(law, gc, sampling, preset)
    task = Task("sample", listener_of(progress), out, shard, threads or granted_cpus())
    if out is not None and not is_device(out):
        rows, parts = _draw(network, anchors(given), asked, run, task, fasta, max_hours)
        _report(rows, f"{out}: ", asked, task.listener)
        return Draws(out, rows=rows, parts=parts)
    folder = Path(tempfile.mkdtemp(prefix="maxent-"))
    kept = replace(task, out=str(folder / "draws.npz"))
    rows, parts = _draw(network, anchors(given), asked, run, kept, fasta, max_hours)
    _report(rows, "" if out is None else f"{out}: ", asked, task.listener)
    if out is not None:  # which has no neighbours, and cannot be read again
        copy_into(str(kept.out), out)
    return Draws(str(kept.out), folder, rows, parts)


def preset_of(name: str) -> Sampling:
    """The settings that a preset names."""
    if name not in PRESETS:
        raise SettingsError("preset", "", f"there is none named {name}", f"give one of {', '.join(PRESETS)}")
    return PRESETS[name]


def _settled(law: Law | None, gc: float | None, sampling: Sampling | None, preset: str | None) -> tuple[Law, Sampling]:
    if sampling is not None and preset is not None:
        raise SettingsError("preset", "", "excludes sampling", "give one of them")
    asked = law or Law()
    asked = asked if gc is None else replace(asked, gc=gc)
    run = sampling or preset_of(preset or "standard")
    check_together(asked, run)
    return asked, run


def _draw(
    network: Network,
    given: Anchors,
    law: Law,
    sampling: Sampling,
    task: Task,
    fasta: str | None,
    most_hours: float,
) -> tuple[list[Row], list[Shard]]:
    """Draw around all anchors, and write draws, summary, series and FASTA with their records.

    Gives the summary's rows, and the part of all records that each anchor is.
    """
    out = str(task.out)
    paths = {"draws": out, "summary": f"{out}.tsv", "series": f"{out}.series.tsv", "fasta": fasta}
    paths["networks"] = f"{out}.networks.tsv" if network.parts else None
    beside = [paths["summary"], paths["series"], paths["networks"], task.rejected_table]
    outputs = planned([*network.files, *given.files, *law.files], [out, fasta], implied=beside, noting=False)
    settings = settings_of(law=law, sampling=sampling, reading=network.reading)
    subject = take_up(network, given, law, sampling.device, settings, task)
    job = Job(subject, sampling, task)
    require_hours(job, most_hours)
    header = {"law": subject.law.header, "run": asdict(sampling), "model": network.digest}
    reading = network.reading if law.layer is None else replace(network.reading, layer=law.layer)
    header |= {"reading": reading.__dict__, "outputs": subject.outputs}

    def with_conditionals(samples: SampleSet) -> SampleSet:
        found = block_conditionals(subject.model, subject.law, samples)
        return replace(samples, conditionals=None if found is None else found.astype(np.float32))  # as in the file

    summed = Summed(sampling, subject.law.kind.is_distance)

    def result(draw: Sampler) -> bytes:
        samples = with_conditionals(draw(subject.model, subject.law))
        line = summed.line(samples)  # here, where anchors are beside each other, and not when all are written
        if len(subject.anchors) <= MOST_LINES:
            task.listener.say(f"  {line}")
        return packed(samples)

    with unfinished(out, subject.identity, task.listener.stop) as work:
        work.write(HEADER, json.dumps({"anchors": len(subject.anchors), **header}).encode())
        kept = job.work_through(work, result)
        with outputs.writing(seed=sampling.seed, device=sampling.device) as opening:
            rows = _write(opening, (work, kept), paths, summed, job, header)
    return rows, [Shard(int(number) + 1, subject.run.read) for number in subject.anchors.numbered]


def _write(
    opening: Opening,
    done: tuple[Unfinished, list[str]],
    paths: dict[str, str | None],
    summed: "Summed",
    job: Job,
    header: dict[str, Any],
) -> list[Row]:
    """Put the results together, an anchor at a time; give the rows of the summary."""
    rows, series, networks = list[Row](), list[Row](), list[Row]()
    (work, kept), part = done, job.subject.run.part
    with (
        draws_into(opening(paths["draws"], "wb", part=part("draws")), header) as draws,
        job.task.listener.progress("writing", len(kept), "anchors") as ticker,
    ):
        summary, betas = (opening(paths[name], part=part(name)) for name in ("summary", "series"))
        fasta, each = (opening(paths[name], part=part(name)) if paths[name] else None for name in ("fasta", "networks"))
        for name in kept:
            with work.reading(name) as path:
                samples = unpacked(path)
            draws.add(samples)
            row, betas_of = summed.of(samples)
            rows.append(row)
            series += betas_of
            networks += of_networks(samples)
            if fasta:
                fasta.writelines(_fasta_lines(samples))
            ticker.advance()
        write_rows(summary, rows, SUMMARY)
        write_rows(betas, series, SERIES)
        if each:
            write_rows(each, networks, NETWORKS)
    return rows


@dataclass(frozen=True)
class Summed:
    """Rows of the summary and the series of each anchor, kept once they are known, by its name and letters."""

    run: Sampling
    is_distance: bool
    known: dict[tuple[str, bytes], tuple[Row, list[Row]]] = field(default_factory=dict)

    def of(self, samples: SampleSet) -> tuple[Row, list[Row]]:
        """Those of an anchor."""
        key = (samples.name, samples.anchor.tobytes())
        if key not in self.known:
            diagnosis = diagnose(samples, self.run.max_rhat, self.run.min_ess)
            series = beta_series(samples, diagnosis, self.is_distance)
            self.known[key] = summarise(samples, diagnosis, self.is_distance), list(series)
        return self.known[key]

    def line(self, samples: SampleSet) -> str:
        """What there is to say of an anchor that is finished."""
        row, _ = self.of(samples)
        converged = "converged" if row["converged"] else "not converged"
        bits = f"{row['bits']:.2f} ± {row['bits_error']:.2f} bits"
        return f"{row['record']}: {bits}, R-hat {row['rhat']:.3f}, {converged}"


def _report(rows: list[Row], where: str, law: Law, listener: Listener) -> None:
    """Say how many anchors have not converged, the first few by name, and what may help; and what was not reached."""
    unsettled = [row for row in rows if not row["converged"]]
    listener.say(f"{where}{len(rows)} anchors, {len(unsettled)} not converged")
    for row in unsettled[:MOST_SAID]:
        listener.say(
            f"  {row['record']}: R-hat {row['rhat']:.3g} ({row['rhat_quantity']}), "
            f"ESS {row['ess']:.3g} ({row['ess_quantity']}), "
            f"frequencies to {row['frequency_error']:.2g} ({row['frequency_error_quantity']})"
        )
    if unsettled:
        listener.say("  more --max-steps, --chains or --replicas, a longer --warmup, or a lower --beta may help")
    if law.to is not None and law.kind.own_beta is None:
        _tell_missed(rows, law.to, law.hold is not None, listener)


def _tell_missed(rows: list[Row], wanted: float, holding: bool, listener: Listener) -> None:
    """Say of which anchors the mean output is not the one wanted, the first few by name, and what may help."""
    reached = [is_reached(cast(float, row["output"]), wanted, cast(float, row["output_background"])) for row in rows]
    missed = [row for row, there in zip(rows, reached, strict=True) if not there]
    for row in missed[:MOST_SAID]:
        found = f"{row['output']:.4g} ± {row['output_error']:.2g}"
        listener.say(f"  {row['record']}: mean output {found}, and {wanted:.4g} is wanted")
    if missed:
        firmly = ", a lower --hold-beta" if holding else ""
        listener.say(f"  not reached: {len(missed)} of {len(rows)}; a --to nearer to these{firmly} may help")


def _fasta_lines(samples: SampleSet) -> Iterator[str]:
    """The draws as FASTA, named record/chain/draw, both counted from 0."""
    for chain, draws in enumerate(samples.codes):
        for draw, codes in enumerate(draws):
            yield f">{samples.name}/{chain}/{draw}\n{decode(codes)}\n"
