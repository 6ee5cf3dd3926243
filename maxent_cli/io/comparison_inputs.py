"""What `maxent compare` reads: a folder that `maxent motifs` wrote and, where given, the summary of its draws."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxent_cli.data import Motif
from maxent_cli.errors import InputError
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.tables import Columns, number, read_table, truth

Row = dict[str, Any]
KNOWN: Columns = {f"{name}_{rank}": str for rank in (1, 2, 3) for name in ("known", "p", "q", "overlap", "orientation")}
MOTIFS: Columns = {
    **dict.fromkeys(("motif", "consensus"), str),
    **dict.fromkeys(("anchors", "sites", "bits", "bits_error"), number),
    **KNOWN,
}
ANCHORS: Columns = {"record": str, "bits": number, "bits_error": number, "converged": truth, "rhat": float}
LETTERS: Columns = {"record": str, "letter": str}
HELD: Columns = {"record": str, **dict.fromkeys(("bits_held", "bits_held_error", "bits_held_df"), number)}


def _place(cell: str) -> int | None:
    return int(cell) if cell else None


OCCUPANCY: Columns = {
    **dict.fromkeys(("record", "motif", "best_strand"), str),
    **dict.fromkeys(("occupancy", "occupancy_error", "best_occupancy"), number),
    **dict.fromkeys(("best_start", "best_end"), _place),
}


@dataclass(frozen=True)
class Side:
    """One of two sets of findings: motifs with their rows, rows of anchors by name, occupancies by anchor and motif.

    A row of an anchor holds its letters too. repeated: names that several anchors have, and that are left out.
    """

    name: str
    rows: list[Row]
    motifs: list[Motif]
    anchors: dict[str, Row]
    occupancies: dict[tuple[str, str], Row]
    repeated: int


def read_side(folder: str, summary: str | None) -> Side:
    """Read a folder of motifs and the summary of its anchors. Raises InputError where they do not belong together."""
    rows = list(_table(folder, "motifs.tsv", MOTIFS))
    named = {motif.name: motif for motif in (read_meme(f"{folder}/motifs.meme") if rows else [])}
    if any(row["motif"] not in named for row in rows):
        raise InputError(f"{folder}/motifs.meme", "", "lacks a motif of motifs.tsv", _CURE)
    found = list(_table(folder, "anchors.tsv", ANCHORS))
    count = Counter(row["record"] for row in found)
    letters = _letters(folder)
    held = {row["record"]: row for row in read_table(summary, HELD, _SUMMARY_CURE)} if summary else {}
    anchors = {
        row["record"]: row | {"letters": letters.get(row["record"], "")} | held.get(row["record"], {})
        for row in found
        if count[row["record"]] == 1
    }
    missing = next((name for name in anchors if summary and name not in held), None)
    if missing is not None:
        raise InputError(str(summary), "", f"has no row for {missing[:80]}", _SUMMARY_CURE)
    occupancies = {(row["record"], row["motif"]): row for row in _table(folder, "occupancy.tsv", OCCUPANCY)}
    repeated = sum(times > 1 for times in count.values())
    return Side(Path(folder).name, rows, [named[row["motif"]] for row in rows], anchors, occupancies, repeated)


_CURE = "give a folder that `maxent motifs` wrote"
_SUMMARY_CURE = "give the summary that `maxent sample` wrote with the draws of this folder"


def _table(folder: str, name: str, columns: Columns) -> Iterator[Row]:
    path = Path(folder) / name
    if not path.is_file():
        raise InputError(str(path), "", "is not there", _CURE)
    return read_table(str(path), columns, _CURE)


def _letters(folder: str) -> dict[str, str]:
    """The anchors' sequences by name."""
    letters: dict[str, list[str]] = {}
    for row in _table(folder, "positions.tsv", LETTERS):
        letters.setdefault(row["record"], []).append(row["letter"])
    return {name: "".join(each) for name, each in letters.items()}
