"""What `train` learns from: positives and negatives as read, split into parts, and the parts as files."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from maxent_cli.alphabet import Codes, decode
from maxent_cli.api.jobs import Task
from maxent_cli.api.listening import Listener
from maxent_cli.api.runs import account
from maxent_cli.data import Rejected, Sequences
from maxent_cli.engine.shuffles import dinucleotide_shuffle
from maxent_cli.errors import InputError, SettingsError, require_range
from maxent_cli.io.bed import Away, BedRow, bed_rows, places_away, read_intervals, renamed, write_bed
from maxent_cli.io.fasta import write_fasta
from maxent_cli.io.files import PIPE
from maxent_cli.io.records import (
    Given,
    RecordSource,
    read_labelled_sequences,
    read_sequences,
    read_windows,
    source_of,
)
from maxent_cli.io.tables import read_labelled
from maxent_cli.models import splits
from maxent_cli.models.training import Examples

NEAR = "less than a window's length from a part farther from training"
OF_INTERVALS = ("negatives_away", "top_score", "bottom_score")  # which need BED
MOST = 10**9  # bp, epochs, ...


@dataclass(frozen=True)
class TrainingData:
    """What a network is to tell apart: positives and negatives, or a table of both.

    positives, negatives: sequences as strings, or by name; or a path of FASTA or BED. Without negatives they are
    dinucleotide-preserving shuffles of the positives. table: TSV with columns sequence and label (0 or 1). genome,
    centre: FASTA that BED refers to, and what of an interval the window is centred on. crop: keep the middle of longer
    records. length: of the input, in bp; None: the commonest. map_chromosomes: chr4, 4 and chrIV are one, as the genome
    calls it. negatives_away: negatives are windows of the genome
    whose centre is at least so many bp from every interval of the positives. top_score, bottom_score: positives and
    negatives are these shares of the intervals, those with the highest and the lowest scores. match_gc: leave records
    out until both have the same GC. Raises SettingsError where these exclude each other.
    """

    positives: Given | None = None
    negatives: Given | None = None
    table: str | None = None
    genome: str | None = None
    centre: Literal["centre", "summit"] = "centre"
    crop: bool = False
    length: int | None = None
    negatives_away: int | None = None
    top_score: float | None = None
    bottom_score: float | None = None
    match_gc: bool = False
    map_chromosomes: bool = False

    def __post_init__(self) -> None:
        require_range("length", self.length, 1, MOST)
        require_range("negatives-away", self.negatives_away, 1, MOST)
        require_range("top-score", self.top_score, 0, 1, "(]")
        require_range("bottom-score", self.bottom_score, 0, 1, "(]")
        if (self.table is None) == (self.positives is None):
            raise SettingsError("positives", "", "either they or a table are needed, not both", "give one of them")
        if self.positives == self.negatives == PIPE:
            raise SettingsError("negatives", "", "and positives cannot both be standard input", "give a file of one")
        own, choosing = self._asked("negatives", "negatives_away", "bottom_score"), self._asked(*OF_INTERVALS)
        if len(own) > 1:
            raise SettingsError(" and ".join(own), "", "exclude each other", "give one of them")
        if self.table is not None and (own or choosing):
            problem = f"holds all that is trained on, and excludes {', '.join(dict.fromkeys([*own, *choosing]))}"
            raise SettingsError("table", "", problem, "give positives")
        if self.match_gc and not own and self.table is None:
            problem = "needs negatives of their own: shuffles have their positives' GC anyhow"
            raise SettingsError("match-gc", "", problem, "give negatives")
        if choosing and not (self.source.is_bed and self.genome and self.length):
            wanted = [] if self.source.is_bed else ["positives as BED"]
            wanted += [name for name in ("genome", "length") if getattr(self, name) is None]
            raise SettingsError(", ".join(choosing), "", "choose among intervals", f"give {' and '.join(wanted)}")

    @property
    def source(self) -> RecordSource:
        """Where the positives come from."""
        return source_of(self.positives or (), "positive", self.genome, self.centre, self.map_chromosomes)

    @property
    def files(self) -> list[str]:
        """The paths that are read."""
        given = (self.positives, self.negatives, self.table, self.genome)
        return [path for path in given if isinstance(path, str)]

    @property
    def chosen(self) -> dict[str, float]:
        """How positives and negatives are chosen, where that is asked for."""
        return {name: getattr(self, name) for name in (*OF_INTERVALS, "match_gc") if getattr(self, name)}

    @cached_property
    def counted(self) -> tuple[int, int]:
        """How many records there are, as far as can be known before they are read, and of how many letters."""
        if self.table is not None:
            lengths = Counter(len(record.sequence) for record, _ in read_labelled(self.table))
            return lengths.total(), self.length or lengths.most_common(1)[0][0]
        places = None if self.length is None else self.source.places()
        if self.length is not None and places is not None:
            return places.count, self.length
        lengths = self.source.with_lengths()[1]
        return lengths.total(), self.length or lengths.most_common(1)[0][0]

    def _asked(self, *names: str) -> list[str]:
        return [_option(name) for name in names if getattr(self, name) is not None]


@dataclass(frozen=True)
class Split:
    """Which records are held out: those on some chromosomes, or shares of all.

    test_chromosomes: by default, where every record has coordinates, chr8 and chr9 if present, else whole ones for
    about the test_share, else the end of each; validation_chromosomes, which decide when to stop, likewise. Without
    coordinates the split is by groups of records that share a 24-mer. validation_share 0: train through all epochs and
    keep the last weights.
    """

    test_chromosomes: tuple[str, ...] = ()
    validation_chromosomes: tuple[str, ...] = ()
    test_share: float = 0.1
    validation_share: float = 0.05

    def __post_init__(self) -> None:
        require_range("test-share", self.test_share, 0, 0.5)
        require_range("validation-share", self.validation_share, 0, 0.4)


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

    name: str
    positives: Sequences
    negatives: Sequences | None
    rejected: list[Rejected] = field(default_factory=list)


def read_source(data: TrainingData, seed: int, task: Task) -> Source:
    """Positives and negatives from a table, or from the positives and perhaps the negatives, with an account of each.

    Where nothing can be used, and so no folder OUT made, what was rejected is written beside it.
    """
    if data.table is not None:
        return _read_table(data.table, data, task)
    choosing = any(getattr(data, name) is not None for name in OF_INTERVALS)
    return _read_intervals(data, seed, task) if choosing else _read_files(data, task)


def shuffles(positives: Sequences, seed: int, number: int = 0) -> Sequences:
    """Dinucleotide-preserving shuffles of the positives, other ones for each number."""
    key = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
    names = tuple(f"{name}_shuf" for name in positives.names)
    return Sequences(names, dinucleotide_shuffle(positives.codes, key), (None,) * len(positives))


def split_source(
    source: Source, split: Split, match_gc: bool, seed: int, listener: Listener
) -> tuple[list[LabelledSet], str]:
    """Train, validation and test part, and a line that says how they were parted; a shuffle stays with its positive.

    By chromosome where every record has coordinates (or by place where there are too few), and then records that occur
    in a part farther from training as well are rejected; else by groups of related sequences.
    """
    negatives = source.negatives
    both = source.positives if negatives is None else _joined(source.positives, negatives)
    parts, how = _parts(both, split, source.name)
    near, repeated = parts == splits.LEFT_OUT, splits.repeated_across(both.codes, parts)
    if (near | repeated).any():
        reasons = np.where(near, NEAR, "also in a part farther from training")
        left_out = [Rejected(both.names[row], "split", str(reasons[row])) for row in np.flatnonzero(near | repeated)]
        account(len(both) - len(left_out), left_out, "split", None, listener)
        source.rejected += left_out
        parts = np.where(repeated, splits.LEFT_OUT, parts)
    if (parts == splits.TEST).any() and all(both.intervals):
        shared = splits.shares_words(both.codes, parts).sum()
        how += f"; {shared} of {(parts == splits.TEST).sum()} test records share a {splits.WORD}-mer with training"
    count, sets = len(source.positives), list[LabelledSet]()
    for part in range(len(splits.PARTS)):
        positives = source.positives.take(np.flatnonzero(parts[:count] == part))
        if negatives is None:
            sets.append(LabelledSet(positives, shuffles(positives, seed), shuffled=True))
        else:
            sets.append(LabelledSet(positives, negatives.take(np.flatnonzero(parts[count:] == part))))
    return (_matched(sets, source, seed, listener) if match_gc else sets), how


def _matched(sets: list[LabelledSet], source: Source, seed: int, listener: Listener) -> list[LabelledSet]:
    """Parts with as many positives as negatives of each GC; those without a partner are rejected."""
    matched, left_out = list[LabelledSet](), list[Rejected]()
    for part in sets:
        both = part.positives, part.negatives
        rows = splits.matched_gc(part.positives.codes, part.negatives.codes, seed)
        for sequences, kept in zip(both, rows, strict=True):
            alone = np.setdiff1d(np.arange(len(sequences)), kept)
            reason = "no partner of the same GC", "leave out match-gc"
            left_out += [Rejected(sequences.names[row], "match-gc", *reason) for row in alone]
        matched.append(LabelledSet(part.positives.take(rows[0]), part.negatives.take(rows[1])))
    account(sum(len(part.examples) for part in matched), left_out, "match-gc", None, listener)
    source.rejected += left_out
    return matched


def examples_of_epochs(part: LabelledSet, fresh_shuffles: bool, seed: int) -> Callable[[int], Examples]:
    """The training part of each epoch: with new shuffles for its negatives, where they are shuffles."""

    def examples(epoch: int) -> Examples:
        fresh = part.shuffled and fresh_shuffles and epoch > 0
        negatives = shuffles(part.positives, seed, epoch) if fresh else part.negatives
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


def _read_files(data: TrainingData, task: Task) -> Source:
    source = data.source
    positives, rejected = read_sequences(source, data.length, data.crop)
    _account(positives, rejected, source.path, task)
    found = Source(source.path, positives, None, rejected)
    return _with_negatives(found, data, task)


def _with_negatives(found: Source, data: TrainingData, task: Task) -> Source:
    """With the negatives that are given, if any."""
    if data.negatives is None:
        return found
    source = source_of(data.negatives, "negative", data.genome, data.centre, data.map_chromosomes)
    found.negatives, unfit = read_sequences(source, found.positives.codes.shape[1], data.crop)
    _account(found.negatives, unfit, source.path, task)
    found.rejected = found.rejected + unfit
    return found


def _read_intervals(data: TrainingData, seed: int, task: Task) -> Source:
    """Positives from BED by their scores; negatives from the same BED, from around it, or as in _read_files."""
    source, length = data.source, data.length or 0
    rows = renamed(data.genome or "", read_intervals(source.path), data.map_chromosomes)
    positives, rejected = read_windows(source, _scored(source.path, rows, data.top_score, True), length)
    _account(positives, rejected, source.path, task)
    found = Source(source.path, positives, None, rejected)
    if data.negatives_away is None and data.bottom_score is None:
        return _with_negatives(found, data, task)
    if data.bottom_score is None:
        source, chosen = replace(source, centre="centre"), _places_away(rows, positives, data, seed)
    else:
        chosen = _scored(source.path, rows, data.bottom_score, False)
    found.negatives, unfit = read_windows(source, chosen, length)
    _account(found.negatives, unfit, f"{source.path}, negatives", task)
    found.rejected = rejected + unfit
    return found


def _places_away(rows: list[BedRow], positives: Sequences, data: TrainingData, seed: int) -> list[BedRow]:
    """Places away from all rows, on each chromosome as many as positives."""
    count = Counter(interval.chromosome for interval in positives.intervals if interval is not None)
    return places_away(data.genome or "", rows, count, Away(data.negatives_away or 0, data.length or 0, seed))


def _option(name: str) -> str:
    return name.replace("_", "-")


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


def _read_table(path: str, data: TrainingData, task: Task) -> Source:
    sequences, labels, rejected = read_labelled_sequences(RecordSource(path, labelled=True), data.length, data.crop)
    _account(sequences, rejected, path, task)
    positives, negatives = (sequences.take(np.flatnonzero(labels == label)) for label in (1, 0))
    if not len(positives):
        raise InputError(path, "", "holds no record labelled 1", "give positives, labelled 1")
    return Source(path, positives, negatives if len(negatives) else None, rejected)


def _account(sequences: Sequences, rejected: Sequence[Rejected], path: str, task: Task) -> None:
    account(len(sequences), rejected, path, None if len(sequences) else task.rejected_table, task.listener)


def _joined(first: Sequences, second: Sequences) -> Sequences:
    codes = np.concatenate([first.codes, second.codes])
    return Sequences(first.names + second.names, codes, first.intervals + second.intervals)


def _parts(sequences: Sequences, split: Split, name: str) -> tuple[splits.Parts, str]:
    located = [interval.chromosome for interval in sequences.intervals if interval is not None]
    asked = [list(split.test_chromosomes), list(split.validation_chromosomes)]
    if len(located) < len(sequences):
        if any(asked):
            missing = f"{len(sequences) - len(located)} of {len(sequences)} records have no coordinates"
            raise SettingsError("test-chromosomes", "", missing, "leave it out, to split by sequence")
        return _by_group(sequences, split, name)
    _require_known(located, [*asked[0], *asked[1]])
    free = [chromosome for chromosome in located if chromosome not in asked[1]]
    test = asked[0] or _chosen(free, split.test_share, splits.CONVENTIONAL_TEST)
    if not test and split.test_share:
        if asked[1]:
            raise SettingsError("test-chromosomes", "", "no chromosome is small enough to test on", "name some")
        return _by_place(sequences, (split.test_share, split.validation_share))
    rest = [chromosome for chromosome in located if chromosome not in test]
    validation = asked[1] or _chosen(rest, split.validation_share)
    return _by_chromosome(sequences, located, (test, validation), split.validation_share)


def _chosen(located: list[str], share: float, conventional: Sequence[str] = ()) -> list[str]:
    return splits.choose_chromosomes(located, share, conventional) if share else []


def _by_chromosome(
    sequences: Sequences, located: list[str], held: tuple[list[str], list[str]], share: float
) -> tuple[splits.Parts, str]:
    """By chromosome; where none is small enough for the validation part, that part by place on the rest."""
    test, validation = held
    parts = splits.split_by_chromosome(located, test, validation)
    how = f"by chromosome: test {','.join(test) or 'none'}; validation "
    if validation or not share:
        return parts, how + (",".join(validation) or "none")
    rest = np.flatnonzero(parts == splits.TRAIN)
    parts[rest], _ = _by_place(sequences.take(rest), (0, share))
    return parts, f"{how}the last {share:g} of each other chromosome"


def _by_place(sequences: Sequences, shares: tuple[float, float]) -> tuple[splits.Parts, str]:
    located = [interval for interval in sequences.intervals if interval is not None]
    starts, ends = (np.array([getattr(each, end) for each in located], np.int64) for end in ("start", "end"))
    chromosomes = [interval.chromosome for interval in located]
    parts = splits.split_by_place(chromosomes, starts, ends, shares, sequences.codes.shape[1])
    return parts, f"by place: of each chromosome the last {shares[0]:g} tests, {shares[1]:g} before it validates"


def _by_group(sequences: Sequences, split: Split, name: str) -> tuple[splits.Parts, str]:
    """By related sequences; InputError where a test part could be little else than one group."""
    test, validation = split.test_share, split.validation_share
    group = splits.related(sequences.codes)
    sizes = np.bincount(group)
    if test and sizes.max() > max(test * len(group), 2):  # a record and its shuffle are two
        problem = f"{sizes.max()} of {len(group)} records hang together by shared {splits.WORD}-mers"
        cure = "give coordinates (names as chr1:100-201, or BED with --genome) or a larger --test-share"
        raise InputError(name, "", f"{problem}, more than the test share", cure)
    how = f"by groups of records that share a {splits.WORD}-mer: {len(sizes)} groups, largest {sizes.max()}"
    parts = splits.split_by_group(sequences.codes, group, test, validation)
    return parts, f"{how}; test share {test:g}, validation share {validation:g}"


def _require_known(located: list[str], asked: list[str]) -> None:
    known = set(located)
    unknown = [name for name in asked if name not in known]
    if unknown:
        some = ", ".join(sorted(known)[:5])
        problem = f"no record lies on {', '.join(unknown)}"
        raise SettingsError("chromosomes", "", problem, f"give some of {some}, ...")
