"""Does a network hold a global count, such as GC content? Draws under a chemical potential on it, and what they say."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from maxent_cli.analysis.features import FEATURES, Feature
from maxent_cli.analysis.gc_probe import (
    AVERAGED,
    LEAST_EXCESS,
    UNTRAINED,
    Answer,
    Row,
    answer,
    over_anchors,
    probe_anchor,
    sentence,
)
from maxent_cli.analysis.over_anchors import Interval95
from maxent_cli.api.anchors import Given, anchors
from maxent_cli.api.cpus import granted_cpus
from maxent_cli.api.jobs import LEAST_REPLICAS, Job, Sampler, Subject, Task, check_together, take_up
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.networks import network as network_of
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import settings_of
from maxent_cli.data import WHOLE, Shard
from maxent_cli.errors import SettingsError
from maxent_cli.interpret.law import Frequencies, Law
from maxent_cli.interpret.sampling import Sampling, ready, sample_alike, sample_potentials
from maxent_cli.io.digests import run_digests
from maxent_cli.io.gc_figure import GCFigure, write_gc_figure
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import Columns, read_table, truth, write_table
from maxent_cli.io.unfinished import Unfinished, unfinished
from maxent_cli.models.untrained import with_fresh_weights

POOLED: tuple[str, ...] = (
    "answer.tsv",
    "by_mu.tsv",
    "response.png",
)  # what all anchors together give; other tables have rows of each
FIRST_SEED = 1_000_003  # of the untrained networks: unlikely to be anyone's training seed
MOST_MU, MOST_UNTRAINED = 10, 100


@dataclass(frozen=True)
class Probe:
    """What is counted, and what the count is held against.

    feature: 'gc', 'cpg', 'kmer:WORD' (IUPAC letters, as it reads on this strand) or 'motif:FILE' (the first motif of a
    MEME file, on both strands). match_p: a motif matches where its score is as high as that of this share of places in
    the background. mu: chemical potentials on each that is counted, in natural-log units, -10 to 10; 0 is always
    among them. untrained: networks with fresh weights that are drawn from beside it. beside: a second network, or
    its model folder. Raises InputError where a number is out of range.
    """

    feature: str = "gc"
    match_p: float = 1e-4
    mu: tuple[float, ...] = (-0.5, 0.0, 0.5)
    untrained: int = 0
    beside: str | Network | None = None

    def __post_init__(self) -> None:
        potentials = tuple(sorted({*map(float, self.mu), 0.0}))
        if len(potentials) < 2 or not all(abs(mu) <= MOST_MU for mu in potentials):
            cure = "give numbers between -10 and 10, as in -1, 0, 1"
            raise SettingsError("mu", "", "are not two chemical potentials at least", cure)
        if not 0 < self.match_p <= 1:
            raise SettingsError("match_p", "", f"{self.match_p:g} is no share of places", "give a number in (0, 1]")
        if not 0 <= self.untrained <= MOST_UNTRAINED:
            raise SettingsError("untrained", "", f"{self.untrained} is out of range", f"give 0 to {MOST_UNTRAINED}")
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
    """Test whether a network constrains a global count, such as GC content, by a chemical potential on it.

    Around each anchor sequences are drawn from p(x) ∝ q(x)·exp(mu·N(x) - beta·E(x)), N(x) being the count. Where the
    network holds N, the draws answer mu less than the background alone would, N follows the anchor's, and it varies
    less than positions on their own would let it: rigidity, 1 - Var(N)/Var_indep(N), is above 0.

    Parameters
    ----------
    network, given
        As `sample` takes them; anchors that differ in N, positives and negatives at random, are best.
    law, sampling
        As `sample` takes them; by default without a tether, which would itself hold the anchor's letters.
    probe
        What is counted, at which chemical potentials (natural-log units), beside which networks; by default G and C.
    out
        Folder for the results; unfinished work lies in OUT.partial. Without it they are kept until nobody holds them.
    shard, threads, progress
        As `sample` takes them.

    Returns
    -------
    Results
        Tables 'answer' (slope and rigidity with 95 % intervals over anchors, and the verdict), 'mu', 'response',
        'references' and 'checks', as `maxent gc-probe --help-all` tells.

    Raises
    ------
    InputError
        Where an input cannot be used, or settings exclude each other.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.gc_probe(mx.network("model"), "anchors.fa", probe=mx.Probe("cpg"))  # doctest: +SKIP
    >>> found.to_frame()[["quantity", "value", "low", "high"]]  # doctest: +SKIP
    """
    asked, run, what = law or Law(tether=None), sampling or Sampling(), probe or Probe()
    check_together(asked, run)
    task = Task("gc-probe", listener_of(progress), out, shard, threads or granted_cpus())
    source, second = anchors(given), network_of(what.beside) if isinstance(what.beside, str) else what.beside
    read = [*network.files, *(second.files if second else ()), *source.files, what.motif_file]
    outputs = planned(read, folders=[out], implied=[task.rejected_table], noting=False)
    settings = settings_of(law=asked, sampling=run, reading=network.reading, probe=replace(what, beside=None))
    subject = take_up(network, source, asked, run.device, settings, task)
    feature = what.counted(subject.law.background)
    beside = {} if second is None else {"beside": second.digest}
    subject.run.digests.update(beside | run_digests(motif=what.motif_file))
    if what.feature != "gc":  # which needs no matches: letters stay independent
        subject = replace(subject, law=replace(subject.law, counted=feature))
    job = Job(subject, run, task)
    rows_of = _prober(subject, run, what, _references(subject, run, (what, second), task.listener), feature)
    with (
        tempfile.TemporaryDirectory() as scratch,
        unfinished(out or f"{scratch}/probe", subject.identity, task.listener.stop) as work,
    ):
        probes = [_read(work, name) for name in job.work_through(work, rows_of)]
        part = subject.run.part("folder")
        with results_folder(out, outputs, seed=run.seed, device=run.device, part=part) as folder:
            lines = list(_write(folder, probes, asked.held == "anchor"))
    return tell(folder, out, "answer", lines, task.listener)


def _prober(
    subject: Subject, run: Sampling, probe: Probe, others: dict[str, Reader], feature: Feature
) -> Callable[[Sampler], bytes]:
    """What draws around an anchor at all mu, and by other networks at mu = 0, and gives its rows as JSON."""
    for other in others.values():
        ready(other)

    def rows_of(draw: Sampler) -> bytes:
        by_mu = sample_potentials(partial(draw, subject.model), subject.law, probe.mu)
        plain = by_mu[probe.mu.index(0.0)]
        beside = {name: sample_alike(partial(draw, other), subject.law, plain) for name, other in others.items()}
        rows = probe_anchor(by_mu, beside, feature, probe.mu, run.max_rhat)
        return json.dumps(asdict(rows), default=lambda number: number.item()).encode()

    return rows_of


def _read(work: Unfinished, name: str) -> dict[str, list[Row]]:
    """The rows of one anchor, of response, checks and references."""
    found: dict[str, list[Row]] = work.read_json(name)
    return found


def _write(folder: Path, probes: list[dict[str, list[Row]]], anchored: bool) -> Iterator[str]:
    """Write the rows of all anchors, and what they say together; give it in words."""
    rows, checks, beside = ([row for found in probes for row in found[n]] for n in ("response", "checks", "references"))
    write_table(str(folder / "response.tsv"), rows)
    write_table(str(folder / "checks.tsv"), checks)
    write_table(str(folder / "references.tsv"), beside, () if beside or not rows else ("reference", *rows[0]))
    if rows:
        yield from pool(folder, anchored)
    else:
        yield "0 anchors"


def pool(folder: Path, anchored: bool) -> Iterator[str]:
    """Write into a folder what its tables say over all anchors, and say it; anchored: the law holds anchors."""
    measured = [f"{name}{where}" for name in ("anchor", "draws", "rigidity") for where in ("", "_outside")]
    measured.append("rhat_counted")
    yes_or_no = dict.fromkeys(("converged", "distinguishable"), truth)
    common: Columns = {"record": str, **yes_or_no, **dict.fromkeys(measured, float)}
    wide = ("mu", "beta_0", "beta_0_outside", "rhat", "energy_background", *AVERAGED)
    at_zero = dict.fromkeys(wide, float)
    wanted: dict[str, Columns] = {
        "response": {**common, **at_zero, "counted": str, "share": truth},
        "references": {**common, "reference": str},
        "checks": {"z": float},
    }
    response, references, checks = (
        list(read_table(str(folder / f"{name}.tsv"), columns, "probe again")) for name, columns in wanted.items()
    )
    found = answer(response, references, anchored=anchored)
    label = response[0]["counted"]
    write_table(str(folder / "answer.tsv"), answer_rows(found, label))
    write_table(str(folder / "by_mu.tsv"), over_anchors(response))
    write_gc_figure(str(folder / "response.png"), figure_of(found, label, response[0]["share"]))
    yield from account(found, (response, references, checks), label)


def _references(
    subject: Subject, run: Sampling, asked: tuple[Probe, Network | None], listener: Listener
) -> dict[str, Reader]:
    """Networks that are drawn from beside the one that is asked about, by name; asked: the second is one of them."""
    probe, second = asked
    if not probe.untrained and probe.beside is None:
        return {}
    if subject.law.held != "anchor" or run.replicas < LEAST_REPLICAS or not run.warmup:
        needs = f"the law of an anchor, {LEAST_REPLICAS} replicas or more and a warm-up, to find the beta of others"
        raise SettingsError("untrained and beside", "", f"need {needs}", "give them, or no other networks")
    others = dict[str, Reader]()
    try:
        for number in range(probe.untrained):
            others[f"{UNTRAINED} {number + 1}"] = with_fresh_weights(subject.model, FIRST_SEED + number)
    except ValueError as error:
        raise SettingsError("untrained", "", str(error), "give 0") from error
    if second is not None:
        other = second.reader(subject.anchors.codes.shape[1])
        if other.outputs != subject.model.outputs or other.input_length != subject.model.input_length:
            problem = f"{second.name} has other outputs or another input length"
            raise SettingsError("beside", "", problem, "give a network of the same kind")
        others[f"beside: {second.name}"] = other
    for other in others.values():
        place(other, run.device, listener)
    return others


def answer_rows(found: Answer, label: str) -> list[dict[str, object]]:
    """The answer as rows: quantity, of which network, value, and its 95 % interval over anchors."""
    rows: list[dict[str, object]] = [
        {"quantity": measure, "of": name, "value": e.value, "low": e.low, "high": e.high}
        for measure in next(iter(found.measures.values()))
        for name, e in ((name, each[measure]) for name, each in found.measures.items())
    ]
    excess = {"value": found.excess.value, "low": found.excess.low, "high": found.excess.high}
    rows.append({"quantity": "rigidity outside, where chains agree", "of": "network", **excess})
    rows.append({"quantity": f"{label} held: {found.verdict}", "of": "network", **dict.fromkeys(excess)})
    return rows


def figure_of(found: Answer, label: str, share: bool) -> GCFigure:
    """The figure's arrays."""

    def triple(estimate: Interval95) -> list[float]:
        return [estimate.value, estimate.low, estimate.high]

    return GCFigure(
        label=label,
        unit=100.0 if share else 1.0,
        mu=found.mu,
        response=np.array([triple(estimate) for estimate in found.response]),
        exact=found.exact,
        anchors=found.anchors,
        draws=found.draws,
        slope=np.array(triple(found.measures["network"]["slope"])),
        rigidity={name: np.array(triple(each["rigidity outside"])) for name, each in found.measures.items()},
        excess=np.array(triple(found.excess)),
        null="beta = 0",
        margin=LEAST_EXCESS,
        verdict=found.verdict,
    )


def account(found: Answer, tables: tuple[list[Row], ...], label: str) -> Iterator[str]:
    """The answer, slopes and rigidities beside the references', the sampler's checks, and what did not settle.

    tables: response, references, checks.
    """
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
        what = "neighbouring mu share too few counts, or chains disagree: give closer --mu, more --draws"
        yield f"  {len(checks) - len(known)} checks are not judged: {what}"
    alike = sum(row["mu"] == 0 and not row["distinguishable"] for row in response)
    if alike:
        yield f"  {alike} of {len(found.anchors)} anchors the network does not tell from background"
    unsettled = sum(not row["converged"] for row in rows)
    if unsettled:
        yield f"  {unsettled} of {len(rows)} anchors and mu have not converged; see response.tsv, references.tsv"
