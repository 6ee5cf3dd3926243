"""Does a network hold a global count, such as GC content? Draws under a chemical potential on it, and what they say."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.alphabet import Frequencies
from maxent_cli.analysis.features import FEATURES, Feature
from maxent_cli.analysis.gc_probe import (
    Answer,
    CountHeld,
    Row,
    answer,
    over_anchors,
    probe_anchor,
    sentence,
    told,
)
from maxent_cli.analysis.held_counts import LEAST_RIGIDITY
from maxent_cli.analysis.over_anchors import Interval95
from maxent_cli.api.anchors import Given, anchors
from maxent_cli.api.jobs import Job, Sampler, Subject, Task, check_together, take_up
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import settings_of
from maxent_cli.data import WHOLE, Shard
from maxent_cli.errors import SettingsError
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.sampling import Sampling, sample_potentials
from maxent_cli.io.digests import run_digests
from maxent_cli.io.gc_figure import GCFigure, write_gc_figure
from maxent_cli.io.machine import granted_cpus
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import read_table, write_table
from maxent_cli.io.unfinished import Unfinished, unfinished
from maxent_cli.laws import LAWS
from maxent_cli.tables.gc_probe import ANSWER, BY_ANCHOR, BY_MU, CHECKS, COUNTS, COVARIANCES, RESPONSE

MOST_MU = 10
SHOWN = ("A", "C", "G", "T", "G and C", "A and G", "G and T", "CG")  # in the figure, besides what is held or asked for


@dataclass(frozen=True)
class Probe:
    """What is counted, and how it is pushed.

    feature: 'gc', 'cpg', 'kmer:WORD' (IUPAC letters, as it reads on this strand) or 'motif:FILE' (the first motif of a
    MEME file, on both strands). match_p: a motif matches where its score is as high as that of this share of places in
    the background. mu: chemical potentials on each that is counted, in natural-log units, -10 to 10; 0 is always
    among them. Raises InputError where a number is out of range.
    """

    feature: str = "gc"
    match_p: float = 1e-4
    mu: tuple[float, ...] = (-0.5, 0.0, 0.5)

    def __post_init__(self) -> None:
        potentials = tuple(sorted({*map(float, self.mu), 0.0}))
        if len(potentials) < 2 or not all(abs(mu) <= MOST_MU for mu in potentials):
            cure = "give numbers between -10 and 10, as in -1, 0, 1"
            raise SettingsError("mu", "", "are not two chemical potentials at least", cure)
        if not 0 < self.match_p <= 1:
            raise SettingsError("match_p", "", f"{self.match_p:g} is no share of places", "give a number in (0, 1]")
        object.__setattr__(self, "mu", potentials)

    @property
    def motif_file(self) -> str | None:
        """The path that is read for what is counted, if there is one."""
        return self.feature.partition("motif:")[2] or None

    def counted(self, background: Frequencies) -> Feature:
        """What is counted. Raises InputError where it is none that is known."""
        kind, _, rest = self.feature.partition(":")
        try:
            if kind == "motif" and rest:
                return FEATURES[kind](read_meme(rest)[0], background, self.match_p)
            return FEATURES[kind](*filter(None, [rest]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            reason = f": {error}" if isinstance(error, ValueError) else ""
            cure = "give gc, cpg, kmer:WORD or motif:FILE"
            raise SettingsError("feature", "", f"{self.feature} is none that can be counted{reason}", cure) from error


@whole_products()
def gc_probe(
    network: Network,
    given: Given,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    probe: Probe | None = None,
    out: str | None = None,
    shard: Shard = WHOLE,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """Test which global counts a network holds, such as GC content, and how one answers a chemical potential.

    Around each anchor sequences are drawn from p(x) ∝ q(x)·exp(mu·N(x) - beta·E(x)), N(x) being the count that is asked
    for. Where the network holds N, the draws answer mu less than the background alone would, N follows the anchor's,
    and it varies less than positions on their own would let it: rigidity, 1 - Var(N)/Var_free(N), is above 0. From the
    draws at mu = 0 this is measured of letters, their pairs and halves, dinucleotides and homopolymers, and those are
    named that hold more than others explain.

    Parameters
    ----------
    network, given
        As `sample` takes them; anchors that differ in N, positives and negatives at random, are best.
    law, sampling
        As `sample` takes them; by default without a tether, which would itself hold the anchor's letters.
    probe
        What is asked for, at which chemical potentials (natural-log units); by default G and C.
    out
        Folder for the results; unfinished work lies in OUT.partial. Without it they are kept until nobody holds them.
    shard, threads, progress
        As `sample` takes them.

    Returns
    -------
    Results
        Tables 'answer' (of each count rigidity and slope with 95 % intervals over anchors, and whether it is held),
        'by_mu', 'response', 'counts', 'covariances' and 'checks', as `maxent gc-probe --help-all` tells.

    Raises
    ------
    InputError
        Where an input cannot be used, or settings exclude each other.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.gc_probe(mx.network("model"), "anchors.fa", probe=mx.Probe("cpg"))  # doctest: +SKIP
    >>> found.to_frame()[["count", "held", "rigidity", "low", "high"]]  # doctest: +SKIP
    """
    asked, run, what = law or Law(tether=None), sampling or Sampling(), probe or Probe()
    check_together(asked, run)
    if asked.to is not None:
        raise SettingsError("to", "", "is of no use where a count is pushed", "give the law another beta")
    task = Task("gc-probe", listener_of(progress), out, shard, threads or granted_cpus())
    source = anchors(given)
    read = [*network.files, *source.files, *asked.files, what.motif_file]
    outputs = planned(read, folders=[out], implied=[task.rejected_table], noting=False)
    settings = settings_of(law=asked, sampling=run, reading=network.reading, probe=what)
    subject = take_up(network, source, asked, run.device, settings, task)
    feature = what.counted(subject.law.background)
    subject.run.digests.update(run_digests(motif=what.motif_file))
    if what.feature != "gc":  # which needs no matches: letters stay independent
        subject = replace(subject, law=replace(subject.law, counted=feature))
    job = Job(subject, run, task)
    rows_of = _prober(subject, run, what, feature)
    with (
        tempfile.TemporaryDirectory() as scratch,
        unfinished(out or f"{scratch}/probe", subject.identity, task.listener.stop) as work,
    ):
        probes = [_read(work, name) for name in job.work_through(work, rows_of)]
        part = subject.run.part("folder")
        with results_folder(out, outputs, seed=run.seed, device=run.device, part=part) as folder:
            lines = list(_write(folder, probes, subject.run.settings))
    return tell(folder, out, "answer", lines, task.listener)


def _prober(subject: Subject, run: Sampling, probe: Probe, feature: Feature) -> Callable[[Sampler], bytes]:
    """What draws around an anchor at all mu, and gives its rows as JSON."""

    def rows_of(draw: Sampler) -> bytes:
        by_mu = sample_potentials(partial(draw, subject.model), subject.law, probe.mu)
        rows = probe_anchor(by_mu, feature, probe.mu, run.max_rhat)
        return json.dumps(asdict(rows), default=lambda number: number.item()).encode()

    return rows_of


def _read(work: Unfinished, name: str) -> dict[str, list[Row]]:
    """The rows of one anchor, of each of TABLES."""
    found: dict[str, list[Row]] = work.read_json(name)
    return found


def _write(folder: Path, probes: list[dict[str, list[Row]]], settings: Mapping[str, Any]) -> Iterator[str]:
    """Write the rows of all anchors, and what they say together; give it in words."""
    for table in BY_ANCHOR:
        name = table.file.removesuffix(".tsv")
        write_table(str(folder / table.file), [row for found in probes for row in found[name]], table)
    if probes:
        yield from pool(folder, settings)
    else:
        yield "0 anchors"


def pool(folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """Write into a folder what its tables say over all anchors, and say it; settings: of the run."""
    response, counts, covariances, checks = (
        list(read_table(str(folder / table.file), table, "probe again"))
        for table in (RESPONSE, COUNTS, COVARIANCES, CHECKS)
    )
    found = answer(response, counts, covariances, anchored=LAWS[settings["law.held"]].is_distance)
    write_table(str(folder / ANSWER.file), [answer_row(one) for one in found.counts], ANSWER)
    write_table(str(folder / BY_MU.file), over_anchors(response), BY_MU)
    write_gc_figure(str(folder / "response.png"), figure_of(found, response[0]["share"]))
    yield from account(found, response, checks)


def answer_row(one: CountHeld) -> dict[str, object]:
    """What is said of a count, with 95 % intervals over anchors."""
    beyond = {"beyond": one.beyond.value, "beyond_low": one.beyond.low, "beyond_high": one.beyond.high}
    slope = {"slope": one.slope.value, "slope_low": one.slope.low, "slope_high": one.slope.high}
    rigidity = {"rigidity": one.rigidity.value, "low": one.rigidity.low, "high": one.rigidity.high, "least": one.least}
    known = {"count": one.name, "held": one.held, "anchors": one.rigidity.anchors}
    return {**known, **rigidity, **beyond, "p": one.p, "q": one.q, **slope}


def figure_of(found: Answer, share: bool) -> GCFigure:
    """The figure's arrays."""

    def triple(estimate: Interval95) -> list[float]:
        return [estimate.value, estimate.low, estimate.high]

    asked = {found.label, *SHOWN, *(one.name for one in found.named)}
    shown = [one for one in found.counts if one.name in asked]
    return GCFigure(
        label=found.label,
        unit=100.0 if share else 1.0,
        mu=found.mu,
        response=np.array([triple(estimate) for estimate in found.response]),
        exact=found.exact,
        anchors=found.anchors,
        draws=found.draws,
        rigidity={one.name: np.array(triple(one.rigidity)) for one in shown},
        held=tuple(one.name for one in found.named),
        least=LEAST_RIGIDITY,
    )


def account(found: Answer, response: list[Row], checks: list[Row]) -> Iterator[str]:
    """The answer, what is held, the sampler's checks, and what did not settle."""
    known = [abs(score) for row in checks if (score := float(str(row["z"]))) == score]
    yield f"{len(found.anchors)} anchors; {sentence(found)}"
    for one in found.named:
        q = f"{'beyond those above ' if one is not found.named[0] else ''}q {one.q:.2g}"
        yield f"  held: {one.name}, rigidity {told(one.rigidity)}, {q}, slope {told(one.slope)}"
    if not found.named:
        yield f"  held: none of {len(found.counts)} counts; see answer.tsv"
    within = sum(score <= 3 for score in known)
    yield f"  sampler checks: {within} of {len(known)} z-scores within 3, the largest {max(known, default=0):.1f}"
    if len(known) < len(checks):
        what = "neighbouring mu share too few counts, or chains disagree: give closer --mu, more --draws"
        yield f"  {len(checks) - len(known)} checks are not judged: {what}"
    apart = len(found.anchors) - found.asked.rigidity.anchors
    if apart:
        yield f"  {apart} of {len(found.anchors)} anchors do not count: their chains disagree on it, or it is fixed"
    alike = sum(row["mu"] == 0 and not row["distinguishable"] for row in response)
    if alike:
        yield f"  {alike} of {len(found.anchors)} anchors the network does not tell from background"
    unsettled = sum(not row["converged"] for row in response)
    if unsettled:
        yield f"  {unsettled} of {len(response)} anchors and mu have not converged; see response.tsv"
