"""Prediction: a network's outputs for many records, and anchors chosen by them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import UNIFORM, Codes, decode
from maxent_cli.analysis.classification import classification_areas
from maxent_cli.api.anchors import Anchors, Given, anchors
from maxent_cli.api.jobs import Task, granted_cpus, outputs_of, torch_threads
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import in_notebook
from maxent_cli.api.runs import Run, account, settings_of
from maxent_cli.data import WHOLE, Floats, Record, Rejected, Sequences, Shard
from maxent_cli.errors import InputError, SettingsError, require_range
from maxent_cli.interpret.law import require_few
from maxent_cli.interpret.standing import Standing, standing
from maxent_cli.io.bed import bed_lines, bed_rows
from maxent_cli.io.digests import run_digests
from maxent_cli.io.fasta import fasta_lines
from maxent_cli.io.outputs import planned
from maxent_cli.io.parts import SCORES
from maxent_cli.io.records import RecordSource, read_labelled_sequences, read_part
from maxent_cli.io.tables import write_rows
from maxent_cli.laws import Combination, Outputs, is_table
from maxent_cli.models import prediction
from maxent_cli.models.splits import related
from maxent_cli.tables.training import SCORES as SCORES_TABLE

if TYPE_CHECKING:
    import pandas as pd

SEED = 1  # of the intervals of AUROC and AUPRC
MOST_TOLD = 12  # shares that are said
MOST_DIVERSE = 5000  # beyond that, the distances of all from all would be too many

Labels = NDArray[np.int64]
Columns = dict[str, tuple[str, ...] | NDArray[np.generic]]


@dataclass(frozen=True)
class Scores:
    """A network's outputs for records; rows: those chosen, highest contrast first, or that stand for most first.

    shares: of the records that could be chosen, which each chosen one stands for; none where they were not chosen so.
    """

    columns: Columns
    sequences: Sequences
    rows: NDArray[np.intp]
    shares: tuple[float, ...] = ()

    def to_frame(self) -> "pd.DataFrame":
        """A row a record: record, outputs, contrast, probability; label and correct, anchor and stands_for if known."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    @property
    def chosen(self) -> Anchors:
        """The records that were chosen, in their order, as `sample` takes them."""
        found = self.sequences.take(self.rows)
        letters, places = map(decode, found.codes), [f"chosen: {name}" for name in found.names]
        given = (found.names, letters, places, found.intervals, self.shares or (None,) * len(found))
        records = tuple(Record(*one) for one in zip(*given, strict=True))
        if not records:
            raise InputError("chosen records", "", "there are none", "ask for less")
        return Anchors(RecordSource("chosen records", given=records))

    def __len__(self) -> int:
        return len(self.sequences)

    def __repr__(self) -> str:
        return f"<Scores of {len(self)} records, {len(self.rows)} chosen>"

    def _repr_html_(self) -> str:
        return in_notebook(self.to_frame())


@whole_products()
def predict(
    network: Network,
    given: Given | None = None,
    *,
    table: str | None = None,
    crop: bool = False,
    label: int | None = None,
    output: int | str | None = None,
    min_contrast: float | None = None,
    correct: bool = False,
    top: int | None = None,
    diverse: int | None = None,
    out: str | None = None,
    select: str | None = None,
    device: str = "cpu",
    shard: Shard = WHOLE,
    threads: int | None = None,
    progress: Progress = True,
) -> Scores:
    """Outputs of a network for every record, before the softmax; and records chosen by them.

    Parameters
    ----------
    network
        What `network` gives.
    given, table
        Records: sequences as strings, or by name; the path of a FASTA file; or what `anchors` gives. Instead, TSV with
        columns sequence and label (0 or 1).
    crop, label
        Keep the middle of the table's longer records (of others `anchors` does); the class of every record given.
    output
        The contrast, as `Law` names it: an output by number or name, a difference, 'A-B', or the path of a TSV of
        weights; by default 1 less 0 of two.
    min_contrast, correct
        Choose records with this contrast or more, and those that are called correctly (the contrast is above 0 exactly
        for label 1).
    top, diverse
        Of these, so many with the highest contrast; or so many that stand for all of them: k medoids, by the words that
        the network reads in records. By default all.
    out, select
        TSV of the scores, and FASTA of the chosen records (BED, if it is named .bed); not written by default.
    device
        Where the network runs: cpu, cuda or cuda:N.
    shard, threads
        Which part of the records; CPU threads, by default those granted.

    Returns
    -------
    Scores
        `to_frame()` has a row a record: outputs by name, their contrast, and the probability of its first class;
        `chosen` are anchors. With diverse, `anchor` names the one that stands for a record, and `stands_for` is the
        share of records that an anchor stands for.

    Raises
    ------
    InputError
        Where the input cannot be used, or settings exclude each other.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> from torch import nn
    >>> net = mx.network(nn.Sequential(nn.Conv1d(4, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)), 10)
    >>> found = mx.predict(net, ["ACGTTGCAAC", "TTTTTTTTTT", "GGGGGCCCCC"], top=1, progress=False)
    >>> found
    <Scores of 3 records, 1 chosen>
    >>> list(found.to_frame())
    ['record', 'output_0', 'output_1', 'contrast', 'probability']
    """
    _check(given, table, label, correct)
    _check_choice(top, diverse)
    if select is not None and shard.count > 1:
        raise SettingsError("select", "", "chooses among all records, and excludes shard", "give one of them")
    task = Task("predict", listener_of(progress), out, shard, threads or granted_cpus())
    source = str(table) if given is None else anchors(given)
    where, read = (source, (source,)) if isinstance(source, str) else (source.name, source.files)
    weights = str(output) if is_table(output) else None
    outputs = planned([*network.files, *read, weights], [out, select], implied=[task.rejected_table], noting=False)
    wide, labels, left_out, count = _read(network, source, crop, label, shard)
    block = shard.block(count)
    mine, rejected = wide.within(block), [record for record in left_out if record.number in block]
    account(len(mine), rejected, where, task.rejected_table, task.listener, shard)
    settings = settings_of(label=label, output=output, reading=network.reading, device=device)
    digests = {"model": network.digest} | run_digests(weights=weights)
    digests |= run_digests(table=source) if isinstance(source, str) else source.digests()
    run = Run("predict", settings, digests, shard, count, len(mine), len(rejected))
    run.announce(task.listener)
    reader = network.reader(wide.codes.shape[1])
    place(reader, device, task.listener)
    names = network.outputs(reader.outputs)
    contrast = outputs_of(network, output, names)
    require_few(contrast, 1, "a contrast is of")
    margins = _outputs(reader, wide, task)
    within = np.isin(wide.numbered, mine.numbered)
    margins, called = margins[within], None if labels is None else labels[within]
    columns = _columns(mine, margins, contrast[0], names, called)
    rows = _chosen(columns, min_contrast, correct, top)
    found = Scores(columns, mine, rows)
    if diverse is not None and len(rows):
        found = _diverse(found, _stand(reader, contrast, mine.codes[np.sort(rows)], diverse, task))
    if called is not None and len(set(called.tolist())) == 2:
        for area in classification_areas(called, columns["contrast"], SEED, related(mine.codes)):
            task.listener.say(str(area))
    with outputs.writing(device=device) as opening:
        if out is not None:
            write_rows(opening(out, part=run.part(SCORES)), found.columns, SCORES_TABLE)
        if select is not None:
            _write_chosen(opening, select, found)
    if select is not None:
        task.listener.say(f"{select}: {len(found.rows)} of {len(found)} records selected{_told(found, len(rows))}")
    return found


def _check(given: Given | None, table: str | None, label: int | None, correct: bool) -> None:
    """Raise SettingsError for what excludes another, or is out of range."""
    if (given is None) == (table is None):
        raise SettingsError("records", "", "either they or a table are needed, not both", "give one of them")
    if table is not None and label is not None:
        raise SettingsError("table", "", "holds labels, and excludes label", "give one of them")
    if correct and table is None and label is None:
        raise SettingsError("correct", "", "needs labels", "give a table, or the label of all records")
    require_range("label", label, 0, 1)


def _check_choice(top: int | None, diverse: int | None) -> None:
    if top is not None and diverse is not None:
        raise SettingsError("top", "", "chooses the surest, and excludes diverse", "give one of them")
    require_range("top", top, 1, float("inf"))
    require_range("diverse", diverse, 1, MOST_DIVERSE)


def _read(
    network: Network, source: Anchors | str, crop: bool, label: int | None, shard: Shard
) -> tuple[Sequences, Labels | None, list[Rejected], int]:
    """The records of whole batches around the shard's, of a source or of a table at a path, and how many there are.

    With labels (N,) where known, and the records left out.
    """
    if isinstance(source, str):
        return _read_table(RecordSource(source, labelled=True), network.input_length, crop, shard)
    background = network.background or UNIFORM
    sequences, rejected, count = source.read_part(network.input_length, background, shard, prediction.BATCH)
    labels = None if label is None else np.full(len(sequences), label, np.int64)
    return sequences, labels, rejected, count


def _read_table(
    source: RecordSource, length: int | None, crop: bool, shard: Shard
) -> tuple[Sequences, Labels, list[Rejected], int]:
    labels = dict[int, int]()

    def read(some: RecordSource) -> tuple[Sequences, list[Rejected]]:
        found, called, left_out = read_labelled_sequences(some, length, crop)
        labels.update(zip(found.numbered.tolist(), called.tolist(), strict=True))
        return found, left_out

    sequences, rejected, count = read_part(source, shard, read, prediction.BATCH)
    return sequences, np.array([labels[number] for number in sequences.numbered.tolist()], np.int64), rejected, count


def _outputs(reader: Reader, sequences: Sequences, task: Task) -> Floats:
    """Outputs (N, K) of the network."""
    with torch_threads(task.threads), task.listener.progress("predicting", len(sequences), "records") as ticker:
        return prediction.predict(reader, sequences.codes, ticker.advance, sequences.numbered).astype(np.float64)


def _columns(
    sequences: Sequences, outputs: Floats, contrast: Combination, names: tuple[str, ...], labels: Labels | None
) -> Columns:
    """The table: outputs (N, K) by name, contrast and probability (N,), and whether the call is right."""
    numbers, weights = zip(*contrast, strict=True)
    margin = (outputs[:, numbers] * weights).sum(axis=1)
    columns: Columns = {"record": sequences.names, **dict(zip(names, outputs.T, strict=True))}
    columns |= {"contrast": margin, "probability": _probability(outputs, contrast)}
    if labels is not None:
        columns |= {"label": labels, "correct": (margin > 0) == (labels == 1)}
    return columns


def _probability(outputs: Floats, contrast: Combination) -> Floats:
    """Of an output on its own, by a sigmoid; of the first of a difference, by a softmax over all; else not known."""
    weights = [weight for _, weight in contrast]
    if weights == [1.0]:
        return np.asarray(np.exp(-np.logaddexp(0, -outputs[:, contrast[0][0]])))
    if weights != [1.0, -1.0]:
        return np.full(len(outputs), np.nan)
    first = contrast[0][0]
    odds = np.logaddexp.reduce(np.delete(outputs, first, axis=1), axis=1) - outputs[:, first]
    return np.asarray(np.exp(-np.logaddexp(0, odds)))


def _chosen(columns: Columns, min_contrast: float | None, correct: bool, top: int | None) -> NDArray[np.intp]:
    """Rows that pass, highest contrast first, as many as are asked for."""
    contrast = np.asarray(columns["contrast"], float)
    passes = np.ones(len(contrast), np.bool_)
    if min_contrast is not None:
        passes &= contrast >= min_contrast
    if correct:
        passes &= np.asarray(columns["correct"], np.bool_)
    order = np.argsort(-contrast, kind="stable")
    return order[passes[order]][:top]


def _stand(reader: Reader, contrast: Outputs, codes: Codes, count: int, task: Task) -> Standing:
    with torch_threads(task.threads), task.listener.progress("comparing", len(codes), "records") as ticker:
        return standing(reader, contrast, codes, count, ticker.advance)


def _diverse(found: Scores, stand: Standing) -> Scores:
    """The records that stand for all that could be chosen, whose rows `found` has; and which stands for which."""
    able = np.sort(found.rows)
    rows = able[stand.chosen]
    anchors, shares = np.full(len(found), "", object), np.full(len(found), np.nan)
    anchors[able] = np.array(found.sequences.names, object)[rows][stand.owner]
    shares[rows] = stand.shares
    columns: Columns = {**found.columns, "anchor": tuple(anchors.tolist()), "stands_for": shares}
    return Scores(columns, found.sequences, rows, tuple(stand.shares.tolist()))


def _told(found: Scores, able: int) -> str:
    """For what those that were chosen stand, in words."""
    if not found.shares:
        return ""
    shares = [f"{share:.1%}" for share in found.shares[:MOST_TOLD]]
    more = " ..." if len(found.shares) > MOST_TOLD else ""
    return f", which stand for {able} that could be: {', '.join(shares)}{more}"


def _write_chosen(opening: Callable[[str], IO[str]], path: str, found: Scores) -> None:
    sequences = found.sequences.take(found.rows)
    if not path.lower().endswith(".bed"):
        opening(path).writelines(fasta_lines(sequences.names, map(decode, sequences.codes), found.shares))
        return
    rows = bed_rows(sequences, np.asarray(found.columns["contrast"], float)[found.rows].tolist())
    if len(rows) < len(sequences):
        raise InputError(path, "", "a selected record has no coordinates", "name a FASTA file instead")
    opening(path).writelines(bed_lines(rows))
