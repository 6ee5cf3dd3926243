"""What `train` learns from: positives and negatives as read, split into parts, and the parts as files."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from maxent_cli.alphabet import Codes, decode
from maxent_cli.commands import options
from maxent_cli.data import Record, Rejected, Sequences
from maxent_cli.engine.shuffles import dinucleotide_shuffle
from maxent_cli.errors import InputError
from maxent_cli.io.bed import BedRow, write_bed
from maxent_cli.io.fasta import to_sequences, write_fasta
from maxent_cli.io.records import RecordSource, read_sequences
from maxent_cli.io.tables import read_labelled
from maxent_cli.models import splits
from maxent_cli.models.training import Examples


@dataclass(frozen=True)
class LabelledSet:
    """Positives and negatives of one length; shuffled says that the negatives are the positives' shuffles."""

    positives: Sequences
    negatives: Sequences
    shuffled: bool = False

    @property
    def codes(self) -> Codes:
        """The positives' codes, then the negatives' (N, L)."""
        return np.concatenate([self.positives.codes, self.negatives.codes])

    @property
    def examples(self) -> Examples:
        """Codes with their labels, positives first."""
        return Examples(self.codes, np.repeat([1, 0], [len(self.positives), len(self.negatives)]))

    @property
    def digest(self) -> str:
        """SHA-256 of the letters, positives first."""
        return hashlib.sha256(np.ascontiguousarray(self.codes).tobytes()).hexdigest()

    def __str__(self) -> str:
        return f"{len(self.positives)} positives, {len(self.negatives)} negatives"


@dataclass
class Source:
    """The data as read: negatives None where shuffles are to serve; rejected grows as records are left out."""

    positives: Sequences
    negatives: Sequences | None
    files: list[str]
    rejected: list[Rejected] = field(default_factory=list)


def read_source(given: dict[str, Any], out: str) -> Source:
    """Positives and negatives from --table, or from --positives and perhaps --negatives, with an account of each.

    Where nothing can be used, and so no folder OUT made, what was rejected is written beside it.
    """
    if (given["table"] is None) == (given["positives"] is None):
        raise click.UsageError("give either --positives or --table")
    if given["table"] is not None and given["negatives"] is not None:
        raise click.UsageError("--table holds its own negatives: give it without --negatives")
    if given["positives"] == given["negatives"] == "-":
        raise click.UsageError("only one of --positives and --negatives can be standard input")
    return _read_table(given, out) if given["table"] is not None else _read_files(given, out)


def shuffles(positives: Sequences, seed: int, number: int = 0) -> Sequences:
    """Dinucleotide-preserving shuffles of the positives, other ones for each number."""
    key = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
    names = tuple(f"{name}_shuf" for name in positives.names)
    return Sequences(names, dinucleotide_shuffle(positives.codes, key), (None,) * len(positives))


def split_source(source: Source, given: dict[str, Any]) -> tuple[list[LabelledSet], str]:
    """Train, validation and test part, and a line that says how they were parted; a shuffle stays with its positive.

    By chromosome where every record has coordinates (then records that occur in a part farther from training as well
    are rejected), else by sequence.
    """
    negatives = source.negatives
    both = source.positives if negatives is None else _joined(source.positives, negatives)
    parts, how = _parts(both, given)
    repeated = splits.repeated_across(both.codes, parts)
    if repeated.any():
        reason = "also in a part farther from training"
        left_out = [Rejected(both.names[row], "split", reason) for row in np.flatnonzero(repeated)]
        options.account(len(both) - len(left_out), left_out, "split", None)
        source.rejected += left_out
        parts = np.where(repeated, -1, parts)
    count = len(source.positives)
    sets = []
    for part in range(len(splits.PARTS)):
        positives = source.positives.take(np.flatnonzero(parts[:count] == part))
        if negatives is None:
            sets.append(LabelledSet(positives, shuffles(positives, given["seed"]), shuffled=True))
        else:
            sets.append(LabelledSet(positives, negatives.take(np.flatnonzero(parts[count:] == part))))
    return sets, how


def examples_of_epochs(part: LabelledSet, given: dict[str, Any]) -> Callable[[int], Examples]:
    """The training part of each epoch: with new shuffles for its negatives, where they are shuffles."""

    def examples(epoch: int) -> Examples:
        fresh = part.shuffled and given["fresh_shuffles"] and epoch > 0
        negatives = shuffles(part.positives, given["seed"], epoch) if fresh else part.negatives
        return LabelledSet(part.positives, negatives).examples

    return examples


def letter_frequencies(codes: Codes, both_strands: bool) -> tuple[float, float, float, float]:
    """Frequencies of A, C, G, T in codes (N, L), pooled over both strands if asked; an absent letter counts once."""
    counts = np.bincount(codes.ravel(), minlength=4)[:4]
    if both_strands:
        counts = counts + counts[::-1]  # A C G T backwards is T G C A: the complements
    a, c, g, t = (np.maximum(counts, 1) / np.maximum(counts, 1).sum()).tolist()
    return a, c, g, t


def write_split(folder: Path, sets: Iterable[LabelledSet]) -> None:
    """PART.positives.fa and PART.negatives.fa of each part, with a .bed beside where every record has coordinates."""
    for part, data in zip(splits.PARTS, sets, strict=True):
        for label, sequences in (("positives", data.positives), ("negatives", data.negatives)):
            stem = str(folder / f"{part}.{label}")
            write_fasta(f"{stem}.fa", sequences.names, map(decode, sequences.codes))
            rows = bed_rows(sequences)
            if rows:
                write_bed(f"{stem}.bed", rows)


def bed_rows(sequences: Sequences, scores: Sequence[float] | None = None) -> list[BedRow]:
    """A BED row a record; none at all where a record has no coordinates."""
    rows = []
    for row, (name, interval) in enumerate(zip(sequences.names, sequences.intervals, strict=True)):
        if interval is None:
            return []
        rows.append(BedRow(interval, name, None if scores is None else scores[row]))
    return rows


def _read_files(given: dict[str, Any], out: str) -> Source:
    positive = RecordSource(given["positives"], given["genome"], given["centre"])
    positives, rejected = read_sequences(positive, given["length"], given["crop"])
    _account(positives, rejected, given["positives"], out)
    source = Source(positives, None, positive.files, rejected)
    if given["negatives"] is not None:
        negative = RecordSource(given["negatives"], given["genome"], given["centre"])
        source.negatives, unfit = read_sequences(negative, positives.codes.shape[1], given["crop"])
        _account(source.negatives, unfit, given["negatives"], out)
        source.files, source.rejected = [*source.files, given["negatives"]], rejected + unfit
    return source


def _read_table(given: dict[str, Any], out: str) -> Source:
    sequences, labels, rejected = read_labelled_sequences(given["table"], given["length"], given["crop"])
    _account(sequences, rejected, given["table"], out)
    positives, negatives = (sequences.take(np.flatnonzero(labels == label)) for label in (1, 0))
    if not len(positives):
        raise InputError(given["table"], "", "holds no record labelled 1", "give positives, labelled 1")
    return Source(positives, negatives if len(negatives) else None, [given["table"]], rejected)


def read_labelled_sequences(
    path: str, length: int | None, crop: bool
) -> tuple[Sequences, NDArray[np.int64], list[Rejected]]:
    """Sequences (N) of one length with their labels (N,) from a TSV, and the rows left out."""
    labels: dict[str, int] = {}

    def records() -> Iterable[Record]:
        for record, label in read_labelled(path):
            labels[record.place] = label  # a place is a line: names need not be unique
            yield record

    sequences, rejected = to_sequences(records(), length, crop)
    left_out = {record.place for record in rejected}
    kept = [label for place, label in labels.items() if place not in left_out]
    return sequences, np.array(kept, np.int64), rejected


def _account(sequences: Sequences, rejected: Sequence[Rejected], path: str, out: str) -> None:
    options.account(len(sequences), rejected, path, None if len(sequences) else f"{out}.rejected.tsv")


def _joined(first: Sequences, second: Sequences) -> Sequences:
    codes = np.concatenate([first.codes, second.codes])
    return Sequences(first.names + second.names, codes, first.intervals + second.intervals)


def _parts(sequences: Sequences, given: dict[str, Any]) -> tuple[splits.Parts, str]:
    located = [interval.chromosome for interval in sequences.intervals if interval is not None]
    asked = [_asked(given[f"{part}_chromosomes"]) for part in ("test", "validation")]
    if len(located) < len(sequences):
        if any(asked):
            missing = f"{len(sequences) - len(located)} of {len(sequences)} records have no coordinates"
            raise click.UsageError(f"{missing}: split by sequence, without --test-chromosomes")
        return _by_sequence(sequences, given)
    _require_known(located, [*asked[0], *asked[1]])
    test = asked[0] or _chosen(located, given["test_share"], splits.CONVENTIONAL_TEST)
    if not test and given["test_share"]:
        return _by_sequence(sequences, given)
    rest = [chromosome for chromosome in located if chromosome not in test]
    validation = asked[1] or _chosen(rest, given["validation_share"])
    return _by_chromosome(sequences, located, (test, validation), given["validation_share"])


def _chosen(located: list[str], share: float, conventional: Sequence[str] = ()) -> list[str]:
    return splits.choose_chromosomes(located, share, conventional) if share else []


def _by_chromosome(
    sequences: Sequences, located: list[str], held: tuple[list[str], list[str]], share: float
) -> tuple[splits.Parts, str]:
    """By chromosome; where none is small enough for the validation part, that part by sequence from the rest."""
    test, validation = held
    parts = splits.split_by_chromosome(located, test, validation)
    how = f"by chromosome: test {','.join(test) or 'none'}; validation {','.join(validation) or 'none'}"
    if validation or not share:
        return parts, how
    inner = splits.split_by_sequence(sequences.codes, 0, share)
    how = f"by chromosome: test {','.join(test) or 'none'}; validation by a hash of the sequence, share {share:g}"
    return np.where(parts == splits.TRAIN, inner, parts), how


def _by_sequence(sequences: Sequences, given: dict[str, Any]) -> tuple[splits.Parts, str]:
    test, validation = given["test_share"], given["validation_share"]
    how = f"by a hash of the sequence: test share {test:g}, validation share {validation:g}"
    return splits.split_by_sequence(sequences.codes, test, validation), how


def _asked(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _require_known(located: list[str], asked: list[str]) -> None:
    known = set(located)
    unknown = [name for name in asked if name not in known]
    if unknown:
        some = ", ".join(sorted(known)[:5])
        raise click.UsageError(f"no record lies on {', '.join(unknown)}; the chromosomes are {some}, ...")
