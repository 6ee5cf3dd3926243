"""Which positions depend on each other in draws: anchor by anchor, from draws to a folder of tables and maps."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maxent_cli.alphabet import LETTERS, decode
from maxent_cli.analysis.dependence import Dependence, joint_letters, pair_row, top_pairs
from maxent_cli.analysis.dependence import dependence as dependence_of
from maxent_cli.api.draws import Draws, GivenDraws, opened, path_of
from maxent_cli.api.jobs import in_order, one_by_one
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import Run, settings_of
from maxent_cli.choices import PICTURES
from maxent_cli.data import WHOLE, SampleSet, Shard
from maxent_cli.errors import InputError, require_one_of, require_range
from maxent_cli.io.dependence_figure import MOST_TABLES, DependenceFigure, LetterTable, dependence_figure
from maxent_cli.io.digests import noted
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.outputs import planned, writing
from maxent_cli.io.unfinished import Unfinished, packed, unfinished, unpacked
from maxent_cli.tables.dependence import ANCHORS, PAIRS
from maxent_cli.tables.dependence import LETTERS as LETTER_PAIRS

CONVERGENCE = ("converged", "rhat")  # of an anchor, in each of its rows

SIGNIFICANT = 0.05  # q up to which a pair is called dependent

Row = dict[str, Any]


@dataclass(frozen=True)
class DependenceJob:
    """The anchors looked at and mapped, by number, pairs of each, the maps' format, and who listens."""

    anchors: Sequence[int]
    mapped: Collection[int]
    top: int
    maps: str
    listener: Listener


def dependence(
    draws: GivenDraws,
    *,
    records: Sequence[str] = (),
    top: int = 20,
    maps: Literal["png", "svg", "pdf", "none"] = "png",
    max_maps: int = 100,
    out: str | None = None,
    shard: Shard = WHOLE,
    progress: Progress = True,
) -> Results:
    """Which positions depend on each other in the draws, and what of it is only the norm's doing.

    Mutual information of each pair of positions, in bits, corrected for the bias of finite draws and tested against
    pairs of which one is taken from another chain; and the same of draws reweighted to q(x)·exp(-gamma·E(x)²), in which
    features that the network treats apart are independent.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote.
    records
        Names of anchors to look at; by default all.
    top
        Pairs of each anchor in the tables.
    maps, max_maps
        Format of the heat maps, or 'none'; of so many anchors, the first ones.
    out
        Folder for the results; unfinished work lies in OUT.partial, from which the same call goes on. Without it they
        are kept until nobody holds them.
    shard, progress
        Which part of the anchors; bars on stderr, none, or a function that is given each step.

    Returns
    -------
    Results
        Tables 'pairs', 'letters' and 'anchors', as `maxent dependence --help-all` tells; positions are 0-based.

    Raises
    ------
    InputError
        Where the draws cannot be read or hold no anchor of a name, or a setting is out of range.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.dependence("draws.npz", records=["peak_1"], maps="none")  # doctest: +SKIP
    >>> found.to_frame().query("q <= 0.05")[["first", "second", "bits", "bits_error"]]  # doctest: +SKIP
    """
    require_range("top", top, 1)
    require_one_of("maps", maps, PICTURES)
    listener = listener_of(progress)
    settings = settings_of(records=list(records), top=top, maps=maps, max_maps=max_maps)
    outputs = planned([path_of(draws)], folders=[out])
    with opened(draws) as anchors:
        block, digests = shard.block(len(anchors)), {"draws": noted(anchors.path)}
        run = Run("dependence", settings, digests, shard, len(anchors), len(block), 0)
        run.announce(listener)
        asked = _asked(anchors, records)
        here = [number for number in asked if number in block]
        job = DependenceJob(here, set(asked[:max_maps]), top, maps, listener)
        with unfinished(out, run.identity, listener.stop) as work:
            kept = read_off(anchors, job, work)
            with results_folder(out, outputs, part=run.part("folder")) as folder:
                rows = put_together(folder, in_order(work, kept, unpacked, listener.stop))
        return tell(folder, out, "pairs", account(rows, anchors.max_rhat), listener)


def _asked(draws: Draws, records: Sequence[str]) -> list[int]:
    """The numbers of the anchors of these names; all, where none is given."""
    names = draws.names() if records else []
    missing = set(records) - set(names)
    if missing:
        problem = f"holds no anchor named {min(missing)[:80]!r}"
        raise InputError(draws.path, "", problem, "give names as in the table that sample wrote beside it")
    return [number for number in range(len(draws)) if not records or names[number] in records]


def read_off(draws: Draws, job: DependenceJob, work: Unfinished) -> list[str]:
    """Go through the anchors asked for, keep the rows of their tables and their maps, and name these in order."""

    def one(row: int) -> bytes:
        return _look_at(draws, job.anchors[row], job)

    return one_by_one(work, "dependence", len(job.anchors), one, {draws.path}, job.listener)


def put_together(folder: Path, found: Iterable[tuple[dict[str, Any], Any]]) -> list[Row]:
    """Write the tables and maps of all anchors; give the rows of anchors.tsv."""
    rows = list[Row]()
    (folder / "maps").mkdir()
    with ExitStack() as stack:
        anchors, *others = (
            stack.enter_context(growing_table(str(folder / table.file), table))
            for table in (ANCHORS, PAIRS, LETTER_PAIRS)
        )
        for arrays, facts in found:
            rows.append(facts[ANCHORS.file])
            for table, write in zip((PAIRS, LETTER_PAIRS), others, strict=True):
                write(facts.get(table.file, ()))
            if "map" in arrays:
                with writing(str(folder / rows[-1]["map"]), "wb") as picture:
                    picture.write(arrays["map"].tobytes())
        anchors(rows)
    return rows


def account(rows: Sequence[Row], max_rhat: float) -> Iterator[str]:
    """What was looked at and found, what was refused and why, and what to try."""
    refused = [row for row in rows if row["refused"]]
    pairs, dependent = (sum(row[name] for row in rows if not row["refused"]) for name in ("pairs", "dependent"))
    yield f"{len(rows)} anchors, {len(refused)} refused; {dependent} of {pairs} pairs dependent (q up to {SIGNIFICANT})"
    for row in refused[:3]:
        worst = f"R-hat {row['rhat']:.3g} ({row['rhat_quantity']})"
        yield f"  {row['record']}: refused, {worst} is not up to {max_rhat:g}"
    if refused:
        yield "  sample those with --preset thorough, or with more --max-steps"
    elif not dependent:
        yield "  more draws tell weaker dependence; a higher --beta in sample holds more"


def _judge(draws: Draws, samples: SampleSet) -> Row:
    diagnosis = draws.diagnosis(samples)
    judged = {
        "record": samples.name,
        "refused": not diagnosis.worst_rhat <= draws.max_rhat,
        "converged": diagnosis.converged,
        "rhat": diagnosis.worst_rhat,
        "rhat_quantity": diagnosis.worst_rhat_quantity,
    }
    return dict.fromkeys(ANCHORS.names) | judged


def _look_at(draws: Draws, number: int, job: DependenceJob) -> bytes:
    """One anchor's rows of each table, and its map, to be kept."""
    samples = draws[number]
    row = _judge(draws, samples)
    if row["refused"]:
        return packed({}, {ANCHORS.file: row})
    found = dependence_of(samples, draws.is_distance)
    told = {name: row[name] for name in CONVERGENCE}
    top = [pair_row(samples, found, pair) | told for pair in top_pairs(found, job.top)]
    upper = found.q[np.triu_indices(len(found.q), 1)]
    row |= {"pairs": int(np.isfinite(upper).sum()), "dependent": int((upper <= SIGNIFICANT).sum())}
    row |= {"squared_share": found.share}
    picture = dict[str, Any]()
    if job.maps != "none" and number in job.mapped:
        row["map"] = f"maps/map_{number + 1:06d}.{job.maps}"
        picture["map"] = np.frombuffer(dependence_figure(job.maps, _figure(samples, found, top)), np.uint8)
    letters = [line for pair in top for line in _letter_rows(samples, pair)]
    return packed(picture, {ANCHORS.file: row, PAIRS.file: top, LETTER_PAIRS.file: letters})


def _letter_rows(samples: SampleSet, pair: Row) -> Iterator[Row]:
    observed, product = joint_letters(samples, pair["first"], pair["second"])
    for one, other in np.ndindex(4, 4):
        yield {
            **{name: pair[name] for name in ("record", "first", "second", *CONVERGENCE)},
            "first_letter": LETTERS[one],
            "second_letter": LETTERS[other],
            "share": observed.value[one, other],
            "share_error": observed.error[one, other],
            "product": product[one, other],
        }


def _figure(samples: SampleSet, found: Dependence, top: Sequence[Row]) -> DependenceFigure:
    return DependenceFigure(
        title=samples.name,
        positions=found.positions,
        letters=decode(samples.anchor[found.positions]),
        bits=found.bits.value,
        squared=found.squared.value,
        dependent=found.q <= SIGNIFICANT,
        tables=[_letter_table(samples, row) for row in top[:MOST_TABLES] if row["q"] <= SIGNIFICANT],
    )


def _letter_table(samples: SampleSet, pair: Row) -> LetterTable:
    observed, product = joint_letters(samples, pair["first"], pair["second"])
    title = f"{pair['bits']:.3f} ± {pair['bits_error']:.3f} bits"
    return LetterTable(title, f"at {pair['first']}", f"at {pair['second']}", observed.value, product)
