"""What learning found, put together: rows of all tables, the figure, and what there is to say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import hypot, isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxent_cli.analysis.classification import mean_and_error
from maxent_cli.analysis.comparison import match_motifs
from maxent_cli.analysis.discovery import Calling, Found
from maxent_cli.analysis.information import divergence
from maxent_cli.analysis.motifs import consensus
from maxent_cli.analysis.names import cells_of, name_motifs
from maxent_cli.analysis.patterns import dip, first_lasting, halfway
from maxent_cli.analysis.recurrence import merge
from maxent_cli.data import Floats, Motif
from maxent_cli.io.learning_figure import LearningFigure, by_class, visited, write_learning_figure
from maxent_cli.io.tables import write_table
from maxent_cli.tables import learning as tables
from maxent_cli.tables.columns import KNOWN_COLUMNS
from maxent_cli.tables.learning import ALL_LAYERS

OF_SUMMARY = ("record", "bits", "bits_error", "bits_held", "bits_held_error", "converged", "rhat")
ARRAYS, NUMBERS = ("weights", "counts", "mean_background", "bits"), ("share", "background_share", "threshold")
MEANS = ("bits", "bits_held", "like_anchor")
FAR = 3.0  # errors from which two checkpoints are told apart
SAID = 5  # motifs in the account

Row = dict[str, Any]


@dataclass
class ByStep:
    """All that was kept, by checkpoint.

    points: steps and names; kept_step: where the training ended up; reference (4,): the background of motifs; losses:
    of each record (B,), the same ones at every checkpoint, nan where unknown.
    """

    points: list[tuple[int, str]]
    kept_step: int | None
    reference: Floats
    patterns: list[Row] = field(default_factory=list)
    losses: list[Floats] = field(default_factory=list)
    aurocs: list[float] = field(default_factory=list)
    anchors: list[Row] = field(default_factory=list)
    regions: list[Row] = field(default_factory=list)
    motifs: dict[int, list[tuple[int, Found]]] = field(default_factory=dict)

    def add(self, arrays: dict[str, NDArray[Any]], facts: Row) -> None:
        """Take in a unit of work: a checkpoint's records, or an anchor there."""
        if "patterns" in facts:
            self.patterns += facts["patterns"]
            self.losses.append(arrays["losses"])
            self.aurocs.append(facts["auroc"])
            return
        row = facts["anchor"]
        number = sum(each["step"] == row["step"] for each in self.anchors)
        self.anchors.append(row)
        self.regions += facts["regions"]
        for place, numbers in enumerate(facts["motifs"]):
            of_arrays: Row = {name: arrays[f"{name}_{place}"] for name in ARRAYS}
            found = Found(**of_arrays, **numbers)
            self.motifs.setdefault(row["step"], []).append((number, found))

    @property
    def steps(self) -> list[int]:
        """Steps of the checkpoints."""
        return [step for step, _ in self.points]

    @property
    def layers(self) -> list[str]:
        """The layers, in the order of a pass."""
        return list(dict.fromkeys(row["layer"] for row in self.patterns))

    def of(self, layer: str, column: str) -> Floats:
        """A number of a layer over all records, by checkpoint; nan of all layers where there are none."""
        rows = [row for row in self.patterns if (row["layer"], row["class"]) == (layer, "all")]
        return np.array([row[column] for row in rows] or [nan] * len(self.points), float)

    @property
    def kept(self) -> int | None:
        """Which checkpoint is the last at or before the step that the training kept."""
        return None if self.kept_step is None else int(np.searchsorted(self.steps, self.kept_step, "right")) - 1


@dataclass(frozen=True)
class StepMotifs:
    """Motifs at a checkpoint, and in how many anchors each is."""

    motifs: list[Motif]
    bits: list[float]
    anchors: list[int]


def write(folder: Path, found: ByStep, calling: Calling, similarity: float, known: Sequence[Motif]) -> Iterator[str]:
    """Write tables and figure; give what there is to say."""
    steps, layers = list(_step_rows(found)), [_layer_row(layer, found) for layer in found.layers]
    at = {step: _motifs_at(step, found, calling, similarity) for step in found.steps} if found.anchors else {}
    motifs, learned = _motif_rows(found, at, similarity, known)
    written = {tables.STEPS: steps, tables.PATTERNS: found.patterns, tables.LAYERS: layers}
    if found.anchors:
        written |= {tables.ANCHORS: found.anchors, tables.REGIONS: found.regions}
        written |= {tables.MOTIFS: motifs, tables.LEARNED: learned}
    for table, rows in written.items():
        write_table(str(folder / table.file), [{name: row[name] for name in table.names} for row in rows], table)
    write_learning_figure(str(folder / "learning.png"), _figure(found, steps, motifs, learned))
    return _account(found, steps, layers, learned)


def _step_rows(found: ByStep) -> Iterator[Row]:
    entropy = found.of(ALL_LAYERS, "entropy")
    for number, (step, name) in enumerate(found.points):
        rows = [row for row in found.anchors if row["step"] == step]
        whole = [row for row in found.regions if (row["step"], row["layer"]) == (step, ALL_LAYERS)]
        loss, error = mean_and_error(found.losses[number])
        row = {"step": step, "checkpoint": name, "kept": number == found.kept, "loss": loss, "loss_error": error}
        row |= {"auroc": found.aurocs[number], "entropy": float(entropy[number]), "anchors": len(rows)}
        row["anchors_converged"] = sum(each["converged"] for each in rows)
        for name in MEANS:
            row |= _mean(name, whole if name == "like_anchor" else rows)
        row["regions"] = float(np.mean([each["distinct"] / each["patterns"] for each in whole])) if whole else nan
        yield row


def _mean(name: str, rows: Sequence[Row]) -> Row:
    """A mean over the same anchors at each step, with the Monte Carlo error of that."""
    if not rows:
        return {name: nan, f"{name}_error": nan}
    error = float(np.sqrt(np.sum([row[f"{name}_error"] ** 2 for row in rows]))) / len(rows)
    return {name: float(np.mean([row[name] for row in rows])), f"{name}_error": error}


def _layer_row(layer: str, found: ByStep) -> Row:
    entropy, dead = found.of(layer, "entropy"), found.of(layer, "dead")
    half, (depth, lowest) = halfway(found.of(layer, "jaccard_end")), dip(entropy)
    return {
        "layer": layer,
        "units": int(found.of(layer, "units")[0]),
        "halfway": found.steps[-1 if half is None else half],
        "entropy_start": float(entropy[0]),
        "entropy_least": float(entropy[lowest]),
        "least_step": found.steps[lowest],
        "entropy_end": float(entropy[-1]),
        "dip": depth,
        "dead_start": int(dead[0]),
        "dead_end": int(dead[-1]),
    }


def _motifs_at(step: int, found: ByStep, calling: Calling, similarity: float) -> StepMotifs:
    """Motifs of the anchors that have converged or not, as one where they are alike; those of most anchors first."""
    merged = merge(found.motifs.get(step, []), found.reference, calling, similarity)
    shares = [found.reference * np.exp2(one.weights) for one in merged]
    probabilities = [each / each.sum(axis=1, keepdims=True) for each in shares]
    counts = [100 * each for each in probabilities]
    motifs = [Motif(f"motif_{number}", each, 100) for number, each in enumerate(counts, 1)]
    bits = [float(divergence(each, found.reference).sum()) for each in counts]
    kept = [place for place, each in enumerate(bits) if each >= calling.motif_bits]
    named = [Motif(f"motif_{number}", motifs[place].counts, 100) for number, place in enumerate(kept, 1)]
    return StepMotifs(named, [bits[place] for place in kept], [len(merged[place].anchors) for place in kept])


def _motif_rows(
    found: ByStep, at: dict[int, StepMotifs], similarity: float, known: Sequence[Motif]
) -> tuple[list[Row], list[Row]]:
    """Motifs by step, each with the one of the last step that it is; and of those when they were learned."""
    if not at:
        return [], []
    last, rows = at[found.steps[-1]], list[Row]()
    present = np.zeros((len(last.motifs), len(found.steps)), bool)
    for number, step in enumerate(found.steps):
        same = {pair.b: pair for pair in match_motifs(last.motifs, at[step].motifs, similarity)}
        for place, row in enumerate(_described(at[step])):
            pair = same.get(place)
            like: Row = {"same_as": None, "similarity": None}
            if pair is not None:
                present[pair.a, number] = True
                like = {"same_as": last.motifs[pair.a].name, "similarity": pair.match.similarity}
            rows.append({"step": step, **row, **like})
    learned = []
    names = name_motifs(last.motifs, known)
    for row, seen, families in zip(_described(last), present, names, strict=True):
        lasting = first_lasting(seen.astype(float), 1)
        assert lasting is not None  # it is one of the last step's
        when = {"first_step": found.steps[int(np.argmax(seen))], "lasting_step": found.steps[lasting]}
        known_as = zip((column.name for column in KNOWN_COLUMNS), cells_of(families), strict=True)
        learned.append(row | when | {"loss": float(found.losses[lasting].mean())} | dict(known_as))
    return rows, learned


def _described(at: StepMotifs) -> Iterator[Row]:
    for motif, bits, anchors in zip(at.motifs, at.bits, at.anchors, strict=True):
        yield {"motif": motif.name, "consensus": consensus(motif), "bits": bits, "anchors": anchors}


def _figure(found: ByStep, steps: list[Row], motifs: list[Row], learned: list[Row]) -> LearningFigure:
    tracks = {row["motif"]: f"{row['motif']} {row['consensus']}" for row in learned}
    similarity = np.full((len(tracks), len(steps)), np.nan)
    places = {name: place for place, name in enumerate(tracks)}
    for row in motifs:
        if row["same_as"] is not None:
            similarity[places[row["same_as"]], found.steps.index(row["step"])] = row["similarity"]
    single = [layer for layer in found.layers if layer != ALL_LAYERS]
    return LearningFigure(
        steps=found.steps,
        kept=found.kept,
        loss=np.array([[row["loss"], row["loss_error"]] for row in steps]),
        bits=np.array([[row["bits"], row["bits_error"]] for row in steps]),
        held=np.array([[row["bits_held"], row["bits_held_error"]] for row in steps]),
        layers=single,
        share=np.array([found.of(layer, "share") for layer in single]),
        by_class=by_class(found.patterns, single),
        dead=np.array([found.of(layer, "dead") / found.of(layer, "units") for layer in single]),
        regions=visited(found.regions, [*single, ALL_LAYERS], found.steps),
        jaccard=np.array([found.of(layer, "jaccard_end") for layer in single]),
        motifs=list(tracks.values()),
        similarity=similarity,
    )


def _account(found: ByStep, steps: list[Row], layers: list[Row], learned: list[Row]) -> Iterator[str]:
    """What was learned when, in which layer, and whether the training stopped too early or went on too long."""
    single = [row for row in layers if row["layer"] != ALL_LAYERS]
    yield f"{len(steps)} checkpoints, steps {found.steps[0]} to {found.steps[-1]}, {len(single)} ReLU-like layers"
    yield from _of_layers(single)
    yield from _too_long(found)
    yield from _too_early(found, steps)
    for row in learned[:SAID]:
        known = f" ({row['known_1']}, q {row['q_1']:.2g})" if row["known_1"] else ""
        lasting = f"from step {row['lasting_step']} on"
        yield f"  {row['motif']} {row['consensus']}{known}, in {row['anchors']} anchors: {lasting}"
    if found.anchors and not learned:
        yield "  no motif is found at the last checkpoint"
    few = sum(not row["converged"] for row in found.anchors)
    if few:
        yield f"  {few} of {len(found.anchors)} draws have not converged; more --max-steps may help"


def _of_layers(single: list[Row]) -> Iterator[str]:
    """Which layer came to its patterns when, and where entropy dips."""
    if not single:
        yield "  no on/off patterns: this network shows no ReLU-like layer, of which units are on or off"
        return
    yield "  halfway to their last patterns: " + ", ".join(f"{row['layer']} at step {row['halfway']}" for row in single)
    dips = [f"{row['layer']} by {row['dip']:.2g} bits at step {row['least_step']}" for row in single if row["dip"] > 0]
    yield f"  entropy falls below start and end: {', '.join(dips) or 'in no layer'}"


def _too_long(found: ByStep) -> Iterator[str]:
    """Whether the loss has risen since it was lowest, by the same records."""
    means = {number: float(each.mean()) for number, each in enumerate(found.losses) if isfinite(each.mean())}
    if not means:
        return
    best, last = min(means, key=lambda number: means[number]), max(means)
    if best == last:
        yield f"  loss is lowest at the end, {means[last]:.4f}: it has not risen"
        return
    rise, error = _change(found, best, last)
    verdict = "the training went on too long" if rise > FAR * error else "no rise beyond its error since"
    here, end = f"at step {found.steps[best]} ({means[best]:.4f})", f"{means[last]:.4f} at the end"
    yield f"  loss is lowest {here}, {end}, {rise:+.2g} ± {error:.2g}: {verdict}"


def _too_early(found: ByStep, steps: list[Row]) -> Iterator[str]:
    """Whether loss and bits still change: the last checkpoint against the last at or before half of the steps."""
    last = len(steps) - 1
    half = max((number for number in range(last) if 2 * found.steps[number] <= found.steps[last]), default=0)
    loss = _change(found, half, last)
    # draws of two checkpoints are around the same anchors, and independent of each other
    bits = steps[last]["bits"] - steps[half]["bits"], hypot(steps[last]["bits_error"], steps[half]["bits_error"])
    for name, (change, error) in (("loss", loss), ("bits", bits)):
        if isfinite(change):
            worse, more = name == "loss" and change > 0, "still changing, so that more training may teach more"
            moved = "it rises" if worse else more
            verdict = moved if abs(change) > FAR * error else "no change beyond its error"
            yield f"  {name} since step {found.steps[half]}: {change:+.3g} ± {error:.2g}, {verdict}"


def _change(found: ByStep, first: int, second: int) -> tuple[float, float]:
    """How far the loss rises between two checkpoints, and the error of that: of the differences, record by record."""
    return mean_and_error(found.losses[second] - found.losses[first])
