"""Parts of a run put together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from maxent_cli.api import attribution, probing, variants
from maxent_cli.api.listening import Progress, Ticker, listener_of
from maxent_cli.api.runs import rejected_beside
from maxent_cli.errors import SettingsError
from maxent_cli.io.outputs import Outputs, planned
from maxent_cli.io.parts import (
    BESIDE,
    FOLDER,
    Part,
    join,
    join_folders,
    read_parts,
    rejected_tables,
    renew_rejected_of,
    tables_of,
)
from maxent_cli.tables import WRITTEN

Together = dict[str, list[Part]]  # path -> its parts, the main output first


class Pool(Protocol):
    """Makes anew, from the joined tables of a folder, what rests on all records together, and says what it says."""

    def __call__(self, folder: Path, settings: Mapping[str, Any], /) -> Iterator[str]:
        """Write into the folder; settings: of the run, as its provenance has them."""


# by the command that wrote the parts; what is pooled in its folder the declaration of its outputs says
POOLS: dict[str, Pool] = {"gc-probe": probing.pool, "attribute": attribution.pool, "variants": variants.pool}


def merge(parts: Sequence[str], out: str, *, progress: Progress = True) -> None:
    """Put together what calls or commands wrote with shards 1/n to n/n: the bytes are those of the run in one.

    Parameters
    ----------
    parts
        Paths of all parts, in any order. With draws come their summaries and beta series, where these lie beside them,
        and OUT.rejected.tsv.
    out
        What the whole run would have written: a file, or a folder where the parts are folders.
    progress
        True: bars on stderr; False: none; or a function that is given each step.

    Raises
    ------
    InputError
        Where a part is missing, there twice, changed since it was written, or of another run; it is named.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> mx.merge(["draws.1.npz", "draws.2.npz"], "draws.npz")  # doctest: +SKIP
    """
    if not parts:
        raise SettingsError("parts", "", "none are given", "give all parts of a run")
    listener, folders = listener_of(progress), all(Path(path).is_dir() for path in parts)
    beside = [rejected_beside(out), *(f"{out}{end}" for end in BESIDE if not folders)]
    outputs = planned(parts, *(([], [out]) if folders else ([out], [])), beside, noting=False)
    with listener.progress("merging", len(parts), "parts") as ticker:
        found = read_parts(parts)
        together = {out: found, **{f"{out}{end}": tables_of(found, end) for end in BESIDE}}
        kind, rejected = found[0].kind, rejected_tables(found)
        join_them = _join_folder if kind == FOLDER else _join_files
        join_them(outputs, together, partial(_counted, ticker=ticker, main=found))
        renew_rejected_of(rejected, kind, out)
    listener.say(f"{out}: {len(found)} parts, {sum(part.made['part']['records'] for part in found)} records")
    kinds = {str((part.made["machine"].get("cpu"), part.made["packages"])) for part in found}
    if len(kinds) > 1:
        listener.say(f"NOTE: {len(kinds)} kinds of CPU or versions of packages: in one run, other bytes may be drawn")


Paths = Callable[[Sequence[Part]], Iterator[str]]


def _counted(parts: Sequence[Part], ticker: Ticker, main: Sequence[Part]) -> Iterator[str]:
    """The paths of parts; those of the main output count as progress."""
    for part in parts:
        yield part.path
        ticker.advance(parts is main)


def _join_files(outputs: Outputs, together: Together, paths: Paths) -> None:
    """Join the parts of each output that is a file."""
    with outputs.writing() as opening:
        for path, parts in together.items():
            if parts:
                join(opening(path, "wb", **_made_of(parts)), parts[0].kind, paths(parts))


def _join_folder(outputs: Outputs, together: Together, paths: Paths) -> None:
    """Join folders; what pools all records is made anew from the tables."""
    out, parts = next(iter(together.items()))
    run = parts[0].made["part"]["run"]
    pooled = [output.file for output in WRITTEN.get(run["command"], ()) if output.pooled]
    with outputs.writing_folder(out, **_made_of(parts)) as folder:
        join_folders(folder, paths(parts), pooled)
        if pooled:
            list(POOLS[run["command"]](folder, run["settings"]))


def _made_of(parts: Sequence[Part]) -> dict[str, Any]:
    """What the record of the whole says: what that would have read (the parts may go), and of the parts."""
    first = parts[0].made
    took = {
        "wall_seconds": round(sum(part.made["wall_seconds"] for part in parts), 3),
        "peak_memory_mib": max(part.made["peak_memory_mib"] for part in parts),
        "outputs": {part.path: part.made["output"] for part in parts},
    }
    kept: dict[str, Any] = {name: first[name] for name in ("seed", "device") if name in first}
    kept["inputs"] = {path: digest for part in parts for path, digest in part.made["inputs"].items()}
    counts = {name: sum(part.made["part"][name] for part in parts) for name in ("records", "rejected")}
    return kept | {"part": first["part"] | counts | {"shard": "1/1"}, "parts": took}
