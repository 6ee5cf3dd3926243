"""What a report is made of: the files that the commands wrote, read and checked, each row a dictionary."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from maxent_cli.alphabet import LETTERS
from maxent_cli.data import Floats, Interval, Motif
from maxent_cli.errors import InputError
from maxent_cli.io.digests import NETWORK, digest_of, noted
from maxent_cli.io.motif_files import read_meme_file
from maxent_cli.io.provenance import read_provenance
from maxent_cli.io.samples import open_draws
from maxent_cli.io.tables import read_table
from maxent_cli.tables import (
    attribution,
    comparison,
    crossing,
    dependence,
    design,
    gc_probe,
    learning,
    motifs,
    periodicity,
    training,
    variants,
)
from maxent_cli.tables.columns import BEST
from maxent_cli.tables.sampling import SERIES, SUMMARY
from maxent_cli.tables.schema import Table

Row = dict[str, Any]


KNOWN = tuple(range(1, BEST + 1))  # best matches in a database, where one was given
TRACKS = (
    *("record", "position", "letter", "information", "information_error"),
    *(f"{kind}_{each}" for kind in ("p", "error") for each in LETTERS),
)
DRAWN = ("motifs", "periodicity", "dependence", "variants")  # commands that read the draws themselves
_, WEIGHTS, _ = NETWORK
LAW = {"held", "outputs", "background", "tether", "beta", "keep"}  # what the header says of the law


@dataclass(frozen=True)
class Sources:
    """Paths that a report is made from: a draws file, with its summary beside it, and folders by their command.

    called: what the page calls the draws, where that is not their path. assembly: of the anchors' places, as a genome
    browser names it, or ''.
    """

    draws: str
    parts: Mapping[str, str] = field(default_factory=dict)
    called: str = ""
    assembly: str = ""

    @property
    def summary(self) -> str:
        """The summary of its anchors."""
        return f"{self.draws}.tsv"

    @property
    def series(self) -> str | None:
        """The beta series, if it lies beside the draws."""
        path = f"{self.draws}.series.tsv"
        return path if Path(path).is_file() else None

    @property
    def commands(self) -> dict[str, str]:
        """The outputs given, by the command that made them."""
        return {"sample": self.called or self.draws, **self.parts}

    @property
    def files(self) -> list[str]:
        """All that is read."""
        folder = self.parts.get("train")
        tables = [f"{folder}/{table.file}" for table in (training.METRICS, training.CURVE)] if folder else []
        there = [path for path in (self.series, *tables) if path and Path(path).is_file()]
        return [self.draws, self.summary, *there, *self.parts.values()]


@dataclass(frozen=True)
class Track:
    """A number for each position of an anchor (L,), which a part adds to its card; nan where it is not known.

    errors (L,), likewise; none where the number is exact.
    """

    name: str
    unit: str
    values: Floats
    errors: Floats | None = None


READ = (  # columns of what was read along an anchor, those of their errors, and what the page calls them
    ("saliency", "", "saliency", "output"),
    ("prefix", "prefix_error", "kept up to here", "output"),
    ("suffix", "suffix_error", "kept from here", "output"),
    ("running_prefix", "", "read up to here", "output"),
    ("running_suffix", "", "read from here", "output"),
    ("bits", "bits_error", "bits in order", "bits"),
)


@dataclass(frozen=True)
class Tracks:
    """What is drawn of an anchor: its letters (length L), p and its error (L, 4), information and its error (L,), bits.

    more: further tracks, of the parts that were given.
    """

    letters: str
    probabilities: Floats
    letter_errors: Floats
    information: Floats
    errors: Floats
    more: tuple[Track, ...] = ()


AVOIDED = "avoided"  # what the table of motifs calls the kind of those
HIGHEST = "best"  # what summaries of designs call the search for the highest output


@dataclass(frozen=True)
class MotifShown:
    """A motif's row, its matrix, the file's background, and the information of its columns (W,) against that."""

    row: Row
    matrix: Motif
    background: Floats

    @property
    def probabilities(self) -> Floats:
        """Of each column (W, 4)."""
        return self.matrix.probabilities

    @property
    def information(self) -> Floats:
        """Bits of each column (W,)."""
        p = self.probabilities
        return np.asarray((p * np.log2(np.maximum(p, 1e-12) / self.background)).sum(axis=1))


def read_anchors(sources: Sources) -> tuple[Row, list[Row]]:
    """The draws file's header, and the anchors' summaries in its order, each with its number and interval (or None)."""
    cure = "put the table that `maxent sample` wrote with these draws beside them"
    rows = list(read_table(sources.summary, SUMMARY, cure))
    with open_draws(sources.draws) as draws:
        header, intervals = draws.header, draws.intervals()
        if LAW - header.get("law", {}).keys() or not header.get("outputs"):
            raise InputError(sources.draws, "header", "says no law", "give draws that `maxent sample` wrote")
        header |= {"holds": draws.held, "reading_of_law": draws.law.reading}
    if len(rows) != len(intervals):
        raise InputError(sources.summary, "", f"{len(rows)} anchors where the draws have {len(intervals)}", cure)
    return header, [
        row | {"number": number, "interval": interval}
        for number, (row, interval) in enumerate(zip(rows, intervals, strict=True))
    ]


def require_kin(sources: Sources, header: Row, command: str, folder: str) -> None:
    """Raise InputError where the record beside a folder says that it is of another network, or of other draws."""
    record = read_provenance(folder)
    digests = list(record["inputs"].values()) if record else []
    networks = {one[WEIGHTS] for one in digests if isinstance(one, dict) and WEIGHTS in one}
    models = header.get("model") or {}
    own = {one.get(WEIGHTS) for one in (models if isinstance(models, list) else [models])}
    if command != "learning" and networks and any(own) and not networks & own:  # whose networks are checkpoints
        raise InputError(folder, "", "is of another network than the draws", _cure(command))
    whole = record and "parts" not in record and sources.called in ("", sources.draws)
    if whole and command in DRAWN and noted(sources.draws) not in digests:
        raise InputError(folder, "", "is of other draws", _cure(command))


def rank(rows: Sequence[Row]) -> tuple[str, list[Row]]:
    """The number that anchors are ranked by, and the rows by it, highest first, each with its rank from 1.

    That is bits_held, or bits where a ladder does not tell the former for every anchor.
    """
    by = "bits_held" if all(np.isfinite(row["bits_held"]) for row in rows) else "bits"
    value = lambda row: row[by] if np.isfinite(row[by]) else -np.inf  # noqa: E731
    return by, [row | {"rank": place} for place, row in enumerate(sorted(rows, key=value, reverse=True), 1)]


def read_motifs(folder: str) -> tuple[list[MotifShown], list[MotifShown]]:
    """The motifs of a folder that `maxent motifs` wrote: those held, and those avoided."""
    held, others = list[Row](), list[Row]()
    for row in _table(folder, motifs.MOTIFS, "motifs"):
        (others if row["kind"] == AVOIDED else held).append(row)
    return _with_matrices(f"{folder}/motifs.meme", held), _with_matrices(f"{folder}/avoided.meme", others)


def _with_matrices(path: str, rows: Sequence[Row]) -> list[MotifShown]:
    if not rows:
        return []
    matrices, background = read_meme_file(path)
    named = {matrix.name: matrix for matrix in matrices}
    for row in rows:
        if row["motif"] not in named:
            raise InputError(path, "", f"has no motif {row['motif'][:80]}", _cure("motifs"))
    return [MotifShown(row, named[row["motif"]], background) for row in rows]


def read_tested(folder: str) -> list[Row]:
    """The motifs that were asked about, those avoided first and those held next; nothing where none were."""
    if not Path(f"{folder}/{motifs.TESTED.file}").is_file():
        return []
    order = {"avoided": 0, "held": 1, "undecided": 2}
    rows = list(_table(folder, motifs.TESTED, "motifs"))
    return sorted(rows, key=lambda row: (order.get(row["verdict"], 3), row["q"], -abs(row["bits"])))


def read_rates(folder: str) -> list[Row]:
    """How often motifs are found, and how often by chance."""
    return list(_table(folder, motifs.RATES, "motifs"))


def read_records(folder: str) -> dict[str, Row]:
    """How common each motif is among records, by its name; nothing where they were not looked through."""
    if not (Path(folder) / motifs.RECORDS.file).is_file():
        return {}
    return {row["motif"]: row for row in _table(folder, motifs.RECORDS, "motifs")}


def read_syntax(folder: str) -> list[Row]:
    """How pairs of motifs go together, and of each its cells, by arrangement; nothing where it was not asked."""
    if not (Path(folder) / motifs.INTERACTIONS.file).is_file():
        return []
    cells = list(_table(folder, motifs.SYNTAX, "motifs"))
    found = []
    for row in _table(folder, motifs.INTERACTIONS, "motifs"):
        own = [one for one in cells if (one["motif_a"], one["motif_b"]) == (row["motif_a"], row["motif_b"])]
        arranged = {
            one["arrangement"]: [other for other in own if other["arrangement"] == one["arrangement"]] for one in own
        }
        found.append(row | {"cells": arranged})
    return found


def read_spacing(folder: str, most_q: float) -> list[Row]:
    """Distances between motifs whose q is no larger."""
    return [row for row in _table(folder, motifs.SPACING, "motifs") if row["q"] <= most_q]


def anchors_of(folder: str) -> list[str]:
    """The anchors whose draws `maxent motifs` has read."""
    return [row["record"] for row in _table(folder, motifs.ANCHORS, "motifs", ("record",))]


def read_tracks(folder: str, records: Sequence[str], wanted: set[int]) -> dict[int, Tracks]:
    """What is drawn of the wanted anchors (numbers in the order of the draws, whose records are given).

    The table of positions is passed once, an anchor at a time.
    """
    _require_records(f"{folder}/anchors.tsv", anchors_of(folder), records, "motifs")
    path = f"{folder}/positions.tsv"
    parts = list[str]()
    tracks = dict[int, Tracks]()
    for name, rows in _by_anchor(_table(folder, motifs.POSITIONS, "motifs", TRACKS), "position"):
        if len(parts) in wanted:
            tracks[len(parts)] = _tracks(list(rows))
        parts.append(name)
    _require_records(path, parts, records, "motifs")
    return tracks


def read_sites(folder: str, rows: Sequence[Row]) -> tuple[list[list[Row]], list[list[Row]]]:
    """Sites, in the anchors' own coordinates, and occupancies of each anchor; none where several have its name."""
    count = Counter(row["record"] for row in rows)
    place = {row["record"]: number for number, row in enumerate(rows) if count[row["record"]] == 1}
    sites, occupancies = ([list[Row]() for _ in rows] for _ in range(2))
    for table, kept in ((motifs.SITES, sites), (motifs.OCCUPANCY, occupancies)):
        path = f"{folder}/{table.file}"
        for row in _table(folder, table, "motifs"):
            if row["record"] not in count:
                raise InputError(path, "", f"{row['record'][:80]} is no anchor of the draws", _cure("motifs"))
            if row["record"] in place:
                number = place[row["record"]]
                kept[number].append(row if kept is occupancies else _in_anchor(path, row, rows[number]["interval"]))
    return sites, occupancies


def read_scores(folder: str, records: Sequence[str]) -> list[Track]:
    """The attribution scores of each anchor's positions (L,), nan where these are held."""
    wanted = ("record", "position", "score", "error")
    rows = _table(folder, attribution.POSITIONS, "attribute", wanted)
    found = [
        (name, _track(list(one), "score", "error", "attribution", "output"))
        for name, one in _by_anchor(rows, "position")
    ]
    _require_records(f"{folder}/{attribution.POSITIONS.file}", [name for name, _ in found], records, "attribute")
    return [scores for _, scores in found]


def read_method(folder: str) -> str:
    """The method of the scores, by the record beside them; '' where there is none, or it says nothing."""
    record = read_provenance(folder) or {}
    words = [str(word) for word in record.get("command", [])]
    return words[words.index("--method") + 1] if "--method" in words[:-1] else ""


def read_sums(folder: str, records: Sequence[str]) -> list[Row]:
    """The sum of scores of each anchor, with its error over references where there are any."""
    found = [
        {"record": row["record"], "sum": row["score_sum"], "sum_error": row.get("score_sum_error", np.nan)}
        for row in _table(folder, attribution.ANCHORS, "attribute")
    ]
    _require_records(f"{folder}/{attribution.ANCHORS.file}", [row["record"] for row in found], records, "attribute")
    return found


def reads_along(folder: str) -> bool:
    """Whether the method of the scores read something along the anchors."""
    return Path(f"{folder}/{attribution.READING.file}").exists()


def read_along(folder: str, records: Sequence[str]) -> list[list[Track]]:
    """What was read along each anchor; nothing where the method reads nothing."""
    if not reads_along(folder):
        return []
    found, names = list[list[Track]](), list[str]()
    for name, rows in _by_anchor(_table(folder, attribution.READING, "attribute"), "position"):
        found.append(_tracks_of(list(rows)))
        names.append(name)
    _require_records(f"{folder}/{attribution.READING.file}", names, records, "attribute")
    return found


def _tracks_of(rows: list[Row]) -> list[Track]:
    tracks = [_track(rows, *each) for each in READ]
    return [track for track in tracks if np.isfinite(track.values).any()]


def _track(rows: Sequence[Row], column: str, error: str, name: str, unit: str) -> Track:
    values, errors = (np.array([row[each] if each else np.nan for row in rows], float) for each in (column, error))
    return Track(name, unit, values, errors if np.isfinite(errors).any() else None)


def read_best(folder: str, most: int) -> list[Row]:
    """The sequences of the highest output that were found, where that was asked for."""
    if not any(row["law"] == HIGHEST for row in _table(folder, design.SUMMARY, "design")):
        return []
    rows = list(_table(folder, design.DESIGNS, "design"))
    return sorted(rows, key=lambda row: -float(row["output"]))[:most]


def read_metrics(folder: str, model: object) -> list[Row]:
    """How well a network does on what was held out; model: digests of the one that was drawn from, by file."""
    known = model.items() if isinstance(model, dict) else ()
    if any(digest_of(f"{folder}/{name}") != digest for name, digest in known):
        cure = "give the folder of the network that was drawn from"
        raise InputError(folder, "", "is of another network than the draws", cure)
    return list(_table(folder, training.METRICS, "train"))


def read_curve(folder: str) -> list[Row]:
    """Losses by epoch; nothing where the folder has no table of them."""
    if not Path(f"{folder}/{training.CURVE.file}").is_file():
        return []
    return list(_table(folder, training.CURVE, "train"))


def read_comparison(folder: str, records: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Means over anchors of two networks or two sets of draws, and their motifs; one of them is of these anchors."""
    rows = list(_table(folder, comparison.SUMMARY, "compare"))
    shared = {row["record"] for row in _table(folder, comparison.ANCHORS, "compare", ("record",))}
    if shared - set(records):
        path = f"{folder}/{comparison.ANCHORS.file}"
        raise InputError(path, "", "its anchors are not those of the draws", _cure("compare"))
    return rows, list(_table(folder, comparison.MOTIFS, "compare"))


def is_crossed(folder: str) -> bool:
    """Whether a folder of `compare` is of networks that read each other's draws."""
    return Path(f"{folder}/{crossing.NETWORKS.file}").is_file()


def read_crossing(folder: str, records: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
    """Networks that read each other's draws, around some of these anchors; pairs of them, and their tree."""
    if {row["record"] for row in _table(folder, crossing.CROSSED, "compare", ("record",))} - set(records):
        path = f"{folder}/{crossing.CROSSED.file}"
        raise InputError(path, "", "its anchors are not those of the draws", _cure("compare"))
    networks, pairs, joints = (
        list(_table(folder, table, "compare")) for table in (crossing.NETWORKS, crossing.PAIRS, crossing.TREE)
    )
    if len(pairs) != len(networks) ** 2 or not _is_tree(joints, len(networks)):
        raise InputError(folder, "", "its tables do not go together", _cure("compare"))
    return networks, pairs, joints


def _is_tree(joints: Sequence[Row], count: int) -> bool:
    """Whether each joint is of two of the networks, or joints before it, and each but the last is below one."""
    below = [number for row in joints for number in (row["first"], row["second"])]
    numbers = [row["joint"] for row in joints]
    early = all(max(row["first"], row["second"]) < row["joint"] for row in joints)
    return numbers == list(range(count, 2 * count - 1)) and sorted(below) == list(range(2 * count - 2)) and early


def read_dependence(folder: str, records: Sequence[str], most: int) -> tuple[list[Row], list[Row]]:
    """What was tested of each anchor, and the pairs of positions that depend most."""
    rows = list(_table(folder, dependence.ANCHORS, "dependence"))
    if {row["record"] for row in rows} - set(records) or not rows:
        path = f"{folder}/{dependence.ANCHORS.file}"
        problem = "its anchors are not those of the draws" if rows else "holds no anchor"
        raise InputError(path, "", problem, _cure("dependence"))
    pairs = sorted(_table(folder, dependence.PAIRS, "dependence"), key=lambda row: -row["bits"])
    return rows, pairs[:most]


def read_learning(folder: str) -> dict[str, list[Row]]:
    """Checkpoints, layers, their patterns by class, and, where anchors were given, regions and what was learned."""
    tables = {"steps": learning.STEPS, "layers": learning.LAYERS, "patterns": learning.PATTERNS}
    found = {name: list(_table(folder, table, "learning")) for name, table in tables.items()}
    if not found["steps"]:
        raise InputError(f"{folder}/{learning.STEPS.file}", "", "has no rows", "run `maxent learning` again")
    drawn = {"regions": learning.REGIONS, "learned": learning.LEARNED}
    some = (Path(folder) / learning.LEARNED.file).is_file()
    return found | {name: list(_table(folder, table, "learning")) if some else [] for name, table in drawn.items()}


def read_series(path: str, records: Sequence[str]) -> list[list[Row]]:
    """The replicas of each anchor, from beta 0 up; the anchors' records are given."""
    cure = "give draws with the tables that `maxent sample` wrote beside them"
    found = [(name, list(replicas)) for name, replicas in _by_anchor(read_table(path, SERIES, cure), "beta")]
    if [name for name, _ in found] != list(records):
        raise InputError(path, "", "its anchors are not those of the draws", cure)
    return [replicas for _, replicas in found]


def read_gc_probe(folder: str) -> dict[str, list[Row]]:
    """The probe's response, answer and checks."""
    tables = {"response": gc_probe.RESPONSE, "answer": gc_probe.ANSWER, "checks": gc_probe.CHECKS}
    found = {name: list(_table(folder, table, "gc-probe")) for name, table in tables.items()}
    potentials = {row["mu"] for row in found["response"]}
    if len(potentials) < 2 or 0 not in potentials:
        raise InputError(f"{folder}/response.tsv", "", "holds fewer than two values of mu, or not 0", _cure("gc-probe"))
    return found


def read_design(folder: str) -> tuple[list[Row], dict[str, list[Row]]]:
    """What designs reached, a record a row; and of edits their positions, by record."""
    rows = list(_table(folder, design.SUMMARY, "design"))
    if not rows:
        raise InputError(f"{folder}/{design.SUMMARY.file}", "", "holds no record", _cure("design"))
    if not Path(f"{folder}/{design.EDITS.file}").exists():
        return rows, {}
    positions = dict[str, list[Row]]()
    for row in _table(folder, design.EDITS, "design"):
        positions.setdefault(row["record"], []).append(row)
    return rows, positions


def read_periodicity(folder: str, records: Sequence[str]) -> tuple[list[Row], Floats]:
    """Where the anchors peak, a source a row; and spectra (5, F).

    These are period, mean power of draws, anchors and beta = 0, and the standard error of the first over anchors.
    """
    rows = list(_table(folder, periodicity.ANSWER, "periodicity"))
    sums, names = dict[float, Floats](), list[str]()
    for row in _table(folder, periodicity.SPECTRA, "periodicity"):
        power = np.array([row["draws"], row["anchor"], row["beta_0"], row["draws"] ** 2])
        if not sums or row["period"] == next(iter(sums)):
            names.append(row["record"])
        sums[row["period"]] = sums.get(row["period"], 0) + power
    if not rows or len(sums) < 2:
        raise InputError(f"{folder}/spectra.tsv", "", "holds fewer than two periods", _cure("periodicity"))
    _require_records(f"{folder}/{periodicity.SPECTRA.file}", names, records, "periodicity")
    *means, squares = np.array(list(sums.values())).T / len(names)
    spread = np.sqrt(np.maximum(squares - means[0] ** 2, 0) / (len(names) - 1)) if len(names) > 1 else np.nan * squares
    return rows, np.vstack([list(sums), *means, spread])


def read_variants(folder: str, records: Sequence[str], top: int, most: int) -> tuple[int, list[Row], Floats]:
    """How many changes were tried; those of most effect over contexts; and effects of up to so many, evenly spaced.

    The effects (n, 2) are those in the anchors and over contexts.
    """
    tried = {row["record"]: row["variants"] for row in _table(folder, variants.ANCHORS, "variants")}
    if not tried or tried.keys() - set(records):
        problem = "its anchors are not those of the draws" if tried else "holds no anchor"
        raise InputError(f"{folder}/{variants.ANCHORS.file}", "", problem, _cure("variants"))
    best, points, count = list[tuple[float, int, Row]](), list[tuple[float, float]](), 0
    apart = -(-sum(tried.values()) // most) or 1
    for row in _table(folder, variants.VARIANTS, "variants"):
        if count % apart == 0:
            points.append((row["anchor_effect"], row["effect"]))
        entry = (abs(row["effect"]), -count, row)  # of equal ones the first
        (heappush if len(best) < top else heappushpop)(best, entry)
        count += 1
    if not count:
        raise InputError(f"{folder}/{variants.VARIANTS.file}", "", "holds no change", _cure("variants"))
    return count, [row for *_, row in sorted(best, key=lambda entry: entry[:2], reverse=True)], np.array(points)


def _table(folder: str, table: Table, command: str, wanted: Sequence[str] = ()) -> Iterator[Row]:
    return read_table(f"{folder}/{table.file}", table, _cure(command), wanted)


def _cure(command: str) -> str:
    of = {"train": "", "attribute": " of these anchors", "gc-probe": " of these anchors"}
    return f"give the folder that `maxent {command}` wrote{of.get(command, ' from these draws')}"


def _require_records(path: str, found: Sequence[str], records: Sequence[str], command: str) -> None:
    if list(found) != list(records):
        raise InputError(path, "", "its anchors are not those of the draws", _cure(command))


def _by_anchor(rows: Iterator[Row], along: str) -> Iterator[tuple[str, Iterator[Row]]]:
    """Rows in runs of an anchor; where several in a row have one name, the next begins when a number does not rise."""
    anchor, last = 0, ("", float("inf"))

    def key(row: Row) -> tuple[int, str]:
        nonlocal anchor, last
        here = (row["record"], row[along])
        anchor += here[0] != last[0] or here[1] <= last[1]
        last = here
        return anchor, row["record"]

    return ((name, group) for (_, name), group in groupby(rows, key))


def _tracks(rows: list[Row]) -> Tracks:
    numbers = np.array([[row[name] for name in TRACKS[3:]] for row in rows])
    letters = "".join(row["letter"] for row in rows)
    return Tracks(letters, numbers[:, 2:6], numbers[:, 6:], numbers[:, 0], numbers[:, 1])


def _in_anchor(path: str, site: Row, interval: Interval | None) -> Row:
    """A site with its place in the anchor's own coordinates; in the file it is the genome's where that is known."""
    start, end, strand = site["start"], site["end"], site["strand"]
    if interval is not None and interval.strand == "-":
        start, end, strand = interval.end - end, interval.end - start, {"+": "-", "-": "+"}.get(strand, strand)
    elif interval is not None:
        start, end = start - interval.start, end - interval.start
    if not 0 <= start < end <= (interval.end - interval.start if interval else end):
        problem = f"a site at {site['start']} to {site['end']} lies outside its anchor {site['record'][:80]}"
        raise InputError(path, "", problem, _cure("motifs"))
    return site | {"start": start, "end": end, "strand": strand}
