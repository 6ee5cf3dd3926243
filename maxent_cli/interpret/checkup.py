"""What a network is like as a thing to sample: each check gives a finding, for people and for machines."""

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maxent_cli.alphabet import LETTERS, UNKNOWN, Codes
from maxent_cli.analysis.classification import auroc
from maxent_cli.analysis.patterns import Patterns, bytes_held, count, jaccard
from maxent_cli.data import Floats, Sequences
from maxent_cli.engine.target import start_state
from maxent_cli.engine.tuning import first_ladder
from maxent_cli.errors import spoken_time
from maxent_cli.interpret import conditionals
from maxent_cli.interpret.attribution import REFERENCES
from maxent_cli.interpret.crossing import BACKGROUNDS, MOST_DRAWS
from maxent_cli.interpret.equivalents import equivalent
from maxent_cli.interpret.law import BATCH, LawSettings, anchored_law, evaluate, output_term, sums_of
from maxent_cli.interpret.prefix_mass import COMPILED_EFFORT, FULL_EFFORT
from maxent_cli.interpret.sampling import (
    COMPILED,
    REFERENCE_DRAWS,
    REPLICA_OUTPUTS,
    Sampling,
    Setting,
    prepare,
    start_codes,
)
from maxent_cli.interpret.self_test import SelfTest
from maxent_cli.interpret.variants import CONTEXTS, VariantSettings
from maxent_cli.laws import ONE_LESS_ZERO, spelled
from maxent_cli.models.adapter import AdaptedNetwork
from maxent_cli.models.architectures import LayeredModel, build
from maxent_cli.models.consensus import Consensus
from maxent_cli.models.patterns import on_units, patterns_of
from maxent_cli.models.protocol import one_hot
from maxent_cli.models.scores import Score

OK, NOTE, WRONG = "ok", "note", "WRONG"
RUN, LAST_OF_SPEED = "run", "learning"  # topics: of what a run will need, and the last of what it takes
CLEARLY = 4.0  # standard errors by which one of 48 ways is better, and not by chance
SAME = 1e-4  # share of the outputs' spread within which two passes count as the same
SPARED, FEWEST = 1.0, 16  # seconds that a check of sequences takes, and how few these may be
FEW = 4  # sequences, by which a time is guessed
LEAST_REFERENCES = 100
SMALL = 60  # bp, of a network that is there to be compiled for
SOUGHT = 8.0  # seconds that the search for positions of the self-test takes
COPIED, MOST_OFF = 128, 1e-5  # sequences, and the share of their mean energy that those of a copy may differ by
PAIRS = 32  # of representations, between which a linear head is linear
TIMED = 1.0  # seconds that speed is measured for
MOST_TIMED_STEPS = 400
COMPARED = 5  # networks, such as folds, that each read the draws of all
CHANGES_AN_ALLELE = 1.5  # of two letters one is mostly there
PASSES_A_CONTEXT = 3  # which it takes to take one up
RECORDS, COUNTED = 1000, 32  # whose patterns `learning` counts by default, and on how many it is timed
PASSES_A_LETTER = 4  # that each draw takes to be taken up when a letter of a prefix is put in
LIKELY_LOOKS = 36  # times the first draws' steps, in first replicas, that held-out CTCF peaks take on the mean
SPARE_TIME, SPARE_MEMORY = 2.0, 1.5  # what a resource line asks for, over what is expected
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)

Reader = AdaptedNetwork | LayeredModel | Score | Consensus


@dataclass(frozen=True)
class Finding:
    """One check: what it is about, whether it is as it should be, a line for people, and the numbers behind it."""

    topic: str
    verdict: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Topic, verdict and text."""
        return f"{self.topic:14}  {self.verdict:5}  {self.text}"


@dataclass(frozen=True)
class Patient:
    """A network as read, the names of its outputs, the anchors, and the law and run that are asked for.

    together: how many anchors are drawn around at once: one a thread or, on a card, as many as memory takes.
    """

    model: Reader
    outputs: tuple[str, ...]
    anchors: Sequences
    law: LawSettings
    run: Sampling
    threads: int
    together: int = 1

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return torch.device(self.run.device)

    @property
    def on_card(self) -> bool:
        """Whether anchors share the passes of a card."""
        return self.run.device != "cpu"

    def random(self, count: int) -> Codes:
        """Random sequences (count, L), the same each time."""
        return np.random.default_rng(0).integers(0, 4, (count, self.model.input_length), dtype=np.uint8)

    @cached_property
    def rate(self) -> float:
        """Sequences that it passes a second, roughly; of a large network there are fewer in a check."""
        codes = self.random(FEW)
        self.all_outputs(codes)
        started = _seconds(self.run.device)
        self.all_outputs(codes)
        return FEW / max(_seconds(self.run.device) - started, 1e-9)

    def some(self, count: int) -> Codes:
        """So many random sequences, or as many as take about a second."""
        return self.random(int(np.clip(SPARED * self.rate, min(count, FEWEST), count)))

    def all_outputs(self, codes: Codes) -> Tensor:
        """Outputs (B, K) of codes (B, L), in one pass."""
        with torch.inference_mode():
            outputs: Tensor = self.model(one_hot(torch.from_numpy(np.ascontiguousarray(codes)).to(self.device)))
        return outputs.double().cpu()


def check(patient: Patient) -> Iterator[Finding]:
    """What needs no anchor."""
    yield network(patient)
    yield representation(patient)
    yield outputs(patient)
    yield modes(patient)
    yield repeatable(patient)


def network(patient: Patient) -> Finding:
    """Size and input."""
    weights, length = sum(p.numel() for p in patient.model.parameters()), patient.model.input_length
    text = f"{weights} weights; reads {length} letters"
    if isinstance(patient.model, AdaptedNetwork):
        reading = patient.model.reading
        shape = f"{length}, 4" if reading.channels_last else f"4, {length}"
        text += f" as (batch, {shape}), channels {', '.join(reading.letters)}"
    return Finding("network", OK, text, {"weights": weights, "input_length": length})


def representation(patient: Patient) -> Finding:
    """Where it is, its shape, and whether the head is linear."""
    model, layer = patient.model, "module output"
    if isinstance(model, AdaptedNetwork):
        layer = f"module {model.layer}" if model.layer else "a matrix product in its code"
    if isinstance(model, Consensus):
        layer = f"the heads of {len(model.parts)} networks"
    with torch.inference_mode():
        points = model.representation(one_hot(torch.from_numpy(patient.some(2 * PAIRS)).to(patient.device)))
        pairs = len(points) // 2
        points = points[: 2 * pairs]
        ends, middle = model.head(points), model.head((points[:pairs] + points[pairs:]) / 2)
    off = float((ends[:pairs] + ends[pairs:] - 2 * middle).abs().max() / ends.std(0).max().clamp_min(1e-30))
    if isinstance(model, Score):
        text = f"none: held is what the function gives, {model.outputs} numbers a sequence"
        return Finding("representation", OK, text, {"layer": None, "shape": [model.outputs], "linear": True})
    if isinstance(model, AdaptedNetwork) and model.is_output:
        text = f"the outputs themselves, {model.outputs}: E is how far those held are from the anchor's"
        return Finding("representation", OK, text, {"layer": model.layer, "shape": [model.outputs], "linear": True})
    linear, shape = off < SAME, list(points.shape[1:])
    head = "linear head: w is its weights" if linear else "head not linear: w is its gradient at each anchor"
    text = f"input of {layer}: {' x '.join(map(str, shape))} units; {head}"
    return Finding("representation", OK, text, {"layer": layer, "shape": shape, "linear": linear})


def outputs(patient: Patient) -> Finding:
    """Their number, which are held, and what was left out behind them."""
    final = patient.model.final if isinstance(patient.model, AdaptedNetwork) else None
    values = patient.all_outputs(patient.some(BATCH))
    chosen = sums_of(values, patient.law.outputs).mean(-1)
    held = spelled(patient.law.outputs, patient.outputs)
    numbers = {"outputs": list(patient.outputs), "held": patient.law.outputs, "final": final}
    text = f"{len(patient.outputs)}; held: {held}" + (f", before the final {final}" if final else "")
    low, high = float(values.min()), float(values.max())
    if not final and low >= 0 and high <= 1:
        return Finding("outputs", NOTE, f"{text}; all within 0 and 1: if these are probabilities, see --final", numbers)
    points = np.quantile(chosen.numpy(), (0.025, 0.975))
    return Finding("outputs", OK, f"{text}; {points[0]:.3g} to {points[1]:.3g} on random sequences", numbers)


def modes(patient: Patient) -> Finding:
    """What would be random or depend on the batch in training."""
    kinds = {"dropout": _DROPOUT, "batch norm": _NORMS}
    counts = {name: sum(isinstance(m, kind) for m in patient.model.modules()) for name, kind in kinds.items()}
    bare = sum(isinstance(m, _NORMS) and m.running_mean is None for m in patient.model.modules())
    held = ", ".join(f"{count} {name}" for name, count in counts.items()) + "; run in evaluation mode"
    if bare:
        return Finding("modes", WRONG, f"{held}; {bare} batch norm without running statistics", counts)
    return Finding("modes", OK, held, counts)


def repeatable(patient: Patient) -> Finding:
    """Whether the same sequence has the same outputs again, and in other company."""
    codes = patient.some(64)
    together, again = patient.all_outputs(codes), patient.all_outputs(codes)
    alone = torch.cat([patient.all_outputs(codes[row : row + 1]) for row in range(8)])
    spread = max(float(together.std(0).max()), 1e-30)
    numbers = {
        "again": float((together - again).abs().max()) / spread,
        "alone": float((together[:8] - alone).abs().max()) / spread,
    }
    text = f"outputs differ by {numbers['again']:.1e} of their spread when repeated, {numbers['alone']:.1e} when alone"
    fine = max(numbers.values()) <= SAME
    return Finding("repeatable", OK if fine else WRONG, text if not fine else "yes, and whatever the batch", numbers)


def letters(patient: Patient, codes: Codes, labels: NDArray[np.int64], told: str) -> Finding:
    """Which order of the channels tells labelled sequences (N, L) apart best, in both directions, by AUROC."""
    term, found, errors = output_term(patient.model, patient.law.outputs), dict[str, float](), dict[str, float]()
    for order in map("".join, permutations(LETTERS)):
        feed = np.full(UNKNOWN + 1, UNKNOWN, np.uint8)
        feed[[LETTERS.index(letter) for letter in order]] = [LETTERS.index(letter) for letter in told]
        for name, turned in ((order, codes), (f"{order} reversed", codes[:, ::-1])):
            found[name], errors[name] = auroc(labels, evaluate(term, feed[turned], patient.device))
    best = max(found, key=lambda name: found[name])
    better = found[best] - found[told] > CLEARLY * float(np.hypot(errors[best], errors[told]))
    text = f"AUROC {found[told]:.3f} as {told}; best of 24 orders in 2 directions: {found[best]:.3f} as {best}"
    if better:
        return Finding("letters", WRONG, f"{text}; see --letters", found)
    if abs(found[told] - 0.5) < CLEARLY * errors[told]:
        return Finding("letters", NOTE, f"{text}; as {told}, the labels are not told apart", found)
    return Finding("letters", OK, text, found)


def speed(patient: Patient) -> Iterator[Finding]:
    """Passes a second, the kernel, and what the run asked for will need."""
    run = patient.run
    chains, passes = run.chains * run.replicas, _passes_a_second(patient)
    place = f"{run.device}, {patient.threads} CPUs"
    yield Finding(
        "speed", OK, f"{passes:.3g} forward passes/s, {_batch(patient)} at once, on {place}", {"passes": passes}
    )
    _compile(patient)
    started = _seconds(run.device)
    setting = _prepared(patient)
    preparing = _seconds(run.device) - started + 2 * (REFERENCE_DRAWS - setting.references) / passes
    step, decision = _seconds_a_step(setting, passes / chains)
    compiled, name = setting.kernel_name == COMPILED, setting.kernel_name
    if setting.apprentice is not None:
        name += f", {setting.apprentice.teacher.name}: many steps by a copy, then a forward pass decides"
    slow = not setting.is_compiled and setting.apprentice is None
    text = f"{name}; {chains / step:.3g} proposals/s a thread"
    numbers = {"kernel": setting.kernel_name, "proposals": chains / step, "decision": decision}
    yield Finding("kernel", NOTE if slow else OK, text, numbers)
    after = _conditionals(patient) * step / chains if compiled else 0.0
    yield _needs(patient, setting.run, preparing + after, step, passes)
    yield _variants(patient, passes, step / chains if compiled else 1 / passes)
    yield _prefixes(patient, passes, step / chains if compiled else None)
    yield _crossing(patient, passes)
    yield _learning(patient)


def _compile(patient: Patient) -> None:
    """Have compiled what every anchor needs, which is done once, on a small network."""
    small = build("convnet", SMALL, {"filters": 2, "hidden": 2}, seed=0)
    anchor = Sequences(("small",), np.zeros((1, SMALL), np.uint8), (None,)).anchor(0)
    prepare(small, anchor, LawSettings(ONE_LESS_ZERO, patient.law.background, None, 1.0), patient.run, 1, FEWEST)


def _prepared(patient: Patient) -> Setting:
    """With fewer draws of the background, where the network is slow."""
    references = int(np.clip(SPARED * patient.rate, LEAST_REFERENCES, REFERENCE_DRAWS))
    return prepare(patient.model, patient.anchors.anchor(0), patient.law, patient.run, 1, references)


def _conditionals(patient: Patient) -> int:
    """Single changes that conditionals of an anchor's draws take, each about a proposal."""
    run, length = patient.run, patient.model.input_length
    looked_at = conditionals.looked_at(run.chains * run.replicas * run.max_steps, length)
    return min(looked_at, run.chains * run.draws) * 4 * length


def _batch(patient: Patient) -> int:
    """Sequences that are evaluated together, as they are timed."""
    return min(BATCH, patient.run.chains * patient.run.replicas * (patient.together if patient.on_card else 1))


def _passes_a_second(patient: Patient) -> float:
    """Of the network, so many sequences at once as the run has chains and replicas."""
    batch, count = _batch(patient), 0
    codes = patient.random(batch)
    term = output_term(patient.model, patient.law.outputs)
    evaluate(term, codes, patient.device)
    started = _seconds(patient.run.device)
    while count == 0 or _seconds(patient.run.device) - started < TIMED:
        evaluate(term, codes, patient.device)
        count += batch
    return count / (_seconds(patient.run.device) - started)


def _seconds_a_step(setting: Setting, steps_a_second: float) -> tuple[float, float | None]:
    """Of all chains and replicas together; and how many steps take as long as a surrogate's decision."""
    run, reference = setting.run, setting.reference
    least = 1 / reference.energy_spread
    betas = first_ladder(setting.settings.beta or least, run.replicas, least)
    surrogate = None if setting.apprentice is None else setting.apprentice.learner().begin(setting.anchor.codes)
    target = setting.law.terms.at(np.tile(betas, run.chains), surrogate=surrogate)
    state = start_state(target, start_codes(setting), setting.keys, torch.device(run.device))
    state, _ = setting.kernel(state, target, 1, 1)
    steps = int(np.clip(TIMED * steps_a_second, 1, MOST_TIMED_STEPS))
    steps = steps if surrogate is None else surrogate.steps
    started = _seconds(run.device)
    setting.kernel(state, target, 1, steps)
    step = (_seconds(run.device) - started) / steps
    if surrogate is None:
        return step, None
    started = _seconds(run.device)
    setting.kernel(state, target, 1, 1)
    return step, (_seconds(run.device) - started) / step


def _seconds(device: str) -> float:
    """The CPU's own where all is done there: what else runs on this machine does not count."""
    return time.process_time() if device == "cpu" else time.monotonic()


def _needs(patient: Patient, run: Sampling, preparing: float, step: float, passes: float) -> Finding:
    """Time, memory and a resource line of a run."""
    count = len(patient.anchors)
    workers = min(patient.together, count)
    rounds = -(-count // workers)
    if patient.on_card:  # where the anchors of a round share each step
        step = max(step, workers * run.chains * run.replicas / passes)
    wider = run.most_replicas / run.replicas
    first = run.warmup * step if wider > 1 else 0.0  # warm-up before it begins again with more replicas
    most = preparing + first + _drawing(run, run.max_steps, passes, step) * wider
    likely = preparing + _drawing(run, min(LIKELY_LOOKS * run.draws * run.thin, run.max_steps), passes, step)
    seconds = rounds * (likely if run.goes_on else most)
    held = 2 * workers * run.bytes_held(patient.model.input_length)
    counted = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB here
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * counted + held
    asked = SPARE_TIME * seconds + (most if run.goes_on else 0.0)  # any anchor may be one that takes all steps
    hours, minutes = divmod(int(asked / 60) + 1, 60)
    gigabytes = max(1, round(memory * SPARE_MEMORY / 2**30))
    line = f"--cpus-per-task={patient.threads} --mem={gigabytes}G --time={hours:02d}:{minutes:02d}:00"
    line += " --gres=gpu:1" if run.device != "cpu" else ""
    at_most = f", at most {spoken_time(rounds * most)} if none converges" if run.goes_on else ""
    in_step = f", {workers} at once on {run.device}" if patient.on_card else ""
    text = (
        f"{count} anchors{in_step}: about {spoken_time(seconds)}{at_most}, and {memory / 2**30:.1f} GiB; ask for {line}"
    )
    numbers = {
        "anchors": count,
        "at_once": workers,
        "seconds": seconds,
        "seconds_at_most": rounds * most,
        "bytes": memory,
    }
    return Finding(RUN, OK, text, numbers | {"resources": line})


def _variants(patient: Patient, passes: float, change: float) -> Finding:
    """What letters in contexts take, an allele and an anchor, if a changed letter takes so many seconds; and memory."""
    asked = VariantSettings(patient.law, patient.law.outputs, CONTEXTS, patient.run.seed, patient.run.device)
    sequences = asked.contexts + asked.backgrounds
    allele, anchor = sequences * CHANGES_AN_ALLELE * change, PASSES_A_CONTEXT * sequences / passes
    held = patient.threads * asked.bytes_held(patient.model.input_length)
    each = f"{1000 * allele:.3g} s a thousand alleles and {anchor:.2g} s an anchor, on a thread"
    text = f"`maxent variants` in {CONTEXTS} contexts: about {each}; {held / 2**30:.2g} GiB beside the draws"
    return Finding("variants", OK, text, {"seconds_an_allele": allele, "seconds_an_anchor": anchor, "bytes": held})


def _prefixes(patient: Patient, passes: float, change: float | None) -> Finding:
    """What an anchor takes that is read from left to right, if the compiled chain, if any, changes a letter so fast."""
    length = patient.model.input_length
    outputs = 2 * (length + 1) * REFERENCES / passes
    draws, steps = (FULL_EFFORT if change is None else COMPILED_EFFORT)[:2]
    each = (4 + steps) / passes if change is None else (4 + steps) * change + PASSES_A_LETTER / passes
    bits = draws * length * each
    text = f"`maxent attribute --method prefix`: about {outputs:.2g} s an anchor, on a thread"
    text += f"; with --draws {bits:.2g} s more, longer where chains mix slowly"
    return Finding("prefixes", OK, text, {"seconds_an_anchor": outputs, "seconds_of_law": bits})


def _crossing(patient: Patient, passes: float) -> Finding:
    """What an anchor takes whose draws, of several networks like it, all of them read."""
    read, length = COMPARED**2 * MOST_DRAWS, patient.model.input_length
    each = (read + COMPARED * BACKGROUNDS) / passes
    held = COMPARED * patient.run.bytes_held(length) + read * (length + 16)
    text = f"`maxent compare` of {COMPARED} networks like it: about {each:.2g} s an anchor; {held / 2**30:.2g} GiB"
    return Finding("crossing", OK, text, {"networks": COMPARED, "seconds_an_anchor": each, "bytes": held})


def _learning(patient: Patient) -> Finding:
    """What counting the patterns of records takes at a checkpoint, timed on a few of them; and memory."""
    if isinstance(patient.model, Score):
        return Finding("learning", NOTE, "a function of sequences has no units whose patterns could be counted", {})
    _count_patterns(patient, 2)
    for counted in (FEW, COUNTED):
        started = _seconds(patient.run.device)
        layers, places = _count_patterns(patient, counted)
        seconds = (_seconds(patient.run.device) - started) * RECORDS / counted
        if seconds * COUNTED / RECORDS > SPARED:
            break
    if not layers:
        return Finding("learning", NOTE, "no ReLU-like layer, so that `maxent learning` has no patterns to count", {})
    held = bytes_held(RECORDS, places, 2)
    text = f"`maxent learning`: about {seconds:.2g} s a checkpoint for {RECORDS} records, and {held / 2**30:.2g} GiB"
    text += "; around anchors, at each checkpoint what a run takes"
    return Finding("learning", OK, text, {"seconds_a_checkpoint": seconds, "bytes": held})


def _count_patterns(patient: Patient, records: int) -> tuple[int, int]:
    """Count those of so many random sequences, each compared with three others; ReLU-like layers, and their places."""
    found, places = dict[str, Patterns](), 0
    for seen in on_units(patient.model, patient.random(records)):
        places = sum(on.shape[1] for on in seen.on.values()) + 1
        for layer, bits in patterns_of(seen.on) if seen.on else ():
            found.setdefault(layer, Patterns(bits.shape[1], 2)).add(bits, 0)
    for one in found.values():
        count(one)
        for _ in range(3):
            jaccard(one, one)
    return max(len(found) - 1, 0), places


def _drawing(run: Sampling, steps: int, passes: float, step: float) -> float:
    """Seconds of warm-up and so many steps of the run's replicas, and of the passes over draws."""
    evaluated = run.chains * run.draws + run.chains * run.replicas * min(run.draws, REPLICA_OUTPUTS)
    return (run.warmup + steps) * step + evaluated / passes


def copies(patient: Patient) -> Finding:
    """Whether a copy whose units are exchanged and rescaled, the same function, has the same energies."""
    if isinstance(patient.model, Score):
        return Finding("copies", NOTE, "a function of sequences has no units to exchange", {})
    model, moved = equivalent(patient.model, torch.Generator().manual_seed(0))
    numbers: dict[str, Any] = vars(moved)
    if not moved.ordered and not moved.rescaled:
        why = "its code cannot be read as layers in a row, or they are those of an LSTM, which stay as they are"
        return Finding("copies", NOTE, f"no units could be exchanged: {why}", numbers)
    anchor, codes = patient.anchors.anchor(0), patient.some(COPIED)
    codes = np.where(anchor.mutable, codes, anchor.codes)
    laws = [anchored_law(each, anchor, patient.law, patient.device) for each in (patient.model, model)]
    unlike, off = (
        _apart(*(evaluate(term, codes, patient.device) for term in terms))
        for terms in ([law.output for law in laws], [law.terms.energy for law in laws])
    )
    if unlike > MOST_OFF:  # by what its layers are read as, or by rounding
        text = f"no copy could be made that is the same function: outputs differ by {unlike:.1e}"
        return Finding("copies", NOTE, text, numbers)
    text = f"{moved.ordered} units in another order, {moved.rescaled} rescaled: energies differ by {off:.1e}"
    return Finding("copies", OK if off <= MOST_OFF else WRONG, text, numbers | {"difference": off})


def _apart(own: Floats, other: Floats) -> float:
    """The largest difference of two rows of numbers, relative to the mean size of the first."""
    return float(np.abs(own - other).max() / max(np.abs(own).mean(), 1e-30))


def self_test_finding(test: SelfTest) -> Finding:
    """The self-test's result."""
    found = test.agreement
    places = f"{test.positions[0]} to {test.positions[-1]}"
    text = (
        f"all {4 ** len(test.positions)} sequences at {places} of {test.record} listed: total variation of "
        f"{found.draws} draws {found.total_variation:.3f}, {found.expected_variation:.3f} expected; p = {found.p:.2g}"
    )
    numbers = {**vars(found), "beta": test.beta, "positions": list(test.positions), "kernel": test.kernel}
    return Finding("self-test", OK if test.passed else WRONG, text, numbers)
