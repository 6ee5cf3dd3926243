"""What `train` learns from: positives and negatives as read, split into parts, and the parts as files."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
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
from maxent_cli.io.bed import Away, BedRow, places_away, read_intervals, write_bed
from maxent_cli.io.fasta import to_sequences, write_fasta
from maxent_cli.io.records import RecordSource, is_bed, read_sequences, read_windows
from maxent_cli.io.tables import read_labelled
from maxent_cli.models import splits
from maxent_cli.models.training import Examples

INTERVAL_OPTIONS = ("negatives_away", "top_score", "bottom_score")  # which need BED


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
    if given["table"] is not None and any(given[name] for name in INTERVAL_OPTIONS):
        raise click.UsageError(f"{', '.join(map(_option, INTERVAL_OPTIONS))} choose among intervals: give --positives")
    own = [_option(name) for name in ("negatives", "negatives_away", "bottom_score") if given[name]]
    if len(own) > 1:
        raise click.UsageError(f"{' and '.join(own)} exclude each other: give one of them")
    if given["match_gc"] and not own and given["table"] is None:
        raise click.UsageError("--match-gc needs negatives of their own: shuffles have their positives' GC anyhow")
    if given["positives"] == given["negatives"] == "-":
        raise click.UsageError("only one of --positives and --negatives can be standard input")
    if given["table"] is not None:
        return _read_table(given, out)
    return _read_intervals(given, out) if any(given[name] for name in INTERVAL_OPTIONS) else _read_files(given, out)


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
    count, sets = len(source.positives), list[LabelledSet]()
    for part in range(len(splits.PARTS)):
        positives = source.positives.take(np.flatnonzero(parts[:count] == part))
        if negatives is None:
            sets.append(LabelledSet(positives, shuffles(positives, given["seed"]), shuffled=True))
        else:
            sets.append(LabelledSet(positives, negatives.take(np.flatnonzero(parts[count:] == part))))
    return (_matched(sets, source, given["seed"]) if given["match_gc"] else sets), how


def _matched(sets: list[LabelledSet], source: Source, seed: int) -> list[LabelledSet]:
    """Parts with as many positives as negatives of each GC; those without a partner are rejected."""
    matched, left_out = list[LabelledSet](), list[Rejected]()
    for part in sets:
        both = part.positives, part.negatives
        rows = splits.matched_gc(part.positives.codes, part.negatives.codes, seed)
        for sequences, kept in zip(both, rows, strict=True):
            alone = np.setdiff1d(np.arange(len(sequences)), kept)
            reason = "no partner of the same GC", "leave out --match-gc"
            left_out += [Rejected(sequences.names[row], "--match-gc", *reason) for row in alone]
        matched.append(LabelledSet(part.positives.take(rows[0]), part.negatives.take(rows[1])))
    options.account(sum(len(part.examples) for part in matched), left_out, "--match-gc", None)
    source.rejected += left_out
    return matched


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


def _read_intervals(given: dict[str, Any], out: str) -> Source:
    """Positives from BED by their scores; negatives from the same BED, from around it, or as in _read_files."""
    source = RecordSource(given["positives"], given["genome"], given["centre"])
    if not is_bed(source.path) or given["length"] is None or source.genome is None:
        asked = ", ".join(_option(name) for name in INTERVAL_OPTIONS if given[name])
        raise click.UsageError(f"{asked}: give --positives as BED, with --genome and --length")
    rows = list(read_intervals(source.path))
    positives, rejected = read_windows(source, _scored(source.path, rows, given["top_score"], True), given["length"])
    _account(positives, rejected, source.path, out)
    found = Source(positives, None, source.files, rejected)
    if given["negatives"] is not None:
        other = RecordSource(given["negatives"], given["genome"], given["centre"])
        found.negatives, unfit = read_sequences(other, given["length"], given["crop"])
        found.files = [*found.files, other.path]
    elif given["negatives_away"] or given["bottom_score"]:
        chosen, centre = _negative_rows(rows, positives, given)
        found.negatives, unfit = read_windows(replace(source, centre=centre), chosen, given["length"])
    if found.negatives is not None:
        _account(found.negatives, unfit, given["negatives"] or f"{source.path}, negatives", out)
        found.rejected = rejected + unfit
    return found


def _negative_rows(rows: list[BedRow], positives: Sequences, given: dict[str, Any]) -> tuple[list[BedRow], str]:
    """Rows with low scores, or places away from all rows; and what their windows are centred on."""
    if given["bottom_score"]:
        return _scored(given["positives"], rows, given["bottom_score"], False), given["centre"]
    count = Counter(interval.chromosome for interval in positives.intervals if interval is not None)
    near = Away(given["negatives_away"], given["length"], given["seed"])
    return places_away(given["genome"], rows, count, near), "centre"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _scored(path: str, rows: list[BedRow], share: float | None, top: bool) -> list[BedRow]:
    """The rows with the highest or lowest scores; all of them where no share is asked for."""
    if share is None:
        return rows
    missing = next((row.place for row in rows if row.score is None), None)
    if missing is not None:
        raise InputError(path, missing.removeprefix(f"{path}: "), "has no score", "give BED with numbers in column 5")
    scores = np.array([row.score for row in rows], float)
    least, most = np.quantile(scores, [1 - share, share])
    return [row for row, score in zip(rows, scores, strict=True) if (score >= least if top else score <= most)]


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
    options.account(len(sequences), rejected, path, None if len(sequences) else options.rejected_beside(out))


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
