"""Networks read each other's draws: from draws and their networks to a folder of tables and a figure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from maxent_cli.analysis.crossing import (
    NUMBERS,
    Row,
    cross,
    network_rows,
    pair_row,
    tree_of,
)
from maxent_cli.api.drawn import law_of, reader_of
from maxent_cli.api.draws import Draws, GivenDraws, opened, path_of
from maxent_cli.api.jobs import granted_cpus, in_order, one_by_one, torch_threads
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import Run, settings_of
from maxent_cli.data import WHOLE, Floats
from maxent_cli.errors import InputError, SettingsError, require_range
from maxent_cli.interpret.crossing import MOST_DRAWS, Drawn, read_each_other
from maxent_cli.interpret.law import LawSettings
from maxent_cli.io.crossing_figure import CrossingFigure, order_of, write_crossing_figure
from maxent_cli.io.digests import noted
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import write_table
from maxent_cli.io.unfinished import Unfinished, packed, unfinished, unpacked
from maxent_cli.tables.crossing import CROSSED, NETWORKS, PAIRS, TREE, VERDICTS

SHOWN = {"t": "T: how far outputs move, sd", "called": "Share called as the anchor", "apart": "Laws apart, bits (JS)"}
MOST_SAID = 12  # networks


@whole_products()
def cross_read(
    draws: Sequence[GivenDraws],
    networks: Sequence[Network],
    *,
    threshold: float = 0.0,
    max_draws: int = MOST_DRAWS,
    device: str = "cpu",
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """What each of several networks makes of the draws of each: are a network's invariances its own?

    T(A -> B) is the mean over A's draws of abs(f_B(x) - f_B(x0)) / sd_q(f_B): by how much the output of B moves, in
    units of its spread over background sequences, where A sees no difference. No label is looked at: networks that
    learned too little, or by heart, have draws in which the others' outputs move.

    Parameters
    ----------
    draws, networks
        What `sample` gave, or the paths of what it wrote, and the networks that they were drawn with, in one order.
        Anchors that all have by name and letters are compared.
    threshold
        A network calls a sequence by the side of this that its output is on.
    max_draws
        Draws of each anchor that are read, evenly spaced.
    device
        Where the networks run.
    out
        Folder for the results; unfinished work lies in OUT.partial, from which the same call goes on. Without it they
        are kept until nobody holds them.
    threads, progress
        CPU threads; bars on stderr, none, or a function that is given each step.

    Returns
    -------
    Results
        Tables 'networks', 'pairs', 'crossed' and 'tree', as `maxent compare --help-all` tells.

    Raises
    ------
    InputError
        Where draws are of another network or law, or have no anchor in common.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> nets = [mx.network("fold0"), mx.network("fold1")]  # doctest: +SKIP
    >>> found = mx.cross_read(["fold0.npz", "fold1.npz"], nets, out="crossed")  # doctest: +SKIP
    >>> found["networks"][["network", "t", "verdict"]]  # doctest: +SKIP
    """
    require_range("max-draws", max_draws, 8, 10**6)
    if len(draws) != len(networks) or len(draws) < 2:
        problem = f"{len(draws)} are given, with {len(networks)} networks"
        raise SettingsError("draws", "", problem, "give two or more, each with the --model that it was drawn with")
    listener, names = listener_of(progress), _names(networks)
    files = [path for network in networks for path in network.files]
    outputs = planned([*dict.fromkeys([*map(path_of, draws), *files])], folders=[out])
    settings = settings_of(threshold=threshold, max_draws=max_draws, device=device, names=names)
    with ExitStack() as stack:
        given = [stack.enter_context(opened(each)) for each in draws]
        digests: dict[str, object] = {
            "model": [network.digest for network in networks],
            "draws": [noted(each.path) for each in given],
        }
        sides = [_side(each, network, device, listener) for each, network in zip(given, networks, strict=True)]
        job = CrossingJob(given, sides, _shared(given), names, (threshold, max_draws, device), listener)
        run = Run("compare", settings, digests, WHOLE, len(job.shared), len(job.shared), 0)
        with unfinished(out, run.identity, listener.stop) as work:
            with torch_threads(threads or granted_cpus()):
                kept = read_off(job, work)
            with results_folder(out, outputs, device=device) as folder:
                found = put_together(folder, names, list(in_order(work, kept, unpacked, listener.stop)))
    return tell(folder, out, "networks", account(found), listener)


Side = tuple[Reader, LawSettings]


@dataclass(frozen=True)
class CrossingJob:
    """Draws, networks as these read them, anchors that all have, names, how it is done, and who listens."""

    draws: Sequence[Draws]
    sides: Sequence[Side]
    shared: Sequence[Sequence[int]]
    names: Sequence[str]
    how: tuple[float, int, str]
    listener: Listener


def read_off(job: CrossingJob, work: Unfinished) -> list[str]:
    """Go through the anchors, keep the numbers of all pairs, and name what was kept in order."""

    def one(row: int) -> bytes:
        return _anchor(job, job.shared[row])

    return one_by_one(work, "reading", len(job.shared), one, {each.path for each in job.draws}, job.listener)


def put_together(folder: Path, names: Sequence[str], found: Sequence[tuple[dict[str, Floats], list[Row]]]) -> list[Row]:
    """Write the tables and the figure of all anchors; give the rows of networks.tsv."""
    tables = {name: np.stack([arrays[name] for arrays, _ in found]) for name in NUMBERS}
    pairs = [
        pair_row(a, b, [{name: table[row, i, j] for name, table in tables.items()} for row in range(len(found))])
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    means = {name: table.mean(axis=0) for name, table in tables.items()}
    networks, joints = network_rows(names, tables), tree_of(means["excess"])
    crossed = [row for _, rows in found for row in rows]
    for table, rows in ((PAIRS, pairs), (NETWORKS, networks), (CROSSED, crossed), (TREE, joints)):
        write_table(str(folder / table.file), rows, table)
    order = order_of(joints)
    matrices = {title: means[name][np.ix_(order, order)] for name, title in SHOWN.items()}
    write_crossing_figure(str(folder / "crossing.png"), CrossingFigure([names[row] for row in order], matrices, joints))
    return networks


def _side(draws: Draws, network: Network, device: str, listener: Listener) -> Side:
    """A network as its draws read it, and their law."""
    law, model = law_of(draws, network), reader_of(draws, network)
    place(model, device, listener)
    return model, law


def _names(networks: Sequence[Network]) -> list[str]:
    """What the networks are called: their folders' names, numbered where several have one."""
    plain = [
        ", ".join(Path(part.name).name or part.name for part in network.parts or (network,)) for network in networks
    ]
    count, seen, found = Counter(plain), Counter[str](), list[str]()
    for name in plain:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if count[name] > 1 else name)
    return found


def _shared(draws: Sequence[Draws]) -> list[list[int]]:
    """Of each anchor that all have once, by name and letters, its number in each of the draws."""
    places = list[dict[tuple[str, bytes], int]]()
    for each in draws:
        keys = [(name, each.letters(row).tobytes()) for row, name in enumerate(each.names())]
        count = Counter(keys)
        places.append({key: row for row, key in enumerate(keys) if count[key] == 1})
    found = [[place[key] for place in places] for key in places[0] if all(key in place for place in places[1:])]
    if not found:
        problem = f"has no anchor by name and letters that {draws[0].path} has and all others"
        raise InputError(draws[1].path, "", problem, "draw around the same anchors with each network")
    return found


def _anchor(job: CrossingJob, rows: Sequence[int]) -> bytes:
    """The numbers of each pair around one anchor, and the rows of its table, to be kept."""
    threshold, most, device = job.how
    readings, convergence = list[Drawn](), list[Row]()
    for each, (model, law), row in zip(job.draws, job.sides, rows, strict=True):
        samples = each[row]
        if readings and (samples.mutable != readings[0].samples.mutable).any():
            problem = f"holds other positions of {samples.name} than {job.draws[0].path}"
            raise InputError(each.path, "", problem, "draw with the same --fix")
        diagnosis = each.diagnosis(samples)
        convergence.append({"converged": diagnosis.converged, "rhat": diagnosis.worst_rhat})
        readings.append(Drawn(model, law, samples))
    try:
        found = cross(read_each_other(readings, most, torch.device(device)), threshold)
    except InputError as error:
        raise InputError(job.draws[0].path, f"anchor {error.path}", error.problem, error.cure) from error
    crossed = [
        {"record": readings[0].samples.name, "drawn": a, "read": b} | values | told
        for a, row, told in zip(job.names, found, convergence, strict=True)
        for b, values in zip(job.names, row, strict=True)
    ]
    arrays = {name: np.array([[values[name] for values in row] for row in found]) for name in NUMBERS}
    return packed(arrays, crossed)


def account(rows: Sequence[Row]) -> Iterator[str]:
    """Whose invariances are whose."""
    yield f"{rows[0]['anchors']} anchors in all draws; {len(rows)} networks read them"
    for row in sorted(rows, key=lambda each: -float(each["t"]))[:MOST_SAID]:
        moved = f"in its draws the others' outputs move {row['t']:.2f} sd ({row['t_low']:.2f} to {row['t_high']:.2f})"
        called = (
            f"they call {row['called']:.0%} ({row['called_low']:.0%} to {row['called_high']:.0%}) of them as the anchor"
        )
        yield f"  {row['network']}: {VERDICTS[row['verdict']]}; {moved}, and {called}"
