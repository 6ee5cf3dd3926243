"""What `maxent compare` reads: a folder that `maxent motifs` wrote."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxent_cli.data import Motif
from maxent_cli.errors import InputError
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.tables import read_table
from maxent_cli.tables.motifs import ANCHORS, MOTIFS, OCCUPANCY, POSITIONS
from maxent_cli.tables.schema import Table

Row = dict[str, Any]


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


def read_side(folder: str) -> Side:
    """Read a folder of motifs. Raises InputError where its files do not belong together."""
    rows = [row for row in _table(folder, MOTIFS) if row["kind"] != "avoided"]
    named = {motif.name: motif for motif in (read_meme(f"{folder}/motifs.meme") if rows else [])}
    if any(row["motif"] not in named for row in rows):
        raise InputError(f"{folder}/motifs.meme", "", "lacks a motif of motifs.tsv", _CURE)
    found = list(_table(folder, ANCHORS))
    count = Counter(row["record"] for row in found)
    letters = _letters(folder)
    anchors = {
        row["record"]: row | {"letters": letters.get(row["record"], "")} for row in found if count[row["record"]] == 1
    }
    occupancies = {(row["record"], row["motif"]): row for row in _table(folder, OCCUPANCY)}
    repeated = sum(times > 1 for times in count.values())
    return Side(Path(folder).name, rows, [named[row["motif"]] for row in rows], anchors, occupancies, repeated)


_CURE = "give a folder that `maxent motifs` wrote"


def _table(folder: str, table: Table, wanted: Sequence[str] = ()) -> Iterator[Row]:
    return read_table(f"{folder}/{table.file}", table, _CURE, wanted)


def _letters(folder: str) -> dict[str, str]:
    """The anchors' sequences by name."""
    letters: dict[str, list[str]] = {}
    for row in _table(folder, POSITIONS, ("record", "letter")):
        letters.setdefault(row["record"], []).append(row["letter"])
    return {name: "".join(each) for name, each in letters.items()}
