"""Networks read each other's draws: from draws and their networks to a folder of tables and a figure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from maxent_cli.analysis.crossing import (
    AS_OTHERS,
    NUMBERS,
    OWN,
    SHARED,
    UNDECIDED,
    Row,
    cross,
    network_rows,
    pair_row,
    tree_of,
)
from maxent_cli.api.drawn import law_of, reader_of
from maxent_cli.api.draws import Draws, GivenDraws, opened, path_of
from maxent_cli.api.jobs import granted_cpus, torch_threads
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.data import Floats
from maxent_cli.errors import InputError, SettingsError, StoppedError, require_range
from maxent_cli.interpret.crossing import Drawn, read_each_other
from maxent_cli.interpret.law import LawSettings
from maxent_cli.io.crossing_figure import CrossingFigure, write_crossing_figure
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import write_table
from maxent_cli.tables.crossing import CROSSED, NETWORKS, PAIRS

MOST_DRAWS = 400
SHOWN = {"t": "T: how far outputs move, sd", "called": "Share called as the anchor", "apart": "Laws apart, bits (JS)"}
MOST_SAID = 12  # networks
VERDICTS = {
    OWN: "its invariances are its own",
    AS_OTHERS: "its invariances are no more its own than the others' are theirs",
    SHARED: "its invariances are shared",
    UNDECIDED: "undecided, for want of anchors",
}


def cross_read(
    draws: Sequence[GivenDraws],
    networks: Sequence[Network],
    *,
    threshold: float = 0.0,
    most_draws: int = MOST_DRAWS,
    device: str = "cpu",
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """What each of several networks makes of the draws of each: are a network's invariances its own?

    T(A -> B) is the mean over A's draws of abs(f_B(x) - f_B(x0)) / sd_q(f_B): by how much the output of B moves, in units
    of its spread over background sequences, where A sees no difference. No label is looked at: networks that learned
    too little, or by heart, have draws in which the others' outputs move.

    Parameters
    ----------
    draws, networks
        What `sample` gave, or the paths of what it wrote, and the networks that they were drawn with, in one order.
        Anchors that all have by name and letters are compared.
    threshold
        A network calls a sequence by the side of this that its output is on.
    most_draws
        Draws of each anchor that are read, evenly spaced.
    device
        Where the networks run.
    out
        Folder for the results; without it they are kept until nobody holds them.
    threads, progress
        CPU threads; bars on stderr, none, or a function that is given each step.

    Returns
    -------
    Results
        Tables 'pairs', 'networks' and 'crossed', as `maxent compare --help-all` tells.

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
    require_range("most-draws", most_draws, 8, 10**6)
    if len(draws) != len(networks) or len(draws) < 2:
        problem = f"{len(draws)} are given, with {len(networks)} networks"
        raise SettingsError("draws", "", problem, "give two or more, each with the --model that it was drawn with")
    listener = listener_of(progress)
    files = [path for network in networks for path in network.files]
    outputs = planned([*dict.fromkeys([*map(path_of, draws), *files])], folders=[out])
    with ExitStack() as stack:
        given = [stack.enter_context(opened(each)) for each in draws]
        sides = [_side(each, network, device, listener) for each, network in zip(given, networks, strict=True)]
        names = _names(networks)
        shared = _shared(given)
        with torch_threads(threads or granted_cpus()), listener.progress("reading", len(shared), "anchors") as ticker:
            tables, crossed = dict[str, list[Floats]](), list[Row]()
            for rows in shared:
                if listener.stop.asked:
                    raise StoppedError
                found, convergence = _anchor(given, sides, rows, (threshold, most_draws, device))
                for name in NUMBERS:
                    tables.setdefault(name, []).append(np.array([[each[name] for each in row] for row in found]))
                crossed += _crossed(given[0].names()[rows[0]], names, found, convergence)
                ticker.advance()
    stacked = {name: np.stack(each) for name, each in tables.items()}
    pairs = [
        pair_row(a, b, [{name: table[row, i, j] for name, table in stacked.items()} for row in range(len(shared))])
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    networks_found = network_rows(names, stacked)
    with results_folder(out, outputs, device=device) as folder:
        for table, rows_of in ((PAIRS, pairs), (NETWORKS, networks_found), (CROSSED, crossed)):
            write_table(str(folder / table.file), rows_of, table)
        _draw(folder, names, {name: table.mean(axis=0) for name, table in stacked.items()})
    return tell(folder, out, "networks", account(networks_found), listener)


Side = tuple[Reader, LawSettings]


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


def _anchor(
    draws: Sequence[Draws], sides: Sequence[Side], rows: Sequence[int], how: tuple[float, int, str]
) -> tuple[list[list[Row]], list[Row]]:
    """The numbers of each pair around one anchor, and whether each one's draws have converged."""
    threshold, most, device = how
    readings, convergence = list[Drawn](), list[Row]()
    for each, (model, law), row in zip(draws, sides, rows, strict=True):
        samples = each[row]
        if readings and (samples.mutable != readings[0].samples.mutable).any():
            problem = f"holds other positions of {samples.name} than {draws[0].path}"
            raise InputError(each.path, "", problem, "draw with the same --fix")
        diagnosis = each.diagnosis(samples)
        convergence.append({"converged": diagnosis.converged, "rhat": diagnosis.worst_rhat})
        readings.append(Drawn(model, law, samples))
    try:
        seen = read_each_other(readings, most, torch.device(device))
    except InputError as error:
        raise InputError(draws[0].path, f"anchor {error.path}", error.problem, error.cure) from error
    return cross(seen, threshold), convergence


def _crossed(record: str, names: Sequence[str], found: list[list[Row]], convergence: list[Row]) -> Iterator[Row]:
    for a, row in enumerate(found):
        for b, values in enumerate(row):
            yield {"record": record, "drawn": names[a], "read": names[b]} | values | convergence[a]


def _draw(folder: Path, names: Sequence[str], means: dict[str, Floats]) -> None:
    tree = tree_of(means["excess"])
    order = np.ix_(tree.order, tree.order)
    matrices = {title: means[name][order] for name, title in SHOWN.items()}
    ordered = [names[number] for number in tree.order]
    write_crossing_figure(str(folder / "crossing.png"), CrossingFigure(ordered, matrices, tree.across, tree.up))


def account(rows: Sequence[Row]) -> Iterator[str]:
    """Whose invariances are whose."""
    yield f"{rows[0]['anchors']} anchors in all draws; {len(rows)} networks read them"
    for row in sorted(rows, key=lambda each: -float(each["t"]))[:MOST_SAID]:
        moved = f"in its draws the others' outputs move {row['t']:.2f} sd ({row['t_low']:.2f} to {row['t_high']:.2f})"
        called = f"{row['called']:.0%} ({row['called_low']:.0%} to {row['called_high']:.0%}) they call as the anchor"
        yield f"  {row['network']}: {verdict_of(row)}; {moved}, and {called}"


def verdict_of(row: Row) -> str:
    """A network's verdict as a clause."""
    return VERDICTS[row["verdict"]]
