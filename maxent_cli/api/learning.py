"""When a network learned what: from checkpoints of one training to a folder of tables and a figure."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNIFORM, Codes
from maxent_cli.analysis.classification import losses
from maxent_cli.analysis.diagnostics import diagnose, mcse_mean
from maxent_cli.analysis.discovery import ENOUGH, Calling, discover
from maxent_cli.analysis.patterns import Patterns, bytes_held, count, jaccard
from maxent_cli.analysis.sites import letters_of, redrawn, thinned
from maxent_cli.analysis.summary import summarise
from maxent_cli.api import learning_results as results
from maxent_cli.api.anchors import Anchors, Given, anchors
from maxent_cli.api.jobs import (
    Task,
    check_together,
    drawn_at_once,
    granted_cpus,
    in_order,
    naming,
    outputs_of,
    torch_threads,
)
from maxent_cli.api.listening import Calls, Progress, listener_of
from maxent_cli.api.motif_results import chance_for
from maxent_cli.api.networks import Network, Reader, opened, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import account, settings_of
from maxent_cli.data import Rejected, SampleSet, Sequences
from maxent_cli.engine.sampling import Journal
from maxent_cli.errors import InputError, SettingsError, StoppedError, require_range
from maxent_cli.interpret.conditionals import block_conditionals
from maxent_cli.interpret.law import Law, LawSettings
from maxent_cli.interpret.sampling import Sampling, over_rows, ready, sample_anchor
from maxent_cli.io.checkpoint import CHECKPOINTS, read_card
from maxent_cli.io.machine import require_memory
from maxent_cli.io.motif_files import databases, read_meme
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import renew_rejected
from maxent_cli.io.unfinished import Notes, Unfinished, packed, unfinished, unpacked
from maxent_cli.models.patterns import Passed, on_units, patterns_of

CLASSES = ("negative", "positive")
VALIDATION = "validation.{}s.fa"  # in a folder that `train` wrote
MOST_DRAWS = 1000  # of an anchor, whose patterns are counted
MOST_RECORDS = 1_000_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a training: what messages call them, the step, and the network or its folder; trusted: its code."""

    name: str
    step: int
    source: str | Network
    trusted: bool

    def opened(self) -> Network:
        """The network, read anew where it lies in a folder: not all are in memory at once."""
        return opened(self.source, self.trusted) if isinstance(self.source, str) else self.source


@dataclass(frozen=True)
class Sample:
    """Records that patterns are counted over: codes (B, L) and classes (B,), and where they are from, for people."""

    codes: Codes
    classes: NDArray[np.intp]
    rejected: list[Rejected]
    said: str


class Counting(NamedTuple):
    """Patterns of each layer over records at a checkpoint, and the outputs (B, K)."""

    layers: dict[str, Patterns]
    outputs: NDArray[np.float32]


@whole_products()
def learning(
    networks: str | Network | Sequence[str | Network],
    given: Given | None = None,
    law: Law | None = None,
    sampling: Sampling | None = None,
    *,
    positives: Given | None = None,
    negatives: Given | None = None,
    records: int = 1000,
    calling: Calling | None = None,
    known: str | None = None,
    similarity: float = 0.65,
    trust_code: bool = False,
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """When a network learned what, from checkpoints of its training.

    On/off patterns of every ReLU-like layer over records: entropy, distinct patterns, Jaccard similarity to the first,
    the previous and the last checkpoint, dead units, by class too (Hartmann et al., Front. Artif. Intell. 4:642374,
    2021); a network without such a layer has none. Around anchors each checkpoint is drawn from: bits, motifs and
    on/off patterns of the draws, by step.

    Parameters
    ----------
    networks
        The folder of a network trained with ``checkpoints``; or two or more model folders, or what `network` gave of
        them, in the order of training.
    given
        Anchors to draw around, as `sample` takes them; without them nothing is drawn.
    law, sampling
        As `sample` takes them.
    positives, negatives
        Records of the two classes; by default the validation part that lies in the first model folder.
    records
        Count patterns over at most so many, half of each class, drawn at random.
    calling, known, similarity
        As `motifs` takes them; similarity is also that from which a motif is one of the last checkpoint's.
    trust_code
        Also run code that model folders hold.
    out, threads, progress
        As `sample` takes them; `out` is a folder, and unfinished work lies in OUT.partial.

    Returns
    -------
    Results
        Tables 'steps', 'patterns' and 'layers', and with anchors 'anchors', 'regions', 'motifs' and 'learned', as
        `maxent learning --help-all` tells.

    Raises
    ------
    InputError
        Where there are not two checkpoints of one network, an input cannot be used, or nothing is drawn from a network
        that has no ReLU-like layer.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.learning("model", "anchors.fa", known="jaspar-vertebrates")  # doctest: +SKIP
    >>> found["learned"][["motif", "consensus", "lasting_step"]]  # doctest: +SKIP
    """
    require_range("records", records, 2, MOST_RECORDS)
    require_range("similarity", similarity, 0, 1)
    asked, run, task = law or Law(), sampling or Sampling(), Task("learning", listener_of(progress), out)
    check_together(asked, run)
    named = [networks] if isinstance(networks, str | Network) else list(networks)
    around = None if given is None else anchors(given)
    sources = _sources(named, positives, negatives)
    database = [motif for file in databases(known) for motif in read_meme(file)]
    points = _checkpoints(named, trust_code)
    given_networks = [*named, *(point.source for point in points)]  # a checkpoint is an input beside its model folder
    paths = [path for each in given_networks for path in ([each] if isinstance(each, str) else each.files)]
    read = [*paths, *(path for source in (*sources, around) if source for path in source.files)]
    outputs = planned([*read, *asked.files, *databases(known)], folders=[out], implied=[task.rejected_table])
    task = replace(task, threads=threads or granted_cpus())
    with torch_threads(task.threads):
        job = _job(points, sources, records, around, (asked, run, calling or Calling()), task)
        with unfinished(out, job.identity, task.listener.stop) as work:
            kept = job.work_through(work)
            with results_folder(out, outputs, seed=run.seed, device=run.device) as folder:
                found = results.ByStep([(point.step, point.name) for point in points], job.kept_step, job.reference)
                for arrays, facts in in_order(work, kept, unpacked, task.listener.stop):
                    found.add(arrays, facts)
                lines = list(results.write(folder, found, job.calling, similarity, database))
    return tell(folder, out, "steps", lines, task.listener)


def _checkpoints(named: Sequence[str | Network], trusted: bool) -> list[Checkpoint]:
    """Checkpoints in their order; a folder that `train` wrote with checkpoints stands for these."""
    found = list[tuple[str | Network, int | None]]()
    for each in named:
        inner = [] if isinstance(each, Network) else sorted(map(str, Path(each).glob(f"{CHECKPOINTS}/*")))
        several: list[str | Network] = [*inner] or [each]
        for one in several:
            told = {} if isinstance(one, Network) else read_card(one).training.get("checkpoint") or {}
            found.append((one, told.get("step")))
    if len(found) < 2:
        name, cure = _name(found[0][0]), "train with --checkpoints, or give more model folders in the order of training"
        raise InputError(name, "", "is a single network, and holds no checkpoints", cure)
    steps = [step for _, step in found if isinstance(step, int)]
    numbered = steps if len(steps) == len(found) and sorted(set(steps)) == steps else range(len(found))
    return [Checkpoint(_name(one), step, one, trusted) for (one, _), step in zip(found, numbered, strict=True)]


def _name(one: str | Network) -> str:
    return one if isinstance(one, str) else one.name


def _sources(
    named: Sequence[str | Network], positives: Given | None, negatives: Given | None
) -> tuple[Anchors | None, Anchors | None]:
    """Where negatives and positives come from."""
    if positives is not None or negatives is not None:
        return tuple(None if each is None else anchors(each) for each in (negatives, positives))  # type: ignore[return-value]
    first = named[0]
    places = [Path(first, VALIDATION.format(name)) for name in CLASSES] if isinstance(first, str) else []
    if not places or not all(each.is_file() for each in places):
        problem = "are needed, since no validation part lies in the first model folder"
        raise SettingsError("positives", "", problem, "give records of one class, or of both")
    return anchors(str(places[0])), anchors(str(places[1]))


def _sample(sources: tuple[Anchors | None, Anchors | None], length: int | None, most: int, seed: int) -> Sample:
    """At most so many records, half of each class, drawn at random."""
    codes, classes, rejected, told = [], [], list[Rejected](), []
    for label, source in enumerate(sources):
        if source is None:
            continue
        found, left_out = source.read(length)
        length = length or found.codes.shape[1]
        rejected += left_out
        if not len(found):
            account(0, left_out, source.name, None, Calls(lambda _: None))  # which raises
        share = most // 2 if all(sources) else most
        chosen = np.sort(np.random.default_rng((seed, label)).permutation(len(found))[:share])
        codes.append(found.codes[chosen])
        classes.append(np.full(len(chosen), label))
        told.append(f"{len(chosen)} of {len(found)} {CLASSES[label]}s of {source.name}")
    return Sample(np.concatenate(codes), np.concatenate(classes), rejected, f"patterns over {' and '.join(told)}")


def _job(
    points: list[Checkpoint],
    sources: tuple[Anchors | None, Anchors | None],
    records: int,
    around: Anchors | None,
    asked: tuple[Law, Sampling, Calling],
    task: Task,
) -> "LearningJob":
    """Read the records and the anchors, and say what was left out."""
    first, (law, run, calling) = points[-1].opened(), asked
    sample = _sample(sources, first.input_length, records, run.seed)
    background = law.frequencies or first.background
    found = Sequences((), np.zeros((0, sample.codes.shape[1]), np.uint8), ())
    left_out = list[Rejected]()
    if around is not None:
        found, left_out = around.read(sample.codes.shape[1], background or UNIFORM)
        account(len(found), left_out, around.name, None, task.listener)
    if task.rejected_table is not None:
        renew_rejected(task.rejected_table, [*sample.rejected, *left_out])
    task.listener.say(sample.said + (f"; {len(sample.rejected)} records rejected" if sample.rejected else ""))
    return LearningJob(points, sample, found, law, run, task, calling)


@dataclass(frozen=True)
class LearningJob:
    """Checkpoints, the records that patterns are counted over, the anchors that are drawn around, and how.

    The work is done in units, each kept when it is whole: of each checkpoint first the records, then each anchor.
    """

    points: list[Checkpoint]
    sample: Sample
    anchors: Sequences
    law: Law
    sampling: Sampling
    task: Task
    calling: Calling

    @property
    def units_each(self) -> int:
        """Units of work of each checkpoint."""
        return 1 + len(self.anchors)

    @property
    def identity(self) -> Row:
        """All that unfinished work depends on."""
        shaping = settings_of(law=self.law, sampling=self.sampling, calling=self.calling)
        digests = {"models": [point.opened().digest for point in self.points], "anchors": self.anchors.digest()}
        sample = hashlib.sha256(self.sample.codes.tobytes() + self.sample.classes.tobytes()).hexdigest()
        return {"command": "learning", "sample": sample, **shaping, **digests}

    @cached_property
    def kept_step(self) -> int | None:
        """The step at whose weights the training ended up, where `train` says so."""
        name = self.points[-1].name
        told = read_card(name).training.get("checkpoint") if Path(name).is_dir() else None
        return told["kept"] if told else None

    @cached_property
    def reference(self) -> NDArray[np.float64]:
        """The background (4,) that motifs refer to."""
        background = self.law.frequencies or self.points[-1].opened().background
        return np.asarray(background or UNIFORM)

    def work_through(self, work: Unfinished) -> list[str]:
        """Have every unit among the unfinished work, and name them in order."""
        names, left = work.left_of(len(self.points) * self.units_each, self.task.listener.say, "parts")
        todo = set(left)
        with self.task.listener.progress("checkpoints", len(left), "parts") as ticker:
            for number, finish in self._over_records({row // self.units_each for row in left}):
                row = number * self.units_each
                if self.task.listener.stop.asked:
                    raise StoppedError
                if row in todo:
                    work.finish(names[row], finish())
                    ticker.advance()
                rows = [each for each in range(row + 1, row + self.units_each) if each in todo]
                for _ in self._over_anchors(number, rows, work, names):
                    ticker.advance()
        return [f"{name}.result" for name in names]

    def _reader(self, number: int) -> tuple[Network, Reader]:
        """The network of a checkpoint, on its device."""
        network = self.points[number].opened()
        model = network.reader(self.sample.codes.shape[1], self.law.layer)
        place(model, self.sampling.device, Calls(lambda _: None))
        return network, model

    def _over_records(self, wanted: set[int]) -> Iterator[tuple[int, Callable[[], bytes]]]:
        """Numbers of the wanted checkpoints, and what gives what is to be kept of each over records."""
        ends = {}
        before: tuple[int, Counting | None] = (-1, None)

        def of(number: int) -> Counting:
            if before[0] == number and before[1] is not None:
                return before[1]
            if number in (0, len(self.points) - 1) and number not in ends:
                ends[number] = self._counted(number)
            return ends[number] if number in ends else self._counted(number)

        for number in sorted(wanted):

            def finish(number: int = number) -> bytes:
                nonlocal before
                found, previous = of(number), of(number - 1) if number else None
                others = {"start": of(0), "previous": previous, "end": of(len(self.points) - 1)}
                before = number, found
                return self._of_records(number, found, others)

            yield number, finish

    def _counted(self, number: int) -> Counting:
        """Count a checkpoint's patterns over the records."""
        name = self.points[number].name
        _, model = self._reader(number)
        layers, outputs = dict[str, Patterns](), []
        for label in np.unique(self.sample.classes):
            codes = self.sample.codes[self.sample.classes == label]
            for seen in on_units(model, codes):
                if not layers:
                    self._require(seen, name)
                for layer, bits in patterns_of(seen.on):
                    layers.setdefault(layer, Patterns(bits.shape[1], len(CLASSES))).add(bits, int(label))
                outputs.append(seen.outputs.reshape(len(seen.outputs), -1).float().cpu().numpy())
        return Counting(layers, np.concatenate(outputs))

    def _require(self, seen: Passed, name: str) -> None:
        """Raise InputError where there is nothing to count and nothing is drawn, or no memory for it."""
        if not seen.on and not len(self.anchors):
            cure = "give anchors, to draw bits and motifs, or a network with ReLU, leaky ReLU, GELU, SiLU or the like"
            raise InputError(name, "", "has no ReLU-like layer, of which units are on or off", cure)
        positions = sum(on.shape[1] for on in seen.on.values()) + 1
        size = bytes_held(len(self.sample.codes), positions, len(CLASSES))
        require_memory(size, f"patterns of {len(self.sample.codes)} records at {positions} places", "give --records")

    def _of_records(self, number: int, found: Counting, others: dict[str, Counting | None]) -> bytes:
        """The rows of a checkpoint's layers by class, the loss of each record, and AUROC, to be kept."""
        rows, step = [], self.points[number].step
        labels = {"all": None} | {CLASSES[label]: int(label) for label in np.unique(self.sample.classes)}
        for layer, patterns in found.layers.items():
            for name, label in labels.items():
                one = count(patterns, label)
                row = {"step": step, "layer": layer, "class": name, "units": patterns.units, **counted_row(one)}
                for which, other in others.items():
                    row[f"jaccard_{which}"] = None if other is None else self._alike(patterns, other, layer, label)
                rows.append(row | {"dead": one.dead})
        lost, auroc = losses(found.outputs, np.sort(self.sample.classes))
        return packed({"losses": lost}, {"patterns": rows, "auroc": auroc})

    def _alike(self, patterns: Patterns, other: Counting, layer: str, label: int | None) -> float:
        if layer not in other.layers or other.layers[layer].units != patterns.units:
            cure = "give checkpoints of one network"
            raise InputError(self.points[-1].name, "", f"has no layer {layer} of {patterns.units} units", cure)
        return jaccard(patterns, other.layers[layer], label)

    def _over_anchors(self, number: int, rows: list[int], work: Unfinished, names: list[str]) -> Iterator[None]:
        """Draw around anchors at a checkpoint, each a unit of work."""
        if not rows:
            return
        network, model = self._reader(number)
        outputs = network.outputs(model.outputs)
        held = outputs_of(network, self.law.output, outputs, self.law.kind.all_outputs)
        law = self.law.settled(held, network.background, network.name)
        ready(model)

        def one(row: int, threads: int) -> None:
            anchor, notes = self.anchors.anchor(row % self.units_each - 1), Notes(work, names[row])

            journal = Journal(notes.past(), notes.keep, str(work.folder))
            samples = sample_anchor(model, anchor, law, self.sampling, threads, journal)
            work.finish(names[row], self._of_draws(model, law, samples, self.points[number].step))

        at_once = drawn_at_once(self.sampling, model, self.anchors, self.task.threads)
        results_of = over_rows(one, rows, at_once, self.task.listener.stop)
        for _ in rows:
            with naming(self.anchors, network.name):
                next(results_of)
            yield
        next(results_of, None)  # so that it ends, rather than is stopped

    def _of_draws(self, model: Reader, law: LawSettings, samples: SampleSet, step: int) -> bytes:
        """An anchor's bits, motifs and patterns at a checkpoint, to be kept."""
        found = block_conditionals(model, law, samples)
        samples = replace(samples, conditionals=None if found is None else found.astype(np.float32))
        diagnosis = diagnose(samples, self.sampling.max_rhat, self.sampling.min_ess)
        summary = summarise(samples, diagnosis, law.kind.is_distance)
        letters = letters_of(samples)
        background = redrawn(thinned(letters, ENOUGH), chance_for(samples, "background"))
        motifs = discover(letters, background, self.calling)
        row = {name: summary[name] for name in results.OF_SUMMARY} | {"step": step, "motifs": len(motifs)}
        arrays = {f"{name}_{place}": getattr(one, name) for place, one in enumerate(motifs) for name in results.ARRAYS}
        numbers = [{name: float(getattr(one, name)) for name in results.NUMBERS} for one in motifs]
        return packed(arrays, {"anchor": row, "regions": regions(model, samples, step), "motifs": numbers})


def counted_row(one: Any) -> Row:
    """What was counted, as the tables have it."""
    return {name: getattr(one, name) for name in ("patterns", "distinct", "entropy", "most", "share")}


def regions(model: Reader, samples: SampleSet, step: int) -> list[Row]:
    """On/off patterns of each layer over draws around an anchor, and how many units are as in the anchor."""
    chains, draws, length = samples.codes.shape
    some = np.unique(np.linspace(0, draws - 1, max(1, MOST_DRAWS // chains)).astype(int))
    codes = samples.codes[:, some].reshape(-1, length)
    ((_, of_anchor),) = list(on_units(model, samples.anchor[None]))
    anchor = dict(patterns_of(of_anchor))
    layers, like = dict[str, Patterns](), dict[str, list[NDArray[Any]]]()
    for seen in on_units(model, codes):
        for layer, bits in patterns_of(seen.on):
            layers.setdefault(layer, Patterns(bits.shape[1], 1)).add(bits, 0)
            same = bits.reshape(len(seen.outputs), -1, bits.shape[1]) == anchor[layer]
            like.setdefault(layer, []).append(same.mean(axis=(1, 2)))
    rows = []
    for layer, patterns in layers.items():
        shares = np.concatenate(like[layer]).reshape(chains, len(some))
        told = {"step": step, "record": samples.name, "layer": layer, **counted_row(count(patterns))}
        rows.append(told | {"like_anchor": float(shares.mean()), "like_anchor_error": float(mcse_mean(shares))})
    return rows
