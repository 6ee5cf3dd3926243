"""From peaks to a page: the other public functions one after another, each step whole or absent, so that it goes on."""

import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.verdicts import AVOIDED, HELD
from maxent_cli.api import expectations
from maxent_cli.api.anchors import Anchors, anchors
from maxent_cli.api.attribution import attribute
from maxent_cli.api.draws import Draws, open_draws
from maxent_cli.api.examining import doctor
from maxent_cli.api.expectations import Needs
from maxent_cli.api.jobs import granted_cpus
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.motifs import motifs
from maxent_cli.api.networks import Network, network
from maxent_cli.api.origins import is_made_by
from maxent_cli.api.prediction import predict
from maxent_cli.api.probing import Probe, gc_probe
from maxent_cli.api.reports import report, require_assembly
from maxent_cli.api.results import Results
from maxent_cli.api.sampling import sample
from maxent_cli.api.spelling import NO_OPTION, Said, said, said_of_law, said_of_sampling, toml, words
from maxent_cli.api.training import Training, train, untrained
from maxent_cli.api.training_data import Split, TrainingData
from maxent_cli.errors import InputError, SettingsError, StoppedError, require_range
from maxent_cli.interpret.checkup import WRONG
from maxent_cli.interpret.law import Law
from maxent_cli.interpret.plan import NotAStack
from maxent_cli.interpret.sampling import Sampling
from maxent_cli.io import digests
from maxent_cli.io.motif_files import databases, read_meme
from maxent_cli.io.outputs import Outputs, planned
from maxent_cli.io.provenance import doing
from maxent_cli.io.records import TABLE, kind_of
from maxent_cli.io.tables import read_table
from maxent_cli.io.tracks import SESSION, session
from maxent_cli.models.architectures import LayeredModel
from maxent_cli.models.protocol import SequenceModel
from maxent_cli.tables.gc_probe import ANSWER
from maxent_cli.tables.motifs import MOTIFS, TELLING_Q, TESTED
from maxent_cli.tables.sampling import SUMMARY
from maxent_cli.tables.training import METRICS

if TYPE_CHECKING:
    import pandas as pd

LENGTH = 101  # bp of windows around peaks, where nothing is said
ANCHORS = 12
KNOWN = "jaspar"
METHOD = "mutagenesis"  # which any network takes, and which found sites best (workflows/ctcf/results.md)
COMMANDS, CONFIG = "commands.sh", "run.toml"
TRACKS = ("motifs/sites.bed", "motifs/information.bw", "attributions/scores.bw")
SHARED = ("seed", "device")  # of training and of sampling
MOST_SAID = 5  # motifs in the account
ACCOUNT = {  # what it rests on
    SUMMARY: "draws.npz.tsv",
    MOTIFS: "motifs/motifs.tsv",
    TESTED: "motifs/tested.tsv",
    ANSWER: "gc/answer.tsv",
}


@dataclass(frozen=True)
class RunRequest:
    """All that is asked of a run. data: what a network is trained on; without it, records and a network are given."""

    out: str
    data: TrainingData | None
    records: Anchors | None
    network: Network | None
    split: Split
    training: Training
    law: Law
    sampling: Sampling
    probe: Probe
    calling: Calling
    known: str
    test: str
    method: str
    anchors: int
    assembly: str
    threads: int | None
    listener: Listener = field(repr=False, compare=False)

    def place(self, name: str) -> str:
        """A path in the folder."""
        return f"{self.out.rstrip('/')}/{name}"

    @property
    def model(self) -> str:
        """The folder of the network."""
        return self.network.name if self.network else self.place("model")

    def opened(self) -> Network:
        """The network, as it is by then."""
        return self.network or network(self.model, trust_code=":" in self.training.architecture)  # it has just been run

    @property
    def how(self) -> dict[str, Any]:
        """What every function is told."""
        return {"threads": self.threads, "progress": self.listener}

    @property
    def of_network(self) -> Said:
        """How commands are told of the network."""
        code = self.training.architecture if self.network is None else ""
        trusted = self.network.trusted if self.network else ":" in code
        return {"model": self.model, **({"trust-code": True} if trusted else {})}

    @property
    def of_motifs(self) -> Said:
        """How `motifs` is told; some motifs are held that are not found unasked."""
        return {"known": self.known, "test": self.test} | said(self.calling, Calling(), lacks=NO_OPTION)

    @property
    def source(self) -> str:
        """The path of what is trained on, or of what anchors are chosen from."""
        path = self.records.name if self.records else self.data and (self.data.table or self.data.positives)
        return str(path)

    @property
    def genome(self) -> str | None:
        """The genome, if there is one."""
        if self.records is not None:
            return self.records.source.genome
        return self.data.genome if self.data else None

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        own = [*self.network.files] if self.network else []
        given = self.data.files if self.data else self.records.files if self.records else ()
        motif_files = {*databases(self.known), *databases(self.test)}
        return [*own, *given, *self.law.files, *sorted(motif_files), *filter(None, [self.probe.motif_file])]

    @property
    def reading(self) -> Said:
        """How records are read that came with a network."""
        if self.records is None:
            return {}
        source = self.records.source
        asked: Said = {"genome": source.genome, "centre": None if source.centre == "centre" else source.centre}
        asked |= {"crop": self.records.crop or None, "map-chromosomes": source.map_chromosomes or None}
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def linking(self) -> Said:
        """Where the page's cards lead to."""
        return {"assembly": self.assembly} if self.assembly else {}

    @property
    def probing(self) -> Law:
        """The law of the probe: a tether, unless asked for, would itself hold the anchor's count."""
        return replace(self.law, tether=None) if self.law.tether == "auto" else self.law

    @property
    def cpus(self) -> int:
        """CPU threads."""
        return self.threads or granted_cpus()

    def drawing(self, times: int) -> Needs:
        """What draws around the anchors will need, so many times over."""
        return expectations.drawing(self._like, self.sampling, self.anchors, times, self.cpus)

    def _like(self) -> SequenceModel:
        """The network, or one like it that has not been trained. Raises NotAStack where that cannot be known."""
        if self.data is None or _training(self).is_done:  # another's model may lie there
            found = self.opened()
            return found.reader(found.input_length or LENGTH)
        model = untrained(self.data.counted[1], self.training).module
        if not isinstance(model, LayeredModel):
            raise NotAStack("it is not known how it reads before it is adopted")
        return model.eval()

    @property
    def of_threads(self) -> Said:
        """How commands are told of threads."""
        return {} if self.threads is None else {"threads": self.threads}


@dataclass(frozen=True)
class Link:
    """A step, a command: the words that do it, what it writes, what it will need, and the call that does it here.

    outputs: those whose records say whether it has been done.
    """

    words: list[str]
    outputs: tuple[str, ...]
    do: Callable[[], object] = field(repr=False, compare=False)
    needs: Callable[[], Needs] = field(repr=False, compare=False)

    @property
    def is_done(self) -> bool:
        """Whether its outputs are there, and this command would make them again as they are."""
        return all(is_made_by(output, self.words) for output in self.outputs)

    @property
    def name(self) -> str:
        """The command's name."""
        return self.words[1]


class Ran:
    """The folder of a run: its parts, as the functions that wrote them give them."""

    def __init__(self, asked: RunRequest) -> None:
        self._asked, self.path = asked, Path(asked.out)

    @property
    def network(self) -> Network:
        """The network that was trained or given."""
        return self._asked.opened()

    @property
    def draws(self) -> Draws:
        """The draws around the anchors."""
        return open_draws(self._asked.place("draws.npz"))

    def __getitem__(self, table: str) -> "pd.DataFrame":
        """A table by its path in the folder without its suffix, as in run["motifs/motifs"]."""
        path = self.path / table
        return Results(path.parent, (), path.name)[path.name]

    def __repr__(self) -> str:
        return f"<Run in {self.path}>"


def run(
    given: str | TrainingData | Anchors,
    network: Network | None = None,
    *,
    out: str,
    split: Split | None = None,
    training: Training | None = None,
    law: Law | None = None,
    sampling: Sampling | None = None,
    probe: Probe | None = None,
    calling: Calling | None = None,
    known: str = KNOWN,
    test: str | None = None,
    method: str = METHOD,
    diverse: int = ANCHORS,
    assembly: str = "",
    threads: int | None = None,
    progress: Progress = True,
) -> Ran:
    """From peaks to a page: train a network or take one, choose anchors, draw, read motifs, probe, attribute, report.

    Parameters
    ----------
    given
        What a network is trained on: the path of FASTA, of BED (as TrainingData, with its genome), or of a table with
        labels. With a network: records that anchors are chosen from, a path or what `anchors` gives.
    network
        What `network` gave of a model folder; without it one is trained.
    out
        Folder of all that is found, with OUT/report.html, OUT/run.toml and OUT/commands.sh, the commands that would do
        the same. What is there, and was made by the same command from the same inputs, is not made again; unfinished
        work is gone on with.
    split, training, law, sampling, probe, calling, known, test, method
        As `train`, `sample`, `gc_probe`, `motifs` and `attribute` take them; the probe has no tether unless asked for,
        and the known motifs are those to ask about unless others are given.
    diverse
        So many anchors, which stand for all that was held out and is called rightly.
    assembly
        The genome of the records' places as the UCSC genome browser names it (hg38): the page's cards link to it.
    threads, progress
        CPU threads, by default those granted; bars on stderr, none, or a function that is given each step.

    Raises
    ------
    InputError
        Where an input cannot be used, the doctor finds that draws would be wrong, or settings exclude each other.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.run("peaks.fa", out="results")  # doctest: +SKIP
    >>> found["motifs/motifs"][["motif", "consensus", "known_1"]]  # doctest: +SKIP
    """
    require_range("diverse", diverse, 1)
    require_assembly(assembly)
    data, records = _inputs(given, network)
    asked = RunRequest(
        *(out, data, records, network, split or Split(), training or Training(), law or Law(), sampling or Sampling()),
        *(probe or Probe(), calling or Calling(), known, test or known, method, diverse, assembly, threads),
        listener_of(progress),
    )
    _check(asked.law)
    steps = list(_steps(asked))
    outputs = planned(asked.files, implied=[asked.place(name) for name in (CONFIG, COMMANDS, SESSION)], noting=False)
    for path in {*databases(known), *databases(test or known)}:
        read_meme(path)
    for line in expectations.plan(out, [(step.name, step.is_done, step.needs) for step in steps], asked.cpus):
        asked.listener.say(line)
    for number, step in enumerate(steps, 1):
        _take(step, f"{number}/{len(steps)}", asked.listener)
        if number == 1:  # what cannot be used leaves nothing behind
            _leave(asked, steps, outputs)
    _leave_session(asked, outputs)
    for line in _account(asked):
        asked.listener.say(line)
    return Ran(asked)


def _check(law: Law) -> None:
    """Raise SettingsError for what a step would refuse after all that stands before it."""
    if law.to is not None:
        raise SettingsError("to", "", "is of no use to the probe of a run", "give beta, or the single commands")
    if law.hold is not None:
        raise SettingsError("hold", "", "is not of a run", "give it to design")


def _inputs(given: str | TrainingData | Anchors, network: Network | None) -> tuple[TrainingData | None, Anchors | None]:
    """What is trained on, or what anchors are chosen from. Raises SettingsError for what is no file."""
    if network is not None:
        if network.parts:
            raise SettingsError("model", "", "several are given, and a run is of one", "give them to single commands")
        if isinstance(given, TrainingData) or not network.files:
            problem = "comes with records that anchors are chosen from, and is a model folder"
            raise SettingsError("network", "", problem, "give a path of records, and what `network` gives of a folder")
        records = anchors(given)
        if records.flank or records.fix or records.n_policy != "reject" or not records.source.files:
            raise SettingsError("flank, fix and n-policy", "", "are not of a run", "give them to the single commands")
        records.source.require_letters()
        return None, records
    if isinstance(given, Anchors):
        raise SettingsError("given", "", "anchors come with a network", "give it, or what it is trained on")
    data = given if isinstance(given, TrainingData) else data_of(given)
    if not all(isinstance(path, str | None) for path in (data.positives, data.negatives)):
        raise SettingsError("given", "", "is sequences in memory", "write them to a file and give its path")
    if data.table is not None or not data.source.is_bed:
        return replace(data, centre="centre"), None
    data.source.require_letters()
    return replace(data, length=data.length or LENGTH), None


def data_of(path: str, **more: Any) -> TrainingData:
    """What a file says to train on: a table with labels, or positives."""
    what: dict[str, Any] = {"table" if kind_of(path) == TABLE else "positives": path}
    return TrainingData(**what, **more)


def _steps(asked: RunRequest) -> Iterator[Link]:
    """The steps, each by the same arguments that its command is given."""
    place, model = asked.place, asked.of_network
    drawn = said_of_sampling(asked.sampling)
    chosen, draws, found = place("anchors.fa"), place("draws.npz"), place("motifs")
    if asked.data is not None:
        yield _training(asked)
    yield _choosing(asked)
    law, probing = said_of_law(asked.law), said_of_law(asked.probing, tether=None)
    yield _step(
        asked,
        ["doctor", chosen],
        model | law | drawn | {"out": place("doctor.json")},
        lambda: _examine(asked),
        expectations.examining,
    )
    yield _step(
        asked,
        ["sample", chosen],
        model | law | drawn | {"out": draws},
        lambda: sample(asked.opened(), chosen, asked.law, asked.sampling, out=draws, **asked.how).close(),
        lambda: asked.drawing(1),
    )
    yield _step(
        asked,
        ["motifs", draws],
        asked.of_motifs | {"out": found},
        lambda: motifs(draws, calling=asked.calling, known=asked.known, test=asked.test, out=found, **asked.how),
        lambda: expectations.reading(asked.anchors),
    )
    counts = place("gc")
    yield _step(
        asked,
        ["gc-probe", chosen],
        model | said(asked.probe, Probe()) | probing | drawn | {"out": counts},
        lambda: gc_probe(
            *(asked.opened(), chosen, asked.probing, asked.sampling), probe=asked.probe, out=counts, **asked.how
        ),
        lambda: asked.drawing(len(asked.probe.mu)),
    )
    scores = place("attributions")
    output = Law(output=asked.law.output, background=asked.law.background, gc=asked.law.gc)
    where = said(asked.sampling, Sampling(), lacks=_all_but(Sampling, "seed", "device"))
    along = {"draws": draws} if asked.method == "prefix" else {}
    yield _step(
        asked,
        ["attribute", chosen],
        model | {"method": asked.method} | along | said_of_law(output) | where | {"out": scores},
        lambda: attribute(
            *(asked.opened(), chosen, asked.method, output),
            seed=asked.sampling.seed,
            device=asked.sampling.device,
            out=scores,
            draws=along.get("draws"),
            **asked.how,
        ),
        lambda: expectations.attributing(asked.anchors),
    )
    page = place("report.html")
    shown = {"train": asked.model} if asked.data is not None else {}
    parts = shown | {"motifs": found, "gc-probe": counts, "attribute": scores} | asked.linking
    yield Link(
        ["maxent", "report", draws, *words(parts | {"out": page})],
        (page,),
        lambda: report(draws, **{name.replace("-", "_"): each for name, each in parts.items()}, out=page),
        expectations.page,
    )


def _training(asked: RunRequest) -> Link:
    data, folder = asked.data, asked.place("model")
    assert data is not None
    return _step(
        asked,
        ["train"],
        said(data, _NOTHING) | said(asked.split, Split()) | said(asked.training, Training()) | {"out": folder},
        lambda: train(data, asked.split, asked.training, out=folder, **asked.how),
        lambda: expectations.training(data, asked.training, asked.cpus),
    )


def _choosing(asked: RunRequest) -> Link:
    """Anchors of the positives held out that are called rightly, or of the records that came with the network."""
    given = asked.records or anchors(f"{asked.model}/test.positives.fa")
    correct: Said = {"label": 1, "correct": True} if asked.data is not None else {}
    how: Said = {} if asked.law.output is None else {"output": asked.law.output}
    how |= said(asked.sampling, Sampling(), lacks=_all_but(Sampling, "device"))
    places: Said = {"select": asked.place("anchors.fa"), "out": asked.place("scores.tsv")}
    return _step(
        asked,
        ["predict", given.name],
        asked.of_network | correct | asked.reading | how | {"diverse": asked.anchors} | places,
        lambda: predict(asked.opened(), given, **correct, **how, diverse=asked.anchors, **places, **asked.how),
        expectations.choosing,
        tuple(places.values()),
    )


_NOTHING = TrainingData("nothing")


def _step(
    asked: RunRequest,
    command: list[str],
    options: Said,
    do: Callable[[], object],
    needs: Callable[[], Needs],
    outputs: tuple[str, ...] = (),
) -> Link:
    told = words(options | asked.of_threads)
    return Link(["maxent", *command, *told], outputs or (str(options["out"]),), do, needs)


def _all_but(request: Any, *names: str) -> list[str]:
    return [name for name in request.__dataclass_fields__ if name not in names]


def _take(step: Link, number: str, listener: Listener) -> None:
    """Do a step, unless it has been done."""
    if listener.stop.asked:
        raise StoppedError
    if step.is_done:
        listener.say(f"[{number}] {step.name}: done before")
        return
    listener.say(f"[{number}] {shlex.join(step.words)}")
    digests.forget()
    began, worked = time.monotonic(), time.process_time()
    with doing(step.words):
        step.do()
    took, used = time.monotonic() - began, time.process_time() - worked
    listener.say(f"[{number}] {step.name}: {took:.0f} s, {used:.0f} CPU s")


def _examine(asked: RunRequest) -> None:
    """Raises InputError where draws would be wrong."""
    how = {"out": asked.place("doctor.json"), **asked.how}
    found = doctor(asked.opened(), asked.place("anchors.fa"), asked.law, asked.sampling, **how)
    for finding in found:
        if finding.verdict == WRONG:
            raise InputError(asked.model, finding.topic, finding.text, "see `maxent doctor`; draws would be wrong")
        if finding.topic == "run":
            asked.listener.say(f"  {finding.text}")


def _leave(asked: RunRequest, steps: list[Link], outputs: Outputs) -> None:
    """Write the options and the single commands into the folder."""
    lines = ["#!/bin/sh", "# What `maxent run` does, a command a step; from the folder where it was run.", "set -e"]
    lines += [shlex.join(step.words) for step in steps]
    texts = {CONFIG: toml(_sections(asked)), COMMANDS: "".join(f"{line}\n" for line in lines)}
    with outputs.writing() as opening:
        for name, text in texts.items():
            opening(asked.place(name)).write(text)


def _sections(asked: RunRequest) -> dict[str, Said]:
    """All that was asked, as `--config` reads it."""
    own = {"records": asked.source, "diverse": asked.anchors, **asked.of_threads}
    found = {"workflow": {"out": asked.out}, "run": own, "network": asked.of_network if asked.network else {}}
    if asked.data is not None:
        training = said(asked.training, Training(), lacks=SHARED)
        for name in SHARED:  # said once where both are alike
            if getattr(asked.training, name) != getattr(asked.sampling, name):
                training[name] = getattr(asked.training, name)
        data = said(asked.data, _NOTHING, lacks=("positives", "table"))
        found["train"] = data | said(asked.split, Split()) | training
    else:
        found["predict"] = asked.reading
    return found | {
        "law": said_of_law(asked.law),
        "sampling": said_of_sampling(asked.sampling),
        "motifs": asked.of_motifs,
        "gc-probe": said(asked.probe, Probe()),
        "attribute": {"method": asked.method},
        "report": asked.linking,
    }


def _leave_session(asked: RunRequest, outputs: Outputs) -> None:
    """Write what opens all tracks together in IGV; none where no anchor has a place."""
    tracks = [asked.place(name) for name in TRACKS if Path(asked.place(name)).is_file()]
    if tracks:
        with outputs.writing() as opening:
            opening(asked.place(SESSION)).write(session(asked.place(SESSION), tracks, asked.genome))


def _account(asked: RunRequest) -> Iterator[str]:
    """What was found, in a few lines."""
    rows = {table: list(read_table(asked.place(place), table, "run again")) for table, place in ACCOUNT.items()}
    if asked.data is not None:
        metrics = read_table(asked.place(f"model/{METRICS.file}"), METRICS, "run again")
        area = next(row for row in metrics if (row["part"], row["metric"]) == ("test", "AUROC"))
        yield f"{asked.out}: test AUROC {area['value']:.4f} ({area['lower']:.4f} to {area['upper']:.4f})"
    anchors = rows[SUMMARY]
    worst = max((row["rhat"] for row in anchors if row["rhat"] == row["rhat"]), default=1.0)
    yield f"  {sum(row['converged'] for row in anchors)} of {len(anchors)} anchors converged, worst R-hat {worst:.3f}"
    for row in rows[MOTIFS][:MOST_SAID]:
        told = row["known_1"] and row["q_1"] <= TELLING_Q
        known = f"{row['known_1']}, q {row['q_1']:.2g}" if told else "like none that is known"
        where = "avoided" if row["kind"] == AVOIDED else f"in {row['anchors']} of {len(anchors)} anchors"
        yield f"  {row['motif']} {row['consensus']}, {where}: {known}"
    if not any(row["kind"] == HELD for row in rows[MOTIFS]):
        yield "  no motif found that is held"
    yield _asked_about(rows[TESTED])
    held = [row["count"] for row in rows[ANSWER] if row["held"] == "yes"]
    few = " (undecided: too few anchors)" if any(row["held"] == "undecided" for row in rows[ANSWER]) else ""
    yield f"  counts held beyond motifs: {', '.join(held) or 'none'}{few}"
    yield f"  all of it: {asked.place('report.html')}; the single commands: {asked.place(COMMANDS)}"


def _asked_about(rows: list[dict[str, Any]]) -> str:
    """How many of the motifs asked about are held, and which most surely."""
    if not rows:
        return "  motifs asked about: none, for want of anchors that converged"
    held = sorted((row for row in rows if row["verdict"] == HELD), key=lambda row: (row["q"], -row["bits"]))
    most = ", ".join(f"{row['motif'].split()[-1]} {row['bits']:.2f} bits" for row in held[:MOST_SAID])
    return f"  motifs asked about: {len(rows)}, held: {len(held)}{f' ({most})' if held else ''}"
